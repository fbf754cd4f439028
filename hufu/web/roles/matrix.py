"""A role as a matrix of objects and verbs, each cell with its scope in words; and its functions as switches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from hufu.access import registry
from hufu.access.decision.scopes import is_within
from hufu.access.draft_text import Entries
from hufu.access.drafting import scopes_of
from hufu.access.explain import SCOPE_LABELS
from hufu.access.models import BaseAccess
from hufu.access.registry import Permission, ResourceType, Risk

NOTHING, HELD = "nothing", "held"
BASE = "base:"
# What a cell says of a scope; in full it stands in its name (explain.SCOPE_LABELS).
SHORT: dict[str, str | Promise] = {
    NOTHING: pgettext_lazy("scope in a cell", "None"),
    HELD: pgettext_lazy("scope in a cell", "Allowed"),
    "own": pgettext_lazy("scope in a cell", "Own"),
    "team": pgettext_lazy("scope in a cell", "Team"),
    "direct_reports": pgettext_lazy("scope in a cell", "Direct reports"),
    "subordinates": pgettext_lazy("scope in a cell", "Subordinates"),
    "department": pgettext_lazy("scope in a cell", "Department"),
    "department_and_below": pgettext_lazy("scope in a cell", "Department and below"),
    "everything": pgettext_lazy("scope in a cell", "Everything"),
    **{str(value): label for value, label in BaseAccess.Access.choices},
}
TONES = {
    NOTHING: "none",
    HELD: "teal",
    "own": "blue",
    "team": "blue",
    "direct_reports": "purple",
    "subordinates": "purple",
    "department": "green",
    "department_and_below": "amber",
    "everything": "red",
    "private": "none",
    "public_read": "amber",
    "public_read_write": "red",
}
# In the order of the columns; what a type adds comes behind them.
VERBS: dict[str, str | Promise] = {
    "view": pgettext_lazy("verb", "View"),
    "create": pgettext_lazy("verb", "Create"),
    "edit": pgettext_lazy("verb", "Edit"),
    "delete": pgettext_lazy("verb", "Delete"),
    "transfer": pgettext_lazy("verb", "Transfer"),
    "share": pgettext_lazy("verb", "Share"),
    "claim": pgettext_lazy("verb", "Claim"),
    "import": pgettext_lazy("verb", "Import"),
    "reveal": pgettext_lazy("verb", "See masked"),
    "void": pgettext_lazy("verb", "Void"),
    "lock": pgettext_lazy("verb", "Lock"),
    "restore": pgettext_lazy("verb", "Restore"),
    "purge": pgettext_lazy("verb", "Purge"),
    "move_partition": pgettext_lazy("verb", "Move partition"),
}


@dataclass(frozen=True)
class Cell:
    """What a role holds of one permission (or what base access a type has): how it is shown, and what it can become.

    `kind`: own, inherited, none. `name` says all of it to whoever does not see the cell; `note` is its second line.
    """

    permission: str
    name: str
    text: str
    tone: str
    kind: str
    value: str
    choices: tuple[str, ...]
    note: str = ""
    before: str = ""
    is_changed: bool = False
    is_risky: bool = False


@dataclass(frozen=True)
class Row:
    """One type of records: its cells by column, None where it has no such permission."""

    resource: ResourceType
    base: Cell | None
    cells: list[Cell | None]
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One verb."""

    verb: str
    label: str
    choices: tuple[str, ...]
    is_risky: bool


@dataclass(frozen=True)
class Switch:
    """A function that a role has or has not."""

    cell: Cell
    label: str
    help: str


@dataclass(frozen=True)
class Matrix:
    """All that a role holds."""

    columns: list[Column]
    rows: list[Row]
    switches: list[tuple[str, list[Switch]]] = field(default_factory=list)

    @property
    def labels(self) -> dict[str, str]:
        """What the choices of the cells are called, for the menu."""
        return {value: str(label) for value, label in SHORT.items()}


def matrix(key: str, before: Entries, after: Entries, *, text: str = "") -> Matrix:
    """Return a role as the definitions `after` have it, with what differs from `before`.

    `text` leaves the rows that are called so.
    """
    cells = _Cells(key, before, after)
    wanted = text.strip().casefold()
    in_matrix = {name for verb in columns() for name in _named(verb)}
    rows = [
        _row(resource, cells)
        for resource in registry.resource_types()
        if wanted in str(resource.label).casefold() or wanted in resource.name
    ]
    functions: dict[str, list[Switch]] = {}
    for declared in registry.permissions():
        if declared.name not in in_matrix:
            resource = registry.type_of(declared.name)
            group = str(resource.label_plural) if resource else _("System")
            switch = Switch(cells.of(declared), str(declared.label), str(declared.help))
            functions.setdefault(group, []).append(switch)
    heads = [
        Column(verb, verb_label(verb), choices_of(_named(verb)), _all_risky(_named(verb)))
        for verb in columns()
    ]
    return Matrix(heads, rows, list(functions.items()))


