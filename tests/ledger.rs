//! The life of a quarter and of a year in the ledger, worked out by hand: what moves, why, and that nothing is
//! paid twice.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use support::{Row, good, id, jiayi, rows, stderr};
use tempfile::TempDir;

/// An office: rule files that confirm their figures, exports by name, and a ledger.
struct Office {
    home: TempDir,
    region: &'static str,
}

impl Office {
    fn of(region: &'static str) -> Office {
        Office { home: tempfile::tempdir().expect("a folder"), region }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Writes a file of an export.
    fn write(&self, export: &str, name: &str, text: &str) {
        fs::create_dir_all(self.path(export)).expect("a folder");
        fs::write(self.path(export).join(name), text).expect("a file");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = jiayi(self.home.path());
        command.args(arguments).env("JIAYI_REGIONS", regions());
        command.output().expect("it runs")
    }

    /// Settles a period from an export into `out`.
    fn settle(&self, period: &str, export: &str, more: &[&str]) -> Output {
        let arguments = [
            "settle",
            "--region",
            self.region,
            "--period",
            period,
            "--data",
            export,
            "--out",
            "out",
            "--file-lang",
            "en",
            "--quiet",
        ];
        self.run(&[&arguments, more].concat())
    }

    fn settled(&self, period: &str, export: &str) {
        good(&self.settle(period, export, &[]));
    }

    fn posted(&self, period: &str, export: &str) {
        self.settled(period, export);
        good(&self.run(&["post", "out"]));
    }

    fn table(&self, name: &str) -> Vec<Row> {
        rows(&fs::read_to_string(self.path("out").join(name)).unwrap_or_default())
    }

    /// What a settlement moves, line by line: cohort, institution, package, source, payable − recover.
    fn moves(&self) -> Vec<String> {
        let lines = self.table("settlement.csv").into_iter();
        let moving = lines.filter(|line| line["payable"] != "0.00" || line["recover"] != "0.00");
        moving
            .map(|line| {
                let amount = match line["payable"].as_str() {
                    "0.00" => format!("-{}", line["recover"]),
                    payable => payable.to_string(),
                };
                format!("{} {} {} {amount}", line["cohort"], line["institution_id"], line["source"])
            })
            .collect()
    }

    /// delta.csv: cohort, institution, cause, count, amount of the settled sources.
    fn causes(&self, source: &str) -> Vec<String> {
        let all = self.table("delta.csv").into_iter().filter(|row| row["source"] == source);
        all.map(|row| {
            format!(
                "{} {} {} {} {}",
                row["cohort"], row["institution_id"], row["cause"], row["count"], row["amount"]
            )
        })
        .collect()
    }
}

fn regions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/regions")
}

const INSTITUTIONS: &str = "institution_id,name,kind,district\n\
    C1,First Center,community_center,East\n\
    C2,Second Clinic,village_clinic,West\n";

const SIGNINGS: &str =
    "contract_id,person_id,institution_id,package,signed_on,term_months,ended_on,insured,balance,status\n";

/// Urumqi's office with the first quarter's export: three people at C1, one at C2; 10.50 each from the fund.
fn urumqi() -> Office {
    let office = Office::of("urumqi-bureau");
    office.write("q1", "institutions.csv", INSTITUTIONS);
    let mut text = SIGNINGS.to_string();
    for (nth, institution) in [(1, "C1"), (2, "C1"), (3, "C1"), (4, "C2")] {
        text += &format!("A{nth},{},{institution},paid,2020-01-0{nth},12,,y,100,\n", id("1955-03-01", nth));
    }
    office.write("q1", "signings.csv", &text);
    office
}

/// An export of one row.
fn one(office: &Office, export: &str, row: &str) {
    office.write(export, "institutions.csv", INSTITUTIONS);
    office.write(export, "signings.csv", &format!("{SIGNINGS}{row}\n"));
}

fn score(office: &Office, export: &str, rows: &str) {
    office.write(export, "scores.csv", &format!("institution_id,period,score,assessed_on\n{rows}\n"));
}

/// More than are recalled together: none of them is mentioned by the next export, and all of them stand.
#[test]
fn hundreds_of_signings_stand_that_an_export_no_longer_mentions() {
    const PEOPLE: usize = 300;
    let office = urumqi();
    // Ids of a shape, and ids that are too long for one.
    let contract = |nth: usize| if nth.is_multiple_of(3) { "z".repeat(40) } else { "A".to_string() };
    let row = |nth: usize| {
        format!("{}{nth},{},C1,paid,2020-01-04,12,,y,100,\n", contract(nth), id("1955-03-01", nth))
    };
    office.write("q1", "signings.csv", &(SIGNINGS.to_string() + &(0..PEOPLE).map(row).collect::<String>()));
    office.posted("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund 1575.00"]);
    let first = office.table("settlement.csv");
    office.write("q1", "signings.csv", SIGNINGS);
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    let again = office.table("settlement.csv");
    let counts = |lines: &[Row]| lines.iter().map(|line| line["count"].clone()).collect::<Vec<_>>();
    assert_eq!(counts(&again), counts(&first));
    assert!(counts(&again).contains(&PEOPLE.to_string()), "{:?}", counts(&again));
    // One of each kind is void now: it is known by its whole id.
    let void = |nth: usize| row(nth).replace("100,\n", "100,void\n");
    office.write("q1", "signings.csv", &format!("{SIGNINGS}{}{}", void(297), void(298)));
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund -10.50"]);
}

#[test]
fn a_quarter_is_prepaid_once_cleared_and_corrected_by_the_difference() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    // Half of 31.50 and of 10.50.
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund 15.75", "2020Q1 C2 resident_fund 5.25"]);
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    let nothing = office.run(&["post", "out"]);
    assert!(String::from_utf8_lossy(&nothing.stdout).contains("nothing moved"));

    // 95 earns all, 59 nothing.
    score(&office, "q1", "C1,2020Q1,95,2020-04-15\nC2,2020Q1,59,2020-04-15");
    office.posted("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund 15.75", "2020Q1 C2 resident_fund -5.25"]);
    assert_eq!(office.causes("resident_fund"), ["2020Q1 C1 score 0 15.75", "2020Q1 C2 score 0 -5.25"]);
    let back = office.table("clawback.csv");
    assert_eq!((back[0]["institution_id"].as_str(), back[0]["reason"].as_str()), ("C2", "failed"));

    // The next quarter's export alone: a void row, one ended before it began, one moved, a late one, a new one.
    let p = |nth| id("1955-03-01", nth);
    one(
        &office,
        "q2",
        &[
            format!("A1,{},C1,paid,2020-01-01,12,,y,100,void", p(1)),
            format!("A2,{},C1,paid,2020-01-02,12,2020-01-02,y,100,", p(2)),
            format!("A4,{},C1,paid,2020-01-04,12,,y,100,", p(4)),
            format!("B1,{},C1,paid,2020-03-31,12,,y,100,", p(5)),
            format!("B2,{},C1,paid,2020-04-01,12,,y,100,", p(6)),
        ]
        .join("\n"),
    );
    office.posted("2020Q2", "q2");
    assert_eq!(
        office.causes("resident_fund"),
        [
            "2020Q1 C1 void -1 -10.50",
            "2020Q1 C1 ended -1 -10.50",
            "2020Q1 C1 corrected 1 10.50",
            "2020Q1 C1 late 1 10.50",
            "2020Q1 C2 corrected -1 0.00",
            "2020Q2 C1 new 1 5.25",
        ]
    );
    // The four steps cancel out for C1's first quarter; C2 earned nothing of the one that left.
    assert_eq!(office.moves(), ["2020Q2 C1 resident_fund 5.25"]);
    let flags: Vec<Row> = office.table("flags.csv");
    assert_eq!(flags.iter().filter(|flag| flag["code"] == "W704").count(), 1);
    for (period, export) in [("2020Q1", "q1"), ("2020Q2", "q2")] {
        office.settled(period, "q2");
        assert_eq!(office.moves(), Vec::<String>::new(), "{period} {export}");
    }
}

