"""Short messages at the edge of the page: what was done, or why not; and the way back, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

from hufu.access import quotas

LOOKS = {
    "success": ("green", "circle-check"),
    "error": ("red", "alert-circle"),
    "warning": ("amber", "alert-triangle"),
}
UNDO = "undo"


@dataclass(frozen=True)
class Toast:
    """One message as it is shown. What went wrong `stays` until it is closed.

    `undo` is the address of the deed that takes this one back, for the record's `version` after it.
    """

    text: str
    tone: str
    icon: str
    stays: bool = False
    undo: str = ""
    version: str = ""


def say_undoable(request: HttpRequest, text: str, *, undo: str, version: int) -> None:
    """Have the next page say what was done, with a button that posts to `undo`."""
    messages.success(request, text, extra_tags=f"{UNDO} {version} {undo}")


def waiting(request: HttpRequest) -> Iterator[Toast]:
    """Yield the messages that wait for this person, and the quotas that are nearly used up; each is shown once."""
    for warning in quotas.take_warnings():
        yield Toast(warning, *LOOKS["warning"], stays=True)
    for message in messages.get_messages(request):
        tone, icon = LOOKS.get(message.level_tag, ("blue", "info-circle"))
        kind, version, undo = [*(message.extra_tags or "").split(" ", 2), "", "", ""][:3]
        is_undoable = kind == UNDO
        yield Toast(
            str(message.message),
            tone,
            icon,
            stays=message.level_tag == "error",
            undo=undo if is_undoable else "",
            version=version if is_undoable else "",
        )
