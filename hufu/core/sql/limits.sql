-- How often somebody asked for something within a span of time, counted where all processes see it. A crash empties the
-- table; keys are digests and name nobody.

CREATE UNLOGGED TABLE IF NOT EXISTS hufu.spent (
    who bytea PRIMARY KEY,
    ends timestamptz NOT NULL,
    times int NOT NULL);
CREATE INDEX IF NOT EXISTS spent_ends ON hufu.spent (ends);

-- Counts one request for each key. `wait`: for how many seconds the spans that are used up still last, 0 for none;
-- `begins`: this request is the first one too many.
CREATE OR REPLACE FUNCTION hufu.spend(keys bytea[], allowed int[], seconds int, OUT wait int, OUT begins boolean)
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    asked record;
    counted record;
    moment timestamptz := clock_timestamp();
BEGIN
    wait := 0;
    begins := false;
    -- In one order everywhere, so that two requests never wait for each other.
    FOR asked IN SELECT t.key, t.most FROM unnest(keys, allowed) AS t (key, most) ORDER BY t.key LOOP
        INSERT INTO spent AS s (who, ends, times) VALUES (asked.key, moment + make_interval(secs => seconds), 1)
            ON CONFLICT (who) DO UPDATE SET
                times = CASE WHEN s.ends <= moment THEN 1 ELSE least(s.times, 1000000) + 1 END,
                ends = CASE WHEN s.ends <= moment THEN excluded.ends ELSE s.ends END
            RETURNING s.times, s.ends INTO counted;
        IF counted.times > asked.most THEN
            wait := greatest(wait, ceil(extract(epoch FROM counted.ends - moment))::int, 1);
            begins := begins OR counted.times = asked.most + 1;
        END IF;
    END LOOP;
    IF random() < 0.005 THEN
        DELETE FROM spent s WHERE s.who IN
            (SELECT o.who FROM spent o WHERE o.ends <= moment LIMIT 1000 FOR UPDATE SKIP LOCKED);
    END IF;
END $$;
