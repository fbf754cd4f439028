"""Columns of sealed text: plain text in Python, bytes that say nothing in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from django.db import models

from hufu.core.vault import data_keys, values

if TYPE_CHECKING:
    _TextField = models.Field[str, str]
else:
    _TextField = models.Field


class SealedText(_TextField):
    """Text that is sealed on its way into the database, bound to its table and column. The empty text is empty there.

    The database can neither compare nor sort it, so it takes no part in conditions: what must be found by its value
    has a blind index beside it.
    """

    description = "Sealed text"

    @property
    def place(self) -> bytes:
        """What values of this column are bound to."""
        return f"{self.model._meta.db_table}.{self.column}".encode()

    def db_type(self, connection: Any) -> str:
        return "bytea"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None or value == "":
            return b""
        return values.seal(data_keys.FIELD, str(value).encode(), self.place)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        return values.unseal(data_keys.FIELD, bytes(value), self.place).decode() if value else ""

    def get_lookup(self, lookup_name: str) -> NoReturn:
        raise TypeError(f"{self.name} is sealed: no condition can look into it.")
