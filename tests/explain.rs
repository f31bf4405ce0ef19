//! Every line of every sample is explained down to counts and shares that add up to it, and every settlement is
//! verified from its own files.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use support::{Case, good, good_signings, id, jiayi, regions, rows, stderr, tests_folder};

/// The samples, as their goldens settle them: the words behind `settle`.
fn samples() -> Vec<(String, Vec<String>)> {
    ["ankang", "jilin", "sichuan", "urumqi", "urumqi-gb18030", "xinjiang"]
        .into_iter()
        .map(|name| {
            let command =
                fs::read_to_string(tests_folder("golden").join(name).join("command")).expect("a command");
            (name.to_string(), command.split_whitespace().skip(1).map(String::from).collect())
        })
        .collect()
}

fn run(home: &Path, arguments: &[String]) -> Output {
    let mut command = jiayi(home);
    command.args(arguments).output().expect("it runs")
}

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(tests_folder("../samples"), home.path().join("samples")).expect("a link");
    home
}

fn fen(value: &Value) -> i64 {
    value.as_str().expect("amounts are strings").replace('.', "").parse().expect("an amount")
}

/// The value of an option among arguments.
fn option<'a>(arguments: &'a [String], names: &[&str]) -> Option<&'a str> {
    let at = arguments.iter().position(|one| names.contains(&one.as_str()))?;
    Some(arguments[at + 1].as_str())
}

/// As it stands in the file, as it is read, and as somebody types it.
#[test]
fn a_contract_is_found_however_it_is_written() {
    let case = Case::good();
    case.write("signings.csv", good_signings().replace("A1,", "'ＡＢ－1,"));
    let ask = |what: &str, text: &str| {
        let mut command = jiayi(&case.data());
        command.args(["explain", "--region", "urumqi", "--period", "2020Q1", "--data", ".", what, text]);
        command.arg("--regions").arg(regions()).output().expect("it runs")
    };
    for written in ["'ＡＢ－1", "ＡＢ－1", "AB-1", " AB-1 "] {
        let output = ask("--contract", written);
        good(&output);
        assert!(String::from_utf8_lossy(&output.stdout).contains("signings.csv:2"), "{written}");
    }
    let person = id("1955-03-01", 1);
    for written in [person.clone(), format!("'{person}"), person.replace('1', "１")] {
        good(&ask("--person", &written));
    }
    assert_eq!(ask("--contract", "AB-2").status.code(), Some(1));
}

