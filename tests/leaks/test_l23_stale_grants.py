"""L23, stale grants: whatever takes a right away is felt by the very next request of a session that is open.

Each case is granted before and denied after, through the same client; nobody signs in again in between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from hufu.access import actions as access
from hufu.access import guard
from hufu.access.actions import Principal
from hufu.access.decision.terms import Right
from hufu.access.models import Admission, Assignment, Partition, Role
from hufu.core import clock
from hufu.core.actor import Actor
from hufu.core.transaction import acting
from hufu.crm import actions as crm
from hufu.crm.resources import CUSTOMER
from hufu.people.models import Department, Level, Post, User
from hufu.staffing import actions as staffing
from hufu.staffing.actions import Handover, Move
from tests.company import Company, unpublish

OPERATOR = Actor.operator()
SIGN_IN = 302


@dataclass
class Setting:
    """The company, and short ways to its deeds."""

    company: Company
    execute: Callable[..., object]

    def by(self, name: str, deed: Callable[[Actor], object]) -> object:
        actor = OPERATOR if name == "operator" else self.company.actor(name)
        with acting(actor):
            return deed(actor)

    def user(self, name: str) -> User:
        return User.objects.get(pk=self.company.people[name])

    def department(self, code: str) -> Department:
        return Department.objects.get(code=code)

    def assign(self, to: Principal, role: str = "rep_reading", **term: object) -> None:
        self.by(
            "he",
            lambda he: access.assign_role(he, Role.objects.get(key=role), to=to, reason="x", **term),
        )

    def end_assignments(self, **of: object) -> None:
        def deed(he: Actor) -> None:
            for row in Assignment.objects.filter(**of):
                access.end_assignment(he, row, reason="x")

        self.by("he", deed)

    def move(self, name: str, **wanted: object) -> None:
        self.by("feng", lambda feng: staffing.move_person(feng, self.user(name), Move(**wanted), reason="x"))


@dataclass(frozen=True)
class Case:
    """Who looks at a record of which name, what grants it (nothing: it is granted already), what takes it away.

    `after` is the answer then: 404, or 302 to the page of signing in.
    """

    who: str
    takes: Callable[[Setting], object]
    grants: Callable[[Setting], object] = lambda setting: None
    customer: str = "qiming"
    after: int = 404
    verb: str = ""


def _group(setting: Setting) -> None:
    group = setting.by("he", lambda he: staffing.create_group(he, key="bidders", name="投标小组"))
    setting.assign(Principal(group=group))
    setting.by("feng", lambda feng: staffing.add_members(feng, group, [setting.company.people["qian"]]))


def _leave_group(setting: Setting) -> None:
    from hufu.people.models import Group

    group = Group.objects.get()
    setting.by("feng", lambda feng: staffing.remove_members(feng, group, [setting.company.people["qian"]]))


def _position(setting: Setting) -> None:
    position = setting.by("he", lambda he: staffing.create_position(he, key="key", name="大客户经理"))
    setting.assign(Principal(position=position))
    setting.by("feng", lambda feng: staffing.add_holders(feng, position, [setting.company.people["qian"]]))


def _give_up_position(setting: Setting) -> None:
    from hufu.people.models import Position

    position = Position.objects.get()
    setting.by("feng", lambda feng: staffing.remove_holders(feng, position, [setting.company.people["qian"]]))


def _head(setting: Setting) -> None:
    east = setting.department("east")
    setting.assign(Principal(department=east, post=Post.HEAD))
    setting.by("feng", lambda feng: staffing.appoint_head(feng, east, setting.company.people["qian"]))


def _assistant(setting: Setting) -> None:
    east = setting.department("east")
    setting.assign(Principal(department=east, post=Post.ASSISTANT))
    setting.by("feng", lambda feng: staffing.add_assistants(feng, east, [setting.company.people["qian"]]))


def _included(setting: Setting) -> None:
    """钱多 stands on a ladder of her own, whose level includes the representative's."""
    setting.by(
        "he", lambda he: staffing.create_ladder(he, key="service", name="服务", levels=[("lead", "组长")])
    )
    lead, rep = Level.objects.get(key="lead"), Level.objects.get(key="rep")
    setting.by("he", lambda he: staffing.include_level(he, lead, rep))
    setting.by(
        "feng",
        lambda feng: staffing.change_users(feng, {setting.company.people["qian"]: {"level_id": lead.id}}),
    )


def _team(setting: Setting, name: str = "zhang") -> None:
    setting.by(
        "operator",
        lambda operator: crm.add_member(
            operator,
            CUSTOMER,
            setting.company.customer("qiming"),
            who=setting.company.people[name],
            access="edit",
        ),
    )


def _transfer(setting: Setting, former: crm.FormerOwner = crm.FormerOwner.LEAVES, to: str = "zhang") -> None:
    setting.by(
        "wang",
        lambda wang: crm.transfer_record(
            wang,
            CUSTOMER,
            setting.company.customer("qiming"),
            to=setting.company.people[to],
            reason="x",
            version=1,
            former_owner=former,
        ),
    )


def _admit_chen(setting: Setting) -> None:
    setting.by(
        "he",
        lambda he: access.admit(
            he,
            Partition.objects.get(key="sz"),
            to=Principal(user=setting.user("chen")),
            rights=[Right.READ],
            reason="x",
        ),
    )


def _end_admission(setting: Setting, **of: object) -> None:
    def deed(he: Actor) -> None:
        for row in Admission.objects.filter(**of):
            access.end_admission(he, row, reason="x")

    setting.by("he", deed)


def _expire(setting: Setting) -> None:
    """The end of the term passes; nothing else happens."""
    setting.execute("UPDATE access_reach SET valid_until = clock_timestamp() - interval '1 second'")
    setting.execute(
        "UPDATE access_assignment SET starts_at = NULL, ends_at = clock_timestamp() - interval '1 second'"
        " WHERE ends_at IS NOT NULL"
    )


