"""Measure what authorization costs, as ratios within one run: absolute figures move from machine to machine.

It makes a company of so many people with so many customers, skewed as real ones are, in a database of its own (an
embedded server in a temporary folder; `--keep` keeps it and uses it again), and asks for a person of each kind: from
the chief executive to somebody who is admitted nowhere.

A list or a count is compared with the same one without any authorization, as one WHERE with OR-ed sub-selects, and by
the row policies alone; what takes longer than `--limit` is ended and shown as such. A decision is compared with Cedar
and Casbin where they are installed.

examples:
  hufu bench list --records 100000
  hufu bench list --records 10000000 --keep /tmp/ten-million --html lists.html
  hufu bench search --keep /tmp/ten-million
  hufu bench count --keep /tmp/ten-million
  hufu bench check --keep /tmp/ten-million
  hufu bench who-can --keep /tmp/ten-million
  hufu bench reorg --keep /tmp/ten-million
  hufu bench write --keep /tmp/ten-million
  hufu bench preview --keep /tmp/ten-million
  hufu bench page --people 50 --seconds 60 --pace 5
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hufu.cli import options, output
from hufu.cli.bench.archetypes import FEWEST_PEOPLE

NAME = "bench"
HELP = "measure what authorization costs"
FEWEST_ROUNDS = 2
MANY_RECORDS, FEW_RECORDS = 100_000, 10_000
WHAT = {
    "list": "a page of a list: the first and a deep one, newest first, by name, filtered, searched",
    "search": "what is typed into the search box: frequent and rare parts of names, several words, initials",
    "count": "how many customers somebody may view",
    "check": "whether somebody may view a customer",
    "who-can": "who may view a customer",
    "reorg": "changes of organisation and policy: until they are in force for everybody, and what they write",
    "preview": "what a change of a role would do to everybody who holds it, against what it then does",
    "write": "adding and changing a customer: the bare row, with policies and triggers, and the whole deed",
    "page": "pages over HTTP: many people who click at once, and the list for one person of each kind",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is measured."""
    what = parser.add_subparsers(title="what", metavar="WHAT", dest="what", required=True)
    for name, words in WHAT.items():
        one = what.add_parser(name, help=words)
        usual = FEW_RECORDS if name == "page" else MANY_RECORDS
        one.add_argument("--records", type=options.at_least_one, help=f"default: {usual}, or what was kept")
        one.add_argument("--users", type=people, help="default: 5000, or what was kept")
        one.add_argument("--rounds", type=options.at_least_one, default=40, help="default: 40")
        one.add_argument(
            "--limit", type=options.at_least_one, default=5, metavar="SECONDS", help="default: 5"
        )
        one.add_argument(
            "--keep", type=Path, metavar="FOLDER", help="keep the database here and use it again"
        )
        one.add_argument("--json", action="store_true", help="print the figures as JSON")
        one.add_argument(
            "--html", type=Path, metavar="FILE", help="write a page with plots of the figures, too"
        )
        if name == "page":
            one.add_argument("--people", type=options.at_least_one, default=50, help="default: 50")
            one.add_argument("--seconds", type=options.at_least_one, default=60, help="default: 60")
            one.add_argument(
                "--pace",
                type=options.at_least_one,
                default=5,
                metavar="SECONDS",
                help="between an answer and the next click of a person (default: 5)",
            )
            one.add_argument(
                "--workers", type=options.at_least_one, default=2, help="processes of the site (default: 2)"
            )


def people(text: str) -> int:
    """Return a number of people that has some of each kind; argparse ends with exit code 2 otherwise."""
    number = options.at_least_one(text)
    if number < FEWEST_PEOPLE:
        raise argparse.ArgumentTypeError(
            f"a company of {number} has not everybody in it; from {FEWEST_PEOPLE} on"
        )
    return number


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the figures."""
    from hufu.cli.bench.scratch import scratch

    usual = FEW_RECORDS if args.what == "page" else MANY_RECORDS
    with scratch(args.records, args.users, args.keep, usual=usual) as found:
        from django.db import connection

        from hufu.cli.bench import (
            checks,
            clicks,
            counts,
            lists,
            previews,
            printing,
            reorg,
            report,
            who,
            writes,
        )
        from hufu.cli.bench.timing import yardstick

        measures: dict[str, tuple[Callable[..., Iterable[Any]], Callable[..., None]]] = {
            "list": (lists.measure, printing.pages),
            "search": (lists.searches, printing.pages),
            "count": (counts.measure, printing.amounts),
            "check": (checks.measure, printing.decisions),
            "who-can": (who.measure, printing.viewers),
            "reorg": (reorg.measure, printing.reorganised),
            "preview": (previews.measure, printing.previewed),
            "write": (writes.measure, printing.written),
        }
        if args.what == "page":
            crowd = clicks.Crowd(args.people, args.seconds, args.pace, args.workers)
            measures["page"] = partial(clicks.measure, found.database, crowd), printing.clicked
        measure, show = measures[args.what]
        printing.made(found.made)
        output.note(f"Measuring: {WHAT[args.what]} …")
        with connection.cursor() as cursor:
            # What is measured is the work, not how fast this disk is.
            cursor.execute("SET synchronous_commit = off")
        rounds = max(args.rounds, FEWEST_ROUNDS)
        before = yardstick()
        measured = list(measure(found.owner_url, rounds, args.limit * 1000.0, output.note))
        pace = {"before": round(before, 1), "after": round(yardstick(), 1)}
    output.note(
        f"This machine adds a million numbers in {pace['before']} ms, afterwards in {pace['after']} ms."
    )
    if args.html:
        args.html.write_text(
            report.page(args.what, f"hufu bench {args.what}", found.made, measured), encoding="utf-8"
        )
        output.note(f"Plotted in {args.html}.")
    if args.json:
        output.print_json(
            {
                "data": asdict(found.made),
                "rounds": rounds,
                "limit": args.limit,
                "yardstick": pace,
                "measured": [one.as_dict() for one in measured],
            }
        )
    else:
        show(measured)
    return 0
