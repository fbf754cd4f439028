"""Departments from drafts, by code or name. What the file does not name stays as and where it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hufu.access import guard, reach
from hufu.core.actor import Actor
from hufu.core.imports import Draft, Names, Plan, Report, Shape, Unfit
from hufu.people.models import Department
from hufu.staffing.actions import create_department, move_department, rename_department
from hufu.staffing.imports.lines import circle, finish, refused_among, unfit_above

DEPARTMENTS = Shape(
    type="departments",
    fields=("code", "name", "parent"),
    required=("code", "name"),
    identities=("code", "name"),
    by={"parent": ("code", "name")},
)

_LENGTHS = {"code": 64, "name": 120}
_LABELS = {"code": gettext_lazy("Code"), "name": gettext_lazy("Name")}


def import_departments(actor: Actor, plan: Plan) -> Report:
    """Create the departments that are new, rename and move those that differ, and return the report.

    Raise ImportRefused where any row is refused, unless the plan skips errors: then a department below one whose row
    is refused is refused, too. Runs inside `acting(actor)`, whose transaction that rolls back.
    """
    guard.authorize(actor, "user.manage")
    _Import(actor, plan).run()
    return finish(actor, plan, "department.imported")


@dataclass
class _Row:
    """What the file says of one department. `number` is below zero where it is yet to be made."""

    draft: Draft
    number: int
    standing: Department | None
    code: str
    name: str
    parent: int | None = None

    def called(self, by: str) -> str:
        return self.code if by == "code" else self.name

    @property
    def is_moved(self) -> bool:
        return self.standing is not None and self.parent != self.standing.parent_id

    @property
    def is_renamed(self) -> bool:
        return self.standing is not None and self.name != self.standing.name


class _Import:
    """One run of an import."""

    def __init__(self, actor: Actor, plan: Plan) -> None:
        self.actor = actor
        self.plan = plan
        self.report = plan.report
        self.standing = {department.id: department for department in Department.objects.all()}
        self.drafts: list[Draft] = []

    def run(self) -> None:
        """Read everything, check everything, then write unless something was refused."""
        rows = list(self._rows())
        self._check_codes(rows)
        rows = self._with_parents(rows)
        new = [row for row in rows if row.standing is None]
        changed = [row for row in rows if row.is_moved or row.is_renamed]
        for row in rows:
            if row.standing is not None and row.code != row.standing.code:
                self.report.kept["code"] += 1
        self.report.created = len(new)
        self.report.updated = len(changed)
        self.report.unchanged = len(rows) - len(new) - len(changed)
        if self.report.stored:
            self._write(rows)

    # Reading.

    def _rows(self) -> Iterator[_Row]:
        names = {
            "code": Names((each.code, each.id) for each in self.standing.values()),
            "name": Names((each.name, each.id) for each in self.standing.values()),
        }
        seen: dict[tuple[str, str], tuple[int, dict[str, str]]] = {}
        for draft in self.plan.drafts():
            self.drafts.append(draft)
            if not self._fits(draft):
                continue
            by = draft.record.identity
            text = draft.texts[by]
            if before := seen.get((by, text)):
                self._again(draft, *before)
                continue
            seen[(by, text)] = (draft.row, draft.texts)
            number = -len(seen)
            if text in names[by]:
                try:
                    number = names[by].find(text)
                except Unfit as unfit:
                    self.plan.refuse(draft, by, str(unfit))
                    continue
            standing = self.standing.get(number)
            yield _Row(draft, number, standing, draft.texts["code"], draft.texts["name"])

    def _fits(self, draft: Draft) -> bool:
        fits = True
        for name, label in _LABELS.items():
            problem = ""
            if not draft.texts[name]:
                problem = _("“%s” must not be empty.") % label
            elif len(draft.texts[name]) > _LENGTHS[name]:
                problem = _("Too long: at most %s characters.") % _LENGTHS[name]
            if problem:
                self.plan.refuse(draft, name, problem)
                fits = False
        if draft.texts.get("parent") == "" and draft.record.fields["parent"].constant is None:
            self.report.left_empty["parent"] += 1
        return fits

    def _again(self, draft: Draft, row: int, texts: dict[str, str]) -> None:
        if texts == draft.texts:
            self.report.repeated += 1
        else:
            self.plan.refuse(
                draft,
                draft.record.identity,
                _("Row %s is for the same department and says something else.") % row,
            )

    # Checking.

    def _check_codes(self, rows: list[_Row]) -> None:
        owners = {each.code: each.id for each in self.standing.values()}
        for row in rows:
            if row.standing is None and owners.setdefault(row.code, row.number) != row.number:
                self.plan.refuse(row.draft, "code", _("“%s” is another department's already.") % row.code)

    def _with_parents(self, rows: list[_Row]) -> list[_Row]:
        """Return the rows with their parents; where errors are skipped, only those that nothing refuses."""
        while True:
            if self.report.skip_errors:
                rows = [row for row in rows if row.draft.row not in self.report.refused_numbers]
            mark = self.report.mark()
            self._find_parents(rows)
            self._check_tree(rows)
            if not self.report.skip_errors or len(self.report.refused) == mark.refusals:
                return rows
            self.report.rewind(mark)

    def _find_parents(self, rows: list[_Row]) -> None:
        imported = {row.number for row in rows}
        others = [each for each in self.standing.values() if each.id not in imported]
        bys = {row.draft.record.fields["parent"].by for row in rows if "parent" in row.draft.record.fields}
        names = {
            by: Names(
                [
                    *((row.called(by), row.number) for row in rows),
                    *((getattr(each, by), each.id) for each in others),
                ]
            )
            for by in bys
        }
        refused = {by: refused_among(self.plan, self.drafts, by) for by in bys}
        for row in rows:
            text = row.draft.texts.get("parent")
            row.parent = row.standing.parent_id if row.standing and text is None else None
            if text:
                by = row.draft.record.fields["parent"].by
                try:
                    row.parent = names[by].find(text)
                except Unfit as unfit:
                    self.plan.unfit(row.draft, "parent", unfit_above(unfit, text, refused[by]))

    def _check_tree(self, rows: list[_Row]) -> None:
        above = {each.id: each.parent_id for each in self.standing.values()}
        above |= {row.number: row.parent for row in rows}
        names = {each.id: each.name for each in self.standing.values()}
        names |= {row.number: row.name for row in rows}
        sound: set[int] = set()
        for row in rows:
            if path := circle(row.number, above, sound):
                shown = " → ".join(names[number] for number in path)
                self.plan.refuse(
                    row.draft, "parent", _("The department would stand below itself: %s.") % shown
                )

    # Writing.

    def _write(self, rows: list[_Row]) -> None:
        # From the top down: where a department goes, everything above already stands as it is to be.
        made = dict(self.standing)
        with reach.one_change():
            for row in self._from_the_top(rows):
                parent = None if row.parent is None else made[row.parent]
                if row.standing is None:
                    made[row.number] = create_department(
                        self.actor, code=row.code, name=row.name, parent=parent
                    )
                    continue
                if row.is_moved:
                    to = Department.objects.get(id=parent.id) if parent else None
                    move_department(self.actor, row.standing, to=to)
                if row.is_renamed:
                    rename_department(self.actor, row.standing, name=row.name)

    def _from_the_top(self, rows: list[_Row]) -> list[_Row]:
        parents = {each.id: each.parent_id for each in self.standing.values()}
        parents |= {row.number: row.parent for row in rows}
        depths: dict[int | None, int] = {None: 0}
        for row in rows:
            path = []
            at: int | None = row.number
            while at not in depths:
                path.append(at)
                at = parents[at] if at is not None else None
            for depth, number in enumerate(reversed(path), start=depths[at] + 1):
                depths[number] = depth
        return sorted(rows, key=lambda row: depths[row.number])
