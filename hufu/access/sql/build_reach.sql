-- Building reach: set-wise, and only what differs is written. What nobody changed is not made anew.
--
-- | part | made from                                                   | what it makes                                           |
-- |------|-------------------------------------------------------------|---------------------------------------------------------|
-- | 1    | people, departments, groups, positions, levels              | what each stands for; line, departments                 |
-- | 2    | roles, what they hold, whom they are given to, what forbids | terms behind gates, permissions and fields of each term |
-- | 4    | partitions and admissions                                   | the partitions of each term                             |
--
-- INVARIANT: parts 2 and 4 are made anew for whomever part 1 made stand for something else, and for whomever time has
-- run out. What stands in for others, system actors, limits of time, rules and pools are made anew each time.

-- A part that a table belongs to; of a table that nobody thought of all three.
CREATE OR REPLACE FUNCTION hufu.part_of_reach(of_table text) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT CASE
       WHEN starts_with(of_table, 'people_') THEN 1
       WHEN of_table IN ('access_assignment', 'access_role', 'access_role_inherits', 'access_grant', 'access_field_rule',
                         'access_base_access', 'access_gate', 'access_gate_use', 'access_prohibition') THEN 2
       WHEN of_table IN ('access_admission', 'access_partition') THEN 4
       WHEN of_table IN ('access_rule', 'access_rule_to', 'access_pool', 'access_pool_member', 'access_pool_hidden', 'access_quota',
                         'access_duty', 'access_duty_role', 'access_delegation', 'access_break_glass',
                         'access_break_glass_use', 'access_version') THEN 0
       ELSE 7 END $$;

-- INVARIANT of speed: each statement below is planned anew, so that `only_users` is hashed, or nothing where it is NULL.

-- Who was given what, by what people stand for as built. To work out again what everybody stands for would cost more
-- than all else, and the planner would take it for millions of rows.
CREATE OR REPLACE VIEW hufu.built_assignments AS
    SELECT p.user_id, a.role_id, a.starts_at, a.ends_at
    FROM public.access_assignment a
    JOIN public.access_principal p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id);
CREATE OR REPLACE VIEW hufu.built_admissions AS
    SELECT p.user_id, a.partition_id, a.can_create, a.can_edit, a.can_delete, a.starts_at, a.ends_at
    FROM public.access_admission a
    JOIN public.access_principal p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id);
CREATE OR REPLACE VIEW hufu.built_prohibitions AS
    SELECT p.user_id, a.permission, a.starts_at, a.ends_at
    FROM hufu.prohibitions a JOIN public.access_principal p ON p.principal = a.principal;

-- What people stand for. Returns whose changed. By hashing: to sort all texts for a merge takes twice as long.
CREATE OR REPLACE FUNCTION hufu.build_principals(only_users int[]) RETURNS int[] LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp SET plan_cache_mode = force_custom_plan SET enable_mergejoin = off AS $$
DECLARE
    changed int[];
BEGIN
    WITH differs AS MATERIALIZED (
        SELECT user_id, principal, stands.is_there
        FROM (SELECT DISTINCT user_id, principal, true AS is_wanted FROM hufu.principals
              WHERE only_users IS NULL OR user_id = ANY (only_users)) wanted
        FULL JOIN (SELECT user_id, principal::text, true AS is_there FROM access_principal
                   WHERE only_users IS NULL OR user_id = ANY (only_users)) stands USING (user_id, principal)
        WHERE wanted.is_wanted IS DISTINCT FROM stands.is_there),
    gone AS (
        DELETE FROM access_principal p USING differs d
        WHERE d.is_there AND p.user_id = d.user_id AND p.principal = d.principal),
    come AS (
        INSERT INTO access_principal (user_id, principal) SELECT user_id, principal FROM differs WHERE is_there IS NULL)
    SELECT array_agg(DISTINCT user_id) INTO changed FROM differs;
    RETURN coalesce(changed, '{}');
END $$;

