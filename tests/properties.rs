//! Generated data, settled by the program and by the slow second calculation of `support/second.rs`: the
//! same code for every row, the same lines, the same flags. And what must hold of any data: shares add up
//! to fees, lines to institutions, institutions to totals; no row is lost; neither the order of rows nor
//! their files nor the number of threads moves a fen.
//!
//! `PROPTEST_RNG_SEED=… PROPTEST_CASES=…` look elsewhere, and longer.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use jiayi::base::period::Period;
use jiayi::pipeline;
use jiayi::policy::version::{self, Region};
use jiayi::report::documents;
use jiayi::report::output::{Output, Posted};
use jiayi::stages::Watch;
use jiayi::words::Lang;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use support::second::{self, Answer, Data, INSTITUTIONS, LINE, Payment, Quarter, Score, Signing, Swipe};
use support::{Case, Outputs, Row, id};

static URUMQI: LazyLock<Region> =
    LazyLock::new(|| version::load("urumqi", Some(&support::regions())).expect("the rules can be read"));

/// What is settled, and its quarters.
const PERIODS: [(&str, &[Quarter]); 3] = [
    ("2020Q1", &[(2020, 1)]),
    ("2019Q4", &[(2019, 4)]),
    ("2020", &[(2020, 1), (2020, 2), (2020, 3), (2020, 4)]),
];

fn config(cases: u32) -> ProptestConfig {
    // The same data every time, unless somebody asks for others.
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(20_191_101);
    }
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    config
}

fn texts(all: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    select(all.to_vec()).prop_map(str::to_string)
}

