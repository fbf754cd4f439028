"""Prohibitions: an explicit no that wins over every way, and that list, check, database and explanation tell alike."""

from __future__ import annotations

import json
from datetime import timedelta

import psycopg
import pytest

from hufu.access import as_of, change_sets, guard, policy_document, prohibitions, queries
from hufu.access.actions import Principal, assign_role
from hufu.access.decision.decide import Code
from hufu.access.explain import sentences
from hufu.access.models import ChangeSet, Prohibition, Role
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting
from hufu.people.models import Level, User
from tests.company import approver, publish
from tests.web.log import entries


def no(permission="customer.edit", *, reason="审计期间", **more):
    return {"permission": permission, "reason": reason, **more}


def forbidden(permission="customer.edit", **more):
    """What names a prohibition among what a document removes."""
    return {"permission": permission, **more}


def apply(company, *said, who="he"):
    """Carry out what a document says of prohibitions; return its steps."""
    actor = company.actor(who)
    with acting(actor):
        steps = policy_document.plan({"format": 1, "prohibitions": list(said)})
        for step in steps:
            step.deed(actor)
    return steps


def may(company, name, permission, customer=None):
    actor = company.actor(name)
    with acting(actor):
        if customer is None:
            return guard.may(actor, permission)
        found = guard.scope(actor, permission).filter(pk=company.customer(customer))
        return found.exists()


def test_what_is_forbidden_to_lin_no_role_and_no_share_gives_her(
    company, connect_as, owner_connection, in_english
):
    assert may(company, "lin", "customer.edit", "qiming")
    apply(company, no(to={"user": "lin"}))
    assert not may(company, "lin", "customer.edit", "qiming"), "her own customer, by her own role"
    assert may(company, "lin", "customer.view", "qiming")
    assert may(company, "tang", "customer.edit", "haitian")
    lin = company.actor("lin")
    with acting(lin), pytest.raises(Denied, match="This is forbidden to you: Edit customers") as refused:
        guard.get(lin, "customer.edit", company.customer("qiming"))
    assert refused.value.decision.code is Code.PROHIBITED
    with pytest.raises(Denied), acting(lin):
        raise refused.value
    assert entries(owner_connection, "access.refused")[-1].reason == "prohibited"
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s, '{}')", [lin.user_id])
        assert (
            app.execute(
                "UPDATE crm_customer SET note = 'x', updated_by_id = hufu.actor() RETURNING id"
            ).fetchall()
            == []
        )


def test_a_whole_type_is_forbidden_with_what_follows_it(company):
    apply(company, no("customer.*", to={"department": "east", "below": True}))
    for permission in ("customer.view", "customer.create", "customer.edit"):
        assert not may(company, "lin", permission)
    assert not may(company, "lin", "contact.view", "qiming")
    assert may(company, "lin", "opportunity.view")
    assert may(company, "zhang", "customer.view")


def test_a_level_means_exactly_that_level_and_not_those_above(company):
    apply(company, no(to={"level": "sales.rep"}))
    assert not may(company, "lin", "customer.edit", "qiming")
    assert may(company, "wang", "customer.edit", "qiming"), "the manager holds what representatives hold"


def test_a_prohibition_begins_and_ends_by_itself(company, owner_connection):
    hours = {"starts": 1, "ends": 3}
    term = {name: (clock.now() + timedelta(hours=n)).isoformat() for name, n in hours.items()}
    apply(
        company,
        no(to={"user": "lin"}, **term),
    )

    def let_pass(hours):
        earlier = f"- interval '{hours} hours'"
        owner_connection.execute("ALTER TABLE access_prohibition DISABLE TRIGGER USER")
        owner_connection.execute(
            f"UPDATE access_prohibition SET starts_at = starts_at {earlier}, ends_at = ends_at {earlier}"
        )
        owner_connection.execute("ALTER TABLE access_prohibition ENABLE TRIGGER USER")
        owner_connection.execute(f"UPDATE access_reach SET valid_until = valid_until {earlier}")

    assert may(company, "lin", "customer.edit", "qiming")
    let_pass(2)
    assert not may(company, "lin", "customer.edit", "qiming")
    let_pass(2)
    assert may(company, "lin", "customer.edit", "qiming")


