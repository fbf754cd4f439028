"""How many companies are generated, and which: the same in every run, or new ones from a seed (`make prove`).

| variable                  | what it changes                                                                  |
|---------------------------|----------------------------------------------------------------------------------|
| `HUFU_ORGANISATIONS`      | how many are compared; without it as many as a usual run has time for              |
| `HUFU_ORGANISATIONS_SEED` | new ones, from this number; without it always the same ones                       |
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as from_seed
from hypothesis import strategies as st

from tests import other_postgres

Company = TypeVar("Company")

# Which companies a usual run has. By a test's own text they would be others with every change of it.
COMPANIES = 0x459B738687EA2C32DD141A0BE9C039C3BAE457203D6BEC6A7B3E1DF58D469A9BF7EBB54B981432B35D11B481A24D887C
# On a second PostgreSQL fewer: what differs there is SQL, not the policy.
_USUAL = "8" if other_postgres.VARIABLE in os.environ else "40"
COUNT = int(os.environ.get("HUFU_ORGANISATIONS", _USUAL))
SEED = int(os.environ.get("HUFU_ORGANISATIONS_SEED", COMPANIES))
# A run of them is compared in parts, side by side. A part of ten must have seen every decision, so none has fewer where
# there are enough.
_IN_A_PART = 10 if COUNT >= 10 else 4
PARTS = range(max(1, min(4, COUNT // _IN_A_PART)))


def part(number: int) -> Sequence[int]:
    """Return the numbers of the companies that belong to a part."""
    return range(COUNT)[number :: len(PARTS)]


def each(
    numbers: Sequence[int],
    draw: Callable[[st.DataObject], Company],
    look: Callable[[Company], None],
    *phases: Phase,
    seed: int = SEED,
) -> None:
    """Draw companies and look at them; one at which `look` raises shrinks where a phase says so.

    Each is drawn from a seed of its own. One run of hypothesis that draws them all takes most of them from one another,
    with some parts doubled: forty were ten.
    """
    for number in numbers:
        _one(draw, look, phases, seed + number)


def _one(
    draw: Callable[[st.DataObject], Company],
    look: Callable[[Company], None],
    phases: tuple[Phase, ...],
    seed: int,
) -> None:
    drawn = 0
    differs = False

    @from_seed(seed)
    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def company(data: st.DataObject) -> None:
        nonlocal drawn, differs
        made = draw(data)
        drawn += 1
        # Whatever the seed, the first is the simplest there is. What differed is looked at until it is small.
        if drawn == 1 and not differs:
            return
        try:
            look(made)
        except Exception:
            differs = True
            raise

    company()
    assert drawn > 1, f"nothing was drawn from {seed}"
