"""A pool for tests that are about something else: one of 上海 without members, and a customer that lies in it."""

from __future__ import annotations

import psycopg

from tests.company import Company


def a_pool(owner_connection: psycopg.Connection, company: Company) -> int:
    """Return a pool of 上海, made where there is none."""
    owner_connection.execute(
        "INSERT INTO access_pool (id, key, name, type, partition_id) VALUES (1, 'sh', '上海公海', 'customer', %s)"
        " ON CONFLICT DO NOTHING",
        [company.partitions["sh"]],
    )
    return 1


def a_pooled_customer(owner_connection: psycopg.Connection, company: Company) -> int:
    """Return 海天, which lies in the pool, whoever owned it before."""
    owner_connection.execute(
        "UPDATE crm_customer SET owner_id = NULL, pool_id = %s WHERE id = %s",
        [a_pool(owner_connection, company), company.customer("haitian")],
    )
    return company.customer("haitian")
