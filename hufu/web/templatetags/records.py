"""Cells and rows of records. They are most of a list, so they are put together here and not in templates."""

from __future__ import annotations

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

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
            note = format_html('<span class="soft">{}</span>', shown.note) if shown.note else ""
            return format_html(
                '<span class="person">{}<span>{} {}</span></span>',
                face(shown.text, shown.number),
                shown.text,
                note,
            )
        case "step":
            dress = "step is-overdue" if shown.tone else "step"
            return format_html(
                '<span class="{}" title="{}"><span>{}</span> {}</span>',
                dress,
                shown.note,
                shown.text,
                shown.note,
            )
        case "tag" | "dot":
            return tag(shown.text, shown.tone, shown.shape == "dot")
        case "masked":
            return format_html(
                '<span class="withheld" title="{}">{}{}</span>{}',
                _("Masked"),
                shown.text,
                icon("eye-off", "small"),
                _show(shown) if shown.url else "",
            )
        case "prose":
            return format_html('<span class="prose">{}</span>', shown.text)
        case _:
            return format_html('<span class="withheld">{}{}</span>', icon("lock", "small"), _("No access"))


def _show(shown: Cell) -> SafeString:
    """Return the button that asks for a reason in the place of the mask, and then shows the value there."""
    return format_html(
        ' <a class="reveal-link" href="{}" hx-get="{}" hx-target="closest dd" hx-select="#reveal" hx-swap="innerHTML">'
        '{}<span class="visually-hidden"> {}</span></a>',
        shown.url,
        shown.url,
        pgettext("value", "Show"),
        shown.field.label,
    )


@register.simple_tag
def row(shown: Row, first: bool = False, again: bool = False) -> SafeString:
    """Return one record as a row of a table; on a phone it becomes a card.

    One row of a list, the `first`, is reached by Tab; the arrows go on from it. A row that is shown `again`
    takes the place of the one that stands on the page.
    """
    cells = format_html_join(
        "",
        '<td role="cell" class="{}" data-label="{}">{}</td>',
        ((classes(each), each.field.label, cell(each)) for each in shown.cells),
    )
    if shown.deeds is None:
        return format_html('<tr role="row">{}</tr>', cells)
    return format_html(
        '<tr role="row" id="row-{}" data-row tabindex="{}"{}>{}<td role="cell" class="cell-deeds">{}</td></tr>',
        str(shown.id),
        0 if first else -1,
        mark_safe(' hx-swap-oob="true"') if again else "",
        cells,
        deeds(shown),
    )


def deeds(shown: Row) -> SafeString:
    """Return what a row leads to: call and follow up on a phone, a look beside the list everywhere."""
    offered = shown.deeds
    assert offered is not None
    parts = [
        _link("row-call", offered.call, "phone", _("Call"), offered.title) if offered.call else "",
        _link("row-follow", shown.url, "message-plus", _("Follow up"), offered.title) if offered.edit else "",
        format_html(
            '<button type="button" class="row-deed row-look" data-drawer="{}" hx-get="{}" hx-target="#drawer-body"'
            ' hx-swap="innerHTML" title="{}">{}<span>{}</span><span class="visually-hidden"> {}</span></button>',
            str(shown.id),
            offered.drawer,
            _("Quick view"),
            icon("layout-sidebar-right"),
            _("Quick view"),
            offered.title,
        ),
        _link("row-edit", offered.edit, "pencil", _("Edit"), offered.title) if offered.edit else "",
    ]
    return format_html(
        '<span class="row-deeds">{}</span>', format_html_join("", "{}", ((part,) for part in parts))
    )


def _link(dress: str, url: str, picture: str, words: str, title: str) -> SafeString:
    return format_html(
        '<a class="row-deed {}" href="{}" title="{}">{}<span>{}</span><span class="visually-hidden"> {}</span></a>',
        dress,
        url,
        words,
        icon(picture),
        words,
        title,
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
