"""Deeds on change sets: submitted, then published, rejected or withdrawn; and a version that returns.

INVARIANT: whoever submits something that widens does not publish it, as long as anybody else may approve. The database
holds the same rule (hufu.publish); the sentences are here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from hufu.access import guard, policy_document, policy_file, reach, reasons
from hufu.access.change_sets import rehearsal
from hufu.access.change_sets.differences import REMOVED, differences, key_of
from hufu.access.change_sets.outcome import outcome_of
from hufu.access.change_sets.rehearsal import Rehearsal
from hufu.access.duplicate_models import USUAL_FACTS
from hufu.access.models import ChangeSet, VersionText
from hufu.access.publishing import publishing
from hufu.audit import record
from hufu.core import clock
from hufu.core.actor import OPERATOR_ID, Actor
from hufu.core.errors import Denied, Invalid, NotFound

WAIT = timedelta(hours=24)
LONGEST_TITLE = 200


@dataclass(frozen=True)
class Submitted:
    """What became of a document: the number of its change set, and of the version that was published at once, if so.

    `number` is 0 where there was nothing to change.
    """

    number: int
    version: int
    rehearsal: Rehearsal


def submit(
    actor: Actor, document: Mapping[str, Any], *, title: str, reason: str = "", base: int | None = None
) -> Submitted:
    """Submit a document as a change set. What proves to take away only is published at once by whoever may publish.

    For whoever manages roles, and for the operator. Raise Invalid with everything that is wrong with the document.
    """
    if actor.user_id != OPERATOR_ID:
        guard.authorize(actor, "role.manage")
    title = title.strip()[:LONGEST_TITLE]
    reasons.check(title, field="title")
    reasons.check(reason)
    standing = policy_file.current_version()
    if not standing:
        raise Invalid({"": [_("Version 1 comes first: `hufu policy apply` publishes it.")]})
    rehearsed = rehearsal.rehearse(actor, document)
    _refuse_what_is_given(rehearsed)
    if not rehearsed.steps:
        return Submitted(0, 0, rehearsed)
    last = ChangeSet.objects.order_by("-number").first()
    draft = ChangeSet(
        number=(last.number if last else 0) + 1,
        title=title or _("Change of the policy"),
        reason=reason.strip(),
        author=actor.user_id,
        base_version=standing if base is None else base,
        document=json.dumps(kept(document), ensure_ascii=False),
        narrows=rehearsed.narrows,
        risk=rehearsed.risk,
        outcome=outcome_of(rehearsed),
        submitted_at=clock.now(),
    )
    draft.save(force_insert=True)
    record(
        actor,
        "policy.submitted",
        data={
            "change_set": draft.number,
            "title": draft.title,
            "base_version": draft.base_version,
            "narrows": draft.narrows,
            "risk": str(draft.risk),
        },
        reason=draft.reason,
    )
    at_once = draft.narrows and draft.base_version == standing and guard.may(actor, "policy.apply")
    version = _publish(actor, draft, draft.reason, rehearsed) if at_once else 0
    return Submitted(draft.number, version, rehearsed)


def approve(actor: Actor, number: int, *, reason: str = "") -> int:
    """Publish what somebody else submitted; return the number of the version.

    What only takes away needs no second person. Where nobody else may approve, whoever may publish does so 24 hours
    after it was submitted. Raise Invalid where the policy changed since, or a test does not hold.
    """
    if not guard.may(actor, "policy.apply"):
        guard.authorize(actor, "policy.approve")
    draft = waiting(actor, number)
    _refuse_approval(actor, draft)
    reasons.check(reason)
    standing = policy_file.current_version()
    if draft.base_version != standing:
        raise Invalid(
            {
                "": [
                    _(
                        "It was written for version %(base)s, and version %(standing)s stands. `hufu policy rebase "
                        "%(number)s` writes it anew."
                    )
                    % {"base": draft.base_version, "standing": standing, "number": number}
                ]
            }
        )
    rehearsed = rehearsal.rehearse(actor, json.loads(draft.document), people=False)
    if rehearsed.failed and not draft.narrows:
        from hufu.access.policy_words import PolicyWords, verdict

        words = PolicyWords()
        raise Invalid(
            {
                "tests": [
                    _("%(test)s: it is %(found)s.")
                    % {"test": words.test(result.test), "found": verdict(result.found)}
                    for result in rehearsed.failed
                ]
            }
        )
    return _publish(actor, draft, reason, rehearsed)


def reject(actor: Actor, number: int, *, reason: str) -> None:
    """Refuse a change set of somebody else, with a reason."""
    guard.authorize(actor, "policy.approve")
    draft = waiting(actor, number)
    if not reason.strip():
        raise Invalid({"reason": [_("Say why: the author reads it, and the log keeps it.")]})
    reasons.check(reason)
    _decide(actor, draft, ChangeSet.State.REJECTED, reason)
    record(actor, "policy.rejected", data={"change_set": number}, reason=reason.strip())


def withdraw(actor: Actor, number: int, *, reason: str = "") -> None:
    """Take one's own change set back."""
    draft = waiting(actor, number)
    if draft.author != actor.user_id:
        raise guard.denied(actor, "role.manage")
    reasons.check(reason)
    _decide(actor, draft, ChangeSet.State.WITHDRAWN, reason)
    record(actor, "policy.withdrawn", data={"change_set": number}, reason=reason.strip())


