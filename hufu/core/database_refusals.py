"""What the database refuses for want of a right, told apart from what it cannot do because something is not granted."""

from __future__ import annotations

import psycopg

# Where in PostgreSQL the error was raised, whatever language the server speaks: a RAISE of ours, or a row policy on
# what was to be written. A table or function that was never granted to the application is raised elsewhere.
_REFUSING = frozenset({"exec_stmt_raise", "ExecWithCheckOptions"})


def refuses(error: BaseException) -> bool:
    """Say whether an error is the database's own refusal: a trigger, a deed's function or a row policy said no."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    return isinstance(cause, psycopg.errors.InsufficientPrivilege) and cause.diag.source_function in _REFUSING
