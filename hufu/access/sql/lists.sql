-- A page of a list, as the numbers of records in order (docs/decisions/0033-lists.md). What the actor may view of a type
-- is a union of ordered streams, one for each owner, department, partition or pool that their reach names, and of single
-- records. hufu.page merges them in the way that costs less by what was counted:
--   keys  the first records of every stream
--   walk  the records of the type in order, of which those are kept that any stream holds
--   match what a search finds, of which those are kept that any stream holds, put in order
-- INVARIANT: what is reached is read here, from the actor's own reach; no argument widens it. The numbers are of records
-- that the actor may view, and whoever shows these reads them through their row policies.
-- INVARIANT: hufu.page alone runs as the owner. The others take text that becomes SQL: whoever else calls them does so with
-- their own rights.

-- What two bitmaps have in common.
CREATE OR REPLACE FUNCTION hufu.both(one bytea, other bytea) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bits bytea := substr(one, 1, least(length(one), length(other)));
BEGIN
    FOR place IN 0 .. length(bits) - 1 LOOP
        bits := set_byte(bits, place, get_byte(one, place) & get_byte(other, place));
    END LOOP;
    RETURN bits;
END $$;

-- What the actor may view of an independent type, in parts. Each holds records of its partitions (NULL: wherever), by
-- its `kind`:
--   scope    of these owners, and owned ones of these departments; of everybody, where both are NULL
--   rule     of these owners and of these departments (NULL: any) that this part of a rule matched (NULL: without fields)
--   pool     in these pools
--   shared   that shares, teams and tasks give the actor, `with_shared`: in the order of streams these are a stream of their own
--            (hufu.list_shared)
--   records  these: what reaches the actor across the wall
CREATE OR REPLACE FUNCTION hufu.list_parts(of_type text, with_shared boolean)
    RETURNS TABLE (kind text, partitions bytea, owners bytea, departments bytea, matched int, pools int[], records bigint[])
    LANGUAGE plpgsql STABLE ROWS 2 SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    ceiling bytea := hufu.partition_ceiling();
    own_partitions bytea[] := '{}';
    holds boolean := false;
    term record;
    within bytea;
    pools_of_mine int[];
    across bigint[];
BEGIN
    FOR term IN SELECT * FROM hufu.my_terms(of_type || '.view') LOOP
        within := CASE WHEN ceiling IS NULL THEN term.read_partitions ELSE hufu.both(term.read_partitions, ceiling) END;
        holds := holds OR term.holder_id = term.user_id;
        -- Where everything is viewed, shares add nothing.
        IF term.holder_id = term.user_id AND term.scopes & 64 = 0 THEN
            own_partitions := own_partitions || within;
        END IF;
        RETURN QUERY SELECT 'scope', within,
            CASE WHEN term.scopes & 64 <> 0 THEN NULL
                 WHEN term.scopes & 8 <> 0 THEN term.owners
                 WHEN term.scopes & 4 <> 0 THEN hufu.bitmap(hufu.numbers(term.reports) || term.holder_id)
                 ELSE hufu.bitmap(ARRAY[term.holder_id]) END,
            CASE WHEN term.scopes & 64 <> 0 THEN NULL
                 WHEN term.scopes & 32 <> 0 THEN term.departments_below
                 WHEN term.scopes & 16 <> 0 THEN term.departments
                 ELSE ''::bytea END,
            NULL::int, NULL::int[], NULL::bigint[];
    END LOOP;
    -- What is shared belongs to people: it counts within the actor's own partitions, or across the wall.
    IF own_partitions <> '{}' THEN
        pools_of_mine := ARRAY(SELECT hufu.my_pools(of_type));
    END IF;
    IF holds THEN
        across := ARRAY(SELECT record_id FROM hufu.my_crossings(of_type));
    END IF;
    FOREACH within IN ARRAY own_partitions LOOP
        RETURN QUERY SELECT 'rule', within, r.owners, r.departments, CASE WHEN r.by_fields THEN r.part END,
                            NULL::int[], NULL::bigint[]
                     FROM hufu.my_rules(of_type) r;
        RETURN QUERY SELECT 'pool', within, NULL::bytea, NULL::bytea, NULL::int, pools_of_mine, NULL::bigint[]
                     WHERE pools_of_mine <> '{}';
        RETURN QUERY SELECT 'shared', within, NULL::bytea, NULL::bytea, NULL::int, NULL::int[], NULL::bigint[]
                     WHERE with_shared;
    END LOOP;
    RETURN QUERY SELECT 'records', ceiling, NULL::bytea, NULL::bytea, NULL::int, NULL::int[], across WHERE across <> '{}';
END $$;

