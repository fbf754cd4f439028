"""The `hufu` command: finds the module of a sub-command, runs it, turns errors into sentences and exit codes.

Exit codes: 0 done · 1 refused or failed · 2 wrong usage · 3 something needed is not available.

A module of `hufu.cli.commands` is a command: it has `NAME`, `HELP`, `add_arguments(parser)` and `run(args) -> int`,
and imports what is heavy inside `run`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

from hufu import __version__
from hufu.cli import commands
from hufu.core import variables
from hufu.core.errors import Denied, HufuError, NotFound, Unavailable
from hufu.core.language import gettext as _

DONE, REFUSED, USAGE, UNAVAILABLE = 0, 1, 2, 3
INTERRUPTED = 130

EPILOG = """\
exit codes:
  0  done
  1  refused or failed
  2  wrong usage
  3  something needed is not available

`hufu COMMAND --help` says more about one command. Data, secrets and logs are kept in the folder var/ (HUFU_VAR).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(
        prog="hufu",
        description="Hufu CRM: an open, self-hosted CRM whose heart is authorization.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"hufu {__version__}")
    choices = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _modules(words):
        command = choices.add_parser(module.NAME, help=module.HELP, description=module.__doc__ or module.HELP)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(words)
    # A command that another one runs for itself is quiet: it was said already.
    for warning in () if getattr(args, "quiet", False) else variables.unknown(os.environ):
        print(f"hufu: {warning}", file=sys.stderr)
    try:
        return int(args.run(args))
    except HufuError as error:
        print(f"hufu: {sentence(error)}", file=sys.stderr)
        return UNAVAILABLE if isinstance(error, Unavailable) else REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return REFUSED


def sentence(error: HufuError) -> str:
    """Return what a person is told about an error."""
    if text := str(error):
        return text
    if isinstance(error, NotFound):
        return _("There is no such thing, or it may not be seen.")
    if isinstance(error, Denied):
        return _("This is not allowed.")
    return _("Somebody else changed this meanwhile; nothing was overwritten. Read it again and repeat.")


def run_and_exit() -> NoReturn:
    """Run as a program: a polite end (SIGTERM) unwinds like an error, so that what was started is stopped."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(main())


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _modules(words: Sequence[str]) -> list[Any]:
    names = [found.name for found in pkgutil.iter_modules(commands.__path__)]
    asked = words[0].replace("-", "_") if words else ""
    # Only help about everything needs every module.
    wanted = [name for name in names if name == asked] or names
    return [importlib.import_module(f"{commands.__name__}.{name}") for name in wanted]


if __name__ == "__main__":
    run_and_exit()
