"""Delegated administration: somebody gives some roles, by name, to the people of a part of the company.

Nobody entrusts themselves, and no role that makes an administrator is given so. What is given to a group, department,
position, post or level reaches people elsewhere and stays with those who may give roles without a limit.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, publishing
from hufu.access.delegated_models import Delegated, DelegatedRole
from hufu.access.models import Role, RoleInherits
from hufu.audit import Subject, Target, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Department, User


def entrust(actor: Actor, user: User, *, within: Department, roles: Sequence[Role], reason: str) -> bool:
    """Let somebody give exactly these roles within a department and below; return whether anything changed."""
    if not publishing.is_on():
        guard.authorize(actor, "role.manage")
        guard.authorize(actor, "role.assign")
    if user.id == actor.user_id:
        raise guard.denied(actor, "role.assign")
    for role in roles:
        if makes_administrator(role):
            raise Invalid(
                {
                    "roles": [
                        _("“%s” makes an administrator: it cannot be given by delegated administration.")
                        % role.name
                    ]
                }
            )
    row, made = Delegated.objects.get_or_create(user=user, within=within, defaults={"reason": reason})
    wanted = {role.id: role for role in roles}
    held = set(row.delegated_roles.values_list("role_id", flat=True))
    if not made and set(wanted) == held:
        return False
    row.delegated_roles.exclude(role_id__in=wanted).delete()
    DelegatedRole.objects.bulk_create(
        DelegatedRole(delegated=row, role_id=number) for number in wanted if number not in held
    )
    record(
        actor,
        "administration.delegated",
        target=Target("user", user.id),
        subject=Subject("user", user.id),
        data={"within": within.code, "roles": sorted(role.key for role in roles)},
        reason=reason,
    )
    return True


def end(actor: Actor, row: Delegated, *, reason: str) -> None:
    """Let somebody give nothing there any more; what they gave stays."""
    if not publishing.is_on():
        guard.authorize(actor, "role.manage")
    within, user_id = row.within.code, row.user_id
    row.delegated_roles.all().delete()
    row.delete()
    record(
        actor,
        "administration.delegation_ended",
        target=Target("user", user_id),
        subject=Subject("user", user_id),
        data={"within": within},
        reason=reason,
    )


def may_give(role: Role, user: User) -> bool:
    """Say whether the one who acts was entrusted with giving this role to this person; never to themselves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.may_give_there(%s, %s)", [role.id, user.id])
        return bool(cursor.fetchone()[0])


def makes_administrator(role: Role) -> bool:
    """Say whether a role, or one that it inherits, makes an administrator."""
    inherits: dict[int, list[int]] = {}
    for holder, other in RoleInherits.objects.values_list("role_id", "inherits_id"):
        inherits.setdefault(holder, []).append(other)
    waiting, seen = [role.id], {role.id}
    while waiting:
        for other in inherits.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return Role.objects.filter(id__in=seen).exclude(administrator="").exists()