-- An ordered stream: what an owner has, a department in a `place`, a partition, a pool or a part of a rule (`key`); or these
-- records, in no order. What else each must meet: NULL asks nothing. `owned`: only records that have an owner.
DROP TYPE IF EXISTS hufu.stream CASCADE;
CREATE TYPE hufu.stream AS (kind text, key int, place int, partitions bytea, owners bytea, departments bytea, owned boolean,
                            records bigint[]);

-- The streams of these parts, without those that hold nothing. `passed` is what reading all of one costs, in entries of an
-- index; `viewed`, about how many records it gives. In the order of streams matches are not counted, otherwise no more than
-- some. Streams of partitions and pools hold no more than their own order (`plain`): for anything else they are fetched.
DROP FUNCTION IF EXISTS hufu.list_keys(text, boolean), hufu.list_streams(text), hufu.list_streams(text, boolean);
CREATE OR REPLACE FUNCTION hufu.list_streams(of_type text, in_order boolean, plain boolean)
    RETURNS TABLE (stream hufu.stream, passed numeric, viewed numeric)
    LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, public, hufu, pg_temp
    SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY
    WITH parts AS MATERIALIZED (SELECT * FROM hufu.list_parts(of_type, NOT in_order)),
    totals AS MATERIALIZED (
        SELECT t.by, t.key, t.partition_id, sum(t.records) AS records
        FROM (SELECT * FROM hufu.cell_totals WHERE type = of_type AND by = 'partition'
              UNION ALL
              SELECT * FROM hufu.cell_totals WHERE type = of_type AND by = 'owner'
                  AND key = ANY (ARRAY(SELECT DISTINCT o FROM parts p, unnest(hufu.numbers(p.owners)) o))
              UNION ALL
              SELECT * FROM hufu.cell_totals WHERE type = of_type AND by IN ('department', 'unowned')
                  AND key = ANY (ARRAY(SELECT DISTINCT d FROM parts p, unnest(hufu.numbers(p.departments)) d))
                  AND partition_id = ANY (ARRAY(SELECT DISTINCT w FROM parts p, unnest(hufu.numbers(p.partitions)) w))) t
        GROUP BY t.by, t.key, t.partition_id HAVING sum(t.records) > 0)
    SELECT ('owner', t.key, NULL, p.partitions, NULL, CASE p.kind WHEN 'rule' THEN p.departments END, false, NULL)::hufu.stream,
           sum(t.records), sum(t.records) FILTER (WHERE hufu.bit(p.partitions, t.partition_id))
    FROM parts p JOIN totals t ON t.by = 'owner' AND hufu.bit(p.owners, t.key)
    WHERE p.kind IN ('scope', 'rule') AND p.matched IS NULL
    GROUP BY t.key, p.kind, p.partitions, p.departments
    HAVING bool_or(hufu.bit(p.partitions, t.partition_id))
    UNION ALL
    SELECT ('department', t.key, t.partition_id, NULL, NULL, NULL, p.kind = 'scope', NULL)::hufu.stream, sum(t.records), sum(t.records)
    FROM parts p JOIN totals t ON (t.by = 'department' OR (t.by = 'unowned' AND p.kind = 'rule'))
        AND hufu.bit(p.departments, t.key) AND hufu.bit(p.partitions, t.partition_id)
    WHERE p.kind = 'scope' OR (p.kind = 'rule' AND p.owners IS NULL AND p.matched IS NULL)
    GROUP BY t.key, t.partition_id, p.kind
    UNION ALL
    SELECT ('partition', t.key, NULL, NULL, NULL, NULL, false, NULL)::hufu.stream,
           t.records * CASE WHEN plain THEN 1 ELSE hufu.fetched() END, t.records
    FROM parts p JOIN totals t ON t.by = 'partition' AND hufu.bit(p.partitions, t.key)
    WHERE p.kind IN ('scope', 'rule') AND p.owners IS NULL AND p.departments IS NULL AND p.matched IS NULL
    UNION ALL
    SELECT ('pool', l, NULL, p.partitions, NULL, NULL, false, NULL)::hufu.stream,
           n.records * CASE WHEN plain THEN 1 ELSE hufu.fetched() END, n.records
    FROM parts p, unnest(p.pools) l,
         LATERAL (SELECT sum(c.records) AS records FROM hufu.cells c WHERE c.type = of_type AND c.pool_id = l) n
    WHERE n.records > 0
    UNION ALL
    SELECT ('match', p.matched, NULL, p.partitions, p.owners, p.departments, false, NULL)::hufu.stream, hufu.fetched() * n.records, n.records
    FROM parts p, LATERAL (SELECT count(*)::numeric AS records FROM (
        SELECT FROM access_rule_match m WHERE m.part = p.matched LIMIT CASE WHEN in_order THEN 0 ELSE 10000 END) m) n
    WHERE p.matched IS NOT NULL
    UNION ALL
    SELECT ('records', NULL, NULL, p.partitions, NULL, NULL, false, n.records)::hufu.stream,
           hufu.fetched() * cardinality(n.records)::numeric, cardinality(n.records)::numeric
    FROM parts p, LATERAL (SELECT CASE p.kind WHEN 'records' THEN p.records
                                  ELSE ARRAY(SELECT hufu.shared_records(of_type, ARRAY[p.partitions])) END AS records) n
    WHERE p.kind IN ('records', 'shared') AND n.records <> '{}';
