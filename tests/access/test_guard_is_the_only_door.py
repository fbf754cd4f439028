"""Business rows are reached through the guard alone: no manager, no plain manager, no SQL anywhere else."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hufu.access import registry

HUFU = Path(__file__).resolve().parents[2] / "hufu"
# Where the plain manager may be named: the guard, what reads the pages of lists, and the deeds, which ask it first.
DOORS = {
    "access/guard.py",
    "access/lists.py",
    "crm/actions/create.py",
    "crm/actions/change.py",
    "crm/models.py",
}
# Numbers of facts and policy, not of business records; and what is measured against, which only an owner could read.
NUMBERS = {"access/actions.py", "cli/bench/baselines.py"}
# Where SQL may name a business table: what makes the row policies, the deeds that call their functions, and migrations.
SQL_DOORS = {
    *("access/policies.py", "access/deeds.py", "access/queries.py", "access/rule_sql.py"),
    "access/cell_sql.py",  # makes what counts records
    "access/preview_sql.py",  # makes what counts what comes and goes, in a rehearsal
    "access/drift_sql.py",  # compares what is kept twice, for the operator
    "access/pool_sql.py",  # makes the deeds of types whose records can lie in a pool
    *("crm/actions/common.py", "crm/actions/create.py", "crm/actions/change.py", "crm/actions/ownership.py"),
    *("crm/actions/teams.py", "crm/models.py", "crm/imports/edits.py", "crm/timeline.py"),
    "access/shared_sql.py",  # makes what keeps shared records where their records are in lists
    "access/task_sql.py",  # makes the deeds on tasks, and their count
    "access/report_views.py",  # makes the views of reporting logins
    "access/crossing_sql.py",  # makes the functions that let shares across the wall
    "access/request_sql.py",  # makes the function that finds what a request is about
    "access/state_deeds.py",  # makes the deeds that void and lock a record
    "crm/persons.py",  # makes the function that erases a person
    "crm/duplicates/sql.py",  # makes the duplicate check, which tells the policy's facts alone
    "crm/duplicates/queue.py",  # hufu.stewarded_…
    "crm/attachments.py",  # makes the trigger by which files go with their record
    "cli/bench/sql/customers.sql",  # fills a database of its own
    "cli/bench/sql/shared_records.sql",  # does, too
}

SOURCES = sorted(path for path in HUFU.rglob("*.py") if "migrations" not in path.parts)


def where(path):
    return path.relative_to(HUFU).as_posix()


def attributes(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def calls(path):
    """Return the names of all that a module calls; `connection.cursor` in two parts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return called | {name.rpartition(".")[2] for name in called}


