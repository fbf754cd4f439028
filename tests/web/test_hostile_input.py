"""Numbers and characters that no form would send: every one is answered with words, none with a failure."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter

from hufu.web.numbers import RecordNumber
from tests.company import Company
from tests.web.conftest import Visit

SOME_ID = UUID("01930000-0000-7000-8000-000000000001")

HUGE = "9" * 25


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/customers/{HUGE}/", 404),
        (f"/customers/{HUGE}/edit", 404),
        ("/customers/0/", 404),
        ("/customers/999999999999999999/", 404),
        (f"/customers/?owner={HUGE}", 200),
        ("/customers/?department=-1", 200),
        ("/customers/?owner=lin", 400),
        ("/customers/?stage=%00", 400),
        ("/customers/?q=%00%F0%9F%98%80", 200),
        ("/customers/?cursor=broken", 200),
        ("/customers/?sort=name&cursor=WyJuYW1lIixmYWxzZSxbMV0sMV0", 200),
        # A number, or a value, that is true.
        (
            "/customers/?sort=-updated_at&cursor=WyJ1cGRhdGVkX2F0IiwgZmFsc2UsICIyMDI2LTExLTAxVDAwOjAwOjAwKzAwOjAwIiwgdHJ1ZV0",
            200,
        ),
        ("/customers/?sort=name&cursor=WyJuYW1lIiwgZmFsc2UsIHRydWUsIDFd", 200),
        (f"/customers/owners?partition={HUGE}", 404),
        ("/customers/owners?partition=²", 404),
        ("/customers/pick?q=%00&name=<b>", 200),
        ("/?x=%00", 200),
    ],
)
def test_an_address_that_makes_no_sense_is_answered_with_words(
    visit: Visit, address: str, status: int
) -> None:
    response = visit("li").get(address)
    assert response.status_code == status
    assert "<b>" not in response.content.decode()


@pytest.mark.parametrize("version", [HUGE, "99999999999", "-1", "x", "", "²"])
def test_a_version_that_makes_no_sense_is_a_conflict(company: Company, visit: Visit, version: str) -> None:
    client, number = visit("lin"), company.customer("qiming")
    assert client.post(f"/customers/{number}/delete", {"version": version}).status_code == 409
    changed = {"name": "x", "stage": "new", "version": version}
    assert client.post(f"/customers/{number}/edit", changed).status_code == 409
    given = {"to": str(company.people["tang"]), "reason": "x", "version": version}
    assert client.post(f"/customers/{number}/transfer", given).status_code in (200, 409)
    assert client.get(f"/customers/{number}/").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"annual_revenue": "9" * 40},
        {"annual_revenue": "1e400"},
        {"annual_revenue": "NaN"},
        {"employees": HUGE},
        {"name": "长" * 201},
        {"website": "http://["},
        {"code": "９１３１０１１５ＭＡ１Ｋ４Ｑ８Ｘ２Ｂ"},
    ],
)
def test_a_value_that_makes_no_sense_stands_marked_in_its_field(
    company: Company, visit: Visit, wrong: dict[str, str]
) -> None:
    form = {"name": "x", "stage": "new", "version": "1", **wrong}
    response = visit("lin").post(f"/customers/{company.customer('qiming')}/edit", form)
    assert response.status_code == 200
    assert response.content.decode().count('class="field-problem"') == 1


@pytest.mark.parametrize(
    "wrong", [{"customer": HUGE}, {"customer": "9" * 18}, {"customer": "x"}, {"amount": "many"}]
)
def test_a_new_record_with_nonsense_is_not_made(visit: Visit, wrong: dict[str, str]) -> None:
    response = visit("lin").post("/opportunities/new", {"name": "x", "stage": "won", **wrong})
    assert response.status_code == 200
    assert "field-problem" in response.content.decode()


@pytest.mark.parametrize(
    ("suffix", "status"), [("new", 200), ("{number}/edit", 409), ("{number}/transfer", 409)]
)
@pytest.mark.parametrize("type_name", ["customer", "opportunity"])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
def test_a_body_that_is_no_form_is_answered_with_words(
    company: Company, visit: Visit, type_name: str, suffix: str, status: int, kind: str
) -> None:
    number = company.customer("qiming") if type_name == "customer" else company.opportunity("machines")
    address = f"/{type_name.removesuffix('y')}{'ies' if type_name.endswith('y') else 's'}/{suffix}"
    body = '{"name": "x"}' if kind == "application/json" else ""
    response = visit("lin").post(address.format(number=number), body, content_type=kind)
    assert response.status_code == status


@pytest.mark.parametrize("version", ["-1", "-99999999999", str(2**31), HUGE])
def test_a_version_that_no_record_has_gives_nothing_away(
    company: Company, visit: Visit, version: str
) -> None:
    given = {"to": str(company.people["tang"]), "reason": "x", "version": version}
    assert visit("lin").post(f"/customers/{company.customer('qiming')}/transfer", given).status_code == 409
    given = {"to": version, "reason": "x", "version": "1"}
    assert visit("lin").post(f"/customers/{company.customer('qiming')}/transfer", given).status_code == 200


def packed(at: str) -> str:
    """Return a cursor of the log that begins at a moment."""
    return urlsafe_b64encode(f"{at} {SOME_ID}".encode()).decode()


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=0001-01-01", 422),
        ("until=9999-12-31", 422),
        ("since=1970-01-01&until=2999-12-31", 200),
        ("cursor=" + packed("0001-01-01T00:00:00+08:00"), 400),
        ("cursor=" + packed("9999-12-31T23:59:59-08:00"), 400),
        ("cursor=" + packed("0001-01-01T00:00:00+00:00"), 200),
        ("cursor=" + packed("9999-12-31T23:59:59+00:00"), 200),
        ("cursor=" + packed("0001-01-01"), 400),
    ],
)
def test_a_day_that_no_log_has_is_answered_with_words(visit: Visit, query: str, status: int) -> None:
    assert visit("wu").get(f"/log/?{query}").status_code == status


def test_what_a_form_says_that_it_showed_may_be_nested_without_end(company: Company, visit: Visit) -> None:
    form = {"name": "x", "stage": "new", "version": "7", "was": "[" * 100_000}
    answer = visit("lin").post(f"/customers/{company.customer('qiming')}/edit", form)
    assert answer.status_code == 409


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_at_the_end_of_the_calendar_is_refused_in_the_form(
    company: Company, visit: Visit, day: str
) -> None:
    customer = f"/customers/{company.customer('qiming')}"
    form = {"access": "read", "until": day, "reason": "x", "who": str(company.people["zhang"])}
    for who, address in (("zhang", f"{customer}/ask"), ("lin", f"{customer}/share")):
        answer = visit(who).post(address, form)
        assert answer.status_code == 200
        assert "Choose a day from 1970 to 2999." in answer.content.decode()


def numbered(patterns: Iterable[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Yield every address that takes numbers and nothing else, with %s in their places."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from numbered(one.url_patterns, before + str(one.pattern))
        elif one.pattern.converters and all(
            isinstance(kind, (IntConverter, RecordNumber)) for kind in one.pattern.converters.values()
        ):
            yield before + re.sub("<[^>]+>", "%s", str(one.pattern))


@pytest.mark.parametrize(("number", "name"), [(HUGE, "lin"), (HUGE, "he"), ("3000000000", "lin")])
def test_a_number_that_nothing_has_is_no_address(visit: Visit, number: str, name: str) -> None:
    addresses = list(numbered(get_resolver().url_patterns))
    assert {"/customers/check/join/%s", "/requests/%s/", "/break-glass/%s/end/"} <= set(addresses)
    client = visit(name)
    for address in addresses:
        filled = address.replace("%s", number)
        for answer in (client.get(filled), client.post(filled, {"reason": "x"})):
            assert answer.status_code not in (200, 500), filled
            assert answer.status_code == 404 or number != HUGE, filled
