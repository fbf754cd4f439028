"""Duplicates (查重): who else has this customer, values that are nobody else's, and the steward's list.

The one documented exception to “absent and forbidden look alike”: whoever holds `check_duplicate` learns of records
that they may not view what the policy says a check tells, counted and recorded (docs/decisions/0026).
"""

from hufu.crm.duplicates.checks import Found, check, dispute, facts_in_words, my_hits, number_to_join
from hufu.crm.duplicates.queue import Pair, Side, answer_dispute, decide, disputes, pairs

__all__ = [
    "Found",
    "Pair",
    "Side",
    "answer_dispute",
    "check",
    "decide",
    "dispute",
    "disputes",
    "facts_in_words",
    "my_hits",
    "number_to_join",
    "pairs",
]
