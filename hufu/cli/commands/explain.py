"""Explain why somebody may or may not do something: the whole path, or the missing links, nearest first.

The path runs from the person through level, department or direct assignment to the role, the roles it inherits, the
grant and its scope, and says why the record is in it. Where something is missing, it also names what would nearly
have done. The question leaves an event in the log; the answer holds no values of the record.

With --field it says what they may do with one field of the record: whether it is hidden, masked, read or changed, by
which role's rule, by its sensitivity, or because an access limit is closed.

With --at the answer is that of another day: people, policy and the record as they stood then. It is about coverage;
access limits (networks, times, second factors, training, quotas) keep no past and are not evaluated.

examples:
  hufu explain --as wangsiyuan customer.edit customer:1042
  hufu explain --as 10077 customer.create          whether and where they may add customers
  hufu explain --as hanjingshu audit.view --json
  hufu explain --as zhouziheng --role sales_rep    may this role be given to them? a separation of duties may forbid it
  hufu explain --as wangsiyuan contact.view contact:77 --field phone
  hufu explain --as wangsiyuan customer.view customer:1042 --at 2026-03-01T10:00

exit codes: 0 allowed · 1 denied, hidden or masked · 2 wrong usage (no such person, permission, type, field or moment)
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hufu.cli import environment, options, output

if TYPE_CHECKING:
    from hufu.access.decision.decide import Decision
    from hufu.access.decision.snapshot import Snapshot
    from hufu.access.registry import Field, ResourceType
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
    parser.add_argument("permission", metavar="PERMISSION", nargs="?", help="such as customer.edit")
    parser.add_argument(
        "record", metavar="TYPE:ID", nargs="?", help="the record, such as customer:1042; without it, at all"
    )
    parser.add_argument(
        "--field", metavar="FIELD", help="of one field of the record, with a permission to view or to edit"
    )
    options.at(parser)
    parser.add_argument(
        "--role", metavar="KEY", help="instead of a permission: whether this role may be given to them at all"
    )
    parser.add_argument("--json", action="store_true", help="print the decision as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the decision with its reasons."""
    if bool(args.permission) == bool(args.role) or (args.role and args.at):
        raise output.WrongUsage("hufu explain: name a permission, or --role KEY (which knows no --at)")
    if args.role:
        return _about_role(args)
    with environment.connected():
        from hufu.access import as_of, explain, explain_fields, queries
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting

        operator = Actor.operator()
        with acting(operator):
            permission = asking.permission(args.permission)
            named = asking.record_named(permission.name, args.record) if args.record else None
            user = asking.person(args.user)
            about = f"{named[0].name}:{named[1]}" if named else ""
            declared = _field(permission.verb, named, args.field) if args.field else None
            past = None
            if args.at:
                record_id = named[1] if named else None
                with asking.of_the_past(args.at) as moment:
                    past = as_of.decide_at(operator, user.id, permission.name, record_id, moment)
            if past is not None:
                snapshot, decision = past.snapshot, past.decision
            else:
                asking.record_question(operator, user, "explain", permission.name, about)
                snapshot = queries.snapshot()
                if named is None:
                    decision = queries.explain(snapshot, user.id, permission.name, None)
                else:
                    decision = _about_record(operator, snapshot, user.id, permission.name, *named)
            said = list(explain.sentences(snapshot, decision))
            structure = explain.structure(snapshot, decision)
            allowed = decision.allowed
            if named is not None and declared is not None and allowed:
                of_field = explain_fields.decide(snapshot, decision, named[0], declared)
                allowed = explain_fields.allows(of_field, permission.verb)
                said = [*explain_fields.sentences(snapshot, of_field), *said]
                structure |= {
                    "allowed": allowed,
                    "code": str(explain_fields.CODES[of_field.access]),
                    "field": explain_fields.structure(snapshot, of_field),
                }
            if past is not None:
                said.append(asking.as_of_words(past))
                structure["as_of"] = asking.as_of_structure(past)
    if args.json:
        who = {"id": user.id, "username": user.username, "name": user.name}
        output.print_json({"person": who, "record": about or None, **structure, "sentences": said})
    else:
        print(said[0])
        for sentence in said[1:]:
            print(f"  {sentence}")
    return 0 if allowed else 1


def _field(verb: str, named: tuple[ResourceType, int] | None, name: str) -> Field:
    """Return the field that is asked about; raise WrongUsage where there is none, or the question makes no sense."""
    if named is None or verb not in ("view", "edit"):
        raise output.WrongUsage(
            "--field goes with a record, and with a permission to view or to edit: contact.view contact:77"
        )
    declared = named[0].by_name.get(name)
    if declared is None:
        known = ", ".join(each.name for each in named[0].fields)
        raise output.WrongUsage(f"{named[0].name} has no field “{name}”. It has: {known}.")
    return declared


def _about_role(args: argparse.Namespace) -> int:
    """Say whether a role may be given to somebody, or which separation of duties forbids it."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import company, explain, queries
        from hufu.access.decision.decide import Code
        from hufu.access.models import Role
        from hufu.cli import asking
        from hufu.core.actor import Actor
        from hufu.core.errors import Invalid
        from hufu.core.transaction import acting

        operator = Actor.operator()
        with acting(operator):
            user = asking.person(args.user)
            asking.record_question(operator, user, "explain", "role.assign")
            snapshot = queries.snapshot()
            role = next((each for each in snapshot.roles.values() if each.key == args.role), None)
            if role is None:
                raise output.WrongUsage(_("There is no role “%s”.") % args.role)
            words = {"role": role.name, "person": user.name}
            clashes = list(explain.clash_sentences(snapshot, snapshot.people[user.id], role.id))
            try:
                company.require_apart(Role.objects.get(pk=role.id), user)
            except Invalid as invalid:
                clashes += [str(text) for of in invalid.problems.values() for text in of]
            said = clashes or [
                _("No separation of duties keeps “%(role)s” from being given to %(person)s.") % words
            ]
    if args.json:
        who = {"id": user.id, "username": user.username, "name": user.name}
        code = str(Code.DUTY_CONFLICT if clashes else Code.HELD)
        output.print_json(
            {"person": who, "role": args.role, "allowed": not clashes, "code": code, "sentences": said}
        )
    else:
        print("\n".join(said))
    return 1 if clashes else 0


def _about_record(
    operator: Actor, snapshot: Snapshot, user_id: int, permission: str, resource: ResourceType, record_id: int
) -> Decision:
    """Return the decision about one record; a record in the bin is none to the operator."""
    from hufu.access import queries
    from hufu.cli import asking

    facts = asking.facts_of(operator, resource, record_id)
    if facts is None:
        return queries.about_no_record(snapshot, user_id, permission)
    return queries.explain(snapshot, user_id, permission, facts)
