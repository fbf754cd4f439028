"""Reach is built in parts: what nobody changed is not made anew, and the outcome is as if all of it were."""

from __future__ import annotations

import pytest

from tests.leaks.test_l25_list_is_check import CHANGES

# What reach is built into, and what of it does not depend on when it was built.
BUILT = {
    "access_principal": "user_id, principal",
    "access_term": "user_id, term, holder_id, read_partitions, create_partitions, edit_partitions, delete_partitions,"
    " owners, reports, departments, departments_below, gates",
    "access_term_grant": "user_id, term, permission, scopes",
    "access_term_field": "user_id, term, type, field, mine, others, export",
    "access_reach": "user_id, valid_until",
    "access_rule_reach": "user_id, rule_id",
    "access_pool_reach": "user_id, pool_id",
}


def built(owner):
    return {
        table: sorted(owner.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
        for table, columns in BUILT.items()
    }


def places(owner):
    """Return where the rows of people's reach lie: what was written anew lies elsewhere."""
    return {
        (table, *row)
        for table in ("access_principal", "access_term", "access_term_grant", "access_term_field")
        for row in owner.execute(f"SELECT user_id, ctid::text FROM {table} WHERE user_id > 0").fetchall()
    }


@pytest.mark.parametrize("change", CHANGES)
def test_reach_after_a_change_is_what_it_would_be_from_the_beginning(company, owner_connection, change):
    owner = owner_connection
    with owner.transaction(force_rollback=True):
        owner.execute(CHANGES[change])
        owner.execute("SELECT hufu.settle_reach()")
        settled = built(owner)
        for table in BUILT:
            owner.execute(f"DELETE FROM {table}")
        owner.execute("SELECT hufu.rebuild_reach()")
        assert built(owner) == settled


def test_a_change_of_a_role_writes_only_what_it_changes(company, owner_connection):
    owner = owner_connection
    with owner.transaction(force_rollback=True):
        before = places(owner)
        owner.execute("DELETE FROM access_grant WHERE permission = 'customer.delete'")
        owner.execute("SELECT hufu.settle_reach()")
        after = places(owner)
        assert after < before
        assert {table for table, _who, _where in before - after} == {"access_term_grant"}
