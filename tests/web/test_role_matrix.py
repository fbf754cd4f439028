"""The page of a role: what it holds by object and verb, from where, and what the reader's draft makes of it."""

from __future__ import annotations

import re
from html import unescape

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hufu.access import actions as access
from hufu.access import drafting
from hufu.core.transaction import acting
from hufu.web.roles import matrix
from tests.access.test_change_sets import with_grants
from tests.company import Company, approver, publish, unpublish
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_drafts import change, draft_of, number
from tests.web.test_records import text


def cells(page: str) -> set[str]:
    """Return what the cells and switches say to a screen reader."""
    return {unescape(name) for name in re.findall(r'aria-label="([^"]*)"', page)}


def test_a_cell_says_what_is_held_and_from_which_role(visit: Visit) -> None:
    names = cells(text(visit("he"), f"/roles/{number('manager')}/"))
    assert {
        "Customer · Edit: own and subordinates', own (inherited from 销售代表)",
        "Customer · Delete: own (inherited from 销售代表)",
        "Customer · Move partition: None · high risk",
        "Contact · View: Allowed (inherited from 销售代表)",
        "Customer · Base access: Private",
        "Check for duplicates of customers: Allowed (inherited from 销售代表)",
        "Manage people and departments: None · high risk",
    } <= names


def test_own_inherited_and_changed_cells_differ_in_words_not_in_colour_alone(
    company: Company, visit: Visit
) -> None:
    he = visit("he")
    change(he, "manager", "customer.void", "everything")
    page = text(he, f"/roles/{number('manager')}/")
    for kind, said in (("inherited", "inherited"), ("own is-changed", "changed")):
        assert re.search(rf'class="cell cell-{kind}".*?<small>{said}</small>', page)


def test_whoever_only_views_roles_gets_a_matrix_without_a_form(company: Company, visit: Visit) -> None:
    approver(company)
    page = text(visit("qian"), f"/roles/{number('manager')}/")
    assert "Customer · Delete: own (inherited from 销售代表)" in cells(page)
    for never in ("cell-form", "data-editable", 'aria-haspopup="menu"', 'role="switch"'):
        assert never not in page


def test_a_row_changes_where_it_takes_the_scope_and_nowhere_else(company: Company, visit: Visit) -> None:
    change(visit("he"), "empty", "customer.*", "team")
    found = draft_of(company, "he")
    assert found is not None
    changed = {each.path[1] for each in found.changes}
    assert {"customer.transfer", "customer.delete"} <= changed
    assert not {"customer.view", "customer.create", "customer.check_duplicate"} & changed


def test_a_column_changes_every_object_that_has_the_verb(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "empty", "*.view", "department")
    found = draft_of(company, "he")
    assert found is not None
    scopes = {each.path[1]: each.after for each in found.changes}
    assert scopes["customer.view"] == scopes["opportunity.view"] == "department"
    assert "contact.view" not in scopes
    change(he, "empty", "*.view", "nothing")
    assert draft_of(company, "he") is None


def test_a_function_is_switched_on_and_base_access_is_one_choice(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "empty", "customer.check_duplicate", "held")
    change(he, "empty", "base:customer", "public_read")
    names = cells(text(he, f"/roles/{number('empty')}/"))
    assert "Check for duplicates of customers: Allowed · changed in the draft, before: None" in names
    assert "Customer · Base access: Public read · changed in the draft, before: Private" in names


def test_several_scopes_of_one_permission_stand_together(company: Company, visit: Visit) -> None:
    he = company.actor("he")
    with acting(he):
        drafting.set_scopes(he, "empty", {"customer.view": ("subordinates", "department")})
    names = cells(text(visit("he"), f"/roles/{number('empty')}/"))
    said = "Customer · View: own and subordinates' + own department · changed in the draft, before: None"
    assert said in names


def test_the_search_narrows_the_rows(visit: Visit) -> None:
    he = visit("he")
    page = text(he, f"/roles/{number('rep')}/?q=oppo")
    assert not any(name.startswith("Customer · ") for name in cells(page))
    assert any(name.startswith("Opportunity · ") for name in cells(page))


def test_who_holds_it_and_which_roles_inherit_it(visit: Visit) -> None:
    page = text(visit("he"), f"/roles/{number('rep')}/members/")
    assert "销售序列 · 销售代表" in page
    assert "Whoever holds one of these roles holds it, too: 销售经理" in page