#[test]
fn what_the_institution_or_the_person_became_since_takes_nothing_back() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    // C1 is no longer designated, the people are no longer insured and have spent their balance.
    office.write(
        "later",
        "institutions.csv",
        "institution_id,name,kind,designated\nC1,First,community_center,n\nC2,Second,general_hospital,y\n",
    );
    let text = fs::read_to_string(office.path("q1/signings.csv")).expect("the export");
    office.write("later", "signings.csv", &text.replace(",y,100,", ",n,0,"));
    office.settled("2020Q1", "later");
    assert_eq!(office.moves(), Vec::<String>::new());
    assert_eq!(office.table("rejected.csv"), Vec::<Row>::new());
    // Somebody new is refused there as ever.
    office.write(
        "later",
        "signings.csv",
        &format!("{SIGNINGS}Z,{},C1,paid,2020-01-09,12,,y,100,\n", id("1955-03-01", 9)),
    );
    office.settled("2020Q1", "later");
    assert_eq!(office.table("rejected.csv")[0]["code"], "E302");
    // And an institution that is on no list any more keeps what it was paid.
    office.write("later", "institutions.csv", "institution_id,name,kind\nC2,Second,village_clinic\n");
    office.write("later", "signings.csv", SIGNINGS);
    office.settled("2020Q1", "later");
    assert_eq!(office.moves(), Vec::<String>::new());
    assert_eq!(office.table("settlement.csv").len(), 4);
}

#[test]
fn a_contract_of_the_ledger_is_that_signing_and_of_nobody_else() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    // The same contract for another person, and the same person once more.
    one(
        &office,
        "q2",
        &[
            format!("A1,{},C1,paid,2020-04-01,12,,y,100,", id("1955-03-01", 8)),
            format!("N1,{},C2,paid,2020-05-01,12,,y,100,", id("1955-03-01", 1)),
        ]
        .join("\n"),
    );
    office.settled("2020Q2", "q2");
    let codes: Vec<String> = office.table("rejected.csv").iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, ["E501", "E503"]);
    assert!(office.table("rejected.csv")[1]["reason"].contains("ledger:1"));
    assert_eq!(office.moves(), Vec::<String>::new());
}

#[test]
fn a_late_row_that_comes_first_puts_the_posted_one_out_until_it_is_void() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    // Signed with C2 from 1 January on, a day before what A2 says: by the order of the rules it was first.
    let row = |status: &str| format!("L,{},C2,paid,2020-01-01,12,,y,100,{status}", id("1955-03-01", 2));
    one(&office, "late", &row(""));
    office.posted("2020Q1", "late");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund -5.25", "2020Q1 C2 resident_fund 5.25"]);
    assert_eq!(office.causes("resident_fund"), ["2020Q1 C1 refused -1 -5.25", "2020Q1 C2 new 1 5.25"]);
    let rejected = office.table("rejected.csv");
    assert_eq!((rejected[0]["file"].as_str(), rejected[0]["code"].as_str()), ("ledger", "E503"));
    // It was told once.
    office.settled("2020Q1", "late");
    assert_eq!((office.moves(), office.table("rejected.csv")), (Vec::new(), Vec::new()));
    one(&office, "void", &row("void"));
    office.posted("2020Q1", "void");
    assert_eq!(office.causes("resident_fund"), ["2020Q1 C1 admitted 1 5.25", "2020Q1 C2 void -1 -5.25"]);
}

#[test]
fn a_contract_of_three_years_is_charged_in_each_from_any_export() {
    let office = Office::of("xinjiang-bureau");
    let header = "contract_id,person_id,institution_id,package,signed_on,term_months,insured,authorized\n";
    let row = format!("A,{},C1,basic,2023-02-01,36,y,y\n", id("1955-03-01", 1));
    let institutions = "institution_id,name,kind\nC1,First,community_center\n";
    for (export, row) in [("first", row.as_str()), ("empty", "")] {
        office.write(export, "institutions.csv", institutions);
        office.write(export, "signings.csv", &format!("{header}{row}"));
    }
    office.posted("2023Q1", "first");
    // Half of 20.00 a year.
    assert_eq!(office.moves(), ["2023Q1 C1 resident_fund 10.00"]);
    for (period, moves) in [
        ("2023Q2", &[][..]),
        ("2024Q1", &["2024Q1 C1 resident_fund 10.00"]),
        ("2025Q1", &["2025Q1 C1 resident_fund 10.00"]),
        ("2026Q1", &[]),
    ] {
        office.settled(period, "empty");
        assert_eq!(office.moves(), moves, "{period}");
        good(&office.run(&["post", "out"]));
    }
}

#[test]
fn one_annual_assessment_clears_four_quarters() {
    let office = Office::of("jilin-bureau");
    let institutions = "institution_id,name,kind\nC1,First,community_center\n";
    for quarter in 1..=4 {
        let export = format!("q{quarter}");
        office.write(&export, "institutions.csv", institutions);
        let row = format!(
            "contract_id,person_id,institution_id,package,signed_on,term_months,scheme\nA{quarter},{},C1,basic,2017-{:02}-05,12,resident\n",
            id("1955-03-01", quarter),
            quarter * 3
        );
        office.write(&export, "signings.csv", &row);
        let person = id("1955-03-01", quarter);
        let swipe = format!(
            "person_id,institution_id,swiped_at,card_type\n{person},C1,2017-{:02}-06,id_card\n",
            quarter * 3
        );
        office.write(&export, "swipes.csv", &swipe);
        office.posted(&format!("2017Q{quarter}"), &export);
        assert_eq!(office.moves().len(), 1, "prepaid: {:?}", office.moves());
    }
    let prepaid: Vec<Row> = office.table("settlement.csv");
    office.write("year", "institutions.csv", institutions);
    office.write("year", "signings.csv", "contract_id,person_id,institution_id,package,signed_on\n");
    office.write("year", "swipes.csv", "person_id,institution_id,swiped_at\n");
    office.write("year", "scores.csv", "institution_id,period,score\nC1,2017,100\n");
    office.posted("2017Q4", "year");
    let cleared: Vec<String> = office.moves();
    assert_eq!(cleared.len(), 4, "{cleared:?}");
    for quarter in 1..=4 {
        assert!(cleared.iter().any(|line| line.starts_with(&format!("2017Q{quarter} C1 resident_fund "))));
    }
    assert!(office.causes("resident_fund").iter().all(|cause| cause.contains(" score 0 ")), "{prepaid:?}");
    office.settled("2017Q4", "year");
    assert_eq!(office.moves(), Vec::<String>::new());
}

