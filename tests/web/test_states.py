"""What the page says to somebody whom the state of a record keeps from it."""

from __future__ import annotations

from html import unescape

from hufu.crm import actions
from hufu.crm.resources import CUSTOMER
from tests.company import Company, publish
from tests.crm.acts import by
from tests.web.conftest import Visit


def test_a_locked_customer_is_refused_with_its_state_and_no_word_of_roles(
    company: Company, visit: Visit
) -> None:
    number = company.customer("qiming")
    with by(company, "wang") as wang:
        actions.lock_record(wang, CUSTOMER, number, version=1, reason="年度审计")
    for language, said, of_roles in (
        ("en", "by 王芳: 年度审计.", "None of your roles"),
        ("zh-hans", "由王芳锁定：年度审计。", "您的角色没有此项权限"),
    ):
        refused = visit("lin").get(f"/customers/{number}/edit", headers={"accept-language": language})
        page = unescape(refused.content.decode())
        assert refused.status_code == 403
        assert said in page
        assert of_roles not in page
        assert "/requests/permission/" not in page
    # Where a role is what is missing the page says so, as ever.
    assert "None of your roles" in visit("chen").get(f"/customers/{number}/transfer").content.decode()


def test_what_is_forbidden_to_lin_is_refused_without_a_word_of_roles_that_allow_it(
    company: Company, visit: Visit
) -> None:
    says = {"permission": "customer.edit", "to": {"user": "lin"}, "reason": "审计期间"}
    publish(company, {"format": 1, "prohibitions": [says]})
    refused = visit("lin").get(f"/customers/{company.customer('qiming')}/edit")
    page = unescape(refused.content.decode())
    assert refused.status_code == 403
    assert "This is forbidden to you: Edit customers." in page
    assert "This holds whatever your roles allow." in page
    assert "None of your roles" not in page
