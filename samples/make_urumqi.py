#!/usr/bin/env python3
"""Writes samples/urumqi and samples/urumqi-gb18030: the same rows, once as SPEC's English columns in
UTF-8, once as a hospital system exports them. Everybody in them is made up: area code 999901 is
assigned to nobody. Run it from the repository's root; the same rows come out every time."""

import datetime
import pathlib
import random

random.seed(20191101)
WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


def id_number(birth, serial):
    digits = f"999901{birth:%Y%m%d}{serial:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS)) % 11]


people = 0


def person():
    global people
    people += 1
    birth = datetime.date(1935, 1, 1) + datetime.timedelta(days=(people * 9973) % 25500)
    return id_number(birth, people % 1000), f"居民{people:03d}"


def day(text):
    return datetime.date.fromisoformat(text)


# id, name, kind, district, parent, designated, population
INSTITUTIONS = [
    ("WL01", "红柳社区卫生服务中心", "community_center", "天山区", "", "y", 5200),
    ("WL02", "白杨社区卫生服务中心", "community_center", "天山区", "", "y", 4100),
    ("WL03", "胡杨社区卫生服务站", "health_station", "天山区", "WL01", "y", 1800),
    ("WL04", "沙枣乡镇卫生院", "township_center", "乌鲁木齐县", "", "y", 3900),
    ("WL05", "雪莲社区卫生服务站", "health_station", "沙依巴克区", "WL02", "y", 1600),
    ("WL06", "石榴村卫生室", "village_clinic", "乌鲁木齐县", "WL04", "y", 900),
    ("WL07", "葡萄村卫生室", "village_clinic", "乌鲁木齐县", "WL04", "y", 850),
    ("WL08", "杏花社区卫生服务站", "health_station", "水磨沟区", "WL02", "y", 1400),
    ("WL09", "苜蓿村卫生室", "village_clinic", "乌鲁木齐县", "WL04", "n", 700),
    ("WL10", "沙棘村卫生室", "village_clinic", "米东区", "WL04", "y", 650),
    ("WL11", "榆树社区卫生服务中心", "community_center", "米东区", "", "y", 3700),
    ("WL12", "云杉综合医院", "综合医院", "米东区", "", "y", 0),
]
KINDS = {
    "community_center": "社区卫生服务中心",
    "health_station": "社区卫生服务站",
    "township_center": "乡镇卫生院",
    "village_clinic": "村卫生室",
}
ITEMS = {
    "consult": "普通门诊诊察费",
    "consult_elderly": "普通门诊老年人诊察费",
    "im_injection": "肌肉注射",
    "iv_infusion": "静脉输液",
    "follow_up": "病情随访",
    "chronic_service": "慢性病医保服务",
    "record": "建立医保服务档案",
    "blood_test": "血常规检查",
}
PACKAGES = {"paid": "有偿服务包", "free": "免费服务包"}
# How many ordinary paid signings start in 2020Q1, in late 2019, and how many free ones there are.
HEADS = {
    "WL01": (40, 6, 8), "WL02": (30, 5, 5), "WL03": (24, 4, 4), "WL04": (22, 4, 4), "WL05": (20, 3, 3),
    "WL06": (12, 2, 2), "WL07": (14, 2, 2), "WL08": (10, 2, 2), "WL10": (8, 2, 1), "WL11": (16, 3, 3),
}

signings, swipes = [], []
contracts = 0


def sign(institution, signed, package="paid", who=None, contract=None, **more):
    global contracts
    contracts += 1
    number, name = who or person()
    row = {
        "contract_id": contract or f"XY{contracts:05d}",
        "person_id": number,
        "institution_id": institution,
        "package": package,
        "signed_on": signed,
        "starts_on": "",
        "term_months": "12",
        "ended_on": "",
        "scheme": "resident",
        "insured": "y",
        "balance": "120.00",
        "personal_paid": "4.50" if package == "paid" else "",
        "team_id": f"{institution}-T1",
        "status": "valid",
        "name": name,
    }
    row.update(more)
    signings.append(row)
    return number, name


