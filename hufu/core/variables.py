"""Reading the environment: each wrong value is one sentence that says which value it is and what to write instead."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from datetime import time
from pathlib import Path
from urllib.parse import urlsplit

from hufu.core import addresses
from hufu.core.errors import Unavailable
from hufu.core.language import gettext as _

# What keeps every backup.
EVERYTHING = "all"
# What the daily backup leaves: days, weeks and months.
KEPT = "7,4,12"


def networks(name: str) -> tuple[addresses.Network, ...]:
    """Return the networks that a variable lists, none where it is not set; raise Unavailable for what is no network."""
    try:
        return addresses.networks(os.environ.get(name, ""))
    except ValueError as error:
        raise Unavailable(
            _(
                "%(name)s: “%(value)s” is no network. Write addresses or networks such as 10.0.0.0/8, "
                "separated by commas."
            )
            % {"name": name, "value": error}
        ) from error


def number(name: str, *, default: int, least: int, most: int) -> int:
    """Return the whole number of a variable, or the default; raise Unavailable for what is not in the range."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”. Set it to a whole number from %(least)s to %(most)s, or leave it out "
                "(then it is %(default)s)."
            )
            % {"name": name, "value": text, "least": least, "most": most, "default": default}
        )
    return int(text)


def one_of(name: str, choices: tuple[str, ...], *, default: str = "") -> str:
    """Return the value of a variable, the default (the first choice) where it is not set.

    Raise Unavailable for any other value.
    """
    default = default or choices[0]
    text = os.environ.get(name, "").strip() or default
    if text not in choices:
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”. Set it to one of these, or leave it out (then it is %(default)s): "
                "%(choices)s."
            )
            % {"name": name, "value": text, "default": default, "choices": ", ".join(choices)}
        )
    return text


def folder(name: str, default: Path) -> Path:
    """Return the folder that a variable names, or the default; raise Unavailable where something else lies there."""
    path = Path(os.environ.get(name) or default)
    if path.exists() and not path.is_dir():
        raise Unavailable(
            _("%(name)s is “%(value)s”, which is no folder. Name a folder, or a place where one can be made.")
            % {"name": name, "value": path}
        )
    return path


def time_of_day(name: str) -> time | None:
    """Return the time of day of a variable, None where it is not set; raise Unavailable for what is none."""
    said = os.environ.get(name)
    if not said:
        return None
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", said, re.ASCII):
        raise Unavailable(
            _("%(name)s=%(value)s is no time of day. Write it as 02:30.") % {"name": name, "value": said}
        )
    return time.fromisoformat(said)


def periods(name: str, *, default: str) -> tuple[str, ...]:
    """Return how many days, weeks and months a variable keeps, or nothing for `all`.

    Raise Unavailable for anything else.
    """
    said = os.environ.get(name) or default
    if said == EVERYTHING:
        return ()
    if not re.fullmatch(r"[1-9]\d{0,3},[1-9]\d{0,3},[1-9]\d{0,3}", said, re.ASCII):
        raise Unavailable(
            _("%(name)s=%(value)s is not understood. Write days,weeks,months such as 7,4,12, or all.")
            % {"name": name, "value": said}
        )
    return tuple(said.split(","))


def programs(name: str, wanted: tuple[str, ...]) -> Path | None:
    """Return the folder of programs that a variable names, None where it is not set.

    Raise Unavailable where none of those that are wanted is there.
    """
    said = os.environ.get(name)
    if not said:
        return None
    if not any((Path(said) / program).is_file() for program in wanted):
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”, where there is none of these programs: %(programs)s. Name their folder."
            )
            % {"name": name, "value": said, "programs": ", ".join(wanted)}
        )
    return Path(said)


