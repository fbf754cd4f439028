"""`hufu pending` and `hufu release`: what a move would add waits, and a security administrator lets it come true."""

from __future__ import annotations

import pytest

from hufu.cli import signing_in
from hufu.core.actor import Actor
from hufu.core.errors import Invalid
from hufu.core.transaction import acting
from hufu.people.models import User


@pytest.fixture
def zhao_signs_in(company, owner_connection, monkeypatch):
    """Zhao, who gives roles, sits at the terminal. Nothing is approved beforehand."""
    owner_connection.execute("DELETE FROM access_approved_move")

    def signed_in(name):
        if name not in company:
            raise Invalid({"": ["User name and password do not match."]})
        return Actor(company[name].id, company[name].name)

    monkeypatch.setattr(signing_in, "signed_in", signed_in)


def level_of(name):
    with acting(Actor.operator()):
        return User.objects.select_related("level").get(username=name).level.key


def test_a_move_says_what_waits_and_zhao_releases_it(hufu, company, zhao_signs_in):
    moved = hufu("move", "li", "--level", "sales.manager", "--keep-all")
    assert moved.code == 0
    assert "waits for release" in moved.out
    assert "李一: Level → 销售经理" in moved.out
    assert level_of("li") == "rep"

    (waits,) = hufu("pending", "--json").json
    assert (waits["user"], waits["field"], waits["asked_by"]) == ("li", "level", -1)
    assert set(waits["adds"]["permissions"]) == {"customer.view", "customer.edit"}
    listed = hufu("pending").out
    assert "李一: Level → 销售经理" in listed
    assert "asked for by Operator (command line)" in listed
    assert "would add permissions: " in listed
    asked = hufu("explain", "--as", "li", "customer.view", "--json").json
    assert asked["allowed"]

    for words in (("--all", "--sign-in", "wang"), ("--all", "--sign-in", "nobody")):
        assert hufu("release", *words).code == 1
    assert hufu("release", 99, "--sign-in", "zhao").err.count("Nothing waits under the number 99.") == 1
    assert hufu("release", "--sign-in", "zhao").code == 2
    said = hufu("release", waits["number"], "--sign-in", "zhao", "--reason", "promoted")
    assert (said.code, said.out) == (0, "Released: 1\n")
    assert level_of("li") == "manager"
    assert hufu("pending").out == "Nothing waits for release.\n"


def test_what_waits_can_be_withdrawn(hufu, company, zhao_signs_in):
    hufu("move", "li", "--level", "sales.manager", "--keep-all")
    (waits,) = hufu("pending", "--json").json
    assert hufu("pending", "--withdraw", waits["number"], "--reason", "x").out == "Withdrawn: 1\n"
    assert hufu("pending", "--json").json == []
