"""Show the organisation changes that wait for release, or withdraw some.

After version 1 of the policy a change of department, level, manager, group, position or post that would add a right, an
admission or a record waits until a security administrator releases it (`hufu release`), unless the combination was
approved beforehand (`approved_moves:` in the policy file). What such a change takes away holds at once.

examples:
  hufu pending
  hufu pending --json
  hufu pending --withdraw 12 13 --reason "entered twice"
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output
from hufu.core.errors import Invalid

NAME = "pending"
HELP = "show what waits for release, since when, and what it would add"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to withdraw."""
    parser.add_argument(
        "--withdraw", metavar="N", type=int, nargs="+", default=[], help="let these changes fall"
    )
    parser.add_argument("--reason", default="", help="why they are withdrawn; the log keeps it")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """List what waits, or withdraw."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.staffing import pending_words
        from hufu.staffing.actions import pending

        operator = Actor.operator()
        with acting(operator):
            if args.withdraw:
                try:
                    amount = pending.withdraw(operator, args.withdraw, reason=args.reason)
                except Invalid as invalid:
                    output.print_problems(invalid, _("Nothing was changed:"))
                    return 1
                print(_("Withdrawn: %s") % amount)
                return 0
            rows = pending.pending(operator)
            told = pending_words.Names()
            listed = [(row, told.what(row), told.since(row), told.adds(row)) for row in rows]
    if args.json:
        output.print_json(
            [
                {
                    "number": row.id,
                    "user": row.user.username if row.user else None,
                    "department": row.department.code if row.department else None,
                    "field": row.field,
                    "value": row.value,
                    "asked_by": row.asked_by,
                    "since": row.asked_at.isoformat(),
                    "adds": row.adds,
                }
                for row, *_words in listed
            ]
        )
        return 0
    if not listed:
        print(_("Nothing waits for release."))
    for row, what, since, adds in listed:
        print(f"{row.id:>6}  {what}")
        print(f"        {since}")
        print(f"        {adds}")
    return 0
