//! Inputs as people have them: compressed exports and workbooks say the same as the CSV, place by place;
//! what is damaged stops the run with a word, and nothing is written.

mod support;

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::Output;

use flate2::Compression;
use flate2::write::GzEncoder;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use sha2::{Digest, Sha256};
use support::{Case, Row, good, good_signings, id, jiayi, regions, rows, stderr};
use zip::write::SimpleFileOptions;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// Ids that are too long to be kept as a shape and a number say the same in every block of a file.
#[test]
fn long_contract_ids_settle_like_short_ones() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &str| {
        let mut command = jiayi(home.path());
        support::good(&command.args(arguments.split(' ')).output().expect("jiayi starts"));
    };
    run("sample --region urumqi --period 2020Q1 --out short --signings 4000 --errors 0.05 --quiet");
    fs::create_dir(home.path().join("long")).expect("a folder");
    let prefix = "contract-of-the-office-of-that-city/";
    for entry in fs::read_dir(home.path().join("short")).expect("a folder").flatten() {
        let mut bytes = fs::read(entry.path()).expect("a file");
        if entry.file_name() == "signings.csv" {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
            let long = |(at, line): (usize, &[u8])| {
                let numbered = at > 0 && line.first().is_some_and(u8::is_ascii_alphanumeric);
                [if numbered { prefix.as_bytes() } else { b"" }, line].concat()
            };
            bytes = lines.map(long).collect::<Vec<_>>().concat();
            assert!(bytes.len() > 3 * 128 * 1024, "more than two blocks");
        }
        fs::write(home.path().join("long").join(entry.file_name()), bytes).expect("a file");
    }
    for data in ["short", "long"] {
        run(&format!(
            "settle --region urumqi --quarter 2020Q1 --data {data} --out out-{data} --only csv --quiet"
        ));
    }
    let text = |data: &str, name: &str| {
        fs::read_to_string(home.path().join(format!("out-{data}")).join(name)).expect("an output")
    };
    for name in ["settlement.csv", "summary.csv", "flags.csv", "rejected.csv", "clawback.csv", "figures.csv"]
    {
        assert_eq!(text("long", name).replace(prefix, ""), text("short", name), "{name}");
        assert_eq!(
            text("long", name).contains(prefix),
            name == "flags.csv" || name == "rejected.csv",
            "{name}"
        );
    }
}

