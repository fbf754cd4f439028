"""Half two: the row policies of every registered type, made by one generator from the registry.

The rule is that of `decision.terms.Coverage`, in SQL, against the same reach. Integer comparisons and
bitmaps alone reach an index under row policies; the differential test holds the two halves together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import or_

from hufu.access import (
    crossing_sql,
    deeds,
    list_sql,
    pool_sql,
    registry,
    request_sql,
    rule_sql,
    shared_sql,
    states,
    task_kinds,
    task_sql,
)
from hufu.access.decision.scopes import Scope
from hufu.access.decision.states import State
from hufu.access.decision.terms import Need, Requirement, Share
from hufu.access.registry import Kind, ResourceType

# Facts that deeds set through definer functions; a plain UPDATE cannot touch them.
# INVARIANT: all that a condition below looks at in a row is among them, or refers to the parent. What an UPDATE may
# change of a row that is covered leaves it covered, so that the new row is not asked about again.
FIXED_COLUMNS = frozenset(
    {
        "id",
        "partition_id",
        "owner_id",
        "department_id",
        "pool_id",
        "created_at",
        "created_by_id",
        "deleted_at",
        "deleted_by_id",
        *states.FIXED,
    }
)
HEAD = "SECURITY DEFINER SET search_path = pg_catalog, public, hufu, pg_temp"
ACTOR = "(SELECT hufu.actor())"

# Asked once per statement; NULL narrows nothing.
CEILING = "(SELECT hufu.partition_ceiling())"


def within_ceiling(row: str) -> str:
    """Return the SQL condition that the partition of `row` is within the transaction's ceiling."""
    return f"({CEILING} IS NULL OR hufu.bit({CEILING}, {row}.partition_id))"


def covered(
    resource: ResourceType,
    needs: tuple[Need, ...],
    row: str,
    *,
    parents: str = "",
    instead: tuple[str, ...] = (),
) -> str:
    """Return the SQL condition that everything needed is covered by terms of the actor, for `row`.

    INVARIANT: the terms are those of one holder. What is only held comes first, by whoever holds all of it.
    `parents` names a view of the parents that are covered (`_covered_parents`); without one they are asked here.
    `instead` are permissions of which each does as well as the last that is needed.
    """
    held = [need.permission for need in needs if need.right is None]
    conditions = [
        f"(SELECT hufu.holds('{permission}'))" for permission in (held if not instead else held[:-1])
    ]
    closed = reduce(or_, (need.closed_in for need in needs if not need.of_parent), State.OPEN)
    if closed:
        conditions.append(f"(true{states.is_open_sql(closed, row)})")
    own = [need for need in needs if need.right is not None and not need.of_parent]
    if own:
        conditions.append(_by_one_holder(resource, own, row, _whose(needs, instead), instead=instead))
    if any(need.of_parent for need in needs):
        column = resource.by_name[resource.parent].column
        among = f"FROM {parents} parent WHERE true" if parents else _covered_parents(resource, needs, instead)
        conditions.append(f"EXISTS (SELECT 1 {among} AND parent.id = {row}.{column})")
    return " AND ".join(conditions)


def _covered_parents(resource: ResourceType, needs: tuple[Need, ...], instead: tuple[str, ...] = ()) -> str:
    """Return the SQL FROM and WHERE of the parents, as `parent`, that cover what is needed of them."""
    parent = resource.parent_type
    assert parent is not None
    of_parent = [need for need in needs if need.right is not None and need.of_parent]
    closed = reduce(or_, (need.closed_in for need in of_parent), State.OPEN)
    return (
        f"FROM public.{parent.table} parent WHERE parent.deleted_at IS NULL{states.is_open_sql(closed, 'parent')}"
        f" AND {_by_one_holder(parent, of_parent, 'parent', _whose(needs, instead))}"
    )


