"""What was measured as a page to look at: the ways of each thing side by side, on one logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from hufu.cli.bench import baselines, checks, clicks, counts, lists, previews, reorg, who, writes
from hufu.cli.bench.scratch import Made
from hufu.cli.bench.timing import Times

WIDTH, BAR, LABEL = 640, 18, 170
_AGAINST = {
    baselines.PLAIN: ("without authorization", "#8a8f98"),
    baselines.NAIVE: ("one WHERE", "#d97706"),
    baselines.POLICY: ("row policies alone", "#dc2626"),
}
_OF_PAGES = {
    lists.OURS: ("page alone", "#2563eb"),
    lists.WHOLE: ("whole, with its log", "#93b4f5"),
    **_AGAINST,
}
# What each way is called, and its colour, by what is measured. The first is ours.
WAYS: dict[str, dict[str, tuple[str, str]]] = {
    "list": _OF_PAGES,
    "search": _OF_PAGES,
    "count": {
        counts.OURS: ("count", "#2563eb"),
        **_AGAINST,
    },
    "check": {
        checks.REACH: ("from reach", "#2563eb"),
        checks.EXPLAINED: ("with its explanation", "#93b4f5"),
        checks.CEDAR: ("Cedar", "#d97706"),
        checks.CASBIN: ("Casbin", "#dc2626"),
    },
    "who-can": {who.REACH: ("from reach", "#2563eb"), who.EXPLAINED: ("with explanations", "#93b4f5")},
    "reorg": {
        reorg.CHANGE: ("in force", "#2563eb"),
        reorg.BACK: ("taken back", "#93b4f5"),
        reorg.NEXT: ("next request", "#8a8f98"),
    },
    "preview": {
        previews.WHOLE: ("the whole preview", "#2563eb"),
        previews.REACH: ("reach read, twice", "#93b4f5"),
        previews.CHANGE: ("carried out", "#93b4f5"),
        previews.COUNT: ("counted", "#93b4f5"),
        previews.REST: ("the rest", "#8a8f98"),
    },
    "write": {
        writes.TABLE: ("with policies and triggers", "#2563eb"),
        writes.DEED: ("the whole deed", "#93b4f5"),
        writes.BARE: ("the bare row", "#8a8f98"),
    },
    "page": {
        clicks.AT_ONCE: ("many at once", "#2563eb"),
        clicks.FIRST: ("first page", "#2563eb"),
        clicks.DEEP: ("deep page", "#93b4f5"),
    },
}
TITLES: dict[str, Callable[[Any], str]] = {
    "list": lambda one: f"{one.who} · {one.situation.name} · page {one.situation.page} · {one.rows} rows",
    "search": lambda one: f"{one.who} · {one.situation.name} · {one.rows} rows",
    "count": lambda one: f"{one.who} · {one.situation}",
    "check": lambda one: f"{one.who} · {one.asked} decisions",
    "who-can": lambda one: f"{one.about} · {one.people:,} people",
    "reorg": lambda one: f"{one.what} · {one.rewritten:,} rows of business tables rewritten",
    "preview": lambda one: f"{one.what} · {'all agree' if one.compared.agrees else 'differences'}",
    "write": lambda one: one.what,
    "page": lambda one: one.title,
}
STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fff; --line: #d0d7de }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #16181c; --line: #3a3f47 } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
       font: 15px/1.5 system-ui, sans-serif }
h2 { font-size: 1rem; margin: 1.6rem 0 .3rem }
svg { max-width: 100%; height: auto } text { fill: currentColor; font-size: 12px }
.grid { stroke: var(--line) } .p95 { stroke: currentColor }
"""


def page(what: str, title: str, data: Made, measured: Iterable[Any]) -> str:
    """Return a page of its own, in HTML, that needs nothing else: one plot for each measured thing."""
    found = list(measured)
    scale = _Scale([times for one in found for times in one.times.values()])
    plots = format_html_join(
        "", "<h2>{}</h2>{}", ((TITLES[what](one), _plot(what, one.times, scale)) for one in found)
    )
    return format_html(
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        "<title>{0}</title><style>{1}</style><h1>{0}</h1><p>{2} customers, {3} people. Milliseconds on a logarithmic"
        " scale: the bar ends at the median, the line at the 95th percentile.</p>{4}</html>",
        *(title, SafeString(STYLE), f"{data.records:,}", f"{data.users:,}", plots),
    )


class _Scale:
    """From milliseconds to places, logarithmic, over all that was measured."""

    def __init__(self, times: Sequence[Times]) -> None:
        seen = [each for one in times for each in (one.p50, one.p95) if each]
        self.least = 10 ** math.floor(math.log10(min(seen, default=1)))
        self.most = 10 ** math.ceil(math.log10(max(seen, default=10)) + 1e-9)

    def place(self, milliseconds: float) -> float:
        span = math.log10(self.most / self.least)
        return round(LABEL + (WIDTH - LABEL - 90) * math.log10(milliseconds / self.least) / span, 1)

    def marks(self) -> list[float]:
        decades = round(math.log10(self.most / self.least))
        return [self.least * 10**power for power in range(decades + 1)]


def _plot(what: str, times: dict[str, Times], scale: _Scale) -> SafeString:
    ways = [(name, *said) for name, said in WAYS[what].items() if name in times]
    height = BAR * len(ways) + 20
    grid = format_html_join(
        "",
        '<line class="grid" x1="{0}" x2="{0}" y1="0" y2="{1}"/><text x="{0}" y="{2}" text-anchor="middle">{3}</text>',
        ((scale.place(mark), height - 16, height - 3, f"{mark:g}") for mark in scale.marks()),
    )
    bars = format_html_join(
        "",
        "{}",
        ((_bar(row, label, colour, times[name], scale),) for row, (name, label, colour) in enumerate(ways)),
    )
    told = "; ".join(f"{label}: {times[name]}" for name, label, _colour in ways)
    return format_html(
        '<svg viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}{}</svg>',
        *(WIDTH, height, WIDTH, told, grid, bars),
    )


def _bar(row: int, label: str, colour: str, times: Times, scale: _Scale) -> SafeString:
    top = row * BAR
    drawn = SafeString("")
    end: float = LABEL
    if times.p50 is not None and times.p95 is not None:
        end = scale.place(times.p95)
        drawn = format_html(
            '<rect x="{0}" y="{1}" width="{2}" height="12" fill="{3}"/>'
            '<line class="p95" x1="{4}" x2="{5}" y1="{6}" y2="{6}"/>',
            *(LABEL, top + 2, max(1, round(scale.place(times.p50) - LABEL, 1)), colour),
            *(scale.place(times.p50), end, top + 8),
        )
    return format_html(
        '<text x="{}" y="{}" text-anchor="end">{}</text>{}<text x="{}" y="{}">{}</text>',
        *(LABEL - 6, top + 12, label, drawn, max(end, LABEL) + 6, top + 12, str(times)),
    )
