"""Change sets: definitions change by drafts that are rehearsed, tested, approved and published as versions."""

from hufu.access.change_sets.drafts import (
    Submitted,
    approve,
    find,
    has_another_approver,
    rebase,
    reject,
    roll_back,
    submit,
    text_of,
    withdraw,
)
from hufu.access.change_sets.rehearsal import Rehearsal, rehearse, test_standing

__all__ = [
    "Rehearsal",
    "Submitted",
    "approve",
    "find",
    "has_another_approver",
    "rebase",
    "rehearse",
    "reject",
    "roll_back",
    "submit",
    "test_standing",
    "text_of",
    "withdraw",
]
