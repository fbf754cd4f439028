"""Texts in a CSV file that a spreadsheet would take for formulas.

A spreadsheet computes a cell that begins with = + - @ (or their wide forms), also after spaces, tabs and line ends.
An apostrophe in front stops it. So that nothing is lost, what begins with an apostrophe gets another one.
"""

from __future__ import annotations

MARK = "'"
_COMPUTED = frozenset("=+-@＝＋－＠")
_BLANK_FIRST = frozenset("\t\r\n")


def neutral(text: str) -> str:
    """Return a text that no spreadsheet computes; `original` gives the text back."""
    return MARK + text if text.startswith(MARK) or _is_computed(text) else text


def original(text: str) -> str:
    """Return the text that `neutral` was given; every other text stays as it is."""
    rest = text[1:]
    return rest if text.startswith(MARK) and (rest.startswith(MARK) or _is_computed(rest)) else text


def _is_computed(text: str) -> bool:
    return text[:1] in _BLANK_FIRST or text.lstrip()[:1] in _COMPUTED
