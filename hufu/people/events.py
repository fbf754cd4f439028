"""What the log knows of changes to people and the organisation."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import CHANGES, EventType, declare, shown

_IMPORTED = shown("file", "digest", "map_digest", "rows", "created", "updated", "unchanged", "refused")

declare(
    EventType("department.created", _("Department created"), shown("code", "name", "parent")),
    EventType("department.changed", _("Department changed"), CHANGES),
    EventType("department.imported", _("Departments imported"), _IMPORTED),
    EventType("ladder.created", _("Ladder of levels created"), shown("key", "levels")),
    EventType("user.created", _("User created"), CHANGES, "personal"),
    EventType("user.changed", _("User changed"), CHANGES, "personal"),
    EventType("user.invited", _("User invited")),
    EventType("user.imported", _("Users imported"), _IMPORTED),
)