def swipe(who, institution, on, item="consult", charged="0", card="social_security", identity=None):
    swipes.append({
        "swipe_id": identity or f"SK{len(swipes) + 1:06d}",
        "person_id": who[0],
        "institution_id": institution,
        "swiped_at": on,
        "item": item,
        "quantity": "1",
        "charged": charged,
        "card_type": card,
    })


def visits(who, institution, signed, times):
    items = list(ITEMS)[:7]
    for _ in range(times):
        last = max(signed, day("2020-01-01"))
        on = last + datetime.timedelta(days=random.randrange(0, (day("2020-03-31") - last).days + 1))
        swipe(who, institution, on, random.choice(items))


for institution, (quarter, before, free) in HEADS.items():
    for _ in range(quarter):
        signed = day("2020-01-02") + datetime.timedelta(days=random.randrange(0, 84))
        visits(sign(institution, signed), institution, signed, random.choice([6, 6, 7]))
    for _ in range(before):
        signed = day("2019-11-01") + datetime.timedelta(days=random.randrange(0, 60))
        visits(sign(institution, signed), institution, signed, random.choice([6, 6, 7]))
    for _ in range(free):
        signed = day("2019-12-01") + datetime.timedelta(days=random.randrange(0, 100))
        sign(institution, signed, package="free")

# The stories. What each tells stands in README.md beside the data.
sign("WL02", day("2019-10-31"))                                          # E305: the day before the policy
sign("WL02", day("2019-11-01"))                                          # the first day
moved = sign("WL02", day("2020-01-06"), contract="XY-A1")
sign("WL03", day("2020-02-10"), who=moved, contract="XY-A2")             # E503: another institution
twice = sign("WL04", day("2020-01-08"), contract="XY-B1")
sign("WL04", day("2020-03-02"), who=twice, contract="XY-B2")             # E502: the same institution
ended = sign("WL05", day("2020-01-09"), contract="XY-C1", ended_on=day("2020-02-15"))
sign("WL04", day("2020-02-20"), who=ended, contract="XY-C2")             # E503: the whole signed term counts
sign("WL02", day("2020-01-10"), contract="XY-D1", balance="10.49")       # E405: a fen below the fund's part
sign("WL02", day("2020-01-10"), contract="XY-D2", balance="10.50")       # just enough
number, name = person()
sign("WL02", day("2020-01-13"), who=(number[:17] + ("0" if number[17] != "0" else "1"), name), contract="XY-E1")  # E201
sign("WL02", day("2020-01-13"), who=("9.99901E+17", "居民X"), contract="XY-E2")                                   # E201
old = id_number(datetime.date(1941, 5, 9), 777)
sign("WL02", day("2020-01-14"), who=(old[:6] + old[8:17], "居民O"), contract="XY-E3")                              # 15 digits
for _ in range(4):
    sign("WL09", day("2020-01-15"))                                      # E302: not designated
for _ in range(5):
    sign("WL12", day("2020-01-16"))                                      # E303: a general hospital
sign("WL03", day("2020-01-17"), contract="XY-F1", status="void")         # counted, not settled
sign("WL03", day("2020-01-17"), contract="XY-A1")                        # E501: the number is used
sign("WL03", day("2020-01-20"), contract="XY-G1", package="高级包")       # E304
sign("WL03", "2020-02-30", contract="XY-G2")                             # E103
sign("WL03", day("2020-01-20"), contract="XY-G3", balance="10.505")      # E104
sign("WL03", day("2020-01-20"), contract="XY-G4", insured="也许")         # E106
sign("WL03", day("2020-01-20"), contract="XY-G5", insured="n")           # E401
sign("WL03", day("2020-01-20"), contract="XY-G6", term_months="24")      # E403
sign("WL99", day("2020-01-20"), contract="XY-G7")                        # E301
sign("WL03", "", contract="XY-G8")                                       # E102
sign("WL03", day("2020-01-20"), contract="XY-G9", name="BYTES")          # E105
sign("WL03", day("2020-01-20"), contract="XY-H1", name="FIELDS")         # E101
sign("WL06", day("2020-01-21"), contract="XY-I1", personal_paid="")      # W702: nothing paid
sign("WL06", day("2020-01-21"), contract="XY-I2", personal_paid="3.00")  # W702: too little
sign("WL04", day("2020-04-15"), contract="XY-J1", starts_on=day("2020-03-01"))  # W704: after the assessment
early = sign("WL01", day("2020-01-22"), contract="XY-K1")
for on in ("2020-02-03", "2020-03-03"):
    swipe(early, "WL02", day(on))                                        # W703: at another institution
