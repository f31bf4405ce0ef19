//! `tests/clauses/<region>/<clause>.md`: what an article says in our own words, then one table of cases.
//! Each row is a data folder of its own: the columns say what differs from a good signing (`Case` below
//! lists them), those that start with `→` what must come out. `—` is "not given", or "there is none".

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use support::{Case, good, id, jiayi, regions, rows, stderr, tests_folder};

const REGION: &str = "urumqi";
const VERSION: &str = "2019-11-01.toml";

fn rule_text() -> String {
    fs::read_to_string(regions().join(REGION).join(VERSION)).expect("the rule file")
}

fn rule_table() -> toml::Table {
    rule_text().parse().expect("the rule file is TOML")
}

/// Every clause that a rule file cites, `一(二)、二(二)` being two.
fn cited(value: &toml::Value, under_clauses: bool, found: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                cited(value, key == "clauses" || key.ends_with("clause") || under_clauses, found);
            }
        }
        toml::Value::Array(array) => array.iter().for_each(|value| cited(value, false, found)),
        toml::Value::String(text) if under_clauses => found.extend(text.split('、').map(str::to_string)),
        _ => {}
    }
}

fn documents() -> Vec<PathBuf> {
    let entries = fs::read_dir(tests_folder("clauses").join(REGION)).expect("tests/clauses");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &std::path::Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

#[test]
fn every_clause_that_the_rules_cite_has_its_cases() {
    let mut wanted = Vec::new();
    cited(&toml::Value::Table(rule_table()), false, &mut wanted);
    wanted.sort();
    wanted.dedup();
    let there: Vec<String> = documents().iter().map(|path| stem(path)).collect();
    assert!(wanted.len() > 10, "the rule file cites clauses");
    for clause in &wanted {
        assert!(there.contains(clause), "{clause} is cited and has no table of cases");
    }
    for clause in &there {
        assert!(wanted.contains(clause), "{clause} has a table and is cited nowhere");
    }
}

#[test]
fn every_case_comes_out_as_its_clause_says() {
    let mut failures = Vec::new();
    let mut cases = 0;
    for path in documents() {
        let table = table(&fs::read_to_string(&path).expect("a clause"));
        assert!(!table.is_empty(), "{} has cases", path.display());
        for (at, row) in table.iter().enumerate() {
            cases += 1;
            let clause = stem(&path);
            failures
                .extend(check(&clause, row).map(|failure| format!("{clause}, case {}: {failure}", at + 1)));
        }
    }
    assert!(cases > 100, "only {cases} cases were found");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

/// A row of a table: column → cell; `—` is "".
type Cells = BTreeMap<String, String>;

/// Reads the one table of a document: a paragraph comes before it, nothing behind it.
fn table(text: &str) -> Vec<Cells> {
    let (before, table): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !line.starts_with('|'));
    assert!(before.join(" ").split_whitespace().count() > 10, "a clause is said in words before its cases");
    assert!(text.trim_end().ends_with('|'), "the table stands last");
    let split = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
    };
    let header = split(table[0]);
    assert!(table[1].chars().all(|c| "|-: ".contains(c)), "a line under the header");
    let mut cases = Vec::new();
    for line in &table[2..] {
        let cells = split(line);
        assert_eq!(cells.len(), header.len(), "as many cells as columns: {line}");
        let given = |cell: String| if cell == "—" { String::new() } else { cell };
        cases.push(header.iter().cloned().zip(cells.into_iter().map(given)).collect());
    }
    cases
}

/// Takes cells out of a case; what is left over at the end is a column that nobody knows.
struct Given(Cells);

impl Given {
    fn take(&mut self, column: &str) -> Option<String> {
        self.0.remove(column).filter(|cell| !cell.is_empty())
    }

    fn or(&mut self, column: &str, otherwise: &str) -> String {
        self.take(column).unwrap_or_else(|| otherwise.to_string())
    }

