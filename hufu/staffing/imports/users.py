"""People from drafts: who is new is created, facts that differ are changed, the reporting line is drawn."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, reach
from hufu.access.actions import next_number
from hufu.core.actor import Actor
from hufu.core.imports import REFUSE, Draft, Names, Plan, Report, Shape, Unfit
from hufu.people.models import Department, Level, Membership, Status, User
from hufu.staffing.actions import (
    Person,
    change_users,
    create_users,
    pending,
    set_managers,
    set_secondary_departments,
)
from hufu.staffing.actions.pending import Fact
from hufu.staffing.actions.people import facts_of_others
from hufu.staffing.imports.lines import circle, either, find, finish, refused_among, unfit_above

NAMED_BY = ("username", "name", "external_id", "email")
FACTS = ("username", "name", "email", "external_id", "title", "status")

USERS = Shape(
    type="users",
    fields=(*FACTS, "department", "departments", "level", "manager"),
    required=("username", "name"),
    identities=("username", "external_id"),
    by={"manager": NAMED_BY},
    several=("departments",),
)

_USERNAME = re.compile(r"[\w.@+-]+")
_LENGTHS = {"username": 150, "name": 120, "email": 254, "external_id": 120, "title": 120}
_LABELS = {
    "username": gettext_lazy("User name"),
    "name": gettext_lazy("Name"),
    "external_id": gettext_lazy("External number"),
}


def import_users(actor: Actor, plan: Plan) -> Report:
    """Create who is new, change whose facts differ, draw the reporting line, and return the report.

    Raise ImportRefused where any row is refused, unless the plan skips errors: then whoever reports to somebody whose
    row is refused is refused, too. Runs inside `acting(actor)`, whose transaction that rolls back.
    """
    guard.authorize(actor, "user.manage")
    _Import(actor, plan).run()
    return finish(actor, plan, "user.imported")


@dataclass
class _Row:
    """What the file says of one person. `number` is the account's; below zero it is yet to be made."""

    draft: Draft
    number: int
    standing: User | None
    facts: dict[str, Any] = field(default_factory=dict)
    others: frozenset[int] | None = None
    manager: int | None = None

    def called(self, by: str) -> str:
        """Return what the person is called, as the file says it, or else as it stands."""
        value = self.facts.get(by, getattr(self.standing, by) if self.standing else "")
        return str(value or "")


