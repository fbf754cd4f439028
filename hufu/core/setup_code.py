"""The code that opens the set-up page: only whoever reads the server's terminal, or its secrets folder, has it.

A server that nobody set up yet belongs to whoever installed it, not to whoever opens it first over the network. The
code is made anew at every start, works for one set-up, and is void after too many wrong attempts.
"""

from __future__ import annotations

import enum
import hashlib
import os
import secrets
import unicodedata

from hufu.core.errors import Unavailable
from hufu.core.language import gettext
from hufu.core.postgres.secret_files import SecretFolder

NAME = "setup-code"
ATTEMPTS = "setup-code.attempts"
LIMIT = 10
# Without those that look alike. Twenty of 32 letters are 100 bits: nobody guesses them in ten attempts.
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
GROUPS, GROUP = 5, 4


class Verdict(enum.Enum):
    """What became of an attempt. VOID: there is no code, or no longer one."""

    RIGHT = enum.auto()
    WRONG = enum.auto()
    VOID = enum.auto()


class SetupCode:
    """The code of one installation."""

    def __init__(self, folder: SecretFolder) -> None:
        self._folder = folder

    def issue(self) -> str:
        """Make a code and return it; earlier ones are void."""
        groups = ("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))
        code = "-".join(groups)
        path = self._folder.path(NAME)
        draft = path.with_name(f".{NAME}.{os.getpid()}")
        try:
            self._folder.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.unlink(missing_ok=True)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(code + "\n")
            self._folder.path(ATTEMPTS).unlink(missing_ok=True)
            draft.replace(path)
        except OSError as error:
            said = gettext("The secret %(path)s could not be stored: %(why)s.")
            raise Unavailable(said % {"path": path, "why": error.strerror}) from error
        return code

    def attempt(self, text: str) -> Verdict:
        """Compare what somebody typed with the code, in constant time; the tenth wrong attempt makes it void."""
        code = self._read()
        if code is None:
            return Verdict.VOID
        # Counted before it is looked at: attempts at the same moment count each.
        count = self._count()
        if count <= LIMIT and secrets.compare_digest(_plain(text).encode(), _plain(code).encode()):
            self._folder.path(ATTEMPTS).unlink(missing_ok=True)
            return Verdict.RIGHT
        if count < LIMIT:
            return Verdict.WRONG
        self.withdraw()
        return Verdict.VOID

    def fingerprint(self) -> str | None:
        """Return what a session keeps of the code that it was opened with; None where there is none."""
        code = self._read()
        return hashlib.sha256(code.encode()).hexdigest() if code else None

    def withdraw(self) -> None:
        """Make the code void for good."""
        for name in (NAME, ATTEMPTS):
            self._folder.path(name).unlink(missing_ok=True)

    def _read(self) -> str | None:
        try:
            return self._folder.path(NAME).read_text().strip() or None
        except FileNotFoundError:
            return None

    def _count(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        handle = os.open(self._folder.path(ATTEMPTS), flags, 0o600)
        try:
            os.write(handle, b".")
            return os.fstat(handle).st_size
        finally:
            os.close(handle)


def _plain(text: str) -> str:
    """Return the letters alone: however wide, with whatever between them."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())
