//! Whatever comes in whatever order, the ledger ends where one run over all of it would: late rows, rows that
//! are corrected, ended or void, scores and authorizations; and settling again pays nothing.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::{Row, good, id, jiayi, rows};

/// A generator whose every story can be told again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, self.roll(at as u64 + 1) as usize);
        }
    }
}

/// A signing as some export tells of it.
#[derive(Clone)]
struct Signing {
    contract: String,
    person: String,
    institution: u64,
    package: &'static str,
    signed_on: String,
    ended_on: String,
    authorized: bool,
    void: bool,
    /// Days on which the person was served.
    served: Vec<String>,
}

impl Signing {
    fn row(&self) -> String {
        let Signing { contract, person, institution, package, signed_on, ended_on, .. } = self;
        let status = if self.void { "void" } else { "valid" };
        let authorized = if self.authorized { "y" } else { "n" };
        format!("{contract},{person},C{institution},{package},{signed_on},{ended_on},{authorized},{status}\n")
    }
}

const HEADER: &str = "contract_id,person_id,institution_id,package,signed_on,ended_on,authorized,status\n";
const SCORES: &str = "institution_id,period,score,assessed_on\n";

struct Office {
    home: tempfile::TempDir,
    region: &'static str,
}

impl Office {
    fn run(&self, arguments: &[&str]) {
        let mut command = jiayi(self.home.path());
        command.args(arguments).env("JIAYI_REGIONS", regions());
        good(&command.output().expect("it runs"));
    }

    fn export(&self, signings: &[&Signing], scores: &[&str]) {
        let data = self.home.path().join("data");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir(&data).expect("a folder");
        let write = |name: &str, text: String| fs::write(data.join(name), text).expect("a file");
        let institutions =
            "institution_id,name,kind\nC1,First,community_center\nC2,Second,community_center\n";
        write("institutions.csv", institutions.to_string());
        write("signings.csv", HEADER.to_string() + &signings.iter().map(|one| one.row()).collect::<String>());
        let served = signings.iter().flat_map(|one| {
            one.served.iter().map(move |day| format!("{},C{},{day},id_card\n", one.person, one.institution))
        });
        write(
            "swipes.csv",
            "person_id,institution_id,swiped_at,card_type\n".to_string() + &served.collect::<String>(),
        );
        if !scores.is_empty() {
            write(
                "scores.csv",
                SCORES.to_string() + &scores.iter().map(|row| format!("{row}\n")).collect::<String>(),
            );
        }
    }

    fn settle(&self, period: &str, ledger: &str) -> Vec<Row> {
        self.run(&[
            "settle",
            "--region",
            self.region,
            "--period",
            period,
            "--data",
            "data",
            "--out",
            "out",
            "--quiet",
            "--ledger",
            ledger,
        ]);
        rows(&fs::read_to_string(self.home.path().join("out/settlement.csv")).expect("lines"))
    }
}

fn regions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/regions")
}

type Amounts = BTreeMap<(String, String, String, String), i64>;

fn fen(text: &str) -> i64 {
    text.replace('.', "").parse().expect("an amount")
}

fn key(line: &Row) -> (String, String, String, String) {
    let of = |name: &str| line[name].clone();
    (of("cohort"), of("institution_id"), of("package"), of("source"))
}

/// What each line is due by one run without a ledger.
fn due(lines: &[Row]) -> Amounts {
    let settled = lines.iter().filter(|line| !line["prepay_ratio"].is_empty());
    let due = settled.map(|line| {
        let due = if line["final"].is_empty() { &line["prepay"] } else { &line["final"] };
        (key(line), fen(due))
    });
    due.filter(|(_, due)| *due != 0).collect()
}

/// What all batches together paid on each line.
fn posted(office: &Office) -> Amounts {
    let _ = fs::remove_dir_all(office.home.path().join("copy"));
    office.run(&["ledger", "export", "copy", "--ledger", "l.db"]);
    let read =
        |name: &str| rows(&fs::read_to_string(office.home.path().join("copy").join(name)).expect("a table"));
    let mut all = Amounts::new();
    for mut line in read("lines.csv") {
        let id = line["institution"].clone();
        line.insert("institution_id".to_string(), id);
        *all.entry(key(&line)).or_default() += fen(&line["amount"]);
    }
    all.retain(|_, amount| *amount != 0);
    all
}

