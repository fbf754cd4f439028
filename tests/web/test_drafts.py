"""The working draft: nobody else's, in force for nobody, undone, discarded, carried over, submitted."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.test import Client

from hufu.access import actions as access
from hufu.access import change_sets, drafting, guard
from hufu.access.actions import Principal
from hufu.access.draft_models import WorkingDraft
from hufu.access.models import ChangeSet, Role
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid, NotFound
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.access.test_change_sets import with_grants
from tests.company import Company, approver, publish, unpublish
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_records import text

REFUSED = psycopg.errors.InsufficientPrivilege


def number(key: str) -> int:
    with acting(Actor.operator()):
        return Role.objects.get(key=key).pk


def change(client: Client, role: str, permission: str, scope: str) -> Any:
    """Change cells of a role, as its page does; return the answer."""
    return client.post(f"/roles/{number(role)}/grants/", {"permission": permission, "scope": scope})


def draft_of(company: Company, who: str) -> drafting.Draft | None:
    with acting(company.actor(who)):
        return drafting.find(company.actor(who))


def another_manager(company: Company) -> None:
    """Let 钱多 manage roles, too."""
    he = company.actor("he")
    with acting(he):
        role = Role.objects.get(key="security")
        access.assign_role(he, role, to=Principal(user=User.objects.get(username="qian")), reason="第二人")


def test_a_change_is_kept_for_its_author_and_holds_for_nobody(company: Company, visit: Visit) -> None:
    he = visit("he")
    assert change(he, "service", "customer.edit", "everything").status_code == 302
    page = text(he, f"/roles/{number('service')}/")
    assert "1 change in your draft" in page
    assert "Customer · Edit: everything · changed in the draft, before: None" in page
    for address in ("/roles/", "/roles/given/", "/policy/", "/policy/versions/1/"):
        assert "1 change in your draft" in text(he, address)
    with acting(company.actor("chen")):
        assert not guard.may(company.actor("chen"), "customer.edit")


def test_a_draft_is_there_for_nobody_but_its_author(company: Company, visit: Visit) -> None:
    another_manager(company)
    change(visit("he"), "service", "customer.edit", "everything")
    qian = visit("qian")
    assert "1 change in your draft" not in text(qian, f"/roles/{number('service')}/")
    assert "You have no draft" in text(qian, "/policy/draft/")
    text(qian, "/policy/draft/impact/", 404)
    for deed in ("", "undo/", "discard/", "carry/"):
        sent = qian.post(
            f"/policy/draft/{deed}", {"place": "roles/service/grants/customer.edit", "title": "x"}
        )
        assert sent.status_code == 404
    found = draft_of(company, "he")
    assert found is not None
    assert len(found.changes) == 1
    change(qian, "service", "customer.delete", "own")
    assert found == draft_of(company, "he")


def test_the_database_holds_that_a_draft_is_its_authors(
    company: Company, visit: Visit, connect_as: Any
) -> None:
    another_manager(company)
    change(visit("he"), "service", "customer.edit", "everything")
    app = connect_as("hufu_app")
    he, qian, feng = (company.people[name] for name in ("he", "qian", "feng"))
    values = "(author_id, base_version, document, changes, changed_at) VALUES (%s, 1, '{}', 0, now())"
    for who, seen in ((he, 1), (qian, 0), (feng, 0)):
        with app.transaction(force_rollback=True):
            app.execute("SELECT hufu.enter(%s)", [who])
            assert app.execute("SELECT count(*) FROM access_draft").fetchone() == (seen,)
            assert app.execute("UPDATE access_draft SET document = '{}'").rowcount == seen
            assert app.execute("DELETE FROM access_draft").rowcount == seen
    for who, author in ((qian, he), (feng, feng), (he, qian)):
        with app.transaction(force_rollback=True):
            app.execute("SELECT hufu.enter(%s)", [who])
            with pytest.raises(REFUSED):
                app.execute(f"INSERT INTO access_draft {values}", [author])


def test_whoever_no_longer_manages_roles_no_longer_has_a_draft(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    another_manager(company)
    qian = company.actor("qian")
    with acting(qian):
        drafting.set_base_access(qian, "customer", "public_read")
    owner_connection.execute("DELETE FROM access_assignment WHERE user_id = %s", [qian.user_id])
    with acting(qian):
        assert drafting.find(qian) is None
        assert drafting.summary(qian) is None
        assert not WorkingDraft.objects.exists()
    with acting(qian), pytest.raises(Denied):
        drafting.submit(qian, title="x")


@pytest.mark.parametrize(
    ("permission", "scope"),
    [
        ("customer.fly", "own"),
        ("customer.create", "department"),
        ("customer.view", "team"),
        ("customer.view", "all of it"),
        ("customer.view", "held"),
        ("customer.*", "all of it"),
        ("nothing.*", "own"),
        ("*.fly", "own"),
        ("contact.view", "own"),
        ("role.manage", "own"),
        ("base:customer", "open"),
        ("base:contact", "public_read"),
        ("base:", "private"),
        ("", "own"),
    ],
)
def test_what_no_page_offers_is_refused_with_words_and_recorded(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, permission: str, scope: str
) -> None:
    answer = change(visit("he"), "service", permission, scope)
    assert answer.status_code == 403
    assert "There is no such choice" in answer.content.decode()
    [refused] = entries(owner_connection, "access.refused")
    assert (refused.result, refused.reason) == ("refused", "no_such_choice")
    assert draft_of(company, "he") is None


def test_a_change_that_changes_nothing_begins_no_draft(company: Company, visit: Visit) -> None:
    change(visit("he"), "service", "customer.view", "everything")
    assert draft_of(company, "he") is None


def test_one_change_is_undone_and_the_last_one_ends_the_draft(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "service", "customer.edit", "own")
    change(he, "service", "base:customer", "public_read")
    page = text(he, "/policy/draft/")
    for said in ("客服代表", "Edit customers", "Base access", "Public read"):
        assert said in page
    he.post("/policy/draft/undo/", {"place": "roles/service/grants/customer.edit"})
    found = draft_of(company, "he")
    assert found is not None
    assert [each.place for each in found.changes] == ["base_access/customer"]
    he.post("/policy/draft/undo/", {"place": "never/there"})
    he.post("/policy/draft/undo/", {"place": "base_access/customer"})
    assert draft_of(company, "he") is None


def test_all_is_discarded_at_once(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "service", "customer.edit", "own")
    assert he.post("/policy/draft/discard/").status_code == 302
    assert draft_of(company, "he") is None
    assert he.post("/policy/draft/discard/").status_code == 404


def test_the_impact_names_whom_it_concerns_and_leaves_no_trace(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "finance", "customer.view", "own")
    shown = text(he, "/policy/draft/impact/")
    assert "Takes away only" in shown
    assert "周涛" in shown
    assert "Customers: 4 → 0 (−4)" in shown
    assert "+0" not in shown
    with acting(company.actor("zhou")):
        assert guard.scope(company.actor("zhou"), "customer.view").count() == 4


def test_submitted_it_becomes_a_change_set_that_somebody_else_decides(company: Company, visit: Visit) -> None:
    approver(company)
    he = visit("he")
    change(he, "service", "customer.edit", "everything")
    assert "Nothing was saved" in he.post("/policy/draft/", {"title": ""}).content.decode()
    answer = he.post("/policy/draft/", {"title": "客服可编辑", "reason": "试点"})
    assert answer["Location"] == "/policy/1/"
    assert draft_of(company, "he") is None
    assert he.post("/policy/1/approve/", {"reason": ""}).status_code == 403
    with acting(company.actor("he")):
        made = ChangeSet.objects.get()
        assert (made.title, made.reason, made.author) == ("客服可编辑", "试点", company.people["he"])
        assert not made.narrows
    assert visit("qian").post("/policy/1/approve/", {"reason": "好"}).status_code == 302
    with acting(company.actor("chen")):
        assert guard.may(company.actor("chen"), "customer.edit")


def test_what_only_takes_away_is_published_at_once(company: Company, visit: Visit) -> None:
    approver(company)
    he = visit("he")
    change(he, "service", "opportunity.view", "nothing")
    he.post("/policy/draft/", {"title": "收回", "reason": ""})
    with acting(company.actor("chen")):
        assert not guard.may(company.actor("chen"), "opportunity.view")
    assert "Version 2" in text(he, "/policy/")


def test_a_draft_for_an_older_version_is_carried_over_first(company: Company, visit: Visit) -> None:
    he = visit("he")
    change(he, "service", "customer.edit", "own")
    change(he, "service", "customer.view", "department")
    publish(company, with_grants("service", customer__view="own", customer__delete="own"))
    page = text(he, f"/roles/{number('service')}/")
    assert "written for version 1, and version 2 stands" in page
    assert "Nothing can be changed here until your draft is carried over" in page
    change(he, "service", "customer.delete", "nothing")
    with acting(company.actor("he")), pytest.raises(Invalid, match="Carry it over first"):
        drafting.submit(company.actor("he"), title="x")
    answer = he.post("/policy/draft/carry/", follow=True).content.decode()
    assert "Left out, as a newer version changed the same: 客服代表 · View customers." in answer
    found = draft_of(company, "he")
    assert found is not None
    assert not found.is_stale
    assert [each.place for each in found.changes] == ["roles/service/grants/customer.edit"]
    assert found.document["roles"][0]["grants"]["customer.delete"] == "own"


def test_before_version_1_there_are_no_drafts(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    unpublish(owner_connection)
    he = visit("he")
    assert "Until version 1 of the policy is published" in text(he, f"/roles/{number('service')}/")
    change(he, "service", "customer.edit", "own")
    assert "Version 1 comes first" in text(he, "/roles/")
    assert draft_of(company, "he") is None


def test_a_role_is_added_and_copied_in_the_draft(company: Company) -> None:
    he = company.actor("he")
    with acting(he):
        drafting.add_role(he, "intern", "实习生", copy_of="manager")
        drafting.add_role(he, "blank", "空白")
        with pytest.raises(Invalid, match="already"):
            drafting.add_role(he, "rep", "代表")
        found = drafting.find(he)
        assert found is not None
        intern, blank = found.document["roles"]
        assert (intern["name"], intern["inherits"], blank["grants"]) == ("实习生", ["rep"], {})
        assert change_sets.rehearse(he, found.document).risk == "high"
    for deed in (
        lambda: drafting.add_role(he, "x", "x", copy_of="nobody"),
        lambda: drafting.set_scopes(he, "nobody", {"customer.view": ("own",)}),
    ):
        with acting(he), pytest.raises(NotFound):
            deed()
