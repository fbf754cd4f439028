"""The way back where no security administrator can act: the operator appoints one on the server.

It is the loudest thing that the log knows, and it stands on every page of those who give roles or audit, and in what
`hufu doctor` finds, until one of them (never the one who was appointed) reviewed it.
"""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from hufu.access import guard, reach, reasons
from hufu.access.emergency_models import Emergency
from hufu.audit import Subject, Target, record
from hufu.core import clock
from hufu.core.actor import OPERATOR_ID, Actor
from hufu.core.errors import Invalid
from hufu.people.models import User


def appoint(actor: Actor, user: User, *, reason: str, even_though: bool = False) -> None:
    """Make somebody security administrator, for the operator alone; raise Invalid where somebody can still give roles,
    unless it is to be done even though they can."""
    if actor.user_id != OPERATOR_ID:
        raise guard.denied(actor, "role.assign")
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the log keeps it.")]})
    reasons.check(reason)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT hufu.appoint_in_emergency(%s, %s, %s)", [user.id, reason.strip(), even_though]
            )
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
        if name == "no_emergency":
            raise Invalid(
                {
                    "": [
                        _(
                            "There is a security administrator who can act: ask them. If it has to be done all the "
                            "same, say --even-though."
                        )
                    ]
                }
            ) from error
        if name == "nobody_to_appoint":
            raise Invalid(
                {"": [_("The account is not active, or no role of a security administrator may give roles.")]}
            ) from error
        # In three-administrator mode, say: whoever would be two administrators.
        raise Invalid(
            {
                "": [
                    _("%s administers something else, or sees business data: appoint somebody else.")
                    % user.name
                ]
            }
        ) from error
    record(
        actor,
        "security.emergency_appointed",
        target=Target("user", user.id),
        subject=Subject("user", user.id),
        data={"even_though": even_though},
        reason=reason.strip(),
    )
    reach.changed()


def unreviewed() -> list[Emergency]:
    """Return the appointments that nobody reviewed yet, oldest first, as far as the actor may know of them."""
    return list(Emergency.objects.filter(reviewed_at=None).select_related("user").order_by("id"))


def standing(actor: Actor) -> list[Emergency]:
    """Return what those who give roles or audit must be told of until it is reviewed; nothing to anybody else."""
    if not actor.is_person or not (guard.may(actor, "role.assign") or guard.may(actor, "audit.view")):
        return []
    return unreviewed()


def review(actor: Actor, number: int, *, finding: str) -> None:
    """Say what one found when one looked at an appointment.

    For whoever gives roles or audits, never for the one whom it appointed.
    """
    if not guard.may(actor, "audit.view"):
        guard.authorize(actor, "role.assign")
    row = Emergency.objects.filter(pk=number, reviewed_at=None).select_related("user").first()
    if row is None:
        raise Invalid({"": [_("Nothing is to be reviewed under the number %s.") % number]})
    if not actor.is_person or row.user_id == actor.user_id:
        raise guard.denied(actor, "role.assign")
    if not finding.strip():
        raise Invalid({"finding": [_("Say what you found: the log keeps it.")]})
    reasons.check(finding, field="finding")
    Emergency.objects.filter(pk=row.pk).update(
        reviewed_by=actor.user_id, reviewed_at=clock.now(), review=finding.strip()
    )
    record(
        actor,
        "security.emergency_reviewed",
        target=Target("user", row.user_id),
        subject=Subject("user", row.user_id),
        data={"number": row.pk},
        reason=finding.strip(),
    )
