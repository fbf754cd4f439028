"""Access requests in the words of an explanation: by which one something was given, and which one would help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.decision.decide import Decision
from hufu.access.decision.requests import Asking, helpful
from hufu.access.decision.terms import Share


def given_sentence(request: int) -> str:
    """Return that a share was given on request."""
    return _("It was asked for with access request %s, and ends by itself.") % request


def across_sentence(person: str, partition: str, owner: str) -> str:
    """Return by whom somebody was let through the wall to one record."""
    words = {"person": person, "partition": partition, "owner": owner}
    return (
        _(
            "%(person)s is not admitted to partition “%(partition)s”. %(owner)s, for its owner, let this share reach "
            "them across the wall: this record and what follows it, nothing else."
        )
        % words
    )


def hint_sentences(decision: Decision, who: str) -> Iterator[str]:
    """Yield which requests would help."""
    for hint in helpful(decision):
        words: dict[str, Any] = {"person": who}
        if hint.asking is Asking.WALL:
            yield _(
                "No access request helps here: shares and roles do not reach across the wall of the partition. Whoever "
                "may share the record can ask the partition's owner to let a share of it across."
            )
        elif hint.asking is Asking.PERMISSION:
            words["permission"] = registry.permission(hint.permission).label
            yield (
                _(
                    "%(person)s can ask for “%(permission)s”: whoever may give a role that grants it can do so "
                    "until a day."
                )
                % words
            )
        elif hint.opens is Share.EDIT:
            yield (
                _(
                    "%(person)s can ask for access to the record: whoever may share it can open it until a day, "
                    "to view and edit."
                )
                % words
            )
        else:
            yield (
                _(
                    "%(person)s can ask for access to the record: whoever may share it can open it until a day, "
                    "to view."
                )
                % words
            )


def structure(decision: Decision) -> list[dict[str, Any]]:
    """Return the requests that would help, for programs."""
    return [
        {
            "for": str(hint.asking),
            "access": {Share.READ: "read", Share.EDIT: "edit"}.get(hint.opens),
            "permission": hint.permission or None,
        }
        for hint in helpful(decision)
    ]
