"""Change sets: what is submitted, rehearsed, tested, approved, published, and returned from."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.utils import translation

from hufu.access import change_sets, guard, policy_document, policy_file, registry
from hufu.access.change_sets import by_lists, rehearsal
from hufu.access.models import ChangeSet, Role
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.transaction import acting, in_place_of, undone
from tests.company import PEOPLE, POLICY, Company, approver, publish

OPERATOR = Actor.operator()
pytestmark = pytest.mark.usefixtures("in_english")
ROLES = {role["key"]: role for role in POLICY["roles"]}


def with_grants(key: str, **grants: str | None) -> dict[str, Any]:
    """Return a document that gives a role other grants (`customer__view="own"`); None takes one away."""
    role = copy.deepcopy(ROLES[key])
    for name, scope in grants.items():
        permission = name.replace("__", ".")
        role["grants"].pop(permission, None)
        if scope is not None:
            role["grants"][permission] = scope
    return {"format": 1, "roles": [role]}


def submit(company: Company, document: dict[str, Any], who: str = "he", **more: Any) -> change_sets.Submitted:
    """Submit it as somebody."""
    actor = company.actor(who)
    with acting(actor):
        return change_sets.submit(actor, document, title="变更", **more)


def test_a_reason_that_cannot_be_kept_is_refused_with_words(company: Company) -> None:
    qian = approver(company)
    document = with_grants("service", customer__edit="everything")
    for wrong, said in (("长" * 501, "at most 500"), ("x\0", "cannot be stored")):
        with pytest.raises(Invalid, match=said):
            submit(company, document, reason=wrong)
    with acting(company.actor("he")), pytest.raises(Invalid, match="cannot be stored"):
        change_sets.submit(company.actor("he"), document, title="x\0")
    submit(company, document)
    for deed in (change_sets.approve, change_sets.reject):
        with acting(qian), pytest.raises(Invalid, match="cannot be stored"):
            deed(qian, 1, reason="x\0")
    with acting(company.actor("he")), pytest.raises(Invalid, match="at most 500"):
        change_sets.withdraw(company.actor("he"), 1, reason="长" * 501)


def test_what_widens_waits_for_somebody_else_and_holds_when_it_is_approved(company: Company) -> None:
    qian, chen = approver(company), company.actor("chen")
    made = submit(company, with_grants("service", opportunity__view=None, customer__edit="everything"))
    assert (made.number, made.version, made.rehearsal.narrows, made.rehearsal.risk) == (1, 0, False, "high")
    with acting(chen):
        assert not guard.may(chen, "customer.edit")
    with acting(company.actor("he")), pytest.raises(Denied, match="somebody else"):
        change_sets.approve(company.actor("he"), 1)
    with acting(chen), translation.override("en"), pytest.raises(Denied, match="Approve change sets"):
        change_sets.approve(chen, 1)
    with acting(qian):
        assert change_sets.approve(qian, 1, reason="看过了") == 2
    with acting(chen):
        assert guard.may(chen, "customer.edit")
        assert not guard.may(chen, "opportunity.view")
    with acting(qian), pytest.raises(Invalid, match="is decided"):
        change_sets.approve(qian, 1)
    with acting(OPERATOR):
        draft = ChangeSet.objects.get()
        assert (draft.state, draft.version, draft.decided_by, draft.decision) == (
            "published",
            2,
            qian.user_id,
            "看过了",
        )


def test_what_only_takes_away_is_published_at_once_by_one_person(company: Company) -> None:
    approver(company)
    made = submit(company, with_grants("service", opportunity__view=None))
    assert (made.version, made.rehearsal.narrows) == (2, True)
    with acting(company.actor("chen")):
        assert not guard.may(company.actor("chen"), "opportunity.view")


def test_export_and_apply_say_nothing_to_change_and_export_again_is_the_same(company: Company) -> None:
    with acting(OPERATOR):
        before = policy_document.export()
        made = change_sets.submit(OPERATOR, before, title="")
        assert (made.number, made.rehearsal.steps) == (0, ())
        assert policy_document.export() == before


def test_version_1_comes_back_as_another_version(company: Company) -> None:
    with acting(OPERATOR):
        first = policy_document.definitions()
    added = {"key": "extra", "name": "附加", "grants": {"customer.view": "own"}}
    document = with_grants("service", customer__edit="own")
    document["roles"].append(added)
    document["base_access"] = {"opportunity": "public_read"}
    document["gates"] = [
        {
            "key": "night",
            "name": "夜间",
            "conditions": {"second_factor": 5},
            "binds": {"permissions": ["customer.purge"]},
        }
    ]
    document["assignments"] = [{"role": "extra", "to": {"level": "sales.rep"}, "reason": "级别"}]
    document["tests"] = [{"who": "chen", "may": "customer.edit", "expect": True}]
    assert publish(company, document) == 2
    he, qian = company.actor("he"), company.actor("qian")
    with acting(he), pytest.raises(Invalid, match="assigned 1 times"):
        change_sets.roll_back(he, 1, reason="撤回")
    with acting(he):
        back = change_sets.roll_back(he, 1, reason="撤回", end_assignments=True)
    assert not back.rehearsal.narrows, "the access limit goes"
    with acting(qian):
        assert change_sets.approve(qian, back.number) == 3
    with acting(OPERATOR):
        now = policy_document.definitions()
        assert now.pop("base_access") == {"opportunity": "private"}
        first.pop("base_access")
        assert now == first
        assert not Role.objects.filter(key="extra").exists()


def test_after_version_1_no_deed_of_ones_own_changes_a_definition(company: Company) -> None:
    with acting(company.actor("he")), pytest.raises(Denied, match="change sets"):
        policy_file.apply(company.actor("he"), with_grants("service", customer__edit="everything"))


def test_where_nobody_else_may_approve_it_waits_a_day(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    he = company.actor("he")
    assert submit(company, with_grants("service", customer__edit="own")).version == 0
    with pytest.raises(Denied, match="waits 24 hours"), acting(he):
        change_sets.approve(he, 1)
    owner_connection.execute("UPDATE access_change_set SET submitted_at = now() - interval '25 hours'")
    with acting(he):
        assert change_sets.approve(he, 1) == 2
    # As soon as there is somebody else, nothing goes without them.
    assert submit(company, with_grants("service", customer__delete="own")).version == 0
    owner_connection.execute(
        "UPDATE access_change_set SET submitted_at = now() - interval '25 hours' WHERE number = 2"
    )
    approver(company)
    with pytest.raises(Denied, match="somebody else"), acting(he):
        change_sets.approve(he, 2)


def test_a_change_set_is_rejected_with_a_reason_and_withdrawn_by_its_author(company: Company) -> None:
    he, qian = company.actor("he"), approver(company)
    for _ in range(2):
        submit(company, with_grants("service", customer__edit="own"))
    with acting(qian):
        with pytest.raises(Invalid, match="Say why"):
            change_sets.reject(qian, 1, reason=" ")
        change_sets.reject(qian, 1, reason="太宽")
    with pytest.raises(Denied), acting(qian):
        change_sets.withdraw(qian, 2)
    with acting(he):
        change_sets.withdraw(he, 2)
    with pytest.raises(Invalid, match="is decided"), acting(qian):
        change_sets.approve(qian, 2)
    with acting(OPERATOR):
        assert [draft.state for draft in ChangeSet.objects.order_by("number")] == ["rejected", "withdrawn"]


def views(company: Company) -> dict[tuple[str, str], set[int]]:
    """Return what each person views of each type, by their own door."""
    found = {}
    for name in PEOPLE:
        actor = company.actor(name)
        with acting(actor):
            for resource in registry.resource_types():
                rows = guard.scope(actor, resource.permission("view"))
                found[name, resource.name] = set(rows.values_list("pk", flat=True))
    return found


WIDE = {
    "format": 1,
    "base_access": {"opportunity": "public_read"},
    "roles": [
        {**ROLES["rep"], "grants": {**ROLES["rep"]["grants"], "customer.view": "subordinates"}},
        {**ROLES["finance"], "grants": {"customer.view": "everything", "contact.view": "everything"}},
        {**ROLES["executive"], "inherits": ["finance"], "grants": {"customer.view": "department"}},
    ],
    "removes": {"roles": [{"key": "service", "assignments": "end"}]},
}


def test_the_numbers_of_the_preview_are_those_after_publishing_for_everybody_and_every_type(
    company: Company,
) -> None:
    approver(company)
    before = views(company)
    with acting(OPERATOR):
        rehearsed = change_sets.rehearse(OPERATOR, WIDE)
    assert views(company) == before
    assert publish(company, WIDE) == 2
    after = views(company)
    told = {
        (effect.username, kind): records
        for effect in rehearsed.people
        for kind, records in effect.records.items()
    }
    moved = {place for place in before if before[place] != after[place]}
    assert {place[1] for place in moved} == {"customer", "opportunity", "contact"}
    assert set(told) == moved
    for place, records in told.items():
        assert (records.before, records.after) == (len(before[place]), len(after[place]))
        assert records.gained == len(after[place] - before[place])
        assert records.lost == len(before[place] - after[place])
        assert set(records.samples_gained) <= after[place] - before[place]
    with acting(OPERATOR):
        assert policy_document.definitions() == rehearsed.definitions


OPENS_NOTHING = {
    "format": 1,
    "approvals": [{"records": "customer", "by": "manager_of_owner"}],
    "approved_moves": [{"department": "east", "level": "sales.rep", "reason": "常规"}],
    "duties": [{"key": "both", "name": "财务与审计", "roles": ["finance", "audit"]}],
    "duplicate_check": {"customer": ["owner"]},
    "quotas": [
        {"key": "views", "name": "查看客户", "counts": "customer.view", "zone": "Asia/Shanghai", "per_day": 0}
    ],
}


def test_what_opens_nothing_to_anybody_is_previewed_without_a_look_at_everybody_s_lists(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert OPENS_NOTHING.keys() - {"format"} == rehearsal.OPENS_NOTHING
    looked = []
    seen = by_lists.seen
    monkeypatch.setattr(by_lists, "seen", lambda user: looked.append(user.username) or seen(user))
    with acting(OPERATOR):
        quick = change_sets.rehearse(OPERATOR, OPENS_NOTHING)
    assert (looked, quick.people) == ([], ())
    # A look at all of them finds nothing either: of sections that nobody thought of there is one.
    monkeypatch.setattr(rehearsal, "OPENS_NOTHING", frozenset())
    with acting(OPERATOR):
        whole = change_sets.rehearse(OPERATOR, OPENS_NOTHING)
    assert set(looked) == {name for name, facts in PEOPLE.items() if facts[-1] == "active"}
    assert whole.people == ()
    assert whole.definitions == quick.definitions


def test_who_loses_what_a_sharing_rule_showed_is_told_before_it_goes(company: Company) -> None:
    rule = {
        **{"key": "east", "name": "华东客户", "type": "customer", "to": {"user": "zhang"}},
        "condition": {"department": "east"},
    }
    publish(company, {"format": 1, "sharing_rules": [rule]})
    before = views(company)["zhang", "customer"]
    with acting(OPERATOR):
        [effect] = change_sets.rehearse(
            OPERATOR, {"format": 1, "removes": {"sharing_rules": ["east"]}}
        ).people
    assert effect.username == "zhang"
    records = effect.records["customer"]
    assert (records.before, records.after, records.lost) == (len(before), 1, len(before) - 1)
    assert records.lost > 0


# Attacks: 何明 alone, with the application's own rights in the database, and policy.apply, role.manage and role.assign.


@pytest.fixture
def as_he(company: Company, connect_as: Any) -> Iterator[psycopg.Connection]:
    """A transaction of the application in which 何明 acts; 钱多 may approve."""
    approver(company)
    app = connect_as("hufu_app")
    app.autocommit = False
    app.execute("SELECT hufu.enter(%s, '{}')", [company.people["he"]])
    yield app
    app.rollback()


DRAFT = """
INSERT INTO access_change_set
    (number, title, reason, author, base_version, document, narrows, risk, outcome, submitted_at)
