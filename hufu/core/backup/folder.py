"""The folder of backups: their names, what else goes in, drafts, and which of them are kept."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import IO

from hufu.core.backup.archive import key_under
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres.secret_files import SECRET_KEY, SecretFolder
from hufu.core.vault import MASTER_KEY, master_keys

FOLDER = "HUFU_BACKUP_DIR"
ATTACHMENTS = "HUFU_ATTACHMENTS"
_NAME = re.compile(r"hufu-(\d{8}T\d{6}Z)\.backup")
_DRAFT = re.compile(r"\.hufu-\d{8}T\d{6}Z\.backup\.draft")
_STAMP = "%Y%m%dT%H%M%SZ"
# INVARIANT: the master key is in no backup. Without the others nothing is lost: passwords of roles are made anew, a
# set-up code is void after its use, and without Django's key sessions end, which a restore does anyway.
_LEFT_OUT = re.compile(rf"\.|{MASTER_KEY}|.*\.password$|setup-code|{SECRET_KEY}$")


@dataclass(frozen=True, order=True)
class Kept:
    """A finished backup in the folder."""

    moment: datetime
    path: Path


@dataclass(frozen=True)
class Retention:
    """How many days, weeks and months keep a backup each: the newest one of each."""

    daily: int
    weekly: int
    monthly: int


def folder(var: Path) -> Path:
    """Return the folder of backups."""
    return Path(os.environ.get(FOLDER) or var / "backups").absolute()


def attachments(var: Path) -> Path:
    """Return the folder of attachments, whether or not there is one."""
    return Path(os.environ.get(ATTACHMENTS) or var / "attachments").absolute()


def keys(secrets: SecretFolder) -> list[bytes]:
    """Return the keys of backups, one for each version of the master key, that in use first.

    Raise Unavailable where the master key is missing or damaged.
    """
    ring = master_keys(secrets.folder)
    return [key_under(ring.keys[version]) for version in sorted(ring.keys, reverse=True)]


def secret_files(secrets: SecretFolder) -> list[Path]:
    """Return the secrets that the data cannot be read without, but for the master key: that is never in a backup."""
    if not secrets.folder.exists():
        return []
    return sorted(
        path for path in secrets.folder.iterdir() if path.is_file() and not _LEFT_OUT.match(path.name)
    )


def name(moment: datetime) -> str:
    """Return the name of the backup of this moment."""
    return f"hufu-{moment.astimezone(UTC).strftime(_STAMP)}.backup"


def backups(where: Path) -> list[Kept]:
    """Return the finished backups of a folder, oldest first."""
    if not where.is_dir():
        return []
    found = ((_NAME.fullmatch(path.name), path) for path in where.iterdir())
    return sorted(
        Kept(datetime.strptime(match[1], _STAMP).replace(tzinfo=UTC), path) for match, path in found if match
    )


@contextlib.contextmanager
def alone(where: Path) -> Iterator[None]:
    """Be the only backup in a folder, and throw away what a killed one left; raise Unavailable otherwise."""
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (where / ".lock").open("a")
    except OSError as error:
        raise _unwritable(where, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                _("Another backup is being made in %s. Let it end and try again.") % where
            ) from None
        for path in where.iterdir():
            if _DRAFT.fullmatch(path.name):
                path.unlink()
        yield


def draft_of(target: Path) -> Path:
    """Return where a backup stands that has no name yet."""
    return target.with_name(f".{target.name}.draft")


@contextlib.contextmanager
def draft(target: Path) -> Iterator[tuple[IO[bytes], Callable[[], None]]]:
    """Have a file to write for the body, and what gives it its final name, safe on the disk.

    What was not given its name is gone afterwards: no half backup ever stands under the name of a whole one.
    """
    path = draft_of(target)
    try:
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:

            def keep() -> None:
                file.flush()
                os.fsync(file.fileno())
                path.rename(target)
                place = os.open(target.parent, os.O_RDONLY)
                try:
                    os.fsync(place)
                finally:
                    os.close(place)

            yield file, keep
    except OSError as error:
        raise _unwritable(target.parent, error) from error
    finally:
        path.unlink(missing_ok=True)


def to_remove(found: Sequence[Kept], keep: Retention, zone: tzinfo) -> list[Kept]:
    """Return the backups that no day, week or month keeps, in the calendar of a time zone. The newest always stays."""
    kept = set(found[-1:])
    for wanted, period in (
        (keep.daily, lambda day: day.isoformat()),
        (keep.weekly, lambda day: day.isocalendar()[:2]),
        (keep.monthly, lambda day: (day.year, day.month)),
    ):
        newest = {period(one.moment.astimezone(zone).date()): one for one in found}
        kept.update(sorted(newest.values())[len(newest) - min(wanted, len(newest)) :])
    return [one for one in found if one not in kept]


def _unwritable(where: Path, error: OSError) -> Unavailable:
    return Unavailable(
        _(
            "The backup could not be written to %(folder)s: %(why)s. No half backup is left there. Free some space or "
            "name another folder with --to, and try again."
        )
        % {"folder": where, "why": error.strerror or error}
    )
