"""Let somebody join: account, department, level, manager, groups and positions in one deed.

Nobody can sign in to the account until `hufu invite` has made a link. --dry-run says which roles the person would hold
and through what.

examples:
  hufu join fangqing --name 方晴 --department sh-east-1 --level sales.rep --manager xulingzhi
  hufu join fangqing --name 方晴 --mail fangqing@example.com --group bidders --position key_account --dry-run
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from hufu.cli import output, staffing_run

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.staffing.actions import Outcome

NAME = "join"
HELP = "let somebody join: account, department, level, manager"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who joins and where."""
    parser.add_argument("username", metavar="USERNAME", help="the user name of the new account")
    parser.add_argument("--name", required=True, help="the person's name")
    parser.add_argument("--mail", default="", metavar="ADDRESS", help="mail address")
    parser.add_argument("--external-id", metavar="NUMBER", help="number in another system")
    parser.add_argument("--title", default="", help="title")
    parser.add_argument("--department", metavar="CODE", help="main department")
    parser.add_argument(
        "--other-department", metavar="CODE", action="append", default=[], help="a secondary department"
    )
    parser.add_argument("--level", metavar="LADDER.LEVEL", help="level, such as sales.rep")
    parser.add_argument("--manager", metavar="USER", help="to whom the person reports")
    parser.add_argument("--group", metavar="KEY", action="append", default=[], help="a group to be in")
    parser.add_argument("--position", metavar="KEY", action="append", default=[], help="a position to hold")
    staffing_run.add_arguments(parser)


@output.command
def run(args: argparse.Namespace) -> int:
    """Open the account, or rehearse it."""

    def heading(outcome: Outcome) -> str:
        from django.utils.translation import gettext as _

        who = {"person": outcome.user.name, "username": outcome.user.username}
        return _("%(person)s (%(username)s) joins:") % who

    code = staffing_run.run(args, lambda operator: _prepared(operator, args), heading)
    if code == 0 and not args.dry_run and not args.json:
        from django.utils.translation import gettext as _

        output.note(_("For a link to set a password: hufu invite %s") % args.username)
    return code


def _prepared(operator: Actor, args: argparse.Namespace) -> Callable[[], Outcome]:
    from hufu.cli import asking, staffing_words
    from hufu.staffing.actions import Person, join

    person = Person(
        username=args.username,
        name=args.name,
        email=args.mail,
        external_id=args.external_id or None,
        title=args.title,
        main_department_id=staffing_words.department(args.department).id if args.department else None,
        level_id=staffing_words.level(args.level).id if args.level else None,
        other_department_ids=tuple(staffing_words.department(code).id for code in args.other_department),
    )
    manager = asking.person(args.manager).id if args.manager else None
    groups = [staffing_words.group(key) for key in args.group]
    positions = [staffing_words.position(key) for key in args.position]
    return lambda: join(operator, person, manager=manager, groups=groups, positions=positions)