charged = sign("WL07", day("2020-01-23"), contract="XY-L1")
swipe(charged, "WL07", day("2020-02-04"), "im_injection", "8.00")        # W701
swipe(charged, "WL07", day("2020-02-05"), "iv_infusion", "12.00")        # W701
swipe(charged, "WL07", day("2020-02-06"), "blood_test", "20.00")         # no item of the package
swipe(charged, "WL07", day("2020-02-07"), identity="SK000001")           # E506
swipe(charged, "WL98", day("2020-02-07"))                                # E301
swipe(("999901190001010000", ""), "WL07", day("2020-02-07"))             # E201
swipe(charged, "WL07", "2020-13-01")                                     # E103
swipe(charged, "WL07", day("2020-02-08"), charged="免费")                 # E104

# Score sheets: (indicator, value, points). Those that the data tell may be left out.
FULL = {
    "1": ("100", ""), "2": ("yes", ""), "3": ("yes", ""), "4": ("95", ""), "5": ("0", ""), "6": ("yes", ""),
    "7": ("0", ""), "8": ("100", ""), "9": ("yes", ""), "10": ("0", ""), "11": ("92", ""),
}
WORSE = {"2": ("no", ""), "3": ("no", ""), "9": ("no", ""), "10": ("3", ""), "11": ("75", "")}
SHEETS = {
    "WL01": {key: value for key, value in FULL.items() if key not in ("1", "4", "5", "6", "7", "8")},  # 100, six derived
    "WL02": FULL | {"2": ("no", ""), "9": ("no", "")},                                                # 90
    "WL03": FULL | {"2": ("no", ""), "9": ("no", ""), "4": ("89.5", "")},                             # 89.5
    "WL04": FULL | WORSE,                                                                             # 65
    "WL05": FULL | WORSE | {"8": ("94.75", "")},                                                      # 64
    "WL06": FULL | WORSE | {"7": ("3", "")},                                                          # 60
    "WL07": FULL | WORSE | {"7": ("3", ""), "4": ("89.5", "")},                                       # 59.5
    "WL08": {key: value for key, value in FULL.items() if key != "11"},                               # 11 is missing
    "WL10": FULL | {"2": ("", "0")},                                                                  # 95, points by hand
    "WL11": FULL | {"8": ("93", "10")},                                                               # 92; by hand 10, worked out 12
}
SCORES = [
    ("WL01", "100", "2020-04-10"), ("WL02", "90", "2020-04-10"), ("WL03", "89.5", "2020-04-10"),
    ("WL04", "65", "2020-04-10"), ("WL05", "64", "2020-04-10"), ("WL06", "60", "2020-04-10"),
    ("WL07", "59.5", "2020-04-10"), ("WL10", "95", "2020-04-10"),
    ("WL11", "88", "2020-04-10"), ("WL11", "92", "2020-04-20"),          # W710: assessed again
    ("WL12", "80", "2020-04-10"),
]
# Prepaid for the quarter: 5.25 a head. WL10 was prepaid for two heads less, WL12 by mistake.
PAYMENTS = {
    "WL01": "215.25", "WL02": "173.25", "WL03": "126.00", "WL04": "120.75", "WL05": "110.25", "WL06": "73.50",
    "WL07": "78.75", "WL08": "52.50", "WL10": "31.50", "WL11": "84.00", "WL12": "26.25",
}

