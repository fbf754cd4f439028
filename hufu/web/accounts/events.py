"""What the log knows of accounts, beside signing in and out."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, shown

declare(
    EventType("auth.password_set", _("Password set"), shown("method"), "personal"),
    EventType("setup.opened", _("Set-up page opened with its code")),
    EventType("setup.refused", _("Set-up page: wrong code")),
)
