"""To whom something is given, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.people.models import Post


def principal_text(kind: str, name: str, *, below: bool = False, post: str = "") -> str:
    """Return a principal in words, from its kind and the name of the person, group, level, … ."""
    if kind != "department":
        return {
            "user": _("the person %s"),
            "group": _("group “%s”"),
            "position": _("position “%s”"),
            "level": _("level “%s” and those above it"),
        }[kind] % name
    return {
        ("", False): _("department “%s”"),
        ("", True): _("department “%s” and those below"),
        (Post.HEAD, False): _("the head of department “%s”"),
        (Post.HEAD, True): _("the heads of department “%s” and those below"),
        (Post.ASSISTANT, False): _("the assistants of department “%s”"),
        (Post.ASSISTANT, True): _("the assistants of department “%s” and those below"),
    }[post, below] % name
