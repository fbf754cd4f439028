"""Cells and rows of records. They are most of a list, so they are put together here and not in templates."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from hufu.web.records.presenters import Cell, Row
from hufu.web.templatetags.ui import face, icon, tag

register = template.Library()

# The shapes that say what they are without the name of their field, on a phone.
PLAIN = {"dot", "tag", "person"}


@register.simple_tag
def cell(shown: Cell) -> SafeString | str:
    """Return one value; what may not be seen says so."""
    match shown.shape:
        case "text":
            return shown.text
        case "title" | "link":
            return format_html('<a href="{}">{}</a>', shown.url, shown.text)
        case "outside":
            return format_html(
                '<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>',
                shown.url,
                shown.text,
            )
        case "person":
            return format_html('<span class="person">{}{}</span>', face(shown.text, shown.number), shown.text)
        case "tag" | "dot":
            return tag(shown.text, shown.tone, shown.shape == "dot")
        case "masked":
            return format_html(
                '<span class="withheld" title="{}">{}{}</span>',
                _("Masked: this record is not yours"),
                shown.text,
                icon("eye-off", "small"),
            )
        case "prose":
            return format_html('<span class="prose">{}</span>', shown.text)
        case _:
            return format_html('<span class="withheld">{}{}</span>', icon("lock", "small"), _("No access"))


@register.simple_tag
def row(shown: Row) -> SafeString:
    """Return one record as a row of a table; on a phone it becomes a card."""
    cells = ((classes(each), each.field.label, cell(each)) for each in shown.cells)
    return format_html(
        '<tr role="row">{}</tr>',
        format_html_join("", '<td role="cell" class="{}" data-label="{}">{}</td>', cells),
    )


def classes(shown: Cell) -> str:
    """Return how a cell is laid out."""
    if shown.is_blank:
        return "cell-blank"
    if shown.shape == "title":
        return "cell-title"
    if shown.shape in PLAIN:
        return "cell-plain"
    return "number" if shown.is_number else ""
