"""Chinese text in the order people expect, and found by its sound."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache


def is_storable(text: str) -> bool:
    """Say whether the database can hold the text: it takes neither U+0000 nor half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def is_visible(text: str) -> bool:
    """Say whether anything of the text can be seen: not spaces, controls and marks of direction alone."""
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)


def folded(text: str) -> str:
    """Return the text for comparing: compatibility forms unified, lower case, outer spaces gone."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def sort_key(text: str) -> str:
    """Return the text in pinyin without tones and spaces, lower case: a sort key, and a prefix to be found by."""
    return sound(text)[0]


def sound(text: str) -> tuple[str, str]:
    """Return the sort key, and the initials: the first letter of each syllable, other text as it is. No spaces."""
    syllables = _pinyin()(folded(text), errors=lambda other: _OTHER + other)
    whole = "".join(syllable.removeprefix(_OTHER) for syllable in syllables)
    letters = "".join(syllable[1:] if syllable.startswith(_OTHER) else syllable[:1] for syllable in syllables)
    return whole.replace(" ", "")[:240], letters.replace(" ", "")[:120]


def prepare() -> None:
    """Load the dictionaries now, for a process that is to answer quickly when it is first asked for a sound."""
    _pinyin()


@cache
def _pinyin() -> Callable[..., list[str]]:
    # They take a second to load: commands that sort no names start without them.
    from pypinyin import lazy_pinyin, load_single_dict

    # In names of people and companies it is shèng; the dictionary knows only chéng.
    load_single_dict({ord("晟"): "shèng"})
    return lazy_pinyin


# Marks what is not Chinese; no text that can be stored holds it.
_OTHER = "\0"
