"""Cells in the database, for each independent type by one generator from the registry: the triggers that count, what
somebody sees by cells, how many records they view, and the comparison with the records themselves."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import policies, pool_sql, registry, rule_sql
from hufu.access.decision.scopes import Scope
from hufu.access.decision.states import State
from hufu.access.decision.terms import Need, Share
from hufu.access.registry import ResourceType
from hufu.core.schema import sql_file

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
CELL = "partition_id, owner_id, department_id, pool_id"
# After how many differences whoever adds one folds them.
MANY = 256
# So many records that are named one by one are looked at; whoever has more views at least those that are counted.
LOOKED_AT = 2000


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL): what all types share, what each has, and what asks about any of them."""
    independent = [resource for resource in registry.resource_types() if not resource.parent]
    yield "access.cells", sql_file("hufu.access", "cells")
    for resource in independent:
        yield f"access.cells.{resource.name}", _counting(resource) + _seen(resource)
    yield "access.cells_of_types", _totals(independent)


def _columns(resource: ResourceType) -> str:
    """Return the columns of a record that say in which cell it is."""
    return (
        f"partition_id, owner_id, department_id, {'pool_id' if resource.pooled else 'NULL::int AS pool_id'}"
    )


def _is_void(resource: ResourceType) -> str:
    return "(voided_at IS NOT NULL)" if State.VOID in resource.states else "false"


def _counting(resource: ResourceType) -> str:
    """Return the SQL of the triggers: each statement adds, cell by cell, what it changed."""
    table, name = resource.table, resource.name

    def noted(*parts: str) -> str:
        return f"""
        WITH noted AS (
            INSERT INTO access_cell_change (type, {CELL}, records, void)
            SELECT '{name}', {CELL}, sum(records), sum(void)
            FROM ({" UNION ALL ".join(parts)}) d
            GROUP BY {CELL} HAVING sum(records) <> 0 OR sum(void) <> 0 RETURNING id)
        SELECT bool_or(id % {MANY} = 0) INTO many FROM noted;"""

    def rows(of: str, sign: str) -> str:
        return (
            f"SELECT {_columns(resource)}, {sign}1 AS records, {sign}{_is_void(resource)}::int AS void"
            f" FROM {of} WHERE deleted_at IS NULL"
        )

    added, removed = rows("added", ""), rows("removed", "-")
    return f"""
CREATE OR REPLACE FUNCTION hufu.note_cells_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    many boolean;
BEGIN
    IF TG_OP = 'INSERT' THEN{noted(added)}
    ELSIF TG_OP = 'UPDATE' THEN{noted(added, removed)}
    ELSE{noted(removed)}
    END IF;
    IF many THEN
        PERFORM hufu.fold_cells();
    END IF;
    RETURN NULL;
END $$;
"""


def _view(resource: ResourceType) -> Need:
    """Return what viewing a record needs: one permission, whatever the record's state."""
    (need,) = registry.requirement(resource.permission("view")).needs
    assert need.right is not None
    assert need.share is Share.READ
    assert not need.closed_in
    return need


def _by_cell(resource: ResourceType, row: str) -> str:
    """Return the SQL condition that the actor views all that is in the same cell as `row`, itself a cell or a record.

    It is that of the row policy without what names records one by one: teams, shares, crossings, and rules that look
    at fields.
    """
    need = _view(resource)
    mine = rule_sql.is_ruled_by_place(resource, row)
    if need.pooled:
        mine += f" OR {pool_sql.is_member(resource, row)}"
    return f"""{policies.within_ceiling(row)} AND EXISTS (
            SELECT 1 FROM hufu.my_terms('{need.permission}') t
            WHERE hufu.bit(t.{need.right}_partitions, {row}.partition_id)
              AND ({policies.by_place(row, "t")} OR (t.holder_id = t.user_id AND ({mine}))))"""


