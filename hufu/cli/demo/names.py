"""Invented company names, telephone numbers and codes: plausible to read, and nobody's.

* Trade names are coined from two lists of syllables; a pair that a well-known company uses is left out.
* Identity numbers have the serial number 000, which no authority gives.
* Telephone numbers begin with 154. China has set no range of numbers aside for fiction; 154 is one that the
  numbering plan has given to no operator and to no service, so nobody can be called on it.
* Unified social credit codes (GB 32100) are complete with both check digits, but the organisation part begins
  with DM, which has never been given out: none is the code of a real company.
"""

from __future__ import annotations

from random import Random
from typing import TypeVar

from stdnum.cn import ric

T = TypeVar("T")

# Districts of Shanghai, Shenzhen, Hangzhou and Nanjing, as identity numbers begin.
_DISTRICTS = ("310101", "440305", "330106", "320102")

# syllable → how it is spelt in an address on the web
FIRST = {
    "澜": "lan", "昱": "yu", "钧": "jun", "璟": "jing", "沐": "mu", "翊": "yi", "祺": "qi", "骁": "xiao",
    "恺": "kai", "煜": "yu", "垚": "yao", "衡": "heng", "砺": "li", "岚": "lan", "溯": "su", "霁": "ji",
    "奕": "yi", "峤": "qiao", "珩": "heng", "赫": "he", "棣": "di", "朔": "shuo", "曜": "yao",
    "淳": "chun", "铄": "shuo", "弘": "hong", "栩": "xu", "渊": "yuan", "皓": "hao", "晟": "sheng",
    "懿": "yi", "勤": "qin", "聿": "yu", "昭": "zhao", "穆": "mu", "菁": "jing", "谦": "qian", "屹": "yi",
    "铂": "bo", "钜": "ju",
}  # fmt: skip
SECOND = {
    "川": "chuan", "越": "yue", "岳": "yue", "舟": "zhou", "泽": "ze", "峰": "feng", "宸": "chen",
    "铭": "ming", "拓": "tuo", "森": "sen", "翔": "xiang", "驰": "chi", "朗": "lang", "辰": "chen",
    "润": "run", "源": "yuan", "硕": "shuo", "途": "tu", "诺": "nuo", "策": "ce", "禾": "he", "野": "ye",
    "图": "tu", "莱": "lai", "尚": "shang", "维": "wei", "擎": "qing", "航": "hang", "康": "kang",
    "恒": "heng", "畅": "chang", "垒": "lei", "鼎": "ding", "柏": "bai", "嘉": "jia", "钰": "yu",
    "帆": "fan", "岭": "ling", "逸": "yi", "湾": "wan",
}  # fmt: skip

# Trade names that many people know, and pairs that are words. No invented trade name may contain one.
WELL_KNOWN = frozenset({
    "华为", "腾讯", "阿里", "百度", "京东", "美团", "小米", "联想", "海尔", "美的", "格力", "比亚迪",
    "宁德", "吉利", "长城", "奇瑞", "蔚来", "小鹏", "中兴", "大疆", "海康", "大华", "汇川", "埃斯顿",
    "新松", "埃夫特", "大族", "先导", "三一", "中联", "徐工", "潍柴", "海天", "秦川", "迈瑞", "联影",
    "鱼跃", "威高", "微创", "乐普", "东软", "万东", "开立", "理邦", "恒瑞", "药明", "复星", "同仁", "国药",
    "华润", "弘毅", "弘康", "弘润", "皓泽", "晟铭", "铂诺", "钧恒", "衡岳", "溯源", "渊源", "弘图", "泰康",
    "平安", "万科", "恒大", "顺丰", "中通", "圆通", "虎啸",
})  # fmt: skip

LEGAL_FORMS = (
    ("有限公司", 78),
    ("股份有限公司", 9),
    ("集团有限公司", 5),
    ("（集团）有限公司", 2),
    ("有限责任公司", 6),
)

_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def pick(random: Random, choices: tuple[tuple[T, int], ...]) -> T:
    """Return one of the values, drawn by their weights."""
    return random.choices([value for value, _ in choices], [weight for _, weight in choices])[0]


class Coiner:
    """Coins companies; no full name comes twice."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._pairs = [
            (first + second, FIRST[first] + SECOND[second])
            for first in FIRST
            for second in SECOND
            if not any(known in first + second for known in WELL_KNOWN)
        ]
        self._random.shuffle(self._pairs)
        self._used: set[str] = set()
        self._next = 0

    def company(self, place: str, line: str) -> tuple[str, str, str]:
        """Return a full name, the trade name in it, and a host name made from that."""
        form = pick(self._random, LEGAL_FORMS)
        style = self._random.random()
        while True:
            trade, spelling = self._pairs[self._next % len(self._pairs)]
            self._next += 1
            if style < 0.55:
                full = f"{place}{trade}{line}{form}"
            elif style < 0.75:
                full = f"{place}市{trade}{line}{form}"
            else:
                full = f"{trade}{line}（{place}）{form.replace('（集团）', '')}"
            if full not in self._used:
                self._used.add(full)
                return full, trade, f"{spelling}{self._random.randrange(10, 1000)}"


def telephone(random: Random) -> str:
    """Return a mobile number that is in nobody's hands, in E.164."""
    return f"+86154{random.randrange(10**8):08d}"


def identity_number(random: Random) -> str:
    """Return an identity number with a right check digit that is nobody's: the serial number 000 is never given."""
    born = f"{random.randrange(1965, 2000)}{random.randrange(1, 13):02d}{random.randrange(1, 29):02d}"
    body = f"{random.choice(_DISTRICTS)}{born}000"
    return f"{body}{ric.calc_check_digit(body + '0')}"


def organisation_check(body: str) -> str:
    """Return the check digit of an organisation code of eight characters, as GB 11714 computes it."""
    total = sum(weight * int(char, 36) for weight, char in zip(_ORGANISATION_WEIGHTS, body, strict=True))
    return "0123456789X"[-total % 11]


def credit_code(division: str, serial: int) -> str:
    """Return the unified social credit code of the invented enterprise number ``serial`` (below 31**6)."""
    digits = ""
    for _ in range(6):
        serial, rest = divmod(serial, 31)
        digits = _CREDIT_ALPHABET[rest] + digits
    body = f"DM{digits}"
    number = f"91{division}{body}{organisation_check(body)}"
    total = sum(pow(3, place, 31) * _CREDIT_ALPHABET.index(char) for place, char in enumerate(number))
    return number + _CREDIT_ALPHABET[-total % 31]
