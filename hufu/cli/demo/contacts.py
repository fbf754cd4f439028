"""The contacts of the demo company's customers: invented people, whom nobody can call or write to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from hufu.cli.demo.customers import Customer
from hufu.cli.demo.names import identity_number, pick, telephone

WITH_CONTACTS = 0.6
WITH_IDENTITY = 0.1
HOW_MANY = ((1, 50), (2, 30), (3, 14), (4, 6))

# surname → how it is spelt in a mail address; given names likewise
_SURNAMES = {
    "王": "wang", "李": "li", "张": "zhang", "刘": "liu", "陈": "chen", "杨": "yang", "赵": "zhao", "黄": "huang",
    "周": "zhou", "吴": "wu", "徐": "xu", "孙": "sun", "胡": "hu", "朱": "zhu", "高": "gao", "林": "lin",
    "何": "he", "郭": "guo", "马": "ma", "罗": "luo", "梁": "liang", "宋": "song", "郑": "zheng", "谢": "xie",
    "韩": "han", "唐": "tang", "冯": "feng", "于": "yu", "董": "dong", "萧": "xiao",
}  # fmt: skip
_GIVEN = {
    "建国": "jianguo", "志明": "zhiming", "海涛": "haitao", "文静": "wenjing", "丽娟": "lijuan", "晓东": "xiaodong",
    "国庆": "guoqing", "慧敏": "huimin", "俊杰": "junjie", "雪梅": "xuemei", "永强": "yongqiang", "春燕": "chunyan",
    "宏伟": "hongwei", "秀英": "xiuying", "立新": "lixin", "亚男": "yanan", "卫东": "weidong", "晓琳": "xiaolin",
    "振华": "zhenhua", "佳怡": "jiayi", "长江": "changjiang", "玉兰": "yulan", "思源": "siyuan", "若曦": "ruoxi",
    "大伟": "dawei", "敏": "min", "磊": "lei", "静": "jing", "斌": "bin", "颖": "ying", "涛": "tao", "倩": "qian",
}  # fmt: skip
# title → roles in the decision that go with it
_TITLES = (
    (("总经理", ("decides",)), 10),
    (("副总经理", ("decides", "opposes")), 9),
    (("采购经理", ("advises", "decides")), 18),
    (("采购专员", ("introduces", "uses")), 10),
    (("生产部经理", ("advises", "uses")), 12),
    (("设备部主管", ("uses", "advises")), 12),
    (("技术总监", ("advises", "opposes")), 10),
    (("财务经理", ("pays",)), 11),
    (("行政主管", ("introduces",)), 8),
)
_MEDICAL_TITLES = (
    (("院长", ("decides",)), 10),
    (("设备科科长", ("advises", "decides")), 24),
    (("护士长", ("uses",)), 18),
    (("科室主任", ("advises", "opposes")), 20),
    (("采购办主任", ("decides", "introduces")), 16),
    (("财务科科长", ("pays",)), 12),
)
_STREETS = ("上海市幸福路", "深圳市春风路", "杭州市文三路", "南京市汉中路")
_NOTES = (
    "喜欢先看样机再谈价格。",
    "只在上午接电话。",
    "与前任负责人熟识，介绍时可提。",
    "技术出身，报价单要附参数对比。",
    "分管的项目多，约见需提前一周。",
)


@dataclass(frozen=True)
class Contact:
    customer: int  # number of the customer
    name: str
    title: str
    decision_role: str
    phone: str
    email: str
    wechat: str
    note: str
    id_number: str
    address: str


def build_contacts(seed: int, customers: tuple[Customer, ...]) -> dict[int, tuple[Contact, ...]]:
    """Return the contacts of each customer that has any, by its number; the same ones for the same arguments."""
    random = Random(f"{seed}/contacts")
    private = Random(f"{seed}/private")
    made = {
        customer.number: tuple(_contacts(random, customer))
        for customer in customers
        if random.random() < WITH_CONTACTS
    }
    return {number: tuple(_private(private, each) for each in contacts) for number, contacts in made.items()}


def _private(random: Random, contact: Contact) -> Contact:
    """Return the contact as the company knows it where it has signed a contract with the person."""
    if random.random() >= WITH_IDENTITY:
        return contact
    address = f"{random.choice(_STREETS)}{random.randrange(1, 900)}号{random.randrange(1, 30)}室"
    return replace(contact, id_number=identity_number(random), address=address)


def _contacts(random: Random, customer: Customer) -> list[Contact]:
    titles = _MEDICAL_TITLES if customer.industry == "medical" else _TITLES
    host = customer.website.removeprefix("https://www.")
    found: dict[str, Contact] = {}
    for _ in range(pick(random, HOW_MANY)):
        surname, given = random.choice(list(_SURNAMES)), random.choice(list(_GIVEN))
        title, roles = pick(random, titles)
        spelt = f"{_GIVEN[given]}.{_SURNAMES[surname]}"
        found[spelt] = Contact(
            customer=customer.number,
            name=surname + given,
            title=title,
            decision_role=random.choice(roles),
            phone=telephone(random),
            email=f"{spelt}@{host}",
            wechat=f"{_SURNAMES[surname]}_{random.randrange(1000, 10000)}" if random.random() < 0.4 else "",
            note=random.choice(_NOTES) if random.random() < 0.15 else "",
            id_number="",
            address="",
        )
    return list(found.values())
