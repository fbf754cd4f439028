"""Restore a backup into an empty database or, with --replace, in place of the one that is there.

It needs the master key of that time; everything else is in the backup. A wrong key, a damaged or foreign file and keys
of another installation are refused before anything is touched. The backup is restored beside the present database,
compared, brought to this version, and takes its place in the last step: until then an interruption leaves everything
as it was, and the restore can be run again. All sessions end. The log says what was restored and how many events of
the replaced database are missing.

On a real server it needs DATABASE_URL, HUFU_OWNER_URL and HUFU_BACKUP_URL; to replace a database also HUFU_ADMIN_URL.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pkgutil
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hufu.core.errors import Refusal, Unavailable
from hufu.core.language import gettext as _

if TYPE_CHECKING:
    import psycopg

    from hufu.cli.environment import Database

NAME = "restore"
HELP = "restore a backup"
WORD = "replace"
RESTORING, REPLACED = "_restoring", "_replaced"
# The database of Django's sessions, counters of failures: whoever was signed in then is not now.
ENDED = ("django_session", "hufu_cache")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="the backup")
    parser.add_argument(
        "--replace", action="store_true", help="replace the database that is there; asks to confirm"
    )


def run(args: argparse.Namespace) -> int:
    """Check everything, restore beside, put in place."""
    from hufu.cli import environment, output
    from hufu.core.backup import archive, folder

    header = archive.read_header(args.file)
    keys = folder.keys(environment.secrets())
    manifest = archive.check(args.file, keys)
    key = next(one for one in keys if archive.fingerprint(one) == header.key)
    require_known_version(manifest)
    require_no_other_keys(manifest)
    output.note(
        _("The backup is whole: made %(made)s, %(events)s events, the last one %(last)s.")
        % {"made": manifest["made"], "events": manifest["log"]["events"], "last": manifest["log"]["last"]}
    )
    with not_served(), environment.database() as database:
        replaced = present(database)
        if replaced and not args.replace:
            raise Unavailable(
                _("There is a database already, and nothing was touched. To replace it, add --replace.")
            )
        if replaced and not confirmed(manifest):
            raise Refusal(_("Nothing was touched."))
        missing = restore(database, args.file, key, manifest, replace=replaced)
    tell(manifest, missing)
    return 0


def require_known_version(manifest: dict[str, Any]) -> None:
    """Raise Unavailable for a backup of a later version of the program."""
    import hufu

    known = set()
    for app in Path(hufu.__file__).parent.iterdir():
        known |= {f"{app.name}.{found.name}" for found in pkgutil.iter_modules([str(app / "migrations")])}
    ours = {name.partition(".")[0] for name in known}
    unknown = [
        name for name in manifest["migrations"] if name.partition(".")[0] in ours and name not in known
    ]
    if manifest["format"] != 1 or unknown:
        raise Unavailable(
            _(
                "The backup was made by version %(version)s, which is later than this one. Install that version first."
            )
            % {"version": manifest["version"]}
        )


def require_no_other_keys(manifest: dict[str, Any]) -> None:
    """Raise Unavailable, naming them, where keys lie in the secrets folder that are not those of the backup."""
    from hufu.cli import backup_run, environment
    from hufu.core.backup import archive

    secrets = environment.secrets()
    parts = {
        secrets.path(name.removeprefix(archive.SECRET)): said["sha256"]
        for name, said in manifest["parts"].items()
        if name.startswith(archive.SECRET)
    }
    other = [
        str(path) for path, digest in parts.items() if path.exists() and backup_run.digest(path) != digest
    ]
    if other:
        raise Unavailable(
            _(
                "Nothing was touched: keys of another installation lie in the place of the backup's: %s. Move them "
                "away, or restore into another folder (HUFU_VAR)."
            )
            % ", ".join(other)
        )


@contextmanager
def not_served() -> Iterator[None]:
    """Keep the site from being served meanwhile, where the database is the embedded one."""
    from hufu.cli import environment
    from hufu.core.postgres.embedded import serving
    from hufu.core.postgres.urls import VARIABLES

    embedded = not os.environ.get(VARIABLES["hufu_app"])
    with serving(environment.var()) if embedded else contextlib.nullcontext():
        yield


def present(database: Database) -> bool:
    """Tell whether the database is there and holds a table."""
    import psycopg

    from hufu.core.postgres import urls
    from hufu.core.postgres.inspection import SCHEMAS
    from hufu.core.postgres.roles import OWNER

    name = urls.database_in(database.url(OWNER))
    if database.admin_url:
        with psycopg.connect(urls.with_database(database.admin_url, "postgres")) as admin:
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return False
    with psycopg.connect(database.url(OWNER)) as owner:
        found = owner.execute(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY(%s) LIMIT 1",
            [SCHEMAS],
        ).fetchone()
    return found is not None


def confirmed(manifest: dict[str, Any]) -> bool:
    """Ask, on the terminal, for the word that says that everything since the backup may be lost."""
    print(_("Everything entered after %s will be lost.") % manifest["made"])
    try:
        return input(_("Type “%s” to go on: ") % WORD).strip() == WORD
    except EOFError:
        return False


def restore(
    database: Database, file: Path, key: bytes, manifest: dict[str, Any], *, replace: bool
) -> dict[str, Any]:
    """Restore beside what is there and put in place; return what of the replaced database is missing."""
    from hufu.cli import environment
    from hufu.core.backup import folder

    attachments = folder.attachments(environment.var())
    files = attachments.with_name(f"{attachments.name}.restoring")
    shutil.rmtree(files, ignore_errors=True)
    missing = missing_events(database, manifest) if replace else {}
    with place(database, replace=replace) as target:
        fill(target, file, key, files)
        finish(target, file, manifest, missing, replaced=replace)
    for path in sorted(files.rglob("*")) if files.is_dir() else []:
        if path.is_file():
            final = attachments / path.relative_to(files)
            for within in (attachments, final.parent):
                within.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(final)
    shutil.rmtree(files, ignore_errors=True)
    return missing


def missing_events(database: Database, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return how many events of the database that is replaced are not in the backup, and their span.

    Empty where it cannot be told: the database does not answer, or is not the one that the backup was made of.
    """
    import psycopg

    from hufu.core.postgres.roles import BACKUP

    last = manifest["log"]
    if last["last"] is None:
        return {}
    try:
        with psycopg.connect(database.url(BACKUP)) as connection:
            known = connection.execute("SELECT 1 FROM audit_event WHERE id = %s", [last["last"]]).fetchone()
            row = connection.execute(
                "SELECT count(*), (SELECT min(at) FROM audit_event WHERE (at, id) > (%(at)s, %(id)s)), "
                "(SELECT max(at) FROM audit_event WHERE (at, id) > (%(at)s, %(id)s)) FROM audit_event",
                {"at": last["last_at"], "id": last["last"]},
            ).fetchone()
    except psycopg.Error:
        return {}
    if not known or row is None:
        return {}
    # The log only grows: what there is more of was written after the backup's moment.
    span = {"missing_from": row[1].isoformat(), "missing_until": row[2].isoformat()} if row[1] else {}
    return {"missing": row[0] - last["events"], **span}


