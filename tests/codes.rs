//! Every code of SPEC §2.1 has a folder `tests/codes/<CODE>/`: the smallest data that raises it, the
//! neighbours that are just accepted, and `expected.csv`, the exact rejected.csv (E) or flags.csv (W).
//! Where score sheets can raise it, `expected-sheets.csv` is what `assess` refuses of `sheets.csv`.
//!
//! In signings.csv the contract ids say what must become of a row: `OK…` has a charge in the period,
//! `IDLE…` is taken without one, `VOID…` is void, and in a folder of an E code all others are refused.
//! The column `name`, which the program does not read, says why. `run.toml` names another region,
//! period or number of charged rows; a folder's own `regions/` holds invented policies.
//!
//! `JIAYI_BLESS=1 cargo test --test codes` writes the expected files anew: read every line of the diff.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiayi::base::code::Code;
use jiayi::base::period::Period;
use jiayi::policy::version;
use jiayi::report::csv::rejected;
use jiayi::report::findings::{shown, sorted};
use jiayi::report::output::CsvForm;
use jiayi::stages::Watch;
use jiayi::words::Lang;
use support::{Row, good, jiayi, regions, rows, tests_folder};

/// What `run.toml` may say.
struct Setting {
    region: String,
    rules: PathBuf,
    period: String,
    charged: Option<u64>,
}

fn setting(folder: &Path) -> Setting {
    let text = fs::read_to_string(folder.join("run.toml")).unwrap_or_default();
    let table: toml::Table = text.parse().expect("run.toml is TOML");
    let said = |key: &str| table.get(key).map(|value| value.as_str().expect("a text").to_string());
    let own = folder.join("regions");
    Setting {
        region: said("region").unwrap_or_else(|| "urumqi".into()),
        rules: if own.is_dir() { own } else { regions() },
        period: said("period").unwrap_or_else(|| "2020Q1".into()),
        charged: table.get("charged").map(|value| value.as_integer().expect("a number") as u64),
    }
}

#[test]
fn every_code_has_a_folder_and_every_folder_a_code() {
    let mut wanted: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    wanted.sort_unstable();
    let entries = fs::read_dir(tests_folder("codes")).expect("tests/codes");
    let mut there: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    there.sort_unstable();
    assert_eq!(there, wanted);
}