#[test]
fn ankangs_months_run_on_from_the_ledger_alone() {
    let office = Office::of("ankang-bureau");
    let header = "contract_id,person_id,institution_id,package,signed_on,term_months\n";
    for (export, row) in [
        ("first", format!("A,{},C1,standard,2016-11-05,12\n", id("1950-03-01", 1))),
        ("empty", String::new()),
    ] {
        office.write(export, "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
        office.write(export, "signings.csv", &format!("{header}{row}"));
    }
    let counts = |period: &str| -> Vec<String> {
        let lines = office.table("settlement.csv").into_iter();
        let of = lines.filter(|line| line["cohort"] == period && line["source"] == "district_finance");
        of.map(|line| format!("{} {}", line["count"], line["gross"])).collect()
    };
    // Months that start on the 5th: November and December, then three a quarter, then October of the next year.
    office.posted("2016Q4", "first");
    assert_eq!(counts("2016Q4"), ["2 7.00"]);
    for (period, want) in
        [("2017Q1", "3 10.50"), ("2017Q2", "3 10.50"), ("2017Q3", "3 10.50"), ("2017Q4", "1 3.50")]
    {
        office.posted(period, "empty");
        assert_eq!(counts(period), [want], "{period}");
    }
    office.settled("2018Q1", "empty");
    assert_eq!(counts("2018Q1"), Vec::<String>::new());
}

#[test]
fn evidence_that_arrives_later_pays_what_was_held() {
    let office = Office::of("jilin-bureau");
    let person = id("1955-03-01", 1);
    let swipes = "person_id,institution_id,swiped_at,card_type\n";
    let rows = format!(
        "contract_id,person_id,institution_id,package,signed_on,scheme\nA,{person},C1,basic,2017-01-05,resident\n"
    );
    for (export, swipe) in [
        ("q1", String::new()),
        ("q2", format!("{person},C1,2017-05-09,social_security\n")),
        ("q3", String::new()),
    ] {
        office.write(export, "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
        let all = if export == "q1" {
            rows.clone()
        } else {
            rows.lines().next().expect("a header").to_string() + "\n"
        };
        office.write(export, "signings.csv", &all);
        office.write(export, "swipes.csv", &format!("{swipes}{swipe}"));
    }
    office.posted("2017Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    assert!(office.table("settlement.csv").iter().all(|line| line["held"] == "1" && line["count"] == "0"));
    office.posted("2017Q2", "q2");
    let moves = office.moves();
    assert!(moves.len() == 1 && moves[0].starts_with("2017Q1 C1 resident_fund "), "{moves:?}");
    assert!(
        office.causes("resident_fund")[0].starts_with("2017Q1 C1 evidence 1 "),
        "{:?}",
        office.causes("resident_fund")
    );
    // It stays seen without that export.
    office.settled("2017Q3", "q3");
    assert_eq!(office.moves(), Vec::<String>::new());
}

#[test]
fn a_batch_is_reversed_by_another_and_settled_anew() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    score(&office, "q1", "C1,2020Q1,95,2020-04-15\nC2,2020Q1,95,2020-04-15");
    office.posted("2020Q1", "q1");
    let told = office.run(&["ledger", "reverse", "1", "--region", "urumqi-bureau"]);
    good(&told);
    let said = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(said.contains("batch 1 is reversed by batch 3") && said.contains("batch 2 came later"), "{said}");
    assert_eq!(office.run(&["ledger", "reverse", "1", "--region", "urumqi-bureau"]).status.code(), Some(4));
    assert_eq!(office.run(&["ledger", "reverse", "9", "--region", "urumqi-bureau"]).status.code(), Some(1));
    // What batch 1 paid is owed again; the score that batch 2 relied on still stands.
    fs::remove_file(office.path("q1/scores.csv")).expect("removed");
    office.posted("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund 15.75", "2020Q1 C2 resident_fund 5.25"]);
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    good(&office.run(&["ledger", "verify", "--region", "urumqi-bureau"]));
}

#[test]
fn opening_balances_count_as_paid_and_older_cohorts_are_settled_elsewhere() {
    let office = urumqi();
    let payments = "institution_id,cohort,source,amount\nC1,2020Q1,resident_fund,10.00\n";
    fs::write(office.path("paid.csv"), payments).expect("written");
    let init = |more: &[&str]| {
        office.run(
            &[&["ledger", "init", "--region", "urumqi-bureau", "--from", "2020Q1", "--data", "q1"], more]
                .concat(),
        )
    };
    fs::write(office.path("old.csv"), payments.replace("2020Q1", "2019Q4")).expect("written");
    assert_eq!(init(&["--payments", "old.csv"]).status.code(), Some(1));
    fs::write(office.path("bad.csv"), payments.replace("10.00", "ten")).expect("written");
    let bad = init(&["--payments", "bad.csv"]);
    assert!(bad.status.code() == Some(1) && stderr(&bad).contains("bad.csv:2"), "{}", stderr(&bad));
    good(&init(&["--payments", "paid.csv"]));
    assert_eq!(init(&[]).status.code(), Some(4));
    office.posted("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C1 resident_fund 5.75", "2020Q1 C2 resident_fund 5.25"]);
    assert_eq!(office.causes("resident_fund"), ["2020Q1 C1 earlier_posting 0 5.75", "2020Q1 C2 new 1 5.25"]);
    assert_eq!(office.settle("2019Q4", "q1", &[]).status.code(), Some(1));
}

#[test]
fn payments_of_the_first_settlement_become_opening_balances() {
    let office = urumqi();
    office.write(
        "q1",
        "payments.csv",
        "institution_id,cohort,source,amount\nC1,2020Q1,resident_fund,15.75\n",
    );
    office.posted("2020Q1", "q1");
    assert_eq!(office.moves(), ["2020Q1 C2 resident_fund 5.25"]);
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    assert_eq!(office.table("settlement.csv")[1]["posted"], "15.75");
}

