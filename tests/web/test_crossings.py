"""Shares across the wall on pages: the notice where one shares, the inbox of whoever owns the partition."""

from __future__ import annotations

from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from hufu.people.models import Department


def form(company, to="sun", **more):
    values = {"who": str(company.people[to]), "access": "read", "reason": "联合投标"}
    return values | {"until": str(localdate() + timedelta(days=7))} | more


def test_whoever_shares_across_the_wall_is_told_so_and_asks_in_place_and_the_owner_lets_it_across(
    company, visit, in_english
):
    qiming = company.customer("qiming")
    lin, he, sun = visit("lin"), visit("he"), visit("sun")
    share, record = (reverse(f"customer_{name}", args=[qiming]) for name in ("share", "record"))
    said = lin.post(share, form(company)).content.decode()
    assert "The wall of “上海公司” stands between 孙海 and this record. Nothing was shared." in said
    assert "Ask for admission to this record" in said
    # Inside the wall nothing of it is offered.
    assert "Ask for admission" not in lin.get(share).content.decode()
    assert lin.post(share, form(company, "tang")).status_code == 302
    again = lin.post(share, form(company, do="ask", until="")).content.decode()
    assert "Name a day: what reaches across the wall ends by itself." in again
    assert "Ask for admission to this record" in again
    assert lin.post(share, form(company, do="ask")).status_code == 302
    assert sun.get(record).status_code == 404
    told = "access request waits for your answer"
    assert told in he.get(reverse("home")).content.decode()
    assert told not in lin.get(reverse("home")).content.decode()
    inbox = he.get(reverse("requests")).content.decode()
    assert "Shares across your wall: for you to decide" in inbox
    # He does not view the record: its number, not its name.
    assert f"Customer, number {qiming}" in inbox
    assert "启明" not in inbox
    number = inbox.split("/requests/across/")[1].split("/")[0]
    page = reverse("request_crossing", args=[number])
    assert "孙海 is not admitted to “上海公司”." in he.get(page).content.decode()
    assert "Say why." in he.post(page, {"do": "reject", "reason": ""}).content.decode()
    assert lin.get(page).status_code == 409
    assert he.post(page, {"do": "let", "reason": "仅限投标"}).status_code == 302
    assert told not in he.get(reverse("home")).content.decode()
    assert sun.get(record).status_code == 200
    assert sun.get(reverse("customer_edit", args=[qiming])).status_code == 403
    mine = lin.get(reverse("requests")).content.decode()
    assert "Asked for colleagues outside the wall" in mine
    assert "仅限投标" in mine
    assert "Shares that reach across your wall" in he.get(reverse("requests")).content.decode()
    assert "let it reach 孙海 across the wall (May view)" in lin.get(record).content.decode()
    assert he.post(reverse("request_crossing_end", args=[number])).status_code == 302
    assert sun.get(record).status_code == 404
    assert "ended that it reaches 孙海 across the wall" in lin.get(record).content.decode()


def test_whoever_reaches_a_record_across_the_wall_is_told_so_while_they_do(company, visit, in_english):
    """孙海 finds it on his first page and among the requests; 冯刚, to whom the same opens nothing, does not."""
    qiming = company.customer("qiming")
    lin, he, sun, feng = (visit(name) for name in ("lin", "he", "sun", "feng"))
    home, requests = reverse("home"), reverse("requests")
    told = "record of another partition is shared with you"

    def let(to, reason):
        share = reverse("customer_share", args=[qiming])
        lin.post(share, form(company, to, do="ask_anyway", reason=reason))
        number = he.get(requests).content.decode().split("/requests/across/")[1].split("/")[0]
        assert told not in visit(to).get(home).content.decode()
        he.post(reverse("request_crossing", args=[number]), {"do": "let", "reason": ""})
        return number

    let("feng", "给冯刚")
    number = let("sun", "联合投标")
    for reader, is_told in ((sun, True), (feng, False), (lin, False), (he, False)):
        assert (told in reader.get(home).content.decode()) is is_told
        assert ("Shared with you across the wall" in reader.get(requests).content.decode()) is is_told
    page = sun.get(requests).content.decode()
    assert reverse("customer_record", args=[qiming]) in page
    for said in ("启明", "林悦", "何明", "联合投标"):
        assert said in page
    assert "给冯刚" not in page
    he.post(reverse("request_crossing_end", args=[number]))
    assert told not in sun.get(home).content.decode()
    assert "Shared with you across the wall" not in sun.get(requests).content.decode()


