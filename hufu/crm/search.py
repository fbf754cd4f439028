"""What the search box looks for: parts of names, how they sound, codes, whole phones and their last digits.

INVARIANT: what is masked for somebody on a record does not find it, or the right guess would tell the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Q, QuerySet

from hufu.access import guard
from hufu.access.fields import is_open
from hufu.access.list_sql import BEGINS, CONTAINS, EQUALS, searched
from hufu.access.lists import ID, SEARCH, Ways
from hufu.access.registry import Field, ResourceType, Search
from hufu.core.actor import Actor
from hufu.core.text import folded, is_storable
from hufu.crm import blind

# So many records are found by a sealed field at most before all rows are asked instead.
MOST_NUMBERS = 500
# How a way of a search is said in a condition of Django's.
LOOKUPS = {CONTAINS: "holds", BEGINS: "starts_with", EQUALS: "exact"}
LEFT_OUT = str.maketrans("", "", " -")
# A way that finds no record.
NOTHING: tuple[str, str, Any] = (EQUALS, ID, [])


def ways(actor: Actor, resource: ResourceType, text: str) -> Ways | None:
    """Return the ways in which a text is looked for in lists of an independent type; None where these cannot tell.

    They cannot where a field of which parts are looked for is readable on some records alone. What the text equals of
    sealed fields, and of codes that are readable on some records, is resolved into numbers of records first.
    """
    text = text.strip()
    if not is_storable(text):
        return [[[NOTHING]]]
    whole: list[tuple[str, str, Any]] = [NOTHING]
    resolved = []
    for declared in resource.fields:
        if declared.search is None:
            continue
        if not declared.is_encrypted and is_open(actor, resource, declared):
            whole += _looked(resource, declared, text)
            continue
        condition = _condition(resource, declared, text)
        readable = guard.readable(actor, resource, declared) if condition is not None else None
        if condition is None or readable is None:
            continue
        if declared.search is Search.PREFIX:
            return None
        resolved.append(condition & readable)
    if resolved:
        rows = guard.scope(actor, resource.permission("view")).filter(reduce(or_, resolved))
        numbers = list(rows.values_list("pk", flat=True)[: MOST_NUMBERS + 1])
        if len(numbers) > MOST_NUMBERS:
            return None
        whole.append((EQUALS, ID, numbers))
    found: Ways = [[whole]]
    # The first word is what an index is asked for: the longest one is the rarest, as a rule.
    words = sorted(text.split(), key=len, reverse=True)
    if len(words) > 1:
        found.append([list(_names(resource, word)) or [NOTHING] for word in words])
    return found


def from_the_nearest(found: Ways | None) -> Iterator[dict[str, Ways]]:
    """Yield what narrows a list to what is the text, to what begins with it, and to all that a search finds."""
    if found is None:
        yield {}
        return
    whole = found[0][0]
    for nearer in (EQUALS, BEGINS):
        yield {SEARCH: [[[(nearer if how == CONTAINS else how, *said) for how, *said in whole]]]}
    yield {SEARCH: found}


def narrowed(actor: Actor, rows: QuerySet[Any], resource: ResourceType, text: str) -> QuerySet[Any]:
    """Narrow rows to those that the search box finds, under their row policies."""
    if not is_storable(text):
        return rows.none()
    words = text.split()
    whole, by_word = Q(pk__in=()), [Q(pk__in=()) for _word in words]
    for declared in resource.fields:
        readable = guard.readable(actor, resource, declared) if declared.search is not None else None
        if readable is None:
            continue
        condition = _condition(resource, declared, text.strip())
        if condition is not None:
            whole |= condition & readable
        if declared.search is Search.PREFIX:
            for number, word in enumerate(words):
                by_word[number] |= _parts(resource, declared, word) & readable
    return rows.filter(whole | reduce(and_, by_word) if len(words) > 1 else whole)


def _condition(resource: ResourceType, declared: Field, text: str) -> Q | None:
    """Return the condition by which the search box looks into a field; None where the text can be nothing of it."""
    return (
        blind.searched(resource, declared, text)
        if declared.is_encrypted
        else _parts(resource, declared, text)
    )


def _parts(resource: ResourceType, declared: Field, text: str) -> Q:
    """Return the condition by which the search box looks into a field that is not sealed."""
    condition = Q()
    for how, column, wanted in _looked(resource, declared, text):
        # What follows a parent is found by the beginning: no index of pieces serves its row policies.
        lookup = LOOKUPS[BEGINS if how == CONTAINS and resource.parent else how]
        condition |= Q(**{f"{column}__{lookup}": wanted})
    return condition


def _names(resource: ResourceType, text: str) -> Iterator[tuple[str, str, str]]:
    for declared in resource.fields:
        if declared.search is Search.PREFIX:
            yield from _looked(resource, declared, text)


def _looked(resource: ResourceType, declared: Field, text: str) -> Iterator[tuple[str, str, str]]:
    """Yield in which columns of a field that is not sealed a text is looked for, and how."""
    columns = searched(resource)
    if declared.search is Search.EXACT:
        # As it is typed, and as codes are kept: in capitals, without spaces and hyphens.
        for code in dict.fromkeys((text, folded(text).translate(LEFT_OUT).upper())):
            yield (EQUALS, declared.column, code)
        return
    yield (CONTAINS, declared.column, text)
    sound = folded(text).replace(" ", "")
    if sound.isascii():
        for column in (f"{declared.name}_sort", f"{declared.name}_initials"):
            if column in columns:
                yield (BEGINS, column, sound)
