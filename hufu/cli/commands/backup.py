"""Make a backup while the site runs: the database at one moment, keys and attachments, sealed into one file.

It is sealed under the master key, which is not in it: keep a copy of that key elsewhere, nobody can read a backup
without it. The file gets its name only once it is whole, on the disk and (unless --no-verify) was restored into a
server of its own and compared.

With the embedded database it needs nothing; on a real server it connects as hufu_backup (HUFU_BACKUP_URL). `hufu
serve` makes one every day where HUFU_BACKUP_AT says when. `hufu backup list` shows what is there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hufu.cli import options
from hufu.core.language import gettext as _

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.core.backup.folder import Kept, Retention

NAME = "backup"
HELP = "make a sealed backup, or list those that are there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("what", nargs="?", choices=("list",), help="list the backups instead of making one")
    parser.add_argument(
        "--to", type=Path, metavar="FOLDER", help="default: backups in HUFU_VAR, or HUFU_BACKUP_DIR"
    )
    parser.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="restore it into a server of its own and compare (default: yes)",
    )
    for period, unit in (("daily", "days"), ("weekly", "weeks"), ("monthly", "months")):
        parser.add_argument(
            f"--keep-{period}",
            type=options.at_least_one,
            metavar="N",
            help=f"afterwards keep one for each of the last N {unit} that have any, and remove the others",
        )
    parser.add_argument("--json", action="store_true", help="print what was done, or the list, as JSON")


def run(args: argparse.Namespace) -> int:
    """Make a backup, or list."""
    from hufu.cli import environment
    from hufu.core.backup import folder

    where = args.to.absolute() if args.to else folder.folder(environment.var())
    return list_backups(where, as_json=args.json) if args.what == "list" else make(args, where)


def make(args: argparse.Namespace, where: Path) -> int:
    """Make one, leave its event or that of its failure, remove what is not kept any more."""
    from hufu.cli import environment, output
    from hufu.core.actor import Actor
    from hufu.core.errors import HufuError
    from hufu.core.postgres.roles import BACKUP
    from hufu.core.vault import master_keys

    with environment.connected(current=False), environment.database() as database:
        from hufu.audit import backups

        operator = Actor.operator()
        try:
            database.url(BACKUP)
            said = _make(args, where, operator)
        except (HufuError, OSError, KeyboardInterrupt, SystemExit) as error:
            reason = str(error) if isinstance(error, (HufuError, OSError)) else _("It was interrupted.")
            leave(operator, backups.FAILED, {}, result="failed", reason=reason)
            raise
        leave(operator, backups.MADE, said)
    if args.json:
        output.print_json({**said, "folder": str(where)})
    else:
        size = f"{said['bytes']:,}"
        print(_("The backup is %(file)s (%(bytes)s bytes).") % {"file": where / said["file"], "bytes": size})
        source = master_keys(environment.secrets().folder).source
        print(
            _(
                "The master key (%s) is not in it, and nobody can read it without that key: keep a copy elsewhere."
            )
            % source
        )
    return 0


def _make(args: argparse.Namespace, where: Path, operator: Actor) -> dict[str, Any]:
    from hufu.cli import backup_run, environment
    from hufu.core import clock
    from hufu.core.backup import folder

    begin = time.monotonic()
    with environment.database() as database, folder.alone(where):
        secrets = environment.secrets()
        target = where / folder.name(clock.true_time())
        key = folder.keys(secrets)[0]
        manifest = backup_run.make(database, environment.var(), secrets, target, key, verify=args.verify)
        removed = prune(where, retention(args))
    return {
        "file": target.name,
        "bytes": target.stat().st_size,
        "digest": backup_run.digest(target),
        "seconds": round(time.monotonic() - begin),
        "moment": manifest["made"],
        "events": manifest["log"]["events"],
        "last_event": manifest["log"]["last"],
        "last_event_at": manifest["log"]["last_at"],
        "verified": args.verify,
        "removed": [one.path.name for one in removed],
    }


def leave(operator: Actor, type: str, data: dict[str, Any], **more: Any) -> None:
    """Leave an event in the log."""
    from hufu.audit import record
    from hufu.core.transaction import acting

    with acting(operator):
        record(operator, type, data=data, **more)


def retention(args: argparse.Namespace) -> Retention | None:
    """Return what is to be kept, or None: then everything is."""
    from hufu.core.backup.folder import Retention

    numbers = (args.keep_daily, args.keep_weekly, args.keep_monthly)
    return Retention(*(number or 0 for number in numbers)) if any(numbers) else None


def prune(where: Path, keep: Retention | None) -> list[Kept]:
    """Remove the backups that are not kept any more, by the calendar of the company; return which."""
    from django.utils.timezone import get_default_timezone

    from hufu.core.backup import folder

    removed = folder.to_remove(folder.backups(where), keep, get_default_timezone()) if keep else []
    for one in removed:
        one.path.unlink()
    return removed


def list_backups(where: Path, *, as_json: bool) -> int:
    """Print the backups of a folder, oldest first."""
    from hufu.cli import environment, output
    from hufu.core.backup import archive, folder
    from hufu.core.errors import Unavailable

    try:
        keys = [archive.fingerprint(key) for key in folder.keys(environment.secrets())]
    except Unavailable:
        keys = []
    rows: list[dict[str, Any]] = []
    for one in folder.backups(where):
        header = archive.read_header(one.path)
        rows.append(
            {
                "file": one.path.name,
                "moment": header.made,
                "bytes": one.path.stat().st_size,
                "version": header.version,
                "key": header.key,
                "readable": header.key in keys,
            }
        )
    if as_json:
        output.print_json(rows)
        return 0
    if not rows:
        print(_("There is no backup in %s.") % where)
        return 0
    headings = (_("File"), _("Moment"), _("Bytes"), _("Version"), _("Master key"))
    output.print_table(
        headings,
        (
            (
                str(where / row["file"]),
                row["moment"][:19],
                f"{row['bytes']:,}",
                row["version"],
                _("is here") if row["readable"] else _("another one (%s)") % row["key"],
            )
            for row in rows
        ),
    )
    return 0
