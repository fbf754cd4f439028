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
$$ SELECT CASE WHEN pieces = '{}' THEN total / 10 ELSE total * coalesce((
       SELECT min(coalesce(s.often[array_position(s.elements, p)], s.least)) FROM unnest(pieces) p
       CROSS JOIN LATERAL (
           SELECT t.most_common_elems::text::text[] AS elements, t.most_common_elem_freqs AS often,
                  (SELECT min(o) FROM unnest(t.most_common_elem_freqs) o WHERE o > 0) AS least
           FROM pg_stats t WHERE t.schemaname = 'public' AND t.tablename = pieces_index) s)::numeric, 0) END $$;