    fn count(&mut self, column: &str) -> Option<usize> {
        self.take(column).map(|cell| cell.parse().expect("a whole number"))
    }
}

fn check(clause: &str, row: &Cells) -> Option<String> {
    let wanted: Cells = row
        .iter()
        .filter_map(|(column, cell)| Some((column.strip_prefix("→ ")?.to_string(), cell.clone())))
        .collect();
    assert!(!wanted.is_empty(), "{clause}: a case expects something");
    let mut given = Given(
        row.iter()
            .filter(|(column, _)| !column.starts_with('→'))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect(),
    );
    let of_sheet = wanted.keys().any(|column| ["points", "total"].contains(&column.as_str()));
    let shown = if of_sheet { assessed(clause, &mut given) } else { settled(&mut given) };
    given.0.retain(|_, cell| !cell.is_empty());
    assert!(given.0.is_empty(), "{clause}: columns that nobody knows: {:?}", given.0);
    let mut failures = Vec::new();
    for (column, cell) in &wanted {
        let found =
            shown.get(column.as_str()).unwrap_or_else(|| panic!("{clause}: nobody knows `→ {column}`"));
        if found != cell {
            failures.push(format!("{column} should be `{cell}`, it is `{found}`"));
        }
    }
    (!failures.is_empty()).then(|| format!("{row:?}: {}", failures.join("; ")))
}

