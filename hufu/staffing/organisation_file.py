"""The `organisation` section of a policy file: departments and ladders. What is missing is created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.policy_file import Problems
from hufu.core.actor import Actor
from hufu.people.models import Department, Ladder
from hufu.staffing import actions


def apply(actor: Actor, section: Mapping[str, Any]) -> list[str]:
    """Create departments and ladders that the section names and that do not stand yet; return what was created.

    Raise Invalid for anything that is wrong with the section; nothing of it is kept then.
    """
    problems = Problems()
    created: list[str] = []
    if problems.check_keys("organisation", section, ("departments", "ladders"), ()):
        known = {department.code: department for department in Department.objects.all()}
        _departments(
            actor,
            section.get("departments") or [],
            None,
            "organisation.departments",
            known,
            created,
            problems,
        )
        _ladders(actor, section.get("ladders") or [], created, problems)
    problems.stop()
    return created


def _departments(
    actor: Actor,
    entries: Any,
    parent: Department | None,
    place: str,
    known: dict[str, Department],
    created: list[str],
    problems: Problems,
) -> None:
    if not isinstance(entries, list):
        problems.add(place, _("This must be a list."))
        return
    for index, entry in enumerate(entries, start=1):
        here = f"{place}[{index}]"
        if not problems.check_keys(here, entry, ("code", "name", "children"), ("code", "name")):
            continue
        code = str(entry["code"])
        standing = known.get(code)
        if standing is None:
            standing = actions.create_department(actor, code=code, name=str(entry["name"]), parent=parent)
            known[code] = standing
            created.append(f"department:{code}")
        elif standing.parent_id != (parent.id if parent else None):
            problems.add(here, _("Department “%s” stands elsewhere already.") % code)
            continue
        _departments(
            actor, entry.get("children") or [], standing, f"{here}.children", known, created, problems
        )


def _ladders(actor: Actor, entries: Any, created: list[str], problems: Problems) -> None:
    if not isinstance(entries, list):
        problems.add("organisation.ladders", _("This must be a list."))
        return
    for index, entry in enumerate(entries, start=1):
        here = f"organisation.ladders[{index}]"
        if not problems.check_keys(here, entry, ("key", "name", "levels"), ("key", "name", "levels")):
            continue
        levels = []
        for number, level in enumerate(entry["levels"], start=1):
            if problems.check_keys(f"{here}.levels[{number}]", level, ("key", "name"), ("key", "name")):
                levels.append((str(level["key"]), str(level["name"])))
        ladder = Ladder.objects.filter(key=str(entry["key"])).first()
        if ladder is None:
            actions.create_ladder(actor, key=str(entry["key"]), name=str(entry["name"]), levels=levels)
            created.append(f"ladder:{entry['key']}")
            continue
        standing = [level.key for level in ladder.levels.order_by("rank")]
        if [key for key, _name in levels][: len(standing)] != standing:
            problems.add(
                here, _("Levels that stand cannot be reordered or left out here; new ones go on top.")
            )
        elif len(levels) > len(standing):
            actions.extend_ladder(actor, ladder, levels)
            created.append(f"ladder:{entry['key']}")
