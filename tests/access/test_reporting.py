"""Reporting sign-in: real logins of named people, who see in `report` exactly their rows, whatever they try."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest

from hufu.access import guard, registry, report_views, reporting
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.errors import Denied, Invalid
from hufu.core.postgres import logins, roles
from hufu.core.postgres.urls import make_url
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.access.world import TABLES
from tests.company import CUSTOMERS, PEOPLE, Company
from tests.database import TestServer, django_on

REFUSED = psycopg.errors.InsufficientPrivilege
PASSWORD = "a password of the tests"
# Everybody but 钱多 may report; 郑凯, who is suspended, too.
REPORTERS = tuple(name for name in PEOPLE if name != "qian")


@dataclass
class Reports:
    """A copy of the company in which everybody has a login, and most may report."""

    company: Company
    server: TestServer
    database: str
    stack: ExitStack
    names: dict[str, str] = field(default_factory=dict)

    def sign_in(self, name: str) -> psycopg.Connection:
        """Sign in to the database as a person, with their own login."""
        return self.connect(self.names[name])

    def connect(self, login: str, database: str = "") -> psycopg.Connection:
        with self.server.admin() as admin:
            host, port = admin.info.host, admin.info.port
        url = make_url(login, PASSWORD, host, port, database or self.database)
        return self.stack.enter_context(psycopg.connect(url, autocommit=True))

    def owner(self) -> psycopg.Connection:
        url = self.server.url(roles.OWNER, self.database)
        return self.stack.enter_context(psycopg.connect(url, autocommit=True))


@contextmanager
def everybody_reports(server: TestServer, company: Company, *names: str) -> Iterator[Reports]:
    """Have the company in a copy of its own, with logins of these people."""
    operator = Actor.operator()
    database = server.clone(company.database)
    with ExitStack() as stack:
        stack.callback(server.drop, database)
        stack.enter_context(django_on(server.url(roles.APP, database)))
        made = Reports(company, server, database, stack)
        owner = made.owner()
        owner.execute(
            "INSERT INTO access_role (id, key, name, description, administrator)"
            " VALUES (900, 'reports', '报表', '', '')"
        )
        owner.execute(
            "INSERT INTO access_grant (role_id, permission, scope) VALUES (900, 'report.sign_in', 'everything')"
        )
        with owner.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO access_assignment (role_id, user_id, below, post, reason, given_by)"
                " VALUES (900, %s, false, '', '', -1)",
                [(company.people[name],) for name in REPORTERS],
            )
        # 郑凯 was suspended after his login was opened.
        owner.execute("UPDATE people_user SET status = 'active'")
        with acting(operator):
            for name in names:
                user = User.objects.get(pk=company.people[name])
                made.names[name] = reporting.open_login(operator, user, reason="月度报表").name
        owner.execute("UPDATE people_user SET status = 'suspended' WHERE id = %s", [company.people["zheng"]])
        with server.admin(database) as admin:
            for login in made.names.values():
                stack.callback(_forget, server, database, login)
                logins.make(admin, login, PASSWORD, None)
        yield made


def _forget(server: TestServer, database: str, login: str) -> None:
    with server.admin(database) as admin:
        logins.end(admin, login)


@pytest.fixture(scope="module")
def everybody(postgres, company_database, django_db_blocker) -> Iterator[Reports]:
    """Everybody's logins, for the tests that change nothing."""
    with django_db_blocker.unblock(), everybody_reports(postgres, company_database, *PEOPLE) as made:
        yield made


@pytest.fixture
def few(postgres, company_database, django_db_blocker) -> Iterator[Reports]:
    """The logins of 林悦 and 王芳, for a test that changes something."""
    with django_db_blocker.unblock(), everybody_reports(postgres, company_database, "lin", "wang") as made:
        yield made


def ids(connection: psycopg.Connection, view: str) -> set[int]:
    return {row[0] for row in connection.execute(f"SELECT id FROM report.{view}")}


