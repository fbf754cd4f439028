"""What was measured, in words: one table each. Times are milliseconds, p50 / p95."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hufu.cli import output
from hufu.cli.bench import baselines, checks, clicks, counts, lists, previews, reorg, who, writes
from hufu.cli.bench.scratch import Made
from hufu.cli.bench.timing import ratio


def made(data: Made) -> None:
    """Say what lies in the database, and how long it took."""
    steps = ", ".join(f"{name} {seconds:g}" for name, seconds in data.seconds.items())
    output.note(
        f"{data.records:,} customers, {data.users:,} people, {data.size / 1e9:.1f} GB; seconds: {steps} "
        f"({sum(data.seconds.values()):.0f} in all)"
    )


def pages(measured: Sequence[lists.Measured]) -> None:
    """Print the pages of lists."""
    headings = (
        *("who", "list", "page", "rows", "statements", "whole", "page alone", "without", "ratio"),
        *("one WHERE", "row policies", "buffers", "without"),
    )
    output.print_table(headings, (_page(one) for one in measured))


def _page(one: lists.Measured) -> list[str]:
    ours, plain = one.times[lists.OURS], one.times[baselines.PLAIN]
    return [
        one.who,
        one.situation.name,
        str(one.situation.page),
        str(one.rows) if one.agrees is not False else f"{one.rows} (one WHERE gives others)",
        str(one.statements),
        str(one.times[lists.WHOLE]),
        str(ours),
        str(plain),
        _times(ratio(ours, plain)),
        str(one.times[baselines.NAIVE]),
        str(one.times[baselines.POLICY]),
        *(
            f"{one.costs[name].buffers:,}" if name in one.costs else ""
            for name in (lists.OURS, baselines.PLAIN)
        ),
    ]


def amounts(measured: Iterable[counts.Counted]) -> None:
    """Print the counts."""
    headings = ("who", "counted", "amount", "count", "without", "ratio", "one WHERE", "row policies")
    output.print_table(headings, (_amount(one) for one in measured))


def _amount(one: counts.Counted) -> list[str]:
    ours, plain = one.times[counts.OURS], one.times[baselines.PLAIN]
    return [
        one.who,
        one.situation,
        "" if one.amount is None else f"{one.amount:,}",
        str(ours),
        str(plain),
        _times(ratio(ours, plain)),
        str(one.times[baselines.NAIVE]),
        str(one.times[baselines.POLICY]),
    ]


def decisions(measured: Iterable[checks.Checked]) -> None:
    """Print the decisions about one customer, in microseconds."""
    ways = (checks.REACH, checks.EXPLAINED, *checks.ENGINES)
    headings = (
        "who",
        "asked",
        "allowed",
        "differ",
        "first (ms)",
        *(f"{way} (µs)" for way in ways),
        *(
            f"{engine.capitalize()}/{way}"
            for engine in checks.ENGINES
            for way in (checks.REACH, checks.EXPLAINED)
        ),
    )
    output.print_table(headings, (_decision(one, ways) for one in measured))


def _decision(one: checks.Checked, ways: Sequence[str]) -> list[str]:
    found = (one.microseconds(way) if way in one.times else None for way in ways)
    against = (
        ratio(one.times[engine], one.times[way]) if engine in one.times else None
        for engine in checks.ENGINES
        for way in (checks.REACH, checks.EXPLAINED)
    )
    return [
        one.who,
        str(one.asked),
        str(one.allowed),
        str(one.differ),
        f"{one.first:.2f}",
        *("" if each is None else f"{each:,.1f}" for each in found),
        *("" if each is None else _times(each) for each in against),
    ]


def viewers(measured: Iterable[who.Asked]) -> None:
    """Print who may view a customer."""
    headings = ("customer", "people", "from reach", "with explanations")
    rows = (
        [one.about, f"{one.people:,}", str(one.times[who.REACH]), str(one.times.get(who.EXPLAINED, ""))]
        for one in measured
    )
    output.print_table(headings, rows)


def reorganised(measured: Iterable[reorg.Reorganised]) -> None:
    """Print what changes cost."""
    headings = (
        *("change", "in force", "back", "next request", "views before", "after"),
        *("rows rewritten", "rows of reach"),
    )
    rows = (
        [
            one.what,
            *(str(one.times[name]) for name in (reorg.CHANGE, reorg.BACK, reorg.NEXT)),
            *(f"{number:,}" for number in (one.before, one.after, one.rewritten, one.reach_rows)),
        ]
        for one in measured
    )
    output.print_table(headings, rows)


def previewed(measured: Iterable[previews.Previewed]) -> None:
    """Print what previews take, what they say, and whether that is what the doors give afterwards."""
    for one in measured:
        print(one.what)
        output.print_table(("part", "ms"), ([name, str(times)] for name, times in one.times.items()))
        output.print_table(
            ("kind", "people", "gained", "lost"),
            (
                [name, f"{kind.people:,}", f"{kind.gained:,}", f"{kind.lost:,}"]
                for name, kind in sorted(one.kinds.items())
            ),
        )
        found = one.compared
        print(
            f"Compared with the doors before and after the change: {found.people} people, {found.counted} of them with "
            f"all that they view, {found.listed} also number by number: "
            + ("all agree" if found.agrees else f"these differ: {', '.join(found.differ)}")
        )


def written(measured: Iterable[writes.Written]) -> None:
    """Print what writing a row costs."""
    headings = ("one row of", "bare", "with policies and triggers", "ratio", "the whole deed", "ratio")
    rows = (
        [
            one.what,
            str(one.times[writes.BARE]),
            str(one.times[writes.TABLE]),
            _times(ratio(one.times[writes.TABLE], one.times[writes.BARE])),
            str(one.times[writes.DEED]),
            _times(ratio(one.times[writes.DEED], one.times[writes.BARE])),
        ]
        for one in measured
    )
    output.print_table(headings, rows)


def clicked(measured: Iterable[clicks.Clicked | clicks.Looked]) -> None:
    """Print the pages of many people at once, and the lists of one of each kind alone."""
    found = list(measured)
    output.print_table(
        ("page", "clicks", "errors", "p50 (ms)", "p95", "p99"),
        (_click(one) for one in found if isinstance(one, clicks.Clicked)),
    )
    output.print_table(
        ("alone", "errors", "first page", "×", "deep page", "×"),
        (_look(one) for one in found if isinstance(one, clicks.Looked)),
    )


def _click(one: clicks.Clicked) -> list[str]:
    times = one.times[clicks.AT_ONCE]
    taken = ("" if each is None else f"{each:,.1f}" for each in (times.p50, times.p95, times.p99))
    return [one.page, f"{len(times.each):,}", str(one.errors), *taken]


def _look(one: clicks.Looked) -> list[str]:
    pages = ((str(times), _times(ratio(times, one.most[page]))) for page, times in one.times.items())
    return [one.who, str(one.errors), *(each for pair in pages for each in pair)]


def _times(found: float | None) -> str:
    return "" if found is None else f"{found:,.2f}×"
