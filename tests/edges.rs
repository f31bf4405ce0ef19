//! Inputs that once broke something: each must end in a word for the clerk, never in a crash, a lost file
//! or an ID number shown in full.

mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output};

const INSTITUTIONS: &str = "institution_id,name,kind\nA1,甲,village_clinic\n";
const SIGNINGS: &str = "contract_id,person_id,institution_id,package,signed_on,personal_paid\n";
/// Area code 999901 is assigned to nobody.
const PERSON: &str = "999901195503010020";

fn jiayi(folder: &Path, arguments: &[&OsStr]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jiayi"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("JIAYI_LANG", "en")
        .output()
        .expect("it runs")
}

fn run(folder: &Path, command: &str) -> Output {
    let words: Vec<&OsStr> = command.split_whitespace().map(OsStr::new).collect();
    jiayi(folder, &words)
}

fn data(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("d")).expect("a folder");
    fs::write(folder.path().join("d/institutions.csv"), INSTITUTIONS).expect("a file");
    for (name, text) in files {
        fs::write(folder.path().join("d").join(name), text).expect("a file");
    }
    folder
}

fn signing(contract: &str, paid: &str) -> String {
    format!("{contract},{PERSON},A1,paid,2020-01-03,{paid}\n")
}

const SETTLE: &str = "settle --region urumqi --quarter 2020Q1 --data d --out o";

fn codes(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("o/rejected.csv")).expect("rejected.csv");
    text.lines().skip(1).filter_map(|row| row.split(',').nth(6).map(String::from)).collect()
}

#[test]
fn numbers_of_any_length_are_refused_and_nothing_overflows() {
    let mut rows = SIGNINGS.to_string() + &signing("C0", "4.50");
    rows += &signing("C1", &"-".repeat(60_000));
    rows += &signing("C2", "1000000000.00");
    let payment = "A1,2020Q1,resident_fund,999999999999999.99\n".repeat(93);
    let payments = format!("institution_id,cohort,source,amount\n{payment}");
    let folder = data(&[("signings.csv", rows), ("payments.csv", payments)]);
    let done = run(folder.path(), SETTLE);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let codes = codes(folder.path());
    assert_eq!(codes.iter().filter(|code| *code == "E104").count(), 95, "{codes:?}");
}

#[test]
fn a_folder_name_that_is_no_text_is_a_folder_all_the_same() {
    let folder = data(&[("signings.csv", SIGNINGS.to_string() + &signing("C0", "4.50"))]);
    let name = OsStr::from_bytes(b"d\xca\xfd");
    fs::rename(folder.path().join("d"), folder.path().join(name)).expect("renamed");
    let words =
        ["settle", "--region", "urumqi", "--quarter", "2020Q1", "--out", "o", "--data"].map(OsStr::new);
    let done = jiayi(folder.path(), &[&words[..], &[name]].concat());
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(folder.path().join("o/run.json").is_file());
}

#[test]
fn a_million_threads_are_wrong_usage() {
    let folder = data(&[("signings.csv", SIGNINGS.to_string())]);
    assert_eq!(run(folder.path(), &format!("{SETTLE} --threads 200000")).status.code(), Some(2));
}

#[test]
fn id_numbers_are_hidden_wherever_they_stand() {
    let wide: String =
        PERSON.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).expect("a digit")).collect();
    let spaced = "999901 19550301 0020";
    let mut rows = SIGNINGS.to_string();
    for id in [PERSON, &wide, spaced] {
        rows += &format!("C-{id},{PERSON},{id},{id},2020-01-03,{id}\n");
        rows += &format!("{id},{id},A1,{id},2020-01-03,\n");
    }
    let payments = format!(
        "institution_id,cohort,source,amount,package\nA1,{PERSON},{PERSON},1,{PERSON}\nA1,2020Q1,{PERSON},1,\n"
    );
    let scores = format!("institution_id,period,score,level\nA1,{PERSON},80,\nA1,2020Q1,80,{PERSON}\n");
    let sheets = format!(
        "institution_id,period,indicator,value\nA1,2020Q1,{PERSON},1\nA1,2020Q1,1,{PERSON}\nA1,2020Q1,2,yes\n"
    );
    let files =
        [("signings.csv", rows), ("payments.csv", payments), ("scores.csv", scores), ("sheets.csv", sheets)];
    let folder = data(&files);
    let mut seen = String::new();
    for command in [
        SETTLE.to_string(),
        format!("{SETTLE} --format json"),
        "check --region urumqi --data d".into(),
        "check --region urumqi --data d --format json".into(),
        "assess --region urumqi --period 2020Q1 d/sheets.csv --data d -o a/scores.csv".into(),
    ] {
        let done = run(folder.path(), &command);
        assert_eq!(done.status.code(), Some(0), "{command}: {}", String::from_utf8_lossy(&done.stderr));
        seen += &String::from_utf8_lossy(&done.stdout);
        seen += &String::from_utf8_lossy(&done.stderr);
    }
    for name in ["o", "a"] {
        seen += &support::all_text(&folder.path().join(name));
    }
    // A file whose header is missing shows its first row instead.
    fs::write(folder.path().join("d/signings.csv"), format!("C1,{PERSON},A1,paid,2020-01-03\n"))
        .expect("a file");
    let done = run(folder.path(), SETTLE);
    assert_eq!(done.status.code(), Some(1));
    seen += &String::from_utf8_lossy(&done.stderr);
    for id in [PERSON, &wide, spaced] {
        assert!(
            !seen.contains(id),
            "{id} is shown: …{}",
            &seen[seen.find(id).unwrap_or(0).saturating_sub(200)..]
        );
    }
    assert!(seen.contains("999901********0020"));
}

