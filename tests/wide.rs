//! The three made-up policies of regions/README.md, with what they pay worked out by hand beside each case.

mod support;

use std::collections::BTreeMap;
use std::fs;

use support::{Case, Outputs, examples, good, id};

/// A data folder for one of the examples.
struct Policy {
    case: Case,
    region: &'static str,
    signings: String,
    swipes: String,
    scores: String,
}

const COLUMNS: &str = "contract_id,person_id,institution_id,package,signed_on,starts_on,ended_on,ended_reason,scheme,authorized,groups,doctor_id,balance,term_months\n";

impl Policy {
    fn new(region: &'static str) -> Policy {
        let case = Case::default();
        examples(&case.home.path().join("regions"));
        case.write(
            "institutions.csv",
            "institution_id,name,kind,district,parent_id,served_population\n\
             T,Town,township_center,江北区,,1000\nC,Center,community_center,江南区,T,333\n",
        );
        Policy {
            case,
            region,
            signings: COLUMNS.into(),
            swipes: "swipe_id,person_id,institution_id,swiped_at,item,quantity,card_type\n".into(),
            scores: "institution_id,period,score,level,assessed_on\n".into(),
        }
    }

    /// Changes the rule file, as a bureau would.
    fn with(self, from: &str, to: &str) -> Policy {
        let path = self.case.home.path().join(format!("regions/{}/2026-01-01.toml", self.region));
        let text = fs::read_to_string(&path).expect("the example");
        assert_eq!(text.matches(from).count(), 1, "{from}");
        fs::write(path, text.replace(from, to)).expect("it is written");
        self
    }

    /// `cells` as `column=value` pairs; the contract is the last part of the ID number.
    fn sign(
        mut self,
        contract: &str,
        person: &str,
        at: &str,
        package: &str,
        day: &str,
        cells: &str,
    ) -> Policy {
        let given: BTreeMap<&str, &str> =
            cells.split_whitespace().filter_map(|pair| pair.split_once('=')).collect();
        let mut row = vec![contract, person, at, package, day];
        row.extend(
            COLUMNS
                .trim_end()
                .split(',')
                .skip(5)
                .map(|column| given.get(column).copied().unwrap_or_default()),
        );
        self.signings += &(row.join(",") + "\n");
        self
    }

    fn score(mut self, at: &str, period: &str, score: &str, level: &str) -> Policy {
        self.scores += &format!("{at},{period},{score},{level},2026-07-01\n");
        self
    }

    fn swipe(mut self, person: &str, at: &str, day: &str, item: &str) -> Policy {
        let number = self.swipes.lines().count();
        self.swipes += &format!("S{number},{person},{at},{day},{item},1,social_security\n");
        self
    }

    fn settle(&self, period: &str, more: &[&str]) -> Outputs {
        self.case.write("signings.csv", &self.signings);
        self.case.write("swipes.csv", &self.swipes);
        self.case.write("scores.csv", &self.scores);
        good(&self.case.settle_period(self.region, &self.case.home.path().join("regions"), period, more));
        self.case.outputs()
    }
}

