"""The kinds of people of the measured company, and which numbers of people are of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FEWEST_PEOPLE = 30
# So many report to one person: in a company of tens fewer, or nobody would lead a representative.
REPORTS = 20
REPORTS_IN_A_SMALL_COMPANY = 4
SMALL_COMPANY = 1000
# Every so manieth representative is one whose records are old.
DORMANT_EVERY = 10


class Admitted(StrEnum):
    """To which partitions somebody is admitted."""

    NOWHERE = "nowhere"
    HOME = "home"
    SOME = "some"  # home, and up to two others
    SEVERAL = "several"  # home, and up to four others
    RARE = "rare"  # one of those in which few records lie
    EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Archetype:
    """A kind of people: the scope of their role, where they are admitted, and whether they own records.

    `title` is the title of their accounts, by which a measurement finds them. `most_at_first`: the first of them has
    the most of what the kind is about.
    """

    title: str
    scope: str
    admitted: Admitted
    sells: bool = False
    most_at_first: bool = False


CHIEF = Archetype("chief executive", "everything", Admitted.EVERYWHERE)
DIRECTOR = Archetype("director", "everything", Admitted.SEVERAL, sells=True)
MANAGER = Archetype("middle manager", "department_and_below", Admitted.SOME, sells=True)
LEAD = Archetype("lead", "subordinates", Admitted.SOME, sells=True)
REPRESENTATIVE = Archetype("representative", "own", Admitted.SOME, sells=True)
SHARED = Archetype(
    "representative with thousands of shares", "own", Admitted.SOME, sells=True, most_at_first=True
)
DORMANT = Archetype("dormant representative", "own", Admitted.SOME, sells=True)
HOUSE = Archetype("house account", "own", Admitted.SOME, sells=True)
SERVICE = Archetype("customer service", "everything", Admitted.HOME)
ELSEWHERE = Archetype("manager of departments elsewhere", "department_and_below", Admitted.RARE)
RARE = Archetype("director of rare partitions", "everything", Admitted.RARE)
NOBODY = Archetype("nobody", "own", Admitted.NOWHERE)

ARCHETYPES = (
    CHIEF, DIRECTOR, MANAGER, LEAD, REPRESENTATIVE, SHARED, DORMANT, HOUSE, SERVICE, ELSEWHERE, RARE, NOBODY,
)  # fmt: skip

# Of 5,000 people, from the top of the reporting line and from its end; leads are whoever else has reports, and who is
# in neither list is a representative.
FROM_THE_TOP = ((CHIEF, 1), (DIRECTOR, 20), (MANAGER, 60))
BELOW_THE_LEADS = ((SHARED, 500),)
AT_THE_END = ((HOUSE, 3), (RARE, 20), (CHIEF, 10), (ELSEWHERE, 20), (SERVICE, 200), (NOBODY, 50))
OUT_OF = 5000


@dataclass(frozen=True)
class Numbers:
    """The people with numbers from `first` to `last` are of this kind."""

    archetype: Archetype
    first: int
    last: int


def reports_each(users: int) -> int:
    """Return how many people report to one person."""
    return REPORTS if users >= SMALL_COMPANY else REPORTS_IN_A_SMALL_COMPANY


def numbers(users: int) -> list[Numbers]:
    """Return who is what in a company of so many people, in order and without a gap; dormant representatives stand
    among the representatives (see company.sql)."""
    found: list[Numbers] = []
    next_number = 1

    def add(archetype: Archetype, amount: int) -> None:
        nonlocal next_number
        found.append(Numbers(archetype, next_number, next_number + amount - 1))
        next_number += amount

    def share(amount: int) -> int:
        # There are three house accounts and one head of the company, however many people there are.
        return amount if amount <= 3 else max(1, round(users * amount / OUT_OF))

    for archetype, amount in FROM_THE_TOP:
        add(archetype, share(amount))
    leading = (users - 2) // reports_each(users) + 1
    add(LEAD, leading - next_number + 1)
    for archetype, amount in BELOW_THE_LEADS:
        add(archetype, share(amount))
    at_the_end = [(archetype, share(amount)) for archetype, amount in AT_THE_END]
    add(REPRESENTATIVE, users - next_number + 1 - sum(amount for _archetype, amount in at_the_end))
    for archetype, amount in at_the_end:
        add(archetype, amount)
    return found