/// Nearly always nothing or the first, sometimes one of the others.
fn mostly(usual: &[&'static str], rare: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop_oneof![30 => texts(usual), 1 => texts(rare)]
}

/// Few people, so that they meet; one of them twice, by both numbers of the old and the new card.
fn person() -> impl Strategy<Value = String> {
    let people: Vec<String> = (1..7).map(|serial| id("1970-05-20", serial)).collect();
    let good = people[0].clone();
    let other_check = format!("{}{}", &good[..17], if good.ends_with('1') { "2" } else { "1" });
    let odd = vec![
        "999901700520001".to_string(),
        id("2020-01-06", 1),
        id("2020-02-29", 2),
        other_check,
        good[..17].to_string(),
        "999901700230001".to_string(),
        "99990119A005200017".to_string(),
        String::new(),
    ];
    prop_oneof![12 => select(people), 1 => select(odd)]
}

/// Around the edges of the policy, of quarters and of a term.
const DAYS: [&str; 18] = [
    "2019-10-31",
    "2019-11-01",
    "2019-12-31",
    "2020-01-01",
    "2020-01-06",
    "2020-01-07",
    "2020-02-29",
    "2020-03-31",
    "2020-04-01",
    "2020-04-10",
    "2020-04-11",
    "2020-06-30",
    "2020-10-31",
    "2020-11-01",
    "2020-12-31",
    "2021-01-05",
    "2021-01-06",
    "2021-02-28",
];

fn place() -> impl Strategy<Value = String> {
    mostly(&["C1", "C1", "C1", "C2", "C2", "C5"], &["C3", "C4", "C9", "c1", ""])
}

fn signing(contracts: usize) -> impl Strategy<Value = Signing> {
    let who = (
        (0..contracts).prop_map(|number| format!("K{number}")),
        person(),
        place(),
        mostly(&["paid", "paid", "有偿服务包", "free"], &["gold", ""]),
    );
    let days = (
        mostly(&DAYS, &["2020-02-30", "soon", ""]),
        prop_oneof![2 => texts(&[""]), 1 => mostly(&DAYS, &["2021-02-29"])],
        prop_oneof![6 => texts(&[""]), 1 => mostly(&DAYS, &["1799-12-31"])],
        mostly(&["", "12"], &["11", "24", "0", "-12", "twelve"]),
    );
    let rest = (
        mostly(&["", "resident", "城乡居民"], &["employee"]),
        mostly(&["", "y", "是"], &["n", "maybe"]),
        mostly(&["", "10.50", "10.51", "200"], &["10.49", "0", "-1", "10.505"]),
        mostly(&["4.50", "4.5", "5"], &["4.49", "", "0", "-4.50", "4.505"]),
        mostly(&["", "valid", "有效"], &["void", "作废", "gone"]),
        mostly(&["", "plain"], &["two\nlines", "a \"quote\", a comma"]),
    );
    (who, days, rest).prop_map(|(who, days, rest)| Signing {
        contract: who.0,
        person: who.1,
        institution: who.2,
        package: who.3,
        signed_on: days.0,
        starts_on: days.1,
        ended_on: days.2,
        term: days.3,
        scheme: rest.0,
        insured: rest.1,
        balance: rest.2,
        paid: rest.3,
        status: rest.4,
        note: rest.5,
    })
}

fn swipe() -> impl Strategy<Value = Swipe> {
    (
        mostly(&["", "S1", "S2", "S3", "S4", "S5", "S6"], &["s1"]),
        person(),
        place(),
        mostly(&DAYS, &["2020-02-30", "2020-02-29 23:59", ""]),
        mostly(&["consult", "肌肉注射", "follow_up"], &["blood test", ""]),
        mostly(&["", "0", "0.00", "0.01", "5"], &["-1", "0.005"]),
    )
        .prop_map(|(id, person, institution, at, item, charged)| Swipe {
            id,
            person,
            institution,
            at,
            item,
            charged,
        })
}

fn score() -> impl Strategy<Value = Score> {
    (
        place(),
        mostly(&["2020Q1", "2020Q1", "2020Q2", "2019Q4"], &["2020", "2020-01", "2020Q5", ""]),
        mostly(
            &["100", "90.01", "90", "89.999", "89.5", "65", "64.99", "60.001", "60", "59.999", "0", "77.777"],
            &["100.001", "-1", "good", ""],
        ),
        mostly(&["", "district", "区县"], &["city"]),
        mostly(&["2020-04-10", "2020-04-11"], &["", "2020-04-31"]),
    )
        .prop_map(|(institution, period, score, level, assessed_on)| Score {
            institution,
            period,
            score,
            level,
            assessed_on,
        })
}

fn payment() -> impl Strategy<Value = Payment> {
    (
        place(),
        mostly(&["2020Q1", "2020Q2", "2019Q4"], &["2020", ""]),
        mostly(&["resident_fund", "城乡居民医保基金"], &["individual", ""]),
        mostly(&["5.25", "10.50", "0.01", "21", "0"], &["-5.25", "5.255", ""]),
    )
        .prop_map(|(institution, cohort, source, amount)| Payment {
            institution,
            cohort,
            source,
            amount,
        })
}

fn data() -> impl Strategy<Value = Data> {
    (vec(signing(25), 0..60), vec(swipe(), 0..12), vec(score(), 0..7), vec(payment(), 0..5))
        .prop_map(|(signings, swipes, scores, payments)| Data { signings, swipes, scores, payments })
}

/// A file of these rows, and the line on which each starts.
fn file(header: &[&str], rows: &[Vec<&str>]) -> (Vec<u8>, Vec<usize>) {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(header).expect("a header");
    let (mut lines, mut line) = (Vec::new(), 2);
    for row in rows {
        writer.write_record(row).expect("a row");
        lines.push(line);
        line += 1 + row.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
    }
    (writer.into_inner().expect("all rows"), lines)
}

const SIGNINGS: [&str; 14] = [
    "contract_id",
    "person_id",
    "institution_id",
    "package",
    "signed_on",
    "starts_on",
    "term_months",
    "ended_on",
    "scheme",
    "insured",
    "balance",
    "personal_paid",
    "status",
    "name",
];
const SWIPES: [&str; 6] = ["swipe_id", "person_id", "institution_id", "swiped_at", "item", "charged"];
const SCORES: [&str; 5] = ["institution_id", "period", "score", "level", "assessed_on"];
const PAYMENTS: [&str; 4] = ["institution_id", "cohort", "source", "amount"];

fn signing_cells(row: &Signing) -> Vec<&str> {
    let Signing { contract, person, institution, package, signed_on, starts_on, .. } = row;
    let Signing { term, ended_on, scheme, insured, balance, paid, status, note, .. } = row;
    [contract, person, institution, package, signed_on, starts_on, term, ended_on]
        .into_iter()
        .chain([scheme, insured, balance, paid, status, note])
        .map(String::as_str)
        .collect()
}

fn swipe_cells(row: &Swipe) -> Vec<&str> {
    vec![&row.id, &row.person, &row.institution, &row.at, &row.item, &row.charged]
}

fn score_cells(row: &Score) -> Vec<&str> {
    vec![&row.institution, &row.period, &row.score, &row.level, &row.assessed_on]
}

fn payment_cells(row: &Payment) -> Vec<&str> {
    vec![&row.institution, &row.cohort, &row.source, &row.amount]
}

/// Row numbers by kind and line, as the files were written.
type Places = BTreeMap<(&'static str, usize), usize>;

/// Writes a data folder, the signings and swipes in `parts` files each.
fn write(case: &Case, data: &Data, parts: usize) -> Places {
    let header = "institution_id,name,kind,designated\n".to_string();
    let rows = INSTITUTIONS.map(|(id, name, kind, designated)| format!("{id},{name},{kind},{designated}\n"));
    case.write("institutions.csv", header + &rows.concat());
    let mut places = Places::new();
    let mut put = |kind: &'static str, header: &[&str], rows: Vec<Vec<&str>>| {
        let size = rows.len().div_ceil(parts).max(1);
        for (part, rows) in rows.chunks(size).enumerate() {
            let name = if parts == 1 { format!("{kind}.csv") } else { format!("{kind}-{part:02}.csv") };
            let (text, lines) = file(header, rows);
            case.write(&name, text);
            places.extend(lines.into_iter().enumerate().map(|(at, line)| ((kind, line), part * size + at)));
        }
        if rows.is_empty() {
            case.write(&format!("{kind}.csv"), file(header, &[]).0);
        }
    };
    put("signings", &SIGNINGS, data.signings.iter().map(signing_cells).collect());
    put("swipes", &SWIPES, data.swipes.iter().map(swipe_cells).collect());
    put("scores", &SCORES, data.scores.iter().map(score_cells).collect());
    put("payments", &PAYMENTS, data.payments.iter().map(payment_cells).collect());
    places
}

/// Settles a data folder in this process, on so many threads, and reads every output back.
fn settle(case: &Case, period: &str, threads: usize) -> Outputs {
    let out = tempfile::tempdir().expect("a folder for the output");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    pool.install(|| {
        let period = Period::parse(period).expect("a period");
        pipeline::settle(&URUMQI, pipeline::Asked::of(period), &case.data(), Watch::NONE, |run| {
            documents::write(run, out.path(), &Output::plain(Lang::En), &Posted::default()).map(drop)
        })
    })
    .expect("bad rows stop nothing");
    Outputs(support::files(out.path()))
}

fn settled(data: &Data, period: &str, parts: usize, threads: usize) -> (Outputs, Places) {
    let case = Case::default();
    let places = write(&case, data, parts);
    (settle(&case, period, threads), places)
}

/// Holds the outputs against the second calculation.
fn agree(outputs: &Outputs, places: &Places, answer: &Answer) -> Result<(), TestCaseError> {
    let place = |row: &Row| -> Option<(&'static str, usize)> {
        let kind = ["signings", "swipes", "scores", "payments"];
        let kind = kind.into_iter().find(|kind| row["file"].starts_with(kind))?;
        Some((kind, places[&(kind, row["line"].parse::<usize>().expect("a line"))]))
    };
    let refused: BTreeMap<_, _> = outputs
        .rows("rejected.csv")
        .iter()
        .map(|row| (place(row).expect("a place"), row["code"].clone()))
        .collect();
    let wanted: BTreeMap<_, _> =
        answer.refused.iter().map(|(place, code)| (*place, code.to_string())).collect();
    prop_assert_eq!(refused, wanted, "refused rows");

    let shown: Vec<[String; 14]> =
        outputs.rows("settlement.csv").iter().map(|row| LINE.map(|column| row[column].clone())).collect();
    prop_assert_eq!(&shown, &answer.lines, "settlement lines");

    let mut flags: Vec<_> = outputs
        .rows("flags.csv")
        .iter()
        .map(|row| {
            (row["code"].clone(), row["institution_id"].clone(), row["contract_id"].clone(), place(row))
        })
        .collect();
    flags.sort();
    let wanted: Vec<_> = answer
        .flags
        .iter()
        .map(|(code, institution, contract, place)| {
            (code.to_string(), institution.clone(), contract.clone(), *place)
        })
        .collect();
    prop_assert_eq!(flags, wanted, "flags");
    Ok(())
}

fn fen(text: &str) -> i64 {
    text.replace('.', "").parse().expect("an amount with two decimals")
}

/// What must hold of any run.
fn adds_up(outputs: &Outputs, data: &Data, answer: &Answer) -> Result<(), TestCaseError> {
    let lines = outputs.rows("settlement.csv");
    let summary = outputs.rows("summary.csv");
    let manifest: serde_json::Value = serde_json::from_str(&outputs.text("manifest.json")).expect("JSON");
    // Shares add up to the fee of each charge.
    for cohort in lines.iter().map(|line| (&line["cohort"], &line["institution_id"])) {
        let of = lines.iter().filter(|line| (&line["cohort"], &line["institution_id"]) == cohort);
        let gross: i64 = of.clone().map(|line| fen(&line["gross"])).sum();
        let counts: Vec<i64> = of.map(|line| line["count"].parse::<i64>().expect("a count")).collect();
        prop_assert!(counts.windows(2).all(|pair| pair[0] == pair[1]));
        prop_assert_eq!(gross, counts[0] * 1_500);
    }
    // Posted, plus what is to be paid, less what comes back, is what is due.
    for line in lines.iter().filter(|line| line["source"] == "resident_fund") {
        let due = if line["final"].is_empty() { &line["prepay"] } else { &line["final"] };
        prop_assert_eq!(fen(&line["posted"]) + fen(&line["payable"]) - fen(&line["recover"]), fen(due));
    }
    // Settled lines add up to institutions, all lines to the totals of the manifest.
    for column in ["gross", "prepay", "final", "posted", "payable", "recover"] {
        let amount = |row: &Row| if row[column].is_empty() { 0 } else { fen(&row[column]) };
        for institution in &summary {
            let of = |line: &&Row| {
                line["institution_id"] == institution["institution_id"] && line["source"] == "resident_fund"
            };
            prop_assert_eq!(
                amount(institution),
                lines.iter().filter(of).map(amount).sum::<i64>(),
                "{}",
                column
            );
        }
        let mut by_source: BTreeMap<String, i64> = BTreeMap::new();
        for line in &lines {
            *by_source.entry(line["source"].clone()).or_default() += amount(line);
        }
        let totals = manifest["sources"].as_object().expect("totals");
        prop_assert_eq!(totals.len(), by_source.len());
        for (source, sum) in by_source {
            let total = totals[&source][column].as_str().map_or(0, fen);
            prop_assert_eq!(total, sum, "{} of {}", column, source);
        }
    }
    // No row is lost.
    let sum = |column: &str| -> usize {
        summary.iter().map(|row| row[column].parse::<usize>().expect("a number")).sum()
    };
    let refused = answer.refused.keys().filter(|(kind, _)| *kind == "signings").count();
    let fates = refused + answer.void.len() + answer.charged.len() + answer.idle.len();
    prop_assert_eq!(data.signings.len(), fates);
    prop_assert_eq!((sum("admitted"), sum("held")), (answer.charged.len(), 0));
    let of_known = |row: usize| INSTITUTIONS.iter().any(|(id, ..)| *id == data.signings[row].institution);
    let known = (0..data.signings.len()).filter(|row| of_known(*row)).count();
    prop_assert_eq!(sum("signings"), known);
    prop_assert_eq!(sum("void"), answer.void.iter().filter(|row| of_known(**row)).count());
    let refused = answer.refused.keys().filter(|(kind, row)| *kind == "signings" && of_known(*row));
    prop_assert_eq!(sum("rejected"), refused.count());
    let input = |kind: &str| -> u64 {
        let inputs = manifest["inputs"].as_array().expect("inputs").iter();
        inputs.filter(|input| input["kind"] == kind).map(|input| input["rows"].as_u64().expect("rows")).sum()
    };
    prop_assert_eq!(input("signings"), data.signings.len() as u64);
    prop_assert_eq!(input("swipes"), data.swipes.len() as u64);
    prop_assert_eq!(manifest["rows"]["void"].as_u64(), Some(answer.void.len() as u64));
    // Codes are counted as they are listed.
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for row in outputs.rows("rejected.csv").iter().chain(&outputs.rows("flags.csv")) {
        *codes.entry(row["code"].clone()).or_default() += 1;
    }
    let counted = manifest["codes"].as_object().expect("codes");
    let counted: BTreeMap<String, u64> =
        counted.iter().map(|(code, count)| (code.clone(), count.as_u64().expect("a count"))).collect();
    prop_assert_eq!(counted, codes);
    // Figures of the whole.
    let figures = outputs.rows("figures.csv");
    let whole = |name: &str| {
        let row = figures.iter().find(|row| row["figure"] == name && row["institution_id"].is_empty());
        row.map(|row| row["value"].clone()).expect("a figure")
    };
    prop_assert_eq!(whole("free_signings"), answer.free.to_string());
    prop_assert_eq!(fen(&whole("individual_share")), answer.individual);
    Ok(())
}

proptest! {
    #![proptest_config(config(160))]

    #[test]
    fn the_second_calculation_agrees_and_everything_adds_up(data in data(), period in select(PERIODS.to_vec())) {
        let (outputs, places) = settled(&data, period.0, 1, 1);
        let answer = second::settle(&data, period.1);
        agree(&outputs, &places, &answer)?;
        adds_up(&outputs, &data, &answer)?;
    }
}

/// Contract ids of their own, so that no tie is left to the order of the file.
fn without_ties() -> impl Strategy<Value = Data> {
    data().prop_map(|mut data| {
        for (row, signing) in data.signings.iter_mut().enumerate() {
            signing.contract = format!("U{row}");
        }
        data
    })
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn the_order_of_rows_moves_nothing(
        (data, shuffled) in without_ties().prop_flat_map(|data| {
            let rows = data.clone();
            let parts = (
                Just(data.signings.clone()).prop_shuffle(),
                Just(data.swipes.clone()).prop_shuffle(),
                Just(data.scores.clone()).prop_shuffle(),
                Just(data.payments.clone()).prop_shuffle(),
            );
            let shuffled = parts
                .prop_map(|(signings, swipes, scores, payments)| Data { signings, swipes, scores, payments });
            (Just(rows), shuffled)
        }),
        period in select(PERIODS.to_vec()),
    ) {
        let (plain, _) = settled(&data, period.0, 1, 1);
        let (other, _) = settled(&shuffled, period.0, 1, 1);
        for name in ["settlement.csv", "summary.csv", "clawback.csv", "figures.csv"] {
            prop_assert_eq!(other.text(name), plain.text(name), "{}", name);
        }
    }

    #[test]
    fn several_files_are_as_one(data in data(), parts in 2..6usize, period in select(PERIODS.to_vec())) {
        let (plain, _) = settled(&data, period.0, 1, 1);
        let (split, _) = settled(&data, period.0, parts, 1);
        for name in ["settlement.csv", "summary.csv", "clawback.csv", "figures.csv"] {
            prop_assert_eq!(split.text(name), plain.text(name), "{}", name);
        }
    }

    #[test]
    fn threads_change_no_byte(data in data(), parts in 1..4usize, period in select(PERIODS.to_vec())) {
        let case = Case::default();
        write(&case, &data, parts);
        prop_assert_eq!(settle(&case, period.0, 1), settle(&case, period.0, 4));
    }
}

/// A property of data that never clash would hold of anything: the generator reaches every code that
/// settling Urumqi can raise.
#[test]
fn the_generated_data_raise_every_code() {
    let mut runner = TestRunner::new(config(160));
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..runner.config().cases {
        let data = data().new_tree(&mut runner).expect("data").current();
        let answer = second::settle(&data, PERIODS[0].1);
        for code in answer.refused.values().chain(answer.flags.iter().map(|(code, ..)| code)) {
            *met.entry(code.to_string()).or_default() += 1;
        }
    }
    let wanted = [
        "E102", "E103", "E104", "E106", "E201", "E301", "E302", "E303", "E304", "E305", "E401", "E403",
        "E405", "E501", "E502", "E503", "E506", "E601", "E602", "E603", "E604", "E605", "W701", "W702",
        "W703", "W704", "W706", "W710",
    ];
    for code in wanted {
        assert!(met.get(code).is_some_and(|count| *count >= 3), "{code} is hardly met: {met:?}");
    }
}

/// Enough rows for many blocks, made by a small generator of its own: block edges fall into quoted notes,
/// repeated contract ids and swipe ids stand far apart, and all of it agrees with the second calculation.
#[test]
fn many_blocks_agree_too() {
    let mut state = 20_191_101u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let people: Vec<String> = (0..9_000)
        .map(|number| {
            id(&format!("{}-{:02}-{:02}", 1940 + number % 60, 1 + number % 12, 1 + number % 28), number)
        })
        .collect();
    let places = ["C1", "C2", "C5", "C1", "C2", "C9"];
    let mut data = Data::default();
    for number in 0..24_000 {
        let note = match next(6) {
            0 => format!("{}\nand \"so\" on, for {} lines", "long ".repeat(next(90)), next(9)),
            _ => String::new(),
        };
        let repeated = next(40) == 0;
        let contract = if repeated { next(number + 1) } else { number };
        data.signings.push(Signing {
            contract: format!("HT2020{contract:08}"),
            person: people[next(people.len())].clone(),
            institution: places[next(places.len())].into(),
            package: if next(5) == 0 { "free" } else { "有偿服务包" }.into(),
            signed_on: DAYS[next(DAYS.len())].into(),
            paid: if next(10) == 0 { "" } else { "4.50" }.into(),
            status: if next(30) == 0 { "void" } else { "" }.into(),
            note,
            ..Signing::default()
        });
    }
    for number in 0..20_000 {
        let id = if next(50) == 0 { next(number + 1) } else { number };
        data.swipes.push(Swipe {
            id: format!("SK{id:08}"),
            person: people[next(people.len())].clone(),
            institution: places[next(places.len())].into(),
            at: format!("{} 10:{:02}:00", DAYS[next(DAYS.len())], next(60)),
            item: if next(3) == 0 { "血常规检查" } else { "consult" }.into(),
            charged: if next(20) == 0 { "3.00" } else { "0" }.into(),
        });
    }
    data.scores.push(Score {
        institution: "C1".into(),
        period: "2020Q1".into(),
        score: "88.8".into(),
        assessed_on: "2020-04-09".into(),
        ..Score::default()
    });
    let case = Case::default();
    let numbers = write(&case, &data, 1);
    let size = fs::metadata(case.data().join("signings.csv")).expect("a file").len();
    assert!(size > 2 << 20, "{size} bytes are more than a few blocks");
    let outputs = settle(&case, "2020", 1);
    let answer = second::settle(&data, PERIODS[2].1);
    let agreed = agree(&outputs, &numbers, &answer).and_then(|()| adds_up(&outputs, &data, &answer));
    if let Err(error) = agreed {
        panic!("{}", error.to_string().chars().take(4_000).collect::<String>());
    }
    assert!(outputs == settle(&case, "2020", 4), "4 threads write what 1 writes");
}

/// The second calculation is held against figures worked out by hand, so that both can't be wrong alike.
#[test]
fn the_second_calculation_knows_what_was_worked_out_by_hand() {
    let signing = |contract: &str, person: String, institution: &str, signed_on: &str| Signing {
        contract: contract.into(),
        person,
        institution: institution.into(),
        package: "paid".into(),
        signed_on: signed_on.into(),
        paid: "4.50".into(),
        ..Signing::default()
    };
    let data = Data {
        signings: vec![
            signing("K1", id("1970-05-20", 1), "C1", "2020-01-06"),
            signing("K2", id("1970-05-20", 2), "C1", "2020-03-31"),
            signing("K3", id("1970-05-20", 3), "C1", "2020-04-01"),
            signing("K4", id("1970-05-20", 1), "C1", "2021-01-05"),
            signing("K5", id("1970-05-20", 1), "C2", "2021-01-05"),
            signing("K6", "999901700520001".into(), "C2", "2021-01-06"),
            signing("K1", id("1970-05-20", 4), "C2", "2020-02-01"),
            signing("K7", id("1970-05-20", 5), "C3", "2020-02-01"),
            signing("K8", id("1970-05-20", 5), "C2", "2019-10-31"),
        ],
        scores: vec![Score {
            institution: "C1".into(),
            period: "2020Q1".into(),
            score: "64.99".into(),
            ..Score::default()
        }],
        payments: vec![Payment {
            institution: "C1".into(),
            cohort: "2020Q1".into(),
            source: "resident_fund".into(),
            amount: "10.50".into(),
        }],
        ..Data::default()
    };
    let answer = second::settle(&data, &[(2020, 1)]);
    let codes: Vec<(usize, &str)> = answer.refused.iter().map(|((_, row), code)| (*row, *code)).collect();
    assert_eq!(codes, [(3, "E502"), (4, "E503"), (6, "E501"), (7, "E302"), (8, "E305")]);
    // 21.00 × 0.4998 = 10.4958, so 10.50 was just right.
    let fund =
        ["2020Q1", "C1", "resident_fund", "2", "0", "21.00", "0.00", "10.50", "64.99", "0.4998", "10.50"];
    assert_eq!(answer.lines[1][..11], fund);
    assert_eq!(answer.lines[1][11..], ["10.50", "0.00", "0.00"]);
    assert_eq!(answer.lines[0][..6], ["2020Q1", "C1", "individual", "2", "0", "9.00"]);
    assert_eq!(answer.idle.iter().copied().collect::<Vec<_>>(), [2, 5]);
    assert!(answer.flags.is_empty());
}
