"""The related team of a record: who works on it beside its owner."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.access import guard, reach
from hufu.access.models import TeamMember
from hufu.access.registry import ResourceType
from hufu.audit import record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable
from hufu.crm.actions.common import call, target

LONGEST_ROLE = 80


def add_member(
    actor: Actor, resource: ResourceType, record_id: int, *, who: int, access: str, role: str = ""
) -> None:
    """Put a colleague into the related team of a record, or change what a member may do.

    The colleague must be active and admitted to the partition; nobody gives an edit that they do not have, nor
    anything to themselves.
    """
    current = guard.use(actor, resource.permission("share"), record_id)
    if access not in TeamMember.Access.values:
        raise Invalid({"access": [_("Choose whether they may view or also edit.")]})
    if who == actor.user_id:
        raise Invalid({"who": [_("Nobody gives rights to themselves.")]})
    if who == current.owner_id:
        raise Invalid({"who": [_("This person owns the record already.")]})
    if access == TeamMember.Access.EDIT and not guard.may_give_edit(actor, resource, current):
        raise guard.denied(actor, resource.permission("edit"), current)
    if not is_storable(role):
        raise Invalid({"role": [_("This text cannot be stored. Type it anew.")]})
    if len(role) > LONGEST_ROLE:
        raise Invalid({"role": [_("Too long: at most %s characters.") % LONGEST_ROLE]})
    if not call(f"hufu.join_{resource.table}", record_id, who, access, role):
        raise Invalid(
            {
                "who": [
                    _(
                        "This person is not admitted to the record's partition (to edit: not with the right to edit),"
                        " or the account is closed. A partition's owner can admit them."
                    )
                ]
            }
        )
    reach.shares_changed()
    record(
        actor,
        f"{resource.name}.member_joined",
        target=target(resource, current),
        data={"member": who, "access": access, "role": role or None},
    )


def remove_member(actor: Actor, resource: ResourceType, record_id: int, *, who: int) -> bool:
    """Take somebody out of the team: whoever may share the record does, and everybody for themselves.

    Return whether they were in it.
    """
    verb = "view" if who == actor.user_id else "share"
    current = guard.get(actor, resource.permission(verb), record_id)
    if not call(f"hufu.leave_{resource.table}", record_id, who):
        return False
    reach.shares_changed()
    record(
        actor,
        f"{resource.name}.member_left",
        target=target(resource, current),
        data={"member": who},
    )
    return True
