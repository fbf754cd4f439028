"""Bring departments, people, customers or opportunities in from workbooks (XLSX) and CSV files, as a map says.

All rows, or none; with --skip-errors the rows that are right, and the refused ones go into an error file, to be
corrected and imported again with the same map. The map names the files it reads; a FILE is matched by its name, or say
which one it is: NAME=FILE. Importing the same file again changes nothing; rows that differ from what stands are
updated. Imported people cannot sign in until they are invited. docs/import.md describes the map, examples/maps/ has
some.

examples:
  hufu import departments departments.xlsx --map departments.yaml
  hufu import users staff.csv --map staff.yaml --dry-run
  hufu import customers customers.xlsx --map customers.yaml --skip-errors
  hufu import customers export-2026-03.csv --map customers.yaml
  hufu import customers accounts.csv deals=pipeline-2026.csv --map customers.yaml --json
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from hufu.cli import environment, output
from hufu.core.errors import Invalid

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.core.imports import ErrorFile, Map, Plan, Report

NAME = "import"
HELP = "bring departments, people, customers or opportunities in from files"
TYPES = ("departments", "users", "customers", "opportunities")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("type", choices=TYPES, help="what the rows are to become")
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a workbook or CSV file of the map, or NAME=FILE"
    )
    parser.add_argument("--map", metavar="MAP.yaml", required=True, type=Path, help="what the columns mean")
    parser.add_argument("--dry-run", action="store_true", help="report what would happen and change nothing")
    parser.add_argument(
        "--skip-errors", action="store_true", help="import the rows that are right and leave the others out"
    )
    parser.add_argument(
        "--error-file",
        metavar="PATH",
        type=Path,
        help="where the refused rows go (default: FILE.refused.csv or .xlsx beside the file)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Import as the operator of the command line and print the report."""
    try:
        with environment.connected():
            return _run(args)
    except Invalid as invalid:
        from django.utils.translation import gettext as _

        if args.json:
            output.print_json(
                {"problems": {place: list(map(str, of)) for place, of in invalid.problems.items()}}
            )
        else:
            output.print_problems(
                invalid, _("Nothing was imported. What is wrong with %s or the files:") % args.map
            )
        return 1


def _run(args: argparse.Namespace) -> int:
    from hufu.cli.import_report import lines
    from hufu.core.imports import ErrorFile, ImportRefused, Plan

    if args.error_file and not args.skip_errors:
        raise output.WrongUsage("--error-file goes with --skip-errors")
    plan = Plan(_read_map(args.type, args.map), args.files, skip_errors=args.skip_errors)
    try:
        error_file = ErrorFile(plan, args.error_file) if args.skip_errors and not args.dry_run else None
        with _fewer_collections(), _progress(plan) as advance:
            report = _import(args.type, plan, advance, dry_run=args.dry_run, error_file=error_file)
    except ImportRefused as refused:
        report = refused.report
    finally:
        plan.close()
    if args.json:
        stored = not args.dry_run and report.stored
        output.print_json({"dry_run": args.dry_run, "stored": stored, **report.as_dict()})
    else:
        print("\n".join(lines(report, dry_run=args.dry_run)))
    return 1 if report.refused and not (report.stored and report.accepted) else 0


def _read_map(type_name: str, path: Path) -> Map:
    from hufu.core.imports import read_map
    from hufu.crm import imports
    from hufu.crm.resources import CUSTOMER, OPPORTUNITY
    from hufu.staffing.imports import DEPARTMENTS, USERS

    shapes = {
        "departments": lambda: DEPARTMENTS,
        "users": lambda: USERS,
        "customers": lambda: imports.shape(CUSTOMER),
        "opportunities": lambda: imports.shape(OPPORTUNITY),
    }
    return read_map(path, shapes[type_name]())


def _import(
    type_name: str,
    plan: Plan,
    advance: Callable[[], None],
    *,
    dry_run: bool,
    error_file: ErrorFile | None = None,
) -> Report:
    """Import, or go all the way and back; a dry run leaves no event, not even that of a refusal.

    The error file has its name before the import is committed, and loses it where that fails.
    """
    from django.db import transaction

    from hufu.core.actor import Actor
    from hufu.core.imports import ImportRefused
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with error_file.kept_with() if error_file else nullcontext(), acting(operator):
        if not dry_run:
            report = _bring_in(operator, type_name, plan, advance)
            if error_file:
                error_file.write()
            return report
        try:
            with transaction.atomic():
                report = _bring_in(operator, type_name, plan, advance)
                transaction.set_rollback(True)
        except ImportRefused as refused:
            report = refused.report
    return report


def _bring_in(operator: Actor, type_name: str, plan: Plan, advance: Callable[[], None]) -> Report:
    from hufu.crm.imports import import_records
    from hufu.crm.resources import CUSTOMER, OPPORTUNITY
    from hufu.staffing.imports import import_departments, import_users

    if type_name == "departments":
        return import_departments(operator, plan)
    if type_name == "users":
        return import_users(operator, plan)
    resource = CUSTOMER if type_name == "customers" else OPPORTUNITY
    return import_records(operator, resource, plan, advance=advance)


@contextmanager
def _fewer_collections() -> Iterator[None]:
    """Look for garbage seldom: an import makes many objects and no circles of them."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal; give the function that moves it."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(plan.map.name, total=plan.size)
        yield lambda: progress.update(task, completed=plan.position)
