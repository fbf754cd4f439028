"""What the log knows of accounts, beside signing in and out."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, shown

declare(EventType("auth.password_set", _("Password set"), shown("method"), "personal"))