/// One signing (or `people` like it), perhaps a second one of the same person, a swipe, a score and a
/// payment; settled.
///
/// Inputs: people, package, signed on, starts on, ended on, term, scheme, insured, balance, paid, kind,
/// designated; fee and rate (of the institution's kind) for what the bureau may set; second signed on,
/// second starts on, second at (`same` or `other` institution), second package; swiped on, swiped at,
/// item, charged; score, score of (its quarter), posted; period.
fn settled(given: &mut Given) -> BTreeMap<&'static str, String> {
    let case = Case::default();
    let kind = given.or("kind", "community_center");
    let designated = given.or("designated", "y");
    case.write(
        "institutions.csv",
        format!(
            "institution_id,name,kind,designated\nC1,First,{kind},{designated}\nC2,Second,village_clinic,y\n"
        ),
    );
    let people = given.count("people").unwrap_or(1);
    let mut signings = String::from(
        "contract_id,person_id,institution_id,package,signed_on,starts_on,ended_on,term_months,scheme,insured,balance,personal_paid\n",
    );
    let package = given.or("package", "paid");
    let first = [
        given.or("signed on", "2020-01-06"),
        given.or("starts on", ""),
        given.or("ended on", ""),
        given.or("term", ""),
        given.or("scheme", ""),
        given.or("insured", ""),
        given.or("balance", ""),
    ]
    .join(",");
    // Where the table does not ask, the resident paid their part.
    let paid = given.0.remove("paid").unwrap_or_else(|| "4.50".into());
    for person in 0..people {
        let id = id("1970-05-20", person);
        signings += &format!("A{person:03},{id},C1,{package},{first},{paid}\n");
    }
    if let Some(signed_on) = given.take("second signed on") {
        let at = if given.or("second at", "same") == "same" { "C1" } else { "C2" };
        let (package, starts_on) = (given.or("second package", "paid"), given.or("second starts on", ""));
        let id = id("1970-05-20", 0);
        signings += &format!("B,{id},{at},{package},{signed_on},{starts_on},,,,,,4.50\n");
    }
    case.write("signings.csv", signings);
    if let Some(day) = given.take("swiped on") {
        let at = if given.or("swiped at", "same") == "same" { "C1" } else { "C2" };
        let (item, charged) = (given.or("item", ""), given.or("charged", ""));
        let id = id("1970-05-20", 0);
        case.write(
            "swipes.csv",
            format!("person_id,institution_id,swiped_at,item,charged\n{id},{at},{day},{item},{charged}\n"),
        );
    }
    let period = given.or("period", "2020Q1");
    let scored = given.or("score of", &period);
    if let Some(score) = given.take("score") {
        case.write("scores.csv", format!("institution_id,period,score\nC1,{scored},{score}\n"));
    }
    if let Some(posted) = given.take("posted") {
        let row = format!("C1,{period},resident_fund,{posted}");
        case.write("payments.csv", format!("institution_id,cohort,source,amount\n{row}\n"));
    }
    let mut rules = rule_text();
    if let Some(fee) = given.take("fee") {
        rules = replaced(&rules, "value = \"15.00\"", &format!("value = \"{fee}\""));
    }
    if let Some(rate) = given.take("rate") {
        rules = replaced(&rules, &format!("{kind} = \"0.70\""), &format!("{kind} = \"{rate}\""));
    }
    let folder = case.home.path().join("regions").join(REGION);
    fs::create_dir_all(&folder).expect("a folder of rules");
    fs::write(folder.join(VERSION), rules).expect("the rules are written");

    good(&case.settle_period(REGION, &case.home.path().join("regions"), &period, &[]));
    let outputs = case.outputs();
    let refused = outputs.rows("rejected.csv");
    let code = |contract: &str| {
        let row = refused.iter().find(|row| row["contract_id"] == contract);
        row.map_or("taken".to_string(), |row| row["code"].clone())
    };
    let lines = outputs.rows("settlement.csv");
    let line = |source: &str, column: &str| {
        let row = lines.iter().find(|row| row["institution_id"] == "C1" && row["source"] == source);
        row.map_or(String::new(), |row| row[column].clone())
    };
    let backs = outputs.rows("clawback.csv");
    assert!(backs.len() <= 1, "one fund, one institution");
    let back = |column: &str| backs.first().map_or(String::new(), |row| row[column].clone());
    let figures = outputs.rows("figures.csv");
    let figure = |name: &str| {
        let row = figures.iter().find(|row| row["institution_id"].is_empty() && row["figure"] == name);
        row.map_or(String::new(), |row| row["value"].clone())
    };
    let flags: Vec<String> =
        outputs.rows("flags.csv").iter().map(|row| format!("{} {}", row["code"], row["clause"])).collect();
    BTreeMap::from([
        ("code", code("A000")),
        ("second", code("B")),
        ("flags", flags.join("; ")),
        ("count", line("resident_fund", "count")),
        ("fund", line("resident_fund", "gross")),
        ("own", line("individual", "gross")),
        ("prepay", line("resident_fund", "prepay")),
        ("ratio", line("resident_fund", "ratio")),
        ("final", line("resident_fund", "final")),
        ("payable", line("resident_fund", "payable")),
        ("recover", line("resident_fund", "recover")),
        ("shortfall", back("shortfall")),
        ("withheld", back("withheld")),
        ("reason", back("reason")),
        ("free", figure("free_signings")),
        ("own figure", figure("individual_share")),
    ])
}

fn replaced(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "`{old}` stands once in the rule file");
    text.replace(old, new)
}

