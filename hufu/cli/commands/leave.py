"""Let somebody leave: the account closes at once, and nothing that rights hang on stays with it.

Level, secondary departments, roles and admissions by name, groups, positions, posts and related teams end; an open
session is refused at its next request. Successors get the records: one for all, others for single partitions. The
direct reports go to the person's own manager, unless --reports-to names somebody else. If a successor is missing, or
may not own records there, nothing happens and the command says where, and how many records there are.

examples:
  hufu leave xuletian --successor zhaominxing --reason 离职 --dry-run
  hufu leave xuletian --successor zhaominxing --successor sz=fangzekai
  hufu leave xuletian --successor zhaominxing --reports-to xulingzhi --json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from hufu.cli import output, staffing_run

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.staffing.actions import Outcome

NAME = "leave"
HELP = "let somebody leave: close the account, hand over the records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who leaves and who takes over."""
    parser.add_argument("user", metavar="USER", help="user name, mail address or external number")
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
        help="let the department of the records stay what it is (default: the successor's)",
    )
    parser.add_argument(
        "--reports-to",
        metavar="USER",
        help="to whom the direct reports go, or - (default: the person's manager)",
    )
    parser.add_argument("--reason", default="", help="why; it is in the log with every record")
    staffing_run.add_arguments(parser)


@output.command
def run(args: argparse.Namespace) -> int:
    """Close the account, or rehearse it."""

    def heading(outcome: Outcome) -> str:
        from django.utils.translation import gettext as _

        return _("%(person)s (%(username)s) leaves:") % {
            "person": outcome.user.name,
            "username": outcome.user.username,
        }

    return staffing_run.run(args, lambda operator: _prepared(operator, args), heading)


def _prepared(operator: Actor, args: argparse.Namespace) -> Callable[[], Outcome]:
    from hufu.cli import asking, staffing_words
    from hufu.staffing.actions import leave

    user = asking.person(args.user)
    handover = staffing_words.handover(args.successor, keep_department=args.keep_department)
    reports_to = staffing_words.number_or_nobody(args.reports_to, asking.person)
    return lambda: leave(operator, user, handover=handover, reason=args.reason, reports_to=reports_to)
