"""The policy as one readable file: partitions, roles, assignments, admissions. Applied whole, or not at all.

What the file names is created or changed; roles take exactly the file's grants; assignments and admissions
that it does not name stay. Names of departments, levels and users must exist by the time they are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, make_aware
from django.utils.translation import gettext as _

from hufu.access import actions, guard, reach
from hufu.access.actions import Principal
from hufu.access.decision.terms import Right
from hufu.access.models import Admission, Assignment, Grant, Partition, Role, RoleInherits, Version
from hufu.audit import record
from hufu.audit.canonical import to_bytes
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Department, Level, User

SECTIONS = {"format", "organisation", "partitions", "roles", "assignments", "admissions"}
ROLE_KEYS = {"key", "name", "description", "administrator", "inherits", "grants"}
GIVEN_KEYS = {"to", "reason", "starts", "ends"}


@dataclass
class Report:
    """What applying a file did."""

    version: int = 0
    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.created and not self.changed


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
        for key in sorted(set(map(str, entry)) - set(allowed)):
            self.add(place, _("There is no setting “%s” here.") % key)
        for key in required:
            if entry.get(key) in (None, ""):
                self.add(place, _("“%s” is missing.") % key)
        return place not in self.found

    def stop(self) -> None:
        """Raise Invalid where something was found."""
        if self.found:
            raise Invalid(self.found)


def apply(actor: Actor, document: Mapping[str, Any]) -> Report:
    """Bring the policy to what the document says and publish a version, or raise Invalid and change nothing.

    Applying the same document again publishes nothing.
    """
    guard.authorize(actor, "policy.apply")
    problems = Problems()
    problems.check_keys("", document, SECTIONS, ("format",))
    if document.get("format") != 1:
        problems.add("format", _("This version reads format 1."))
    problems.stop()
    report = Report()
    with reach.one_change():
        partitions = _apply_partitions(actor, document.get("partitions") or [], report, problems)
        roles = _apply_roles(actor, document.get("roles") or [], report, problems)
        _apply_given(actor, "assignments", document.get("assignments") or [], roles, report, problems)
        _apply_given(actor, "admissions", document.get("admissions") or [], partitions, report, problems)
        problems.stop()
        if not report.is_empty:
            report.version = _publish(actor, document, report)
    return report


def _publish(actor: Actor, document: Mapping[str, Any], report: Report) -> int:
    last = Version.objects.order_by("-number").first()
    number = last.number + 1 if last else 1
    digest = hashlib.sha256(to_bytes(_plain(document))).hexdigest()
    Version(number=number, published_by=actor.user_id, digest=digest).save(force_insert=True)
    record(
        actor,
        "policy.applied",
        data={
            "version": number,
            "digest": digest,
            "added": len(report.created),
            "changed": len(report.changed),
            "removed": 0,
            "changes": {"created": report.created, "changed": report.changed},
        },
    )
    return number


def _plain(value: Any) -> Any:
    """Return the document with dates as text, so that it has one canonical form."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def _apply_partitions(actor: Actor, entries: Any, report: Report, problems: Problems) -> dict[str, Partition]:
    known = {partition.key: partition for partition in Partition.objects.all()}
    for place, entry in _entries("partitions", entries, problems):
        if not problems.check_keys(place, entry, ("key", "name"), ("key", "name")):
            continue
        key, name = str(entry["key"]), str(entry["name"])
        if key not in known:
            known[key] = actions.create_partition(actor, key=key, name=name)
            report.created.append(f"partition:{key}")
        elif known[key].name != name:
            known[key].name = name
            known[key].save(update_fields=["name"])
            report.changed.append(f"partition:{key}")
    return known


