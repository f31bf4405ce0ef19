//! Damaged, missing and odd input. What cannot be run stops with exit 1 before anything is written, and
//! an old output is byte for byte as it was; one bad row never stops the others; and the same rows in
//! another dress give the same settlement.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use encoding_rs::GB18030;
use support::{Case, INSTITUTIONS, files, good, good_signings, id, jiayi, regions, stderr};

/// Runs what cannot be run, once beside an old output and once where there is none: exit 1, a message
/// with all of `says` on stderr, nothing on stdout, and not a byte changed on disk.
fn stops(spoil: impl Fn(&Case), run: impl Fn(&Case) -> Output, says: &[&str]) {
    let case = Case::good();
    good(&case.settle(&["--quiet"]));
    let old = files(&case.out());
    assert!(old.contains_key("run.json") && old.contains_key("settlement.csv"));
    spoil(&case);
    let there = tree(case.home.path());
    stopped(&run(&case), says);
    assert_eq!(files(&case.out()), old, "the old output is as it was");
    assert_eq!(tree(case.home.path()), there, "nothing is left behind");

    let case = Case::good();
    spoil(&case);
    let there = tree(case.home.path());
    stopped(&run(&case), says);
    assert_eq!(tree(case.home.path()), there, "nothing was written");
}

fn stopped(output: &Output, says: &[&str]) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "stdout is for results");
    for words in says {
        assert!(told.contains(words), "`{words}` should be said: {told}");
    }
    assert!(!told.contains("panicked"), "{told}");
}

/// Every path below a folder.
fn tree(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        paths.push(path.display().to_string());
        if path.is_dir() {
            paths.extend(tree(&path));
        }
    }
    paths.sort();
    paths
}

fn settle(case: &Case) -> Output {
    case.settle(&[])
}

#[test]
fn a_missing_file() {
    stops(|case| case.remove("signings.csv"), settle, &["signings.csv", "institutions.csv"]);
    stops(|case| case.remove("institutions.csv"), settle, &["institutions.csv"]);
    let misnamed = |case: &Case| {
        fs::rename(case.data().join("signings.csv"), case.data().join("signing.csv")).expect("a new name");
    };
    stops(misnamed, settle, &["there is no `signings.csv`", "`signing.csv`"]);
    stops(|case| fs::remove_dir_all(case.data()).expect("no data"), settle, &["data", "--data"]);
}

#[test]
fn a_missing_column() {
    let spoil = |case: &Case| case.write("signings.csv", good_signings().replace("person_id", "persn_id"));
    stops(
        spoil,
        settle,
        &[
            "`person_id`",
            "身份证号",
            "`contract_id`",
            "`signed_on`",
            "is `persn_id` the one?",
            "signings.csv",
        ],
    );
    let two = |case: &Case| case.write("institutions.csv", "code_of_it,name_of_it\nC1,First\n");
    stops(two, settle, &["`institution_id`", "`name`", "`code_of_it`", "`name_of_it`"]);
    // A file that need not be there must be whole where it is.
    let spoil = |case: &Case| case.write("scores.csv", "institution_id,period\nC1,2020Q1\n");
    stops(spoil, settle, &["scores.csv", "`score`"]);
    let spoil = |case: &Case| case.write("swipes.csv", "person_id,institution_id\n");
    stops(spoil, settle, &["swipes.csv", "`swiped_at`"]);
    let spoil = |case: &Case| case.write("payments.csv", "institution_id,cohort,source\n");
    stops(spoil, settle, &["payments.csv", "`amount`"]);
}

#[test]
fn an_empty_file() {
    for content in ["", "\n\n  \n", "\u{FEFF}"] {
        for name in ["institutions.csv", "signings.csv", "scores.csv"] {
            stops(|case| case.write(name, content), settle, &[name, "empty"]);
        }
    }
}

#[test]
fn a_header_only() {
    let case = Case::good();
    let header = good_signings().lines().next().expect("a header").to_string();
    case.write("signings.csv", &header);
    let output = case.settle(&[]);
    good(&output);
    assert!(stderr(&output).contains("signings.csv has a header and no rows"), "{}", stderr(&output));
    assert_eq!(case.outputs().rows("settlement.csv").len(), 0);
    assert_eq!(case.outputs().rows("rejected.csv").len(), 0);

    let case = Case::good();
    case.write("institutions.csv", "institution_id,name,kind\n");
    let outputs = case.settled(&[]);
    assert_eq!(codes(&outputs.rows("rejected.csv")), [("E301".to_string(), 3)].into());
}

/// How many rows of each code there are.
fn codes(rows: &[support::Row]) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for row in rows {
        *codes.entry(row["code"].clone()).or_default() += 1;
    }
    codes
}

