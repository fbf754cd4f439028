-- The register of open sign-ins, its end when an account closes, and no entry while it is closed; no browser stays
-- trusted then either.

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

-- INVARIANT: nobody comes in while their account is not active. The account is locked: whoever closes it at the same
-- time waits, and then finds the session to end.
CREATE OR REPLACE FUNCTION hufu.only_active_come_in() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    PERFORM 1 FROM people_user WHERE id = NEW.user_id AND status = 'active' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'account % is not active', NEW.user_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER only_active_come_in BEFORE INSERT OR UPDATE OF user_id ON public.people_session
    FOR EACH ROW EXECUTE FUNCTION hufu.only_active_come_in();

-- A closed account leaves nothing half done: links to choose a password and sign-ins that wait for their second half
-- hang on this number, and stay dead when it opens again. Named to run after a_guard, which asks who changes it.
CREATE OR REPLACE FUNCTION hufu.void_what_waits() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    NEW.link_number := greatest(NEW.link_number, OLD.link_number) + 1;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER b_void_what_waits BEFORE UPDATE ON public.people_user
    FOR EACH ROW WHEN (OLD.status = 'active' AND NEW.status <> 'active') EXECUTE FUNCTION hufu.void_what_waits();
