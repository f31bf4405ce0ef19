//! What the integration tests share: people who do not exist, data folders, runs of the program,
//! and its files read back as plain rows.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod second;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// The rule files of the repository.
pub fn regions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("regions")
}

/// A folder under tests/.
pub fn tests_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// An ID number with a check digit that fits. Area code 999901 is assigned to nobody.
pub fn id(birth: &str, serial: usize) -> String {
    let digits = format!("999901{}{:03}", birth.replace('-', ""), serial % 1_000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{digits}{}", ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][(sum % 11) as usize])
}

/// The program, in a folder of its own and in English, whatever the machine's language is.
pub fn jiayi(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("jiayi"));
    for variable in ["JIAYI_LANG", "JIAYI_REGIONS", "LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(variable);
    }
    command.current_dir(folder).env("NO_COLOR", "1").args(["--lang", "en"]);
    command
}

/// A data folder and the place where its output goes.
pub struct Case {
    pub home: TempDir,
}

pub const INSTITUTIONS: &str = "institution_id,name,kind,district\n\
    C1,First Center,community_center,East\n\
    C2,Second Clinic,village_clinic,West\n";

impl Default for Case {
    fn default() -> Case {
        let home = tempfile::tempdir().expect("a folder for the test");
        fs::create_dir(home.path().join("data")).expect("a data folder");
        Case { home }
    }
}

impl Case {
    /// A data folder that settles 2020Q1 without a fault: two institutions, two signings, a score.
    pub fn good() -> Case {
        let case = Case::default();
        case.write("institutions.csv", INSTITUTIONS);
        case.write("signings.csv", good_signings());
        case.write("scores.csv", "institution_id,period,score\nC1,2020Q1,95\n");
        case
    }

    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn out(&self) -> PathBuf {
        self.home.path().join("out")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.data().join(name), content).expect("an input is written");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.data().join(name)).expect("an input is removed");
    }

    /// `jiayi settle` of Urumqi's 2020Q1 with more arguments.
    pub fn settle(&self, more: &[&str]) -> Output {
        self.settle_period("urumqi", &regions(), "2020Q1", more)
    }

    pub fn settle_period(&self, region: &str, rules: &Path, period: &str, more: &[&str]) -> Output {
        let mut command = jiayi(self.home.path());
        command.args(["settle", "--region", region, "--period", period, "--file-lang", "en", "--regions"]);
        command.arg(rules).arg("--data").arg(self.data()).arg("--out").arg(self.out()).args(more);
        command.output().expect("the program starts")
    }

    /// Settles, and the run must have been good.
    pub fn settled(&self, more: &[&str]) -> Outputs {
        good(&self.settle(more));
        self.outputs()
    }

    /// Every output file but run.json, by name.
    pub fn outputs(&self) -> Outputs {
        Outputs(files(&self.out()).into_iter().filter(|(name, _)| name != "run.json").collect())
    }
}

/// Two signings that Urumqi admits in 2020Q1.
pub fn good_signings() -> String {
    format!(
        "contract_id,person_id,institution_id,package,signed_on,personal_paid,name\n\
         A1,{},C1,paid,2020-01-06,4.50,Resident One\n\
         A2,{},C2,paid,2020-02-07,4.50,Resident Two\n",
        id("1955-03-01", 1),
        id("1980-12-31", 2)
    )
}

/// Files of a folder by name; what is no file is left out.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            files.insert(name, fs::read(&path).expect("a file"));
        }
    }
    files
}

/// Asserts exit 0, showing what the program said otherwise.
pub fn good(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "stderr: {}", stderr(output));
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a run wrote.
#[derive(Clone, Debug, PartialEq)]
pub struct Outputs(pub BTreeMap<String, Vec<u8>>);

/// A row by column name.
pub type Row = BTreeMap<String, String>;

impl Outputs {
    pub fn text(&self, name: &str) -> String {
        let bytes = self.0.get(name).unwrap_or_else(|| panic!("there is a `{name}`"));
        String::from_utf8(bytes.clone()).expect("outputs are UTF-8")
    }

    pub fn rows(&self, name: &str) -> Vec<Row> {
        rows(&self.text(name))
    }
}

/// CSV text as rows by column name.
pub fn rows(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.expect("a row")).collect()
}

/// Every row of the tests' own input files: one flexible reader, no names of columns.
pub fn records(text: &[u8]) -> Vec<csv::ByteRecord> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    reader.byte_records().map(|row| row.expect("a row")).collect()
}

/// The example files of regions/README.md, written into `folder` as rule files: region and text of each.
pub fn examples(folder: &Path) -> Vec<(String, String)> {
    let page = fs::read_to_string(regions().join("README.md")).expect("regions/README.md");
    let mut found = Vec::new();
    for block in page.split("\n```toml\n").skip(1) {
        let text = block.split("\n```").next().expect("a block ends");
        let name =
            text.lines().next().and_then(|line| line.strip_prefix("# ")).expect("its name stands first");
        let (region, date) = name.split_once('/').expect("a region and a date");
        fs::create_dir_all(folder.join(region)).expect("a folder");
        fs::write(folder.join(region).join(format!("{date}.toml")), text).expect("a rule file");
        found.push((region.to_string(), text.to_string()));
    }
    found
}

/// Every file under a folder, its bytes as text; workbooks unpacked.
pub fn all_text(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all += &all_text(&path);
        } else if path.extension().is_some_and(|end| end == "xlsx") {
            let mut zip = zip::ZipArchive::new(fs::File::open(&path).expect("opens")).expect("a workbook");
            for at in 0..zip.len() {
                let mut part = zip.by_index(at).expect("a part");
                std::io::Read::read_to_string(&mut part, &mut all).expect("text");
            }
        } else {
            all += &String::from_utf8(fs::read(&path).expect("read")).expect("UTF-8");
        }
    }
    all
}