def _apply_roles(actor: Actor, entries: Any, report: Report, problems: Problems) -> dict[str, Role]:
    known = {role.key: role for role in Role.objects.all()}
    inherits: dict[str, tuple[str, list[str]]] = {}
    for place, entry in _entries("roles", entries, problems):
        if not problems.check_keys(place, entry, ROLE_KEYS, ("key", "name")):
            continue
        key = str(entry["key"])
        grants = _grants(place, entry.get("grants") or {}, problems)
        inherits[key] = (place, [str(other) for other in entry.get("inherits") or []])
        values = {
            "name": str(entry["name"]),
            "description": str(entry.get("description") or ""),
            "administrator": str(entry.get("administrator") or ""),
        }
        try:
            if key not in known:
                known[key] = actions.create_role(actor, key=key, grants=grants, **values)
                report.created.append(f"role:{key}")
            elif actions.change_role(actor, known[key], grants=grants, **values):
                report.changed.append(f"role:{key}")
        except Invalid as invalid:
            for where, messages in invalid.problems.items():
                for message in messages:
                    problems.add(f"{place}.grants.{where}" if "." in where else f"{place}.{where}", message)
    for key, (place, others) in inherits.items():
        missing = [other for other in others if other not in known]
        for other in missing:
            problems.add(f"{place}.inherits", _("There is no role “%s”.") % other)
        if missing:
            continue
        cycle = _cycle(key, inherits)
        if cycle:
            problems.add(f"{place}.inherits", _("Roles would inherit in a circle: %s.") % " → ".join(cycle))
        elif (
            actions.set_inherited_roles(actor, known[key], [known[other] for other in others])
            and f"role:{key}" not in report.created + report.changed
        ):
            report.changed.append(f"role:{key}")
    return known


def _cycle(start: str, inherits: Mapping[str, tuple[str, list[str]]]) -> list[str] | None:
    """Return the path from a role back to itself, or None."""
    waiting = [[start]]
    seen = set()
    while waiting:
        path = waiting.pop()
        for other in inherits.get(path[-1], ("", []))[1]:
            if other == start:
                return [*path, other]
            if other not in seen:
                seen.add(other)
                waiting.append([*path, other])
    return None


def _grants(place: str, entry: Any, problems: Problems) -> dict[str, list[str]]:
    if not isinstance(entry, Mapping):
        problems.add(f"{place}.grants", _("This must map permissions to scopes."))
        return {}
    return {
        str(permission): [str(scope) for scope in (scopes if isinstance(scopes, list) else [scopes])]
        for permission, scopes in entry.items()
    }


def _apply_given(
    actor: Actor,
    section: str,
    entries: Any,
    known: Mapping[str, Role] | Mapping[str, Partition],
    report: Report,
    problems: Problems,
) -> None:
    """Give the section's roles (or admissions) to principals, unless just that was given already."""
    what = "role" if section == "assignments" else "partition"
    present = _present(section)
    for place, entry in _entries(section, entries, problems):
        allowed = {what, *GIVEN_KEYS} | ({"rights"} if what == "partition" else set())
        if not problems.check_keys(place, entry, allowed, (what, "to", "reason")):
            continue
        thing = known.get(str(entry[what]))
        if thing is None:
            problems.add(f"{place}.{what}", _("There is no such thing as “%s”.") % entry[what])
            continue
        principal = _principal(f"{place}.to", entry["to"], problems)
        starts_at = _moment(f"{place}.starts", entry.get("starts"), problems)
        ends_at = _moment(f"{place}.ends", entry.get("ends"), problems)
        rights = _rights(place, entry.get("rights") or [], problems)
        if principal is None or any(found.startswith(place) for found in problems.found):
            continue
        identity = (thing.pk, str(principal), starts_at, ends_at, rights)
        if identity in present:
            continue
        present.add(identity)
        term: dict[str, Any] = {"reason": str(entry["reason"]), "starts_at": starts_at, "ends_at": ends_at}
        try:
            if isinstance(thing, Role):
                actions.assign_role(actor, thing, to=principal, **term)
            else:
                actions.admit(actor, thing, to=principal, rights=rights, **term)
        except Invalid as invalid:
            problems.add(place, str(invalid))
            continue
        report.created.append(f"{section}:{entry[what]}→{principal}")


def _present(section: str) -> set[tuple[Any, ...]]:
    rows: list[Assignment] | list[Admission]
    if section == "assignments":
        rows = list(Assignment.objects.all())
        return {(row.role_id, str(_given_to(row)), row.starts_at, row.ends_at, frozenset()) for row in rows}
    return {
        (row.partition_id, str(_given_to(row)), row.starts_at, row.ends_at, _rights_of(row))
        for row in Admission.objects.all()
    }


