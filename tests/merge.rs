//! Several areas in one summary: nothing twice, everything adds up.

mod support;

use std::fs;
use std::path::Path;
use std::process::Output;

use sha2::{Digest, Sha256};
use support::{good, id, jiayi, regions, rows, stderr};

fn settled(home: &Path, area: &str, institution: &str, period: &str, people: usize) {
    let data = home.join(area).join("data");
    fs::create_dir_all(&data).expect("a folder");
    let institutions = format!("institution_id,name,kind\n{institution},Center,community_center\n");
    fs::write(data.join("institutions.csv"), institutions).expect("written");
    let mut text = "contract_id,person_id,institution_id,package,signed_on\n".to_string();
    for nth in 0..people {
        text += &format!("A{nth},{},{institution},paid,2020-01-06\n", id("1955-03-01", nth + 1));
    }
    fs::write(data.join("signings.csv"), text).expect("written");
    let mut command = jiayi(home);
    command.args(["settle", "--region", "urumqi", "--period", period, "--quiet", "--regions"]).arg(regions());
    command.arg("--data").arg(&data).arg("--out").arg(home.join(area).join("out"));
    good(&command.output().expect("it runs"));
}

fn merge(home: &Path, folders: &[&str]) -> Output {
    let mut command = jiayi(home);
    command.arg("merge").args(folders).args(["--out", "all"]).output().expect("it runs")
}

#[test]
fn areas_make_one_summary_that_adds_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    settled(home, "east", "E1", "2020Q1", 2);
    settled(home, "west", "W1", "2020Q1", 3);
    let output = merge(home, &["east/out", "west/out"]);
    good(&output);
    let read = |name: &str| rows(&fs::read_to_string(home.join("all").join(name)).expect("read"));
    let summary = read("summary.csv");
    let ids: Vec<&str> = summary.iter().map(|row| row["institution_id"].as_str()).collect();
    assert_eq!(ids, ["E1", "W1"]);
    let fund: Vec<_> =
        read("sources.csv").into_iter().filter(|row| row["source"] == "resident_fund").collect();
    // What nobody confirmed of any of them is told once.
    let open = "figures not confirmed: `urumqi/2019-11-01 assessment_cycle`";
    assert_eq!(stderr(&output).matches(open).count(), 1, "{}", stderr(&output));
    let manifest = fs::read_to_string(home.join("all/manifest.json")).expect("read");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
    for area in manifest["areas"].as_array().expect("areas") {
        assert_eq!(area["unconfirmed"][0], "urumqi/2019-11-01 assessment_cycle");
        assert!(area["notices"].to_string().contains("scores"), "{area}");
    }
    // Five people, 5.25 each.
    assert_eq!((fund[0]["count"].as_str(), fund[0]["payable"].as_str()), ("5", "26.25"));
    // Again, and in the other order: the same bytes.
    let first = fs::read(home.join("all/summary.csv")).expect("read");
    good(&merge(home, &["west/out", "east/out"]));
    assert_eq!(first, fs::read(home.join("all/summary.csv")).expect("read"));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    settled(home, "east", "E1", "2020Q1", 2);
    settled(home, "same", "E1", "2020Q1", 1);
    settled(home, "later", "L1", "2020Q2", 1);
    let told = |folders: &[&str], wanted: &str| {
        let output = merge(home, folders);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(wanted), "{}", stderr(&output));
        assert!(!home.join("all").exists());
    };
    told(&["east/out", "same/out"], "institution `E1` stands in");
    told(&["east/out", "later/out"], "the periods differ");
    told(&["east/data"], "no folder that settle wrote");
    let file = home.join("east/out/summary.csv");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace("10.50", "11.50")).expect("written");
    told(&["east/out", "later/out"], "summary.csv` was changed");
    fs::remove_file(&file).expect("gone");
    // The auditor is told once as well.
    let mut verify = jiayi(home);
    verify.args(["verify", "east/out", "--data", "east/data", "--regions"]).arg(regions());
    let verified = String::from_utf8(verify.output().expect("it runs").stdout).expect("text");
    assert_eq!(verified.matches("summary.csv").count(), 1, "{verified}");
    told(&["later/out", "east/out"], "east/out/summary.csv` is not there any more");
    // A sum that its manifest does not have, with the hash of the file as it is now.
    let file = home.join("same/out/settlement.csv");
    let text = fs::read_to_string(&file).expect("read");
    let manifest = home.join("same/out/manifest.json");
    let hash =
        |text: &str| -> String { Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect() };
    let changed = text.replace(",10.50,", ",11.50,");
    let known = fs::read_to_string(&manifest).expect("read").replace(&hash(&text), &hash(&changed));
    fs::write(&file, changed).expect("written");
    fs::write(&manifest, known).expect("written");
    told(&["later/out", "same/out"], "same/out/");
    told(&["later/out", "same/out"], "settle that area again");
}