def _seen(resource: ResourceType) -> str:
    table, name, need = resource.table, resource.name, _view(resource)
    pools = (
        f"""
    IF mine.holder_id = mine.user_id THEN
        pools := ARRAY(SELECT hufu.my_pools('{name}'));
    END IF;"""
        if need.pooled
        else ""
    )

    def held(scope: Scope, bits: str) -> str:
        return f"CASE WHEN mine.scopes & {scope.value} <> 0 THEN mine.{bits} ELSE '' END"

    owners = held(Scope.SUBORDINATES, "owners"), held(Scope.DIRECT_REPORTS, "reports")
    departments = held(Scope.DEPARTMENT, "departments"), held(Scope.DEPARTMENT_AND_BELOW, "departments_below")

    def beyond(*named: str) -> str:
        each = " UNION ALL ".join(f"({records} LIMIT {LOOKED_AT + 1})" for records in named)
        return f"""named := ARRAY(SELECT * FROM ({each}) n LIMIT {LOOKED_AT + 1});
        SELECT count(*) INTO beyond FROM {table} r
        WHERE r.id = ANY (named[:{LOOKED_AT}])
          AND {policies.required(resource, registry.requirement(need.permission), "r")}
          AND NOT ({_by_cell(resource, "r")})
          AND (with_void OR NOT {_is_void(resource)});"""

    crossings = f"SELECT record_id FROM hufu.my_crossings('{name}')"
    own = f"SELECT t.{need.right}_partitions FROM hufu.my_terms('{need.permission}') t WHERE t.holder_id = t.user_id"
    shared = f"SELECT hufu.shared_records('{name}', ARRAY({own}))"
    matches = f"""SELECT m.record_id FROM hufu.my_rules('{name}') p JOIN access_rule_match m ON m.part = p.part
                WHERE p.by_fields"""
    return f"""
-- How many records there are, in the partitions open to the actor for viewing, and in the cells that they view; of the
-- last how many are void. Where all of a partition is viewed its cells are not looked at.
CREATE OR REPLACE FUNCTION hufu.cells_seen_{table}(OUT total bigint, OUT open bigint, OUT visible bigint,
                                                   OUT void bigint)
    LANGUAGE plpgsql STABLE {HEAD} SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    each record;
    mine record;
    places bytea[] := '{{}}';
    wholes boolean[] := '{{}}';
    partly int[];
    owners int[];
    departments int[];
    pools int[] := '{{}}';
    sums record;
BEGIN
    FOR each IN SELECT * FROM hufu.my_terms('{need.permission}') LOOP
        places := array_append(places, each.{need.right}_partitions);
        wholes := array_append(wholes, each.scopes & {Scope.EVERYTHING.value} <> 0);
        mine := each;
    END LOOP;
    SELECT coalesce(sum(p.records), 0), coalesce(sum(p.records) FILTER (WHERE o.whole IS NOT NULL), 0),
           coalesce(sum(p.records) FILTER (WHERE o.whole), 0), coalesce(sum(p.void) FILTER (WHERE o.whole), 0),
           array_agg(p.partition_id) FILTER (WHERE NOT o.whole)
    INTO total, open, visible, void, partly
    FROM (SELECT c.partition_id, sum(c.records) AS records, sum(c.void) AS void FROM hufu.cell_totals c
          WHERE c.type = '{name}' AND c.by = 'partition' GROUP BY c.partition_id) p
    CROSS JOIN LATERAL (
        SELECT bool_or(u.whole) AS whole FROM unnest(places, wholes) u (bits, whole)
        WHERE hufu.bit(u.bits, p.partition_id) AND {policies.within_ceiling("p")}) o;
    IF partly IS NULL THEN
        RETURN;
    END IF;{pools}
    IF cardinality(places) > 1 OR EXISTS (SELECT 1 FROM hufu.my_rules('{name}') p WHERE NOT p.by_fields) THEN
        SELECT coalesce(sum(c.records), 0) AS records, coalesce(sum(c.void), 0) AS void INTO sums
        FROM hufu.cells c
        WHERE c.type = '{name}' AND c.partition_id = ANY (partly) AND {_by_cell(resource, "c")};
    ELSE
        -- All that is partly viewed is what this one term reaches. Who lies in a department of theirs is counted there.
        owners := mine.holder_id || {" || ".join(f"hufu.numbers({each})" for each in owners)};
        departments := {" || ".join(f"hufu.numbers({each})" for each in departments)};
        SELECT coalesce(sum(c.records), 0) AS records, coalesce(sum(c.void), 0) AS void INTO sums
        FROM (SELECT t.records, t.void FROM hufu.cell_totals t
              WHERE t.type = '{
        name
    }' AND t.by = 'department' AND t.key = ANY (departments) AND t.partition_id = ANY (partly)
              UNION ALL
              SELECT t.records, t.void FROM hufu.cell_totals t
              WHERE departments = '{{}}' AND t.type = '{name}' AND t.by = 'owner' AND t.key = ANY (owners)
                AND t.partition_id = ANY (partly)
              UNION ALL
              SELECT c.records, c.void FROM hufu.cells c
              WHERE departments <> '{{}}' AND c.type = '{name}' AND c.owner_id = ANY (owners)
                AND c.department_id <> ALL (departments) AND c.partition_id = ANY (partly)
              UNION ALL
              SELECT c.records, c.void FROM hufu.cells c
              WHERE c.type = '{name}' AND c.pool_id = ANY (pools) AND c.partition_id = ANY (partly)) c;
    END IF;
    visible := visible + sums.records;
    void := void + sums.void;
END $$;

-- How many records the actor views, with or without void ones: by cells, and one by one what else reaches them. Not
-- `exact`: at least as many, for not everything that is named one by one was looked at.
DROP FUNCTION IF EXISTS hufu.count_{table}(boolean);
CREATE OR REPLACE FUNCTION hufu.count_{table}(with_void boolean, OUT records bigint, OUT exact boolean)
    LANGUAGE plpgsql STABLE {HEAD} SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    seen record;
    beyond bigint;
    named bigint[];
BEGIN
    SELECT * INTO seen FROM hufu.cells_seen_{table}();
    -- Where every cell of what is open is viewed, only what lies beyond the wall is left.
    IF seen.visible = seen.open THEN
        {beyond(crossings)}
    ELSE
        {beyond(crossings, shared, matches)}
    END IF;
    exact := cardinality(named) <= {LOOKED_AT};
    records := seen.visible - CASE WHEN with_void THEN 0 ELSE seen.void END + beyond;
END $$;

-- How far cells and their differences are from the records themselves, in one statement.
CREATE OR REPLACE FUNCTION hufu.cells_missing_{table}()
    RETURNS TABLE (partition_id int, owner_id int, department_id int, pool_id int, records bigint, void bigint)
    LANGUAGE sql STABLE {HEAD} AS $$
    SELECT {CELL}, sum(records)::bigint, sum(void)::bigint
    FROM (SELECT {_columns(resource)}, count(*) AS records, count(*) FILTER (WHERE {
        _is_void(resource)
    }) AS void
          FROM {table} WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
          UNION ALL
          SELECT {CELL}, -records, -void FROM hufu.cells WHERE type = '{name}') d
    GROUP BY {CELL} HAVING sum(records) <> 0 OR sum(void) <> 0 $$;
"""


