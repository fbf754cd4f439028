"""The customers of the demo company."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from hufu.cli.demo.names import Coiner, credit_code, pick, telephone
from hufu.cli.demo.organisation import Person, departments, people
from hufu.cli.demo.places import ROADS, TERRITORIES, ZONES, City

CUSTOMERS = 5000
SPAN_DAYS = 730  # records are spread over the two years before the day
IN_TWO_PARTITIONS = 60  # companies that two companies of the group serve: one customer in each
_UTC_OFFSET_HOURS = 8  # of the working day in China

LEVELS = (("A", 8), ("B", 22), ("C", 45), ("D", 25))
STAGES = (("new", 24), ("following", 45), ("won", 22), ("lost", 9))
SOURCES = (
    ("exhibition", 24),
    ("referral", 20),
    ("website", 18),
    ("phone", 14),
    ("partner", 12),
    ("tender", 8),
    ("advertising", 4),
)

# partition → (industry, how the line of business reads in a company's name, weight)
INDUSTRIES: dict[str, tuple[tuple[str, tuple[str, ...], int], ...]] = {
    "sh": (
        ("machinery", ("精密机械", "机械制造", "重工机械", "数控设备"), 30),
        ("automotive", ("汽车零部件", "汽车部件", "传动系统"), 24),
        ("manufacturing", ("模具", "精密模具", "航空部件", "五金制品"), 24),
        ("electronics", ("电子", "半导体设备", "精密电子"), 14),
        ("energy", ("新能源装备", "风电设备"), 8),
    ),
    "sz": (
        ("electronics", ("电子科技", "智能终端", "光电科技"), 30),
        ("energy", ("新能源", "电池科技", "储能科技"), 20),
        ("manufacturing", ("电器", "智能家电", "包装材料"), 18),
        ("logistics", ("供应链", "物流", "智能仓储"), 14),
        ("food", ("食品", "饮料", "生物食品"), 12),
        ("telecommunications", ("通信设备", "通信技术"), 6),
    ),
    "bj": (
        ("medical", ("医疗器械", "医疗设备", "医院管理", "健康管理", "康复医疗", "医药", "药业"), 80),
        ("services", ("医学检验", "检测技术"), 14),
        ("technology", ("生物科技", "医疗科技"), 6),
    ),
}
_EMPLOYEES = {"A": (800, 12000), "B": (200, 2500), "C": (40, 600), "D": (8, 120)}
_NOTES = (
    "年度框架采购，每季度询价一次。",
    "决策人为生产副总，技术部负责选型。",
    "二期厂房明年投产，设备需求集中在上半年。",
    "现用竞争对手的设备，合同明年到期。",
    "付款周期较长，签约前请先与财务确认信用额度。",
    "对售后响应时间要求高，需承诺 24 小时到场。",
    "展会上认识，留有样册，尚未报价。",
    "集团统一招标，请关注公告。",
    "老客户介绍，可安排参观样板车间。",
    "要求先试用一个月再决定。",
)


@dataclass(frozen=True)
class Customer:
    number: int  # from 1; an opportunity names its customer by it
    partition: str
    name: str
    trade_name: str
    level: str
    stage: str
    industry: str
    source: str
    region: str
    address: str
    credit_code: str
    phone: str
    website: str
    employees: int
    annual_revenue: int  # minor units
    founded: int
    note: str
    owner: str
    department: str  # the owner's at the time of creation
    created_at: datetime
    updated_at: datetime


def owners() -> dict[Person, float]:
    """Return who owns records, with a weight: fixed, and as uneven as in life."""
    random = Random("owners")
    weights: dict[Person, float] = {}
    for person in people().values():
        if not person.active:
            continue
        if person.level == "sales.rep":
            weights[person] = random.lognormvariate(0, 0.55)
        elif person.level == "sales.manager":
            weights[person] = random.uniform(0.15, 0.4)
        elif person.level == "sales.director":
            weights[person] = random.uniform(0.04, 0.1)
    return weights


def department_on(person: Person, day: date, today: date) -> str:
    """Return the main department that ``person`` had on ``day``."""
    if person.former_department and day < today - timedelta(days=person.moved_days_ago):
        return person.former_department
    return person.department


def working_day(day: date) -> date:
    """Return ``day``, or the Friday before where it falls on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def moment(random: Random, day: date) -> datetime:
    """Return a time of the working hours in China on the working day of ``day``."""
    day = working_day(day)
    hour = random.choice((9, 9, 10, 10, 11, 13, 14, 14, 15, 15, 16, 17, 18))
    local = datetime.combine(day, time(hour, random.randrange(60), random.randrange(60)), UTC)
    return local - timedelta(hours=_UTC_OFFSET_HOURS)


