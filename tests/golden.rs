//! Whole runs that a person can read: `tests/golden/<story>/` holds the command, what it prints, how
//! it ends and every file that it writes. With one thread and with several, the same bytes.
//! `JIAYI_BLESS=1` rewrites what is expected; read the diff before you commit it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Everything that a run leaves behind, by name. run.json tells how it was run and may differ.
fn run(command: &str, threads: &str) -> Files {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("samples"), folder.path().join("samples")).expect("a link");
    let done = Command::new(env!("CARGO_BIN_EXE_jiayi"))
        .args(command.split_whitespace())
        .args(["--threads", threads])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("it runs");
    let mut all = BTreeMap::new();
    all.insert("stdout".to_string(), done.stdout);
    all.insert("stderr".to_string(), done.stderr);
    all.insert("exit".to_string(), format!("{}\n", done.status.code().expect("an exit code")).into_bytes());
    read(&folder.path().join("out"), "out/", &mut all);
    all
}

type Files = BTreeMap<String, Vec<u8>>;

fn read(folder: &Path, prefix: &str, all: &mut Files) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            read(&path, &format!("{prefix}{name}/"), all);
        } else if name != "run.json" {
            all.insert(format!("{prefix}{name}"), fs::read(&path).expect("readable"));
        }
    }
}

/// What a golden keeps of what was written: text. Documents are kept in one story, those of the others stand in
/// the manifest by their names only, and `tests/documents.rs` reads them.
fn kept(all: Files, documents: bool) -> BTreeMap<String, String> {
    let of_people = |name: &str| name.ends_with(".xlsx") || (name.ends_with(".html") && !documents);
    let kept = all.into_iter().filter(|(name, _)| !of_people(name)).map(|(name, bytes)| {
        let text = String::from_utf8(bytes).expect("UTF-8");
        (name.clone(), if name.ends_with("/manifest.json") { without_hashes(&text, of_people) } else { text })
    });
    kept.collect()
}

fn without_hashes(manifest: &str, of: impl Fn(&str) -> bool) -> String {
    let mut all: serde_json::Value = serde_json::from_str(manifest).expect("JSON");
    let outputs = all["outputs"].as_array_mut().into_iter().flatten();
    let named = outputs.filter(|output| output["file"].as_str().is_some_and(&of));
    let mut any = false;
    for output in named {
        any = true;
        *output = serde_json::json!({ "file": output["file"] });
    }
    if any { serde_json::to_string_pretty(&all).expect("JSON") + "\n" } else { manifest.to_string() }
}

fn story(name: &str) {
    let folder = root().join("tests/golden").join(name);
    let command = fs::read_to_string(folder.join("command")).expect("a command");
    let got = run(&command, "1");
    assert!(got == run(&command, "4"), "{name}: one thread and four give the same bytes");
    let got = kept(got, name == "documents");
    if std::env::var_os("JIAYI_BLESS").is_some() {
        let _ = fs::remove_dir_all(folder.join("out"));
        for (file, text) in &got {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("writable");
        }
        return;
    }
    let mut want = Files::new();
    read(&folder, "", &mut want);
    want.remove("command");
    let want = kept(want, true);
    for (file, text) in &got {
        assert_eq!(Some(text), want.get(file), "{name}/{file}");
    }
    assert_eq!(
        got.keys().collect::<Vec<_>>(),
        want.keys().collect::<Vec<_>>(),
        "{name}: which files there are"
    );
}