def _totals(independent: list[ResourceType]) -> str:
    missing = "\n    UNION ALL ".join(
        f"SELECT '{resource.name}', m.* FROM hufu.cells_missing_{resource.table}() m"
        for resource in independent
    )
    triggers = "".join(
        f"""
CREATE OR REPLACE TRIGGER note_cells_{when} AFTER {event} ON public.{resource.table} REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION hufu.note_cells_{resource.table}();"""
        for resource in independent
        for when, event, tables in (
            ("new", "INSERT", "NEW TABLE AS added"),
            ("change", "UPDATE", "NEW TABLE AS added OLD TABLE AS removed"),
            ("end", "DELETE", "OLD TABLE AS removed"),
        )
    )
    counted = ", ".join(
        f"('{resource.name}', 'public.{resource.table}'::regclass)" for resource in independent
    )
    return f"""
DROP FUNCTION IF EXISTS hufu.my_list_facts(text);
-- What the totals of cells that are folded are.
CREATE OR REPLACE FUNCTION hufu.cells_totals()
    RETURNS TABLE (type text, by text, key int, partition_id int, records bigint, void bigint)
    LANGUAGE sql STABLE {HEAD} AS $$
    SELECT c.type, t.by, t.key, c.partition_id, sum(c.records)::bigint, sum(c.void)::bigint
    FROM access_cell c CROSS JOIN LATERAL hufu.totals_of(c.partition_id, c.owner_id, c.department_id) t
    GROUP BY c.type, t.by, t.key, c.partition_id $$;

-- How far cells are from the records of all types, and (without a department) totals from their cells.
CREATE OR REPLACE FUNCTION hufu.cells_missing()
    RETURNS TABLE (type text, partition_id int, owner_id int, department_id int, pool_id int, records bigint,
                   void bigint)
    LANGUAGE sql STABLE {HEAD} AS $$
    {missing}
    UNION ALL
    SELECT d.type, d.partition_id, NULL, NULL, NULL, sum(d.records)::bigint, sum(d.void)::bigint
    FROM (SELECT * FROM hufu.cells_totals()
          UNION ALL SELECT t.type, t.by, t.key, t.partition_id, -t.records, -t.void FROM access_cell_total t) d
    GROUP BY d.type, d.by, d.key, d.partition_id HAVING sum(d.records) <> 0 OR sum(d.void) <> 0 $$;

-- Set cells right, beside whoever writes: what is missing is a difference like any other.
CREATE OR REPLACE FUNCTION hufu.repair_cells() RETURNS void LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7252, 2);
    INSERT INTO access_cell_change (type, {CELL}, records, void)
    SELECT m.type, m.partition_id, m.owner_id, m.department_id, m.pool_id, m.records, m.void
    FROM hufu.cells_missing() m WHERE m.department_id IS NOT NULL;
    DELETE FROM access_cell_total;
    -- Beside one another as they are read.
    INSERT INTO access_cell_total (type, by, key, partition_id, records, void)
    SELECT * FROM hufu.cells_totals() ORDER BY type, by, key, partition_id;
    PERFORM hufu.fold_cells();
END $$;

-- INVARIANT: a type is counted from the moment on from which its records are noted. Whoever changes records waits.
DO $$
DECLARE
    is_new boolean := EXISTS (
        SELECT 1 FROM (VALUES {counted}) t (name, relation)
        WHERE NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = t.relation AND g.tgname = 'note_cells_new'))
        OR (EXISTS (SELECT 1 FROM access_cell) AND NOT EXISTS (SELECT 1 FROM access_cell_total));
BEGIN{triggers}
    IF is_new THEN
        PERFORM hufu.repair_cells();
    END IF;
END $$;
"""