/// `count gross prepay ratio final` of an institution's lines of one source, `;` between packages.
fn line(out: &Outputs, at: &str, source: &str) -> String {
    let rows = out.rows("settlement.csv");
    let mine = rows.iter().filter(|row| row["institution_id"] == at && row["source"] == source);
    let shown = mine.map(|row| {
        let cell = |column: &str| if row[column].is_empty() { "-".to_string() } else { row[column].clone() };
        let columns = ["count", "gross", "prepay", "ratio", "final"].map(cell);
        format!("{}/{}", columns.join(" "), row["held"])
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn payable(out: &Outputs, at: &str, source: &str) -> String {
    let rows = out.rows("settlement.csv");
    let mine = rows.iter().filter(|row| row["institution_id"] == at && row["source"] == source);
    mine.map(|row| row["payable"].clone()).collect::<Vec<_>>().join("; ")
}

fn old() -> String {
    id("1955-06-01", 1)
}

fn young() -> String {
    id("1990-06-01", 2)
}

#[test]
fn riverside_fees_go_by_kind_disease_and_age() {
    // 10.00 × 1.5 × 1.2 = 18.00 a month at the center: 60% is 10.80, the resident 7.20; January to March.
    let out = Policy::new("riverside")
        .sign("A", &old(), "C", "care", "2026-01-01", "groups=慢病患者")
        .settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "3 32.40 25.92 - -/0");
    assert_eq!(line(&out, "C", "individual"), "3 21.60 0.00 - -/0");
    // 12.00 × 1.2 = 14.40 at the town hospital of a district that bears a fifth; the poor's part is the subsidy's.
    let out = Policy::new("riverside")
        .sign("A", &old(), "T", "care", "2026-02-15", "groups=低收入")
        .settle("2026Q1", &[]);
    assert_eq!(line(&out, "T", "resident_fund"), "2 17.28 13.82 - -/0");
    assert_eq!(line(&out, "T", "district_finance"), "2 5.76 0.00 - -/0");
    assert_eq!(line(&out, "T", "civil_affairs"), "2 5.76 5.76 - -/0");
    assert_eq!(line(&out, "T", "individual"), "");
    // 65 on the day itself; the employees' fund; neither weight.
    for (born, want) in [("1961-01-10", "3 21.60"), ("1961-01-11", "3 18.00")] {
        let out = Policy::new("riverside")
            .sign("A", &id(born, 3), "C", "care", "2026-01-10", "scheme=employee")
            .settle("2026Q1", &[]);
        assert!(
            line(&out, "C", "employee_fund").starts_with(want),
            "{born}: {}",
            line(&out, "C", "employee_fund")
        );
        assert_eq!(line(&out, "C", "resident_fund"), "");
    }
}

#[test]
fn riverside_takes_the_highest_weight_where_it_is_so() {
    let out = Policy::new("riverside")
        .with("weigh = \"multiply\"", "weigh = \"highest\"")
        .sign("A", &old(), "C", "care", "2026-01-01", "groups=慢性病")
        .settle("2026Q1", &[]);
    // 15.00 a month, 60% of it 9.00.
    assert_eq!(line(&out, "C", "resident_fund"), "3 27.00 21.60 - -/0");
}

#[test]
fn riverside_ends_by_reason() {
    // January is paid; of February, which has 28 days, 14 were in force: half of 6.00.
    for (cells, want) in [
        ("ended_on=2026-02-15", "2 9.00"),
        ("ended_on=2026-02-15 ended_reason=搬迁", "2 9.00"),
        ("ended_on=2026-02-15 ended_reason=去世", "2 12.00"),
        ("ended_on=2026-02-15 ended_reason=虚假签约", "2 6.00"),
        ("ended_on=2026-02-01", "1 6.00"),
        ("ended_on=2026-02-02", "2 6.21"),
        ("ended_on=2026-02-28", "2 11.79"),
        ("ended_on=2026-03-01", "2 12.00"),
    ] {
        let out = Policy::new("riverside")
            .sign("A", &young(), "C", "care", "2026-01-01", cells)
            .settle("2026Q1", &[]);
        assert!(
            line(&out, "C", "resident_fund").starts_with(want),
            "{cells}: {}",
            line(&out, "C", "resident_fund")
        );
    }
    // Half of 10.00 is 5.00: 3.00 and 2.00.
    let out = Policy::new("riverside")
        .sign("A", &young(), "C", "care", "2026-01-01", "ended_on=2026-02-15")
        .settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "individual"), "2 6.00 0.00 - -/0");
}

