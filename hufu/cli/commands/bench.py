"""Measure what authorization costs, as ratios within one run: absolute figures move from machine to machine.

`hufu bench list` fills a database of its own (an embedded server in a temporary folder) with the demo's organisation
and so many customers, and compares the query of a list page with the same query without any authorization, for a
representative, a manager, an executive and somebody without any role.

examples:
  hufu bench list --records 100000
  hufu bench list --records 1000000 --rounds 50 --json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hufu.cli import options, output

NAME = "bench"
HELP = "measure what authorization costs"
FEWEST_ROUNDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is measured."""
    what = parser.add_subparsers(title="what", metavar="WHAT", required=True)
    lists = what.add_parser("list", help="a page of a list, with and without authorization")
    lists.add_argument("--records", type=options.at_least_one, default=100_000, help="default: 100000")
    lists.add_argument("--rounds", type=options.at_least_one, default=40, help="default: 40")
    lists.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the database here and use it again")
    lists.add_argument("--json", action="store_true", help="print the figures as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the figures."""
    from hufu.cli.bench.scratch import scratch

    output.note(f"Filling a database with {args.records:,} customers …")
    with scratch(args.records, args.keep) as owner_url:
        from hufu.cli.bench import lists

        measured = list(lists.measure(owner_url, max(args.rounds, FEWEST_ROUNDS)))
    if args.json:
        output.print_json(
            {"records": args.records, "rounds": args.rounds, "pages": [one.as_dict() for one in measured]}
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