#[test]
fn adjustments_stand_apart_and_are_never_registered_twice() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let file = "institution_id,source,cohort,amount,document,reason\n\
        C1,resident_fund,2020Q1,-100.00,罚〔2020〕3号,penalty\n\
        C2,resident_fund,2020Q1,8.00,判〔2020〕1号,court's order\n";
    fs::write(office.path("a.csv"), file).expect("written");
    let adjust =
        |file: &str| office.run(&["ledger", "adjust", file, "--region", "urumqi-bureau", "--data", "q1"]);
    good(&adjust("a.csv"));
    assert_eq!(adjust("a.csv").status.code(), Some(4));
    fs::write(office.path("b.csv"), format!("{file}C2,resident_fund,2020Q1,1.00,x,y\n")).expect("written");
    assert_eq!(adjust("b.csv").status.code(), Some(4), "a row of it stands already");
    fs::write(office.path("c.csv"), file.replace("C1", "C9")).expect("written");
    assert_eq!(adjust("c.csv").status.code(), Some(1));
    // Nothing of it is mixed into what is computed.
    office.settled("2020Q1", "q1");
    assert_eq!(office.moves(), Vec::<String>::new());
    let shown = office.run(&["ledger", "show", "2", "--region", "urumqi-bureau", "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(shown["amount"], "-92.00");
    assert_eq!(shown["adjustments"][1]["reason"], "court's order");
    good(&office.run(&["ledger", "reverse", "2", "--region", "urumqi-bureau"]));
    good(&adjust("a.csv"));
}

#[test]
fn post_refuses_what_changed_what_moved_on_and_what_nobody_confirmed() {
    let office = urumqi();
    office.settled("2020Q1", "q1");
    let refused = |what: &str| {
        let output = office.run(&["post", "out"]);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        assert!(stderr(&output).contains(what), "{what}: {}", stderr(&output));
    };
    let settlement = office.path("out/settlement.csv");
    let before = fs::read_to_string(&settlement).expect("read");
    fs::write(&settlement, before.replace("15.75", "16.75")).expect("written");
    refused("`settlement.csv` was changed");
    fs::write(&settlement, before).expect("written");
    let signings = office.path("q1/signings.csv");
    let before = fs::read_to_string(&signings).expect("read");
    fs::write(&signings, format!("{before}\n")).expect("written");
    refused("`signings.csv` was changed");
    fs::write(&signings, &before).expect("written");
    office.write("q1", "scores.csv", "institution_id,period,score\n");
    refused("`scores.csv` was not there");
    fs::remove_file(office.path("q1/scores.csv")).expect("removed");
    // Manifest and outputs made to agree: computed anew they differ.
    let manifest = office.path("out/manifest.json");
    let text = fs::read_to_string(&manifest).expect("read");
    fs::write(&manifest, text.replace("\"admitted\": 4", "\"admitted\": 5")).expect("written");
    refused("`manifest.json`");
    fs::write(&manifest, text).expect("written");
    good(&office.run(&["post", "out"]));
    refused("posted already: batch 1");
    one(&office, "other", &format!("B,{},C1,paid,2020-02-01,12,,y,100,", id("1955-03-01", 7)));
    office.settled("2020Q1", "other");
    fs::rename(office.path("out"), office.path("first")).expect("moved");
    one(&office, "more", &format!("C,{},C1,paid,2020-02-01,12,,y,100,", id("1955-03-01", 8)));
    office.posted("2020Q1", "more");
    fs::remove_dir_all(office.path("out")).expect("removed");
    fs::rename(office.path("first"), office.path("out")).expect("moved");
    refused("moved on");

    let plain = Office { region: "urumqi", ..urumqi() };
    let settle = ["settle", "--region", "urumqi", "--quarter", "2020Q1", "--data", "q1", "--out", "out"];
    good(&plain.run(&settle));
    let output = plain.run(&["post", "out"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("urumqi/2019-11-01 fee"), "{}", stderr(&output));
    let at_once = plain.run(&[&settle[..], &["--post"]].concat());
    assert_eq!(at_once.status.code(), Some(4));
    assert!(!plain.path("ledger/urumqi.db").exists());
}

#[test]
fn settle_posts_at_once_and_two_people_answer_where_the_rules_want_it() {
    let office = urumqi();
    let rules = office.path("rules");
    fs::create_dir_all(rules.join("urumqi-bureau")).expect("a folder");
    let own = fs::read_to_string(regions().join("urumqi-bureau/2019-11-01.toml")).expect("the file");
    let own = format!("{own}\n[posting]\ntwo_people = true\nclause = \"九\"\n");
    fs::write(rules.join("urumqi-bureau/2019-11-01.toml"), own).expect("written");
    let post =
        |more: &[&str]| office.settle("2020Q1", "q1", &[&["--post", "--regions", "rules"], more].concat());
    for more in [
        &[][..],
        &["--operator", "Li"],
        &["--approved-by", "Wang"],
        &["--operator", "Li", "--approved-by", " li "],
    ] {
        let output = post(more);
        assert_eq!(output.status.code(), Some(4), "{more:?}");
        assert!(stderr(&output).contains("two different people"), "{}", stderr(&output));
    }
    good(&post(&["--operator", "Li", "--approved-by", "Wang", "--document", "会〔2020〕7号"]));
    let list = office.run(&["ledger", "list", "--region", "urumqi-bureau", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(
        (&list[0]["operator"], &list[0]["approved_by"], &list[0]["document"], &list[0]["amount"]),
        (&"Li".into(), &"Wang".into(), &"会〔2020〕7号".into(), &"21.00".into())
    );
}

#[test]
fn an_old_settlement_is_verified_at_the_batch_that_it_was_made_at() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    office.settled("2020Q1", "q1");
    fs::rename(office.path("out"), office.path("second")).expect("moved");
    one(&office, "more", &format!("B,{},C1,paid,2020-02-01,12,,y,100,", id("1955-03-01", 7)));
    office.posted("2020Q1", "more");
    good(&office.run(&["verify", "second", "--data", "q1"]));
    good(&office.run(&["verify", "out", "--data", "more"]));
    let other = office.run(&["verify", "second", "--data", "more"]);
    assert_eq!(other.status.code(), Some(1));
    // The statement tells which batch paid what; the life of a signing as well.
    let told = office.run(&[
        "explain",
        "--region",
        "urumqi-bureau",
        "--institution",
        "C1",
        "--period",
        "2020Q1",
        "--data",
        "q1",
    ]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    for step in [
        "4 × 10.50 = 42.00",
        "42.00 × 50% = 21.00",
        "batch 1 of the ledger 15.75",
        "batch 2 of the ledger 5.25",
    ] {
        assert!(text.contains(step), "{step}: {text}");
    }
    let person = id("1955-03-01", 7);
    let told = office.run(&["explain", "--region", "urumqi-bureau", "--person", &person, "--data", "q1"]);
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("contract B") && text.contains("batch 2 of the ledger"), "{text}");
    assert!(!text.contains(&person), "no ID number in full: {text}");
}

#[test]
fn a_ledger_that_was_changed_cut_or_is_of_others_is_told() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let file = office.path("ledger/urumqi-bureau.db");
    let head = office.run(&["ledger", "verify", "--region", "urumqi-bureau", "--format", "json"]);
    let head: serde_json::Value = serde_json::from_slice(&head.stdout).expect("JSON");
    let head = head["head"].as_str().expect("a head").to_string();
    let kept = fs::read(&file).expect("read");
    score(&office, "q1", "C1,2020Q1,95,2020-04-15\nC2,2020Q1,95,2020-04-15");
    office.posted("2020Q1", "q1");
    let verify = |head: &str| office.run(&["ledger", "verify", "--region", "urumqi-bureau", "--head", head]);
    let inside = verify(&head);
    assert!(String::from_utf8_lossy(&inside.stdout).contains("1 batches were posted since"));
    let later = office.run(&["ledger", "list", "--region", "urumqi-bureau", "--format", "json"]);
    let later: serde_json::Value = serde_json::from_slice(&later.stdout).expect("JSON");
    let later = later[1]["hash"].as_str().expect("a hash").to_string();
    // Put back to what it was before: the later head is missed.
    let now = fs::read(&file).expect("read");
    fs::write(&file, &kept).expect("written");
    assert_eq!(verify(&later).status.code(), Some(4));
    fs::write(&file, &now).expect("written");
    good(&verify(&later));
    // Any changed row is found.
    for change in [
        "UPDATE line SET amount = amount + 1 WHERE number = 2",
        "UPDATE signing SET rows = zeroblob(length(rows)) WHERE number = 1",
        "UPDATE signing SET rows = cast(substr(rows, 1, 30) || x'01' || substr(rows, 32) AS BLOB) WHERE number = 1",
        "UPDATE signing SET first = 2 WHERE number = 1",
        "DELETE FROM signing WHERE number = 1",
        "UPDATE batch SET operator = 'X' WHERE number = 1",
        "UPDATE ledger SET opening = '2019Q4'",
        "DELETE FROM score WHERE number = 1",
        "INSERT INTO adjustment VALUES (1, 1, 1, 'resident_fund', '2020Q1', 5, 'd', 'r')",
    ] {
        let ledger = rusqlite::Connection::open(&file).expect("opened");
        ledger.execute_batch(change).expect(change);
        drop(ledger);
        let output = office.run(&["ledger", "verify", "--region", "urumqi-bureau"]);
        assert_eq!(output.status.code(), Some(4), "{change}");
        assert!(stderr(&output).contains("damaged or was changed"), "{change}: {}", stderr(&output));
        fs::write(&file, &now).expect("written");
    }
    let told = |ledger: &str, what: &str, code: i32| {
        let output = office.settle("2020Q1", "q1", &["--ledger", ledger]);
        assert_eq!(output.status.code(), Some(code), "{what}: {}", stderr(&output));
        assert!(stderr(&output).contains(what), "{what}: {}", stderr(&output));
    };
    fs::write(office.path("no.db"), "contract_id,person_id\n").expect("written");
    told("no.db", "no ledger of jiayi", 4);
    let ledger = rusqlite::Connection::open(&file).expect("opened");
    ledger.pragma_update(None, "user_version", 99).expect("set");
    drop(ledger);
    told("ledger/urumqi-bureau.db", "newer program", 4);
    let ledger = rusqlite::Connection::open(&file).expect("opened");
    ledger.pragma_update(None, "user_version", 1).expect("set");
    drop(ledger);
    told("ledger/urumqi-bureau.db", "older program", 4);
    fs::write(&file, &now).expect("written");
    let mut damaged = now.clone();
    let middle = damaged.len() / 2;
    damaged[4096..middle].fill(0xA5);
    fs::write(office.path("damaged.db"), &damaged).expect("written");
    told("damaged.db", "damaged", 4);
    let other = Office { region: "jilin-bureau", home: office.home };
    let output = other.settle("2018Q1", "q1", &["--ledger", "ledger/urumqi-bureau.db"]);
    assert!(
        output.status.code() == Some(4) && stderr(&output).contains("of `urumqi-bureau`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn one_run_waits_for_the_other_or_is_told() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let lock =
        fs::File::options().write(true).open(office.path("ledger/urumqi-bureau.db.lock")).expect("the lock");
    lock.lock().expect("locked");
    for output in [office.settle("2020Q1", "q1", &[]), office.run(&["post", "out"])] {
        assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
        assert!(stderr(&output).contains("another run"), "{}", stderr(&output));
    }
    drop(lock);
    let shared = fs::File::open(office.path("ledger/urumqi-bureau.db.lock")).expect("the lock");
    shared.lock_shared().expect("locked");
    good(&office.settle("2020Q1", "q1", &[]));
    assert_eq!(office.run(&["post", "out"]).status.code(), Some(75));
}

#[test]
fn the_export_of_a_ledger_shows_no_id_number() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    good(&office.run(&["ledger", "export", "copy", "--region", "urumqi-bureau"]));
    let signings = rows(&fs::read_to_string(office.path("copy/signings.csv")).expect("read"));
    assert_eq!(signings.len(), 4);
    assert!(signings.iter().all(|row| row["person"].contains("********")));
    let lines = rows(&fs::read_to_string(office.path("copy/lines.csv")).expect("read"));
    assert!(lines.iter().any(|row| row["amount"] == "15.75"));
    assert_eq!(office.run(&["ledger", "export", "copy", "--region", "urumqi-bureau"]).status.code(), Some(1));
}

/// Settles, posts and settles again: nothing may move the second time.
fn twice(office: &Office, period: &str, export: &str) -> Vec<String> {
    office.posted(period, export);
    let first = office.moves();
    office.settled(period, export);
    assert_eq!(office.moves(), Vec::<String>::new(), "settled, posted and settled again");
    first
}

#[test]
fn a_void_row_beside_the_same_contract_for_another_person_moves_once() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let row =
        |nth, status: &str| format!("A1,{},C1,paid,2020-01-01,12,,y,100,{status}", id("1955-03-01", nth));
    one(&office, "typo", &[row(1, "void"), row(7, "")].join("\n"));
    assert_eq!(twice(&office, "2020Q1", "typo"), Vec::<String>::new());
    assert!(office.table("rejected.csv").is_empty());
}

#[test]
fn a_row_that_never_counted_does_not_put_the_posted_one_out() {
    let office = urumqi();
    let row = |institution: &str, insured: &str| {
        format!("D1,{},{institution},paid,2020-01-09,12,,{insured},100,", id("1955-03-01", 9))
    };
    one(&office, "both", &[row("C2", "n"), row("C1", "y")].join("\n"));
    assert_eq!(twice(&office, "2020Q1", "both"), ["2020Q1 C1 resident_fund 5.25"]);
}

#[test]
fn what_the_rules_refuse_now_is_taken_back_and_what_cannot_be_read_is_not() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let person = id("1955-03-01", 4);
    // A number that can't be read says nothing of the signing.
    one(&office, "bad", &format!("A4,{person},C2,paid,2020-01-04,12,,y,ten,"));
    assert_eq!(twice(&office, "2020Q1", "bad"), Vec::<String>::new());
    // Signed before the policy: as it is now it is refused.
    one(&office, "early", &format!("A4,{person},C2,paid,2019-10-06,12,,y,100,"));
    assert_eq!(twice(&office, "2020Q1", "early"), ["2020Q1 C2 resident_fund -5.25"]);
    one(&office, "right", &format!("A4,{person},C2,paid,2020-01-04,12,,y,100,"));
    assert_eq!(twice(&office, "2020Q1", "right"), ["2020Q1 C2 resident_fund 5.25"]);
    assert!(office.run(&["ledger", "verify", "--region", "urumqi-bureau"]).status.success());
}

#[test]
fn a_contract_of_an_institution_that_is_gone_can_still_be_ended() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    office.write("gone", "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
    let row = format!("A4,{},C2,paid,2020-01-04,12,2020-01-04,y,100,\n", id("1955-03-01", 4));
    office.write("gone", "signings.csv", &format!("{SIGNINGS}{row}"));
    assert_eq!(twice(&office, "2020Q1", "gone"), ["2020Q1 C2 resident_fund -5.25"]);
}

#[test]
fn a_contract_that_was_void_and_valid_again_can_be_void_after_a_reversal() {
    let office = urumqi();
    let row = |status: &str| format!("V,{},C1,paid,2020-01-09,12,,y,100,{status}", id("1955-03-01", 9));
    for (export, status) in [("valid", ""), ("void", "void")] {
        one(&office, export, &row(status));
    }
    for export in ["valid", "void", "valid"] {
        office.posted("2020Q1", export);
    }
    good(&office.run(&["ledger", "reverse", "2", "--region", "urumqi-bureau"]));
    twice(&office, "2020Q1", "valid");
    assert_eq!(twice(&office, "2020Q1", "void"), ["2020Q1 C1 resident_fund -5.25"]);
    assert!(office.table("rejected.csv").is_empty());
}

#[test]
fn an_age_that_a_corrected_day_changes_moves_once() {
    let office = Office::of("ankang-bureau");
    let header = "contract_id,person_id,institution_id,package,signed_on,starts_on,term_months\n";
    // 65 on 1 March 2017: the lottery's part instead of the city's.
    for (export, signed) in [("before", "2017-02-20"), ("after", "2017-03-02")] {
        office.write(export, "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
        let row = format!("A,{},C1,standard,{signed},2017-04-05,12\n", id("1952-03-01", 1));
        office.write(export, "signings.csv", &format!("{header}{row}"));
    }
    office.settled("2017Q2", "before");
    let shares = |office: &Office| -> Vec<String> {
        let lines = office.table("settlement.csv").into_iter();
        lines.map(|line| format!("{} {}", line["source"], line["gross"])).collect()
    };
    let before = shares(&office);
    office.posted("2017Q2", "before");
    twice(&office, "2017Q2", "after");
    let after = shares(&office);
    assert!(before.iter().any(|line| line.starts_with("city_finance 3")), "{before:?}");
    assert!(after.iter().any(|line| line.starts_with("welfare_lottery 3")), "{after:?}");
}

#[test]
fn a_head_is_printed_in_full_whatever_digits_it_holds() {
    let hash = "b033709082488228bce43eb033709082488228bce43eb033709082488228bce4";
    let posted = jiayi::base::message::Msg::Posted { batch: 1, head: hash.to_string() };
    for lang in [jiayi::words::Lang::Zh, jiayi::words::Lang::En] {
        assert!(jiayi::words::say(lang, &posted).contains(hash));
    }
}

#[test]
fn nothing_is_posted_behind_another_head_or_into_a_ledger_by_a_wrong_name() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    // The same file by another name is the same ledger, and has the same lock.
    std::os::unix::fs::symlink(office.path("ledger/urumqi-bureau.db"), office.path("alias.db"))
        .expect("a link");
    let lock =
        fs::File::options().write(true).open(office.path("ledger/urumqi-bureau.db.lock")).expect("the lock");
    lock.lock().expect("locked");
    assert_eq!(office.settle("2020Q1", "q1", &["--ledger", "alias.db"]).status.code(), Some(75));
    drop(lock);
    // A mistyped name beside the region's ledger opens no second one.
    for more in
        [&["--ledger", "ledger/urumuqi-bureau.db"][..], &["--ledger", "ledger/urumuqi-bureau.db", "--post"]]
    {
        let output = office.settle("2020Q1", "q1", more);
        assert_eq!(output.status.code(), Some(4));
        assert!(stderr(&output).contains("beside it is this region's"), "{}", stderr(&output));
    }
    fs::write(office.path("ledger/urumqi-bureau.db"), "").expect("emptied");
    let output = office.settle("2020Q1", "q1", &["--post"]);
    assert!(output.status.code() == Some(4) && stderr(&output).contains("is empty"), "{}", stderr(&output));
    // A first posting whose payments are not whole opens nothing.
    let office = urumqi();
    let payments = "institution_id,cohort,source,amount\nC1,2020Q1,resident_fund,ten\n";
    office.write("q1", "payments.csv", payments);
    assert_eq!(office.settle("2020Q1", "q1", &["--post"]).status.code(), Some(4));
    assert!(!office.path("ledger/urumqi-bureau.db").exists());
}

#[test]
fn no_changed_row_is_settled_against() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    let ledger = rusqlite::Connection::open(office.path("ledger/urumqi-bureau.db")).expect("opened");
    ledger.execute_batch("UPDATE line SET amount = 0").expect("changed");
    drop(ledger);
    for output in [office.settle("2020Q1", "q1", &[]), office.settle("2020Q1", "q1", &["--post"])] {
        assert_eq!(output.status.code(), Some(4));
        assert!(stderr(&output).contains("damaged or was changed"), "{}", stderr(&output));
    }
}

