"""What people of the demo company do in their year: each step is a deed or a reading, for the player to do as them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Read:
    """A list, filtered and searched."""

    kind: str
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    search: str = ""
    mine: bool = False


@dataclass(frozen=True)
class Open:
    """One record, by its number in the company."""

    kind: str
    number: int


@dataclass(frozen=True)
class Enter:
    """New records. With `imported` they bring their times and departments along; else they begin now."""

    kind: str
    numbers: tuple[int, ...]
    imported: bool = False


@dataclass(frozen=True)
class EnterContacts:
    customers: tuple[int, ...]


@dataclass(frozen=True)
class Edit:
    """Values of several records, by number."""

    kind: str
    values: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Transfer:
    kind: str
    number: int
    to: str
    reason: str
    former: str = ""


@dataclass(frozen=True)
class Release:
    """A customer goes to a pool, by its key."""

    kind: str
    number: int
    pool: str
    reason: str


@dataclass(frozen=True)
class Claim:
    kind: str
    number: int


@dataclass(frozen=True)
class Join:
    """A colleague joins the team of a record."""

    kind: str
    number: int
    who: str
    access: str
    role: str


@dataclass(frozen=True)
class Leave:
    kind: str
    number: int
    who: str


@dataclass(frozen=True)
class Delete:
    kind: str
    number: int


@dataclass(frozen=True)
class Restore:
    kind: str
    number: int


@dataclass(frozen=True)
class Purge:
    kind: str
    number: int
    reason: str


@dataclass(frozen=True)
class MovePartition:
    kind: str
    number: int
    to: str
    owner: str
    reason: str


@dataclass(frozen=True)
class ReadLog:
    pass


@dataclass(frozen=True)
class Hire:
    username: str


@dataclass(frozen=True)
class MovePerson:
    """Somebody goes to the department, and to the manager, that they have today."""

    username: str


@dataclass(frozen=True)
class Dismiss:
    username: str


@dataclass(frozen=True)
class GiveRole:
    role: str
    to: str
    until: datetime
    reason: str


@dataclass(frozen=True)
class Admit:
    partition: str
    who: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True)
class EndAdmission:
    partition: str
    who: str
    reason: str


Step = (
    Read
    | Open
    | Enter
    | EnterContacts
    | Edit
    | Transfer
    | Release
    | Claim
    | Join
    | Leave
    | Delete
    | Restore
    | Purge
    | MovePartition
    | ReadLog
    | Hire
    | MovePerson
    | Dismiss
    | GiveRole
    | Admit
    | EndAdmission
)


@dataclass(frozen=True)
class Session:
    """Somebody signs in and does one thing after the other. What is `refused` is tried once and leaves a trace only."""

    at: datetime
    who: str
    steps: tuple[Step, ...]
    refused: bool = False
