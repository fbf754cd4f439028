"""Measure what authorization costs, as ratios within one run: absolute figures move from machine to machine.

It makes a company of so many people with so many customers, skewed as real ones are, in a database of its own (an
embedded server in a temporary folder; `--keep` keeps it and uses it again), and compares the query of a list page with
the same query without any authorization, for a person of each kind: from the chief executive to somebody who is
admitted nowhere.

examples:
  hufu bench list --records 100000
  hufu bench list --records 1000000 --rounds 50 --json
  hufu bench list --records 10000000 --keep /tmp/ten-million
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from hufu.cli import options, output
from hufu.cli.bench.archetypes import FEWEST_PEOPLE

NAME = "bench"
HELP = "measure what authorization costs"
FEWEST_ROUNDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is measured."""
    what = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    lists = what.add_parser("list", help="a page of a list, with and without authorization")
    lists.add_argument("--records", type=options.at_least_one, help="default: 100000, or what was kept")
    lists.add_argument("--users", type=people, help="default: 5000, or what was kept")
    lists.add_argument("--rounds", type=options.at_least_one, default=40, help="default: 40")
    lists.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the database here and use it again")
    lists.add_argument("--json", action="store_true", help="print the figures as JSON")


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

    with scratch(args.records, args.users, args.keep) as found:
        from hufu.cli.bench import lists

        measured = list(lists.measure(found.owner_url, max(args.rounds, FEWEST_ROUNDS)))
    if args.json:
        output.print_json(
            {
                "data": asdict(found.made),
                "rounds": args.rounds,
                "pages": [one.as_dict() for one in measured],
            }
        )
        return 0
    rows = []
    for one in measured:
        said = one.as_dict()
        rows.append(
            [
                one.who,
                str(one.page),
                f"{one.visible:,}",
                str(one.rows),
                str(one.statements),
                f"{said['p50']:.2f} / {said['p95']:.2f}",
                f"{said['plain_p50']:.2f} / {said['plain_p95']:.2f}",
                f"{one.ratio:.2f}×",
            ]
        )
    headings = ("who", "page", "may view", "rows", "statements", "ms p50 / p95", "without p50 / p95", "ratio")
    output.print_table(headings, rows)
    return 0
