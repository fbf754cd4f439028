-- A page of a list, as the numbers of records in order (docs/decisions/0033-lists.md). What the actor may view of a type
-- is a union of ordered streams, one for each owner, department, partition or pool that their reach names, and of single
-- records. hufu.page merges them in one of two ways, which its caller chooses by what was counted:
--   keys  the first records of every stream
--   walk  the records of the type in order, of which those are kept that any stream holds
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
--   records  these: what reaches the actor across the wall and, `with_shared`, what shares, teams and tasks give. In the order
--            of streams that is a stream of its own (hufu.list_shared)
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
    among bigint[];
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
    IF own_partitions <> '{}' AND with_shared THEN
        among := ARRAY(SELECT record_id FROM hufu.my_teams(of_type) UNION SELECT record_id FROM hufu.my_shares(of_type));
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
        RETURN QUERY SELECT 'records', within, NULL::bytea, NULL::bytea, NULL::int, NULL::int[], among
                     WHERE among <> '{}';
    END LOOP;
    RETURN QUERY SELECT 'records', ceiling, NULL::bytea, NULL::bytea, NULL::int, NULL::int[], across WHERE across <> '{}';
END $$;

-- The ordered streams of these parts: those of which an index begins with the key, and what else a record must meet.
-- `owned`: only records that have an owner.
CREATE OR REPLACE FUNCTION hufu.list_keys(of_type text, with_shared boolean)
    RETURNS TABLE (stream text, key bigint, partitions bytea, owners bytea, departments bytea, owned boolean)
    LANGUAGE sql STABLE ROWS 20 SET search_path = pg_catalog, public, hufu, pg_temp AS $$
    WITH parts AS MATERIALIZED (SELECT * FROM hufu.list_parts(of_type, with_shared))
    SELECT 'owner', o::bigint, p.partitions, NULL::bytea, CASE p.kind WHEN 'rule' THEN p.departments END, false
    FROM parts p, unnest(hufu.numbers(p.owners)) o WHERE p.kind IN ('scope', 'rule') AND p.matched IS NULL
    UNION ALL
    SELECT 'department', d, p.partitions, NULL, NULL, p.kind = 'scope'
    FROM parts p, unnest(hufu.numbers(p.departments)) d
    WHERE p.kind = 'scope' OR (p.kind = 'rule' AND p.owners IS NULL AND p.matched IS NULL)
    UNION ALL
    SELECT 'partition', w, NULL, NULL, NULL, false
    FROM parts p, unnest(hufu.numbers(p.partitions)) w
    WHERE p.kind IN ('scope', 'rule') AND p.owners IS NULL AND p.departments IS NULL AND p.matched IS NULL
    UNION ALL
    SELECT 'pool', l, p.partitions, NULL, NULL, false FROM parts p, unnest(p.pools) l
    UNION ALL
    SELECT 'match', p.matched, p.partitions, p.owners, p.departments, false FROM parts p WHERE p.matched IS NOT NULL
    UNION ALL
    SELECT 'record', r, p.partitions, NULL, NULL, false FROM parts p, unnest(p.records) r $$;

-- The condition in SQL, with AND before each part, that the record `r` is among what a list is narrowed to ($3): live, in
-- one of the states and with one of the values that are wanted of a column.
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
                SELECT '(' || string_agg(declared -> 'states' ->> v, ' OR ') || ')' FROM jsonb_array_elements_text(narrowing -> named) v)
            ELSE format('r.%I = ANY (ARRAY(SELECT v::%s FROM jsonb_array_elements_text($3 -> %L) v))',
                        named, declared -> 'filters' ->> named, named) END;
        IF more IS NULL OR (named <> 'state' AND declared -> 'filters' -> named IS NULL) THEN
            RAISE EXCEPTION 'lists are not narrowed by %', named USING ERRCODE = 'invalid_parameter_value';
        END IF;
        condition := condition || ' AND ' || more;
    END LOOP;
    RETURN condition;
END $$;

