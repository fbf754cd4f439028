"""Joiner, mover and leaver at the command line: reading who and what is named, and telling what was done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.models import Partition
from hufu.cli import asking
from hufu.cli.output import WrongUsage
from hufu.people.models import Department, Group, Level, Position, Post, User
from hufu.staffing import pending_words
from hufu.staffing.actions import UNCHANGED, Handover, Outcome, Unchanged, level_key
from hufu.staffing.actions.handover import Handed, numbers
from hufu.staffing.holdings import ROLE, Amount, Gift, HeldPost, Holdings

NOBODY = "-"


def department(code: str) -> Department:
    """Return the department with this code; raise WrongUsage where there is none."""
    return _one(Department.objects.filter(code=code), _("There is no department “%s”.") % code)


def group(key: str) -> Group:
    """Return the group with this key; raise WrongUsage where there is none."""
    return _one(Group.objects.filter(key=key), _("There is no group “%s”.") % key)


def position(key: str) -> Position:
    """Return the position with this key; raise WrongUsage where there is none."""
    return _one(Position.objects.filter(key=key), _("There is no position “%s”.") % key)


def level(text: str) -> Level:
    """Return the level that LADDER.LEVEL names; raise WrongUsage where there is none."""
    ladder, _dot, key = text.partition(".")
    return _one(
        Level.objects.filter(ladder__key=ladder, key=key), _("There is no level “%s”: LADDER.LEVEL.") % text
    )


def number_or_nobody(text: str | None, find: Any) -> int | Unchanged | None:
    """Return the number of what is named, None for “-”, and UNCHANGED where nothing was said."""
    if text is None:
        return UNCHANGED
    return None if text == NOBODY else int(find(text).pk)


def handover(texts: Sequence[str], *, keep_department: bool) -> Handover:
    """Return who gets the records: USER for all of them, PARTITION=USER for those of one partition."""
    to: int | None = None
    by_partition: dict[int, int] = {}
    for text in texts:
        key, equals, name = text.partition("=")
        if not equals:
            if to is not None:
                raise WrongUsage(_("Name one successor for everything, and others as PARTITION=USER."))
            to = asking.person(text).id
            continue
        partition = _one(Partition.objects.filter(key=key), _("There is no partition “%s”.") % key)
        by_partition[partition.id] = asking.person(name).id
    return Handover(to, by_partition, keep_department)


def kept(gifts: Iterable[Gift], keys: Sequence[str]) -> list[Gift]:
    """Return the gifts of these keys; raise WrongUsage for a key that the person was not given by name."""
    gifts = list(gifts)
    known = {gift.key for gift in gifts}
    for key in keys:
        if key not in known:
            listed = _(", ").join(sorted(known))
            raise WrongUsage(
                _("“%s” was not given by name.") % key
                + (" " + _("There are: %s.") % listed if listed else "")
            )
    return [gift for gift in gifts if gift.key in keys]


def _one(found: Any, otherwise: str) -> Any:
    row = found.first()
    if row is None:
        raise WrongUsage(otherwise)
    return row


def lines(outcome: Outcome) -> list[str]:
    """Return what a deed did, in words: facts, records, gifts, memberships, reports; then what is held afterwards."""
    said = list(_changes(outcome)) or ["  " + _("Nothing changes.")]
    said += _listed(_("holds"), [_with(role.name, role.through) for role in outcome.after.roles])
    if outcome.waiting:
        names = pending_words.Names()
        said += _listed(
            _("waits for release"), [f"{names.what(row)} ({names.adds(row)})" for row in outcome.waiting]
        )
        said.append("  " + _("A security administrator releases it with `hufu release`."))
    return said


def _changes(outcome: Outcome) -> Iterator[str]:
    yield from _facts(outcome.before, outcome.after)
    yield from _records(outcome)
    ended = outcome.ended_gifts
    yield from _listed(_("roles that end"), [_gift(gift) for gift in ended if gift.kind == ROLE])
    yield from _listed(_("admissions that end"), [_gift(gift) for gift in ended if gift.kind != ROLE])
    yield from _listed(_("groups that are left"), [group.name for group in outcome.ended_groups])
    yield from _listed(_("positions that end"), [position.name for position in outcome.ended_positions])
    yield from _listed(_("posts that become vacant"), [_post(held) for held in outcome.ended_posts])
    if outcome.ended_teams:
        yield _line(_("teams that are left"), f"{outcome.ended_teams:,}")
    if outcome.handed_reports:
        names = _(", ").join(report.name for report in outcome.handed_reports)
        to = outcome.reports_to.name if outcome.reports_to else _("nobody")
        yield _line(_("direct reports"), f"{names} → {to}")


def _facts(before: Holdings, after: Holdings) -> Iterator[str]:
    facts: list[tuple[str, str, str]] = [
        (_("department"), _name(before.department), _name(after.department)),
        (
            _("other departments"),
            _(", ").join(row.name for row in before.other_departments),
            _(", ").join(row.name for row in after.other_departments),
        ),
        (_("level"), _name(before.level), _name(after.level)),
        (_("manager"), _name(before.manager), _name(after.manager)),
        (_("title"), before.title, after.title),
        (
            _("groups"),
            "",
            _(", ").join(group.name for group in after.groups if group not in before.groups),
        ),
        (
            _("positions"),
            "",
            _(", ").join(row.name for row in after.positions if row not in before.positions),
        ),
    ]
    for label, was, becomes in facts:
        if was != becomes and (becomes or label not in (_("groups"), _("positions"))):
            yield _line(label, f"{was} → {becomes or '-'}" if was else becomes)


def _records(outcome: Outcome) -> Iterator[str]:
    for (partition, owner), found in _together(outcome.handed).items():
        yield "  " + _("records in “%(partition)s” for %(person)s: %(records)s") % {
            "partition": partition,
            "person": owner,
            "records": numbers(found),
        }
    for (partition, _owner), found in _together(outcome.taken).items():
        yield "  " + _("records in “%(partition)s” taken along to %(department)s: %(records)s") % {
            "partition": partition,
            "department": _name(outcome.after.department),
            "records": numbers(found),
        }
    if not outcome.taken and outcome.after.records:
        stay: dict[str, list[Amount]] = {}
        for amount in outcome.after.records:
            stay.setdefault(amount.partition, []).append(amount)
        for partition, amounts in stay.items():
            yield "  " + _("records in “%(partition)s” that stay as they are: %(records)s") % {
                "partition": partition,
                "records": numbers(amounts),
            }


def _together(handed: Iterable[Handed]) -> dict[tuple[str, str], list[Handed]]:
    found: dict[tuple[str, str], list[Handed]] = {}
    for one in handed:
        found.setdefault((one.partition, one.owner.name), []).append(one)
    return found


def _listed(label: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield _line(label, _(", ").join(names))


def _line(label: str, value: str) -> str:
    return "  " + _("%(label)s: %(value)s") % {"label": label, "value": value}


def _with(name: str, detail: str) -> str:
    return _("%(name)s (%(detail)s)") % {"name": name, "detail": detail}


def _gift(gift: Gift) -> str:
    return _with(gift.name, gift.key)


def _post(held: HeldPost) -> str:
    return _with(held.department.name, str(Post(held.post).label))


def _name(thing: Department | Level | User | None) -> str:
    return thing.name if thing else ""


def structure(outcome: Outcome) -> dict[str, Any]:
    """Return what a deed did, for programs: keys and numbers."""
    user = outcome.user
    return {
        "person": {"id": user.id, "username": user.username, "name": user.name, "status": user.status},
        "before": _place(outcome.before),
        "after": _place(outcome.after),
        "handed": [_handed(one) | {"to": one.owner.username} for one in outcome.handed],
        "taken_along": [_handed(one) for one in outcome.taken],
        "ended": {
            "roles": [gift.key for gift in outcome.ended_gifts if gift.kind == ROLE],
            "partitions": [gift.key for gift in outcome.ended_gifts if gift.kind != ROLE],
            "groups": [group.key for group in outcome.ended_groups],
            "positions": [position.key for position in outcome.ended_positions],
            "posts": [
                {"department": held.department.code, "post": held.post} for held in outcome.ended_posts
            ],
            "teams": outcome.ended_teams,
        },
        "reports": {
            "people": [report.username for report in outcome.handed_reports],
            "to": outcome.reports_to.username if outcome.reports_to else None,
        },
        "roles": [{"role": role.key, "through": role.through} for role in outcome.after.roles],
        "waiting": [
            {"number": row.id, "field": row.field, "value": row.value, "adds": row.adds}
            for row in outcome.waiting
        ],
    }


def _handed(one: Handed) -> dict[str, Any]:
    return {"type": one.type, "partition": one.partition, "number": one.number}


def _place(held: Holdings) -> dict[str, Any]:
    return {
        "department": held.department.code if held.department else None,
        "other_departments": [row.code for row in held.other_departments],
        "level": level_key(held.level) if held.level else None,
        "manager": held.manager.username if held.manager else None,
        "title": held.title,
        "groups": [row.key for row in held.groups],
        "positions": [row.key for row in held.positions],
        "posts": [{"department": row.department.code, "post": row.post} for row in held.posts],
        "records": [
            {"type": amount.type, "partition": amount.partition, "number": amount.number}
            for amount in held.records
        ],
    }
