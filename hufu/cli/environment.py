"""What a command stands on: a database that runs, and Django set up with the credentials of one role.

    with environment.connected():            # the application's role; the database is up to date
        from hufu.crm import queries         # models are imported only from here on

Where Django is set up already (in tests), it is used as it is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hufu.core import language, variables
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _
from hufu.core.postgres import urls
from hufu.core.postgres.roles import APP, ROLES
from hufu.core.postgres.secret_files import SECRET_KEY, SecretFolder
from hufu.core.postgres.urls import ADMIN_VARIABLE, VARIABLES

SETTINGS = "hufu.config.settings"


class NeverSetUp(Unavailable):
    """The folder of the embedded database holds none yet, or one that no version was brought to."""

    def __init__(self) -> None:
        self.problem = _("The folder %s was never set up.") % var()
        self.remedy = _("Run `hufu setup` (or `hufu serve`) first, or name the right folder with HUFU_VAR.")
        super().__init__(f"{self.problem} {self.remedy}")


@dataclass(frozen=True)
class Database:
    """The database of this installation: a real server's, or the embedded one's while it is attached."""

    urls: dict[str, str]
    admin_url: str | None
    embedded: bool
    # Starts the embedded server again if it was killed; returns whether that was necessary.
    revive: Callable[[], bool] = lambda: False

    def url(self, role: str) -> str:
        """Return the address for a role; raise Unavailable, naming the variable, where it is not known."""
        try:
            return self.urls[role]
        except KeyError:
            raise Unavailable(
                _(
                    "This command connects as %(role)s, and its address is not known. "
                    "Set %(variable)s=postgresql://%(role)s:PASSWORD@HOST:PORT/DATABASE."
                )
                % {"role": role, "variable": VARIABLES[role]}
            ) from None


def var() -> Path:
    """Return the folder of data, secrets and logs."""
    return variables.folder("HUFU_VAR", Path("var")).absolute()


def secrets() -> SecretFolder:
    """Return the folder of secrets of this installation."""
    return SecretFolder(variables.folder("HUFU_SECRETS", var() / "secrets"))


@contextmanager
def database() -> Iterator[Database]:
    """Have the database for the body: what DATABASE_URL names, else the embedded server, started where necessary."""
    secrets().key(SECRET_KEY)
    if os.environ.get(VARIABLES[APP]):
        known = {role: os.environ[name] for role, name in VARIABLES.items() if os.environ.get(name)}
        for role, url in known.items():
            urls.check(VARIABLES[role], url)
        if admin := os.environ.get(ADMIN_VARIABLE):
            urls.check(ADMIN_VARIABLE, admin)
        yield Database(known, os.environ.get(ADMIN_VARIABLE) or None, embedded=False)
        return
    from hufu.core.postgres.embedded import server

    with server(var()) as running:
        yield Database({role: running.url(role) for role in ROLES}, running.admin_url(), True, running.revive)


def _never_made() -> bool:
    # Asked before a server is started: a question in the wrong folder leaves nothing there.
    return not os.environ.get(VARIABLES[APP]) and not (var() / "postgres").exists()


def never_set_up(found: Database) -> bool:
    """Tell whether an embedded database was never brought to any version, or not to the end."""
    if not (found.embedded and found.admin_url):
        return False
    import psycopg

    name = urls.database_in(found.url(APP))
    with psycopg.connect(found.admin_url) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return True
    with psycopg.connect(urls.with_database(found.admin_url, name)) as admin:
        row = admin.execute("SELECT to_regclass('hufu.installed') IS NULL").fetchone()
        return bool(row and row[0])


@contextmanager
def connected(role: str = APP, *, current: bool = True, set_up: bool = False) -> Iterator[None]:
    """Set Django up for the body with the credentials of `role`, and nobody else's.

    With `current`, raise Unavailable unless the database is on exactly this version of the program. The application
    finds an embedded database that was never set up only after it is: with `set_up` it is done first, otherwise raise
    NeverSetUp.
    """
    from django.apps import apps

    if apps.ready:
        yield
        return
    if role == APP and not set_up and _never_made():
        raise NeverSetUp
    with database() as found:
        if role == APP and never_set_up(found):
            if not set_up:
                raise NeverSetUp
            migrate_in_child()
        import django
        from django.db import connections

        with _only(found.url(role)):
            django.setup()
        _speak()
        try:
            if current:
                _require_current()
            yield
        finally:
            connections.close_all()


@contextmanager
def _only(url: str) -> Iterator[None]:
    # While the settings are read, this address is the only one in the environment.
    names = (ADMIN_VARIABLE, *VARIABLES.values())
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ[VARIABLES[APP]] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    try:
        yield
    finally:
        del os.environ[VARIABLES[APP]]
        os.environ.update(before)


def migrate_in_child(*, quiet: bool = True) -> None:
    """Bring the database up to date in a process of its own, so that the owner's credentials end with it."""
    command = [sys.executable, "-m", "hufu.cli.main", "migrate", *(["--quiet"] if quiet else [])]
    if code := subprocess.run(command, check=False).returncode:
        raise Unavailable(
            _("The database could not be brought up to date (exit code %s); the reason stands above.") % code
        )


def _require_current() -> None:
    from django.db import OperationalError, connection

    from hufu.core import schema

    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise Unavailable(
            _(
                "The database does not let the application in (%s). If it was never set up, run `hufu migrate`; "
                "otherwise check DATABASE_URL."
            )
            % str(error).splitlines()[0]
        ) from error
    if schema.installed_digest(connection) != schema.digest():
        raise Unavailable(
            _("The database is not up to date with this version of Hufu CRM. Run `hufu migrate` first.")
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.demo_is_unfinished()")
        row = cursor.fetchone()
    if row and row[0]:
        raise Unavailable(
            _(
                "The making of the demo company in this database was interrupted. Run `hufu demo`: it makes it anew."
            )
        )


def _speak() -> None:
    from django.utils import translation

    translation.activate(language.of_terminal())