END $$;

-- The condition in SQL, with AND before each part, that the record `r` is among what a list is narrowed to ($3): live, in
-- one of the states, with one of the values that are wanted of a column, found by a search.
DROP FUNCTION IF EXISTS hufu.list_narrowed(jsonb, jsonb, boolean);
CREATE OR REPLACE FUNCTION hufu.list_narrowed(declared jsonb, narrowing jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    condition text := ' AND r.deleted_at IS NULL';
    named text;
    more text;
BEGIN
    FOR named IN SELECT jsonb_object_keys(narrowing) LOOP
        more := CASE
            WHEN named = 'state' THEN (
                SELECT '(' || string_agg(declared -> 'states' ->> v, ' OR ') || ')' FROM jsonb_array_elements_text(narrowing -> named) v
                HAVING bool_and(declared -> 'states' ? v))
            WHEN named = 'search' THEN hufu.list_found(declared, narrowing -> named)
            WHEN declared -> 'filters' ? named THEN format('r.%I = ANY (ARRAY(SELECT v::%s FROM jsonb_array_elements_text($3 -> %L) v))',
                        named, declared -> 'filters' ->> named, named) END;
        IF more IS NULL THEN
            RAISE EXCEPTION 'lists are not narrowed by %', named USING ERRCODE = 'invalid_parameter_value';
        END IF;
        condition := condition || ' AND ' || more;
    END LOOP;
    RETURN condition;
END $$;

-- The condition in SQL that what is shared (`g`) was given to the actor by another, and is in force.
CREATE OR REPLACE FUNCTION hufu.list_given() RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT 'g.given_by IS DISTINCT FROM (SELECT hufu.actor()) AND (g.starts_at IS NULL OR g.starts_at <= (SELECT hufu.now()))
           AND (g.ends_at IS NULL OR g.ends_at > (SELECT hufu.now()))' $$;

-- The condition in SQL that the record `r` meets what the parts ask for. Of part number n, $4[n] are the partitions, $5[n]
-- the owners, $6[n] the departments; $7 are single records, $8 the pools, $9 and $10 through whom shares reach the actor
-- (hufu.shared_with_me: those of $10 where a share reaches superiors).
DROP FUNCTION IF EXISTS hufu.list_condition(int, text, bytea, bytea, bytea, int);
CREATE OR REPLACE FUNCTION hufu.list_condition(of_type text, number int, kind text, partitions bytea, owners bytea,
                                               departments bytea, matched int)
    RETURNS text LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, hufu, pg_temp AS $$
    SELECT concat_ws(' AND ',
        CASE WHEN partitions IS NOT NULL THEN format('hufu.bit($4[%s], r.partition_id)', number) END,
        CASE WHEN kind = 'scope' AND owners IS NOT NULL THEN format(
                 '(hufu.bit($5[%1$s], r.owner_id) OR (r.owner_id IS NOT NULL AND hufu.bit($6[%1$s], r.department_id)))', number)
             WHEN kind = 'rule' THEN concat_ws(' AND ', 'true',
                 CASE WHEN owners IS NOT NULL THEN format('hufu.bit($5[%s], r.owner_id)', number) END,
                 CASE WHEN departments IS NOT NULL THEN format('hufu.bit($6[%s], r.department_id)', number) END,
                 -- One look into an index for each row that is met. As EXISTS or IN all matches would be read first.
                 CASE WHEN matched IS NOT NULL THEN format(
                     'r.id = (SELECT m.record_id FROM access_rule_match m WHERE m.part = %s AND m.record_id = r.id LIMIT 1)',
                     matched) END)
             WHEN kind = 'pool' THEN 'r.pool_id = ANY ($8)'
             WHEN kind = 'records' THEN 'r.id = ANY ($7)'
             -- One look for each record that is met, as above, and by the record: not by each of many principals.
             WHEN kind = 'shared' THEN format(
                 'r.id = (SELECT g.record_id FROM access_shared_record g WHERE g.type = %L AND g.record_id = r.id
                          AND (ARRAY[g.principal]::text[] <@ $9 OR (g.superiors AND ARRAY[g.principal]::text[] <@ $10)) AND %s LIMIT 1)',
                 of_type, hufu.list_given())
             ELSE 'true' END) $$;

