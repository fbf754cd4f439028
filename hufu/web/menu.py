"""The navigation of the side, from permissions alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from hufu.access import guard, registry
from hufu.access.answers import EXPLAIN
from hufu.core.actor import Actor
from hufu.web.pending.waiting import amount

# The letter that opens a page after G.
KEYS = {
    "home": "h",
    "customer": "c",
    "contact": "t",
    "opportunity": "o",
    "people": "p",
    "roles": "r",
    "policy": "y",
    "pending": "w",
    "posture": "u",
    "log": "l",
    "access_mine": "m",
    "access_why": "a",
}


# Where the questions are asked to which `Answers` leads.
ANSWERS = ("/access/why/", "/access/who/", "/access/compare/")


@dataclass(frozen=True)
class Item:
    """One entry of the navigation. It is open on its own page, and on those `inside`."""

    label: str
    url: str
    icon: str
    key: str = ""
    # How many things wait there.
    count: int = 0
    inside: tuple[str, ...] = ()

    def is_current(self, path: str) -> bool:
        if self.url == "/":
            return path == self.url
        return path.startswith((self.url, *self.inside))


@dataclass(frozen=True)
class Group:
    """Entries under one heading."""

    label: str
    items: list[Item] = field(default_factory=list)


def groups(actor: Actor) -> list[Group]:
    """Return the navigation of somebody: an entry stands there only if its page would open."""
    business = [
        Item(
            str(resource.label_plural),
            reverse(f"{resource.name}_list"),
            resource.icon,
            KEYS.get(resource.name, ""),
        )
        for resource in registry.resource_types()
        if guard.may(actor, resource.permission("view"))
    ]
    administration = [
        Item(label, reverse(name), icon, KEYS[name])
        for label, name, icon, permission in (
            (_("People"), "people", "sitemap", "user.view"),
            (_("Roles"), "roles", "shield-lock", "role.view"),
            (_("Policy"), "policy", "shield-check", "role.view"),
            (_("Posture"), "posture", "target-arrow", "role.view"),
            (_("Log"), "log", "history", "audit.view"),
        )
        if guard.may(actor, permission)
    ]
    if guard.may(actor, "role.assign") or guard.may(actor, "user.manage"):
        waits = Item(_("To be released"), reverse("pending"), "clock", KEYS["pending"], amount(actor))
        administration.insert(1, waits)
    if guard.may(actor, EXPLAIN):
        administration.append(
            Item(_("Answers"), reverse("access_why"), "search", KEYS["access_why"], inside=ANSWERS)
        )
    own = Item(_("My access"), reverse("access_mine"), "user-circle", KEYS["access_mine"])
    everything = [
        Group("", [Item(_("Home"), reverse("home"), "home", KEYS["home"]), own]),
        Group(_("Customers and sales"), business),
        Group(_("Organisation and rights"), administration),
    ]
    return [group for group in everything if group.items]