# What somebody sees.


@pytest.mark.parametrize("name", [name for name in REPORTERS if name != "zheng"])
def test_the_views_hold_exactly_what_a_persons_lists_show(everybody, django_db_blocker, name):
    actor = everybody.company.actor(name)
    with everybody.sign_in(name) as reader:
        seen = {view: ids(reader, view) for view in TABLES}
    with django_db_blocker.unblock(), acting(actor):
        for view in TABLES:
            assert seen[view] == set(guard.scope(actor, f"{view}.view").values_list("pk", flat=True)), view
    if name == "lin":
        assert seen["customer"] == {
            everybody.company.customer(each) for each in ("qiming", "yunhe", "haitian")
        }
    assert bool(seen["customer"]) == (name not in ("feng", "he", "wu"))


@pytest.mark.parametrize(
    ("name", "said"), [("qian", "you may not query your records"), ("zheng", "not active")]
)
def test_without_the_permission_and_without_an_account_every_view_is_an_error(everybody, name, said):
    with everybody.sign_in(name) as reader:
        for view in TABLES:
            with pytest.raises(REFUSED, match=said):
                reader.execute(f"SELECT count(*) FROM report.{view} WHERE false OR id = 0")
        with pytest.raises(REFUSED, match=said):
            reader.execute("SELECT report.begin()")


def test_names_stand_beside_numbers_amounts_are_in_whole_units_and_sealed_fields_are_empty(everybody):
    company = everybody.company
    with everybody.sign_in("lin") as reader:
        row = reader.execute(
            "SELECT name, owner, owner_id, department, partition, stage, phone FROM report.customer WHERE id = %s",
            [company.customer("qiming")],
        ).fetchone()
        assert row == (
            CUSTOMERS["qiming"][0],
            "林悦",
            company.people["lin"],
            "华东",
            "上海公司",
            "following",
            None,
        )
        assert reader.execute("SELECT count(*), count(phone) FROM report.contact").fetchone() == (1, 0)
        amounts = reader.execute(
            "SELECT amount::text, customer FROM report.opportunity ORDER BY id"
        ).fetchall()
        assert amounts[0] == ("1000.00", CUSTOMERS["qiming"][0])
        assert reader.execute("SELECT report.begin()").fetchone() == ("林悦",)
        assert reader.execute("SELECT count(*) FROM customer").fetchone() == (3,)


def test_every_field_of_every_type_is_a_column_with_a_comment(everybody):
    with everybody.sign_in("lin") as reader:
        for resource in registry.resource_types():
            told = dict(
                reader.execute(
                    "SELECT attname::text, col_description(attrelid, attnum) FROM pg_attribute"
                    " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
                    [f"report.{resource.name}"],
                ).fetchall()
            )
            assert told == {column.name: column.comment for column in report_views.columns(resource)}
            assert set(resource.by_name) <= set(told)
            sealed = [declared.name for declared in resource.fields if declared.is_encrypted]
            assert all("Encrypted" in told[name] for name in sealed)


def test_an_opportunity_that_zhang_sees_without_its_customer_shows_neither_its_name_nor_its_number(
    postgres, company_database, django_db_blocker
):
    with django_db_blocker.unblock(), everybody_reports(postgres, company_database, "zhang") as made:
        made.owner().execute(
            "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_at, added_by)"
            " VALUES ('opportunity', %s, %s, 'read', '', now(), -1)",
            [made.company.opportunity("machines"), made.company.people["zhang"]],
        )
        rows = made.sign_in("zhang").execute(
            "SELECT name, customer_id, customer FROM report.opportunity WHERE owner = '林悦'"
        )
        assert rows.fetchall() == [("启明数控机床项目", None, None)]


