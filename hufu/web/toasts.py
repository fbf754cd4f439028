"""Short messages at the edge of the page: what was done, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest

LOOKS = {
    "success": ("green", "circle-check"),
    "error": ("red", "alert-circle"),
    "warning": ("amber", "alert-triangle"),
}


@dataclass(frozen=True)
class Toast:
    """One message as it is shown. What went wrong `stays` until it is closed."""

    text: str
    tone: str
    icon: str
    stays: bool = False


def waiting(request: HttpRequest) -> Iterator[Toast]:
    """Yield the messages that wait for this person; each is shown once."""
    for message in messages.get_messages(request):
        tone, icon = LOOKS.get(message.level_tag, ("blue", "info-circle"))
        yield Toast(str(message.message), tone, icon, stays=message.level_tag == "error")
