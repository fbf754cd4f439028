"""What the log can say: the registry of event types.

An event type is declared once, by the package whose deed it records. What is not declared cannot be recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

_TYPE_NAME = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")

Level = Literal["public", "internal", "personal", "confidential"]

THREE_YEARS = 1096
SIX_MONTHS = 183
"""The least that the Cybersecurity Law (网络安全法) art. 21 lets anybody keep a log."""

_SECRET = re.compile(
    r"password|passwd|passphrase|secret(?!ar)|token|credential|cookie|(api|private|session|access|master)_?key"
    r"|(^|_)(otp|totp|pin|cvv|pwd)(_|$)|recovery_?code|密码|口令|密钥|令牌|验证码",
    re.IGNORECASE,
)
# How a secret may be named without saying it.
_ABOUT_A_SECRET = re.compile(r"_(id|ids|count)$")


class UndeclaredEvent(LookupError):
    """A programming error: the event type, or a name in its data, was not declared."""


@dataclass(frozen=True)
class Field:
    """One name in an event's data.

    `shown`: whoever may read the log sees the value. Only facts about the deed are shown, never values of
    business fields. `personal`: the value is kept as ciphertext under the key of the person that it is about.
    `by_name`: the value is a mapping from business fields to their values, sealed one by one.
    """

    name: str
    personal: bool = False
    by_name: bool = False
    shown: bool = False


def shown(*names: str) -> tuple[Field, ...]:
    """Facts about the deed that every reader of the log sees."""
    return tuple(Field(name, shown=True) for name in names)


def kept(*names: str) -> tuple[Field, ...]:
    """Values that are kept as they are and not shown on the log page."""
    return tuple(Field(name) for name in names)


def sealed(*names: str) -> tuple[Field, ...]:
    """Values that are kept as ciphertext under the key of the person they are about."""
    return tuple(Field(name, personal=True) for name in names)


CHANGES = (Field("changes"), Field("changes", personal=True, by_name=True))
"""Business fields with their values before and after; `audit.changes()` makes both halves."""


@dataclass(frozen=True)
class EventType:
    """A kind of past fact, thing-dot-past: `customer.transferred`.

    `level` is the protection that its most sensitive content needs, `retention_days` the least time that it
    is kept. A field given by its bare name is `kept`.
    """

    name: str
    label: str | Promise
    fields: tuple[Field | str, ...] = ()
    level: Level = "internal"
    retention_days: int = THREE_YEARS

    @property
    def declared(self) -> tuple[Field, ...]:
        """The fields, each in full."""
        return tuple(Field(field) if isinstance(field, str) else field for field in self.fields)

    def check(self, data: Mapping[str, Any], personal: Mapping[str, Any]) -> None:
        """Raise UndeclaredEvent for an undeclared name, ValueError for one that looks like a secret."""
        for values, is_personal in ((data, False), (personal, True)):
            declared = {field.name: field for field in self.declared if field.personal is is_personal}
            for name, value in values.items():
                if name not in declared:
                    half = "personal data" if is_personal else "data"
                    raise UndeclaredEvent(f"The event type {self.name} declares no {half} named {name!r}.")
                if declared[name].by_name and not isinstance(value, Mapping):
                    raise TypeError(f"{self.name}: {name} maps field names to values.")
                refuse_secrets(value)

    def is_by_name(self, name: str) -> bool:
        """Whether the personal value `name` is sealed field by field."""
        return Field(name, personal=True, by_name=True) in self.declared


_types: dict[str, EventType] = {}


def declare(*types: EventType) -> None:
    """Add event types to the registry. A name that is taken, badly formed or secret raises ValueError."""
    for event_type in types:
        if not _TYPE_NAME.fullmatch(event_type.name):
            raise ValueError(f"{event_type.name!r} is not thing-dot-past.")
        if event_type.name in _types:
            raise ValueError(f"The event type {event_type.name} is declared twice.")
        if event_type.retention_days < SIX_MONTHS:
            raise ValueError(f"{event_type.name} must be kept for {SIX_MONTHS} days or longer.")
        for field in event_type.declared:
            if not _FIELD_NAME.fullmatch(field.name):
                raise ValueError(f"{event_type.name}: {field.name!r} is not a name.")
            if field.shown and field.personal:
                raise ValueError(f"{event_type.name}: {field.name} is personal and cannot be shown.")
            refuse_secrets({field.name: None})
        _types[event_type.name] = event_type


def get(name: str) -> EventType:
    """Return the event type of this name or raise UndeclaredEvent."""
    try:
        return _types[name]
    except KeyError:
        raise UndeclaredEvent(f"The event type {name!r} is not declared.") from None


def find(name: str) -> EventType | None:
    """Return the event type of this name, or None: the log outlives the code that wrote it."""
    return _types.get(name)


def all_types() -> tuple[EventType, ...]:
    """Return every declared type, by name."""
    return tuple(_types[name] for name in sorted(_types))


def refuse_secrets(value: Any) -> None:
    """Raise ValueError where a name, at any depth, says that its value is a secret."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if _is_secret(str(name)):
                raise ValueError(f"{name!r} looks like a secret. Secrets never enter the log.")
            refuse_secrets(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            refuse_secrets(item)


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name) and not _ABOUT_A_SECRET.search(name))


