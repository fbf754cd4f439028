-- Drafts of the policy: each author's own, as long as they manage roles; of others there is nothing, for nobody.
ALTER TABLE public.access_draft ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_draft FROM hufu_app;
GRANT SELECT, INSERT, DELETE, UPDATE (base_version, document, changes, changed_at) ON public.access_draft TO hufu_app;
DROP POLICY IF EXISTS own ON public.access_draft;
CREATE POLICY own ON public.access_draft TO hufu_app
    USING (author_id = (SELECT hufu.actor()) AND (SELECT hufu.holds('role.manage')))
    WITH CHECK (author_id = (SELECT hufu.actor()) AND (SELECT hufu.holds('role.manage')));
