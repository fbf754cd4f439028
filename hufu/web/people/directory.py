"""Finding colleagues by what one types, and paging through them by name."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from django.db.models import Q, QuerySet

from hufu.core.text import is_storable
from hufu.people.models import User


def narrowed(people: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Return those whose name, pinyin or user name begins with the text."""
    text = text.strip()
    if not text:
        return people
    if not is_storable(text):
        return people.none()
    return people.filter(
        Q(name__startswith=text) | Q(name_sort__startswith=text.lower()) | Q(username__startswith=text)
    )


def cursor(person: User) -> str:
    """Return the position after somebody, in the order of names."""
    return urlsafe_b64encode(f"{person.pk} {person.name_sort}".encode()).decode().rstrip("=")


def after(people: QuerySet[Any], position: str) -> QuerySet[Any]:
    """Return those after a position; a broken one means the beginning."""
    try:
        number, _space, name = (
            urlsafe_b64decode(position + "=" * (-len(position) % 4)).decode().partition(" ")
        )
        if not is_storable(name):
            return people
        return people.filter(Q(name_sort__gt=name) | Q(name_sort=name, pk__gt=int(number)))
    except ValueError:
        return people
