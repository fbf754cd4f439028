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

-- Among the roles given to one person directly, with all that these inherit: in standard mode whoever audits neither is
-- system nor security administrator; in three-administrator mode the three are three people, none of whom sees business
-- data. It looks at everything, whoever acts: the reader of policies sees less than what counts here.
CREATE OR REPLACE FUNCTION hufu.administrators_apart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    three boolean := EXISTS (SELECT 1 FROM access_company WHERE mode = 'three');
    together boolean;
    to_many boolean;
    sees boolean;
BEGIN
    WITH RECURSIVE held (user_id, role_id) AS (
        SELECT a.user_id, a.role_id FROM access_assignment a WHERE a.ends_at IS NULL OR a.ends_at > clock_timestamp()
        UNION
        SELECT held.user_id, i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id),
    administers AS (
        SELECT held.user_id, r.administrator FROM held JOIN access_role r ON r.id = held.role_id WHERE r.administrator <> '')
    SELECT EXISTS (
               SELECT 1 FROM administers WHERE user_id IS NOT NULL GROUP BY user_id
               HAVING count(DISTINCT CASE WHEN three OR administrator = 'audit' THEN administrator ELSE 'other' END) > 1),
           EXISTS (SELECT 1 FROM administers WHERE user_id IS NULL),
           EXISTS (
               SELECT 1 FROM held JOIN access_grant g ON g.role_id = held.role_id
               WHERE hufu.is_business(g.permission) AND held.user_id IN (SELECT user_id FROM administers))
    INTO together, to_many, sees;
    IF together THEN
        RAISE EXCEPTION 'administrators are different people' USING ERRCODE = 'check_violation';
    END IF;
    IF three AND to_many THEN
        RAISE EXCEPTION 'an administrator is a person' USING ERRCODE = 'check_violation';
    END IF;
    IF three AND sees THEN
        RAISE EXCEPTION 'an administrator sees no business data' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER administrators_apart AFTER INSERT OR UPDATE ON public.access_assignment
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.administrators_apart();
CREATE OR REPLACE TRIGGER administrators_apart AFTER INSERT OR UPDATE ON public.access_role_inherits
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.administrators_apart();
CREATE OR REPLACE TRIGGER administrators_apart AFTER UPDATE OF administrator ON public.access_role
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.administrators_apart();
CREATE OR REPLACE TRIGGER administrators_apart AFTER INSERT OR UPDATE ON public.access_grant
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.administrators_apart();

-- Is this user an administrator of a kind that the actor is not, now or to come? For whoever manages people: a link or a
-- reset for such a one would let one person be two administrators.
CREATE OR REPLACE FUNCTION hufu.administers_more(who int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ WITH RECURSIVE held (user_id, role_id) AS (
       SELECT a.user_id, a.role_id FROM hufu.user_assignments a
       WHERE a.user_id IN (who, hufu.actor()) AND (a.ends_at IS NULL OR a.ends_at > hufu.now())
       UNION
       SELECT held.user_id, i.inherits_id FROM held JOIN access_role_inherits i ON i.role_id = held.role_id),
   kinds AS (
       SELECT held.user_id, r.administrator FROM held JOIN access_role r ON r.id = held.role_id WHERE r.administrator <> '')
   SELECT hufu.holds('user.manage') AND EXISTS (
       SELECT 1 FROM kinds k WHERE k.user_id = who AND NOT EXISTS (
           SELECT 1 FROM kinds mine WHERE mine.user_id = hufu.actor() AND mine.administrator = k.administrator)) $$;