/// Settles the good rows with `bad` as a row between them: that row alone is refused, by `code`.
fn refuses_one(code: &str, bad: &[u8]) {
    let case = Case::good();
    let plain = case.settled(&[]);
    let text = good_signings();
    let rows: Vec<&str> = text.lines().collect();
    let parts = [rows[0].as_bytes(), rows[1].as_bytes(), bad, rows[2].as_bytes(), b""];
    case.write("signings.csv", parts.join(&b'\n'));
    let outputs = case.settled(&[]);
    let refused = outputs.rows("rejected.csv");
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!((refused[0]["code"].as_str(), refused[0]["line"].as_str()), (code, "3"));
    assert_eq!(outputs.text("settlement.csv"), plain.text("settlement.csv"));
}

fn bad_row(name: &str) -> String {
    format!("A3,{},C1,paid,2020-01-06,4.50,{name}", id("1990-01-01", 3))
}

#[test]
fn a_nul_byte_is_refused_with_its_row() {
    refuses_one("E105", bad_row("Resident\0").as_bytes());
    refuses_one("E105", bad_row("").replace("paid", "pa\0id").as_bytes());
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_row() {
    refuses_one("E105", &[bad_row("").as_bytes(), &[0xB4, 0xE5]].concat());
    refuses_one("E105", &[bad_row("").as_bytes(), &[0xFF]].concat());
    refuses_one("E105", &[bad_row("").as_bytes(), &[0xED, 0xA0, 0x80]].concat());

    // In the other encodings too: `@` stands for what does not decode there.
    let text = texts().remove("signings.csv").expect("signings").replace("居民一", "居@民");
    let gb = GB18030.encode(&chinese_header(&text)).0.into_owned();
    let gb: Vec<u8> = gb.into_iter().map(|byte| if byte == b'@' { 0xFF } else { byte }).collect();
    // A surrogate without its other half.
    let units: Vec<u16> = text.encode_utf16().map(|unit| if unit == 0x40 { 0xD800 } else { unit }).collect();
    let wide: Vec<u8> = [0xFEFF].iter().chain(&units).flat_map(|unit| unit.to_le_bytes()).collect();
    for bytes in [gb, wide] {
        let case = Case::default();
        for (name, text) in texts() {
            case.write(name, text);
        }
        case.write("signings.csv", bytes);
        let refused = case.settled(&[]).rows("rejected.csv");
        let refused: Vec<_> =
            refused.iter().map(|row| (row["line"].as_str(), row["code"].as_str())).collect();
        assert_eq!(refused, [("2", "E105"), ("4", "E103")]);
    }
}

/// Swipes are not looked at for text as a whole where each of their cells shows that it is.
#[test]
fn a_swipe_that_is_no_text_is_refused_in_whatever_column() {
    let header =
        ["person_id", "institution_id", "swiped_at", "swipe_id", "item", "quantity", "charged", "card_type"];
    let row = |serial: usize| {
        let cells = [
            &id("1955-03-01", 1),
            "C1",
            "2020-01-07",
            &format!("S{serial}"),
            "普通门诊诊察费",
            "1",
            "0.00",
            "社保卡",
        ];
        cells.map(str::to_string)
    };
    // Also with a column that nobody reads: unknown, the second of its name, or without one.
    for setting in 0..16 {
        let other = [None, Some("remark"), Some("item"), Some("")][setting % 4];
        let [gb18030, nul] = [4, 8].map(|bit| setting & bit != 0);
        let encoded =
            |text: &str| if gb18030 { GB18030.encode(text).0.into_owned() } else { text.as_bytes().to_vec() };
        let line = |cells: &[Vec<u8>]| cells.join(&b',');
        let cells_of = |serial: usize| {
            let mut cells: Vec<Vec<u8>> = row(serial).iter().map(|cell| encoded(cell)).collect();
            cells.extend(other.map(|_| encoded("备注一")));
            cells
        };
        let mut titles: Vec<Vec<u8>> = header.iter().map(|title| title.as_bytes().to_vec()).collect();
        titles.extend(other.map(|title| title.as_bytes().to_vec()));
        // By a Chinese header the encoding is known.
        titles[0] = encoded("身份证号");
        let (mut lines, mut bad) = (vec![line(&titles)], Vec::new());
        for serial in 0..3_400 {
            let mut cells = cells_of(serial);
            if serial >= 3_000 && serial % 3 == 0 {
                let (nth, count) = (serial / 3, cells.len());
                let cell = &mut cells[nth % count];
                // A NUL byte, or the first byte of a character alone at an end, a byte that is none, half a character.
                match nth / count % 3 {
                    0 if nul => cell.insert(cell.len() / 2, 0),
                    _ if nul => cell.push(0),
                    0 => cell.push(0xB4),
                    1 => cell.insert(0, 0xFF),
                    _ => cell.extend([b'x', 0xE5]),
                }
                bad.push((lines.len() + 1).to_string());
            }
            lines.push(line(&cells));
        }
        let case = Case::good();
        case.write("swipes.csv", lines.join(&b'\n'));
        let outputs = case.settled(&["--threads", "2"]);
        let refused = outputs.rows("rejected.csv");
        let refused: Vec<_> = refused.iter().map(|row| (row["line"].clone(), row["code"].as_str())).collect();
        let want: Vec<_> = bad.into_iter().map(|line| (line, "E105")).collect();
        assert!(refused == want, "{setting}: {} of {}", refused.len(), want.len());
    }
}

#[test]
fn flags_of_long_contract_ids_stand_in_their_order() {
    let case = Case::good();
    let ids = ["2020-CONTRACT-0001-B", "2020-CONTRACT-0001", "2020-CONTRACT-0001-A", "2020-CONTRACT-00"];
    let mut text = "contract_id,person_id,institution_id,package,signed_on,personal_paid\n".to_string();
    for (serial, contract) in ids.iter().enumerate() {
        text += &format!("{contract},{},C1,paid,2020-01-06,0\n", id("1990-01-01", serial));
    }
    case.write("signings.csv", text);
    let flags = case.settled(&[]).rows("flags.csv");
    let told: Vec<&str> = flags.iter().map(|row| row["contract_id"].as_str()).collect();
    let mut sorted = ids;
    sorted.sort_unstable();
    assert_eq!(told, sorted);
}

/// What makes sums doubtful is said by a quiet run, and stands on what is signed: on a statement nothing that is
/// another institution's matter.
#[test]
fn what_makes_sums_doubtful_is_said_though_quiet_and_on_papers() {
    let paid = |row: &str| format!("institution_id,cohort,source,amount\n{row}");
    let header = good_signings().lines().next().expect("a header").to_string();
    let elsewhere = "all 1 rows of payments are of cohorts outside 2020Q1";
    let none = "of 2 signing rows 2 were refused and 0 are void";
    // The file, what the run says, what stands on the papers of C1 and of C2, the exit code of a strict run.
    for (file, text, says, on_papers, strict) in [
        ("payments.csv", paid("C1,2020Q1,fund,5.25\n"), "1 rows of payments were refused", [true, false], 3),
        ("payments.csv", paid("C9,2020Q1,fund,5.25\n"), "1 rows of payments were refused", [true, true], 3),
        ("payments.csv", paid("C1,2020Q2,resident_fund,5.25\n"), elsewhere, [true, true], 0),
        ("payments.csv", String::new(), "no payments*.csv", [true, true], 0),
        ("signings.csv", header, "nothing is charged in 2020Q1: of 0 signing rows", [true, true], 3),
        ("institutions.csv", INSTITUTIONS.replace(",kind,", ",remark,"), none, [true, true], 3),
        (
            "institutions.csv",
            INSTITUTIONS.replace(",kind,", ",remark,"),
            "no column `kind`",
            [false, false],
            3,
        ),
    ] {
        let case = Case::good();
        case.write("payments.csv", paid("C1,2020Q1,resident_fund,5.25\nC2,2020Q1,resident_fund,5.25\n"));
        let output = case.settle(&["--quiet", "--strict"]);
        good(&output);
        assert_eq!(stderr(&output).lines().count(), 1, "figures are not confirmed: {}", stderr(&output));
        if text.is_empty() {
            case.remove(file)
        } else {
            case.write(file, text)
        }
        for quiet in ["--quiet", "--format=json"] {
            let output = case.settle(&[quiet, "--strict"]);
            assert_eq!(output.status.code(), Some(strict), "{says}");
            assert_eq!(stderr(&output).matches(says).count(), 1, "{says}: {}", stderr(&output));
        }
        let read = |name: &str| fs::read_to_string(case.out().join(name)).expect(name);
        assert!(read("report.html").contains(says), "{says}");
        for (institution, there) in ["C1", "C2"].into_iter().zip(on_papers) {
            let paper = read(&format!("statements/{institution}.html"));
            assert_eq!(paper.contains(says), there, "{institution}: {says}");
        }
    }
}

/// That nothing was paid before is said by a file with nothing but its header.
#[test]
fn payments_without_a_row_are_no_fault() {
    let case = Case::good();
    case.write("payments.csv", "institution_id,cohort,source,amount\n");
    let output = case.settle(&["--quiet", "--strict"]);
    good(&output);
    assert!(!stderr(&output).contains("payments"), "{}", stderr(&output));
    assert!(stderr(&case.settle(&[])).contains("payments.csv has a header and no rows"));
}

#[test]
fn a_line_of_ten_megabytes_is_refused_and_reading_goes_on() {
    let long = "x".repeat(10 << 20);
    refuses_one("E101", bad_row(&long).as_bytes());
    refuses_one("E101", bad_row(&format!("\"{long}\"")).as_bytes());
    refuses_one("E101", bad_row(&format!("\"{long}")).as_bytes());
    refuses_one("E101", long.as_bytes());
    refuses_one("E101", ",".repeat(10 << 20).as_bytes());
    stops(|case| case.write("signings.csv", &long), settle, &["signings.csv", "`contract_id`"]);
}

/// The end of a record that would just do stands where what is read of a longer line ends.
#[test]
fn a_long_line_is_refused_wherever_a_carriage_return_stands_in_it() {
    for at in [64 * 1024 - 1, 64 * 1024, 64 * 1024 + 1] {
        let padding = "x".repeat(at - bad_row("").len());
        refuses_one("E101", format!("{}\r{}", bad_row(&padding), "y".repeat(300_000)).as_bytes());
    }
}

/// Rows are looked at by 64 bytes: what stands behind the last of them is none of its fields.
#[test]
fn a_last_row_without_its_last_field_is_refused_wherever_it_ends() {
    for padding in 0..64 {
        let case = Case::good();
        let good = good_signings().replace("Resident Two", &"x".repeat(40 + padding));
        let short = bad_row("");
        case.write("signings.csv", format!("{good}{}", short.trim_end_matches(',')));
        let refused = case.settled(&["--quiet"]).rows("rejected.csv");
        let codes: Vec<_> = refused.iter().map(|row| (row["code"].as_str(), row["line"].as_str())).collect();
        assert_eq!(codes, [("E101", "4")], "{padding}");
    }
}

/// In UTF-8 a Chinese character takes half as much again as in GB18030.
#[test]
fn a_contract_id_is_refused_where_its_text_is_over_64_kib() {
    for (length, codes) in [(21_845, vec![]), (21_846, vec!["E101"; 2]), (30_000, vec!["E101"; 2])] {
        let case = Case::good();
        let good = good_signings();
        let more = good.lines().skip(1).enumerate().map(|(at, line)| {
            let rest = line.split_once(',').expect("a contract id").1;
            // They differ at the end only.
            format!("{}{},{rest}\n", "签".repeat(length - 1), ["甲", "乙"][at % 2])
        });
        let text = format!("{}\n{}", good.lines().next().expect("a header"), more.collect::<String>());
        case.write("signings.csv", GB18030.encode(&chinese_header(&text)).0);
        let refused = case.settled(&["--quiet"]).rows("rejected.csv");
        assert_eq!(refused.iter().map(|row| &row["code"]).collect::<Vec<_>>(), codes, "{length}");
        assert!(refused.iter().all(|row| row["reason"].contains("64 KiB")), "{refused:?}");
    }
}

#[test]
fn a_record_may_have_64_kib_and_no_byte_more() {
    for quote in ["", "\""] {
        let padding = 64 * 1024 - bad_row("").len() - 2 * quote.len();
        let row = |padding: usize| bad_row(&format!("{quote}{}{quote}", "x".repeat(padding)));
        assert_eq!(row(padding).len(), 64 * 1024);
        refuses_one("E101", row(padding + 1).as_bytes());
        for ends in ["\n", "\r\n", ""] {
            let case = Case::good();
            case.write("signings.csv", format!("{}{}{ends}", good_signings(), row(padding)));
            let refused = case.settled(&[]).text("rejected.csv");
            assert_eq!(refused.lines().count(), 1, "64 KiB with quote `{quote}`, {ends:?}: {refused}");
        }
    }
}

#[test]
fn a_folder_where_a_file_should_be() {
    for name in ["signings.csv", "institutions.csv", "scores.csv"] {
        let spoil = |case: &Case| {
            case.remove(name);
            fs::create_dir(case.data().join(name)).expect("a folder");
        };
        stops(spoil, settle, &[name, "folder"]);
    }
    let spoil = |case: &Case| {
        fs::remove_dir_all(case.data()).expect("no data");
        fs::write(case.data(), "a file").expect("a file in its place");
    };
    stops(spoil, settle, &["data"]);
}

#[test]
fn a_file_that_may_not_be_read() {
    let shut = |case: &Case| {
        let path = case.data().join("signings.csv");
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("rights can be changed");
    };
    let case = Case::good();
    shut(&case);
    if fs::read(case.data().join("signings.csv")).is_ok() {
        // Root reads everything: there is nothing to be refused.
        good(&case.settle(&[]));
        return;
    }
    stops(shut, settle, &["signings.csv", "can't read"]);
}

#[test]
fn a_full_disk() {
    // A limit on the size of files stands for it: writing past it fails as on a full disk.
    let run = |only: &'static str| {
        move |case: &Case| {
            let mut command = Command::new("bash");
            command.args(["-c", "ulimit -f 1; trap '' XFSZ; exec \"$@\"", "bash"]);
            command.arg(assert_cmd::cargo::cargo_bin!("jiayi"));
            command.args([
                "--lang",
                "en",
                "settle",
                "--region",
                "urumqi",
                "--quarter",
                "2020Q1",
                "--regions",
            ]);
            command.arg(regions()).arg("--data").arg(case.data()).arg("--out").arg(case.out());
            command.args(["--only", only]).current_dir(case.home.path()).output().expect("bash starts")
        }
    };
    let many = |case: &Case| {
        let mut text = good_signings();
        for row in 0..100 {
            text += &format!("X{row},{},C1,gold,2020-01-06,4.50,\n", id("1970-01-01", row));
        }
        case.write("signings.csv", text);
    };
    for (only, file) in [("csv", "rejected.csv"), ("xlsx", "settlement.xlsx"), ("html", ".html")] {
        stops(many, run(only), &["can't write", file, "the old output is as it was"]);
    }
}