def _open_base(setting: Setting) -> None:
    setting.by("he", lambda he: access.set_base_access(he, "customer", "public_read"))


CASES = {
    "a role given by name is taken back": Case(
        "qian",
        lambda s: s.end_assignments(user=s.user("qian")),
        lambda s: s.assign(Principal(user=s.user("qian"))),
    ),
    "a role given to a level is taken back": Case("lin", lambda s: s.end_assignments(level__isnull=False)),
    "an admission given by name ends": Case(
        "chen", lambda s: _end_admission(s, user=s.user("chen")), _admit_chen, customer="pengcheng"
    ),
    "the admission of the department ends": Case(
        "lin", lambda s: _end_admission(s, department__code="sales")
    ),
    "the term of a role runs out": Case(
        "qian",
        _expire,
        lambda s: s.assign(Principal(user=s.user("qian")), ends_at=clock.now() + timedelta(days=1)),
    ),
    "out of the group": Case("qian", _leave_group, _group),
    "the position ends": Case("qian", _give_up_position, _position),
    "another head": Case(
        "qian",
        lambda s: s.by(
            "feng", lambda feng: staffing.appoint_head(feng, s.department("east"), s.company.people["tang"])
        ),
        _head,
    ),
    "no assistant any more": Case(
        "qian",
        lambda s: s.by(
            "feng",
            lambda feng: staffing.leave_posts(
                feng, s.department("east"), Post.ASSISTANT, [s.company.people["qian"]]
            ),
        ),
        _assistant,
    ),
    "another level": Case("tang", lambda s: s.move("tang", level=None)),
    "the level no longer includes the other": Case(
        "qian",
        lambda s: s.by(
            "he",
            lambda he: staffing.end_included_level(
                he, Level.objects.get(key="lead"), Level.objects.get(key="rep")
            ),
        ),
        _included,
    ),
    "out of the team": Case(
        "zhang",
        lambda s: s.by(
            "operator",
            lambda o: crm.remove_member(
                o, CUSTOMER, s.company.customer("qiming"), who=s.company.people["zhang"]
            ),
        ),
        _team,
    ),
    "the base access is closed": Case(
        "zhang",
        lambda s: s.by("he", lambda he: access.set_base_access(he, "customer", "private")),
        _open_base,
    ),
    # She sees it as its owner alone: it stayed in the department that she left.
    "the record is transferred": Case(
        "lin",
        lambda s: _transfer(s, to="tang"),
        lambda s: s.move("lin", department=s.company.departments["south"], take_records=False),
        verb="edit",
    ),
    "the record went to another department": Case("tang", _transfer),
    "the owner moves and takes the records along": Case(
        "tang", lambda s: s.move("lin", department=s.company.departments["south"])
    ),
    "the manager no longer has the owner below": Case(
        "wang",
        lambda s: s.by("feng", lambda feng: staffing.set_managers(feng, {s.company.people["lin"]: None})),
        lambda s: s.execute(
            "UPDATE access_assignment SET role_id = (SELECT id FROM access_role WHERE key = 'manager')"
            " WHERE level_id IS NOT NULL"
        ),
    ),
    "one moves to another department": Case(
        "tang", lambda s: s.move("tang", department=s.company.departments["south"], level=None)
    ),
    "one leaves": Case(
        "lin",
        lambda s: s.by(
            "feng",
            lambda feng: staffing.leave(
                feng, s.user("lin"), handover=Handover(to=s.company.people["tang"]), reason="x"
            ),
        ),
        after=SIGN_IN,
    ),
    "the account is suspended": Case(
        "lin",
        lambda s: s.by(
            "feng",
            lambda feng: staffing.change_users(feng, {s.company.people["lin"]: {"status": "suspended"}}),
        ),
        after=SIGN_IN,
    ),
}


@pytest.fixture
def setting(company, owner_connection):
    # Base access is opened and closed by deeds here, which stand behind a change set from version 1 on.
    unpublish(owner_connection)
    return Setting(company, owner_connection.execute)


@pytest.mark.parametrize("name", CASES)
def test_the_next_request_of_an_open_session_is_refused(setting, sign_in, name):
    case = CASES[name]
    case.grants(setting)
    client = sign_in(case.who)
    number = setting.company.customer(case.customer)
    address = f"/customers/{number}/{case.verb}"
    listed = f"/customers/{number}/".encode()
    assert client.get(address).status_code == 200
    assert listed in client.get("/customers/").content

    case.takes(setting)

    assert client.get(address).status_code == case.after
    assert listed not in client.get("/customers/").content
    actor = setting.company.actor(case.who)
    with acting(actor):
        assert not guard.scope(actor, "customer.view").filter(pk=number).exists()


def test_a_former_owner_who_stays_as_a_reader_reads_and_edits_no_more(setting, sign_in):
    number = setting.company.customer("qiming")
    lin = sign_in("lin")
    assert lin.get(f"/customers/{number}/edit").status_code == 200
    _transfer(setting, crm.FormerOwner.READS)
    assert lin.get(f"/customers/{number}/").status_code == 200
    assert lin.get(f"/customers/{number}/edit").status_code == 403
    form = {"version": "2", "name": "改名", "stage": "won"}
    assert lin.post(f"/customers/{number}/edit", form).status_code == 403


def test_a_system_administrator_who_loses_the_role_opens_no_page_of_people(setting, sign_in):
    setting.assign(Principal(user=setting.user("qian")), role="system")
    feng = sign_in("feng")
    assert feng.get("/people/").status_code == 200
    setting.end_assignments(user=setting.user("feng"))
    assert feng.get("/people/").status_code == 403
