"""What a policy document says, checked and compared with the policy that stands: the steps from here to there.

Planning reads and changes nothing. It finds everything that is wrong with a document, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.timezone import get_current_timezone, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import actions, registry
from hufu.access.actions import Binds, Principal
from hufu.access.decision import gates
from hufu.access.decision.terms import Right
from hufu.access.fields import CLOSABLE
from hufu.access.models import (
    PRINCIPALS,
    Administrator,
    Admission,
    Assignment,
    BaseAccess,
    Gate,
    Partition,
    Role,
    RoleInherits,
)
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Department, Group, Level, Position, Post, User

SECTIONS = {
    "format",
    "organisation",
    "partitions",
    "base_access",
    "roles",
    "assignments",
    "admissions",
    "gates",
}
ROLE_KEYS = {"key", "name", "description", "administrator", "inherits", "grants"}
GIVEN_KEYS = {"to", "reason", "starts", "ends"}
GATE_KEYS = {"key", "name", "conditions", "binds"}
CONDITION_HELP: dict[str, str | Promise] = {
    "conditions": gettext_lazy("Name one or more of: networks, hours, trusted_device, second_factor."),
    "networks": gettext_lazy("List networks such as 10.1.0.0/16 or 2001:db8::/32."),
    "hours": gettext_lazy("Name zone, days, from and to; holidays and working_days if you like."),
    "hours.zone": gettext_lazy("Name a time zone such as Asia/Shanghai."),
    "hours.days": gettext_lazy("List days of the week: mon, tue, wed, thu, fri, sat, sun."),
    "hours.from": gettext_lazy('Write a time such as "09:00", in quotes.'),
    "hours.to": gettext_lazy('Write a time such as "18:00", in quotes, other than the beginning.'),
    "hours.holidays": gettext_lazy("List days such as 2027-10-01."),
    "hours.working_days": gettext_lazy("List days such as 2027-10-10."),
    "trusted_device": gettext_lazy("Write true, or leave it out."),
    "second_factor": gettext_lazy("Write the minutes that a proof counts as fresh, from 1 to 1440."),
}
# The longest that the columns hold.
LONGEST = {"key": 64, "code": 64, "name": 120}


class Problems:
    """Everything that is wrong with a file, with the place of each."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, place: str, message: str) -> None:
        self.found.setdefault(place, []).append(message)

    def check_keys(self, place: str, entry: Any, allowed: Iterable[str], required: Iterable[str]) -> bool:
        """Say whether `entry` is a mapping of allowed keys that has the required ones."""
        if not isinstance(entry, Mapping):
            self.add(place, _("This must be a mapping."))
            return False
        before = len(self.found.get(place, ()))
        for key in sorted(set(map(str, entry)) - set(allowed)):
            self.add(place, _("There is no setting “%s” here.") % key)
        for key in required:
            if entry.get(key) in (None, ""):
                self.add(place, _("“%s” is missing.") % key)
        for key, longest in LONGEST.items():
            value = entry.get(key)
            if value is None or key not in allowed:
                continue
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                self.add(place, _("“%s” must be text; put it in quotes.") % key)
            elif len(str(value)) > longest:
                self.add(
                    place,
                    _("“%(key)s” is longer than %(longest)s characters.") % {"key": key, "longest": longest},
                )
        return len(self.found.get(place, ())) == before

    def entries(self, section: str, entries: Any) -> Iterator[tuple[str, Any]]:
        """Yield (place, entry) for a list; anything else is a problem, and nothing at all is an empty list."""
        if entries is None:
            return
        if not isinstance(entries, list):
            self.add(section, _("This must be a list."))
            return
        for index, entry in enumerate(entries, start=1):
            yield f"{section}[{index}]", entry

    def names(self, place: str, entries: Any) -> list[str]:
        """Return a list of names; a single name may stand alone."""
        listed = entries if isinstance(entries, list) else [] if entries is None else [entries]
        for entry in listed:
            if isinstance(entry, bool) or not isinstance(entry, (str, int)):
                self.add(place, _("This must be a list of names."))
                return []
        return list(dict.fromkeys(map(str, listed)))

    def stop(self) -> None:
        """Raise Invalid where something was found."""
        if self.found:
            raise Invalid(self.found)


@dataclass(frozen=True)
class Step:
    """One difference between a document and the policy that stands, and the deed that ends it.

    `label` names it by numbers, for the log; `words` as the document does.
    """

    place: str
    label: str
    words: str
    creates: bool
    deed: Callable[[Actor], object]