/// A workbook of a CSV file: a line is a row, days are days, amounts are numbers, the rest is text. A line that
/// is no record of the file has a cell too many.
#[expect(clippy::disallowed_types, reason = "that is how a workbook stores a number")]
fn workbook(csv: &[u8]) -> Vec<u8> {
    let mut book = Workbook::new();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let sheet = book.add_worksheet();
    let mut width = 0;
    for (row, line) in csv.split(|byte| *byte == b'\n').enumerate() {
        let row = row as u32;
        let text = String::from_utf8_lossy(line);
        let mut cells: Vec<&str> = text.trim_end_matches('\r').split(',').collect();
        if text.is_empty() {
            continue;
        }
        if row == 0 {
            width = cells.len();
        }
        if cells.len() != width || std::str::from_utf8(line).is_err() {
            cells.resize(width, "");
            cells.push("more");
        }
        for (column, cell) in cells.into_iter().enumerate() {
            let column = column as u16;
            let amount =
                (cell.contains('.') && !cell.contains('E')).then(|| cell.parse::<f64>().ok()).flatten();
            match (ExcelDateTime::parse_from_str(cell), amount) {
                (Ok(date), _) if cell.len() == 10 => sheet.write_with_format(row, column, &date, &day),
                (_, Some(amount)) => sheet.write_number(row, column, amount),
                _ => sheet.write_string(row, column, cell),
            }
            .expect("a cell");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

/// A workbook made by hand: the sheets' names and rows, and other parts.
fn by_hand(sheets: &[(&str, &str)], from_1904: bool, strings: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(text.as_bytes()).expect("memory");
    };
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |id: &str, of: &str, to: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{of}\" Target=\"{to}\"/>")
    };
    let relations = |all: &str| format!("<Relationships xmlns=\"r\">{all}</Relationships>");
    add("_rels/.rels", &relations(&relation("r1", "officeDocument", "xl/workbook.xml")));
    let mut listed = String::new();
    let mut related =
        relation("st", "styles", "styles.xml") + &relation("ss", "sharedStrings", "/xl/sharedStrings.xml");
    for (at, (name, rows)) in sheets.iter().enumerate() {
        let hidden = if name.starts_with("hidden") { "state=\"hidden\"" } else { "" };
        listed += &format!("<sheet name=\"{name}\" sheetId=\"{at}\" {hidden} r:id=\"s{at}\"/>");
        related += &relation(&format!("s{at}"), "worksheet", &format!("worksheets/sheet{at}.xml"));
        let sheet = format!("<worksheet><dimension ref=\"A1\"/><sheetData>{rows}</sheetData></worksheet>");
        add(&format!("xl/worksheets/sheet{at}.xml"), &sheet);
    }
    add("xl/_rels/workbook.xml.rels", &relations(&related));
    let system = if from_1904 { "<workbookPr date1904=\"1\"/>" } else { "<workbookPr/>" };
    add("xl/workbook.xml", &format!("<workbook xmlns:r=\"r\">{system}<sheets>{listed}</sheets></workbook>"));
    // Style 0 is a number, 1 a day, 2 a share of a hundred.
    add(
        "xl/styles.xml",
        "<styleSheet><numFmts><numFmt numFmtId=\"176\" formatCode=\"yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@\"/></numFmts>\
         <cellStyleXfs><xf numFmtId=\"9\"/></cellStyleXfs>\
         <cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"176\"/><xf numFmtId=\"9\"/></cellXfs></styleSheet>",
    );
    let shared =
        format!("<sst count=\"1\" uniqueCount=\"{}\">{strings}</sst>", strings.matches("<si").count());
    add("xl/sharedStrings.xml", &shared);
    zip.finish().expect("memory").into_inner()
}

/// A row of inline texts; what begins with `<` is a cell as it stands.
fn row(number: u32, cells: &[&str]) -> String {
    let cell = |cell: &&str| match cell.strip_prefix('<') {
        Some(_) => cell.to_string(),
        None => format!("<c t=\"inlineStr\"><is><t>{cell}</t></is></c>"),
    };
    format!("<row r=\"{number}\">{}</row>", cells.iter().map(cell).collect::<String>())
}

const HEADER: [&str; 7] =
    ["contract_id", "person_id", "institution_id", "package", "signed_on", "personal_paid", "insured"];

