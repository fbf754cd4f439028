"""Half two: the row policies of every registered type, made by one generator from the registry.

The rule is that of `decision.terms.covering_scope`, in SQL, against the same reach. Integer comparisons and
bitmaps alone reach an index under row policies; the differential test holds the two halves together.
"""

from __future__ import annotations

from collections.abc import Iterator

from hufu.access import registry
from hufu.access.decision.scopes import Scope
from hufu.access.decision.terms import Right
from hufu.access.registry import Kind, ResourceType

# Facts that deeds set through definer functions; a plain UPDATE cannot touch them.
FIXED_COLUMNS = frozenset(
    {
        "id",
        "partition_id",
        "owner_id",
        "department_id",
        "created_at",
        "created_by_id",
        "deleted_at",
        "deleted_by_id",
    }
)


def cover(permission: str, right: Right, row: str) -> str:
    """Return the SQL condition that some term of the actor covers `row` for the permission."""
    return f"""EXISTS (
        SELECT 1 FROM public.access_term t
        JOIN public.access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
        WHERE t.user_id = (SELECT hufu.actor()) AND g.permission = '{permission}'
          AND hufu.bit(t.{right}_partitions, {row}.partition_id)
          AND ({row}.owner_id = t.user_id
               OR g.scopes & {Scope.EVERYTHING.value} <> 0
               OR (g.scopes & {Scope.SUBORDINATES.value} <> 0 AND hufu.bit(t.owners, {row}.owner_id))
               OR ({row}.owner_id IS NOT NULL
                   AND ((g.scopes & {Scope.DEPARTMENT.value} <> 0 AND hufu.bit(t.departments, {row}.department_id))
                     OR (g.scopes & {Scope.DEPARTMENT_AND_BELOW.value} <> 0
                         AND hufu.bit(t.departments_below, {row}.department_id))))))"""


def may_create(resource: ResourceType, row: str) -> str:
    """Return the SQL condition that the actor may add `row`: for oneself, or for others who may own it here.

    The department is the owner's main department, unless the actor imports.
    """
    create = resource.permission("create")
    imports = resource.permission("import")
    everything = Scope.EVERYTHING.value
    references = "".join(
        f"\n    AND ({row}.{column} IS NULL OR {seen})" for column, seen in _seen_references(resource, row)
    )
    return f"""EXISTS (
        SELECT 1 FROM public.access_term t
        JOIN public.access_term_grant g ON g.user_id = t.user_id AND g.term = t.term
        WHERE t.user_id = (SELECT hufu.actor()) AND g.permission = '{create}'
          AND hufu.bit(t.create_partitions, {row}.partition_id)
          AND ({row}.owner_id = t.user_id OR g.scopes & {everything} <> 0))
    AND hufu.may_own({row}.owner_id, {row}.partition_id)
    AND ({row}.department_id = (SELECT u.main_department_id FROM public.people_user u WHERE u.id = {row}.owner_id)
         OR EXISTS (SELECT 1 FROM public.access_term_grant g
                    WHERE g.user_id = (SELECT hufu.actor()) AND g.permission = '{imports}' AND g.scopes <> 0))
    AND {row}.created_by_id = (SELECT hufu.actor()) AND {row}.updated_by_id = (SELECT hufu.actor())
    AND {row}.lock_version = 1 AND {row}.deleted_at IS NULL AND {row}.deleted_by_id IS NULL{references}"""


def _seen_references(resource: ResourceType, row: str) -> Iterator[tuple[str, str]]:
    """Yield each reference's column, and the SQL condition that whoever asks may view what it points at.

    The other table's own row policy answers: the condition is asked with the rights of the application.
    """
    for declared in resource.fields:
        if declared.kind is Kind.REFERENCE and declared.reference is not None:
            other = registry.resource_type(declared.reference).table
            yield (
                declared.column,
                f"EXISTS (SELECT 1 FROM public.{other} seen WHERE seen.id = {row}.{declared.column})",
            )


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) for every registered type."""
    for resource in registry.resource_types():
        yield f"access.policies.{resource.name}", _policies(resource)
        yield f"access.references.{resource.name}", _reference_triggers(resource)
        yield f"access.deeds.{resource.name}", _deeds(resource)


def _policies(resource: ResourceType) -> str:
    table = resource.table
    view = cover(resource.permission("view"), Right.READ, table)
    edit = cover(resource.permission("edit"), Right.EDIT, table)
    columns = [column.column for column in resource.model_class._meta.concrete_fields]
    changeable = ", ".join(f'"{column}"' for column in columns if column not in FIXED_COLUMNS)
    return f"""
ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.{table} FROM hufu_app;
GRANT SELECT, INSERT ON public.{table} TO hufu_app;
GRANT UPDATE ({changeable}) ON public.{table} TO hufu_app;
GRANT USAGE ON SEQUENCE public.{table}_id_seq TO hufu_app;
DROP POLICY IF EXISTS view ON public.{table};
DROP POLICY IF EXISTS insert ON public.{table};
DROP POLICY IF EXISTS change ON public.{table};
CREATE POLICY view ON public.{table} FOR SELECT TO hufu_app
    USING ({table}.deleted_at IS NULL AND {view});