#[test]
fn riverside_holds_who_comes_when_the_doctor_is_full() {
    let person = |serial| id("1990-06-01", serial);
    let out = Policy::new("riverside")
        .with("people = 2000", "people = 2")
        .sign("A", &person(1), "C", "care", "2026-01-01", "doctor_id=D1 ended_on=2026-03-01")
        .sign("B", &person(2), "C", "care", "2026-01-02", "doctor_id=D1")
        .sign("E", &person(3), "C", "care", "2026-01-03", "doctor_id=D1")
        .sign("F", &person(4), "C", "care", "2026-01-03", "doctor_id=D2")
        // The first has left by then.
        .sign("G", &person(5), "C", "care", "2026-03-01", "doctor_id=D1")
        .settle("2026Q1", &[]);
    // A has two months, B three, F three, G one: 9 × 6.00; E's three are held.
    assert_eq!(line(&out, "C", "resident_fund"), "9 54.00 43.20 - -/3");
    let flags = out.rows("flags.csv");
    let held: Vec<&str> =
        flags.iter().filter(|row| row["code"] == "W705").map(|row| row["contract_id"].as_str()).collect();
    // The team's own line: three people on the last day, E among them, and E's.
    assert_eq!(held, ["", "E"]);
}

#[test]
fn riverside_counts_only_full_points() {
    // 0.01 less for each full point under 85.
    for (score, ratio, last) in [
        ("85", "1", "18.00"),
        ("84.01", "1", "18.00"),
        ("84", "0.99", "17.82"),
        ("60", "0.75", "13.50"),
        ("59.99", "0", "0.00"),
    ] {
        let out = Policy::new("riverside")
            .sign("A", &young(), "C", "care", "2026-01-01", "")
            .score("C", "2026Q1", score, "")
            .settle("2026Q1", &[]);
        assert_eq!(line(&out, "C", "resident_fund"), format!("3 18.00 14.40 {ratio} {last}/0"), "{score}");
    }
}

