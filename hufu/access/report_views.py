"""The views of reporting users: one per registered type, made from the registry like the row policies.

A view reads a definer function that asks who signed in, and then returns the records that they may view: by the same
condition as the row policy, so that a record is there exactly where the list shows it. It is a function and not the
query itself, so that nothing of a reader's own query is evaluated beside records that they may not view: neither an
expression that fails on some values, nor EXPLAIN, which counts what was filtered out (docs/decisions/0018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import translation

from hufu.access import policies, pool_sql, registry
from hufu.access.decision.terms import Share
from hufu.access.registry import Field, Kind, ResourceType
from hufu.core.money import MINOR_UNITS

# What stands for each kind of number that a record has, and in which table its name is.
_NAMED = {
    Kind.USER: ("int", "people_user"),
    Kind.DEPARTMENT: ("int", "people_department"),
    Kind.PARTITION: ("int", "access_partition"),
}
_PLAIN = {
    Kind.INTEGER: "int",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "timestamptz",
    Kind.MONEY: "numeric",
}


@dataclass(frozen=True)
class ReportColumn:
    """A column of a view: its type and what it says of record `r`, as SQL; and what people are told about it."""

    name: str
    type: str
    value: str
    comment: str


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) for every registered type."""
    yield "report.clear", _CLEAR
    for resource in registry.resource_types():
        yield f"report.{resource.name}", _view(resource)


_CLEAR = """
DO $$
DECLARE
    old text;
BEGIN
    FOR old IN SELECT viewname FROM pg_views WHERE schemaname = 'report' LOOP
        EXECUTE format('DROP VIEW report.%I', old);
    END LOOP;
    FOR old IN SELECT oid::regprocedure FROM pg_proc
               WHERE pronamespace = 'hufu'::regnamespace AND starts_with(proname, 'report_') LOOP
        EXECUTE 'DROP FUNCTION ' || old;
    END LOOP;
END $$;
"""


def columns(resource: ResourceType) -> tuple[ReportColumn, ...]:
    """Return the columns of a type's view, in order."""
    with translation.override("en"):
        found = [ReportColumn("id", "bigint", "r.id", "Number of the record")]
        for declared in resource.fields:
            found += _columns(resource, declared)
    return tuple(found)


def _columns(resource: ResourceType, declared: Field) -> Iterator[ReportColumn]:
    name, label = declared.name, str(declared.label)
    value = f"r.{declared.column}"
    if declared.is_encrypted:
        yield ReportColumn(name, "text", "NULL::text", f"{label}. Encrypted: always empty here.")
    elif declared.kind in _NAMED or declared.kind is Kind.REFERENCE:
        number, seen = ("bigint" if declared.kind is Kind.REFERENCE else "int"), f"of_{name}.id"
        note = " (empty, too, where you may not view it)" if declared.kind is Kind.REFERENCE else ""
        yield ReportColumn(f"{name}_id", number, _shown(resource, declared, seen), f"{label}: number{note}")
        yield ReportColumn(
            name, "text", _shown(resource, declared, f"of_{name}.name::text"), f"{label}: name{note}"
        )
    else:
        kind = _PLAIN.get(declared.kind, "text")
        if declared.kind is Kind.MONEY:
            value = f"round({value}::numeric / {10**MINOR_UNITS}, {MINOR_UNITS})"
        choices = "; ".join(f"{key} = {word}" for key, word in declared.choices)
        yield ReportColumn(
            name,
            kind,
            _shown(resource, declared, f"({value})::{kind}"),
            f"{label}. {choices}" if choices else label,
        )


def _shown(resource: ResourceType, declared: Field, value: str) -> str:
    """Return the value where the reader reads the field, else NULL; what reads it is asked once per statement."""
    if declared.system:
        return value

    def reads(mine: str) -> str:
        return f"(SELECT hufu.reads_field('{resource.name}', '{declared.name}', '{declared.sensitivity}', {mine}))"

    reading = f"CASE WHEN m.mine THEN {reads('true')} ELSE {reads('false')} END"
    if resource.independent.pooled:
        decides = f"of_{resource.parent}" if resource.parent else "r"
        reading += f" AND NOT {pool_sql.hides(resource, declared, decides)}"
    return f"CASE WHEN {reading} THEN {value} END"


def _joined(resource: ResourceType) -> Iterator[str]:
    """Yield the joins that names come from. What the reader may not view has neither a name nor a number here."""
    for declared in resource.fields:
        alias = f"of_{declared.name}"
        if declared.kind in _NAMED:
            table = _NAMED[declared.kind][1]
            yield f"LEFT JOIN public.{table} {alias} ON {alias}.id = r.{declared.column}"
        elif declared.kind is Kind.REFERENCE and declared.reference is not None:
            other = registry.resource_type(declared.reference)
            viewed = policies.required(other, registry.requirement(other.permission("view")), alias)
            # Where the record is decided with what it names, that is viewed anyway.
            condition = "" if declared.name == resource.parent else f" AND {viewed}"
            yield f"LEFT JOIN public.{other.table} {alias} ON {alias}.id = r.{declared.column}{condition}"


def _mine(resource: ResourceType) -> str:
    """Return the SQL condition that record `r`, or what decides it, is the reader's own or edited in its team."""
    decides = f"of_{resource.parent}" if resource.parent else "r"
    edited = policies.is_member(resource.independent, decides, Share.EDIT)
    return f"({decides}.owner_id = {policies.ACTOR} OR {edited})"


def _view(resource: ResourceType) -> str:
    listed = columns(resource)
    table = ", ".join(f'"{column.name}" {column.type}' for column in listed)
    values = ",\n           ".join(column.value for column in listed)
    joins = "\n    ".join(_joined(resource))
    viewed = policies.required(resource, registry.requirement(resource.permission("view")), "r")
    with translation.override("en"):
        plural = str(resource.label_plural)
    comments = "\n".join(
        f"COMMENT ON COLUMN report.{resource.name}.\"{column.name}\" IS '{_quoted(column.comment)}';"
        for column in listed
    )
    return f"""
CREATE FUNCTION hufu.report_{resource.name}() RETURNS TABLE ({table}) LANGUAGE plpgsql STABLE ROWS 10000
    {policies.HEAD} AS $$
#variable_conflict use_column
BEGIN
    PERFORM hufu.require_reporting();
    RETURN QUERY
    SELECT {values}
    FROM public.{resource.table} r
    {joins}
    CROSS JOIN LATERAL (SELECT {_mine(resource)} AS mine) m
    WHERE {viewed};
END $$;
CREATE VIEW report.{resource.name} WITH (security_barrier) AS SELECT * FROM hufu.report_{resource.name}();
GRANT SELECT ON report.{resource.name} TO hufu_reader;
COMMENT ON VIEW report.{resource.name} IS '{_quoted(plural)} that you may view. What you may not read is empty.';
{comments}
"""


def _quoted(text: str) -> str:
    return text.replace("'", "''")
