"""What the database keeps twice, compared with what it was made from: `hufu doctor --deep` (see hufu.access.doctor)."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.decision.states import State
from hufu.access.registry import ResourceType
from hufu.access.shared_sql import PLACE, place

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
CELLS, TASKS, RULES, SHARED = "cells", "tasks", "rules", "shared"


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) of the comparison and of what sets right."""
    independent = [resource for resource in registry.resource_types() if not resource.parent]
    held = [resource for resource in independent if State.PENDING in resource.states]
    found = "".join(map(_tasks, held)) + "".join(map(_rules, independent))
    mended = "".join(map(_count_tasks, held)) + "".join(map(_match_again, independent))
    yield (
        "access.drift",
        f"""
-- How far what is kept twice is from what it was made from: cells, shared records, pending tasks, matches of rules.
-- Each row is one difference, and where it is. For the operator alone.
CREATE OR REPLACE FUNCTION hufu.drift() RETURNS TABLE (kind text, type text, place text, amount bigint)
    LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    one record;
BEGIN
    IF coalesce(hufu.actor() >= 0, true) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN QUERY SELECT '{CELLS}', m.type, concat_ws(', ', 'partition ' || m.partition_id, 'owner ' || m.owner_id,
            'department ' || m.department_id, 'pool ' || m.pool_id,
            CASE WHEN m.records = 0 THEN 'void records' END), CASE m.records WHEN 0 THEN m.void ELSE m.records END
        FROM hufu.cells_missing() m;
    RETURN QUERY SELECT '{SHARED}', coalesce(g.type, s.type)::text, format('%s %s', coalesce(g.source, s.source),
            coalesce(g.source_id, s.source_id)), CASE WHEN g.source IS NULL THEN -1 ELSE 1 END::bigint
        FROM hufu.placed_records g FULL JOIN access_shared_record s ON s.source = g.source AND s.source_id = g.source_id
        WHERE (s.type, s.record_id, s.principal, s.superiors, s.given_by, s.starts_at, s.ends_at, s.partition_id,
               s.owner_id, s.department_id, s.pool_id, s.updated_at)
              IS DISTINCT FROM (g.type, g.record_id, g.principal, g.superiors, g.given_by, g.starts_at, g.ends_at,
               g.partition_id, g.owner_id, g.department_id, g.pool_id, g.updated_at);{found}
END $$;

-- Set all of it right. Cells are set right beside whoever writes; for the others whoever changes records waits.
CREATE OR REPLACE FUNCTION hufu.mend_drift() RETURNS void LANGUAGE plpgsql {HEAD} AS $$
DECLARE
    one record;
BEGIN
    IF coalesce(hufu.actor() >= 0, true) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM hufu.repair_cells();
    LOCK TABLE access_task, access_share, access_team_member IN SHARE MODE;
    PERFORM hufu.place_shared_again();{mended}
END $$;
""",
    )


def _tasks(resource: ResourceType) -> str:
    return f"""
    RETURN QUERY SELECT '{TASKS}', '{resource.name}', 'record ' || r.id, coalesce(t.amount, 0) - r.pending_tasks
        FROM {resource.table} r LEFT JOIN (
            SELECT k.record_id, count(*) AS amount FROM access_task k WHERE k.type = '{resource.name}' GROUP BY 1) t
            ON t.record_id = r.id
        WHERE r.pending_tasks <> coalesce(t.amount, 0);"""


def _count_tasks(resource: ResourceType) -> str:
    counted = (
        f"(SELECT count(*) FROM access_task k WHERE k.type = '{resource.name}' AND k.record_id = r.id)::int"
    )
    return f"""
    UPDATE {resource.table} r SET pending_tasks = {counted} WHERE r.pending_tasks <> {counted};"""


def _rules(resource: ResourceType) -> str:
    """Return the SQL that compares the matches of each part with the records that meet it."""
    return f"""
    FOR one IN SELECT p.id, r.key, p.literals FROM access_rule_part p JOIN access_rule r ON r.id = p.rule_id
                WHERE p.type = '{resource.name}' AND p.by_fields LOOP
        RETURN QUERY EXECUTE format('
            SELECT {_quoted(RULES)}, {_quoted(resource.name)}, %L || coalesce(r.id, m.record_id),
                   CASE WHEN r.id IS NULL THEN -1 ELSE 1 END::bigint
            FROM (SELECT r.id, {place(resource, "r")} FROM {resource.table} r WHERE %s) r
            FULL JOIN (SELECT record_id, {PLACE} FROM access_rule_match WHERE part = %s) m ON m.record_id = r.id
            WHERE (r.partition_id, r.owner_id, r.department_id, r.pool_id, r.updated_at)
                  IS DISTINCT FROM (m.partition_id, m.owner_id, m.department_id, m.pool_id, m.updated_at)',
            format('rule %s, record ', one.key), hufu.rule_filter_{resource.table}(one.literals), one.id);
    END LOOP;"""


def _match_again(resource: ResourceType) -> str:
    return f"""
    FOR one IN SELECT p.id, p.literals FROM access_rule_part p WHERE p.type = '{resource.name}' AND p.by_fields LOOP
        PERFORM hufu.rule_fill_{resource.table}(one.id, one.literals);
    END LOOP;"""


def _quoted(text: str) -> str:
    return f"''{text}''"