/// The sheet of one institution, with a data folder for what it leaves out.
///
/// Inputs: value and points of the clause's own indicator, or the values of the indicators 1 to 11 by
/// number. The data: taken, short (by a fen), unpaid, over (paid twice), void, refused, undated, earlier
/// (refused, signed before the quarter) signings; matching, separate (charged), other item, strangers,
/// late (after the quarter) swipes. Without any number of swipes there is no such file.
fn assessed(clause: &str, given: &mut Given) -> BTreeMap<&'static str, String> {
    let rules = rule_table();
    let indicators = rules["sheet"][0]["indicator"].as_array().expect("indicators");
    let own = indicators.iter().find(|indicator| indicator["clause"].as_str() == Some(clause));
    let own = own.map(|indicator| indicator["id"].as_str().expect("an id").to_string());
    let case = Case::default();
    case.write("institutions.csv", "institution_id,name,kind\nC1,First,community_center\n");
    let mut signings =
        String::from("contract_id,person_id,institution_id,package,signed_on,personal_paid,status\n");
    let mut people = 0;
    for (column, rest) in [
        ("taken", "paid,2020-01-06,4.50,"),
        ("short", "paid,2020-01-06,4.49,"),
        ("unpaid", "paid,2020-01-06,,"),
        ("over", "paid,2020-03-31,9.00,"),
        ("void", "paid,2020-01-06,,void"),
        ("refused", "gold,2020-01-06,4.50,"),
        ("undated", "paid,soon,4.50,"),
        ("earlier", "gold,2019-12-31,4.50,"),
    ] {
        for _ in 0..given.count(column).unwrap_or(0) {
            let id = id("1970-05-20", people);
            signings += &format!("A{people:03},{id},C1,{rest}\n");
            people += 1;
        }
    }
    case.write("signings.csv", signings);
    let signed = id("1970-05-20", 0);
    let stranger = id("1988-08-08", 1);
    let mut swipes = Vec::new();
    let mut with_swipes = false;
    for (column, swipe) in [
        ("matching", format!("{signed},C1,2020-02-03,consult,0")),
        ("separate", format!("{signed},C1,2020-03-31,referral,0.01")),
        ("other item", format!("{signed},C1,2020-02-03,blood test,9.00")),
        ("strangers", format!("{stranger},C1,2020-02-03,consult,9.00")),
        ("late", format!("{signed},C1,2020-04-01,consult,9.00")),
    ] {
        let count = given.count(column);
        with_swipes |= count.is_some();
        swipes.extend(std::iter::repeat_n(swipe, count.unwrap_or(0)));
    }
    if with_swipes {
        let text = format!("person_id,institution_id,swiped_at,item,charged\n{}\n", swipes.join("\n"));
        case.write("swipes.csv", text);
    }
    let mut sheet = String::from("institution_id,period,indicator,value,points\n");
    let (value, points) = (given.or("value", ""), given.or("points", ""));
    for indicator in indicators {
        let number = indicator["id"].as_str().expect("an id");
        match given.take(number) {
            Some(value) => sheet += &format!("C1,2020Q1,{number},{value},\n"),
            // A row for each, so that there is a sheet: empty where this case says nothing.
            None if own.as_deref() == Some(number) => {
                sheet += &format!("C1,2020Q1,{number},{value},{points}\n");
            }
            None => sheet += &format!("C1,2020Q1,{number},,\n"),
        }
    }
    let path = case.home.path().join("sheet.csv");
    fs::write(&path, sheet).expect("a sheet");
    let mut command = jiayi(case.home.path());
    command.args(["assess", "--region", REGION, "--period", "2020Q1", "--format", "json", "--regions"]);
    command.arg(regions()).arg(&path).arg("--data").arg(case.data());
    let output = command.output().expect("the program starts");
    good(&output);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let refused = told["rejected"]["sheets"].as_object().and_then(|codes| codes.keys().next().cloned());
    let read = |name: &str| {
        rows(
            &fs::read_to_string(case.home.path().join(name))
                .unwrap_or_else(|_| panic!("{}", stderr(&output))),
        )
    };
    let (cards, scores) = (read("scorecard.csv"), read("scores.csv"));
    let card = |column: &str| {
        let line = cards.iter().find(|line| Some(&line["indicator"]) == own.as_ref());
        line.map_or(String::new(), |line| line[column].clone())
    };
    let score = |column: &str| scores.first().map_or(String::new(), |row| row[column].clone());
    BTreeMap::from([
        ("code", refused.unwrap_or_else(|| "taken".into())),
        ("value", card("value")),
        ("origin", card("origin")),
        ("points", card("points")),
        ("total", score("score")),
        ("ratio", score("ratio")),
    ])
}
