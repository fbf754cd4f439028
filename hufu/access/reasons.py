"""What a person says for the log: a reason or a finding, short enough and of characters that can be stored."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.core.errors import Invalid
from hufu.core.text import is_storable

LONGEST = 500


def check(text: str, *, field: str = "reason", longest: int = LONGEST) -> None:
    """Raise Invalid for a text that is too long or cannot be stored; an empty one passes."""
    if not is_storable(text):
        raise Invalid({field: [_("This text cannot be stored. Type it anew.")]})
    if len(text) > longest:
        raise Invalid({field: [_("Too long: at most %s characters.") % longest]})
