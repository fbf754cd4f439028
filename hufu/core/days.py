"""Days that people type, the moments at which they begin and have passed, and both in words.

What ends with a day is kept as the midnight after it, and shown as that day: `end_words` takes back what `end_of` does.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import overload

from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext
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


def last_day(end: datetime) -> date | None:
    """Return the day with which something ends at this moment, in the time zone of whoever asks; None within a day."""
    local = localtime(end)
    return local.date() - timedelta(days=1) if local.time() == time() else None


def moment_words(moment: datetime) -> str:
    """Return a moment in words, in the time zone of whoever asks."""
    return date_format(localtime(moment), "DATETIME_FORMAT")


def end_words(end: datetime) -> str:
    """Return in words when something ends: the last day that it holds, or the moment within a day."""
    day = last_day(end)
    if day is None:
        return moment_words(end)
    return gettext("%s, that day included") % date_format(day, "DATE_FORMAT")