/// One story: what is delivered in some order, settled and posted each time, against one run over the end of it.
fn story(region: &'static str, seed: u64) {
    let mut dice = Dice(seed);
    let office = Office { home: tempfile::tempdir().expect("a folder"), region };
    let year = match region {
        "xinjiang-bureau" => 2023,
        "jilin-bureau" => 2017,
        _ => 2020,
    };
    let mut last: Vec<Signing> = Vec::new();
    let mut deliveries: Vec<(Signing, u64)> = Vec::new();
    for nth in 0..4 + dice.roll(6) {
        let (month, day) = (1 + dice.roll(6), 1 + dice.roll(28));
        let package = match region {
            "xinjiang-bureau" => ["basic", "basic", "hypertension", "diabetes"][dice.roll(4) as usize],
            "jilin-bureau" => "basic",
            _ => "paid",
        };
        let mut signing = Signing {
            contract: format!("A{nth}"),
            person: id("1955-03-01", 1 + dice.roll(4) as usize),
            institution: 1 + dice.roll(2),
            package,
            signed_on: format!("{year}-{month:02}-{day:02}"),
            ended_on: String::new(),
            authorized: dice.one_in(2),
            void: false,
            served: Vec::new(),
        };
        deliveries.push((signing.clone(), month));
        // What becomes of it later, each told by an export of its own.
        for _ in 0..dice.roll(3) {
            // Where a charge waits for a service record, who moved or began later would need another.
            let event =
                if region == "jilin-bureau" { [0, 1, 5, 5][dice.roll(4) as usize] } else { dice.roll(5) };
            match event {
                0 => signing.void = true,
                1 => signing.ended_on = format!("{year}-{month:02}-{:02}", day.max(2) - 1),
                2 => signing.institution = 3 - signing.institution,
                3 => signing.signed_on = format!("{year}-{month:02}-{:02}", 1 + dice.roll(28)),
                4 => signing.authorized = true,
                _ => signing.served = vec![signing.signed_on.clone()],
            }
            deliveries.push((signing.clone(), month));
        }
        last.push(signing);
    }
    let scores: Vec<String> = (1..=2)
        .flat_map(|quarter| (1..=2).map(move |institution| (institution, quarter)))
        .map(|(institution, quarter)| {
            let score = [100, 90, 75, 59][dice.roll(4) as usize];
            format!("C{institution},{year}Q{quarter},{score},{year}-0{}-15", 3 * quarter + 1)
        })
        .collect();

    // Deliveries of different contracts come in any order, those of one in theirs.
    let mut order: Vec<usize> = (0..deliveries.len() + scores.len()).collect();
    dice.shuffle(&mut order);
    let mut by_contract: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (signing, _)) in deliveries.iter().enumerate() {
        by_contract.entry(signing.contract.clone()).or_default().push(at);
    }
    office.run(&["ledger", "init", "--region", region, "--from", &format!("{year}Q1"), "--ledger", "l.db"]);
    let mut at = 0;
    while at < order.len() {
        let taken = &order[at..order.len().min(at + 1 + dice.roll(3) as usize)];
        at += taken.len();
        let (mut rows, mut told, mut second) = (BTreeMap::new(), Vec::new(), false);
        for one in taken {
            match deliveries.get(*one) {
                Some((signing, _)) => {
                    let next = by_contract.get_mut(&signing.contract).expect("its deliveries").remove(0);
                    let (signing, month) = &deliveries[next];
                    second |= *month > 3 || signing.signed_on.as_str() > format!("{year}-03-31").as_str();
                    rows.insert(signing.contract.clone(), signing);
                }
                None => told.push(scores[*one - deliveries.len()].as_str()),
            }
        }
        office.export(&rows.into_values().collect::<Vec<_>>(), &told);
        // Any period that has begun when the rows start.
        let period = if second || dice.one_in(2) { format!("{year}Q2") } else { format!("{year}Q1") };
        office.settle(&period, "l.db");
        office.run(&["post", "out", "--ledger", "l.db"]);
        let again = office.settle(&period, "l.db");
        assert!(
            again.iter().all(|line| line["payable"] == "0.00" && line["recover"] == "0.00"),
            "{region} {seed}: settled, posted and settled again: {again:?}"
        );
    }
    // What lines of the second quarter still wait for, whatever period came last.
    office.export(&[], &[]);
    office.settle(&format!("{year}Q2"), "l.db");
    office.run(&["post", "out", "--ledger", "l.db"]);
    office.export(&last.iter().collect::<Vec<_>>(), &scores.iter().map(String::as_str).collect::<Vec<_>>());
    let want = due(&office.settle(&format!("{year}H1"), "none/none.db"));
    assert_eq!(posted(&office), want, "{region} {seed}");
}

/// How many stories are told: more by JIAYI_STORIES.
fn stories() -> u64 {
    std::env::var("JIAYI_STORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(12)
}

#[test]
fn any_order_ends_where_one_run_over_everything_does() {
    for seed in 0..stories() {
        story("urumqi-bureau", seed);
    }
}

#[test]
fn so_it_does_with_service_records_that_come_later() {
    for seed in 0..stories() {
        story("jilin-bureau", seed);
    }
}

#[test]
fn so_it_does_with_add_ons_and_authorizations() {
    for seed in 0..stories() {
        story("xinjiang-bureau", seed);
    }
}
