"""Running a deed of joiner, mover or leaver as the operator: for real, or as a rehearsal that leaves nothing."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from hufu.cli import environment, output
from hufu.core.errors import Invalid

if TYPE_CHECKING:
    from hufu.core.actor import Actor
    from hufu.staffing.actions import Outcome


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the three commands share."""
    parser.add_argument(
        "--dry-run", action="store_true", help="say exactly what would happen and change nothing"
    )
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")


def run(
    args: argparse.Namespace,
    deed: Callable[[Actor], Callable[[], Outcome]],
    heading: Callable[[Outcome], str],
) -> int:
    """Prepare the deed in the operator's transaction, do it or rehearse it, and print its outcome."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.cli import staffing_words
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.staffing.actions import rehearse

        operator = Actor.operator()
        try:
            with acting(operator):
                prepared = deed(operator)
                outcome = rehearse(prepared) if args.dry_run else prepared()
                said = [heading(outcome), *staffing_words.lines(outcome)]
                structure = staffing_words.structure(outcome)
        except Invalid as invalid:
            if args.json:
                problems = {place: list(map(str, of)) for place, of in invalid.problems.items()}
                output.print_json({"problems": problems})
            else:
                output.print_problems(
                    Invalid({"": [str(text) for of in invalid.problems.values() for text in of]}),
                    _("Nothing was changed:"),
                )
            return 1
        if args.json:
            output.print_json({"dry_run": args.dry_run, **structure})
            return 0
        print("\n".join(said))
        if args.dry_run:
            print(_("This was a dry run: nothing was changed."))
    return 0
