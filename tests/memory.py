"""Where the databases of the tests lie: in memory, if there is room.

Every test with commits of its own makes and drops a database of some hundred files. A file system on a disk that
protects itself against taking up just deleted files again (ext4) spends seconds on that; memory spends milliseconds.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
NEEDED = 3 * 1024**3


def parent() -> Path | None:
    """Return a folder in memory with room for the databases of a run, or None where there is none."""
    if not os.access(SHARED_MEMORY, os.W_OK) or shutil.disk_usage(SHARED_MEMORY).free < NEEDED:
        return None
    return SHARED_MEMORY


def folder(link: Path) -> Path:
    """Return the folder of the tests' server: one in memory, to which `link` leads, or `link` itself.

    Others can write beside it, but not into it: one that is somebody else's is not taken.
    """
    above = parent()
    if above is None or (link.exists() and not link.is_symlink()):
        return link
    made = above / f"hufu-tests-{os.getuid()}-{hashlib.sha256(bytes(link)).hexdigest()[:12]}"
    made.mkdir(mode=0o755, exist_ok=True)
    facts = made.lstat()
    if made.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o022:
        return link
    if not link.is_symlink():
        # Another worker of this run may be faster.
        with contextlib.suppress(FileExistsError):
            link.symlink_to(made)
    return made
