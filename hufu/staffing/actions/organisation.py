"""Deeds on the organisation: departments, ladders of levels, and which levels hold others."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.utils.translation import gettext as _

from hufu.access import guard, publishing, reach
from hufu.access.actions import next_number
from hufu.audit import Target, changes, record
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.people.models import Department, Ladder, Level, LevelIncludes
from hufu.staffing.actions import pending
from hufu.staffing.actions.pending import Fact


def create_department(actor: Actor, *, code: str, name: str, parent: Department | None) -> Department:
    """Add a department below `parent`, or at the top."""
    guard.authorize(actor, "user.manage")
    department = Department(id=next_number(Department), code=code, name=name, parent=parent)
    department.save(force_insert=True)
    record(
        actor,
        "department.created",
        target=Target("department", department.id),
        data={"code": code, "name": name, "parent": parent.code if parent else None},
    )
    reach.changed()
    return department


def move_department(actor: Actor, department: Department, *, to: Department | None) -> None:
    """Hang a department elsewhere; below itself it cannot go, and the refusal names the path.

    Nobody gains by it themselves: neither through their own department, nor by taking another below it. Where others
    would gain, it stays where it is until that is released.
    """
    guard.authorize(actor, "user.manage")
    path = [department]
    above = to
    while above is not None:
        path.append(above)
        if above.id == department.id:
            raise Invalid(
                {
                    "parent": [
                        _("The department would stand below itself: %s.")
                        % " → ".join(step.name for step in reversed(path))
                    ]
                }
            )
        above = above.parent
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.gains_by_move(%s, %s)", [department.id, to.id if to else None])
        if cursor.fetchone()[0]:
            raise guard.denied(actor, "user.manage")
    above_now = to.id if to else None
    if above_now != department.parent_id:
        waiting = pending.waiting_of(actor, [Fact("parent", None, above_now, department.id)])
        if waiting:
            pending.keep(actor, waiting)
            return
    before = department.parent_id
    department.parent = to
    department.save(update_fields=["parent"])
    record(
        actor,
        "department.changed",
        target=Target("department", department.id),
        **changes({"parent_id": before}, {"parent_id": department.parent_id}, sealed=()),
    )
    reach.changed()


def rename_department(actor: Actor, department: Department, *, name: str) -> None:
    """Give a department another name; its code stays."""
    guard.authorize(actor, "user.manage")
    before, department.name = department.name, name
    department.save(update_fields=["name"])
    record(
        actor,
        "department.changed",
        target=Target("department", department.id),
        **changes({"name": before}, {"name": name}, sealed=()),
    )


def create_ladder(actor: Actor, *, key: str, name: str, levels: Sequence[tuple[str, str]]) -> Ladder:
    """Add a ladder with its levels as (key, name), the lowest first."""
    guard.authorize(actor, "role.manage")
    ladder = Ladder(id=next_number(Ladder), key=key, name=name)
    ladder.save(force_insert=True)
    record(actor, "ladder.created", data={"key": key, "levels": [level for level, _name in levels]})
    extend_ladder(actor, ladder, levels)
    return ladder


def extend_ladder(actor: Actor, ladder: Ladder, levels: Sequence[tuple[str, str]]) -> None:
    """Add the levels that are missing on top of those that stand."""
    guard.authorize(actor, "role.manage")
    first = next_number(Level)
    standing = {level.key: level for level in ladder.levels.all()}
    missing = [(key, name) for key, name in levels if key not in standing]
    Level.objects.bulk_create(
        Level(id=first + index, ladder=ladder, key=key, name=name, rank=len(standing) + index + 1)
        for index, (key, name) in enumerate(missing)
    )
    reach.changed()


def include_level(actor: Actor, level: Level, includes: Level) -> bool:
    """Let a level hold what a level of another ladder holds; return whether that is new.

    What is so already needs no right. A circle is refused with its path. Nobody widens a level that they hold, and from
    version 1 of the policy on nobody does so by a deed of their own.
    """
    if LevelIncludes.objects.filter(level=level, includes=includes).exists():
        return False
    publishing.authorize(actor)
    if level.ladder_id == includes.ladder_id:
        raise Invalid(
            {"includes": [_("“%s” stands on the same ladder: the higher level holds the lower.") % includes]}
        )
    if path := _path_down(includes, level):
        circle = " → ".join(step.name for step in (level, *path))
        raise Invalid({"includes": [_("A level would hold one that holds it: %s.") % circle]})
    with connection.cursor() as cursor:
        cursor.execute("SELECT hufu.holds_level(%s)", [level.id])
        if cursor.fetchone()[0]:
            raise guard.denied(actor, "role.manage")
    LevelIncludes(level=level, includes=includes).save(force_insert=True)
    record(actor, "level.included", data={"level": level_key(level), "includes": level_key(includes)})
    reach.changed()
    return True


def end_included_level(actor: Actor, level: Level, includes: Level) -> bool:
    """Let a level no longer hold what the other holds; return whether it did."""
    guard.authorize(actor, "role.manage")
    gone, _types = LevelIncludes.objects.filter(level=level, includes=includes).delete()
    if not gone:
        return False
    record(actor, "level.include_ended", data={"level": level_key(level), "includes": level_key(includes)})
    reach.changed()
    return True


def level_key(level: Level) -> str:
    """Return how files and the log name a level: LADDER.LEVEL."""
    return f"{level.ladder.key}.{level.key}"


def _path_down(start: Level, wanted: Level) -> list[Level] | None:
    """Return the levels from `start` down to one that it holds, or None where it does not hold it."""
    levels = {level.id: level for level in Level.objects.all()}
    steps: dict[int, list[int]] = {number: [] for number in levels}
    for level in levels.values():
        steps[level.id] += [
            other.id
            for other in levels.values()
            if other.ladder_id == level.ladder_id and other.rank < level.rank
        ]
    for above, below in LevelIncludes.objects.order_by("id").values_list("level_id", "includes_id"):
        steps[above].append(below)
    waiting, seen = [[start.id]], {start.id}
    while waiting:
        path = waiting.pop(0)
        if path[-1] == wanted.id:
            return [levels[number] for number in path]
        for below in steps[path[-1]]:
            if below not in seen:
                seen.add(below)
                waiting.append([*path, below])
    return None
