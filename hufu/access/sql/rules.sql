-- Who may read and change policy. Reach is readable by its owner alone and writable by nobody.

DO $$
DECLARE
    policy_table text;
    widened text;
    kept text;
    changed text;
    may_add text;
    may_change text;
    may_remove text;
    of_level text;
    published text;
    principal text := 'hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id)';
    mine text := principal || ' IN (SELECT hufu.my_principals())';
BEGIN
    FOREACH policy_table IN ARRAY '{access_partition,access_role,access_role_inherits,access_grant,access_field_rule,access_base_access,access_assignment,access_admission,access_gate,access_gate_use,access_quota,access_rule,access_rule_to}'::text[] LOOP
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
    END LOOP;

    -- Definitions: names are no secret among colleagues. Before version 1 whoever manages roles changes them: nobody
    -- widens a role they hold, or the base access of what they view, touches a gate or a quota that binds them or a field
    -- rule of a role they hold (to end one may widen as well as to make one), or makes a rule that gives them anything.
    -- From then on a change set is published (hufu.may_define): who may do that was asked of its author and its approver.
    -- Where it only takes away (hufu.may_narrow), nothing else passes: rows go, and new limits come.
    FOREACH policy_table IN ARRAY '{access_partition,access_role,access_role_inherits,access_grant,access_field_rule,access_base_access,access_gate,access_gate_use,access_quota,access_rule,access_rule_to}'::text[] LOOP
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL)', policy_table);
        widened := CASE WHEN policy_table IN ('access_role_inherits', 'access_grant', 'access_field_rule') THEN 'role_id <> ALL ((SELECT hufu.roles_held())::int[])'
                        WHEN policy_table = 'access_base_access' THEN '(hufu.actor() < 0 OR NOT hufu.holds(type || ''.view''))'
                        WHEN policy_table = 'access_rule' THEN 'NOT hufu.gives_me_by_rule(id, parent_id, superiors)'
                        WHEN policy_table = 'access_rule_to' THEN 'NOT hufu.gives_me_by_rule(rule_id, NULL,
                            (SELECT r.superiors FROM public.access_rule r WHERE r.id = rule_id), ' || principal || ')'
                        ELSE 'true' END;
        kept := CASE policy_table WHEN 'access_field_rule' THEN 'role_id <> ALL ((SELECT hufu.roles_held())::int[])'
                                  WHEN 'access_gate' THEN 'NOT hufu.gate_binds_me(id)'
                                  WHEN 'access_gate_use' THEN 'NOT hufu.gate_binds_me(gate_id)'
                                  WHEN 'access_quota' THEN 'NOT hufu.quota_binds_me(id)'
                                  ELSE 'true' END;
        may_add := CASE WHEN policy_table IN ('access_gate', 'access_gate_use', 'access_quota') THEN 'may_narrow' ELSE 'may_define' END;
        may_change := CASE policy_table WHEN 'access_base_access' THEN 'may_narrow' ELSE 'may_define' END;
        changed := CASE policy_table WHEN 'access_base_access' THEN '((SELECT hufu.may_define()) OR access = ''private'')' ELSE 'true' END;
        may_remove := CASE WHEN policy_table IN ('access_role', 'access_grant', 'access_role_inherits', 'access_base_access',
                                                'access_rule', 'access_rule_to')
                           THEN 'may_narrow' ELSE 'may_define' END;
        EXECUTE format('CREATE POLICY insert ON public.%I FOR INSERT TO hufu_app
                            WITH CHECK (((SELECT hufu.%s()) %s) AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))',
                       policy_table, may_add,
                       CASE policy_table WHEN 'access_grant' THEN
                           'OR ((SELECT hufu.may_narrow()) AND hufu.holds_wider(role_id, permission, scope))' END,
                       widened);
        EXECUTE format('CREATE POLICY change ON public.%I FOR UPDATE TO hufu_app
                            USING ((SELECT hufu.%s()) AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))
                            WITH CHECK ((SELECT hufu.%s()) AND %s AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))',
                       policy_table, may_change, kept, may_change, changed, widened);
        EXECUTE format('CREATE POLICY remove ON public.%I FOR DELETE TO hufu_app
                            USING ((SELECT hufu.%s()) AND ((SELECT hufu.publishes()) IS NOT NULL OR %s))',
                       policy_table, may_remove, kept);
    END LOOP;

    -- Gifts: seen by their holders and by whoever may view roles; given in one's own name, never to oneself. What a level
    -- holds is a definition.
    FOREACH policy_table IN ARRAY '{access_assignment,access_admission}'::text[] LOOP
        of_level := CASE policy_table WHEN 'access_assignment' THEN
            'WHEN level_id IS NOT NULL AND NOT (SELECT hufu.may_define()) THEN false' ELSE 'WHEN false THEN false' END;
        published := CASE policy_table WHEN 'access_assignment' THEN
            'WHEN level_id IS NOT NULL AND (SELECT hufu.publishes()) IN (''whole'', ''rehearsal'') THEN true' ELSE '' END;
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING (
                            (SELECT hufu.holds(''role.view'')) OR (SELECT hufu.holds(''role.assign'')) OR %s)', policy_table, mine);
        EXECUTE format('CREATE POLICY insert ON public.%I FOR INSERT TO hufu_app WITH CHECK (
                            given_by = (SELECT hufu.actor()) AND CASE %s
                            %s
                            ELSE (SELECT hufu.holds(''role.assign'')) AND NOT (%s) END)', policy_table, of_level, published, mine);
        EXECUTE format('CREATE POLICY change ON public.%I FOR UPDATE TO hufu_app USING ((SELECT hufu.holds(''role.assign'')))
                            WITH CHECK ((SELECT hufu.holds(''role.assign'')) AND given_by = (SELECT hufu.actor())
                            AND CASE %s ELSE NOT (%s) END)', policy_table, of_level, mine);
        EXECUTE format('CREATE POLICY remove ON public.%I FOR DELETE TO hufu_app USING (
                            (SELECT hufu.holds(''role.assign'')) OR (SELECT hufu.publishes()) IS NOT NULL)', policy_table);
    END LOOP;
END $$;

-- Administrator roles cannot hang on a level: neither themselves nor inherited, whichever of the facts came last.
-- It looks at everything, whoever acts: the reader of policies sees less than what counts here.
CREATE OR REPLACE FUNCTION hufu.no_administrator_level() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE held AS (
            SELECT role_id AS id FROM access_assignment WHERE level_id IS NOT NULL
            UNION
            SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.id)
        SELECT 1 FROM held JOIN access_role r USING (id) WHERE r.administrator <> '') THEN
        RAISE EXCEPTION 'an administrator role cannot hang on a level' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS a_no_administrator_level ON public.access_assignment;