-- The condition in SQL that the record `r` meets what the parts ask for. Of part number n, $4[n] are the partitions, $5[n]
-- the owners, $6[n] the departments; $7 says to which part the record at the same place of $8 belongs; $9 are the pools.
CREATE OR REPLACE FUNCTION hufu.list_condition(number int, kind text, partitions bytea, owners bytea, departments bytea,
                                               matched int)
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
             WHEN kind = 'pool' THEN 'r.pool_id = ANY ($9)'
             WHEN kind = 'records' THEN format(
                 'r.id IN (SELECT l.record FROM unnest($7, $8) l (part, record) WHERE l.part = %s)', number)
             ELSE 'true' END) $$;

-- Up to how many streams are merged as they are.
CREATE OR REPLACE FUNCTION hufu.few_streams() RETURNS int LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS
$$ SELECT 6 $$;

-- The way `walk`: at most `budget` records of a stretch, in order, of which those are kept that a part holds. Where the
-- actor reaches into few partitions only, those are walked through, and no others.
CREATE OR REPLACE FUNCTION hufu.list_walk(declared jsonb, sort text, ordering text, stretch text, place jsonb, narrowing jsonb,
                                          most int, budget int)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    part record;
    held text := '';
    partitions bytea[] := '{}';
    owners bytea[] := '{}';
    departments bytea[] := '{}';
    of_part int[] := '{}';
    records bigint[] := '{}';
    pools int[] := '{}';
    within int[] := '{}';
    columns text;
    rows text;
    found bigint[];
BEGIN
    FOR part IN SELECT row_number() OVER () AS number, p.* FROM hufu.list_parts(declared ->> 'name', sort <> declared ->> 'stream') p LOOP
        held := held || CASE WHEN held = '' THEN '' ELSE ' OR ' END || '(' || hufu.list_condition(
            part.number::int, part.kind, part.partitions, part.owners, part.departments, part.matched) || ')';
        partitions := partitions || part.partitions;
        owners := owners || part.owners;
        departments := departments || part.departments;
        of_part := of_part || array_fill(part.number::int, ARRAY[coalesce(cardinality(part.records), 0)]);
        records := records || part.records;
        pools := coalesce(part.pools, pools);
        within := within || CASE WHEN part.partitions IS NOT NULL THEN hufu.numbers(part.partitions) END;
    END LOOP;
    IF held = '' THEN
        RETURN '{}';
    END IF;
    within := ARRAY(SELECT DISTINCT w FROM unnest(within) w ORDER BY w);
    columns := format('r.id, r.%I, r.partition_id, r.owner_id, r.department_id', sort)
               || CASE WHEN pools <> '{}' THEN ', r.pool_id' ELSE '' END;
    rows := format('SELECT %s FROM %I r WHERE %s%s', columns, declared ->> 'table', stretch,
                   hufu.list_narrowed(declared, narrowing));
    IF sort = declared ->> 'stream' AND array_position(partitions, NULL) IS NULL
       AND cardinality(within) BETWEEN 1 AND hufu.few_streams() THEN
        rows := (SELECT string_agg(format('(%s AND r.partition_id = %s ORDER BY %s)', rows, w, ordering), ' UNION ALL ')
                 FROM unnest(within) w);
        rows := format('SELECT * FROM (%s) r', rows);
    END IF;
    EXECUTE format('SELECT ARRAY(SELECT r.id FROM (%s ORDER BY %s LIMIT %s) r WHERE %s ORDER BY %s LIMIT %s)',
                   rows, ordering, coalesce(budget::text, 'ALL'), held, ordering, most)
    INTO found USING place, NULL::int, narrowing, partitions, owners, departments, of_part, records, pools;
    RETURN found;
END $$;