/// A good signing but for what `change` makes of its cells.
fn signing(number: u32, change: impl Fn(&mut Vec<String>)) -> String {
    let mut cells = vec![
        format!("X{number}"),
        id("1980-12-31", number as usize),
        "C1".into(),
        "paid".into(),
        "<c s=\"1\"><v>43836</v></c>".into(),
        "<c><v>4.5</v></c>".into(),
        "<c t=\"b\"><v>1</v></c>".into(),
    ];
    change(&mut cells);
    row(number, &cells.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A folder whose signings are this workbook.
fn with_book(book: impl AsRef<[u8]>) -> Case {
    let case = Case::good();
    case.remove("signings.csv");
    case.write("signings.xlsx", book);
    case
}

/// The run stops with these words, and nothing is written.
fn stops(case: &Case, says: &[&str]) {
    let output = case.settle(&[]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!case.out().exists(), "nothing is written");
    for words in says {
        assert!(told.contains(words), "`{words}` should be said: {told}");
    }
}

fn sample() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/urumqi")
}

/// The sample with each file turned into another form.
fn sample_as(end: &str, turn: impl Fn(&[u8]) -> Vec<u8>) -> Case {
    let case = Case::default();
    for kind in ["institutions", "signings", "swipes", "scores", "payments", "sheets"] {
        let csv = fs::read(sample().join(format!("{kind}.csv"))).expect("a sample");
        case.write(&format!("{kind}{end}"), turn(&csv));
    }
    case
}

fn run(case: &Case, args: &[&str]) -> Output {
    let mut command = jiayi(case.home.path());
    let output = command.args(args).arg("--data").arg(case.data()).output().expect("it runs");
    good(&output);
    output
}

#[test]
fn the_sample_is_the_same_in_every_form() {
    let plain = sample_as(".csv", <[u8]>::to_vec);
    let settled = plain.settled(&["--only", "csv"]);
    for (end, turn) in [(".csv.gz", gzip as fn(&[u8]) -> Vec<u8>), (".csv.zst", zstd), (".xlsx", workbook)] {
        let case = sample_as(end, turn);
        let other = case.settled(&["--only", "csv"]);
        for name in ["settlement.csv", "clawback.csv", "figures.csv"] {
            assert_eq!(other.text(name), settled.text(name), "{end} {name}");
        }
        // Of a row with a cell too many not even the institution is certain.
        let money = |rows: Vec<Row>| -> Vec<Row> {
            let counts = |column: &str| end == ".xlsx" && matches!(column, "signings" | "rejected");
            rows.into_iter()
                .map(|row| row.into_iter().filter(|(column, _)| !counts(column)).collect())
                .collect()
        };
        assert_eq!(money(other.rows("summary.csv")), money(settled.rows("summary.csv")), "{end}");
        // A row is named by its place in the file as it is called.
        let named = |kind: &str| format!("{kind}{end}{}", if end == ".xlsx" { "[Sheet1]" } else { "" });
        for name in ["rejected.csv", "flags.csv"] {
            let mut wanted = settled.text(name);
            for kind in ["signings", "swipes", "scores"] {
                wanted = wanted.replace(&format!("{kind}.csv"), &named(kind));
            }
            let damaged = |text: &str| {
                // A workbook has no bytes that are no text: its row has a cell too many instead.
                let other = |row: &&str| !row.contains(",E105,") && !row.contains(",E101,");
                let mut lines: Vec<String> = text.lines().filter(other).map(str::to_string).collect();
                lines.sort();
                (lines, text.matches(",E101,").count() + text.matches(",E105,").count())
            };
            assert_eq!(damaged(&other.text(name)), damaged(&wanted), "{end} {name}");
        }
        let manifest: serde_json::Value = serde_json::from_str(&other.text("manifest.json")).expect("JSON");
        for input in manifest["inputs"].as_array().expect("inputs") {
            let bytes =
                fs::read(case.data().join(input["file"].as_str().expect("a name"))).expect("it is there");
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(
                (input["bytes"].as_u64(), input["sha256"].as_str()),
                (Some(bytes.len() as u64), Some(&*hash))
            );
            assert_eq!(input["encoding"], if end == ".xlsx" { "xlsx" } else { "utf-8" });
            assert_eq!(input.get("sheet").is_some(), end == ".xlsx");
        }
        // One thread or many, the same bytes.
        let (one, many) = (case.settled(&["--only", "csv", "--threads", "1"]), other);
        assert_eq!(one, many, "{end}");
        // The auditor computes it anew, from the same files.
        let mut verify = jiayi(case.home.path());
        let verified =
            verify.arg("verify").arg(case.out()).arg("--data").arg(case.data()).output().expect("runs");
        good(&verified);
        // First places with their lines.
        let check = run(&case, &["check", "--region", "urumqi", "--format", "json"]);
        let check: serde_json::Value = serde_json::from_slice(&check.stdout).expect("JSON");
        let first = check["first"].as_array().expect("places");
        let shown = first.iter().find(|one| one["code"] == "E305").expect("the first of E305");
        assert_eq!((shown["file"].as_str(), shown["line"].as_u64()), (Some(&*named("signings")), Some(265)));
        let excerpt = shown["excerpt"].as_str().expect("an excerpt");
        assert!(excerpt.starts_with("XY00264,999901********2640,WL02,paid,2019-10-31,"), "{excerpt}");
        let told =
            run(&case, &["explain", "--region", "urumqi", "--period", "2020Q1", "--contract", "XY-A2"]);
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains(&format!("{}:268", named("signings"))), "{told}");
    }
}

