-- Definitions change through change sets alone, once version 1 stands. This is the database's half of that rule.

-- Transactions that publish a change set, or try one out; empty between transactions. Only functions here write it.
CREATE TABLE IF NOT EXISTS hufu.publishing (
    transaction bigint PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('whole', 'narrowing', 'rehearsal')),
    change_set int);
REVOKE ALL ON hufu.publishing FROM PUBLIC, hufu_app;

-- What this transaction publishes: whole, narrowing, rehearsal; NULL for nothing.
CREATE OR REPLACE FUNCTION hufu.publishes() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT kind FROM publishing WHERE transaction = pg_current_xact_id_if_assigned()::text::bigint $$;

-- May definitions change here? Before version 1 by whoever manages roles; then where a change set is published or tried.
CREATE OR REPLACE FUNCTION hufu.may_define() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT coalesce(hufu.publishes() IN ('whole', 'rehearsal'), false)
       OR (NOT EXISTS (SELECT 1 FROM access_version) AND hufu.holds('role.manage')) $$;

-- May something be taken away here? Also where a change set is published that only does so.
CREATE OR REPLACE FUNCTION hufu.may_narrow() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.publishes() IS NOT NULL OR hufu.may_define() $$;

-- Does the role hold this permission already, at a scope that never holds less? Then a narrower one takes nothing more.
CREATE OR REPLACE FUNCTION hufu.holds_wider(of_role int, wanted text, narrower text) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.scope_bit(narrower) <> 0 AND EXISTS (
       SELECT 1 FROM access_grant g WHERE g.role_id = of_role AND g.permission = wanted AND hufu.scope_bit(g.scope) <> 0
       AND (narrower IN ('own', g.scope) OR g.scope = 'everything'
            OR (narrower, g.scope) IN (('department', 'department_and_below'), ('direct_reports', 'subordinates')))) $$;

-- Does an active person other than this one hold policy.approve?
CREATE OR REPLACE FUNCTION hufu.has_another_approver(than int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_term_grant g JOIN people_user u ON u.id = g.user_id AND u.status = 'active'
                  WHERE g.permission = 'policy.approve' AND g.scopes <> 0 AND g.user_id <> than) $$;

-- Try a change set out. INVARIANT: what was changed in a rehearsal cannot be committed: the mark forbids it.
CREATE OR REPLACE FUNCTION hufu.rehearse() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT (hufu.holds('role.view') OR hufu.holds('policy.approve')) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(7252, 1);
    INSERT INTO publishing (transaction, kind) VALUES (pg_current_xact_id()::text::bigint, 'rehearsal');
END $$;

CREATE OR REPLACE FUNCTION hufu.end_publishing() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NEW.kind = 'rehearsal' THEN
        RAISE EXCEPTION 'a rehearsal is never kept' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM access_version_text t JOIN access_change_set s ON s.number = t.change_set_id
                   JOIN access_version v ON v.number = t.number
                   WHERE s.number = NEW.change_set AND s.version = t.number) THEN
        RAISE EXCEPTION 'change set % was published without a version', NEW.change_set USING ERRCODE = 'check_violation';
    END IF;
    DELETE FROM publishing WHERE transaction = NEW.transaction;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS end_publishing ON hufu.publishing;
CREATE CONSTRAINT TRIGGER end_publishing AFTER INSERT ON hufu.publishing
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hufu.end_publishing();

-- Publish a change set in this transaction, as the actor. What only takes away: its author or anybody else who holds
-- policy.apply, at once. Anything else: somebody other than its author who holds policy.approve; where there is nobody
-- else, whoever holds policy.apply, 24 hours after it was submitted. Returns the number of the version.
-- INVARIANT: a change set that says it narrows can only take away: row policies let nothing else through.
CREATE OR REPLACE FUNCTION hufu.publish(wanted int, why text) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    draft access_change_set;
    standing int;
    allowed boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    SELECT * INTO draft FROM access_change_set WHERE number = wanted FOR UPDATE;
    standing := (SELECT max(number) FROM access_version);
    allowed := hufu.actor() > 0 AND draft.state = 'submitted' AND draft.base_version = standing AND CASE
        WHEN draft.narrows THEN hufu.holds('policy.apply') OR hufu.holds('policy.approve')
        WHEN hufu.has_another_approver(draft.author) THEN hufu.actor() <> draft.author AND hufu.holds('policy.approve')
        ELSE hufu.holds('policy.apply') AND draft.submitted_at <= hufu.now() - interval '24 hours' END;
    IF NOT coalesce(allowed, false) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    INSERT INTO publishing (transaction, kind, change_set)
    VALUES (pg_current_xact_id()::text::bigint, CASE WHEN draft.narrows THEN 'narrowing' ELSE 'whole' END, wanted);
    UPDATE access_change_set SET state = 'published', decided_at = hufu.now(), decided_by = hufu.actor(), decision = why,
                                 version = standing + 1
    WHERE number = wanted;
    RETURN standing + 1;