def compared(roles: Mapping[str, Any], one: str, other: str) -> list[tuple[str, Cell, Cell]]:
    """Return the permissions that two roles hold differently, with what each holds of it."""
    entries: Entries = {"base_access": {}, "roles": dict(roles)}
    of_one, of_other = _Cells(one, entries, entries), _Cells(other, entries, entries)
    return [
        (str(declared.label), of_one.of(declared), of_other.of(declared))
        for declared in registry.permissions()
        if of_one.held(declared) != of_other.held(declared)
    ]


def columns() -> list[str]:
    """Return the verbs that have a scope somewhere, in the order in which they stand."""
    scoped = {
        declared.verb
        for declared in registry.permissions()
        if registry.type_of(declared.name) is not None and len(declared.scopes) > 1
    }
    return [*(verb for verb in VERBS if verb in scoped), *sorted(scoped - VERBS.keys())]


def verb_label(verb: str) -> str:
    """Return what a column is called."""
    return str(VERBS.get(verb, verb))


def named(pattern: str) -> list[str]:
    """Return the permissions that a cell, a row (`customer.*`) or a column (`*.view`) of the matrix is about."""
    thing, _dot, verb = pattern.rpartition(".")
    if verb == "*":
        return [name for each in columns() for name in _named(each) if name.rpartition(".")[0] == thing]
    return _named(verb) if thing == "*" else [pattern]


def wanted(pattern: str, choice: str) -> dict[str, tuple[str, ...]]:
    """Return the scopes that the permissions of a pattern are to get: those alone that take the choice.

    Where none does, the pattern itself is to get it, and is refused.
    """
    scopes: tuple[str, ...] = () if choice == NOTHING else ("everything",) if choice == HELD else (choice,)
    known = {declared.name: declared for declared in registry.permissions()}
    taking = [name for name in named(pattern) if name in known and choice in _choices(known[name])]
    return dict.fromkeys(taking, scopes) or {pattern: (choice,)}