#[test]
fn score_sheets_are_assessed_in_every_form() {
    let csv = fs::read(sample().join("sheets.csv")).expect("a sample");
    let case = Case::default();
    let mut all = Vec::new();
    for (name, bytes) in [
        ("a.csv", csv.clone()),
        ("b.csv.gz", gzip(&csv)),
        ("c.csv.zst", zstd(&csv)),
        ("d.xlsx", workbook(&csv)),
    ] {
        case.write(name, bytes);
        let out = case.home.path().join(name).join("scores.csv");
        let mut command = jiayi(case.home.path());
        command.args(["assess", "--region", "urumqi", "--period", "2020Q1"]).arg(case.data().join(name));
        good(&command.arg("-o").arg(&out).output().expect("it runs"));
        all.push(fs::read_to_string(out).expect("scores"));
    }
    assert!(all[0].lines().count() > 1 && all.iter().all(|one| *one == all[0]), "{all:?}");
}

#[test]
fn parts_one_behind_the_other_are_one_file() {
    for (end, turn) in [(".csv.gz", gzip as fn(&[u8]) -> Vec<u8>), (".csv.zst", zstd)] {
        let text = good_signings();
        // Cut within a row, and an empty part.
        let (first, second) = text.as_bytes().split_at(100);
        let case = Case::good();
        let wanted = case.settled(&["--only", "csv"]);
        case.remove("signings.csv");
        let skipped: &[u8] =
            if end == ".csv.zst" { &[0x51, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3] } else { &[] };
        case.write(&format!("signings{end}"), [&turn(first), &turn(b""), skipped, &turn(second)].concat());
        let settled = case.settled(&["--only", "csv"]);
        assert_eq!(settled.text("settlement.csv"), wanted.text("settlement.csv"), "{end}");
        assert_eq!(settled.text("summary.csv"), wanted.text("summary.csv"), "{end}");
    }
}

#[test]
fn text_in_other_encodings_is_packed_as_well() {
    let wanted = Case::good().settled(&["--only", "csv"]).text("settlement.csv");
    let mut utf16 = vec![0xFF, 0xFE];
    let twice = good_signings() + good_signings().lines().nth(1).expect("a row");
    utf16.extend(twice.encode_utf16().flat_map(u16::to_le_bytes));
    let case = Case::good();
    case.remove("signings.csv");
    case.write("signings.csv.gz", gzip(&utf16));
    let settled = case.settled(&["--only", "csv"]);
    assert_eq!(settled.text("settlement.csv"), wanted);
    let refused = settled.rows("rejected.csv");
    assert_eq!((&*refused[0]["code"], &*refused[0]["line"]), ("E501", "4"));
}

