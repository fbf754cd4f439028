"""What keeps shared records (shared_models) and matches of rules where their records are in lists."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.registry import ResourceType
from hufu.core.schema import sql_file

HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL): the places of records, what keeps them, and what fills the table where it was not kept yet."""
    independent = [each for each in registry.resource_types() if each.parent_type is None]
    yield "access.places", _places(independent)
    yield "access.shared_records", sql_file("hufu.access", "shared_records")
    for resource in independent:
        yield f"access.follows_place.{resource.name}", _follows(resource)


def _places(types: list[ResourceType]) -> str:
    cases = "".join(
        f"\n    WHEN '{resource.name}' THEN"
        f"\n        RETURN QUERY SELECT r.partition_id, r.updated_at FROM {resource.table} r WHERE r.id = record;"
        for resource in types
    )
    return f"""
-- Where a record of an independent type is in lists. Triggers alone ask.
CREATE OR REPLACE FUNCTION hufu.place_of(of_type text, record bigint)
    RETURNS TABLE (partition_id int, updated_at timestamptz) LANGUAGE plpgsql STABLE ROWS 1
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    CASE of_type {cases}
    ELSE RETURN;
    END CASE;
END $$;
"""


def _follows(resource: ResourceType) -> str:
    table = resource.table
    return f"""
CREATE OR REPLACE FUNCTION hufu.follow_place_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    UPDATE access_shared_record g SET partition_id = NEW.partition_id, updated_at = NEW.updated_at
    WHERE g.type = '{resource.name}' AND g.record_id = NEW.id;
    UPDATE access_rule_match m SET updated_at = NEW.updated_at
    FROM access_rule_part p WHERE m.record_id = NEW.id AND p.id = m.part AND p.type = '{resource.name}';
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER follow_place AFTER UPDATE OF partition_id, updated_at ON public.{table} FOR EACH ROW
    WHEN ((NEW.partition_id, NEW.updated_at) IS DISTINCT FROM (OLD.partition_id, OLD.updated_at))
    EXECUTE FUNCTION hufu.follow_place_{table}();
"""
