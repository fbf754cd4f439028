"""The names that events use for facts and reasons, in words. What is not listed here is shown as it stands."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

FACTS: dict[str, str | Promise] = {
    "access": _("Access"),
    "at": _("As of"),
    "changed": _("Changed"),
    "children": _("What followed it"),
    "count": _("Records given"),
    "days": _("Days"),
    "delegator": _("In whose stead"),
    "department": _("Department"),
    "device": _("Device"),
    "digest": _("Digest"),
    "file": _("File"),
    "filter": _("Filtered by"),
    "from_department": _("Department before"),
    "former_access": _("Former owner's access"),
    "from_owner": _("Owner before"),
    "group": _("Group"),
    "groups": _("Groups"),
    "includes": _("Includes"),
    "kind": _("Kind"),
    "level": _("Level"),
    "limit": _("Limit"),
    "manager": _("Manager"),
    "from_partition": _("Partition before"),
    "member": _("Colleague"),
    "method": _("Method"),
    "mode": _("Mode of administration"),
    "name": _("Name"),
    "other_departments": _("Secondary departments"),
    "owner": _("Owner"),
    "partition": _("Partition"),
    "partitions": _("Admissions ended"),
    "path": _("Page"),
    "permission": _("Permission"),
    "permissions": _("Permissions"),
    "position": _("Position"),
    "positions": _("Positions"),
    "post": _("Post"),
    "posts": _("Posts"),
    "principal": _("Given to"),
    "question": _("Question"),
    "reason": _("Reason"),
    "records": _("Records"),
    "reports": _("Direct reports"),
    "reports_to": _("Now report to"),
    "record": _("Record"),
    "request": _("Access request"),
    "rights": _("Rights"),
    "role": _("Role"),
    "roles": _("Roles ended"),
    "rows": _("Rows"),
    "rule": _("Rule"),
    "search": _("Searched"),
    "sessions": _("Sessions ended"),
    "sort": _("Sorted by"),
    "successors": _("Successors"),
    "task": _("Approval task"),
    "teams": _("Teams left"),
    "title": _("Title"),
    "to_department": _("Department afterwards"),
    "to_owner": _("Owner afterwards"),
    "to_partition": _("Partition afterwards"),
    "told": _("The answer was told"),
    "until": _("Until"),
    "use": _("Break-glass"),
    "version": _("Version"),
    "wait": _("Seconds to wait"),
}

# Facts that one type of event calls otherwise.
OF_TYPE: dict[tuple[str, str], str | Promise] = {
    ("policy.submitted", "title"): pgettext_lazy("change set", "Title")
}


def label_of(type_name: str, fact: str) -> str | Promise:
    """Return what a fact of an event is called."""
    return OF_TYPE.get((type_name, fact)) or FACTS.get(fact, fact)


# Facts whose value is the number of a user (or several), or of a department.
USERS = {"delegator", "from_owner", "to_owner", "owner", "manager", "member", "reports_to", "successors"}
DEPARTMENTS = {"from_department", "to_department"}
# Facts whose value is the number of a partition.
PARTITIONS = {"from_partition", "to_partition"}

REASONS: dict[str, str | Promise] = {
    "no_grant": _("No role grants this."),
    "out_of_scope": _("The record lies outside of what the roles grant."),
    "not_found": _("There is no such record, or it may not be viewed."),
    "wrong_code": _("The set-up code is wrong."),
    "wrong_credentials": _("The name and the password do not match, or the account is closed."),
    "by_administrator": _("An administrator ended it."),
    "by_themselves": _("They ended it themselves."),
    "second_factor_reset": _("The second factors were reset."),
    "idle": _("It lay idle for too long."),
    "password_set": _("A new password was set."),
    "too_old": _("It had lasted as long as a session may."),
    "too_many_failures": _("There were too many failures before."),
}
