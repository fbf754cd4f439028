"""The registry: what is not declared cannot be recorded, and secrets cannot be declared."""

import pytest

from hufu.audit import CHANGES, EventType, Field, changes, declare, events, kept, sealed, shown


def test_an_undeclared_event_type_is_a_programming_error():
    with pytest.raises(events.UndeclaredEvent):
        events.get("customer.teleported")


def test_a_type_is_declared_once():
    declare(EventType("twice.declared", "Twice"))
    with pytest.raises(ValueError, match="declared twice"):
        declare(EventType("twice.declared", "Twice"))


@pytest.mark.parametrize("name", ["signed_in", "Auth.signed_in", "auth.signed.in", "auth.signed in", ""])
def test_the_name_of_a_type_is_thing_dot_past(name):
    with pytest.raises(ValueError, match="not thing-dot-past"):
        declare(EventType(name, "Label"))


def test_nothing_is_kept_for_less_than_six_months():
    with pytest.raises(ValueError, match="183 days"):
        declare(EventType("brief.kept", "Brief", retention_days=30))


def test_what_is_personal_cannot_be_shown_to_readers_of_the_log():
    with pytest.raises(ValueError, match="cannot be shown"):
        declare(EventType("open.shown", "Open", (Field("phone", personal=True, shown=True),)))


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_passwd",
        "api_key",
        "apikey",
        "session_key",
        "access_token",
        "totp",
        "otp_code",
        "client_secret",
    ],
)
def test_a_secret_cannot_be_declared(name):
    with pytest.raises(ValueError, match="looks like a secret"):
        declare(EventType("secret.told", "Secret", kept(name)))


@pytest.mark.parametrize(
    "name", ["token_id", "token_count", "secretary", "key", "pinned", "spinner", "keyword"]
)
def test_an_innocent_name_is_no_secret(name):
    events.refuse_secrets({name: 1})


@pytest.mark.parametrize(
    "data", [{"changes": {"password": {"after": "x"}}}, {"changes": [{"deep": {"登录密码": "x"}}]}]
)
def test_a_secret_is_refused_at_any_depth(data):
    with pytest.raises(ValueError, match="Secrets never enter the log"):
        EventType("deep.changed", "Deep", CHANGES).check(data, {})


@pytest.mark.parametrize(("data", "personal"), [({"other": 1}, {}), ({"phone": 1}, {}), ({}, {"stage": 1})])
def test_an_undeclared_name_is_refused_in_either_half(data, personal):
    with pytest.raises(events.UndeclaredEvent):
        EventType("half.known", "Half", (*shown("stage"), *sealed("phone"))).check(data, personal)


def test_values_by_field_must_be_a_mapping():
    with pytest.raises(TypeError):
        EventType("flat.changed", "Flat", CHANGES).check({}, {"changes": "13800138000"})


def test_every_declared_type_has_a_label_and_is_kept_long_enough():
    for event_type in events.all_types():
        assert str(event_type.label)
        assert event_type.retention_days >= events.SIX_MONTHS


def test_a_change_keeps_before_and_after_of_what_differs_in_two_halves():
    halves = changes(
        {"name": "甲", "phone": "138", "stage": "new"},
        {"name": "乙", "phone": "139", "stage": "new"},
        sealed={"phone"},
    )
    assert halves == {
        "data": {"changes": {"name": {"before": "甲", "after": "乙"}}},
        "personal": {"changes": {"phone": {"before": "138", "after": "139"}}},
    }


def test_a_creation_has_no_before_and_a_deletion_no_after():
    assert changes(None, {"name": "甲", "phone": None}, sealed=())["data"] == {
        "changes": {"name": {"after": "甲"}}
    }
    assert changes({"name": "甲"}, None, sealed=())["data"] == {"changes": {"name": {"before": "甲"}}}


def test_nothing_changed_is_nothing_recorded():
    assert changes({"name": "甲"}, {"name": "甲"}, sealed=()) == {"data": {}, "personal": {}}
