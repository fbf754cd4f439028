"""A request on its way through, as every view gets it."""

from __future__ import annotations

from django.http import HttpRequest

from hufu.core.actor import Actor


class Passage(HttpRequest):
    """A request with who acts in it, and what its view raised. The middleware sets both."""

    actor: Actor
    fault: Exception | None


class TerminalRequest(HttpRequest):
    """What stands for a request where somebody signs in at the terminal: no browser and no network bring it."""
