"""What `hufu doctor` reports. An app contributes by `AppConfig.doctor_checks(self) -> Iterable[Finding]`, and, what
reads all records, by `AppConfig.deep_checks(self, *, repair: bool)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: all is well, or what is wrong and what to do. A note says how it stands."""

    name: str
    problem: str = ""
    remedy: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def guarded(name: str, check: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; a check that breaks off is a finding too, never silence."""
    try:
        yield from check()
    except Exception as error:
        text = str(error).strip().splitlines()
        yield Finding(
            name, f"could not be checked: {text[0] if text else type(error).__name__}", "See the line above."
        )
