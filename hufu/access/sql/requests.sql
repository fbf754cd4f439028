-- Access requests. Asking looks at nothing: there is no way from a request to whether its record is there. Deciding is a
-- right of its own only where the deed is one: whoever decides about a record may share it, about a role may give it.

-- The roles that grant a permission, themselves or by what they inherit.
CREATE OR REPLACE FUNCTION hufu.roles_granting(wanted text) RETURNS SETOF int LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE granting AS (
        SELECT role_id FROM access_grant WHERE permission = wanted AND hufu.scope_bit(scope) <> 0
        UNION
        SELECT i.role_id FROM granting g JOIN access_role_inherits i ON i.inherits_id = g.role_id)
    SELECT role_id FROM granting $$;

-- Does somebody stand above another in the reporting line?
CREATE OR REPLACE FUNCTION hufu.stands_above(boss int, who int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE line AS (
        SELECT manager_id FROM people_user WHERE id = who
        UNION
        SELECT u.manager_id FROM line JOIN people_user u ON u.id = line.manager_id)
    SELECT EXISTS (SELECT 1 FROM line WHERE manager_id = boss) $$;

-- Is the actor among those who decide about requests of `who` on records of a type, or for a role? Where the policy names
-- nobody for it, whoever may do what is asked for.
CREATE OR REPLACE FUNCTION hufu.is_approver(who int, of_type text, of_owner int, in_partition int, as_role int)
    RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    -- Nobody named: true. What is not known of those who are named is no yes.
    RETURN (
        SELECT coalesce(bool_or(coalesce(CASE a.by
            WHEN 'owner' THEN of_owner = hufu.actor()
            WHEN 'manager_of_owner' THEN hufu.stands_above(hufu.actor(), of_owner)
            WHEN 'manager_of_requester' THEN hufu.stands_above(hufu.actor(), who)
            WHEN 'role' THEN hufu.actor() = ANY (hufu.rule_role_holders(a.by_role_id, hufu.now()))
            WHEN 'named' THEN EXISTS (
                SELECT 1 FROM access_principal p WHERE p.user_id = hufu.actor() AND p.principal = hufu.principal(
                    a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id))
            END, false)), true)
        FROM access_approver a
        WHERE CASE WHEN as_role IS NULL THEN a.type = of_type AND (a.partition_id IS NULL OR a.partition_id = in_partition)
                   ELSE a.role_id = as_role END);
END $$;

-- May the actor decide about what somebody asked for (with a role: by giving that one)? Never about what they asked for
-- themselves. Whoever stands in for the asker decides in their own name: no right to decide is lent, nor what was shared
-- with somebody, and nobody keeps a decider out by lending them something. But a role would come to them, too
-- (hufu.my_principals): they give none, and may refuse it.
CREATE OR REPLACE FUNCTION hufu.decides(who int, of_type text, record bigint, wanted text, as_role int) RETURNS boolean
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF coalesce(hufu.actor() <= 0, true) OR who = hufu.actor() THEN
        RETURN false;
    ELSIF of_type <> '' THEN
        RETURN as_role IS NULL AND EXISTS (
            SELECT 1 FROM hufu.asked_record(of_type, record) r
            WHERE hufu.may_share(r.type, r.id) AND hufu.is_approver(who, r.type, r.owner_id, r.partition_id, NULL));
    END IF;
    RETURN EXISTS (
        SELECT 1 FROM hufu.roles_granting(wanted) g (role_id)
        WHERE (as_role IS NULL OR g.role_id = as_role AND who NOT IN (SELECT hufu.my_delegators()))
          AND (hufu.holds('role.assign') OR hufu.may_give_there(g.role_id, who))
          AND hufu.is_approver(who, NULL, NULL, NULL, g.role_id));
END $$;

-- A request is waited for so long; afterwards nobody decides it any more.
CREATE OR REPLACE FUNCTION hufu.request_lapses(asked_at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT asked_at + interval '30 days' $$;

CREATE OR REPLACE FUNCTION hufu.may_decide(request bigint, as_role int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_request q WHERE q.id = request AND q.withdrawn_at IS NULL
                  AND hufu.request_lapses(q.asked_at) > hufu.now()
                  AND hufu.decides(q.user_id, q.type, q.record_id, q.permission, as_role)) $$;

-- Who asked?
CREATE OR REPLACE FUNCTION hufu.asked_by_me(request bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_request q WHERE q.id = request AND q.user_id = hufu.actor()) $$;
CREATE OR REPLACE FUNCTION hufu.decided_by_me(request bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_request_decision d WHERE d.request_id = request AND d.decided_by_id = hufu.actor()) $$;

-- Did the actor give for a request just what its decision says? To whoever asked, until the same moment.
CREATE OR REPLACE FUNCTION hufu.gave_for(request bigint, share bigint, assignment bigint, as_role int, given_until timestamptz)
    RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN CASE WHEN share IS NOT NULL THEN assignment IS NULL AND EXISTS (
        SELECT 1 FROM access_request q
        JOIN hufu.asked_record(q.type, q.record_id) r ON true
        JOIN access_share s ON s.id = share AND s.type = r.type AND s.record_id = r.id
        WHERE q.id = request AND s.user_id = q.user_id AND s.given_by = hufu.actor() AND s.ends_at = given_until)
    WHEN assignment IS NOT NULL THEN EXISTS (
        SELECT 1 FROM access_request q JOIN access_assignment a ON a.id = assignment
        WHERE q.id = request AND q.type = '' AND a.user_id = q.user_id AND a.role_id = as_role
          AND a.given_by = hufu.actor() AND a.ends_at = given_until)
    ELSE true END;
END $$;

-- For which records requests ask: told to whoever may decide or decided, and of what one asked for oneself only what one
-- typed. INVARIANT: whoever asks to join what a duplicate check found does not read which record it is.
CREATE OR REPLACE FUNCTION hufu.asked_numbers(requests bigint[]) RETURNS TABLE (id bigint, record_id bigint)
    LANGUAGE sql STABLE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT q.id, q.record_id FROM access_request q
   WHERE q.id = ANY (requests) AND q.record_id IS NOT NULL
     AND CASE WHEN q.user_id = hufu.actor() THEN q.hit IS NULL
         ELSE hufu.decides(q.user_id, q.type, q.record_id, q.permission, NULL) OR hufu.decided_by_me(q.id) END $$;

ALTER TABLE public.access_request ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_request FROM hufu_app;
GRANT SELECT (id, user_id, type, number, hit, access, permission, reason, until, asked_at, withdrawn_at)
    ON public.access_request TO hufu_app;
GRANT INSERT ON public.access_request TO hufu_app;
GRANT UPDATE (withdrawn_at) ON public.access_request TO hufu_app;
GRANT USAGE ON SEQUENCE public.access_request_id_seq TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_request;
DROP POLICY IF EXISTS ask ON public.access_request;
DROP POLICY IF EXISTS withdraw ON public.access_request;
-- Seen by whoever asked, whoever may decide and whoever decided; asked in one's own name, withdrawn by oneself.
CREATE POLICY read ON public.access_request FOR SELECT TO hufu_app USING (
    user_id = (SELECT hufu.actor()) OR hufu.decides(user_id, type, record_id, permission, NULL) OR hufu.decided_by_me(id));
CREATE POLICY ask ON public.access_request FOR INSERT TO hufu_app WITH CHECK (
    user_id = (SELECT hufu.actor()) AND (SELECT hufu.actor()) > 0 AND withdrawn_at IS NULL
    AND abs(extract(epoch FROM asked_at - hufu.now())) < 60);
CREATE POLICY withdraw ON public.access_request FOR UPDATE TO hufu_app
    USING (user_id = (SELECT hufu.actor()) AND withdrawn_at IS NULL)
    WITH CHECK (user_id = (SELECT hufu.actor()) AND withdrawn_at IS NOT NULL);

ALTER TABLE public.access_request_decision ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_request_decision FROM hufu_app;
GRANT SELECT, INSERT ON public.access_request_decision TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_request_decision;
DROP POLICY IF EXISTS decide ON public.access_request_decision;
-- Whoever asked learns what they are to be told; whoever sees the share that it gave sees by which request.
CREATE POLICY read ON public.access_request_decision FOR SELECT TO hufu_app USING (
    decided_by_id = (SELECT hufu.actor()) OR (told AND hufu.asked_by_me(request_id))
    OR (SELECT hufu.holds('explain.any')) OR hufu.may_decide(request_id, NULL)
    OR (share_id IS NOT NULL AND EXISTS (SELECT 1 FROM public.access_share s WHERE s.id = share_id)));
CREATE POLICY decide ON public.access_request_decision FOR INSERT TO hufu_app WITH CHECK (
    decided_by_id = (SELECT hufu.actor()) AND abs(extract(epoch FROM decided_at - hufu.now())) < 60
    AND hufu.may_decide(request_id, CASE WHEN granted THEN role_id END)
    AND hufu.gave_for(request_id, share_id, assignment_id, role_id, ends_at));

-- Who decides is policy: known to everybody who asks, changed by change sets.
ALTER TABLE public.access_approver ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_approver FROM hufu_app;
GRANT SELECT, INSERT, DELETE ON public.access_approver TO hufu_app;
GRANT USAGE ON SEQUENCE public.access_approver_id_seq TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_approver;
DROP POLICY IF EXISTS add ON public.access_approver;
DROP POLICY IF EXISTS remove ON public.access_approver;
CREATE POLICY read ON public.access_approver FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL);
CREATE POLICY add ON public.access_approver FOR INSERT TO hufu_app WITH CHECK ((SELECT hufu.may_define()));
CREATE POLICY remove ON public.access_approver FOR DELETE TO hufu_app USING ((SELECT hufu.may_define()));
