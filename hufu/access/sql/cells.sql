-- Cells: how many records that are not in the bin there are by type, partition, owner, department and pool, and how many of
-- them are void (docs/decisions/0032). What each type has of this is made by hufu/access/cell_sql.py.
--
-- INVARIANT: a statement that changes records adds its differences to access_cell_change and touches no cell, so that
-- those who write at once never wait for one another. Cells are written by folding and repairing alone, under one lock.
-- INVARIANT: a number is the sum over cells and differences, read in one statement.

ALTER TABLE public.access_cell ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_cell_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.access_cell_total ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.access_cell, public.access_cell_change, public.access_cell_total FROM hufu_app;
-- Rows of this one live for moments.
ALTER TABLE public.access_cell_change SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE OR REPLACE VIEW hufu.cells AS
    SELECT type, partition_id, owner_id, department_id, pool_id, records, void FROM public.access_cell
    UNION ALL
    SELECT type, partition_id, owner_id, department_id, pool_id, records, void FROM public.access_cell_change;

-- The totals to which a cell belongs. Without a search path of its own: it is taken into the query that asks.
CREATE OR REPLACE FUNCTION hufu.totals_of(partition_id int, owner_id int, department_id int) RETURNS TABLE (by text, key int)
    LANGUAGE sql IMMUTABLE ROWS 3 AS
$$ SELECT t.by, t.key FROM (VALUES
       ('partition', partition_id), ('owner', owner_id),
       (CASE WHEN owner_id IS NULL THEN 'unowned' ELSE 'department' END, department_id)) t (by, key)
   WHERE t.key IS NOT NULL $$;
DROP VIEW IF EXISTS hufu.cell_totals;
CREATE VIEW hufu.cell_totals AS
    SELECT type, by::text, key, partition_id, records, void FROM public.access_cell_total
    UNION ALL
    SELECT c.type, t.by, t.key, c.partition_id, c.records, c.void
    FROM public.access_cell_change c CROSS JOIN LATERAL hufu.totals_of(c.partition_id, c.owner_id, c.department_id) t;

-- Put the differences that are committed into their cells. Returns how many; NULL, and does nothing, while somebody else
-- does it. Differences that come meanwhile stay for the next time.
CREATE OR REPLACE FUNCTION hufu.fold_cells() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
DECLARE
    folded bigint;
    emptied bigint[];
BEGIN
    -- In a transaction with an older view than the others', what they have folded would be taken once more.
    IF current_setting('transaction_isolation') <> 'read committed' OR NOT pg_try_advisory_xact_lock(7252, 2) THEN
        RETURN NULL;
    END IF;
    WITH taken AS (DELETE FROM access_cell_change RETURNING *),
    totals AS (
        INSERT INTO access_cell_total AS c (type, by, key, partition_id, records, void)
        SELECT type, t.by, t.key, partition_id, sum(records), sum(void)
        FROM taken CROSS JOIN LATERAL hufu.totals_of(partition_id, owner_id, department_id) t
        GROUP BY type, t.by, t.key, partition_id
        ON CONFLICT (type, by, key, partition_id)
            DO UPDATE SET records = c.records + EXCLUDED.records, void = c.void + EXCLUDED.void),
    cells AS (
        INSERT INTO access_cell AS c (type, partition_id, owner_id, department_id, pool_id, records, void)
        SELECT type, partition_id, owner_id, department_id, pool_id, sum(records), sum(void) FROM taken
        GROUP BY type, partition_id, owner_id, department_id, pool_id
        ON CONFLICT (type, partition_id, owner_id, department_id, pool_id)
            DO UPDATE SET records = c.records + EXCLUDED.records, void = c.void + EXCLUDED.void
        RETURNING c.id, c.records, c.void)
    SELECT (SELECT count(*) FROM taken), ARRAY(SELECT id FROM cells WHERE records = 0 AND void = 0)
    INTO folded, emptied;
    DELETE FROM access_cell WHERE id = ANY (emptied);
    RETURN folded;
END $$;
