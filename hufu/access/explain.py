"""A decision in words. It names roles, levels, departments and people, never values of a record's fields."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import registry
from hufu.access.decision.decide import Code, Cover, Decision, Link
from hufu.access.decision.scopes import Scope, names
from hufu.access.decision.snapshot import Given, Snapshot
from hufu.access.decision.terms import Right

SCOPE_LABELS: dict[str, str | Promise] = {
    "own": gettext_lazy("own"),
    "subordinates": gettext_lazy("own and subordinates'"),
    "department": gettext_lazy("own department"),
    "department_and_below": gettext_lazy("own department and below"),
    "everything": gettext_lazy("everything"),
}

RIGHT_LABELS: dict[Right, str | Promise] = {
    Right.READ: gettext_lazy("read"),
    Right.CREATE: gettext_lazy("create"),
    Right.EDIT: gettext_lazy("edit"),
    Right.DELETE: gettext_lazy("delete"),
}


def scope_words(scopes: Scope) -> str:
    """Return the scopes of a mask in words."""
    return _(", ").join(str(SCOPE_LABELS[name]) for name in names(scopes))


def principal_words(snapshot: Snapshot, given: Given) -> str:
    """Return to whom something was given, in words."""
    if given.user_id is not None:
        return _("the person %s") % snapshot.people[given.user_id].name
    if given.level_id is not None:
        return _("level “%s” and those above it") % snapshot.levels[given.level_id].name
    assert given.department_id is not None
    department = snapshot.departments[given.department_id].name
    return (
        _("department “%s” and those below") % department
        if given.below
        else _("department “%s”") % department
    )


def sentences(snapshot: Snapshot, decision: Decision) -> Iterator[str]:
    """Yield the reasons, one sentence each: first the verdict, then the path or the missing links, nearest first."""
    person = snapshot.people.get(decision.person_id)
    who = person.name if person else str(decision.person_id)
    what = {"person": who, "permission": registry.permission(decision.permission).label}
    if decision.allowed:
        yield _("Yes: %(person)s may: %(permission)s.") % what
        for cover in decision.covers:
            yield from _cover_sentences(snapshot, cover)
    else:
        yield _("No: %(person)s may not: %(permission)s.") % what
        for link in decision.missing:
            yield _missing_sentence(snapshot, who, link)


def _cover_sentences(snapshot: Snapshot, cover: Cover) -> Iterator[str]:
    path = cover.path
    chain = " → ".join(f"“{snapshot.roles[role].name}”" for role in path.roles)
    yield _(
        "%(permission)s: role %(roles)s, given to %(principal)s, grants the scope %(scope)s%(until)s."
    ) % {
        "permission": registry.permission(path.permission).label,
        "roles": chain,
        "principal": principal_words(snapshot, path.assignment),
        "scope": scope_words(path.scope),
        "until": _until(path.assignment),
    }
    if cover.because:
        yield {
            Scope.OWN: _("The record is their own."),
            Scope.SUBORDINATES: _("The record's owner stands below them in the reporting line."),
            Scope.DEPARTMENT: _("The record belongs to one of their departments."),
            Scope.DEPARTMENT_AND_BELOW: _("The record belongs to one of their departments or to one below."),
            Scope.EVERYTHING: _("The scope holds every record of the partition."),
        }[cover.because]
    if cover.admission is not None and cover.admission.partition_id is not None:
        yield _("Partition “%(partition)s” is open to %(principal)s%(until)s.") % {
            "partition": snapshot.partition_names.get(
                cover.admission.partition_id, cover.admission.partition_id
            ),
            "principal": principal_words(snapshot, cover.admission),
            "until": _until(cover.admission),
        }


def _until(given: Given) -> str:
    return _(" (until %s)") % date_format(given.ends_at, "DATETIME_FORMAT") if given.ends_at else ""


def _missing_sentence(snapshot: Snapshot, who: str, link: Link) -> str:
    words = {
        "person": who,
        "permission": registry.permission(link.permission).label,
        "scope": scope_words(link.scope) if link.scope else "",
        "right": RIGHT_LABELS[link.right] if link.right else "",
    }
    return {
        Code.UNKNOWN_PERSON: _("There is no such person."),
        Code.ACCOUNT_CLOSED: _("The account of %(person)s is suspended or has left: nothing is open to it."),
        Code.NO_GRANT: _("No role of %(person)s grants “%(permission)s”."),
        Code.OUT_OF_SCOPE: _("“%(permission)s” is granted for: %(scope)s. The record is outside of that."),
        Code.NOT_ADMITTED: _(
            "%(person)s is not admitted to the record's partition with the right to %(right)s."
        ),
        Code.NO_VIEW: _("Whatever is done with a record needs “%(permission)s” on it first."),
        Code.RECORD_DELETED: _("The record is in the bin."),
        Code.NO_RECORD: _("There is no such record."),
    }[link.code] % words
