"""`hufu emergency`: refused while somebody can give roles, loud when it is done, and reviewed by somebody else."""

from __future__ import annotations

import pytest

from hufu.access import emergency
from hufu.cli import signing_in
from hufu.core.actor import Actor
from hufu.core.errors import Denied
from hufu.core.transaction import acting

OPERATOR = Actor.operator()


@pytest.fixture
def anybody_signs_in(company, monkeypatch):
    monkeypatch.setattr(signing_in, "signed_in", lambda name: Actor(company[name].id, company[name].name))


def test_it_is_refused_while_zhao_can_act_and_says_why_it_was_done(
    hufu, company, events, owner_connection, anybody_signs_in
):
    words = ("emergency", "--appoint", "li", "--reason", "赵不在了")
    refused = hufu(*words)
    assert refused.code == 1
    assert "There is a security administrator who can act" in refused.err
    assert hufu("emergency", "--appoint", "li").code == 1
    assert not events("security.emergency_appointed")

    owner_connection.execute("UPDATE people_user SET status = 'suspended' WHERE username = 'zhao'")
    said = hufu(*words)
    assert (said.code, said.out) == (0, "李一 is security administrator from now on.\n")
    (event,) = events("security.emergency_appointed")
    assert (event["reason"], event["data"]) == ("赵不在了", {"even_though": False})
    li = Actor(company["li"].id, "李一")
    with acting(li):
        (told,) = emergency.standing(li)
    with acting(OPERATOR):
        assert emergency.standing(OPERATOR) == []
    assert "emergency appointments" in hufu("doctor").out

    # Not by the one who was appointed, nor by somebody without rights; by another one who gives roles.
    for name in ("li", "chen"):
        assert hufu("emergency", "--review", told.pk, "--finding", "x", "--sign-in", name).code == 1
    assert hufu("emergency", "--review", told.pk).code == 2
    owner_connection.execute("UPDATE people_user SET status = 'active' WHERE username = 'zhao'")
    assert hufu("emergency", "--review", told.pk, "--sign-in", "zhao").code == 1
    for wrong, said in (("长" * 501, "at most 500 characters"), ("\udcff", "cannot be stored")):
        refused = hufu("emergency", "--review", told.pk, "--finding", wrong, "--sign-in", "zhao")
        assert (refused.code, said in refused.err) == (1, True), refused.err
    reviewed = hufu("emergency", "--review", told.pk, "--finding", "与董事会核实", "--sign-in", "zhao")
    assert (reviewed.code, reviewed.out) == (0, "Reviewed.\n")
    assert len(events("security.emergency_reviewed")) == 1
    with acting(li):
        assert emergency.standing(li) == []


def test_even_though_is_even_though_and_nobody_but_the_operator_appoints(hufu, company, connect_as):
    assert hufu("emergency", "--appoint", "li", "--reason", "x", "--even-though").code == 0
    zhao = Actor(company["zhao"].id, "赵")
    with pytest.raises(Denied), acting(zhao):
        emergency.appoint(zhao, company["chen"], reason="x", even_though=True)
    assert "not active" in hufu("emergency", "--appoint", "sun", "--reason", "x", "--even-though").err