def roll_back(actor: Actor, version: int, *, reason: str, end_assignments: bool = False) -> Submitted:
    """Submit what an earlier version said: another change set, which needs what any other needs.

    Roles that came later go; where they are assigned, only if `end_assignments` says so.
    """
    wanted = text_of(version)
    removes = policy_document.removal_of(policy_document.definitions(), wanted)
    if end_assignments and "roles" in removes:
        removes["roles"] = [{"key": key, "assignments": "end"} for key in removes["roles"]]
    standing = policy_document.definitions()
    document = {"tests": [], **wanted}
    # What these name for a type never goes: it becomes again what holds where nothing is said.
    for name, usual in (("base_access", "private"), ("duplicate_check", list(USUAL_FACTS))):
        came = sorted(set(standing.get(name, {})) - set(wanted.get(name, {})))
        document[name] = {**wanted.get(name, {}), **dict.fromkeys(came, usual)}
    if removes:
        document["removes"] = removes
    return submit(actor, document, title=_("Return to version %s") % version, reason=reason)


def rebase(actor: Actor, number: int) -> Submitted:
    """Submit a change set anew, on the version that stands, and withdraw the old one. For its author.

    Raise Invalid where both changed the same: that a person has to decide.
    """
    draft = waiting(actor, number)
    if draft.author != actor.user_id:
        raise guard.denied(actor, "role.manage")
    base, standing = text_of(draft.base_version), policy_document.definitions()
    mine = json.loads(draft.document)
    changed = {difference.place: difference for difference in differences(base, standing)}
    overlapping = [place for place in sorted(places(base, mine)) if place in changed]
    if overlapping:
        raise Invalid(
            {place: [_("Both this change set and a newer version change this.")] for place in overlapping}
        )
    document = {"format": 1, **only(mine, places(base, mine))}
    withdraw(actor, number, reason=_("Written anew for version %s.") % policy_file.current_version())
    return submit(actor, document, title=draft.title, reason=draft.reason)


def places(base: Mapping[str, Any], document: Mapping[str, Any]) -> set[str]:
    """Return the places that a document changes in the version that it was written for."""
    named = {difference.place for difference in differences(base, document) if difference.kind != REMOVED}
    removed = {
        f"{section}.{key}"
        for section, gone in (document.get("removes") or {}).items()
        for key in (_key(section, entry) for entry in gone)
    }
    return named | removed


