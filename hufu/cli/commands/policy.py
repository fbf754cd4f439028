"""The policy as one file: apply it, change it by change sets, compare, test, publish, and return to an earlier version.

A policy file holds the organisation (departments, ladders of levels), partitions, roles with their grants, and who is
given what. Version 1 is published by `apply`, whole or not at all. From then on a file becomes a change set: it is
rehearsed, and somebody other than its author approves it (`approve`), unless it only takes away.
The operator of the command line submits; who publishes signs in (`--sign-in NAME`).

examples:
  hufu policy apply company.yaml --dry-run     say what would be done, and how many records new rules cover
  hufu policy apply company.yaml --dry-run --as wangsiyuan      and which of them she may view today
  hufu policy apply company.yaml               version 1; afterwards a change set
  hufu policy preview 3                        whom it concerns, in numbers
  hufu policy test company.yaml
  hufu policy approve 3 --sign-in weishuning
  hufu policy history
  hufu policy diff 1 2
  hufu policy rollback 1 --reason "too wide"
  hufu policy export company-today.yaml
  hufu policy lift office --reason "the network moved, nobody gets in"
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hufu.cli import environment, output, policy_run, signing_in
from hufu.core.errors import Invalid

if TYPE_CHECKING:
    from hufu.access.policy_file import Report
    from hufu.access.sharing import Coverage
    from hufu.core.actor import Actor

NAME = "policy"
HELP = "the policy as one file, its change sets and versions"


class _Rehearsed(Exception):
    """Ends a dry run: everything that was done is undone."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    apply = actions.add_parser(
        "apply", help="apply a file", description="Apply a policy file, all or nothing."
    )
    apply.add_argument("file", type=Path, metavar="FILE", help="the policy as YAML")
    apply.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    apply.add_argument(
        "--as",
        dest="user",
        metavar="USER",
        help="with --dry-run: show those of the records that new rules cover which this person may view today",
    )
    apply.add_argument("--title", default="", help="what the change set is called (default: the file's name)")
    apply.add_argument("--reason", default="", help="why the policy changes; whoever approves reads it")
    signing_in.add_argument(apply)
    apply.add_argument("--json", action="store_true", help="print what was done as JSON")
    apply.add_argument(
        "--allow-lock-out",
        action="store_true",
        help="publish access limits behind which nobody who may change the policy can ever sign in",
    )
    apply.set_defaults(action=_apply)
    lift = actions.add_parser(
        "lift",
        help="let people sign in again",
        description="Lift an access limit from signing in and from people, when nobody gets in any more.",
    )
    lift.add_argument("key", metavar="LIMIT", help="the key of the access limit")
    lift.add_argument("--reason", required=True, help="why; the log keeps it")
    lift.set_defaults(action=_lift)
    export = actions.add_parser(
        "export", help="write the policy", description="Write the policy that stands."
    )
    export.add_argument(
        "file",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="a file that is not there yet; without it, to the terminal",
    )
    export.set_defaults(action=_export)
    policy_run.add_arguments(actions)


@output.command
def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    return int(args.action(args))


def _apply(args: argparse.Namespace) -> int:
    from hufu.cli import yaml_file

    if args.user and not args.dry_run:
        raise output.WrongUsage("--as answers questions only: name it with --dry-run.")
    try:
        with environment.connected():
            return _apply_document(args, yaml_file.read(args.file))
    except Invalid as invalid:
        from django.utils.translation import gettext as _

        if args.json:
            output.print_json(
                {"problems": {place: list(map(str, of)) for place, of in invalid.problems.items()}}
            )
        else:
            output.print_problems(invalid, _("Nothing was applied. What is wrong with %s:") % args.file)
        return 1


