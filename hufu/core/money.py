"""Amounts of money as whole minor units: exact, and comparable inside an index."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from hufu.core.errors import Invalid

MINOR_UNITS = 2
LARGEST = 10**16
_AMOUNT = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{0,20})?")


def to_minor(text: str) -> int:
    """Return the amount in minor units; raise Invalid when `text` is no amount with at most two decimals."""
    plain = text.replace(",", "").replace("，", "").strip()
    if not _AMOUNT.fullmatch(plain):
        raise Invalid({"": [_("“%s” is not an amount. Write digits, such as 1200.50.") % text]})
    amount = Decimal(plain).scaleb(MINOR_UNITS)
    if amount != amount.to_integral_value() or abs(amount) > LARGEST:
        raise Invalid({"": [_("“%s” is not an amount with at most two decimals.") % text]})
    return int(amount)


def from_minor(amount: int) -> Decimal:
    """Return the amount in major units, exactly."""
    return Decimal(amount).scaleb(-MINOR_UNITS)


HOME_CURRENCY = "CNY"


def display(amount: int, currency: str = "") -> str:
    """Return the amount for people, with separators, and decimals only where they say something.

    A currency other than the company's own stands before it.
    """
    exact = from_minor(amount)
    decimals = 0 if exact == exact.to_integral_value() else MINOR_UNITS
    figure = f"{exact:,.{decimals}f}"
    return f"{currency} {figure}" if currency not in ("", HOME_CURRENCY) else figure
