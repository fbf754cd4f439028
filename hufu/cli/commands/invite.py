"""Print a link with which somebody sets their own password: the first one, or a new one when they forgot it.

The link works once and for three days. Hand it over in a way that only this person reads. It leads to the address in
HUFU_ORIGIN. That there is a link is an event in the log; the link itself is kept nowhere.

examples:
  hufu invite wangsiyuan
  hufu invite wangsiyuan@example.com --json
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output

NAME = "invite"
HELP = "print a link to set a password"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom."""
    parser.add_argument("user", metavar="USER", help="user name, mail address or external number")
    parser.add_argument("--json", action="store_true", help="print the link as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the link."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.cli import asking
        from hufu.cli.links import where_links_lead
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.staffing.invitations import invite

        operator = Actor.operator()
        with acting(operator):
            user = asking.person(args.user)
            invitation = invite(operator, user)
        if args.json:
            output.print_json(
                {
                    "username": user.username,
                    "name": user.name,
                    "link": invitation.link,
                    "valid_until": invitation.valid_until.isoformat(timespec="seconds"),
                }
            )
            return 0
        print(invitation.link)
        output.note(
            _("For %(name)s alone: the link sets their password, works once, until %(until)s.")
            % {"name": user.name, "until": invitation.until()}
        )
        if said := where_links_lead():
            output.note(said)
    return 0