-- What fetching a record costs, in entries of an index.
CREATE OR REPLACE FUNCTION hufu.fetched() RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT 6 $$;

-- Up to how many streams are merged as they are.
CREATE OR REPLACE FUNCTION hufu.few_streams() RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT 6 $$;

-- The ways `walk` and `match`: at most `budget` records of a stretch, in order, or all that a search finds (`matched`); of
-- these are kept what a part holds. Where the actor reaches into few partitions only, those are walked through, and no others.
DROP FUNCTION IF EXISTS hufu.list_walk(jsonb, text, text, text, jsonb, jsonb, int, int);
CREATE OR REPLACE FUNCTION hufu.list_walk(declared jsonb, sort text, ordering text, stretch text, place jsonb, narrowing jsonb,
                                          most int, budget int, matched boolean)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    in_order boolean := sort = declared ->> 'stream';
    part record;
    held text := '';
    partitions bytea[] := '{}';
    owners bytea[] := '{}';
    departments bytea[] := '{}';
    records bigint[] := '{}';
    pools int[] := '{}';
    given text[] := '{}';
    given_above text[] := '{}';
    within int[] := '{}';
    rows text;
    found bigint[];
BEGIN
    FOR part IN SELECT row_number() OVER () AS number, p.* FROM hufu.list_parts(declared ->> 'name', matched OR NOT in_order) p LOOP
        held := held || CASE WHEN held = '' THEN '' ELSE ' OR ' END || '(' || hufu.list_condition(declared ->> 'name',
            part.number::int, part.kind, part.partitions, part.owners, part.departments, part.matched) || ')';
        partitions := partitions || part.partitions;
        owners := owners || part.owners;
        departments := departments || part.departments;
        records := records || part.records;
        pools := coalesce(part.pools, pools);
        within := within || CASE WHEN part.partitions IS NOT NULL THEN hufu.numbers(part.partitions) END;
        IF part.kind = 'shared' AND given = '{}' THEN
            SELECT array_agg(m.principal) FILTER (WHERE NOT m.above), array_agg(m.principal) FILTER (WHERE m.above)
            INTO given, given_above FROM hufu.shared_with_me(declared ->> 'name') m;
        END IF;
    END LOOP;
    IF held = '' THEN
        RETURN '{}';
    END IF;
    within := ARRAY(SELECT DISTINCT w FROM unnest(within) w ORDER BY w);
    IF matched OR narrowing - 'state' = '{}' THEN
        rows := format('SELECT r.id, r.%I, r.partition_id, r.owner_id, r.department_id%s FROM %I r WHERE %s%s', sort,
                       CASE WHEN pools <> '{}' THEN ', r.pool_id' ELSE '' END, declared ->> 'table', stretch,
                       hufu.list_narrowed(declared, narrowing - CASE WHEN matched THEN 'search' ELSE '' END));
    ELSE
        -- The budget is of records that are passed: what is looked for is asked of these.
        rows := format('SELECT * FROM %I r WHERE %s', declared ->> 'table', stretch);
        held := format('(%s)%s', held, hufu.list_narrowed(declared, narrowing));
    END IF;
    IF matched AND narrowing ? 'search' THEN
        rows := (SELECT string_agg(format('%s AND %s', rows, m), ' UNION ALL ') FROM hufu.list_matches(declared, narrowing -> 'search') m);
    ELSIF NOT matched THEN
        IF in_order AND array_position(partitions, NULL) IS NULL AND cardinality(within) BETWEEN 1 AND hufu.few_streams() THEN
            rows := (SELECT string_agg(format('(%s AND r.partition_id = %s ORDER BY %s)', rows, w, ordering), ' UNION ALL ')
                     FROM unnest(within) w);
            rows := format('SELECT * FROM (%s) r', rows);
        END IF;
        rows := format('%s ORDER BY %s LIMIT %s', rows, ordering, coalesce(budget::text, 'ALL'));
    END IF;
    -- What a search finds in two ways takes one place.
    EXECUTE format('SELECT ARRAY(SELECT r.id FROM (%s OFFSET 0) r WHERE %s %s ORDER BY %s LIMIT %s)', rows, held,
                   CASE WHEN matched THEN format('GROUP BY r.id, r.%I', sort) END, ordering, most)
    INTO found USING place, NULL::int, narrowing, partitions, owners, departments, records, pools, given, given_above;
    RETURN found;
END $$;

