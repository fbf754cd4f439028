"""A database to measure in: an embedded server in a folder of its own, the demo's organisation, and many records."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import psycopg

from hufu.cli import environment
from hufu.core.postgres.roles import OWNER
from hufu.core.postgres.urls import ADMIN_VARIABLE, VARIABLES

# Every customer belongs to somebody who sells; owners have very different numbers of them.
FILL = """
    WITH sellers AS (
        SELECT u.id, u.main_department_id, p.id AS partition_id,
               row_number() OVER (ORDER BY u.id DESC) AS place, count(*) OVER () AS amount
        FROM people_user u
        JOIN people_department d ON d.id = u.main_department_id
        JOIN access_partition p ON p.key = split_part(d.code, '-', 1)
        JOIN people_level l ON l.id = u.level_id AND l.key IN ('rep', 'manager')
        WHERE u.status = 'active')
    INSERT INTO crm_customer (
        id, partition_id, owner_id, department_id, created_at, created_by_id, updated_at, updated_by_id, lock_version,
        name, name_sort, name_initials, customer_level, stage, industry, source, region, code, phone, website, address,
        parent_company, note)
    SELECT nextval('crm_customer_id_seq'), s.partition_id, s.id, s.main_department_id, at, s.id, at, s.id,
           1, '客户' || n, 'kehu' || n, 'kh' || n, (ARRAY['A', 'B', 'C', 'D'])[1 + n % 4],
           (ARRAY['new', 'following', 'won', 'lost'])[1 + n % 4], 'machinery', 'website', '', '', '', '', '', '', ''
    FROM generate_series(1, %(records)s::bigint) n
    CROSS JOIN LATERAL (SELECT timestamptz '2026-01-15' - (n * 7919 % 63072000) * interval '1 second' AS at) moment
    JOIN sellers s ON s.place = 1 + floor(s.amount * power((n * 104729 % 100000) / 100000.0, 2))::int
"""


@contextmanager
def scratch(records: int, folder: Path | None = None) -> Iterator[str]:
    """Have such a database for the body, with Django set up as the application; the value is the owner's address."""
    where = tempfile.TemporaryDirectory(prefix="hufu-bench-") if folder is None else nullcontext(str(folder))
    dropped = (ADMIN_VARIABLE, *VARIABLES.values(), "HUFU_SECRETS")
    with where as name, patch.dict(os.environ, {"HUFU_VAR": str(Path(name) / "var")}):
        for variable in dropped:
            os.environ.pop(variable, None)
        with environment.database() as database, environment.connected(set_up=True):
            from hufu.cli.demo import build
            from hufu.cli.demo.organisation import people

            if build.is_empty():
                # Nobody has left yet: a department that nobody heads would have fewer doors than it has in use.
                staff = tuple(replace(person, active=True) for person in people().values())
                build.organise(staff, analyze=lambda: None)
            owner_url = database.url(OWNER)
            with psycopg.connect(owner_url, autocommit=True) as owner:
                row = owner.execute("SELECT count(*) FROM crm_customer").fetchone()
                missing = records - (row[0] if row else 0)
                if missing > 0:
                    owner.execute(FILL.replace("%(records)s", str(missing)).encode())
                owner.execute("VACUUM ANALYZE")
            yield owner_url
