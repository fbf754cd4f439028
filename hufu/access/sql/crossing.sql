-- Admission of one person to one record: a share that whoever owns the partition let across its wall. It opens what it
-- says, to whom it names, until it ends; nothing else of the partition.

-- So long a share across the wall lasts at most.
CREATE OR REPLACE FUNCTION hufu.longest_crossing(since timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT since + interval '93 days' $$;

-- Does the actor own the partition? Where the policy names nobody as its owner, whoever may admit people does. Never under
-- a ceiling: a token or an agent opens no wall.
CREATE OR REPLACE FUNCTION hufu.owns_partition(place int) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF coalesce(hufu.actor() <= 0, true) OR NOT hufu.is_active(hufu.actor())
       OR hufu.permission_ceiling() IS NOT NULL OR hufu.partition_ceiling() IS NOT NULL THEN
        RETURN false;
    ELSIF EXISTS (SELECT 1 FROM access_approver a WHERE a.type = '' AND a.partition_id = place) THEN
        RETURN EXISTS (
            SELECT 1 FROM access_approver a
            WHERE a.type = '' AND a.partition_id = place AND coalesce(CASE a.by
                WHEN 'role' THEN hufu.actor() = ANY (hufu.rule_role_holders(a.by_role_id, hufu.now()))
                WHEN 'named' THEN EXISTS (
                    SELECT 1 FROM access_principal p WHERE p.user_id = hufu.actor() AND p.principal = hufu.principal(
                        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id))
                END, false));
    END IF;
    RETURN hufu.holds('role.assign');
END $$;

-- May the actor decide what somebody asked for another one? Neither of them does. Whoever stands in for one of them decides
-- in their own name: it is never lent, and nobody keeps an owner from deciding by lending them something.
CREATE OR REPLACE FUNCTION hufu.lets_across(place int, asker int, recipient int) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN hufu.actor() NOT IN (asker, recipient)
       AND hufu.owns_partition(place);
END $$;

-- May the actor decide this request, and does its record stand where it did: not in the bin, behind no other wall?
CREATE OR REPLACE FUNCTION hufu.decides_crossing(request bigint) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN EXISTS (
        SELECT 1 FROM access_admission_request q
        WHERE q.id = request AND hufu.lets_across(q.partition_id, q.asked_by_id, q.user_id)
          AND EXISTS (SELECT 1 FROM hufu.asked_record(q.type, q.record_id) r WHERE r.partition_id = q.partition_id));
END $$;

-- Yes: the share reaches its recipient. No: it goes away. Returns false where there is nothing to decide (any more).
CREATE OR REPLACE FUNCTION hufu.answer_admission(request bigint, yes boolean, why text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    it access_admission_request;
BEGIN
    SELECT * INTO it FROM access_admission_request q WHERE q.id = request FOR UPDATE;
    IF NOT FOUND OR NOT hufu.lets_across(it.partition_id, it.asked_by_id, it.user_id) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF it.granted IS NOT NULL OR it.ended_at IS NOT NULL OR it.ends_at <= hufu.now()
       OR hufu.request_lapses(it.asked_at) <= hufu.now() THEN
        RETURN false;
    END IF;
    IF yes THEN
        -- Where the record went elsewhere meanwhile, another wall stands around it.
        UPDATE access_share s SET across_by = hufu.actor()
        WHERE s.id = it.share_id AND (s.type, s.record_id, s.user_id, s.access, s.ends_at)
                                   = (it.type, it.record_id, it.user_id, it.access, it.ends_at)
          AND EXISTS (SELECT 1 FROM hufu.asked_record(it.type, it.record_id) r WHERE r.partition_id = it.partition_id);
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    ELSE
        DELETE FROM access_share s WHERE s.id = it.share_id;
    END IF;
    UPDATE access_admission_request q
    SET granted = yes, decided_by_id = hufu.actor(), decided_at = hufu.now(), answer = why
    WHERE q.id = it.id;
    RETURN true;
END $$;

-- The share of a request goes away: taken back by whoever asked, ended by whoever owns the partition,
-- whoever asked, and for whomever: ending only takes away.
CREATE OR REPLACE FUNCTION hufu.end_admission_request(request bigint) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    it access_admission_request;
BEGIN
    SELECT * INTO it FROM access_admission_request q WHERE q.id = request FOR UPDATE;
    IF NOT FOUND OR NOT (it.asked_by_id = hufu.actor() OR hufu.owns_partition(it.partition_id)) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    DELETE FROM access_share s WHERE s.id = it.share_id;
    RETURN FOUND;
END $$;

ALTER TABLE public.access_admission_request ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_admission_request FROM hufu_app;
GRANT SELECT ON public.access_admission_request TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_admission_request;
-- Seen by whoever asked, whoever decides, decided or may end it, and whoever explains rights; not by whom it is about.
CREATE POLICY read ON public.access_admission_request FOR SELECT TO hufu_app USING (
    asked_by_id = (SELECT hufu.actor()) OR decided_by_id = (SELECT hufu.actor())
    OR (SELECT hufu.holds('explain.any')) OR hufu.lets_across(partition_id, asked_by_id, user_id)
    OR (granted AND hufu.owns_partition(partition_id)));