@contextmanager
def place(database: Database, *, replace: bool) -> Iterator[Database]:
    """Have an empty database for the body, which takes the place of the present one at its end."""
    from dataclasses import replace as changed

    from psycopg import sql

    from hufu.cli.commands.migrate import connect
    from hufu.core.postgres import roles, urls
    from hufu.core.postgres.roles import OWNER

    if not database.admin_url:
        if replace:
            raise Unavailable(
                _(
                    "To replace a database on a real server, set HUFU_ADMIN_URL to a role that may make databases, or "
                    "restore into an empty one."
                )
            )
        yield database
        return
    name = urls.database_in(database.url(OWNER))
    beside, old = name + RESTORING, name + REPLACED
    with connect(urls.with_database(database.admin_url, "postgres")) as admin:
        passwords = {role: urls.password_in(url) for role, url in database.urls.items()}
        roles.ensure(admin, passwords)
        for left in (beside, old):
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(left)))
        roles.ensure_database(admin, beside)
        try:
            addresses = {role: urls.with_database(url, beside) for role, url in database.urls.items()}
            yield changed(database, urls=addresses, embedded=False, revive=lambda: False)
            swap(admin, name, beside, old)
        except BaseException:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(beside)))
            raise
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(old)))


def swap(admin: psycopg.Connection, name: str, beside: str, old: str) -> None:
    """Put the database `beside` in the place of `name`, in one transaction; raise Unavailable while that is in use."""
    import psycopg
    from psycopg import sql

    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    try:
        with admin.transaction():
            if there:
                admin.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
            admin.execute(rename.format(sql.Identifier(beside), sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        raise Unavailable(
            _(
                "The database is still in use, so it was not replaced. Stop the site and other commands, and try again."
            )
        ) from None


def fill(target: Database, file: Path, key: bytes, files: Path) -> None:
    """Restore into an empty database, compare, and end what was open when the backup was made."""
    from psycopg import sql

    from hufu.cli import backup_run, environment
    from hufu.cli.commands.migrate import connect
    from hufu.core.backup import archive
    from hufu.core.postgres.roles import BACKUP, OWNER

    with backup_run.told(_("Restoring")) as tell_progress:
        folders = {archive.ATTACHMENT: files, archive.SECRET: environment.secrets().folder}
        manifest = backup_run.unpack(file, key, target.url(OWNER), folders, tell_progress)
        backup_run.compare(target.url(BACKUP), manifest)
    with connect(target.url(OWNER)) as owner:
        for table in ENDED:
            if f"public.{table}" in manifest["rows"]:
                owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


def finish(
    target: Database, file: Path, manifest: dict[str, Any], missing: dict[str, Any], *, replaced: bool
) -> None:
    """Bring the restored database to this version and leave the event of its restoration in it."""
    from unittest.mock import patch

    from hufu.cli import environment
    from hufu.core.actor import Actor
    from hufu.core.postgres.urls import VARIABLES

    addresses = {VARIABLES[role]: url for role, url in target.urls.items()}
    with patch.dict(os.environ, addresses):
        os.environ.pop("HUFU_ADMIN_URL", None)
        environment.migrate_in_child()
        with environment.connected():
            from hufu.audit import record
            from hufu.audit.backups import RESTORED
            from hufu.core.transaction import acting

            operator = Actor.operator()
            data = {
                "file": file.name,
                "moment": manifest["made"],
                "version": manifest["version"],
                "events": manifest["log"]["events"],
                "last_event": manifest["log"]["last"],
                "last_event_at": manifest["log"]["last_at"],
                "replaced": replaced,
                **missing,
            }
            with acting(operator):
                record(operator, RESTORED, data=data)


def tell(manifest: dict[str, Any], missing: dict[str, Any]) -> None:
    """Say what is there now, and what is missing."""
    print(_("Restored the backup of %(made)s; all sessions ended.") % {"made": manifest["made"]})
    if missing.get("missing"):
        print(
            _("%(missing)s events that came after it are missing (%(from)s to %(until)s).")
            % {
                "missing": missing["missing"],
                "from": missing.get("missing_from", "?"),
                "until": missing.get("missing_until", "?"),
            }
        )
    if manifest["rows"].get("public.access_reporting_login"):
        print(
            _(
                "A backup holds no logins of reporting users: `hufu doctor` says which are missing here, or were "
                "closed since and are to be closed again."
            )
        )
    print(_("`hufu doctor` and the log say the same. Start the site with `hufu serve`."))
