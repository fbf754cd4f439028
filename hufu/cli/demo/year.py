"""A year of work at the demo company, as a plan: how it stood a year ago, and who did what since.

The records of the company are as they stand today. The plan takes some of them back to how they were entered, and
plays their changes; whatever it adds (team members, records in the bin) is left standing beside them. Nothing here
touches a database. Decisions about a record are drawn for that record alone, so that they do not depend on others.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from random import Random
from typing import Any

from hufu.cli.demo.company import SEED, Company
from hufu.cli.demo.customers import CUSTOMERS, Customer, moment, working_day
from hufu.cli.demo.opportunities import OPEN_STAGES, Opportunity
from hufu.cli.demo.organisation import GROUPS, Person, departments, heads, people
from hufu.cli.demo.steps import (
    Admit,
    Claim,
    Delete,
    Dismiss,
    Edit,
    EndAdmission,
    Enter,
    EnterContacts,
    GiveRole,
    Hire,
    Join,
    Leave,
    MovePartition,
    MovePerson,
    Open,
    Purge,
    Read,
    ReadLog,
    Release,
    Restore,
    Session,
    Step,
    Transfer,
)

WEEKS = 52
LONGEST = 7 * WEEKS + 1  # days ago, that the company opened its books
EVERY = 40  # days between two visits of somebody
KEPT_FOR_THE_TOUR = 50  # the first customers stay as they are: README names some
BY_THEMSELVES = 0.1  # of the new records are entered by their owners; the rest comes with the weekly import
FAIRS = (11, 24, 37, 49)  # weeks ago
OPENED_BY = "operator"
STEWARD, MARKETING = "yezhiqiu", "shiruolan"
SYSTEM, SECURITY, AUDIT = "chenxiangdong", "chuanran", "hanjingshu"

_EARLIER = {"following": "new", "won": "following", "lost": "following"}
_STAGES = tuple(stage for stage, _weight in OPEN_STAGES)
_TRANSFERRED = (
    "区域调整，就近服务",
    "原负责人工作饱和，均衡客户",
    "客户要求更换对接人",
    "行业线归口管理",
    "新人培养，分配跟进",
)
_TEAM_ROLES = ("售后支持", "方案支持", "商务支持", "联合跟进")
_SHOWN_TO = {"sh": ("weiqinglan", "xietiesheng"), "sz": ("yuanmengyao",), "bj": ("anxiaotong",)}


@dataclass(frozen=True)
class Year:
    """How the company stood on the day that it opened its books, and what was done since, in order."""

    opened: datetime
    customers: dict[int, Customer]  # as they were entered, by number
    opportunities: dict[int, Opportunity]
    staff: tuple[Person, ...]  # as it was on the first day
    sessions: tuple[Session, ...]

    @property
    def at_first(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The numbers of the customers and opportunities that were there on the first day."""
        return (
            tuple(number for number, each in self.customers.items() if each.created_at < self.opened),
            tuple(number for number, each in self.opportunities.items() if each.created_at < self.opened),
        )


def build_year(company: Company, today: date, seed: int = SEED, every: int = EVERY) -> Year:
    """Return the year before `today`; the same one for the same arguments. Everybody comes `every` so many days."""
    return _Plan(company, today, seed, every).year()


