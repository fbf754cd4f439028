-- The log: the database makes the extracts, refuses every change, and decides who reads.

-- The columns of an event are what its body says; nobody else supplies them.
CREATE OR REPLACE FUNCTION hufu.log_extract() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    said record;
BEGIN
    SELECT * INTO STRICT said
      FROM json_to_record(convert_from(NEW.body, 'UTF8')::json) AS
           said ("id" uuid, "at" timestamptz, "type" text, "actor" uuid, "on_behalf" uuid, "request" text,
                 "target" json, "partition" int, "result" text, "simulated" boolean);
    IF coalesce(said.simulated, false) <> (hufu.simulated_at() IS NOT NULL) THEN
        RAISE EXCEPTION 'what is recorded under the demo clock says so, and nothing else does'
            USING ERRCODE = 'check_violation';
    END IF;
    NEW.id := said.id;
    NEW.at := said.at;
    NEW.type := said.type;
    NEW.actor := said.actor;
    NEW.on_behalf := said.on_behalf;
    NEW.target_type := said.target ->> 'type';
    NEW.target_id := said.target ->> 'id';
    NEW.partition_id := said.partition;
    NEW.result := said.result;
    NEW.request_id := said.request;
    NEW.leaf := sha256('\x00'::bytea || NEW.body);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER log_extract BEFORE INSERT ON public.audit_event
    FOR EACH ROW EXECUTE FUNCTION hufu.log_extract();

-- An event is final, for the owner of the table too.
CREATE OR REPLACE FUNCTION hufu.log_is_final() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the log is final.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER log_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON public.audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.log_is_final();
CREATE OR REPLACE TRIGGER log_is_final BEFORE DELETE OR TRUNCATE ON public.audit_subject
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.log_is_final();

-- Of a subject only the wrapped key changes: wrapped anew, or erased; and what was erased stays erased.
CREATE OR REPLACE FUNCTION hufu.log_keeps_subject() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (NEW.pseudonym, NEW.kind, NEW.ref) IS DISTINCT FROM (OLD.pseudonym, OLD.kind, OLD.ref)
       OR (OLD.wrapped_key IS NULL AND NEW.wrapped_key IS NOT NULL) THEN
        RAISE EXCEPTION 'UPDATE of audit_subject is refused: a pseudonym stays, an erased key stays erased.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER log_keeps_subject BEFORE UPDATE ON public.audit_subject
    FOR EACH ROW EXECUTE FUNCTION hufu.log_keeps_subject();

-- The pseudonym of whoever acts in this transaction.
CREATE OR REPLACE FUNCTION hufu.log_pseudonym() RETURNS uuid LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT pseudonym FROM audit_subject
    WHERE kind = CASE WHEN hufu.actor() > 0 THEN 'user' ELSE 'system' END AND ref = hufu.actor() $$;

REVOKE ALL ON public.audit_event, public.audit_subject FROM PUBLIC, hufu_app, hufu_sealer, hufu_reader;
GRANT SELECT, INSERT (body) ON public.audit_event TO hufu_app;
GRANT SELECT ON public.audit_event TO hufu_sealer;
GRANT SELECT, INSERT ON public.audit_subject TO hufu_app;

ALTER TABLE public.audit_event ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS log_read ON public.audit_event;
CREATE POLICY log_read ON public.audit_event FOR SELECT TO hufu_app
    USING ((SELECT hufu.holds('audit.view')));

-- Whoever has an identity writes in no other name. Without one (signing in, an account that was just closed and
-- is refused) the event names whom it is about.
DROP POLICY IF EXISTS log_write ON public.audit_event;
CREATE POLICY log_write ON public.audit_event FOR INSERT TO hufu_app
    WITH CHECK ((SELECT hufu.actor()) IS NULL OR actor = (SELECT hufu.log_pseudonym()));

DROP POLICY IF EXISTS log_seal ON public.audit_event;
CREATE POLICY log_seal ON public.audit_event FOR SELECT TO hufu_sealer USING (true);
