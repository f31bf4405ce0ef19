#!/usr/bin/env python3
"""Writes samples/xinjiang, samples/jilin, samples/sichuan and samples/ankang: small exports that tell each
policy's stories. Everybody in them is made up: area code 999901 is assigned to nobody. Run it from the
repository's root; the same rows come out every time."""

import csv
import datetime
import pathlib

WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]


def day(text):
    return datetime.date.fromisoformat(text)


def id_number(birth, serial):
    digits = f"999901{birth:%Y%m%d}{serial:03d}"
    return digits + "10X98765432"[sum(int(d) * w for d, w in zip(digits, WEIGHTS)) % 11]


class Sample:
    """One region's tables, in the order in which they are told."""

    def __init__(self, region, prefix, signing_columns):
        self.region, self.prefix = region, prefix
        self.columns = ["contract_id", "person_id", "institution_id", "package", "signed_on", *signing_columns]
        self.people = 0
        self.tables = {name: [] for name in ["institutions", "signings", "swipes", "scores", "payments", "sheets"]}

    def person(self, born=None):
        """Somebody new; born on that day, else between 30 and 60 years ago."""
        self.people += 1
        if born is None:
            born = day("1960-01-01") + datetime.timedelta(days=(self.people * 4_999) % 9_000)
        return id_number(born, self.people % 1000)

    def institution(self, number, name, kind, district, parent="", population="", designated="y"):
        row = [f"{self.prefix}{number:02d}", name, kind, district, parent, designated, population]
        self.tables["institutions"].append(row)

    def sign(self, institution, package, signed, who=None, **more):
        who = who or self.person()
        number = f"{self.prefix}Q{len(self.tables['signings']) + 1:04d}"
        row = [number, who, f"{self.prefix}{institution:02d}", package, signed]
        self.tables["signings"].append(row + [more.get(column, "") for column in self.columns[5:]])
        return who

    def swipe(self, who, institution, at, item="", card="social_security", quantity=1, charged=0):
        number = f"{self.prefix}S{len(self.tables['swipes']) + 1:05d}"
        row = [number, who, f"{self.prefix}{institution:02d}", f"{at} 09:30:00", item, quantity, charged, card]
        self.tables["swipes"].append(row)

    def score(self, institution, period, score, level="", assessed=""):
        self.tables["scores"].append([f"{self.prefix}{institution:02d}", period, score, level, assessed])

    def paid(self, institution, cohort, source, package, amount):
        self.tables["payments"].append([f"{self.prefix}{institution:02d}", cohort, source, amount, package])

    def sheet(self, institution, period, level, values):
        for indicator, value, points in values:
            row = [f"{self.prefix}{institution:02d}", period, indicator, value, points, level]
            self.tables["sheets"].append(row)

    def write(self, story):
        headers = {
            "institutions": "institution_id,name,kind,district,parent_id,designated,served_population".split(","),
            "signings": self.columns,
            "swipes": "swipe_id,person_id,institution_id,swiped_at,item,quantity,charged,card_type".split(","),
            "scores": "institution_id,period,score,level,assessed_on".split(","),
            "payments": "institution_id,cohort,source,amount,package".split(","),
            "sheets": "institution_id,period,indicator,value,points,level".split(","),
        }
        folder = pathlib.Path("samples") / self.region
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            if not rows:
                continue
            with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
                out = csv.writer(file, lineterminator="\n")
                out.writerow(headers[name])
                out.writerows(rows)
        (folder / "README.md").write_text(story, encoding="utf-8")


