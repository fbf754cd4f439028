"""Where customers of the demo company sit: real cities, with the roads and zones that every city has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class City:
    province: str
    name: str
    division: str  # GB/T 2260 code of the registration authority

    @property
    def region(self) -> str:
        """The province with the city, where they are two."""
        return self.name if self.province == self.name else f"{self.province} {self.name}"

    @property
    def full(self) -> str:
        """The city as an address begins: 上海市, 江苏省苏州市, 广西壮族自治区南宁市."""
        if self.province == self.name:
            return f"{self.name}市"
        return f"{_REGIONS.get(self.province, f'{self.province}省')}{self.name}市"


_REGIONS = {"内蒙古": "内蒙古自治区", "广西": "广西壮族自治区"}

SHANGHAI = City("上海", "上海", "310000")
BEIJING = City("北京", "北京", "110000")
TIANJIN = City("天津", "天津", "120000")
CHONGQING = City("重庆", "重庆", "500000")

# sales team → cities, the most important first
TERRITORIES: dict[str, tuple[City, ...]] = {
    "sh-east-1": (SHANGHAI, City("浙江", "嘉兴", "330400"), City("浙江", "宁波", "330200")),
    "sh-east-2": (
        City("江苏", "苏州", "320500"),
        City("江苏", "无锡", "320200"),
        City("江苏", "南京", "320100"),
        City("浙江", "杭州", "330100"),
        City("安徽", "合肥", "340100"),
    ),
    "sh-north-1": (
        City("山东", "济南", "370100"),
        City("山东", "青岛", "370200"),
        City("河南", "郑州", "410100"),
        TIANJIN,
        City("山西", "太原", "140100"),
    ),
    "sz-south-1": (
        City("广东", "深圳", "440300"),
        City("广东", "东莞", "441900"),
        City("广东", "惠州", "441300"),
    ),
    "sz-south-2": (
        City("广东", "广州", "440100"),
        City("广东", "佛山", "440600"),
        City("福建", "厦门", "350200"),
        City("广西", "南宁", "450100"),
    ),
    "sz-west-1": (
        City("四川", "成都", "510100"),
        CHONGQING,
        City("陕西", "西安", "610100"),
        City("云南", "昆明", "530100"),
    ),
    "bj-north-1": (
        BEIJING,
        TIANJIN,
        City("河北", "石家庄", "130100"),
        City("河北", "保定", "130600"),
    ),
    "bj-north-2": (
        City("辽宁", "沈阳", "210100"),
        City("辽宁", "大连", "210200"),
        City("吉林", "长春", "220100"),
        City("黑龙江", "哈尔滨", "230100"),
        City("内蒙古", "呼和浩特", "150100"),
    ),
    "bj-south-1": (
        City("湖北", "武汉", "420100"),
        City("湖南", "长沙", "430100"),
        City("江西", "南昌", "360100"),
        SHANGHAI,
    ),
}

ZONES = ("高新区", "经济技术开发区", "工业园区", "科技园", "产业园", "科创园")
ROADS = (
    "科技路", "创新路", "工业大道", "兴业路", "振兴路", "和平路", "建设路", "文化路", "学府路", "迎宾大道",
    "长安路", "明珠路", "锦绣路", "望江路", "春晖路", "银杏路", "梧桐路", "紫荆路", "松涛路", "云山路",
    "湖滨路", "仁和路",
)  # fmt: skip
