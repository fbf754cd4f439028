-- What a duplicate check tells: a definition. To tell nothing but that a record exists only takes away.
ALTER TABLE public.access_duplicate_facts ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_duplicate_facts FROM hufu_app;
GRANT SELECT, INSERT, UPDATE ON public.access_duplicate_facts TO hufu_app;
DROP POLICY IF EXISTS read ON public.access_duplicate_facts;
DROP POLICY IF EXISTS insert ON public.access_duplicate_facts;
DROP POLICY IF EXISTS change ON public.access_duplicate_facts;
CREATE POLICY read ON public.access_duplicate_facts FOR SELECT TO hufu_app USING ((SELECT hufu.actor()) IS NOT NULL);
CREATE POLICY insert ON public.access_duplicate_facts FOR INSERT TO hufu_app
    WITH CHECK ((SELECT hufu.may_define()) OR ((SELECT hufu.may_narrow()) AND facts = '{}'));
CREATE POLICY change ON public.access_duplicate_facts FOR UPDATE TO hufu_app USING ((SELECT hufu.may_narrow()))
    WITH CHECK ((SELECT hufu.may_define()) OR facts = '{}');
CREATE OR REPLACE TRIGGER facts_lock BEFORE INSERT OR UPDATE OR DELETE ON public.access_duplicate_facts
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_lock();
CREATE OR REPLACE TRIGGER facts_change AFTER INSERT OR UPDATE OR DELETE ON public.access_duplicate_facts
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.facts_change();
