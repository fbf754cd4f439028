-- Shared records in the order of lists and by cells (hufu/access/shared_models.py): written by these triggers alone, read by the
-- functions of lists and previews alone.
ALTER TABLE public.access_shared_record ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_shared_record FROM hufu_app;

-- What shares, teams and tasks give, as the table keeps it but for the record's place.
CREATE OR REPLACE VIEW hufu.given_records AS
    SELECT 'share' AS source, s.id AS source_id, s.type, s.record_id,
           hufu.principal(s.user_id, s.group_id, s.department_id, s.below, s.post, s.position_id, s.level_id) AS principal,
           s.superiors, s.given_by, s.starts_at, s.ends_at
    FROM public.access_share s
    UNION ALL
    SELECT 'team', m.id, m.type, m.record_id, 'user:' || m.user_id, false, NULL, NULL, NULL FROM public.access_team_member m
    UNION ALL
    SELECT 'task', t.id, t.type, t.record_id, 'user:' || t.user_id, false, NULL, NULL, NULL FROM public.access_task t;

-- The same with the place.
CREATE OR REPLACE VIEW hufu.placed_records AS
    SELECT g.*, p.partition_id, p.owner_id, p.department_id, p.pool_id, p.updated_at
    FROM hufu.given_records g JOIN hufu.places p ON p.type = g.type AND p.record_id = g.record_id;

-- Keep what rows of a table give: those that are gone, changed or new.
CREATE OR REPLACE FUNCTION hufu.keep_given() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    kind text := TG_ARGV[0];
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM access_shared_record WHERE source = kind AND source_id = OLD.id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO access_shared_record (source, source_id, type, record_id, principal, superiors, given_by, starts_at,
                                          ends_at, partition_id, owner_id, department_id, pool_id, updated_at)
        SELECT * FROM hufu.placed_records g WHERE g.source = kind AND g.source_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER keep_given AFTER INSERT OR UPDATE OR DELETE ON public.access_share
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_given('share');
CREATE OR REPLACE TRIGGER keep_given AFTER INSERT OR UPDATE OR DELETE ON public.access_team_member
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_given('team');
CREATE OR REPLACE TRIGGER keep_given AFTER INSERT OR UPDATE OR DELETE ON public.access_task
    FOR EACH ROW EXECUTE FUNCTION hufu.keep_given('task');

-- Place all of it anew. Shares, teams and tasks must not change meanwhile.
CREATE OR REPLACE FUNCTION hufu.place_shared_again() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    DELETE FROM access_shared_record;
    INSERT INTO access_shared_record (source, source_id, type, record_id, principal, superiors, given_by, starts_at, ends_at,
                                      partition_id, owner_id, department_id, pool_id, updated_at)
    SELECT * FROM hufu.placed_records;
END $$;

-- What was given before this version of the program.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM access_shared_record) THEN
        PERFORM hufu.place_shared_again();
    END IF;
END $$;