def test_personal_fields_are_read_of_ones_own_and_confidential_ones_never(few):
    """No field of today's types is personal without being sealed: the rule is asked by itself."""
    owner, reads = few.owner(), "SELECT hufu.reads_field('customer', 'x', %s, %s)"

    def read(sensitivity: str, mine: bool) -> bool:
        return bool(owner.execute(reads, [sensitivity, mine]).fetchone()[0])

    assert [read("public", False), read("internal", False), read("personal", True)] == [True] * 3
    assert not any([read("personal", False), read("confidential", True), read("unheard of", True)])


def test_what_a_pool_hides_is_empty_in_reports_until_somebody_claims_the_record(few):
    """启明 lies in a pool of 林悦's, which hides its level and the titles of its contacts."""
    owner, company = few.owner(), few.company
    owner.execute(
        "INSERT INTO access_pool (id, key, name, type, partition_id) VALUES (1, 'p', '公海', 'customer', 1)"
    )
    owner.execute(
        "INSERT INTO access_pool_hidden (pool_id, type, field)"
        " VALUES (1, 'customer', 'customer_level'), (1, 'contact', 'title')"
    )
    owner.execute("INSERT INTO access_pool_member (pool_id, user_id) VALUES (1, %s)", [company.people["lin"]])
    owner.execute("UPDATE crm_contact SET title = '总工'")

    def read():
        with few.sign_in("lin") as reader:
            levels = dict(reader.execute("SELECT id, customer_level FROM report.customer").fetchall())
            titles = dict(reader.execute("SELECT id, title FROM report.contact").fetchall())
        return (
            levels[company.customer("qiming")],
            levels[company.customer("yunhe")],
            titles[company.contact("gao")],
        )

    assert read() == ("B", "B", "总工")
    owner.execute(
        "UPDATE crm_customer SET owner_id = NULL, pool_id = 1 WHERE id = %s", [company.customer("qiming")]
    )
    assert read() == (None, "B", None)


def test_a_field_rule_holds_in_reports_too(few):
    """销售代表 read the level of their own customers alone, and let no region out at all."""
    few.owner().execute(
        "INSERT INTO access_field_rule (role_id, type, field, mine, others, export)"
        " SELECT id, 'customer', f, m, o, e FROM access_role, (VALUES ('customer_level', 'editable', 'masked', true),"
        " ('stage', 'editable', 'editable', false)) rule (f, m, o, e) WHERE key = 'rep'"
    )
    rows = few.sign_in("lin").execute("SELECT owner, customer_level, stage FROM report.customer ORDER BY id")
    assert rows.fetchall() == [("林悦", "B", None), ("林悦", "B", None), ("唐亮", None, None)]


# What somebody tries.


SETTINGS = (
    "SET hufu.user_id = '{li}'",
    "SET hufu.closed_gates = '{{}}'",
    "SET hufu.simulated_at = '2020-01-01'",
    "SET ROLE hufu_reader",
    "SET search_path = pg_temp, report, pg_catalog",
    "SET row_security = off",
    "SET default_transaction_read_only = off",
)


@pytest.mark.parametrize("statement", SETTINGS)
def test_no_setting_makes_lin_anybody_else(everybody, statement):
    with everybody.sign_in("lin") as reader:
        before = ids(reader, "customer")
        reader.execute(statement.format(li=everybody.company.people["li"]))
        assert ids(reader, "customer") == before
        assert len(before) == 3
        with reader.transaction():
            reader.execute("SELECT set_config('hufu.user_id', '1', true)")
            assert ids(reader, "customer") == before
            assert reader.execute("SELECT session_user").fetchone() == (everybody.names["lin"],)


