-- Who may read and change the facts of people, and what must always be true of them.

-- Changes of people and policy follow one another. The lock comes before any row is locked: no two wait in a circle.
CREATE OR REPLACE FUNCTION hufu.facts_lock() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 1);
    RETURN NULL;
END $$;

-- Reach is rebuilt once per transaction, at its end or when asked.
CREATE OR REPLACE FUNCTION hufu.facts_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    INSERT INTO access_reach_stale (transaction) VALUES (pg_current_xact_id()::text::bigint) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- Two changes that are each right can make a circle together; facts_lock has let only one of them come here.
CREATE OR REPLACE FUNCTION hufu.no_department_cycle() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    above int := NEW.parent_id;
    steps int := 0;
BEGIN
    WHILE above IS NOT NULL LOOP
        steps := steps + 1;
        IF above = NEW.id OR steps > 1000 THEN
            RAISE EXCEPTION 'department % would stand below itself', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        SELECT parent_id INTO above FROM people_department WHERE id = above;
    END LOOP;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER no_cycle BEFORE INSERT OR UPDATE OF parent_id ON public.people_department
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION hufu.no_department_cycle();

CREATE OR REPLACE FUNCTION hufu.no_reporting_cycle() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    above int := NEW.manager_id;
    steps int := 0;
BEGIN
    WHILE above IS NOT NULL LOOP
        steps := steps + 1;
        IF above = NEW.id OR steps > 1000 THEN
            RAISE EXCEPTION 'user % would report to themselves', NEW.id USING ERRCODE = 'check_violation';
        END IF;
        SELECT manager_id INTO above FROM people_user WHERE id = above;
    END LOOP;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER no_cycle BEFORE INSERT OR UPDATE OF manager_id ON public.people_user
    FOR EACH ROW WHEN (NEW.manager_id IS NOT NULL) EXECUTE FUNCTION hufu.no_reporting_cycle();

-- Everybody's own password, last sign-in and language are theirs; all else of an account needs user.manage. Nobody
-- chooses a colleague's password, and nobody changes the facts that their own rights are derived from. Whoever is
-- not signed in yet has no identity: signing in and setting a password by a link.
CREATE OR REPLACE FUNCTION hufu.guard_user() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    acting int := hufu.actor();
    free text[] := CASE WHEN coalesce(acting, OLD.id) = OLD.id THEN '{password,last_login,language}'
                        ELSE '{last_login}' END;
BEGIN
    IF pg_has_role(current_user, 'hufu_owner', 'USAGE') THEN
        RETURN NEW;
    END IF;
    IF NOT hufu.holds('user.manage') AND (to_jsonb(OLD) - free) IS DISTINCT FROM (to_jsonb(NEW) - free) THEN
        RAISE EXCEPTION 'changing a user needs user.manage' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF acting <> OLD.id AND NEW.password IS DISTINCT FROM OLD.password THEN
        RAISE EXCEPTION 'nobody chooses a colleague''s password' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF acting = OLD.id AND (NEW.status, NEW.main_department_id, NEW.manager_id, NEW.level_id)
           IS DISTINCT FROM (OLD.status, OLD.main_department_id, OLD.manager_id, OLD.level_id)
       OR acting > 0 AND NEW.manager_id = acting AND NEW.manager_id IS DISTINCT FROM OLD.manager_id THEN
        RAISE EXCEPTION 'nobody gives rights to themselves' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
-- Named to run before keep_history, which sets valid_from.
CREATE OR REPLACE TRIGGER a_guard BEFORE UPDATE ON public.people_user
    FOR EACH ROW EXECUTE FUNCTION hufu.guard_user();

DO $$
DECLARE
    facts text;
    columns text;
BEGIN
    FOREACH facts IN ARRAY '{people_department,people_membership,people_ladder,people_level}'::text[] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', facts);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hufu_app', facts);
        EXECUTE format('DROP POLICY IF EXISTS read ON public.%I', facts);
        EXECUTE format('DROP POLICY IF EXISTS change ON public.%I', facts);
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING (true)', facts);
        EXECUTE format('CREATE POLICY change ON public.%I TO hufu_app USING ((SELECT hufu.holds(%L))) %s',
                       facts, CASE WHEN facts IN ('people_ladder', 'people_level') THEN 'role.manage' ELSE 'user.manage' END,
                       CASE WHEN facts = 'people_membership' THEN
                           'WITH CHECK ((SELECT hufu.holds(''user.manage'')) AND user_id <> (SELECT hufu.actor()))' END);
    END LOOP;
    FOREACH facts IN ARRAY '{people_department,people_membership,people_level,people_user}'::text[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock()', facts);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change()', facts);
    END LOOP;
    -- An account's sign-in must not rebuild reach: only columns that rights are derived from count.
    FOR facts, columns IN VALUES
        ('people_user', 'main_department_id, manager_id, level_id, status'),
        ('people_department', 'parent_id'),
        ('people_membership', 'user_id, department_id'),
        ('people_level', 'ladder_id, rank')
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_lock_update BEFORE UPDATE OF %s ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock()', columns, facts);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_change_update AFTER UPDATE OF %s ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change()', columns, facts);
    END LOOP;
END $$;

ALTER TABLE public.people_user ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON public.people_user TO hufu_app;
DROP POLICY IF EXISTS read ON public.people_user;
DROP POLICY IF EXISTS insert ON public.people_user;
DROP POLICY IF EXISTS change ON public.people_user;
CREATE POLICY read ON public.people_user FOR SELECT TO hufu_app USING (true);
CREATE POLICY insert ON public.people_user FOR INSERT TO hufu_app WITH CHECK ((SELECT hufu.holds('user.manage')));
CREATE POLICY change ON public.people_user FOR UPDATE TO hufu_app USING (true) WITH CHECK (true);
