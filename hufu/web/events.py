"""What the log knows of reading people, departments and roles."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, kept, sealed, shown

declare(
    EventType(
        "user.listed",
        _("Users: list read"),
        (*shown("filter", "search", "count"), *sealed("values")),
        "personal",
    ),
    EventType("user.viewed", _("User viewed")),
    EventType("department.listed", _("Departments: list read"), shown("count")),
    EventType("role.listed", _("Roles: list read"), shown("count")),
    EventType("role.compared", _("Two roles compared"), kept("roles")),
    EventType("role.viewed", _("Role viewed"), shown("role")),
    EventType("policy.listed", _("Change sets: list read"), shown("count")),
    EventType("policy.version_viewed", _("Version of the policy read"), shown("version")),
    EventType("policy.viewed", _("Change set read"), shown("change_set")),
    EventType(
        "assignment.previewed", _("Effect of giving or ending a role read"), shown("role", "principal")
    ),
    EventType("posture.viewed", _("Posture of rights read"), shown("count")),
    EventType("change.listed", _("Changes that wait: list read"), shown("count")),
    EventType("change.previewed", _("Effect of releasing changes read"), shown("count")),
    EventType("assignment.listed", _("Assignments and admissions: list read"), shown("count")),
)
