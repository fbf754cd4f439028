-- What the operator may know of the log without reading it: when the last backup and the last restore were.

CREATE OR REPLACE FUNCTION hufu.last_of_operation() RETURNS TABLE (type text, at timestamptz, body bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT last.type, last.at, last.body
     FROM unnest('{system.backed_up,system.backup_failed,system.restored}'::text[]) AS wanted (type)
    CROSS JOIN LATERAL (SELECT e.type, e.at, e.body FROM audit_event e
                         WHERE e.type = wanted.type ORDER BY e.at DESC, e.id DESC LIMIT 1) AS last $$;
