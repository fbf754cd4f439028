"""Finding things by what people call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.utils.translation import gettext as _

from hufu.core.imports.report import Unfit


class Names:
    """Numbers by name. A name that several things share finds none of them."""

    def __init__(self, pairs: Iterable[tuple[str | None, int]]) -> None:
        self._numbers: dict[str, set[int]] = defaultdict(set)
        for name, number in pairs:
            if name:
                self._numbers[name].add(number)

    def find(self, name: str) -> int:
        """Return the number; raise Unfit where nothing, or more than one thing, is called so."""
        found = self._numbers.get(name, set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise Unfit(
                _("%(count)s are called “%(name)s”; name the one that is meant by something unique.")
                % {"count": len(found), "name": name}
            )
        raise Unfit(_("There is no “%s”.") % name)

    def __contains__(self, name: str) -> bool:
        return name in self._numbers
