-- Who may lend what, and who sees it.

-- May the actor lend these permissions to somebody? What they hold as their own and what may be lent at all; never to
-- themselves, and to nobody who would come to administer and to see business data where that is forbidden. Separations of
-- duties are asked with all others, when reach is made true (hufu.lent_ways_to).
CREATE OR REPLACE FUNCTION hufu.may_delegate(to_user int, wanted text[]) RETURNS boolean LANGUAGE plpgsql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN hufu.actor() > 0 AND to_user <> hufu.actor() AND hufu.is_active(to_user)
        AND NOT EXISTS (
            SELECT 1 FROM unnest(wanted) w (permission) WHERE NOT hufu.may_be_delegated(w.permission) OR NOT EXISTS (
                SELECT 1 FROM access_term_grant g JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
                WHERE g.user_id = hufu.actor() AND t.holder_id = hufu.actor() AND g.permission = w.permission
                  AND g.scopes <> 0))
        AND NOT hufu.stays_without_business(to_user);
END $$;

ALTER TABLE public.access_delegation ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_delegation FROM hufu_app;
GRANT SELECT, INSERT, DELETE ON public.access_delegation TO hufu_app;
GRANT USAGE ON SEQUENCE public.access_delegation_id_seq TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_delegation;
DROP POLICY IF EXISTS insert ON public.access_delegation;
DROP POLICY IF EXISTS remove ON public.access_delegation;
-- Seen by both, and by whoever views roles or explains rights; ended by both, and by whoever gives roles.
CREATE POLICY read ON public.access_delegation FOR SELECT TO hufu_app USING (
    delegator_id = (SELECT hufu.actor()) OR user_id = (SELECT hufu.actor())
    OR (SELECT hufu.holds('role.view')) OR (SELECT hufu.holds('role.assign')) OR (SELECT hufu.holds('explain.any')));
CREATE POLICY insert ON public.access_delegation FOR INSERT TO hufu_app WITH CHECK (
    delegator_id = (SELECT hufu.actor()) AND hufu.may_delegate(user_id, permissions));
CREATE POLICY remove ON public.access_delegation FOR DELETE TO hufu_app USING (
    delegator_id = (SELECT hufu.actor()) OR user_id = (SELECT hufu.actor()) OR (SELECT hufu.holds('role.assign')));
CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.access_delegation
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock();
CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.access_delegation
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change();
