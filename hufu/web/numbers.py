"""Numbers that come in with a request."""

from __future__ import annotations

LARGEST = 2**31 - 1
LARGEST_ID = 2**63 - 1


def number(text: object, *, largest: int = LARGEST) -> int:
    """Return the number that a text says, 0 where it says none that the database could hold. Nothing has number 0."""
    digits = str(text or "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return 0
    return int(digits) if int(digits) <= largest else 0


class RecordNumber:
    """The number of a record or row in an address; what the database could not hold is no address."""

    regex = "[0-9]{1,18}"

    def to_python(self, text: str) -> int:
        return int(text)

    def to_url(self, value: int) -> str:
        return str(value)


class TypedNumber:
    """A number as it stands in an address, whether or not a record could have it."""

    regex = "[0-9]{1,40}"

    def to_python(self, text: str) -> str:
        return text

    def to_url(self, value: object) -> str:
        return str(value)
