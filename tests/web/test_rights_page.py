"""What somebody holds, as a page: for themselves, those above them and whoever explains rights."""

from __future__ import annotations

import re
from datetime import timedelta

import psycopg
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from hufu.access import actions as access
from hufu.access.models import Role
from hufu.core import clock
from hufu.core.days import end_of
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.log import entries
from tests.web.test_records import text


def cells(page: str) -> dict[str, str]:
    """Return what the cells of a page say, by permission."""
    return {
        name: re.sub(r"<[^>]+>", " ", words).strip()
        for name, words in re.findall(
            r'<a class="rights-cell[^>]*href="\?[^"]*permission=([a-z_.]+)#source"[^>]*><span>(.*?)</span>',
            page,
        )
    }


def rights(company: Company, who: str) -> str:
    return f"/people/{company.people[who]}/rights/"


def give(company: Company, role: str, to: str, *, days: int) -> None:
    he = company.actor("he")
    with acting(he):
        access.assign_role(
            he,
            Role.objects.get(key=role),
            to=access.Principal(user=User.objects.get(username=to)),
            reason="代班",
            ends_at=end_of(localdate() + timedelta(days=days)),
        )


def test_he_sees_what_wang_holds_with_the_scopes_in_words(company: Company, visit: Visit) -> None:
    said = cells(text(visit("he"), rights(company, "wang")))
    # Her level holds what the lower ones of its ladder hold, too.
    assert said["customer.view"] == "Subordinates, Department"
    assert said["customer.create"] == "For anybody"
    assert said["contact.view"] == "Allowed"
    assert said["customer.move_partition"] == "None"
    assert said["audit.view"] == "None"


def test_a_cell_leads_to_the_path_that_gives_it(company: Company, visit: Visit) -> None:
    page = text(visit("he"), f"{rights(company, 'wang')}?permission=customer.view")
    source = page[page.index('id="source"') :]
    assert "holds role “销售代表”" in source
    assert "given to level “销售代表” and those above it" in source
    assert "王芳 stands on level “销售经理”, above “销售代表” on the same ladder." in source
    assert "which grants it with the scope: own and subordinates&#x27;" in source
    assert "It counts in: 上海公司." in source


def test_what_ends_says_so_in_the_cell_and_on_its_path(company: Company, visit: Visit) -> None:
    give(company, "finance", "qian", days=5)
    last = (localdate() + timedelta(days=5)).isoformat()
    page = text(visit("he"), f"{rights(company, 'qian')}?permission=customer.view")
    assert f"<small>until {last}</small>" in page
    assert f"until {last}" in page[page.index('id="source"') :]