def _whose(needs: tuple[Need, ...], instead: tuple[str, ...]) -> str:
    """Return the SQL that narrows holders to those of all that is only to be held; nothing where nothing is."""
    held = [need.permission for need in needs if need.right is None]
    if not held:
        return ""
    ways = (", ".join(f"'{name}'" for name in (*held[:-1], last)) for last in (held[-1], *instead))
    holders = " || ".join(f"hufu.holders(ARRAY[{way}])" for way in ways)
    return f" = ANY ((SELECT {holders})::int[])"


def required(resource: ResourceType, requirement: Requirement, row: str, *, parents: str = "") -> str:
    """Return the SQL condition for using a permission on `row`: its state, and all that is needed."""
    state = "IS NOT NULL" if requirement.of_bin else "IS NULL"
    pooled = f" AND {row}.pool_id IS NOT NULL" if requirement.of_pool else ""
    return (
        f"{row}.deleted_at {state}{pooled} AND {covered(resource, requirement.needs, row, parents=parents)}"
    )


def _by_one_holder(
    resource: ResourceType,
    needs: list[Need],
    row: str,
    whose: str,
    t: str = "t",
    *,
    instead: tuple[str, ...] = (),
) -> str:
    """Return the SQL condition that terms of one holder cover all needs; `whose` narrows who that may be."""
    need, further = needs[0], needs[1:]
    conditions = [_reaches(resource, need, row, t), *([f"{t}.holder_id{whose}"] if whose else [])]
    if further:
        conditions.append(
            _by_one_holder(resource, further, row, f" = {t}.holder_id", f"{t}2", instead=instead)
        )
    granted = ", ".join(f"'{name}'" for name in (need.permission, *(() if further else instead)))
    return f"""{within_ceiling(row)} AND EXISTS (
        SELECT 1 FROM hufu.my_terms({granted}) {t}
        WHERE {" AND ".join(conditions)})"""


def _reaches(resource: ResourceType, need: Need, row: str, t: str) -> str:
    """Return the SQL condition that a term reaches `row`: inside the wall, or where a share lets the actor through."""
    inside = (
        f"hufu.bit({t}.{need.right}_partitions, {row}.partition_id)"
        f"\n          AND {_in_scope(resource, need, row, t)}"
    )
    if need.share_across is Share.NONE:
        return inside
    across = crossing_sql.is_let_across(resource, row, need.share_across)
    return f"(({inside})\n          OR ({t}.holder_id = {t}.user_id AND {across}))"


def _in_scope(resource: ResourceType, need: Need, row: str, t: str) -> str:
    """Return the SQL condition that the scopes of a term's grant, or a share with the actor, hold `row`.

    What is shared belongs to people, and so do memberships of pools: they count with the actor's own terms alone.
    """
    shared = is_member(resource, row, Share.READ)
    if need.share is Share.NONE:
        shared = f"{t}.scopes & {Scope.TEAM.value} <> 0 AND {shared}"
    else:
        shared = (
            f"{is_member(resource, row, need.share)} OR {_is_shared(resource, row, need.share)}"
            f" OR {rule_sql.is_ruled(resource, row, need.share)}"
        )
    if need.pooled:
        shared += f" OR {pool_sql.is_member(resource, row)}"
    return f"({by_place(row, t)}\n               OR ({t}.holder_id = {t}.user_id AND ({shared})))"


def by_place(row: str, t: str) -> str:
    """Return the SQL condition that the scopes of a term's grant hold `row`: by its owner and department alone."""
    return f"""({row}.owner_id = {t}.holder_id
               OR {t}.scopes & {Scope.EVERYTHING.value} <> 0
               OR ({t}.scopes & {Scope.SUBORDINATES.value} <> 0 AND hufu.bit({t}.owners, {row}.owner_id))
               OR ({t}.scopes & {Scope.DIRECT_REPORTS.value} <> 0 AND hufu.bit({t}.reports, {row}.owner_id))
               OR ({row}.owner_id IS NOT NULL
                   AND (({t}.scopes & {Scope.DEPARTMENT.value} <> 0
                         AND hufu.bit({t}.departments, {row}.department_id))
                     OR ({t}.scopes & {Scope.DEPARTMENT_AND_BELOW.value} <> 0
                         AND hufu.bit({t}.departments_below, {row}.department_id)))))"""


