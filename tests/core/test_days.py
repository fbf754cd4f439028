"""Days and moments in words: what ends with a day is shown as that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone, translation

from hufu.core import days

DAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "30 November 2026, that day included"), ("zh-hans", "2026年11月30日（含当日）")],
)
def test_what_ends_with_a_day_is_shown_as_that_day(language: str, said: str) -> None:
    with translation.override(language):
        assert days.end_words(days.end_of(DAY)) == said


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/Berlin", "America/Los_Angeles"])
@pytest.mark.parametrize("day", [DAY, date(2026, 3, 28), date(2026, 10, 25), date(2028, 2, 29)])
def test_the_day_comes_back_in_every_zone_and_when_clocks_change(zone: str, day: date) -> None:
    with timezone.override(zone):
        assert days.last_day(days.end_of(day).astimezone(UTC)) == day
        assert days.last_day(days.end_of(day) - timedelta(minutes=1)) is None


def test_a_moment_within_a_day_is_told_as_such_in_the_readers_zone() -> None:
    moment = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    with translation.override("en"):
        assert days.end_words(moment) == days.moment_words(moment) == "1 December 2026, 00:30"
        with timezone.override("Europe/Berlin"):
            assert days.moment_words(moment) == "30 November 2026, 17:30"
            # Midnight in Shanghai is no end of a day in Berlin.
            assert days.end_words(datetime(2026, 11, 30, 16, tzinfo=UTC)) == "30 November 2026, 17:00"
