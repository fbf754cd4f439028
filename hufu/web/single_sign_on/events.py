"""What the log knows of single sign-on, beside signing in and failing to."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, shown

declare(
    EventType(
        "auth.sso_bound", _("Account bound to an identity provider"), shown("provider", "match"), "personal"
    ),
)