END $$;

-- Change sets: read by whoever may view roles, approve or view the log; submitted in one's own name by whoever manages
-- roles, and by the operator; withdrawn by their author, rejected by whoever approves. Published by the function above.
ALTER TABLE public.access_change_set ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_change_set FROM hufu_app;
GRANT SELECT, INSERT (number, title, reason, author, base_version, document, narrows, risk, outcome, state, submitted_at,
                      decided_at, decided_by, decision, version) ON public.access_change_set TO hufu_app;
GRANT UPDATE (state, decided_at, decided_by, decision) ON public.access_change_set TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_change_set;
DROP POLICY IF EXISTS submit ON public.access_change_set;
DROP POLICY IF EXISTS decide ON public.access_change_set;
CREATE POLICY read ON public.access_change_set FOR SELECT TO hufu_app USING (
    (SELECT hufu.holds('role.view')) OR (SELECT hufu.holds('role.manage')) OR (SELECT hufu.holds('policy.approve'))
    OR (SELECT hufu.holds('audit.view')));
CREATE POLICY submit ON public.access_change_set FOR INSERT TO hufu_app WITH CHECK (
    ((SELECT hufu.holds('role.manage')) OR (SELECT hufu.actor()) = -1) AND author = (SELECT hufu.actor())
    AND state = 'submitted' AND version IS NULL AND submitted_at >= hufu.now() - interval '1 minute');
CREATE POLICY decide ON public.access_change_set FOR UPDATE TO hufu_app USING (
    state = 'submitted' AND (author = (SELECT hufu.actor()) OR (SELECT hufu.holds('policy.approve'))))
    WITH CHECK (decided_by = (SELECT hufu.actor()) AND (
        (state = 'withdrawn' AND author = (SELECT hufu.actor()))
        OR (state = 'rejected' AND (SELECT hufu.holds('policy.approve')))));

-- What versions say: read like change sets, written with the version, by whoever publishes it.
ALTER TABLE public.access_version_text ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_version_text FROM hufu_app;
GRANT SELECT, INSERT ON public.access_version_text TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_version_text;
DROP POLICY IF EXISTS publish ON public.access_version_text;
CREATE POLICY read ON public.access_version_text FOR SELECT TO hufu_app USING (
    (SELECT hufu.holds('role.view')) OR (SELECT hufu.holds('role.manage')) OR (SELECT hufu.holds('policy.approve'))
    OR (SELECT hufu.holds('audit.view')));
CREATE POLICY publish ON public.access_version_text FOR INSERT TO hufu_app WITH CHECK (
    hufu.publishes() IN ('whole', 'narrowing') OR (number = 1 AND (SELECT hufu.holds('policy.apply'))));

-- To whom rules open something beside reach, for whoever rehearses: who may use which break-glass rule, and who views what
-- lies in which pool (its members, and holders of everything there, as far as they hold the view).
CREATE OR REPLACE FUNCTION hufu.offered_to_everybody() RETURNS TABLE (user_id int, kind text, thing text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT (hufu.holds('role.view') OR hufu.holds('policy.approve')) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY
    SELECT who.id, 'break_glass', r.key::text
    FROM access_break_glass r, LATERAL unnest(hufu.rule_role_holders(r.role_id, hufu.now())) AS who (id)
    WHERE NOT hufu.stays_without_business(who.id)
    UNION ALL
    SELECT DISTINCT g.user_id, 'pool', p.key::text
    FROM access_pool p
    JOIN access_term_grant g ON g.permission = p.type || '.view' AND g.user_id > 0
    JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term AND hufu.bit(t.read_partitions, p.partition_id)
    WHERE g.scopes & hufu.scope_bit('everything') <> 0
       OR EXISTS (SELECT 1 FROM access_pool_reach m WHERE m.pool_id = p.id AND m.user_id = g.user_id);
END $$;

-- What levels hold of each other is a definition, too: from version 1 on nobody adds to it by a deed of their own.
DROP POLICY IF EXISTS by_change_set ON public.people_level_includes;
DROP POLICY IF EXISTS change_by_change_set ON public.people_level_includes;
CREATE POLICY by_change_set ON public.people_level_includes AS RESTRICTIVE FOR INSERT TO hufu_app
    WITH CHECK ((SELECT hufu.may_define()));
CREATE POLICY change_by_change_set ON public.people_level_includes AS RESTRICTIVE FOR UPDATE TO hufu_app
    USING ((SELECT hufu.may_define()));
CREATE OR REPLACE FUNCTION hufu.ranks_stand() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF current_user = 'hufu_app' AND NOT hufu.may_define() THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ranks_stand BEFORE UPDATE OF ladder_id, rank ON public.people_level FOR EACH ROW
    WHEN (NEW.rank <> OLD.rank OR NEW.ladder_id <> OLD.ladder_id) EXECUTE FUNCTION hufu.ranks_stand();
