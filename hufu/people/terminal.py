"""Signing in at the terminal. The layer that knows passwords and second factors says here how it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hufu.core.actor import Actor


@dataclass(frozen=True)
class Answers:
    """How the person at the terminal is asked; each is called when it is needed, and at most once.

    `password` is None where none is asked: for the people of the demo company alone.
    """

    password: Callable[[], str] | None
    code: Callable[[], str]


_sign_in: list[Callable[[str, Answers], Actor]] = []


def on_sign_in(sign_in: Callable[[str, Answers], Actor]) -> None:
    """Name what signs somebody in. The layer that knows accounts calls this once."""
    _sign_in[:] = [sign_in]


def sign_in(login: str, answers: Answers) -> Actor:
    """Return the person who proved who they are, as on the sign-in page: the same limits, gates and events.

    Raise Invalid where they did not, GateClosed where an access limit keeps them out.
    """
    [known] = _sign_in
    return known(login, answers)