def is_member(resource: ResourceType, row: str, share: Share) -> str:
    """Return the SQL condition that the actor is in the team of `row`; asked once per statement, not per row."""
    editing = " WHERE m.access = 'edit'" if share is Share.EDIT else ""
    return f"{row}.id IN (SELECT m.record_id FROM hufu.my_teams('{resource.name}') m{editing})"


def _is_shared(resource: ResourceType, row: str, share: Share) -> str:
    """Return the SQL condition that `row` was shared with the actor by hand.

    All that was shared is read once per statement; where that is very much, each row is asked about instead.
    """
    name, editing = resource.name, " WHERE s.access = 'edit'" if share is Share.EDIT else ""
    return (
        f"CASE WHEN (SELECT hufu.has_many_shares('{name}'))"
        f" THEN EXISTS (SELECT 1 FROM hufu.my_shares('{name}', ARRAY[{row}.id]) s{editing})"
        f" ELSE {row}.id IN (SELECT s.record_id FROM hufu.my_shares('{name}') s{editing}) END"
    )


def may_create(resource: ResourceType, row: str) -> str:
    """Return the SQL condition that the actor may add `row`: for oneself, or for others who may own it here.

    The department is the owner's main department, unless the actor imports. A record of a following type needs what
    editing its parent needs.
    """
    references = "".join(
        f"\n    AND ({row}.{column} IS NULL OR {seen})" for column, seen in _seen_references(resource, row)
    )
    unstated = states.is_open_sql(resource.states, row)
    return f"""{_may_place(resource, row)}
    AND {row}.created_by_id = {ACTOR} AND {row}.updated_by_id = {ACTOR}
    AND {row}.lock_version = 1 AND {row}.deleted_at IS NULL AND {row}.deleted_by_id IS NULL{unstated}{references}"""


def _may_place(resource: ResourceType, row: str) -> str:
    create = resource.permission("create")
    if resource.parent_type is not None:
        return covered(resource, _adding(resource), row, parents=_parents(resource, "create"))
    # Whoever imports says which department a record had.
    imports = f"\n         OR (SELECT hufu.holds('{resource.name}.import'))" if resource.has("import") else ""
    return f"""{within_ceiling(row)} AND EXISTS (
        SELECT 1 FROM hufu.my_terms('{create}') t
        WHERE hufu.bit(t.create_partitions, {row}.partition_id)
          AND ({row}.owner_id = t.holder_id OR t.scopes & {Scope.EVERYTHING.value} <> 0))
    AND hufu.may_own({row}.owner_id, {row}.partition_id)
    AND ({row}.department_id
         = (SELECT u.main_department_id FROM public.people_user u WHERE u.id = {row}.owner_id){imports})"""


def _adding(resource: ResourceType) -> tuple[Need, ...]:
    """Return what adding a record of a following type needs."""
    edit = registry.requirement(resource.permission("edit")).needs
    return (Need(resource.permission("create"), None), *(need for need in edit if need.of_parent))


def _parents(resource: ResourceType, verb: str) -> str:
    """Return the name of the view of those parents below which the actor may do this; "" where there are no parents."""
    return f"hufu.{resource.table}_{verb}_below" if resource.parent else ""