/// A story of several commands in one folder, one after the other: of each what it prints, how it ends, and what
/// stands in the output folder then.
fn steps(name: &str) {
    let golden = root().join("tests/golden").join(name);
    let commands = fs::read_to_string(golden.join("steps")).expect("steps");
    let tell = |threads: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(root().join("samples"), folder.path().join("samples")).expect("a link");
        let mut all = BTreeMap::new();
        for (nth, command) in commands.lines().enumerate() {
            let takes_threads =
                ["settle", "post", "verify"].contains(&command.split(' ').next().expect("a word"));
            let done = Command::new(env!("CARGO_BIN_EXE_jiayi"))
                .args(command.split_whitespace())
                .args(["--threads", threads].iter().filter(|_| takes_threads))
                .current_dir(folder.path())
                .env_clear()
                .env("SOURCE_DATE_EPOCH", (1_586_900_000 + nth * 86_400).to_string())
                .output()
                .expect("it runs");
            let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
            let step = format!("{:02}", nth + 1);
            let code = done.status.code().expect("an exit code");
            let told = format!("$ jiayi {command}\n{}{}exit {code}\n", text(done.stdout), text(done.stderr));
            all.insert(format!("{step}.txt"), told);
            if command.starts_with("settle") {
                let mut files = Files::new();
                read(&folder.path().join("out"), &format!("{step}/"), &mut files);
                all.extend(kept(files, true));
            }
        }
        all
    };
    let got = tell("1");
    assert_eq!(got, tell("4"), "one thread and four give the same bytes");
    if std::env::var_os("JIAYI_BLESS").is_some() {
        for entry in fs::read_dir(&golden).expect("a folder") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                fs::remove_dir_all(&path).expect("removed");
            } else if path.file_name().is_some_and(|name| name != "steps") {
                fs::remove_file(&path).expect("removed");
            }
        }
        for (file, text) in &got {
            let path = golden.join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, text).expect("writable");
        }
        return;
    }
    for (file, text) in &got {
        assert_eq!(Some(text), fs::read_to_string(golden.join(file)).ok().as_ref(), "{name}/{file}");
    }
    let mut want = Files::new();
    read(&golden, "", &mut want);
    want.remove("steps");
    assert_eq!(
        got.keys().collect::<Vec<_>>(),
        want.keys().collect::<Vec<_>>(),
        "{name}: which files there are"
    );
}

#[test]
fn a_quarter_lives_in_the_ledger() {
    steps("urumqi-life");
}

#[test]
fn urumqi_settles() {
    story("urumqi");
}

#[test]
fn urumqi_settles_from_a_hospital_system() {
    story("urumqi-gb18030");
}

#[test]
fn urumqi_is_assessed() {
    story("urumqi-assess");
}

#[test]
fn urumqi_is_checked() {
    story("urumqi-check");
}

#[test]
fn xinjiang_settles() {
    story("xinjiang");
}

#[test]
fn jilin_settles_a_year_of_four_quarters() {
    story("jilin");
}

#[test]
fn sichuan_settles() {
    story("sichuan");
}

#[test]
fn ankang_settles_with_two_levels() {
    story("ankang");
}

#[test]
fn other_regions_are_checked_and_assessed() {
    for name in ["ankang-assess", "jilin-assess", "sichuan-check", "xinjiang-check"] {
        story(name);
    }
}

#[test]
fn both_exports_give_the_same_amounts_and_codes() {
    let file = |story: &str, name: &str| {
        fs::read_to_string(root().join("tests/golden").join(story).join("out").join(name)).expect("a golden")
    };
    for name in ["settlement.csv", "summary.csv", "clawback.csv", "figures.csv", "flags.csv"] {
        assert_eq!(file("urumqi", name), file("urumqi-gb18030", name), "{name}");
    }
    // The reasons name columns as each file does; places and codes are the same.
    let codes = |story: &str| -> Vec<Vec<String>> {
        let text = file(story, "rejected.csv");
        let rows = csv::Reader::from_reader(text.as_bytes()).into_records();
        rows.map(|row| {
            let row = row.expect("a row");
            (0..7).map(|at| row[at].to_string()).collect()
        })
        .collect()
    };
    assert_eq!(codes("urumqi"), codes("urumqi-gb18030"));
}

#[test]
fn scores_that_the_sheets_give_are_those_of_the_sample() {
    let scores = |path: PathBuf| -> BTreeMap<String, String> {
        let rows = csv::Reader::from_path(path).expect("a file").into_records();
        let pairs = rows.map(|row| {
            let row = row.expect("a row");
            (row[0].to_string(), row[if row.len() == 5 { 2 } else { 3 }].to_string())
        });
        pairs.collect()
    };
    let assessed = scores(root().join("tests/golden/urumqi-assess/out/scores.csv"));
    let given = scores(root().join("samples/urumqi/scores.csv"));
    for (institution, score) in &assessed {
        assert_eq!(Some(score), given.get(institution), "{institution}");
    }
    assert_eq!(assessed.len(), 9);
}

#[test]
fn documents_say_what_is_signed() {
    story("documents");
}
