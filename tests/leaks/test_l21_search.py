"""L21, search and autocomplete: palette, search box and pickers return only what a list would."""

from __future__ import annotations

import re

import pytest

from hufu.core.transaction import acting
from hufu.crm import queries
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CUSTOMER, OPPORTUNITY
from hufu.web.palette import entries
from tests.company import CUSTOMERS, OPPORTUNITIES, PEOPLE

EVERYBODY = [name for name, (*_facts, status) in PEOPLE.items() if status == "active"]
TEXTS = ("s", "sh", "上海", "上海启明精密机械有限公司", "shqm", "gz", "qiming", "海天", "%", "_", "")
RECORD = re.compile(r'href="/(customers|opportunities)/(\d+)/"')


def listed(actor, resource, text):
    """Return what the list of a type shows somebody for a text; nothing where they may open none."""
    return {
        row.pk for row in queries.list_records(actor, resource, ListQuery(search=text, limit=200)).records
    }


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_palette_offers_no_record_that_the_list_would_not_show(shared, name):
    actor = shared.actor(name)
    for text in TEXTS:
        with acting(actor):
            found = [
                entry.url
                for section in entries.sections(actor, text, has_password=False)
                for entry in section.entries
                if re.fullmatch(r"/(customers|opportunities)/\d+/", entry.url)
            ]
            expected = {
                f"/{address}/{number}/"
                for resource, address in ((CUSTOMER, "customers"), (OPPORTUNITY, "opportunities"))
                for number in listed(actor, resource, text)
            }
        assert set(found) == (expected if text else set()), (name, text)


@pytest.mark.parametrize("name", EVERYBODY)
def test_a_picker_offers_what_the_list_would_show(shared, name):
    actor = shared.actor(name)
    for resource in (CUSTOMER, OPPORTUNITY):
        for text in TEXTS:
            with acting(actor):
                found = {row.pk for row in queries.find(actor, resource, text, limit=200)}
                assert found == listed(actor, resource, text), (name, text)


def test_whoever_may_view_a_type_finds_it_and_whoever_may_not_finds_no_trace_of_it(sign_in, unharmed):
    for who, types in {"lin": {"customers", "opportunities"}, "zhou": {"customers"}, "qian": set()}.items():
        for text in ("上海", "sh", "启明数控机床项目", "qmsk"):
            page = sign_in(who).get("/palette/", {"q": text}).content.decode()
            assert {address for address, _number in RECORD.findall(page)} <= types, (who, text)
            if "customers" not in types:
                assert "Customer" not in page
            if "opportunities" not in types:
                assert "Opportunit" not in page
    assert CUSTOMERS["qiming"][0] in sign_in("zhou").get("/palette/", {"q": "shqm"}).content.decode()
    assert OPPORTUNITIES["machines"][0] in sign_in("lin").get("/palette/", {"q": "qmsk"}).content.decode()


def test_a_hidden_record_and_one_that_does_not_exist_answer_the_palette_alike(sign_in, unharmed):
    """孙海 is admitted to 深圳 alone: 上海启明 answers him as a name that nobody bears."""
    client = sign_in("sun")
    hidden = client.get("/palette/", {"q": "shqm"})
    absent = client.get("/palette/", {"q": "zzqx"})
    assert hidden.content.decode().replace("shqm", "") == absent.content.decode().replace("zzqx", "")


@pytest.mark.parametrize("text", ["13800006622", "138", "lin@hufu.example", "following", "B"])
def test_values_of_fields_that_are_not_searched_find_nothing(sign_in, unharmed, text):
    page = sign_in("lin").get("/palette/", {"q": text}).content.decode()
    assert RECORD.findall(page) == []


def test_pages_and_deeds_are_those_that_would_open(sign_in, unharmed):
    offered = {
        who: set(re.findall(r'<a [^>]*href="(/[^"?]*)"', sign_in(who).get("/palette/").content.decode()))
        for who in ("lin", "chen", "feng", "qian")
    }
    assert {"/", "/customers/", "/customers/new", "/opportunities/new"} <= offered["lin"]
    assert "/customers/" in offered["chen"]
    assert "/customers/new" not in offered["chen"]
    assert {"/people/"} <= offered["feng"]
    assert not {"/customers/", "/log/", "/roles/"} & offered["feng"]
    assert offered["qian"] == {"/", "/access/mine/", "/accounts/logout/"}
    for who, addresses in offered.items():
        for address in addresses:
            assert sign_in(who).get(address).status_code == 200, (who, address)


@pytest.mark.parametrize("text", ["\0", "\ud800", "<script>", "'\"><img>", "x" * 5000, "  "])
def test_hostile_text_finds_nothing_and_comes_back_as_text(sign_in, unharmed, text):
    answer = sign_in("lin").get("/palette/", {"q": text.encode("utf-8", "surrogatepass")})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "<script>" not in page
    assert "<img>" not in page
    assert RECORD.findall(page) == []