class _Import:
    """One run of an import."""

    def __init__(self, actor: Actor, plan: Plan) -> None:
        self.actor = actor
        self.plan = plan
        self.report = plan.report
        self.users = list(User.objects.all())
        self.departments = either(Department.objects.values_list("id", "code", "name"))
        self.memberships: dict[int, set[int]] = defaultdict(set)
        for user, department in Membership.objects.values_list("user_id", "department_id"):
            self.memberships[user].add(department)
        self.drafts: list[Draft] = []
        levels = list(Level.objects.select_related("ladder"))
        self.levels = (
            Names((f"{level.ladder.key}.{level.key}", level.id) for level in levels),
            Names((level.name, level.id) for level in levels),
        )

    def run(self) -> None:
        """Read everything, check everything, then write unless something was refused."""
        rows = list(self._rows())
        self._check_unique(rows)
        rows = self._with_managers(rows)
        new = [row for row in rows if row.standing is None]
        changes = {
            row.number: differing
            for row in rows
            if row.standing is not None and (differing := self._differing(row))
        }
        moved = {row.number for row in rows if row.standing and (self._is_moved(row) or self._joins(row))}
        self.report.created = len(new)
        self.report.updated = len(changes.keys() | moved)
        self.report.unchanged = len(rows) - len(new) - self.report.updated
        if self.report.stored:
            self._write(rows, new, changes)

    def _with_managers(self, rows: list[_Row]) -> list[_Row]:
        """Return the rows with their managers; where errors are skipped, only those that nothing refuses."""
        if not self.report.skip_errors:
            self._find_managers(rows)
            self._check_line(rows)
            return rows
        while True:
            rows = [row for row in rows if row.draft.row not in self.report.refused_numbers]
            mark = self.report.mark()
            self._find_managers(rows)
            self._check_line(rows)
            if len(self.report.refused) == mark.refusals:
                return rows
            self.report.rewind(mark)

    # Reading.

    def _rows(self) -> Iterator[_Row]:
        standing = {
            by: {str(getattr(user, by)): user for user in self.users if getattr(user, by)}
            for by in USERS.identities
        }
        seen: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        for draft in self.plan.drafts():
            self.drafts.append(draft)
            facts = self._facts(draft)
            if facts is None:
                continue
            others = facts.pop("others", None)
            identity = (draft.record.identity, str(facts[draft.record.identity]))
            if identity in seen:
                self._again(draft, seen[identity])
                continue
            seen[identity] = (draft.row, draft.texts)
            user = standing[identity[0]].get(identity[1])
            yield _Row(draft, user.id if user else -len(seen), user, facts, others)

    def _again(self, draft: Draft, before: tuple[int, dict[str, str]]) -> None:
        row, texts = before
        if texts == draft.texts:
            self.report.repeated += 1
        else:
            self.plan.refuse(
                draft,
                draft.record.identity,
                _("Row %s is for the same person and says something else.") % row,
            )

    def _facts(self, draft: Draft) -> dict[str, Any] | None:
        """Return the facts that a draft says, or None where it is refused."""
        facts: dict[str, Any] = {}
        fits = True
        for name, text in draft.texts.items():
            if not text and draft.record.fields[name].constant is None:
                self.report.left_empty[name] += 1
            try:
                if name == "department":
                    facts["main_department_id"] = find(self.departments, text) if text else None
                elif name == "departments":
                    facts["others"] = self._several(draft, text)
                elif name == "level":
                    facts["level_id"] = find(self.levels, text) if text else None
                elif name != "manager":
                    facts[name] = self._fact(name, text)
            except Unfit as unfit:
                if name in USERS.required or name == draft.record.identity:
                    self.plan.refuse(draft, name, str(unfit))
                    fits = False
                else:
                    self.plan.unfit(draft, name, str(unfit))
                    fits = fits and draft.record.fields[name].unknown != "refuse"
        identity = draft.record.identity
        if fits and not facts.get(identity):
            self.plan.refuse(draft, identity, _("“%s” must not be empty.") % _LABELS[identity])
            fits = False
        return facts if fits else None

    def _several(self, draft: Draft, text: str) -> frozenset[int]:
        """Return the departments that a text names; those that there are not are left out where the map lets it."""
        found = set()
        for name in filter(None, map(str.strip, text.split(draft.record.fields["departments"].separator))):
            try:
                found.add(find(self.departments, name))
            except Unfit as unfit:
                if draft.record.fields["departments"].unknown == REFUSE:
                    raise
                self.report.emptied[("departments", name, str(unfit))] += 1
        return frozenset(found)

    @staticmethod
    def _fact(name: str, text: str) -> str | None:
        if name in USERS.required and not text:
            raise Unfit(_("“%s” must not be empty.") % _LABELS[name])
        if len(text) > _LENGTHS.get(name, len(text)):
            raise Unfit(_("Too long: at most %s characters.") % _LENGTHS[name])
        if name == "username" and not _USERNAME.fullmatch(text):
            raise Unfit(_("A user name is made of letters, digits and . @ + - _ without spaces."))
        if name == "email" and text:
            try:
                validate_email(text)
            except ValidationError:
                raise Unfit(_("“%s” is not a valid address.") % text) from None
        if name == "status":
            return _status(text)
        return (text or None) if name == "external_id" else text

    # Checking.

    def _check_unique(self, rows: list[_Row]) -> None:
        for by in USERS.identities:
            owners: dict[str, int] = {
                str(getattr(user, by)): user.id for user in self.users if getattr(user, by)
            }
            for row in rows:
                text = str(row.facts.get(by) or "")
                if text and owners.setdefault(text, row.number) != row.number:
                    self.plan.refuse(row.draft, by, _("“%s” is somebody else's already.") % text)

    def _find_managers(self, rows: list[_Row]) -> None:
        imported = {row.number for row in rows}
        others = [user for user in self.users if user.id not in imported]
        names = {
            by: Names(
                [
                    *((row.called(by), row.number) for row in rows),
                    *((getattr(user, by), user.id) for user in others),
                ]
            )
            for by in {row.draft.record.fields["manager"].by for row in rows if "manager" in row.draft.texts}
        }
        refused = {by: refused_among(self.plan, self.drafts, by) for by in names}
        for row in rows:
            row.manager = None
            text = row.draft.texts.get("manager")
            if text is None:
                row.manager = row.standing.manager_id if row.standing else None
            elif text:
                by = row.draft.record.fields["manager"].by
                try:
                    row.manager = names[by].find(text)
                except Unfit as unfit:
                    self.plan.unfit(row.draft, "manager", unfit_above(unfit, text, refused[by]))

    def _check_line(self, rows: list[_Row]) -> None:
        """Refuse the rows that stand in a circle of managers, with the path."""
        line = {user.id: user.manager_id for user in self.users} | {row.number: row.manager for row in rows}
        names = {user.id: user.name for user in self.users} | {row.number: row.called("name") for row in rows}
        sound: set[int] = set()
        for row in rows:
            if path := circle(row.number, line, sound):
                shown = " → ".join(names[number] for number in path)
                self.plan.refuse(row.draft, "manager", _("The reporting line would be a circle: %s.") % shown)

    def _differing(self, row: _Row) -> dict[str, Any]:
        """Return the facts that differ from the standing account's, and note a user name that stays."""
        wanted = {name: value for name, value in row.facts.items() if getattr(row.standing, name) != value}
        if wanted.pop("username", None):
            self.report.kept["username"] += 1
        return wanted

    @staticmethod
    def _is_moved(row: _Row) -> bool:
        return row.standing is not None and row.manager != row.standing.manager_id

    def _others(self, row: _Row) -> frozenset[int]:
        """Return the secondary departments; the main one is none of them."""
        main = row.facts.get("main_department_id", row.standing.main_department_id if row.standing else None)
        return (row.others or frozenset()) - {main}

    def _joins(self, row: _Row) -> bool:
        """Say whether the secondary departments differ from those that stand."""
        return row.others is not None and self._others(row) != self.memberships.get(row.number, set())

    # Writing.

    def _write(self, rows: list[_Row], new: list[_Row], changes: dict[int, dict[str, Any]]) -> None:
        # The numbers that the new accounts will have, so that each person's facts are judged as one combination.
        numbers = {row.number: row.number for row in rows}
        numbers |= {row.number: number for number, row in enumerate(new, start=next_number(User))}
        with reach.one_change(), pending.judged_together(self.actor, self._facts_of(rows, numbers)):
            if new:
                create_users(self.actor, (Person(**row.facts) for row in new))
            if changes:
                change_users(self.actor, changes)
            managers = {
                numbers[row.number]: None if row.manager is None else numbers.get(row.manager, row.manager)
                for row in rows
                if (row.manager if row.standing is None else self._is_moved(row))
            }
            if managers:
                set_managers(self.actor, managers)
            if others := {numbers[row.number]: self._others(row) for row in rows if self._joins(row)}:
                set_secondary_departments(self.actor, others)

    def _facts_of(self, rows: list[_Row], numbers: Mapping[int, int]) -> list[Fact]:
        """Return all that people would come to, that rights may hang on, and all that they would leave."""
        facts = []
        for row in rows:
            number, standing = numbers[row.number], row.standing
            for column, kind in (("main_department_id", "department"), ("level_id", "level")):
                value = row.facts.get(column)
                if column not in row.facts:
                    continue
                if value != (getattr(standing, column) if standing else None):
                    facts.append(Fact(kind, number, value))
            if row.manager is not None and (standing is None or self._is_moved(row)):
                facts.append(Fact("manager", number, numbers.get(row.manager, row.manager)))
            if self._joins(row):
                standing_others = set(self.memberships.get(row.number, set()))
                facts += facts_of_others(number, standing_others, set(self._others(row)))
        return facts


def _status(text: str) -> str:
    for value, label in Status.choices:
        if text in (value, str(label)):
            return str(value)
    known = ", ".join(str(value) for value in Status)
    raise Unfit(_("“%(text)s” is not one of: %(known)s.") % {"text": text, "known": known})
