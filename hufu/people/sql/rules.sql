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
    INSERT INTO access_reach_stale AS stale (transaction, parts)
    VALUES (pg_current_xact_id()::text::bigint, hufu.part_of_reach(TG_TABLE_NAME))
    ON CONFLICT (transaction) DO UPDATE SET parts = stale.parts | EXCLUDED.parts
    WHERE stale.parts <> stale.parts | EXCLUDED.parts;
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

-- Where people belong, main and secondary, and which departments stand below which, themselves included.
CREATE OR REPLACE VIEW hufu.members AS
    SELECT id AS user_id, main_department_id AS department_id FROM public.people_user WHERE main_department_id IS NOT NULL
    UNION
    SELECT user_id, department_id FROM public.people_membership;

CREATE OR REPLACE VIEW hufu.departments_below AS
    WITH RECURSIVE tree AS (
        SELECT id AS department_id, id AS below_id FROM public.people_department
        UNION
        SELECT tree.department_id, d.id FROM tree JOIN public.people_department d ON d.parent_id = tree.below_id)
    SELECT department_id, below_id FROM tree;

-- Which levels each level holds: itself, the lower ones of its ladder, and what any of these includes.
CREATE OR REPLACE VIEW hufu.levels_held AS
    WITH RECURSIVE held (level_id, held_id) AS (
        SELECT id, id FROM public.people_level
        UNION
        SELECT held.level_id, step.below_id
        FROM held JOIN (
            SELECT above.id AS above_id, below.id AS below_id
            FROM public.people_level above
            JOIN public.people_level below ON below.ladder_id = above.ladder_id AND below.rank < above.rank
            UNION ALL
            SELECT level_id, includes_id FROM public.people_level_includes) step ON step.above_id = held.held_id)
    SELECT level_id, held_id FROM held;

-- Two levels that hold each other would be the same: a higher level is never held by a lower one.
CREATE OR REPLACE FUNCTION hufu.no_level_cycle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM hufu.levels_held one
        JOIN hufu.levels_held other ON other.level_id = one.held_id AND other.held_id = one.level_id
        WHERE one.level_id <> one.held_id) THEN
        RAISE EXCEPTION 'a level would hold one that holds it' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER no_level_cycle AFTER INSERT OR UPDATE ON public.people_level_includes
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.no_level_cycle();
CREATE OR REPLACE TRIGGER no_level_cycle AFTER INSERT OR UPDATE OF ladder_id, rank ON public.people_level
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.no_level_cycle();

-- Is this the actor's own level, or one that theirs holds?
CREATE OR REPLACE FUNCTION hufu.holds_level(wanted int) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT EXISTS (SELECT 1 FROM people_user u JOIN hufu.levels_held h ON h.level_id = u.level_id
                  WHERE u.id = hufu.actor() AND h.held_id = wanted) $$;

-- Everybody's own password, last sign-in, language, first confirmed browser and the end of their links are theirs; all
-- else of an account needs user.manage. Nobody chooses a colleague's password, and nobody changes the facts that their
-- own rights are derived from. Whoever is not signed in yet has no identity: signing in and setting a password by a link.
CREATE OR REPLACE FUNCTION hufu.guard_user() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    acting int := hufu.actor();
    free text[] := CASE WHEN coalesce(acting, OLD.id) = OLD.id
                        THEN '{password,last_login,language,device_confirmed_at,link_number}'
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
       OR acting > 0 AND NEW.manager_id IS DISTINCT FROM OLD.manager_id
          AND (NEW.manager_id = acting OR hufu.stands_above(acting, NEW.manager_id)) THEN
        RAISE EXCEPTION 'nobody gives rights to themselves' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
-- Does one person stand above another in the reporting line?
CREATE OR REPLACE FUNCTION hufu.stands_above(boss int, who int) RETURNS boolean LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ WITH RECURSIVE above AS (
       SELECT manager_id AS id FROM people_user WHERE id = who
       UNION
       SELECT u.manager_id FROM above JOIN people_user u ON u.id = above.id)
   SELECT EXISTS (SELECT 1 FROM above WHERE id = boss) $$;

