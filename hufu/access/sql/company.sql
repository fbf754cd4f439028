-- The company: one row, made once at set-up, changed by nobody. And what its mode forbids.

ALTER TABLE public.access_company ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON public.access_company TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_company;
DROP POLICY IF EXISTS set_up ON public.access_company;
CREATE POLICY read ON public.access_company FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL);
CREATE POLICY set_up ON public.access_company FOR INSERT TO hufu_app WITH CHECK (
    (SELECT hufu.holds('role.manage')) AND NOT EXISTS (SELECT 1 FROM public.access_version));

-- Was nobody and nothing ever entered? The sign-in page asks without an identity and learns this bit alone.
CREATE OR REPLACE FUNCTION hufu.never_set_up() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT NOT EXISTS (SELECT 1 FROM access_company) AND NOT EXISTS (SELECT 1 FROM access_version)
      AND NOT EXISTS (SELECT 1 FROM people_user) AND NOT EXISTS (SELECT 1 FROM people_department)
      AND NOT EXISTS (SELECT 1 FROM access_role) AND NOT EXISTS (SELECT 1 FROM access_partition) $$;

-- Among the roles given to one person directly: in standard mode whoever audits neither is system nor security
-- administrator; in three-administrator mode the three are three people, none of whom sees business data.
-- It looks at everything, whoever acts: the reader of policies sees less than what counts here.
CREATE OR REPLACE FUNCTION hufu.administrators_apart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    three boolean := EXISTS (SELECT 1 FROM access_company WHERE mode = 'three');
BEGIN
    IF EXISTS (
        SELECT 1 FROM access_assignment a JOIN access_role r ON r.id = a.role_id
        WHERE a.user_id IS NOT NULL AND r.administrator <> '' AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp())
        GROUP BY a.user_id
        HAVING count(DISTINCT CASE WHEN three OR r.administrator = 'audit' THEN r.administrator ELSE 'other' END) > 1) THEN
        RAISE EXCEPTION 'administrators are different people' USING ERRCODE = 'check_violation';
    END IF;
    IF three AND EXISTS (
        SELECT 1 FROM access_assignment a JOIN access_role r ON r.id = a.role_id
        WHERE a.user_id IS NULL AND r.administrator <> '' AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp())) THEN
        RAISE EXCEPTION 'an administrator is a person' USING ERRCODE = 'check_violation';
    END IF;
    IF three AND EXISTS (
        WITH RECURSIVE administrators AS (
            SELECT DISTINCT a.user_id FROM access_assignment a JOIN access_role r ON r.id = a.role_id
            WHERE a.user_id IS NOT NULL AND r.administrator <> '' AND (a.ends_at IS NULL OR a.ends_at > clock_timestamp())),
        held AS (
            SELECT a.role_id AS id FROM access_assignment a JOIN administrators USING (user_id)
            WHERE a.ends_at IS NULL OR a.ends_at > clock_timestamp()
            UNION
            SELECT i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.id)
        SELECT 1 FROM held JOIN access_grant g ON g.role_id = held.id WHERE hufu.is_business(g.permission)) THEN
        RAISE EXCEPTION 'an administrator sees no business data' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER administrators_apart AFTER INSERT OR UPDATE ON public.access_assignment
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.administrators_apart();
