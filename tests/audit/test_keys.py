"""A key for every person: sealed values, erased keys and a key ring that belongs to its database."""

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hufu.audit import keys
from hufu.core.errors import Unavailable

RING = keys.KeyRing({1: bytes(range(32))})
EVENT = UUID("01a20ab8-1cff-7018-8787-af78b773c86a")


@pytest.fixture(autouse=True)
def ring(tmp_path, settings):
    settings.HUFU_SECRETS = tmp_path
    (tmp_path / "log-kek").write_bytes(RING.keys[1])
    keys._read_key_ring.cache_clear()
    yield tmp_path
    keys._read_key_ring.cache_clear()


def person(ring=RING):
    pseudonym = uuid4()
    return keys.SubjectKey(pseudonym, ring.wrap(b"k" * 32, pseudonym), ring.version)


def test_a_sealed_value_opens_with_the_key_of_its_person():
    key = person()
    value = {"before": "13800138000", "after": None}
    assert key.open(EVENT, "phone", key.seal(EVENT, "phone", value)) == value


def test_a_sealed_value_never_contains_the_plain_one():
    @given(st.text(alphabet="0123456789张三李四", min_size=3))
    def check(value):
        sealed = person().seal(EVENT, "phone", value)
        assert value not in json.dumps(sealed["c"], ensure_ascii=False)
        assert set(sealed) == {"v", "k", "c"}

    check()


def test_the_same_value_is_sealed_differently_each_time():
    key = person()
    assert key.seal(EVENT, "phone", "138")["c"] != key.seal(EVENT, "phone", "138")["c"]


@pytest.mark.parametrize(("event", "name"), [(uuid4(), "phone"), (EVENT, "mobile")])
def test_a_value_moved_to_another_event_or_name_is_unreadable(event, name):
    key = person()
    with pytest.raises(keys.Unreadable):
        key.open(event, name, key.seal(EVENT, "phone", "138"))


def test_the_key_of_somebody_else_does_not_open():
    pseudonym = uuid4()
    other = keys.SubjectKey(pseudonym, RING.wrap(b"o" * 32, pseudonym), 1)
    with pytest.raises(keys.Unreadable):
        other.open(EVENT, "phone", person().seal(EVENT, "phone", "138"))


def test_after_the_key_is_erased_nothing_opens_and_nothing_new_is_kept():
    key = person()
    sealed = key.seal(EVENT, "phone", "138")
    erased = keys.SubjectKey(key.pseudonym, None, 1)
    assert erased.open(EVENT, "phone", sealed) is None
    assert erased.seal(EVENT, "phone", "138") == {"v": 1, "k": str(key.pseudonym), "c": None}


def test_a_new_version_of_the_key_ring_is_used_and_the_old_one_still_opens(ring):
    old = person()
    sealed = old.seal(EVENT, "phone", "138")
    (ring / "log-kek.2").write_bytes(b"2" * 32)
    keys._read_key_ring.cache_clear()
    assert keys.key_ring().version == 2
    assert keys.SubjectKey(old.pseudonym, old.wrapped, 1).open(EVENT, "phone", sealed) == "138"


def test_without_its_key_the_log_says_what_to_do(ring):
    (ring / "log-kek").unlink()
    with pytest.raises(Unavailable, match="Restore the secrets folder"):
        keys.key_ring()


def test_a_key_of_the_wrong_length_is_damaged(ring):
    (ring / "log-kek").write_bytes(b"short")
    with pytest.raises(Unavailable, match="damaged"):
        keys.key_ring()


def test_the_key_ring_of_another_installation_is_recognised():
    stranger = person(keys.KeyRing({1: b"x" * 32}))
    with pytest.raises(Unavailable, match="belongs to it"):
        stranger.seal(EVENT, "phone", "138")
