"""Say in words what somebody may reach: roles and how they came, partitions, permissions, scopes, numbers of records.

The numbers are those of the person's own lists. It leaves an event in the log. Somebody whose account is closed reaches
nothing (exit code 1). With --at it is the reach of another day, about coverage: access limits keep no past.

examples:
  hufu reach wangsiyuan
  hufu reach wangsiyuan@example.com --json
  hufu reach wangsiyuan --at 2026-03-01
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hufu.cli import environment, options, output

if TYPE_CHECKING:
    from hufu.access.decision.snapshot import PersonFacts, Snapshot

NAME = "reach"
HELP = "say in words what somebody may reach"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whom it is about."""
    parser.add_argument("user", metavar="USER", help="user name, mail address or external number")
    options.at(parser)
    parser.add_argument("--json", action="store_true", help="print the reach as JSON")


@output.command
def run(args: argparse.Namespace) -> int:
    """Print the reach."""
    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import as_of, queries
        from hufu.cli import asking
        from hufu.core.actor import Actor, Context
        from hufu.core.transaction import acting

        operator = Actor.operator()
        past = None
        with acting(operator):
            user = asking.person(args.user)
            if args.at:
                with asking.of_the_past(args.at) as moment:
                    past = as_of.reached_at(operator, user.id, None, moment, question="reach")
                snapshot = past.snapshot
                counts = {permission: len(records) for permission, records in past.records.items()}
            else:
                asking.record_question(operator, user, "reach")
                snapshot = queries.snapshot()
        if user.id not in snapshot.people:
            raise output.WrongUsage(_("%s was not there yet.") % user.name)
        person = snapshot.people[user.id]
        if past is None:
            actor = Actor(user.id, user.name, Context(channel="cli"))
            with acting(actor):
                counts = _counts(actor)
        said = _reach(snapshot, person, counts)
        if args.json:
            who = {"id": user.id, "username": user.username, "name": user.name}
            output.print_json(
                {"person": who, **said, **({"as_of": asking.as_of_structure(past)} if past else {})}
            )
        else:
            for line in _lines(snapshot, person, said):
                print(line)
            if past:
                print(asking.as_of_words(past))
    return 0 if person.active else 1


def _counts(actor: Any) -> dict[str, int]:
    """Return on how many records the person may use each permission that they hold, as their own lists say."""
    from hufu.access import guard, registry
    from hufu.crm import queries

    return {
        declared.name: queries.count(actor, declared.name)
        for declared in registry.permissions()
        if registry.is_about_records(declared.name) and guard.may(actor, declared.name)
    }


def _reach(snapshot: Snapshot, person: PersonFacts, counts: dict[str, int]) -> dict[str, Any]:
    from hufu.access import explain, registry
    from hufu.access.decision.break_glass import opened
    from hufu.access.decision.delegation import standing_in
    from hufu.access.decision.scopes import names, united
    from hufu.access.decision.snapshot import paths
    from hufu.access.decision.terms import Right

    if not person.active:
        return {
            "active": False,
            "roles": [],
            "partitions": [],
            "permissions": [],
            "stands_in_for": [],
            "break_glass": [],
        }
    roles = [
        {
            "name": snapshot.roles[given.role_id].name,
            "key": snapshot.roles[given.role_id].key,
            "to": explain.principal_words(snapshot, given),
            "ends": given.ends_at.isoformat() if given.ends_at else None,
        }
        for given in snapshot.assignments
        if given.role_id is not None and given.in_force(snapshot.at) and snapshot.reaches(given, person)
    ]
    rights: dict[int, set[Right]] = {}
    for admission in snapshot.admissions:
        if admission.in_force(snapshot.at) and snapshot.reaches(admission, person):
            assert admission.partition_id is not None
            rights.setdefault(admission.partition_id, set()).update(admission.rights)
    permissions = []
    for declared in registry.permissions():
        held = united(path.scope for path in paths(snapshot, person, declared.name))
        if held:
            permissions.append(
                {
                    "name": declared.name,
                    "scopes": list(names(held)) if len(declared.scopes) > 1 else [],
                    "base_access": declared.name in snapshot.opened,
                    "records": counts.get(declared.name),
                }
            )
    return {
        "active": True,
        "roles": roles,
        "partitions": [
            {
                "name": snapshot.partition_names[number],
                "rights": [str(r) for r in Right if r in rights[number]],
            }
            for number in sorted(rights)
        ],
        "permissions": permissions,
        "stands_in_for": [
            {
                "name": snapshot.people[lent.delegator_id].name,
                "permissions": sorted(lent.permissions),
                "ends": lent.ends_at.isoformat(),
            }
            for every in standing_in(snapshot, person).values()
            for lent in every
        ],
        "break_glass": [
            {"rule": rule.name, "permissions": sorted(rule.permissions), "ends": use.ends_at.isoformat()}
            for use, rule in opened(snapshot, person)
        ],
    }


def _lines(snapshot: Snapshot, person: PersonFacts, said: dict[str, Any]) -> Iterator[str]:
    from django.utils.translation import gettext as _

    from hufu.access import registry
    from hufu.access.decision.terms import Right
    from hufu.access.explain import RIGHT_LABELS, SCOPE_LABELS
    from hufu.core import days

    if not said["active"]:
        yield _("The account of %s is suspended or has left: nothing is open to it.") % person.name
        return
    yield _("What %s may reach") % person.name
    yield ""
    yield _("Roles:") if said["roles"] else _("No role.")
    for role in said["roles"]:
        yield _("  “%(role)s”, given to %(principal)s") % {"role": role["name"], "principal": role["to"]}
    yield _("Partitions:") if said["partitions"] else _("Admitted to no partition.")
    for partition in said["partitions"]:
        rights = _(", ").join(str(RIGHT_LABELS[Right(right)]) for right in partition["rights"])
        yield f"  {partition['name']}: {rights}"
    yield _("Permissions:") if said["permissions"] else _("No permission.")
    for permission in said["permissions"]:
        label = registry.permission(permission["name"]).label
        scopes = _(", ").join(str(SCOPE_LABELS[name]) for name in permission["scopes"])
        resource = registry.type_of(permission["name"])
        if resource is not None and resource.parent_type is not None:
            scopes = _("with the “%s” it belongs to") % resource.parent_type.label
        elif (
            registry.is_about_records(permission["name"])
            and registry.requirement(permission["name"]).needs[-1].share
        ):
            scopes += _(" and where one is in the team")
        if permission["base_access"]:
            scopes += _(" (base access: everything)")
        records = permission["records"]
        counted = _(" · %s records") % f"{records:,}" if records is not None else ""
        yield f"  {label}{': ' if scopes else ''}{scopes}{counted}"
    for lent in said["stands_in_for"]:
        yield _("  Stands in for %(name)s until %(until)s: %(permissions)s") % {
            "name": lent["name"],
            "until": days.end_words(datetime.fromisoformat(lent["ends"])),
            "permissions": _(", ").join(str(registry.permission(name).label) for name in lent["permissions"]),
        }
    for glass in said["break_glass"]:
        yield _("  Break-glass “%(name)s” until %(until)s: %(permissions)s") % {
            "name": glass["rule"],
            "until": days.moment_words(datetime.fromisoformat(glass["ends"])),
            "permissions": _(", ").join(
                str(registry.permission(name).label) for name in glass["permissions"]
            ),
        }