def test_the_page_of_requests_asks_the_database_as_often_for_many_crossings_as_for_one(
    company, visit, in_english
):
    lin, he, sun = visit("lin"), visit("he"), visit("sun")

    def asked():
        counts = []
        for reader in (lin, he, sun):
            with CaptureQueriesContext(connection) as seen:
                assert reader.get(reverse("requests")).status_code == 200
            counts.append(len(seen))
        return counts

    def let(customer):
        share = reverse("customer_share", args=[company.customer(customer)])
        lin.post(share, form(company, do="ask"))
        number = he.get(reverse("requests")).content.decode().split("/requests/across/")[1].split("/")[0]
        he.post(reverse("request_crossing", args=[number]), {"do": "let", "reason": ""})
        lin.post(share, form(company, "feng", do="ask_anyway"))

    for reader in (lin, he, sun):
        reader.get(reverse("home"))
    let("qiming")
    few = asked()
    let("yunhe")
    assert asked() == few


def test_a_refusal_is_read_by_whoever_asked(company, visit, in_english):
    lin, he = visit("lin"), visit("he")
    lin.post(reverse("customer_share", args=[company.customer("qiming")]), form(company, do="ask"))
    number = he.get(reverse("requests")).content.decode().split("/requests/across/")[1].split("/")[0]
    he.post(reverse("request_crossing", args=[number]), {"do": "reject", "reason": "请走正式流程"})
    assert "请走正式流程" in lin.get(reverse("requests")).content.decode()
    assert lin.post(reverse("request_crossing_end", args=[number])).status_code == 302


def test_a_share_that_would_open_nothing_says_so_before_it_is_made_and_afterwards(company, visit, in_english):
    share = reverse("customer_share", args=[company.customer("qiming")])
    team = reverse("customer_team", args=[company.customer("qiming")])
    lin, said = visit("lin"), "It opens nothing: 钱多 does not hold “View customers” at any scope."
    first = lin.post(share, form(company, "qian")).content.decode()
    assert "Nothing was shared yet." in first
    assert said in first
    assert "It is not shared with anybody." in lin.get(team).content.decode()
    assert lin.post(share, form(company, "qian", do="anyway")).status_code == 302
    assert said in lin.get(team).content.decode()
    # Whoever may not share reads of the share, and nothing of what its recipient holds.
    assert "钱多" in visit("chen").get(team).content.decode()
    assert said not in visit("chen").get(team).content.decode()
    edit = lin.post(share, form(company, "zhao", access="edit")).content.decode()
    assert "It does not open editing: 赵敏 does not hold “Edit customers” at any scope." in edit


def test_a_share_with_several_of_whom_none_holds_the_permission_says_so(company, visit, in_english):
    """钱多 alone holds no role, and 安全办公室 is 何明 alone; in 财务部 周涛 views customers and edits none."""
    share, team = (
        reverse(f"customer_{name}", args=[company.customer("qiming")]) for name in ("share", "team")
    )
    lin, said = visit("lin"), "It opens nothing: nobody whom it reaches holds “View customers” at any scope."
    office, finance = (f"department:{Department.objects.get(code=code).pk}" for code in ("office", "finance"))
    many = {"who": "", "many": office}
    first = lin.post(share, form(company, **many)).content.decode()
    assert "Nothing was shared yet." in first
    assert said in first
    assert lin.post(share, form(company, **many, do="anyway")).status_code == 302
    assert said in lin.get(team).content.decode()
    assert said not in visit("chen").get(team).content.decode()
    many["many"] = finance
    edit = lin.post(share, form(company, **many, access="edit")).content.decode()
    assert "It does not open editing: nobody whom it reaches holds “Edit customers” at any scope." in edit

    def asked():
        with CaptureQueriesContext(connection) as seen:
            assert lin.get(team).status_code == 200
        return len(seen)

    before = asked()
    assert lin.post(share, form(company, **many)).status_code == 302
    assert lin.get(team).content.decode().count(said) == 1
    assert asked() == before