def xinjiang():
    s = Sample("xinjiang", "XJ", ["starts_on", "term_months", "scheme", "personal_paid", "authorized", "groups"])
    s.institution(1, "葡萄沟社区卫生服务中心", "社区卫生服务中心", "东区", population=900)
    s.institution(2, "石榴镇卫生院", "乡镇卫生院", "西区", population=700)
    s.institution(3, "雪松民营门诊部", "民营门诊部", "东区", population=400)
    s.institution(4, "白杨村卫生室", "村卫生室", "西区", parent="XJ02", population=300)
    s.institution(5, "胡杨综合医院", "综合医院", "东区", population=200)
    s.institution(6, "沙枣诊所", "诊所", "东区", population=100, designated="n")
    paid = {"basic": "5.00", "public_health": "0.00", "elderly65": "20.00", "hypertension": "17.00", "diabetes": "25.00"}

    def sign(where, package, signed, who=None, **more):
        more = {"term_months": 12, "scheme": "resident", "authorized": "y", "personal_paid": paid[package], **more}
        return s.sign(where, package, signed, who, **more)

    for where, count in [(1, 14), (2, 12), (3, 8), (4, 6), (5, 5)]:
        for nth in range(count):
            sign(where, "basic", f"2023-{1 + nth % 3:02d}-{3 + nth:02d}", term_months=[12, 24, 36][nth % 3])
    for where in (1, 2, 3):
        sign(where, "public_health", "2023-01-09", personal_paid="0.00")
        for package, group in [("hypertension", "高血压"), ("diabetes", "糖尿病;残疾人")]:
            who = sign(where, "basic", "2023-01-10", groups=group)
            sign(where, package, "2023-01-10", who, groups=group)
    # 65 on the day of signing, and a day short of it.
    who = sign(1, "basic", "2023-02-01", s.person(day("1958-02-01")))
    sign(1, "elderly65", "2023-02-01", who)
    who = sign(1, "basic", "2023-02-01", s.person(day("1958-02-02")))
    sign(1, "elderly65", "2023-02-01", who)
    # Not authorized: the fund's part waits, the others go on.
    sign(2, "basic", "2023-02-15", authorized="n")
    sign(2, "basic", "2023-02-16", authorized="")
    # An add-on on nothing, on the public-health package, and a second one.
    sign(3, "hypertension", "2023-03-01", groups="高血压")
    who = sign(3, "public_health", "2023-03-02", groups="高血压")
    sign(3, "hypertension", "2023-03-02", who, groups="高血压")
    who = sign(3, "basic", "2023-03-03", groups="高血压;糖尿病")
    sign(3, "hypertension", "2023-03-03", who, groups="高血压;糖尿病")
    sign(3, "diabetes", "2023-03-04", who, groups="高血压;糖尿病")
    # The day before the opinion, and its day; terms; a scheme that is not covered; not designated.
    sign(2, "basic", "2022-12-15")
    sign(2, "basic", "2022-12-16", term_months=36)
    sign(2, "basic", "2023-01-18", term_months=18)
    sign(2, "basic", "2023-01-19", scheme="employee")
    sign(6, "basic", "2023-01-20")
    sign(4, "basic", "2023-03-20", personal_paid="4.00")
    for where, score in [(1, "95"), (2, "82.5"), (3, "60"), (4, "59.99")]:
        s.score(where, "2023Q1", score, "district", "2023-04-12")
    for where, package, amount in [(1, "basic", "180.00"), (2, "basic", "140.00"), (3, "basic", "110.00"), (4, "basic", "70.00"), (1, "hypertension", "29.50"), (3, "hypertension", "59.00")]:
        s.paid(where, "2023Q1", "resident_fund", package, amount)
    for where, satisfaction in [(1, "92"), (2, "84.5"), (3, "70")]:
        points = [("1", "", "18"), ("2", "", "13"), ("3", "", "9"), ("4", "", "17"), ("5", "", "16")]
        s.sheet(where, "2023Q1", "district", points + [("6", satisfaction, "")])
    s.write("""# Sample: Xinjiang, 2023Q1

Everybody is made up. `jiayi settle --region xinjiang --quarter 2023Q1 --data samples/xinjiang`

| story | where |
|---|---|
| terms of one, two and three years | most of XJ01–XJ05 |
| 95, 82.5, 60 and 59.99 points, no score | XJ01, XJ02, XJ03, XJ04, XJ05 |
| hypertension and diabetes packages on top of the basic one; public-health money once for a person | XJ01–XJ03 |
| 65 on the day of signing; 64 for one more day (E402) | XJ01, 2023-02-01 |
| no authorization: the fund's part is held (W708) | XJ02, 2023-02-15 and 16 |
| an add-on without the basic package, on the public-health package (E504), a second add-on (E505) | XJ03, March |
| the day before the opinion (E305) and its day | XJ02, 2022-12-15 and 16 |
| 18 months (E403), employee insurance (E401), not designated (E302) | XJ02 and XJ06, 2023-01-18 to 20 |
| the resident paid 4.00 of 5.00 (W702) | XJ04, 2023-03-20 |
| satisfaction 92, 84.5 and 70 percent against 85 | sheets.csv |
""")


