"""Pieces of sentences that several parts of the program put together."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

_KINDS: dict[str, Promise] = {
    "user": pgettext_lazy("kind of thing", "user"),
    "group": pgettext_lazy("kind of thing", "group"),
    "department": pgettext_lazy("kind of thing", "department"),
    "level": pgettext_lazy("kind of thing", "level"),
    "position": pgettext_lazy("kind of thing", "position"),
    "role": pgettext_lazy("kind of thing", "role"),
    "partition": pgettext_lazy("kind of thing", "partition"),
    "rule": pgettext_lazy("kind of thing", "sharing rule"),
    "territory": pgettext_lazy("kind of thing", "territory"),
}


def unknown(kind: str, name: object) -> str:
    """Return the sentence that there is no such user, group, …; an unknown kind raises KeyError."""
    return _("There is no %(kind)s “%(name)s”.") % {"kind": _KINDS[kind], "name": name}


def joined(*sentences: object) -> str:
    """Return sentences as one text: with a space between them where the language has one there."""
    said = str(sentences[0])
    for following in sentences[1:]:
        said = _("%(one)s %(next)s") % {"one": said, "next": following}
    return said
