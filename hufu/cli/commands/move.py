"""Move somebody within the company, and settle what they have, in one deed.

What is not named stays. A “-” takes the manager, the level or the department away. The records stay with the person,
and their department (归属部门) follows; or it stays (--leave-records), or successors get them. What was given to the
person by name, roles and admissions, ends when department or level change, unless it is kept. Posts in a department
that is left end. Where the person could no longer own their records in a partition, a successor has to be named.

examples:
  hufu move xuletian --department sh-east-2 --manager zhaominxing --reason 调岗 --dry-run
  hufu move xuletian --department sh-east-2 --leave-records
  hufu move xuletian --department sz-south-1 --successor zhaominxing --successor sz=fangzekai
  hufu move xuletian --level sales.manager --keep trainer --reports-to -
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from hufu.cli import output, staffing_run

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.staffing.actions import Outcome

NAME = "move"
HELP = "move somebody within the company, with or without their records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who moves, where, and what becomes of what they have."""
    parser.add_argument("user", metavar="USER", help="user name, mail address or external number")
    parser.add_argument("--department", metavar="CODE", help="the new main department, or -")
    parser.add_argument(
        "--other-departments",
        metavar="CODES",
        help="the secondary departments from now on, separated by commas, or -",
    )
    parser.add_argument("--manager", metavar="USER", help="the new manager, or -")
    parser.add_argument("--level", metavar="LADDER.LEVEL", help="the new level, or -")
    parser.add_argument("--title", help="the new title")
    parser.add_argument(
        "--leave-records",
        action="store_true",
        help="let the department of the person's records stay what it is (default: it follows them)",
    )
    parser.add_argument(
        "--successor",
        metavar="[PARTITION=]USER",
        action="append",
        default=[],
        help="who gets the person's records, all of them or those of a partition",
    )
    parser.add_argument(
        "--keep-department",
        action="store_true",
        help="let the department of records that a successor gets stay what it is",
    )
    parser.add_argument(
        "--keep", metavar="KEY", action="append", default=[], help="a role or admission by name that stays"
    )
    parser.add_argument("--keep-all", action="store_true", help="every role and admission by name stays")
    parser.add_argument("--leave-group", metavar="KEY", action="append", default=[], help="a group to leave")
    parser.add_argument(
        "--leave-position", metavar="KEY", action="append", default=[], help="a position to give up"
    )
    parser.add_argument(
        "--leave-teams", action="store_true", help="leave the related teams of all records, too"
    )
    parser.add_argument("--reports-to", metavar="USER", help="to whom the direct reports go, or -")
    parser.add_argument("--reason", default="", help="why; it is in the log with every record")
    staffing_run.add_arguments(parser)


@output.command
def run(args: argparse.Namespace) -> int:
    """Move the person, or rehearse it."""

    def heading(outcome: Outcome) -> str:
        from django.utils.translation import gettext as _

        return _("%(person)s (%(username)s) moves:") % {
            "person": outcome.user.name,
            "username": outcome.user.username,
        }

    return staffing_run.run(args, lambda operator: _prepared(operator, args), heading)


def _prepared(operator: Actor, args: argparse.Namespace) -> Callable[[], Outcome]:
    from hufu.cli import asking, staffing_words
    from hufu.staffing.actions import UNCHANGED, Move, move_person
    from hufu.staffing.holdings import holdings

    user = asking.person(args.user)
    others = args.other_departments
    codes = [] if others in (None, staffing_words.NOBODY) else others.split(",")
    move = Move(
        department=staffing_words.number_or_nobody(args.department, staffing_words.department),
        other_departments=UNCHANGED
        if others is None
        else [staffing_words.department(code.strip()).id for code in codes],
        manager=staffing_words.number_or_nobody(args.manager, asking.person),
        level=staffing_words.number_or_nobody(args.level, staffing_words.level),
        title=UNCHANGED if args.title is None else args.title,
        take_records=not args.leave_records,
        handover=staffing_words.handover(args.successor, keep_department=args.keep_department),
        keep=UNCHANGED
        if args.keep_all
        else staffing_words.kept(holdings(operator, user.id).gifts, args.keep),
        leave_groups=[staffing_words.group(key) for key in args.leave_group],
        leave_positions=[staffing_words.position(key) for key in args.leave_position],
        leave_teams=args.leave_teams,
        reports_to=staffing_words.number_or_nobody(args.reports_to, asking.person),
    )
    return lambda: move_person(operator, user, move, reason=args.reason)
