"""Somebody's rights as a matrix of objects and verbs, and beside it their functions, partitions, roles and fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import explain, registry
from hufu.access.decision.delegation import standing_in
from hufu.access.decision.effective import (
    FieldSays,
    Held,
    Place,
    Way,
    field_says,
    gates_on_everything,
    held,
    places,
)
from hufu.access.decision.snapshot import Given, PersonFacts, Snapshot
from hufu.access.decision.terms import Right
from hufu.access.explain import RIGHT_LABELS
from hufu.access.explain_fields import SENSITIVITY_LABELS, asked_about
from hufu.access.explain_glass import cover_sentence
from hufu.access.models import FieldRule
from hufu.access.registry import Field, Permission, ResourceType
from hufu.core.days import moment_words
from hufu.core.text import folded
from hufu.web.access import words

# What system permissions are about, by the first word of their names.
AREAS: Mapping[str, str | Promise] = {
    "user": gettext_lazy("People"),
    "role": gettext_lazy("Roles"),
    "policy": gettext_lazy("Policy"),
}


@dataclass(frozen=True)
class Cell:
    """What somebody holds of one permission. `name` says all of it to whoever does not see the cell."""

    permission: str
    name: str
    text: str
    tone: str
    notes: tuple[str, ...] = ()
    is_chosen: bool = False


@dataclass(frozen=True)
class Row:
    """One type of records: its cells by column, None where it has no such permission."""

    resource: ResourceType
    cells: list[Cell | None]


@dataclass(frozen=True)
class Function:
    """A permission of the system, which is held or not."""

    label: str
    cell: Cell


@dataclass(frozen=True)
class Step:
    """One step of a path: what it is, in a sentence, and what explains it."""

    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One way by which a permission comes to somebody, drawn as steps."""

    steps: list[Step]
    until: str
    kind: str = ""


@dataclass(frozen=True)
class Chosen:
    """A cell that is looked at closely."""

    permission: Permission
    cell: Cell
    sources: list[Source]
    forbidden: list[str]
    gates: list[str]
    places: str = ""
    is_opened: bool = False


@dataclass(frozen=True)
class PlaceLine:
    """A partition in words: what may be done there, through whom, until when."""

    name: str
    rights: list[str]
    gifts: list[tuple[Step, str]]


@dataclass(frozen=True)
class RoleLine:
    """A role that reaches the person, to whom it was given, from when until when."""

    name: str
    to: str
    notes: tuple[str, ...]
    until: str


@dataclass(frozen=True)
class FieldLine:
    """A field: its mark, what may be done with it on one's own records and on others', and where that is said."""

    field: Field
    mark: str
    mine: tuple[str, str]
    others: tuple[str, str]
    export: bool
    roles: list[str]


@dataclass(frozen=True)
class Picture:
    """All that somebody holds, to be shown."""

    columns: list[tuple[str, str]]
    rows: list[Row]
    functions: list[Function]
    places: list[PlaceLine]
    roles: list[RoleLine]
    fields: list[tuple[ResourceType, list[FieldLine]]]
    standing_in: list[tuple[str, str, str]]
    gates: list[str]
    chosen: Chosen | None

    @property
    def is_empty(self) -> bool:
        return not self.rows and not self.functions


