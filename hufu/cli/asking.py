"""What `--as` questions have in common: whom they are about, what they ask, and their trace in the log."""

from __future__ import annotations

import difflib

from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.access.registry import Permission
from hufu.audit import Target, record
from hufu.cli.output import WrongUsage
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import User
from hufu.people.queries import find_user


def person(text: str) -> User:
    """Return whom a question is about; raise WrongUsage unless exactly one account is meant."""
    try:
        return find_user(text)
    except Invalid as invalid:
        raise WrongUsage(str(invalid)) from invalid


def permission(name: str) -> Permission:
    """Return the permission; raise WrongUsage, with the nearest names, where there is none."""
    try:
        return registry.permission(name)
    except KeyError:
        names = [declared.name for declared in registry.permissions()]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        near += [other for other in names if other.partition(".")[0] == name and other not in near]
        said = _("There is no permission “%s”.") % name
        listed = _(", ").join(near or names)
        hint = _("Did you mean: %s?") % listed if near else _("There are: %s.") % listed
        raise WrongUsage(f"{said} {hint}") from None


def record_question(operator: Actor, user: User, question: str, asked: Permission, about: str = "") -> None:
    """Leave in the log that the command line asked about somebody; the answer is not kept."""
    record(
        operator,
        "access.asked",
        target=Target("user", user.id),
        data={"question": question, "permission": asked.name, "record": about or None},
    )
