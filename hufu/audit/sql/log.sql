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
CREATE OR REPLACE FUNCTION hufu.log_pseudonym() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT pseudonym FROM audit_subject
    WHERE kind = CASE WHEN hufu.actor() > 0 THEN 'user' ELSE 'system' END AND ref = hufu.actor() $$;

-- The keys of subjects that are named, in any transaction: also of whoever is about to sign in, or was refused.
-- INVARIANT: nobody lists subjects, which would be the numbers of all people and records, of every partition.
CREATE OR REPLACE FUNCTION hufu.log_subjects(kinds text[], refs bigint[])
    RETURNS TABLE (kind text, ref bigint, pseudonym uuid, wrapped_key bytea, key_version int)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT s.kind, s.ref, s.pseudonym, s.wrapped_key, s.key_version
   FROM unnest(kinds, refs) AS wanted (kind, ref)
   JOIN audit_subject s ON s.kind = wanted.kind COLLATE "C" AND s.ref = wanted.ref $$;

-- Adds subjects with keys of their own; one that is there stays what it is.
CREATE OR REPLACE FUNCTION hufu.log_add_subjects(kinds text[], refs bigint[], pseudonyms uuid[], wrapped_keys bytea[],
                                                 version int)
    RETURNS void LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ INSERT INTO audit_subject (kind, ref, pseudonym, wrapped_key, key_version)
   SELECT made.kind, made.ref, made.pseudonym, made.wrapped_key, version
   FROM unnest(kinds, refs, pseudonyms, wrapped_keys) AS made (kind, ref, pseudonym, wrapped_key)
   ON CONFLICT (kind, ref) DO NOTHING $$;

-- One key of each version of the ring, whosever it is: whether the ring opens them.
CREATE OR REPLACE FUNCTION hufu.log_key_samples() RETURNS TABLE (wrapped_key bytea, key_version int, pseudonym uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT DISTINCT ON (s.key_version) s.wrapped_key, s.key_version, s.pseudonym FROM audit_subject s
   WHERE s.wrapped_key IS NOT NULL ORDER BY s.key_version, s.pseudonym $$;

REVOKE ALL ON public.audit_event, public.audit_subject FROM PUBLIC, hufu_app, hufu_sealer, hufu_reader;
GRANT SELECT, INSERT (body) ON public.audit_event TO hufu_app;
GRANT SELECT ON public.audit_event TO hufu_sealer;
GRANT SELECT ON public.audit_subject TO hufu_app;

ALTER TABLE public.audit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.audit_subject ENABLE ROW LEVEL SECURITY;

-- Whose pseudonyms stand in the log, for whoever reads it.
DROP POLICY IF EXISTS log_read ON public.audit_subject;
CREATE POLICY log_read ON public.audit_subject FOR SELECT TO hufu_app
    USING ((SELECT hufu.holds('audit.view')));

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
