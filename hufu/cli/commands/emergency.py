"""Appoint a security administrator on the server, where none is able to act; or review such an appointment.

This is the way back when the last security administrator is gone for good or cannot be reached. It is refused while one
is active, unless with --even-though. It has an event of its own, and every page of those who give roles or audit says
so until one of them, never the one who was appointed, reviews it.

examples:
  hufu emergency --appoint weishuning --reason "褚安然 left without a successor"
  hufu emergency --review 1 --finding "agreed with the board" --sign-in hanjingshu
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output, signing_in
from hufu.core.errors import Denied, Invalid

NAME = "emergency"
HELP = "appoint a security administrator where none can act, or review that"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom to appoint, or what to review."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--appoint", metavar="USER", help="user name, mail address or external number")
    what.add_argument("--review", metavar="N", type=int, help="the number of an appointment")
    parser.add_argument("--reason", default="", help="why somebody is appointed; the log keeps it")
    parser.add_argument(
        "--even-though", action="store_true", help="appoint although a security administrator is active"
    )
    parser.add_argument("--finding", default="", help="what the review found; the log keeps it")
    signing_in.add_argument(parser)


@output.command
def run(args: argparse.Namespace) -> int:
    """Appoint, or review."""
    if args.review is not None and not args.sign_in:
        raise output.WrongUsage("hufu emergency --review: say who reviews, with --sign-in NAME")
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import emergency
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting

        try:
            if args.review is not None:
                reviewer = signing_in.signed_in(args.sign_in)
                with acting(reviewer):
                    emergency.review(reviewer, args.review, finding=args.finding)
                print(_("Reviewed."))
                return 0
            operator = Actor.operator()
            with acting(operator):
                user = asking.person(args.appoint)
                emergency.appoint(operator, user, reason=args.reason, even_though=args.even_though)
        except Invalid as invalid:
            output.print_problems(invalid, _("Nothing was changed:"))
            return 1
        except Denied:
            output.note(
                "hufu: "
                + _(
                    "Nothing was changed: this is for whoever gives roles or audits, never for whom it appointed."
                )
            )
            return 1
        print(_("%s is security administrator from now on.") % user.name)
        output.note(_("Every security and audit administrator is told so until one of them reviews it."))
    return 0
