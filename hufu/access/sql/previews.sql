-- What previews ask about everybody: who holds and views what, as reach says. In a rehearsal alone, of which nothing is kept;
-- numbers of records and sets of people, and no record.

CREATE OR REPLACE FUNCTION hufu.require_rehearsal() RETURNS void LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF hufu.publishes() IS DISTINCT FROM 'rehearsal' THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- Which of some sets hold a number, as bits in their order; a set that is NULL holds all.
CREATE OR REPLACE FUNCTION hufu.marks(sets bytea[], number int) RETURNS varbit LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ SELECT string_agg(CASE WHEN s.bits IS NULL OR hufu.bit(s.bits, number) THEN '1' ELSE '0' END, '' ORDER BY s.place)::varbit
   FROM unnest(sets) WITH ORDINALITY s (bits, place) $$;

-- What everybody's reach holds: permissions with their scopes, and partitions with their rights (1 read, 2 create, 4 edit,
-- 8 delete). Reach that is past a time limit is built first.
DROP FUNCTION IF EXISTS hufu.held_by_everybody();
CREATE OR REPLACE FUNCTION hufu.held_by_everybody()
    RETURNS TABLE (user_id int, permissions text[], scopes int[], partitions text[], rights int[])
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal(), hufu.freshen_everybody();
    RETURN QUERY
    SELECT u.id, g.permissions, g.scopes, p.partitions, p.rights
    FROM people_user u
    LEFT JOIN (
        SELECT e.user_id, array_agg(e.permission::text ORDER BY e.permission) AS permissions,
               array_agg(e.scopes ORDER BY e.permission) AS scopes
        FROM (SELECT g.user_id, g.permission, bit_or(g.scopes)::int AS scopes
              FROM access_term_grant g WHERE g.user_id > 0 GROUP BY g.user_id, g.permission) e
        GROUP BY e.user_id) g ON g.user_id = u.id
    LEFT JOIN (
        SELECT t.user_id, array_agg(p.key::text ORDER BY p.key) AS partitions,
               array_agg(1 | CASE WHEN hufu.bit(t.create_partitions, p.id) THEN 2 ELSE 0 END
                           | CASE WHEN hufu.bit(t.edit_partitions, p.id) THEN 4 ELSE 0 END
                           | CASE WHEN hufu.bit(t.delete_partitions, p.id) THEN 8 ELSE 0 END ORDER BY p.key) AS rights
        FROM access_term t JOIN access_partition p ON hufu.bit(t.read_partitions, p.id)
        WHERE t.user_id > 0 AND t.term = 0 GROUP BY t.user_id) p ON p.user_id = u.id
    WHERE u.status = 'active';
END $$;

-- By which terms everybody views records: whose they are, where, and the scope of each of these permissions in each.
CREATE OR REPLACE FUNCTION hufu.views_of_everybody(wanted text[])
    RETURNS TABLE (user_id int, holder_id int, partitions bytea, owners bytea, reports bytea, departments bytea,
                   departments_below bytea, permissions text[], scopes int[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY
    SELECT t.user_id, t.holder_id, t.read_partitions, t.owners, t.reports, t.departments, t.departments_below,
           g.permissions, g.scopes
    FROM (SELECT e.user_id, e.term, array_agg(e.permission::text ORDER BY e.permission) AS permissions,
                 array_agg(e.scopes::int ORDER BY e.permission) AS scopes
          FROM access_term_grant e WHERE e.user_id > 0 AND e.permission = ANY (wanted) AND e.scopes <> 0
          GROUP BY e.user_id, e.term) g
    JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
    JOIN people_user u ON u.id = t.user_id AND u.status = 'active'
    ORDER BY t.user_id, t.term;
END $$;

-- The alternatives of rules in force, and whom these and the membership of pools reach.
CREATE OR REPLACE FUNCTION hufu.rules_of_everybody()
    RETURNS TABLE (part int, type text, owners bytea, departments bytea, by_fields boolean, people int[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY
    SELECT p.id, p.type::text, p.owners, p.departments, p.by_fields,
           ARRAY(SELECT x.user_id FROM access_rule_reach x WHERE x.rule_id = r.id)
    FROM access_rule_part p JOIN access_rule r ON r.id = p.rule_id
    WHERE (r.starts_at IS NULL OR r.starts_at <= hufu.now()) AND (r.ends_at IS NULL OR r.ends_at > hufu.now());
END $$;
CREATE OR REPLACE FUNCTION hufu.pools_of_everybody() RETURNS TABLE (pool int, type text, people int[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN QUERY SELECT p.id, p.type::text, ARRAY(SELECT m.user_id FROM access_pool_reach m WHERE m.pool_id = p.id)
                 FROM access_pool p;
END $$;

-- How many records of independent types there are.
CREATE OR REPLACE FUNCTION hufu.records_in_all() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM hufu.require_rehearsal();
    RETURN (SELECT coalesce(sum(records), 0) FROM hufu.cell_totals WHERE by = 'partition');
END $$;
