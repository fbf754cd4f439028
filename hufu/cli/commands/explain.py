"""Explain why somebody may or may not do something: the whole path, or the missing links, nearest first.

The path runs from the person through level, department or direct assignment to the role, the roles it inherits, the
grant and its scope, and says why the record is in it. Where something is missing, it also names what would nearly
have done. The question leaves an event in the log; the answer holds no values of the record.

examples:
  hufu explain --as wangsiyuan customer.edit customer:1042
  hufu explain --as 10077 customer.create          whether and where they may add customers
  hufu explain --as hanjingshu audit.view --json

exit codes: 0 allowed · 1 denied · 2 wrong usage (no such person, permission or type)
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from hufu.cli import environment, output

if TYPE_CHECKING:
    from hufu.access.decision.decide import Decision
    from hufu.access.decision.snapshot import Snapshot
    from hufu.access.registry import ResourceType
    from hufu.core.actor import Actor

NAME = "explain"
HELP = "explain why somebody may or may not do something"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question."""
    parser.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        required=True,
        help="who: user name, mail address or external number",
    )
    parser.add_argument("permission", metavar="PERMISSION", help="such as customer.edit")
    parser.add_argument(
        "record", metavar="TYPE:ID", nargs="?", help="the record, such as customer:1042; without it, at all"
    )
    parser.add_argument("--json", action="store_true", help="print the decision as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the decision with its reasons."""
    with environment.connected():
        from hufu.access import explain, queries
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting

        operator = Actor.operator()
        with acting(operator):
            permission = asking.permission(args.permission)
            named = asking.record_named(permission.name, args.record) if args.record else None
            user = asking.person(args.user)
            about = f"{named[0].name}:{named[1]}" if named else ""
            asking.record_question(operator, user, "explain", permission.name, about)
            snapshot = queries.snapshot()
            if named is None:
                decision = queries.explain(snapshot, user.id, permission.name, None)
            else:
                decision = _about_record(operator, snapshot, user.id, permission.name, *named)
            said = list(explain.sentences(snapshot, decision))
            structure = explain.structure(snapshot, decision)
    if args.json:
        who = {"id": user.id, "username": user.username, "name": user.name}
        output.print_json({"person": who, "record": about or None, **structure, "sentences": said})
    else:
        print(said[0])
        for sentence in said[1:]:
            print(f"  {sentence}")
    return 0 if decision.allowed else 1


def _about_record(
    operator: Actor, snapshot: Snapshot, user_id: int, permission: str, resource: ResourceType, record_id: int
) -> Decision:
    """Return the decision about one record; a record in the bin is none to the operator."""
    from hufu.access import queries
    from hufu.access.decision.decide import Code, Link
    from hufu.cli import asking

    facts = asking.facts_of(operator, resource, record_id)
    if facts is not None:
        return queries.explain(snapshot, user_id, permission, facts)
    decision = queries.explain(snapshot, user_id, permission, None)
    return replace(
        decision, allowed=False, code=Code.NO_RECORD, covers=(), missing=(Link(Code.NO_RECORD, permission),)
    )
