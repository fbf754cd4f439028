"""Principals as one text each, the same as hufu.principal() in the database: `user:3`, `department:5.head+`."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.actions import Principal
from hufu.core.errors import Invalid
from hufu.people.models import Department, Group, Level, Position, User

_SHAPE = re.compile(r"(user|group|position|level|department):([1-9][0-9]{0,8})(?:\.(head|assistant))?(\+)?")
_MODELS: dict[str, Any] = {
    "user": User,
    "group": Group,
    "position": Position,
    "level": Level,
    "department": Department,
}


def read(text: str) -> Principal:
    """Return the principal that a text names; raise Invalid (under `to`) where it names none that there is."""
    found = _SHAPE.fullmatch(text)
    if found is None or (found[1] != "department" and (found[3] or found[4])):
        raise Invalid({"to": [_("Choose somebody to share with.")]})
    thing = _MODELS[found[1]].objects.filter(pk=int(found[2])).first()
    if thing is None:
        raise Invalid({"to": [_("Choose somebody to share with.")]})
    return Principal(**{found[1]: thing}, post=found[3] or "", below=bool(found[4]))
