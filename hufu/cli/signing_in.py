"""Signing in at the terminal, for commands that need a person: `--sign-in NAME`.

The person types their password and, where they have one, the code of their second factor. In the folder of a demo
company nobody has a password: there the name suffices, as on the sign-in page of the demo.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
from typing import TYPE_CHECKING

from hufu.cli import environment, output
from hufu.core.errors import Invalid
from hufu.core.postgres.roles import APP
from hufu.core.postgres.urls import VARIABLES

if TYPE_CHECKING:
    from hufu.core.actor import Actor


def add_argument(parser: argparse.ArgumentParser, *, required: bool = False) -> None:
    """Add `--sign-in`."""
    parser.add_argument(
        "--sign-in",
        metavar="NAME",
        required=required,
        help="who does this: user name or mail address; the password is asked for",
    )


def signed_in(name: str) -> Actor:
    """Return the person of this name, who proves it at the terminal; call it outside `acting`.

    Raise Invalid with the reason where they do not.
    """
    from django.utils.translation import gettext as _

    from hufu.people import terminal

    if _is_demo_person(name):
        output.note(_("Demo company: %s signs in without a password.") % name)
        return terminal.sign_in(name, terminal.Answers(None, _code))
    return terminal.sign_in(name, terminal.Answers(_password, _code))


def _password() -> str:
    from django.utils.translation import gettext as _

    return _ask(_("Password: "))


def _code() -> str:
    from django.utils.translation import gettext as _

    return _ask(_("Code of the second factor: "))


def _ask(prompt: str) -> str:
    from django.utils.translation import gettext as _

    if not sys.stdin.isatty():
        raise Invalid({"": [_("Signing in needs a terminal: the password is typed, never passed on.")]})
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise Invalid({"": [_("Nothing was typed.")]}) from None


def _is_demo_person(name: str) -> bool:
    """Tell whether this is the embedded database of a demo company, and the name one of those whom one can be there."""
    from hufu.cli.commands.demo import PEOPLE_FILE
    from hufu.cli.demo import build

    if os.environ.get(VARIABLES[APP]):
        return False
    try:
        people = json.loads((environment.var() / PEOPLE_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return name in {person["username"] for person in people} and build.is_demo()