def _parent_views(resource: ResourceType) -> Iterator[str]:
    """Yield the SQL of the views of covered parents, for the row policies of a following type.

    They ask with the rights of the owner, so that the parents' own row policies are not planned with each statement.
    Each shows numbers of records that whoever asks may view, and no others.
    """
    if resource.parent_type is None:
        return
    asked: dict[str, tuple[tuple[Need, ...], tuple[str, ...]]] = {
        verb: (registry.requirement(resource.permission(verb)).needs, ()) for verb in ("view", "edit")
    }
    asked["create"] = _adding(resource), ()
    asked["bin"] = registry.requirement(resource.permission("restore")).needs, _purging(resource)
    for verb, (needs, instead) in asked.items():
        name = _parents(resource, verb)
        yield (
            f"CREATE OR REPLACE VIEW {name} WITH (security_barrier) AS SELECT parent.id"
            f" {_covered_parents(resource, needs, instead)};\nGRANT SELECT ON {name} TO hufu_app;\n"
        )


def _seen_references(resource: ResourceType, row: str) -> Iterator[tuple[str, str]]:
    """Yield each reference's column, and the SQL condition that whoever asks may view what it points at.

    The other table's own row policy answers: the condition is asked with the rights of the application.
    """
    for declared in resource.fields:
        if declared.kind is Kind.REFERENCE and declared.reference is not None:
            other = registry.resource_type(declared.reference).table
            yield (
                declared.column,
                f"EXISTS (SELECT 1 FROM public.{other} seen WHERE seen.id = {row}.{declared.column}"
                " AND seen.deleted_at IS NULL)",
            )


def statements() -> Iterator[tuple[str, str]]:
    """Yield (name, SQL) for every registered type, and what asks about any of them."""
    for resource in registry.resource_types():
        yield f"access.policies.{resource.name}", _policies(resource)
        yield f"access.references.{resource.name}", _reference_triggers(resource)
        yield f"access.checks.{resource.name}", _checks(resource)
        if resource.exclusive_fields():
            yield f"access.exclusive.{resource.name}", crossing_sql.exclusive(resource, deeds.INSIDE)
    for resource in registry.resource_types():
        yield f"access.deeds.{resource.name}", deeds.statements(resource)
    yield "access.following", _following()
    yield "access.teams", _teams()
    yield from shared_sql.statements()
    yield "access.lists", list_sql.statements()
    yield "access.tasks", f"{task_sql.common()}\n{task_kinds.install_sql()}"
    yield "access.asked", request_sql.statement()
    yield from rule_sql.statements()


def _policies(resource: ResourceType) -> str:
    table = resource.table

    def may(verb: str) -> str:
        parents = _parents(resource, verb)
        return required(resource, registry.requirement(resource.permission(verb)), table, parents=parents)

    columns = [column.column for column in resource.model_class._meta.concrete_fields]
    fixed = FIXED_COLUMNS | ({resource.by_name[resource.parent].column} if resource.parent else set())
    given = ", ".join(f'"{column}"' for column in columns)
    changeable = ", ".join(f'"{column}"' for column in columns if column not in fixed)
    return f"""{"".join(_parent_views(resource))}
ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON public.{table} FROM hufu_app;
GRANT SELECT, INSERT ({given}) ON public.{table} TO hufu_app;
GRANT UPDATE ({changeable}) ON public.{table} TO hufu_app;
GRANT USAGE ON SEQUENCE public.{table}_id_seq TO hufu_app;
DROP POLICY IF EXISTS view ON public.{table};
DROP POLICY IF EXISTS bin ON public.{table};
DROP POLICY IF EXISTS insert ON public.{table};
DROP POLICY IF EXISTS change ON public.{table};
CREATE POLICY view ON public.{table} FOR SELECT TO hufu_app
    USING ({may("view")});
CREATE POLICY bin ON public.{table} FOR SELECT TO hufu_app
    USING ({_in_bin(resource)});
CREATE POLICY insert ON public.{table} FOR INSERT TO hufu_app
    WITH CHECK ({may_create(resource, table)});
CREATE POLICY change ON public.{table} FOR UPDATE TO hufu_app
    USING ({may("edit")})
    WITH CHECK ({table}.updated_by_id = {ACTOR});
"""


