-- What the search box of lists finds in a text: any part of it, through an index of its pieces (docs/decisions/0038-search.md).

-- A text for comparing: compatibility forms unified, Latin letters small. Without a search path of its own: it is taken into
-- the query that asks.
CREATE OR REPLACE FUNCTION hufu.folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT lower(normalize(words, NFKC) COLLATE "C") $$;

-- Every two neighbouring characters of a text. Whatever holds a part of two characters or more holds all its pieces.
CREATE OR REPLACE FUNCTION hufu.pieces(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ SELECT coalesce(array_agg(substr(f, n, 2)), '{}') FROM hufu.folded(words) f, generate_series(1, length(f) - 1) n $$;

-- About how many of `total` records hold the rarest of these pieces, by what was last counted of an index of them. A piece
-- that is not listed is rarer than those that are; where nothing was counted yet, rare enough to look; none is a frequent one.
CREATE OR REPLACE FUNCTION hufu.holding(pieces_index text, pieces text[], total numeric) RETURNS numeric LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS
$$ WITH s AS MATERIALIZED (
       SELECT t.most_common_elems::text::text[] AS elements, t.most_common_elem_freqs AS often,
              (SELECT min(o) FROM unnest(t.most_common_elem_freqs) o WHERE o > 0) AS least
       FROM pg_stats t WHERE t.schemaname = 'public' AND t.tablename = pieces_index)
   SELECT CASE WHEN pieces = '{}' THEN total / 10 ELSE total * coalesce((
       SELECT min(coalesce(s.often[array_position(s.elements, p)], s.least)) FROM s, unnest(pieces) p)::numeric, 0) END $$;

-- What a search ($3 #> '{search}') asks of the record `r`, said in SQL: a search is any of its ways, a way all of its words, a
-- word in any of these columns: [[[[how, column, text], …], …], …], for the column `id` numbers of records instead of a text.
-- `pieces` are those that a column of this name holds wherever a part of it is looked for.
DROP FUNCTION IF EXISTS hufu.list_found(jsonb, jsonb, boolean), hufu.list_said(jsonb, jsonb);
CREATE FUNCTION hufu.list_said(declared jsonb, search jsonb)
    RETURNS TABLE (way bigint, word bigint, name text, said text, pieces text) LANGUAGE plpgsql IMMUTABLE
    SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    path text[];
    how text;
BEGIN
    FOR way, word, path, name, how IN
        SELECT ways.n, words.n, ARRAY['search', (ways.n - 1)::text, (words.n - 1)::text, (columns.n - 1)::text, '2'],
               columns.said ->> 1, columns.said ->> 0
        FROM jsonb_array_elements(search) WITH ORDINALITY ways (of, n)
        CROSS JOIN jsonb_array_elements(ways.of) WITH ORDINALITY words (of, n)
        CROSS JOIN jsonb_array_elements(words.of) WITH ORDINALITY columns (said, n)
    LOOP
        said := CASE
            WHEN name = 'id' THEN format('r.id = ANY (ARRAY(SELECT v::bigint FROM jsonb_array_elements_text($3 #> %L) v))', path)
            WHEN NOT coalesce(declared -> 'searched' -> name ? how, false) THEN NULL
            WHEN how = 'begins' THEN format('starts_with(r.%I, $3 #>> %L)', name, path)
            -- Looked up by itself: no stream holds it.
            WHEN how = 'equals' THEN format('r.id = ANY (ARRAY(SELECT e.id FROM public.%I e WHERE e.%I = $3 #>> %L))',
                                            declared ->> 'table', name, path)
            WHEN how = 'contains' THEN format('strpos(hufu.folded(r.%I), hufu.folded($3 #>> %L)) > 0', name, path) END;
        IF said IS NULL THEN
            RAISE EXCEPTION 'lists are not searched by %', name USING ERRCODE = 'invalid_parameter_value';
        END IF;
        pieces := CASE WHEN how = 'contains' THEN format('hufu.pieces($3 #>> %L)', path) END;
        RETURN NEXT;
    END LOOP;
END $$;

-- The same as one condition.
CREATE OR REPLACE FUNCTION hufu.list_found(declared jsonb, search jsonb) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ SELECT coalesce('(' || string_agg(of_way, ' OR ') || ')', 'false') FROM (
       SELECT string_agg(of_word, ' AND ') AS of_way FROM (
           SELECT way, '(' || string_agg(said, ' OR ') || ')' AS of_word FROM hufu.list_said(declared, search) GROUP BY way, word) w
       GROUP BY way) v $$;

-- The same as alternatives, each of which an index finds by the first word of a way; and by further ones that can be parts of
-- the same column alone, of which each may be frequent.
CREATE OR REPLACE FUNCTION hufu.list_matches(declared jsonb, search jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ WITH said AS MATERIALIZED (SELECT * FROM hufu.list_said(declared, search)),
   further AS MATERIALIZED (
       SELECT way, word, '(' || string_agg(said, ' OR ') || ')' AS said,
              CASE WHEN count(*) = 1 THEN min(name) END AS name, min(pieces) AS pieces
       FROM said WHERE word > 1 GROUP BY way, word)
   SELECT concat_ws(' AND ',
       CASE WHEN f.pieces IS NOT NULL THEN format('hufu.pieces(r.%I) @> (%s)', f.name, concat_ws(' || ', f.pieces, (
           SELECT string_agg(o.pieces, ' || ') FROM further o WHERE o.way = f.way AND o.name = f.name))) END,
       f.said, (SELECT string_agg(o.said, ' AND ') FROM further o WHERE o.way = f.way))
   FROM said f WHERE f.word = 1 $$;

-- How many of `total` records a search finds: `about` so many if its words have nothing to do with each other, and `at_most`
-- what the rarest of them finds, in any of its columns. What is looked up by itself counts as nothing.
DROP FUNCTION IF EXISTS hufu.list_finds(jsonb, jsonb, numeric);
CREATE FUNCTION hufu.list_finds(declared jsonb, search jsonb, total numeric, OUT about numeric, OUT at_most numeric) LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    way jsonb;
    word jsonb;
    said jsonb;
    several bigint;
    of_word numeric;
    way_about numeric;
    way_at_most numeric;
BEGIN
    about := 0;
    at_most := 0;
    FOR way IN SELECT jsonb_array_elements(search) LOOP
        way_about := total;
        way_at_most := total;
        FOR word IN SELECT jsonb_array_elements(way) LOOP
            of_word := 0;
            FOR said IN SELECT jsonb_array_elements(word) LOOP
                IF NOT coalesce(declared -> 'searched' -> (said ->> 1) ? (said ->> 0), false) THEN
                    CONTINUE;
                ELSIF said ->> 0 = 'contains' THEN
                    of_word := of_word + hufu.holding(
                        format('%s_%s_pieces', declared ->> 'table', said ->> 1), hufu.pieces(said ->> 2), total);
                ELSIF said ->> 0 = 'begins' THEN
                    EXECUTE format('SELECT count(*) FROM (SELECT FROM public.%I r WHERE starts_with(r.%I, $1) LIMIT 2000) r',
                                   declared ->> 'table', said ->> 1) INTO several USING said ->> 2;
                    -- Where there are so many nobody knows how many more there are.
                    of_word := of_word + CASE WHEN several = 2000 THEN total / 100 ELSE several END;
                END IF;
            END LOOP;
            way_about := way_about * least(of_word / greatest(total, 1), 1);
            way_at_most := least(way_at_most, of_word);
        END LOOP;
        about := about + way_about;
        at_most := at_most + way_at_most;
    END LOOP;
    about := least(about, total);
    at_most := least(at_most, total);
END $$;
