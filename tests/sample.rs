//! `jiayi sample` for every region and for some that it never saw: what it writes is read, settles, and shows
//! what its README says.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use support::{Row, examples, files, good, jiayi, rows, stderr};
use tempfile::TempDir;

const SHIPPED: [&str; 5] = ["urumqi", "xinjiang", "jilin", "sichuan", "ankang"];

/// A folder with rule files that the program never saw, and room for samples.
struct Desk {
    home: TempDir,
}

impl Desk {
    fn new() -> Desk {
        let home = tempfile::tempdir().expect("a folder");
        fs::create_dir(home.path().join("regions")).expect("a folder");
        examples(&home.path().join("regions"));
        Desk { home }
    }

    /// Every region: those inside the program and the made-up ones of regions/README.md.
    fn regions(&self) -> Vec<String> {
        let own = fs::read_dir(self.home.path().join("regions")).expect("regions");
        let mut own: Vec<String> =
            own.map(|one| one.expect("readable").file_name().to_string_lossy().into_owned()).collect();
        own.sort();
        assert!(own.len() >= 3, "{own:?}");
        SHIPPED.iter().map(ToString::to_string).chain(own).collect()
    }

    fn sample(&self, region: &str, out: &str, more: &[&str]) -> PathBuf {
        let mut command = jiayi(self.home.path());
        command.args(["sample", "--region", region, "--out", out, "--quiet"]).args(more);
        good(&command.output().expect("it starts"));
        self.home.path().join(out)
    }

    /// Settles a sample as its README says, and reads the outputs.
    fn settle(&self, data: &Path) -> BTreeMap<String, Vec<u8>> {
        let page = fs::read_to_string(data.join("README.md")).expect("README.md");
        let line =
            page.lines().find_map(|line| line.strip_prefix("jiayi settle ")).expect("how to settle it");
        let words: Vec<&str> = line.split(" --data ").next().expect("a part").split_whitespace().collect();
        let out = data.with_extension("out");
        let mut command = jiayi(self.home.path());
        command.arg("settle").args(words).args(["--only", "csv", "--file-lang", "en", "--quiet", "--data"]);
        command.arg(data).arg("--out").arg(&out);
        good(&command.output().expect("it starts"));
        files(&out).into_iter().filter(|(name, _)| name.ends_with(".csv")).collect()
    }

    /// The scores and the refused rows of the sheets, of all the periods in them.
    fn assess(&self, data: &Path, region: &str) -> (Vec<Row>, Vec<Row>) {
        let sheets = rows(&fs::read_to_string(data.join("sheets.csv")).expect("text"));
        let periods: BTreeSet<String> = sheets.iter().map(|row| row["period"].clone()).collect();
        let (mut scores, mut rejected) = (Vec::new(), Vec::new());
        for period in periods {
            let out = data.with_extension(&period);
            fs::create_dir_all(&out).expect("a folder");
            let mut command = jiayi(self.home.path());
            command.args([
                "assess",
                "--region",
                region,
                "--period",
                &period,
                "--file-lang",
                "en",
                "--quiet",
                "-o",
            ]);
            command.arg(out.join("scores.csv")).arg(data.join("sheets.csv"));
            good(&command.output().expect("it starts"));
            let written = files(&out);
            scores.extend(table(&written, "scores.csv"));
            rejected.extend(table(&written, "rejected.csv"));
        }
        (scores, rejected)
    }
}

fn table(outputs: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<Row> {
    outputs.get(name).map_or_else(Vec::new, |bytes| rows(&String::from_utf8(bytes.clone()).expect("UTF-8")))
}

/// The stories of a README: where, what, code.
fn stories(data: &Path) -> Vec<(String, String, String)> {
    let page = fs::read_to_string(data.join("README.md")).expect("README.md");
    let cells =
        page.lines().filter(|line| line.starts_with("| C0") || line.starts_with("| U0")).map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].to_string(), cells[2].to_string(), cells[3].to_string())
        });
    cells.collect()
}

/// Contracts of a story: `C000000002 – C000000003` or one.
fn contracts(at: &str) -> Vec<String> {
    let ends: Vec<u64> = at
        .split(" – ")
        .filter_map(|one| one.strip_prefix('C'))
        .map(|one| one.parse().expect("a number"))
        .collect();
    match ends.as_slice() {
        [first, last] => (*first..=*last).map(|one| format!("C{one:09}")).collect(),
        all => all.iter().map(|one| format!("C{one:09}")).collect(),
    }
}