def texts(path):
    """Return the strings of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("resource", registry.resource_types(), ids=lambda resource: resource.name)
def test_the_default_manager_of_a_business_type_refuses(resource):
    for ask in ("all", "count", "first"):
        with pytest.raises(RuntimeError, match="guard"):
            getattr(resource.model_class.objects, ask)()
    with pytest.raises(RuntimeError, match="guard"):
        resource.model_class.objects.filter(pk=1)


def test_the_plain_manager_is_named_at_the_doors_alone():
    for path in SOURCES:
        if where(path) in DOORS | NUMBERS:
            continue
        named = attributes(path) & {"_base_manager", "_default_manager", "rows"}
        if named:
            assert not _reaches_records(path, named), f"{where(path)} names {named}"


def _reaches_records(path, named):
    """`rows` is also an ordinary word: it counts on a class or on what a resource type calls its model."""
    if named - {"rows"}:
        return True
    text = path.read_text(encoding="utf-8")
    return bool(re.search(r"\b(Customer|Opportunity|Contact|model_class|BusinessRecord)\.rows\b", text))


def test_models_of_records_are_imported_by_nobody_but_their_own_package():
    for path in SOURCES:
        if where(path).startswith("crm/"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "hufu.crm.models", where(path)


def test_no_sql_names_a_business_table_elsewhere():
    tables = "|".join(resource.table for resource in registry.resource_types())
    sql = re.compile(rf"\b(FROM|JOIN|INTO|UPDATE|TABLE|COPY)\s+(public\.)?\"?({tables})\b", re.IGNORECASE)
    made = re.compile(r"\b(FROM|JOIN|INTO|UPDATE|COPY)\s+(public\.)?$", re.IGNORECASE)
    for path in SOURCES:
        if where(path) in SQL_DOORS:
            continue
        for text in texts(path):
            assert not sql.search(text), f"{where(path)}: {text[:80]}"
        if "resource.table" in path.read_text(encoding="utf-8"):
            assert not any(made.search(text) for text in texts(path)), where(path)
    for path in HUFU.rglob("*.sql"):
        if where(path) in SQL_DOORS:
            continue
        assert not sql.search(path.read_text(encoding="utf-8")), where(path)


def test_whoever_runs_plain_sql_is_known():
    """Every module that opens a cursor or writes SQL into a query is listed here by hand; a new one is looked at."""
    opened = {
        where(path) for path in SOURCES if calls(path) & {"connection.cursor", "RawSQL", "raw", "extra"}
    }
    business = {name for name in opened if name.startswith(("web/", "crm/", "staffing/", "access/"))}
    assert business == PLAIN_SQL


PLAIN_SQL = {
    "access/team_rights.py",  # hufu.gifts_below, hufu.endings_below: of whoever stands below the actor
    "access/as_of.py",  # the functions of the past, which ask for explain.any themselves
    "access/actions.py",  # hufu.my_principals, hufu.gate_binds_me
    "access/publishing.py",  # hufu.publish, hufu.rehearse: they ask by themselves who may
    "access/change_sets/asserting.py",  # hufu.covers_…, as the person that a test is about
    "access/change_sets/drafts.py",  # hufu.has_another_approver
    "access/change_sets/rehearsal.py",  # hufu.offered_to_everybody, records_in_all: they ask who rehearses
    "access/change_sets/views.py",  # hufu.held_by_everybody and its like: in a rehearsal alone
    "access/change_sets/by_cells.py",  # hufu.preview_…: in a rehearsal alone, and numbers of records
    "access/company.py",  # hufu.never_set_up, hufu.administers_more
    "access/delegated.py",  # hufu.may_give_there
    "access/emergency.py",  # hufu.appoint_in_emergency: for the operator alone
    "access/break_glass.py",  # hufu.my_break_glass
    "access/delegations.py",  # hufu.may_delegate
    "access/admission_requests.py",  # hufu.answer_admission and its like: they ask who acts
    "access/requests.py",  # hufu.may_decide, hufu.decides: of the actor alone
    "access/doctor.py",  # hufu.drift, hufu.mend_drift: for the operator alone
    "access/duties.py",  # hufu.known_duty_conflicts, hufu.duty_binds_me
    "access/gates.py",  # hufu.gates_for: the conditions that stand, before anybody has an identity
    "access/way_in.py",  # hufu.lift_gate: for the operator alone
    "access/queries.py",  # hufu.who_…: asks by itself whether the actor may know
    "access/cells.py",  # hufu.count_…: of the actor alone
    "access/guard.py",  # hufu.my_prohibitions
    "access/lists.py",  # hufu.page: of the actor's own reach
    "access/prohibitions.py",  # hufu.my_principals, hufu.holds_any
    "access/quotas.py",  # hufu.my_quotas, hufu.consume_quota: of the actor alone
    "access/quota_actions.py",  # hufu.quota_binds_me
    "access/policy_document/quotas.py",  # the time zones that the database knows
    "access/reach.py",  # hufu.settle_reach
    "access/reporting.py",  # the logins for reporting, which the operator alone opens
    "access/rule_reach.py",  # the matches of rules that reach the actor, which the row policy gives
    "access/pools.py",  # hufu.my_principals
    "access/sharing.py",  # hufu.gives_me_by_rule, hufu.try_condition, which asks by itself
    "crm/duplicates/checks.py",  # hufu.check_duplicate_…, hufu.taken_…: they ask and count by themselves
    "crm/share_notes.py",  # hufu.lacks_for_share, which asks by itself; hufu.is_admitted
    "crm/duplicates/queue.py",  # hufu.stewarded_…: asks by itself whether the actor is steward
    "crm/attachments.py",  # which files some row can open, asked as the owner
    "crm/actions/common.py",  # the deeds that a row policy cannot allow, hufu.may_own
    "crm/actions/create.py",  # numbers
    "crm/actions/ownership.py",  # hufu.may_own
    "crm/timeline.py",  # hufu.timeline_…: asks by itself whether the record may be viewed
    "crm/imports/edits.py",  # many edits in one statement, under the row policies, counted
    "crm/imports/places.py",  # hufu.may_own
    "staffing/actions/handover.py",  # hufu.hand_over_…, for whoever manages people
    "staffing/actions/common.py",  # the lock of the facts; hufu.alone_holds
    "staffing/actions/pending.py",  # hufu.what_waits, hufu.release_changes
    "staffing/actions/journeys.py",  # hufu.drop_gifts, hufu.end_teams_…
    "staffing/actions/organisation.py",  # hufu.holds_level
    "web/health.py",  # whether the database answers and is of this version
    "web/metrics/standing.py",  # connections and limits of the server; no record
    "staffing/holdings.py",  # hufu.owned_…, hufu.gifts_of: numbers and names of roles
}


def test_a_guard_is_asked_in_every_deed_and_every_query_of_records():
    """A function with an actor that neither asks the guard nor calls one that does would be a way around it."""
    for module in (
        *(
            "crm/actions/create.py",
            "crm/actions/change.py",
            "crm/actions/ownership.py",
            "crm/actions/pools.py",
            "crm/actions/teams.py",
        ),
        *(
            f"staffing/actions/{room}.py"
            for room in (
                "belonging",
                "handover",
                "journeys",
                "organisation",
                "pending",
                "people",
                "suspension",
            )
        ),
        *("crm/attachments.py", "crm/consents.py", "crm/persons.py", "crm/queries.py", "access/actions.py"),
        "access/sharing.py",
        "access/pools.py",
        "access/change_sets/drafts.py",
    ):
        tree = ast.parse((HUFU / module).read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        asks = {
            name
            for name, node in functions.items()
            if re.search(r"\b(guard|publishing)\.", ast.unparse(node))
        }
        asks |= {
            "authorize_about"
        }  # staffing/actions/common.py: asks the guard, and refuses a deed on oneself
        for _round in functions:
            asks |= {name for name, node in functions.items() if _calls_in(node) & asks}
        public = {
            name
            for name, node in functions.items()
            if not name.startswith("_") and node.args.args and node.args.args[0].arg == "actor"
        }
        assert public - asks <= ALLOWED.get(module, set()), (module, public - asks)


def _calls_in(function):
    called = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {each.id for each in called if isinstance(each, ast.Name)}


# Names of colleagues who may own records in a partition are no secret among colleagues.
# They are given what a guard has let through, or tell what anybody may know.
# The row policy gives a team, and shares, to those who may view its record.
ALLOWED = {
    # What waits is given by its row policy; the others are called by deeds that asked.
    "staffing/actions/pending.py": {
        "forget",
        "forget_leaving",
        "held_back",
        "keep",
        "judged_together",
        "leaving",
        "pending",
        "waiting_of",
    },
    "crm/actions/ownership.py": {"possible_owners"},
    "crm/persons.py": {"consequences"},
    "crm/queries.py": {"leaves_out", "record_view", "shares", "team"},
}
