-- Break-glass: who may open what, who sees that it was opened, who looks at it afterwards.

-- The rules that the actor may use: they hold the role, and no administrator comes to business data so.
CREATE OR REPLACE FUNCTION hufu.my_break_glass() RETURNS SETOF int LANGUAGE sql STABLE ROWS 2 SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT r.id FROM access_break_glass r
   WHERE hufu.actor() > 0 AND hufu.actor() = ANY (hufu.rule_role_holders(r.role_id, hufu.now()))
     AND NOT hufu.stays_without_business(hufu.actor()) $$;

CREATE OR REPLACE FUNCTION hufu.glass_minutes(rule int) RETURNS interval LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT make_interval(mins => minutes) FROM access_break_glass WHERE id = rule $$;

-- Whoever gives roles or audits sees all of it, and ends and reviews it; whoever opened it sees and ends their own.
CREATE OR REPLACE FUNCTION hufu.watches_glass() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.holds('role.assign') OR hufu.holds('audit.view') $$;

CREATE OR REPLACE FUNCTION hufu.may_review_glass(use bigint) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT hufu.watches_glass() AND EXISTS (
       SELECT 1 FROM access_break_glass_use u
       WHERE u.id = use AND u.user_id <> hufu.actor() AND u.ends_at <= hufu.now() + interval '1 second') $$;

ALTER TABLE public.access_break_glass ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_break_glass FROM hufu_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.access_break_glass TO hufu_app;
GRANT USAGE ON SEQUENCE public.access_break_glass_id_seq TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_break_glass;
DROP POLICY IF EXISTS add ON public.access_break_glass;
DROP POLICY IF EXISTS change ON public.access_break_glass;
DROP POLICY IF EXISTS remove ON public.access_break_glass;
CREATE POLICY read ON public.access_break_glass FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL);
CREATE POLICY add ON public.access_break_glass FOR INSERT TO hufu_app WITH CHECK ((SELECT hufu.may_define()));
CREATE POLICY change ON public.access_break_glass FOR UPDATE TO hufu_app USING ((SELECT hufu.may_narrow()));
CREATE POLICY remove ON public.access_break_glass FOR DELETE TO hufu_app USING ((SELECT hufu.may_narrow()));

-- Where a change set only takes away, a rule opens no more than before: no other role, no type, partition (none named:
-- everywhere), minute or editing more.
CREATE OR REPLACE FUNCTION hufu.glass_only_narrows() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF current_user = 'hufu_app' AND NOT hufu.may_define() AND NOT coalesce(
        (NEW.id, NEW.key, NEW.name, NEW.role_id) = (OLD.id, OLD.key, OLD.name, OLD.role_id)
        AND NEW.types <@ OLD.types AND NEW.minutes <= OLD.minutes AND NEW.access IN ('read', OLD.access)
        AND (OLD.partitions = '{}' OR NEW.partitions <> '{}' AND NEW.partitions <@ OLD.partitions), false) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER a_only_narrows BEFORE UPDATE ON public.access_break_glass
    FOR EACH ROW EXECUTE FUNCTION hufu.glass_only_narrows();

ALTER TABLE public.access_break_glass_use ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_break_glass_use FROM hufu_app;
GRANT SELECT, INSERT ON public.access_break_glass_use TO hufu_app;
GRANT UPDATE (ends_at) ON public.access_break_glass_use TO hufu_app;
GRANT USAGE ON SEQUENCE public.access_break_glass_use_id_seq TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_break_glass_use;
DROP POLICY IF EXISTS open ON public.access_break_glass_use;
DROP POLICY IF EXISTS shorten ON public.access_break_glass_use;
CREATE POLICY read ON public.access_break_glass_use FOR SELECT TO hufu_app USING (
    user_id = (SELECT hufu.actor()) OR (SELECT hufu.watches_glass()) OR (SELECT hufu.holds('explain.any'))
    OR (SELECT hufu.holds('role.view')));
CREATE POLICY open ON public.access_break_glass_use FOR INSERT TO hufu_app WITH CHECK (
    user_id = (SELECT hufu.actor()) AND rule_id IN (SELECT hufu.my_break_glass())
    AND abs(extract(epoch FROM starts_at - hufu.now())) < 60 AND ends_at <= starts_at + hufu.glass_minutes(rule_id));
-- What is open ends now, and is never opened further.
CREATE POLICY shorten ON public.access_break_glass_use FOR UPDATE TO hufu_app
    USING (ends_at > hufu.now() AND (user_id = (SELECT hufu.actor()) OR (SELECT hufu.watches_glass())))
    WITH CHECK (ends_at <= hufu.now() + interval '1 second');

ALTER TABLE public.access_break_glass_review ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_break_glass_review FROM hufu_app;
GRANT SELECT, INSERT ON public.access_break_glass_review TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_break_glass_review;
DROP POLICY IF EXISTS review ON public.access_break_glass_review;
CREATE POLICY read ON public.access_break_glass_review FOR SELECT TO hufu_app USING (
    EXISTS (SELECT 1 FROM public.access_break_glass_use u WHERE u.id = use_id));
CREATE POLICY review ON public.access_break_glass_review FOR INSERT TO hufu_app WITH CHECK (
    reviewed_by_id = (SELECT hufu.actor()) AND hufu.may_review_glass(use_id) AND finding <> '');

DO $$
DECLARE
    glass text;
BEGIN
    FOREACH glass IN ARRAY '{access_break_glass,access_break_glass_use}'::text[] LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock()', glass);
        EXECUTE format('CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.%I
                        FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change()', glass);
    END LOOP;
END $$;
