-- Separation of duties: what nobody may hold together is looked at whenever reach is made true, after everything that
-- one transaction does, by every way by which a role can arrive.

-- Who holds these roles, and by which ways: the gift, whom it is given to, and the roles from the given one down to the
-- wanted one. Gifts to come count, those that ended do not, nor does whoever has left. As reach was last built.
CREATE OR REPLACE FUNCTION hufu.ways_to(wanted int[])
    RETURNS TABLE (user_id int, role_id int, principal text, chain int[], starts_at timestamptz, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE above (role_id, top, chain) AS (
        SELECT r, r, ARRAY[r] FROM unnest(wanted) r
        UNION
        SELECT above.role_id, i.role_id, i.role_id || above.chain
        FROM above JOIN access_role_inherits i ON i.inherits_id = above.top)
    SELECT p.user_id, above.role_id, p.principal, above.chain, a.starts_at, a.ends_at
    FROM above
    JOIN access_assignment a ON a.role_id = above.top
    JOIN access_principal p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
    JOIN people_user u ON u.id = p.user_id AND u.status <> 'left'
    WHERE a.ends_at IS NULL OR a.ends_at > hufu.now() $$;

-- Who comes to permissions of these roles in somebody's stead: by a delegation, now or to come, of something that the role
-- grants and no role of theirs of the same duty. The principal names whose stead it is.
CREATE OR REPLACE FUNCTION hufu.lent_ways_to(wanted int[])
    RETURNS TABLE (user_id int, role_id int, principal text, chain int[], starts_at timestamptz, ends_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_delegation d WHERE d.ends_at > hufu.now()) THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE ways AS MATERIALIZED (SELECT * FROM hufu.ways_to(wanted)),
    down (top, role_id) AS (
        SELECT r, r FROM unnest(wanted) r
        UNION
        SELECT down.top, i.inherits_id FROM down JOIN access_role_inherits i ON i.role_id = down.role_id),
    granted AS MATERIALIZED (
        SELECT DISTINCT down.top AS role_id, g.permission
        FROM down JOIN access_grant g ON g.role_id = down.role_id WHERE hufu.scope_bit(g.scope) <> 0)
    SELECT d.user_id, w.role_id, 'lent:' || d.delegator_id, w.chain, greatest(d.starts_at, w.starts_at),
           least(d.ends_at, w.ends_at)
    FROM access_delegation d
    JOIN people_user u ON u.id = d.user_id AND u.status <> 'left'
    JOIN ways w ON w.user_id = d.delegator_id
    WHERE d.ends_at > hufu.now() AND EXISTS (
        SELECT 1 FROM granted g
        WHERE g.role_id = w.role_id AND g.permission = ANY (d.permissions) AND hufu.may_be_delegated(g.permission)
          AND NOT EXISTS (
              SELECT 1 FROM ways own
              JOIN granted o ON o.role_id = own.role_id AND o.permission = g.permission
              JOIN access_duty_role one ON one.role_id = own.role_id
              JOIN access_duty_role other ON other.duty_id = one.duty_id AND other.role_id = w.role_id
              WHERE own.user_id = d.user_id));
END $$;

-- Who holds more roles of a duty than it allows, in somebody's stead or not, at the moment at which they hold the most: these roles, and a way to each.
CREATE OR REPLACE FUNCTION hufu.duty_conflicts()
    RETURNS TABLE (duty_id int, user_id int, roles int[], ways jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH wanted AS (SELECT array_agg(DISTINCT r.role_id) AS roles FROM access_duty_role r),
    held AS (
        SELECT d.duty_id, w.*, coalesce(w.starts_at, '-infinity') AS begins, coalesce(w.ends_at, 'infinity') AS ends
        FROM (SELECT * FROM hufu.ways_to((SELECT roles FROM wanted))
              UNION ALL SELECT * FROM hufu.lent_ways_to((SELECT roles FROM wanted))) w
        JOIN access_duty_role d ON d.role_id = w.role_id),
    moments AS (SELECT DISTINCT h.duty_id, h.user_id, greatest(h.begins, hufu.now()) AS at FROM held h),
    together AS (
        SELECT m.duty_id, m.user_id, m.at, array_agg(DISTINCT h.role_id ORDER BY h.role_id) AS roles
        FROM moments m JOIN held h ON h.duty_id = m.duty_id AND h.user_id = m.user_id AND h.begins <= m.at AND h.ends > m.at
        GROUP BY m.duty_id, m.user_id, m.at),
    worst AS (
        SELECT DISTINCT ON (t.duty_id, t.user_id) t.*
        FROM together t JOIN access_duty d ON d.id = t.duty_id WHERE cardinality(t.roles) > d.most
        ORDER BY t.duty_id, t.user_id, cardinality(t.roles) DESC, t.at)
    SELECT w.duty_id, w.user_id, w.roles, (
        SELECT jsonb_agg(jsonb_build_object('role', way.role_id, 'to', way.principal, 'chain', way.chain,
                                            'starts', way.starts_at) ORDER BY way.role_id)
        FROM (SELECT DISTINCT ON (h.role_id) h.* FROM held h
              WHERE h.duty_id = w.duty_id AND h.user_id = w.user_id AND h.begins <= w.at AND h.ends > w.at
              ORDER BY h.role_id, cardinality(h.chain), h.principal) way)
    FROM worst w $$;

-- The same for whoever may view or manage roles.
CREATE OR REPLACE FUNCTION hufu.known_duty_conflicts()
    RETURNS TABLE (duty_id int, user_id int, roles int[], ways jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT * FROM hufu.duty_conflicts()
    WHERE hufu.holds('role.view') OR hufu.holds('role.manage') OR hufu.holds('explain.any') $$;

-- Refuse what nobody may hold together. Known exceptions stand; they go with what they excuse.
CREATE OR REPLACE FUNCTION hufu.check_duties() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    refused jsonb;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_duty) THEN
        RETURN;
    END IF;
    SELECT jsonb_agg(to_jsonb(c)) INTO refused FROM (
        SELECT c.* FROM hufu.duty_conflicts() c
        WHERE NOT EXISTS (SELECT 1 FROM access_duty_exception e
                          WHERE e.duty_id = c.duty_id AND e.user_id = c.user_id AND c.roles <@ e.roles)
        ORDER BY c.duty_id, c.user_id LIMIT 20) c;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'nobody holds these roles together'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'duties', DETAIL = refused::text;
    END IF;
    IF EXISTS (SELECT 1 FROM access_duty_exception) THEN
        DELETE FROM access_duty_exception e WHERE NOT EXISTS (
            SELECT 1 FROM hufu.duty_conflicts() c WHERE c.duty_id = e.duty_id AND c.user_id = e.user_id);
    END IF;
END $$;

-- The administrators, by every way: in standard mode whoever audits neither is system nor security administrator; in
-- three-administrator mode the three are three people who see no business data. (What is given to a person directly is
-- refused at once, by administrators_apart.)
CREATE OR REPLACE FUNCTION hufu.check_administrators() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    three boolean := EXISTS (SELECT 1 FROM access_company WHERE mode = 'three');
    refused jsonb;
BEGIN
    WITH ways AS (
        SELECT w.user_id, r.administrator, w.role_id, w.principal, w.chain, w.starts_at
        FROM hufu.ways_to((SELECT array_agg(id) FROM access_role WHERE administrator <> '')) w
        JOIN access_role r ON r.id = w.role_id),
    apart AS (
        SELECT DISTINCT ON (one.user_id) one.user_id,
               jsonb_build_array(
                   jsonb_build_object('role', one.role_id, 'to', one.principal, 'chain', one.chain, 'starts', one.starts_at),
                   jsonb_build_object('role', other.role_id, 'to', other.principal, 'chain', other.chain,
                                      'starts', other.starts_at)) AS ways
        FROM ways one JOIN ways other ON other.user_id = one.user_id AND other.administrator > one.administrator
        WHERE three OR 'audit' IN (one.administrator, other.administrator)
        ORDER BY one.user_id, cardinality(one.chain), one.principal, other.principal)
    SELECT jsonb_agg(to_jsonb(apart)) INTO refused FROM apart;
    IF refused IS NULL AND three THEN
        WITH administers AS (
            SELECT DISTINCT ON (w.user_id) w.*
            FROM hufu.ways_to((SELECT array_agg(id) FROM access_role WHERE administrator <> '')) w
            ORDER BY w.user_id, cardinality(w.chain), w.principal),
        sees AS (
            SELECT DISTINCT ON (w.user_id) w.*
            FROM hufu.ways_to((SELECT array_agg(DISTINCT role_id) FROM access_grant WHERE hufu.is_business(permission))) w
            WHERE w.user_id IN (SELECT user_id FROM administers)
            ORDER BY w.user_id, cardinality(w.chain), w.principal)
        SELECT jsonb_agg(jsonb_build_object('user_id', a.user_id, 'sees', true, 'ways', jsonb_build_array(
                   jsonb_build_object('role', a.role_id, 'to', a.principal, 'chain', a.chain, 'starts', a.starts_at),
                   jsonb_build_object('role', s.role_id, 'to', s.principal, 'chain', s.chain, 'starts', s.starts_at))))
        INTO refused FROM administers a JOIN sees s ON s.user_id = a.user_id;
    END IF;
    IF refused IS NOT NULL THEN
        RAISE EXCEPTION 'administrators are different people'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'administrators', DETAIL = refused::text;
    END IF;
END $$;

-- May somebody who is active give roles now, without an end to it and without a limit?
CREATE OR REPLACE FUNCTION hufu.somebody_gives_roles() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM hufu.ways_to((SELECT array_agg(DISTINCT role_id) FROM access_grant WHERE permission = 'role.assign')) w
        JOIN people_user u ON u.id = w.user_id AND u.status = 'active'
        WHERE w.ends_at IS NULL AND (w.starts_at IS NULL OR w.starts_at <= hufu.now())
          AND NOT EXISTS (
              SELECT 1 FROM hufu.user_prohibitions p
              WHERE p.user_id = w.user_id AND hufu.names_permission(p.permission, 'role.assign')
                AND (p.ends_at IS NULL OR p.ends_at > hufu.now()))) $$;

-- After the first version the last security administrator cannot go: not by leaving, suspension, another role or level,
-- nor by a time limit. `had`: somebody held role.assign before this transaction.
CREATE OR REPLACE FUNCTION hufu.check_last_security(had boolean) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF had AND EXISTS (SELECT 1 FROM access_version) AND NOT pg_has_role(session_user, 'hufu_owner', 'USAGE')
       AND NOT hufu.somebody_gives_roles() THEN
        RAISE EXCEPTION 'the last security administrator cannot go'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'last_security';
    END IF;
END $$;

-- Does the actor hold a role of this duty? Such a duty is loosened by others.
CREATE OR REPLACE FUNCTION hufu.duty_binds_me(duty int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.actor() > 0 AND EXISTS (
       SELECT 1 FROM access_duty_role d WHERE d.duty_id = duty AND d.role_id = ANY ((SELECT hufu.roles_held())::int[])) $$;

DO $$
DECLARE
    policy_table text;
    bound text;
BEGIN
    FOREACH policy_table IN ARRAY '{access_duty,access_duty_role,access_duty_exception}'::text[] LOOP
        bound := CASE policy_table WHEN 'access_duty' THEN 'id' ELSE 'duty_id' END;
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', policy_table);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hufu_app', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS read ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS insert ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS change ON public.%I', policy_table);
        EXECUTE format('DROP POLICY IF EXISTS remove ON public.%I', policy_table);
        -- Names are no secret among colleagues; who is an exception is one.
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING (%s)', policy_table,
                       CASE policy_table WHEN 'access_duty_exception'
                           THEN '(SELECT hufu.holds(''role.view'')) OR (SELECT hufu.holds(''role.manage''))
                                 OR (SELECT hufu.holds(''explain.any''))'
                           ELSE '(SELECT hufu.actor()) IS NOT NULL' END);
        -- Nobody excuses themselves.
        EXECUTE format('CREATE POLICY insert ON public.%I FOR INSERT TO hufu_app
                            WITH CHECK ((SELECT hufu.may_define()) %s)', policy_table,
                       CASE policy_table WHEN 'access_duty_exception' THEN 'AND user_id <> (SELECT hufu.actor())' END);
        EXECUTE format('CREATE POLICY change ON public.%I FOR UPDATE TO hufu_app
                            USING ((SELECT hufu.may_define()) AND ((SELECT hufu.publishes()) IS NOT NULL OR NOT hufu.duty_binds_me(%s)))
                            WITH CHECK ((SELECT hufu.may_define()) %s)', policy_table, bound,
                       CASE policy_table WHEN 'access_duty_exception' THEN 'AND user_id <> (SELECT hufu.actor())' END);
        EXECUTE format('CREATE POLICY remove ON public.%I FOR DELETE TO hufu_app
                            USING ((SELECT hufu.may_define()) AND ((SELECT hufu.publishes()) IS NOT NULL OR NOT hufu.duty_binds_me(%s)))', policy_table, bound);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock()', policy_table);
    END LOOP;
    FOREACH policy_table IN ARRAY '{access_duty,access_duty_role}'::text[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change()', policy_table);
    END LOOP;
END $$;
