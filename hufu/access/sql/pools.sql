-- Who may read and change pools.

-- Definitions: read by everybody, changed like the others (sql/rules.sql). Before version 1 nobody makes themselves a
-- member, or shows what is hidden in a pool of theirs. Members go, and fields are hidden, where a change set only takes away.
DO $$
DECLARE
    policy_table text;
    mine text := 'hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id) IN (SELECT hufu.my_principals())';
    add_check text;
    kept text;
BEGIN
    FOREACH policy_table IN ARRAY '{access_pool,access_pool_member,access_pool_hidden}'::text[] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', policy_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hufu_app', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS read ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS insert ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS change ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS remove ON public.%I', policy_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock()', policy_table);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change()', policy_table);
        add_check := CASE policy_table WHEN 'access_pool_member' THEN format('NOT (%s)', mine) ELSE 'true' END;
        kept := CASE policy_table WHEN 'access_pool_hidden' THEN 'NOT hufu.is_pool_of_mine(pool_id)' ELSE 'true' END;
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL)',
                       policy_table);
        EXECUTE format('CREATE POLICY insert ON public.%I FOR INSERT TO hufu_app
                            WITH CHECK ((SELECT hufu.%s()) AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))',
                       policy_table, CASE policy_table WHEN 'access_pool_hidden' THEN 'may_narrow' ELSE 'may_define' END,
                       add_check);
        EXECUTE format('CREATE POLICY remove ON public.%I FOR DELETE TO hufu_app
                            USING ((SELECT hufu.%s()) AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))',
                       policy_table, CASE policy_table WHEN 'access_pool_member' THEN 'may_narrow' ELSE 'may_define' END,
                       kept);
    END LOOP;
    CREATE POLICY change ON public.access_pool FOR UPDATE TO hufu_app
        USING ((SELECT hufu.may_define())) WITH CHECK ((SELECT hufu.may_define()));
    REVOKE UPDATE ON public.access_pool_member, public.access_pool_hidden FROM hufu_app;
END $$;
