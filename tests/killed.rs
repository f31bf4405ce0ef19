//! A run that is killed leaves the old output as it was, or the new one whole; the next run tidies up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
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
    assert_eq!(outputs.len(), 6);
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
