"""To whom something is given, in words and as choices of a form."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.access.models import GivenTo
from hufu.people.models import Department, Group, Level, Position, Post


def words(row: GivenTo) -> tuple[str, str]:
    """Return to whom something is given, and what kind of principal that is."""
    if row.user is not None:
        return row.user.name, _("User")
    if row.group is not None:
        return row.group.name, _("Group")
    if row.position is not None:
        return row.position.name, _("Position")
    if row.department is not None:
        where = _("Department and below") if row.below else _("Department alone")
        return row.department.name, f"{Post(row.post).label} · {where}" if row.post else where
    assert row.level is not None
    return f"{row.level.ladder.name} · {row.level.name}", _("Level and above")


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return every principal but single people, as hufu.access.principals reads them, by kind."""
    departments = list(Department.objects.order_by("name", "id"))
    heads = [(f"department:{one.pk}.head", _("Head of %s") % one.name) for one in departments]
    kinds = [
        (_("Department and below"), [(f"department:{one.pk}+", one.name) for one in departments]),
        (_("Department alone"), [(f"department:{one.pk}", one.name) for one in departments]),
        (_("Head of department"), heads),
        (_("Group"), [(f"group:{one.pk}", one.name) for one in Group.objects.order_by("name", "id")]),
        (
            _("Position"),
            [(f"position:{one.pk}", one.name) for one in Position.objects.order_by("name", "id")],
        ),
        (
            _("Level and above"),
            [
                (f"level:{one.pk}", f"{one.ladder.name} · {one.name}")
                for one in Level.objects.select_related("ladder").order_by("ladder_id", "-rank")
            ],
        ),
    ]
    return [(label, options) for label, options in kinds if options]
