"""Break-glass in the words of an explanation: by which something is open, and which the person could use, or did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.decision.break_glass import GlassUse
from hufu.access.decision.decide import Code, Decision
from hufu.access.decision.rules import holders
from hufu.access.decision.snapshot import Snapshot

Moment = Callable[[datetime], str]
_HELPED = {Code.NO_GRANT, Code.OUT_OF_SCOPE, Code.NO_VIEW, Code.NO_PARENT}


def cover_sentence(snapshot: Snapshot, use: GlassUse, moment: Moment) -> str:
    """Return that something is open because the person broke the glass."""
    return _("%(person)s opened it by break-glass “%(rule)s”, from %(from)s until %(until)s.") % {
        "person": snapshot.people[use.user_id].name,
        "rule": snapshot.glass_rules[use.rule_id].name,
        "from": moment(use.starts_at),
        "until": moment(use.ends_at),
    }


def closed_sentence(snapshot: Snapshot, use: GlassUse, gate: str) -> str:
    """Return that what the person opened is behind a closed gate."""
    return _(
        "%(person)s opened it by break-glass “%(rule)s”, but the access limit “%(gate)s” binds that, too, and is "
        "closed."
    ) % {
        "person": snapshot.people[use.user_id].name,
        "rule": snapshot.glass_rules[use.rule_id].name,
        "gate": gate,
    }


def hint_sentences(snapshot: Snapshot, decision: Decision, moment: Moment) -> Iterator[str]:
    """Yield what the person opened by break-glass and is closed again, and what they could open."""
    person = snapshot.people.get(decision.person_id)
    if person is None or decision.allowed or any(link.code not in _HELPED for link in decision.missing):
        return
    partition = decision.record.partition_id if decision.record is not None else None
    for rule in snapshot.glass_rules.values():
        if decision.permission not in rule.permissions or person.id not in holders(snapshot, rule.role_id):
            continue
        if partition is not None and rule.partitions is not None and partition not in rule.partitions:
            continue
        ended = [
            use.ends_at
            for use in snapshot.glass_uses
            if use.user_id == person.id and use.rule_id == rule.id and use.ends_at <= snapshot.at
        ]
        words: dict[str, Any] = {"person": person.name, "rule": rule.name, "minutes": rule.minutes}
        if ended:
            words["until"] = moment(max(ended))
            yield _("%(person)s had opened it by break-glass “%(rule)s”; that ended: %(until)s.") % words
        yield (
            _(
                "In an emergency %(person)s may open it by break-glass “%(rule)s”, for %(minutes)s minutes at most; "
                "others are told."
            )
            % words
        )


def structure(snapshot: Snapshot, use: GlassUse | None) -> dict[str, Any] | None:
    """Return the use for programs."""
    if use is None:
        return None
    return {
        "id": use.id,
        "rule": snapshot.glass_rules[use.rule_id].key,
        "starts": use.starts_at.isoformat(),
        "ends": use.ends_at.isoformat(),
    }