def _given_to(row: Assignment | Admission) -> Principal:
    return Principal(row.user, row.department, row.below, row.level)


def _rights_of(row: Admission) -> frozenset[Right]:
    given = {Right.CREATE: row.can_create, Right.EDIT: row.can_edit, Right.DELETE: row.can_delete}
    return frozenset({Right.READ} | {right for right, holds in given.items() if holds})


def _rights(place: str, entry: Any, problems: Problems) -> frozenset[Right]:
    rights = set()
    for name in entry if isinstance(entry, list) else [entry]:
        try:
            rights.add(Right(str(name)))
        except ValueError:
            problems.add(f"{place}.rights", _("“%s” is not one of read, create, edit, delete.") % name)
    return frozenset(rights | {Right.READ}) if entry else frozenset()


def _principal(place: str, entry: Any, problems: Problems) -> Principal | None:
    if not problems.check_keys(place, entry, ("user", "department", "below", "level"), ()):
        return None
    named = [kind for kind in ("user", "department", "level") if entry.get(kind)]
    if len(named) != 1:
        problems.add(place, _("Name exactly one of user, department and level."))
        return None
    name = str(entry[named[0]])
    if named[0] == "user":
        user = User.objects.filter(username=name).first()
        if user is not None:
            return Principal(user=user)
    elif named[0] == "department":
        department = Department.objects.filter(code=name).first()
        if department is not None:
            return Principal(department=department, below=bool(entry.get("below")))
    else:
        ladder, _dot, key = name.partition(".")
        level = Level.objects.filter(ladder__key=ladder, key=key).first()
        if level is not None:
            return Principal(level=level)
    problems.add(place, _("There is no %(kind)s “%(name)s”.") % {"kind": named[0], "name": name})
    return None


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


def _entries(section: str, entries: Any, problems: Problems) -> Iterable[tuple[str, Any]]:
    if not isinstance(entries, list):
        problems.add(section, _("This must be a list."))
        return ()
    return ((f"{section}[{index}]", entry) for index, entry in enumerate(entries, start=1))


def export() -> dict[str, Any]:
    """Return the policy as a document that `apply` reads; needs whoever may view roles."""
    return {
        "format": 1,
        "partitions": [{"key": row.key, "name": row.name} for row in Partition.objects.order_by("id")],
        "roles": [_export_role(role) for role in Role.objects.order_by("id")],
        "assignments": [
            {"role": row.role.key, **_export_given(row)}
            for row in Assignment.objects.select_related(
                "role", "user", "department", "level__ladder"
            ).order_by("id")
        ],
        "admissions": [
            {
                "partition": row.partition.key,
                "rights": sorted(str(right) for right in _rights_of(row)),
                **_export_given(row),
            }
            for row in Admission.objects.select_related(
                "partition", "user", "department", "level__ladder"
            ).order_by("id")
        ],
    }


def _export_role(role: Role) -> dict[str, Any]:
    grants: dict[str, list[str]] = {}
    for permission, scope in (
        Grant.objects.filter(role=role).order_by("id").values_list("permission", "scope")
    ):
        grants.setdefault(permission, []).append(scope)
    exported: dict[str, Any] = {"key": role.key, "name": role.name}
    if role.description:
        exported["description"] = role.description
    if role.administrator:
        exported["administrator"] = role.administrator
    inherits = RoleInherits.objects.filter(role=role).order_by("id").values_list("inherits__key", flat=True)
    if inherits:
        exported["inherits"] = list(inherits)
    exported["grants"] = {name: scopes[0] if len(scopes) == 1 else scopes for name, scopes in grants.items()}
    return exported


def _export_given(row: Assignment | Admission) -> dict[str, Any]:
    to: dict[str, Any]
    if row.user is not None:
        to = {"user": row.user.username}
    elif row.level is not None:
        to = {"level": f"{row.level.ladder.key}.{row.level.key}"}
    else:
        assert row.department is not None
        to = {"department": row.department.code, **({"below": True} if row.below else {})}
    exported = {"to": to, "reason": row.reason}
    if row.starts_at:
        exported["starts"] = row.starts_at.isoformat()
    if row.ends_at:
        exported["ends"] = row.ends_at.isoformat()
    return exported
