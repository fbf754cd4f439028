"""The first administrators of a company in which nobody has a right yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from hufu.access import actions as access_actions
from hufu.access import reach
from hufu.access.actions import Principal
from hufu.access.models import Administrator, Assignment, Role, RoleInherits
from hufu.access.policy_file import current_version
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.staffing.actions import Person, create_users

GRANTS: dict[Administrator, tuple[str, ...]] = {
    Administrator.SYSTEM: ("user.view", "user.manage"),
    Administrator.SECURITY: (
        "user.view",
        "role.view",
        "role.manage",
        "role.assign",
        "explain.any",
        "policy.apply",
    ),
    Administrator.AUDIT: ("audit.view",),
}


@dataclass(frozen=True)
class Appointed:
    """An account and what it administers."""

    user: User
    posts: tuple[Administrator, ...]


def role_key(post: Administrator) -> str:
    """Return the key of the role; a policy file that defines a role with this key changes this one."""
    return f"{post.value}_administrator"


def require_none() -> None:
    """Raise Invalid, saying what to do, unless the first administrators may still be appointed here."""
    if administrators := _standing():
        raise Invalid(
            {
                "": [
                    _(
                        "There are administrators already: %s. To appoint others, sign in as a security "
                        "administrator. For a new link to set a password: hufu invite USER."
                    )
                    % _(", ").join(administrators)
                ]
            }
        )
    if version := current_version():
        raise Invalid(
            {
                "": [
                    _(
                        "Version %s of the policy is published: from now on a signed-in security administrator "
                        "appoints others."
                    )
                    % version
                ]
            }
        )


def _standing() -> list[str]:
    """Return the principals that administrator roles are assigned to, by name."""
    makes = set(Role.objects.exclude(administrator="").values_list("id", flat=True))
    inherits = list(RoleInherits.objects.values_list("role_id", "inherits_id"))
    while more := {role for role, inherited in inherits if inherited in makes} - makes:
        makes |= more
    rows = Assignment.objects.filter(role_id__in=makes).select_related("user", "department", "level")
    return sorted({str(row.user or row.department or row.level) for row in rows})


def appoint(actor: Actor, posts: Mapping[Administrator, Person]) -> list[Appointed]:
    """Create the administrator roles and the accounts, and assign them; an account that stands is taken as it is.

    One person may be system and security administrator; the audit administrator is somebody else. Raise Invalid
    when there are administrators already, when posts that exclude each other fall to one person, and for an
    account that is closed. No version of the policy is published.
    """
    require_none()
    if posts[Administrator.AUDIT].username in {
        posts[Administrator.SYSTEM].username,
        posts[Administrator.SECURITY].username,
    }:
        raise Invalid(
            {"audit": [_("The audit administrator watches the other two and must be somebody else.")]}
        )
    wanted: dict[str, Person] = {}
    for person in posts.values():
        # The same person may be named twice, the second time by the user name alone.
        if person.username not in wanted or person.name:
            wanted[person.username] = person
    held: dict[str, list[Administrator]] = {}
    for post, person in posts.items():
        held.setdefault(person.username, []).append(post)
    with reach.one_change():
        users = _accounts(actor, wanted.values())
        for post, permissions in GRANTS.items():
            role = _role(actor, post, permissions)
            access_actions.assign_role(
                actor,
                role,
                to=Principal(user=users[posts[post].username]),
                reason=_("First administrators, appointed by hufu setup"),
            )
    return [Appointed(users[username], tuple(of)) for username, of in held.items()]


def _accounts(actor: Actor, people: Iterable[Person]) -> dict[str, User]:
    people = list(people)
    users = {
        user.username: user for user in User.objects.filter(username__in=[one.username for one in people])
    }
    for user in users.values():
        if not user.is_active:
            raise Invalid({user.username: [_("The account %s is suspended or has left.") % user.username]})
    missing = [person for person in people if person.username not in users]
    for person in missing:
        if not person.name:
            raise Invalid(
                {person.username: [_("There is no account %s yet: give a name.") % person.username]}
            )
    users.update({user.username: user for user in create_users(actor, missing)})
    return users


def _role(actor: Actor, post: Administrator, permissions: Iterable[str]) -> Role:
    key, grants = role_key(post), {permission: ["everything"] for permission in permissions}
    values = {"name": str(post.label), "description": "", "administrator": post.value}
    standing = Role.objects.filter(key=key).first()
    if standing is None:
        return access_actions.create_role(actor, key=key, grants=grants, **values)
    access_actions.change_role(actor, standing, grants=grants, **values)
    return standing
