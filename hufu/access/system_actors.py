"""Actors that are declared in code, with listed permissions. They cannot sign in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from hufu.access import registry
from hufu.core.actor import OPERATOR_ID, SETUP_ID, SINGLE_SIGN_ON_ID, Actor, Ceiling, Context


@dataclass(frozen=True)
class SystemActor:
    """A system actor; `first_only` permissions end with the first published version of the policy."""

    id: int
    name: str
    always: tuple[str, ...]
    first_only: tuple[str, ...]


def system_actors() -> tuple[SystemActor, ...]:
    """Return the declared system actors.

    The operator at the command line imports people and records, and applies the policy until version 1
    stands. It neither deletes records nor reads the log. The set-up page appoints the first administrators, and
    can nothing once version 1 stands. Single sign-on makes accounts, which have no right until somebody gives one.
    """
    business = tuple(
        resource.permission(verb)
        for resource in registry.resource_types()
        for verb in ("view", "create", "edit", "transfer", "share", "import")
        if resource.has(verb)
    )
    return (
        SystemActor(
            OPERATOR_ID,
            "operator",
            (*business, "user.view", "user.manage", "role.view", "explain.any"),
            ("role.manage", "role.assign", "policy.apply"),
        ),
        SystemActor(
            SETUP_ID, "setup", (), ("user.view", "user.manage", "role.view", "role.manage", "role.assign")
        ),
        SystemActor(SINGLE_SIGN_ON_ID, "single sign-on", ("user.manage",), ()),
    )


def name_of(number: int) -> str:
    """Return what people call a system actor; "" where there is none of this number."""
    names = {
        OPERATOR_ID: _("Operator (command line)"),
        SETUP_ID: _("Set-up page"),
        SINGLE_SIGN_ON_ID: _("Single sign-on"),
    }
    return names.get(number, "")


def acting_as(name: str, context: Context | None = None, *, partitions: Iterable[int] | None = None) -> Actor:
    """Return the declared system actor of this name, for some partitions alone where they are given.

    An unknown name is a KeyError: a job that is not declared does nothing.
    """
    declared = {actor.name: actor for actor in system_actors()}[name]
    ceiling = None if partitions is None else Ceiling(name, partitions=frozenset(partitions))
    return Actor(declared.id, name, context or Context(channel="job"), ceiling)


def install_sql() -> str:
    """Return SQL that brings the database's list of system actors to that of the code."""
    lines = ["DELETE FROM public.access_system_actor_permission;", "DELETE FROM public.access_system_actor;"]
    for actor in system_actors():
        lines.append(
            f"INSERT INTO public.access_system_actor (id, name) VALUES ({actor.id}, '{actor.name}');"
        )
        listed = [(name, False) for name in actor.always] + [(name, True) for name in actor.first_only]
        for name, first_only in listed:
            registry.permission(name)
            lines.append(
                "INSERT INTO public.access_system_actor_permission (actor_id, permission, until_first_version) "
                f"VALUES ({actor.id}, '{name}', {first_only});"
            )
        lines.append(f"SELECT hufu.rebuild_reach(ARRAY[{actor.id}]);")
    return "\n".join(lines)
