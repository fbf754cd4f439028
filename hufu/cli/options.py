"""Values of options that several commands read the same way. They say what is wrong before anything starts."""

from __future__ import annotations

import argparse

from hufu.core.language import gettext as _

LAST_PORT = 65_535


def port(text: str) -> int:
    """Return the number of a port; argparse ends with exit code 2 otherwise."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(
            _("“%(text)s” is not a port; name a number from 1 to %(last)s")
            % {"text": text, "last": LAST_PORT}
        )
    return int(text)


def at_least_one(text: str) -> int:
    """Return a number that is not zero; argparse ends with exit code 2 otherwise."""
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(_("“%s” is not a number from 1") % text)
    return int(text)


def at(parser: argparse.ArgumentParser) -> None:
    """Add `--at` to a question about rights."""
    parser.add_argument(
        "--at",
        metavar="MOMENT",
        help="as of then: a day (its beginning), such as 2026-03-01, or a time, such as 2026-03-01T10:00",
    )
