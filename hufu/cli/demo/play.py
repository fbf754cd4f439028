"""Playing the demo company's year: each session as the person, under the demo clock, through the deeds of everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import singledispatchmethod
from random import Random
from typing import Any

from hufu.access import actions as policy
from hufu.access import guard
from hufu.access.actions import Principal
from hufu.access.decision.terms import Right
from hufu.access.models import Admission, Partition, Role
from hufu.access.registry import ResourceType
from hufu.audit import queries as log
from hufu.audit import record
from hufu.cli.demo import steps
from hufu.cli.demo.company import Company
from hufu.cli.demo.customers import Customer
from hufu.cli.demo.opportunities import Opportunity
from hufu.cli.demo.organisation import Person, people
from hufu.cli.demo.year import Year
from hufu.core import clock
from hufu.core.actor import Actor, Context
from hufu.core.errors import Refusal
from hufu.core.transaction import acting
from hufu.crm import actions, queries
from hufu.crm.actions import FormerOwner, NewChild, NewRecord
from hufu.crm.imports.edits import edit_many, lock_editable
from hufu.crm.queries import ListQuery
from hufu.crm.resources import CONTACT, CUSTOMER, OPPORTUNITY
from hufu.people.models import Department, Level, Status, User
from hufu.staffing import actions as staffing

CHANNEL = "demo"
# What leaves no time in the database but that of its event.
READINGS = (steps.Read, steps.Open, steps.ReadLog)
KINDS: dict[str, ResourceType] = {"customer": CUSTOMER, "opportunity": OPPORTUNITY}


def hire(actor: Actor, staff: Iterable[Person]) -> None:
    """Open the accounts of these people; their managers are named afterwards."""
    departments = dict(Department.objects.values_list("code", "id"))
    levels = {f"{each.ladder.key}.{each.key}": each.id for each in Level.objects.select_related("ladder")}
    staffing.create_users(
        actor,
        (
            staffing.Person(
                username=person.username,
                name=person.name,
                email=person.email,
                title=person.title,
                status=Status.ACTIVE if person.active else Status.LEFT,
                main_department_id=departments[person.department],
                level_id=levels[person.level],
                other_department_ids=tuple(departments[code] for code in person.secondary),
            )
            for person in staff
        ),
    )


class Player:
    """Knows the numbers that the database gave, and does steps as whoever is to do them."""

    def __init__(self, company: Company, year: Year) -> None:
        self.company, self.year = company, year
        self.ids: dict[tuple[str, int], int] = {}
        self.departments = dict(Department.objects.values_list("code", "id"))
        self.partitions = dict(Partition.objects.values_list("key", "id"))
        self.users = dict(User.objects.values_list("username", "id"))

    def play(self, session: steps.Session) -> None:
        """Do a session; what is to be refused must be."""
        context = Context(session=f"{session.who} {session.at.isoformat()}", channel=CHANNEL)
        actor = Actor(self.users[session.who], people()[session.who].name, context)
        with clock.simulated(session.at):
            if session.refused:
                with acting(actor):
                    record(actor, "auth.signed_in", data={"method": CHANNEL})
                self.refused(actor, session)
                return
            with acting(actor):
                record(actor, "auth.signed_in", data={"method": CHANNEL})
                for at, step in self.paced(session):
                    with clock.simulated(at):
                        if not isinstance(step, READINGS):
                            clock.tell_database()
                        self.do(step, actor)

    def refused(self, actor: Actor, session: steps.Session) -> None:
        for at, step in self.paced(session):
            try:
                with clock.simulated(at), acting(actor):
                    self.do(step, actor)
            except Refusal:
                continue
            raise AssertionError(f"{session.who} was not to be allowed: {step}")

    def paced(self, session: steps.Session) -> list[tuple[datetime, steps.Step]]:
        """Return when each step is done: a few minutes after the one before."""
        random = Random(f"{session.who} {session.at}")
        at, paced = session.at, []
        for step in session.steps:
            at += timedelta(seconds=random.randrange(25, 240))
            paced.append((at, step))
        return paced

    # One step, as an actor

    @singledispatchmethod
    def do(self, step: Any, actor: Actor) -> None:
        raise TypeError(f"nobody knows how to do {step!r}")

    @do.register
    def _(self, step: steps.Read, actor: Actor) -> None:
        filters = {name: list(values) for name, values in step.filters.items()}
        if step.mine:
            filters["owner"] = [str(actor.user_id)]
        queries.list_records(actor, KINDS[step.kind], ListQuery(filters=filters, search=step.search))

    @do.register
    def _(self, step: steps.Open, actor: Actor) -> None:
        self.opened(actor, step.kind, step.number)

    @do.register
    def _(self, step: steps.Enter, actor: Actor) -> None:
        self.enter(actor, step.kind, step.numbers, imported=step.imported)

    @do.register
    def _(self, step: steps.EnterContacts, actor: Actor) -> None:
        self.enter_contacts(actor, step.customers)

    @do.register
    def _(self, step: steps.Edit, actor: Actor) -> None:
        resource = KINDS[step.kind]
        if len(step.values) == 1:
            for number, values in step.values.items():
                row = self.opened(actor, step.kind, number)
                actions.edit_record(actor, resource, row.pk, values, version=row.lock_version)
            return
        rows = lock_editable(actor, resource, [self.ids[step.kind, number] for number in step.values])
        edit_many(
            actor,
            resource,
            {
                self.ids[step.kind, number]: (rows[self.ids[step.kind, number]], values)
                for number, values in step.values.items()
            },
        )

    @do.register
    def _(self, step: steps.Transfer, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.transfer_record(
            actor,
            KINDS[step.kind],
            row.pk,
            to=self.users[step.to],
            reason=step.reason,
            version=row.lock_version,
            former_owner=FormerOwner(step.former),
        )

    @do.register
    def _(self, step: steps.Release, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        pool = actions.pools_for(KINDS[step.kind], row).get(key=step.pool)
        actions.release_record(
            actor, KINDS[step.kind], row.pk, pool=pool.pk, reason=step.reason, version=row.lock_version
        )

    @do.register
    def _(self, step: steps.Claim, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.claim_record(actor, KINDS[step.kind], row.pk, version=row.lock_version)

    @do.register
    def _(self, step: steps.Join, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.add_member(
            actor, KINDS[step.kind], row.pk, who=self.users[step.who], access=step.access, role=step.role
        )

    @do.register
    def _(self, step: steps.Leave, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.remove_member(actor, KINDS[step.kind], row.pk, who=self.users[step.who])

    @do.register
    def _(self, step: steps.Delete, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.delete_record(actor, KINDS[step.kind], row.pk, version=row.lock_version)

    @do.register
    def _(self, step: steps.Restore, actor: Actor) -> None:
        row = self.in_bin(actor, step.kind, step.number)
        actions.restore_record(actor, KINDS[step.kind], row.pk, version=row.lock_version)

    @do.register
    def _(self, step: steps.Purge, actor: Actor) -> None:
        row = self.in_bin(actor, step.kind, step.number)
        actions.purge_record(actor, KINDS[step.kind], row.pk, version=row.lock_version, reason=step.reason)

    @do.register
    def _(self, step: steps.MovePartition, actor: Actor) -> None:
        row = self.opened(actor, step.kind, step.number)
        actions.move_record(
            actor,
            KINDS[step.kind],
            row.pk,
            to=self.partitions[step.to],
            owner=self.users[step.owner],
            reason=step.reason,
            version=row.lock_version,
        )

    @do.register
    def _(self, step: steps.ReadLog, actor: Actor) -> None:
        guard.authorize(actor, "audit.view")
        log.events(actor, filters=log.LogFilter(result="refused"))

    @do.register
    def _(self, step: steps.Hire, actor: Actor) -> None:
        person = people()[step.username]
        hire(actor, [person])
        self.users[person.username] = User.objects.get(username=person.username).pk
        assert person.manager
        staffing.set_managers(actor, {self.users[person.username]: self.users[person.manager]})

    @do.register
    def _(self, step: steps.MovePerson, actor: Actor) -> None:
        person = people()[step.username]
        assert person.manager
        there = staffing.Move(
            department=self.departments[person.department],
            manager=self.users[person.manager],
            take_records=False,
        )
        staffing.move_person(actor, User.objects.get(username=person.username), there, reason="调岗")

    @do.register
    def _(self, step: steps.Dismiss, actor: Actor) -> None:
        person = people()[step.username]
        assert person.manager
        staffing.leave(
            actor,
            User.objects.get(username=person.username),
            handover=staffing.Handover(to=self.users[person.manager]),
            reason="离职",
        )

    @do.register
    def _(self, step: steps.GiveRole, actor: Actor) -> None:
        policy.assign_role(
            actor,
            Role.objects.get(key=step.role),
            to=Principal(user=User.objects.get(username=step.to)),
            reason=step.reason,
            starts_at=clock.now(),
            ends_at=step.until,
        )

    @do.register
    def _(self, step: steps.Admit, actor: Actor) -> None:
        policy.admit(
            actor,
            Partition.objects.get(key=step.partition),
            to=Principal(user=User.objects.get(username=step.who)),
            rights=[Right.READ],
            reason=step.reason,
            ends_at=step.until,
        )

    @do.register
    def _(self, step: steps.EndAdmission, actor: Actor) -> None:
        admission = Admission.objects.get(partition__key=step.partition, user__username=step.who)
        policy.end_admission(actor, admission, reason=step.reason)

    # What steps have in common

    def opened(self, actor: Actor, kind: str, number: int) -> Any:
        """Return a record as whoever opens its page sees it."""
        return queries.get_record(actor, KINDS[kind], self.ids[kind, number])

    def in_bin(self, actor: Actor, kind: str, number: int) -> Any:
        """Return a record as whoever looks into the bin finds it."""
        name = self.company.customers[number - 1].name
        found = queries.list_records(actor, KINDS[kind], ListQuery(search=name, bin=True))
        return next(row for row in found.records if row.pk == self.ids[kind, number])

    def enter(
        self,
        actor: Actor,
        kind: str,
        numbers: Sequence[int],
        *,
        imported: bool,
        advance: Callable[[int], None] = lambda amount: None,
        batch: int = 500,
    ) -> None:
        """Enter records; with `imported` together with the times of their life elsewhere."""
        now = clock.now()
        told = self.year.customers if kind == "customer" else self.year.opportunities
        values: Callable[[Any], dict[str, Any]] = self.customer if kind == "customer" else self.opportunity
        for start in range(0, len(numbers), batch):
            these = numbers[start : start + batch]
            created = actions.create_many(
                actor,
                KINDS[kind],
                [
                    NewRecord(
                        partition_id=self.partitions[each.partition],
                        owner_id=self.users[each.owner],
                        values=values(each),
                        department_id=self.departments[each.department] if imported else None,
                        created_at=each.created_at if imported else None,
                        updated_at=max(each.created_at, min(each.updated_at, now)) if imported else None,
                    )
                    for each in (told[number] for number in these)
                ],
            )
            self.ids.update(((kind, number), made) for number, made in zip(these, created, strict=True))
            advance(len(these))

    def enter_contacts(
        self,
        actor: Actor,
        customers: Sequence[int],
        *,
        advance: Callable[[int], None] = lambda amount: None,
        batch: int = 500,
    ) -> None:
        """Enter the contacts of these customers."""
        for start in range(0, len(customers), batch):
            wanted = [
                contact
                for number in customers[start : start + batch]
                for contact in self.company.contacts.get(number, ())
            ]
            if wanted:
                actions.create_children(
                    actor,
                    CONTACT,
                    [
                        NewChild(
                            self.ids["customer", each.customer],
                            {
                                "name": each.name,
                                "title": each.title,
                                "decision_role": each.decision_role,
                                "phone": each.phone,
                                "email": each.email,
                                "wechat": each.wechat,
                                "id_number": each.id_number,
                                "address": each.address,
                                "note": each.note,
                            },
                        )
                        for each in wanted
                    ],
                )
            advance(len(wanted))

    def customer(self, each: Customer) -> dict[str, Any]:
        return {
            "name": each.name,
            "customer_level": each.level,
            "stage": each.stage,
            "phone": each.phone,
            "industry": each.industry,
            "source": each.source,
            "region": each.region,
            "code": each.credit_code,
            "website": each.website,
            "address": each.address,
            "employees": each.employees,
            "annual_revenue": each.annual_revenue,
            "founded": each.founded,
            "note": each.note,
        }

    def opportunity(self, each: Opportunity) -> dict[str, Any]:
        return {
            "name": each.name,
            "customer": self.ids["customer", each.customer] if each.customer else None,
            "stage": each.stage,
            "product": each.product,
            "amount": each.amount,
            "opened_on": each.created_at.date(),
            "expected_close": each.expected_close,
            "closed_on": each.closed_on,
        }
