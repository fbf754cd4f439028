-- Reach: what somebody may reach, derived from facts and policy. Only these functions write it.
-- Scope bits: 1 own, 8 subordinates, 16 department, 32 department and below, 64 everything; 2 and 4 are kept free for
-- team and direct reports. An unknown scope is nothing.

CREATE OR REPLACE FUNCTION hufu.scope_bit(scope text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (CASE scope WHEN 'own' THEN 1 WHEN 'subordinates' THEN 9 WHEN 'department' THEN 17
           WHEN 'department_and_below' THEN 33 WHEN 'everything' THEN 65 ELSE 0 END)::smallint $$;

-- The gate of the person: an active account, or a system actor that is declared.
CREATE OR REPLACE FUNCTION hufu.is_active(who int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE WHEN who > 0 THEN EXISTS (SELECT 1 FROM people_user WHERE id = who AND status = 'active')
               ELSE EXISTS (SELECT 1 FROM access_system_actor WHERE id = who) END $$;

-- Whom a principal reaches: the departments, levels and the user themselves that stand for `who`.
CREATE OR REPLACE VIEW hufu.held_levels AS
    SELECT u.id AS user_id, held.id AS level_id
    FROM public.people_user u
    JOIN public.people_level mine ON mine.id = u.level_id
    JOIN public.people_level held ON held.ladder_id = mine.ladder_id AND held.rank <= mine.rank;

CREATE OR REPLACE VIEW hufu.members AS
    SELECT id AS user_id, main_department_id AS department_id FROM public.people_user WHERE main_department_id IS NOT NULL
    UNION
    SELECT user_id, department_id FROM public.people_membership;

CREATE OR REPLACE VIEW hufu.departments_below AS
    WITH RECURSIVE tree AS (
        SELECT id AS department_id, id AS below_id FROM public.people_department
        UNION
        SELECT tree.department_id, d.id FROM tree JOIN public.people_department d ON d.parent_id = tree.below_id)
    SELECT department_id, below_id FROM tree;

CREATE OR REPLACE VIEW hufu.principals AS
    SELECT id AS user_id, id AS as_user, NULL::int AS as_department, false AS from_below, NULL::int AS as_level
    FROM public.people_user
    UNION ALL
    SELECT m.user_id, NULL, m.department_id, false, NULL FROM hufu.members m
    UNION ALL
    SELECT DISTINCT m.user_id, NULL::int, b.department_id, true, NULL::int
    FROM hufu.members m JOIN hufu.departments_below b ON b.below_id = m.department_id
    UNION ALL
    SELECT user_id, NULL, NULL, false, level_id FROM hufu.held_levels;

CREATE OR REPLACE VIEW hufu.user_assignments AS
    SELECT p.user_id, a.role_id, a.starts_at, a.ends_at
    FROM public.access_assignment a JOIN hufu.principals p ON p.as_user = a.user_id
    UNION ALL
    SELECT p.user_id, a.role_id, a.starts_at, a.ends_at
    FROM public.access_assignment a
    JOIN hufu.principals p ON p.as_department = a.department_id AND p.from_below = a.below
    UNION ALL
    SELECT p.user_id, a.role_id, a.starts_at, a.ends_at
    FROM public.access_assignment a JOIN hufu.principals p ON p.as_level = a.level_id;

CREATE OR REPLACE VIEW hufu.user_admissions AS
    SELECT p.user_id, a.partition_id, a.can_create, a.can_edit, a.can_delete, a.starts_at, a.ends_at
    FROM public.access_admission a JOIN hufu.principals p ON p.as_user = a.user_id
    UNION ALL
    SELECT p.user_id, a.partition_id, a.can_create, a.can_edit, a.can_delete, a.starts_at, a.ends_at
    FROM public.access_admission a
    JOIN hufu.principals p ON p.as_department = a.department_id AND p.from_below = a.below
    UNION ALL
    SELECT p.user_id, a.partition_id, a.can_create, a.can_edit, a.can_delete, a.starts_at, a.ends_at
    FROM public.access_admission a JOIN hufu.principals p ON p.as_level = a.level_id;

-- Build the reach of some users, or of everybody. Changes of facts and policy hold the same lock.
CREATE OR REPLACE FUNCTION hufu.rebuild_reach(only_users int[] DEFAULT NULL) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    moment timestamptz;
    before_first_version boolean;
BEGIN
    -- The lock first: what was true before the wait may have ended meanwhile.
    PERFORM pg_advisory_xact_lock(7252, 1);
    moment := clock_timestamp();
    before_first_version := NOT EXISTS (SELECT 1 FROM access_version);

    DELETE FROM access_term_grant WHERE only_users IS NULL OR user_id = ANY (only_users);
    DELETE FROM access_term WHERE only_users IS NULL OR user_id = ANY (only_users);
    DELETE FROM access_reach WHERE only_users IS NULL OR user_id = ANY (only_users);

    -- What each user holds through roles: term 0, the user's own.
    WITH RECURSIVE held (user_id, role_id) AS (
        SELECT user_id, role_id FROM hufu.user_assignments
        WHERE (only_users IS NULL OR user_id = ANY (only_users))
          AND (starts_at IS NULL OR starts_at <= moment) AND (ends_at IS NULL OR ends_at > moment)
        UNION
        SELECT held.user_id, i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id)
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT held.user_id, 0, g.permission, bit_or(hufu.scope_bit(g.scope))
    FROM held JOIN access_grant g ON g.role_id = held.role_id
    GROUP BY held.user_id, g.permission
    HAVING bit_or(hufu.scope_bit(g.scope)) <> 0;

    WITH RECURSIVE line (boss, below) AS (
        SELECT manager_id, id FROM people_user WHERE manager_id IS NOT NULL
        UNION
        SELECT line.boss, u.id FROM line JOIN people_user u ON u.manager_id = line.below),
    reporting AS (SELECT boss AS user_id, array_agg(below) AS owners FROM line GROUP BY boss),
    own_departments AS (SELECT user_id, array_agg(DISTINCT department_id) AS departments FROM hufu.members GROUP BY user_id),
    below_departments AS (
        SELECT m.user_id, array_agg(DISTINCT b.below_id) AS departments
        FROM hufu.members m JOIN hufu.departments_below b ON b.department_id = m.department_id GROUP BY m.user_id),
    admitted AS (
        SELECT user_id, array_agg(DISTINCT partition_id) AS can_read,
               array_agg(DISTINCT partition_id) FILTER (WHERE can_create) AS can_create,
               array_agg(DISTINCT partition_id) FILTER (WHERE can_edit) AS can_edit,
               array_agg(DISTINCT partition_id) FILTER (WHERE can_delete) AS can_delete
        FROM hufu.user_admissions
        WHERE (only_users IS NULL OR user_id = ANY (only_users))
          AND (starts_at IS NULL OR starts_at <= moment) AND (ends_at IS NULL OR ends_at > moment)
        GROUP BY user_id)
    INSERT INTO access_term (user_id, term, read_partitions, create_partitions, edit_partitions, delete_partitions,
                             owners, departments, departments_below)
    SELECT u.id, 0, hufu.bitmap(a.can_read), hufu.bitmap(a.can_create), hufu.bitmap(a.can_edit), hufu.bitmap(a.can_delete),
           hufu.bitmap(array_append(r.owners, u.id)), hufu.bitmap(o.departments), hufu.bitmap(b.departments)
    FROM people_user u
    LEFT JOIN admitted a ON a.user_id = u.id
    LEFT JOIN reporting r ON r.user_id = u.id
    LEFT JOIN own_departments o ON o.user_id = u.id
    LEFT JOIN below_departments b ON b.user_id = u.id
    WHERE only_users IS NULL OR u.id = ANY (only_users);

    INSERT INTO access_reach (user_id, built_at, valid_until)
    SELECT u.id, moment, min(limits.at)
    FROM people_user u
    LEFT JOIN (
        SELECT user_id, unnest(ARRAY[starts_at, ends_at]) AS at FROM hufu.user_assignments
        UNION ALL
        SELECT user_id, unnest(ARRAY[starts_at, ends_at]) FROM hufu.user_admissions) limits
        ON limits.user_id = u.id AND limits.at > moment
    WHERE only_users IS NULL OR u.id = ANY (only_users)
    GROUP BY u.id;

    -- System actors: what the code lists for them, in every partition.
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT a.id, 0, p.permission, hufu.scope_bit('everything')
    FROM access_system_actor a JOIN access_system_actor_permission p ON p.actor_id = a.id
    WHERE (only_users IS NULL OR a.id = ANY (only_users)) AND (before_first_version OR NOT p.until_first_version);
    INSERT INTO access_term (user_id, term, read_partitions, create_partitions, edit_partitions, delete_partitions,
                             owners, departments, departments_below)
    SELECT a.id, 0, every.bits, every.bits, every.bits, every.bits, '', '', ''
    FROM access_system_actor a, (SELECT hufu.bitmap(array_agg(id)) AS bits FROM access_partition) every
    WHERE only_users IS NULL OR a.id = ANY (only_users);
    INSERT INTO access_reach (user_id, built_at) SELECT id, moment FROM access_system_actor
    WHERE only_users IS NULL OR id = ANY (only_users);
END $$;

-- Make reach true now for a transaction that changed facts or policy; without such a change it does nothing.
CREATE OR REPLACE FUNCTION hufu.settle_reach() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_reach_stale WHERE transaction = pg_current_xact_id()::text::bigint;
    IF FOUND THEN
        PERFORM hufu.rebuild_reach();
        RETURN true;
    END IF;
    RETURN false;
END $$;

CREATE OR REPLACE FUNCTION hufu.settle_at_commit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM hufu.settle_reach();
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS settle ON public.access_reach_stale;
CREATE CONSTRAINT TRIGGER settle AFTER INSERT ON public.access_reach_stale
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hufu.settle_at_commit();

CREATE OR REPLACE FUNCTION hufu.is_fresh(who int) RETURNS boolean LANGUAGE sql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM access_reach
                  WHERE user_id = who AND (valid_until IS NULL OR valid_until > clock_timestamp())) $$;

-- Before somebody acts: rebuild their reach when it is missing or past a time limit.
CREATE OR REPLACE FUNCTION hufu.freshen_reach(who int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT hufu.is_fresh(who) THEN
        PERFORM pg_advisory_xact_lock(7252, 1);
        IF NOT hufu.is_fresh(who) THEN
            PERFORM hufu.rebuild_reach(ARRAY[who]);
        END IF;
    END IF;
END $$;

-- May this user own records here? Active, and admitted to read and edit. Reach past a time limit is not asked:
-- nobody but its owner's next request rebuilds it.
CREATE OR REPLACE FUNCTION hufu.may_own(who int, partition int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.is_active(who) AND CASE
       WHEN hufu.is_fresh(who)
       THEN EXISTS (SELECT 1 FROM access_term t WHERE t.user_id = who AND hufu.bit(t.edit_partitions, partition))
       ELSE EXISTS (SELECT 1 FROM hufu.user_admissions a
                    WHERE a.user_id = who AND a.partition_id = partition AND a.can_edit
                      AND (a.starts_at IS NULL OR a.starts_at <= clock_timestamp())
                      AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp())) END $$;

-- Is something given to this principal given to the actor, too?
CREATE OR REPLACE FUNCTION hufu.is_given_to_me(to_user int, to_department int, with_below boolean, to_level int)
    RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE
       WHEN to_user IS NOT NULL THEN to_user = hufu.actor()
       WHEN to_level IS NOT NULL THEN EXISTS (
           SELECT 1 FROM hufu.held_levels WHERE user_id = hufu.actor() AND level_id = to_level)
       WHEN with_below THEN EXISTS (
           SELECT 1 FROM hufu.members m JOIN hufu.departments_below b ON b.below_id = m.department_id
           WHERE m.user_id = hufu.actor() AND b.department_id = to_department)
       ELSE EXISTS (SELECT 1 FROM hufu.members WHERE user_id = hufu.actor() AND department_id = to_department) END $$;

-- Does the actor hold this role, by whatever way, now or at another time?
CREATE OR REPLACE FUNCTION hufu.holds_role(wanted int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ WITH RECURSIVE held AS (
       SELECT role_id FROM hufu.user_assignments WHERE user_id = hufu.actor()
       UNION
       SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id)
   SELECT EXISTS (SELECT 1 FROM held WHERE role_id = wanted) $$;