def jilin():
    s = Sample("jilin", "JL", ["scheme", "personal_paid", "groups"])
    s.institution(1, "松花社区卫生服务中心", "社区卫生服务中心", "江北区", population=1200)
    s.institution(2, "白桦镇卫生院", "乡镇卫生院", "江北区", population=800)
    s.institution(3, "红松村卫生室", "村卫生室", "江南区", parent="JL02", population=301)
    s.institution(4, "水曲柳诊所", "诊所", "江南区")

    def served(where, who, at, **more):
        s.swipe(who, where, at, **{"item": "clinic", **more})

    cards = ["social_security", "id_card", "health_card"]
    for where, count in [(1, 15), (2, 12), (3, 8), (4, 4)]:
        for nth in range(count):
            month = [2, 5, 8, 10, 11][nth % 5]
            who = s.sign(where, "basic", f"2017-{month:02d}-{3 + nth:02d}", scheme=["resident", "employee"][nth % 3 == 2])
            served(where, who, f"2017-{month:02d}-{10 + nth:02d}", card=cards[nth % 3])
    # New Year's Day 2017 and the day before.
    who = s.sign(1, "basic", "2017-01-01", scheme="resident")
    served(1, who, "2017-12-31")
    s.sign(1, "basic", "2016-12-31", scheme="resident")
    # Personalised packages from 1 August, not before.
    for signed, package in [("2017-07-31", "rehab"), ("2017-08-01", "rehab"), ("2017-08-02", "chronic")]:
        for scheme in ["resident", "employee"]:
            who = s.sign(2, "basic", "2017-07-01", scheme=scheme)
            price = {"rehab": "72.00", "chronic": "31.50"}[package]
            s.sign(2, package, signed, who, scheme=scheme, personal_paid=price)
            served(2, who, "2017-08-20")
    # No record at all; a card that is none of the three; a record elsewhere; one after the year.
    s.sign(3, "basic", "2017-09-01", scheme="resident")
    who = s.sign(3, "basic", "2017-09-02", scheme="resident")
    served(3, who, "2017-09-10", card="bank_card")
    who = s.sign(3, "basic", "2017-09-03", scheme="resident")
    served(1, who, "2017-09-11")
    who = s.sign(3, "basic", "2017-09-04", scheme="resident")
    served(3, who, "2018-01-02")
    # Benefits that may not be claimed beside a package.
    who = s.sign(1, "basic", "2017-08-05", scheme="resident")
    served(1, who, "2017-08-06")
    s.swipe(who, 1, "2017-10-09", item="outpatient_claim")
    s.sign(1, "chronic", "2017-08-05", who, scheme="resident", personal_paid="31.50")
    s.swipe(who, 1, "2017-10-10", item="chronic_claim")
    for where, score in [(1, "96"), (2, "81.5"), (3, "59.9")]:
        s.score(where, "2017", score, "district", "2018-01-20")
    for where, source, package, cohort, amount in [
        (1, "resident_fund", "basic", "2017Q1", "40.00"),
        (1, "public_health", "public_health_base", "2017Q4", "4500.00"),
        (3, "resident_fund", "basic", "2017Q3", "60.00"),
    ]:
        s.paid(where, cohort, source, package, amount)
    values = [("1", "9"), ("2", "19"), ("3", "14"), ("4", "15"), ("5", "10"), ("6", "9"), ("7", "10"), ("8", "10")]
    s.sheet(1, "2017", "district", [(indicator, "", points) for indicator, points in values])
    s.write("""# Sample: Jilin, the year 2017

Everybody is made up. `jiayi settle --region jilin --year 2017 --data samples/jilin`

One run over four quarters, cleared by one yearly assessment.

| story | where |
|---|---|
| residents' and employees' insurance: each fund its own people | JL01–JL04 |
| 96, 81.5 and 59.9 points, no score | JL01, JL02, JL03, JL04 |
| a contract of 1 January 2017 keeps its date; the day before is refused (E305) | JL01 |
| a personalised package on 31 July (E305) and on 1 August | JL02 |
| price 160.00: 72.00 by the person, 40.00 by the fund, 48.00 owed by nobody | JL02, rehab |
| no service record, a bank card, a record elsewhere (W703), one after the year: held (W708) | JL03, September |
| an outpatient and a chronic-disease benefit beside the packages (W707) | JL01, October |
| public-health money by served population, from the first quarter that begins under the opinion; none for JL04, which names no population | 2017Q4 |
| a prepayment over what the score earns | payments.csv |
""")


