"""What every template knows: who is there, the navigation, theme and language."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language_info

from hufu.access import break_glass, drafting, emergency, guard, registry
from hufu.core.actor import ANONYMOUS, Actor
from hufu.web import menu, toasts
from hufu.web.accounts.browsers import notices

THEMES = ("auto", "light", "dark")
DENSITIES = ("comfortable", "compact")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the frame's values; what needs the database is read only where a template shows it."""
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    theme = request.COOKIES.get("hufu_theme", "")
    density = request.COOKIES.get("hufu_density", "")
    return {
        "actor": actor,
        "theme": theme if theme in THEMES else "auto",
        "density": density if density in DENSITIES else "comfortable",
        "languages": [get_language_info(code) for code, _name in settings.LANGUAGES],
        "navigation": SimpleLazyObject(lambda: navigation(actor, request.path)),
        "searched": SimpleLazyObject(lambda: searched(actor)),
        "toasts": SimpleLazyObject(lambda: list(toasts.waiting(request))),
        "emergencies": SimpleLazyObject(lambda: emergency.standing(actor)),
        "broken_glass": SimpleLazyObject(lambda: break_glass.standing(actor)),
        "draft_bar": SimpleLazyObject(lambda: drafting.summary(actor)),
        "glass_is_open": SimpleLazyObject(lambda: break_glass.is_open(actor)),
        "new_devices": SimpleLazyObject(lambda: notices(request)),
        "demo": settings.HUFU_DEMO,
    }


def navigation(actor: Actor, path: str) -> list[dict[str, Any]]:
    """Return the groups of the navigation with the entry that is open marked."""
    return [
        {"label": group.label, "items": [(item, item.is_current(path)) for item in group.items]}
        for group in menu.groups(actor)
    ]


def searched(actor: Actor) -> list[str]:
    """Return the names of what the palette searches for somebody: the types that they may view."""
    return [
        str(resource.label_plural)
        for resource in registry.resource_types()
        if guard.may(actor, resource.permission("view"))
    ]
