"""What decided, in a few words: for lines in which a whole sentence (hufu.access.explain) has no room."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from hufu.access.decision.decide import Code

CODES: dict[Code, str | Promise] = {
    Code.COVERED: _("the record is reached"),
    Code.HELD: _("a role grants it"),
    Code.UNKNOWN_PERSON: _("there is no such person"),
    Code.ACCOUNT_CLOSED: _("the account is closed"),
    Code.PROHIBITED: _("it is forbidden"),
    Code.OUTSIDE_CEILING: _("outside of what the token carries"),
    Code.GATE_CLOSED: _("an access limit is closed"),
    Code.QUOTA_EXHAUSTED: _("a quota is used up"),
    Code.PENDING_RELEASE: _("a change waits for release"),
    Code.DUTY_CONFLICT: _("a separation of duties is in the way"),
    Code.NO_GRANT: _("no role grants it"),
    Code.NOT_ADMITTED: _("not admitted to the partition"),
    Code.OUT_OF_SCOPE: _("outside of what the roles grant"),
    Code.IN_POOL: _("the record lies in a pool"),
    Code.RULE_BROKEN: _("a sharing rule has an error"),
    Code.NO_VIEW: _("the record may not be viewed"),
    Code.NO_PARENT: _("what it belongs to is not reached"),
    Code.RECORD_DELETED: _("the record is in the bin"),
    Code.NOT_DELETED: _("the record is not in the bin"),
    Code.NOT_IN_POOL: _("the record lies in no pool"),
    Code.NO_RECORD: _("there is no such record"),
    Code.FIELD_HIDDEN: _("the field is hidden"),
    Code.FIELD_MASKED: _("the field is masked"),
    Code.FIELD_READ_ONLY: _("the field is read-only"),
    Code.VOID: _("the record is void"),
    Code.LOCKED: _("the record is locked"),
    Code.TASK_PENDING: _("the record waits for a decision"),
}


def code_words(code: str) -> str:
    """Return what a code means; one that is not known as it stands."""
    return str(CODES[Code(code)]) if code in set(Code) else code