#[test]
fn the_leaves_of_every_line_add_up_to_it() {
    let mut seen = 0;
    for (name, arguments) in samples() {
        let home = home();
        good(&run(home.path(), &[&["settle".to_string()], &arguments[..]].concat()));
        let out = home.path().join(option(&arguments, &["--out"]).unwrap_or("out"));
        let lines = rows(&fs::read_to_string(out.join("settlement.csv")).expect("lines"));
        let institutions: BTreeSet<String> =
            lines.iter().map(|line| line["institution_id"].clone()).collect();
        let period =
            option(&arguments, &["--period", "--quarter", "--half", "--year", "--month"]).expect("a period");
        for institution in institutions {
            let mut explain: Vec<String> =
                ["explain", "--format", "json", "--institution", &institution, "--period", period]
                    .map(String::from)
                    .to_vec();
            for known in ["--region", "--data", "--as-of"] {
                if let Some(value) = option(&arguments, &[known]) {
                    explain.extend([known.to_string(), value.to_string()]);
                }
            }
            let output = run(home.path(), &explain);
            good(&output);
            let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            let of_institution: Vec<_> =
                lines.iter().filter(|line| line["institution_id"] == institution).collect();
            let explained = told["lines"].as_array().expect("lines");
            assert_eq!(explained.len(), of_institution.len(), "{name} {institution}");
            for (line, told) in of_institution.iter().zip(explained) {
                let what = format!("{name} {institution} {} {}", line["cohort"], line["source"]);
                let leaves: i64 = told["charges"]
                    .as_array()
                    .expect("charges")
                    .iter()
                    .map(|leaf| fen(&leaf["amount"]))
                    .sum();
                assert_eq!(leaves, fen(&told["gross"]), "{what}");
                for leaf in
                    told["charges"].as_array().expect("charges").iter().filter(|leaf| leaf["held"].is_null())
                {
                    let count: i64 = leaf["count"].as_str().expect("a count").parse().expect("a number");
                    if leaf["part"] == "1/1" {
                        assert_eq!(count * fen(&leaf["share"]), fen(&leaf["amount"]), "{what}");
                    }
                }
                for column in ["gross", "prepay", "posted", "payable", "recover"] {
                    assert_eq!(told[column], line[column].as_str(), "{what} {column}");
                }
                assert_eq!(told["final"].as_str().unwrap_or_default(), line["final"], "{what}");
                if told["settled"] == true {
                    assert_eq!(
                        fen(&told["due"]) - fen(&told["posted"]),
                        fen(&told["payable"]) - fen(&told["recover"]),
                        "{what}"
                    );
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_settlement_is_verified_and_what_differs_is_told() {
    for (name, arguments) in samples() {
        let home = home();
        good(&run(home.path(), &[&["settle".to_string()], &arguments[..]].concat()));
        let out = option(&arguments, &["--out"]).unwrap_or("out").to_string();
        let verify = |more: &[&str]| {
            let words = [&["verify", out.as_str()], more].concat();
            run(home.path(), &words.into_iter().map(String::from).collect::<Vec<_>>())
        };
        let output = verify(&[]);
        assert!(
            output.status.success(),
            "{name}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            stderr(&output)
        );
        let told = |change: &dyn Fn(), wanted: &[&str]| {
            change();
            let output = verify(&[]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(1), "{name}: {text}");
            for wanted in wanted {
                assert!(text.contains(wanted), "{name} {wanted}: {text}");
            }
        };
        let settlement = home.path().join(&out).join("settlement.csv");
        let before = fs::read_to_string(&settlement).expect("read");
        let mut fields: Vec<Vec<String>> =
            before.lines().map(|line| line.split(',').map(String::from).collect()).collect();
        let payable = fields[0].iter().position(|name| name == "payable").expect("a column");
        let at = fields
            .iter()
            .position(|line| {
                line[payable].ends_with(|last: char| last.is_ascii_digit()) && line[payable] != "0.00"
            })
            .expect("a payable line");
        fields[at][payable] = "99999.99".to_string();
        let changed = fields.iter().map(|line| line.join(",") + "\n").collect::<String>();
        told(
            &|| fs::write(&settlement, &changed).expect("written"),
            &["`settlement.csv` was changed", "payable: ", &format!("`settlement.csv` line {}", at + 1)],
        );
        fs::write(&settlement, &before).expect("written");
        let extra = home.path().join(&out).join("extra.csv");
        told(&|| fs::write(&extra, "x").expect("written"), &["`extra.csv`"]);
        fs::remove_file(&extra).expect("removed");
        // Another export: which file differs, and what it changes.
        let data = home.path().join("data");
        fs::create_dir(&data).expect("a folder");
        for entry in
            fs::read_dir(home.path().join(option(&arguments, &["--data"]).expect("data"))).expect("read")
        {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|end| end == "csv") {
                fs::copy(&path, data.join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        good(&verify(&["--data", "data"]));
        let signings = fs::read(data.join("signings.csv")).expect("read");
        let cut = signings.len()
            - 2
            - signings[..signings.len() - 2].iter().rev().position(|byte| *byte == b'\n').expect("a line");
        fs::write(data.join("signings.csv"), &signings[..cut]).expect("written");
        let output = verify(&["--data", "data"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.code() == Some(1) && text.contains("input `signings.csv` was changed"),
            "{name}: {text}"
        );
    }
}
