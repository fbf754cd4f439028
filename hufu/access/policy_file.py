"""The policy as one readable file: partitions, roles, assignments, admissions. Applied whole, or not at all.

What the file names is created or changed; roles take exactly the file's grants; assignments and admissions
that it does not name stay. Names of departments, levels and users must exist by the time they are needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from hufu.access import publishing, reach, way_in
from hufu.access.models import Version, VersionText
from hufu.access.policy_document import Problems, Step, definitions, plain, plan
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
    removed: list[str] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)
    covers: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not self.created and not self.changed and not self.removed

    def add(self, label: str, *, created: bool, removed: bool = False, words: str = "") -> None:
        """Note something; what was created and then filled counts once."""
        self.words.setdefault(label, words or label)
        if label not in self.created + self.changed + self.removed:
            (self.removed if removed else self.created if created else self.changed).append(label)

    def include(self, other: Report) -> None:
        """Take over what another report says, and its version."""
        self.version = other.version
        self.created += other.created
        self.changed += other.changed
        self.removed += other.removed
        self.words |= other.words
        self.covers |= other.covers

    def add_step(self, step: Step) -> None:
        """Note a step that was done, or would be."""
        self.add(step.label, created=step.creates, removed=step.removes, words=step.words)
        if step.covers is not None and (covered := step.covers()) is not None:
            self.covers[step.label] = covered


def apply(actor: Actor, document: Mapping[str, Any], *, allow_lock_out: bool = False) -> Report:
    """Bring the policy to what the document says and publish a version, or raise Invalid and change nothing.

    A document that says what stands changes and publishes nothing, and needs no right. The operator, who is behind no
    access limit, publishes none that locks out everybody who could change it again, unless that is allowed.
    """
    steps = plan(document)
    if not steps:
        return Report()
    publishing.authorize(actor, "policy.apply")
    report = carry_out(actor, steps)
    kept = {**definitions(), **({"tests": plain(document["tests"])} if document.get("tests") else {})}
    report.version = current_version() + 1
    publish(actor, report.version, kept, report)
    reach.changed()
    if not actor.is_person and not allow_lock_out:
        way_in.require_a_way_in()
    return report


def carry_out(actor: Actor, steps: Iterable[Step]) -> Report:
    """Do what a plan says, as one change; raise Invalid with the place of what cannot be done."""
    report, problems = Report(), Problems()
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


def publish(
    actor: Actor, number: int, kept: Mapping[str, Any], report: Report, *, change_set: int | None = None
) -> None:
    """Publish what stands as a version, and keep what it says."""
    digest = hashlib.sha256(to_bytes(kept)).hexdigest()
    version = Version(number=number, published_at=clock.now(), published_by=actor.user_id, digest=digest)
    version.save(force_insert=True)
    text = json.dumps(kept, ensure_ascii=False)
    VersionText(number=number, document=text, change_set_id=change_set).save(force_insert=True)
    record(
        actor,
        "policy.applied",
        data={
            "version": number,
            "digest": digest,
            "change_set": change_set,
            "added": len(report.created),
            "changed": len(report.changed),
            "removed": len(report.removed),
            "changes": {"created": report.created, "changed": report.changed, "removed": report.removed},
        },
    )
