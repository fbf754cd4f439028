"""The closed list of what opens approval tasks: each flow declares itself in code, or it opens none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hufu.access import registry
from hufu.access.decision.states import State

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise
else:
    StrOrPromise = object


@dataclass(frozen=True)
class DeclaredKind:
    """A kind of approval task: whoever starts one uses `verb` on the record of type `type_name`."""

    name: str
    type_name: str
    label: StrOrPromise
    verb: str = "edit"

    @property
    def permission(self) -> str:
        return registry.resource_type(self.type_name).permission(self.verb)


_kinds: dict[str, DeclaredKind] = {}


def declare_task_kind(kind: DeclaredKind) -> DeclaredKind:
    """Add a kind. Records of its type must know the state that a task is, and the verb: else it is a mistake."""
    resource = registry.resource_type(kind.type_name)
    if kind.name in _kinds or State.PENDING not in resource.states:
        raise ValueError(f"{kind.name} is declared twice, or records of its type cannot be locked")
    registry.permission(kind.permission)
    _kinds[kind.name] = kind
    return kind


def task_kinds() -> tuple[DeclaredKind, ...]:
    """Return all kinds that are declared."""
    return tuple(_kinds.values())


def task_kind(name: str) -> DeclaredKind:
    """Return the kind; an unknown name is a KeyError."""
    return _kinds[name]


def label_of(name: str) -> str:
    """Return what people call a kind; of one that is not declared any more, its name."""
    return str(_kinds[name].label) if name in _kinds else name


def install_sql() -> str:
    """Return SQL that brings the database's list to that of the code."""
    lines = ["DELETE FROM public.access_task_kind;"]
    lines += [
        "INSERT INTO public.access_task_kind (kind, type, permission)"
        f" VALUES ('{kind.name}', '{kind.type_name}', '{kind.permission}');"
        for kind in task_kinds()
    ]
    return "\n".join(lines)