def only(document: Mapping[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Return of a document what changes the wanted places, and what it removes."""
    left: dict[str, Any] = {}
    for section in policy_document.SECTIONS:
        content = document.get(section.name)
        if isinstance(content, Mapping):
            left[section.name] = {k: v for k, v in content.items() if f"{section.name}.{k}" in wanted}
        elif content is not None and section.name != "tests":
            left[section.name] = [
                entry for entry in content if f"{section.name}.{key_of(section.name, entry)}" in wanted
            ]
        elif content is not None and any(place.startswith("tests.") for place in wanted):
            left[section.name] = content
    if document.get("removes"):
        left["removes"] = document["removes"]
    return left


def _key(section: str, entry: Any) -> str:
    return entry if isinstance(entry, str) else key_of(section, entry)


def kept(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a change set keeps of a document: its definitions, and neither organisation nor what people got."""
    left: dict[str, Any] = policy_document.plain(document)
    left.pop("organisation", None)
    left.pop("admissions", None)
    if "assignments" in left:
        left["assignments"] = [entry for entry in left["assignments"] if "level" in entry["to"]]
    return left


def waiting(actor: Actor, number: int) -> ChangeSet:
    """Return a change set that waits; raise NotFound where there is none, Invalid where it is decided."""
    draft = find(actor, number)
    if draft.state != ChangeSet.State.SUBMITTED:
        raise Invalid(
            {
                "": [
                    _("Change set %(number)s is decided: %(state)s.")
                    % {"number": number, "state": draft.get_state_display()}
                ]
            }
        )
    return draft


def find(actor: Actor, number: int) -> ChangeSet:
    """Return a change set, for whoever may view roles."""
    guard.authorize(actor, "role.view")
    draft = ChangeSet.objects.filter(number=number).first()
    if draft is None:
        raise NotFound(_("There is no change set %s.") % number)
    return draft


def text_of(version: int) -> dict[str, Any]:
    """Return what a version said; raise Invalid where that was not kept."""
    text = VersionText.objects.filter(number=version).first()
    if text is None:
        raise Invalid({"": [_("What version %s said was not kept.") % version]})
    document: dict[str, Any] = json.loads(text.document)
    return document


def has_another_approver(author: int) -> bool:
    """Say whether an active person other than the author may approve."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.has_another_approver(%s)", [author])
        [found] = cursor.fetchone()
    return bool(found)


def _refuse_what_is_given(rehearsed: Rehearsal) -> None:
    given = {
        step.place: [
            _(
                "What people, groups, departments and positions are given is no part of a change set: it is given and "
                "ended by itself. Leave this as it stands, or leave it out."
            )
        ]
        for step in rehearsed.steps
        if step.given
    }
    if given:
        raise Invalid(given)


def _refuse_approval(actor: Actor, draft: ChangeSet) -> None:
    if draft.narrows:
        if not guard.may(actor, "policy.approve"):
            guard.authorize(actor, "policy.apply")
        return
    if has_another_approver(draft.author):
        if draft.author == actor.user_id:
            refusal = guard.denied(actor, "policy.approve")
            raise Denied(
                refusal.decision,
                _("You submitted this change set; somebody else has to approve it."),
                event={**(refusal.event or {}), "reason": "own_change_set"},
            )
        guard.authorize(actor, "policy.approve")
        return
    guard.authorize(actor, "policy.apply")
    if clock.now() < draft.submitted_at + WAIT:
        refusal = guard.denied(actor, "policy.apply")
        raise Denied(
            refusal.decision,
            _("Nobody else may approve it, so it waits 24 hours, until %s.")
            % date_format(localtime(draft.submitted_at + WAIT), "Y-m-d H:i"),
            event={**(refusal.event or {}), "reason": "waits"},
        )


def _publish(actor: Actor, draft: ChangeSet, reason: str, rehearsed: Rehearsal) -> int:
    # The plan of the rehearsal named rows that were undone with it.
    steps = policy_document.plan(json.loads(draft.document))
    with publishing(draft.number, reason.strip()) as version:
        report = policy_file.carry_out(actor, steps)
        policy_file.publish(actor, version, rehearsed.definitions, report, change_set=draft.number)
    reach.changed()
    return version


def _decide(actor: Actor, draft: ChangeSet, state: ChangeSet.State, reason: str) -> None:
    draft.state, draft.decided_at, draft.decided_by = state, clock.now(), actor.user_id
    draft.decision = reason.strip()
    draft.save(update_fields=["state", "decided_at", "decided_by", "decision"])
