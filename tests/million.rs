//! A million signings: the same bytes whatever the number of threads, documents and all. As it takes minutes unless
//! the program is optimized, it runs where it is asked for, with the program that `JIAYI_PROGRAM` names:
//! `JIAYI_PROGRAM=target/release/jiayi cargo test --test million -- --ignored`.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use support::{good, jiayi};

/// Every file of an output and of the folders in it, but run.json, which tells how it was run.
fn files(folder: &Path, into: &mut BTreeMap<String, Vec<u8>>, name: &str) {
    for entry in fs::read_dir(folder).expect("an output").map(|entry| entry.expect("an entry")) {
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(&entry.path(), into, &name);
        } else if name != "/run.json" {
            into.insert(name, fs::read(entry.path()).expect("a file"));
        }
    }
}

/// The program that is tried.
fn program(folder: &Path) -> Command {
    let Some(named) = std::env::var_os("JIAYI_PROGRAM") else { return jiayi(folder) };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(named);
    let mut command = Command::new(path);
    command.current_dir(folder).args(["--lang", "en"]);
    command
}

#[test]
#[ignore = "takes minutes unless optimized: .ci/run has it run with the release build"]
fn a_million_signings_are_the_same_bytes_on_one_thread_and_on_several() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data");
    let mut sample = program(home.path());
    sample.args(["sample", "--region", "urumqi", "--period", "2020Q1", "--signings", "1000000"]);
    sample.args(["--swipes-per-signing", "2", "--institutions", "4000", "--quiet", "--out"]).arg(&data);
    good(&sample.output().expect("jiayi starts"));
    let settled = |threads: &str| {
        let out = home.path().join(threads);
        let mut settle = program(home.path());
        settle.args(["settle", "--region", "urumqi", "--quarter", "2020Q1", "--threads", threads, "--quiet"]);
        settle.arg("--data").arg(&data).arg("--out").arg(&out);
        good(&settle.output().expect("jiayi starts"));
        let mut all = BTreeMap::new();
        files(&out, &mut all, "");
        fs::remove_dir_all(out).expect("the output goes");
        all
    };
    let one = settled("1");
    assert!(one.len() > 10 && one["/settlement.csv"].len() > 1_000_000, "{:?}", one.keys());
    for threads in ["2", "5"] {
        let several = settled(threads);
        assert!(one.keys().eq(several.keys()), "{threads} threads write the files that one writes");
        let differs: Vec<&String> =
            one.iter().filter(|(name, bytes)| several[*name] != **bytes).map(|(name, _)| name).collect();
        assert!(differs.is_empty(), "{threads} threads: {differs:?}");
    }
}
