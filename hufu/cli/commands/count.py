"""Count the records on which somebody may use a permission: exactly those of that person's own list.

The question is asked as the person, through the same doors as their pages, and needs no password. It leaves an event
in the log. Somebody whose account is closed gets 0.

With --at it is the count of another day: people, policy and records as they stood then. It is about coverage; access
limits keep no past. It reads every record of the type: seconds for some ten thousand.

examples:
  hufu count customer.view --as wangsiyuan
  hufu count opportunity.edit --as wangsiyuan@example.com --json     {"count": 12}
  hufu count customer.view --as wangsiyuan --at 2026-03-01
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hufu.cli import environment, options, output

if TYPE_CHECKING:
    from hufu.access.as_of import PastReach

NAME = "count"
HELP = "count what somebody may view, edit, …"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question."""
    parser.add_argument("permission", metavar="PERMISSION", help="such as customer.view")
    parser.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        required=True,
        help="whose count: user name, mail address or external number",
    )
    options.at(parser)
    parser.add_argument("--json", action="store_true", help='print {"count": N}')


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the number."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import as_of, registry
        from hufu.cli import asking
        from hufu.core.actor import Actor, Context
        from hufu.core.transaction import acting
        from hufu.crm import queries

        operator = Actor.operator()
        with acting(operator):
            permission = asking.permission(args.permission)
            if not registry.is_about_records(permission.name):
                raise output.WrongUsage(
                    _(
                        "“%s” is not about records that exist, so there is nothing to count. Ask `hufu explain`."
                    )
                    % permission.name
                )
            user = asking.person(args.user)
            if args.at:
                with asking.of_the_past(args.at) as moment:
                    past = as_of.reached_at(operator, user.id, [permission.name], moment)
                return _answer_of_the_past(args, past, permission.name)
            asking.record_question(operator, user, "count", permission.name)
        actor = Actor(user.id, user.name, Context(channel="cli"))
        with acting(actor):
            number = queries.count(actor, permission.name)
        if not user.is_active:
            output.note(_("The account of %s is suspended or has left: nothing is open to it.") % user.name)
    if args.json:
        output.print_json({"count": number})
    else:
        print(number)
    return 0


def _answer_of_the_past(args: argparse.Namespace, past: PastReach, permission: str) -> int:
    from hufu.cli import asking

    number = len(past.records[permission])
    if args.json:
        output.print_json({"count": number, "as_of": asking.as_of_structure(past)})
        return 0
    print(number)
    output.note(asking.as_of_words(past))
    return 0