ATTACKS = (
    *(f"SET ROLE {role}" for role in ("hufu_app", "hufu_owner", "hufu_sealer", "hufu_backup", "postgres")),
    *(f"SET SESSION AUTHORIZATION {role}" for role in ("hufu_app", "postgres", "hufu_reader")),
    *(f"SELECT 1 FROM public.{table}" for table in TABLES.values()),
    *(
        f"SELECT 1 FROM public.{table}"
        for table in (
            *(
                "people_user",
                "crm_customer_history",
                "audit_event",
                "audit_subject",
                "access_reach",
                "access_term",
            ),
            *(
                "access_term_grant",
                "access_principal",
                "access_reporting_login",
                "access_grant",
                "access_share",
            ),
        )
    ),
    "SELECT 1 FROM hufu.data_key",
    "SELECT hufu.enter(1)",
    "SELECT hufu.actor()",
    "SELECT hufu.rebuild_reach()",
    "SELECT hufu.who_covers('customer.view', 'read', 1, 'customer', 1, 1, 1, 1, '{}')",
    "SELECT hufu.holds('customer.view')",
    "SELECT * FROM hufu.report_customer()",
    "SELECT hufu.reporting_problem(1)",
    "SELECT hufu.open_reporting(1, NULL, 'x')",
    "INSERT INTO report.customer (id) VALUES (1)",
    "DELETE FROM report.customer",
    "CREATE TABLE report.mine (n int)",
    "CREATE TABLE public.mine (n int)",
    "CREATE TEMPORARY TABLE mine (n int)",
    "CREATE SCHEMA mine",
    "CREATE VIEW report.mine AS SELECT * FROM report.customer",
    "CREATE FUNCTION report.evil(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "CREATE EXTENSION vector",
    "CREATE EXTENSION dblink",
    "DO $$ BEGIN EXECUTE 'CREATE FUNCTION pg_temp.evil() RETURNS int LANGUAGE sql AS ''SELECT 1'''; END $$",
    "COPY report.customer TO PROGRAM 'cat'",
    "COPY report.customer TO '/tmp/customers'",
    "COPY report.customer FROM STDIN",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_advisory_lock(7252, 1)",
    "SELECT pg_try_advisory_xact_lock(7252, 1)",
    "BEGIN; LOCK TABLE public.crm_customer",
    "BEGIN; LOCK TABLE report.customer IN ACCESS EXCLUSIVE MODE",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'hufu_owner'",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "GRANT hufu_reader TO hufu_app",
    "ALTER SYSTEM SET log_statement = 'all'",
    "SET temp_file_limit = -1",
    "LOAD 'auto_explain'",
    "SELECT statement FROM pg_prepared_statements, pg_authid",
    "SELECT rolpassword FROM pg_authid",
    "CREATE SUBSCRIPTION s CONNECTION 'host=127.0.0.1' PUBLICATION p",
    "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
)
NOT_THERE = (
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedFile,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.WrongObjectType,
    psycopg.errors.ObjectNotInPrerequisiteState,
)


@pytest.mark.parametrize("statement", ATTACKS)
def test_what_lin_tries_is_refused(everybody, statement):
    with everybody.sign_in("lin") as reader, pytest.raises((REFUSED, *NOT_THERE)):
        reader.execute(statement.encode())


def test_no_other_database_of_the_server_shows_her_anything(everybody, postgres):
    """A copy in which her own number has a row and no login: the name of a login says to which database it belongs."""
    other = postgres.clone(everybody.company.database)
    try:
        with (
            everybody.connect(everybody.names["lin"], other) as reader,
            pytest.raises(REFUSED, match="nobody's"),
        ):
            reader.execute("SELECT * FROM report.customer")
    finally:
        postgres.drop(other)


def test_only_what_was_opened_here_is_somebody_even_among_readers(everybody, postgres):
    li = str(everybody.company.people["li"])
    bi = f"bi_{everybody.database}_{li}"
    with postgres.admin() as admin:
        admin.execute(f"CREATE ROLE {bi} LOGIN PASSWORD '{PASSWORD}' IN ROLE hufu_reader".encode())
        admin.execute(f"CREATE ROLE hufu_report_{everybody.database}_77 LOGIN PASSWORD '{PASSWORD}'".encode())
        admin.execute(f"GRANT hufu_reader TO hufu_report_{everybody.database}_77".encode())
    try:
        for login in (bi, f"hufu_report_{everybody.database}_77"):
            with everybody.connect(login) as reader:
                reader.execute("SELECT set_config('hufu.user_id', %s, false)", [li])
                with pytest.raises(REFUSED, match="nobody's"):
                    reader.execute("SELECT * FROM report.customer")
        with psycopg.connect(postgres.url(roles.READER, everybody.database)) as reader:
            reader.execute("SELECT set_config('hufu.user_id', %s, false)", [li])
            with pytest.raises(REFUSED, match="nobody's"):
                reader.execute("SELECT * FROM report.customer")
    finally:
        with postgres.admin() as admin:
            for login in (bi, f"hufu_report_{everybody.database}_77"):
                admin.execute(f"DROP ROLE {login}".encode())


