"""What waits for release, in words."""

from __future__ import annotations

from django.utils.translation import gettext as _

from hufu.access import registry, system_actors
from hufu.access.models import Partition
from hufu.access.pending_models import PendingChange, PendingField
from hufu.core.days import moment_words
from hufu.people.models import Department, Group, Level, Position, User


class Names:
    """Names of all that a change can be about, read once."""

    def __init__(self) -> None:
        self.people = dict(User.objects.values_list("id", "name"))
        self.partitions = dict(Partition.objects.values_list("id", "name"))
        departments = dict(Department.objects.values_list("id", "name"))
        self.departments = departments
        self.of = {
            PendingField.DEPARTMENT: departments,
            PendingField.OTHER_DEPARTMENT: departments,
            PendingField.HEAD: departments,
            PendingField.ASSISTANT: departments,
            PendingField.PARENT: departments,
            PendingField.LEVEL: dict(Level.objects.values_list("id", "name")),
            PendingField.MANAGER: self.people,
            PendingField.GROUP: dict(Group.objects.values_list("id", "name")),
            PendingField.POSITION: dict(Position.objects.values_list("id", "name")),
        }

    def what(self, row: PendingChange) -> str:
        """Return who comes to what: “林悦: Department → 华南”; or what they leave."""
        field = PendingField(row.field)
        who = (
            self.people.get(row.user_id, "")
            if row.user_id is not None
            else self.departments.get(row.department_id or 0, "")
        )
        words = {"who": who, "field": field.label, "value": self.of[field].get(row.value or 0, "–")}
        if row.leaves:
            return _("%(who)s: leaves %(field)s %(value)s") % words
        return _("%(who)s: %(field)s → %(value)s") % words

    def since(self, row: PendingChange) -> str:
        """Return since when it waits, and who asked for it."""
        return _("waits since %(moment)s, asked for by %(asker)s") % {
            "moment": moment_words(row.asked_at),
            "asker": self.people.get(row.asked_by) or system_actors.name_of(row.asked_by) or _("the system"),
        }

    def adds(self, row: PendingChange) -> str:
        """Return what it would add, and to whom where that is somebody else."""
        adds, comma = row.adds, _(", ")
        said = []
        if permissions := adds.get("permissions"):
            labels = [registry.permission(name).label for name in permissions[:4]]
            more = len(permissions) - len(labels)
            said.append(
                _("permissions: %s") % comma.join(map(str, labels))
                + (_(" and %s more") % more if more else "")
            )
        if partitions := adds.get("partitions"):
            said.append(
                _("partitions: %s") % comma.join(self.partitions.get(number, "?") for number in partitions)
            )
        if people := adds.get("people"):
            names = [self.people.get(number, "?") for number in people[:4]]
            said.append(
                _("records of: %s") % comma.join(names)
                + (_(" and %s more") % (len(people) - 4) if len(people) > 4 else "")
            )
        if departments := adds.get("departments"):
            names = [self.departments.get(number, "?") for number in departments[:4]]
            said.append(_("records of departments: %s") % comma.join(names))
        if lifted := adds.get("prohibitions"):
            said.append(_("what is forbidden now: %s") % comma.join(map(forbidden_in_words, lifted[:4])))
        others = [number for number in adds.get("to", ()) if number != row.user_id]
        if others:
            said.append(_("to: %s") % comma.join(self.people.get(number, "?") for number in others[:4]))
        return _("would add %s") % _("; ").join(said) if said else _("would add records shared with others")


def forbidden_in_words(named: str) -> str:
    """Return what a prohibition names: a permission, or all of a type."""
    if not named.endswith(".*"):
        return str(registry.permission(named).label)
    return _("all of %s") % registry.resource_type(named.removesuffix(".*")).label_plural
