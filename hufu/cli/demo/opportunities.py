"""The opportunities of the demo company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from hufu.cli.demo.customers import Customer, department_on, moment, owners, working_day
from hufu.cli.demo.names import pick
from hufu.cli.demo.organisation import Person, departments, people

OPPORTUNITIES = 3000
WITHOUT_CUSTOMER = 0.05  # early ones, before there is anybody to name
OF_A_COLLEAGUE = 0.08  # belongs to somebody else in the team than the customer

OPEN_STAGES = (("prospecting", 26), ("engaging", 24), ("proposal", 22), ("negotiation", 13))
WON, LOST = "won", "lost"

# partition → (product, lowest and highest price in yuan, largest usual quantity)
PRODUCTS: dict[str, tuple[tuple[str, int, int, int], ...]] = {
    "sh": (
        ("五轴加工中心", 780_000, 2_600_000, 3),
        ("数控车床", 160_000, 520_000, 6),
        ("精密平面磨床", 210_000, 680_000, 4),
        ("刀具管理系统", 90_000, 360_000, 1),
        ("主轴维保服务", 24_000, 120_000, 1),
    ),
    "sz": (
        ("协作机器人工作站", 180_000, 560_000, 5),
        ("视觉检测系统", 120_000, 480_000, 4),
        ("智能输送线", 350_000, 1_900_000, 1),
        ("产线数字化改造", 400_000, 3_200_000, 1),
        ("设备维保服务", 30_000, 160_000, 1),
    ),
    "bj": (
        ("病人监护系统", 38_000, 120_000, 12),
        ("彩色超声诊断设备", 420_000, 1_500_000, 2),
        ("智能输液系统", 60_000, 240_000, 8),
        ("数字化手术室", 900_000, 3_800_000, 1),
        ("医疗设备维保服务", 36_000, 260_000, 1),
    ),
}
_OCCASIONS = (
    "采购项目",
    "年度采购",
    "升级改造",
    "新建项目",
    "二期项目",
    "扩容项目",
    "替换项目",
    "试用转采购",
)


@dataclass(frozen=True)
class Opportunity:
    number: int
    partition: str
    name: str
    customer: int | None  # number of the customer, which is in the same partition
    stage: str
    product: str
    amount: int  # minor units
    currency: str
    expected_close: date
    closed_on: date | None  # when it was won or lost
    owner: str
    department: str
    created_at: datetime
    updated_at: datetime


def build_opportunities(
    seed: int, today: date, customers: tuple[Customer, ...], amount: int = OPPORTUNITIES
) -> tuple[Opportunity, ...]:
    """Return the opportunities; the same ones for the same arguments."""
    random = Random(f"{seed}/opportunities")
    weights = owners()
    likely = [{"A": 5, "B": 3, "C": 1.5, "D": 0.6}[each.level] for each in customers]
    found = []
    for number in range(1, amount + 1):
        if random.random() < WITHOUT_CUSTOMER:
            owner = random.choices(list(weights), list(weights.values()))[0]
            found.append(_opportunity(random, number, None, owner, today))
        else:
            customer = random.choices(customers, likely)[0]
            found.append(_opportunity(random, number, customer, _owner(random, customer, weights), today))
    return tuple(found)


def _owner(random: Random, customer: Customer, weights: dict[Person, float]) -> Person:
    owner = people()[customer.owner]
    team = [person for person in weights if person.department == owner.department and person != owner]
    return random.choice(team) if team and random.random() < OF_A_COLLEAGUE else owner


def _opportunity(
    random: Random, number: int, customer: Customer | None, owner: Person, today: date
) -> Opportunity:
    oldest = (today - customer.created_at.date()).days if customer else 90
    age = 2 + int((oldest - 2) * random.random())
    created = moment(random, today - timedelta(days=age))
    if customer:
        created = max(created, customer.created_at)
    partition = departments()[owner.department].partition
    assert partition is not None
    product, low, high, most = random.choice(PRODUCTS[partition])
    price = low * (high / low) ** random.random()
    quantity = 1 + int(most * random.random() ** 2.5)
    stage, closed_on = _progress(random, customer, created.date(), today)
    if closed_on:
        expected = closed_on + timedelta(days=random.randrange(-20, 15))
        updated = moment(random, closed_on)
    else:
        expected = today + timedelta(days=random.randrange(-20, 170))
        updated = moment(random, today - timedelta(days=1 + int(min(age, 120) * random.random() ** 2)))
    subject = customer.trade_name if customer else random.choice(("展会线索", "官网咨询", "渠道推荐"))
    return Opportunity(
        number=number,
        partition=partition,
        name=f"{subject}{product}{random.choice(_OCCASIONS)}",
        customer=customer.number if customer else None,
        stage=stage,
        product=product,
        amount=round(price * quantity / 1000) * 1000 * 100,
        currency="CNY",
        expected_close=expected,
        closed_on=closed_on,
        owner=owner.username,
        department=department_on(owner, created.date(), today),
        created_at=created,
        updated_at=max(created, updated),
    )


def _progress(
    random: Random, customer: Customer | None, created: date, today: date
) -> tuple[str, date | None]:
    age = (today - created).days
    if customer is None or age < 15:
        return pick(random, OPEN_STAGES[:2]), None
    if random.random() > min(0.8, age / 220):
        return pick(random, OPEN_STAGES), None
    closed_on = created + timedelta(days=max(7, int((age - 1) * random.uniform(0.3, 1))))
    closed_on = max(created, working_day(min(closed_on, today - timedelta(days=1))))
    win = {"won": 0.75, "lost": 0.1}.get(customer.stage, 0.45)
    return (WON if random.random() < win else LOST), closed_on
