"""Nobody widens what they hold themselves, by whatever they may change; asked in plain SQL and of the deeds."""

from __future__ import annotations

import psycopg
import pytest

from hufu.core.errors import Denied
from hufu.core.transaction import acting
from hufu.people.models import Department
from hufu.staffing import actions as staffing

REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def as_somebody(company, connect_as):
    """Return a function that runs SQL as somebody, in a transaction of its own."""
    app = connect_as("hufu_app")

    def run(name, *statements):
        with app.transaction():
            app.execute("SELECT hufu.enter(%s)", [company.people[name]])
            for statement in statements:
                app.execute(statement)

    return run


def test_feng_does_not_hang_his_own_department_below_another(company, as_somebody, owner_connection):
    """冯刚 sits in the east now: what is given to the 深圳公司 and below must not reach him by his own hand."""
    east, far = company.departments["east"], company.departments["far"]
    owner_connection.execute("UPDATE people_user SET main_department_id = %s WHERE username = 'feng'", [east])
    with pytest.raises(REFUSED, match="themselves"):
        as_somebody("feng", f"UPDATE people_department SET parent_id = {far} WHERE id = {east}")
    with pytest.raises(Denied), acting(company.actor("feng")):
        staffing.move_department(
            company.actor("feng"), Department.objects.get(pk=east), to=Department.objects.get(pk=far)
        )
    # Nor does another department come below his.
    with pytest.raises(REFUSED, match="themselves"):
        as_somebody("feng", f"UPDATE people_department SET parent_id = {east} WHERE id = {far}")
    # Moving up, out of one department, gives nobody anything.
    as_somebody("feng", f"UPDATE people_department SET parent_id = NULL WHERE id = {east}")


def test_he_does_not_move_levels_about_on_his_own_ladder(company, as_somebody, owner_connection):
    owner_connection.execute(
        "UPDATE people_user SET level_id = %s WHERE username = 'he'", [company.levels["rep"]]
    )
    with pytest.raises(REFUSED, match="themselves"):
        as_somebody("he", f"UPDATE people_level SET rank = 0 WHERE id = {company.levels['manager']}")
    with pytest.raises(REFUSED, match="themselves"):
        as_somebody("he", f"UPDATE people_level SET rank = 9 WHERE id = {company.levels['rep']}")


def test_feng_does_not_come_to_stand_above_anybody(company, as_somebody, owner_connection):
    """唐亮 reports to 冯刚; whom 冯刚 lets report to 唐亮 would stand below himself."""
    owner_connection.execute(
        "UPDATE people_user SET manager_id = %s WHERE username = 'tang'", [company.people["feng"]]
    )
    lin, tang, feng = (company.people[name] for name in ("lin", "tang", "feng"))
    with pytest.raises(REFUSED, match="themselves"):
        as_somebody("feng", f"UPDATE people_user SET manager_id = {tang} WHERE id = {lin}")
    with pytest.raises(Denied), acting(company.actor("feng")):
        staffing.set_managers(company.actor("feng"), {lin: tang})
    with pytest.raises(Denied), acting(company.actor("feng")):
        staffing.set_managers(company.actor("feng"), {lin: feng})
    with acting(company.actor("feng")):
        staffing.set_managers(company.actor("feng"), {lin: company.people["li"]})


def test_nobody_leaves_a_team_for_others_without_an_identity(company, connect_as, owner_connection):
    owner_connection.execute(
        "INSERT INTO access_team_member (type, record_id, user_id, access, role, added_by)"
        " VALUES ('customer', %s, %s, 'read', '', -1)",
        [company.customer("qiming"), company.people["zhang"]],
    )
    app = connect_as("hufu_app")
    with pytest.raises(REFUSED):
        app.execute(
            "SELECT hufu.leave_crm_customer(%s, %s)", [company.customer("qiming"), company.people["zhang"]]
        )


def test_a_transfer_waits_for_somebody_who_is_leaving_and_then_does_not_happen(company, connect_as):
    """唐亮 leaves while 林悦 hands him a customer: she waits, and he gets none."""
    qiming, tang = company.customer("qiming"), company.people["tang"]
    leaving, handing = connect_as("hufu_owner"), connect_as("hufu_app")
    with handing.transaction():
        handing.execute("SELECT hufu.enter(%s)", [company.people["lin"]])
        with leaving.transaction():
            leaving.execute("UPDATE people_user SET status = 'left' WHERE id = %s", [tang])
            with pytest.raises(psycopg.errors.LockNotAvailable), handing.transaction():
                handing.execute("SET LOCAL lock_timeout = '300ms'")
                handing.execute("SELECT hufu.transfer_crm_customer(%s, %s, 1, false, '')", [qiming, tang])
        done = handing.execute("SELECT hufu.transfer_crm_customer(%s, %s, 1, false, '')", [qiming, tang])
        assert done.fetchone() == (False,)


def test_a_former_owner_who_has_left_does_not_stay_in_the_team(company, owner_connection, as_somebody):
    lin, tang = company.people["lin"], company.people["tang"]
    owner_connection.execute("UPDATE people_user SET status = 'left' WHERE id = %s", [lin])
    as_somebody(
        "wang", f"SELECT hufu.transfer_crm_customer({company.customer('qiming')}, {tang}, 1, false, 'edit')"
    )
    assert owner_connection.execute("SELECT count(*) FROM access_team_member").fetchone() == (0,)