def test_admission_is_asked_for_one_person_and_nothing_is_shared_with_a_group(
    company, visit, in_english, owner_connection
):
    share = reverse("customer_share", args=[company.customer("qiming")])
    lin, post = visit("lin"), {"do": "ask", "who": ""}
    far = Department.objects.get(code="far").pk
    for many in (f"department:{far}", f"department:{far}+", f"department:{far}.head"):
        said = lin.post(share, form(company, **post, many=many)).content.decode()
        assert "Admission is asked for one person: choose a colleague." in said
    for table in ("access_share", "access_admission_request"):
        assert owner_connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_asking_for_somebody_who_holds_no_such_permission_says_so_first(company, visit, in_english):
    share, requests = reverse("customer_share", args=[company.customer("qiming")]), reverse("requests")
    lin, he = visit("lin"), visit("he")
    said = lin.post(share, form(company, "feng", do="ask")).content.decode()
    assert "It opens nothing: 冯刚 does not hold “View customers” at any scope." in said
    assert "Ask for admission all the same" in said
    assert "/requests/across/" not in he.get(requests).content.decode()
    assert lin.post(share, form(company, "feng", do="ask_anyway")).status_code == 302
    assert "/requests/across/" in he.get(requests).content.decode()


def test_whoever_edits_across_the_wall_finds_no_list_of_who_can_see_the_record_and_a_code_to_read(
    company, visit, in_english, owner_connection, connect_as, settings, tmp_path
):
    settings.HUFU_ATTACHMENTS = tmp_path / "attachments"
    qiming = company.customer("qiming")
    record, team, who, edit, share = (
        reverse(f"customer_{name}", args=[qiming]) for name in ("record", "team", "who", "edit", "share")
    )
    lin, he, sun = visit("lin"), visit("he"), visit("sun")
    lin.post(share, form(company, "tang", reason="给唐雨"))
    lin.post(share, form(company, do="ask", access="edit"))
    number = he.get(reverse("requests")).content.decode().split("/requests/across/")[1].split("/")[0]
    he.post(reverse("request_crossing", args=[number]), {"do": "let", "reason": ""})
    assert who in lin.get(record).content.decode()
    assert who not in sun.get(record).content.decode()
    assert sun.get(who).status_code == 403
    assert "给唐雨" in lin.get(team).content.decode()
    seen = sun.get(team).content.decode()
    assert "给唐雨" not in seen
    assert "Let across the wall by 何明." in seen
    # He adds files and removes none.
    files, add, remove = (
        reverse(f"customer_{name}", args=[qiming]) for name in ("files", "file_add", "file_remove")
    )
    assert sun.post(add, {"file": SimpleUploadedFile("a.txt", "报价".encode())}).status_code == 302
    [number] = owner_connection.execute("SELECT id FROM crm_attachment").fetchone()
    assert remove in lin.get(files).content.decode()
    assert remove not in sun.get(files).content.decode()
    assert sun.post(remove, {"file": number}).status_code == 403
    app = connect_as("hufu_app")
    with app.transaction():
        app.execute("SELECT hufu.enter(%s)", [company.people["sun"]])
        gone = "UPDATE crm_attachment SET key = '', removed_at = now(), removed_by = hufu.actor()"
        assert app.execute(gone).rowcount == 0
    assert lin.post(remove, {"file": number}).status_code == 302
    assert 'name="code"' in lin.get(edit).content.decode()
    assert 'name="industry"' in sun.get(edit).content.decode()
    assert 'name="code"' not in sun.get(edit).content.decode()
