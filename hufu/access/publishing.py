"""Who may change definitions in this transaction; the database's half is hufu/access/sql/change_sets.sql.

Before version 1 whoever manages roles. From then on nobody by a deed of their own: a change set is published, or
rehearsed, and the deeds of its plan run in that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard
from hufu.access.decision.decide import Code, Decision, Link
from hufu.access.models import Version
from hufu.core.actor import Actor
from hufu.core.errors import Denied
from hufu.core.transaction import current_unit, undone

_CACHE = "access.publishing"


def is_on() -> bool:
    """Say whether this transaction publishes or rehearses a change set."""
    return bool(current_unit().cache.get(_CACHE))


def authorize(actor: Actor, permission: str = "role.manage") -> None:
    """Raise Denied unless the actor may change definitions here and now."""
    if is_on():
        return
    guard.authorize(actor, permission)
    if Version.objects.exists():
        raise Denied(
            Decision(
                False, permission, actor.user_id, Code.NO_GRANT, missing=(Link(Code.NO_GRANT, permission),)
            ),
            _("Version 1 of the policy stands: definitions change through change sets."),
            event={
                "type": "access.refused",
                "data": {"permission": permission},
                "reason": "needs_change_set",
            },
        )


@contextmanager
def publishing(number: int, reason: str) -> Iterator[int]:
    """Publish a change set: yield the number of the version, and let the body carry its plan out.

    The database asks who may: it refuses with an error that is no sentence, so ask before.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.publish(%s, %s)", [number, reason])
        [version] = cursor.fetchone()
    with _marked():
        yield version


@contextmanager
def rehearsing() -> Iterator[None]:
    """Let the body change definitions, and undo everything at its end: nothing of it is kept, no event either.

    The lock on which changes of policy serialise is held only until then.
    """
    with undone():
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.rehearse()")
        with _marked():
            yield


@contextmanager
def _marked() -> Iterator[None]:
    cache = current_unit().cache
    cache[_CACHE] = True
    try:
        yield
    finally:
        cache.pop(_CACHE, None)