/// Settles with Urumqi's rules, changed.
fn with_rules(case: &Case, old: &str, new: &str) -> Output {
    let text = fs::read_to_string(regions().join("urumqi/2019-11-01.toml")).expect("the rules");
    assert!(text.contains(old), "`{old}` stands in the rule file");
    let folder = case.home.path().join("data/rules/urumqi");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("2019-11-01.toml"), text.replacen(old, new, 1)).expect("rules");
    let output = case.settle_period("urumqi", &case.home.path().join("data/rules"), "2020Q1", &[]);
    fs::remove_dir_all(case.home.path().join("data/rules")).expect("the rules go");
    output
}

/// `2019-11-01.toml:line:column` of the first `text` in the changed rules.
fn position(old: &str, new: &str, text: &str) -> String {
    let rules = fs::read_to_string(regions().join("urumqi/2019-11-01.toml")).expect("the rules");
    let changed = rules.replacen(old, new, 1);
    let at = changed.find(text).expect("the text stands there");
    let (line, column) =
        (changed[..at].matches('\n').count() + 1, at - changed[..at].rfind('\n').unwrap_or(0));
    format!("2019-11-01.toml:{line}:{column}")
}

#[test]
fn a_rule_file_with_a_fault() {
    let same = |_: &Case| {};
    // A typing error: where, and the line itself.
    let (old, new) = ("prepay = \"0.5\"", "prepay = \"0.5");
    let place = position(old, new, "\"0.5\nprepay_clause");
    let line = place.rsplit_once(':').expect("a column").0;
    stops(same, |case| with_rules(case, old, new), &[&format!("{line}:"), "prepay = \"0.5\n", "^"]);
    // A float, which has been a binary fraction before anybody can look at it.
    let (old, new) = ("prepay = \"0.5\"", "prepay = 0.5");
    let place = position(old, new, "0.5");
    stops(same, |case| with_rules(case, old, new), &[&place, "prepay = 0.5", "float", "\"0.5\""]);
    let (old, new) = ("value = \"15.00\"", "value = 15.00");
    let place = position(old, new, "15.00");
    stops(same, |case| with_rules(case, old, new), &[&place, "value = 15.00", "float", "\"15.00\""]);
    // An unknown key, and the one that was meant.
    let (old, new) = ("[balance]", "[ballance]");
    let place = position(old, new, "ballance");
    stops(same, |case| with_rules(case, old, new), &[&place, "`ballance`", "did you mean `balance`?"]);
    // A name that nothing has, an amount with half a fen, a ratio over 1, a sheet that is not 100.
    let (old, new) =
        ("source = \"resident_fund\"\nclause = \"三(一)\"", "source = \"resident_found\"\nclause = \"x\"");
    stops(same, |case| with_rules(case, old, new), &["`resident_found`", "did you mean `resident_fund`?"]);
    let (old, new) = ("value = \"15.00\"", "value = \"15.005\"");
    stops(same, |case| with_rules(case, old, new), &["two decimals", "15.005"]);
    let (old, new) = ("prepay = \"0.5\"", "prepay = \"1.5\"");
    stops(same, |case| with_rules(case, old, new), &["between 0 and 1"]);
    let (old, new) = ("max = \"20\"", "max = \"21\"");
    stops(same, |case| with_rules(case, old, new), &["101"]);
    let (old, new) = ("in_force_from = \"2019-11-01\"", "in_force_from = \"2019-11-02\"");
    stops(same, |case| with_rules(case, old, new), &["2019-11-01"]);
    // Two faults are told at once.
    let (old, new) = ("settled = true\nprepay = \"0.5\"", "settled = true\nonce = true\nprepay = 0.5");
    stops(same, |case| with_rules(case, old, new), &["unknown key `once`", "float", "prepay = 0.5"]);
}