-- What is asked of a record's number and place in the order of streams, asked of what a match of a rule keeps of it.
CREATE OR REPLACE FUNCTION hufu.list_kept(condition text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT replace(replace(condition, 'r.updated_at', 'm.updated_at'), 'r.id', 'm.record_id') $$;

-- The way `keys`: the streams merged. In their own order the first records of each; where there are many, the first few of each
-- tell beyond which value none of them need be read any further. In another order all of each, from its index alone.
DROP FUNCTION IF EXISTS hufu.list_merge(jsonb, text, text, text, jsonb, jsonb, int);
CREATE OR REPLACE FUNCTION hufu.list_merge(declared jsonb, streams hufu.stream[], sort text, ordering text, stretch text,
                                           place jsonb, narrowing jsonb, most int)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    amount int := (SELECT count(*) FROM unnest(streams) s WHERE s.kind <> 'records');
    each_of text;
    narrowed text := hufu.list_narrowed(declared, narrowing) || '
        AND (k.partitions IS NULL OR hufu.bit(k.partitions, r.partition_id))
        AND (k.owners IS NULL OR hufu.bit(k.owners, r.owner_id))
        AND (k.departments IS NULL OR hufu.bit(k.departments, r.department_id))
        AND (NOT k.owned OR r.owner_id IS NOT NULL)';
    in_order boolean := sort = declared ->> 'stream';
    qualified text := replace(format('r.%s', ordering), ', id', ', r.id');
    bound text;
    found bigint[];
BEGIN
    IF streams IS NULL THEN
        RETURN '{}';
    END IF;
    -- %1$s: what else a record must meet; %2$s: how many of a stream; %3$s: the first by what a match keeps of its record.
    each_of := (
        SELECT string_agg(format(
            'SELECT x.id, x.%1$I FROM unnest($4) k CROSS JOIN LATERAL (SELECT r.id, r.%1$I FROM %2$s WHERE %3$s AND %4$s %5$s) x
             WHERE k.kind = %6$L', sort,
            CASE s.kind WHEN 'match' THEN format('access_rule_match m JOIN %I r ON r.id = m.record_id', declared ->> 'table')
                        ELSE format('%I r', declared ->> 'table') END,
            CASE s.kind WHEN 'owner' THEN 'r.owner_id = k.key' WHEN 'partition' THEN 'r.partition_id = k.key'
                        WHEN 'department' THEN 'r.department_id = k.key AND r.partition_id = k.place'
                        WHEN 'pool' THEN 'r.pool_id = k.key' WHEN 'match' THEN 'm.part = k.key'
                        WHEN 'records' THEN 'r.id = ANY (k.records)' END,
            CASE WHEN s.kind = 'match' AND in_order THEN hufu.list_kept(stretch) ELSE stretch END
            || replace(narrowed, '%', '%%') || CASE WHEN s.kind = 'match' AND in_order THEN '%3$s' ELSE '%1$s' END,
            CASE WHEN s.kind = 'match' AND in_order THEN format('ORDER BY %s LIMIT %%2$s', hufu.list_kept(qualified))
                 WHEN s.kind <> 'records' AND in_order THEN format('ORDER BY %s LIMIT %%2$s', qualified)
                 -- Each by itself: joined as a whole, the planner would choose how.
                 ELSE 'OFFSET 0' END, s.kind), ' UNION ALL ')
        FROM (SELECT DISTINCT s.kind FROM unnest(streams) s) s);
    IF in_order AND amount > hufu.few_streams() THEN
        EXECUTE format('SELECT CASE WHEN count(*) = %3$s THEN (array_agg(x.%2$I ORDER BY %4$s))[%3$s]::text END
                        FROM (SELECT x.id, x.%2$I FROM (%1$s) x GROUP BY x.id, x.%2$I ORDER BY %4$s LIMIT %3$s) x',
                       format(each_of, '', greatest(2, ceil(2.0 * most / amount)), ''), sort, most, ordering)
        INTO bound USING place, NULL::int, narrowing, streams;
        IF bound IS NOT NULL THEN
            bound := format(' AND r.%I %s %L', sort, CASE WHEN ordering LIKE '% DESC' THEN '>=' ELSE '<=' END, bound);
        END IF;
    END IF;
    EXECUTE format('SELECT ARRAY(SELECT x.id FROM (%1$s) x GROUP BY x.id, x.%2$I ORDER BY %3$s LIMIT %4$s)',
                   format(each_of, coalesce(bound, ''), most, coalesce(hufu.list_kept(bound), '')), sort, ordering, most)
    INTO found USING place, NULL::int, narrowing, streams;
    RETURN found;
END $$;

-- Through whom shares of a type reach the actor: whom they stand for, and those below them where a share says so (`above`).
CREATE OR REPLACE FUNCTION hufu.shared_with_me(of_type text) RETURNS TABLE (principal text, above boolean)
    LANGUAGE plpgsql STABLE ROWS 15 SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT p.principal::text, false FROM access_principal p WHERE p.user_id = hufu.actor();
    IF EXISTS (SELECT 1 FROM access_shared_record g WHERE g.type = of_type AND g.superiors) THEN
        RETURN QUERY
        SELECT DISTINCT p.principal::text, true
        FROM access_term mine CROSS JOIN LATERAL unnest(hufu.numbers(mine.owners)) below JOIN access_principal p ON p.user_id = below
        WHERE mine.user_id = hufu.actor() AND mine.term = 0 AND EXISTS (
            SELECT 1 FROM access_shared_record g WHERE g.type = of_type AND g.principal = p.principal AND g.superiors);
    END IF;
END $$;

-- The first records that shares, teams and tasks give the actor, in the order of streams; none beyond the record `last`, if
-- there is one. They count within the actor's own partitions.
CREATE OR REPLACE FUNCTION hufu.list_shared(declared jsonb, descending boolean, place jsonb, narrowing jsonb, most int, last bigint)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    ceiling bytea := hufu.partition_ceiling();
    within bytea[];
    principals text[];
    above boolean[];
    ordering text := CASE WHEN descending THEN 'x.at DESC, x.id DESC' ELSE 'x.at, x.id' END;
    each_of text;
    bound text;
    found bigint[];
BEGIN
    within := ARRAY(
        SELECT CASE WHEN ceiling IS NULL THEN t.read_partitions ELSE hufu.both(t.read_partitions, ceiling) END
        FROM hufu.my_terms((declared ->> 'name') || '.view') t WHERE t.holder_id = t.user_id AND t.scopes & 64 = 0);
    SELECT array_agg(m.principal), array_agg(m.above) INTO principals, above FROM hufu.shared_with_me(declared ->> 'name') m;
    IF within = '{}' OR principals IS NULL THEN
        RETURN '{}';
    END IF;
    -- %1$s: what else a record must meet; %2$s: how many of each stream.
    each_of := format(
        'SELECT x.id, x.at FROM unnest($4, $5) k (principal, above) CROSS JOIN LATERAL (
             -- What reaches somebody twice takes one place.
             SELECT DISTINCT g.record_id AS id, g.updated_at AS at FROM access_shared_record g JOIN %1$I r ON r.id = g.record_id
             WHERE g.principal = k.principal AND g.type = %2$L AND (NOT k.above OR g.superiors)
               AND %7$s AND (%3$s) AND %4$s%5$s%%1$s
             ORDER BY g.updated_at %6$s, g.record_id %6$s LIMIT %%2$s) x',
        declared ->> 'table', declared ->> 'name',
        (SELECT string_agg(format('hufu.bit($2[%s], g.partition_id)', n), ' OR ') FROM generate_series(1, cardinality(within)) n),
        CASE WHEN place IS NULL THEN 'true'
             ELSE format('(g.updated_at, g.record_id) %s (($1 ->> ''value'')::timestamptz, ($1 ->> ''id'')::bigint)',
                         CASE WHEN descending THEN '<' ELSE '>' END) END,
        replace(hufu.list_narrowed(declared, narrowing), '%', '%%'), CASE WHEN descending THEN 'DESC' ELSE 'ASC' END, hufu.list_given());
    IF last IS NOT NULL THEN
        EXECUTE format('SELECT updated_at FROM %I WHERE id = $1', declared ->> 'table') INTO bound USING last;
    ELSIF cardinality(principals) > hufu.few_streams() THEN
        EXECUTE format('SELECT CASE WHEN count(*) = %2$s THEN (array_agg(x.at ORDER BY %3$s))[%2$s]::text END
                        FROM (SELECT x.id, x.at FROM (%1$s) x GROUP BY x.id, x.at ORDER BY %3$s LIMIT %2$s) x',
                       format(each_of, '', greatest(2, ceil(2.0 * most / cardinality(principals)))), most, ordering)
        INTO bound USING place, within, narrowing, principals, above;
    END IF;
    EXECUTE format('SELECT ARRAY(SELECT x.id FROM (%1$s) x GROUP BY x.id, x.at ORDER BY %2$s LIMIT %3$s)',
                   format(each_of, CASE WHEN bound IS NULL THEN '' ELSE format(
                       ' AND g.updated_at %s %L', CASE WHEN descending THEN '>=' ELSE '<=' END, bound) END, most),
                   ordering, most)
    INTO found USING place, within, narrowing, principals, above;
    RETURN found;