def sichuan():
    s = Sample("sichuan", "SC", ["scheme", "personal_paid", "groups"])
    for number, name, kind in [
        (1, "锦里社区卫生服务中心", "社区卫生服务中心"),
        (2, "竹海镇卫生院", "乡镇卫生院"),
        (3, "青城镇卫生院", "乡镇卫生院"),
        (4, "峨眉镇卫生院", "乡镇卫生院"),
        (5, "岷江社区卫生服务站", "社区卫生服务站"),
        (6, "沱江社区卫生服务站", "社区卫生服务站"),
    ]:
        s.institution(number, name, kind, "川东县" if number < 4 else "川西县")
    plans = {
        "hypertension": [("follow_up", 4), ("blood_pressure", 12), ("biochemistry", 1), ("ecg", 1), ("health_plan", 1)],
        "diabetes": [("follow_up", 4), ("glucose", 12), ("hba1c", 2), ("fundus", 1), ("health_plan", 1)],
    }
    groups = {"hypertension": "高血压", "diabetes": "糖尿病"}
    paid = {"hypertension": "48.00", "diabetes": "60.00"}

    def sign(where, package, signed, missing=(), scheme="resident", **more):
        more = {"groups": groups[package], "personal_paid": paid[package], **more}
        who = s.sign(where, package, signed, scheme=scheme, **more)
        for nth, (item, times) in enumerate(plans[package]):
            done = times - dict(missing).get(item, 0)
            if done > 0:
                s.swipe(who, where, f"2025-{6 + nth:02d}-15", item, quantity=done)
        return who

    for where, count in [(1, 8), (2, 6), (3, 6), (4, 5), (5, 5), (6, 3)]:
        for nth in range(count):
            package = ["hypertension", "diabetes"][nth % 2]
            scheme = ["resident", "resident", "employee"][nth % 3]
            sign(where, package, f"2025-{1 + nth % 5:02d}-{10 + nth:02d}", scheme=scheme)
    # Something was left out: two follow-ups, every measurement, all of it; more than planned is no credit.
    sign(1, "hypertension", "2025-03-01", missing=[("follow_up", 2)])
    sign(1, "diabetes", "2025-03-02", missing=[("glucose", 12), ("hba1c", 1)])
    sign(2, "hypertension", "2025-03-03", missing=[("ecg", 1), ("health_plan", 1)])
    who = sign(2, "hypertension", "2025-03-04", missing=[("biochemistry", 1)])
    s.swipe(who, 2, "2025-11-20", "blood_pressure", quantity=6)
    s.sign(2, "hypertension", "2025-11-05", scheme="employee", groups="高血压", personal_paid="48.00")
    # The day before the plan, its day, no such group, both diseases: one package at a time.
    sign(3, "hypertension", "2025-01-01")
    sign(3, "hypertension", "2025-01-02")
    s.sign(3, "diabetes", "2025-04-01", scheme="resident", groups="高血压", personal_paid="60.00")
    who = sign(3, "hypertension", "2025-04-02", groups="高血压;糖尿病")
    s.sign(3, "diabetes", "2025-04-03", who, scheme="resident", groups="高血压;糖尿病", personal_paid="60.00")
    # A benefit that the package takes the place of.
    who = sign(4, "diabetes", "2025-04-04")
    s.swipe(who, 4, "2025-08-08", "两病门诊用药保障")
    for where, score in [(1, "85"), (2, "84.99"), (3, "70"), (4, "60"), (5, "59.99")]:
        s.score(where, "2025", score, "district", "2026-01-30")
    values = [("1", "9"), ("2", "26"), ("3", "20"), ("4", "13"), ("5", "9"), ("6", "8")]
    s.sheet(1, "2025", "district", [(indicator, "", points) for indicator, points in values])
    s.write("""# Sample: Sichuan, the year 2025

Everybody is made up. `jiayi settle --region sichuan --year 2025 --data samples/sichuan`

| story | where |
|---|---|
| 85, 84.99, 70, 60 and 59.99 points (优秀, 良好, 良好, 合格, 不合格 and no new contract), no score | SC01–SC05, SC06 |
| two funds by scheme | everywhere |
| services that were left out come off the fund's share first, then the grade's ratio holds | SC01 and SC02, March |
| more than planned gives no credit for what is missing | SC02, 2025-03-04 |
| nothing done at all | SC02, 2025-11-05 |
| the day before the plan (E305), and its day | SC03, 2025-01-01 and 02 |
| not of the package's group (E402); two packages at once (E502) | SC03, April |
| a benefit that the package takes the place of (W707) | SC04 |
| assessed on 2026-01-30, before the spring holiday: 15 working days later is 2026-02-27 | figures.csv |
""")


