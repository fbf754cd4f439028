"""What keeps shared records (shared_models) and matches of rules where their records are in lists."""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.registry import ResourceType
from hufu.core.schema import sql_file

# Of the tables that say where a record is.
PLACE = "partition_id, owner_id, department_id, pool_id, updated_at"
HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL): the places of records, what keeps them, and what fills the table where it was not kept yet."""
    independent = [each for each in registry.resource_types() if each.parent_type is None]
    yield "access.places", _places(independent)
    yield "access.shared_records", sql_file("hufu.access", "shared_records")
    for resource in independent:
        yield f"access.follows_place.{resource.name}", _follows(resource)


def _places(types: list[ResourceType]) -> str:
    places = " UNION ALL ".join(
        f"SELECT '{resource.name}' AS type, r.id, {place(resource, 'r')} FROM public.{resource.table} r"
        for resource in types
    )
    return f"""
-- Where records of independent types are: in lists, and in which cell. Those in the bin are in no cell.
DROP VIEW IF EXISTS hufu.placed_records, hufu.places;
DROP FUNCTION IF EXISTS hufu.place_of(text, bigint);
CREATE VIEW hufu.places (type, record_id, {PLACE}) AS
    {places};
"""


def place(resource: ResourceType, row: str) -> str:
    """Return the SQL columns of where a record is: in which cell, if not in the bin, and in the order of lists."""
    pool = f"{row}.pool_id" if resource.pooled else "NULL::int"
    owner, department, pool = (
        f"CASE WHEN {row}.deleted_at IS NULL THEN {column} END"
        for column in (f"{row}.owner_id", f"{row}.department_id", pool)
    )
    return (
        f"{row}.partition_id, {owner} AS owner_id, {department} AS department_id, {pool} AS pool_id,"
        f" {row}.updated_at"
    )


def _follows(resource: ResourceType) -> str:
    table = resource.table
    columns = ["partition_id", "owner_id", "department_id", "updated_at", "deleted_at"]
    columns += ["pool_id"] if resource.pooled else []
    new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("NEW", "OLD"))
    return f"""
CREATE OR REPLACE FUNCTION hufu.follow_place_{table}() RETURNS trigger LANGUAGE plpgsql {HEAD} AS $$
BEGIN
    UPDATE access_shared_record g
    SET ({PLACE}) = (SELECT {place(resource, "NEW")})
    WHERE g.type = '{resource.name}' AND g.record_id = NEW.id;
    UPDATE access_rule_match m
    SET ({PLACE}) = (SELECT {place(resource, "NEW")})
    FROM access_rule_part p WHERE m.record_id = NEW.id AND p.id = m.part AND p.type = '{resource.name}';
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER follow_place AFTER UPDATE OF {", ".join(columns)} ON public.{table} FOR EACH ROW
    WHEN (({new}) IS DISTINCT FROM ({old}))
    EXECUTE FUNCTION hufu.follow_place_{table}();
"""
