"""Say who may do something with a record, and why: everybody who may, each with the path that decides it.

The answer names people, roles, levels, departments and scopes, never values of the record. It leaves an event in the
log. Exit code 1 when nobody may. With --at it is the answer of another day, about coverage: access limits keep no past.

examples:
  hufu who-can customer.view customer:12
  hufu who-can opportunity.edit opportunity:40 --json
  hufu who-can customer.view customer:12 --at 2026-03-01      who could on that day
"""

from __future__ import annotations

import argparse

from hufu.cli import environment, options, output

NAME = "who-can"
HELP = "say who may do something with a record, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the question."""
    parser.add_argument("permission", metavar="PERMISSION", help="such as customer.view")
    parser.add_argument("record", metavar="TYPE:ID", help="the record, such as customer:1042")
    options.at(parser)
    parser.add_argument("--json", action="store_true", help="print the decisions as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the people with their reasons."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import as_of, explain, queries
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting

        operator = Actor.operator()
        past = None
        with acting(operator):
            permission = asking.permission(args.permission)
            resource, number = asking.record_named(permission.name, args.record)
            if args.at:
                with asking.of_the_past(args.at) as moment:
                    past = as_of.who_could_at(operator, permission.name, number, moment)
                snapshot, decisions, exists = past.snapshot, past.decisions, past.exists
            else:
                asking.record_question(
                    operator, None, "who_can", permission.name, f"{resource.name}:{number}"
                )
                facts = asking.facts_of(operator, resource, number)
                snapshot, exists = queries.snapshot(), facts is not None
                decisions = queries.who_can(snapshot, permission.name, facts) if facts else ()
            usernames = asking.usernames(decision.person_id for decision in decisions)
            said = [
                (
                    snapshot.people[decision.person_id],
                    decision,
                    list(explain.sentences(snapshot, decision))[1:],
                )
                for decision in decisions
            ]
        if args.json:
            output.print_json(
                {
                    "permission": permission.name,
                    "record": f"{resource.name}:{number}",
                    "exists": exists,
                    "people": [
                        {
                            "id": person.id,
                            "username": usernames[person.id],
                            "name": person.name,
                            **explain.structure(snapshot, decision),
                            "sentences": sentences,
                        }
                        for person, decision, sentences in said
                    ],
                    **({"as_of": asking.as_of_structure(past)} if past else {}),
                }
            )
            return 0 if said else 1
        if not exists:
            print(_("There was no such record.") if past else _("There is no such record."))
        else:
            words = {"count": len(said), "permission": permission.label, "record": args.record}
            print(
                _("%(count)s people could: %(permission)s, %(record)s.") % words
                if past
                else _("%(count)s people may: %(permission)s, %(record)s.") % words
            )
        for person, _decision, sentences in said:
            print(f"{person.name} ({usernames[person.id]})")
            for sentence in sentences:
                print(f"  {sentence}")
        if past:
            print(asking.as_of_words(past))
    return 0 if said else 1
