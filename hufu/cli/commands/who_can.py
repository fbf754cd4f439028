"""Say who may do something with a record, and why: everybody who may, each with the path that decides it.

The answer names people, roles, levels, departments and scopes, never values of the record. It leaves an event in the
log. Exit code 1 when nobody may.

examples:
  hufu who-can customer.view customer:12
  hufu who-can opportunity.edit opportunity:40 --json
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, output

NAME = "who-can"
HELP = "say who may do something with a record, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question."""
    parser.add_argument("permission", metavar="PERMISSION", help="such as customer.view")
    parser.add_argument("record", metavar="TYPE:ID", help="the record, such as customer:1042")
    parser.add_argument("--json", action="store_true", help="print the decisions as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the people with their reasons."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import explain, queries
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.people.models import User

        operator = Actor.operator()
        with acting(operator):
            permission = asking.permission(args.permission)
            resource, number = asking.record_named(permission.name, args.record)
            asking.record_question(operator, None, "who_can", permission.name, f"{resource.name}:{number}")
            facts = asking.facts_of(operator, resource, number)
            snapshot = queries.snapshot()
            decisions = queries.who_can(snapshot, permission.name, facts) if facts else ()
            people = {user.id: user for user in User.objects.filter(id__in=[d.person_id for d in decisions])}
            said = [
                (people[decision.person_id], decision, list(explain.sentences(snapshot, decision))[1:])
                for decision in decisions
            ]
        if args.json:
            output.print_json(
                {
                    "permission": permission.name,
                    "record": f"{resource.name}:{number}",
                    "exists": facts is not None,
                    "people": [
                        {
                            "id": user.id,
                            "username": user.username,
                            "name": user.name,
                            **explain.structure(snapshot, decision),
                            "sentences": sentences,
                        }
                        for user, decision, sentences in said
                    ],
                }
            )
        elif facts is None:
            print(_("There is no such record."))
        else:
            print(
                _("%(count)s people may: %(permission)s, %(record)s.")
                % {"count": len(said), "permission": permission.label, "record": args.record}
            )
            for user, _decision, sentences in said:
                print(f"{user.name} ({user.username})")
                for sentence in sentences:
                    print(f"  {sentence}")
    return 0 if said else 1
