"""The system permissions: people, roles, the log. What they are about is not a business record."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from hufu.access.registry import SYSTEM_SCOPES, Permission, Risk, declare_permissions

declare_permissions(
    (
        Permission("user.view", _("View people and departments"), Risk.LOW, scopes=SYSTEM_SCOPES),
        Permission(
            "user.manage",
            _("Manage people and departments"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_("Creates accounts and changes departments, managers and levels. Gives no roles."),
        ),
        Permission("role.view", _("View roles, assignments and admissions"), Risk.LOW, scopes=SYSTEM_SCOPES),
        Permission(
            "role.manage",
            _("Manage roles, levels and partitions"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_("Changes what a role permits for everybody who holds it."),
        ),
        Permission(
            "role.assign",
            _("Assign roles and admissions"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_("Includes giving colleagues what you may give; never to oneself."),
        ),
        Permission(
            "policy.apply",
            _("Publish a version of the policy"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_("Publishes alone what only takes away; anything else needs somebody who approves it."),
        ),
        Permission(
            "policy.approve",
            _("Approve change sets of others"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_("Publishes what somebody else submitted; never one's own."),
        ),
        Permission(
            "explain.any",
            _("Explain anybody's rights"),
            Risk.MEDIUM,
            scopes=SYSTEM_SCOPES,
            help=_("Sees why somebody may or may not do something, without field values."),
        ),
        Permission("audit.view", _("View the log"), Risk.MEDIUM, scopes=SYSTEM_SCOPES),
        Permission(
            "report.sign_in",
            _("Query one's own records with reporting tools"),
            Risk.HIGH,
            scopes=SYSTEM_SCOPES,
            help=_(
                "By a login to the database that the operator opens. Reads what one may view, as many records as "
                "there are, without a trace of each in the log."
            ),
        ),
    )
)