#[test]
fn a_damaged_packed_file_stops_the_run() {
    let text = good_signings().repeat(40);
    for (end, turn, form) in [("csv.gz", gzip as fn(&[u8]) -> Vec<u8>, "gzip"), ("csv.zst", zstd, "zstd")] {
        let name = format!("signings.{end}");
        let packed = turn(text.as_bytes());
        let spoilt = |bytes: &[u8], says: &[&str]| {
            let case = Case::good();
            case.remove("signings.csv");
            case.write(&name, bytes);
            stops(&case, &[says, &[name.as_str(), "help"]].concat());
        };
        for length in [packed.len() - 1, packed.len() - 5, packed.len() / 2, 12, 6] {
            spoilt(&packed[..length], &["ends in the middle", "copy it once more"]);
        }
        let mut wrong = packed.clone();
        let last = if end == "csv.gz" { wrong.len() - 6 } else { wrong.len() - 1 };
        wrong[last] ^= 1;
        spoilt(&wrong, &["is damaged", "export it again"]);
        spoilt(&[&packed, b"more".as_slice()].concat(), &["bytes behind its compressed content"]);
        spoilt(&[&packed, [0; 512].as_slice()].concat(), &["bytes behind its compressed content"]);
        spoilt(text.as_bytes(), &[&format!("named as {form}"), "name it .csv"]);
        spoilt(b"", &["is empty"]);
        // A line without end is one row of the file, and takes no memory.
        let case = Case::good();
        case.remove("signings.csv");
        case.write(&name, turn(&[good_signings().into_bytes(), vec![b'x'; 30_000_000]].concat()));
        let refused = case.settled(&["--only", "csv"]).rows("rejected.csv");
        assert_eq!((&*refused[0]["code"], &*refused[0]["line"]), ("E101", "4"));
    }
    // A window of 2 GB.
    let case = Case::good();
    case.remove("signings.csv");
    case.write("signings.csv.zst", [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 1, 0, 0]);
    stops(&case, &["128 MB", "without --ultra or --long"]);
}

#[test]
fn one_table_in_two_forms_stops_the_run() {
    for (name, bytes) in [
        ("signings.csv.gz", gzip(good_signings().as_bytes())),
        ("signings.csv.zst", zstd(good_signings().as_bytes())),
        ("signings.XLSX", workbook(good_signings().as_bytes())),
        ("Signings.csv", good_signings().into_bytes()),
    ] {
        let case = Case::good();
        case.write(name, bytes);
        stops(&case, &["signings.csv", name, "count twice", "leave one of them"]);
    }
    // Parts of one kind in several forms are read together.
    let case = Case::good();
    let text = good_signings();
    let lines: Vec<&str> = text.lines().collect();
    let wanted = case.settled(&["--only", "csv"]).text("settlement.csv");
    case.write("signings.csv", format!("{}\n{}\n", lines[0], lines[1]));
    case.write("signings-2.xlsx", workbook(format!("{}\n{}\n", lines[0], lines[2]).as_bytes()));
    assert_eq!(case.settled(&["--only", "csv"]).text("settlement.csv"), wanted);
}

#[test]
fn forms_that_are_not_read_are_told() {
    let others = ["signings-2.gz", "signings-3.xlsx.gz", "Scores-2.tsv", "swipes-2.txt", "payments-2.lz4"];
    for name in ["payments.xls", "signings-2.et", "scores-2.ods", "swipes.csv.zip"].into_iter().chain(others)
    {
        let case = Case::good();
        case.write(name, "x");
        stops(&case, &[name, "not read", "save it as .xlsx or as CSV"]);
    }
    // Beside the same table as CSV it is only said.
    let case = Case::good();
    case.write("signings.xls", "x");
    let output = case.settle(&[]);
    good(&output);
    assert!(stderr(&output).contains("`signings.xls` in the folder are not used"), "{}", stderr(&output));
    for (bytes, form) in [
        (workbook(b"a,b\n"), ".xlsx"),
        (gzip(b"a,b\n"), ".csv.gz"),
        (zstd(b"a,b\n"), ".csv.zst"),
        (vec![0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], ".xls"),
    ] {
        let case = Case::good();
        case.write("signings.csv", bytes);
        stops(&case, &["signings.csv", &format!("that of {form}"), "name it as what it is"]);
    }
}

