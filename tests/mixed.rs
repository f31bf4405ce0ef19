//! Several versions of one policy in one run, and what goes together: payments and scores of either, caps,
//! cards, deductions beside authorizations and part charges, reports.

mod support;

use std::fs;

use support::{Case, Outputs, good, id, stderr};

/// A small whole policy; `VERSION` and the places marked with `#` are filled in by each test.
const BASE: &str = r##"
[policy]
name = "试点"
document = "示例"
in_force_from = "VERSION"
clause = "1"

[charge]
unit = "year"
cycle = "quarter"
clause = "1"
terms_months = [12, 24]
terms_clause = "1"

[institutions]
clause = "1"

[[source]]
id = "resident_fund"
name = "医保基金"
settled = true
prepay = "0.5"
curve = "c"
clause = "2"

[[source]]
id = "individual"
name = "个人"
settled = false
clause = "2"

[[package]]
id = "p"
name = "包"
kind = "basic"
fee = "100.00"
clause = "2"
share = [{ source = "resident_fund", amount = "80.00", clause = "2" }, { source = "individual", rest = true, clause = "2" }]
#package

[overlap]
clause = "1"

[[level]]
id = "district"
name = "区级"
cycle = "LEVEL"
clause = "3"

[[curve]]
id = "c"
level = "district"
shape = "share"
clause = "3"

[flags.clauses]
W702 = "2"
W705 = "4"
W706 = "3"
W708 = "5"

#end
"##;

struct Region {
    case: Case,
    signings: String,
    swipes: String,
}

impl Region {
    fn new() -> Region {
        let case = Case::default();
        case.write("institutions.csv", "institution_id,name,served_population\nA,First,4\nB,Second,4\n");
        Region {
            case,
            signings: "contract_id,person_id,institution_id,package,signed_on,term_months,ended_on,authorized,team_id,doctor_id,personal_paid\n".into(),
            swipes: "person_id,institution_id,swiped_at,item,quantity,card_type\n".into(),
        }
    }

    fn version(self, day: &str, level: &str, changes: &[(&str, &str)]) -> Region {
        let mut text = BASE.replace("VERSION", day).replace("LEVEL", level);
        for (from, to) in changes {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let folder = self.case.home.path().join("regions/r");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(format!("{day}.toml")), text).expect("a rule file");
        self
    }

    /// `more`: term, ended_on, authorized, team, doctor, paid.
    fn sign(mut self, contract: &str, person: usize, signed: &str, more: [&str; 6]) -> Region {
        let package = if contract.starts_with('Q') { "q" } else { "p" };
        self.signings +=
            &format!("{contract},{},A,{package},{signed},{}\n", id("1970-01-01", person), more.join(","));
        self
    }

    fn swipe(mut self, person: usize, day: &str, item: &str, quantity: u32, card: &str) -> Region {
        self.swipes += &format!("{},A,{day},{item},{quantity},{card}\n", id("1970-01-01", person));
        self
    }

    fn settle(&self, period: &str) -> Outputs {
        self.case.write("signings.csv", &self.signings);
        self.case.write("swipes.csv", &self.swipes);
        good(&self.case.settle_period("r", &self.case.home.path().join("regions"), period, &[]));
        self.case.outputs()
    }
}

const NONE: [&str; 6] = ["", "", "y", "", "", "20.00"];

