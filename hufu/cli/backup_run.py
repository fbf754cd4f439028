"""Making a backup and trying it: what `hufu backup` and `hufu restore` share."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from hufu import __version__
from hufu.cli.environment import Database
from hufu.core import clock
from hufu.core.backup import archive, dump, folder
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres import roles, urls
from hufu.core.postgres.roles import BACKUP, OWNER
from hufu.core.postgres.secret_files import SecretFolder

TRIAL = "trial"
PIECE = 1024 * 1024
EVERY_SECONDS = 10

Progress = Callable[[str, int], None]


def make(
    database: Database, var: Path, secrets: SecretFolder, target: Path, key: bytes, *, verify: bool
) -> dict[str, Any]:
    """Write the backup of this moment to `target` and return its manifest; raise Unavailable where it cannot be done.

    With `verify` it gets its name only after it was restored into a server of its own and compared.
    """
    url = database.url(BACKUP)
    with folder.draft(target) as (file, keep):
        with (
            told(_("Writing the backup")) as tell,
            dump.snapshot(url) as (held, moment),
            closing(dump.dump(url, moment)) as dumped,
        ):
            made = clock.true_time().isoformat()
            manifest = {"format": 1, "version": __version__, "made": made, **dump.facts(held)}
            parts = ((name, _watched(pieces, tell)) for name, pieces in _parts(dumped, var, secrets))
            archive.write(file, key, parts, lambda: manifest, made=made, version=__version__)
            file.flush()
        if verify:
            try_out(folder.draft_of(target), key, var)
        keep()
    return manifest


def try_out(path: Path, key: bytes, var: Path) -> None:
    """Restore a backup into a server of its own, compare it with its manifest and throw the server away.

    Raise Unavailable when anything differs.
    """
    from hufu.core.postgres.embedded import attach_or_start

    with _trial_folder(var) as scratch, told(_("Restoring it to try it")) as tell:
        with attach_or_start(scratch, SecretFolder(scratch / "secrets")) as server:
            with psycopg.connect(server.admin_url(), autocommit=True) as admin:
                # Nothing in there outlives the trial.
                admin.execute("ALTER SYSTEM SET fsync = off")
                admin.execute("SELECT pg_reload_conf()")
                roles.ensure(admin, {role: server.secrets.password(role) for role in roles.ROLES})
                roles.ensure_database(admin, urls.database_in(server.url(OWNER)))
            manifest = unpack(path, key, server.url(OWNER), {}, tell)
            compare(server.url(BACKUP), manifest)


def unpack(
    path: Path, key: bytes, owner_url: str, folders: Mapping[str, Path], tell: Progress
) -> dict[str, Any]:
    """Restore a backup's database into an empty one, and files whose names begin so into these folders.

    Return the manifest. The pieces of the dump are fed to the database as they are opened; whoever calls this with
    data at stake has checked the whole file before.
    """
    found = archive.parts(path, [key])
    following = next(found)
    while not isinstance(following, dict):
        pieces = _Pieces(following, found)
        watched = _watched(pieces, tell)
        kind, _slash, name = pieces.name.partition("/")
        if pieces.name == archive.DATABASE:
            dump.restore(owner_url, watched)
        elif target := folders.get(f"{kind}/"):
            _store(target, name, watched)
        # What nobody read (an attachment in a trial) is opened and checked all the same.
        for _piece in watched:
            pass
        following = pieces.following
    return following


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare(url: str, manifest: dict[str, Any]) -> None:
    """Raise Unavailable unless a restored database holds what the manifest says: rows of every table, the log's end."""
    with psycopg.connect(url) as connection:
        found = dump.contents(connection)
    wrong = [
        f"{table}: {found['rows'].get(table)} ≠ {rows}"
        for table, rows in manifest["rows"].items()
        if found["rows"].get(table) != rows
    ]
    if found["log"] != manifest["log"]:
        wrong.append(f"audit_event: {found['log']['last']} ≠ {manifest['log']['last']}")
    if wrong:
        raise Unavailable(
            _("The restored database is not what was backed up: %s. This backup is not used.")
            % "; ".join(wrong[:5])
        )


@contextmanager
def _trial_folder(var: Path) -> Iterator[Path]:
    # INVARIANT: what a killed trial left open to read is gone with the next one, and no other trial uses it meanwhile.
    scratch = var / TRIAL
    with (var / f"{TRIAL}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


@contextmanager
def told(what: str) -> Iterator[Progress]:
    """Tell on standard error what goes on for the body, and how far it came."""
    from rich.console import Console

    console = Console(file=sys.stderr)
    begin = said_at = time.monotonic()
    done = 0

    def text() -> str:
        return f"{what} … {done / 1e6:,.1f} MB, {time.monotonic() - begin:.0f} s"

    if console.is_terminal:
        with console.status(f"{what} …") as status:

            def show(_name: str, amount: int) -> None:
                nonlocal done
                done += amount
                status.update(text())

            yield show
    else:

        def note(_name: str, amount: int) -> None:
            nonlocal done, said_at
            done += amount
            if time.monotonic() - said_at > EVERY_SECONDS:
                said_at = time.monotonic()
                print(text(), file=sys.stderr)

        yield note
    print(f"{what}: {done / 1e6:,.1f} MB, {time.monotonic() - begin:.1f} s", file=sys.stderr)


class _Pieces:
    """The data of one part; `following` is what stands after it, once it was read to its end."""

    def __init__(self, first: archive.Part, source: Iterator[archive.Part | dict[str, Any]]) -> None:
        self.name = first.name
        self.following: archive.Part | dict[str, Any] = first
        self._source = source
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._ended:
            raise StopIteration
        found = next(self._source)
        if isinstance(found, dict) or found.name != self.name:
            self.following, self._ended = found, True
            raise StopIteration
        return found.data


def _watched(pieces: Any, tell: Progress) -> Iterator[bytes]:
    for piece in pieces:
        tell("", len(piece))
        yield piece


def _parts(
    dumped: Iterator[bytes], var: Path, secrets: SecretFolder
) -> Iterator[tuple[str, Iterator[bytes]]]:
    yield archive.DATABASE, dumped
    for path in folder.secret_files(secrets):
        yield archive.SECRET + path.name, iter([path.read_bytes()])
    attachments = folder.attachments(var)
    for path in sorted(attachments.rglob("*")):
        # A file that was purged since the list was made is no part of the backup.
        with contextlib.suppress(FileNotFoundError, IsADirectoryError), path.open("rb") as file:
            name = archive.ATTACHMENT + path.relative_to(attachments).as_posix()
            yield name, iter(partial(file.read, PIECE), b"")


def _store(where: Path, name: str, pieces: Iterator[bytes]) -> None:
    target = (where / name).resolve()
    if where.resolve() not in target.parents:
        raise Unavailable(_("The backup names a file outside of its folder: %s.") % name)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