#[test]
fn cells_are_what_a_clerk_sees() {
    let lost = "<c><v>999901198012310020</v></c>";
    let shared = "<si><r><t>C</t></r><r><t>1</t></r><rPh><t>see</t></rPh></si><si/><si><t xml:space=\"preserve\"> a\"b,c\n&lt;d&gt;_x000D_ </t></si>";
    let set = |at: usize, text: &'static str| move |cells: &mut Vec<String>| cells[at] = text.into();
    let rows = [
        row(2, &["title of the whole table"]),
        "<row r=\"4\" hidden=\"1\"><c r=\"A4\" t=\"inlineStr\"><is><t>office</t></is></c><c r=\"C4\"><v>2020</v></c></row>".into(),
        row(6, &HEADER),
        // Good ones: blanks above, a hidden row, a shared text in parts, a day with a time, 4.50 as it was added up.
        signing(9, set(2, "<c t=\"s\"><v>0</v></c>")).replace("<row ", "<row hidden=\"1\" "),
        signing(10, set(4, "<c s=\"1\"><v>43836.354224537034</v></c>")),
        signing(11, set(5, "<c><v>4.5000000000000009</v></c>")),
        signing(12, set(5, "<c><f>1+3.5</f><v>4.5</v></c>")),
        signing(13, set(6, "<c t=\"str\"><f>IF(1,\"是\")</f><v>是</v></c>")),
        signing(14, set(6, "<c t=\"str\"><f>IF(0,1,\"\")</f><v></v></c>")),
        signing(15, set(0, "<c t=\"s\"><v>2</v></c>")),
        signing(16, set(4, "<c t=\"d\"><v>2020-01-06T00:00:00</v></c>")),
        signing(17, set(0, "'00017")),
        "<row r=\"18\"/>".into(),
        // And bad ones.
        signing(20, set(1, lost)),
        signing(21, set(5, "<c><v>4.505</v></c>")),
        signing(22, set(4, "<c s=\"1\"><v>60</v></c>")),
        signing(23, set(6, "<c t=\"e\"><v>#N/A</v></c>")),
        signing(24, set(5, "<c><f>SUM(A1:A2)</f></c>")),
        signing(25, set(2, "<c/>")),
        signing(26, set(4, "<c><v>43836</v></c>")),
        signing(27, |cells| cells.push("remark".into())),
        signing(28, set(5, "<c s=\"2\"><v>0.045</v></c>")),
        signing(29, set(4, "<c s=\"1\"><v>43835.99</v></c>")).replace("insured", ""),
    ];
    let case = with_book(by_hand(&[("Sheet1", &rows.concat())], false, shared));
    let output = case.settle(&["--only", "csv"]);
    good(&output);
    let told = stderr(&output);
    assert!(told.contains("the header of signings.xlsx[Sheet1] is row 6"), "{told}");
    let settled = case.outputs();
    let code = |row: &Row| format!("{}:{} {}", row["file"], row["line"], row["code"]);
    let mut refused: Vec<String> = settled.rows("rejected.csv").iter().map(code).collect();
    refused.sort();
    let wanted =
        ["20 E201", "21 E104", "22 E103", "23 E106", "24 E104", "25 E102", "26 E103", "27 E101", "28 E104"];
    assert_eq!(refused, wanted.map(|row| format!("signings.xlsx[Sheet1]:{row}")));
    let reason = |line: &str| {
        let rows = settled.rows("rejected.csv");
        rows.iter().find(|row| row["line"] == line).expect("a row")["reason"].clone()
    };
    assert_eq!(
        reason("20"),
        "the ID number was taken for a number by a spreadsheet; its last digits are lost"
    );
    assert!(reason("24").contains("=SUM(A1:A2)"), "{}", reason("24"));
    assert!(reason("28").contains("4.5%"), "{}", reason("28"));
    let counted: u32 =
        settled.rows("summary.csv").iter().map(|row| row["admitted"].parse::<u32>().expect("a number")).sum();
    assert_eq!(counted, 10);
    let check = run(&case, &["check", "--region", "urumqi"]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("signings.xlsx[Sheet1]:21"), "{text}");
}

