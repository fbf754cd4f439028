"""The `organisation` section of a policy file: departments, ladders of levels, groups, positions and posts.

What is missing is created and takes the file's names; people whom the section names come to a group, a position or a
post. What it does not name stays: nobody is taken out of anything, except a head whom another replaces. What stands
does not move, and levels keep their order: new ones go on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.policy_document import Problems
from hufu.access.policy_file import Report
from hufu.core import wording
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import (
    Department,
    DepartmentPost,
    Group,
    Ladder,
    Level,
    LevelIncludes,
    Position,
    Post,
    User,
)
from hufu.staffing import actions

SECTIONS = ("departments", "ladders", "groups", "positions", "posts")


@dataclass
class _Applying:
    """One run: who applies, what was done, what is wrong."""

    actor: Actor
    report: Report = field(default_factory=Report)
    problems: Problems = field(default_factory=Problems)

    def users(self, place: str, entry: Any) -> list[int]:
        """Return the numbers of people named by their user names."""
        names = self.problems.names(place, entry)
        found = dict(User.objects.filter(username__in=names).values_list("username", "id"))
        for name in names:
            if name not in found:
                self.problems.add(place, wording.unknown("user", name))
        return [found[name] for name in names if name in found]

    def tried(self, place: str, deed: Callable[[], Any]) -> Any:
        """Return what a deed returns; what it finds wrong is a problem of this place."""
        try:
            return deed()
        except Invalid as invalid:
            self.problems.add(place, str(invalid))
            return None


def apply(actor: Actor, section: Any) -> Report:
    """Bring the organisation to what the section says; say what was done.

    Raise Invalid for anything that is wrong with the section; nothing of it is kept then.
    """
    run = _Applying(actor)
    if run.problems.check_keys("organisation", section, SECTIONS, ()):
        known = {department.code: department for department in Department.objects.all()}
        _departments(
            actor,
            section.get("departments"),
            None,
            "organisation.departments",
            known,
            run.report,
            run.problems,
        )
        ladders = []
        for place, entry in run.problems.entries("organisation.ladders", section.get("ladders")):
            if run.problems.check_keys(place, entry, ("key", "name", "levels"), ("key", "name", "levels")):
                _ladder(actor, entry, place, run.report, run.problems)
                ladders.append((place, entry))
        # A level may include one of a ladder that stands further down.
        run.problems.stop()
        for place, entry in ladders:
            _includes(run, place, entry)
        for kind in (_GROUPS, _POSITIONS):
            for place, entry in run.problems.entries(
                f"organisation.{kind.section}", section.get(kind.section)
            ):
                _belonging(run, kind, place, entry)
        for place, entry in run.problems.entries("organisation.posts", section.get("posts")):
            _posts(run, place, entry, known)
    run.problems.stop()
    return run.report


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
        if problems.check_keys(here, level, ("key", "name", "includes"), ("key", "name")):
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


def _includes(run: _Applying, place: str, entry: Mapping[str, Any]) -> None:
    levels = {actions.level_key(level): level for level in Level.objects.select_related("ladder")}
    for here, listed in run.problems.entries(f"{place}.levels", entry["levels"]):
        level = levels[f"{entry['key']}.{listed['key']}"]
        for name in run.problems.names(f"{here}.includes", listed.get("includes")):
            other = levels.get(name)
            if other is None:
                run.problems.add(
                    f"{here}.includes",
                    wording.unknown("level", name),
                )
            elif run.tried(f"{here}.includes", partial(actions.include_level, run.actor, level, other)):
                run.report.add(f"level:{actions.level_key(level)}", created=False)


@dataclass(frozen=True)
class _Kind:
    """Groups and positions are entered alike."""

    section: str
    label: str
    people: str
    model: Any
    create: Callable[..., Any]
    rename: Callable[..., None]
    add: Callable[[Actor, Any, Iterable[int]], int]


_GROUPS = _Kind(
    "groups",
    "group",
    "members",
    Group,
    actions.create_group,
    actions.rename_group,
    actions.add_members,
)
_POSITIONS = _Kind(
    "positions",
    "position",
    "holders",
    Position,
    actions.create_position,
    actions.rename_position,
    actions.add_holders,
)


def _belonging(run: _Applying, kind: _Kind, place: str, entry: Any) -> None:
    if not run.problems.check_keys(place, entry, ("key", "name", kind.people), ("key", "name")):
        return
    key, name = str(entry["key"]), str(entry["name"])
    standing = kind.model.objects.filter(key=key).first()
    label = f"{kind.label}:{key}"
    if standing is None:
        standing = kind.create(run.actor, key=key, name=name)
        run.report.add(label, created=True)
    elif standing.name != name:
        kind.rename(run.actor, standing, name=name)
        run.report.add(label, created=False)
    people = run.users(f"{place}.{kind.people}", entry.get(kind.people))
    if people and run.tried(f"{place}.{kind.people}", partial(kind.add, run.actor, standing, people)):
        run.report.add(label, created=False)


def _posts(run: _Applying, place: str, entry: Any, departments: Mapping[str, Department]) -> None:
    if not run.problems.check_keys(place, entry, ("department", "head", "assistants"), ("department",)):
        return
    code = str(entry["department"])
    department = departments.get(code)
    if department is None:
        run.problems.add(
            f"{place}.department",
            wording.unknown("department", code),
        )
        return
    changed = False
    heads = run.users(f"{place}.head", entry.get("head"))
    if len(heads) > 1:
        run.problems.add(f"{place}.head", _("A department has one head."))
    elif heads:
        changed |= bool(
            run.tried(f"{place}.head", partial(actions.appoint_head, run.actor, department, heads[0]))
        )
    assistants = run.users(f"{place}.assistants", entry.get("assistants"))
    if assistants:
        changed |= bool(
            run.tried(
                f"{place}.assistants", partial(actions.add_assistants, run.actor, department, assistants)
            )
        )
    if changed:
        run.report.add(f"posts:{code}", created=False)


def export() -> dict[str, Any]:
    """Return the organisation as a section that `apply` reads: departments as a tree, ladders from the bottom."""
    exported: dict[str, Any] = {"departments": _export_departments(), "ladders": _export_ladders()}
    for kind in (_GROUPS, _POSITIONS):
        listed = []
        for row in kind.model.objects.order_by("id"):
            people = getattr(row, kind.people).order_by("id").values_list("user__username", flat=True)
            listed.append(
                {"key": row.key, "name": row.name, **({kind.people: list(people)} if people else {})}
            )
        if listed:
            exported[kind.section] = listed
    if posts := _export_posts():
        exported["posts"] = posts
    return exported


def _export_departments() -> list[dict[str, Any]]:
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

    return below(None)


def _export_ladders() -> list[dict[str, Any]]:
    includes: dict[int, list[str]] = {}
    for row in LevelIncludes.objects.select_related("includes__ladder").order_by("id"):
        includes.setdefault(row.level_id, []).append(actions.level_key(row.includes))
    return [
        {
            "key": ladder.key,
            "name": ladder.name,
            "levels": [
                {
                    "key": level.key,
                    "name": level.name,
                    **({"includes": includes[level.id]} if level.id in includes else {}),
                }
                for level in ladder.levels.order_by("rank")
            ],
        }
        for ladder in Ladder.objects.order_by("id")
    ]


def _export_posts() -> list[dict[str, Any]]:
    entries: dict[str, dict[str, Any]] = {}
    rows = DepartmentPost.objects.select_related("department", "user").order_by("department_id", "id")
    for row in rows:
        entry = entries.setdefault(row.department.code, {"department": row.department.code})
        if row.post == Post.HEAD:
            entry["head"] = row.user.username
        else:
            entry.setdefault("assistants", []).append(row.user.username)
    return list(entries.values())