#[test]
fn a_required_key_that_is_misspelt() {
    for (old, new, meant) in [
        ("full_at = \"90\"", "ful_at", "full_at"),
        ("terms_months = [12]", "term_months", "terms_months"),
        ("method = \"steps\"", "metod", "method"),
        ("target = \"95\"", "targt", "target"),
        ("fee = \"local.fee\"", "fe", "fee"),
    ] {
        let changed = old.replacen(meant, new, 1);
        let (place, said) = (position(old, &changed, &changed), format!("did you mean `{meant}`?"));
        let run = |case: &Case| with_rules(case, old, &changed);
        stops(|_| {}, run, &[&format!("`{meant}`"), &format!("unknown key `{new}`"), &place, &said]);
    }
}

#[test]
fn a_wrong_period_or_region() {
    let same = |_: &Case| {};
    let typed = |more: &'static [&'static str]| {
        move |case: &Case| {
            let mut command = jiayi(case.home.path());
            command.arg("settle").args(more).arg("--data").arg(case.data()).arg("--out").arg(case.out());
            command.arg("--regions").arg(regions()).output().expect("the program starts")
        }
    };
    stops(same, typed(&["--region", "urumqi", "--quarter", "2020Q5"]), &["`2020Q5`", "2020Q1"]);
    stops(same, typed(&["--region", "urumqi", "--quarter", "2020Q0"]), &["`2020Q0`"]);
    stops(same, typed(&["--region", "urumqi", "--quarter", "2020"]), &["`2020`", "2020Q1"]);
    stops(same, typed(&["--region", "urumqi", "--period", "soon"]), &["`soon`"]);
    // Finer than the settlement cycle; over before the policy began.
    stops(same, typed(&["--region", "urumqi", "--month", "2020-01"]), &["`2020-01`", "quarter"]);
    stops(same, typed(&["--region", "urumqi", "--quarter", "2019Q3"]), &["`2019Q3`", "2019-11-01"]);
    stops(
        same,
        typed(&["--region", "urumki", "--quarter", "2020Q1"]),
        &["`urumki`", "did you mean `urumqi`?"],
    );
    stops(same, typed(&["--region", "atlantis", "--quarter", "2020Q1"]), &["`atlantis`", "urumqi"]);
    stops(
        same,
        |case| jiayi(case.home.path()).args(["explain", "E999"]).output().expect("it starts"),
        &["`E999`"],
    );
}

