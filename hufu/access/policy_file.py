"""The policy as one readable file: partitions, roles, assignments, admissions. Applied whole, or not at all.

What the file names is created or changed; roles take exactly the file's grants; assignments and admissions
that it does not name stay. Names of departments, levels and users must exist by the time they are needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from hufu.access import guard, reach, way_in
from hufu.access.models import Version
from hufu.access.policy_document import Problems, Step, plan
from hufu.audit import record
from hufu.audit.canonical import to_bytes
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Invalid


@dataclass
class Report:
    """What applying a file did. `version` is 0 where none was published.

    Labels name things by numbers, for the log; `words` tells some of them as the file does. `covers` holds the type and
    the condition of the records that a rule shares, by its label.
    """

    version: int = 0
    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    covers: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.created and not self.changed

    def add(self, label: str, *, created: bool, words: str = "") -> None:
        """Note something; what was created and then filled counts once."""
        self.words.setdefault(label, words or label)
        if label not in self.created + self.changed:
            (self.created if created else self.changed).append(label)

    def include(self, other: Report) -> None:
        """Take over what another report says, and its version."""
        self.version = other.version
        self.created += other.created
        self.changed += other.changed
        self.words |= other.words
        self.covers |= other.covers

    def add_step(self, step: Step) -> None:
        """Note a step that was done, or would be."""
        self.add(step.label, created=step.creates, words=step.words)
        if step.covers is not None and (covered := step.covers()) is not None:
            self.covers[step.label] = covered


def apply(actor: Actor, document: Mapping[str, Any], *, allow_lock_out: bool = False) -> Report:
    """Bring the policy to what the document says and publish a version, or raise Invalid and change nothing.

    A document that says what stands changes and publishes nothing, and needs no right. The operator, who is behind no
    access limit, publishes none that locks out everybody who could change it again, unless that is allowed.
    """
    steps = plan(document)
    report = Report()
    if not steps:
        return report
    guard.authorize(actor, "policy.apply")
    problems = Problems()
    with reach.one_change():
        for step in steps:
            try:
                step.deed(actor)
            except Invalid as invalid:
                problems.add(step.place, str(invalid))
                problems.stop()
            except IntegrityError:
                # What the plan does not see: roles that come to make somebody an administrator beside something else.
                problems.add(
                    step.place,
                    _(
                        "The company's mode does not allow this: administrators are different people, and in "
                        "three-administrator mode none of them sees business data."
                    ),
                )
                problems.stop()
            report.add_step(step)
        report.version = _publish(actor, document, report)
    if not actor.is_person and not allow_lock_out:
        way_in.require_a_way_in()
    return report


def rehearse(document: Mapping[str, Any]) -> Report:
    """Say what `apply` would do; change nothing and need no right. Raise Invalid as it would."""
    report = Report()
    for step in plan(document):
        report.add_step(step)
    return report


def current_version() -> int:
    """Return the number of the published version of the policy; 0 before the first."""
    last = Version.objects.order_by("-number").first()
    return last.number if last else 0


def _publish(actor: Actor, document: Mapping[str, Any], report: Report) -> int:
    number = current_version() + 1
    digest = hashlib.sha256(to_bytes(_plain(document))).hexdigest()
    version = Version(number=number, published_at=clock.now(), published_by=actor.user_id, digest=digest)
    version.save(force_insert=True)
    record(
        actor,
        "policy.applied",
        data={
            "version": number,
            "digest": digest,
            "added": len(report.created),
            "changed": len(report.changed),
            "removed": 0,
            "changes": {"created": report.created, "changed": report.changed},
        },
    )
    return number


def _plain(value: Any) -> Any:
    """Return the document with dates as text, so that it has one canonical form."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)
