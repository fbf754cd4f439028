"""Who is measured: one person of each archetype."""

from __future__ import annotations

from hufu.cli.bench.archetypes import ARCHETYPES, Archetype
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import User


def people() -> list[tuple[Archetype, Actor]]:
    """Return a person of each archetype, in order. Of those with shares it is the one with most, else one amid them."""
    found = []
    with acting(Actor.operator()):
        for archetype in ARCHETYPES:
            of_kind = User.objects.filter(title=archetype.title).order_by("id")
            users = list(of_kind.values_list("id", "name"))
            number, name = users[0 if archetype.most_at_first else len(users) // 2]
            found.append((archetype, Actor(number, name)))
    return found
