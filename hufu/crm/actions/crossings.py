"""Sharing a record with one person outside the wall, and asking the partition's owner that the share reach them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from hufu.access import admission_requests, guard, quotas, reach, requests
from hufu.access.actions import Principal
from hufu.access.models import TeamMember
from hufu.access.registry import ResourceType
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.crm.actions.common import call, target
from hufu.crm.actions.shares import check_share
from hufu.people.models import User


def ask_across(
    actor: Actor,
    resource: ResourceType,
    record_id: int,
    *,
    to: User,
    access: str,
    ends_at: datetime | None,
    reason: str,
) -> int:
    """Share a record with somebody who is not admitted to its partition, and ask that this share reach them; return the
    number of the request.

    What sharing asks for is asked here, and an end. Until the partition's owner answers, the share opens nothing.
    """
    current = guard.use(actor, resource.permission("share"), record_id)
    check_share(actor, current, Principal(user=to), access, reason, None, ends_at)
    if ends_at is None:
        raise Invalid({"ends_at": [_("Name a day: what reaches across the wall ends by itself.")]})
    if ends_at > clock.now() + admission_requests.LONGEST + timedelta(days=1):
        raise Invalid({"ends_at": [_("At most %s days.") % admission_requests.LONGEST.days]})
    if access == TeamMember.Access.EDIT and not guard.may_give_edit(actor, resource, current):
        raise guard.denied(actor, resource.permission("edit"), current)
    quotas.consume(actor, requests.ASKING)
    asked: int | None = call(f"hufu.ask_across_{resource.table}", record_id, to.pk, access, ends_at, reason)
    if asked is None:
        raise Invalid(
            {
                "to": [
                    _(
                        "There is nothing to ask for this person: it is asked already, the wall is no longer in the"
                        " way, or the account is closed."
                    )
                ]
            }
        )
    reach.shares_changed()
    said = {"request": asked, "member": to.pk, "access": access, "ends_at": ends_at}
    record(actor, "admission.asked", target=target(resource, current), data=said, reason=reason)
    return asked
