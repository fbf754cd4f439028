-- Prohibitions: an explicit no, which wins over everything. They are built into reach (there): what is forbidden is not held.

-- What is forbidden to the actor right now.
CREATE OR REPLACE FUNCTION hufu.my_prohibitions() RETURNS SETOF text LANGUAGE plpgsql STABLE ROWS 2 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM access_prohibition) THEN
        RETURN QUERY SELECT DISTINCT permission::text FROM hufu.user_prohibitions WHERE user_id = hufu.actor()
            AND (starts_at IS NULL OR starts_at <= hufu.now()) AND (ends_at IS NULL OR ends_at > hufu.now());
    END IF;
END $$;

-- Does the actor hold what this names? Nobody forbids to themselves what they hold: nobody could give it back.
CREATE OR REPLACE FUNCTION hufu.holds_any(forbidden text) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_term_grant g WHERE g.user_id = hufu.actor() AND g.scopes <> 0
                  AND hufu.names_permission(forbidden, g.permission)) $$;

-- Seen by whom they bind, by whoever may view roles and by whoever has to do with change sets. Made by whoever assigns
-- roles or publishes, in their own name. To end one widens: from version 1 on in a change set that may widen, and never
-- by whom it binds. None is changed.
DO $$
DECLARE
    mine text := 'hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id) IN (SELECT hufu.my_principals())';
BEGIN
    ALTER TABLE public.access_prohibition ENABLE ROW LEVEL SECURITY;
    REVOKE ALL ON public.access_prohibition FROM hufu_app;
    GRANT SELECT, INSERT, DELETE ON public.access_prohibition TO hufu_app;
    DROP POLICY IF EXISTS read ON public.access_prohibition;
    DROP POLICY IF EXISTS insert ON public.access_prohibition;
    DROP POLICY IF EXISTS remove ON public.access_prohibition;
    EXECUTE format('CREATE POLICY read ON public.access_prohibition FOR SELECT TO hufu_app USING (
                        (SELECT hufu.holds(''role.view'')) OR (SELECT hufu.holds(''role.assign''))
                        OR (SELECT hufu.holds(''role.manage'')) OR (SELECT hufu.holds(''policy.approve''))
                        OR (SELECT hufu.holds(''policy.apply'')) OR %s)', mine);
    EXECUTE format('CREATE POLICY insert ON public.access_prohibition FOR INSERT TO hufu_app WITH CHECK (
                        ((SELECT hufu.holds(''role.assign'')) OR (SELECT hufu.publishes()) IS NOT NULL)
                        AND given_by = (SELECT hufu.actor())
                        AND NOT (%s AND hufu.holds_any(permission)))', mine);
    EXECUTE format('CREATE POLICY remove ON public.access_prohibition FOR DELETE TO hufu_app USING (
                        ((SELECT hufu.publishes()) IN (''whole'', ''rehearsal'') OR (
                            (SELECT hufu.holds(''role.assign''))
                            AND NOT (SELECT EXISTS (SELECT 1 FROM public.access_version))))
                        AND NOT (%s))', mine);
    CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.access_prohibition
        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock();
    CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.access_prohibition
        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change();
END $$;