def picture(snapshot: Snapshot, person: PersonFacts, *, chosen: str = "", text: str = "") -> Picture:
    """Return what somebody holds; `text` leaves the rows, columns and functions that are called so."""
    wanted = folded(text)
    verbs = [verb for verb in columns() if _fits(wanted, verb_label(verb))]
    by_verb = bool(wanted and verbs)
    rows = [
        Row(resource, [_of_verb(snapshot, person, resource, verb, chosen) for verb in verbs or columns()])
        for resource in registry.resource_types()
        if by_verb or _fits(wanted, str(resource.label), str(resource.label_plural))
    ]
    functions = [
        Function(str(declared.label), cell(snapshot, person, declared, chosen))
        for declared in registry.permissions()
        if registry.type_of(declared.name) is None and _fits(wanted, str(declared.label))
    ]
    return Picture(
        columns=[(verb, verb_label(verb)) for verb in verbs or columns()] if rows else [],
        rows=rows,
        functions=functions,
        places=[place_line(snapshot, person, place) for place in places(snapshot, person)],
        roles=list(role_lines(snapshot, person)),
        fields=[
            (resource, field_lines(snapshot, person, resource))
            for resource in registry.resource_types()
            if held(snapshot, person, resource.permission("view")).is_held
        ],
        standing_in=[
            (
                snapshot.people[lent.delegator_id].name,
                _(", ").join(str(registry.permission(name).label) for name in sorted(lent.permissions)),
                words.until_words(lent.ends_at),
            )
            for every in (standing_in(snapshot, person).values() if person.active else ())
            for lent in every
        ],
        gates=[snapshot.gate_name(gate) for gate in gates_on_everything(snapshot, person)],
        chosen=look(snapshot, person, chosen) if chosen else None,
    )


def _fits(wanted: str, *labels: str) -> bool:
    return not wanted or any(wanted in folded(label) for label in labels)


def columns() -> list[str]:
    """Return the verbs of all types: the known ones in their order, then what types add."""
    declared = dict.fromkeys(
        permission.verb for permission in registry.permissions() if registry.type_of(permission.name)
    )
    known = [verb for verb in words.VERBS if verb in declared]
    return known + [verb for verb in declared if verb not in words.VERBS]


def verb_label(verb: str) -> str:
    """Return what a column is called; a verb that no words are known for is called by its name."""
    return str(words.VERBS.get(verb, verb))


def _of_verb(
    snapshot: Snapshot, person: PersonFacts, resource: ResourceType, verb: str, chosen: str
) -> Cell | None:
    if not resource.has(verb):
        return None
    return cell(snapshot, person, registry.permission(resource.permission(verb)), chosen)


def cell(snapshot: Snapshot, person: PersonFacts, permission: Permission, chosen: str = "") -> Cell:
    """Return what somebody holds of a permission, in words."""
    found = held(snapshot, person, permission.name)
    text = words.text_of(permission, found)
    notes = tuple(_notes(snapshot, permission, found))
    return Cell(
        permission.name,
        _("%(permission)s: %(scope)s")
        % {"permission": permission.label, "scope": " · ".join((text, *notes))},
        text,
        words.tone_of(permission, found),
        notes,
        permission.name == chosen,
    )


def _notes(snapshot: Snapshot, permission: Permission, found: Held) -> Iterator[str]:
    if found.opened and permission.scopes != registry.HELD_SCOPES:
        yield _("base access")
    if found.is_held and not found.is_own:
        way = found.ways[0]
        if way.lent is not None:
            yield _("for %s") % snapshot.people[way.lent.delegator_id].name
        else:
            yield _("break-glass")
    if found.ends_at is not None:
        yield words.until_words(found.ends_at)
    if found.gates:
        yield _("with limits")


def look(snapshot: Snapshot, person: PersonFacts, name: str) -> Chosen:
    """Return where somebody has a permission from: each way drawn, what forbids it, what binds it."""
    permission = registry.permission(name)
    found = held(snapshot, person, name)
    resource = registry.type_of(name)
    return Chosen(
        permission,
        cell(snapshot, person, permission, name),
        [source(snapshot, person, way) for way in found.ways],
        [_forbidden(snapshot, given) for given in found.forbidden],
        [_gate(snapshot, gate) for gate in found.gates],
        _where(snapshot, person, permission, resource) if resource is not None and found.is_held else "",
        found.opened,
    )


def _forbidden(snapshot: Snapshot, given: Given) -> str:
    to = explain.forbidden_words(snapshot, given)
    until = words.until_words(given.ends_at)
    said = _("Forbidden to %(principal)s. A prohibition wins over everything that is granted or shared.")
    return said % {"principal": f"{to} ({until})" if until else to}


def _gate(snapshot: Snapshot, gate: int) -> str:
    if gate < 0:
        return explain.quota_words(snapshot, -gate)
    return _("Only while the access limit “%s” is open; that is not evaluated here.") % snapshot.gate_name(
        gate
    )


