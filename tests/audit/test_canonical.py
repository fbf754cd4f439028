"""The bytes of an event: canonical JSON of RFC 8785 and the leaf hash of RFC 9162."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
import rfc8785
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from hufu.audit import canonical
from hufu.audit.ids import uuid7

TEXT = st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
)


@given(PLAIN)
def test_every_plain_value_comes_back_as_it_was(value):
    assert json.loads(canonical.to_bytes(value)) == value


@given(PLAIN)
def test_the_bytes_are_those_of_the_reference_implementation(value):
    assert canonical.to_bytes(value) == rfc8785.dumps(value)


@given(st.dictionaries(TEXT, st.integers(-9, 9)))
def test_the_order_in_which_names_were_given_does_not_matter(mapping):
    assert canonical.to_bytes(mapping) == canonical.to_bytes(dict(reversed(mapping.items())))


def test_names_are_sorted_by_utf16_code_units_as_in_rfc_8785():
    given_names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    sorted_names = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(canonical.to_bytes(dict.fromkeys(given_names)))) == sorted_names


def test_text_and_literals_are_written_as_in_rfc_8785():
    value = {"string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/", "literals": [None, True, False]}
    expected = '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.to_bytes(value) == expected.encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53 - 1, b"9007199254740991"),
        (2**53, b'"9007199254740992"'),
        (-(2**53), b'"-9007199254740992"'),
        (Decimal("1E+3"), b'"1000"'),
        (Decimal("0.10"), b'"0.10"'),
        (date(2025, 2, 3), b'"2025-02-03"'),
        (datetime(2025, 2, 3, 4, 5, 6, tzinfo=UTC), b'"2025-02-03T04:05:06.000000Z"'),
        (datetime(2025, 2, 3, 8, tzinfo=timezone(timedelta(hours=8))), b'"2025-02-03T00:00:00.000000Z"'),
        (UUID(int=1), b'"00000000-0000-0000-0000-000000000001"'),
        (Enum("Stage", {"WON": "won"}).WON, b'"won"'),
        ((1, 2), b"[1,2]"),
    ],
)
def test_each_kind_of_value_has_one_form(value, expected):
    assert canonical.to_bytes(value) == expected


@pytest.mark.parametrize("hostile", ["\ud800", "a\x00b", {"\udfff": 1}, ["\x00"]])
def test_text_that_cannot_be_written_does_not_keep_an_event_out_of_the_log(hostile):
    assert "\ufffd" in canonical.to_bytes(hostile).decode()


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        Decimal("NaN"),
        b"bytes",
        {1, 2},
        object(),
        {1: "a"},
        {"a": {None: 1}},
        gettext_lazy("Log"),
    ],
)
def test_a_value_without_one_meaning_is_refused(value):
    with pytest.raises(TypeError):
        canonical.to_bytes(value)


def test_a_moment_without_time_zone_is_refused():
    with pytest.raises(TypeError):
        canonical.to_bytes(datetime(2025, 1, 1))


def test_the_leaf_hash_is_that_of_rfc_9162():
    assert (
        canonical.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )


@given(st.binary(), st.integers(0, 2**16), st.integers(1, 255))
def test_any_changed_byte_changes_the_leaf_hash(body, position, difference):
    body += b"\x01"
    position %= len(body)
    changed = body[:position] + bytes([body[position] ^ difference]) + body[position + 1 :]
    assert canonical.leaf_hash(changed) != canonical.leaf_hash(body)


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(MOMENTS, st.integers(1, 10**9))
def test_ids_sort_like_the_moments_they_were_made_at(at, microseconds):
    assert uuid7(at) < uuid7(at + timedelta(microseconds=microseconds))


@given(MOMENTS)
def test_an_id_is_a_version_7_uuid_of_its_moment(at):
    made = uuid7(at)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - at.timestamp() * 1000) < 1
