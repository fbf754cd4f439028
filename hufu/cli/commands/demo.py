"""Try Hufu CRM with a demo company: made at the first start, kept afterwards, served to this machine alone.

Nobody of the company has a password: the sign-in page lets you be one of them with one click. Demo mode therefore
refuses a database that holds anything else, and never listens to the network.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hufu.cli import options
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _

if TYPE_CHECKING:
    from hufu.cli.environment import Database

NAME = "demo"
HELP = "try it with a demo company"
HOST = "127.0.0.1"
DEFAULT_PORT = 8000
PEOPLE_FILE = "demo-people.json"


class NotTheDemo(Unavailable):
    """The database is somebody's own."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "The database holds people who are not those of the demo company, and demo mode would let anybody on "
                "this machine sign in. Nothing was changed. Use `hufu serve`, or give the demo a folder of its own "
                "(HUFU_VAR=/another/folder hufu demo, without DATABASE_URL)."
            )
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--port", type=options.port, default=DEFAULT_PORT, help=f"default: {DEFAULT_PORT}")
    parser.add_argument("--reset", action="store_true", help="throw the demo company away and make it anew")
    parser.add_argument(
        "--today",
        type=_day,
        metavar="YYYY-MM-DD",
        help="the day on which the company is made (default: today); the same day gives the same company",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(_("“%s” is not a day; write it as 2026-03-31") % text) from None


def run(args: argparse.Namespace) -> int:
    """Make the company where the database is empty, say whom one can be, and serve until told to stop.

    What an interrupted start left behind is thrown away first.
    """
    from hufu.cli import environment, output
    from hufu.cli.demo.clock import unfinished
    from hufu.cli.site import note_start, require_assets, require_free, site
    from hufu.core.postgres.embedded import serving
    from hufu.core.postgres.roles import OWNER

    require_assets()
    require_free(HOST, args.port)
    with serving(environment.var()), environment.database() as database:
        if args.reset or (OWNER in database.urls and unfinished(database.url(OWNER))):
            reset(database)
        if OWNER in database.urls:
            environment.migrate_in_child()
        with environment.connected():
            prepare(database, args.today or datetime.now(ZoneInfo("Asia/Shanghai")).date())
            introduce()
            note_start()
        with site(database, host=HOST, port=args.port, demo=True) as running:
            print()
            output.print_address(running.url)
            return running.wait()


def reset(database: Database) -> None:
    """Drop the embedded database; raise Unavailable when it is in use or is not the demo company's."""
    import psycopg
    from psycopg import sql

    from hufu.core.postgres import urls
    from hufu.core.postgres.roles import OWNER

    if not (database.embedded and database.admin_url):
        raise Unavailable(
            _(
                "A demo company is thrown away (--reset, or because its making was interrupted) from the embedded "
                "database only, and DATABASE_URL names another one. Empty that one by hand, or leave DATABASE_URL "
                "unset."
            )
        )
    name = urls.database_in(database.url(OWNER))
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        limit = admin.execute("SELECT datconnlimit FROM pg_database WHERE datname = %s", [name]).fetchone()
        # What is left of a reset that was interrupted lets nobody in (-2) and has been looked at before.
        if limit and limit[0] != -2 and not _is_demo_or_empty(urls.with_database(database.admin_url, name)):
            raise NotTheDemo
        try:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        except psycopg.errors.ObjectInUse:
            raise Unavailable(
                _(
                    "Another command still uses the database, so it was not thrown away. Let it end and try again."
                )
            ) from None


def _is_demo_or_empty(url: str) -> bool:
    """Tell by its accounts whether a database, of whatever version, may be thrown away."""
    import psycopg

    from hufu.cli.demo.cast import is_whole

    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT to_regclass('public.people_user') IS NOT NULL").fetchone()
        if not (found and found[0]):
            return True
        rows: list[tuple[str, str]] = connection.execute("SELECT username, email FROM people_user").fetchall()
    return not rows or is_whole(dict(rows))


def prepare(database: Database, today: date) -> None:
    """Make the company in an empty database; raise Unavailable when somebody else's data is in it."""
    from hufu.cli.demo import build

    if build.is_empty():
        _make(database, today)
    elif not build.is_demo():
        raise NotTheDemo


def introduce() -> None:
    """Write down whom one can be for the sign-in page, and print it."""
    from django.utils.translation import get_language
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from hufu.cli import environment
    from hufu.cli.demo.cast import cast

    parts = cast()
    text = json.dumps([part.as_dict() for part in parts], ensure_ascii=False, indent=1)
    (environment.var() / PEOPLE_FILE).write_text(text + "\n", encoding="utf-8")
    chinese = (get_language() or "").startswith("zh")
    table = Table(
        box=box.SIMPLE_HEAD, title="可以体验的人员" if chinese else "Whom you can be", title_justify="left"
    )
    for heading in ("姓名", "岗位", "可以做什么") if chinese else ("Name", "Post", "What they can do"):
        table.add_column(heading, overflow="fold")
    for part in parts:
        said = (part.title, part.can) if chinese else (part.title_en, part.can_en)
        table.add_row(part.name, *said)
    Console().print(table)


def _make(database: Database, today: date) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from hufu.cli.demo import build, clock, company, year
    from hufu.core.postgres.roles import OWNER

    if OWNER not in database.urls:
        raise Unavailable(
            "The demo company's year is played under a clock that only the owner of the database may set. Name its "
            "address in HUFU_OWNER_URL for the first start."
        )
    owner = database.url(OWNER)
    made = company.build(today)
    played = year.build_year(made, today)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        task = progress.add_task(_("Making the demo company"), total=build.steps(made, played))
        with clock.held_open(owner) as analyze:
            build.build(made, played, advance=lambda amount: progress.advance(task, amount), analyze=analyze)
