-- Reach by break-glass: a term of its own, whose holder is nobody (a negative number), so that it is never put together with
-- what the person holds, is not lent, and no record is its own. The wall binds: only where they are admitted.

-- What is open to these people now: while the rule stands, and whoever opened it holds its role.
CREATE OR REPLACE FUNCTION hufu.glass_in_force(who int[], moment timestamptz)
    RETURNS TABLE (use_id bigint, user_id int, role_id int, types text[], partitions int[], access text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
        SELECT u.id, u.user_id, r.role_id, r.types::text[], r.partitions, r.access::text
        FROM access_break_glass_use u JOIN access_break_glass r ON r.id = u.rule_id
        WHERE (who IS NULL OR u.user_id = ANY (who)) AND u.starts_at <= moment AND u.ends_at > moment
          AND u.user_id = ANY (hufu.rule_role_holders(r.role_id, moment)) AND NOT hufu.stays_without_business(u.user_id);
END $$;

CREATE OR REPLACE FUNCTION hufu.holder_of_glass(use_id bigint) RETURNS int LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS $$ SELECT (-1000000 - use_id)::int $$;

-- Add what is open by break-glass, after the own terms of everybody concerned were built. Gate 0 is closed to reporting
-- tools alone, which leave no trace of what was looked at.
CREATE OR REPLACE FUNCTION hufu.add_glass_terms(only_users int[], moment timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    -- Planning what follows takes longer than all of it where nothing was ever opened.
    IF NOT EXISTS (SELECT 1 FROM access_break_glass_use) THEN
        RETURN;
    END IF;
    WITH glass AS (
        SELECT g.*, (SELECT max(o.term) FROM access_term o WHERE o.user_id = g.user_id)
                        + row_number() OVER (PARTITION BY g.user_id ORDER BY g.use_id) AS term
        FROM hufu.glass_in_force(only_users, moment) g),
    made AS (
        INSERT INTO access_term (user_id, term, holder_id, read_partitions, create_partitions, edit_partitions,
                                 delete_partitions, owners, reports, departments, departments_below, gates)
        SELECT g.user_id, g.term, hufu.holder_of_glass(g.use_id), hufu.bitmap(a.can_read), '',
               CASE WHEN g.access = 'edit' THEN hufu.bitmap(a.can_edit) ELSE '' END, '', '', '', '', '',
               hufu.united('{0}', (SELECT array_agg(u.gate_id) FROM access_gate_use u WHERE u.role_id = g.role_id))
        FROM glass g
        LEFT JOIN LATERAL (
            SELECT array_agg(DISTINCT m.partition_id) AS can_read,
                   array_agg(DISTINCT m.partition_id) FILTER (WHERE m.can_edit) AS can_edit
            FROM hufu.user_admissions m
            WHERE m.user_id = g.user_id AND (g.partitions = '{}' OR m.partition_id = ANY (g.partitions))
              AND (m.starts_at IS NULL OR m.starts_at <= moment) AND (m.ends_at IS NULL OR m.ends_at > moment)) a ON true)
    INSERT INTO access_term_grant (user_id, term, permission, scopes)
    SELECT g.user_id, g.term, kind || '.' || verb, hufu.scope_bit('everything')
    FROM glass g, unnest(g.types) kind, unnest(CASE g.access WHEN 'edit' THEN '{view,edit}' ELSE '{view}' END::text[]) verb;
END $$;

-- When somebody's reach may change by it.
CREATE OR REPLACE FUNCTION hufu.glass_limits() RETURNS TABLE (user_id int, at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT u.user_id, unnest(ARRAY[u.starts_at, u.ends_at]) FROM access_break_glass_use u;
END $$;