def origin(name: str, *, default: str) -> str:
    """Return the address of a site, without a slash at the end; raise Unavailable for what is none."""
    text = os.environ.get(name, "").strip() or default
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and _is_host(parts.hostname or "") and parts.port != 0
        rest = parts.path.strip("/") or parts.query or parts.fragment
    except ValueError:
        sound, rest = False, ""
    if not sound or rest or "@" in text:
        raise Unavailable(
            _(
                "%(name)s is “%(value)s”, which is no address of a site. Write scheme and name, with a port where it "
                "needs one, and nothing behind: https://crm.example.com."
            )
            # What stands before an @ may be a password.
            % {"name": name, "value": text.rpartition("@")[2]}
        )
    return text.rstrip("/")


def language(name: str) -> None:
    """Raise Unavailable where a variable names a language that is not spoken here; not set is the terminal's."""
    text = os.environ.get(name, "").strip()
    if text and not text.lower().startswith(("zh", "en")):
        raise Unavailable(
            _("%(name)s is “%(value)s”. Set it to zh or en, or leave it out (then it is the terminal's).")
            % {"name": name, "value": text}
        )


def hosts(name: str) -> tuple[str, ...]:
    """Return the names of hosts that a variable lists; raise Unavailable, naming the first that is none."""
    found = tuple(part.strip() for part in os.environ.get(name, "").split(",") if part.strip())
    for host in found:
        if not _is_host(host.removeprefix(".")):
            raise Unavailable(
                _(
                    "%(name)s: “%(value)s” is no host name. Write names such as crm.example.com, or .example.com for "
                    "all below it, separated by commas, without scheme and port."
                )
                % {"name": name, "value": host}
            )
    return found


def _is_host(text: str) -> bool:
    if addresses.address_of(text.removeprefix("[").removesuffix("]")) is not None:
        return True
    labels = text.removesuffix(".").split(".")
    return all(
        label.replace("-", "").replace("_", "").isalnum() and label.isascii() and len(label) < 64
        for label in labels
    )


KNOWN = (
    *(
        "HUFU_VAR",
        "HUFU_SECRETS",
        "HUFU_ATTACHMENTS",
        "HUFU_ORIGIN",
        "HUFU_ALLOWED_HOSTS",
        "HUFU_TRUSTED_PROXIES",
    ),
    *(
        "HUFU_DEMO",
        "HUFU_SECOND_FACTOR",
        "HUFU_PASSWORD_PROFILE",
        "HUFU_SESSION_IDLE_MINUTES",
        "HUFU_SESSION_HOURS",
        "HUFU_TRUSTED_DEVICE_DAYS",
    ),
    *("HUFU_SSO_FILE", "HUFU_LOG_FORMAT", "HUFU_LOG_LEVEL", "HUFU_ACCESS_LOG", "HUFU_METRICS_NETWORKS"),
    *("HUFU_LIMIT_SEARCH", "HUFU_LIMIT_LISTS", "HUFU_LIMIT_FILES", "HUFU_LIMIT_SENSITIVE", "HUFU_LANGUAGE"),
    *("HUFU_OWNER_URL", "HUFU_SEALER_URL", "HUFU_READER_URL", "HUFU_BACKUP_URL", "HUFU_ADMIN_URL"),
    *("HUFU_BACKUP_AT", "HUFU_BACKUP_KEEP", "HUFU_BACKUP_DIR", "HUFU_PG_BIN"),
    *("HUFU_RETENTION_CONTACTS", "HUFU_RETENTION_CUSTOMERS", "HUFU_RETENTION_BIN"),
    *("HUFU_MASTER_KEY", "HUFU_MASTER_KEY_COMMAND"),
)
# Whoever runs the tests, and the file of identity providers, name variables of their own.
OTHERS = ("HUFU_TEST_", "HUFU_SSO_", "HUFU_ORGANISATIONS")


def unknown(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable that looks like ours and is none, with the name it is nearest to."""
    for name in sorted(environment):
        if not name.startswith("HUFU_") or name in KNOWN or name.startswith(OTHERS):
            continue
        near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.75)
        if near:
            yield _("There is no variable %(name)s; it has no effect. Is %(near)s meant?") % {
                "name": name,
                "near": near[0],
            }
        else:
            yield _("There is no variable %(name)s; it has no effect.") % {"name": name}
