"""The posture page: what should be looked at, in numbers and lists, and one number that anybody can add up."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hufu.access import actions as access
from hufu.access import change_sets
from hufu.access.actions import Principal
from hufu.access.models import Role
from hufu.core import clock
from hufu.core.transaction import acting
from hufu.people.models import User
from hufu.staffing import actions as staffing
from hufu.staffing.posture import KINDS, Looking
from tests.company import CUSTOMERS, Company, approver, publish
from tests.web.conftest import Visit
from tests.web.log import entries


def told(client: Client, address: str = "/posture/") -> str:
    """Return what a page says."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def counts(company: Company) -> dict[str, int]:
    """Return how much of each kind there is."""
    he = company.actor("he")
    with acting(he):
        return {finding.kind.key: finding.count for finding in Looking(he).posture().findings}


def test_the_weights_come_to_a_hundred() -> None:
    assert sum(kind.weight for kind in KINDS) == 100


def test_the_number_is_a_hundred_less_the_points_of_the_table(visit: Visit) -> None:
    page = told(visit("he"))
    lost = sum(int(points) for points in re.findall(r"<strong>−(\d+)</strong>", page))
    shown = re.search(r"(\d+) of 100", page)
    assert shown
    assert lost > 0
    assert int(shown[1]) == 100 - lost


def test_everybody_else_is_refused(visit: Visit, owner_connection: psycopg.Connection) -> None:
    for who in ("feng", "wu", "li", "wang", "lin", "qian"):
        assert visit(who).get("/posture/").status_code == 403, who
        assert visit(who).get("/posture/dormant/").status_code == 403, who
    assert len(entries(owner_connection, "access.refused")) == 12


def test_accounts_that_nobody_uses_are_dormant(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("UPDATE people_user SET last_login = now()")
    assert counts(company)["dormant"] == 0
    owner_connection.execute("UPDATE people_user SET last_login = NULL WHERE username = 'lin'")
    owner_connection.execute(
        "UPDATE people_user SET last_login = now() - interval '91 days' WHERE username IN ('tang', 'zheng')"
    )
    # 郑凯 is suspended already.
    assert counts(company)["dormant"] == 2


def test_what_ends_soon_and_what_never_ends_is_found(company: Company) -> None:
    before = counts(company)
    he = company.actor("he")
    with acting(he):
        chen = Principal(user=User.objects.get(username="qian"))
        soon = clock.now() + timedelta(days=3)
        access.assign_role(he, Role.objects.get(key="empty"), to=chen, reason="x", ends_at=soon)
        access.assign_role(he, Role.objects.get(key="service"), to=chen, reason="x")
    after = counts(company)
    assert after["expiring"] == before["expiring"] + 1
    assert after["endless"] == before["endless"] + 1


def test_roles_that_reach_everything_are_named(company: Company, visit: Visit) -> None:
    assert "高管" in told(visit("he"), "/posture/wide/")
    assert counts(company)["wide"] >= 1


def test_who_holds_what_nobody_should_hold_together_is_counted_even_where_it_is_tolerated(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    before = counts(company)
    he = company.actor("he")
    with acting(he):
        to = Principal(user=User.objects.get(username="chen"))
        access.assign_role(he, Role.objects.get(key="finance"), to=to, reason="x")
    until = (clock.now() + timedelta(days=9)).isoformat()
    publish(
        company,
        {
            "format": 1,
            "duties": [
                {
                    "key": "apart",
                    "name": "收付分离",
                    "roles": ["service", "finance"],
                    "tolerate": {"until": until, "reason": "交接"},
                }
            ],
        },
    )
    assert counts(company)["conflicts"] == before["conflicts"] + 1


def test_what_waits_is_counted_until_it_is_decided(
    company: Company, owner_connection: psycopg.Connection
) -> None:
    owner_connection.execute("DELETE FROM access_approved_move")
    qian, he, feng = approver(company), company.actor("he"), company.actor("feng")
    before = counts(company)
    with acting(feng):
        staffing.change_users(feng, {company.people["lin"]: {"level_id": company.levels["manager"]}})
    with acting(he):
        document = {"format": 1, "base_access": {"customer": "public_read"}}
        submitted = change_sets.submit(he, document, title="开放客户")
    waiting = counts(company)
    assert waiting["pending"] == before["pending"] + 1
    assert waiting["change_sets"] == before["change_sets"] + 1
    with acting(qian):
        change_sets.reject(qian, submitted.number, reason="不需要")
    assert counts(company)["change_sets"] == before["change_sets"]


def test_standard_mode_costs_points(company: Company) -> None:
    assert counts(company)["administrators"] == 1


def test_no_business_data_stands_there(company: Company, visit: Visit) -> None:
    page = told(visit("he"))
    for name, *_rest in CUSTOMERS.values():
        assert name not in page


def test_each_finding_has_a_page_and_reading_it_is_an_event(
    visit: Visit, owner_connection: psycopg.Connection
) -> None:
    he = visit("he")
    for kind in KINDS:
        told(he, f"/posture/{kind.key}/")
    for broken in ("?page=0", "?page=x", f"?page={'9' * 30}"):
        told(he, f"/posture/dormant/{broken}")
    assert he.get("/posture/nonsense/").status_code == 404
    assert len(entries(owner_connection, "posture.viewed")) == len(KINDS) + 3


@pytest.mark.parametrize("address", ["/posture/", "/posture/endless/"])
def test_the_page_takes_as_many_queries_for_many_as_for_few(
    company: Company, visit: Visit, address: str
) -> None:
    client = visit("he")
    he = company.actor("he")

    def give(amount: int) -> None:
        with acting(he):
            for user in User.objects.filter(username__in=["lin", "tang", "zhang", "sun", "qian"])[:amount]:
                access.assign_role(he, Role.objects.get(key="approver"), to=Principal(user=user), reason="x")

    give(2)
    told(client, address)
    with CaptureQueriesContext(connection) as few:
        told(client, address)
    give(5)
    with CaptureQueriesContext(connection) as many:
        told(client, address)
    assert len(many) == len(few)
