"""Times of several things that are measured in turns, so that what else the machine does falls on all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

# What takes so many milliseconds is measured fewer times: so many.
SLOW = ((1000.0, 3), (200.0, 10))


class TookTooLong(Exception):
    """Something was ended after the longest time that is waited for it."""


@dataclass(frozen=True)
class Times:
    """How many milliseconds something took, at each turn; none where it was ended at its first."""

    each: tuple[float, ...]
    limit: float

    @property
    def p50(self) -> float | None:
        return median(self.each) if self.each else None

    @property
    def p95(self) -> float | None:
        """Of fewer than twenty turns it is the slowest."""
        if len(self.each) < 20:
            return max(self.each, default=None)
        return quantiles(self.each, n=20)[-1]

    @property
    def p99(self) -> float | None:
        """Of fewer than a hundred turns it is the slowest."""
        if len(self.each) < 100:
            return max(self.each, default=None)
        return quantiles(self.each, n=100)[-1]

    def as_dict(self) -> dict[str, Any]:
        """Return the times for programs; without a median it took longer than `over` milliseconds."""
        if not self.each:
            return {"p50": None, "p95": None, "turns": 0, "over": self.limit}
        return {"p50": _rounded(self.p50), "p95": _rounded(self.p95), "turns": len(self.each)}

    def __str__(self) -> str:
        if self.p50 is None or self.p95 is None:
            return f"> {self.limit / 1000:g} s"
        return f"{self.p50:,.2f} / {self.p95:,.2f}"


def ratio(one: Times, other: Times) -> float | None:
    """Return how many times as long the one takes as the other, in the median."""
    return one.p50 / other.p50 if one.p50 is not None and other.p50 else None


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 3)


def timed(run: Callable[[], object]) -> float:
    """Return how many milliseconds a call takes."""
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000


def yardstick() -> float:
    """Return how many milliseconds this machine takes to add a million numbers, to put figures of two runs beside."""
    return median(timed(lambda: sum(range(1_000_000))) for _turn in range(15))


def in_turns(runs: Mapping[str, Callable[[], object]], rounds: int, limit: float) -> dict[str, Times]:
    """Run each in turns and return its times. The first turn of each, which warms up, does not count unless it is slow.

    A run raises TookTooLong where it was ended after `limit` milliseconds; it is not run again.
    """
    each: dict[str, list[float]] = {name: [] for name in runs}
    left: dict[str, int] = {}
    for name, run in runs.items():
        try:
            first = timed(run)
        except TookTooLong:
            left[name] = 0
            continue
        fewer = next((turns for above, turns in SLOW if first > above), rounds)
        left[name] = min(rounds, fewer)
        if left[name] < rounds:
            each[name].append(first)
            left[name] -= 1
    for turn in range(rounds):
        for name, run in runs.items():
            if turn < left[name]:
                try:
                    each[name].append(timed(run))
                except TookTooLong:
                    each[name], left[name] = [], 0
    return {name: Times(tuple(found), limit) for name, found in each.items()}