CREATE POLICY insert ON public.{table} FOR INSERT TO hufu_app
    WITH CHECK ({may_create(resource, table)});
CREATE POLICY change ON public.{table} FOR UPDATE TO hufu_app
    USING ({table}.deleted_at IS NULL AND {view} AND {edit})
    WITH CHECK ({table}.updated_by_id = (SELECT hufu.actor()) AND {table}.deleted_at IS NULL AND {view} AND {edit});
"""


def _reference_triggers(resource: ResourceType) -> str:
    """A reference may stay what it is, seen or not; a new one must be seen."""
    table = resource.table
    return "\n".join(
        f"""
CREATE OR REPLACE FUNCTION hufu.sees_{table}_{column}() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, public, hufu, pg_temp AS $$
BEGIN
    IF NOT {seen} THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER sees_{column} BEFORE UPDATE OF {column} ON public.{table} FOR EACH ROW
    WHEN (NEW.{column} IS NOT NULL AND NEW.{column} IS DISTINCT FROM OLD.{column})
    EXECUTE FUNCTION hufu.sees_{table}_{column}();
"""
        for column, seen in _seen_references(resource, "NEW")
    )


def _deeds(resource: ResourceType) -> str:
    """The deeds whose new row leaves the actor's view, which no row policy can allow by itself."""
    table = resource.table
    view = cover(resource.permission("view"), Right.READ, "r")
    rights = " ".join(
        f"WHEN '{declared.name}' THEN {cover(declared.name, declared.right, 'r')}"
        for declared in resource.permissions
        if declared.right is not None and declared.verb not in {"create", "import"}
    )
    head = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
    return f"""
-- Half two's point check: may the actor do this with this record?
CREATE OR REPLACE FUNCTION hufu.covers_{table}(permission text, record bigint) RETURNS boolean LANGUAGE sql STABLE
    {head} AS $$
    SELECT EXISTS (SELECT 1 FROM {table} r WHERE r.id = record AND r.deleted_at IS NULL
        AND {view}
        AND CASE permission {rights} ELSE false END)
$$;

-- A new owner, active and admitted; the record's department becomes theirs. Returns whether it happened.
CREATE OR REPLACE FUNCTION hufu.transfer_{table}(record bigint, new_owner int, version int) RETURNS boolean
    LANGUAGE plpgsql {head} AS $$
BEGIN
    IF NOT hufu.covers_{table}('{resource.permission("transfer")}', record) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE {table} r SET owner_id = new_owner, department_id = u.main_department_id, lock_version = r.lock_version + 1,
           updated_at = clock_timestamp(), updated_by_id = hufu.actor()
    FROM people_user u
    WHERE r.id = record AND r.lock_version = version AND u.id = new_owner AND u.main_department_id IS NOT NULL
      AND hufu.may_own(new_owner, r.partition_id);
    RETURN FOUND;
END $$;

-- Into the bin: the record stays, and nobody sees it. Returns whether it happened.
CREATE OR REPLACE FUNCTION hufu.bin_{table}(record bigint, version int) RETURNS boolean LANGUAGE plpgsql
    {head} AS $$
BEGIN
    IF NOT hufu.covers_{table}('{resource.permission("delete")}', record) THEN
        RAISE EXCEPTION 'not allowed' USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE {table} SET deleted_at = clock_timestamp(), deleted_by_id = hufu.actor(), lock_version = lock_version + 1
    WHERE id = record AND lock_version = version;
    RETURN FOUND;
END $$;
"""
