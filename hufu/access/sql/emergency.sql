-- The way back where nobody who gives roles can act: for the operator alone, loud, and open until somebody reviewed it.

-- May somebody give roles right now: active, by reach as it stands?
CREATE OR REPLACE FUNCTION hufu.somebody_can_give_roles() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM hufu.ways_to((SELECT array_agg(DISTINCT role_id) FROM access_grant WHERE permission = 'role.assign')) w
        JOIN people_user u ON u.id = w.user_id AND u.status = 'active'
        WHERE w.starts_at IS NULL OR w.starts_at <= hufu.now()) $$;

CREATE OR REPLACE FUNCTION hufu.appoint_in_emergency(who int, why text, even_though boolean) RETURNS bigint LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    security int;
    made bigint;
BEGIN
    IF hufu.actor() IS DISTINCT FROM -1 OR why = '' THEN
        RAISE EXCEPTION 'only the operator appoints in an emergency, and says why' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM pg_advisory_xact_lock(7252, 1);
    IF NOT even_though AND hufu.somebody_can_give_roles() THEN
        RAISE EXCEPTION 'somebody can give roles' USING ERRCODE = 'check_violation', CONSTRAINT = 'no_emergency';
    END IF;
    SELECT r.id INTO security FROM access_role r JOIN access_grant g ON g.role_id = r.id AND g.permission = 'role.assign'
    WHERE r.administrator = 'security' ORDER BY r.id LIMIT 1;
    IF security IS NULL OR NOT EXISTS (SELECT 1 FROM people_user WHERE id = who AND status = 'active') THEN
        RAISE EXCEPTION 'no role, or nobody active' USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_to_appoint';
    END IF;
    INSERT INTO access_assignment (role_id, user_id, below, reason, given_by) VALUES (security, who, false, why, -1);
    INSERT INTO access_emergency (user_id, reason, appointed_at) VALUES (who, why, hufu.now()) RETURNING id INTO made;
    RETURN made;
END $$;

-- Reviewed by whoever gives roles or audits, never by whom it appointed.
ALTER TABLE public.access_emergency ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_emergency FROM hufu_app;
GRANT SELECT, UPDATE (reviewed_by, reviewed_at, review) ON public.access_emergency TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_emergency;
DROP POLICY IF EXISTS review ON public.access_emergency;
CREATE POLICY read ON public.access_emergency FOR SELECT TO hufu_app USING (
    (SELECT hufu.holds('role.assign')) OR (SELECT hufu.holds('audit.view')) OR (SELECT hufu.holds('role.view')));
CREATE POLICY review ON public.access_emergency FOR UPDATE TO hufu_app
    USING (reviewed_at IS NULL AND user_id <> (SELECT hufu.actor())
           AND ((SELECT hufu.holds('role.assign')) OR (SELECT hufu.holds('audit.view'))))
    WITH CHECK (reviewed_by = (SELECT hufu.actor()) AND hufu.actor() > 0 AND reviewed_at IS NOT NULL);