def test_the_explanation_names_the_prohibition_and_what_it_closes(company, in_english):
    apply(company, no(to={"level": "sales.rep"}))
    with acting(company.actor("he")):
        policy = queries.snapshot()
    decision = queries.explain(policy, company.people["lin"], "customer.edit", None)
    assert decision.code is Code.PROHIBITED
    assert list(sentences(policy, decision))[1:] == [
        "“Edit customers” is forbidden to level “销售代表”."
        " A prohibition wins over everything that is granted or shared.",
        "But for that, role “销售代表” would give it, with the scope own;"
        " it is given to level “销售代表” and those above it.",
    ]
    assert company.people["lin"] not in queries.holders(policy, "customer.edit")
    lin = company.actor("lin")
    with acting(lin):
        own = queries.explain(queries.snapshot(), lin.user_id, "customer.edit", None)
    assert own == decision, "she is told the same from what she may read"


def test_the_past_knows_what_was_forbidden(company, in_english):
    before = clock.now()
    apply(company, no(to={"user": "lin"}))
    meanwhile = clock.now()
    he = company.actor("he")
    publish(company, {"format": 1, "removes": {"prohibitions": [forbidden(to={"user": "lin"})]}})
    number = company.customer("qiming")
    with acting(he):
        said = [
            as_of.decide_at(he, company.people["lin"], "customer.edit", number, moment).decision.code
            for moment in (before, meanwhile, clock.now())
        ]
        could = as_of.who_could_at(he, "customer.edit", number, meanwhile)
    assert said == [Code.COVERED, Code.PROHIBITED, Code.COVERED]
    assert company.people["lin"] not in {decision.person_id for decision in could.decisions}


def test_whom_it_binds_does_not_end_it_and_nobody_forbids_to_themselves_what_they_hold(company, connect_as):
    he = company.actor("he")
    me = User.objects.get(pk=he.user_id)
    with acting(he), pytest.raises(Denied):
        prohibitions.forbid(he, "role.assign", to=Principal(user=me), reason="x")
    with acting(he):
        prohibitions.forbid(he, "customer.*", to=Principal(user=me), reason="x")
    with pytest.raises(Denied), acting(he):
        prohibitions.end(he, Prohibition.objects.get(), reason="x")
    with pytest.raises(Denied), acting(company.actor("feng")) as unit:
        prohibitions.forbid(unit.actor, "customer.view", to=Principal(user=me), reason="x")
    app = connect_as("hufu_app")
    insert = "INSERT INTO access_prohibition (permission, user_id, reason, given_by) VALUES (%s, %s, '', %s)"
    lin = company.people["lin"]
    for who, values in (
        (he.user_id, ("role.*", he.user_id, he.user_id)),
        (he.user_id, ("customer.edit", lin, lin)),
        (company.people["feng"], ("customer.edit", lin, company.people["feng"])),
    ):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [who])
            with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
                app.execute(insert, values)
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [he.user_id])
        assert app.execute("DELETE FROM access_prohibition RETURNING id").fetchall() == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege), app.transaction():
            app.execute("UPDATE access_prohibition SET permission = 'x'")


def test_a_prohibition_is_read_by_whom_it_binds_and_by_whoever_views_roles(company):
    with acting(company.actor("he")) as unit:
        level = Level.objects.get(key="rep")
        prohibitions.forbid(unit.actor, "customer.purge", to=Principal(level=level), reason="x")
    for name, sees in (("lin", True), ("chen", False), ("he", True)):
        with acting(company.actor(name)):
            assert Prohibition.objects.exists() is sees, name