#[test]
fn the_population_that_was_paid_stands_whatever_the_run() {
    let office = Office::of("jilin-bureau");
    let institutions = |rows: &str| format!("institution_id,name,kind,designated,served_population\n{rows}");
    for (export, rows) in [
        ("first", "C1,First,community_center,y,1200\nC2,Second,community_center,y,800\n"),
        ("later", "C1,First,community_center,n,1500\n"),
    ] {
        office.write(export, "institutions.csv", &institutions(rows));
        office.write(export, "signings.csv", "contract_id,person_id,institution_id,package,signed_on\n");
        office.write(export, "swipes.csv", "person_id,institution_id,swiped_at\n");
    }
    office.posted("2017Q4", "first");
    assert_eq!(office.moves().len(), 2);
    for period in ["2017Q4", "2018Q1", "2018"] {
        office.settled(period, "later");
        let of_posted: Vec<String> =
            office.moves().into_iter().filter(|line| line.starts_with("2017Q4")).collect();
        assert_eq!(of_posted, Vec::<String>::new(), "{period}");
    }
}

#[test]
fn an_older_export_that_undoes_a_void_is_told() {
    let office = urumqi();
    office.posted("2020Q1", "q1");
    one(&office, "void", &format!("A1,{},C1,paid,2020-01-01,12,,y,100,void", id("1955-03-01", 1)));
    office.posted("2020Q1", "void");
    office.settled("2020Q1", "q1");
    let manifest = fs::read_to_string(office.path("out/manifest.json")).expect("read");
    assert!(manifest.contains("stand again by this export"), "{manifest}");
}

