"""Which courses somebody has passed: asked of whoever keeps training, for gates that ask for them.

Nobody keeps any until that layer names its source: then nobody has passed a course, and what asks for one is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection


def _nobody(_user_id: int) -> Collection[str]:
    return ()


_passed: list[Callable[[int], Collection[str]]] = [_nobody]
_title: list[Callable[[str], str]] = [str]


def source(passed: Callable[[int], Collection[str]], title: Callable[[str], str] = str) -> None:
    """Name what knows the keys of the courses that a person has passed and that still count, and a course's title.

    The layer that keeps training calls this once.
    """
    _passed[:], _title[:] = [passed], [title]


def passed(user_id: int) -> frozenset[str]:
    """Return the keys of the courses that somebody has passed and that still count."""
    return frozenset(_passed[0](user_id))


def title(key: str) -> str:
    """Return what a course is called; its key where that is not known."""
    return _title[0](key) or key
