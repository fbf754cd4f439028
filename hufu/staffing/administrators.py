"""The first administrators of a company in which nobody has a right yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from hufu.access import actions as access_actions
from hufu.access import company, reach
from hufu.access.actions import Principal
from hufu.access.models import PRINCIPALS, Administrator, Assignment, Mode, Role, RoleInherits
from hufu.access.policy_file import current_version
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.text import is_storable, is_visible
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
        "policy.approve",
    ),
    Administrator.AUDIT: ("audit.view",),
}
LONGEST_USERNAME, LONGEST_NAME, LONGEST_MAIL = 150, 120, 254


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
    if administrators := standing():
        raise Invalid(
            {
                "": [
                    _(
                        "There are administrators already: %s. Nothing was changed. Whoever lost their password "
                        "gets a new link with `hufu invite USER`; others are appointed by whoever gives "
                        "roles, from version 1 of the policy on."
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
                        "Version %s of the policy is published, and it names no administrator. Nobody can appoint "
                        "one any more: set up a new folder (HUFU_VAR)."
                    )
                    % version
                ]
            }
        )


def standing() -> list[str]:
    """Return to whom administrator roles are assigned, by name, each with what they administer."""
    posts = {
        role: [Administrator(value)]
        for role, value in Role.objects.exclude(administrator="").values_list("id", "administrator")
    }
    inherits = list(RoleInherits.objects.values_list("role_id", "inherits_id"))
    while more := [(role, other) for role, other in inherits if other in posts and role not in posts]:
        posts |= {role: posts[other] for role, other in more}
    held: dict[str, list[str]] = {}
    for row in Assignment.objects.filter(role_id__in=posts).order_by("id"):
        name = str(next(to for kind in PRINCIPALS if (to := getattr(row, kind)) is not None))
        held.setdefault(name, []).extend(str(post.label) for post in posts[row.role_id])
    comma = _(", ")
    return [
        _("%(name)s (%(posts)s)") % {"name": name, "posts": comma.join(dict.fromkeys(labels))}
        for name, labels in sorted(held.items())
    ]


def checked(person: Person) -> Person:
    """Return the person as an account can be made from it; raise Invalid, by field, for what no account can be.

    The name may be empty: whoever has an account is named by the user name alone.
    """
    problems: dict[str, list[str]] = {}
    try:
        UnicodeUsernameValidator()(person.username)
    except ValidationError:
        problems["username"] = [_("A user name is letters, digits and @ . + - _, without spaces.")]
    if len(person.username) > LONGEST_USERNAME:
        problems["username"] = [_("A user name has at most %s characters.") % LONGEST_USERNAME]
    if problem := _wrong_name(person.name):
        problems["name"] = [problem]
    if person.email:
        try:
            validate_email(person.email)
        except ValidationError:
            problems["email"] = [_("This is not a mail address.")]
        if len(person.email) > LONGEST_MAIL:
            problems["email"] = [_("A mail address has at most %s characters.") % LONGEST_MAIL]
    if problems:
        raise Invalid(problems)
    return person


def appoint(
    actor: Actor, posts: Mapping[Administrator, Person], *, mode: Mode, company_name: str = ""
) -> list[Appointed]:
    """Set the company up: its name and mode, the administrator roles, the accounts, and who is what.

    An account that stands is taken as it is. In standard mode one person may be system and security administrator;
    the audit administrator is somebody else. In three-administrator mode the three are three people. Raise Invalid
    when there are administrators already, when posts that exclude each other fall to one person, and for an account
    that is closed; AlreadySetUp when somebody else was first. No version of the policy is published.
    """
    require_none()
    if problem := _wrong_name(company_name):
        raise Invalid({"company": [problem]})
    wanted = _people(posts, mode)
    held: dict[str, list[Administrator]] = {}
    for post, person in posts.items():
        held.setdefault(person.username, []).append(post)
    with reach.one_change():
        # From here on changes of policy wait for one another: what the first look may have missed is seen now.
        company.set_up(actor, name=company_name, mode=mode)
        require_none()
        users = _accounts(actor, wanted)
        for post, permissions in GRANTS.items():
            role = _role(actor, post, permissions)
            access_actions.assign_role(
                actor,
                role,
                to=Principal(user=users[posts[post].username]),
                reason=_("First administrators, appointed at set-up"),
            )
    return [Appointed(users[username], tuple(of)) for username, of in held.items()]


def _wrong_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return _("A name has at most %s characters.") % LONGEST_NAME
    if name and not (is_storable(name) and is_visible(name)):
        return _("This name holds characters that cannot be kept, or none that can be seen.")
    return ""


def _people(posts: Mapping[Administrator, Person], mode: Mode) -> list[Person]:
    """Return each person once; raise Invalid, by post, where posts that exclude each other fall to one of them."""
    problems: dict[str, list[str]] = {}
    wanted: dict[str, Person] = {}
    for post, person in posts.items():
        earlier = wanted.get(person.username)
        # The same person may be named twice, the second time by the user name alone.
        if earlier and earlier.name and person.name and earlier.name != person.name:
            problems[post.value] = [
                _("The user name %s is given to two people: choose another one.") % person.username
            ]
        if earlier is None or person.name:
            wanted[person.username] = person
    same = {post: person.username.casefold() for post, person in posts.items()}
    if same[Administrator.AUDIT] in (same[Administrator.SYSTEM], same[Administrator.SECURITY]):
        problems["audit"] = [_("The audit administrator watches the other two and must be somebody else.")]
    elif mode is Mode.THREE and same[Administrator.SYSTEM] == same[Administrator.SECURITY]:
        problems["security"] = [_("Three-administrator mode needs three different people.")]
    mails: dict[str, str] = {}
    for post, person in posts.items():
        mail = person.email.casefold()
        if mail and mails.setdefault(mail, person.username) != person.username:
            problems.setdefault(post.value, []).append(
                _("The mail address %s is given to two people: each has one of their own.") % person.email
            )
    if problems:
        raise Invalid(problems)
    return list(wanted.values())


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
