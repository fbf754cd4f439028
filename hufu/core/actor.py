"""Who acts, and from where."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

OPERATOR_ID = -1
SETUP_ID = -2
SINGLE_SIGN_ON_ID = -4


@dataclass(frozen=True)
class Context:
    """Where an actor comes from in this request; facts for gates and for the log, never a source of rights.

    `second_factor_at` is when this session last proved a second factor, `trusted_device` says that its browser was
    named a trusted one by this person. Unknown facts stand as their defaults, which open nothing.
    """

    request_id: str = ""
    session: str = ""
    address: str = ""
    agent: str = ""
    channel: str = "web"
    second_factor_at: datetime | None = None
    trusted_device: bool = False


@dataclass(frozen=True)
class Ceiling:
    """What a token, an agent or a job is held under: it only narrows what its actor may, and gives nothing.

    None narrows nothing; an empty set leaves nothing. `sensitivities` are those beyond public and internal whose fields
    stay readable, `networks` (such as 10.1.0.0/16) those from which it may be used at all. People call it `name`.
    """

    name: str
    permissions: frozenset[str] | None = None
    partitions: frozenset[int] | None = None
    sensitivities: frozenset[str] | None = None
    networks: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Actor:
    """A person (`user_id` > 0), a system actor declared in code (`user_id` < 0), or nobody (0).

    With a `ceiling` it is a token or an agent of that person, or a job that is given only a part.
    """

    user_id: int
    name: str
    context: Context = field(default_factory=Context)
    ceiling: Ceiling | None = None

    @property
    def is_person(self) -> bool:
        return self.user_id > 0

    @classmethod
    def operator(cls, context: Context | None = None) -> Actor:
        """The actor of the command line: imports, and applies the policy until its first version stands."""
        return cls(OPERATOR_ID, "operator", context or Context(channel="cli"))

    @classmethod
    def setup(cls, context: Context) -> Actor:
        """The actor of the set-up page: appoints the first administrators, and can nothing once version 1 stands."""
        return cls(SETUP_ID, "setup", context)

    @classmethod
    def single_sign_on(cls, context: Context) -> Actor:
        """The actor of single sign-on: binds accounts to identity providers, and makes ones without any right."""
        return cls(SINGLE_SIGN_ON_ID, "single sign-on", context)


ANONYMOUS = Actor(0, "")