#[test]
fn days_may_be_counted_from_1904() {
    let rows = [
        row(1, &HEADER),
        signing(2, |cells| cells[4] = "<c s=\"1\"><v>42374</v></c>".into()),
        signing(3, |cells| cells[4] = "<c s=\"1\"><v>41000</v></c>".into()),
    ];
    let case = with_book(by_hand(&[("Sheet1", &rows.concat())], true, ""));
    let settled = case.settled(&["--only", "csv"]);
    let refused = settled.rows("rejected.csv");
    assert_eq!((refused.len(), &*refused[0]["line"], &*refused[0]["code"]), (1, "3", "E305"));
    assert!(refused[0]["reason"].contains("2016-04-02"), "{}", refused[0]["reason"]);
}

#[test]
fn of_several_sheets_the_one_that_is_named_like_the_kind_is_read() {
    let good_rows = [row(1, &HEADER), signing(2, |_| {})].concat();
    let other = row(1, &["some", "notes"]);
    for (sheets, read, not) in [
        (vec![("说明", &other), ("签约明细", &good_rows)], "签约明细", "说明"),
        (vec![("Sheet1", &good_rows), ("Sheet2", &other)], "Sheet1", "Sheet2"),
        (vec![("hidden", &other), ("Signings", &good_rows)], "Signings", "hidden"),
        (vec![("hidden", &other), ("Sheet9", &good_rows)], "Sheet9", "hidden"),
    ] {
        let sheets: Vec<(&str, &str)> =
            sheets.into_iter().map(|(name, rows)| (name, rows.as_str())).collect();
        let case = with_book(by_hand(&sheets, false, ""));
        let output = case.settle(&["--only", "csv"]);
        good(&output);
        let told = stderr(&output);
        assert!(
            told.contains(&format!("signings.xlsx[{read}] is the sheet that was read; `{not}` of that")),
            "{told}"
        );
        assert_eq!(rows(&case.outputs().text("summary.csv"))[0]["admitted"], "1");
    }
    let case = with_book(by_hand(&[("签约", &good_rows), ("signings", &good_rows)], false, ""));
    stops(&case, &["`签约`, `signings`", "named like what it holds"]);
    // None is named like it, and two could be meant: to read one of them could move money.
    let titled = [row(1, &["title"]), row(3, &HEADER), signing(4, |_| {})].concat();
    let months = [("一月", good_rows.as_str()), ("说明", &other), ("二月", &titled), ("hidden", &good_rows)];
    stops(
        &with_book(by_hand(&months, false, "")),
        &["`一月`, `二月`", "which is to be read", "file of its own"],
    );
    // One with an error further down has the columns all the same.
    let spilt = row(4, &["<c t=\"e\"><v>#SPILL!</v></c>"]);
    let months = [("一月", good_rows.clone()), ("二月", [row(1, &HEADER), spilt].concat())];
    let months = months.each_ref().map(|(name, rows)| (*name, rows.as_str()));
    stops(&with_book(by_hand(&months, false, "")), &["`一月`, `二月`", "all have the columns"]);
    let behind = [("说明", other.as_str()), ("数据", &good_rows)];
    stops(
        &with_book(by_hand(&behind, false, "")),
        &["first sheet `说明`", "lacks the columns, and `数据` has"],
    );
    // A look at refused lines reads the sheet that was read before.
    let bad = [row(1, &HEADER), signing(2, |cells| cells[5] = "x".into())].concat();
    let case = with_book(by_hand(&[("数据", &bad), ("说明", &other)], false, ""));
    let text = String::from_utf8_lossy(&run(&case, &["check", "--region", "urumqi"]).stdout).into_owned();
    assert!(text.contains("signings.xlsx[数据]:2"), "{text}");
}

