-- Who acts in this transaction. Everything else in the database asks hufu.actor().

CREATE SCHEMA IF NOT EXISTS hufu;
CREATE TABLE IF NOT EXISTS hufu.installed (digest text NOT NULL);
GRANT USAGE ON SCHEMA hufu, public TO hufu_app, hufu_sealer;
GRANT USAGE ON SCHEMA public TO hufu_reader;
-- Whoever reports names the views of `report` and nothing else of ours.
REVOKE ALL ON SCHEMA hufu FROM hufu_reader;
GRANT SELECT ON hufu.installed TO hufu_app;

-- Who somebody is that signed in to the database as themselves, and what is closed to them (hufu/access/sql/reporting.sql).
CREATE OR REPLACE FUNCTION hufu.reporting_actor() RETURNS int LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN (SELECT who FROM hufu.reporting_user() who WHERE hufu.reporting_problem(who) = '');
END $$;
CREATE OR REPLACE FUNCTION hufu.reporting_closed_gates() RETURNS int[] LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN hufu.closed_to_reporting(hufu.reporting_user());
END $$;

-- The acting user, or NULL. After a transaction a custom setting is '', not NULL.
-- INVARIANT: a setting says who acts in the sessions of the application and of the owner alone. In any other it is the
-- login of the session that says so, whatever is set.
CREATE OR REPLACE FUNCTION hufu.actor() RETURNS int LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN session_user IN ('hufu_app', 'hufu_owner') THEN NULLIF(current_setting('hufu.user_id', true), '')::int
               ELSE hufu.reporting_actor() END $$;

-- The demo clock (docs/decisions/0009): the session of the owner that holds it open while the demo company is made.
-- A row that is left behind says that it was not finished.
CREATE TABLE IF NOT EXISTS hufu.demo_clock (pid int NOT NULL, started timestamptz NOT NULL);

-- Is a demo company being made, or was its making interrupted? Until it is whole nobody else works here.
CREATE OR REPLACE FUNCTION hufu.demo_is_unfinished() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM hufu.demo_clock) $$;

-- The moment that this transaction simulates, or NULL. What anybody sets counts only while the owner's session lives,
-- and never lies in the future.
CREATE OR REPLACE FUNCTION hufu.simulated_at() RETURNS timestamptz LANGUAGE plpgsql VOLATILE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted text := current_setting('hufu.simulated_at', true);
BEGIN
    IF wanted <> '' AND session_user IN ('hufu_app', 'hufu_owner') AND EXISTS (
        SELECT 1 FROM hufu.demo_clock c, pg_stat_get_activity(c.pid) s WHERE s.backend_start = c.started) THEN
        RETURN least(wanted::timestamptz, clock_timestamp());
    END IF;
    RETURN NULL;
END $$;

-- The moment at which things are done. Everything in the database that notes a time asks this.
CREATE OR REPLACE FUNCTION hufu.now() RETURNS timestamptz LANGUAGE sql VOLATILE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce(hufu.simulated_at(), clock_timestamp()) $$;

-- Does the bitmap hold this number? Past the end, and for NULL, it does not.
CREATE OR REPLACE FUNCTION hufu.bit(bits bytea, slot int) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN slot >= 0 AND slot < 8 * length(bits) THEN get_bit(bits, slot)::boolean ELSE false END $$;

