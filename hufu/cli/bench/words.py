"""The vocabulary of the measured customers' names: cities, trade names and lines of business, with their sounds."""

from __future__ import annotations

from hufu.cli.demo.names import FIRST, SECOND, WELL_KNOWN
from hufu.cli.demo.places import TERRITORIES
from hufu.core.text import sound
from hufu.crm.resources import SOURCES

# How a line of business reads in a company's name, and its industry; the most frequent first.
LINES = (
    ("机械", "machinery"),
    ("电子", "electronics"),
    ("科技", "technology"),
    ("汽车部件", "automotive"),
    ("软件", "software"),
    ("物流", "logistics"),
    ("食品", "food"),
    ("新能源", "energy"),
    ("化工", "chemicals"),
    ("商贸", "retail"),
    ("精密制造", "manufacturing"),
    ("通信", "telecommunications"),
    ("教育", "education"),
    ("文化传媒", "media"),
    ("医疗器械", "medical"),
    ("广告", "marketing"),
)

Word = tuple[str, int, str, str, str, str]  # kind, number, word, sort key, initials, industry


def words() -> list[Word]:
    """Return all words, numbered by kind: the first of a kind are used most."""
    cities = dict.fromkeys(city.name for cities in TERRITORIES.values() for city in cities)
    trades = (first + second for second in SECOND for first in FIRST)
    found = [_word("city", number, name) for number, name in enumerate(cities)]
    known = [trade for trade in trades if trade not in WELL_KNOWN]
    found += [_word("trade", number, name) for number, name in enumerate(known)]
    found += [_word("line", number, name, industry) for number, (name, industry) in enumerate(LINES)]
    return found


def sources() -> list[tuple[int, str]]:
    """Return the sources of customers, numbered."""
    return [(number, key) for number, (key, _label) in enumerate(SOURCES)]


def _word(kind: str, number: int, text: str, industry: str = "") -> Word:
    sort, initials = sound(text)
    return kind, number, text, sort, initials, industry
