"""What each page needs: declared beside the view, checked by the middleware, listed for the tests.

    @page("audit.view")                      whoever holds the permission at any scope
    @page("customer.edit", of_record=True)   the query or deed decides, for the record in the address
    @page(signed_in=True)                    everybody with an account
    @page(public=True)                       everybody
    @page("log.view", limit="lists")         so often in a minute and not more (hufu.web.limits)

A view without a declaration is answered to nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver

View = Callable[..., HttpResponseBase]

_MARK = "hufu_page"


@dataclass(frozen=True)
class Page:
    """The permission that a view needs, or why it needs none; and the methods that it answers."""

    permission: str | None = None
    of_record: bool = False
    signed_in: bool = True
    methods: tuple[str, ...] = ("GET",)
    limit: str = ""

    @property
    def needs(self) -> str:
        """Return the permission, or `signed in`, or `public`."""
        return self.permission or ("signed in" if self.signed_in else "public")


@dataclass(frozen=True)
class Route:
    """One address of the site and what it declares."""

    pattern: str
    name: str
    page: Page | None


def page(
    permission: str | None = None,
    *,
    of_record: bool = False,
    signed_in: bool = False,
    public: bool = False,
    methods: tuple[str, ...] = ("GET",),
    limit: str = "",
) -> Callable[[View], View]:
    """Declare what a view needs: exactly one of a permission, `signed_in` or `public`.

    `limit` says how often one person may open it: a kind of `hufu.web.limits`.
    """
    if sum((permission is not None, signed_in, public)) != 1:
        raise ValueError("A page needs exactly one of: a permission, signed_in, public.")
    declared = Page(permission, of_record, not public, methods, limit)

    def mark(view: View) -> View:
        setattr(view, _MARK, declared)
        return view

    return mark


def declared(view: Any) -> Page | None:
    """Return what a view declares, or None."""
    found = getattr(view, _MARK, None)
    return found if isinstance(found, Page) else None


def routes() -> Iterator[Route]:
    """Yield every address of the site, declared or not."""
    yield from _walk(get_resolver(), "/")


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern).lstrip("^").rstrip("$")
        if isinstance(entry, URLPattern):
            yield Route(pattern, entry.name or "", declared(entry.callback))
        else:
            yield from _walk(entry, pattern)