def ankang():
    s = Sample("ankang", "AK", ["starts_on", "term_months", "ended_on", "personal_paid", "team_id"])
    s.institution(1, "新城社区卫生服务中心", "社区卫生服务中心", "汉滨区", population=2400)
    s.institution(2, "老城社区卫生服务中心", "社区卫生服务中心", "汉滨区", population=2100)
    s.institution(3, "江北社区卫生服务中心", "community_center", "汉滨区", population=1800)
    s.institution(4, "瀛湖诊所", "个体诊所", "汉滨区", population=300)
    s.institution(5, "月河镇卫生院", "乡镇卫生院", "汉滨区", population=900)

    def sign(where, signed, who=None, **more):
        more = {"term_months": 12, "personal_paid": "6.00", "team_id": f"T{where}", **more}
        return s.sign(where, "standard", signed, who, **more)

    for where, count in [(1, 12), (2, 10), (3, 8), (4, 5)]:
        for nth in range(count):
            born = day("1948-06-01") if nth % 3 == 0 else None
            sign(where, f"201{6 + (nth % 4 > 0)}-{[11, 1, 3, 7][nth % 4]:02d}-{5 + nth:02d}", born and s.person(born))
    # 65 on the day of signing; 64 then, and 65 within the term.
    sign(1, "2017-02-10", s.person(day("1952-02-10")))
    sign(1, "2017-02-10", s.person(day("1952-02-11")))
    # From 31 January: the next months start on the last day of February, on 31 March …
    sign(2, "2017-01-31")
    # Two years; half a year is too short; ended early; ended on the day on which a month would start.
    sign(2, "2017-02-01", term_months=24)
    sign(2, "2017-02-02", term_months=6)
    sign(3, "2017-01-15", ended_on="2017-04-20")
    sign(3, "2017-01-15", ended_on="2017-04-15")
    # Two teams at once; a kind that does not sign; the plan's day and the day before.
    who = sign(3, "2017-03-01")
    sign(1, "2017-05-01", who)
    sign(5, "2017-01-10")
    sign(4, "2016-10-12")
    sign(4, "2016-10-13", starts_on="2017-01-01")
    for where, first, second, city in [(1, "88", "90", "86"), (2, "60", "59.99", "60"), (3, "59.99", "75", "59.99"), (4, "70", "", "")]:
        s.score(where, "2017H1", first, "区级", "2017-07-10")
        if second:
            s.score(where, "2017H2", second, "区级", "2018-01-08")
        if city:
            s.score(where, "2017", city, "市级", "2018-01-25")
    for level, period in [("city", "2017"), ("district", "2017H1")]:
        s.sheet(1, period, level, [("1", "", "22"), ("2", "", "26"), ("3", "", "18"), ("4", "", "20")])
    s.write("""# Sample: Ankang, the year 2017

Everybody is made up. `jiayi settle --region ankang --year 2017 --data samples/ankang`

Five yuan a month, in quarters; the city pays by its yearly assessment, the district by its half-yearly one.

| story | where |
|---|---|
| under 65 the city pays, from 65 on the lottery fund | everywhere; the day itself at AK01, 2017-02-10 |
| district scores of two half-years, city scores of the year | AK01 passes all of them |
| 60 passes, 59.99 does not: nothing is paid of that half-year, the other one stands | AK02, AK03 |
| no score for the second half-year and from the city: waits (W706) | AK04 |
| months from 31 January | AK02 |
| 24 months; 6 months (E403) | AK02, February |
| ended early, and on the day on which a month would start | AK03, 2017-01-15 |
| a second team (E503), a kind that does not sign (E303), before the plan (E305) | AK01, AK05, AK04 |
""")


for make in (xinjiang, jilin, sichuan, ankang):
    make()
