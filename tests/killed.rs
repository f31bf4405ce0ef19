//! A run that is killed leaves the old output as it was, or the new one whole; the next run tidies up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use jiayi::base::person::PersonId;
use sha2::{Digest, Sha256};

fn write_data(folder: &Path, signings: u64) {
    fs::create_dir_all(folder).expect("a folder");
    fs::write(folder.join("institutions.csv"), "institution_id,name,kind\nA1,甲,village_clinic\n")
        .expect("a file");
    let mut rows = String::from("contract_id,person_id,institution_id,package,signed_on\n");
    for number in 0..signings {
        // Area codes 9999xx are assigned to nobody.
        let area = 999_900 + number / 1_000;
        let person = PersonId(area * 100_000_000_000 + 19_550_301 * 1_000 + number % 1_000);
        writeln!(rows, "C{number},{},A1,paid,2020-01-03", person.full()).expect("writing to a String");
    }
    fs::write(folder.join("signings.csv"), rows).expect("a file");
}

fn settle(folder: &Path, data: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jiayi"));
    command
        .args([
            "settle",
            "--region",
            "urumqi",
            "--quarter",
            "2020Q1",
            "--quiet",
            "--out",
            "o",
            "--data",
            data,
        ])
        .current_dir(folder)
        .env_clear()
        .stderr(Stdio::null());
    command
}

/// The output's files, which must be those that its manifest answers for.
fn whole(out: &Path) -> BTreeMap<String, Vec<u8>> {
    let manifest = fs::read_to_string(out.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    let outputs = manifest["outputs"].as_array().expect("outputs");
    assert!(outputs.len() >= 6);
    let mut files = BTreeMap::new();
    for output in outputs {
        let name = output["file"].as_str().expect("a name");
        let bytes = fs::read(out.join(name)).expect("the file");
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(output["sha256"], hash, "{name}");
        files.insert(name.to_string(), bytes);
    }
    files
}

/// What a run that was killed left behind is its owner's alone.
fn private(folder: &Path) {
    let left = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry"));
    for entry in left.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')) {
        let inside = fs::read_dir(entry.path()).into_iter().flatten().flatten().map(|one| one.path());
        for path in inside.chain([entry.path()]) {
            // The next of its files may just have been moved into place.
            let Ok(data) = fs::metadata(&path) else { continue };
            assert_eq!(data.permissions().mode() & 0o077, 0, "{}", path.display());
        }
    }
}

#[test]
fn a_killed_run_leaves_the_old_output_or_the_new_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    write_data(&folder.path().join("small"), 3);
    write_data(&folder.path().join("large"), 40_000);
    let out = folder.path().join("o");
    assert!(settle(folder.path(), "large").status().expect("it runs").success());
    let new = whole(&out);
    let lines = String::from_utf8_lossy(&new["settlement.csv"]).into_owned();
    assert!(lines.contains(",40000,0,"), "every signing is charged: {lines}");
    assert!(settle(folder.path(), "small").status().expect("it runs").success());
    let old = whole(&out);
    assert_ne!(old, new);
    for round in 0..20 {
        let mut run = settle(folder.path(), "large").spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(round * 12));
        let _ = run.kill();
        run.wait().expect("it ended");
        private(folder.path());
        let now = whole(&out);
        assert!(now == old || now == new, "round {round}");
        if now == new {
            assert!(settle(folder.path(), "small").status().expect("it runs").success());
        }
    }
    assert!(settle(folder.path(), "small").status().expect("it runs").success());
    let left: Vec<String> = fs::read_dir(folder.path())
        .expect("the folder")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// `settle --post` by a bureau's confirmed rules.
fn post(folder: &Path, data: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jiayi"));
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/regions");
    let words =
        ["settle", "--region", "urumqi-bureau", "--quarter", "2020Q1", "--quiet", "--out", "o", "--post"];
    command.args(words).args(["--data", data, "--ledger", "l.db", "--regions", rules]);
    command.current_dir(folder).env_clear().stderr(Stdio::null());
    command
}

fn ledger(folder: &Path, what: &str) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jiayi"));
    command.args(["ledger", what, "--ledger", "l.db", "--format", "json", "--lang", "en"]);
    command.current_dir(folder).env_clear().output().expect("it runs")
}

#[test]
fn a_posting_that_is_killed_is_whole_or_never_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    write_data(&path.join("small"), 3);
    write_data(&path.join("large"), 10_000);
    let started = std::time::Instant::now();
    assert!(post(path, "large").status().expect("it runs").success());
    let whole_time = started.elapsed().as_millis() as u64;
    fs::remove_file(path.join("l.db")).expect("removed");
    assert!(post(path, "small").status().expect("it runs").success());
    let small = fs::read(path.join("l.db")).expect("a ledger");
    let rounds = std::env::var("JIAYI_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let (mut dice, mut seen) = (1u64, [0; 3]);
    for round in 0..rounds {
        // Half of them post into a ledger that is not there yet, half into one of a batch.
        let _ = fs::remove_file(path.join("l.db-journal"));
        match round % 2 {
            0 => fs::remove_file(path.join("l.db")).expect("removed"),
            _ => fs::write(path.join("l.db"), &small).expect("written"),
        }
        let before = round % 2;
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut run = post(path, "large").spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis((dice >> 33) % (whole_time + whole_time / 10)));
        let _ = run.kill();
        run.wait().expect("it ended");
        let verified = ledger(path, "verify");
        let told: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap_or_default();
        let batches = match told["batches"].as_u64() {
            Some(batches) => batches,
            None => {
                let said = String::from_utf8_lossy(&verified.stderr).into_owned();
                assert!(before == 0 && said.contains("there is no ledger"), "round {round}: {said}");
                0
            }
        };
        assert!(batches == before || batches == before + 1, "round {round}: {batches}");
        seen[(batches - before) as usize] += 1;
        // Whatever it was, posting again ends with all of it, once.
        assert!(post(path, "large").status().expect("it runs").success(), "round {round}");
        let list: serde_json::Value = serde_json::from_slice(&ledger(path, "list").stdout).expect("JSON");
        let list = list.as_array().expect("batches");
        assert_eq!(list.len() as u64, before + 1, "round {round}");
        let paid: Vec<&str> = list.iter().filter_map(|batch| batch["amount"].as_str()).collect();
        let want: &[&str] = if before == 0 { &["52500.00"] } else { &["15.75", "52484.25"] };
        assert_eq!(paid, want, "round {round}");
        if !path.join("l.db").exists() {
            fs::write(path.join("l.db"), &small).expect("written");
        }
    }
    eprintln!("killed before the commit and after it: {seen:?}");
}

#[test]
fn a_full_disk_leaves_the_ledger_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    write_data(&path.join("small"), 3);
    write_data(&path.join("large"), 10_000);
    assert!(post(path, "small").status().expect("it runs").success());
    let before = fs::read(path.join("l.db")).expect("a ledger");
    // No file may grow over 512 KiB: the outputs fit, the ledger does not.
    let run = post(path, "large");
    let words: Vec<String> = std::iter::once(run.get_program())
        .chain(run.get_args())
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let script = format!("trap '' XFSZ; ulimit -f 512; exec {}", words.join(" "));
    let mut shell = Command::new("bash");
    let output =
        shell.args(["-c", &script]).current_dir(path).env("JIAYI_LANG", "en").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("l.db"), "{said}");
    assert!(ledger(path, "verify").status.success());
    assert_eq!(fs::read(path.join("l.db")).expect("a ledger"), before);
    assert!(post(path, "large").status().expect("it runs").success());
}
