-- Quotas: how often somebody may use a permission in an hour and in a day. Whether one is used up closes the permission as
-- a gate does, under the negative number of the quota; what is used is counted here, and nowhere else.

-- When the hour or the day of a moment began in a time zone, and when it ends. An hour has sixty minutes, whatever the
-- clock on the wall does; a day is what that clock calls one.
CREATE OR REPLACE FUNCTION hufu.span_begins(span text, zone text, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT CASE span
       WHEN 'hour' THEN at - ((at AT TIME ZONE zone) - date_trunc('hour', at AT TIME ZONE zone))
       WHEN 'day' THEN date_trunc('day', at AT TIME ZONE zone) AT TIME ZONE zone END $$;
CREATE OR REPLACE FUNCTION hufu.span_ends(span text, zone text, at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE
    SET search_path = pg_catalog, hufu, pg_temp AS
$$ SELECT CASE span
       WHEN 'hour' THEN hufu.span_begins('hour', zone, at) + interval '1 hour'
       WHEN 'day' THEN (date_trunc('day', at AT TIME ZONE zone) + interval '1 day') AT TIME ZONE zone END $$;

-- The limits that bind somebody, in one order everywhere, so that two requests never wait for each other.
CREATE OR REPLACE FUNCTION hufu.quotas_of(who int)
    RETURNS TABLE (id int, key text, name text, counts text, zone text, warn_at int, span text, most bigint)
    LANGUAGE sql STABLE ROWS 4 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT q.id, q.key, q.name, q.counts, q.zone, q.warn_at, l.span, l.most
   FROM access_quota q, LATERAL (VALUES ('hour', q.per_hour), ('day', q.per_day)) AS l (span, most)
   WHERE who > 0 AND l.most IS NOT NULL AND (
       num_nonnulls(q.user_id, q.group_id, q.department_id, q.position_id, q.level_id) = 0
       OR hufu.principal(q.user_id, q.group_id, q.department_id, q.below, q.post, q.position_id, q.level_id)
          IN (SELECT p.principal FROM access_principal p WHERE p.user_id = who))
   ORDER BY q.id, l.span $$;

-- How somebody stands with each limit that binds them.
CREATE OR REPLACE FUNCTION hufu.quotas_standing(who int)
    RETURNS TABLE (id int, key text, name text, counts text, zone text, span text, most bigint, used bigint,
                   opens_at timestamptz)
    LANGUAGE sql STABLE ROWS 4 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT q.id, q.key, q.name, q.counts, q.zone, q.span, q.most, coalesce(u.used, 0),
          hufu.span_ends(q.span, q.zone, hufu.now())
   FROM hufu.quotas_of(who) q
   LEFT JOIN access_quota_used u ON u.user_id = who AND u.quota_id = q.id AND u.span = q.span
       AND u.begins = hufu.span_begins(q.span, q.zone, hufu.now()) $$;

-- How the actor stands with what counts a permission.
CREATE OR REPLACE FUNCTION hufu.my_quotas(counted text)
    RETURNS TABLE (id int, key text, name text, counts text, zone text, span text, most bigint, used bigint,
                   opens_at timestamptz)
    LANGUAGE sql STABLE ROWS 4 SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT * FROM hufu.quotas_standing(hufu.actor()) s WHERE s.counts = counted $$;

-- Count the use of a permission by the actor: `amount`, or each of `records` once per hour and once per day. Returns the
-- limits that are passed or at whose mark somebody is to be told; after one that `refuses` nothing more is counted, and
-- the deed must not be done. INVARIANT: used never exceeds the limit, however many count at once.
CREATE OR REPLACE FUNCTION hufu.consume_quota(counted text, amount bigint, records bigint[])
    RETURNS TABLE (id int, key text, name text, zone text, span text, most bigint, used bigint, opens_at timestamptz,
                   refuses boolean) LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
#variable_conflict use_column
DECLARE
    who int := hufu.actor();
    at_once timestamptz := hufu.now();
    began timestamptz;
    before bigint;
    more bigint;
    q record;
BEGIN
    IF amount < 0 THEN
        RAISE EXCEPTION 'nothing is given back' USING ERRCODE = 'check_violation';
    END IF;
    FOR q IN SELECT * FROM hufu.quotas_of(who) o WHERE o.counts = counted LOOP
        began := hufu.span_begins(q.span, q.zone, at_once);
        more := hufu.not_yet_counted(who, q.id, records, began, amount);
        CONTINUE WHEN more = 0;
        INSERT INTO access_quota_used AS u (user_id, quota_id, span, begins, used) VALUES (who, q.id, q.span, began, 0)
            ON CONFLICT (user_id, quota_id, span) DO UPDATE SET
                used = CASE WHEN u.begins = excluded.begins THEN u.used ELSE 0 END, begins = excluded.begins
            RETURNING u.used INTO before;
        -- The row is locked now: what others counted meanwhile is there to be seen.
        more := hufu.not_yet_counted(who, q.id, records, began, amount);
        id := q.id; key := q.key; name := q.name; zone := q.zone; span := q.span; most := q.most;
        opens_at := hufu.span_ends(q.span, q.zone, at_once);
        UPDATE access_quota_used u SET used = u.used + more
            WHERE u.user_id = who AND u.quota_id = q.id AND u.span = q.span AND u.used + more <= q.most
            RETURNING u.used INTO used;
        refuses := used IS NULL;
        IF refuses THEN
            used := before;
            RETURN NEXT;
            RETURN;
        END IF;
        IF used * 100 >= q.most * q.warn_at AND before * 100 < q.most * q.warn_at THEN
            RETURN NEXT;
        END IF;
    END LOOP;
    INSERT INTO access_quota_seen AS s (user_id, quota_id, record_id, at)
        SELECT DISTINCT who, o.id, r, at_once FROM hufu.quotas_of(who) o, unnest(records) r WHERE o.counts = counted
        ON CONFLICT (user_id, quota_id, record_id) DO UPDATE SET at = greatest(s.at, excluded.at);
    IF random() < 0.005 THEN
        DELETE FROM access_quota_seen s WHERE (s.user_id, s.quota_id, s.record_id) IN (
            SELECT o.user_id, o.quota_id, o.record_id FROM access_quota_seen o
            WHERE o.at < at_once - interval '2 days' LIMIT 1000 FOR UPDATE SKIP LOCKED);
    END IF;
END $$;

CREATE OR REPLACE FUNCTION hufu.not_yet_counted(who int, quota int, records bigint[], began timestamptz, amount bigint)
    RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE WHEN records IS NULL THEN amount ELSE (
       SELECT count(DISTINCT r) FROM unnest(records) r WHERE NOT EXISTS (
           SELECT 1 FROM access_quota_seen s
           WHERE s.user_id = who AND s.quota_id = quota AND s.record_id = r AND s.at >= began)) END $$;

-- Does this quota bind the actor, as one of a principal? Such a quota is changed by others.
CREATE OR REPLACE FUNCTION hufu.quota_binds_me(quota int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.actor() > 0 AND EXISTS (
       SELECT 1 FROM access_quota q WHERE q.id = quota
       AND num_nonnulls(q.user_id, q.group_id, q.department_id, q.position_id, q.level_id) = 1
       AND hufu.principal(q.user_id, q.group_id, q.department_id, q.below, q.post, q.position_id, q.level_id)
           IN (SELECT hufu.my_principals())) $$;

-- What was used of a quota goes with it.
CREATE OR REPLACE FUNCTION hufu.forget_quota() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_quota_used WHERE quota_id = OLD.id;
    DELETE FROM access_quota_seen WHERE quota_id = OLD.id;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER forget AFTER DELETE ON public.access_quota
    FOR EACH ROW EXECUTE FUNCTION hufu.forget_quota();

-- Everybody reads what they themselves used; nobody writes it.
DO $$
DECLARE
    counted text;
BEGIN
    FOREACH counted IN ARRAY '{access_quota_used,access_quota_seen}'::text[] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', counted);
        EXECUTE format('REVOKE ALL ON public.%I FROM hufu_app', counted);
        EXECUTE format('DROP POLICY IF EXISTS own ON public.%I', counted);
    END LOOP;
    GRANT SELECT ON public.access_quota_used TO hufu_app;
    CREATE POLICY own ON public.access_quota_used FOR SELECT TO hufu_app USING (user_id = (SELECT hufu.actor()));
END $$;