#[test]
fn a_service_record_outside_what_the_charge_has_become_is_none() {
    let office = Office::of("jilin-bureau");
    let person = id("1955-03-01", 1);
    let header = "contract_id,person_id,institution_id,package,signed_on,starts_on,scheme\n";
    for (export, start, swipe) in [
        ("before", "2017-08-05", format!("{person},C1,2017-08-20,id_card\n")),
        ("after", "2017-09-01", String::new()),
    ] {
        office.write(export, "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
        let row = format!("A,{person},C1,basic,2017-08-05,{start},resident\n");
        office.write(export, "signings.csv", &format!("{header}{row}"));
        let swipes = "person_id,institution_id,swiped_at,card_type\n";
        office.write(export, "swipes.csv", &format!("{swipes}{swipe}"));
    }
    let paid = twice(&office, "2017Q3", "before");
    assert_eq!(paid.len(), 1);
    let back = twice(&office, "2017Q3", "after");
    assert_eq!(back.len(), 1);
    assert!(back[0].contains(" -"), "{back:?}");
}

#[test]
fn every_charge_of_a_signing_that_came_late_is_flagged_in_its_period() {
    let office = Office::of("ankang-bureau");
    let header = "contract_id,person_id,institution_id,package,signed_on,starts_on,term_months\n";
    let row = |nth: usize| format!("A{nth},{},C1,standard,2017-01-05,2017-01-05,12\n", id("1960-03-01", nth));
    for (export, rows) in [("first", row(1)), ("late", row(2)), ("empty", String::new())] {
        office.write(export, "institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
        office.write(export, "signings.csv", &format!("{header}{rows}"));
    }
    let scores = "institution_id,period,score,level\nC1,2017,95,city\nC1,2017H1,95,district\n";
    office.write("first", "scores.csv", scores);
    good(&office.run(&["ledger", "init", "--region", "ankang-bureau", "--from", "2017Q1"]));
    office.posted("2017Q2", "first");
    let flags = || office.table("flags.csv").iter().filter(|flag| flag["code"] == "W704").count();
    office.posted("2017Q1", "late");
    let first = flags();
    assert!(first > 0, "three months of the first quarter come late");
    office.posted("2017Q2", "empty");
    assert_eq!(flags(), 3, "and three of the second");
    office.settled("2017Q2", "empty");
    assert_eq!((flags(), office.moves()), (3, Vec::new()), "the same run tells the same");
    office.settled("2017Q3", "empty");
    assert_eq!(flags(), 0, "none of the third is late");
}

const PAID: &str = "contract_id,person_id,institution_id,package,signed_on,status\n";

/// An export of a Urumqi institution with these signing rows.
fn paid(office: &Office, export: &str, rows: &str) {
    office.write(export, "institutions.csv", "institution_id,name,kind\nU1,First,health_station\n");
    office.write(export, "signings.csv", &format!("{PAID}{rows}"));
}

#[test]
fn what_was_said_last_of_a_contract_holds_whatever_was_reversed_before() {
    let row = |nth: usize, day: &str, status: &str| {
        format!("C{nth},{},U1,paid,{day},{status}\n", id("1960-03-01", nth))
    };
    for reversals in [&["ok", "void", "ok", "2", "void"][..], &["ok", "1", "ok", "2", "void"][..]] {
        let office = Office::of("urumqi-bureau");
        paid(&office, "ok", &row(1, "2020-01-10", "valid"));
        paid(&office, "void", &row(1, "2020-01-10", "void"));
        paid(&office, "next", &row(2, "2020-05-01", "valid"));
        for step in reversals {
            match step.parse::<u32>() {
                Ok(_) => {
                    good(&office.run(&["ledger", "reverse", step, "--region", "urumqi-bureau"]));
                }
                Err(_) => office.posted("2020Q1", step),
            }
        }
        office.settled("2020Q2", "next");
        let moves = office.moves();
        assert!(moves.len() == 1 && moves[0].starts_with("2020Q2"), "{reversals:?}: {moves:?}");
    }
}

#[test]
fn a_void_row_with_another_person_s_number_takes_nothing_back() {
    let office = Office::of("urumqi-bureau");
    let row = |person: usize, status: &str| {
        format!("C1,{},U1,paid,2020-01-10,{status}\n", id("1960-03-01", person))
    };
    paid(&office, "ok", &row(1, "valid"));
    paid(&office, "other", &row(2, "void"));
    paid(&office, "own", &row(1, "void"));
    office.posted("2020Q1", "ok");
    let output = office.settle("2020Q1", "other", &["--post", "--lang", "en"]);
    assert!(stderr(&output).contains("1 void rows"), "it is told although quiet: {}", stderr(&output));
    assert_eq!(office.moves(), Vec::<String>::new());
    office.settled("2020Q1", "own");
    assert_eq!(office.moves().len(), 1);
}

#[test]
fn services_of_two_exports_count_together_and_only_while_the_signing_is_in_force() {
    let office = Office::of("sichuan-bureau");
    let inst = "institution_id,name,kind\nS1,First,社区卫生服务中心\n";
    let header = "contract_id,person_id,institution_id,package,signed_on,scheme,groups,ended_on\n";
    let person = id("1955-03-01", 1);
    let swipe = |item: &str, times: u32, day: &str| format!("{person},S1,{day},{item},{times}\n");
    let first = swipe("follow_up", 2, "2025-06-15");
    let second = swipe("follow_up", 2, "2025-08-01") + &swipe("ecg", 1, "2025-08-02");
    let exports = [
        ("first", "", first.clone()),
        ("second", "", second.clone()),
        ("both", "", first + &second),
        ("ended", "2025-07-01", String::new()),
    ];
    for (export, ended, swipes) in exports {
        office.write(export, "institutions.csv", inst);
        let row = format!("C1,{person},S1,hypertension,2025-01-10,resident,高血压,{ended}\n");
        office.write(export, "signings.csv", &format!("{header}{row}"));
        office.write(export, "scores.csv", "institution_id,period,score\nS1,2025,90\n");
        let columns = "person_id,institution_id,swiped_at,item,quantity\n";
        office.write(export, "swipes.csv", &format!("{columns}{swipes}"));
    }
    let fund = |office: &Office| {
        let lines = office.table("settlement.csv").into_iter();
        lines.filter(|line| line["source"] == "resident_fund").map(|line| line["final"].clone()).next()
    };
    office.posted("2025", "first");
    office.posted("2025", "second");
    let together = fund(&office);
    office.settled("2025", "both");
    assert_eq!((fund(&office), office.moves()), (together, Vec::new()), "the same services again");
    // An output of before is verified at its own head, though later batches brought items that it does not know.
    office.settled("2025", "both");
    good(&office.run(&["verify", "out"]));
    // What was done after the end is of no charge any more: the ledger ends where one run over all does.
    office.posted("2025", "ended");
    let by_ledger = fund(&office);
    let all = office.path("both/swipes.csv");
    fs::copy(all, office.path("ended/swipes.csv")).expect("copied");
    good(&office.run(&[
        "ledger",
        "init",
        "--region",
        "sichuan-bureau",
        "--from",
        "2025",
        "--ledger",
        "fresh.db",
    ]));
    good(&office.settle("2025", "ended", &["--ledger", "fresh.db"]));
    assert_eq!(by_ledger, fund(&office));
}

#[test]
fn a_moved_signing_keeps_the_services_that_still_fall_in_it() {
    let office = Office::of("jilin-bureau");
    let person = id("1960-03-01", 1);
    for (export, starts_on, swipes) in
        [("before", "2018-01-10", vec!["2018-01-15", "2018-03-20"]), ("after", "2018-02-01", Vec::new())]
    {
        office.write(export, "institutions.csv", "institution_id,name,kind\nJ1,First,社区卫生服务中心\n");
        let header = "contract_id,person_id,institution_id,package,signed_on,starts_on,scheme\n";
        let row = format!("C1,{person},J1,basic,2018-01-10,{starts_on},resident\n");
        office.write(export, "signings.csv", &format!("{header}{row}"));
        let rows: String = swipes.iter().map(|day| format!("{person},J1,{day},social_security\n")).collect();
        let header = "person_id,institution_id,swiped_at,card_type\n";
        office.write(export, "swipes.csv", &format!("{header}{rows}"));
    }
    office.posted("2018Q1", "before");
    assert_eq!(office.moves().len(), 1);
    office.settled("2018Q1", "after");
    assert_eq!(office.moves(), Vec::<String>::new());
}

#[test]
fn a_ledger_that_was_tampered_with_is_neither_shown_nor_written() {
    let office = Office::of("urumqi-bureau");
    paid(&office, "q1", &format!("C1,{},U1,paid,2020-01-10,valid\n", id("1960-03-01", 1)));
    office.posted("2020Q1", "q1");
    let file = office.path("ledger/urumqi-bureau.db");
    let sound = fs::read(&file).expect("read");
    for change in [
        "UPDATE line SET amount = 99900 WHERE number = 1",
        "UPDATE signing SET count = 4000000000 WHERE number = 1",
        "UPDATE signing SET first = 4294967000 WHERE number = 1",
        "CREATE TRIGGER quiet AFTER INSERT ON line BEGIN DELETE FROM line; END",
        "CREATE TABLE more (a)",
    ] {
        let ledger = rusqlite::Connection::open(&file).expect("opened");
        ledger.execute_batch(change).expect(change);
        drop(ledger);
        for command in
            [&["list"][..], &["show", "1"], &["verify"], &["export", "exported"], &["reverse", "1"]]
        {
            let output = office.run(&[&["ledger", "--region", "urumqi-bureau"], command].concat());
            assert_eq!(output.status.code(), Some(4), "{change}: {command:?}: {}", stderr(&output));
        }
        fs::write(&file, &sound).expect("written");
    }
    good(&office.run(&["ledger", "--region", "urumqi-bureau", "list"]));
}

#[test]
fn a_name_that_is_no_ledger_beside_the_usual_one_stops_the_run() {
    let office = Office::of("urumqi-bureau");
    paid(&office, "q1", &format!("C1,{},U1,paid,2020-01-10,valid\n", id("1960-03-01", 1)));
    office.posted("2020Q1", "q1");
    let output = office.settle("2020Q1", "q1", &["--ledger", "legder.db", "--post"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(!office.path("legder.db").exists());
    let output = office.run(&["check", "--region", "urumqi-bureau", "--data", "q1", "--ledger", "legder.db"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
}

#[test]
fn an_adjustment_that_was_reversed_may_be_taken_back_by_its_opposite() {
    let office = Office::of("urumqi-bureau");
    paid(&office, "q1", &format!("C1,{},U1,paid,2020-01-10,valid\n", id("1960-03-01", 1)));
    office.posted("2020Q1", "q1");
    let file = |amount: &str| {
        let text = format!(
            "institution_id,source,cohort,amount,document,reason\nU1,resident_fund,2020Q1,{amount},D1,r\n"
        );
        fs::write(office.path("a.csv"), text).expect("written");
    };
    let adjust = ["ledger", "adjust", "a.csv", "--region", "urumqi-bureau", "--data", "q1"];
    file("5.00");
    good(&office.run(&adjust));
    good(&office.run(&["ledger", "reverse", "2", "--region", "urumqi-bureau"]));
    file("-5.00");
    good(&office.run(&adjust));
}

#[test]
fn the_life_of_a_void_signing_tells_what_was_paid_for_it() {
    let office = Office::of("urumqi-bureau");
    let row = |status: &str| format!("C1,{},U1,paid,2020-01-10,{status}\n", id("1960-03-01", 1));
    paid(&office, "ok", &row("valid"));
    paid(&office, "void", &row("void"));
    office.posted("2020Q1", "ok");
    office.posted("2020Q1", "void");
    let told = office.run(&[
        "explain",
        "--region",
        "urumqi-bureau",
        "--contract",
        "C1",
        "--data",
        "void",
        "--lang",
        "en",
    ]);
    let told = String::from_utf8_lossy(&good_output(told)).into_owned();
    assert!(
        told.contains("batch 1 of the ledger 5.25") && told.contains("batch 2 of the ledger -5.25"),
        "{told}"
    );
}

fn good_output(output: Output) -> Vec<u8> {
    good(&output);
    output.stdout
}

#[test]
fn who_answers_on_the_documents_answers_for_the_batch() {
    let office = Office::of("urumqi-bureau");
    paid(&office, "q1", &format!("C1,{},U1,paid,2020-01-10,valid\n", id("1960-03-01", 1)));
    good(&office.settle("2020Q1", "q1", &["--operator", "A", "--approved-by", "B"]));
    let other = office.run(&["post", "out", "--operator", "C", "--lang", "en"]);
    assert!(other.status.code() == Some(4) && stderr(&other).contains("`A`"), "{}", stderr(&other));
    good(&office.run(&["post", "out", "--document", "D"]));
    let list = office.run(&["ledger", "list", "--region", "urumqi-bureau", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_slice(&good_output(list)).expect("JSON");
    let batch = &list[0];
    assert_eq!((&batch["operator"], &batch["approved_by"]), (&"A".into(), &"B".into()));
    assert_eq!(batch["document"], "D");
}

/// Rule files of the office's own, for a test that changes them.
fn own_rules(office: &Office) -> PathBuf {
    let rules = office.path("regions");
    for region in ["urumqi", "urumqi-bureau"] {
        fs::create_dir_all(rules.join(region)).expect("a folder");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = ["regions", "samples/regions"]
            .map(|from| shipped.join(from).join(region).join("2019-11-01.toml"));
        let file = places.iter().find(|file| file.is_file()).expect("it is there");
        fs::copy(file, rules.join(region).join("2019-11-01.toml")).expect("copied");
    }
    rules
}

/// A second version of the bureau's rules, from July on.
fn second_version(rules: &Path) -> PathBuf {
    let file = rules.join("urumqi-bureau/2020-07-01.toml");
    let text = fs::read_to_string(rules.join("urumqi-bureau/2019-11-01.toml")).expect("the bureau's file");
    fs::write(&file, format!("{text}\n[policy]\nin_force_from = \"2020-07-01\"\n")).expect("written");
    file
}

#[test]
fn a_rule_file_that_was_posted_by_must_stay() {
    let office = Office::of("urumqi-bureau");
    let file = second_version(&own_rules(&office));
    paid(&office, "q3", &format!("C1,{},U1,paid,2020-08-10,valid\n", id("1960-03-01", 1)));
    let own = ["--regions", "regions"];
    good(&office.settle("2020Q3", "q3", &[&own[..], &["--post"]].concat()));
    fs::remove_file(&file).expect("removed");
    let output = office.settle("2020Q4", "q3", &[&own[..], &["--lang", "en"]].concat());
    assert!(
        output.status.code() == Some(1) && stderr(&output).contains("urumqi-bureau/2020-07-01"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_version_of_the_rules_that_is_added_moves_charges_by_the_rules_and_late_rows_stay_late() {
    let office = Office::of("urumqi-bureau");
    let rules = own_rules(&office);
    let row = |nth: usize, day: &str| format!("C{nth},{},U1,paid,{day},valid\n", id("1960-03-01", nth));
    paid(&office, "q3", &row(1, "2020-08-10"));
    let own = ["--regions", "regions"];
    let post = [&own[..], &["--post"]].concat();
    good(&office.settle("2020Q3", "q3", &post));
    second_version(&rules);
    good(&office.settle("2020Q3", "q3", &own));
    let causes = |office: &Office| -> Vec<(String, String)> {
        let fund = office.table("delta.csv").into_iter().filter(|row| row["source"] == "resident_fund");
        fund.map(|row| (row["cause"].clone(), row["count"].clone())).collect()
    };
    let both =
        [("rule_changed".to_string(), "-1".to_string()), ("rule_changed".to_string(), "1".to_string())];
    assert_eq!(causes(&office), both);
    // Cleared by the first version; a row that comes then is of the second, and late all the same.
    fs::remove_file(rules.join("urumqi-bureau/2020-07-01.toml")).expect("removed");
    score(&office, "q3", "U1,2020Q3,80,2020-10-15");
    good(&office.settle("2020Q3", "q3", &post));
    let text = fs::read_to_string(rules.join("urumqi-bureau/2019-11-01.toml")).expect("the bureau's file");
    let from = "in_force_from = \"2020-09-01\"";
    fs::write(rules.join("urumqi-bureau/2020-09-01.toml"), format!("{text}\n[policy]\n{from}\n"))
        .expect("written");
    paid(&office, "q3", &(row(1, "2020-08-10") + &row(2, "2020-09-20")));
    good(&office.settle("2020Q3", "q3", &own));
    assert_eq!(causes(&office), [("late".to_string(), "1".to_string())]);
}
