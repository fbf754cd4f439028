"""Reading the environment: each wrong value is one sentence that says which value it is and what to write instead."""

from __future__ import annotations

import os

from hufu.core import addresses
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _


def networks(name: str) -> tuple[addresses.Network, ...]:
    """Return the networks that a variable lists, none where it is not set; raise Unavailable for what is no network."""
    try:
        return addresses.networks(os.environ.get(name, ""))
    except ValueError as error:
        raise Unavailable(
            _(
                "%(name)s: “%(value)s” is no network. Write addresses or networks such as 10.0.0.0/8, "
                "separated by commas."
            )
            % {"name": name, "value": error}
        ) from error


def number(name: str, *, default: int, least: int, most: int) -> int:
    """Return the whole number of a variable, or the default; raise Unavailable for what is not in the range."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”. Set it to a whole number from %(least)s to %(most)s, or leave it out "
                "(then it is %(default)s)."
            )
            % {"name": name, "value": text, "least": least, "most": most, "default": default}
        )
    return int(text)


def one_of(name: str, choices: tuple[str, ...]) -> str:
    """Return the value of a variable, the first choice where it is not set; raise Unavailable for any other value."""
    text = os.environ.get(name, "").strip() or choices[0]
    if text not in choices:
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”. Set it to one of these, or leave it out (then it is %(default)s): "
                "%(choices)s."
            )
            % {"name": name, "value": text, "default": choices[0], "choices": ", ".join(choices)}
        )
    return text
