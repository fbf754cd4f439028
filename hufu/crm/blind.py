"""Finding encrypted fields by their value: what is indexed of a phone or an identity number, and where it stands.

A blind index belongs to its column: the same number in two columns has two indexes that cannot be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import phonenumbers
from django.db.models import Q

from hufu.access.registry import Field, Kind, ResourceType, Search, resource_types
from hufu.core import vault
from hufu.core.vault.rotation import SealedTable

REGION = "CN"
LAST_DIGITS = 4
FEWEST_DIGITS = 7
IDENTITY_LENGTH = 18


def e164(text: str) -> str:
    """Return a phone number in E.164; what is none keeps its digits. An extension is left out."""
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return "".join(character for character in text if character in "0123456789")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _whole_phone(text: str) -> str:
    return e164(text) if text else ""


def _last_digits(text: str) -> str:
    found = _whole_phone(text).removeprefix("+")
    return found[-LAST_DIGITS:] if len(found) >= FEWEST_DIGITS else ""


def _identity(text: str) -> str:
    return "".join(text.split()).upper()


# By kind: the suffix of the column, and what of the value is indexed ("" for nothing).
INDEXED: dict[Kind, tuple[tuple[str, Callable[[str], str]], ...]] = {
    Kind.PHONE: (("_index", _whole_phone), ("_last_index", _last_digits)),
    Kind.IDENTITY_NUMBER: (("_index", _identity),),
}


def indexed_fields(resource: ResourceType) -> Iterator[Field]:
    """Yield the encrypted fields that can be found by their value."""
    for declared in resource.fields:
        if declared.is_encrypted and declared.search is Search.EXACT:
            yield declared


def index_columns(resource: ResourceType, values: Mapping[str, Any]) -> dict[str, bytes | None]:
    """Return the blind indexes of those of the values that have any."""
    found: dict[str, bytes | None] = {}
    for declared in indexed_fields(resource):
        if declared.name in values:
            for suffix, indexed in INDEXED[declared.kind]:
                column = f"{declared.column}{suffix}"
                what = indexed(values[declared.name] or "")
                found[column] = vault.blind_index(vault.INDEX, said(resource, column, what)) if what else None
    return found


def said(resource: ResourceType, column: str, what: str) -> bytes:
    """Return what an index is made from: the value and where it stands."""
    return f"{resource.table}.{column}:{what}".encode()


def searched(resource: ResourceType, declared: Field, text: str) -> Q | None:
    """Return the condition that a search text is the whole phone, its last four digits or the identity number.

    None where the text can be nothing of that.
    """
    digits = sum(character in "0123456789" for character in text)
    if declared.kind is Kind.PHONE and text.isascii() and text.isdigit() and len(text) == LAST_DIGITS:
        suffix, what = "_last_index", text
    elif declared.kind is Kind.PHONE and digits >= FEWEST_DIGITS and not any(map(str.isalpha, text)):
        suffix, what = "_index", e164(text)
    elif declared.kind is Kind.IDENTITY_NUMBER and len(_identity(text)) == IDENTITY_LENGTH:
        suffix, what = "_index", _identity(text)
    else:
        return None
    column = f"{declared.column}{suffix}"
    return Q(**{f"{column}__in": vault.blind_indexes(vault.INDEX, said(resource, column, what))})


def whole(resource: ResourceType, declared: Field, text: str) -> list[bytes]:
    """Return the blind indexes, under every key in use, of a text as the whole value; none where it cannot be one."""
    suffix, indexed = INDEXED[declared.kind][0]
    digits = sum(character in "0123456789" for character in text)
    if declared.kind is Kind.PHONE and (digits < FEWEST_DIGITS or any(map(str.isalpha, text))):
        return []
    what = indexed(text)
    if not what:
        return []
    return list(vault.blind_indexes(vault.INDEX, said(resource, f"{declared.column}{suffix}", what)))


def sealed_tables() -> Iterator[SealedTable]:
    """Yield the table of every type that has encrypted fields."""
    for resource in resource_types():
        columns = tuple(declared.column for declared in resource.fields if declared.is_encrypted)
        if columns:
            indexes = tuple(
                f"{declared.column}{suffix}"
                for declared in indexed_fields(resource)
                for suffix, _indexed in INDEXED[declared.kind]
            )
            yield SealedTable(resource.table, columns, indexes, partial(index_columns, resource))
