"""What `--as` questions have in common: whom they are about, what they ask, and their trace in the log."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.timezone import localtime, make_aware
from django.utils.translation import gettext as _

from hufu.access import as_of, explain, guard, queries, registry
from hufu.access.decision.terms import RecordFacts
from hufu.access.registry import Permission, ResourceType
from hufu.audit import Target, record
from hufu.cli.output import WrongUsage
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.people.queries import find_user


def person(text: str) -> User:
    """Return whom a question is about; raise WrongUsage unless exactly one account is meant."""
    try:
        return find_user(text)
    except Invalid as invalid:
        raise WrongUsage(str(invalid)) from invalid


def permission(name: str) -> Permission:
    """Return the permission; raise WrongUsage, with the nearest names, where there is none."""
    try:
        return registry.permission(name)
    except KeyError:
        names = [declared.name for declared in registry.permissions()]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        near += [other for other in names if other.partition(".")[0] == name and other not in near]
        said = _("There is no permission “%s”.") % name
        listed = _(", ").join(near or names)
        hint = _("Did you mean: %s?") % listed if near else _("There are: %s.") % listed
        raise WrongUsage(f"{said} {hint}") from None


def record_named(permission: str, text: str) -> tuple[ResourceType, int]:
    """Return the type and number that TYPE:ID names; raise WrongUsage where they do not fit the permission."""
    resource = registry.type_of(permission)
    if resource is None:
        raise WrongUsage(
            _("“%(permission)s” is not about records: ask without “%(text)s”.")
            % {"permission": permission, "text": text}
        )
    if not registry.is_about_records(permission):
        raise WrongUsage(_("“%s” is about records that do not exist yet: ask without a record.") % permission)
    kind, _colon, number = text.partition(":")
    if kind != resource.name or not (number.isascii() and number.isdecimal()) or len(number) > 18:
        raise WrongUsage(
            _("“%(permission)s” is about a record such as %(type)s:1042, and “%(text)s” is none.")
            % {"permission": permission, "type": resource.name, "text": text}
        )
    return resource, int(number)


def moment(text: str) -> datetime:
    """Return the moment that a date (its beginning) or a time names, in the company's time zone unless it says one."""
    try:
        if len(text) == len("2026-03-01"):
            found = datetime.combine(date.fromisoformat(text), time())
        else:
            found = datetime.fromisoformat(text)
        found = found if found.tzinfo else make_aware(found)
        # At the ends of the calendar a moment exists in some time zones only.
        localtime(found.astimezone(UTC))
        return found
    except (ValueError, OverflowError):
        raise WrongUsage(
            _("“%s” is no moment. Write a day such as 2026-03-01 or a time such as 2026-03-01T10:00.") % text
        ) from None


def usernames(people: Iterable[int]) -> dict[int, str]:
    """Return the user names of people by their numbers."""
    return dict(User.objects.filter(id__in=list(people)).values_list("id", "username"))


@contextmanager
def of_the_past(text: str) -> Iterator[datetime]:
    """Give the moment that `--at` names to the body; raise WrongUsage for one that nothing is known about."""
    asked = moment(text)
    try:
        yield asked
    except Invalid as invalid:
        raise WrongUsage(str(invalid)) from invalid


def as_of_words(past: as_of.PastDecision | as_of.PastHolders | as_of.PastReach) -> str:
    """Return the sentence that goes with an answer about another day."""
    return explain.as_of_sentence(past.snapshot.at, past.change.number, past.change.version)


def as_of_structure(past: as_of.PastDecision | as_of.PastHolders | as_of.PastReach) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "at": past.snapshot.at.isoformat(),
        "change": past.change.number,
        "version": past.change.version,
        "gates": past.gates,
    }


def facts_of(operator: Actor, resource: ResourceType, record_id: int) -> RecordFacts | None:
    """Return what decisions look at in a record, or None where there is none; one in the bin is none here."""
    rows = guard.scope(operator, resource.permission("view")).filter(pk=record_id)
    found = guard.with_parent(resource, rows).first()
    return queries.facts(resource, found) if found is not None else None


def record_question(
    operator: Actor, user: User | None, question: str, permission: str = "", about: str = ""
) -> None:
    """Leave in the log that the command line asked about somebody, or about a record; the answer is not kept."""
    record(
        operator,
        "access.asked",
        target=Target("user", user.id) if user else None,
        data={"question": question, "permission": permission or None, "record": about or None},
    )
