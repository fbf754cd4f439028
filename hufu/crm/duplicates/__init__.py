"""Duplicates (查重): who else has this customer, values that are nobody else's, and the steward's list.

The one documented exception to “absent and forbidden look alike”: whoever holds `check_duplicate` learns of records
that they may not view what the policy says a check tells, counted and recorded (docs/decisions/0026).
"""

from hufu.crm.duplicates.checks import (
    Disputed,
    Found,
    ask_to_join,
    check,
    dispute,
    facts_in_words,
    fields_in_words,
    joined,
    my_disputes,
    my_hits,
    to_join,
)
from hufu.crm.duplicates.queue import Pair, Side, answer_dispute, decide, disputes, pairs

__all__ = [
    "Disputed",
    "Found",
    "Pair",
    "Side",
    "answer_dispute",
    "ask_to_join",
    "check",
    "decide",
    "dispute",
    "disputes",
    "facts_in_words",
    "fields_in_words",
    "joined",
    "my_disputes",
    "my_hits",
    "pairs",
    "to_join",
]