def _apply_document(args: argparse.Namespace, document: Any) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import policy_file, sharing
    from hufu.cli import asking
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting
    from hufu.staffing import organisation_file

    operator = Actor.operator()
    covered: dict[str, Coverage] = {}
    person: Actor | None = None
    with acting(operator):
        before = policy_file.current_version()
    if before and not args.dry_run:
        return policy_run.submit(args, document)
    try:
        with acting(operator):
            if args.user:
                user = asking.person(args.user)
                asking.record_question(operator, user, "coverage")
                person = Actor(user.id, user.name)
            report = organisation_file.apply(operator, document.get("organisation") or {})
            # After version 1 a dry run still says what differs.
            report.include(
                policy_file.rehearse(document)
                if before
                else policy_file.apply(operator, document, allow_lock_out=args.allow_lock_out)
            )
            if report.version == 1:
                _require_somebody_to_change_it()
            if args.dry_run:
                covered = {
                    label: sharing.coverage(operator, *condition)
                    for label, condition in report.covers.items()
                }
                raise _Rehearsed
    except _Rehearsed:
        pass
    created, changed, removed = (
        [report.words[label] for label in labels]
        for labels in (report.created, report.changed, report.removed)
    )
    published = 0 if args.dry_run else report.version
    covers = _covers(report, covered, person)
    if args.json:
        output.print_json(
            {"version": published or before or None, "published": bool(published), "dry_run": args.dry_run}
            | {"created": created, "changed": changed, "removed": removed}
            | ({"covers": covers} if covers else {})
        )
        return 0
    for line in created:
        print(_("created  %s") % line)
    for line in changed:
        print(_("changed  %s") % line)
    for line in removed:
        print(_("removed  %s") % line)
    for covering in covers:
        print(
            _("covers   %(rule)s: %(amount)s records that are there today (%(type)s)")
            % {"rule": covering["rule"], "amount": covering["records"], "type": covering["type"]}
        )
        for line in covering["samples"]:
            print(f"           {line}")
    if report.is_empty:
        print(_("There is nothing to change: the policy is what the file says."))
    elif args.dry_run:
        print(_("This was a dry run: nothing was changed."))
    elif published:
        print(_("Version %s of the policy is published.") % published)
    return 0


def _covers(report: Report, covered: dict[str, Coverage], person: Actor | None) -> list[dict[str, Any]]:
    """Return how many records each rule covers and, of the newest, those that the named person may view today."""
    from hufu.access import sharing
    from hufu.core.transaction import acting

    said = []
    for label, coverage in covered.items():
        type_name = report.covers[label][0]
        titles: list[str] = []
        if person is not None:
            with acting(person):
                titles = sharing.samples(person, type_name, coverage.newest)
        said.append({"rule": label, "type": type_name, "records": coverage.amount, "samples": titles})
    return said


def _require_somebody_to_change_it() -> None:
    """Raise Invalid where version 1 would leave nobody who could ever change the policy again."""
    from django.utils.translation import gettext as _

    from hufu.access import queries

    snapshot = queries.snapshot()
    for permission in ("policy.apply", "role.assign"):
        if not queries.holders(snapshot, permission):
            raise Invalid(
                {
                    "assignments": [
                        _(
                            "With version 1 the command line loses the right to change the policy, and nobody would "
                            "hold “%s”. Run `hufu setup` first, or assign a role that grants it to somebody who is "
                            "active."
                        )
                        % permission
                    ]
                }
            )


def _lift(args: argparse.Namespace) -> int:
    from hufu.core.actor import Actor

    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access.way_in import lift_gate
        from hufu.core.transaction import acting

        operator = Actor.operator()
        try:
            with acting(operator):
                lift_gate(operator, args.key, reason=args.reason)
        except Invalid as invalid:
            output.print_problems(invalid, _("Nothing was changed:"))
            return 1
        print(_("The access limit “%s” keeps nobody from signing in any more.") % args.key)
        output.note(_("Whoever may change the policy should now correct it, and publish it again."))
    return 0


def _export(args: argparse.Namespace) -> int:
    from hufu.cli import yaml_file

    with environment.connected():
        from django.utils.translation import gettext as _

        from hufu.access import policy_document
        from hufu.core.actor import Actor
        from hufu.core.transaction import acting
        from hufu.staffing import organisation_file

        with acting(Actor.operator()):
            policy = policy_document.export()
            document = {"format": policy.pop("format"), "organisation": organisation_file.export(), **policy}
    text = yaml_file.text(document)
    if args.file is None:
        print(text, end="")
        return 0
    try:
        # People and their rights are in it: for the eyes of whoever runs this.
        with open(
            os.open(args.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
    except FileExistsError:
        output.note("hufu: " + _("%s exists already and was not overwritten. Name another file.") % args.file)
        return 1
    except OSError as error:
        output.note(
            "hufu: "
            + _("%(file)s cannot be written: %(reason)s.") % {"file": args.file, "reason": error.strerror}
        )
        return 1
    return 0
