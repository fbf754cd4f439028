"""The `organisation` section of a policy file: departments and ladders. What is missing is created.

Departments take the file's names. What the section does not name stays; what stands does not move, and levels keep
their order: new ones go on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.policy_file import Report
from hufu.access.policy_plan import Problems
from hufu.core.actor import Actor
from hufu.people.models import Department, Ladder
from hufu.staffing import actions


def apply(actor: Actor, section: Any) -> Report:
    """Create departments and ladders that the section names and that do not stand yet; say what was done.

    Raise Invalid for anything that is wrong with the section; nothing of it is kept then.
    """
    problems = Problems()
    report = Report()
    if problems.check_keys("organisation", section, ("departments", "ladders"), ()):
        known = {department.code: department for department in Department.objects.all()}
        _departments(
            actor, section.get("departments"), None, "organisation.departments", known, report, problems
        )
        for place, entry in problems.entries("organisation.ladders", section.get("ladders")):
            if problems.check_keys(place, entry, ("key", "name", "levels"), ("key", "name", "levels")):
                _ladder(actor, entry, place, report, problems)
    problems.stop()
    return report


def _departments(
    actor: Actor,
    entries: Any,
    parent: Department | None,
    place: str,
    known: dict[str, Department],
    report: Report,
    problems: Problems,
) -> None:
    for here, entry in problems.entries(place, entries):
        if not problems.check_keys(here, entry, ("code", "name", "children"), ("code", "name")):
            continue
        code, name = str(entry["code"]), str(entry["name"])
        standing = known.get(code)
        if standing is None:
            standing = actions.create_department(actor, code=code, name=name, parent=parent)
            known[code] = standing
            report.add(f"department:{code}", created=True)
        elif standing.parent_id != (parent.id if parent else None):
            problems.add(here, _("Department “%s” stands elsewhere already.") % code)
            continue
        elif standing.name != name:
            actions.rename_department(actor, standing, name=name)
            report.add(f"department:{code}", created=False)
        _departments(actor, entry.get("children"), standing, f"{here}.children", known, report, problems)


def _ladder(actor: Actor, entry: Mapping[str, Any], place: str, report: Report, problems: Problems) -> None:
    levels: list[tuple[str, str]] = []
    for here, level in problems.entries(f"{place}.levels", entry["levels"]):
        if problems.check_keys(here, level, ("key", "name"), ("key", "name")):
            if str(level["key"]) in dict(levels):
                problems.add(here, _("“%s” stands here twice.") % level["key"])
            levels.append((str(level["key"]), str(level["name"])))
    if any(found.startswith(place) for found in problems.found):
        return
    key, name = str(entry["key"]), str(entry["name"])
    ladder = Ladder.objects.filter(key=key).first()
    if ladder is None:
        actions.create_ladder(actor, key=key, name=name, levels=levels)
        report.add(f"ladder:{key}", created=True)
        return
    standing = [(level.key, level.name) for level in ladder.levels.order_by("rank")]
    if [level for level, _name in levels][: len(standing)] != [level for level, _name in standing]:
        problems.add(place, _("Levels that stand cannot be reordered or left out here; new ones go on top."))
    elif ladder.name != name or levels[: len(standing)] != standing:
        problems.add(place, _("Ladders and levels that stand keep their names here."))
    elif len(levels) > len(standing):
        actions.extend_ladder(actor, ladder, levels)
        report.add(f"ladder:{key}", created=False)


def export() -> dict[str, Any]:
    """Return the organisation as a section that `apply` reads: departments as a tree, ladders from the bottom."""
    children: dict[int | None, list[Department]] = {}
    for department in Department.objects.order_by("id"):
        children.setdefault(department.parent_id, []).append(department)

    def below(parent_id: int | None) -> list[dict[str, Any]]:
        listed = []
        for department in children.get(parent_id, ()):
            entry: dict[str, Any] = {"code": department.code, "name": department.name}
            if inner := below(department.id):
                entry["children"] = inner
            listed.append(entry)
        return listed

    return {
        "departments": below(None),
        "ladders": [
            {
                "key": ladder.key,
                "name": ladder.name,
                "levels": [
                    {"key": level.key, "name": level.name} for level in ladder.levels.order_by("rank")
                ],
            }
            for ladder in Ladder.objects.order_by("id")
        ],
    }