@dataclass
class _Plan:
    """What is planned so far. A partition or role that the plan creates is None until its step was done."""

    problems: Problems = field(default_factory=Problems)
    steps: list[Step] = field(default_factory=list)
    partitions: dict[str, Partition | None] = field(default_factory=dict)
    roles: dict[str, Role | None] = field(default_factory=dict)
    inherits: dict[str, list[str]] = field(default_factory=dict)
    administrators: set[str] = field(default_factory=set)

    def add(
        self, place: str, label: str, deed: Callable[[Actor], object], *, creates: bool, words: str = ""
    ) -> None:
        self.steps.append(Step(place, label, words or label, creates, deed))

    def partition(self, key: str) -> Partition:
        found = self.partitions[key]
        assert found is not None
        return found

    def role(self, key: str) -> Role:
        found = self.roles[key]
        assert found is not None
        return found


def plan(document: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return the steps that bring the policy to what the document says, in their order; none where it stands.

    Raise Invalid with everything that is wrong with the document.
    """
    draft = _Plan()
    if draft.problems.check_keys("", document, SECTIONS, ("format",)) and document["format"] != 1:
        draft.problems.add("format", _("This version reads format 1."))
    draft.problems.stop()
    _plan_partitions(draft, document.get("partitions"))
    _plan_base_access(draft, document.get("base_access"))
    _plan_roles(draft, document.get("roles"))
    _plan_given(draft, "assignments", document.get("assignments"))
    _plan_given(draft, "admissions", document.get("admissions"))
    _plan_gates(draft, document.get("gates"))
    draft.problems.stop()
    return tuple(draft.steps)


def _plan_partitions(draft: _Plan, entries: Any) -> None:
    draft.partitions.update({partition.key: partition for partition in Partition.objects.all()})
    named: set[str] = set()
    for place, entry in draft.problems.entries("partitions", entries):
        if not draft.problems.check_keys(place, entry, ("key", "name"), ("key", "name")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if _again(draft, place, key, named):
            continue
        label = f"partition:{key}"
        standing = draft.partitions.setdefault(key, None)
        if standing is None:
            draft.add(place, label, partial(_create_partition, draft, key, name), creates=True)
        elif standing.name != name:
            rename = partial(actions.rename_partition, partition=standing, name=name)
            draft.add(place, label, rename, creates=False)


def _create_partition(draft: _Plan, key: str, name: str, actor: Actor) -> None:
    draft.partitions[key] = actions.create_partition(actor, key=key, name=name)


def _plan_base_access(draft: _Plan, entry: Any) -> None:
    """Plan what the document says of types (type: private, public_read or public_read_write); others stay."""
    if entry is None:
        return
    types = [resource.name for resource in registry.resource_types() if not resource.parent]
    if not draft.problems.check_keys("base_access", entry, types, ()):
        return
    standing = dict(BaseAccess.objects.values_list("type", "access"))
    for type_name, access in entry.items():
        place = f"base_access.{type_name}"
        if access not in BaseAccess.Access.values:
            draft.problems.add(
                place,
                _("“%(text)s” is not one of: %(allowed)s.")
                % {"text": access, "allowed": ", ".join(BaseAccess.Access.values)},
            )
        elif standing.get(type_name, BaseAccess.Access.PRIVATE) != access:
            deed = partial(actions.set_base_access, type_name=type_name, access=str(access))
            draft.add(place, f"base_access:{type_name}", deed, creates=type_name not in standing)


def _plan_roles(draft: _Plan, entries: Any) -> None:
    standing = {role.key: role for role in Role.objects.all()}
    held: dict[str, list[str]] = {key: [] for key in standing}
    for key, other in RoleInherits.objects.order_by("id").values_list("role__key", "inherits__key"):
        held[key].append(other)
    draft.roles.update(standing)
    draft.inherits.update(held)
    draft.administrators.update(key for key, role in standing.items() if role.administrator)
    named: dict[str, str] = {}
    for place, entry in draft.problems.entries("roles", entries):
        if not draft.problems.check_keys(place, entry, ROLE_KEYS, ("key", "name")):
            continue
        key = str(entry["key"])
        if _again(draft, place, key, named):
            continue
        named[key] = place
        _plan_role(draft, place, key, entry)
    for key, place in named.items():
        others = draft.inherits[key]
        for other in others:
            if other not in draft.roles:
                draft.problems.add(f"{place}.inherits", _("There is no role “%s”.") % other)
        if circle := _circle(key, draft.inherits):
            draft.problems.add(
                f"{place}.inherits", _("Roles would inherit in a circle: %s.") % " → ".join(circle)
            )
    # What ends comes first: between two circle-free policies there is then none with a circle.
    for wider in (False, True):
        for key, place in named.items():
            before = held.get(key, [])
            after = [other for other in before if other in draft.inherits[key]]
            if wider:
                before, after = after, draft.inherits[key]
            if set(before) != set(after):
                deed = partial(_inherit, draft, key, after)
                draft.add(place, f"role:{key}", deed, creates=key not in standing)
    _refuse_administrators_on_levels(draft, named)


def _refuse_administrators_on_levels(draft: _Plan, named: Mapping[str, str]) -> None:
    """Find roles that hang on a level already and would come to be, or to inherit, an administrator role."""
    on_levels = Assignment.objects.filter(level__isnull=False).values_list("role__key", flat=True)
    for key in sorted(set(on_levels)):
        holds = _with_inherited(key, draft.inherits)
        if holds & draft.administrators:
            place = next((named[role] for role in sorted(holds) if role in named), "roles")
            _refuse_administrator(draft, place, key)


def _plan_role(draft: _Plan, place: str, key: str, entry: Mapping[str, Any]) -> None:
    grants = _grants(draft.problems, f"{place}.grants", entry.get("grants"))
    draft.inherits[key] = draft.problems.names(f"{place}.inherits", entry.get("inherits"))
    values = {
        "name": str(entry["name"]),
        "description": str(entry.get("description") or ""),
        "administrator": str(entry.get("administrator") or ""),
    }
    if values["administrator"] not in Administrator.values:
        draft.problems.add(
            f"{place}.administrator",
            _("“%s” is not one of system, security, audit.") % values["administrator"],
        )
    draft.administrators.discard(key)
    if values["administrator"]:
        draft.administrators.add(key)
    standing = draft.roles.setdefault(key, None)
    if standing is None:
        draft.add(place, f"role:{key}", partial(_create_role, draft, key, grants, values), creates=True)
    elif actions.role_differs(standing, grants=grants, **values):
        draft.add(place, f"role:{key}", partial(_change_role, standing, grants, values), creates=False)


def _create_role(
    draft: _Plan, key: str, grants: dict[str, list[str]], values: dict[str, str], actor: Actor
) -> None:
    draft.roles[key] = actions.create_role(actor, key=key, grants=grants, **values)


def _change_role(role: Role, grants: dict[str, list[str]], values: dict[str, str], actor: Actor) -> None:
    actions.change_role(actor, role, grants=grants, **values)


def _inherit(draft: _Plan, key: str, others: list[str], actor: Actor) -> None:
    actions.set_inherited_roles(actor, draft.role(key), [draft.role(other) for other in others])


def _again(draft: _Plan, place: str, key: str, named: set[str] | dict[str, str]) -> bool:
    """Say whether the key stood in the section before, which is a problem."""
    if key in named:
        draft.problems.add(place, _("“%s” stands here twice.") % key)
        return True
    if isinstance(named, set):
        named.add(key)
    return False


def _circle(start: str, inherits: Mapping[str, list[str]]) -> list[str] | None:
    """Return the path from a role back to itself, or None."""
    waiting = [[start]]
    seen = set()
    while waiting:
        path = waiting.pop()
        for other in inherits.get(path[-1], ()):
            if other == start:
                return [*path, other]
            if other not in seen:
                seen.add(other)
                waiting.append([*path, other])
    return None


def _with_inherited(start: str, inherits: Mapping[str, list[str]]) -> set[str]:
    """Return a role and all that it inherits."""
    found = {start}
    waiting = [start]
    while waiting:
        for other in inherits.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


def _grants(problems: Problems, place: str, entry: Any) -> dict[str, list[str]]:
    if entry is None:
        return {}
    if not isinstance(entry, Mapping):
        problems.add(place, _("This must map permissions to scopes."))
        return {}
    grants = {
        str(permission): problems.names(f"{place}.{permission}", scopes)
        for permission, scopes in entry.items()
    }
    try:
        actions.check_grants(grants)
    except Invalid as invalid:
        for where, messages in invalid.problems.items():
            for message in messages:
                problems.add(f"{place}.{where}", message)
    return grants


def _plan_given(draft: _Plan, section: str, entries: Any) -> None:
    """Plan to give the section's roles (or admissions) to principals, unless just that was given already."""
    what = "role" if section == "assignments" else "partition"
    things = draft.roles if what == "role" else draft.partitions
    present = _present(section)
    for place, entry in draft.problems.entries(section, entries):
        allowed = {what, *GIVEN_KEYS} | ({"rights"} if what == "partition" else set())
        if not draft.problems.check_keys(place, entry, allowed, (what, "to", "reason")):
            continue
        before = len(draft.problems.found)
        key = str(entry[what])
        if key not in things:
            draft.problems.add(
                f"{place}.{what}", _("There is no %(kind)s “%(name)s”.") % {"kind": what, "name": key}
            )
        principal = _principal(f"{place}.to", entry["to"], draft.problems)
        starts_at = _moment(f"{place}.starts", entry.get("starts"), draft.problems)
        ends_at = _moment(f"{place}.ends", entry.get("ends"), draft.problems)
        if starts_at and ends_at and starts_at >= ends_at:
            draft.problems.add(f"{place}.ends", _("It would end before it starts."))
        rights = _rights(place, entry.get("rights"), draft.problems) if what == "partition" else frozenset()
        if principal is not None and principal.level is not None and what == "role":
            _refuse_administrator(draft, f"{place}.to", key)
        if principal is None or len(draft.problems.found) > before:
            continue
        identity = (key, str(principal), starts_at, ends_at, rights)
        if identity in present:
            continue
        present.add(identity)
        term = {"to": principal, "reason": str(entry["reason"]), "starts_at": starts_at, "ends_at": ends_at}
        deed = (
            partial(_assign, draft, key, term)
            if what == "role"
            else partial(_admit, draft, key, {**term, "rights": rights})
        )
        words = f"{section[:-1]}:{key} → {_in_words(principal)}"
        draft.add(place, f"{section}:{key}→{principal}", deed, creates=True, words=words)


def _plan_gates(draft: _Plan, entries: Any) -> None:
    """Plan to bring each gate that the document names to exactly what it says; others stay."""
    standing = {gate.key: gate for gate in Gate.objects.all()}
    named: set[str] = set()
    for place, entry in draft.problems.entries("gates", entries):
        if not draft.problems.check_keys(place, entry, GATE_KEYS, ("key", "name", "conditions")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if _again(draft, place, key, named):
            continue
        before = len(draft.problems.found)
        conditions = _conditions(f"{place}.conditions", entry["conditions"], draft.problems)
        binds = _binds(draft, f"{place}.binds", entry.get("binds"))
        if len(draft.problems.found) > before:
            continue
        gate = standing.get(key)
        if gate is not None and (gate.name, gate.conditions) == (name, conditions):
            uses = actions.binds_of(gate)
            if set(uses.words()) == set(binds.words()):
                continue
        deed = partial(_set_gate, draft, key, name, conditions, binds)
        draft.add(place, f"gate:{key}", deed, creates=gate is None)


def _set_gate(
    draft: _Plan, key: str, name: str, conditions: dict[str, Any], binds: Binds, actor: Actor
) -> None:
    actions.set_gate(actor, key=key, name=name, conditions=conditions, binds=binds)


def _conditions(place: str, entry: Any, problems: Problems) -> dict[str, Any]:
    plain: dict[str, Any] = _plain_conditions(entry)
    try:
        gates.read(plain)
    except gates.WrongCondition as wrong:
        problems.add(
            f"{place}.{wrong.name}" if wrong.name != "conditions" else place,
            _("“%(text)s” is not understood here. %(help)s")
            % {"text": wrong.value, "help": CONDITION_HELP.get(wrong.name, CONDITION_HELP["conditions"])},
        )
    return plain


def _plain_conditions(value: Any) -> Any:
    """Return conditions with days as text, as they are kept."""
    if isinstance(value, Mapping):
        return {str(key): _plain_conditions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain_conditions(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _binds(draft: _Plan, place: str, entry: Any) -> Binds:
    problems = draft.problems
    if entry is None or not problems.check_keys(
        place, entry, ("sign_in", "permissions", "sensitivities", "roles", "principals"), ()
    ):
        return Binds()
    if not isinstance(entry.get("sign_in", False), bool):
        problems.add(f"{place}.sign_in", _("This must be true or false."))
    declared = {permission.name for permission in registry.permissions()}
    permissions = problems.names(f"{place}.permissions", entry.get("permissions"))
    for permission in permissions:
        if permission not in declared:
            problems.add(f"{place}.permissions", _("There is no permission “%s”.") % permission)
    sensitivities = problems.names(f"{place}.sensitivities", entry.get("sensitivities"))
    for sensitivity in sensitivities:
        if sensitivity not in CLOSABLE:
            problems.add(f"{place}.sensitivities", _("Name one or more of: personal, confidential."))
    roles = problems.names(f"{place}.roles", entry.get("roles"))
    for role in roles:
        if role not in draft.roles:
            problems.add(f"{place}.roles", _("There is no role “%s”.") % role)
    principals = [
        found
        for where, to in problems.entries(f"{place}.principals", entry.get("principals"))
        if (found := _principal(where, to, problems)) is not None
    ]
    return Binds(
        entry.get("sign_in") is True,
        tuple(permissions),
        tuple(sensitivities),
        tuple(roles),
        tuple(principals),
    )


def _in_words(principal: Principal) -> str:
    if principal.user is not None:
        return f"user {principal.user.username}"
    if principal.group is not None:
        return f"group {principal.group.key}"
    if principal.position is not None:
        return f"position {principal.position.key}"
    if principal.level is not None:
        return f"level {principal.level.ladder.key}.{principal.level.key}"
    assert principal.department is not None
    post = f"{principal.post} of " if principal.post else ""
    return f"{post}department {principal.department.code}{' and below' if principal.below else ''}"


def _refuse_administrator(draft: _Plan, place: str, key: str) -> None:
    for role in sorted(_with_inherited(key, draft.inherits) & draft.administrators):
        draft.problems.add(place, _("“%s” is an administrator role and cannot hang on a level.") % role)


def _assign(draft: _Plan, key: str, values: Mapping[str, Any], actor: Actor) -> None:
    actions.assign_role(actor, draft.role(key), **values)


def _admit(draft: _Plan, key: str, values: Mapping[str, Any], actor: Actor) -> None:
    actions.admit(actor, draft.partition(key), **values)


def _present(section: str) -> set[tuple[Any, ...]]:
    if section == "assignments":
        return {
            (row.role.key, str(actions.given_to(row)), row.starts_at, row.ends_at, frozenset())
            for row in Assignment.objects.select_related("role", *PRINCIPALS)
        }
    return {
        (row.partition.key, str(actions.given_to(row)), row.starts_at, row.ends_at, rights_of(row))
        for row in Admission.objects.select_related("partition", *PRINCIPALS)
    }


def rights_of(row: Admission) -> frozenset[Right]:
    """Return what an admission gives; read is always among it."""
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def _rights(place: str, entry: Any, problems: Problems) -> frozenset[Right]:
    rights = {Right.READ}
    for name in problems.names(f"{place}.rights", entry):
        try:
            rights.add(Right(name))
        except ValueError:
            problems.add(f"{place}.rights", _("“%s” is not one of read, create, edit, delete.") % name)
    return frozenset(rights)


def _principal(place: str, entry: Any, problems: Problems) -> Principal | None:
    if not problems.check_keys(place, entry, (*PRINCIPALS, "below", "post"), ()):
        return None
    named = [kind for kind in PRINCIPALS if entry.get(kind)]
    if len(named) != 1:
        problems.add(place, _("Name exactly one of: %s.") % ", ".join(PRINCIPALS))
        return None
    kind, name = named[0], str(entry[named[0]])
    if "below" in entry and (kind != "department" or not isinstance(entry["below"], bool)):
        problems.add(place, _("“below” belongs to a department and is true or false."))
        return None
    post = str(entry.get("post") or "")
    if post and (kind != "department" or post not in Post.values):
        problems.add(place, _("“post” belongs to a department and is one of: %s.") % ", ".join(Post.values))
        return None
    found = _find_principal(kind, name)
    if found is None:
        problems.add(place, _("There is no %(kind)s “%(name)s”.") % {"kind": kind, "name": name})
        return None
    return Principal(**{kind: found}, below=bool(entry.get("below")), post=post)


def _find_principal(kind: str, name: str) -> Any:
    match kind:
        case "user":
            return User.objects.filter(username=name).first()
        case "department":
            return Department.objects.filter(code=name).first()
        case "group":
            return Group.objects.filter(key=name).first()
        case "position":
            return Position.objects.filter(key=name).first()
        case _:
            ladder, _dot, key = name.partition(".")
            return Level.objects.select_related("ladder").filter(ladder__key=ladder, key=key).first()


def _moment(place: str, value: Any, problems: Problems) -> datetime | None:
    """Return a point in time; a bare date means its beginning in the company's time zone."""
    if value in (None, ""):
        return None
    text = str(value)
    try:
        moment = parse_datetime(text)
        if moment is None:
            day = parse_date(text)
            moment = datetime(day.year, day.month, day.day) if day else None
    except ValueError:
        moment = None
    if moment is None:
        problems.add(place, _("“%s” is not a date such as 2027-03-31.") % text)
        return None
    return moment if moment.tzinfo else make_aware(moment, get_current_timezone())
