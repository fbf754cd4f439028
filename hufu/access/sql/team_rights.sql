-- What a manager sees of the rights of their team. Of anybody who does not stand below the actor in the reporting line
-- these functions tell nothing.

-- What is given to somebody, or forbidden to them, by whatever way it reaches them and whenever it holds.
CREATE OR REPLACE FUNCTION hufu.gifts_below(who int)
    RETURNS TABLE (kind text, id bigint, user_id int, group_id int, department_id int, below boolean, post text,
                   position_id int, level_id int, starts_at timestamptz, ends_at timestamptz, role_id int, partition_id int,
                   can_create boolean, can_edit boolean, can_delete boolean, permission text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH theirs AS MATERIALIZED (
        SELECT p.principal FROM hufu.principals p WHERE p.user_id = who AND hufu.stands_above(hufu.actor(), who))
    SELECT 'assignment', a.id::bigint, a.user_id, a.group_id, a.department_id, a.below, a.post::text, a.position_id,
           a.level_id, a.starts_at, a.ends_at, a.role_id, NULL::int, false, false, false, ''
    FROM access_assignment a
    WHERE hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
          IN (SELECT principal FROM theirs)
    UNION ALL
    SELECT 'admission', a.id::bigint, a.user_id, a.group_id, a.department_id, a.below, a.post::text, a.position_id,
           a.level_id, a.starts_at, a.ends_at, NULL::int, a.partition_id, a.can_create, a.can_edit, a.can_delete, ''
    FROM access_admission a
    WHERE hufu.principal(a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
          IN (SELECT principal FROM theirs)
    UNION ALL
    SELECT 'prohibition', f.id::bigint, f.user_id, f.group_id, f.department_id, f.below, f.post::text, f.position_id,
           f.level_id, f.starts_at, f.ends_at, NULL::int, NULL::int, false, false, false, f.permission::text
    FROM access_prohibition f
    WHERE hufu.principal(f.user_id, f.group_id, f.department_id, f.below, f.post, f.position_id, f.level_id)
          || CASE WHEN f.level_id IS NOT NULL THEN '=' ELSE '' END IN (SELECT principal FROM theirs) $$;

-- What ends until then for whom: roles, partitions, and what is lent to them.
CREATE OR REPLACE FUNCTION hufu.endings_below(until timestamptz)
    RETURNS TABLE (kind text, user_id int, name text, ends_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH RECURSIVE team AS (
        SELECT u.id FROM people_user u WHERE u.manager_id = hufu.actor()
        UNION
        SELECT u.id FROM team JOIN people_user u ON u.manager_id = team.id)
    SELECT 'role', p.user_id, r.name::text, a.ends_at
    FROM access_assignment a
    JOIN access_role r ON r.id = a.role_id
    JOIN hufu.principals p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
    WHERE a.ends_at > hufu.now() AND a.ends_at <= until AND p.user_id IN (SELECT id FROM team)
    UNION ALL
    SELECT 'partition', p.user_id, r.name::text, a.ends_at
    FROM access_admission a
    JOIN access_partition r ON r.id = a.partition_id
    JOIN hufu.principals p ON p.principal = hufu.principal(
        a.user_id, a.group_id, a.department_id, a.below, a.post, a.position_id, a.level_id)
    WHERE a.ends_at > hufu.now() AND a.ends_at <= until AND p.user_id IN (SELECT id FROM team)
    UNION ALL
    SELECT 'delegation', d.user_id, u.name::text, d.ends_at
    FROM access_delegation d JOIN people_user u ON u.id = d.delegator_id
    WHERE d.ends_at > hufu.now() AND d.ends_at <= until AND d.user_id IN (SELECT id FROM team) $$;