#[test]
fn without_errors_a_sample_shows_its_stories_and_nothing_else_is_refused() {
    let desk = Desk::new();
    for region in desk.regions() {
        let data = desk.sample(&region, &region, &["--signings", "2500", "--errors", "0"]);
        let outputs = desk.settle(&data);
        let (rejected, flags) = (table(&outputs, "rejected.csv"), table(&outputs, "flags.csv"));
        let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for row in &rejected {
            assert_eq!(row["file"], "signings.csv", "{region}: {row:?}");
            refused.entry(row["contract_id"].as_str()).or_default().push(&row["code"]);
        }
        let told = stories(&data);
        assert!(told.len() > 12, "{region}: {told:?}");
        let mut of_stories = BTreeSet::new();
        for (at, what, code) in &told {
            let contracts = contracts(at);
            of_stories.extend(contracts.clone());
            let codes: Vec<&str> =
                contracts.iter().filter_map(|one| refused.get(one.as_str())).flatten().copied().collect();
            let flagged = |code: &str| {
                flags.iter().any(|row| {
                    let of_institution = contracts.is_empty() && row["institution_id"] == *at;
                    // Where somebody was served elsewhere, no contract is named.
                    let elsewhere = code == "W703" && row["contract_id"].is_empty();
                    row["code"] == code
                        && (contracts.contains(&row["contract_id"]) || of_institution || elsewhere)
                })
            };
            match code.as_str() {
                "" => assert!(codes.is_empty(), "{region} {at} {what}: {codes:?}"),
                code if code.starts_with('E') => {
                    assert_eq!(codes, [code], "{region} {at} {what}");
                }
                code => {
                    assert!(codes.is_empty(), "{region} {at} {what}: {codes:?}");
                    assert!(flagged(code), "{region} {at} {what}: no {code}");
                }
            }
        }
        for (contract, codes) in refused {
            assert!(of_stories.contains(contract), "{region}: {contract} {codes:?}");
        }
        // Money moves both ways wherever something is settled.
        let lines = table(&outputs, "settlement.csv");
        let any = |column: &str| lines.iter().any(|row| row[column] != "0.00");
        assert!(any("payable") && any("final"), "{region}");
        let prepaid = lines.iter().any(|row| row["posted"] != "0.00");
        assert!(any("recover") || !prepaid, "{region} shows no recovery");
    }
}

/// The rows of a CSV file, without its header.
fn rows_of(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count() - 1
}

#[test]
fn the_same_arguments_give_the_same_bytes_and_as_many_rows_as_were_asked_for() {
    let desk = Desk::new();
    for region in desk.regions() {
        let words =
            ["--signings", "700", "--swipes-per-signing", "3", "--institutions", "30", "--errors", "0.1"];
        let of = |out: String, seed: &str| {
            files(&desk.sample(&region, &out, &[&words[..], &["--seed", seed]].concat()))
        };
        let (one, same) = (of(format!("{region}-1"), "7"), of(format!("{region}-2"), "7"));
        assert_eq!(one, same, "{region}");
        let other = of(format!("{region}-3"), "8");
        assert_ne!(one["signings.csv"], other["signings.csv"], "{region}");
        for sample in [&one, &other] {
            assert_eq!(rows_of(&sample["signings.csv"]), 700, "{region}");
            assert_eq!(rows_of(&sample["swipes.csv"]), 2_100, "{region}");
            let institutions = rows(&String::from_utf8(sample["institutions.csv"].clone()).expect("UTF-8"));
            let ids: BTreeSet<&String> = institutions.iter().map(|row| &row["institution_id"]).collect();
            assert_eq!(ids.len(), 30.max(ids.len()), "{region}");
        }
    }
    // Another region's folder is not written into, nor one that holds anything.
    let mut command = jiayi(desk.home.path());
    let again =
        command.args(["sample", "--region", "urumqi", "--out", "urumqi-1"]).output().expect("it starts");
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("is not empty"), "{}", stderr(&again));
}

