-- The register of open sign-ins, and its end when an account closes; no browser stays trusted then either.

GRANT SELECT, INSERT, UPDATE, DELETE ON public.people_session TO hufu_app;
GRANT USAGE ON SEQUENCE public.people_session_id_seq TO hufu_app;

-- INVARIANT: an account that is not active has no session. Whoever closes it, by whatever deed, import or command,
-- ends its sessions in the same transaction; they stay ended when it opens again. Nor has it a trusted device.
CREATE OR REPLACE FUNCTION hufu.end_sessions() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM django_session WHERE session_key IN (SELECT key FROM people_session WHERE user_id = NEW.id);
    DELETE FROM people_session WHERE user_id = NEW.id;
    UPDATE people_device SET trusted_until = NULL WHERE user_id = NEW.id AND trusted_until IS NOT NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER end_sessions AFTER UPDATE OF status ON public.people_user
    FOR EACH ROW WHEN (NEW.status <> 'active') EXECUTE FUNCTION hufu.end_sessions();