-- Would the actor gain by hanging a department elsewhere? When they belong to it (or below it) and it comes below
-- departments that it was not below before, or when it comes below one of theirs.
CREATE OR REPLACE FUNCTION hufu.gains_by_move(department int, parent int) RETURNS boolean LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ WITH mine AS (
       SELECT department_id AS id FROM hufu.members WHERE user_id = hufu.actor()
       UNION
       SELECT department_id FROM people_department_post WHERE user_id = hufu.actor()),
   gained AS (
       SELECT b.department_id AS id FROM hufu.departments_below b WHERE b.below_id = parent
       EXCEPT
       SELECT b.department_id FROM hufu.departments_below b WHERE b.below_id = department AND b.department_id <> department)
   SELECT hufu.actor() > 0 AND EXISTS (SELECT 1 FROM gained)
      AND (EXISTS (SELECT 1 FROM mine JOIN gained USING (id))
           OR EXISTS (SELECT 1 FROM mine JOIN hufu.departments_below b ON b.below_id = mine.id
                      WHERE b.department_id = department)) $$;

-- Nobody widens what they hold by moving departments or levels about.
CREATE OR REPLACE FUNCTION hufu.no_gain_by_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'people_department' THEN
        IF NEW.parent_id IS DISTINCT FROM OLD.parent_id AND hufu.gains_by_move(NEW.id, NEW.parent_id) THEN
            RAISE EXCEPTION 'nobody gives rights to themselves' USING ERRCODE = 'insufficient_privilege';
        END IF;
    ELSIF (NEW.ladder_id, NEW.rank) IS DISTINCT FROM (OLD.ladder_id, OLD.rank) AND hufu.actor() > 0 AND EXISTS (
        SELECT 1 FROM people_user u
        JOIN hufu.levels_held h ON h.level_id = u.level_id
        JOIN people_level l ON l.id = h.held_id
        WHERE u.id = hufu.actor() AND l.ladder_id IN (OLD.ladder_id, NEW.ladder_id)) THEN
        RAISE EXCEPTION 'nobody gives rights to themselves' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER a_no_gain BEFORE UPDATE OF parent_id ON public.people_department
    FOR EACH ROW EXECUTE FUNCTION hufu.no_gain_by_move();
CREATE OR REPLACE TRIGGER a_no_gain BEFORE UPDATE OF ladder_id, rank ON public.people_level
    FOR EACH ROW EXECUTE FUNCTION hufu.no_gain_by_move();

-- Named to run before keep_history, which sets valid_from.
CREATE OR REPLACE TRIGGER a_guard BEFORE UPDATE ON public.people_user
    FOR EACH ROW EXECUTE FUNCTION hufu.guard_user();

DO $$
DECLARE
    facts text;
    columns text;
BEGIN
    FOREACH facts IN ARRAY '{people_department,people_membership,people_ladder,people_level,people_level_includes,
                             people_group,people_group_member,people_position,people_position_holder,
                             people_department_post}'::text[] LOOP
        EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', facts);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON public.%I TO hufu_app', facts);
        EXECUTE format('DROP POLICY IF EXISTS read ON public.%I', facts);
        EXECUTE format('DROP POLICY IF EXISTS change ON public.%I', facts);
        EXECUTE format('CREATE POLICY read ON public.%I FOR SELECT TO hufu_app USING (true)', facts);
        EXECUTE format('CREATE POLICY change ON public.%I TO hufu_app USING ((SELECT hufu.holds(%L))) %s',
                       facts,
                       CASE WHEN facts IN ('people_ladder', 'people_level', 'people_level_includes', 'people_group',
                                           'people_position') THEN 'role.manage' ELSE 'user.manage' END,
                       -- Nobody puts themselves into something that rights may hang on.
                       CASE WHEN facts IN ('people_membership', 'people_group_member', 'people_position_holder',
                                           'people_department_post') THEN
                           'WITH CHECK ((SELECT hufu.holds(''user.manage'')) AND user_id <> (SELECT hufu.actor()))'
                       -- Nobody widens the level that they hold.
                       WHEN facts = 'people_level_includes' THEN
                           'WITH CHECK ((SELECT hufu.holds(''role.manage'')) AND NOT hufu.holds_level(level_id))' END);
    END LOOP;
    FOREACH facts IN ARRAY '{people_department,people_membership,people_level,people_level_includes,people_user,
                             people_group_member,people_position_holder,people_department_post}'::text[] LOOP
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
        ('people_level', 'ladder_id, rank'),
        ('people_level_includes', 'level_id, includes_id'),
        ('people_group_member', 'group_id, user_id'),
        ('people_position_holder', 'position_id, user_id'),
        ('people_department_post', 'department_id, post, user_id')
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
