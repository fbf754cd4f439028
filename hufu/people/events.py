"""What the log knows of changes to people and the organisation."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import CHANGES, EventType, declare, shown

_IMPORTED = shown("file", "digest", "map_digest", "rows", "created", "updated", "unchanged", "refused")
# What a mover or leaver brings about: keys and numbers only.
_CONSEQUENCES = (
    "records",
    "successors",
    "roles",
    "partitions",
    "groups",
    "positions",
    "posts",
    "teams",
    "reports",
    "reports_to",
)

declare(
    EventType("department.created", _("Department created"), shown("code", "name", "parent")),
    EventType("department.changed", _("Department changed"), CHANGES),
    EventType("department.imported", _("Departments imported"), _IMPORTED),
    EventType("ladder.created", _("Ladder of levels created"), shown("key", "levels")),
    EventType("level.included", _("Level included in another"), shown("level", "includes")),
    EventType("level.include_ended", _("Level no longer included in another"), shown("level", "includes")),
    EventType("group.created", _("Group created"), shown("key", "name")),
    EventType("group.renamed", _("Group renamed"), shown("key", "before", "after")),
    EventType("group.member_joined", _("Joined a group"), shown("group")),
    EventType("group.member_left", _("Left a group"), shown("group")),
    EventType("position.created", _("Position created"), shown("key", "name")),
    EventType("position.renamed", _("Position renamed"), shown("key", "before", "after")),
    EventType("position.holder_joined", _("Took a position"), shown("position")),
    EventType("position.holder_left", _("Gave up a position"), shown("position")),
    EventType("post.taken", _("Took a post of a department"), shown("department", "post")),
    EventType("post.left", _("Gave up a post of a department"), shown("department", "post")),
    EventType("user.created", _("User created"), CHANGES, "personal"),
    EventType("user.changed", _("User changed"), CHANGES, "personal"),
    EventType("user.invited", _("User invited")),
    EventType("user.reset_started", _("Password reset started")),
    EventType("auth.second_factor_reset", _("Second factors reset"), shown("count"), "personal"),
    EventType("user.imported", _("Users imported"), _IMPORTED),
    # Joiner, mover, leaver: one entry each, beside those of every fact, gift and record that it changed.
    EventType(
        "user.joined",
        _("Joined the company"),
        shown("manager", "groups", "positions"),
    ),
    EventType(
        "user.moved",
        _("Moved within the company"),
        shown("changed", *_CONSEQUENCES),
    ),
    EventType("user.left", _("Left the company"), shown(*_CONSEQUENCES)),
    EventType("user.suspended", _("Account suspended"), shown("sessions")),
    EventType("user.reactivated", _("Account opened again")),
    EventType("device.new", _("Signed in from a new device"), shown("device"), "personal"),
    EventType("device.confirmed", _("New device confirmed"), shown("device"), "personal"),
    EventType("device.trusted", _("Device trusted"), shown("device", "until"), "personal"),
    EventType("device.trust_ended", _("Device no longer trusted"), shown("device", "count"), "personal"),
    EventType("device.forgotten", _("Device forgotten"), shown("device", "sessions"), "personal"),
    EventType("auth.session_ended", _("Session ended"), shown("count"), "personal"),
)