def build_customers(seed: int, today: date, amount: int = CUSTOMERS) -> tuple[Customer, ...]:
    """Return the customers, the oldest first; the same ones for the same arguments.

    INVARIANT: nothing is drawn or ordered by a day of the calendar, only by days before today, so that number, name
    and owner are the same on any day.
    """
    random = Random(f"{seed}/customers")
    coiner = Coiner(random)
    weights = owners()
    found: list[tuple[int, Customer]] = []  # with how many days old
    twice = amount * IN_TWO_PARTITIONS // CUSTOMERS
    for number in range(1, amount - twice + 1):
        owner = random.choices(list(weights), list(weights.values()))[0]
        found.append(_customer(random, coiner, number, owner, today))
    shared = random.sample([each for _age, each in found if each.partition == "bj"], twice)
    elsewhere = {
        person: weight for person, weight in weights.items() if not person.department.startswith("bj")
    }
    for original in shared:
        owner = random.choices(list(elsewhere), list(elsewhere.values()))[0]
        found.append(_same_company(random, original, owner, today))
    found.sort(key=lambda each: (-each[0], each[1].created_at.time()))
    return tuple(replace(customer, number=number) for number, (_age, customer) in enumerate(found, 1))


def _customer(
    random: Random, coiner: Coiner, number: int, owner: Person, today: date
) -> tuple[int, Customer]:
    age, created, updated, department = _history(random, owner, today)
    partition = departments()[department].partition
    assert partition is not None
    industry, lines = pick(random, tuple((kind[:2], kind[2]) for kind in INDUSTRIES[partition]))
    city = _city(random, department)
    name, trade_name, host = coiner.company(city.name, random.choice(lines))
    level = pick(random, LEVELS)
    low, high = _EMPLOYEES[level]
    employees = int(low * (high / low) ** random.random())
    return age, Customer(
        number=number,
        partition=partition,
        name=name,
        trade_name=trade_name,
        level=level,
        stage=_stage(random, age),
        industry=industry,
        source=pick(random, SOURCES),
        region=city.region,
        address=f"{city.full}{random.choice(ZONES)}{random.choice(ROADS)}{random.randrange(1, 999)}号",
        credit_code=credit_code(city.division, number * 7919 + 1_000_003),
        phone=telephone(random),
        website=f"https://www.{host}.example",
        employees=employees,
        annual_revenue=round(employees * random.uniform(25, 140)) * 10_000 * 100,
        founded=today.year - 1 - int(32 * random.random() ** 1.4),
        note=random.choice(_NOTES) if random.random() < 0.18 else "",
        owner=owner.username,
        department=department,
        created_at=created,
        updated_at=updated,
    )


def _same_company(random: Random, original: Customer, owner: Person, today: date) -> tuple[int, Customer]:
    age, created, updated, department = _history(random, owner, today)
    partition = departments()[department].partition
    assert partition is not None
    return age, replace(
        original,
        partition=partition,
        stage=_stage(random, age),
        source="referral",
        phone=telephone(random),
        note="集团内兄弟公司的老客户。",
        owner=owner.username,
        department=department,
        created_at=created,
        updated_at=updated,
    )


def _history(random: Random, owner: Person, today: date) -> tuple[int, datetime, datetime, str]:
    age = 3 + int((SPAN_DAYS - 5) * random.random() ** 1.3)  # the business grows: more is recent
    created_on = today - timedelta(days=age)
    created = moment(random, created_on)
    updated = created
    if random.random() < 0.85:
        updated = max(
            created, moment(random, today - timedelta(days=1 + int((age - 1) * random.random() ** 2)))
        )
    return age, created, updated, department_on(owner, created_on, today)


def _stage(random: Random, age: int) -> str:
    if age < 45:
        return random.choice(("new", "new", "following"))
    return pick(random, STAGES)


def _city(random: Random, department: str) -> City:
    if department in TERRITORIES:
        teams = [department]
    else:
        teams = [code for code in TERRITORIES if departments()[code].parent == department]
    cities = TERRITORIES[random.choice(teams)]
    return random.choices(cities, [3.0 / (place + 1) for place in range(len(cities))])[0]
