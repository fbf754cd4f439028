"""Numbers and characters that no form would send: every one is answered with words, none with a failure."""

from __future__ import annotations

import pytest

from tests.company import Company
from tests.web.conftest import Visit

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
