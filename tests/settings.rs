//! What of a settlement is written and how (`--only`, `--csv-encoding`, `--csv-headers`, `--reveal-ids`): kept in the
//! manifest, so that whatever reads an output again still can.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use support::{all_text, good, rows, stderr};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn jiayi(home: &Path, line: &str) -> Output {
    let samples = home.join("samples");
    if !samples.exists() {
        std::os::unix::fs::symlink(root().join("samples"), samples).expect("a link");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_jiayi"));
    command.args(line.split_whitespace()).args(["--lang", "en"]).current_dir(home).env_clear();
    command.env("SOURCE_DATE_EPOCH", "1586900000").output().expect("it runs")
}

const BUREAU: &str = "settle --region urumqi-bureau --regions samples/regions --quarter 2020Q1 \
                      --data samples/urumqi-life/2-scores --out out --quiet";

#[test]
fn an_output_in_any_form_is_verified_posted_and_merged() {
    for form in [
        "",
        "--only csv --csv-encoding gb18030 --csv-headers zh --reveal-ids",
        "--only csv,html --csv-encoding utf-8-bom --csv-headers zh --file-lang en --operator 李四",
        "--only csv,xlsx --csv-encoding utf-8-bom",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path();
        good(&jiayi(home, &format!("{BUREAU} {form}")));
        good(&jiayi(home, "verify out"));
        good(&jiayi(home, "merge out --out all"));
        let summary = rows(&fs::read_to_string(home.join("all/summary.csv")).expect("read"));
        assert_eq!(summary.len(), 3, "{form}");
        assert_eq!(summary[0]["gross"], "42.00", "{form}");
        good(&jiayi(home, "post out --operator 李四 --approved-by 王五"));
        good(&jiayi(home, "verify out"));
    }
}

#[test]
fn headers_and_encodings_are_what_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = || fs::read(folder.path().join("out/settlement.csv")).expect("read");
    let settle = |form: &str| good(&jiayi(folder.path(), &format!("{BUREAU} {form}")));
    settle("--only csv");
    let plain = read();
    assert!(plain.starts_with(b"cohort,institution_id,"));
    settle("--only csv --csv-encoding utf-8-bom");
    assert_eq!(read(), [&b"\xEF\xBB\xBF"[..], &plain].concat());
    settle("--only csv --csv-encoding gb18030");
    let bytes = read();
    let (text, _, damaged) = encoding_rs::GB18030.decode(&bytes);
    assert!(!damaged && text.as_bytes() == plain);
    settle("--only csv --csv-headers zh");
    let text = String::from_utf8(read()).expect("UTF-8");
    let (header, rest) = text.split_once('\n').expect("a header");
    assert!(header.starts_with("批次,机构编码,机构名称,") && !header.is_ascii(), "{header}");
    assert!(plain.ends_with(rest.as_bytes()));
    // Every column of every file has a Chinese title.
    for file in fs::read_dir(folder.path().join("out")).expect("a folder") {
        let path = file.expect("readable").path();
        if path.extension().is_some_and(|end| end == "csv") {
            let text = fs::read_to_string(&path).expect("read");
            let header = text.lines().next().expect("a header");
            assert!(!header.chars().any(|c| c.is_ascii_alphabetic()), "{header}");
        }
    }
}

#[test]
fn without_csv_there_is_nothing_to_merge() {
    let folder = tempfile::tempdir().expect("a folder");
    good(&jiayi(folder.path(), &format!("{BUREAU} --only html")));
    assert!(!folder.path().join("out/settlement.csv").exists());
    good(&jiayi(folder.path(), "verify out"));
    let output = jiayi(folder.path(), "merge out --out all");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("settle was told by --only to leave them out"), "{}", stderr(&output));
}

#[test]
fn whole_id_numbers_stand_only_where_they_were_asked_for() {
    let settle = "settle --region urumqi --quarter 2020Q1 --data samples/urumqi --out out";
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read(root().join("samples/urumqi/signings.csv")).expect("a sample");
    let text = String::from_utf8_lossy(&text);
    let ids: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| id.len() >= 15 && id.starts_with("9999")).collect();
    assert!(ids.len() > 200, "the sample has people");
    let output = jiayi(folder.path(), settle);
    good(&output);
    let mut shown = all_text(&folder.path().join("out"));
    shown += &String::from_utf8_lossy(&output.stdout);
    shown += &String::from_utf8_lossy(&output.stderr);
    assert_eq!(ids.iter().find(|id| shown.contains(**id)), None);
    let output = jiayi(folder.path(), &format!("{settle} --reveal-ids"));
    good(&output);
    let screen = [output.stdout, output.stderr].concat();
    let screen = String::from_utf8_lossy(&screen);
    assert_eq!(ids.iter().find(|id| screen.contains(**id)), None, "never on the screen");
    let out = folder.path().join("out");
    let read = |name: &str| rows(&fs::read_to_string(out.join(name)).expect("read"));
    let (flags, rejected) = (read("flags.csv"), read("rejected.csv"));
    let whole =
        |rows: &[support::Row]| rows.iter().filter(|row| ids.contains(&row["person_id"].as_str())).count();
    assert!(whole(&flags) > 3 && whole(&rejected) > 15, "{} {}", whole(&flags), whole(&rejected));
    assert!(rejected.iter().all(|row| !row["person_id"].contains('*') || row["person_id"].contains("E+")));
    good(&jiayi(folder.path(), "verify out"));
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_an_output() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    good(&jiayi(folder.path(), BUREAU));
    let mut seen = 0;
    let mut look = vec![folder.path().join("out")];
    while let Some(path) = look.pop() {
        let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
        seen += 1;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            look.extend(fs::read_dir(&path).expect("a folder").map(|one| one.expect("readable").path()));
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
    assert!(seen > 8);
}
