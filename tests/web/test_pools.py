"""Into a pool and out of it, as pages."""

from __future__ import annotations

import psycopg
import pytest

from hufu.crm.actions import pools
from tests.company import CUSTOMERS, Company
from tests.pools import a_pool
from tests.web.conftest import Visit
from tests.web.log import entries

QIMING = CUSTOMERS["qiming"][0]


def test_lin_releases_a_customer_and_li_claims_it(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    number, pool = company.customer("qiming"), a_pool(owner_connection, company)
    owner_connection.execute(
        "INSERT INTO access_pool_member (pool_id, user_id) VALUES (%s, %s)", [pool, company.people["tang"]]
    )
    page = f"/customers/{number}/"
    assert "Release to the pool" in visit("lin").get(page).content.decode()
    # 唐亮 views it and may not transfer it.
    assert "Release to the pool" not in visit("tang").get(page).content.decode()
    form = visit("lin").get(f"{page}release").content.decode()
    assert "上海公海" in form
    gone = visit("lin").post(
        f"{page}release", {"pool": str(pool), "reason": "久未跟进", "version": "1"}, follow=True
    )
    assert gone.redirect_chain == [("/customers/", 302)]
    assert f"“{QIMING}” lies in the pool “上海公海” now." in gone.content.decode()
    assert visit("lin").get(page).status_code == 404
    # Lists show the pool in the owner's place. A member without the permission has no button.
    assert "Pool: 上海公海" in visit("tang").get("/customers/").content.decode()
    seen = visit("tang").get(page).content.decode()
    assert "released it to the pool “上海公海”" in seen
    assert "Claim" not in seen
    assert "Member of the pool in which it lies" in visit("he").get(f"{page}who").content.decode()
    assert visit("tang").post(f"{page}claim", {"version": "2"}).status_code == 403
    assert "Claim" in visit("li").get(page).content.decode()
    claimed = visit("li").post(f"{page}claim", {"version": "2"}, follow=True).content.decode()
    assert "Customer claimed: you are its owner now." in claimed
    assert "claimed it from the pool “上海公海”" in claimed
    # Whoever comes with the page of before, or clicks twice, is told; to the log nobody was refused.
    refused = len(entries(owner_connection, "access.refused"))
    late = visit("li").post(f"{page}claim", {"version": "2"})
    assert late.status_code == 409
    assert "It lies in no pool any more: it has been claimed." in late.content.decode()
    assert len(entries(owner_connection, "access.refused")) == refused


def test_a_release_without_a_pool_or_a_reason_or_of_an_old_version_is_told_in_the_form(
    company: Company, visit: Visit, owner_connection: psycopg.Connection
) -> None:
    page = f"/customers/{company.customer('qiming')}/release"
    assert "There is no pool in the partition of this record." in visit("lin").get(page).content.decode()
    pool = str(a_pool(owner_connection, company))
    sent = {"pool": pool, "reason": "久未跟进", "version": "1"}
    for wrong in ({"pool": "9"}, {"pool": ""}, {"reason": ""}):
        assert visit("lin").post(page, sent | wrong).status_code == 200
    assert visit("lin").post(page, sent | {"version": "7"}).status_code == 409
    assert owner_connection.execute(
        "SELECT count(*) FROM crm_customer WHERE pool_id IS NOT NULL"
    ).fetchone() == (0,)


def test_who_loses_the_race_is_told_and_who_releases_twice_too(
    company: Company, visit: Visit, owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what the program asks and what the database does somebody else was quicker."""
    number, pool = company.customer("qiming"), a_pool(owner_connection, company)
    page = f"/customers/{number}/"

    def meanwhile(name: str, change: str) -> None:
        asked = getattr(pools, name)

        def quicker(*arguments: object) -> object:
            owner_connection.execute(f"UPDATE crm_customer SET {change} WHERE id = %s", [number])
            return asked(*arguments)

        monkeypatch.setattr(pools, name, quicker)

    released = {"pool": str(pool), "reason": "久未跟进", "version": "1"}
    with monkeypatch.context():
        meanwhile("pools_for", f"owner_id = NULL, pool_id = {pool}")
        assert visit("lin").post(f"{page}release", released).status_code == 409
    monkeypatch.undo()
    # 林悦 becomes a member and views it still, and comes with the page of before.
    owner_connection.execute(
        "INSERT INTO access_pool_member (pool_id, user_id) VALUES (%s, %s)", [pool, company.people["lin"]]
    )
    twice = visit("lin").post(f"{page}release", released)
    assert twice.status_code == 409
    assert "It lies in a pool already." in twice.content.decode()
    meanwhile("may_own", f"pool_id = NULL, owner_id = {company.people['tang']}")
    assert visit("li").post(f"{page}claim", {"version": "1"}).status_code == 409
    assert entries(owner_connection, "access.refused") == []
    assert owner_connection.execute(
        "SELECT owner_id FROM crm_customer WHERE id = %s", [number]
    ).fetchone() == (company.people["tang"],)
