"""Small parts that templates repeat: icons, faces, tags."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, Select
from django.http import QueryDict
from django.templatetags.static import static
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _

from hufu.access.cells import AtLeast
from hufu.core import days
from hufu.web.access.words import until_words

register = template.Library()

FACES = 8


@register.simple_tag
@cache
def icon(name: str, size: str = "") -> SafeString:
    """Return an icon of the sprite; it says nothing to a screen reader, words beside it do."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f" icon-{size}" if size else "",
        static("build/icons.svg"),
        name,
    )


@register.simple_tag
def face(name: str, number: int = 0, size: str = "") -> SafeString:
    """Return the coloured initial of a person; the name stands beside it."""
    return format_html(
        '<span class="face face-{}{}" aria-hidden="true">{}</span>',
        abs(int(number)) % FACES,
        f" face-{size}" if size else "",
        (name or "?").strip()[:1].upper(),
    )


@register.simple_tag
def tag(text: Any, tone: str = "", dot: bool = False) -> SafeString:
    """Return a coloured tag; the words carry the meaning, the colour only repeats it."""
    return format_html(
        '<span class="pill{}{}">{}</span>', " pill-dot" if dot else "", f" tone-{tone}" if tone else "", text
    )


@register.filter
def until(end: datetime | None) -> str:
    """Return when something ends: what ends with a day, as that day."""
    return days.end_words(end) if end is not None else ""


@register.filter
def ends(end: datetime | None) -> str:
    """Return “until 2027-01-31”: the last day that something holds, or the moment; empty where it has no end."""
    return until_words(end)


@register.filter
def at(listed: Sequence[Any], index: int) -> Any:
    """Return what stands at a place of a list."""
    return listed[index]


@register.filter
def as_json(value: Any) -> str:
    """Return a value as JSON, for an attribute of an element."""
    return json.dumps(value)


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """Return the address's query with some values changed; None and "" take one out. Paging starts anew."""
    values: QueryDict = context["request"].GET.copy()
    values.pop("cursor", None)
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = value
    encoded = values.urlencode()
    return f"?{encoded}" if encoded else "?"


@register.filter
def grouped(number: int) -> str:
    """Return a whole number with separators; thousands of which there may be more with a plus."""
    if isinstance(number, AtLeast):
        return f"{grouped(int(number) // 1000 * 1000 or int(number))}+"
    return number_format(number, use_l10n=True, force_grouping=True)


@register.filter
def ago(at: datetime) -> str:
    """Return a moment the way one speaks of it: today, yesterday, a day of this year, a day of another."""
    local = localtime(at)
    days = (localdate() - local.date()).days
    hour = date_format(local, "H:i")
    if days == 0:
        return _("today %(hour)s") % {"hour": hour}
    if days == 1:
        return _("yesterday %(hour)s") % {"hour": hour}
    return date_format(local, "m-d H:i" if local.year == localdate().year else "Y-m-d")


@register.filter
def joined(words: list[str]) -> str:
    """Return words as a list in one sentence."""
    return _(", ").join(words)


@register.filter
def control(field: BoundField) -> SafeString:
    """Return the control of a form field, dressed, and tied to its help and problems for screen readers."""
    widget = field.field.widget
    dress = "form-select" if isinstance(widget, Select) else "form-control"
    if isinstance(widget, CheckboxInput):
        dress = "form-check-input"
    attributes: dict[str, str | bool] = {"class": f"{dress} is-invalid" if field.errors else dress}
    described = [f"{field.auto_id}_help"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_problem")
        attributes["aria-invalid"] = "true"
    if described:
        attributes["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=attributes)
