"""What is said of a record that its state closes: to whoever tries, and in an explanation."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from hufu.access.decision.states import State, StateFacts
from hufu.core.days import moment_words

_ENDS = tuple(".。!！?？…")


def sentence(facts: StateFacts, by: str) -> str:
    """Return what the state is, since when, by whom (their name, where it is known) and why, as far as is known."""
    if facts.state is State.PENDING:
        return _("The record waits for the decision of an approval task. Until then nobody changes it.")
    if facts.since is None:
        return _("The record is void.") if facts.state is State.VOID else _("The record is locked.")
    words = {
        "since": moment_words(facts.since),
        "by": by or _("the system"),
        "reason": _ended(facts.reason),
    }
    if facts.state is State.VOID:
        if facts.reason:
            return _("The record is void since %(since)s by %(by)s: %(reason)s") % words
        return _("The record is void since %(since)s by %(by)s.") % words
    if facts.reason:
        return _("The record is locked since %(since)s by %(by)s: %(reason)s") % words
    return _("The record is locked since %(since)s by %(by)s.") % words


def _ended(reason: str) -> str:
    """Return a reason as the end of a sentence, which another one may follow."""
    return reason if not reason or reason.endswith(_ENDS) else reason + pgettext("end of a sentence", ".")