#[test]
fn wrong_usage_is_exit_2() {
    let case = Case::good();
    for arguments in [
        &["settle", "--region", "urumqi", "--quarter", "2020Q1", "--outt", "x"][..],
        &["settle", "--region", "urumqi"],
        &["settle", "--quarter", "2020Q1"],
        &["settle", "--region", "urumqi", "--quarter", "2020Q1", "--year", "2020"],
        &["settle", "--region", "urumqi", "--quarter", "2020Q1", "--threads", "many"],
        &["setle"],
        &[],
    ] {
        let there = tree(case.home.path());
        let output = jiayi(case.home.path()).args(arguments).output().expect("it starts");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty());
        assert_eq!(tree(case.home.path()), there);
    }
}

#[test]
fn refused_rows_are_exit_3_where_strict() {
    let case = Case::good();
    good(&case.settle(&["--strict"]));
    case.write("signings.csv", good_signings().replace("C2,paid", "C9,paid"));
    good(&case.settle(&[]));
    let plain = case.outputs();
    let output = case.settle(&["--strict"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert_eq!(case.outputs(), plain, "it is done all the same");
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let case = Case::good();
    fs::create_dir(case.out()).expect("a folder");
    fs::write(case.out().join("notes.txt"), "mine").expect("a file");
    let there = tree(case.home.path());
    stopped(&case.settle(&[]), &["out", "was left as it is", "--out"]);
    assert_eq!(tree(case.home.path()), there);
    assert_eq!(fs::read_to_string(case.out().join("notes.txt")).expect("the file"), "mine");

    // A file there.
    let case = Case::good();
    fs::write(case.out(), "mine").expect("a file");
    let there = tree(case.home.path());
    stopped(&case.settle(&[]), &["out"]);
    assert_eq!(fs::read_to_string(case.out()).expect("the file"), "mine");
    assert_eq!(tree(case.home.path()), there);

    // The inputs, and the folder that holds them.
    let case = Case::good();
    for out in [case.data(), case.home.path().to_path_buf()] {
        let there = tree(case.home.path());
        let mut command = jiayi(case.home.path());
        command.args(["settle", "--region", "urumqi", "--quarter", "2020Q1", "--data"]).arg(case.data());
        command.arg("--regions").arg(regions()).arg("--out").arg(&out);
        stopped(&command.output().expect("it starts"), &[]);
        assert_eq!(tree(case.home.path()), there);
    }

    // An empty folder is nobody's.
    let case = Case::good();
    fs::create_dir(case.out()).expect("a folder");
    assert_eq!(case.settled(&[]).rows("settlement.csv").len(), 4);
}

#[test]
fn a_reader_that_has_seen_enough() {
    let case = Case::good();
    for arguments in [&["explain"][..], &["check"], &["check", "--format", "json"], &["settle"], &["--help"]]
    {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("jiayi"));
        command.args(["--lang", "en"]).args(arguments).current_dir(case.home.path());
        if arguments[0] != "explain" && arguments[0] != "--help" {
            command.args(["--region", "urumqi", "--regions"]).arg(regions()).arg("--data").arg(case.data());
        }
        if arguments[0] == "settle" {
            command.args(["--quarter", "2020Q1", "--out"]).arg(case.out());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let mut told = String::new();
        child.stderr.take().expect("stderr").read_to_string(&mut told).expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{arguments:?}: {told}");
        let notes = told.lines().filter(|line| !line.is_empty() && !line.starts_with("note"));
        assert_eq!(notes.count(), 0, "{arguments:?}: {told}");
    }
    assert_eq!(case.outputs().rows("settlement.csv").len(), 4);
}

/// A data folder with Chinese names in every file, as text.
fn texts() -> BTreeMap<&'static str, String> {
    let (one, two, three) = (id("1955-03-01", 1), id("1980-12-31", 2), id("1990-05-05", 3));
    BTreeMap::from([
        (
            "institutions.csv",
            "institution_id,name,kind,district\nC1,红柳中心,社区卫生服务中心,天山区\nC2,\"石榴, 村\",村卫生室,米东区\n"
                .to_string(),
        ),
        (
            "signings.csv",
            format!(
                "contract_id,person_id,institution_id,package,signed_on,personal_paid,name\n\
                 A1,{one},C1,有偿服务包,2020年1月6日,4.50,居民一\n\
                 A2,{two},C2,有偿服务包,2020-02-07,4.50元,居民二\n\
                 A3,{three},C2,有偿服务包,2020-02-30,4.50,居民三\n"
            ),
        ),
        ("scores.csv", "institution_id,period,score,level\nC1,2020Q1,88.5,区县\n".to_string()),
        (
            "swipes.csv",
            format!("person_id,institution_id,swiped_at,item,charged\n{one},C1,2020-02-03,肌肉注射,3.00\n"),
        ),
        ("payments.csv", "institution_id,cohort,source,amount\nC1,2020Q1,城乡居民医保基金,1.00\n".to_string()),
    ])
}

const CHINESE: &[(&str, &str)] = &[
    ("institution_id", "机构编码"),
    ("contract_id", "协议编号"),
    ("person_id", "身份证号"),
    ("package", "服务包"),
    ("signed_on", "签约日期"),
    ("personal_paid", "个人缴费金额"),
    ("district", "区县"),
    ("kind", "机构类别"),
    ("period", "考核周期"),
    ("score", "得分"),
    ("level", "考核层级"),
    ("swiped_at", "刷卡时间"),
    ("item", "服务项目"),
    ("charged", "收费金额"),
    ("cohort", "批次"),
    ("source", "资金来源"),
    ("amount", "金额"),
];

fn chinese_header(text: &str) -> String {
    let (header, rest) = text.split_once('\n').expect("a header");
    let cells = header.split(',').map(|cell| match cell {
        "name" if header.starts_with("institution_id") => "机构名称",
        "name" => "姓名",
        _ => CHINESE.iter().find(|(english, _)| *english == cell).expect("a column").1,
    });
    format!("{}\n{rest}", cells.collect::<Vec<_>>().join(","))
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = "\u{FEFF}".encode_utf16().chain(text.encode_utf16());
    units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

/// Settles the texts as `dress` writes them.
fn dressed(dress: impl Fn(&str, &str) -> Vec<u8>) -> support::Outputs {
    let case = Case::default();
    for (name, text) in texts() {
        case.write(name, dress(name, &text));
    }
    case.settled(&[])
}

#[test]
fn the_same_rows_in_another_dress_give_the_same_settlement() {
    let plain = dressed(|_, text| text.as_bytes().to_vec());
    let settlement = plain.text("settlement.csv");
    assert_eq!(settlement.lines().count(), 5, "{settlement}");
    assert!(settlement.contains("\"石榴, 村\"") && settlement.contains(",88.5,0.97,"), "{settlement}");
    let gb = |text: &str| GB18030.encode(text).0.into_owned();
    type Dress = Box<dyn Fn(&str, &str) -> Vec<u8>>;
    let dresses: Vec<(&str, &str, Dress)> = vec![
        ("utf-8 with BOM", "utf-8-bom", Box::new(|_, text| format!("\u{FEFF}{text}").into_bytes())),
        ("utf-16, little end first", "utf-16le", Box::new(|_, text| utf16(text, false))),
        ("utf-16, big end first", "utf-16be", Box::new(|_, text| utf16(text, true))),
        ("CRLF", "utf-8", Box::new(|_, text| text.replace('\n', "\r\n").into_bytes())),
        ("Chinese headers", "utf-8", Box::new(|_, text| chinese_header(text).into_bytes())),
        ("GB18030", "gb18030", Box::new(move |_, text| gb(&chinese_header(text)))),
        ("no break at the end", "utf-8", Box::new(|_, text| text.trim_end().as_bytes().to_vec())),
        (
            "blank lines",
            "utf-8",
            Box::new(|_, text| format!("\n \r\n{}\n\n", text.replace('\n', "\n\n")).into()),
        ),
        ("all quoted", "utf-8", Box::new(|_, text| quoted(text, "").into_bytes())),
        ("line breaks in quotes", "utf-8", Box::new(|_, text| quoted(text, "\n1\r\n2").into_bytes())),
        (
            "CRLF, utf-16 and Chinese",
            "utf-16le",
            Box::new(|_, text| utf16(&chinese_header(text).replace('\n', "\r\n"), false)),
        ),
        ("columns backwards", "utf-8", Box::new(|_, text| backwards(text).into_bytes())),
        (
            "full-width and wrapped",
            "utf-8",
            Box::new(|_, text| text.replace(",C1,", ",　Ｃ１ ,").replace(",C2,", ",'C2,").into()),
        ),
    ];
    for (name, encoding, dress) in dresses {
        let other = dressed(&dress);
        assert_eq!(other.text("settlement.csv"), settlement, "{name}");
        assert_eq!(other.text("clawback.csv"), plain.text("clawback.csv"), "{name}");
        assert_eq!(codes(&other.rows("rejected.csv")), codes(&plain.rows("rejected.csv")), "{name}");
        assert_eq!(codes(&other.rows("flags.csv")), codes(&plain.rows("flags.csv")), "{name}");
        let manifest: serde_json::Value = serde_json::from_str(&other.text("manifest.json")).expect("JSON");
        let read = manifest["inputs"].as_array().expect("inputs");
        assert_eq!(read.len(), 5);
        for input in read {
            assert_eq!(input["encoding"], encoding, "{name}: {input}");
        }
    }
}

fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_string).collect()).collect()
}

