"""What the palette offers to somebody: pages that would open, deeds that they may begin, records that they may view."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language_info, pgettext
from django.utils.translation import gettext as _

from hufu.access import guard, registry
from hufu.access.fields import is_open
from hufu.access.registry import ResourceType
from hufu.core.actor import Actor
from hufu.core.text import folded, sound
from hufu.crm import queries
from hufu.web import menu
from hufu.web.records.access import may_create

PER_TYPE = 5


@dataclass(frozen=True)
class Entry:
    """One line: a link, or something that the browser does by itself (`do`, with its `value`)."""

    label: str
    icon: str
    url: str = ""
    note: str = ""
    keys: str = ""
    do: str = ""
    value: str = ""


@dataclass(frozen=True)
class Section:
    """Lines under a heading."""

    label: str
    entries: list[Entry]


def sections(actor: Actor, text: str, *, has_password: bool) -> list[Section]:
    """Return what fits the text; without one, all pages and deeds, and no records."""
    text = text.strip()
    found = [*_records(actor, text)] if text else []
    pages = [entry for entry in _pages(actor) if fits(entry.label, text)]
    deeds = [entry for entry in _deeds(actor, has_password=has_password) if fits(entry.label, text)]
    found += [Section(pgettext("palette", "Pages"), pages), Section(_("Actions"), deeds)]
    return [section for section in found if section.entries]


def fits(label: str, text: str) -> bool:
    """Say whether a label has the text in it, in its characters, its pinyin or the initials of its pinyin."""
    asked = folded(text)
    return asked in folded(label) or any(asked.replace(" ", "") in heard for heard in sound(label))


def _records(actor: Actor, text: str) -> Iterator[Section]:
    for resource in registry.resource_types():
        if not guard.may(actor, resource.permission("view")):
            continue
        found = queries.find(actor, resource, text, limit=PER_TYPE)
        entries = [
            Entry(
                getattr(record, resource.title),
                resource.icon,
                reverse(f"{resource.name}_record", args=[record.pk]),
                note=_stage(actor, resource, record),
            )
            for record in found
        ]
        if len(found) == PER_TYPE:
            everything = f"{reverse(f'{resource.name}_list')}?{urlencode({'q': text})}"
            entries.append(Entry(_("All that match"), "search", everything))
        yield Section(str(resource.label_plural), entries)


def _stage(actor: Actor, resource: ResourceType, record: Any) -> str:
    declared = resource.by_name.get("stage")
    if declared is None:
        return ""
    if (
        not is_open(actor, resource, declared)
        and not guard.fields(actor, resource, record)["stage"].is_readable
    ):
        return ""
    return str(declared.choice_label(getattr(record, declared.column)))


def _pages(actor: Actor) -> Iterator[Entry]:
    for group in menu.groups(actor):
        for item in group.items:
            yield Entry(item.label, item.icon, item.url, keys=f"G {item.key.upper()}" if item.key else "")


def _deeds(actor: Actor, *, has_password: bool) -> Iterator[Entry]:
    for resource in registry.resource_types():
        if may_create(actor, resource):
            yield Entry(
                _("New %(thing)s") % {"thing": resource.label}, "plus", reverse(f"{resource.name}_new")
            )
    yield Entry(_("Appearance: light"), "sun", do="theme", value="light")
    yield Entry(_("Appearance: dark"), "moon", do="theme", value="dark")
    yield Entry(_("Appearance: as the device"), "device-desktop", do="theme", value="auto")
    for code, _name in settings.LANGUAGES:
        local = get_language_info(code)["name_local"]
        yield Entry(_("Language: %(name)s") % {"name": local}, "language", do="language", value=code)
    yield Entry(_("Keyboard shortcuts"), "keyboard", do="help", keys="?")
    if has_password:
        yield Entry(_("Change password"), "key", reverse("account_change_password"))
    yield Entry(_("Sign out"), "logout", reverse("account_logout"))