-- What is asked of a record's number and place in the order of streams, asked of what a match of a rule keeps of it.
CREATE OR REPLACE FUNCTION hufu.list_kept(condition text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT replace(replace(condition, 'r.updated_at', 'm.updated_at'), 'r.id', 'm.record_id') $$;

-- The way `keys`: the first records of every stream, merged. Where there are many streams, the first few of each tell
-- beyond which value none of them need be read any further.
CREATE OR REPLACE FUNCTION hufu.list_merge(declared jsonb, sort text, ordering text, stretch text, place jsonb, narrowing jsonb,
                                           most int)
    RETURNS bigint[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    streams text[];
    keys bigint[];
    partitions bytea[];
    owners bytea[];
    departments bytea[];
    owned boolean[];
    amount int;
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
    SELECT array_agg(k.stream), array_agg(k.key), array_agg(k.partitions), array_agg(k.owners), array_agg(k.departments),
           array_agg(k.owned)
    INTO streams, keys, partitions, owners, departments, owned FROM hufu.list_keys(declared ->> 'name', NOT in_order) k;
    IF streams IS NULL THEN
        RETURN '{}';
    END IF;
    -- %1$s: what else a record must meet; %2$s: how many of a stream; %3$s: the first by what a match keeps of its record.
    -- Single records are no stream.
    each_of := (
        SELECT string_agg(format(
            'SELECT x.id, x.%1$I FROM unnest($4, $5, $6, $7, $8, $9) k (stream, key, partitions, owners, departments, owned)
             CROSS JOIN LATERAL (SELECT r.id, r.%1$I FROM %2$s WHERE %3$s AND %4$s %5$s) x WHERE k.stream = %6$L', sort,
            CASE s.stream WHEN 'match' THEN format('access_rule_match m JOIN %I r ON r.id = m.record_id', declared ->> 'table')
                          ELSE format('%I r', declared ->> 'table') END,
            CASE s.stream WHEN 'owner' THEN 'r.owner_id = k.key::int' WHEN 'department' THEN 'r.department_id = k.key::int'
                          WHEN 'partition' THEN 'r.partition_id = k.key::int' WHEN 'pool' THEN 'r.pool_id = k.key::int'
                          WHEN 'match' THEN 'm.part = k.key::int' WHEN 'record' THEN 'r.id = k.key' END,
            CASE WHEN s.stream = 'match' AND in_order THEN hufu.list_kept(stretch) ELSE stretch END
            || replace(narrowed, '%', '%%') || CASE WHEN s.stream = 'match' AND in_order THEN '%3$s' ELSE '%1$s' END,
            CASE WHEN s.stream = 'match' AND in_order THEN format('ORDER BY %s LIMIT %%2$s', hufu.list_kept(qualified))
                 WHEN s.stream <> 'record' THEN format('ORDER BY %s LIMIT %%2$s', qualified) END, s.stream), ' UNION ALL ')
        FROM (SELECT DISTINCT unnest(streams) AS stream) s);
    amount := (SELECT count(*) FROM unnest(streams) s WHERE s <> 'record');
    IF in_order AND amount > hufu.few_streams() THEN
        EXECUTE format('SELECT CASE WHEN count(*) = %3$s THEN (array_agg(x.%2$I ORDER BY %4$s))[%3$s]::text END
                        FROM (SELECT x.id, x.%2$I FROM (%1$s) x GROUP BY x.id, x.%2$I ORDER BY %4$s LIMIT %3$s) x',
                       format(each_of, '', greatest(2, ceil(2.0 * most / amount)), ''), sort, most, ordering)
        INTO bound USING place, NULL::int, narrowing, streams, keys, partitions, owners, departments, owned;
        IF bound IS NOT NULL THEN
            bound := format(' AND r.%I %s %L', sort, CASE WHEN ordering LIKE '% DESC' THEN '>=' ELSE '<=' END, bound);
        END IF;
    END IF;
    EXECUTE format('SELECT ARRAY(SELECT x.id FROM (%1$s) x GROUP BY x.id, x.%2$I ORDER BY %3$s LIMIT %4$s)',
                   format(each_of, coalesce(bound, ''), most, coalesce(hufu.list_kept(bound), '')), sort, ordering, most)
    INTO found USING place, NULL::int, narrowing, streams, keys, partitions, owners, departments, owned;
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
               AND g.given_by IS DISTINCT FROM (SELECT hufu.actor())
               AND (g.starts_at IS NULL OR g.starts_at <= (SELECT hufu.now()))
               AND (g.ends_at IS NULL OR g.ends_at > (SELECT hufu.now()))
               AND (%3$s) AND %4$s%5$s%%1$s
             ORDER BY g.updated_at %6$s, g.record_id %6$s LIMIT %%2$s) x',
        declared ->> 'table', declared ->> 'name',
        (SELECT string_agg(format('hufu.bit($2[%s], g.partition_id)', n), ' OR ') FROM generate_series(1, cardinality(within)) n),
        CASE WHEN place IS NULL THEN 'true'
             ELSE format('(g.updated_at, g.record_id) %s (($1 ->> ''value'')::timestamptz, ($1 ->> ''id'')::bigint)',
                         CASE WHEN descending THEN '<' ELSE '>' END) END,
        replace(hufu.list_narrowed(declared, narrowing), '%', '%%'), CASE WHEN descending THEN 'DESC' ELSE 'ASC' END);
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