VALUES (1, 'x', '', %s, 1, '{}', %s, 'low', '', %s)
"""

GIFT = "INSERT INTO access_assignment (role_id, {}, below, post, reason, given_by) VALUES (4, {}, false, '', '', {})"


def denied(app: psycopg.Connection, statement: str, values: Any = None) -> None:
    """Say that the database refuses it, or changes no row by it."""
    try:
        with app.transaction():
            cursor = app.execute(statement, values)
            assert cursor.rowcount == 0, statement
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.CheckViolation):
        pass


def test_he_alone_widens_nothing_by_any_door(company: Company, as_he: psycopg.Connection) -> None:
    he = company.people["he"]
    for statement in (
        "INSERT INTO access_grant (role_id, permission, scope) VALUES (10, 'customer.view', 'own')",
        "UPDATE access_grant SET scope = 'everything'",
        "DELETE FROM access_grant",
        "INSERT INTO access_role_inherits (role_id, inherits_id) VALUES (10, 4)",
        "INSERT INTO access_role (id, key, name, description, administrator) VALUES (99, 'x', 'x', '', '')",
        "INSERT INTO access_base_access (type, access) VALUES ('customer', 'public_read')",
        "INSERT INTO access_partition (id, key, name) VALUES (99, 'x', 'x')",
        "INSERT INTO access_gate (id, key, name, conditions) VALUES (99, 'x', 'x', '{}')",
        f"INSERT INTO access_version (number, published_by, digest, note) VALUES (2, {he}, '', '')",
        "INSERT INTO access_version_text (number, document) VALUES (2, '{}')",
        "INSERT INTO hufu.publishing (transaction, kind) VALUES (pg_current_xact_id()::text::bigint, 'whole')",
        GIFT.format("level_id", 1, he),
    ):
        denied(as_he, statement)
    # His own draft: neither published by himself, nor called decided, nor older than it is, nor another's.
    as_he.execute(DRAFT, [he, False, datetime.now(UTC)])
    for statement in (
        "SELECT hufu.publish(1, '')",
        "UPDATE access_change_set SET state = 'published', version = 2, decided_by = author, decided_at = now()",
        f"UPDATE access_change_set SET author = {company.people['qian']}",
    ):
        denied(as_he, statement)
    other = DRAFT.replace("(1, 'x'", "(2, 'x'")
    denied(as_he, other, [he, False, datetime.now(UTC) - timedelta(days=2)])
    denied(as_he, other, [company.people["qian"], False, datetime.now(UTC)])


def test_what_claims_to_take_away_can_do_nothing_else(company: Company, as_he: psycopg.Connection) -> None:
    he = company.people["he"]
    as_he.execute(DRAFT, [he, True, datetime.now(UTC)])
    assert as_he.execute("SELECT hufu.publish(1, '')").fetchone() == (2,)
    for statement in (
        "INSERT INTO access_grant (role_id, permission, scope) VALUES (10, 'customer.view', 'own')",
        "INSERT INTO access_grant (role_id, permission, scope)"
        " SELECT id, 'customer.view', 'everything' FROM access_role WHERE key = 'rep'",
        "UPDATE access_grant SET scope = 'everything'",
        "UPDATE access_role SET administrator = 'security'",
        "INSERT INTO access_role_inherits (role_id, inherits_id) VALUES (10, 4)",
        "INSERT INTO access_base_access (type, access) VALUES ('customer', 'public_read')",
        "DELETE FROM access_gate_use",
        GIFT.format("level_id", 1, he),
        GIFT.format("user_id", he, he),
    ):
        denied(as_he, statement)
    narrower = (
        "INSERT INTO access_grant (role_id, permission, scope) SELECT id, 'customer.view', 'own' FROM access_role"
        " WHERE key = 'rep'"
    )
    assert as_he.execute(narrower).rowcount == 1
    # Without a version of its own nothing of it is kept.
    with pytest.raises(psycopg.errors.CheckViolation):
        as_he.commit()


def test_a_rehearsal_cannot_be_kept(company: Company, as_he: psycopg.Connection) -> None:
    as_he.execute("SELECT hufu.rehearse()")
    as_he.execute(
        "INSERT INTO access_grant (role_id, permission, scope) VALUES (10, 'customer.view', 'everything')"
    )
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never kept"):
        as_he.commit()


def test_nobody_looks_in_the_place_of_somebody_else_but_in_what_is_undone(company: Company) -> None:
    he = company.actor("he")
    with acting(he), pytest.raises(RuntimeError), in_place_of(company.actor("lin")):
        pass
    with acting(he):
        with undone(), in_place_of(company.actor("lin")):
            assert guard.scope(company.actor("lin"), "customer.view").count() == 3
        assert guard.scope(he, "customer.view").count() == 0
        with pytest.raises(RuntimeError):
            guard.scope(company.actor("lin"), "customer.view")