@pytest.mark.parametrize(
    "condition",
    [
        "1 / (CASE WHEN name = '{hidden}' THEN 0 ELSE 1 END) IS NULL",
        "(CASE WHEN name = '{hidden}' THEN 'x' ELSE '1' END)::int = 0",
        "name = '{hidden}'",
        "name LIKE '%电子%'",
        "ctid IS NULL",
    ],
)
def test_no_condition_of_hers_is_asked_of_a_record_that_she_may_not_view(everybody, condition):
    """Neither an error nor the plan, which counts what it throws away, tells whether such a record is there."""
    hidden = CUSTOMERS["nanfang"][0]
    asked = f"SELECT id FROM report.customer WHERE {condition.format(hidden=hidden)}"
    absent = asked.replace(hidden, hidden[:-1] + "么").replace("电子", "么么")
    with everybody.sign_in("lin") as reader:
        reader.execute("SET enable_seqscan = off")
        if condition.startswith("ctid"):
            with pytest.raises(psycopg.errors.UndefinedColumn):
                reader.execute(asked)
            return

        def told(statement: str) -> list[str]:
            plan = reader.execute(
                f"EXPLAIN (ANALYZE, COSTS, VERBOSE, BUFFERS OFF, TIMING OFF, SUMMARY OFF) {statement}".encode()
            ).fetchall()
            return [row[0].replace("么么", "电子").replace(hidden[:-1] + "么", hidden) for row in plan]

        assert reader.execute(asked.encode()).fetchall() == []
        assert told(asked) == told(absent)
        assert "crm_customer" not in "".join(told(asked))
        removed = [line.strip() for line in told(asked) if "Removed" in line]
        assert removed == ["Rows Removed by Filter: 3"], "the three that she may view, and no others"


def test_statistics_tell_her_nothing(everybody):
    with everybody.owner() as owner:
        owner.execute("ANALYZE")
    with everybody.sign_in("lin") as reader:
        ours = "schemaname IN ('public', 'hufu', 'report')"
        assert reader.execute(f"SELECT count(*) FROM pg_stats WHERE {ours}").fetchone() == (0,)
        assert reader.execute("SELECT count(*) FROM pg_stats_ext").fetchone() == (0,)
        foreign = (
            "SELECT count(*) FROM pg_stat_activity WHERE usename <> session_user AND query NOT LIKE '<%'"
        )
        assert reader.execute(foreign).fetchone() == (0,)


def test_no_transaction_keeps_rights_that_have_ended(few):
    lin = few.sign_in("lin")
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        with pytest.raises(psycopg.errors.InvalidTransactionState, match="READ COMMITTED"), lin.transaction():
            lin.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
            lin.execute("SELECT * FROM report.customer")
    with lin.transaction():
        assert len(ids(lin, "customer")) == 3
        few.owner().execute(
            "UPDATE people_user SET status = 'left' WHERE id = %s", [few.company.people["lin"]]
        )
        with pytest.raises(REFUSED, match="not active"), lin.transaction():
            ids(lin, "customer")


# When rights change.