DROP FUNCTION IF EXISTS hufu.list_way(bigint, bigint, bigint, boolean, int);
-- The cheaper way, and how many records a walk may pass before the streams are asked after all. Costs are in records of an
-- index that are read: a walk keeps `visible` of `total`; a stream costs 8 to begin and, in another order than that of its
-- index, all of its records, which are fetched (3 each): those of an owner or a department lie in every partition, those
-- that are viewed in the `open` ones alone. The streams' first records are read twice over at most.
CREATE OR REPLACE FUNCTION hufu.list_way(total bigint, open bigint, visible bigint, keys bigint, in_order boolean, most int,
                                         OUT way text, OUT budget int)
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    walked float8 := most::float8 * total / greatest(visible, 1);
    streamed float8 := keys * 8.0 + CASE WHEN in_order THEN 2.0 * most ELSE 3.0 * visible * total / greatest(open, 1) END;
BEGIN
    way := CASE WHEN walked < streamed THEN 'walk' ELSE 'keys' END;
    budget := greatest(4000, streamed);
END $$;

-- How many streams the scopes of the actor's terms make.
CREATE OR REPLACE FUNCTION hufu.list_streams(of_type text) RETURNS bigint LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN (SELECT coalesce(sum(CASE
                WHEN t.scopes & 64 <> 0 THEN bit_count(t.read_partitions)
                ELSE CASE WHEN t.scopes & 8 <> 0 THEN bit_count(t.owners)
                          WHEN t.scopes & 4 <> 0 THEN bit_count(t.reports) ELSE 1 END
                     + CASE WHEN t.scopes & 32 <> 0 THEN bit_count(t.departments_below)
                            WHEN t.scopes & 16 <> 0 THEN bit_count(t.departments) ELSE 0 END END), 0)
            FROM hufu.my_terms(of_type || '.view') t);
END $$;

-- The numbers of at most `most` records of an independent type that the actor may view, ordered by a column and then by
-- number, beyond a `place` in that order ({"value": …, "id": …}, or NULL for the beginning). Empty values come last when
-- descending. `way` forces one of the two; NULL takes the cheaper.
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
    budget int;
    found bigint[] := '{}';
    more bigint[];
    shared bigint[];
BEGIN
    IF value_type IS NULL THEN
        RAISE EXCEPTION 'lists are not sorted by %', sort USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF way IS NULL THEN
        SELECT w.way, w.budget INTO way, budget
        FROM hufu.my_list_facts(of_type) f
        CROSS JOIN LATERAL hufu.list_way(f.total, f.open, f.visible, hufu.list_streams(of_type), sort = declared ->> 'stream', most) w;
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
            more := hufu.list_walk(declared, sort, ordering, stretch, place, narrowing, most - cardinality(found), budget);
        END IF;
        IF way <> 'walk' OR (budget IS NOT NULL AND cardinality(more) < most - cardinality(found)) THEN
            more := hufu.list_merge(declared, sort, ordering, stretch, place, narrowing, most - cardinality(found));
        END IF;
        IF sort = declared ->> 'stream' THEN
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
