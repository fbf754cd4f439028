"""How commands speak: tables, JSON, notes and problems. Answers go to standard output, all else to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from hufu.core.errors import HufuError, Invalid

if TYPE_CHECKING:
    import argparse

WRONG_USAGE = 2
SHORT = 100


class WrongUsage(HufuError):
    """The command line names something that does not exist, or things that do not go together."""


def command(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Let a command end with exit code 2 when what it was asked makes no sense."""

    @wraps(run)
    def answered(args: argparse.Namespace) -> int:
        try:
            return run(args)
        except WrongUsage as error:
            note(f"hufu: {error}")
            return WRONG_USAGE

    return answered


def print_json(data: Any) -> None:
    """Print a value for programs, on one line where it is short."""
    line = json.dumps(data, ensure_ascii=False)
    print(line if len(line) <= SHORT else json.dumps(data, ensure_ascii=False, indent=2))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: with lines on a terminal, else aligned text that nothing was cut from."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=10_000, color_system=None)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table, markup=False, highlight=False)


def print_address(url: str) -> None:
    """Say where the site is; Django is set up."""
    from django.utils.translation import gettext as _

    print(_("Hufu CRM is at %s (Ctrl-C stops it)") % url, flush=True)


def note(text: str) -> None:
    """Tell something beside the answer."""
    print(text, file=sys.stderr)


def print_problems(error: Invalid, heading: str) -> None:
    """Tell everything that is wrong with the input, one line each, with its place."""
    note(f"hufu: {heading}")
    for place, messages in error.problems.items():
        for message in messages:
            note(f"  {place}: {message}" if place else f"  {message}")
