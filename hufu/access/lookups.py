"""Comparisons that reach an index under row policies: only leakproof operators do, and LIKE is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, CharField, Lookup

if TYPE_CHECKING:
    AnyLookup = Lookup[Any]
else:
    AnyLookup = Lookup


class Said(AnyLookup):
    """What is said of a column and a value in SQL, `{0}` and `{1}` once each, or as often as `times` says."""

    sql = ""
    times = 1

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        return f"({self.sql.format(left, right)})", [*left_values, *right_values] * self.times


@CharField.register_lookup
class StartsWith(Said):
    """`field__starts_with`: PostgreSQL's own starts_with(), which an index in C order serves."""

    lookup_name = "starts_with"
    sql = "starts_with({0}, {1})"


@CharField.register_lookup
class Holds(Said):
    """`field__holds`: any part of the text, compared as by the search box (sql/search.sql). No index serves it."""

    lookup_name = "holds"
    sql = "strpos(hufu.folded({0}), hufu.folded({1})) > 0"


@BigIntegerField.register_lookup
class Among(AnyLookup):
    """`pk__among=[…]`: what `pk__in` says, in one text however many numbers there are."""

    lookup_name = "among"

    def get_prep_lookup(self) -> list[int]:
        return list(self.rhs)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_values = self.process_lhs(compiler, connection)
        return f"{left} = ANY (%s)", [*left_values, self.rhs]
