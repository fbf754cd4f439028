"""Chinese text in the order people expect, and found by its sound."""

from __future__ import annotations

import unicodedata

from pypinyin import Style, lazy_pinyin


def is_storable(text: str) -> bool:
    """Say whether the database can hold the text: it takes neither U+0000 nor half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def folded(text: str) -> str:
    """Return the text for comparing: compatibility forms unified, lower case, outer spaces gone."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def sort_key(text: str) -> str:
    """Return the text in pinyin without tones and spaces, lower case: a sort key, and a prefix to be found by."""
    return "".join(lazy_pinyin(folded(text)))[:240]


def initials(text: str) -> str:
    """Return the first letters of the pinyin, lower case."""
    return "".join(lazy_pinyin(folded(text), style=Style.FIRST_LETTER))[:120]
