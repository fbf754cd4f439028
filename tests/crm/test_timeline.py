"""What happened to a record: told to those who may view it, in what they may read, and no more."""

from __future__ import annotations

from datetime import timedelta

from hufu.access import admission_requests
from hufu.core import clock
from hufu.crm import actions, queries
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.crm.timeline import timeline
from hufu.people.models import User
from tests.crm.acts import by


def told(company, name, record="qiming", **asked):
    with by(company, name) as actor:
        return timeline(actor, CUSTOMER, company.customer(record), **asked)


def live(company):
    """林悦 works on 启明: edits, a contact, a member, a transfer; others look on."""
    qiming = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.edit_record(lin, CUSTOMER, qiming, {"stage": "won", "phone": "13912345678"}, version=1)
        actions.create_child(lin, CONTACT, actions.NewChild(qiming, {"name": "新联系人"}))
        actions.add_member(lin, CUSTOMER, qiming, who=company.people["zhang"], access="read")
    with by(company, "tang") as tang:
        queries.get_record(tang, CUSTOMER, qiming)


def test_the_timeline_tells_the_deeds_newest_first_and_no_reading(company):
    live(company)
    verbs = [(entry.target.type, entry.verb) for entry in told(company, "lin").entries]
    assert verbs[:3] == [("customer", "member_joined"), ("contact", "created"), ("customer", "changed")]
    assert verbs[-1] == ("customer", "created")
    assert not {verb for _type, verb in verbs} & {"viewed", "listed", "refused"}


def test_values_of_open_fields_are_told_and_of_personal_ones_only_that_they_changed(company):
    live(company)
    for name in ("lin", "chen"):
        (changed,) = [entry for entry in told(company, name).entries if entry.verb == "changed"]
        by_name = {change.field.name: change for change in changed.changes}
        assert (by_name["stage"].before, by_name["stage"].after) == ("following", "won")
        # The phone is masked for 陈静: she is not even told that it changed.
        assert ("phone" in by_name) == (name == "lin")
        if name == "lin":
            assert (by_name["phone"].is_told, by_name["phone"].after) == (False, None)


def test_who_may_not_view_the_record_is_told_nothing(company):
    live(company)
    for name in ("sun", "qian", "feng", "he", "wu"):
        assert told(company, name).entries == (), name


def test_what_belongs_to_the_record_is_told_only_where_it_may_be_viewed(company):
    """周涛 views customers, neither contacts nor opportunities."""
    live(company)
    assert {entry.target.type for entry in told(company, "zhou").entries} == {"customer"}
    assert {entry.target.type for entry in told(company, "lin").entries} == {
        "customer",
        "contact",
        "opportunity",
    }


def test_long_timelines_come_in_pages(company):
    live(company)
    whole = told(company, "lin").entries
    first = told(company, "lin", limit=2)
    second = told(company, "lin", limit=2, cursor=first.next_cursor)
    assert [*first.entries, *second.entries] == list(whole[:4])
    assert told(company, "lin", cursor="nonsense").entries == whole
    assert told(company, "lin", limit=100).next_cursor == ""


def test_an_opportunity_has_a_timeline_of_its_own(company):
    with by(company, "lin") as lin:
        machines = company.opportunity("machines")
        actions.edit_record(lin, OPPORTUNITY, machines, {"stage": "won"}, version=1)
        assert [entry.verb for entry in timeline(lin, OPPORTUNITY, machines).entries] == [
            "changed",
            "created",
        ]


def test_the_reason_of_a_transfer_is_told_to_those_who_may_edit(company):
    qiming = company.customer("qiming")
    with by(company, "lin") as lin:
        actions.transfer_record(
            lin, CUSTOMER, qiming, to=company.people["tang"], reason="客户投诉", version=1
        )
    for name, reason in (("tang", "客户投诉"), ("wang", "客户投诉"), ("chen", "")):
        assert told(company, name).entries[0].reason == reason, name


def test_what_happened_in_another_partition_stays_behind_the_wall(company):
    """启明 moves to 深圳: 孙海 sees it and its life from now on; 李强, who reads in both, sees all of it."""
    live(company)
    with by(company, "li") as li:
        actions.move_record(
            li,
            CUSTOMER,
            company.customer("qiming"),
            to=company.partitions["sz"],
            owner=company.people["sun"],
            reason="划归深圳",
            version=2,
        )
    verbs = {entry.verb for entry in told(company, "sun").entries}
    assert "moved" in verbs
    assert not verbs & {"created", "changed", "member_joined"}
    assert {"created", "changed", "member_joined"} <= {entry.verb for entry in told(company, "li").entries}


def asked(company):
    """林悦 asks that 启明 reach 孙海, outside the wall."""
    with by(company, "lin") as lin:
        return actions.ask_across(
            lin,
            CUSTOMER,
            company.customer("qiming"),
            to=User.objects.get(pk=company.people["sun"]),
            access="read",
            ends_at=clock.now() + timedelta(days=7),
            reason="联合投标",
        )


def test_it_tells_whom_a_share_reaches_across_the_wall_and_that_it_ended_and_not_what_was_only_asked(company):
    """何明 lets 孙海 across; what 林悦 takes back before an answer, and what he refuses, happened to nobody."""
    withdrawn = asked(company)
    with by(company, "lin") as lin:
        admission_requests.end(lin, withdrawn)
    refused = asked(company)
    with by(company, "he") as he:
        admission_requests.answer(he, refused, yes=False, reason="请走正式流程")
    assert not {"let_across", "ended"} & {entry.verb for entry in told(company, "lin").entries}
    number = asked(company)
    with by(company, "he") as he:
        admission_requests.answer(he, number, yes=True, reason="仅限投标")
        admission_requests.end(he, number)
    ended, let, *_earlier = told(company, "lin").entries
    for entry, verb in ((let, "let_across"), (ended, "ended")):
        assert (entry.verb, entry.target.type, entry.actor_id) == (verb, "customer", company.people["he"])
        assert entry.facts["member"] == company.people["sun"]
    assert (let.facts["access"], let.reason) == ("read", "仅限投标")
    # 陈静 views and does not edit: she is not told why.
    assert told(company, "chen").entries[1].reason == ""


def test_whoever_views_a_record_across_the_wall_reads_nothing_of_its_life_behind_it(company):
    live(company)
    number = asked(company)
    with by(company, "he") as he:
        admission_requests.answer(he, number, yes=True, reason="")
    with by(company, "sun") as sun:
        assert queries.get_record(sun, CUSTOMER, company.customer("qiming"))
    assert told(company, "sun").entries == ()