#[test]
fn assess_overwrites_nothing_but_its_own() {
    let sheet = "institution_id,period,indicator,value\nA1,2020Q1,1,100\n";
    let folder = data(&[("sheets.csv", sheet.to_string())]);
    let assess = |output: &str| {
        run(folder.path(), &format!("assess --region urumqi --period 2020Q1 d/sheets.csv -o {output}"))
    };
    for output in ["d/sheets.csv", "d/scorecard.csv", "d/rejected.csv", "d"] {
        assert_eq!(assess(output).status.code(), Some(1), "{output}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("d/sheets.csv")).expect("the sheet"), sheet);
    assert!(!folder.path().join("d/scorecard.csv").exists());
    fs::write(folder.path().join("d/rejected.csv"), "mine\n").expect("a file");
    assert_eq!(assess("d/scores.csv").status.code(), Some(1));
    assert_eq!(fs::read_to_string(folder.path().join("d/rejected.csv")).expect("mine"), "mine\n");
    fs::remove_file(folder.path().join("d/rejected.csv")).expect("gone");
    assert_eq!(assess("d/scores.csv").status.code(), Some(0));
    assert_eq!(assess("d/scores.csv").status.code(), Some(0), "its own may be written again");
    let other = run(folder.path(), "assess --region urumqi --period 2020Q2 d/sheets.csv -o d/scores.csv");
    assert_eq!(other.status.code(), Some(1), "a sheet of another period leaves the scores as they are");
    let next = sheet.replace("2020Q1", "2020Q2");
    fs::write(folder.path().join("d/sheets.csv"), next).expect("written");
    let assess = |output: &str| {
        run(folder.path(), &format!("assess --region urumqi --period 2020Q2 d/sheets.csv -o {output}"))
    };
    let card = fs::read_to_string(folder.path().join("d/scorecard.csv")).expect("the first card");
    let refused = assess("d/scores.csv");
    assert_eq!(refused.status.code(), Some(1), "the scorecard is of another period");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("scores-2020Q2.csv"));
    assert_eq!(fs::read_to_string(folder.path().join("d/scorecard.csv")).expect("it stays"), card);
    assert_eq!(assess("d/scores-2020Q2.csv").status.code(), Some(0));
    assert!(folder.path().join("d/scorecard-2020Q2.csv").exists());
    // A quarter of the year is another period than the year.
    let scores = folder.path().join("d/scores-2020Q2.csv");
    let yearly = fs::read_to_string(&scores).expect("scores") + "A1,2020,,90,,1\n";
    fs::write(&scores, &yearly).expect("written");
    assert_eq!(assess("d/scores-2020Q2.csv").status.code(), Some(1), "scores of the year are there");
    assert_eq!(assess("/dev/full").status.code(), Some(1), "a device is no file of scores");
    fs::remove_file(&scores).expect("gone");
    assert_eq!(assess("d/scores-2020Q2.csv").status.code(), Some(0));
    let dated = fs::read_to_string(&scores).expect("scores").replace("ratio", "ratio,assessed_on");
    fs::write(&scores, &dated).expect("a day of assessment is added");
    assert_eq!(assess("d/scores-2020Q2.csv").status.code(), Some(1), "a column was added");
    assert_eq!(fs::read_to_string(&scores).expect("it stays"), dated);
}

#[test]
fn headers_with_a_remark_are_read_however_short_they_are() {
    let header = "协议编号,身份证号,机构编码,服务包,签约日期,余额（元）,期限（月）\n";
    let row = |contract: &str, balance: &str, term: &str| {
        format!("{contract},{PERSON},A1,有偿服务包,2020-01-03,{balance},{term}\n")
    };
    let rows = header.to_string() + &row("C1", "1.00", "12") + &row("C2", "20.00", "24");
    let payments = "机构编码,批次,资金来源,金额（元）\nA1,2020Q1,resident_fund,1.00\n".to_string();
    let folder = data(&[("signings.csv", rows), ("payments.csv", payments)]);
    let done = run(folder.path(), SETTLE);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(codes(folder.path()), ["E405", "E403"]);
}

#[test]
fn what_could_cost_money_is_said() {
    let rows = SIGNINGS.to_string() + &signing("C0", "4.50");
    let scores = "institution_id,period,score\nA1,2020Q1,95\n".to_string();
    let payments = "institution_id,cohort,source,amount\nA1,2020Q1,resident_fund,5.25\n".to_string();
    let files = [("signings.csv", rows), ("scores.csv", scores), ("payment.csv", payments.clone())];
    let folder = data(&files);
    let said = |folder: &Path| {
        let done = run(folder, SETTLE);
        assert_eq!(done.status.code(), Some(0));
        let manifest = fs::read_to_string(folder.join("o/manifest.json")).expect("a manifest");
        assert!(manifest.contains("\"notices\": ["));
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let first = said(folder.path());
    assert!(first.contains("no payments*.csv") && first.contains("`payment.csv`"), "{first}");
    assert!(first.contains("`designated`") && first.contains("E302") && first.contains("E405"), "{first}");
    fs::rename(folder.path().join("d/payment.csv"), folder.path().join("d/payments.csv")).expect("renamed");
    fs::write(folder.path().join("d/payments-copy.csv"), payments).expect("a file");
    let twice = said(folder.path());
    assert!(twice.contains("the same bytes"), "{twice}");
    fs::write(
        folder.path().join("d/payments-copy.csv"),
        "institution_id,cohort,source,amount\nA1,2020Q2,resident_fund,5.25\nA1,2020Q1,fund,5.25\n",
    )
    .expect("a file");
    let refused = said(folder.path());
    assert!(
        refused.contains("1 rows of payments were refused") && refused.contains("outside 2020Q1"),
        "{refused}"
    );
}

#[test]
fn a_stranger_in_the_output_folder_keeps_it_from_being_replaced() {
    let folder = data(&[("signings.csv", SIGNINGS.to_string() + &signing("C0", "4.50"))]);
    assert_eq!(run(folder.path(), SETTLE).status.code(), Some(0));
    assert_eq!(run(folder.path(), SETTLE).status.code(), Some(0), "its own output is replaced");
    fs::write(folder.path().join("o/note.txt"), "mine").expect("a file");
    assert_eq!(run(folder.path(), SETTLE).status.code(), Some(1));
    assert!(folder.path().join("o/note.txt").is_file());
}

/// Of the hashes of S0532676 and S0871820 the bits that are kept are the same.
#[test]
fn swipe_ids_that_only_share_bits_of_their_hash_are_two() {
    let swipes = |rows: &[(&str, &str)]| {
        let row = |(id, end): &(&str, &str)| format!("{PERSON},A1,2020-02-01,{id}{end}");
        let rows: String = rows.iter().map(row).collect();
        format!("person_id,institution_id,swiped_at,swipe_id\n{rows}")
    };
    let told = |rows: &[(&str, &str)]| {
        let signings = SIGNINGS.to_string() + &signing("C0", "4.50");
        let folder = data(&[("signings.csv", signings), ("swipes.csv", swipes(rows))]);
        assert!(run(folder.path(), SETTLE).status.success());
        let text = fs::read_to_string(folder.path().join("o/rejected.csv")).expect("rejected.csv");
        let told = text.lines().skip(1).map(|row| {
            let cells: Vec<&str> = row.split(',').collect();
            format!("{} {} {}", cells[1], cells[6], cells[7])
        });
        told.collect::<Vec<_>>()
    };
    let (one, other) = ("S0532676", "S0871820");
    assert!(told(&[(one, "\n"), (other, "\n")]).is_empty());
    let twice = |line: u32, first: u32| format!("{line} E506 流水号已在 swipes.csv:{first} 出现");
    let all = told(&[(one, "\n"), (other, "\n"), (one, "\n"), (other, "\n"), (other, "\n")]);
    assert_eq!(all, [twice(4, 2), twice(5, 3), twice(6, 3)]);
    // The last row may end with the file, be it quoted or not.
    assert_eq!(told(&[(one, "\n"), (one, "")]), [twice(3, 2)]);
    assert_eq!(told(&[(one, "\r\n"), ("\"S0532676\"", "")]), [twice(3, 2)]);
}