def _in_bin(resource: ResourceType) -> str:
    """Return the SQL condition of what is seen in the bin: by whoever may restore or purge it."""
    table, needs = resource.table, registry.requirement(resource.permission("restore")).needs
    either = covered(resource, needs, table, parents=_parents(resource, "bin"), instead=_purging(resource))
    return f"{table}.deleted_at IS NOT NULL AND {either}"


def _purging(resource: ResourceType) -> tuple[str, ...]:
    """Return what does as well as restore where the bin is seen: purge asks for the same but for its name.

    Two conditions would be planned with each statement, though hardly a record is in the bin.
    """
    restore, purge = (resource.permission(verb) for verb in ("restore", "purge"))
    named = (
        replace(need, permission=restore) if need.permission == purge else need
        for need in registry.requirement(purge).needs
    )
    assert tuple(named) == registry.requirement(restore).needs
    return (purge,)


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


def _checks(resource: ResourceType) -> str:
    table = resource.table
    decided = [declared for declared in resource.permissions if registry.is_about_records(declared.name)]
    branches = "".join(
        f"""
    WHEN '{declared.name}' THEN
        RETURN EXISTS (SELECT 1 FROM {table} r WHERE r.id = record
            AND {required(resource, registry.requirement(declared.name), "r")});"""
        for declared in decided
    )
    if resource.parent_type is None:
        branches += f"""
    WHEN '{deeds.GIVING_EDIT}' THEN
        RETURN EXISTS (SELECT 1 FROM {table} r WHERE r.id = record
            AND {required(resource, registry.giving_edit(resource.name), "r")});"""
        branches += "".join(
            f"""
    WHEN '{resource.permission(verb)} {deeds.INSIDE}' THEN
        RETURN EXISTS (SELECT 1 FROM {table} r WHERE r.id = record
            AND {required(resource, registry.inside(resource.permission(verb)), "r")});"""
            for verb in ("view", "edit")
        )
    return f"""
-- Half two's point check: may the actor do this with this record? Only the branch that is asked is ever planned.
CREATE OR REPLACE FUNCTION hufu.covers_{table}(permission text, record bigint) RETURNS boolean LANGUAGE plpgsql STABLE
    {HEAD} AS $$
BEGIN
    CASE permission {branches}
    ELSE RETURN false;
    END CASE;
END $$;
"""


def follows(verb: str, type_name: str, record: str) -> str:
    """Return the SQL condition of row policies on whatever follows a record: the record's own rule decides.

    `type_name` and `record` are SQL: a column, or a literal.
    """
    return f"hufu.follows_record('{verb}', {type_name}, {record})"


def _following() -> str:
    cases = "".join(
        f"\n    WHEN '{resource.name}' THEN hufu.covers_{resource.table}('{resource.name}.' || verb, record)"
        for resource in registry.resource_types()
    )
    return f"""
-- May the actor do this with what follows the record (its team, files, consents)? As with the record itself; what
-- follows no registered type is nobody's.
CREATE OR REPLACE FUNCTION hufu.follows_record(verb text, type text, record bigint) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, hufu, pg_temp AS
$$ SELECT CASE type {cases}
    ELSE false END $$;
"""


def _teams() -> str:
    """Who sees the team and the shares of a record: its members, whoever may view it, and whoever explains rights.

    Who views it by a share across the wall alone sees that share and no other, and not the team.
    """
    inside = follows(f"view {deeds.INSIDE}", "type", "record_id")
    return f"""
DROP POLICY IF EXISTS read ON public.access_team_member;
CREATE POLICY read ON public.access_team_member FOR SELECT TO hufu_app
    USING (user_id = {ACTOR} OR (SELECT hufu.holds('explain.any')) OR {inside});
DROP FUNCTION IF EXISTS hufu.views(text, bigint);
DROP POLICY IF EXISTS read ON public.access_share;
CREATE POLICY read ON public.access_share FOR SELECT TO hufu_app
    USING ((SELECT hufu.holds('explain.any')) OR {inside}
           OR (user_id = {ACTOR} AND across_by IS NOT NULL AND {follows("view", "type", "record_id")}));
"""