def choices_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return what the cells of a row or column can become, in order."""
    offered = {choice for name in names for choice in _choices(registry.permission(name))}
    return tuple(choice for choice in SHORT if choice in offered)


def _named(verb: str) -> list[str]:
    return [resource.permission(verb) for resource in registry.resource_types() if resource.has(verb)]


def _all_risky(names: Iterable[str]) -> bool:
    return all(registry.permission(name).risk is Risk.HIGH for name in names)


def _choices(declared: Permission) -> tuple[str, ...]:
    return (NOTHING, HELD) if declared.scopes == registry.HELD_SCOPES else (NOTHING, *declared.scopes)


def _row(resource: ResourceType, cells: _Cells) -> Row:
    of_row = [
        cells.of(registry.permission(resource.permission(verb))) if resource.has(verb) else None
        for verb in columns()
    ]
    names = [cell.permission for cell in of_row if cell is not None]
    return Row(resource, None if resource.parent else cells.base(resource), of_row, choices_of(names))


class _Cells:
    """Makes the cells of one role."""

    def __init__(self, key: str, before: Entries, after: Entries) -> None:
        self._before, self._after = before, after
        self._was = (before["roles"].get(key) or {}).get("grants", {})
        self._own = after["roles"][key].get("grants", {})
        self._above = [after["roles"][other] for other in inherited(key, after["roles"])]

    def of(self, declared: Permission) -> Cell:
        """Return the cell of a permission."""
        own, was = scopes_of(self._own.get(declared.name)), scopes_of(self._was.get(declared.name))
        sources = [
            (role["name"], scopes)
            for role in self._above
            if (scopes := scopes_of(role.get("grants", {}).get(declared.name)))
        ]
        wider = _wider(own, (scope for _name, scopes in sources for scope in scopes))
        held = len(declared.scopes) == 1
        shown = own or wider
        kind = "own" if own else "inherited" if shown else "none"
        value = HELD if held and own else "+".join(own) or NOTHING
        changed = set(own) != set(was)
        return Cell(
            declared.name,
            self._name(declared, own, was, sources),
            short(shown, held=held),
            TONES[HELD if held and shown else _widest(shown)],
            kind,
            value,
            _choices(declared),
            self._note(own, wider, changed=changed, held=held),
            short(was, held=held),
            changed,
            declared.risk is Risk.HIGH,
        )

    def held(self, declared: Permission) -> frozenset[str]:
        """Return the scopes that are held, inherited or not, without those within another."""
        every = [self._own, *(role.get("grants", {}) for role in self._above)]
        return frozenset(
            _wider((), (scope for grants in every for scope in scopes_of(grants.get(declared.name))))
        )

    def base(self, resource: ResourceType) -> Cell:
        """Return the cell of a type's base access."""
        usual = str(BaseAccess.Access.PRIVATE)
        value = self._after["base_access"].get(resource.name, usual)
        was = self._before["base_access"].get(resource.name, usual)
        column = _("Base access")
        said = _("%(what)s: %(value)s") % {
            "what": f"{resource.label} · {column}",
            "value": SHORT[value],
        }
        if value != was:
            said = f"{said} · {_changed_from(str(SHORT[was]))}"
        return Cell(
            f"{BASE}{resource.name}",
            said,
            str(SHORT[value]),
            TONES[value],
            "own",
            value,
            tuple(BaseAccess.Access.values),
            pgettext("cell", "changed") if value != was else "",
            str(SHORT[was]),
            value != was,
        )

    def _name(
        self,
        declared: Permission,
        own: tuple[str, ...],
        was: tuple[str, ...],
        sources: list[tuple[str, tuple[str, ...]]],
    ) -> str:
        """Return what the cell says: the object, the verb, the scope, from where, and what it was."""
        held = len(declared.scopes) == 1
        resource = registry.type_of(declared.name)
        what = str(declared.label)
        if resource is not None and declared.verb in columns():
            what = f"{resource.label} · {verb_label(declared.verb)}"
        parts = [full(own, held=held)] if own or not sources else []
        parts += [
            _("%(scope)s (inherited from %(role)s)") % {"scope": full(scopes, held=held), "role": role}
            for role, scopes in sources
        ]
        said = _("%(what)s: %(value)s") % {"what": what, "value": _(", ").join(parts)}
        notes = [said]
        if set(own) != set(was):
            notes.append(_changed_from(full(was, held=held)))
        if declared.risk is Risk.HIGH:
            notes.append(_("high risk"))
        return " · ".join(notes)

    def _note(self, own: tuple[str, ...], wider: tuple[str, ...], *, changed: bool, held: bool) -> str:
        notes = [pgettext("cell", "changed")] if changed else []
        if wider and own and not held:
            notes.append(_("inherits %s") % short(wider))
        elif wider and not own:
            notes.append(pgettext("cell", "inherited"))
        return " · ".join(notes)


def _changed_from(text: str) -> str:
    return _("changed in the draft, before: %s") % text


def inherited(key: str, roles: Mapping[str, Any]) -> Iterator[str]:
    """Yield the roles that a role inherits, nearest first."""
    seen, waiting = {key}, [key]
    while waiting:
        for other in (roles.get(waiting.pop(0)) or {}).get("inherits", ()):
            if other not in seen and other in roles:
                seen.add(other)
                waiting.append(other)
                yield other


def short(scopes: Iterable[str], *, held: bool = False) -> str:
    """Return scopes as a cell shows them."""
    listed = [str(SHORT[HELD] if held else SHORT.get(scope, scope)) for scope in scopes]
    return " + ".join(listed) or str(SHORT[NOTHING])


def full(scopes: Iterable[str], *, held: bool = False) -> str:
    """Return scopes in full words."""
    listed = [str(SHORT[HELD] if held else SCOPE_LABELS.get(scope, scope)) for scope in scopes]
    return " + ".join(listed) or str(SHORT[NOTHING])


def _wider(own: tuple[str, ...], others: Iterable[str]) -> tuple[str, ...]:
    """Return what of other scopes is not within one's own, without what is within another of them."""
    listed = [scope for scope in dict.fromkeys(others) if not any(is_within(scope, each) for each in own)]
    return tuple(
        scope for scope in listed if not any(other != scope and is_within(scope, other) for other in listed)
    )


def _widest(scopes: tuple[str, ...]) -> str:
    return max(scopes, key=list(SHORT).index, default=NOTHING)