#[test]
fn a_workbook_that_cannot_be_read_stops_the_run() {
    let good_rows = [row(1, &HEADER), signing(2, |_| {})].concat();
    let book = by_hand(&[("Sheet1", &good_rows)], false, "");
    let old = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];
    let password: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut flipped = book.clone();
    // Within the first sheet's compressed rows, which stand behind the first name of the part.
    let at = book.windows(6).position(|part| part == b"sheet0").expect("the part") + 60;
    flipped[at] ^= 0xFF;
    let mut ods = zip::ZipWriter::new(Cursor::new(Vec::new()));
    ods.start_file("content.xml", SimpleFileOptions::default()).expect("a part");
    let ods = ods.finish().expect("memory").into_inner();
    let long = format!("<row><c t=\"inlineStr\"><is><t>{}</t></is></c></row>", "x".repeat(40_000_000));
    let lines = |text: &str| by_hand(&[("Sheet1", text)], false, "");
    let changed = |at: usize, cell: &str| {
        lines(&[row(1, &HEADER), signing(2, |cells| cells[at] = cell.into())].concat())
    };
    for (bytes, says) in [
        (b"contract_id,person_id\n".to_vec(), "is no .xlsx workbook"),
        (Vec::new(), "is empty (0 bytes)"),
        (old.to_vec(), "Excel up to 2003"),
        ([&old, &[0; 4_000][..], &password].concat(), "with a password only"),
        (ods, "another form"),
        (book[..book.len() / 2].to_vec(), "is damaged"),
        (flipped, "is damaged"),
        (lines(""), "without even a header"),
        (lines(&row(1, &["contract_id", "person_id"])), "lacks the required column"),
        (lines(&[row(5, &HEADER), signing(2, |_| {})].concat()), "is damaged"),
        (lines(&[row(1, &HEADER), signing(1_048_577, |_| {})].concat()), "is damaged"),
        (
            lines(
                &[row(1, &HEADER), signing(2, |cells| cells[0] = "<c t=\"s\"><v>7</v></c>".into())].concat(),
            ),
            "is damaged",
        ),
        (lines(&long), "without end"),
        (
            by_hand(&[("Sheet1", &good_rows)], false, &format!("<!--{}-->", "<".repeat(40_000_000))),
            "without end",
        ),
        (lines(&"<a>".repeat(1_000)), "is damaged"),
        // As much memory as is said would be taken before the first text is read.
        (
            by_hand(&[("Sheet1", &good_rows)], false, "<sst uniqueCount=\"99999999999999\"/>"),
            "more text than any",
        ),
        // Two rows of one number, and cells that would be taken for others.
        (lines(&[row(1, &HEADER), signing(2, |_| {}), signing(2, |_| {})].concat()), "is damaged"),
        (changed(5, "<c s=\"7\"><v>4.5</v></c>"), "is damaged"),
        (changed(5, "<c><v>4&#46;5</v></c>"), "is damaged"),
        (changed(5, "<c><v>4.5</v><f>1+3.5</f></c>"), "is damaged"),
        (changed(6, "<c t=\"b\"><v>2</v></c>"), "is damaged"),
        (changed(0, "<c t=\"s\"><v>x</v></c>"), "is damaged"),
        (changed(6, "<c t=\"e\"><v>#SPILL!</v></c>"), "in row 2 or below, shows the error #SPILL!"),
        (changed(6, "<c t=\"e\"><f>A1#</f><v>#SPILL!</v></c>"), "in row 2 or below, shows the error #SPILL!"),
        (changed(6, "<c t=\"e\"><v>999901198012310020</v></c>"), "shows the error 9999"),
    ] {
        stops(&with_book(bytes), &["signings.xlsx", says]);
    }
    let quiet = with_book(lines(&row(1, &["a title", "and more"])));
    let output = quiet.settle(&["--quiet"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(regions().is_dir());
}