END $$;

-- The records that shares, teams and tasks give the actor within some partitions.
CREATE OR REPLACE FUNCTION hufu.shared_records(of_type text, within bytea[]) RETURNS SETOF bigint LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT DISTINCT g.record_id
   FROM hufu.shared_with_me(of_type) k JOIN access_shared_record g ON g.principal = k.principal AND g.type = of_type
   WHERE (NOT k.above OR g.superiors) AND g.given_by IS DISTINCT FROM hufu.actor()
     AND (g.starts_at IS NULL OR g.starts_at <= hufu.now()) AND (g.ends_at IS NULL OR g.ends_at > hufu.now())
     AND EXISTS (SELECT 1 FROM unnest(within) w WHERE hufu.bit(w, g.partition_id)) $$;

-- How many records of a type there are, and among how many a walk goes: all of them, or in the order of streams those of the
-- few partitions into which the actor reaches.
CREATE OR REPLACE FUNCTION hufu.list_passed(of_type text, in_order boolean) RETURNS TABLE (total numeric, among numeric)
    LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    within int[] := ARRAY(SELECT DISTINCT w FROM hufu.my_terms(of_type || '.view') t, unnest(hufu.numbers(t.read_partitions)) w);
    few boolean := in_order AND cardinality(within) <= hufu.few_streams();
