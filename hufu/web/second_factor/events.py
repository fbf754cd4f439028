"""What the log knows of second factors."""

from django.utils.translation import gettext_lazy as _

from hufu.audit import EventType, declare, shown

declare(
    EventType("auth.second_factor_enrolled", _("Second factor set up"), shown("kind"), "personal"),
    EventType("auth.second_factor_removed", _("Second factor removed"), shown("kind"), "personal"),
    EventType("auth.second_factor_renamed", _("Second factor renamed"), shown("kind"), "personal"),
    EventType("auth.second_factor_used", _("Second factor proved"), shown("kind", "step"), "personal"),
    EventType("auth.second_factor_failed", _("Second factor failed"), shown("step"), "personal"),
    EventType("auth.recovery_used", _("Recovery code used"), shown("step", "left"), "personal"),
)
