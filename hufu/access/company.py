"""The company itself: its name and how it is administered, chosen once at set-up; and what that mode forbids."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from hufu.access import guard, registry
from hufu.access.models import Administrator, Assignment, Company, Grant, Mode, Role, RoleInherits
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid, Unavailable
from hufu.people.models import User

THE_COMPANY = 1


class AlreadySetUp(Invalid):
    """The company was set up, perhaps at this very moment by somebody else."""

    def __init__(self) -> None:
        super().__init__({"": [_("The company has been set up already. Nothing was changed.")]})


def never_set_up() -> bool:
    """Say whether nobody and nothing was ever entered here. Anybody may ask, without an identity.

    Raise Unavailable while the database is away.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT hufu.never_set_up()")
            return bool(cursor.fetchone()[0])
    except OperationalError as error:
        raise Unavailable(str(error)) from error


def current() -> Company | None:
    """Return the company as it was set up; None where that was never done (policies of the command line alone)."""
    return Company.objects.first()


def mode() -> Mode:
    """Return how the company is administered: in standard mode unless it was set up otherwise."""
    found = current()
    return Mode(found.mode) if found else Mode.STANDARD


def set_up(actor: Actor, *, name: str, mode: Mode) -> Company:
    """Declare the company's name and mode, once and for good; raise AlreadySetUp when somebody was first.

    INVARIANT: the row has one possible number, so that of two at the same moment one fails.
    """
    guard.authorize(actor, "role.manage")
    made = Company(id=THE_COMPANY, name=name, mode=mode)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        raise AlreadySetUp from None
    record(actor, "company.set_up", data={"name": name, "mode": str(mode)})
    return made


def require_apart(role: Role, user: User | None) -> None:
    """Raise Invalid unless the company's mode allows this role for this user, beside what they hold directly.

    What roles inherit counts. The database refuses the same, and a role that is widened afterwards, too
    (sql/company.sql). What reaches somebody through a department or a level is not looked at here.
    """
    three = mode() is Mode.THREE
    makes = _administers([role.id])
    if user is None:
        if three and makes:
            raise Invalid(
                {
                    "to": [
                        _(
                            "In three-administrator mode “%s” is given to a person, not to a group of people: "
                            "the three administrators are three people."
                        )
                        % role.name
                    ]
                }
            )
        return
    held = _held_directly(user)
    kinds = _administers(held)
    for kind in sorted(makes):
        _require_separate(kind, kinds | (makes - {kind}), user, three=three)
    if three and (makes or kinds) and sees_business([role.id, *(held if makes else ())]):
        raise Invalid({"to": [_business_refused(user)]})


def administers_more(user_id: int) -> bool:
    """Say whether somebody is an administrator of a kind that the one who acts is not. Asked by who manages people."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.administers_more(%s)", [user_id])
        return bool(cursor.fetchone()[0])


def sees_business(roles: Iterable[int]) -> bool:
    """Say whether one of these roles, by itself or by a role that it inherits, has a permission on business data."""
    permissions = Grant.objects.filter(role_id__in=_with_inherited(roles)).values_list(
        "permission", flat=True
    )
    return any(registry.type_of(permission) is not None for permission in permissions.distinct())


def _administers(roles: Iterable[int]) -> set[Administrator]:
    """Return which administrators these roles make, by themselves or by roles that they inherit."""
    made = Role.objects.filter(id__in=_with_inherited(roles)).exclude(administrator="")
    return {Administrator(kind) for kind in made.values_list("administrator", flat=True)}


def _with_inherited(roles: Iterable[int]) -> set[int]:
    inherits: dict[int, list[int]] = {}
    for role, other in RoleInherits.objects.values_list("role_id", "inherits_id"):
        inherits.setdefault(role, []).append(other)
    reached: set[int] = set()
    waiting = list(roles)
    while waiting:
        role = waiting.pop()
        if role not in reached:
            reached.add(role)
            waiting += inherits.get(role, [])
    return reached


def business_sql() -> str:
    """Return SQL that tells the database which permissions are about business data."""
    names = ", ".join(f"'{resource.name}'" for resource in registry.resource_types())
    return f"""
CREATE OR REPLACE FUNCTION hufu.is_business(permission text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp AS
$$ SELECT split_part(permission, '.', 1) IN ({names}) $$;
"""


def _held_directly(user: User) -> list[int]:
    """Return the roles that were given to this very person and have not ended; those to come count, too."""
    rows = Assignment.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=clock.now()), user=user)
    return list(rows.values_list("role_id", flat=True))


def _require_separate(
    kind: Administrator, kinds: Collection[Administrator], user: User, *, three: bool
) -> None:
    audits = kind is Administrator.AUDIT
    clash = [
        other for other in kinds if other is not kind and (three or audits != (other is Administrator.AUDIT))
    ]
    if not clash:
        return
    what = {"name": user.name, "held": clash[0].label, "wanted": kind.label}
    if three:
        said = _(
            "%(name)s is “%(held)s” and cannot be “%(wanted)s” as well: in three-administrator mode these are "
            "three people."
        )
    else:
        said = _(
            "%(name)s is “%(held)s” and cannot be “%(wanted)s” as well: whoever audits must be somebody else."
        )
    raise Invalid({"to": [said % what]})


def _business_refused(user: User) -> str:
    return (
        _(
            "%s would administer and see business data: in three-administrator mode no administrator holds a role "
            "with permissions on customers or other business records."
        )
        % user.name
    )