def _where(snapshot: Snapshot, person: PersonFacts, permission: Permission, resource: ResourceType) -> str:
    """Return in which partitions a permission counts."""
    right = permission.right
    if right is None and resource.parent_type is not None:
        return (
            _("It counts for records that belong to a “%s” which they may reach.")
            % resource.parent_type.label
        )
    if right is None:
        return ""
    open_to = [place for place in places(snapshot, person) if right is Right.READ or right in place.rights]
    if not open_to:
        said = _("No partition is open to them with the right to %s: by this alone they reach nothing.")
        return said % RIGHT_LABELS[right]
    return _("It counts in: %s.") % _(", ").join(
        snapshot.partition_names.get(place.partition_id, str(place.partition_id)) for place in open_to
    )


def source(snapshot: Snapshot, person: PersonFacts, way: Way) -> Source:
    """Return one way drawn: from the person to whom it was given, by roles and what they inherit, to the scope."""
    until = words.until_words(way.ends_at)
    if way.glass is not None:
        steps = [Step(person.name), Step(cover_sentence(snapshot, way.glass, moment_words))]
        return Source(steps, until, _("Break-glass"))
    holder, steps, kind = person, [Step(person.name)], ""
    if way.lent is not None:
        holder = snapshot.people[way.lent.delegator_id]
        kind = _("In the stead of %s") % holder.name
        steps.append(Step(_("stands in for %s") % holder.name, (words.until_words(way.lent.ends_at),)))
    roles = way.path.roles
    steps.append(Step(_("holds role “%s”") % snapshot.roles[roles[0]].name))
    given = given_step(snapshot, holder, way.path.assignment)
    steps[-1] = Step(steps[-1].text, (given.text, *given.notes))
    steps += [Step(_("which inherits role “%s”") % snapshot.roles[role].name) for role in roles[1:]]
    if registry.permission(way.path.permission).scopes == registry.HELD_SCOPES:
        steps.append(Step(_("which grants it")))
    else:
        steps.append(Step(_("which grants it with the scope: %s") % explain.scope_words(way.path.scope)))
    return Source(steps, until, kind)


def given_step(snapshot: Snapshot, person: PersonFacts, given: Given) -> Step:
    """Return to whom something was given, and how the person is among them."""
    if given.user_id is not None:
        return Step(_("given by name"))
    notes = tuple(explain.belonging(snapshot, person, given))
    return Step(_("given to %s") % explain.principal_words(snapshot, given), notes)


def place_line(snapshot: Snapshot, person: PersonFacts, place: Place) -> PlaceLine:
    """Return a partition in words."""
    return PlaceLine(
        snapshot.partition_names.get(place.partition_id, str(place.partition_id)),
        [str(RIGHT_LABELS[right]) for right in Right if right in place.rights],
        [(given_step(snapshot, person, given), words.until_words(given.ends_at)) for given in place.gifts],
    )


def role_lines(snapshot: Snapshot, person: PersonFacts) -> Iterator[RoleLine]:
    """Yield the roles that reach somebody now."""
    for given in snapshot.given_to(person, "assignments") if person.active else ():
        assert given.role_id is not None
        step = given_step(snapshot, person, given)
        yield RoleLine(
            snapshot.roles[given.role_id].name, step.text, step.notes, words.until_words(given.ends_at)
        )


def field_lines(snapshot: Snapshot, person: PersonFacts, resource: ResourceType) -> list[FieldLine]:
    """Return what somebody may do with each field of a type."""
    return [
        _field_line(snapshot, declared, field_says(snapshot, person, asked_about(resource, declared)))
        for declared in resource.fields
    ]


def _field_line(snapshot: Snapshot, declared: Field, says: FieldSays) -> FieldLine:
    def words_of(access: Any) -> tuple[str, str]:
        return str(FieldRule.Access(access).label), words.FIELD_TONES[access]

    return FieldLine(
        declared,
        str(SENSITIVITY_LABELS[says.about.sensitivity]),
        words_of(says.mine),
        words_of(says.others),
        says.export,
        list(dict.fromkeys(explain.role_chain(snapshot, path.roles) for path in says.paths)),
    )
