//! settlement.xlsx says what the CSV files say, as an office prints it.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::{good, rows};

fn settle(home: &Path, line: &str) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    if !home.join("samples").exists() {
        std::os::unix::fs::symlink(root.join("samples"), home.join("samples")).expect("a link");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_jiayi"));
    command.args(line.split_whitespace()).args(["--lang", "zh"]).current_dir(home).env_clear();
    good(&command.output().expect("it runs"));
}

fn parts(path: &Path) -> BTreeMap<String, String> {
    let mut zip = zip::ZipArchive::new(fs::File::open(path).expect("opens")).expect("a workbook");
    let count = zip.len();
    let read = |at: usize| {
        let mut part = zip.by_index(at).expect("a part");
        let stamp = part.last_modified().expect("a time");
        assert_eq!((stamp.year(), stamp.month()), (1980, 1), "no clock time");
        let mut text = String::new();
        part.read_to_string(&mut text).expect("text");
        (part.name().expect("a name").to_string(), text)
    };
    (0..count).map(read).collect()
}

/// Cells by row and column letters: the type, the formula and the value.
type Cells = BTreeMap<(u32, String), (String, String, String)>;

fn cells(sheet: &str, strings: &[String]) -> Cells {
    let between = |text: &str, from: &str, to: &str| -> String {
        text.split_once(from)
            .and_then(|(_, rest)| rest.split_once(to))
            .map_or("", |(text, _)| text)
            .to_string()
    };
    let cell = |part: &str| {
        let place = part.split('"').next().expect("a place");
        let letters = place.trim_end_matches(|c: char| c.is_ascii_digit());
        let row = place[letters.len()..].parse().expect("a row");
        let kind = between(part.split('>').next().unwrap_or_default(), " t=\"", "\"");
        let value = match kind.as_str() {
            "inlineStr" => {
                part.split_once("<t").map_or(String::new(), |(_, rest)| between(rest, ">", "</t>"))
            }
            "s" => strings[between(part, "<v>", "</v>").parse::<usize>().expect("a number")].clone(),
            _ => between(part, "<v>", "</v>"),
        };
        let value =
            value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        ((row, letters.to_string()), (kind, between(part, "<f>", "</f>"), value))
    };
    sheet.split("<c r=\"").skip(1).map(cell).collect()
}

/// The sheets of a workbook by their names.
fn sheets(parts: &BTreeMap<String, String>) -> Vec<(String, Cells, String)> {
    let strings: Vec<String> = parts["xl/sharedStrings.xml"]
        .split("<si>")
        .skip(1)
        .map(|one| one.split_once("<t").and_then(|(_, rest)| rest.split_once('>')).expect("a text").1)
        .map(|one| one.split("</t>").next().unwrap_or_default().to_string())
        .collect();
    let names = parts["xl/workbook.xml"].split("<sheet name=\"").skip(1);
    let names = names.map(|part| part.split('"').next().unwrap_or_default().to_string());
    (1..)
        .zip(names)
        .map(|(at, name)| {
            let xml = &parts[&format!("xl/worksheets/sheet{at}.xml")];
            (name, cells(xml, &strings), xml.clone())
        })
        .collect()
}

/// A table's rows by the titles of its header.
fn table(cells: &Cells) -> Vec<BTreeMap<String, String>> {
    let header: BTreeMap<&str, &str> = cells
        .iter()
        .filter(|((row, _), _)| *row == 3)
        .map(|((_, at), cell)| (at.as_str(), cell.2.as_str()))
        .collect();
    let mut rows = Vec::new();
    for at in 4.. {
        let row: BTreeMap<String, String> = cells
            .iter()
            .filter(|((row, column), _)| *row == at && header.contains_key(column.as_str()))
            .map(|((_, column), cell)| (header[column.as_str()].to_string(), cell.2.clone()))
            .collect();
        if row.is_empty() {
            return rows;
        }
        rows.push(row);
    }
    rows
}

fn fen(text: &str) -> i64 {
    let (yuan, fen) = text.split_once('.').unwrap_or((text, ""));
    let sign = if text.starts_with('-') { -1 } else { 1 };
    yuan.parse::<i64>().unwrap_or(0) * 100 + sign * format!("{fen:0<2}").parse::<i64>().expect("fen")
}