def test_the_history_names_versions_authors_and_what_each_changed(company: Company, visit: Visit) -> None:
    assert "as the first version had it" in text(visit("he"), f"/roles/{number('service')}/history/")
    publish(company, with_grants("service", customer__edit="own"))
    page = text(visit("he"), f"/roles/{number('service')}/history/")
    for said in ("Edit customers: — → own", "何明", "钱多", "/policy/versions/2/"):
        assert said in page
    assert "Edit customers" not in text(visit("he"), f"/roles/{number('rep')}/history/")


def test_field_rules_are_told_with_the_role_that_they_are_inherited_from(
    company: Company, visit: Visit
) -> None:
    document = with_grants("rep")
    document["roles"][0]["fields"] = {
        "contact": {"phone": {"mine": "editable", "others": "hidden", "export": False}}
    }
    publish(company, document)
    page = text(visit("he"), f"/roles/{number('manager')}/fields/")
    for said in ("Hidden", "Editable", "销售代表"):
        assert said in page


def test_the_list_names_risk_and_how_often_a_role_is_given(visit: Visit) -> None:
    page = text(visit("he"), "/roles/")
    [finance] = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*财务.*?</tr>", page)
    assert "High risk" in finance
    assert re.search(r'class="number">1</td>', finance)
    narrowed = text(visit("he"), "/roles/?q=finan")
    assert "财务" in narrowed
    assert "销售经理" not in narrowed


def test_a_role_is_copied_into_the_draft_and_shaped_there(company: Company, visit: Visit) -> None:
    approver(company)
    he = visit("he")
    made = he.post("/roles/new/", {"name": "实习生", "key": "intern", "copy_of": "rep"})
    assert made["Location"] == "/roles/drafted/intern/"
    he.post("/roles/drafted/intern/grants/", {"permission": "customer.delete", "scope": "nothing"})
    page = text(he, "/roles/drafted/intern/")
    assert "This role is in your draft alone." in page
    assert "Customer · Edit: own · changed in the draft, before: None" in cells(page)
    assert "Customer · Delete: None" in cells(page)
    assert "/roles/drafted/intern/" in text(he, "/roles/")
    assert "实习生" not in text(visit("qian"), "/roles/")
    text(visit("qian"), "/roles/drafted/intern/", 403)
    again = he.post("/roles/new/", {"name": "x", "key": "rep", "copy_of": ""}).content.decode()
    assert "There is a role “rep” already." in again
    he.post("/policy/draft/", {"title": "实习生", "reason": ""})
    visit("qian").post("/policy/1/approve/", {"reason": ""})
    assert "Customer · Edit: own" in cells(text(he, f"/roles/{number('intern')}/"))
    text(he, "/roles/drafted/intern/", 404)


def test_two_roles_are_compared_with_all_that_they_inherit(visit: Visit) -> None:
    page = text(visit("he"), "/roles/compare/?one=rep&other=manager")
    assert "Edit customers" in page
    assert not re.search(r'class="soft">(\w+ · )?changed', page)
    # What the manager inherits from the representative, both hold.
    assert "Check for duplicates of customers" not in page
    assert "They permit the same" in text(visit("he"), "/roles/compare/?one=rep&other=rep")
    assert "What they permit differently" not in text(visit("he"), "/roles/compare/?one=rep&other=nobody")


def test_an_absent_role_is_no_page(visit: Visit) -> None:
    for path in ("", "fields/", "members/", "history/"):
        text(visit("he"), f"/roles/987654/{path}", 404)
        text(visit("he"), f"/roles/99999999999999/{path}", 404)
    assert visit("he").post("/roles/987654/grants/", {"permission": "x", "scope": "own"}).status_code == 404


def test_reading_a_role_is_an_event(visit: Visit, owner_connection: psycopg.Connection) -> None:
    text(visit("he"), f"/roles/{number('rep')}/")
    [read] = entries(owner_connection, "role.viewed")
    assert read.data == {"role": "rep"}


def test_its_statements_are_as_many_for_hundreds_of_roles_as_for_some(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    change(he, "rep", "customer.edit", "department")

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            text(he, f"/roles/{number('rep')}/")
        return len(queries)

    statements()
    before = statements()
    unpublish(owner_connection)
    with acting(author := company.actor("he")):
        for each in range(60):
            grants = {"customer.view": ["own"], "opportunity.view": ["own"]}
            access.create_role(author, key=f"r{each}", name=f"角色{each}", grants=grants)
    owner_connection.execute(
        "INSERT INTO access_version (number, published_by, digest, note) VALUES (1, -1, '', '')"
    )
    assert statements() == before


@pytest.mark.parametrize("pattern", ["customer.*", "*.view", "customer.view"])
def test_a_pattern_names_permissions_that_are_declared(pattern: str) -> None:
    assert matrix.named(pattern)
    assert all("*" not in name for name in matrix.named(pattern))
