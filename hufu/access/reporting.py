"""Reporting sign-in: a person's own login to the database, which sees exactly their rows, as `report` shows them.

The login is opened and closed by the operator, on the server; whether its person may read by it says the policy
(`report.sign_in`), at every statement. `logins` tells how each stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard
from hufu.audit import Target, record
from hufu.core import clock
from hufu.core.actor import OPERATOR_ID, Actor
from hufu.core.errors import Invalid
from hufu.core.postgres.logins import LONGEST_NAME
from hufu.people.models import Status, User

PERMISSION = "report.sign_in"
# The words of hufu.reporting_problem.
PROBLEMS: Mapping[str, str | Promise] = {
    "": gettext_lazy("may read"),
    "nobody": gettext_lazy("not opened"),
    "ended": gettext_lazy("has ended"),
    "inactive": gettext_lazy("the account is not active"),
    "stale": gettext_lazy("a right began or ended: SELECT report.begin() goes on"),
    "permission": gettext_lazy("the policy does not allow it: report.sign_in is missing"),
    "gate": gettext_lazy("an access limit is in the way: for reporting tools it counts as closed"),
}


@dataclass(frozen=True)
class Login:
    """A login that was opened, and why its person may not read by it now: a word of PROBLEMS."""

    name: str
    user_id: int
    opened_at: datetime
    ends_at: datetime | None
    reason: str
    problem: str


def open_login(operator: Actor, user: User, *, reason: str, ends_at: datetime | None = None) -> Login:
    """Let somebody have a login to the database, and return it; the server's part is still to be done.

    Raise Denied for anybody but the operator, Invalid where it cannot be.
    """
    _require_operator(operator)
    problems = {}
    if not reason.strip():
        problems["reason"] = [_("Say why: the log keeps it.")]
    if user.status != Status.ACTIVE:
        problems["user"] = [_("The account of %s is not active.") % user.name]
    if ends_at is not None and ends_at <= clock.now():
        problems["ends"] = [_("The end lies in the past.")]
    if problems:
        raise Invalid(problems)
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.open_reporting(%s, %s, %s)", [user.id, ends_at, reason.strip()])
        [name] = cursor.fetchone()
    if name is None:
        raise Invalid(
            {
                "user": [
                    _("%(name)s has a login already. End it first: hufu reporting close %(username)s")
                    % {"name": user.name, "username": user.username}
                ]
            }
        )
    if len(name.encode()) > LONGEST_NAME:
        raise Invalid({"": [_("The name of the database is too long for logins of its own.")]})
    record(
        operator,
        "reporting.opened",
        target=Target("user", user.id),
        data={"ends_at": ends_at.isoformat(timespec="seconds") if ends_at else None},
        reason=reason.strip(),
    )
    return next(login for login in logins(operator) if login.user_id == user.id)


def close_login(operator: Actor, user: User) -> str:
    """End somebody's login, and return its name; from the next statement on it is nobody's.

    Raise Denied for anybody but the operator, Invalid where none is open.
    """
    _require_operator(operator)
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.close_reporting(%s)", [user.id])
        [name] = cursor.fetchone()
    if name is None:
        raise Invalid({"user": [_("%s has no login. `hufu reporting list` shows all.") % user.name]})
    record(operator, "reporting.closed", target=Target("user", user.id))
    return str(name)


def logins(operator: Actor) -> list[Login]:
    """Return the open logins, for the operator; raise Denied for anybody else."""
    _require_operator(operator)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT login, user_id, opened_at, ends_at, reason, problem FROM hufu.reporting_logins()"
        )
        return [Login(*row) for row in cursor.fetchall()]


def _require_operator(actor: Actor) -> None:
    if actor.user_id != OPERATOR_ID:
        raise guard.denied(actor, PERMISSION)