BEGIN
    RETURN QUERY SELECT coalesce(sum(t.records), 0), coalesce(sum(t.records) FILTER (WHERE NOT few OR t.key = ANY (within)), 0)
                 FROM hufu.cell_totals t WHERE t.type = of_type AND t.by = 'partition';
END $$;

-- How many records are shared with the actor, counted no further than to 10,000.
CREATE OR REPLACE FUNCTION hufu.shared_about(of_type text) RETURNS bigint LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT count(*) FROM (
       SELECT FROM hufu.shared_with_me(of_type) k JOIN access_shared_record g ON g.principal = k.principal AND g.type = of_type
       WHERE NOT k.above OR g.superiors LIMIT 10000) g $$;

DROP FUNCTION IF EXISTS hufu.list_way(bigint, bigint, bigint, boolean, int),
    hufu.list_way(bigint, bigint, bigint, bigint, boolean, int),
    hufu.list_way(numeric, bigint, numeric, numeric, boolean, boolean, numeric, int),
    hufu.list_way(numeric, numeric, bigint, numeric, numeric, boolean, boolean, numeric, int);
-- The cheapest way, and how many records a walk may pass before what is `otherwise` cheapest is asked after all. Costs are in
-- entries of an index that are read. A walk keeps `viewed` of those `among` which it goes. A stream takes 20 to begin; in the
-- order of streams their first records are read, twice over at most, and in another one all that they hold (`passed`). A
-- search keeps `finds` of `total` (NULL: there is none), and all of up to `at_most` may be fetched; a filter keeps one of
-- twenty; what a walk passes is fetched to be asked. What a search finds may be rarer than is believed, among what somebody
-- views above all: only a walk, which is given up, is taken for short.
CREATE OR REPLACE FUNCTION hufu.list_way(total numeric, among numeric, streams bigint, passed numeric, viewed numeric, in_order boolean,
                                         filtered boolean, finds numeric, at_most numeric, most int,
                                         OUT way text, OUT budget int, OUT otherwise text)
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    kept_of float8 := CASE WHEN filtered THEN 20 ELSE 1 END * CASE WHEN finds IS NULL THEN 1 ELSE total / greatest(finds, 1) END;
    fetching int := CASE WHEN filtered OR finds IS NOT NULL THEN hufu.fetched() ELSE 1 END;
    walked float8 := fetching * most * kept_of * among / greatest(viewed, 1);
    first_records float8 := streams * 2 * (kept_of - 1) + 2 * most * kept_of * passed / greatest(viewed, 1);
    streamed float8 := streams * 20 + CASE WHEN in_order AND finds IS NULL THEN least(passed, first_records) ELSE passed END;
    matched float8 := hufu.fetched() * at_most;
BEGIN
    otherwise := CASE WHEN matched < streamed THEN 'match' ELSE 'keys' END;
    way := CASE WHEN walked < least(streamed, matched) THEN 'walk' ELSE otherwise END;
    -- Where a search is not met four times as far as was expected, it finds less than was believed.
    budget := least(greatest(4000, least(streamed, matched)) / fetching,
                    CASE WHEN finds IS NULL THEN 2000000000 ELSE greatest(1000, 4 * walked / fetching) END);
END $$;

