"""Serve the site: start the embedded database where no DATABASE_URL is given, bring it up to date, answer requests.

Ends with Ctrl-C or SIGTERM: running requests are answered, other commands that use the embedded database may end,
then it stops. On a real server, HUFU_OWNER_URL lets it migrate first; without it, run `hufu migrate` before.
Behind a reverse proxy with HTTPS, set HUFU_ORIGIN=https://crm.example.com.
With HUFU_BACKUP_AT=02:30 it makes a backup every day at that time (see `hufu backup`).
A company that nobody set up yet can be set up in the browser, by whoever has the code that is printed at the start.
"""

from __future__ import annotations

import argparse

from hufu.cli import options

NAME = "serve"
HELP = "serve the site"
DEFAULT_PORT = 8000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    parser.add_argument("--port", type=options.port, default=DEFAULT_PORT, help=f"default: {DEFAULT_PORT}")
    parser.add_argument(
        "--workers", type=options.at_least_one, default=1, help="processes that answer requests (default: 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    from hufu.cli import environment, output
    from hufu.cli.backup_schedule import from_environment
    from hufu.cli.site import note_start, require_assets, require_free, site
    from hufu.core.postgres.embedded import serving
    from hufu.core.postgres.roles import OWNER

    require_assets()
    require_free(args.host, args.port)
    with serving(environment.var()), environment.database() as database:
        if OWNER in database.urls:
            environment.migrate_in_child()
        with environment.connected():
            note_start()
            schedule = from_environment()
            code = code_of_set_up()
        with site(database, host=args.host, port=args.port, workers=args.workers) as running:
            output.print_address(running.url)
            tell_how_to_set_up(running.url, code)
            if schedule is None:
                return running.wait()
            try:
                return running.wait(schedule.tick)
            finally:
                schedule.stop()


def code_of_set_up() -> str | None:
    """Return a new code for the set-up page where nobody set the company up yet; where somebody did, none is left."""
    from hufu.access import company
    from hufu.cli import environment
    from hufu.core.setup_code import SetupCode

    code = SetupCode(environment.secrets())
    if company.never_set_up():
        return code.issue()
    code.withdraw()
    return None


def tell_how_to_set_up(url: str, code: str | None) -> None:
    """Print the code, for whoever reads this terminal and nobody else."""
    from django.utils.translation import gettext as _

    from hufu.cli import environment
    from hufu.core.setup_code import NAME as FILE

    if code is None:
        return
    print()
    print(_("Nobody set this installation up yet. Open %s/setup/ and enter this code:") % url)
    print(f"\n    {code}\n")
    print(
        _(
            "It works once, and is void after ten wrong attempts or a restart. It also stands in %s. "
            "On the command line: hufu setup."
        )
        % environment.secrets().path(FILE),
        flush=True,
    )