def test_a_change_of_the_policy_holds_from_the_very_next_statement(few):
    lin, owner = few.sign_in("lin"), few.owner()
    assert len(ids(lin, "customer")) == 3
    owner.execute(
        "UPDATE people_user SET main_department_id = %s WHERE id = %s",
        [few.company.departments["south"], few.company.people["lin"]],
    )
    assert len(ids(lin, "customer")) == 3, "her own two, and 南方"
    owner.execute("DELETE FROM access_admission WHERE department_id = %s", [few.company.departments["sales"]])
    assert ids(lin, "customer") == set()
    owner.execute("DELETE FROM access_assignment WHERE role_id = 900")
    with pytest.raises(REFUSED, match="may not query"):
        ids(lin, "customer")


def test_a_right_that_began_or_ended_asks_for_a_beginning_anew(few):
    lin, owner = few.sign_in("lin"), few.owner()
    owner.execute(
        "INSERT INTO access_admission (partition_id, can_create, can_edit, can_delete, user_id, below, post, reason,"
        " given_by, ends_at) VALUES (%s, true, true, true, %s, false, '', '', -1, %s)",
        [few.company.partitions["sz"], few.company.people["lin"], clock.now() + timedelta(hours=1)],
    )
    assert len(ids(lin, "customer")) == 3
    owner.execute("UPDATE access_reach SET valid_until = now() - interval '1 second'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="worked out anew") as refused:
        ids(lin, "customer")
    assert refused.value.diag.message_hint == "SELECT report.begin()"
    assert lin.execute("SELECT report.begin()").fetchone() == ("林悦",)
    assert len(ids(lin, "customer")) == 3
    others = (
        "SELECT user_id FROM access_reach WHERE user_id > 0 AND (valid_until > now() OR valid_until IS NULL)"
    )
    assert owner.execute(others).fetchall() == [(few.company.people["lin"],)], "her own reach alone"


def test_every_access_limit_counts_as_closed(few):
    """No condition, so that it is open to everybody who comes by the pages; a tool proves nothing of the kind."""
    lin, owner = few.sign_in("lin"), few.owner()
    rep = owner.execute("SELECT id FROM access_role WHERE key = 'rep'").fetchone()[0]
    owner.execute("INSERT INTO access_gate (id, key, name, conditions) VALUES (1, 'office', '办公网', '{}')")
    lin.execute("SET hufu.closed_gates = '{}'")
    for signing_in, permission, role, user, refused in (
        (True, "", None, None, True),
        (False, "report.sign_in", None, None, True),
        (False, "", 900, None, True),
        (False, "", None, few.company.people["lin"], True),
        (False, "customer.view", None, None, False),
        (False, "", rep, None, False),
    ):
        owner.execute("DELETE FROM access_gate_use")
        assert len(ids(lin, "customer")) == 3
        owner.execute(
            "INSERT INTO access_gate_use (gate_id, sign_in, permission, below, role_id, user_id)"
            " VALUES (1, %s, %s, false, %s, %s)",
            [signing_in, permission, role, user],
        )
        if refused:
            with pytest.raises(REFUSED, match="access limit"):
                ids(lin, "customer")
        else:
            assert ids(lin, "customer") == set()


def test_a_quota_on_opening_customers_closes_them_when_it_is_used_up_and_not_before(few):
    lin, owner = few.sign_in("lin"), few.owner()
    owner.execute(
        "INSERT INTO access_quota (id, key, name, counts, per_day, zone, warn_at, below)"
        " VALUES (1, 'q', '配额', 'customer.view', 5, 'Asia/Shanghai', 80, false)"
    )
    assert len(ids(lin, "customer")) == 3
    owner.execute(
        "INSERT INTO access_quota_used (user_id, quota_id, span, begins, used)"
        " SELECT %s, 1, 'day', hufu.span_begins('day', 'Asia/Shanghai', now()), 5",
        [few.company.people["lin"]],
    )
    assert ids(lin, "customer") == set()
    assert len(ids(few.sign_in("wang"), "customer")) == 4


# Prohibitions and ceilings.


def forbid(owner, permission, **more):
    values = {"permission": permission, "reason": "调查", "given_by": -1, "below": False, **more}
    names = ", ".join(values)
    owner.execute(
        f"INSERT INTO access_prohibition ({names}) VALUES ({', '.join(['%s'] * len(values))})",
        list(values.values()),
    )


@pytest.mark.parametrize("permission", ["customer.view", "customer.*"])
def test_who_is_forbidden_to_view_customers_reads_no_row_of_them(few, permission):
    lin, wang, owner = few.sign_in("lin"), few.sign_in("wang"), few.owner()
    assert (len(ids(lin, "customer")), len(ids(wang, "customer"))) == (3, 4)
    assert ids(lin, "contact")
    opportunities = ids(lin, "opportunity")
    assert opportunities
    forbid(owner, permission, user_id=few.company.people["lin"])
    assert (ids(lin, "customer"), ids(lin, "contact")) == (set(), set())
    assert ids(lin, "opportunity") == opportunities
    # What is visible without its customer does not say whose it is.
    assert lin.execute("SELECT count(customer), count(customer_id) FROM report.opportunity").fetchone() == (
        0,
        0,
    )
    assert len(ids(wang, "customer")) == 4
    owner.execute("UPDATE access_prohibition SET ends_at = now() - interval '1 second', starts_at = NULL")
    assert len(ids(lin, "customer")) == 3


def test_a_prohibition_of_a_level_binds_there_and_one_of_reporting_closes_all(few):
    lin, wang, owner = few.sign_in("lin"), few.sign_in("wang"), few.owner()
    forbid(owner, "customer.view", level_id=few.company.levels["rep"])
    # 王芳 stands on the level above, and reads what she may.
    assert (ids(lin, "customer"), len(ids(wang, "customer"))) == (set(), 4)
    forbid(owner, "report.sign_in", user_id=few.company.people["lin"])
    for view in ("customer", "opportunity"):
        with pytest.raises(REFUSED, match="may not query"):
            ids(lin, view)


def test_a_prohibition_that_began_meanwhile_asks_for_a_beginning_anew(few):
    lin, owner = few.sign_in("lin"), few.owner()
    starts = clock.now() + timedelta(hours=1)
    forbid(owner, "customer.view", user_id=few.company.people["lin"], starts_at=starts)
    assert len(ids(lin, "customer")) == 3
    assert owner.execute(
        "SELECT valid_until FROM access_reach WHERE user_id = %s", [few.company.people["lin"]]
    ).fetchone() == (starts,)
    owner.execute("UPDATE access_prohibition SET starts_at = now() - interval '1 second'")
    owner.execute("UPDATE access_reach SET valid_until = now() - interval '1 second'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="worked out anew"):
        ids(lin, "customer")
    lin.execute("SELECT report.begin()")
    assert ids(lin, "customer") == set()


def test_a_ceiling_narrows_there_too_and_none_widens(everybody):
    """Whatever a session holds itself under, it sees of its rows fewer, and never another one."""
    with everybody.sign_in("lin") as reader:
        before = {view: ids(reader, view) for view in ("customer", "opportunity")}
        reader.execute("SET hufu.permissions = '{opportunity.view}'")
        assert (ids(reader, "customer"), ids(reader, "opportunity")) == (set(), before["opportunity"])
        everything = ",".join(permission.name for permission in registry.permissions())
        reader.execute(f"SET hufu.permissions = '{{{everything}}}'")
        assert {view: ids(reader, view) for view in before} == before
        reader.execute(r"SET hufu.partitions = '\x00'")
        assert (ids(reader, "customer"), ids(reader, "opportunity")) == (set(), set())
        reader.execute(r"SET hufu.partitions = '\xffff'")
        assert {view: ids(reader, view) for view in before} == before


# Opening and closing.


def test_the_operator_alone_opens_and_closes_and_the_log_says_so(few, django_db_blocker):
    company, operator = few.company, Actor.operator()
    with django_db_blocker.unblock():
        for name in ("he", "feng", "lin"):
            actor = company.actor(name)
            for deed in (
                lambda actor, user: reporting.open_login(actor, user, reason="x"),
                reporting.close_login,
                lambda actor, _user: reporting.logins(actor),
            ):
                with pytest.raises(Denied), acting(actor):
                    deed(actor, User.objects.get(pk=company.people["lin"]))
            with (
                acting(actor),
                few.stack.enter_context(psycopg.connect(few.server.url(roles.APP, few.database))) as app,
            ):
                app.execute("SELECT hufu.enter(%s)", [actor.user_id])
                with pytest.raises(REFUSED, match="only the operator"):
                    app.execute("SELECT hufu.open_reporting(1, NULL, 'x')")
        with acting(operator):
            user = User.objects.get(pk=company.people["lin"])
            for wrong in ({"reason": " "}, {"reason": "x", "ends_at": clock.now()}, {"reason": "x"}):
                with pytest.raises(Invalid):
                    reporting.open_login(operator, user, **wrong)
            assert [login.problem for login in reporting.logins(operator)] == ["", ""]
            assert reporting.close_login(operator, user) == few.names["lin"]
            with pytest.raises(Invalid):
                reporting.close_login(operator, user)
    with pytest.raises(REFUSED, match="nobody's"):
        ids(few.sign_in("lin"), "customer")
    types = "SELECT type FROM audit_event WHERE type LIKE 'reporting.%' ORDER BY at"
    assert [row[0] for row in few.owner().execute(types)] == [*["reporting.opened"] * 2, "reporting.closed"]


def test_a_login_that_is_ended_ends_its_sessions(few, postgres):
    lin = few.sign_in("lin")
    with postgres.admin(few.database) as admin:
        assert logins.end(admin, few.names["lin"])
        assert not logins.end(admin, few.names["lin"])
    with pytest.raises(psycopg.OperationalError):
        lin.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        few.sign_in("lin")


def test_a_login_is_a_reader_and_nothing_more_and_its_sessions_are_bounded(everybody, postgres):
    with postgres.admin(everybody.database) as admin:
        state = logins.states(admin)[everybody.names["lin"]]
    assert (state.member_of, state.is_more) == ({"hufu_reader"}, False)
    with everybody.sign_in("lin") as reader:
        shown = {name: reader.execute(f"SHOW {name}").fetchone()[0] for name in logins.SETTINGS}
        assert shown == logins.SETTINGS
        assert reader.execute("SHOW temp_file_limit").fetchone() == ("4GB",)
        rest = [everybody.sign_in("lin") for _each in range(logins.CONNECTIONS - 1)]
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            everybody.sign_in("lin")
        for other in rest:
            other.close()


def test_the_doctor_finds_logins_that_nobody_opened_that_are_missing_and_that_are_more(
    few, postgres, django_db_blocker
):
    from hufu.access.doctor import check_reporting

    def failed() -> dict[str, str]:
        return {finding.name: finding.problem for finding in check_reporting() if not finding.ok}

    with django_db_blocker.unblock(), postgres.admin(few.database) as admin:
        assert failed() == {}
        admin.execute(f"GRANT pg_read_all_data TO {few.names['lin']}".encode())
        assert few.names["lin"] in failed()["reporting logins are readers"]
        logins.end(admin, few.names["lin"])
        assert few.names["lin"] in failed()["reporting logins are there"]
        stray = f"hufu_report_{few.database}_5"
        admin.execute(f"CREATE ROLE {stray} LOGIN".encode())
        try:
            assert stray in failed()["reporting logins were opened"]
        finally:
            admin.execute(f"DROP ROLE {stray}".encode())
        admin.execute("GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint) TO PUBLIC")
        assert "pg_advisory_lock" in failed()["reporting logins hold no locks"]
        few.owner().execute(
            "UPDATE people_user SET status = 'left' WHERE id = %s", [few.company.people["wang"]]
        )
        assert failed()["reporting logins are of use"].endswith("wang (not active)")