-- Whose line and which departments: term 0 of everybody. Who has just come has no partitions yet.
CREATE OR REPLACE FUNCTION hufu.build_lines(only_users int[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    DELETE FROM access_term t
    WHERE t.user_id > 0 AND (only_users IS NULL OR t.user_id = ANY (only_users))
      AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = t.user_id);
    WITH RECURSIVE line (boss, below) AS (
        SELECT manager_id, id FROM people_user WHERE manager_id IS NOT NULL
        UNION
        SELECT line.boss, u.id FROM line JOIN people_user u ON u.manager_id = line.below),
    reporting AS (SELECT boss AS user_id, array_agg(below) AS owners FROM line GROUP BY boss),
    direct AS (SELECT manager_id AS user_id, array_agg(id) AS reports FROM people_user WHERE manager_id IS NOT NULL
               GROUP BY manager_id),
    -- Many are in the same departments.
    membership AS MATERIALIZED (
        SELECT user_id, array_agg(department_id ORDER BY department_id) AS departments FROM hufu.members GROUP BY user_id),
    places AS MATERIALIZED (
        SELECT m.departments, hufu.bitmap(m.departments) AS own, hufu.bitmap(array_agg(b.below_id)) AS below
        FROM (SELECT DISTINCT departments FROM membership) m CROSS JOIN LATERAL unnest(m.departments) d
        JOIN hufu.departments_below b ON b.department_id = d
        GROUP BY m.departments)
    INSERT INTO access_term AS t (user_id, term, holder_id, read_partitions, create_partitions, edit_partitions,
                                  delete_partitions, owners, reports, departments, departments_below)
    SELECT u.id, 0, u.id, '', '', '', '', hufu.bitmap(array_append(r.owners, u.id)), hufu.bitmap(d.reports),
           coalesce(p.own, ''), coalesce(p.below, '')
    FROM people_user u
    LEFT JOIN reporting r ON r.user_id = u.id
    LEFT JOIN direct d ON d.user_id = u.id
    LEFT JOIN membership m ON m.user_id = u.id
    LEFT JOIN places p ON p.departments = m.departments
    WHERE only_users IS NULL OR u.id = ANY (only_users)
    ON CONFLICT (user_id, term) DO UPDATE
    SET owners = EXCLUDED.owners, reports = EXCLUDED.reports, departments = EXCLUDED.departments,
        departments_below = EXCLUDED.departments_below
    WHERE (t.owners, t.reports, t.departments, t.departments_below)
          IS DISTINCT FROM (EXCLUDED.owners, EXCLUDED.reports, EXCLUDED.departments, EXCLUDED.departments_below);
END $$;

-- The partitions of term 0 of everybody.
CREATE OR REPLACE FUNCTION hufu.build_places(only_users int[], moment timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    WITH given AS MATERIALIZED (
        SELECT hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id) AS principal, partition_id,
               bool_or(can_create) AS can_create, bool_or(can_edit) AS can_edit, bool_or(can_delete) AS can_delete
        FROM access_admission
        WHERE (starts_at IS NULL OR starts_at <= moment) AND (ends_at IS NULL OR ends_at > moment)
        GROUP BY 1, 2),
    admitted AS (
        SELECT p.user_id, array_agg(g.partition_id) AS can_read, array_agg(g.partition_id) FILTER (WHERE g.can_create) AS can_create,
               array_agg(g.partition_id) FILTER (WHERE g.can_edit) AS can_edit,
               array_agg(g.partition_id) FILTER (WHERE g.can_delete) AS can_delete
        FROM given g JOIN access_principal p ON p.principal = g.principal
        WHERE only_users IS NULL OR p.user_id = ANY (only_users)
        GROUP BY p.user_id),
    wanted AS MATERIALIZED (
        SELECT u.id AS user_id, hufu.bitmap(a.can_read) AS can_read, hufu.bitmap(a.can_create) AS can_create,
               hufu.bitmap(a.can_edit) AS can_edit, hufu.bitmap(a.can_delete) AS can_delete
        FROM people_user u LEFT JOIN admitted a ON a.user_id = u.id
        WHERE only_users IS NULL OR u.id = ANY (only_users))
    UPDATE access_term t
    SET read_partitions = w.can_read, create_partitions = w.can_create, edit_partitions = w.can_edit,
        delete_partitions = w.can_delete
    FROM wanted w
    WHERE t.user_id = w.user_id AND t.term = 0
      AND (t.read_partitions, t.create_partitions, t.edit_partitions, t.delete_partitions)
          IS DISTINCT FROM (w.can_read, w.can_create, w.can_edit, w.can_delete);
END $$;

-- What each user holds through roles: term 0 through such as no gate is on, and a further term for each set of gates
-- that stands on the way, on whichever of the roles. What is forbidden is not held.
CREATE OR REPLACE FUNCTION hufu.build_held(only_users int[], moment timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    WITH RECURSIVE role_gates AS (
        SELECT role_id, array_agg(DISTINCT gate_id ORDER BY gate_id) AS gates
        FROM access_gate_use WHERE role_id IS NOT NULL GROUP BY role_id),
    given AS MATERIALIZED (
        SELECT DISTINCT hufu.principal(user_id, group_id, department_id, below, post, position_id, level_id) AS principal, role_id
        FROM access_assignment
        WHERE (starts_at IS NULL OR starts_at <= moment) AND (ends_at IS NULL OR ends_at > moment)),
    held (user_id, role_id, gates) AS (
        SELECT p.user_id, g.role_id, coalesce(r.gates, '{}')
        FROM given g JOIN access_principal p ON p.principal = g.principal
        LEFT JOIN role_gates r ON r.role_id = g.role_id
        WHERE only_users IS NULL OR p.user_id = ANY (only_users)
        UNION
        SELECT held.user_id, i.inherits_id,
               CASE WHEN r.gates IS NULL THEN held.gates ELSE hufu.united(held.gates, r.gates) END
        FROM held JOIN access_role_inherits i ON i.role_id = held.role_id
        LEFT JOIN role_gates r ON r.role_id = i.inherits_id),
    further AS MATERIALIZED (
        SELECT user_id, gates, (dense_rank() OVER (PARTITION BY user_id ORDER BY gates))::smallint AS term
        FROM held WHERE gates <> '{}' GROUP BY user_id, gates),
    terms_gone AS (
        DELETE FROM access_term t
        WHERE t.user_id > 0 AND t.term > 0 AND (only_users IS NULL OR t.user_id = ANY (only_users))
          AND NOT EXISTS (SELECT 1 FROM further f WHERE f.user_id = t.user_id AND f.term = t.term)),
    terms_come AS (
        INSERT INTO access_term AS t (user_id, term, holder_id, read_partitions, create_partitions, edit_partitions,
                                      delete_partitions, owners, reports, departments, departments_below, gates)
        SELECT user_id, term, user_id, '', '', '', '', '', '', '', '', gates FROM further
        ON CONFLICT (user_id, term) DO UPDATE SET gates = EXCLUDED.gates WHERE t.gates <> EXCLUDED.gates),
    forbidden AS MATERIALIZED (
        SELECT user_id, permission FROM hufu.built_prohibitions
        WHERE (starts_at IS NULL OR starts_at <= moment) AND (ends_at IS NULL OR ends_at > moment)),
    -- Field rules, the most permissive of each term.
    fields AS (
        SELECT held.user_id, coalesce(further.term, 0::smallint) AS term, f.type::text, f.field::text,
               max(hufu.field_level(f.mine)) AS mine, max(hufu.field_level(f.others)) AS others, bool_or(f.export) AS export
        FROM held JOIN access_field_rule f ON f.role_id = held.role_id
        JOIN hufu.viewing_roles v ON v.role_id = f.role_id AND v.type = f.type
        LEFT JOIN further ON further.user_id = held.user_id AND further.gates = held.gates
        GROUP BY held.user_id, further.term, f.type, f.field),
    fields_differ AS MATERIALIZED (
        SELECT user_id, term, type, field, fields.mine, fields.others, fields.export
        FROM fields
        FULL JOIN (SELECT user_id, term, type::text, field::text, mine, others, export FROM access_term_field
                   WHERE user_id > 0 AND (only_users IS NULL OR user_id = ANY (only_users))) stands
            USING (user_id, term, type, field)
        WHERE (fields.mine, fields.others, fields.export) IS DISTINCT FROM (stands.mine, stands.others, stands.export)),
    fields_gone AS (
        DELETE FROM access_term_field t USING fields_differ d
        WHERE d.mine IS NULL AND t.user_id = d.user_id AND t.term = d.term AND t.type = d.type AND t.field = d.field),
    fields_come AS (
        INSERT INTO access_term_field (user_id, term, type, field, mine, others, export)
        SELECT user_id, term, type, field, mine, others, export FROM fields_differ WHERE mine IS NOT NULL
        ON CONFLICT (user_id, term, type, field) DO UPDATE
        SET mine = EXCLUDED.mine, others = EXCLUDED.others, export = EXCLUDED.export),
    grants AS (
        SELECT held.user_id, coalesce(further.term, 0::smallint) AS term, g.permission::text,
               bit_or(hufu.scope_bit(g.scope))
                   | CASE WHEN g.permission IN (SELECT permission FROM hufu.opened_permissions)
                          THEN hufu.scope_bit('everything') ELSE 0::smallint END AS scopes
        FROM held JOIN access_grant g ON g.role_id = held.role_id
        LEFT JOIN further ON further.user_id = held.user_id AND further.gates = held.gates
        WHERE NOT EXISTS (SELECT 1 FROM forbidden p
                          WHERE p.user_id = held.user_id AND hufu.names_permission(p.permission, g.permission))
        GROUP BY held.user_id, further.term, g.permission
        HAVING bit_or(hufu.scope_bit(g.scope)) <> 0),
    grants_differ AS MATERIALIZED (
        SELECT user_id, term, permission, grants.scopes
        FROM grants
        FULL JOIN (SELECT user_id, term, permission::text, scopes FROM access_term_grant
                   WHERE user_id > 0 AND (only_users IS NULL OR user_id = ANY (only_users))) stands
            USING (user_id, term, permission)
        WHERE grants.scopes IS DISTINCT FROM stands.scopes),
    grants_gone AS (
        DELETE FROM access_term_grant t USING grants_differ d
        WHERE d.scopes IS NULL AND t.user_id = d.user_id AND t.term = d.term AND t.permission = d.permission)
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT user_id, term, permission, scopes FROM grants_differ WHERE scopes IS NOT NULL
    ON CONFLICT (user_id, permission, term) DO UPDATE SET scopes = EXCLUDED.scopes;
END $$;

-- Until when each user's reach holds: until the next moment at which something begins or ends.
CREATE OR REPLACE FUNCTION hufu.build_limits(only_users int[], moment timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    DELETE FROM access_reach r
    WHERE r.user_id > 0 AND (only_users IS NULL OR r.user_id = ANY (only_users))
      AND NOT EXISTS (SELECT 1 FROM people_user u WHERE u.id = r.user_id);
    WITH limits AS (
        SELECT user_id, starts_at, ends_at FROM hufu.built_assignments WHERE starts_at > moment OR ends_at > moment
        UNION ALL
        SELECT user_id, starts_at, ends_at FROM hufu.built_admissions WHERE starts_at > moment OR ends_at > moment
        UNION ALL
        SELECT user_id, starts_at, ends_at FROM hufu.built_prohibitions WHERE starts_at > moment OR ends_at > moment
        UNION ALL
        SELECT user_id, at, at FROM hufu.delegated_limits()
        UNION ALL
        SELECT user_id, at, at FROM hufu.glass_limits()),
    next AS (
        SELECT user_id, min(at) AS at FROM limits CROSS JOIN LATERAL unnest(ARRAY[starts_at, ends_at]) at
        WHERE at > moment GROUP BY user_id)
    INSERT INTO access_reach AS r (user_id, built_at, valid_until)
    SELECT u.id, moment, next.at
    FROM people_user u LEFT JOIN next ON next.user_id = u.id
    WHERE only_users IS NULL OR u.id = ANY (only_users)
    ON CONFLICT (user_id) DO UPDATE SET built_at = EXCLUDED.built_at, valid_until = EXCLUDED.valid_until
    WHERE r.valid_until IS DISTINCT FROM EXCLUDED.valid_until;
END $$;

-- System actors: what the code lists for them, in every partition.
CREATE OR REPLACE FUNCTION hufu.build_system_actors(only_users int[], moment timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    before_first_version boolean := NOT EXISTS (SELECT 1 FROM access_version);
BEGIN
    DELETE FROM access_term_grant WHERE user_id < 0 AND (only_users IS NULL OR user_id = ANY (only_users));
    DELETE FROM access_term WHERE user_id < 0 AND (only_users IS NULL OR user_id = ANY (only_users));
    DELETE FROM access_reach WHERE user_id < 0 AND (only_users IS NULL OR user_id = ANY (only_users));
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT a.id, 0, p.permission, hufu.scope_bit('everything')
    FROM access_system_actor a JOIN access_system_actor_permission p ON p.actor_id = a.id
    WHERE (only_users IS NULL OR a.id = ANY (only_users)) AND (before_first_version OR NOT p.until_first_version);
    INSERT INTO access_term (user_id, term, holder_id, read_partitions, create_partitions, edit_partitions, delete_partitions,
                             owners, reports, departments, departments_below)
    SELECT a.id, 0, a.id, every.bits, every.bits, every.bits, every.bits, '', '', '', ''
    FROM access_system_actor a, (SELECT hufu.bitmap(array_agg(id)) AS bits FROM access_partition) every
    WHERE only_users IS NULL OR a.id = ANY (only_users);
    INSERT INTO access_reach (user_id, built_at) SELECT id, moment FROM access_system_actor
    WHERE only_users IS NULL OR id = ANY (only_users);
END $$;

-- Take out what is held in somebody's stead, or by break-glass, before it is made anew.
CREATE OR REPLACE FUNCTION hufu.take_out_lent(only_users int[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    WITH lent AS (
        DELETE FROM access_term
        WHERE holder_id <> user_id AND (only_users IS NULL OR user_id = ANY (only_users)) RETURNING user_id, term)
    DELETE FROM access_term_grant g USING lent WHERE g.user_id = lent.user_id AND g.term = lent.term;
END $$;

-- Take out of it what is forbidden. INVARIANT: it comes after everything that gives.
CREATE OR REPLACE FUNCTION hufu.take_out_forbidden(only_users int[], at timestamptz) RETURNS void LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM access_prohibition) THEN
        DELETE FROM access_term_grant g USING hufu.built_prohibitions p
        WHERE (only_users IS NULL OR p.user_id = ANY (only_users)) AND g.user_id = p.user_id
          AND (p.starts_at IS NULL OR p.starts_at <= at) AND (p.ends_at IS NULL OR p.ends_at > at)
          AND hufu.names_permission(p.permission, g.permission);
    END IF;
END $$;

-- Build the reach of some users, or of everybody: all of it, or the parts that were changed. Changes of facts and policy
-- hold the same lock.
DROP FUNCTION IF EXISTS hufu.rebuild_reach(int[]);
CREATE OR REPLACE FUNCTION hufu.rebuild_reach(only_users int[] DEFAULT NULL, parts int DEFAULT 7) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    moment timestamptz;
    anew int[];
BEGIN
    -- The lock first: what was true before the wait may have ended meanwhile.
    PERFORM pg_advisory_xact_lock(7252, 1);
    moment := hufu.now();
    only_users := hufu.with_delegators(only_users);
    anew := only_users;
    IF only_users IS NULL AND parts <> 7 THEN
        anew := ARRAY(SELECT u.id FROM people_user u LEFT JOIN access_reach r ON r.user_id = u.id
                      WHERE r.user_id IS NULL OR r.valid_until <= moment);
    END IF;
    PERFORM hufu.take_out_lent(only_users);
    IF parts & 1 <> 0 THEN
        anew := anew || hufu.build_principals(only_users);
        PERFORM hufu.build_lines(only_users);
    END IF;
    IF only_users IS NULL AND cardinality(anew) > 1000 THEN
        -- Of many it is faster to make everybody's.
        anew := NULL;
    END IF;
    PERFORM hufu.build_held(CASE WHEN parts & 2 = 0 THEN anew ELSE only_users END, moment),
            hufu.build_places(CASE WHEN parts & 4 = 0 THEN anew ELSE only_users END, moment);
    -- Where and whose is the same behind gates as before them.
    UPDATE access_term t
    SET read_partitions = o.read_partitions, create_partitions = o.create_partitions,
        edit_partitions = o.edit_partitions, delete_partitions = o.delete_partitions,
        owners = o.owners, reports = o.reports, departments = o.departments, departments_below = o.departments_below
    FROM access_term o
    WHERE o.user_id = t.user_id AND o.term = 0 AND t.term > 0 AND (only_users IS NULL OR t.user_id = ANY (only_users))
      AND (t.read_partitions, t.create_partitions, t.edit_partitions, t.delete_partitions,
           t.owners, t.reports, t.departments, t.departments_below)
          IS DISTINCT FROM (o.read_partitions, o.create_partitions, o.edit_partitions, o.delete_partitions,
                            o.owners, o.reports, o.departments, o.departments_below);
    PERFORM hufu.add_delegated_terms(only_users, moment);
    PERFORM hufu.add_glass_terms(only_users, moment);
    PERFORM hufu.take_out_forbidden(only_users, moment);
    PERFORM hufu.build_limits(only_users, moment);
    PERFORM hufu.build_system_actors(only_users, moment);
    IF only_users IS NULL THEN
        PERFORM hufu.rule_rebuild(moment);
    END IF;
    PERFORM hufu.rule_rebuild_reach(only_users);
    PERFORM hufu.pool_rebuild_reach(only_users);
END $$;