def test_a_prohibition_is_named_where_it_closes(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(
        "INSERT INTO access_prohibition (permission, user_id, reason, given_by) VALUES ('customer.edit', %s, '', -1)",
        [company.people["lin"]],
    )
    page = text(visit("he"), f"{rights(company, 'lin')}?permission=customer.edit")
    assert cells(page)["customer.edit"] == "Forbidden"
    assert "A prohibition wins over everything" in page


def test_partitions_roles_and_fields_stand_beside_the_matrix(company: Company, visit: Visit) -> None:
    page = text(visit("he"), rights(company, "lin"))
    assert "<strong>上海公司</strong>" in page
    assert "given to department “销售部” and those below" in page
    assert "林悦 belongs to department “华东”, below “销售部”." in page
    fields = page[page.index('id="fields-title"') :]
    assert "Masked" in fields
    assert "Editable" in fields


def test_the_search_leaves_what_is_called_so(company: Company, visit: Visit) -> None:
    he = visit("he")
    assert set(cells(text(he, f"{rights(company, 'lin')}?find=transfer"))) == {
        "customer.transfer",
        "opportunity.transfer",
    }
    assert "audit.view" in cells(text(he, f"{rights(company, 'lin')}?find=log"))
    assert "No object, verb or function is called like that." in text(
        he, f"{rights(company, 'lin')}?find=zzz"
    )


def test_a_suspended_account_holds_nothing(company: Company, visit: Visit) -> None:
    page = text(visit("he"), rights(company, "zheng"))
    assert set(cells(page).values()) == {"None"}
    assert "The account is suspended or has left" in page


def test_a_manager_sees_those_below_and_nobody_else(company: Company, visit: Visit) -> None:
    wang = visit("wang")
    # Also 张伟, through the suspended 郑凯.
    for who in ("lin", "tang", "zhang", "zheng", "wang"):
        assert wang.get(rights(company, who)).status_code == 200
    for who in ("li", "sun", "chen", "feng", "he", "wu"):
        assert wang.get(rights(company, who)).status_code == 404
    assert cells(text(wang, rights(company, "lin"))) == cells(text(visit("he"), rights(company, "lin")))


def test_a_manager_is_told_nothing_of_another_day(company: Company, visit: Visit) -> None:
    yesterday = (localdate() - timedelta(days=1)).isoformat()
    assert visit("wang").get(f"{rights(company, 'lin')}?on={yesterday}").status_code == 404


def test_colleagues_and_the_other_administrators_see_nothing(company: Company, visit: Visit) -> None:
    for who in ("tang", "chen", "qian", "feng", "wu"):
        client = visit(who)
        client.get("/")
        hidden, absent = client.get(rights(company, "lin")), client.get("/people/987654/rights/")
        assert (hidden.status_code, absent.status_code) == (404, 404)
        assert hidden.content == absent.content


def test_a_question_about_somebody_else_is_in_the_log_and_one_about_oneself_is_not(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    visit("lin").get(rights(company, "lin"))
    assert entries(owner_connection, "access.asked") == []
    visit("wang").get(rights(company, "lin"))
    visit("he").get(f"{rights(company, 'lin')}?permission=customer.view")
    manager, security = entries(owner_connection, "access.asked")
    assert manager.target == security.target == ("user", company.people["lin"])
    assert manager.data["question"] == security.data["question"] == "rights"
    assert security.data["permission"] == "customer.view"


def test_as_of_shows_what_was_held_then(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    """The company has stood for forty days; 钱多 gets the role today."""
    owner_connection.execute("UPDATE access_change SET at = %s", [clock.now() - timedelta(days=40)])
    give(company, "finance", "qian", days=5)
    he = visit("he")
    assert cells(text(he, rights(company, "qian")))["customer.view"] == "Everything"
    day = (localdate() - timedelta(days=7)).isoformat()
    page = text(he, f"{rights(company, 'qian')}?on={day}")
    assert cells(page)["customer.view"] == "None"
    assert f"As of {day}, not as of today." in page
    assert "Access limits are not evaluated for the past." in page


def test_a_day_before_the_beginning_and_one_to_come_say_so(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute(
        "INSERT INTO access_change (number, at, version) VALUES (0, %s, 0) ON CONFLICT DO NOTHING",
        [clock.now() - timedelta(days=3)],
    )
    he = visit("he")
    assert "lies before that" in text(he, f"{rights(company, 'lin')}?on=2020-01-01")
    later = (localdate() + timedelta(days=9)).isoformat()
    assert "still to come" in text(he, f"{rights(company, 'lin')}?on={later}")
    assert "is no day" in text(he, f"{rights(company, 'lin')}?on=never")


def queries_of(client: Client, address: str) -> int:
    """Return how many queries a page takes, once everything that lasts was read."""
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    # When somebody was last seen is noted once in a while.
    return sum(not str(query["sql"]).startswith("UPDATE") for query in seen)


def hire(owner_connection: psycopg.Connection, company: Company, amount: int) -> None:
    """Make many more people below 王芳, each with a role by name that ends."""
    with owner_connection.transaction():
        owner_connection.execute(
            "INSERT INTO people_user (id, username, name, password, name_sort, email, title, status, language,"
            " main_department_id, manager_id) SELECT 100000 + n, 'p' || n, '员工' || n, '!', 'yuangong' || n, '', '',"
            " 'active', '', %s, %s FROM generate_series(1, %s) n",
            [company.departments["east"], company.people["wang"], amount],
        )
        owner_connection.execute(
            "INSERT INTO access_assignment (role_id, user_id, below, reason, given_by, ends_at)"
            " SELECT r.id, 100000 + n, false, '', -1, now() + interval '9 days'"
            " FROM access_role r, generate_series(1, %s) n WHERE r.key = 'finance'",
            [amount],
        )


def test_every_answer_takes_as_many_queries_for_five_thousand_people_as_for_a_dozen(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    lin, tang, qiming = company.people["lin"], company.people["tang"], company.customer("qiming")
    asked = (
        ("he", rights(company, "lin")),
        ("wang", rights(company, "lin")),
        ("lin", rights(company, "lin")),
        ("he", f"/access/why/?person={lin}&permission=customer.edit&number={qiming}"),
        ("lin", f"/access/why/?permission=customer.lock&number={qiming}"),
        ("he", f"/access/who/?permission=customer.view&number={qiming}"),
        ("he", f"/access/compare/?one={lin}&other={tang}"),
        ("wang", "/access/mine/"),
        ("lin", "/access/mine/"),
    )
    clients = {who: visit(who) for who in ("he", "wang", "lin")}
    few = {(who, address): queries_of(clients[who], address) for who, address in asked}
    hire(owner_connection, company, 5000)
    many = {(who, address): queries_of(clients[who], address) for who, address in asked}
    assert many == few
    assert max(few.values()) < 80


def test_two_people_are_compared_by_what_they_hold_differently(company: Company, visit: Visit) -> None:
    page = text(visit("he"), f"/access/compare/?one={company.people['lin']}&other={company.people['zhao']}")
    body = page[page.index('id="differences-title"') :]
    assert "Edit customers" in body
    assert "which grants it with the scope: own" in body
    same = text(visit("he"), f"/access/compare/?one={company.people['lin']}&other={company.people['tang']}")
    assert "They hold the same, of every permission and partition." in same
