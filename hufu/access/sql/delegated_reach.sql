-- Reach by delegation: whoever stands in for somebody gets terms of which that other person is the holder. They are what
-- the holder has through roles, cut down to what was named; never merged with the terms of whoever acts.
-- INVARIANT: only what somebody holds as their own is ever handed on.

-- These users, with everybody whose reach theirs is made from.
CREATE OR REPLACE FUNCTION hufu.with_delegators(who int[]) RETURNS int[] LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN CASE WHEN who IS NOT NULL THEN ARRAY(
        WITH RECURSIVE needed AS (
            SELECT unnest(who) AS id
            UNION
            SELECT d.delegator_id FROM needed JOIN access_delegation d ON d.user_id = needed.id)
        SELECT id FROM needed) END;
END $$;

-- The gates on a person as a principal: they bind whoever acts for them, too.
CREATE OR REPLACE FUNCTION hufu.gates_on_principal(who int) RETURNS int[] LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN coalesce((
        SELECT array_agg(DISTINCT u.gate_id ORDER BY u.gate_id) FROM access_gate_use u
        WHERE NOT u.sign_in AND u.permission = '' AND u.sensitivity = '' AND u.role_id IS NULL
          AND hufu.principal(u.user_id, u.group_id, u.department_id, u.below, u.post, u.position_id, u.level_id)
              IN (SELECT p.principal FROM access_principal p WHERE p.user_id = who)), '{}');
END $$;

-- Add the terms of those who stand in for somebody, after the own terms of everybody concerned were built.
CREATE OR REPLACE FUNCTION hufu.add_delegated_terms(only_users int[], moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    -- Planning what follows takes longer than all of it where nobody stands in for anybody; so it is below.
    IF NOT EXISTS (SELECT 1 FROM access_delegation) THEN
        RETURN;
    END IF;
    WITH lent AS (
        SELECT d.user_id, d.delegator_id, d.permissions, t.term AS own_term, t.gates,
               hufu.gates_on_principal(d.delegator_id) AS more_gates,
               (SELECT max(o.term) FROM access_term o WHERE o.user_id = d.user_id)
                   + row_number() OVER (PARTITION BY d.user_id ORDER BY d.id, t.term) AS term
        FROM access_delegation d
        JOIN people_user u ON u.id = d.delegator_id AND u.status = 'active'
        JOIN access_term t ON t.user_id = d.delegator_id AND t.holder_id = d.delegator_id
        WHERE (only_users IS NULL OR d.user_id = ANY (only_users)) AND d.starts_at <= moment AND d.ends_at > moment),
    made AS (
        INSERT INTO access_term (user_id, term, holder_id, read_partitions, create_partitions, edit_partitions,
                                 delete_partitions, owners, reports, departments, departments_below, gates)
        SELECT l.user_id, l.term, l.delegator_id, t.read_partitions, t.create_partitions, t.edit_partitions,
               t.delete_partitions, t.owners, t.reports, t.departments, t.departments_below,
               hufu.united(l.gates, NULLIF(l.more_gates, '{}'))
        FROM lent l JOIN access_term t ON t.user_id = l.delegator_id AND t.term = l.own_term)
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT l.user_id, l.term, g.permission, g.scopes
    FROM lent l JOIN access_term_grant g ON g.user_id = l.delegator_id AND g.term = l.own_term
    WHERE g.permission = ANY (l.permissions) AND hufu.may_be_delegated(g.permission);
END $$;

-- When the reach of those who stand in for somebody may change: with the delegation, and with what its giver was given.
CREATE OR REPLACE FUNCTION hufu.delegated_limits() RETURNS TABLE (user_id int, at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_delegation) THEN
        RETURN;
    END IF;
    RETURN QUERY
        SELECT d.user_id, unnest(ARRAY[d.starts_at, d.ends_at]) FROM access_delegation d
        UNION ALL
        SELECT d.user_id, unnest(ARRAY[a.starts_at, a.ends_at])
        FROM access_delegation d JOIN hufu.built_assignments a ON a.user_id = d.delegator_id
        UNION ALL
        SELECT d.user_id, unnest(ARRAY[a.starts_at, a.ends_at])
        FROM access_delegation d JOIN hufu.built_admissions a ON a.user_id = d.delegator_id
        UNION ALL
        SELECT d.user_id, unnest(ARRAY[a.starts_at, a.ends_at])
        FROM access_delegation d JOIN hufu.built_prohibitions a ON a.user_id = d.delegator_id;
END $$;

-- For whom the actor stands in, now or to come.
CREATE OR REPLACE FUNCTION hufu.my_delegators() RETURNS SETOF int LANGUAGE sql STABLE ROWS 2 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT d.delegator_id FROM access_delegation d WHERE d.user_id = hufu.actor() AND d.ends_at > hufu.now() $$;

-- The holders by whose terms the actor holds all of these permissions, past the gates that are closed. Whoever stands in
-- for nobody is the only one.
CREATE OR REPLACE FUNCTION hufu.holders(wanted text[]) RETURNS int[] LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT (SELECT bool_and(hufu.permission_is_open(w)) FROM unnest(wanted) w) THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT t.holder_id
        FROM access_term_grant g JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
        WHERE g.user_id = hufu.actor() AND g.permission = ANY (wanted) AND g.scopes <> 0
          AND NOT t.gates && hufu.closed_gates()
        GROUP BY t.holder_id HAVING count(DISTINCT g.permission) = cardinality(wanted));
END $$;

-- In three-administrator mode no administrator sees business data, by delegation or break-glass neither.
CREATE OR REPLACE FUNCTION hufu.stays_without_business(who int) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT 1 FROM access_company WHERE mode = 'three') AND EXISTS (
        WITH RECURSIVE held AS (
            SELECT a.role_id FROM hufu.user_assignments a
            WHERE a.user_id = who AND (a.ends_at IS NULL OR a.ends_at > hufu.now())
            UNION
            SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id)
        SELECT 1 FROM held JOIN access_role r ON r.id = held.role_id WHERE r.administrator <> '');
END $$;
