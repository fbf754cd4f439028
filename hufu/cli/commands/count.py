"""Count the records on which somebody may use a permission: exactly those of that person's own list.

The question is asked as the person, through the same doors as their pages, and needs no password. It leaves an event
in the log. Somebody whose account is closed gets 0.

examples:
  hufu count customer.view --as wangsiyuan
  hufu count opportunity.edit --as wangsiyuan@example.com --json     {"count": 12}
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output

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
    parser.add_argument("--json", action="store_true", help='print {"count": N}')


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the number."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import registry
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
