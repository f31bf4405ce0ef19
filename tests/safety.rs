//! Names and notes of an export are text, never markup and never a formula.

mod support;

use std::fs;
use std::process::Command;

use support::{all_text, good, id, jiayi, rows};

/// What a spreadsheet would compute, a browser would run, or a table would break on.
const HOSTILE: [&str; 12] = [
    "=HYPERLINK(\"http://x.invalid\",\"x\")",
    "<script>alert(1)</script>",
    "\"",
    "a\r\nb",
    "+1+1",
    "@SUM(A1)",
    "\tx",
    "-2+3",
    "</td></table><img src=x onerror=alert(1)>",
    "'><svg onload=alert(1)>",
    "http://x.invalid/",
    "&lt;b&gt; ]]> <!-- \u{1}",
];

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[test]
fn no_institution_is_called_by_an_id_number() {
    let case = support::Case::good();
    let person = id("1955-03-01", 7);
    let text = fs::read_to_string(case.data().join("institutions.csv")).expect("institutions");
    let commas = ",".repeat(text.lines().next().expect("a header").matches(',').count() - 1);
    case.write("institutions.csv", format!("{text}{person},Doctor{commas}\n"));
    let refused = case.settle(&[]);
    let told = support::stderr(&refused);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("institutions.csv:") && told.contains("put a hyphen into it"), "{told}");
    assert!(
        told.contains(&format!("{}********{}", &person[..6], &person[14..])) && !told.contains(&person),
        "{told}"
    );
    assert!(!case.out().exists());
    case.write("institutions.csv", format!("{text}D{person},Doctor{commas}\n"));
    assert_eq!(case.settle(&[]).status.code(), Some(1), "nor by one with more around it");
    let hyphen = format!("{}-{}", &person[..6], &person[6..]);
    case.write("institutions.csv", format!("{text}{hyphen},Doctor{commas}\n"));
    good(&case.settle(&[]));
}

#[test]
fn what_the_disk_says_is_told_in_chinese() {
    let case = support::Case::good();
    case.write("taken", "a file");
    let under = case.data().join("taken").join("out");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("jiayi"));
    command.args(["settle", "--region", "urumqi", "--quarter", "2020Q1", "--lang", "zh", "--data"]);
    let refused = command.arg(case.data()).arg("--out").arg(&under).output().expect("it runs");
    let told = support::stderr(&refused);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(told.contains("已有同名的文件") && !told.contains("os error"), "{told}");
}

#[test]
fn hostile_names_and_notes_do_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, data) = (folder.path(), folder.path().join("data"));
    fs::create_dir(&data).expect("a folder");
    let mut institutions = "institution_id,name,kind,district,parent_id\n".to_string();
    let mut signings = "contract_id,person_id,institution_id,package,signed_on\n".to_string();
    let mut scores = "institution_id,period,score\n".to_string();
    let mut adjustments = "institution_id,source,cohort,amount,document,reason\n".to_string();
    for (at, text) in HOSTILE.iter().enumerate() {
        let (cell, score) = (quoted(text), 50 + at * 4);
        institutions += &format!("A{at},{cell},村卫生室,{cell},{cell}\n");
        // One signing that counts, one that is refused with its contract id shown, one of nowhere.
        let (contract, person) = (quoted(&format!("{text}{at}")), |nth| id("1955-03-01", at * 3 + nth));
        signings += &format!("{contract},{},A{at},有偿服务包,2020-01-06\n", person(0));
        signings += &format!("{contract},{},A{at},有偿服务包,2020-01-07\n", person(1));
        signings += &format!("N{at},{},{cell},{cell},2020-01-07\n", person(2));
        scores += &format!("A{at},2020Q1,{score}\n");
        adjustments += &format!("A{at},resident_fund,2020Q1,1.00,{cell},{cell}\n");
    }
    for (name, text) in [("institutions.csv", institutions), ("signings.csv", signings)] {
        fs::write(data.join(name), text).expect("written");
    }
    fs::write(home.join("adjustments.csv"), adjustments).expect("written");
    let root = env!("CARGO_MANIFEST_DIR");
    let settle = |out: &str| {
        let mut command = jiayi(home);
        command
            .args(["settle", "--region", "urumqi-bureau", "--regions"])
            .arg(format!("{root}/samples/regions"));
        command.args(["--quarter", "2020Q1", "--data", "data", "--quiet", "--out", out]);
        good(&command.args(["--operator", "<b>李四</b>"]).output().expect("it runs"));
    };
    let run = |words: &[&str]| good(&jiayi(home).args(words).output().expect("it runs"));
    settle("first");
    run(&["post", "first", "--approved-by", "=1+<i>王五</i>"]);
    let regions = format!("{root}/samples/regions");
    run(&[
        "ledger",
        "adjust",
        "adjustments.csv",
        "--region",
        "urumqi-bureau",
        "--regions",
        &regions,
        "--data",
        "data",
        "--operator",
        "李四",
        "--approved-by",
        "王五",
    ]);
    // Money comes back from some once the scores are there.
    fs::write(data.join("scores.csv"), scores).expect("written");
    settle("out");
    let out = home.join("out");

    for name in ["settlement.csv", "summary.csv", "clawback.csv", "rejected.csv", "flags.csv", "delta.csv"] {
        let text = fs::read_to_string(out.join(name)).expect("read");
        for cell in rows(&text).iter().flat_map(|row| row.values()) {
            let number = cell.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.');
            assert!(number || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell:?}");
        }
    }

    let books = tempfile::tempdir().expect("a folder");
    fs::copy(out.join("settlement.xlsx"), books.path().join("settlement.xlsx")).expect("copied");
    let parts = all_text(books.path());
    for formula in parts.split("<f>").skip(1) {
        let formula = formula.split("</f>").next().expect("an end");
        assert!(
            formula.starts_with("SUM(") || formula.contains("!$") || formula.starts_with('\''),
            "{formula}"
        );
    }
    assert!(!parts.contains("<script") && !parts.contains("<hyperlink") && !parts.contains("<img"));
    assert!(parts.contains("=HYPERLINK(\"http://x.invalid\",\"x\")") && parts.contains("&lt;script&gt;"));

    let report = fs::read_to_string(out.join("report.html")).expect("read");
    assert_eq!(report.matches("<script").count(), 1, "its own");
    let mut statements = String::new();
    for file in fs::read_dir(out.join("statements")).expect("a folder") {
        statements += &fs::read_to_string(file.expect("readable").path()).expect("read");
    }
    assert!(!statements.contains("<script"));
    for html in [&report, &statements] {
        for markup in ["<img", "<svg onload", "<b>李四", "<i>王五", "<!-- ", "\u{1}"] {
            assert!(!html.contains(markup), "{markup}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
    // The notes of what was agreed on paper, who posted, and notices of recovery are among them.
    for part in ["按文件调整", "&lt;i&gt;王五&lt;/i&gt;", "追回通知书", "&lt;b&gt;李四&lt;/b&gt;"]
    {
        assert!(statements.contains(part), "{part}");
    }
    let verified =
        Command::new(env!("CARGO_BIN_EXE_jiayi")).args(["verify", "out"]).current_dir(home).output();
    good(&verified.expect("it runs"));
}
