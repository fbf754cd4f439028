-- Delegated administration: some roles, given by name to people of a part of the company, by whoever was entrusted with it.

-- May the actor give this role to this person? Never to themselves, nor a role of an administrator, whatever is listed.
CREATE OR REPLACE FUNCTION hufu.may_give_there(wanted int, who int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT who <> hufu.actor() AND hufu.permission_is_open('role.assign') AND EXISTS (
        SELECT 1 FROM access_delegated d
        JOIN access_delegated_role r ON r.delegated_id = d.id AND r.role_id = wanted
        JOIN hufu.departments_below b ON b.department_id = d.within_id
        JOIN people_user u ON u.main_department_id = b.below_id AND u.id = who
        WHERE d.user_id = hufu.actor())
    AND NOT EXISTS (
        WITH RECURSIVE held AS (
            SELECT wanted AS id
            UNION
            SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.id)
        SELECT 1 FROM held JOIN access_role r USING (id) WHERE r.administrator <> '') $$;

DO $$
DECLARE
    policy_table text;
BEGIN
    FOREACH policy_table IN ARRAY '{access_delegated,access_delegated_role}'::text[] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', policy_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hufu_app', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS read ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS change ON public.%I', policy_table);
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING (
                            (SELECT hufu.holds(''role.view'')) OR (SELECT hufu.holds(''role.manage'')) %s)', policy_table,
                       CASE policy_table WHEN 'access_delegated' THEN 'OR user_id = (SELECT hufu.actor())'
                       ELSE 'OR EXISTS (SELECT 1 FROM public.access_delegated d
                                        WHERE d.id = delegated_id AND d.user_id = (SELECT hufu.actor()))' END);
    END LOOP;
    -- Nobody entrusts themselves.
    CREATE POLICY change ON public.access_delegated TO hufu_app
        USING ((SELECT hufu.holds('role.manage')) OR (SELECT hufu.publishes()) IS NOT NULL)
        WITH CHECK (((SELECT hufu.holds('role.manage')) AND (SELECT hufu.holds('role.assign'))
                     OR (SELECT hufu.publishes()) IN ('whole', 'rehearsal')) AND user_id <> (SELECT hufu.actor()));
    CREATE POLICY change ON public.access_delegated_role TO hufu_app
        USING ((SELECT hufu.holds('role.manage')) OR (SELECT hufu.publishes()) IS NOT NULL)
        WITH CHECK (((SELECT hufu.holds('role.manage')) AND (SELECT hufu.holds('role.assign'))
                     OR (SELECT hufu.publishes()) IN ('whole', 'rehearsal')) AND NOT EXISTS (
            SELECT 1 FROM public.access_delegated d WHERE d.id = delegated_id AND d.user_id = (SELECT hufu.actor())));
END $$;

DROP POLICY IF EXISTS delegated_read ON public.access_assignment;
DROP POLICY IF EXISTS delegated_insert ON public.access_assignment;
DROP POLICY IF EXISTS delegated_remove ON public.access_assignment;
CREATE POLICY delegated_read ON public.access_assignment FOR SELECT TO hufu_app USING (
    user_id IS NOT NULL AND hufu.may_give_there(role_id, user_id));
CREATE POLICY delegated_insert ON public.access_assignment FOR INSERT TO hufu_app WITH CHECK (
    user_id IS NOT NULL AND given_by = (SELECT hufu.actor()) AND hufu.may_give_there(role_id, user_id)
    AND user_id NOT IN (SELECT hufu.my_delegators()));
CREATE POLICY delegated_remove ON public.access_assignment FOR DELETE TO hufu_app USING (
    user_id IS NOT NULL AND hufu.may_give_there(role_id, user_id));
