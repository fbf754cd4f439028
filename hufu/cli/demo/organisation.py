"""The people of the demo company and the departments they work in.

Departments, ladders, partitions, roles, assignments and admissions stand in ``policy.yaml``; this module
reads them and adds the staff, written out by hand: people who belong together look truer than drawn ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

POLICY_FILE = Path(__file__).with_name("policy.yaml")
MAIL_DOMAIN = "huxiao.example"


@dataclass(frozen=True)
class Department:
    code: str
    name: str
    parent: str | None
    depth: int  # the group is 1

    @property
    def partition(self) -> str | None:
        """The company that the department belongs to, or None for those of the group."""
        company = self.code.split("-")[0]
        return None if company == "hq" else company


@dataclass(frozen=True)
class Person:
    username: str
    name: str
    title: str
    department: str
    level: str  # ladder.level
    manager: str | None
    secondary: tuple[str, ...] = ()
    active: bool = True
    former_department: str | None = None  # worked there until moved_days_ago
    moved_days_ago: int = 0
    joined_days_ago: int | None = None
    left_days_ago: int | None = None

    @property
    def email(self) -> str:
        return f"{self.username}@{MAIL_DOMAIN}"


@cache
def policy() -> dict[str, Any]:
    """Return the demo policy as read from the file. Do not change what is returned."""
    document: dict[str, Any] = yaml.safe_load(POLICY_FILE.read_text(encoding="utf-8"))
    return document


def _walk(nodes: list[dict[str, Any]], parent: str | None, depth: int) -> Iterator[Department]:
    for node in nodes:
        yield Department(node["code"], node["name"], parent, depth)
        yield from _walk(node.get("children", []), node["code"], depth + 1)


@cache
def departments() -> dict[str, Department]:
    """Return every department by code, parents before children."""
    return {each.code: each for each in _walk(policy()["organisation"]["departments"], None, 1)}


# department → its people, the head first: name, username, level, title (the level's name where there is none)
_STAFF: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "hq": (("沈怀瑾", "shenhuaijin", "sales.executive", "集团总裁"),),
    "hq-office": (
        ("陆文博", "luwenbo", "functions.head", "总裁办主任"),
        ("许佳宁", "xujianing", "functions.specialist", "总裁助理"),
    ),
    "hq-finance": (
        ("钱慕云", "qianmuyun", "functions.head", "财务总监"),
        ("孙婉清", "sunwanqing", "functions.lead", "应收主管"),
        ("周子衡", "zhouziheng", "functions.specialist", "会计"),
        ("吴若溪", "wuruoxi", "functions.specialist", "会计"),
        ("郑一鸣", "zhengyiming", "functions.specialist", "信用专员"),
    ),
    "hq-it": (
        ("冯启航", "fengqihang", "functions.head", "信息技术部经理"),
        ("陈向东", "chenxiangdong", "functions.lead", "系统管理员"),
        ("褚安然", "chuanran", "functions.lead", "安全管理员"),
        ("卫书宁", "weishuning", "functions.specialist", "安全管理员"),
        ("叶知秋", "yezhiqiu", "functions.specialist", "CRM 管理员"),
    ),
    "hq-marketing": (
        ("陶令仪", "taolingyi", "functions.head", "市场部经理"),
        ("石若兰", "shiruolan", "functions.specialist", "市场专员"),
    ),
    "hq-audit": (
        ("蒋明达", "jiangmingda", "functions.head", "审计监察部经理"),
        ("韩静姝", "hanjingshu", "functions.lead", "审计管理员"),
    ),
    "sh": (("顾长风", "guchangfeng", "sales.executive", "总经理（上海）"),),
    "sh-east": (("陈立群", "chenliqun", "sales.director", "华东大区总监"),),
    "sh-east-1": (
        ("李梦洁", "limengjie", "sales.manager", ""),
        ("王思远", "wangsiyuan", "sales.rep", ""),
        ("赵敏行", "zhaominxing", "sales.rep", ""),
        ("徐乐天", "xuletian", "sales.rep", ""),
        ("朱可欣", "zhukexin", "sales.rep", ""),
        ("林晓萌", "linxiaomeng", "sales.trainee", ""),
    ),
    "sh-east-2": (
        ("秦越川", "qinyuechuan", "sales.manager", ""),
        ("尤嘉禾", "youjiahe", "sales.rep", ""),
        ("何俊熙", "hejunxi", "sales.rep", ""),
        ("吕思涵", "lvsihan", "sales.rep", ""),
    ),
    "sh-north": (("张振国", "zhangzhenguo", "sales.director", "华北大区总监"),),
    "sh-north-1": (
        ("孔令宇", "konglingyu", "sales.manager", ""),
        ("曹雨薇", "caoyuwei", "sales.rep", ""),
        ("严子墨", "yanzimo", "sales.rep", ""),
        ("华梓轩", "huazixuan", "sales.rep", ""),
        ("万嘉树", "wanjiashu", "sales.rep", ""),
    ),
    "sh-service": (("金淑娴", "jinshuxian", "service.manager", ""),),
    "sh-service-hotline": (
        ("魏晴岚", "weiqinglan", "service.lead", ""),
        ("陶知夏", "taozhixia", "service.agent", ""),
        ("姜海燕", "jianghaiyan", "service.agent", ""),
        ("戚文静", "qiwenjing", "service.agent", ""),
    ),
    "sh-service-field": (
        ("谢铁生", "xietiesheng", "service.lead", ""),
        ("邹凯旋", "zoukaixuan", "service.agent", ""),
        ("喻家骏", "yujiajun", "service.agent", ""),
        ("柏松年", "baisongnian", "service.agent", ""),
    ),
    "sz": (("苏景行", "sujingxing", "sales.executive", "总经理（深圳）"),),
    "sz-south": (("潘炜彤", "panweitong", "sales.director", "华南大区总监"),),
    "sz-south-1": (
        ("葛天佑", "getianyou", "sales.manager", ""),
        ("奚楚涵", "xichuhan", "sales.rep", ""),
        ("范振宇", "fanzhenyu", "sales.rep", ""),
        ("彭丽华", "penglihua", "sales.rep", ""),
        ("郎一帆", "langyifan", "sales.trainee", ""),
    ),
    "sz-south-2": (
        ("鲁志强", "luzhiqiang", "sales.manager", ""),
        ("韦嘉怡", "weijiayi", "sales.rep", ""),
        ("昌浩然", "changhaoran", "sales.rep", ""),
        ("马晓东", "maxiaodong", "sales.rep", ""),
    ),
    "sz-west": (("苗春生", "miaochunsheng", "sales.director", "西南大区总监"),),
    "sz-west-1": (
        ("凤海波", "fenghaibo", "sales.manager", ""),
        ("花蕾", "hualei", "sales.rep", ""),
        ("方泽楷", "fangzekai", "sales.rep", ""),
        ("俞静怡", "yujingyi", "sales.rep", ""),
    ),
    "sz-service": (("任婧琪", "renjingqi", "service.manager", ""),),
    "sz-service-online": (
        ("袁梦瑶", "yuanmengyao", "service.lead", ""),
        ("柳依依", "liuyiyi", "service.agent", ""),
        ("酆小雅", "fengxiaoya", "service.agent", ""),
        ("鲍俊杰", "baojunjie", "service.agent", ""),
    ),
    "bj": (("史博文", "shibowen", "sales.executive", "总经理（北京）"),),
    "bj-north": (("唐国梁", "tangguoliang", "sales.director", "北方大区总监"),),
    "bj-north-1": (
        ("费雪松", "feixuesong", "sales.manager", ""),
        ("廉心怡", "lianxinyi", "sales.rep", ""),
        ("岑子豪", "cenzihao", "sales.rep", ""),
        ("薛佳琪", "xuejiaqi", "sales.rep", ""),
    ),
    "bj-north-2": (
        ("雷鹏程", "leipengcheng", "sales.manager", ""),
        ("贺冬梅", "hedongmei", "sales.rep", ""),
        ("倪俊峰", "nijunfeng", "sales.rep", ""),
        ("汤雪莹", "tangxueying", "sales.rep", ""),
    ),
    "bj-south": (("滕子谦", "tengziqian", "sales.director", "南方大区总监"),),
    "bj-south-1": (
        ("殷浩南", "yinhaonan", "sales.manager", ""),
        ("罗诗涵", "luoshihan", "sales.rep", ""),
        ("毕晨曦", "bichenxi", "sales.rep", ""),
        ("郝建业", "haojianye", "sales.rep", ""),
    ),
    "bj-service": (("邬美兰", "wumeilan", "service.manager", ""),),
    "bj-service-hotline": (
        ("安晓彤", "anxiaotong", "service.lead", ""),
        ("常笑言", "changxiaoyan", "service.agent", ""),
        ("乐文涛", "yuewentao", "service.agent", ""),
    ),
}

_SECONDARY = {
    "zhaominxing": ("sh-east-2",),  # covers a colleague next door
    "penglihua": ("sh-east-2",),  # works for two companies: admitted to both partitions
    "weiqinglan": ("sh-service-field",),
    "fangzekai": ("sz-south-2",),
    "nijunfeng": ("bj-north-1",),
    "wuruoxi": ("hq-audit",),
}

# Their older customers and opportunities stayed in the department where they were made.
_MOVED = {
    "xuletian": ("sh-east-2", 240),
    "hejunxi": ("sh-east-1", 210),
    "yanzimo": ("sh-east-2", 320),
    "changhaoran": ("sz-south-1", 150),
    "hualei": ("sz-south-2", 420),
    "tangxueying": ("bj-north-1", 260),
}

# Left so many days ago: one's people report to the director since, the other's customers went to
# colleagues.
_LEFT = {"fenghaibo": 200, "wanjiashu": 95}

_JOINED = {"langyifan": 120}

# What people belong to across departments, and who assists whom. The head of a department is its first person.
GROUPS = {"five-axis": ("五轴加工中心攻关组", ("zhaominxing", "lvsihan", "xietiesheng", "zhengyiming"))}
POSITIONS = {"key-account": ("大客户经理", ("youjiahe", "fangzekai", "luoshihan"))}
ASSISTANTS = {"hq": ("xujianing",)}
INCLUDES = {"sales.executive": ("service.manager",)}


def _level_names() -> dict[str, str]:
    return {
        f"{ladder['key']}.{level['key']}": level["name"]
        for ladder in policy()["organisation"]["ladders"]
        for level in ladder["levels"]
    }


@cache
def heads() -> dict[str, str]:
    """Return who heads each department, by code."""
    return {code: rows[0][1] for code, rows in _STAFF.items()}


@cache
def people() -> dict[str, Person]:
    """Return everybody by username, managers before those who report to them."""
    names = _level_names()
    found: dict[str, Person] = {}
    for code, department in departments().items():
        above = heads().get(department.parent) if department.parent else None
        for name, username, level, title in _STAFF.get(code, ()):
            former, moved = _MOVED.get(username, (None, 0))
            found[username] = Person(
                username=username,
                name=name,
                title=title or names[level],
                department=code,
                level=level,
                manager=above if username == heads()[code] else heads()[code],
                secondary=_SECONDARY.get(username, ()),
                active=username not in _LEFT,
                former_department=former,
                moved_days_ago=moved,
                joined_days_ago=_JOINED.get(username),
                left_days_ago=_LEFT.get(username),
            )
    return found