#[test]
fn id_numbers_are_of_nobody() {
    let desk = Desk::new();
    let mut seen = 0;
    for region in desk.regions() {
        let data = desk.sample(&region, &region, &["--signings", "1000", "--errors", "0"]);
        let mut people: BTreeMap<String, String> = BTreeMap::new();
        for name in ["signings.csv", "swipes.csv"] {
            for row in rows(&fs::read_to_string(data.join(name)).expect("text")) {
                let id = &row["person_id"];
                assert!(id.len() == 18 && id.starts_with("9999"), "{region}: {id}");
                let birth = format!("{}-{}-{}", &id[6..10], &id[10..12], &id[12..14]);
                let sequence: usize = id[14..17].parse().expect("digits");
                let plain = support::id(&birth, sequence);
                // The check digit, of the area that it has: the helper knows 999901 alone.
                let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
                let sum: u32 =
                    id.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
                let check = ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(sum % 11) as usize];
                assert!(id.ends_with(check) && plain.len() == 18, "{region}: {id}");
                if let Some(name) = row.get("name") {
                    // 居民, a letter for it and the person's number: one number is one person.
                    let number: String = name.chars().filter(char::is_ascii_digit).collect();
                    assert!(name.starts_with("居民"), "{name}");
                    let story = id[4..6] == *"99";
                    let other = people.insert(id.clone(), format!("{story}{number}"));
                    assert!(other.is_none_or(|other| other == format!("{story}{number}")), "{region}: {id}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 30_000, "{seen}");
}

/// Codes that the rules of a region can raise at all.
fn codes_of(region: &str, folder: &Path) -> BTreeSet<&'static str> {
    let region = jiayi::policy::version::load(region, Some(folder)).expect("it loads");
    let policy = region.versions.last().expect("a version");
    let addon = |package: &&jiayi::policy::package::Package| !package.requires.is_empty();
    let scores = !policy.sheets.is_empty();
    let all = [
        (true, ["E101", "E102", "E103", "E104"].as_slice()),
        (true, &["E105", "E106", "E201", "E301", "E302", "E304", "E305", "E306", "E501", "E506"]),
        (true, &["E502", "E503", "E601", "E602", "E603"]),
        (!policy.institutions.kinds.is_empty(), &["E303"]),
        (policy.insurance.is_some(), &["E401"]),
        (policy.packages.iter().any(|package| !package.groups.is_empty()), &["E402"]),
        (policy.terms.to_year_end.is_none(), &["E403"]),
        (policy.balance.is_some(), &["E405"]),
        (policy.packages.iter().any(|package| addon(&package)), &["E504"]),
        (
            policy.packages.iter().any(|package| addon(&package)) && policy.overlap.addons_at_most < 10,
            &["E505"],
        ),
        (scores, &["E604", "E605"]),
    ];
    all.iter().filter(|(can, _)| *can).flat_map(|(_, codes)| codes.iter().copied()).collect()
}

#[test]
fn with_errors_every_code_that_the_rules_can_raise_appears() {
    let desk = Desk::new();
    let folder = desk.home.path().join("regions");
    for region in desk.regions() {
        let words = ["--signings", "6000", "--errors", "0.05", "--institutions", "400"];
        let data = desk.sample(&region, &region, &words);
        let mut seen: BTreeSet<String> =
            table(&desk.settle(&data), "rejected.csv").iter().map(|row| row["code"].clone()).collect();
        if data.join("sheets.csv").exists() {
            seen.extend(desk.assess(&data, &region).1.iter().map(|row| row["code"].clone()));
        }
        let missing: Vec<&str> =
            codes_of(&region, &folder).into_iter().filter(|code| !seen.contains(*code)).collect();
        assert!(missing.is_empty(), "{region} lacks {missing:?}; has {seen:?}");
    }
}

#[test]
fn as_a_hospital_exports_it_a_sample_settles_to_the_same_figures() {
    let desk = Desk::new();
    for region in desk.regions() {
        let words = ["--signings", "1500", "--errors", "0.03", "--seed", "5"];
        let plain = desk.sample(&region, &region, &words);
        let chinese =
            desk.sample(&region, &format!("{region}-gb"), &[&words[..], &["--encoding", "gb18030"]].concat());
        let bytes = fs::read(chinese.join("signings.csv")).expect("a file");
        assert!(String::from_utf8(bytes.clone()).is_err() && bytes.ends_with(b"\r\n"), "{region}");
        let (one, two) = (desk.settle(&plain), desk.settle(&chinese));
        for name in ["settlement.csv", "summary.csv", "clawback.csv", "figures.csv"] {
            assert!(one.get(name) == two.get(name), "{region} {name}");
        }
        let codes = |outputs| {
            let all = table(outputs, "rejected.csv");
            all.iter()
                .map(|row| [&row["file"], &row["line"], &row["code"]].map(String::clone))
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(&one), codes(&two), "{region}");
    }
}

#[test]
fn score_sheets_come_to_the_scores_that_are_written_beside_them() {
    let desk = Desk::new();
    let mut seen = 0;
    for region in desk.regions() {
        let data = desk.sample(&region, &region, &["--signings", "500", "--errors", "0"]);
        if !data.join("sheets.csv").exists() {
            continue;
        }
        let (worked_out, _) = desk.assess(&data, &region);
        let written = rows(&fs::read_to_string(data.join("scores.csv")).expect("text"));
        for row in &worked_out {
            let same =
                |one: &&Row| one["institution_id"] == row["institution_id"] && one["period"] == row["period"];
            let scores: Vec<&String> = written.iter().filter(same).map(|one| &one["score"]).collect();
            assert!(scores.contains(&&row["score"]), "{region}: {row:?} is none of {scores:?}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}