/// Every field in quotes, and a note with `breaks` in a column of its own that nobody reads.
fn quoted(text: &str, breaks: &str) -> String {
    let mut out = String::new();
    for (at, row) in cells(text).into_iter().enumerate() {
        let note =
            if at == 0 { "remark of the clerk".into() } else { format!("he said \"\"so\"\", {breaks}") };
        let fields: Vec<String> = row.iter().chain([&note]).map(|cell| format!("\"{cell}\"")).collect();
        out += &format!("{}\n", fields.join(","));
    }
    out
}

fn backwards(text: &str) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in cells(text) {
        writer.write_record(row.iter().rev()).expect("a row");
    }
    String::from_utf8(writer.into_inner().expect("all rows")).expect("text")
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    // The bad row of texts() is the third: line 4; each dress moves it as it should.
    let line = |outputs: &support::Outputs| outputs.rows("rejected.csv")[0]["line"].clone();
    assert_eq!(line(&dressed(|_, text| text.as_bytes().to_vec())), "4");
    assert_eq!(line(&dressed(|_, text| text.replace('\n', "\r\n").into_bytes())), "4");
    assert_eq!(line(&dressed(|_, text| format!("\u{FEFF}{text}").into_bytes())), "4");
    assert_eq!(line(&dressed(|_, text| utf16(text, false))), "4");
    assert_eq!(line(&dressed(|_, text| text.replace('\n', "\n\n").into_bytes())), "7");
    assert_eq!(line(&dressed(|_, text| text.replace('\n', "\r\n\r\n").into_bytes())), "7");
    assert_eq!(line(&dressed(|_, text| quoted(text, "\n\n").into_bytes())), "8");
    assert_eq!(line(&dressed(|_, text| quoted(text, "\r\n").into_bytes())), "6");
}

