"""Days that people type, and the moments at which they begin and have passed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import overload

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.timezone import get_current_timezone
from django.utils.translation import gettext_lazy as _

# Validators of every field that asks for a day: at the ends of the calendar no time zone can be reckoned.
DAYS = (
    MinValueValidator(date(1970, 1, 1), _("Choose a day from 1970 to 2999.")),
    MaxValueValidator(date(2999, 12, 31), _("Choose a day from 1970 to 2999.")),
)


def beginning_of(day: date) -> datetime:
    """Return the first moment of one of the DAYS, in the time zone of whoever asks."""
    return datetime.combine(day, time(), get_current_timezone())


@overload
def end_of(day: date) -> datetime: ...


@overload
def end_of(day: None) -> None: ...


def end_of(day: date | None) -> datetime | None:
    """Return the moment at which one of the DAYS has passed, in the time zone of whoever asks."""
    return beginning_of(day + timedelta(days=1)) if day is not None else None
