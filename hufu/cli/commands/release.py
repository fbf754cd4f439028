"""Release organisation changes that wait: a security administrator signs in at the terminal and lets them come true.

Nobody releases a change that they asked for or that is about themselves. Several are released in one deed: all of them,
or none. `hufu pending` lists them with their numbers.

examples:
  hufu release 12 13 --sign-in chuanran
  hufu release --all --sign-in chuanran --reason "reorganisation of 1 July"
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output, signing_in
from hufu.core.errors import Denied, Invalid

NAME = "release"
HELP = "let organisation changes that wait come true, as a security administrator"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which, and who releases."""
    parser.add_argument(
        "numbers", metavar="N", type=int, nargs="*", help="numbers as `hufu pending` lists them"
    )
    parser.add_argument("--all", action="store_true", help="everything that waits and that you may release")
    parser.add_argument("--reason", default="", help="why; the log keeps it")
    signing_in.add_argument(parser, required=True)


@output.command
def run(args: argparse.Namespace) -> int:
    """Release them."""
    if bool(args.numbers) == args.all:
        raise output.WrongUsage("hufu release: name numbers, or --all")
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.core.transaction import acting
        from hufu.staffing.actions import pending

        try:
            actor = signing_in.signed_in(args.sign_in)
            with acting(actor):
                numbers = args.numbers or [
                    row.id
                    for row in pending.pending(actor)
                    if actor.user_id not in (row.asked_by, row.user_id)
                ]
                amount = pending.release(actor, numbers, reason=args.reason) if numbers else 0
        except Invalid as invalid:
            output.print_problems(invalid, _("Nothing was released:"))
            return 1
        except Denied:
            output.note(
                "hufu: "
                + _(
                    "Nothing was released: this is for whoever may give roles, and never for a change that they asked "
                    "for or that is about themselves."
                )
            )
            return 1
        print(_("Released: %s") % amount)
    return 0