#[test]
fn several_files_are_read_as_one() {
    let case = Case::good();
    let plain = case.settled(&[]);
    let text = good_signings();
    let rows: Vec<&str> = text.lines().collect();
    case.remove("signings.csv");
    case.write("signings-01.csv", format!("{}\n{}\n", rows[0], rows[1]));
    case.write("signings-02.csv", format!("\u{FEFF}{}\r\n{}", rows[0], rows[2]));
    case.remove("institutions.csv");
    let text = INSTITUTIONS;
    let institutions: Vec<&str> = text.lines().collect();
    case.write("institutions.csv", format!("{}\n{}\n", institutions[0], institutions[1]));
    case.write("institutions 2020.CSV", format!("{}\n{}\n", institutions[0], institutions[2]));
    let split = case.settled(&[]);
    assert_eq!(split.text("settlement.csv"), plain.text("settlement.csv"));
    assert_eq!(split.text("summary.csv"), plain.text("summary.csv"));

    // The order of the files decides which of two rows stands first.
    case.write("signings-03.csv", format!("{}\n{}\n", rows[0], rows[1]));
    let refused = case.settled(&[]).rows("rejected.csv");
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0]["file"].as_str(), refused[0]["line"].as_str()), ("signings-03.csv", "2"));
    assert_eq!(refused[0]["code"], "E501");
    assert!(refused[0]["reason"].contains("signings-01.csv:2"), "{}", refused[0]["reason"]);
}

#[test]
fn no_id_number_is_ever_shown_in_full() {
    let case = Case::good();
    let person = id("1990-01-01", 3);
    let bad = [
        format!("X1,{person},C1,{person},2020-01-06,,"),
        format!("X2,{person},{person},paid,2020-01-06,,"),
        format!("X3,{person},C1,paid,{person},,"),
        format!("X4,{person},C1,paid,2020-01-06,{person},"),
        format!("X5,{}0,C1,paid,2020-01-06,,", &person[..17]),
        format!("X6,{person}\" ,C1"),
    ];
    case.write("signings.csv", format!("{}{}\n", good_signings(), bad.join("\n")));
    let output = case.settle(&[]);
    good(&output);
    let mut shown = vec![("stderr".to_string(), stderr(&output))];
    shown.push(("stdout".into(), String::from_utf8_lossy(&output.stdout).into_owned()));
    shown.extend(
        files(&case.out())
            .into_iter()
            .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned())),
    );
    let refused = case.outputs().rows("rejected.csv");
    assert_eq!(refused.len(), bad.len());
    for (name, text) in shown {
        let found = text.lines().find(|line| line.contains(&person[..17]));
        assert_eq!(found, None, "{name} shows a whole ID number");
    }
}