#[test]
fn its_sheets_say_what_the_csv_files_say() {
    for (region, when) in [
        ("urumqi", "--quarter 2020Q1 --data samples/urumqi"),
        ("xinjiang", "--quarter 2023Q1 --data samples/xinjiang"),
        ("jilin", "--year 2017 --data samples/jilin"),
        ("sichuan", "--year 2025 --data samples/sichuan"),
        ("ankang", "--year 2017 --data samples/ankang"),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        settle(
            folder.path(),
            &format!("settle --region {region} {when} --out out --operator 李四 --approved-by 王五"),
        );
        let out = folder.path().join("out");
        let csv = |name: &str| rows(&fs::read_to_string(out.join(name)).expect("read"));
        let parts = parts(&out.join("settlement.xlsx"));
        let sheets = sheets(&parts);
        let names: Vec<&str> = sheets.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, ["汇总", "结算明细", "追回清单", "退回数据", "疑点", "口径"], "{region}");
        for (name, cells, xml) in &sheets {
            for set in [
                "orientation=\"landscape\"",
                "paperSize=\"9\"",
                "fitToHeight=\"0\"",
                "第 &amp;P 页 共 &amp;N 页",
                "state=\"frozen\"",
            ] {
                assert!(xml.contains(set), "{region} {name}: {set}");
            }
            assert!(
                cells.values().all(|(kind, formula, _)| formula.is_empty()
                    || (kind.is_empty() && formula.starts_with("SUM(")))
            );
            assert!(
                parts["xl/workbook.xml"].contains(&format!(
                    "Print_Titles\" localSheetId=\"{}\"",
                    names.iter().position(|one| one == name).expect("there")
                )),
                "{name}"
            );
            if name != "汇总" {
                assert!(xml.contains("<autoFilter "), "{region} {name}");
            }
        }
        // Every line, then the sums.
        let lines = csv("settlement.csv");
        let mut shown = table(&sheets[1].1);
        let pairs = [("payable", "应付"), ("recover", "追回"), ("posted", "已入账"), ("final", "清算")];
        let total = shown[lines.len()].clone();
        shown.truncate(lines.len());
        let mut sums = [0; 4];
        for (line, row) in lines.iter().zip(&shown) {
            assert_eq!(
                (&line["institution_id"], &line["institution_name"]),
                (&row["机构编码"], &row["名称"]),
                "{region}"
            );
            assert_eq!(fen(&line["gross"]), fen(&row["分担额"]));
            for (at, (column, title)) in pairs.iter().enumerate() {
                let amount = row.get(*title).map_or(0, |cell| fen(cell));
                assert_eq!(fen(&line[*column]), amount, "{region} {line:?}");
                sums[at] += amount;
            }
        }
        for ((_, title), sum) in pairs.iter().zip(sums) {
            assert_eq!(fen(&total[*title]), sum, "{region} {title}");
        }
        let formulas = sheets[1].1.values().filter(|cell| !cell.1.is_empty()).count();
        assert!(formulas >= 6, "{region}: sums are formulas");
        // Ids are text.
        let ids = sheets[1]
            .1
            .iter()
            .filter(|((row, column), _)| *row > 3 && *row <= 3 + lines.len() as u32 && column == "C");
        assert!(ids.into_iter().all(|(_, cell)| cell.0 == "inlineStr"));
        let back = csv("clawback.csv");
        assert_eq!(
            table(&sheets[2].1).iter().take(back.len()).filter(|row| row.contains_key("原因")).count(),
            back.len()
        );
        let refused = csv("rejected.csv");
        let shown = table(&sheets[3].1);
        for (line, row) in refused.iter().zip(&shown) {
            assert_eq!((&line["code"], &line["reason"]), (&row["代码"], &row["原因"]), "{region}");
            assert_eq!(&line["person_id"], row.get("身份证号").map_or("", String::as_str));
        }
        let flags = csv("flags.csv");
        for (line, row) in flags.iter().zip(table(&sheets[4].1)) {
            assert_eq!((&line["code"], &line["detail"]), (&row["代码"], &row["说明"]), "{region}");
        }
        // The first sheet: the sums in words, who answers for it, and what is not confirmed.
        let words = sheets[0].1.values().map(|cell| cell.2.as_str()).collect::<Vec<_>>().join("\n");
        for part in ["应付合计（大写）：人民币", "制表：李四", "审批：王五", "未用台账", "尚未确认"]
        {
            assert!(words.contains(part), "{region}: {part}");
        }
        let basis = sheets[5].1.values().map(|cell| cell.2.as_str()).collect::<Vec<_>>().join("\n");
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).expect("read"))
                .expect("JSON");
        for input in manifest["inputs"].as_array().expect("inputs") {
            assert!(basis.contains(input["sha256"].as_str().expect("a hash")), "{region}");
        }
        assert!(basis.contains("地方数字（未确认）"), "{region}");
        assert!(parts["docProps/core.xml"].contains("2020-01-01T00:00:00Z</dcterms:created>"));
        assert!(parts.contains_key("xl/charts/chart1.xml"));
    }
}

#[test]
fn many_districts_keep_their_header_and_a_settlement_of_nothing_adds_up_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let (mut institutions, mut signings) = (
        "institution_id,name,kind,district\n".to_string(),
        "contract_id,person_id,institution_id,package,signed_on\n".to_string(),
    );
    for number in 1..=45 {
        institutions += &format!("C{number},Clinic {number},community_center,District {number}\n");
        signings += &format!("A{number},{},C{number},paid,2020-01-06\n", support::id("1955-03-01", number));
    }
    let data = home.path().join("data");
    fs::create_dir(&data).expect("a folder");
    fs::write(data.join("institutions.csv"), institutions).expect("institutions");
    let first_sheet = |text: &str| {
        fs::write(data.join("signings.csv"), text).expect("signings");
        settle(home.path(), "settle --region urumqi --quarter 2020Q1 --data data --out out");
        let parts = parts(&home.path().join("out/settlement.xlsx"));
        (parts.keys().filter(|name| name.contains("chart")).count(), sheets(&parts).remove(0))
    };
    let (_, (_, cells, xml)) = first_sheet(&signings);
    let heads = cells.values().filter(|(_, _, value)| value == "区县").count();
    assert_eq!(heads, 3, "one for each page");
    assert!(xml.contains("<rowBreaks"), "pages begin where the headers stand");
    let sums: Vec<&(String, String, String)> =
        cells.values().filter(|(_, formula, _)| formula.starts_with("SUM(E")).collect();
    assert!(sums.len() == 2 && sums.iter().all(|(_, _, value)| fen(value) == 45 * 1_050), "{sums:?}");
    let (charts, (_, cells, _)) = first_sheet(signings.lines().next().expect("a header"));
    assert!(charts == 0 && cells.values().all(|(_, formula, _)| formula.is_empty()), "{charts} {cells:?}");
}
