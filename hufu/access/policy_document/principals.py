"""Principals and moments of a policy document, read and written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, make_aware
from django.utils.translation import gettext as _

from hufu.access.actions import Principal
from hufu.access.models import PRINCIPALS, Admission, Assignment
from hufu.access.policy_document.draft import Problems
from hufu.core import wording
from hufu.people.models import Department, Group, Level, Position, Post, User


def read_principal(place: str, entry: Any, problems: Problems) -> Principal | None:
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
    found = find_principal(kind, name)
    if found is None:
        problems.add(place, wording.unknown(kind, name))
        return None
    return Principal(**{kind: found}, below=bool(entry.get("below")), post=post)


def find_principal(kind: str, name: str) -> Any:
    """Return what a document names so, or None."""
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


def principal_words(principal: Principal) -> str:
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


def export_principal(row: Assignment | Admission | Principal) -> dict[str, Any]:
    to: dict[str, Any]
    if row.user is not None:
        to = {"user": row.user.username}
    elif row.group is not None:
        to = {"group": row.group.key}
    elif row.position is not None:
        to = {"position": row.position.key}
    elif row.level is not None:
        to = {"level": f"{row.level.ladder.key}.{row.level.key}"}
    else:
        assert row.department is not None
        to = {
            "department": row.department.code,
            **({"post": row.post} if row.post else {}),
            **({"below": True} if row.below else {}),
        }
    return to


def read_moment(place: str, value: Any, problems: Problems) -> datetime | None:
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