#[test]
fn lakeside_is_paid_in_three_parts() {
    let signed =
        || Policy::new("lakeside").sign("A", &young(), "C", "standard", "2026-01-01", "authorized=y");
    // 120.00 less ten percent is 108.00: 80.00 from the fund. Seventy percent at the start: 56.00.
    let out = signed().settle("2026", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
    assert_eq!(line(&out, "C", "individual"), "1 28.00 0.00 - -/0");
    // Passed in the first half: another 12.00.
    let out = signed().score("C", "2026H1", "60", "district").settle("2026", &[]);
    assert_eq!(payable(&out, "C", "resident_fund"), "68.00");
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
    // The second half's score does not release the first half's part.
    let out = signed().score("C", "2026H2", "100", "district").settle("2026", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
    // All scores: 0.4 × 80 + 0.6 × 95 = 89, which lies nine tenths between 0.9 and 1: 0.99 of 12.00.
    let all = |half: &str, city: &str| {
        signed()
            .score("C", "2026H1", "60", "district")
            .score("C", "2026H2", half, "district")
            .score("C", "2026", city, "city")
    };
    let out = all("95", "80").settle("2026", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 0.9985 79.88/0");
    let parts = out.rows("tranches.csv");
    let shown: Vec<String> = parts
        .iter()
        .filter(|row| row["source"] == "resident_fund")
        .map(|row| {
            format!(
                "{} {} {} {} {}",
                row["tranche"], row["due_on"], row["score"], row["ratio"], row["amount"]
            )
        })
        .collect();
    assert_eq!(shown, ["mid_year 2026-07-01 60 1 12.00", "year_end 2027-01-01 89 0.99 11.88"]);
    // The best earn more than all of their part: 1.2 × 12.00.
    let out = all("100", "100").settle("2026", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 1.03 82.40/0");
    // Failed in both: what was paid before stays.
    let out = Policy::new("lakeside")
        .sign("A", &young(), "C", "standard", "2026-01-01", "authorized=y")
        .score("C", "2026H1", "59.99", "district")
        .score("C", "2026H2", "59.99", "district")
        .score("C", "2026", "59.99", "city")
        .settle("2026", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 0.7 56.00/0");
    // Of a day before the year's end the last part is not due.
    let out = all("95", "80").settle("2026", &["--as-of", "2026-12-31"]);
    assert_eq!(payable(&out, "C", "resident_fund"), "68.00");
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
    let out = all("95", "80").settle("2026", &["--as-of", "2026-06-30"]);
    assert_eq!(payable(&out, "C", "resident_fund"), "56.00");
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
}

#[test]
fn lakeside_counts_to_the_end_of_the_next_year() {
    // Signed on 10 May: eight begun months of 2026, then the whole of 2027, nothing of 2028.
    let signed =
        || Policy::new("lakeside").sign("A", &young(), "C", "standard", "2026-05-10", "authorized=y");
    let out = signed().settle("2026", &[]);
    // 80.00 × 8/12 = 53.33; 108.00 × 8/12 = 72.00, of which the resident 18.67; seventy percent 37.33.
    assert_eq!(line(&out, "C", "resident_fund"), "1 53.33 37.33 - -/0");
    assert_eq!(line(&out, "C", "individual"), "1 18.67 0.00 - -/0");
    let out = signed().settle("2027", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 80.00 56.00 - -/0");
    let out = signed().settle("2028", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "");
    // Ended on 1 March 2027: two months of that year's charge.
    let out = Policy::new("lakeside")
        .sign("A", &young(), "C", "standard", "2026-05-10", "authorized=y ended_on=2027-03-01")
        .settle("2027", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 13.33 9.33 - -/0");
    // On 2 March a third month has begun.
    let out = Policy::new("lakeside")
        .sign("A", &young(), "C", "standard", "2026-05-10", "authorized=y ended_on=2027-03-02")
        .settle("2027", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 20.00 14.00 - -/0");
}

#[test]
fn lakeside_pays_public_health_once_and_by_population() {
    let mother = id("1995-06-01", 4);
    let out = Policy::new("lakeside")
        .sign("A", &mother, "C", "standard", "2026-01-01", "authorized=y")
        .sign("B", &mother, "C", "maternity", "2026-02-01", "authorized=y groups=孕妇")
        .settle("2026", &[]);
    // The add-on: 50.00 × 11/12 begun months; half of it 22.92 of 45.83 − its public-health part, which the
    // basic package would have had. 25.00 × 11/12 = 22.92.
    assert_eq!(line(&out, "C", "resident_fund"), "1 22.92 16.04 - -/0; 1 80.00 56.00 - -/0");
    // By population: 333 × 60.00, all of it prepaid; no line for the add-on's part.
    assert_eq!(line(&out, "C", "public_health"), "333 19980.00 19980.00 - -/0");
    let figures = out.rows("figures.csv");
    let of = |at: &str, name: &str| {
        let row = figures.iter().find(|row| row["institution_id"] == at && row["figure"] == name);
        row.map(|row| row["value"].clone())
    };
    // A tenth of 60.00 for 1,333 heads.
    assert_eq!(of("", "team_reward").as_deref(), Some("7998.00"));
    assert_eq!(of("C", "team_reward").as_deref(), Some("1998.00"));
}

/// Somebody of 70 years in the first quarter of 2026, with these services.
fn hillside(day: &str, services: &[(&str, &str)]) -> Policy {
    let mut policy = Policy::new("hillside").sign("A", &old(), "C", "standard", day, "authorized=y");
    for (at, item) in services {
        policy = policy.swipe(&old(), "C", at, item);
    }
    policy
}

#[test]
fn hillside_counts_a_head_with_two_services() {
    let visit = ("2026-01-15", "visit");
    let (again, plan) = (("2026-02-15", "随访"), ("2026-02-16", "plan"));
    let scored =
        |policy: Policy| policy.score("C", "2026Q1", "90", "district").score("T", "2026H1", "80", "county");
    // One service is not enough; two are; the town hospital's 80 points give its clinic 0.95, its own 90 give 0.9.
    assert_eq!(
        line(&hillside("2026-01-01", &[visit]).settle("2026Q1", &[]), "C", "resident_fund"),
        "0 0.00 0.00 - -/1"
    );
    let out = hillside("2026-01-01", &[visit, again]).settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 - -/0");
    let out = scored(hillside("2026-01-01", &[visit, again, plan])).settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 0.855 20.52/0");
    let rows = out.rows("settlement.csv");
    let fund = rows.iter().find(|row| row["source"] == "resident_fund").expect("the fund's line");
    assert_eq!(fund["score"], "district 2026Q1 90;county 2026H1 80");
    // One visit is missing: 8.00 off before the ratio.
    let out = scored(hillside("2026-01-01", &[visit, plan])).settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 0.855 13.68/0");
    // From February on two of three months have passed: one of two visits was due, none of one plan.
    let out = scored(hillside("2026-02-01", &[again, again])).settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 0.855 20.52/0");
    // While the county's score is missing, nothing is cleared.
    let out = hillside("2026-01-01", &[visit, again, plan])
        .score("C", "2026Q1", "90", "district")
        .settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 - -/0");
    // Under 70 the county's score itself is the ratio: 0.9 × 0.69.
    let out = hillside("2026-01-01", &[visit, again, plan])
        .score("C", "2026Q1", "90", "district")
        .score("T", "2026H1", "69", "county")
        .settle("2026Q1", &[]);
    assert_eq!(line(&out, "C", "resident_fund"), "1 24.00 12.00 0.621 14.90/0");
}

#[test]
fn hillside_takes_the_lower_of_two_scores() {
    // 333 × 60.00 ÷ 4 = 4995.00 by population; the lower of 60 and 59.99 fails the gate.
    for (county, want) in
        [("60", "333 4995.00 4995.00 1 4995.00/0"), ("59.99", "333 4995.00 4995.00 0 0.00/0")]
    {
        let out = hillside("2026-01-01", &[])
            .score("C", "2026Q1", "60", "district")
            .score("T", "2026H1", county, "county")
            .settle("2026Q1", &[]);
        assert_eq!(line(&out, "C", "public_health"), want);
    }
}

#[test]
fn hillside_admits_either_of_two_groups() {
    for (born, groups, code) in [
        ("1961-01-01", "", ""),
        ("1961-01-02", "", "E402"),
        ("1990-01-01", "groups=高血压", ""),
        ("1990-01-01", "groups=糖尿病", "E402"),
    ] {
        let out = Policy::new("hillside")
            .sign("A", &id(born, 5), "C", "standard", "2026-01-01", &format!("authorized=y {groups}"))
            .settle("2026Q1", &[]);
        let refused = out.rows("rejected.csv");
        assert_eq!(refused.first().map_or("", |row| row["code"].as_str()), code, "{born} {groups}");
    }
}

/// One key each: the smallest change of an example, one signing, and what the line of one source comes to.
#[test]
fn each_key_changes_what_it_says() {
    struct Key {
        key: &'static str,
        region: &'static str,
        change: (&'static str, &'static str),
        signed: &'static str,
        cells: &'static str,
        period: &'static str,
        source: &'static str,
        want: &'static str,
    }
    let key = |key, region, change, signed, cells, period, source, want| Key {
        key,
        region,
        change,
        signed,
        cells,
        period,
        source,
        want,
    };
    let monthly = ("unit = \"month\"", "unit = \"month\"");
    let river = |change, signed, cells, period, want| {
        key("", "riverside", change, signed, cells, period, "resident_fund", want)
    };
    let lake = |change, signed, cells, period, want| {
        key("", "lakeside", change, signed, cells, period, "resident_fund", want)
    };
    let cases = [
        // A fee of 10.00 for each month, quarter, half-year or year: 6.00 of it from the fund.
        Key {
            key: "unit",
            ..river(
                monthly,
                "2026-01-05",
                "",
                "2026",
                "3 18.00 14.40 - -/0; 3 18.00 14.40 - -/0; 3 18.00 14.40 - -/0; 3 18.00 14.40 - -/0",
            )
        },
        Key {
            key: "unit",
            ..river(
                ("unit = \"month\"", "unit = \"quarter\""),
                "2026-01-05",
                "",
                "2026",
                "1 6.00 4.80 - -/0; 1 6.00 4.80 - -/0; 1 6.00 4.80 - -/0; 1 6.00 4.80 - -/0",
            )
        },
        Key {
            key: "unit",
            ..river(
                ("unit = \"month\"", "unit = \"half\""),
                "2026-01-05",
                "",
                "2026",
                "1 6.00 4.80 - -/0; 1 6.00 4.80 - -/0",
            )
        },
        Key {
            key: "unit",
            ..river(("unit = \"month\"", "unit = \"year\""), "2026-01-05", "", "2026", "1 6.00 4.80 - -/0")
        },
        // Months by the calendar: signed on the 20th, the first is January's, the second begins on 1 February.
        Key {
            key: "calendar",
            ..river(
                ("unit = \"month\"", "unit = \"month\"\ncalendar = true"),
                "2026-01-20",
                "",
                "2026Q1",
                "3 18.00 14.40 - -/0",
            )
        },
        Key {
            key: "calendar",
            ..river(
                ("unit = \"month\"", "unit = \"month\"\ncalendar = true"),
                "2026-01-20",
                "ended_on=2026-02-01",
                "2026Q1",
                "1 6.00 4.80 - -/0",
            )
        },
        Key {
            key: "or_more",
            ..river(
                ("or_more = true", "or_more = true"),
                "2026-01-05",
                "term_months=25",
                "2026Q1",
                "3 18.00 14.40 - -/0",
            )
        },
        Key {
            key: "or_more",
            ..river(("or_more = true", "or_more = false"), "2026-01-05", "term_months=25", "2026Q1", "")
        },
        Key {
            key: "ended",
            ..river(
                ("ended = \"days\"", "ended = \"months\""),
                "2026-01-01",
                "ended_on=2026-02-28",
                "2026Q1",
                "2 6.00 4.80 - -/0",
            )
        },
        Key {
            key: "partial",
            ..river(
                ("ended = \"days\"\npartial = \"whole\"", "ended = \"months\"\npartial = \"started\""),
                "2026-01-01",
                "ended_on=2026-02-02",
                "2026Q1",
                "2 12.00 9.60 - -/0",
            )
        },
        Key {
            key: "ended",
            ..river(
                ("ended = \"days\"", "ended = \"whole\""),
                "2026-01-01",
                "ended_on=2026-02-02",
                "2026Q1",
                "2 12.00 9.60 - -/0",
            )
        },
        Key {
            key: "ended",
            ..river(
                ("ended = \"days\"", "ended = \"nothing\""),
                "2026-01-01",
                "ended_on=2026-02-28",
                "2026Q1",
                "2 6.00 4.80 - -/0",
            )
        },
        Key {
            key: "scheme",
            ..river(
                ("when = { scheme = \"resident\" }", "when = { scheme = [\"resident\"] }"),
                "2026-01-05",
                "",
                "2026Q1",
                "3 18.00 14.40 - -/0",
            )
        },
        Key {
            key: "offered_from",
            ..river(
                ("kind = \"basic\"", "kind = \"basic\"\noffered_from = \"2026-01-06\""),
                "2026-01-05",
                "",
                "2026Q1",
                "",
            )
        },
        Key {
            key: "services_at_least",
            ..river(
                ("kind = \"basic\"", "kind = \"basic\"\nservices_at_least = 1"),
                "2026-01-05",
                "",
                "2026Q1",
                "0 0.00 0.00 - -/3",
            )
        },
        Key {
            key: "prepay",
            ..river(
                ("prepay = \"0.8\"\nprepay_clause", "prepay = \"0.333333333\"\nprepay_clause"),
                "2026-01-05",
                "",
                "2026Q1",
                "3 18.00 6.00 - -/0",
            )
        },
        // To the end of this year or the next; what the calendar cuts short in months, in days, or not at all.
        Key {
            key: "term_ends",
            ..lake(
                ("term_ends = \"next_year_end\"", "term_ends = \"this_year_end\""),
                "2026-01-01",
                "authorized=y",
                "2027",
                "",
            )
        },
        Key {
            key: "term_ends",
            ..lake(
                ("term_ends = \"next_year_end\"", "term_ends = \"next_year_end\""),
                "2026-01-01",
                "authorized=y",
                "2027",
                "1 80.00 56.00 - -/0",
            )
        },
        Key {
            key: "short",
            ..lake(
                ("short = \"months\"", "short = \"whole\""),
                "2026-05-10",
                "authorized=y",
                "2026",
                "1 80.00 56.00 - -/0",
            )
        },
        // 10 May to 31 December is 236 days of 365: 80.00 × 236/365 = 51.726…
        Key {
            key: "short",
            ..lake(
                ("short = \"months\"", "short = \"days\""),
                "2026-05-10",
                "authorized=y",
                "2026",
                "1 51.73 36.21 - -/0",
            )
        },
        Key {
            key: "short",
            ..lake(
                ("short = \"months\"", "short = \"nothing\""),
                "2026-05-10",
                "authorized=y",
                "2026",
                "1 0.00 0.00 - -/0",
            )
        },
        Key {
            key: "partial",
            ..lake(
                ("short = \"months\"", "short = \"months\"\npartial = \"whole\""),
                "2026-05-10",
                "authorized=y",
                "2026",
                "1 46.67 32.67 - -/0",
            )
        },
        // A part without a curve is due as soon as its day is.
        Key {
            key: "tranche",
            ..lake(
                ("part = \"0.15\", curve = \"mid_year\"", "part = \"0.15\""),
                "2026-01-01",
                "authorized=y",
                "2026",
                "1 80.00 56.00 - -/0",
            )
        },
        Key {
            key: "discount",
            ..lake(
                ("discount = \"0.10\"", "discount = \"0.05\""),
                "2026-01-01",
                "authorized=y",
                "2026",
                "1 80.00 56.00 - -/0",
            )
        },
        Key {
            key: "discount",
            source: "individual",
            ..lake(
                ("discount = \"0.10\"", "discount = \"0.05\""),
                "2026-01-01",
                "authorized=y",
                "2026",
                "1 34.00 0.00 - -/0",
            )
        },
        Key {
            key: "authorization",
            ..lake(
                (
                    "at_most = \"100.00\"\nclause = \"七\"\n\n[overlap]",
                    "at_most = \"100.00\"\nclause = \"七\"\n\n[overlap]",
                ),
                "2026-01-01",
                "authorized=n",
                "2026",
                "0 0.00 0.00 - -/1",
            )
        },
        // 79.99 is under the fund's 80.00.
        Key {
            key: "balance",
            ..lake(
                ("cycle = \"year\"\nclause = \"二\"", "cycle = \"year\"\nclause = \"二\""),
                "2026-01-01",
                "authorized=y balance=80.00",
                "2026",
                "1 80.00 56.00 - -/0",
            )
        },
        Key {
            key: "balance",
            ..lake(
                ("cycle = \"year\"\nclause = \"二\"", "cycle = \"year\"\nclause = \"二\""),
                "2026-01-01",
                "authorized=y balance=79.99",
                "2026",
                "",
            )
        },
    ];
    let mut wrong = Vec::new();
    for case in cases {
        let package = if case.region == "riverside" { "care" } else { "standard" };
        let policy = Policy::new(case.region).with(case.change.0, case.change.1).sign(
            "A",
            &young(),
            "C",
            package,
            case.signed,
            case.cells,
        );
        let got = line(&policy.settle(case.period, &[]), "C", case.source);
        if got != case.want {
            wrong.push(format!(
                "{} ({} → {}), {} {}: {got}, not {}",
                case.key, case.change.0, case.change.1, case.signed, case.cells, case.want
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
