"""What the log knows of changes to the policy."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, kept, shown

declare(
    EventType("company.set_up", _("Company set up"), shown("name", "mode")),
    EventType("partition.created", _("Partition created"), shown("key", "name")),
    EventType("partition.renamed", _("Partition renamed"), shown("key", "before", "after")),
    EventType("role.created", _("Role created"), (*shown("key", "name", "administrator"), *kept("grants"))),
    EventType("role.changed", _("Role changed"), (*shown("key"), *kept("before", "after"))),
    EventType("role.removed", _("Role removed"), (*shown("key"), *kept("before"))),
    EventType("base_access.changed", _("Base access changed"), shown("type", "before", "after")),
    EventType("role.assigned", _("Role assigned"), shown("role", "principal", "starts_at", "ends_at")),
    EventType("role.unassigned", _("Role assignment ended"), shown("role", "principal")),
    EventType(
        "role.end_changed",
        _("End of a role assignment changed"),
        (*shown("role", "principal", "ends_at"), *kept("before")),
    ),
    EventType(
        "partition.admitted",
        _("Admitted to a partition"),
        shown("partition", "principal", "rights", "starts_at", "ends_at"),
    ),
    EventType(
        "partition.admission_ended", _("Admission to a partition ended"), shown("partition", "principal")
    ),
    EventType(
        "partition.admission_end_changed",
        _("End of an admission to a partition changed"),
        (*shown("partition", "principal", "ends_at"), *kept("before")),
    ),
    EventType(
        "gate.created", _("Access limit created"), (*shown("key", "name"), *kept("conditions", "binds"))
    ),
    EventType("gate.changed", _("Access limit changed"), (*shown("key"), *kept("before", "after"))),
    EventType("gate.removed", _("Access limit removed"), (*shown("key"), *kept("before"))),
    EventType("gate.lifted", _("Access limit lifted from signing in"), shown("key")),
    EventType(
        "prohibition.made",
        _("Forbidden"),
        shown("permission", "principal", "starts_at", "ends_at"),
    ),
    EventType("prohibition.ended", _("Prohibition ended"), shown("permission", "principal")),
    EventType("quota.created", _("Quota created"), (*shown("key", "name"), *kept("counts", "limits"))),
    EventType("quota.changed", _("Quota changed"), (*shown("key"), *kept("before", "after"))),
    EventType("quota.removed", _("Quota removed"), (*shown("key"), *kept("before"))),
    EventType("quota.nearly_used_up", _("Quota nearly used up"), shown("quota", "span", "used", "most")),
    EventType(
        "duplicate_check.configured",
        _("What a duplicate check tells changed"),
        shown("type", "before", "after"),
    ),
    EventType(
        "duty.created", _("Separation of duties created"), (*shown("key", "name", "most"), *kept("roles"))
    ),
    EventType("duty.changed", _("Separation of duties changed"), (*shown("key"), *kept("before", "after"))),
    EventType("duty.ended", _("Separation of duties ended"), (*shown("key"), *kept("before"))),
    EventType(
        "duty.tolerated",
        _("Exceptions from a separation of duties tolerated"),
        (*shown("key", "until"), *kept("people")),
    ),
    EventType("administration.delegated", _("Administration delegated"), shown("within", "roles")),
    EventType("administration.delegation_ended", _("Delegated administration ended"), shown("within")),
    EventType(
        "security.emergency_appointed",
        _("EMERGENCY: security administrator appointed on the server"),
        shown("even_though"),
    ),
    EventType("security.emergency_reviewed", _("Emergency appointment reviewed"), shown("number")),
    EventType(
        "security.glass_broken",
        _("EMERGENCY: records opened by break-glass"),
        shown("use", "rule", "ends_at"),
    ),
    EventType(
        "security.glass_used", _("EMERGENCY: record reached by break-glass"), shown("use", "permission")
    ),
    EventType("security.glass_ended", _("Break-glass ended"), shown("use")),
    EventType("security.glass_reviewed", _("Break-glass reviewed"), shown("use")),
    EventType("glass.ruled", _("Break-glass rule set"), (*shown("key"), *kept("before", "after"))),
    EventType("glass.unruled", _("Break-glass rule removed"), (*shown("key"), *kept("before"))),
    EventType("move.approved", _("Combination approved beforehand"), shown("combination")),
    EventType("move.approval_ended", _("Combination no longer approved beforehand"), shown("combination")),
    EventType("change.pending", _("Change waits for release"), shown("field", "value", "asked_by", "leaves")),
    EventType("change.released", _("Waiting change released"), shown("field", "value", "asked_by", "leaves")),
    EventType(
        "change.withdrawn", _("Waiting change withdrawn"), shown("field", "value", "asked_by", "leaves")
    ),
    EventType(
        "rule.created",
        _("Sharing rule created"),
        (
            *shown("key", "kind", "name", "type", "access", "superiors", "parent", "starts_at", "ends_at"),
            *kept("condition", "to"),
        ),
    ),
    EventType("rule.changed", _("Sharing rule changed"), (*shown("key", "kind"), *kept("before", "after"))),
    EventType(
        "pool.created",
        _("Pool created"),
        (*shown("key", "name", "type", "partition", "hides"), *kept("members")),
    ),
    EventType("pool.changed", _("Pool changed"), (*shown("key"), *kept("before", "after"))),
    EventType("pool.ended", _("Pool ended"), (*shown("key"), *kept("before"))),
    EventType("rule.ended", _("Sharing rule ended"), (*shown("key", "kind"), *kept("before"))),
    EventType(
        "policy.submitted",
        _("Change set submitted"),
        shown("change_set", "title", "base_version", "narrows", "risk"),
    ),
    EventType(
        "policy.drafted", _("Draft of the policy changed"), shown("role", "permissions", "type", "access")
    ),
    EventType("policy.draft_viewed", _("Draft of the policy viewed"), shown("changes")),
    EventType("policy.draft_undone", _("Change taken out of a draft of the policy"), shown("key")),
    EventType("policy.draft_discarded", _("Draft of the policy discarded"), shown("changes")),
    EventType(
        "policy.draft_carried", _("Draft of the policy carried over"), shown("base_version", "version")
    ),
    EventType("policy.rejected", _("Change set rejected"), shown("change_set")),
    EventType("policy.withdrawn", _("Change set withdrawn"), shown("change_set")),
    EventType("reporting.opened", _("Reporting sign-in opened"), shown("ends_at")),
    EventType("reporting.closed", _("Reporting sign-in closed")),
    EventType(
        "delegation.given", _("Delegated to a colleague"), shown("permissions", "starts_at", "ends_at")
    ),
    EventType("delegation.ended", _("Delegation ended"), shown("delegator", "permissions")),
    EventType(
        "access.requested", _("Asked for access"), shown("request", "access", "permission", "until", "hit")
    ),
    EventType("access.request_withdrawn", _("Request for access withdrawn"), shown("request")),
    EventType(
        "access.request_granted",
        _("Request for access granted"),
        shown("request", "member", "permission", "ends_at", "told"),
    ),
    EventType(
        "access.request_rejected",
        _("Request for access rejected"),
        shown("request", "member", "permission", "ends_at", "told"),
    ),
    EventType(
        "admission.asked",
        _("Asked to let a share across the wall"),
        shown("request", "member", "access", "ends_at"),
    ),
    EventType(
        "admission.let_across",
        _("Share let across the wall"),
        shown("request", "share", "member", "access", "ends_at"),
    ),
    EventType(
        "admission.kept_out",
        _("Share kept behind the wall"),
        shown("request", "share", "member", "access", "ends_at"),
    ),
    EventType("admission.ended", _("Share across the wall ended"), shown("request", "share", "member")),
    EventType(
        "admission.withdrawn",
        _("Request to let a share across the wall taken back"),
        shown("request", "share", "member"),
    ),
    EventType(
        "approver.named",
        _("Approver of requests named"),
        shown("type", "partition", "role", "by", "by_role", "principal"),
    ),
    EventType(
        "approver.ended",
        _("Approver of requests ended"),
        shown("type", "partition", "role", "by", "by_role", "principal"),
    ),
    # Asked about the target; `at` where it is about another day. The answer is not kept.
    EventType(
        "access.asked", _("Asked about somebody's rights"), shown("question", "permission", "record", "at")
    ),
)