def declare_pool_events(name: str, label: str | Promise) -> None:
    """Declare what happens to records of a type that can lie in a pool."""
    declare(
        EventType(
            f"{name}.released",
            format_lazy(_("{thing}: released to the pool"), thing=label),
            shown("pool", "from_owner", "department"),
        ),
        EventType(
            f"{name}.claimed",
            format_lazy(_("{thing}: claimed from the pool"), thing=label),
            shown("pool", "to_owner", "from_department", "to_department"),
        ),
    )


def declare_record_events(name: str, label: str | Promise, *, owned: bool = True) -> None:
    """Declare what can happen to records of the resource type `name`, called `label` on screen.

    What is not `owned` has no owner, team or partition of its own: it follows another record.

    A list is one event: `filter` holds fields and operators, `values` (personal, under the key of who asked)
    what was typed, `search` only the shape of the text (such as "phone, 11 characters"), `ids` the rows that
    were given.
    """

    def says(text: Any) -> Promise:
        return format_lazy(text, thing=label)

    declare(
        EventType(
            f"{name}.listed",
            says(_("{thing}: list read")),
            (*shown("filter", "sort", "search", "count"), *kept("ids"), *sealed("values")),
            "personal",
        ),
        EventType(f"{name}.viewed", says(_("{thing}: viewed"))),
        EventType(f"{name}.created", says(_("{thing}: created")), CHANGES, "confidential"),
        EventType(f"{name}.changed", says(_("{thing}: changed")), CHANGES, "confidential"),
        EventType(f"{name}.deleted", says(_("{thing}: deleted")), CHANGES, "confidential"),
        EventType(f"{name}.restored", says(_("{thing}: restored from the bin"))),
        EventType(
            f"{name}.moved",
            says(_("{thing}: moved to another partition")),
            shown("from_partition", "to_partition", "from_owner", "to_owner"),
        ),
        EventType(f"{name}.purged", says(_("{thing}: deleted for good")), shown("children")),
    )
    if owned:
        _declare_owned(name, says)


def _declare_owned(name: str, says: Callable[[Any], Promise]) -> None:
    declare(
        EventType(
            f"{name}.transferred",
            says(_("{thing}: transferred")),
            shown("from_owner", "to_owner", "from_department", "to_department", "former_access"),
        ),
        # The owner moved, and the record's department with them.
        EventType(
            f"{name}.taken_along",
            says(_("{thing}: taken along by its owner")),
            shown("owner", "from_department", "to_department"),
        ),
        EventType(
            f"{name}.member_joined",
            says(_("{thing}: colleague joined the team")),
            shown("member", "access", "role"),
        ),
        EventType(f"{name}.member_left", says(_("{thing}: colleague left the team")), shown("member")),
        EventType(
            f"{name}.shared",
            says(_("{thing}: shared")),
            shown("share", "to", "access", "superiors", "starts", "ends", "along"),
        ),
        EventType(f"{name}.share_ended", says(_("{thing}: share ended")), shown("share", "to", "along")),
        EventType(f"{name}.voided", says(_("{thing}: declared void"))),
        EventType(f"{name}.unvoided", says(_("{thing}: no longer void"))),
        EventType(f"{name}.locked", says(_("{thing}: locked"))),
        EventType(f"{name}.unlocked", says(_("{thing}: unlocked"))),
        # An approval task: it holds the record, and shows it to whoever has it.
        EventType(f"{name}.task_opened", says(_("{thing}: task opened")), shown("task", "member", "kind")),
        EventType(f"{name}.task_ended", says(_("{thing}: task ended")), shown("task", "member", "kind")),
        EventType(
            f"{name}.imported",
            says(_("{thing}: imported")),
            shown("file", "digest", "map_digest", "rows", "created", "updated", "unchanged", "refused"),
        ),
    )


declare(
    EventType("auth.signed_in", _("Signed in"), shown("method"), "personal"),
    EventType("auth.sign_in_failed", _("Sign-in failed"), (*shown("method"), *sealed("login")), "personal"),
    EventType("auth.signed_out", _("Signed out"), (), "personal"),
    EventType(
        "access.refused",
        _("Access refused"),
        shown("permission", "gate", "quota", "method", "path"),
        "personal",
    ),
    EventType(
        "policy.applied",
        _("Policy applied"),
        (*shown("version", "change_set", "digest", "added", "changed", "removed"), *kept("changes")),
        "confidential",
    ),
    EventType("log.viewed", _("Log read"), shown("filter", "count", "event")),
    EventType(
        "log.recovered",
        _("Log entry recovered after a failure"),
        (
            *shown("failure", "written_at", "type", "actor", "result", "reason"),
            *kept("entry"),
            *sealed("entry"),
        ),
        "personal",
    ),
    EventType("system.started", _("System started"), shown("version")),
    EventType(
        "keys.rotated",
        _("Keys of the vault changed"),
        shown("version", "rows", "master_version", "data_keys", "subjects"),
    ),
    EventType(
        "system.backed_up",
        _("Backup made"),
        shown(
            "file",
            "digest",
            "bytes",
            "seconds",
            "moment",
            "events",
            "last_event",
            "last_event_at",
            "verified",
            "removed",
        ),
    ),
    EventType("system.backup_failed", _("Backup failed")),
    EventType(
        "system.restored",
        _("Database restored from a backup"),
        (
            *shown("file", "moment", "version", "events", "last_event", "last_event_at"),
            *shown("replaced", "missing", "missing_from", "missing_until"),
        ),
    ),
    EventType("system.migrated", _("Database migrated"), shown("version", "migrations", "digest")),
)