CHINESE = {
    "institution_id": "机构编码", "name": "机构名称", "kind": "机构类别", "district": "区县", "parent_id": "上级机构编码",
    "designated": "定点", "served_population": "服务人口", "contract_id": "协议编号", "person_id": "身份证号",
    "package": "服务包", "signed_on": "签约日期", "starts_on": "生效日期", "term_months": "签约期限",
    "ended_on": "解约日期", "scheme": "险种", "insured": "参保状态", "balance": "门诊统筹余额",
    "personal_paid": "个人缴费金额", "team_id": "团队编码", "status": "状态", "swipe_id": "流水号",
    "swiped_at": "刷卡时间", "item": "服务项目", "quantity": "数量", "charged": "收费金额", "card_type": "卡类型",
    "period": "考核周期", "score": "得分", "level": "考核层级", "assessed_on": "考核日期", "cohort": "批次",
    "source": "资金来源", "amount": "金额", "indicator": "指标", "value": "实测值", "points": "得分",
}
WORDS = KINDS | ITEMS | PACKAGES | {
    "resident": "城乡居民", "valid": "有效", "void": "作废", "social_security": "社会保障卡", "district": "区县",
    "resident_fund": "城乡居民医保基金", "yes": "是", "no": "否",
}


def written(value, chinese):
    if isinstance(value, datetime.date):
        return f"{value.year}/{value.month}/{value.day}" if chinese else value.isoformat()
    return str(value)


def write(folder, name, columns, rows, chinese, yes_no=()):
    title = lambda column: "姓名" if (name, column) == ("signings.csv", "name") else CHINESE[column]
    end = "\r\n" if chinese else "\n"
    encoding = "gb18030" if chinese else "utf-8"
    lines = [",".join(title(column) if chinese else column for column in columns).encode(encoding)]
    for row in rows:
        cells = []
        for column in columns:
            cell = written(row[column], chinese)
            if chinese and column in yes_no:
                cell = {"y": "是", "n": "否"}.get(cell, cell)
            elif chinese and column not in ("name", "district"):
                cell = WORDS.get(cell, cell)
            cells.append(cell.encode(encoding))
        if row.get("name") == "BYTES":
            cells[columns.index("name")] = b"\xff\xfe"
        if row.get("name") == "FIELDS":
            cells = cells[:6] + cells[7:]
        lines.append(b",".join(cells))
    (folder / name).write_bytes(end.encode().join(lines) + end.encode())


def dated(text):
    return datetime.date.fromisoformat(text)


for folder, chinese in (("samples/urumqi", False), ("samples/urumqi-gb18030", True)):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    keys = ["institution_id", "name", "kind", "district", "parent_id", "designated", "served_population"]
    write(folder, "institutions.csv", keys, [dict(zip(keys, row)) for row in INSTITUTIONS], chinese, ("designated",))
    write(folder, "signings.csv", list(signings[0]), signings, chinese, ("insured",))
    write(folder, "swipes.csv", list(swipes[0]), swipes, chinese)
    scores = [dict(institution_id=i, period="2020Q1", score=s, level="district", assessed_on=dated(d)) for i, s, d in SCORES]
    write(folder, "scores.csv", list(scores[0]), scores, chinese)
    payments = [dict(institution_id=i, cohort="2020Q1", source="resident_fund", amount=a) for i, a in PAYMENTS.items()]
    write(folder, "payments.csv", list(payments[0]), payments, chinese)
    sheets = [
        dict(institution_id=i, period="2020Q1", indicator=key, value=value, points=points)
        for i, sheet in SHEETS.items()
        for key, (value, points) in sheet.items()
    ]
    write(folder, "sheets.csv", list(sheets[0]), sheets, chinese)
