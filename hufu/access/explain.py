"""A decision in words. It names roles, levels, departments and people, never values of a record's fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import (
    explain_glass,
    explain_pools,
    explain_requests,
    explain_rules,
    registry,
    state_words,
    system_actors,
    task_kinds,
)
from hufu.access.decision.decide import Code, Cover, Decision, Link
from hufu.access.decision.delegation import DelegationFacts
from hufu.access.decision.duties import clashes
from hufu.access.decision.near import RELEASED_BY, NearMiss, Nearness, near_misses, released_by
from hufu.access.decision.rules import RuleFacts
from hufu.access.decision.scopes import Scope, names
from hufu.access.decision.snapshot import Given, PersonFacts, ShareFacts, Snapshot
from hufu.access.decision.terms import RecordFacts, Right, Share
from hufu.access.pending_models import PendingField
from hufu.access.principal_words import principal_text
from hufu.core import wording
from hufu.core.days import end_words, moment_words

SCOPE_LABELS: dict[str, str | Promise] = {
    "own": gettext_lazy("own"),
    "team": gettext_lazy("where one is in the team"),
    "direct_reports": gettext_lazy("own and direct reports'"),
    "subordinates": gettext_lazy("own and subordinates'"),
    "department": gettext_lazy("own department"),
    "department_and_below": gettext_lazy("own department and below"),
    "everything": gettext_lazy("everything"),
}

RIGHT_LABELS: dict[Right, str | Promise] = {
    Right.READ: gettext_lazy("read"),
    Right.CREATE: gettext_lazy("create"),
    Right.EDIT: gettext_lazy("edit"),
    Right.DELETE: gettext_lazy("delete"),
}


def scope_words(scopes: Scope) -> str:
    """Return the scopes of a mask in words."""
    return _(", ").join(str(SCOPE_LABELS[name]) for name in names(scopes))


def principal_words(snapshot: Snapshot, given: Given) -> str:
    """Return to whom something was given, in words."""
    if given.user_id is not None:
        return principal_text("user", snapshot.people[given.user_id].name)
    if given.group_id is not None:
        return principal_text("group", snapshot.group_names[given.group_id])
    if given.position_id is not None:
        return principal_text("position", snapshot.position_names[given.position_id])
    if given.level_id is not None:
        return principal_text("level", snapshot.levels[given.level_id].name)
    assert given.department_id is not None
    name = snapshot.departments[given.department_id].name
    return principal_text("department", name, below=given.below, post=given.post)


def forbidden_words(snapshot: Snapshot, given: Given) -> str:
    """Return to whom something is forbidden, in words: of a level, exactly to that one."""
    if given.level_id is not None:
        return _("level “%s”") % snapshot.levels[given.level_id].name
    return principal_words(snapshot, given)


@dataclass(frozen=True)
class Told:
    """A sentence of an explanation, and what it is about: what covers, what is missing, what would nearly have done."""

    text: str
    cover: Cover | None = None
    link: Link | None = None
    miss: NearMiss | None = None


def sentences(snapshot: Snapshot, decision: Decision) -> Iterator[str]:
    """Yield the reasons, one sentence each: first the verdict, then the path or the missing links, nearest first.

    A missing link is followed by what would nearly have been one.
    """
    return (each.text for each in told(snapshot, decision))


def told(snapshot: Snapshot, decision: Decision) -> Iterator[Told]:
    """Yield what `sentences` does, each with what it is about."""
    person = snapshot.people.get(decision.person_id)
    who = person.name if person else str(decision.person_id)
    what = {"person": who, "permission": registry.permission(decision.permission).label}
    if decision.allowed:
        yield Told(_("Yes: %(person)s may: %(permission)s.") % what)
        reasons: dict[str, Told] = {}
        for cover in decision.covers:
            for line in _cover_sentences(snapshot, person, cover, _partition_of(decision.record)):
                reasons.setdefault(line, Told(line, cover))
        yield from reasons.values()
        for gate in gates_on(snapshot, decision):
            if gate < 0:
                left = _("How much of it is left is not evaluated here.")
                yield Told(wording.joined(quota_words(snapshot, -gate), left))
                continue
            words = {"gate": snapshot.gate_names[gate]}
            yield Told(
                _("This way is open while the access limit “%(gate)s” is; it is not evaluated here.") % words
            )
        return
    if decision.code is Code.UNKNOWN_PERSON:
        yield Told(_("There is no such person."))
        return
    yield Told(_("No: %(person)s may not: %(permission)s.") % what)
    named: set[ShareFacts] = set()
    for link in decision.missing:
        yield Told(
            explain_pools.missing_sentence(snapshot, decision.record)
            if link.code is Code.IN_POOL
            else _missing_sentence(snapshot, who, link),
            link=link,
        )
        for miss in near_misses(snapshot, decision.person_id, link, decision.record):
            # A share across the wall misses both the scope and the partition.
            if miss.share is not None and miss.share in named:
                continue
            named |= {miss.share} if miss.share is not None else set()
            yield Told(_near_sentence(snapshot, miss), link=link, miss=miss)
            if person is not None and miss.roles and miss.nearness in _TO_BE_GIVEN:
                for clash in clash_sentences(snapshot, person, miss.roles[0]):
                    yield Told(clash, link=link)
    for hint in explain_requests.hint_sentences(decision, who):
        yield Told(hint)
    for hint in explain_glass.hint_sentences(snapshot, decision, moment_words):
        yield Told(hint)


_TO_BE_GIVEN = (Nearness.ENDED, Nearness.GIVEN_TO_OTHERS, Nearness.NOT_GIVEN)


def clash_sentences(snapshot: Snapshot, person: PersonFacts, role_id: int) -> Iterator[str]:
    """Yield why somebody may not be given a role: the duties against which they would stand."""
    for clash in clashes(snapshot, person, role_id):
        held = _(" and ").join(
            _("%(roles)s (%(to)s)")
            % {
                "roles": role_chain(snapshot, chain),
                "to": _("given to them by name")
                if given.user_id == person.id
                else _("given to %s") % principal_words(snapshot, given),
            }
            for chain, given in clash.held
        )
        words = {
            "role": snapshot.roles[role_id].name,
            "person": person.name,
            "held": held,
            "duty": clash.duty.name,
            "other": snapshot.roles[clash.role_id].name,
        }
        if clash.role_id == role_id:
            yield (
                _(
                    "“%(role)s” may not be given to %(person)s, who holds %(held)s: by the separation of duties "
                    "“%(duty)s” nobody holds these together."
                )
                % words
            )
        else:
            yield (
                _(
                    "“%(role)s”, which inherits “%(other)s”, may not be given to %(person)s, who holds %(held)s: by "
                    "the separation of duties “%(duty)s” nobody holds these together."
                )
                % words
            )


def gates_on(snapshot: Snapshot, decision: Decision) -> list[int]:
    """Return the gates that bind an allowed decision, by number: on the person, its permissions, roles on its way.

    Quotas stand among them by negative numbers.
    """
    every = frozenset(snapshot.gate_names) | {-quota.id for quota in snapshot.quotas}
    person = snapshot.people.get(decision.person_id)
    bound = set(snapshot.gates_on_person(person, every)) if person else set()
    for cover in decision.covers:
        if person is not None:
            bound.update(snapshot.gates_on_permission(cover.path.permission, person, every))
        bound.update(use.gate_id for use in snapshot.gate_uses if use.role_id in cover.path.roles)
    return sorted(bound)


def quota_words(snapshot: Snapshot, number: int) -> str:
    """Return what a quota allows, in words."""
    quota = snapshot.quota(number)
    words = {
        "quota": quota.name,
        "permission": registry.label_of(quota.permission),
        "hour": quota.per_hour,
        "day": quota.per_day,
        "zone": quota.zone,
    }
    if quota.per_day is None:
        return _("The quota “%(quota)s” allows “%(permission)s” %(hour)s times an hour.") % words
    if quota.per_hour is None:
        return _("The quota “%(quota)s” allows “%(permission)s” %(day)s times a day (%(zone)s).") % words
    said = _(
        "The quota “%(quota)s” allows “%(permission)s” %(hour)s times an hour and %(day)s a day (%(zone)s)."
    )
    return said % words


def as_of_sentence(moment: datetime, change: int, version: int) -> str:
    """Return the sentence that goes with an answer about another day."""
    words = {"moment": moment_words(moment), "change": change, "version": version}
    return (
        _(
            "This is how it stood: %(moment)s, after change %(change)s, under version %(version)s of the policy. "
            "Access limits are not evaluated for the past."
        )
        % words
    )


def structure(snapshot: Snapshot, decision: Decision) -> dict[str, Any]:
    """Return the decision for programs: names and numbers of what stands on the path, or what is missing."""
    person = snapshot.people.get(decision.person_id)
    return {
        "allowed": decision.allowed,
        "permission": decision.permission,
        "code": str(decision.code),
        "path": [_cover_structure(snapshot, person, cover) for cover in decision.covers],
        "gates": [snapshot.gate_name(gate) for gate in gates_on(snapshot, decision)]
        if decision.allowed
        else [],
        "missing": [
            {
                "code": str(link.code),
                "permission": link.permission,
                "right": str(link.right) if link.right else None,
                "scope": list(names(link.scope)),
                "rule": link.rule.key if link.rule else None,
                "since": link.state.since.isoformat() if link.state and link.state.since else None,
                "by": link.state.by if link.state else None,
                "near": [
                    {
                        "nearness": str(miss.nearness),
                        "roles": [role_structure(snapshot, role) for role in miss.roles],
                        "scope": list(names(miss.scope)),
                        "given": given_structure(snapshot, miss.given) if miss.given else None,
                        "share": miss.share is not None,
                        "code": str(Code.DUTY_CONFLICT)
                        if person is not None
                        and miss.roles
                        and miss.nearness in _TO_BE_GIVEN
                        and any(clashes(snapshot, person, miss.roles[0]))
                        else None,
                        "rule": miss.rule.key if miss.rule else None,
                        "pool": miss.pool.key if miss.pool else None,
                    }
                    for miss in near_misses(snapshot, decision.person_id, link, decision.record)
                ],
            }
            for link in decision.missing
        ],
        "requests": explain_requests.structure(decision),
    }


def _cover_structure(snapshot: Snapshot, person: PersonFacts | None, cover: Cover) -> dict[str, Any]:
    path = cover.path
    if cover.delegation is not None:
        person = snapshot.people[cover.delegation.delegator_id]
    return {
        "permission": path.permission,
        "user": {"id": person.id, "name": person.name} if person else None,
        "level": _level_structure(snapshot, person.level_id) if person else None,
        "given": given_structure(snapshot, path.assignment),
        "roles": [role_structure(snapshot, role) for role in path.roles],
        "scope": list(names(path.scope)),
        "because": next(iter(names(cover.because)), None),
        "base_access": cover.opened,
        "team": cover.shared,
        "share": _share_structure(snapshot, cover.share) if cover.share else None,
        "rule": explain_rules.structure(cover.rule) if cover.rule else None,
        "pool": explain_pools.structure(cover.pool) if cover.pool else None,
        "of_parent": cover.of_parent,
        "delegation": _delegation_structure(snapshot, cover.delegation) if cover.delegation else None,
        "break_glass": explain_glass.structure(snapshot, cover.glass),
        "admission": given_structure(snapshot, cover.admission) if cover.admission else None,
    }


def _share_structure(snapshot: Snapshot, share: ShareFacts) -> dict[str, Any]:
    return {
        **given_structure(snapshot, share.given),
        "edit": share.opens is Share.EDIT,
        "superiors": share.superiors,
        "along": share.along,
        "given_by": share.given_by,
        "across_by": share.across_by,
        "request": share.request,
        "task": share.task or None,
    }


def _delegation_structure(snapshot: Snapshot, lent: DelegationFacts) -> dict[str, Any]:
    return {
        "id": lent.id,
        "delegator": {"id": lent.delegator_id, "name": snapshot.people[lent.delegator_id].name},
        "starts": lent.starts_at.isoformat(),
        "ends": lent.ends_at.isoformat(),
    }


def _level_structure(snapshot: Snapshot, level_id: int | None) -> dict[str, Any] | None:
    return {"id": level_id, "name": snapshot.levels[level_id].name} if level_id is not None else None


def role_structure(snapshot: Snapshot, role_id: int) -> dict[str, Any]:
    """Return a role for programs."""
    role = snapshot.roles[role_id]
    return {"id": role.id, "key": role.key, "name": role.name}


def given_structure(snapshot: Snapshot, given: Given) -> dict[str, Any]:
    """Return what was given to whom, and when, for programs."""
    to: dict[str, Any]
    if given.user_id is not None:
        to = {"kind": "user", "id": given.user_id, "name": snapshot.people[given.user_id].name}
    elif given.group_id is not None:
        to = {"kind": "group", "id": given.group_id, "name": snapshot.group_names[given.group_id]}
    elif given.position_id is not None:
        to = {"kind": "position", "id": given.position_id, "name": snapshot.position_names[given.position_id]}
    elif given.level_id is not None:
        to = {"kind": "level", "id": given.level_id, "name": snapshot.levels[given.level_id].name}
    else:
        assert given.department_id is not None
        department = snapshot.departments[given.department_id]
        to = {
            "kind": "department",
            "id": department.id,
            "name": department.name,
            "below": given.below,
            "post": given.post or None,
        }
    said: dict[str, Any] = {
        "to": to,
        "starts": given.starts_at.isoformat() if given.starts_at else None,
        "ends": given.ends_at.isoformat() if given.ends_at else None,
    }
    if given.partition_id is not None:
        said["partition"] = {"id": given.partition_id, "name": _partition_name(snapshot, given)}
        said["rights"] = [str(right) for right in Right if right in given.rights]
    return said


def _partition_of(record: RecordFacts | None) -> int | None:
    return record.partition_id if record is not None else None


def _cover_sentences(
    snapshot: Snapshot, person: PersonFacts | None, cover: Cover, partition_id: int | None
) -> Iterator[str]:
    if cover.delegation is not None:
        lent = cover.delegation
        person = snapshot.people[lent.delegator_id]
        words = {"delegator": person.name, "until": end_words(lent.ends_at)}
        yield _("By delegation of %(delegator)s, until %(until)s. %(delegator)s holds it like this:") % words
    if cover.of_parent:
        yield _("It is decided with the record that it belongs to.")
    if cover.glass is not None:
        yield explain_glass.cover_sentence(snapshot, cover.glass, moment_words)
    else:
        yield from _granted_sentences(snapshot, person, cover)
    if cover.admission is not None:
        yield _("Partition “%(partition)s” is open to %(principal)s%(until)s.") % {
            "partition": _partition_name(snapshot, cover.admission),
            "principal": principal_words(snapshot, cover.admission),
            "until": _until(cover.admission),
        }
        yield from belonging(snapshot, person, cover.admission)
    elif cover.share is not None and cover.share.across_by is not None:
        owner = snapshot.people.get(cover.share.across_by)
        yield explain_requests.across_sentence(
            person.name if person else "",
            snapshot.partition_names.get(partition_id, "") if partition_id is not None else "",
            owner.name if owner else _("the system"),
        )


def _granted_sentences(snapshot: Snapshot, person: PersonFacts | None, cover: Cover) -> Iterator[str]:
    """Yield the grant of a cover, and why the record is in it."""
    path = cover.path
    yield _(
        "%(permission)s: role %(roles)s, given to %(principal)s, grants the scope %(scope)s%(until)s."
    ) % {
        "permission": registry.permission(path.permission).label,
        "roles": role_chain(snapshot, path.roles),
        "principal": principal_words(snapshot, path.assignment),
        "scope": scope_words(path.scope),
        "until": _until(path.assignment),
    }
    yield from belonging(snapshot, person, path.assignment)
    if cover.opened:
        yield _("Base access opens every record of the partition to those who hold the permission.")
    elif cover.share is not None:
        yield from _share_sentences(snapshot, person, cover.share)
    elif cover.rule is not None:
        yield from explain_rules.cover_sentences(
            cover.rule,
            principal=principal_words(snapshot, cover.rule.given),
            until=_until(cover.rule.rule),
        )
        if not cover.rule.superior:
            yield from belonging(snapshot, person, cover.rule.given)
    elif cover.pool is not None:
        yield explain_pools.cover_sentence(cover.pool, principal_words(snapshot, cover.pool.given))
        yield from belonging(snapshot, person, cover.pool.given)
    elif cover.because:
        yield {
            Scope.OWN: _("The record is their own."),
            Scope.TEAM: _("They are in the related team of the record."),
            Scope.DIRECT_REPORTS: _("The record's owner reports to them directly."),
            Scope.SUBORDINATES: _("The record's owner stands below them in the reporting line."),
            Scope.DEPARTMENT: _("The record belongs to one of their departments."),
            Scope.DEPARTMENT_AND_BELOW: _("The record belongs to one of their departments or to one below."),
            Scope.EVERYTHING: _("The scope holds every record of the partition."),
        }[cover.because]


def _share_sentences(snapshot: Snapshot, person: PersonFacts | None, share: ShareFacts) -> Iterator[str]:
    if share.task:
        yield _("A pending approval task of theirs (%(task)s) opens the record, to view, until it ends.") % {
            "task": task_kinds.label_of(share.task)
        }
        return
    giver = snapshot.people.get(share.given_by)
    words = {
        "giver": giver.name if giver else _("the system"),
        "principal": principal_words(snapshot, share.given),
        "until": _until(share.given),
    }
    if share.opens is Share.EDIT:
        yield _("%(giver)s shared the record with %(principal)s, to view and edit%(until)s.") % words
    else:
        yield _("%(giver)s shared the record with %(principal)s, to view%(until)s.") % words
    if share.request is not None:
        yield explain_requests.given_sentence(share.request)
    if share.along:
        yield _("It came along when the record that it belongs to was shared.")
    if person is not None and not snapshot.reaches(share.given, person):
        yield _("The share reaches those above them in the reporting line, too.")
    else:
        yield from belonging(snapshot, person, share.given)


def belonging(snapshot: Snapshot, person: PersonFacts | None, given: Given) -> Iterator[str]:
    """Yield how the person is among those to whom it was given, where that is not said already."""
    if person is None:
        return
    if given.level_id is not None and person.level_id not in (None, given.level_id):
        own, held = snapshot.levels[person.level_id], snapshot.levels[given.level_id]
        words = {"person": person.name, "own": own.name, "given": held.name}
        if own.ladder_id == held.ladder_id:
            yield _("%(person)s stands on level “%(own)s”, above “%(given)s” on the same ladder.") % words
        else:
            yield _("%(person)s stands on level “%(own)s”, which includes “%(given)s”.") % words
    if given.department_id is not None and given.below:
        own_places = snapshot.places(given, person)
        if given.department_id in own_places:
            return
        for department_id in sorted(own_places):
            if given.department_id in snapshot.above(department_id):
                said = (
                    _("%(person)s holds the post in department “%(own)s”, below “%(given)s”.")
                    if given.post
                    else _("%(person)s belongs to department “%(own)s”, below “%(given)s”.")
                )
                yield said % {
                    "person": person.name,
                    "own": snapshot.departments[department_id].name,
                    "given": snapshot.departments[given.department_id].name,
                }
                return


def role_chain(snapshot: Snapshot, roles: tuple[int, ...]) -> str:
    """Return the roles from the one that was given to the one that decides, in words."""
    return " → ".join(f"“{snapshot.roles[role].name}”" for role in roles)


def _partition_name(snapshot: Snapshot, admission: Given) -> str:
    assert admission.partition_id is not None
    return snapshot.partition_names.get(admission.partition_id, str(admission.partition_id))


def _until(given: Given | RuleFacts) -> str:
    return _(" (until %s)") % end_words(given.ends_at) if given.ends_at else ""


def _missing_sentence(snapshot: Snapshot, who: str, link: Link) -> str:
    if link.state is not None:
        return _state_sentence(snapshot, link)
    words = {
        "gate": snapshot.gate_name(link.gate) if link.gate is not None else "",
        "person": who,
        "permission": registry.permission(link.permission).label,
        "scope": scope_words(link.scope) if link.scope else "",
        "right": RIGHT_LABELS[link.right] if link.right else "",
    }
    if link.glass is not None:
        return explain_glass.closed_sentence(snapshot, link.glass, str(words["gate"]))
    if link.code is Code.QUOTA_EXHAUSTED and link.gate is not None:
        used_up = _("“%(permission)s” is held, but the quota “%(gate)s” on it is used up.") % words
        return wording.joined(used_up, quota_words(snapshot, -link.gate))
    if link.code is Code.OUTSIDE_CEILING:
        words["ceiling"] = link.ceiling
        if link.right is not None:
            return _("“%(ceiling)s” does not reach the record's partition.") % words
        return _("“%(ceiling)s” does not carry “%(permission)s”, whatever %(person)s may.") % words
    if link.code is Code.PROHIBITED and link.by is not None:
        words |= {"principal": forbidden_words(snapshot, link.by), "until": _until(link.by)}
        forbidden = _("“%(permission)s” is forbidden to %(principal)s%(until)s.") % words
        return wording.joined(forbidden, _("A prohibition wins over everything that is granted or shared."))
    if link.code is Code.NOT_ADMITTED and link.right is Right.CREATE:
        return _("%(person)s is admitted to no partition with the right to create.") % words
    if link.code is Code.RULE_BROKEN:
        return explain_rules.broken_sentence(link.rule)
    return {
        Code.PENDING_RELEASE: _pending_sentence(snapshot, link),
        Code.UNKNOWN_PERSON: _("There is no such person."),
        Code.ACCOUNT_CLOSED: _("The account of %(person)s is suspended or has left: nothing is open to it."),
        Code.GATE_CLOSED: _("“%(permission)s” is held, but the access limit “%(gate)s” on it is closed."),
        Code.NO_GRANT: _("No role of %(person)s grants “%(permission)s”."),
        Code.OUT_OF_SCOPE: _("“%(permission)s” is granted for: %(scope)s. The record is outside of that."),
        Code.NOT_ADMITTED: _(
            "%(person)s is not admitted to the record's partition with the right to %(right)s."
        ),
        Code.NO_VIEW: _("Whatever is done with a record needs “%(permission)s” on it first."),
        Code.NO_PARENT: _(
            "It is decided with the record that it belongs to: “%(permission)s” is missing there."
        ),
        Code.RECORD_DELETED: _("The record is in the bin."),
        Code.NOT_DELETED: _("The record is not in the bin."),
        Code.NOT_IN_POOL: _("The record has an owner: only what lies in a pool can be claimed."),
        Code.NO_RECORD: _("There is no such record."),
    }[link.code] % words


def _pending_sentence(snapshot: Snapshot, link: Link) -> str:
    """Return the sentence about a change that would open this and waits; it names what and since when."""
    if not link.pending:
        return ""
    first = link.pending[0]
    asker = snapshot.people.get(first.asked_by)
    said = []
    for waits in link.pending:
        name = {
            "level": {number: level.name for number, level in snapshot.levels.items()},
            "manager": {number: person.name for number, person in snapshot.people.items()},
            "group": snapshot.group_names,
            "position": snapshot.position_names,
        }.get(waits.field) or {number: each.name for number, each in snapshot.departments.items()}
        said.append(
            (
                _("%(who)s: leaves %(field)s %(value)s")
                if waits.leaves
                else _("%(who)s: %(field)s → %(value)s")
            )
            % {
                "who": snapshot.people[waits.user_id].name,
                "field": PendingField(waits.field).label,
                "value": name.get(waits.value or 0, "–"),
            }
        )
    return _(
        "A change that would open this waits for release since %(since)s: %(what)s (asked for by %(asker)s). "
        "A security administrator releases it."
    ) % {
        "since": moment_words(first.since),
        "what": _("; ").join(said),
        "asker": asker.name if asker else system_actors.name_of(first.asked_by) or _("the system"),
    }


def _state_sentence(snapshot: Snapshot, link: Link) -> str:
    assert link.state is not None
    by = snapshot.people.get(link.state.by) if link.state.by is not None else None
    said = state_words.sentence(link.state, by.name if by else "")
    if link.code not in RELEASED_BY:
        return said
    words = {"permission": registry.permission(released_by(link)).label}
    return wording.joined(said, _("It takes “%(permission)s” to take that back.") % words)


def _near_sentence(snapshot: Snapshot, miss: NearMiss) -> str:
    if miss.delegation is not None:
        lent = miss.delegation
        told = {"delegator": snapshot.people[lent.delegator_id].name}
        if miss.nearness is Nearness.ENDED:
            told["moment"] = end_words(lent.ends_at)
            return _("%(delegator)s had delegated it to them; that ended: %(moment)s.") % told
        told["moment"] = moment_words(lent.starts_at)
        return _("%(delegator)s delegates it to them, from then on: %(moment)s.") % told
    words: dict[str, Any] = {"roles": role_chain(snapshot, miss.roles), "scope": scope_words(miss.scope)}
    given = miss.given
    if given is None:
        return _("Role %(roles)s would give it, with the scope %(scope)s.") % words
    words |= {
        "principal": principal_words(snapshot, given),
        "until": end_words(given.ends_at) if given.ends_at else "",
        "from": moment_words(given.starts_at) if given.starts_at else "",
    }
    if miss.rule is not None:
        return explain_rules.near_sentence(miss, words["principal"])
    if miss.pool is not None:
        return explain_pools.near_sentence(miss, words["principal"])
    if miss.share is not None:
        return {
            Nearness.ENDED: _("The record was shared with %(principal)s; that ended: %(until)s."),
            Nearness.NOT_BEGUN: _("The record will be shared with %(principal)s: %(from)s."),
            Nearness.WITHOUT_RIGHT: _("The record is shared with %(principal)s, only to view."),
        }[miss.nearness] % words
    if given.partition_id is None:
        return {
            Nearness.ENDED: _(
                "Role %(roles)s would give it, with the scope %(scope)s; it was given to %(principal)s and ended: "
                "%(until)s."
            ),
            Nearness.NOT_BEGUN: _(
                "Role %(roles)s will give it, with the scope %(scope)s; it is given to %(principal)s and begins: "
                "%(from)s."
            ),
            Nearness.FORBIDDEN: _(
                "But for that, role %(roles)s would give it, with the scope %(scope)s; it is given to %(principal)s."
            ),
            Nearness.BY_THEMSELVES: _(
                "They may do so themselves: role %(roles)s gives it, with the scope %(scope)s."
            ),
            Nearness.GIVEN_TO_OTHERS: _(
                "Role %(roles)s would give it, with the scope %(scope)s; it is given to %(principal)s."
            ),
        }[miss.nearness] % words
    words |= {
        "partition": _partition_name(snapshot, given),
        "rights": _(", ").join(str(RIGHT_LABELS[right]) for right in Right if right in given.rights),
    }
    return {
        Nearness.ENDED: _("Partition “%(partition)s” was open to %(principal)s; that ended: %(until)s."),
        Nearness.NOT_BEGUN: _("Partition “%(partition)s” opens to %(principal)s: %(from)s."),
        Nearness.WITHOUT_RIGHT: _("Partition “%(partition)s” is open to %(principal)s, only to: %(rights)s."),
        Nearness.GIVEN_TO_OTHERS: _("Partition “%(partition)s” is open to %(principal)s."),
    }[miss.nearness] % words
