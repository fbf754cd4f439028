"""Database addresses, as people write them and as Django and psycopg want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hufu.core.errors import Unavailable
from hufu.core.language import gettext

# The variables that hold one address per role; only DATABASE_URL belongs to a serving process.
VARIABLES: Mapping[str, str] = {
    "hufu_app": "DATABASE_URL",
    "hufu_owner": "HUFU_OWNER_URL",
    "hufu_sealer": "HUFU_SEALER_URL",
    "hufu_reader": "HUFU_READER_URL",
    "hufu_backup": "HUFU_BACKUP_URL",
}
ADMIN_VARIABLE = "HUFU_ADMIN_URL"


def make_url(user: str, password: str, host: str, port: int, database: str) -> str:
    """Return the address in one line."""
    return f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{host}:{port}/{quote(database, safe='')}"


def password_in(url: str) -> str:
    """Return the password that stands in an address, or ''."""
    return unquote(urlsplit(url).password or "")


def database_in(url: str) -> str:
    """Return the name of the database in an address, or ''."""
    return unquote(urlsplit(url).path.lstrip("/"))


def with_database(url: str, database: str) -> str:
    """Return the same address for another database."""
    return urlsplit(url)._replace(path=f"/{quote(database, safe='')}").geturl()


def check(name: str, url: str) -> None:
    """Raise Unavailable, naming the variable, unless its value is an address of PostgreSQL's. It may hold a password:
    no part of it is said."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"postgres", "postgresql"} and bool(database_in(url)) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise Unavailable(
            gettext(
                "%s is no address of a database. Write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE "
                "(PostgreSQL 15 or newer; special characters of the password as %%40 and so on). Its value is not "
                "shown here: it may hold a password."
            )
            % name
        ) from None


def django_settings(url: str) -> dict[str, Any]:
    """Return the entry of `DATABASES` for an address; raise Unavailable when it is none of PostgreSQL's."""
    check(VARIABLES["hufu_app"], url)
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database_in(url),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"application_name": "hufu", **options},
    }
