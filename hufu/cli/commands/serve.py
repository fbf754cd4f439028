"""Serve the site: start the embedded database where no DATABASE_URL is given, bring it up to date, answer requests.

Ends with Ctrl-C or SIGTERM: running requests are answered, other commands that use the embedded database may end,
then it stops. On a real server, HUFU_OWNER_URL lets it migrate first; without it, run `hufu migrate` before.
Behind a reverse proxy with HTTPS, set HUFU_ORIGIN=https://crm.example.com.
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
        with site(database, host=args.host, port=args.port, workers=args.workers) as running:
            output.print_address(running.url)
            return running.wait()
