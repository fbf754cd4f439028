-- Each transaction that changes facts or policy has a number; the past is ordered by these numbers.

-- The time that the past is kept by; asked here alone.
CREATE OR REPLACE FUNCTION hufu.moment() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT hufu.now() $$;

-- The number of this transaction's change; the first question takes the next one.
-- INVARIANT: numbers are dense and in the order of commit: they are taken under the lock, and kept until the end.
CREATE OR REPLACE FUNCTION hufu.next_change() RETURNS bigint LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    mine bigint := pg_current_xact_id()::text::bigint;
    last access_change;
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    SELECT * INTO last FROM access_change ORDER BY number DESC LIMIT 1;
    IF last.transaction = mine THEN
        RETURN last.number;
    END IF;
    INSERT INTO access_change (number, at, actor, version, transaction)
    VALUES (coalesce(last.number, 0) + 1, greatest(hufu.moment(), last.at + interval '1 microsecond'), hufu.actor(),
            coalesce((SELECT max(number) FROM access_version), 0), mine)
    RETURNING number INTO last.number;
    RETURN last.number;
END $$;

-- The number of the last change, as far as this transaction sees: what stands beside a record's version.
CREATE OR REPLACE FUNCTION hufu.last_change() RETURNS bigint LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT number FROM access_change ORDER BY number DESC LIMIT 1), 0);
END $$;

-- A change holds from its commit on. Its transaction is forgotten: elsewhere, such as in a restored copy, that number
-- would be another's.
CREATE OR REPLACE FUNCTION hufu.close_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    UPDATE access_change SET at = greatest(hufu.moment(), at), transaction = NULL,
                             version = coalesce((SELECT max(number) FROM access_version), 0)
    WHERE number = NEW.number;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS close ON public.access_change;
CREATE CONSTRAINT TRIGGER close AFTER INSERT ON public.access_change
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hufu.close_change();

-- A version of the policy is a change, too.
CREATE OR REPLACE FUNCTION hufu.number_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM hufu.next_change();
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER number_change AFTER INSERT ON public.access_version
    FOR EACH ROW EXECUTE FUNCTION hufu.number_change();

ALTER TABLE public.access_change ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_change FROM hufu_app;
GRANT SELECT ON public.access_change TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_change;
CREATE POLICY read ON public.access_change FOR SELECT TO hufu_app USING (
    (SELECT hufu.holds('explain.any')) OR (SELECT hufu.holds('audit.view')) OR (SELECT hufu.holds('role.view')));