def test_what_is_exported_is_what_stands(company):
    written = [
        no("customer.*", to={"department": "east", "below": True}, ends="2027-03-31T00:00:00+00:00"),
        no("contact.view", to={"level": "sales.rep"}),
    ]
    apply(company, *written)
    with acting(Actor.operator()):
        assert policy_document.export()["prohibitions"] == written
    assert not apply(company, *written)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (no("customer.fly", to={"user": "lin"}), "prohibitions[1].permission"),
        (no("*", to={"user": "lin"}), "prohibitions[1].permission"),
        (no("moon.*", to={"user": "lin"}), "prohibitions[1].permission"),
        (no(to={"user": "nobody"}), "prohibitions[1].to"),
        (no(to={"user": "lin"}, starts="2027-02-01", ends="2027-01-01"), "prohibitions[1].ends"),
        (no(), "prohibitions[1]"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(shared, wrong, place):
    with pytest.raises(Invalid) as refused, acting(shared.actor("he")):
        policy_document.plan({"format": 1, "prohibitions": [wrong]})
    assert list(refused.value.problems) == [place]


def test_nobody_forbids_the_last_security_administrator_to_give_roles(company, in_english):
    he, qian = company.actor("he"), company.actor("qian")
    with acting(he):
        to = Principal(user=User.objects.get(pk=qian.user_id))
        security = Role.objects.get(key="security")
        assign_role(he, security, to=to, reason="x", ends_at=clock.now() + timedelta(days=1))
    last = Principal(user=User.objects.get(pk=he.user_id))
    with pytest.raises(Invalid, match="the last security administrator cannot go"), acting(qian):
        prohibitions.forbid(qian, "role.*", to=last, reason="x")
    with acting(qian):
        prohibitions.forbid(qian, "explain.any", to=last, reason="x")


def submit(company, document):
    he = company.actor("he")
    with acting(he):
        return change_sets.submit(he, {"format": 1, **document}, title="禁止")


def test_to_forbid_is_one_persons_and_to_allow_again_is_two(company, connect_as, in_english):
    """何明 forbids in a change set that is published at once; nobody ends it alone, by page, file or SQL."""
    lins = no(to={"user": "lin"})
    made = submit(company, {"prohibitions": [lins]})
    assert made.version
    assert not may(company, "lin", "customer.edit")
    he, qian = company.actor("he"), approver(company)
    with pytest.raises(Denied, match="through change sets"), acting(he):
        prohibitions.end(he, Prohibition.objects.get(), reason="够了")
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [he.user_id])
        assert app.execute("DELETE FROM access_prohibition RETURNING id").fetchall() == []
    ending = submit(company, {"removes": {"prohibitions": [forbidden(to={"user": "lin"})]}})
    assert not ending.version
    with pytest.raises(Denied, match="somebody else has to approve"), acting(he):
        change_sets.approve(he, ending.number)
    assert not may(company, "lin", "customer.edit")
    with acting(he):
        outcome = json.loads(ChangeSet.objects.get(number=ending.number).outcome or "{}")
    assert "lin" in str(outcome), "the preview names whom it concerns"
    with acting(qian):
        change_sets.approve(qian, ending.number)
    assert may(company, "lin", "customer.edit")
    # And a roll-back to where it stood takes one person, one to where it did not takes two.
    with acting(he):
        assert change_sets.roll_back(he, made.version, reason="仍在调查").version
    assert not may(company, "lin", "customer.edit")
    with acting(he):
        assert not change_sets.roll_back(he, made.version + 1, reason="调查结束").version


def test_whom_it_binds_neither_submits_nor_approves_its_end(company, in_english):
    he, qian = company.actor("he"), approver(company)
    submit(company, {"prohibitions": [no("customer.*", to={"user": "he"})]})
    apply(company, no("contact.view", to={"user": "qian"}))
    mine = submit_or_refusal(
        company, {"removes": {"prohibitions": [forbidden("customer.*", to={"user": "he"})]}}
    )
    assert isinstance(mine, Denied)
    theirs = submit(company, {"removes": {"prohibitions": [forbidden("contact.view", to={"user": "qian"})]}})
    with pytest.raises(Denied), acting(qian):
        change_sets.approve(qian, theirs.number)
    with acting(he):
        assert Prohibition.objects.count() == 2


def submit_or_refusal(company, document):
    try:
        return submit(company, document)
    except Denied as denied:
        return denied


def test_what_is_removed_must_stand(company):
    for wrong in (forbidden(to={"user": "lin"}), forbidden(), {"to": {"user": "lin"}}, "customer.edit"):
        with pytest.raises(Invalid) as refused, acting(company.actor("he")):
            policy_document.plan({"format": 1, "removes": {"prohibitions": [wrong]}})
        assert next(iter(refused.value.problems)).startswith("removes.prohibitions[1]")