@dataclass
class _Plan:
    company: Company
    today: date
    seed: int
    every: int
    customers: dict[int, Customer] = field(default_factory=dict)
    opportunities: dict[int, Opportunity] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    visits: dict[str, list[datetime]] = field(default_factory=dict)
    # When each record is entered; what plays a part of its own is left alone by everything else.
    entered: dict[tuple[str, int], datetime] = field(default_factory=dict)
    taken: set[tuple[str, int]] = field(default_factory=set)
    own: dict[tuple[str, datetime], list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[str, list[tuple[datetime, str, int, dict[str, Any]]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def year(self) -> Year:
        self.customers = {each.number: each for each in self.company.customers}
        self.opportunities = {each.number: each for each in self.company.opportunities}
        self.visits = {username: self.days_of(username) for username in people()}
        self.plots()
        self.changes_of_stage()
        self.entries()
        for username in people():
            self.work_of(username)
        self.sessions.sort(key=lambda each: (each.at, each.who))
        started = [
            replace(
                person,
                department=person.former_department or person.department,
                manager=heads()[person.former_department] if person.former_department else person.manager,
                active=True,
            )
            if person.former_department is None or person.moved_days_ago < LONGEST
            else person
            for person in people().values()
            if person.joined_days_ago is None
        ]
        return Year(self.opened, self.customers, self.opportunities, tuple(started), tuple(self.sessions))

    @cached_property
    def opened(self) -> datetime:
        return self.at(LONGEST, hour=7)

    @cached_property
    def busy(self) -> set[int | None]:
        """The customers of opportunities."""
        return {each.customer for each in self.company.opportunities}

    # Time

    def day(self, days_ago: int) -> date:
        return working_day(self.today - timedelta(days=max(1, days_ago)))

    def at(self, days_ago: int, hour: int, minute: int = 0) -> datetime:
        """Return a time of day in China on a working day."""
        return datetime.combine(self.day(days_ago), time(hour, minute), UTC) - timedelta(hours=8)

    def days_of(self, username: str) -> list[datetime]:
        """Return when somebody comes to work with the program, the first time first."""
        random = Random(f"{self.seed}/visits/{username}")
        phase = random.randrange(1, EVERY)
        ago = {phase + self.every * turn for turn in range(WEEKS * 7 // self.every)}
        # Everybody was there in the last few days: what was due is done.
        ago.add(random.randrange(1, 4))
        return sorted({moment(random, self.day(days)) for days in sorted(ago)})

    def chance(self, *about: object) -> Random:
        return Random("/".join(map(str, (self.seed, "year", *about))))

    # What is entered, and by whom

    def imports(self) -> list[datetime]:
        """Return when the week's new records are imported, the first time first."""
        return sorted({self.at(7 * week, hour=19, minute=30) for week in range(WEEKS)})

    def entries(self) -> None:
        imports = self.imports()
        weekly: dict[datetime, list[tuple[str, int]]] = defaultdict(list)
        fair: dict[datetime, list[int]] = defaultdict(list)
        for number, each in self.customers.items():
            key = ("customer", number)
            if key in self.entered:
                continue
            if each.created_at < self.opened:
                self.entered[key] = self.opened
                continue
            due = imports[bisect_left(imports, each.created_at)]
            week = imports.index(due)
            if each.source == "exhibition" and WEEKS - week in FAIRS and key not in self.taken:
                due += timedelta(minutes=20)
                fair[due].append(number)
            elif key not in self.taken and self.chance("own", *key).random() < BY_THEMSELVES:
                visit = self.next_visit(each.owner, each.created_at)
                if visit:
                    due = visit
                    self.own[each.owner, due].append(key)
                else:
                    weekly[due].append(key)
            else:
                weekly[due].append(key)
            self.entered[key] = due
        for number, opportunity in self.opportunities.items():
            key = ("opportunity", number)
            if opportunity.created_at < self.opened:
                self.entered[key] = self.opened
                continue
            there = self.entered.get(("customer", opportunity.customer or 0), self.opened)
            since = max(opportunity.created_at, there)
            visit = self.next_visit(opportunity.owner, since)
            mine = opportunity.customer and self.company.customers[opportunity.customer - 1].owner
            if visit and mine == opportunity.owner and self.chance("own", *key).random() < BY_THEMSELVES:
                self.own[opportunity.owner, visit].append(key)
                self.entered[key] = visit
                continue
            place = bisect_left(imports, since)
            if place == len(imports):
                # The customer came last of all: it comes at the end of that day.
                imports.append(self.at(1, hour=20, minute=30))
            self.entered[key] = imports[place]
            weekly[imports[place]].append(key)
        for at, keys in weekly.items():
            self.sessions.append(Session(at, STEWARD, tuple(self.entering(keys, imported=True))))
        for at, numbers in fair.items():
            self.sessions.append(Session(at, MARKETING, (Enter("customer", tuple(sorted(numbers))),)))
            if known := self.with_contacts(numbers):
                # Marketing sees no contacts: the cards go to the steward.
                later = at + timedelta(minutes=25)
                self.sessions.append(Session(later, STEWARD, (EnterContacts(known),)))

    def entering(self, keys: Sequence[tuple[str, int]], *, imported: bool = False) -> Iterator[Step]:
        for kind in ("customer", "opportunity"):
            numbers = tuple(sorted(number for of, number in keys if of == kind))
            if numbers:
                yield Enter(kind, numbers, imported)
            if kind == "customer" and (known := self.with_contacts(numbers)):
                yield EnterContacts(known)

    def with_contacts(self, numbers: Sequence[int]) -> tuple[int, ...]:
        return tuple(sorted(number for number in numbers if number in self.company.contacts))

    def next_visit(self, username: str, after: datetime) -> datetime | None:
        visits = self.visits[username]
        place = bisect_right(visits, after)
        return visits[place] if place < len(visits) else None

    # What changes

    def changes_of_stage(self) -> None:
        """Take records back to an earlier stage, and note when their owners change it."""
        for number, each in self.customers.items():
            random = self.chance("stage", "customer", number)
            since = max(each.created_at, self.opened) + timedelta(days=7)
            if (
                ("customer", number) not in self.taken
                and each.stage in _EARLIER
                and each.updated_at > since
                and random.random() < 0.15
            ):
                self.customers[number] = replace(each, stage=_EARLIER[each.stage])
                self.change("customer", number, each.owner, each.updated_at, {"stage": each.stage})
        for number, opportunity in self.opportunities.items():
            random = self.chance("stage", "opportunity", number)
            at = opportunity.updated_at
            if at <= max(opportunity.created_at, self.opened) + timedelta(days=5):
                continue
            if opportunity.closed_on:
                before = random.choice(_STAGES[1:])
                values = {"stage": opportunity.stage, "closed_on": opportunity.closed_on}
            elif opportunity.stage != _STAGES[0] and random.random() < 0.4:
                before = _STAGES[_STAGES.index(opportunity.stage) - 1]
                values = {"stage": opportunity.stage}
            else:
                continue
            self.opportunities[number] = replace(opportunity, stage=before, closed_on=None)
            self.change("opportunity", number, opportunity.owner, at, values)

    def change(self, kind: str, number: int, owner: str, at: datetime, values: dict[str, Any]) -> None:
        self.changes[owner].append((at, kind, number, values))

    # What somebody does on their days

    def work_of(self, username: str) -> None:
        person = people()[username]
        waiting = sorted(self.changes[username], key=lambda change: (change[0], change[1], change[2]))
        for at in self.visits[username]:
            if person.joined_days_ago and at < self.at(person.joined_days_ago, hour=9):
                continue
            if person.left_days_ago and at > self.at(person.left_days_ago, hour=7):
                continue
            random = self.chance("visit", username, at.date())
            steps: list[Step] = []
            keys = self.own.get((username, at), [])
            steps += self.reading(person, at, random)
            steps += self.entering(keys)
            due = [change for change in waiting if change[0] < at and self.entered[change[1:3]] < at]
            waiting = [change for change in waiting if change not in due]
            for kind in ("customer", "opportunity"):
                values = {number: wanted for _at, of, number, wanted in due if of == kind}
                if values:
                    steps.append(Edit(kind, values))
            if steps:
                self.sessions.append(Session(at, username, tuple(steps)))

    def reading(self, person: Person, at: datetime, random: Random) -> list[Step]:
        """Return what somebody looks at, as their work asks for."""
        ladder, _dot, level = person.level.partition(".")
        if person.username == AUDIT:
            return [ReadLog()]
        if ladder == "sales" and level in ("rep", "manager"):
            mine = self.some_of(
                random, at, lambda each: each.owner == person.username, 1 + random.randrange(2)
            )
            return [Read(random.choice(("customer", "customer", "opportunity")), mine=True), *mine]
        if ladder == "sales" and level == "trainee":
            return [
                Read("customer"),
                *self.some_of(random, at, lambda each: each.department == person.department, 2),
            ]
        if ladder == "sales":
            stage = {"stage": (random.choice(("negotiation", "proposal")),)}
            mine = self.some_of(random, at, lambda each: each.owner == person.username, 1)
            return [Read("opportunity", stage), *mine]
        company = departments()[person.department].partition
        if ladder == "service" and company:
            seen = self.some_of(random, at, lambda each: each.partition == company, 2)
            names = [self.customers[step.number].name[:4] for step in seen]
            return [Read("customer", search=names[0] if names else ""), *seen]
        if person.department in ("hq-finance", "hq-marketing"):
            return [Read("customer", {"stage": ("won",)}), *self.some_of(random, at, lambda each: True, 1)]
        return []

    def some_of(self, random: Random, at: datetime, fits: Any, amount: int) -> list[Open]:
        """Return some customers to look at: entered before, of whom nothing else is told."""
        found: list[Open] = []
        for _try in range(60 * amount):
            each = random.choice(self.company.customers)
            key = ("customer", each.number)
            if key not in self.taken and fits(each) and self.entered[key] < at:
                found.append(Open(*key))
                if len(found) == amount:
                    break
        return found

    # The stories of single records and people

    def plots(self) -> None:
        self.careers()
        self.temporary_rights()
        self.handed_over_on_leaving()
        self.helped_by_a_trainee()
        self.moved_between_companies()
        self.bin()
        self.transfers()
        self.teams()
        self.pools()
        self.refusals()

    def careers(self) -> None:
        for person in people().values():
            if person.former_department and person.moved_days_ago < LONGEST:
                at = self.at(person.moved_days_ago, hour=8, minute=15)
                self.sessions.append(Session(at, SYSTEM, (MovePerson(person.username),)))
            if person.joined_days_ago:
                at = self.at(person.joined_days_ago, hour=8, minute=30)
                self.sessions.append(Session(at, SYSTEM, (Hire(person.username),)))
            if person.left_days_ago:
                at = self.at(person.left_days_ago, hour=18, minute=30)
                self.sessions.append(Session(at, SYSTEM, (Dismiss(person.username),)))

    def temporary_rights(self) -> None:
        """A role for a month, an admission that ended by its term, and one that was ended."""
        month = GiveRole("sales_rep", "linxiaomeng", self.at(60, hour=18), "代理休假同事，为期一个月")
        self.tell(90, SECURITY, month, hour=9)
        joint = Admit("sz", "yujiajun", "联合售后项目", self.at(150, hour=18))
        self.tell(210, SECURITY, joint, hour=9)
        self.tell(120, SECURITY, Admit("bj", "weiqinglan", "联合投标的售后方案"), hour=10)
        self.tell(75, SECURITY, EndAdmission("bj", "weiqinglan", "投标已结束"), hour=10)
        visited = {}
        for who, partition, during, after in (("yujiajun", "sz", 180, 140), ("weiqinglan", "bj", 100, 60)):
            found = self.still(lambda each, at=partition: each.partition == at, 1)
            for each in found:
                visited[who] = each.number
                step = Open("customer", each.number)
                self.tell(during, who, step, hour=14)
                self.tell(after, who, step, hour=15, refused=True)

    def tell(self, days_ago: int, who: str, *steps: Step, hour: int, refused: bool = False) -> None:
        at = self.at(days_ago, hour) + timedelta(seconds=self.chance("tell", days_ago, who).randrange(3000))
        self.sessions.append(Session(at, who, steps, refused))

    def still(self, fits: Any, amount: int) -> list[Customer]:
        """Return customers of the first day of whom nothing else is told, and take them."""
        found: list[Customer] = []
        for each in self.company.customers[KEPT_FOR_THE_TOUR:]:
            if len(found) == amount or each.created_at >= self.opened:
                break
            key = ("customer", each.number)
            if key not in self.taken and each.number not in self.busy and fits(each):
                self.taken.add(key)
                found.append(each)
        return found

    def as_many(self, amount: int) -> int:
        """Return how often a story is told: less often in a small company."""
        return min(amount, max(8, 3 * amount * len(self.company.customers) // CUSTOMERS))

    def at_first(self, each: Customer, **facts: Any) -> None:
        """Let a customer have been entered otherwise."""
        self.customers[each.number] = replace(each, **facts)

    def handed_over_on_leaving(self) -> None:
        leaver = people()["wanjiashu"]
        assert leaver.left_days_ago
        assert leaver.manager
        for each in self.still(lambda each: each.department == leaver.department, self.as_many(12)):
            self.at_first(each, owner=leaver.username)
            transfer = Transfer("customer", each.number, each.owner, "离职交接")
            self.tell(leaver.left_days_ago, leaver.manager, transfer, hour=16)

    def helped_by_a_trainee(self) -> None:
        """While she had the role, 林晓萌 entered a customer; it is her colleague's now."""
        earliest, latest = self.at(86, hour=0), self.at(64, hour=0)
        for each in self.company.customers:
            key = ("customer", each.number)
            if each.owner == "wangsiyuan" and earliest < each.created_at < latest and key not in self.taken:
                self.taken.add(key)
                self.at_first(each, owner="linxiaomeng", department="sh-east-1")
                self.entered[key] = each.created_at
                steps = tuple(self.entering([key]))
                self.sessions.append(Session(each.created_at, "linxiaomeng", steps))
                self.tell(58, "limengjie", Transfer(*key, each.owner, "代理期结束，交还"), hour=11)
                self.tell(
                    50,
                    "linxiaomeng",
                    Edit("customer", {each.number: {"note": "已回访"}}),
                    hour=15,
                    refused=True,
                )
                return

    def moved_between_companies(self) -> None:
        # What the other company has as well cannot have been entered there a second time.
        known = {each.credit_code for each in self.company.customers if each.partition == "sh"}
        for days_ago, target, owner in ((150, "sz", "xichuhan"), (45, "bj", "lianxinyi")):
            found = self.still(
                lambda each, owner=owner: each.owner == owner and each.credit_code not in known, 1
            )
            for each in found:
                self.at_first(each, owner="zhukexin", partition="sh", department="sh-east-1")
                move = MovePartition("customer", each.number, target, owner, "录入时选错公司")
                self.tell(days_ago, STEWARD, move, hour=10)

    def transfers(self) -> None:
        teams: dict[str, list[str]] = defaultdict(list)
        for person in people().values():
            settled = person.former_department is None and person.active
            if person.level == "sales.rep" and settled and people()[heads()[person.department]].active:
                teams[person.department].append(person.username)
        teams = {code: team for code, team in teams.items() if len(team) > 1}
        owners = {username for team in teams.values() for username in team}
        for place, each in enumerate(self.still(lambda each: each.owner in owners, self.as_many(WEEKS))):
            random = self.chance("transfer", each.number)
            others = [one for one in teams[people()[each.owner].department] if one != each.owner]
            self.at_first(each, owner=random.choice(others))
            transfer = Transfer(
                "customer",
                each.number,
                each.owner,
                random.choice(_TRANSFERRED),
                random.choice(("", "", "read", "edit")),
            )
            manager = heads()[people()[each.owner].department]
            self.tell(7 * place + 3, manager, transfer, hour=9 + place % 8)

    def bin(self) -> None:
        def fits(each: Customer) -> bool:
            owner = people()[each.owner]
            head = people()[heads()[owner.department]]
            settled = owner.former_department is None and head.active
            return owner.level == "sales.rep" and settled and head.level == "sales.manager"

        for place, each in enumerate(self.still(fits, self.as_many(24))):
            deleted = 12 + 14 * place
            self.tell(deleted, each.owner, Delete("customer", each.number), hour=17)
            if place % 3 == 0:
                manager = heads()[people()[each.owner].department]
                self.tell(deleted - 4, manager, Restore("customer", each.number), hour=11)
            elif place % 8 == 7:
                purge = Purge("customer", each.number, "重复录入，已核对")
                self.tell(deleted - 9, STEWARD, purge, hour=11)

    def teams(self) -> None:
        for place, each in enumerate(
            self.still(lambda each: people()[each.owner].level == "sales.rep", self.as_many(40))
        ):
            random = self.chance("team", each.number)
            colleagues = [
                one.username
                for one in people().values()
                if one.level == "sales.rep"
                and one.active
                and departments()[one.department].partition == each.partition
                and one.department != people()[each.owner].department
            ]
            joined = 5 + 8 * place
            who, access = random.choice(_SHOWN_TO[each.partition]), "read"
            if place % 2:
                who, access = random.choice(colleagues), random.choice(("read", "edit"))
            join = Join("customer", each.number, who, access, random.choice(_TEAM_ROLES))
            self.tell(joined, each.owner, join, hour=10)
            if place % 4 == 0 and joined > 30:
                self.tell(joined - 25, each.owner, Leave("customer", each.number, who), hour=16)
        _name, members = GROUPS["five-axis"]
        for opportunity in self.company.opportunities:
            if opportunity.owner in members and opportunity.product == "五轴加工中心":
                since = self.day_count(max(opportunity.created_at, self.opened)) - 35
                if since < 5:
                    continue
                for who in members:
                    if people()[who].department.startswith(("sh-service", "hq")):
                        join = Join("opportunity", opportunity.number, who, "read", "项目组")
                        self.tell(since, opportunity.owner, join, hour=13)

    def pools(self) -> None:
        """Customers whom nobody follows go to the pool of 华东; a colleague claims every third of them."""
        team = [
            person.username
            for person in people().values()
            if person.department == "sh-east-2"
            and person.level == "sales.rep"
            and person.active
            and person.former_department is None
        ]
        for place, each in enumerate(self.still(lambda each: each.owner in team, self.as_many(9))):
            days_ago = 6 + 9 * place
            former = (
                next((one for one in team if one != each.owner), each.owner) if place % 3 == 0 else each.owner
            )
            self.at_first(each, owner=former)
            release = Release("customer", each.number, "sh-east", "连续三个月没有进展")
            self.tell(days_ago, former, release, hour=16)
            if place % 3 == 0 and former != each.owner:
                self.tell(days_ago - 3, each.owner, Claim("customer", each.number), hour=9)

    def day_count(self, at: datetime) -> int:
        return (self.today - at.date()).days

    def refusals(self) -> None:
        """People try what they may not."""
        foreign = {
            "wangsiyuan": "bj", "hualei": "sh", "hedongmei": "sz", "jianghaiyan": "sz", "caoyuwei": "bj",
        }  # fmt: skip
        for place, (who, partition) in enumerate(foreign.items()):
            for each in self.still(lambda each, at=partition: each.partition == at, 2):
                self.tell(30 + 61 * place, who, Open("customer", each.number), hour=14, refused=True)
        note = {"note": "客户来电，已答复"}
        writers = {
            "taozhixia": "sh",
            "sunwanqing": "bj",
            "shiruolan": "sz",
            "qiwenjing": "sh",
            "liuyiyi": "sz",
        }
        for place, (who, partition) in enumerate(writers.items()):
            for each in self.still(lambda each, at=partition: each.partition == at, 2):
                step = Edit("customer", {each.number: note})
                self.tell(20 + 67 * place, who, step, hour=10, refused=True)
        for days_ago in (15, 110, 250):
            for each in self.still(lambda each: each.department == "sh-east-1", 1):
                edit = Edit("customer", {each.number: note})
                self.tell(days_ago, "linxiaomeng", edit, hour=16, refused=True)
        for days_ago, who in ((40, SYSTEM), (170, AUDIT), (300, SECURITY)):
            for each in self.still(lambda each: True, 1):
                self.tell(days_ago, who, Open("customer", each.number), hour=9, refused=True)