-- A bitmap of small non-negative integers.
CREATE OR REPLACE FUNCTION hufu.bitmap(slots int[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bits bytea;
    top int := -1;
    slot int;
BEGIN
    IF slots IS NULL THEN
        RETURN '';
    END IF;
    -- Thousands are made at once: no query in it.
    FOREACH slot IN ARRAY slots LOOP
        IF slot > top THEN
            top := slot;
        END IF;
    END LOOP;
    bits := decode(repeat('00', (top + 8) / 8), 'hex');
    FOREACH slot IN ARRAY slots LOOP
        bits := set_bit(bits, slot, 1);
    END LOOP;
    RETURN bits;
END $$;

-- The numbers in a bitmap.
CREATE OR REPLACE FUNCTION hufu.numbers(bits bytea) RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT coalesce(array_agg(8 * b + i), '{}') FROM generate_series(0, length(bits) - 1) b, generate_series(0, 7) i
   WHERE get_byte(bits, b) <> 0 AND get_bit(bits, 8 * b + i) = 1 $$;

-- The gates that are closed in this transaction, by number.
CREATE OR REPLACE FUNCTION hufu.closed_gates() RETURNS int[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN session_user IN ('hufu_app', 'hufu_owner')
               THEN coalesce(NULLIF(current_setting('hufu.closed_gates', true), ''), '{}')::int[]
               ELSE hufu.reporting_closed_gates() END $$;

-- The ceiling of this transaction (a token's, an agent's, a job's): the permissions that it leaves, and the partitions as a
-- bitmap; NULL narrows nothing.
CREATE OR REPLACE FUNCTION hufu.permission_ceiling() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT NULLIF(current_setting('hufu.permissions', true), '')::text[] $$;
CREATE OR REPLACE FUNCTION hufu.partition_ceiling() RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT NULLIF(current_setting('hufu.partitions', true), '')::bytea $$;

-- Hold the rest of the transaction under a ceiling. It can be narrowed again, never lifted.
CREATE OR REPLACE FUNCTION hufu.hold_under(permissions text[], partitions int[]) RETURNS void LANGUAGE plpgsql
    SET search_path = pg_catalog, hufu, pg_temp AS $$
DECLARE
    held text[] := hufu.permission_ceiling();
    walled bytea := hufu.partition_ceiling();
BEGIN
    IF permissions IS NOT NULL THEN
        EXECUTE format('SET LOCAL hufu.permissions = %L', (
            SELECT coalesce(array_agg(p ORDER BY p), '{}') FROM unnest(permissions) p
            WHERE held IS NULL OR p = ANY (held))::text);
    END IF;
    IF partitions IS NOT NULL THEN
        EXECUTE format('SET LOCAL hufu.partitions = %L', hufu.bitmap((
            SELECT array_agg(p) FROM unnest(partitions) p WHERE walled IS NULL OR hufu.bit(walled, p)))::text);
    END IF;
END $$;

-- Is a partition within the ceiling?
CREATE OR REPLACE FUNCTION hufu.partition_is_open(partition int) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ SELECT hufu.partition_ceiling() IS NULL OR hufu.bit(hufu.partition_ceiling(), partition) $$;

-- Take an identity until the end of the transaction. Whoever is not active, or is bound by a closed gate, gets none.
-- `closed` are the gates that are closed; whoever does not say is behind all of them. System actors are behind none.
-- Reach that is missing or past a time limit is rebuilt first; if that fails, so does the transaction.
DROP FUNCTION IF EXISTS hufu.enter(int);
CREATE OR REPLACE FUNCTION hufu.enter(who int, closed int[] DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    behind int[] := CASE WHEN who < 0 THEN '{}' ELSE coalesce(closed, hufu.all_gates()) END;
    is_open boolean := hufu.is_active(who) AND NOT hufu.person_is_closed(who, behind);
BEGIN
    IF is_open THEN
        PERFORM hufu.freshen_reach(who);
    END IF;
    EXECUTE format('SET LOCAL hufu.closed_gates = %L', behind::text);
    EXECUTE format('SET LOCAL hufu.user_id = %L', CASE WHEN is_open THEN who::text ELSE '' END);
    RETURN is_open;
END $$;

-- Does the actor hold this system permission?
CREATE OR REPLACE FUNCTION hufu.holds(wanted text) RETURNS boolean LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN hufu.permission_is_open(wanted) AND EXISTS (
        SELECT 1 FROM access_term_grant g JOIN access_term t ON t.user_id = g.user_id AND t.term = g.term
        WHERE g.user_id = hufu.actor() AND g.permission = wanted AND g.scopes <> 0
          AND NOT t.gates && hufu.closed_gates());
END $$;
