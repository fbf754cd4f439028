"""The fixtures themselves: what they promise about commits and roles."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction

KEY = "d34db33f"


def sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        return int(cursor.fetchone()[0])


def add_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_session VALUES (%s, '', now())", [KEY])


@pytest.mark.parametrize("_time", [1, 2])
def test_what_a_test_writes_is_gone_in_the_next_one(db, _time):
    assert sessions() == 0
    add_session()
    cache.set("seen", True)
    assert sessions() == 1
    assert cache.get("seen")


@pytest.mark.parametrize("_time", [1, 2])
def test_a_committed_test_has_a_database_of_its_own(committed, _time, connect_as):
    assert sessions() == 0
    with transaction.atomic():
        add_session()
    assert connect_as("hufu_owner").execute("SELECT count(*) FROM django_session").fetchone() == (1,)


def test_tests_run_with_the_rights_of_the_application(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, current_setting('is_superuser')")
        assert cursor.fetchone() == ("hufu_app", "off")


def test_the_autonomous_connection_commits_by_itself(committed):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        cache.set("failures", 3)
        raise ZeroDivisionError
    connections["autonomous"].close()
    assert cache.get("failures") == 3


def test_as_owner_leaves_the_application_behind_only_for_its_body(committed, as_owner):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("hufu_owner",)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("hufu_app",)
