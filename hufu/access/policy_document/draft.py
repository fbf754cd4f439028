"""What planning a policy document works on: problems with their places, steps, and what is planned so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from hufu.access.models import Partition, Role
from hufu.access.registry import Risk
from hufu.core.actor import Actor
from hufu.core.errors import Invalid

# The longest that the columns hold.
LONGEST = {"key": 64, "code": 64, "name": 120}


class Problems:
    """Everything that is wrong with a file, with the place of each."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}

    def add(self, place: str, message: str) -> None:
        self.found.setdefault(place, []).append(message)

    def check_keys(self, place: str, entry: Any, allowed: Iterable[str], required: Iterable[str]) -> bool:
        """Say whether `entry` is a mapping of allowed keys that has the required ones."""
        if not isinstance(entry, Mapping):
            self.add(place, _("This must be a mapping."))
            return False
        before = len(self.found.get(place, ()))
        for key in sorted(set(map(str, entry)) - set(allowed)):
            self.add(place, _("There is no setting “%s” here.") % key)
        for key in required:
            if entry.get(key) in (None, ""):
                self.add(place, _("“%s” is missing.") % key)
        for key, longest in LONGEST.items():
            value = entry.get(key)
            if value is None or key not in allowed:
                continue
            if isinstance(value, bool) or not isinstance(value, (str, int)):
                self.add(place, _("“%s” must be text; put it in quotes.") % key)
            elif len(str(value)) > longest:
                self.add(
                    place,
                    _("“%(key)s” is longer than %(longest)s characters.") % {"key": key, "longest": longest},
                )
        return len(self.found.get(place, ())) == before

    def entries(self, section: str, entries: Any) -> Iterator[tuple[str, Any]]:
        """Yield (place, entry) for a list; anything else is a problem, and nothing at all is an empty list."""
        if entries is None:
            return
        if not isinstance(entries, list):
            self.add(section, _("This must be a list."))
            return
        for index, entry in enumerate(entries, start=1):
            yield f"{section}[{index}]", entry

    def names(self, place: str, entries: Any) -> list[str]:
        """Return a list of names; a single name may stand alone."""
        listed = entries if isinstance(entries, list) else [] if entries is None else [entries]
        for entry in listed:
            if isinstance(entry, bool) or not isinstance(entry, (str, int)):
                self.add(place, _("This must be a list of names."))
                return []
        return list(dict.fromkeys(map(str, listed)))

    def stop(self) -> None:
        """Raise Invalid where something was found."""
        if self.found:
            raise Invalid(self.found)


@dataclass(frozen=True)
class Step:
    """One difference between a document and the policy that stands, and the deed that ends it.

    `label` names it by numbers, for the log; `words` as the document does. `covers` returns the type and the condition
    of the records that it shares, as far as these can be told by then. `narrows`: it takes away only; what is not known
    to do so widens, with `risk`. `given`: it gives something to somebody, which is no definition.
    """

    place: str
    label: str
    words: str
    creates: bool
    deed: Callable[[Actor], object]
    covers: Callable[[], tuple[str, Mapping[str, Any]] | None] | None = None
    narrows: bool = False
    risk: Risk = Risk.HIGH
    given: bool = False
    removes: bool = False


@dataclass
class Draft:
    """What is planned so far. A partition or role that the plan creates is None until its step was done."""

    problems: Problems = field(default_factory=Problems)
    steps: list[Step] = field(default_factory=list)
    partitions: dict[str, Partition | None] = field(default_factory=dict)
    roles: dict[str, Role | None] = field(default_factory=dict)
    inherits: dict[str, list[str]] = field(default_factory=dict)
    grants: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    administrators: set[str] = field(default_factory=set)

    def add(
        self,
        place: str,
        label: str,
        deed: Callable[[Actor], object],
        *,
        creates: bool,
        words: str = "",
        covers: Callable[[], tuple[str, Mapping[str, Any]] | None] | None = None,
        narrows: bool = False,
        risk: Risk = Risk.HIGH,
        given: bool = False,
        removes: bool = False,
    ) -> None:
        """Add a step. One of which nothing is known widens at high risk."""
        self.steps.append(
            Step(place, label, words or label, creates, deed, covers, narrows, risk, given, removes)
        )

    def partition(self, key: str) -> Partition:
        found = self.partitions[key]
        assert found is not None
        return found

    def role(self, key: str) -> Role:
        found = self.roles[key]
        assert found is not None
        return found


def _key_of(entry: Any) -> Any:
    return entry["key"]


@dataclass(frozen=True)
class Section:
    """One section of a policy document: how it is planned, and how what stands is written as one.

    `plan` reads what the document says (None where it says nothing), adds the steps and the problems to the draft, and
    changes nothing. `export` returns what `plan` would read. What a document does not name stays. What its `removes`
    names goes, where the section can: `remove` plans that for one entry, and `identity` returns such an entry for one
    that `export` gave.
    """

    name: str
    plan: Callable[[Draft, Any], None]
    export: Callable[[], Any]
    remove: Callable[[Draft, str, Any], None] | None = None
    identity: Callable[[Any], Any] = _key_of


def again(draft: Draft, place: str, key: str, named: set[str] | dict[str, str]) -> bool:
    """Say whether the key stood in the section before, which is a problem."""
    if key in named:
        draft.problems.add(place, _("“%s” stands here twice.") % key)
        return True
    if isinstance(named, set):
        named.add(key)
    return False
