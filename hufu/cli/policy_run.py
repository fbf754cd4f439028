"""`hufu policy`: the actions on change sets."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hufu.cli import environment, output, signing_in
from hufu.core.errors import Invalid

if TYPE_CHECKING:
    from hufu.access.change_sets import Submitted
    from hufu.core.actor import Actor

NO_RISK = "—"


def add_arguments(actions: Any) -> None:
    """Add the actions and their options."""
    named = "the number of a change set, or a file"
    preview = _action(
        actions, "preview", "say what a change set would do, by person; nothing is kept", _preview
    )
    preview.add_argument("what", metavar="NUMBER|FILE", help=named)
    preview.add_argument(
        "--all", action="store_true", help="list everybody, not only those for whom most changes"
    )
    preview.add_argument("--json", action="store_true", help="print it as JSON")
    test = _action(
        actions, "test", "run the policy's tests: those that stand, or under a change set or file", _test
    )
    test.add_argument("what", metavar="NUMBER|FILE", nargs="?", help=named)
    test.add_argument("--json", action="store_true", help="print the results as JSON")
    diff = _action(actions, "diff", "say what differs between two versions, or a file and what stands", _diff)
    diff.add_argument("before", metavar="VERSION|FILE")
    diff.add_argument("after", metavar="VERSION", nargs="?", help="without it: the version that stands")
    diff.add_argument("--json", action="store_true", help="print it as JSON")
    approve = _action(actions, "approve", "publish a change set that somebody else submitted", _approve)
    approve.add_argument("number", type=int, metavar="NUMBER")
    approve.add_argument("--reason", default="", help="the log keeps it")
    signing_in.add_argument(approve, required=True)
    reject = _action(actions, "reject", "refuse a change set of somebody else", _reject)
    reject.add_argument("number", type=int, metavar="NUMBER")
    reject.add_argument("--reason", required=True, help="why; the author reads it")
    signing_in.add_argument(reject, required=True)
    withdraw = _action(actions, "withdraw", "take one's own change set back", _withdraw)
    withdraw.add_argument("number", type=int, metavar="NUMBER")
    withdraw.add_argument("--reason", default="", help="the log keeps it")
    signing_in.add_argument(withdraw)
    rebase = _action(actions, "rebase", "write a change set anew for the version that stands", _rebase)
    rebase.add_argument("number", type=int, metavar="NUMBER")
    signing_in.add_argument(rebase)
    back = _action(actions, "rollback", "submit what an earlier version said", _rollback)
    back.add_argument("version", type=int, metavar="VERSION")
    back.add_argument("--reason", required=True, help="why; the log keeps it")
    back.add_argument(
        "--end-assignments", action="store_true", help="roles that came later go, although assigned"
    )
    signing_in.add_argument(back)
    history = _action(actions, "history", "list the versions, and what waits for approval", _history)
    history.add_argument("--json", action="store_true", help="print it as JSON")


def _action(actions: Any, name: str, text: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=text, description=f"{text[0].upper()}{text[1:]}."
    )
    parser.set_defaults(action=_answered(run))
    return parser


def _answered(run: Any) -> Any:
    def answered(args: argparse.Namespace) -> int:
        with environment.connected():
            from django.utils.translation import gettext as _

            try:
                return int(run(args))
            except Invalid as invalid:
                output.print_problems(invalid, _("Nothing was changed:"))
                return 1

    return answered


def actor_of(args: argparse.Namespace) -> Actor:
    """Return who does it: the person who signs in, or the operator."""
    from hufu.core.actor import Actor

    return signing_in.signed_in(args.sign_in) if args.sign_in else Actor.operator()


def submit(args: argparse.Namespace, document: Mapping[str, Any]) -> int:
    """Submit a file as a change set, and say what became of it."""
    from django.utils.translation import gettext as _

    from hufu.access import change_sets
    from hufu.cli import policy_words
    from hufu.core.transaction import acting
    from hufu.staffing import organisation_file

    actor = actor_of(args)
    changed: list[str] = []
    with acting(actor):
        organisation = document.get("organisation")
        if organisation and not actor.is_person:
            report = organisation_file.apply(actor, organisation)
            changed = [report.words[label] for label in (*report.created, *report.changed)]
        submitted = change_sets.submit(
            actor, document, title=args.title or args.file.name, reason=args.reason
        )
        found = policy_words.as_json(submitted.rehearsal) if args.json else {}
    if args.json:
        output.print_json(
            {
                "change_set": submitted.number or None,
                "version": submitted.version or None,
                "organisation": changed,
                **found,
            }
        )
        return 0
    for line in changed:
        print(_("changed  %s") % line)
    _say(submitted, nothing=not changed)
    return 0


def _say(submitted: Submitted, *, nothing: bool = True) -> None:
    from django.utils.translation import gettext as _

    from hufu.access.policy_words import PolicyWords
    from hufu.cli import policy_words
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    if not submitted.number:
        if nothing:
            print(_("There is nothing to change: the policy is what the file says."))
        return
    with acting(Actor.operator()):
        print("\n".join(policy_words.differences(submitted.rehearsal.differences)))
        for line in policy_words.tests(submitted.rehearsal.failed, PolicyWords()):
            print(line)
    if submitted.version:
        print(_("Version %s of the policy is published: it only takes away.") % submitted.version)
        return
    print(_("Change set %s waits for approval.") % submitted.number)
    output.note(
        _(
            "`hufu policy preview %(number)s` says whom it concerns; `hufu policy approve %(number)s --sign-in NAME` "
            "publishes it."
        )
        % {"number": submitted.number}
    )


def _document(what: str, actor: Actor) -> Mapping[str, Any]:
    """Return the document of a change set, or of a file; within `acting`."""
    import json

    from hufu.access import change_sets
    from hufu.access.change_sets.drafts import kept
    from hufu.cli import yaml_file

    if what.isdecimal() and len(what) <= 9:
        found: Mapping[str, Any] = json.loads(change_sets.find(actor, int(what)).document)
        return found
    return kept(yaml_file.read(Path(what)))


def _preview(args: argparse.Namespace) -> int:
    from hufu.access import change_sets
    from hufu.cli import policy_words
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with acting(operator):
        rehearsed = change_sets.rehearse(operator, _document(args.what, operator))
        lines = list(policy_words.effect(rehearsed, everybody=args.all)) if not args.json else []
        found = policy_words.as_json(rehearsed) if args.json else {}
    if args.json:
        output.print_json(found)
    else:
        print("\n".join(lines))
    return 0


def _test(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from django.utils.translation import gettext as _

    from hufu.access import change_sets
    from hufu.access.policy_words import PolicyWords
    from hufu.cli import policy_words
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with acting(operator):
        if args.what:
            document = _document(args.what, operator)
            results = change_sets.rehearse(operator, document, people=False).tests
        else:
            results = change_sets.test_standing(operator)
        lines = list(policy_words.tests(results, PolicyWords()))
    if args.json:
        output.print_json([asdict(result) for result in results])
    else:
        for line in lines:
            print(line)
        failed = sum(not result.passed for result in results)
        print(_("%(all)s tests, %(failed)s failed.") % {"all": len(results), "failed": failed})
    return 0 if all(result.passed for result in results) else 1


def _diff(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from django.utils.translation import gettext as _

    from hufu.access import change_sets, policy_document
    from hufu.access.change_sets.differences import differences
    from hufu.cli import policy_words
    from hufu.core.actor import Actor
    from hufu.core.transaction import acting

    operator = Actor.operator()
    with acting(operator):
        if not (args.before.isdecimal() and len(args.before) <= 9):
            document = _document(args.before, operator)
            found = change_sets.rehearse(operator, document, people=False).differences
        else:
            after = change_sets.text_of(int(args.after)) if args.after else policy_document.definitions()
            found = differences(change_sets.text_of(int(args.before)), after)
        lines = list(policy_words.differences(found))
    if args.json:
        output.print_json([asdict(difference) for difference in found])
    elif not found:
        print(_("There is no difference."))
    else:
        print("\n".join(lines))
    return 0


def _approve(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import change_sets
    from hufu.core.transaction import acting

    actor = actor_of(args)
    with acting(actor):
        version = change_sets.approve(actor, args.number, reason=args.reason)
    print(_("Version %s of the policy is published.") % version)
    return 0


def _reject(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import change_sets
    from hufu.core.transaction import acting

    actor = actor_of(args)
    with acting(actor):
        change_sets.reject(actor, args.number, reason=args.reason)
    print(_("Change set %s is rejected.") % args.number)
    return 0


def _withdraw(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _

    from hufu.access import change_sets
    from hufu.core.transaction import acting

    actor = actor_of(args)
    with acting(actor):
        change_sets.withdraw(actor, args.number, reason=args.reason)
    print(_("Change set %s is withdrawn.") % args.number)
    return 0


def _rebase(args: argparse.Namespace) -> int:
    from hufu.access import change_sets
    from hufu.core.transaction import acting

    actor = actor_of(args)
    with acting(actor):
        submitted = change_sets.rebase(actor, args.number)
    _say(submitted)
    return 0


def _rollback(args: argparse.Namespace) -> int:
    from hufu.access import change_sets
    from hufu.core.transaction import acting

    actor = actor_of(args)
    with acting(actor):
        submitted = change_sets.roll_back(
            actor, args.version, reason=args.reason, end_assignments=args.end_assignments
        )
    _say(submitted)
    return 0


def _history(args: argparse.Namespace) -> int:
    from django.utils.translation import gettext as _
    from django.utils.translation import pgettext

    from hufu.access.models import ChangeSet, Version
    from hufu.cli import policy_words
    from hufu.core.actor import Actor
    from hufu.core.days import moment_words
    from hufu.core.transaction import acting
    from hufu.people.models import User

    with acting(Actor.operator()):
        drafts = list(ChangeSet.objects.order_by("-number"))
        versions = policy_words.history(Version.objects.order_by("-number"), drafts)
        names = dict(User.objects.values_list("username", "name"))
        names |= {"operator": _("command line"), "system": _("the system")}
        waits = [draft for draft in drafts if draft.state == ChangeSet.State.SUBMITTED]
        waiting = [
            {
                "change_set": draft.number,
                "title": draft.title,
                "author": policy_words.name_of(draft.author),
                "at": draft.submitted_at.isoformat(timespec="seconds"),
                "risk": "narrows" if draft.narrows else draft.risk,
                "base_version": draft.base_version,
            }
            for draft in waits
        ]
    if args.json:
        output.print_json({"versions": versions, "waiting": waiting})
        return 0
    risks = {"narrows": _("takes away only"), None: NO_RISK}
    output.print_table(
        (
            *(_("Version"), _("Published"), _("By"), _("Author"), _("Change set"), _("Risk")),
            pgettext("change set", "Title"),
        ),
        [
            (
                str(row["version"]),
                moment_words(datetime.fromisoformat(row["at"])),
                names.get(row["by"], row["by"]),
                names.get(row["author"], row["author"]),
                str(row["change_set"] or NO_RISK),
                risks.get(row["risk"]) or policy_words.risk(row["risk"]),
                row["title"],
            )
            for row in versions
        ],
    )
    for row in waiting:
        print(
            _(
                "Change set %(change_set)s waits for approval: %(title)s (%(author)s, for version %(base_version)s)"
            )
            % {**row, "author": names.get(str(row["author"]), row["author"])}
        )
    return 0