-- The numbers of at most `most` records of an independent type that the actor may view, ordered by a column and then by
-- number, beyond a `place` in that order ({"value": …, "id": …}, or NULL for the beginning). Empty values come last when
-- descending. `way` forces one; NULL takes the cheapest.
CREATE OR REPLACE FUNCTION hufu.page(of_type text, sort text, descending boolean, place jsonb, narrowing jsonb, most int,
                                     way text DEFAULT NULL)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    declared jsonb := hufu.listed_type(of_type);
    value_type text := declared -> 'sorts' ->> sort;
    nullable boolean := declared -> 'nullable' ? sort;
    side text := CASE WHEN descending THEN '<' ELSE '>' END;
    direction text := CASE WHEN descending THEN 'DESC' ELSE 'ASC' END;
    ordering text := format('%I %s, id %2$s', sort, direction);
    beyond text := format('(r.%I, r.id) %s (($1 ->> ''value'')::%s, ($1 ->> ''id'')::bigint)', sort, side, value_type);
    empty_beyond text := format('r.%I IS NULL AND r.id %s ($1 ->> ''id'')::bigint', sort, side);
    empty text := format('r.%I IS NULL', sort);
    filled text := format('r.%I IS NOT NULL', sort);
    stretches text[];
    stretch text;
    in_order boolean := sort = declared ->> 'stream';
    streams hufu.stream[];
    facts record;
    budget int;
    otherwise text := 'keys';
    found bigint[] := '{}';
    more bigint[];
    shared bigint[];
BEGIN
    IF value_type IS NULL THEN
        RAISE EXCEPTION 'lists are not sorted by %', sort USING ERRCODE = 'invalid_parameter_value';
    ELSIF way NOT IN ('keys', 'walk', 'match') OR most IS NULL THEN
        RAISE EXCEPTION 'a page is of a number of records, in a way that there is' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF way IS NULL OR way = 'keys' THEN
        SELECT array_agg(s.stream), count(*) AS streams, coalesce(sum(s.passed), 0) AS passed, coalesce(sum(s.viewed), 0) AS viewed
        INTO facts FROM hufu.list_streams(of_type, in_order, in_order AND narrowing - 'state' = '{}') s;
        streams := facts.array_agg;
    END IF;
    IF way IS NULL THEN
        SELECT w.way, w.budget, w.otherwise INTO way, budget, otherwise
        FROM hufu.list_passed(of_type, in_order) t
        LEFT JOIN LATERAL hufu.list_finds(declared, narrowing -> 'search', t.total) f ON narrowing ? 'search'
        CROSS JOIN LATERAL hufu.list_way(
            t.total, t.among, facts.streams,
            -- What is shared is a stream of its own, of which little is passed unless something is looked for.
            facts.passed + CASE WHEN in_order AND narrowing ? 'search' THEN hufu.fetched() * hufu.shared_about(of_type) ELSE 0 END,
            facts.viewed, in_order, narrowing - '{state,search}'::text[] <> '{}',
            f.about, f.at_most, most) w;
    END IF;
    -- A list by a column that may be empty is two, one after the other: of each an index serves the beginning.
    stretches := CASE
        WHEN NOT nullable THEN ARRAY[CASE WHEN place IS NULL THEN 'true' ELSE beyond END]
        WHEN place IS NULL AND descending THEN ARRAY[filled, empty]
        WHEN place IS NULL THEN ARRAY[empty, filled]
        WHEN place -> 'value' = 'null' AND descending THEN ARRAY[empty_beyond]
        WHEN place -> 'value' = 'null' THEN ARRAY[empty_beyond, filled]
        WHEN descending THEN ARRAY[beyond, empty]
        ELSE ARRAY[beyond] END;
    FOREACH stretch IN ARRAY stretches LOOP
        more := NULL;
        IF way = 'walk' THEN
            more := hufu.list_walk(declared, sort, ordering, stretch, place, narrowing, most - cardinality(found), budget, false);
        END IF;
        IF way <> 'walk' OR (budget IS NOT NULL AND cardinality(more) < most - cardinality(found)) THEN
            way := CASE way WHEN 'walk' THEN otherwise ELSE way END;
            more := CASE way
                WHEN 'match' THEN hufu.list_walk(declared, sort, ordering, stretch, place, narrowing, most - cardinality(found), NULL, true)
                ELSE hufu.list_merge(declared, streams, sort, ordering, stretch, place, narrowing, most - cardinality(found)) END;
        END IF;
        -- A search that was answered from its matches has what is shared among them.
        IF in_order AND way <> 'match' THEN
            shared := hufu.list_shared(declared, descending, place, narrowing, most, more[most]);
            IF shared <> '{}' THEN
                EXECUTE format('SELECT ARRAY(SELECT r.id FROM %I r WHERE r.id = ANY ($1) ORDER BY %s LIMIT %s)',
                               declared ->> 'table', ordering, most)
                INTO more USING more || shared;
            END IF;
        END IF;
        found := found || more;
        EXIT WHEN cardinality(found) >= most;
    END LOOP;
    RETURN found;
END $$;
