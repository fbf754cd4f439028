"""Writing many records at once, and finding those that the database refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from django.db import IntegrityError, transaction

from hufu.core.errors import Invalid

T = TypeVar("T")


def apart(
    items: Sequence[T], write: Callable[[Sequence[T]], None]
) -> Iterator[tuple[T, Invalid | IntegrityError]]:
    """Write all that can be written; yield each item that cannot, and why.

    The database does not say which one it is: the items are halved until it is found.
    """
    try:
        with transaction.atomic():
            write(items)
    except (Invalid, IntegrityError) as error:
        if len(items) == 1:
            yield items[0], error
            return
        middle = len(items) // 2
        yield from apart(items[:middle], write)
        yield from apart(items[middle:], write)