/// `policy-date count held gross final posted payable` of the fund's lines of A, `;` between.
fn fund(out: &Outputs) -> String {
    let rows = out.rows("settlement.csv");
    let mine = rows.iter().filter(|row| row["institution_id"] == "A" && row["source"].ends_with("fund"));
    let shown = mine.map(|row| {
        let cells = ["count", "held", "gross", "final", "posted", "payable"].map(|column| {
            match row[column].as_str() {
                "" => "-",
                cell => cell,
            }
        });
        format!("{} {}", row["policy"].trim_start_matches("r/"), cells.join(" "))
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[test]
fn payments_and_scores_find_the_version_that_they_are_about() {
    // From February another package, paid for by another fund, assessed by the year.
    let region = || {
        Region::new()
            .version("2026-01-01", "quarter", &[])
            .version(
                "2026-02-01",
                "year",
                &[
                    ("id = \"p\"", "id = \"q\""),
                    ("\"包\"", "\"新包\""),
                    ("\"resident_fund\"", "\"new_fund\""),
                ],
            )
            .sign("P1", 1, "2026-01-10", NONE)
            .sign("Q1", 2, "2026-02-10", NONE)
    };
    let ready = region();
    ready.case.write(
        "payments.csv",
        "institution_id,cohort,source,amount,package\nA,2026Q1,resident_fund,30.00,p\nA,2026Q1,new_fund,40.00,q\n",
    );
    ready
        .case
        .write("scores.csv", "institution_id,period,score,level\nA,2026Q1,90,district\nA,2026,70,district\n");
    let out = ready.settle("2026Q1");
    assert_eq!(out.rows("rejected.csv"), Vec::new());
    assert_eq!(fund(&out), "2026-01-01 1 0 80.00 72.00 30.00 42.00; 2026-02-01 1 0 80.00 56.00 40.00 16.00");
    // A charge of the first version in a later year: its quarterly score and its payment are still its own.
    let later = region().sign("P2", 3, "2026-01-20", ["24", "", "y", "", "", "20.00"]);
    later.case.write(
        "payments.csv",
        "institution_id,cohort,source,amount,package\nA,2027Q1,resident_fund,40.00,p\n",
    );
    later.case.write("scores.csv", "institution_id,period,score,level\nA,2027Q1,100,district\n");
    assert_eq!(fund(&later.settle("2027Q1")), "2026-01-01 1 0 80.00 80.00 40.00 40.00");
    // What no version knows is refused all the same.
    later
        .case
        .write("payments.csv", "institution_id,cohort,source,amount,package\nA,2027Q1,other_fund,40.00,p\n");
    let out = later.settle("2027Q1");
    assert_eq!(out.rows("rejected.csv")[0]["code"], "E604");
}

#[test]
fn a_part_of_some_versions_cycle_is_no_period() {
    let region = Region::new()
        .version("2026-01-01", "quarter", &[])
        .version(
            "2026-02-01",
            "year",
            &[("cycle = \"quarter\"\nclause = \"1\"", "cycle = \"year\"\nclause = \"1\"")],
        )
        .sign("P1", 1, "2026-02-10", NONE);
    region.case.write("signings.csv", &region.signings);
    let output = region.case.settle_period("r", &region.case.home.path().join("regions"), "2026Q1", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("finer than"), "{}", stderr(&output));
    assert!(region.settle("2026").text("settlement.csv").contains("2026,A"));
}

const CAP: &str = "[[cap]]\nof = \"team\"\npeople = 1\nover = \"cut_off\"\nclause = \"4\"\n\n[[cap]]\nof = \"doctor\"\npeople = 2\nover = \"cut_off\"\nclause = \"4\"";

#[test]
fn caps_count_everybody_and_bind_those_of_their_version() {
    let team = |team, doctor| ["", "", "y", team, doctor, "20.00"];
    // The first version has no cap: its member takes the team's one place.
    let region = Region::new()
        .version("2026-01-01", "quarter", &[])
        .version("2026-01-15", "quarter", &[("#end", CAP)])
        .sign("P1", 1, "2026-01-10", team("T", "D1"))
        .sign("P2", 2, "2026-01-20", team("T", "D1"));
    assert_eq!(
        fund(&region.settle("2026Q1")),
        "2026-01-01 1 0 80.00 - 0.00 40.00; 2026-01-15 0 1 0.00 - 0.00 0.00"
    );
    // A later version without a cap does not let in who was held.
    let region = Region::new()
        .version("2026-01-01", "quarter", &[("#end", CAP)])
        .version("2026-03-01", "quarter", &[])
        .sign("P1", 1, "2026-01-10", team("T", "D1"))
        .sign("P2", 2, "2026-01-20", team("T", "D1"));
    assert_eq!(fund(&region.settle("2026Q1")), "2026-01-01 1 1 80.00 - 0.00 40.00");
    // Who is cut off by the team takes none of the doctor's two places.
    let region = Region::new()
        .version("2026-01-01", "quarter", &[("#end", CAP)])
        .sign("P1", 1, "2026-01-10", team("T", "D"))
        .sign("P2", 2, "2026-01-11", team("T", "D"))
        .sign("P3", 3, "2026-01-12", team("U", "D"))
        .sign("P4", 4, "2026-01-13", team("V", "D"));
    assert_eq!(fund(&region.settle("2026Q1")), "2026-01-01 2 2 160.00 - 0.00 80.00");
}

#[test]
fn each_version_admits_its_own_cards() {
    let evidence = |cards: &str| format!("[evidence]\nclause = \"5\"\ncard = [{cards}]");
    let card = |id: &str| format!("{{ id = \"{id}\", name = \"{id}\" }}");
    let both = evidence(&format!("{}, {}", card("social_security"), card("id_card")));
    let one = evidence(&card("social_security"));
    let region = Region::new()
        .version("2026-01-01", "quarter", &[("#end", &both)])
        .version("2026-02-01", "quarter", &[("#end", &one)])
        .sign("P1", 1, "2026-01-10", NONE)
        .sign("P2", 2, "2026-02-10", NONE)
        .swipe(1, "2026-02-20", "", 1, "id_card")
        .swipe(2, "2026-02-20", "", 1, "id_card");
    assert_eq!(
        fund(&region.settle("2026Q1")),
        "2026-01-01 1 0 80.00 - 0.00 40.00; 2026-02-01 0 1 0.00 - 0.00 0.00"
    );
}

const ITEMS: &str = "deduct_missing = true\nitem = [{ id = \"visit\", name = \"随访\", times = 4, amount = \"20.00\", clause = \"2\" }]";

#[test]
fn what_is_missing_takes_no_more_than_its_own_charge() {
    let score = "institution_id,period,score,level\nA,2026Q1,100,district\n";
    let region = |changes: &[(&str, &str)]| {
        let region = Region::new().version("2026-01-01", "quarter", changes);
        region.case.write("scores.csv", score);
        region.sign("P1", 1, "2026-01-10", NONE).swipe(1, "2026-02-01", "visit", 4, "")
    };
    // The second did not authorize: the fund's part is held, and nothing of it can be missing.
    let authorization = ("#end", "[authorization]\nsource = \"resident_fund\"\nclause = \"5\"");
    let out = region(&[("#package", ITEMS), authorization]).sign(
        "P2",
        2,
        "2026-01-10",
        ["", "", "n", "", "", "20.00"],
    );
    assert_eq!(fund(&out.settle("2026Q1")), "2026-01-01 1 1 80.00 80.00 0.00 80.00");
    // The second ended within the first month: a twelfth of 80.00 is 6.67, and no more than that is missing.
    let prorate = ("#end", "[prorate]\nended = \"months\"\nclause = \"5\"");
    let short = ["", "2026-01-20", "y", "", "", "20.00"];
    let out = region(&[("#package", ITEMS), prorate]).sign("P2", 2, "2026-01-10", short);
    assert_eq!(fund(&out.settle("2026Q1")), "2026-01-01 2 0 86.67 80.00 0.00 80.00");
    // Half of it was done: half of the twelfth is missing.
    let out = region(&[("#package", ITEMS), prorate]).sign("P2", 2, "2026-01-10", short).swipe(
        2,
        "2026-01-15",
        "visit",
        2,
        "",
    );
    assert_eq!(fund(&out.settle("2026Q1")), "2026-01-01 2 0 86.67 83.34 0.00 83.34");
    // Of the months that passed until it ended: none in full, so nothing was due.
    let passed =
        ITEMS.replace("deduct_missing = true", "deduct_missing = true\nitems_due = \"months_passed\"");
    let out = region(&[("#package", &passed), prorate]).sign("P2", 2, "2026-01-10", short);
    assert_eq!(fund(&out.settle("2026Q1")), "2026-01-01 2 0 86.67 86.67 0.00 86.67");
}

#[test]
fn who_is_signed_on_the_last_day_is_covered() {
    let region = Region::new()
        .version(
            "2026-01-01",
            "quarter",
            &[("#end", "[[figure]]\nid = \"coverage\"\ntarget = \"0.75\"\nclause = \"6\"")],
        )
        .sign("P1", 1, "2026-01-10", NONE)
        .sign("P2", 2, "2026-04-10", NONE)
        .sign("P3", 3, "2026-07-10", ["", "2026-12-31", "y", "", "", "20.00"])
        .sign("P4", 4, "2026-10-10", NONE);
    let figures = region.settle("2026Q4").rows("figures.csv");
    let of = |figure: &str| {
        figures
            .iter()
            .find(|row| row["institution_id"] == "A" && row["figure"] == figure)
            .map(|row| row["value"].clone())
    };
    assert_eq!((of("coverage").as_deref(), of("coverage_met").as_deref()), (Some("0.75"), Some("yes")));
}

#[test]
fn a_score_of_the_second_half_year_is_not_missed_in_the_first() {
    let half = [
        ("cycle = \"quarter\"\nclause = \"1\"", "cycle = \"year\"\nclause = \"1\""),
        (
            "curve = \"c\"",
            "tranche = [{ id = \"a\", name = \"上半年\", part = \"0.25\", curve = \"c\", clause = \"3\" }, { id = \"b\", name = \"下半年\", part = \"0.25\", curve = \"d\", clause = \"3\" }]",
        ),
        ("level = \"district\"\nshape", "level = \"district\"\nnth = 1\nshape"),
        ("#end", "[[curve]]\nid = \"d\"\nlevel = \"district\"\nnth = 2\nshape = \"share\"\nclause = \"3\""),
    ];
    let region = Region::new().version("2026-01-01", "half", &half).sign("P1", 1, "2026-01-10", NONE);
    region.case.write(
        "scores.csv",
        "institution_id,period,score,level\nA,2026H1,80,district\nB,2026H1,90,district\n",
    );
    let out = region.settle("2026");
    assert!(out.rows("flags.csv").iter().all(|row| row["code"] != "W706"), "{}", out.text("flags.csv"));
    // Half of 80.00 at the start, 0.8 of a quarter of it for the first half-year.
    assert_eq!(fund(&out), "2026-01-01 1 0 80.00 - 0.00 56.00");
    region.case.write("scores.csv", "institution_id,period,score,level\nB,2026H1,90,district\n");
    assert!(region.settle("2026").rows("flags.csv").is_empty(), "B has no charge of its own to compare with");
}

#[test]
fn a_part_charge_is_paid_by_a_part_of_the_persons_share() {
    let prorate = ("#end", "[prorate]\nended = \"months\"\nclause = \"5\"");
    for (paid, flagged) in [("1.66", false), ("1.65", true), ("20.00", false)] {
        let region = Region::new().version("2026-01-01", "quarter", &[prorate]);
        let out = region.sign("P1", 1, "2026-01-10", ["", "2026-01-20", "y", "", "", paid]).settle("2026Q1");
        assert_eq!(out.rows("flags.csv").iter().any(|row| row["code"] == "W702"), flagged, "{paid}");
    }
}

#[test]
fn quiet_is_not_silent_about_unconfirmed_figures() {
    let local = [
        ("fee = \"100.00\"", "fee = \"local.fee\""),
        ("#end", "[local.fee]\nvalue = \"100.00\"\nconfirmed = false\nmeans = \"x\"\nclause = \"2\""),
    ];
    let region = Region::new().version("2026-01-01", "quarter", &local).sign("P1", 1, "2026-01-10", NONE);
    region.case.write("signings.csv", &region.signings);
    let rules = region.case.home.path().join("regions");
    let output = region.case.settle_period("r", &rules, "2026Q1", &["--quiet"]);
    good(&output);
    assert!(output.stdout.is_empty());
    assert_eq!(stderr(&output).trim(), "note: figures not confirmed: `r/2026-01-01 fee`");
    // A figure that a file sets anew is not what the other one confirmed.
    let parent = fs::read_to_string(rules.join("r/2026-01-01.toml")).expect("it");
    fs::write(rules.join("r/2026-01-01.toml"), parent.replace("confirmed = false", "confirmed = true"))
        .expect("it");
    fs::create_dir(rules.join("kid")).expect("a folder");
    let kid = "extends = \"r/2026-01-01\"\n[policy]\nname = \"x\"\ndocument = \"x\"\nin_force_from = \"2026-01-01\"\nclause = \"1\"\n";
    for (more, told) in [
        ("", false),
        ("[local.fee]\nvalue = \"120.00\"\n", true),
        ("[local.fee]\nvalue = \"120.00\"\nconfirmed = true\n", false),
    ] {
        fs::write(rules.join("kid/2026-01-01.toml"), format!("{kid}{more}")).expect("it");
        let output = region.case.settle_period("kid", &rules, "2026Q1", &["--quiet"]);
        good(&output);
        assert_eq!(stderr(&output).contains("kid/2026-01-01 fee"), told, "{more}");
    }
}

#[test]
fn columns_that_decide_money_are_missed_aloud() {
    let region = Region::new().version(
        "2026-01-01",
        "quarter",
        &[
            ("#end", &format!("{CAP}\n\n[[tag]]\nid = \"poor\"\nname = \"低保\"")),
            ("fee = \"100.00\"", "fee = [{ amount = \"100.00\", when = { tag = \"poor\", district = \"江北\" }, clause = \"2\" }, { amount = \"100.00\", clause = \"2\" }]"),
        ],
    );
    region.case.write(
        "signings.csv",
        format!(
            "contract_id,person_id,institution_id,package,signed_on\nP1,{},A,p,2026-01-10\n",
            id("1970-01-01", 1)
        ),
    );
    let output = region.case.settle_period("r", &region.case.home.path().join("regions"), "2026Q1", &[]);
    good(&output);
    for part in [
        "no column `district`: district",
        "no column `groups`: groups",
        "no column `team_id`: W705",
        "no column `doctor_id`: W705",
        "names district `江北`",
    ] {
        assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
    }
}

#[test]
fn a_payment_without_a_package_is_refused_where_several_charge() {
    let second = "\n\n[[package]]\nid = \"q\"\nname = \"另一包\"\nkind = \"basic\"\nfee = \"10.00\"\nclause = \"2\"\nshare = [{ source = \"resident_fund\", amount = \"10.00\", clause = \"2\" }]";
    let region = Region::new().version("2026-01-01", "quarter", &[("#package", second)]).sign(
        "P1",
        1,
        "2026-01-10",
        NONE,
    );
    region.case.write("payments.csv", "institution_id,cohort,source,amount\nA,2026Q1,resident_fund,30.00\n");
    let refused = region.settle("2026Q1").rows("rejected.csv");
    assert_eq!((refused[0]["code"].as_str(), refused[0]["kind"].as_str()), ("E102", "payments"));
    assert!(refused[0]["reason"].contains("p, q"), "{}", refused[0]["reason"]);
}

#[test]
fn what_a_rule_file_says_differently_is_told() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("regions/x");
    fs::create_dir_all(&folder).expect("a folder");
    let mut untold = Vec::new();
    let mut tried = 0;
    for region in ["urumqi/2019-11-01", "jilin/2017-08-01", "sichuan/2025-01-02", "ankang/2016-10-13"] {
        let text =
            fs::read_to_string(support::regions().join(format!("{region}.toml"))).expect("a rule file");
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let line = lines[at];
            // Every third line, so that the test stays quick; each kind of line comes often enough.
            if at % 3 != 0 || line.starts_with('#') || line.is_empty() {
                continue;
            }
            let changed = match line.split_once(" = \"") {
                Some((key, value)) if !["id", "in_force_from", "in_force_to"].contains(&key.trim()) => {
                    let (value, rest) = value.split_once('"').expect("a value ends");
                    let number = value.chars().all(|c| c.is_ascii_digit() || c == '.');
                    let new = match number.then_some(()).ok_or(()) {
                        Ok(_) if value.contains('.') => value.replace(['5', '2'], "4"),
                        Ok(_) => value.replace('5', "4").replace("60", "61").replace("90", "91"),
                        Err(_)
                            if value.starts_with("local.")
                                || [
                                    "year",
                                    "quarter",
                                    "half",
                                    "month",
                                    "points",
                                    "yes_no",
                                    "district",
                                    "city",
                                    "center",
                                    "individual",
                                    "basic",
                                    "addon",
                                    "share",
                                    "gate",
                                    "linear",
                                    "bands",
                                    "per_case",
                                    "per_unit",
                                    "steps",
                                    "under",
                                    "free",
                                    "clearing",
                                    "grades",
                                    "resident",
                                    "employee",
                                ]
                                .contains(&value)
                                || key.contains("source") =>
                        {
                            continue;
                        }
                        Err(_) => match value {
                            "proportional" => "whole".to_string(),
                            "data_validity" => "swipe_records".to_string(),
                            _ => format!("{value}甲"),
                        },
                    };
                    format!("{key} = \"{new}\"{rest}")
                }
                _ => continue,
            };
            if changed == line {
                continue;
            }
            let mut all: Vec<String> = lines.iter().map(|line| line.to_string()).collect();
            all[at] = changed.clone();
            fs::write(
                folder.join("2030-01-01.toml"),
                all.join("\n")
                    .replace(
                        &format!("in_force_from = \"{}\"", &region[region.len() - 10..]),
                        "in_force_from = \"2030-01-01\"",
                    )
                    .replace("in_force_to = \"2027-01-01\"", "in_force_to = \"2031-01-01\""),
            )
            .expect("it");
            let Ok(new) = jiayi::policy::version::load("x", Some(&home.path().join("regions"))) else {
                continue;
            };
            let old = jiayi::policy::version::load(
                region.split('/').next().expect("a region"),
                Some(&support::regions()),
            )
            .expect("it loads");
            tried += 1;
            let tell = |region: &jiayi::policy::version::Region| {
                jiayi::report::rules::tell(&region.versions[0], jiayi::words::Lang::Zh)
            };
            // The dates differ in any case.
            let changes = jiayi::report::rules::differences(&tell(&old), &tell(&new));
            if changes.iter().all(|change| {
                change
                    .now
                    .as_ref()
                    .or(change.was.as_ref())
                    .is_some_and(|said| said.about == "in force" || said.about.ends_with(" offered"))
            }) {
                untold.push(format!("{region}:{} {line} → {changed}", at + 1));
            }
        }
    }
    assert!(tried > 120, "only {tried} changes were tried");
    assert!(untold.is_empty(), "{} of {tried} changes are not told:\n{}", untold.len(), untold.join("\n"));
}

#[test]
fn a_version_that_does_not_settle_a_source_takes_no_payment_of_it() {
    let shown = (
        "id = \"resident_fund\"\nname = \"医保基金\"\nsettled = true\nprepay = \"0.5\"\ncurve = \"c\"",
        "id = \"resident_fund\"\nname = \"医保基金\"\nsettled = false",
    );
    let region = Region::new()
        .version("2026-01-01", "quarter", &[])
        .version("2026-02-01", "quarter", &[shown])
        .sign("P1", 1, "2026-01-10", NONE)
        .sign("P2", 2, "2026-02-10", NONE);
    region.case.write(
        "payments.csv",
        "institution_id,cohort,source,amount,package\nA,2026Q1,resident_fund,500.00,p\n",
    );
    let out = region.settle("2026Q1");
    let rows = out.rows("settlement.csv");
    let fund = rows.iter().filter(|row| row["source"] == "resident_fund");
    let moved: Vec<String> =
        fund.map(|row| format!("{} {} {}", row["gross"], row["posted"], row["recover"])).collect();
    assert_eq!(moved, ["80.00 500.00 460.00", "80.00 0.00 0.00"]);
    // With no line that settles it, one of its own shows what came back.
    let region = Region::new()
        .version("2026-01-01", "quarter", &[])
        .version("2026-02-01", "quarter", &[shown])
        .sign("P2", 2, "2026-02-10", NONE);
    region.case.write(
        "payments.csv",
        "institution_id,cohort,source,amount,package\nA,2026Q1,resident_fund,100.00,p\n",
    );
    let summary = region.settle("2026Q1").rows("summary.csv");
    assert_eq!((summary[0]["posted"].as_str(), summary[0]["recover"].as_str()), ("100.00", "100.00"));
}

#[test]
fn parts_add_up_to_what_is_paid_and_the_last_bears_what_is_missing() {
    let changes = [
        ("#package", ITEMS),
        (
            "curve = \"c\"",
            "tranche = [{ id = \"a\", name = \"甲\", part = \"0.25\", after_months = 1, clause = \"3\" }, { id = \"b\", name = \"乙\", part = \"0.25\", after_months = 3, curve = \"c\", clause = \"3\" }]",
        ),
    ];
    let region = Region::new()
        .version("2026-01-01", "quarter", &changes)
        .sign("P1", 1, "2026-01-10", NONE)
        .swipe(1, "2026-02-01", "visit", 3, "");
    let amounts = |out: &Outputs| {
        out.rows("tranches.csv").iter().map(|row| row["amount"].clone()).collect::<Vec<_>>().join(" ")
    };
    let out = region.settle("2026Q1");
    assert_eq!(
        (fund(&out).as_str(), amounts(&out).as_str()),
        ("2026-01-01 1 0 80.00 - 0.00 60.00", "20.00 ")
    );
    // One of four visits is missing: (80 − 20) × (0.5 + 0.25 + 0.25 × 0.8) = 57.00, less 40 + 20 before.
    region.case.write("scores.csv", "institution_id,period,score,level\nA,2026Q1,80,district\n");
    let out = region.settle("2026Q1");
    assert_eq!(
        (fund(&out).as_str(), amounts(&out).as_str()),
        ("2026-01-01 1 0 80.00 57.00 0.00 57.00", "20.00 -3.00")
    );
}

#[test]
fn items_of_a_weighted_fee_are_weighted() {
    let weight = format!("{ITEMS}\nweight = [{{ factor = \"2\", clause = \"2\" }}]");
    let shares = (
        "share = [{ source = \"resident_fund\", amount = \"80.00\"",
        "share = [{ source = \"resident_fund\", ratio = \"0.8\"",
    );
    let region = Region::new().version("2026-01-01", "quarter", &[("#package", &weight), shares]);
    region.case.write("scores.csv", "institution_id,period,score,level\nA,2026Q1,100,district\n");
    let region = region.sign("P1", 1, "2026-01-10", NONE);
    assert_eq!(fund(&region.settle("2026Q1")), "2026-01-01 1 0 160.00 0.00 0.00 0.00");
    // One of four done: a quarter of 160.00.
    let region = region.swipe(1, "2026-02-01", "visit", 1, "");
    assert_eq!(fund(&region.settle("2026Q1")), "2026-01-01 1 0 160.00 40.00 0.00 40.00");
}

/// Whoever signed for nothing at one institution and paid at another is at home with both.
#[test]
fn a_swipe_is_at_home_wherever_its_person_has_a_signing_in_force() {
    let (both, paid) = (id("1955-03-01", 1), id("1980-12-31", 2));
    for (free_from, paid_from) in [("2020-01-06", "2020-01-07"), ("2020-01-07", "2020-01-06")] {
        let case = Case::good();
        case.write(
            "signings.csv",
            format!(
                "contract_id,person_id,institution_id,package,signed_on,personal_paid\n\
                 A1,{both},C1,free,{free_from},\n\
                 A2,{both},C2,paid,{paid_from},4.50\n\
                 A3,{paid},C2,paid,2020-01-06,4.50\n"
            ),
        );
        let swipe = |person: &str, at: &str, item: &str, charged: &str| {
            format!("{person},{at},2020-02-03,{item},{charged}\n")
        };
        let swipes = [
            swipe(&both, "C1", "", ""),
            swipe(&both, "C2", "consult", "0.00"),
            swipe(&paid, "C2", "", "3.00"),
            swipe(&paid, "C1", "consult", "3.00"),
            swipe(&paid, "C2", "consult", "3.00"),
        ];
        case.write(
            "swipes.csv",
            "person_id,institution_id,swiped_at,item,charged\n".to_string() + &swipes.concat(),
        );
        let flags = case.settled(&["--quiet"]).rows("flags.csv");
        let of_swipes = flags.iter().filter(|flag| flag["file"] == "swipes.csv");
        let told: Vec<_> =
            of_swipes.map(|flag| [&flag["code"], &flag["contract_id"], &flag["line"]]).collect();
        assert_eq!(told, [["W701", "A3", "6"], ["W703", "A3", "5"]]);
    }
}
