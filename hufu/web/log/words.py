"""The names that events use for facts and reasons, in words. What is not listed here is shown as it stands."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FACTS: dict[str, str | Promise] = {
    "access": _("Access"),
    "at": _("As of"),
    "children": _("What followed it"),
    "count": _("Records given"),
    "digest": _("Digest"),
    "file": _("File"),
    "filter": _("Filtered by"),
    "from_department": _("Department before"),
    "former_access": _("Former owner's access"),
    "from_owner": _("Owner before"),
    "from_partition": _("Partition before"),
    "member": _("Colleague"),
    "method": _("Method"),
    "name": _("Name"),
    "partition": _("Partition"),
    "path": _("Page"),
    "permission": _("Permission"),
    "principal": _("Given to"),
    "question": _("Question"),
    "reason": _("Reason"),
    "record": _("Record"),
    "rights": _("Rights"),
    "role": _("Role"),
    "rows": _("Rows"),
    "search": _("Searched"),
    "sort": _("Sorted by"),
    "to_department": _("Department afterwards"),
    "to_owner": _("Owner afterwards"),
    "to_partition": _("Partition afterwards"),
    "version": _("Version"),
}

# Facts whose value is the number of a user or of a department.
USERS = {"from_owner", "to_owner", "member"}
DEPARTMENTS = {"from_department", "to_department"}

REASONS: dict[str, str | Promise] = {
    "no_grant": _("No role grants this."),
    "out_of_scope": _("The record lies outside of what the roles grant."),
    "not_found": _("There is no such record, or it may not be viewed."),
    "wrong_credentials": _("The name and the password do not match, or the account is closed."),
    "too_many_failures": _("There were too many failures before."),
}
