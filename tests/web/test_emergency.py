"""An appointment on the server stands on every page of those who give roles or audit, until it is reviewed."""

from __future__ import annotations

from hufu.access import emergency
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.people.models import User
from tests.company import Company
from tests.web.conftest import Visit
from tests.web.test_records import text


def test_he_and_wu_are_told_on_every_page_and_others_are_not(company: Company, visit: Visit) -> None:
    operator = Actor.operator()
    with acting(operator):
        qian = User.objects.get(username="qian")
        emergency.appoint(operator, qian, reason="<b>何明</b>失联", even_though=True)
    for who in ("he", "wu", "qian"):
        page = text(visit(who), "/")
        assert "EMERGENCY: 钱多 was made security administrator on the server" in page, who
        assert "<b>何明</b>" not in visit(who).get("/").content.decode()
    for who in ("lin", "li", "feng"):
        assert "EMERGENCY" not in text(visit(who), "/"), who
    wu = company.actor("wu")
    with acting(wu):
        (told,) = emergency.standing(wu)
        emergency.review(wu, told.pk, finding="已核实")
    assert "EMERGENCY" not in text(visit("he"), "/")
