"""What a working draft changes, worked out from documents alone."""

from __future__ import annotations

from typing import Any

from hufu.access import draft_text
from hufu.access.draft_text import Entries

REP = {"key": "rep", "name": "代表", "grants": {"customer.view": "own", "customer.edit": "own"}}


def roles(*entries: dict[str, Any], **base_access: str) -> Entries:
    return {"base_access": dict(base_access), "roles": {entry["key"]: entry for entry in entries}}


def rep(**grants: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): scope for name, scope in grants.items()}
    return {**REP, "grants": {name: scope for name, scope in {**REP["grants"], **named}.items() if scope}}


def places(found: tuple[draft_text.Change, ...]) -> list[str]:
    return [change.place for change in found]


def test_each_grant_and_each_field_is_a_change_of_its_own() -> None:
    mine = rep(customer__view="department", customer__edit=None)
    mine["fields"] = {"contact": {"phone": "masked", "email": "hidden"}}
    found = draft_text.changes(roles(REP), roles(mine, customer="public_read"))
    assert places(found) == [
        "base_access/customer",
        "roles/rep/grants/customer.view",
        "roles/rep/grants/customer.edit",
        "roles/rep/fields/contact/phone",
        "roles/rep/fields/contact/email",
    ]
    assert [(change.before, change.after) for change in found[1:3]] == [("own", "department"), ("own", None)]


def test_a_new_role_is_one_change() -> None:
    [change] = draft_text.changes(roles(REP), roles({"key": "new", "name": "新", "grants": {}}))
    assert (change.place, change.before) == ("roles/new", None)


def test_undoing_each_change_leads_back_to_nothing() -> None:
    base = roles(REP)
    mine = rep(customer__view="department", customer__edit=None)
    mine["fields"] = {"contact": {"phone": "masked"}}
    draft = roles(mine, {"key": "new", "name": "新", "grants": {}}, customer="public_read")
    left = draft
    for change in draft_text.changes(base, draft):
        left = draft_text.without(base, left, change.place)
    assert draft_text.document_of(left) == {"format": 1}


def test_carried_over_a_draft_keeps_what_another_version_brought() -> None:
    base, stands = roles(REP), roles(rep(customer__edit="department", customer__delete="own"))
    left, lost = draft_text.carried(base, stands, roles(rep(customer__view="department")))
    assert lost == ()
    grants = left["roles"]["rep"]["grants"]
    assert grants == {"customer.view": "department", "customer.edit": "department", "customer.delete": "own"}


def test_what_a_newer_version_changed_too_is_left_out_and_named() -> None:
    base, stands = (
        roles(REP, customer="private"),
        roles(rep(customer__view="everything"), customer="public_read"),
    )
    mine = roles(rep(customer__view="department", customer__edit=None), customer="public_read_write")
    left, lost = draft_text.carried(base, stands, mine)
    assert places(lost) == ["base_access/customer", "roles/rep/grants/customer.view"]
    assert left["roles"]["rep"]["grants"] == {"customer.view": "everything"}


def test_what_a_newer_version_brought_already_is_no_change_any_more() -> None:
    wider = rep(customer__view="department")
    left, lost = draft_text.carried(roles(REP), roles(wider), roles(wider))
    assert (draft_text.document_of(left), lost) == ({"format": 1}, ())


def test_a_change_of_a_role_that_is_gone_is_left_out() -> None:
    left, lost = draft_text.carried(roles(REP), roles(), roles(rep(customer__view="department")))
    assert (draft_text.document_of(left), places(lost)) == ({"format": 1}, ["roles/rep/grants/customer.view"])
    new = {"key": "new", "name": "新", "grants": {}}
    left, lost = draft_text.carried(roles(REP), roles(REP, {**new, "name": "另一个"}), roles(new))
    assert (draft_text.document_of(left), places(lost)) == ({"format": 1}, ["roles/new"])