#[test]
fn every_code_is_raised_where_it_should_and_nowhere_else() {
    let mut failures = Vec::new();
    for code in Code::ALL {
        let folder = tests_folder("codes").join(code.name());
        failures.extend(settled(*code, &folder).into_iter().map(|failure| format!("{code}: {failure}")));
        if folder.join("sheets.csv").is_file() {
            failures.extend(assessed(*code, &folder).into_iter().map(|failure| format!("{code}: {failure}")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Settles the folder's data and compares what was refused or flagged, and what was not.
fn settled(code: Code, folder: &Path) -> Vec<String> {
    let setting = setting(folder);
    let home = tempfile::tempdir().expect("a folder for the test");
    let out = home.path().join("out");
    let mut command = jiayi(home.path());
    command.args(["settle", "--region", &setting.region, "--period", &setting.period, "--file-lang", "en"]);
    command.arg("--regions").arg(&setting.rules).arg("--data").arg(folder).arg("--out").arg(&out);
    good(&command.output().expect("the program starts"));
    let read = |name: &str| fs::read_to_string(out.join(name)).expect("an output");
    let shown = if code.is_flag() { "flags.csv" } else { "rejected.csv" };
    let mut failures = Vec::from_iter(compare(&read(shown), &folder.join("expected.csv")));
    failures.extend(raised(code, &folder.join("expected.csv"), folder));
    let refused = rows(&read("rejected.csv"));
    if code.is_flag() && !refused.is_empty() {
        failures.push(format!("nothing should be refused: {refused:?}"));
    }
    failures.extend(became(code, folder, &refused, &rows(&read("summary.csv")), setting.charged));
    failures
}

/// What `assess` refuses of the folder's sheets.
fn assessed(code: Code, folder: &Path) -> Vec<String> {
    let setting = setting(folder);
    let region = version::load(&setting.region, Some(&setting.rules)).expect("the rules can be read");
    let period = Period::parse(&setting.period).expect("a period");
    let home = tempfile::tempdir().expect("a folder for the test");
    let sheets = [folder.join("sheets.csv")];
    jiayi::pipeline::assess(&region, period, &sheets, Some(folder), Watch::NONE, |assessment| {
        let inputs = assessment.inputs;
        let mut of_sheets = sorted(&inputs.rejects, &inputs.names);
        of_sheets.retain(|at| inputs.rejects.get(*at as usize).kind.name() == "sheets");
        let row = |at: usize| shown(&inputs.rejects, of_sheets[at], &inputs.names, Lang::En);
        rejected(of_sheets.len(), row, home.path(), CsvForm::PLAIN).map(drop)
    })
    .expect("sheets can be assessed");
    let expected = folder.join("expected-sheets.csv");
    let shown = fs::read_to_string(home.path().join("rejected.csv")).expect("rejected.csv");
    let mut failures = Vec::from_iter(compare(&shown, &expected));
    failures.extend(raised(code, &expected, folder));
    failures
}

fn compare(shown: &str, expected: &Path) -> Option<String> {
    if std::env::var_os("JIAYI_BLESS").is_some_and(|value| !value.is_empty()) {
        fs::write(expected, shown).expect("the expected file is written");
    }
    let wanted = fs::read_to_string(expected).unwrap_or_default();
    (shown != wanted).then(|| format!("{} expects\n{wanted}\nbut there was\n{shown}", expected.display()))
}

/// The code itself must stand in what is expected, whoever blessed it.
fn raised(code: Code, expected: &Path, folder: &Path) -> Option<String> {
    let wanted = fs::read_to_string(expected).unwrap_or_default();
    let found = rows(&wanted).iter().any(|row| row["code"] == code.name());
    (!found).then(|| format!("{} does not raise it", folder.display()))
}

/// Holds the contract ids against what became of their rows.
fn became(
    code: Code,
    folder: &Path,
    refused: &[Row],
    summary: &[Row],
    charged: Option<u64>,
) -> Option<String> {
    let text = fs::read(folder.join("signings.csv")).expect("signings.csv");
    let mut wanted: BTreeMap<&str, u64> = BTreeMap::new();
    for record in support::records(&text) {
        let contract = String::from_utf8_lossy(record.get(0).unwrap_or_default()).into_owned();
        let fate = ["OK", "IDLE", "VOID"].into_iter().find(|fate| contract.starts_with(fate));
        if fate.is_some() && refused.iter().any(|row| row["contract_id"] == contract) {
            return Some(format!("`{contract}` should not be refused"));
        }
        *wanted.entry(fate.unwrap_or("refused")).or_default() += 1;
    }
    let sum = |column: &str| -> u64 {
        summary.iter().map(|row| row[column].parse::<u64>().expect("a number")).sum()
    };
    let of = |fate: &str| wanted.get(fate).copied().unwrap_or_default();
    let (has, wants) = (sum("admitted") + sum("held"), charged.unwrap_or_else(|| of("OK")));
    if has != wants {
        return Some(format!("{wants} rows should have a charge, {has} have"));
    }
    if sum("void") != of("VOID") {
        return Some(format!("{} rows should be void, {} are", of("VOID"), sum("void")));
    }
    let signings = refused.iter().filter(|row| row["kind"] == "signings").count() as u64;
    // Rows of E101 belong to no contract that is certain, and csv reads an open quote its own way.
    let certain = !matches!(code, Code::E101) && charged.is_none();
    (certain && signings != of("refused"))
        .then(|| format!("{} signings should be refused, {signings} are", of("refused")))
}