CREATE OR REPLACE TRIGGER no_administrator_level AFTER INSERT OR UPDATE ON public.access_assignment
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.no_administrator_level();
CREATE OR REPLACE TRIGGER no_administrator_level AFTER INSERT OR UPDATE ON public.access_role_inherits
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.no_administrator_level();
CREATE OR REPLACE TRIGGER no_administrator_level AFTER UPDATE OF administrator ON public.access_role
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.no_administrator_level();

CREATE OR REPLACE FUNCTION hufu.no_role_cycle() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF EXISTS (
        WITH RECURSIVE held AS (
            SELECT NEW.inherits_id AS id
            UNION
            SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.id)
        SELECT 1 FROM held WHERE id = NEW.role_id) THEN
        RAISE EXCEPTION 'role % would inherit from itself', NEW.role_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER a_no_cycle BEFORE INSERT OR UPDATE ON public.access_role_inherits
    FOR EACH ROW EXECUTE FUNCTION hufu.no_role_cycle();

ALTER TABLE public.access_version ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON public.access_version TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_version;
DROP POLICY IF EXISTS publish ON public.access_version;
CREATE POLICY read ON public.access_version FOR SELECT TO hufu_app USING (true);
CREATE POLICY publish ON public.access_version FOR INSERT TO hufu_app WITH CHECK (
    published_by = (SELECT hufu.actor())
    AND ((SELECT hufu.publishes()) IN ('whole', 'narrowing') OR (number = 1 AND (SELECT hufu.holds('policy.apply')))));
CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT ON public.access_version
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock();
CREATE OR REPLACE TRIGGER facts_change AFTER INSERT ON public.access_version
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change();

ALTER TABLE public.access_term ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_term_grant ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_term_field ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_reach ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_principal ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.access_term, public.access_term_grant, public.access_term_field, public.access_reach TO hufu_app;
REVOKE ALL ON public.access_principal FROM hufu_app;
GRANT SELECT ON public.access_system_actor TO hufu_app;
DROP POLICY IF EXISTS own ON public.access_term;
DROP POLICY IF EXISTS own ON public.access_term_grant;
DROP POLICY IF EXISTS own ON public.access_term_field;
DROP POLICY IF EXISTS own ON public.access_reach;
CREATE POLICY own ON public.access_term FOR SELECT TO hufu_app USING (user_id = (SELECT hufu.actor()));
CREATE POLICY own ON public.access_term_grant FOR SELECT TO hufu_app USING (user_id = (SELECT hufu.actor()));
CREATE POLICY own ON public.access_term_field FOR SELECT TO hufu_app USING (user_id = (SELECT hufu.actor()));
CREATE POLICY own ON public.access_reach FOR SELECT TO hufu_app USING (user_id = (SELECT hufu.actor()));

-- The actor's terms that grant one of these permissions, as far as neither gates nor the ceiling close it: what the row
-- policies ask for. Its plan stays with the session, and none of it is planned with the statement that asks. ROWS: few, or
-- the planner takes the row policy for dear.
CREATE OR REPLACE FUNCTION hufu.my_terms(VARIADIC wanted text[])
    RETURNS TABLE (user_id int, holder_id int, read_partitions bytea, create_partitions bytea, edit_partitions bytea,
                   delete_partitions bytea, owners bytea, reports bytea, departments bytea, departments_below bytea,
                   scopes smallint)
    LANGUAGE plpgsql STABLE ROWS 2 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    wanted := ARRAY(SELECT w FROM unnest(wanted) w WHERE hufu.permission_is_open(w));
    IF wanted <> '{}' THEN
        RETURN QUERY
        SELECT t.user_id, t.holder_id, t.read_partitions, t.create_partitions, t.edit_partitions, t.delete_partitions,
               t.owners, t.reports, t.departments, t.departments_below, g.scopes
        FROM access_term_grant g JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
        WHERE g.user_id = hufu.actor() AND g.permission = ANY (wanted) AND g.scopes <> 0
          AND NOT t.gates && hufu.closed_gates();
    END IF;
END $$;

-- The records of a type in whose teams the actor is.
CREATE OR REPLACE FUNCTION hufu.my_teams(of_type text) RETURNS TABLE (record_id bigint, access text)
    LANGUAGE plpgsql STABLE ROWS 5 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT m.record_id, m.access::text FROM access_team_member m
                 WHERE m.user_id = hufu.actor() AND m.type = of_type;
END $$;

-- Teams: a member sees their own memberships, whoever may view a record (or explain rights) its whole team. Rows are
-- written by the deeds of each type alone (hufu/access/policies.py).
ALTER TABLE public.access_team_member ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_team_member FROM hufu_app;
GRANT SELECT ON public.access_team_member TO hufu_app;

-- Shares by hand: seen by whoever may view the record or explains rights, written by the deeds of each type alone.
ALTER TABLE public.access_share ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_share FROM hufu_app;
GRANT SELECT ON public.access_share TO hufu_app;
-- What a share took along goes with it, and so does what was asked for it.
CREATE OR REPLACE FUNCTION hufu.take_away_shares() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_share WHERE along_with_id = OLD.id;
    UPDATE access_admission_request SET ended_at = hufu.now() WHERE share_id = OLD.id AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER take_away AFTER DELETE ON public.access_share
    FOR EACH ROW EXECUTE FUNCTION hufu.take_away_shares();
