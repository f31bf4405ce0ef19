//! `tests/clauses/<region>/<clause>.md` of the regions beside Urumqi (see tests/clauses.rs): what an article
//! says in our own words, then one table of cases. Each row is a data folder of its own: the columns say what
//! differs from a good signing, those that start with `→` what must come out. `—` is "not given", or "there is none".

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use support::{Case, good, id, jiayi, regions, stderr, tests_folder};

/// A region's good signing: version, package, day of signing, period, kind of institution, scheme, groups, term.
struct Good {
    region: &'static str,
    version: &'static str,
    package: &'static str,
    signed: &'static str,
    period: &'static str,
    kind: &'static str,
    groups: &'static str,
}

const REGIONS: [Good; 4] = [
    Good {
        region: "xinjiang",
        version: "2022-12-16",
        package: "basic",
        signed: "2023-01-10",
        period: "2023Q1",
        kind: "",
        groups: "",
    },
    Good {
        region: "jilin",
        version: "2017-08-01",
        package: "basic",
        signed: "2018-01-10",
        period: "2018Q1",
        kind: "",
        groups: "",
    },
    Good {
        region: "sichuan",
        version: "2025-01-02",
        package: "hypertension",
        signed: "2025-01-10",
        period: "2025",
        kind: "",
        groups: "高血压",
    },
    Good {
        region: "ankang",
        version: "2016-10-13",
        package: "standard",
        signed: "2017-01-10",
        period: "2017Q1",
        kind: "community_center",
        groups: "",
    },
];

type Cells = BTreeMap<String, String>;

/// The one table of a document: a paragraph comes before it, nothing behind it.
fn table(text: &str, path: &Path) -> Vec<Cells> {
    let (before, table): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| !line.starts_with('|'));
    assert!(before.join(" ").split_whitespace().count() > 10, "{}: words before the cases", path.display());
    assert!(text.trim_end().ends_with('|'), "{}: the table stands last", path.display());
    let split = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
    };
    let header = split(table[0]);
    let rows = table[2..].iter().map(|line| {
        let cells = split(line);
        assert_eq!(cells.len(), header.len(), "{}: as many cells as columns: {line}", path.display());
        let given = |cell: String| if cell == "—" { String::new() } else { cell };
        header.iter().cloned().zip(cells.into_iter().map(given)).collect()
    });
    rows.collect()
}

fn documents(region: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(tests_folder("clauses").join(region)).expect("tests/clauses");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn rule_text(good: &Good) -> String {
    fs::read_to_string(regions().join(good.region).join(format!("{}.toml", good.version))).expect("the rules")
}

/// Every clause that a rule file cites, `一(二)、二(二)` being two.
fn cited(value: &toml::Value, of_clause: bool, found: &mut BTreeSet<String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                cited(value, key == "clauses" || key.ends_with("clause") || of_clause, found);
            }
        }
        toml::Value::Array(array) => array.iter().for_each(|value| cited(value, false, found)),
        toml::Value::String(text) if of_clause => found.extend(text.split('、').map(str::to_string)),
        _ => {}
    }
}

#[test]
fn every_clause_that_the_rules_cite_has_its_cases() {
    for good in &REGIONS {
        let mut wanted = BTreeSet::new();
        cited(&toml::Value::Table(rule_text(good).parse().expect("TOML")), false, &mut wanted);
        let there: BTreeSet<String> = documents(good.region).iter().map(|path| stem(path)).collect();
        assert_eq!(wanted, there, "{}: clauses cited, and documents", good.region);
    }
}

#[test]
fn every_case_comes_out_as_its_clause_says() {
    let (mut failures, mut cases) = (Vec::new(), 0);
    for region in &REGIONS {
        for path in documents(region.region) {
            for (at, row) in table(&fs::read_to_string(&path).expect("a clause"), &path).iter().enumerate() {
                cases += 1;
                let name = format!("{}/{}, case {}", region.region, stem(&path), at + 1);
                failures.extend(check(region, row).into_iter().map(|failure| format!("{name}: {failure}")));
            }
        }
    }
    assert!(cases > 250, "only {cases} cases were found");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

fn check(region: &Good, row: &Cells) -> Vec<String> {
    let of_sheet = row.keys().any(|column| column == "sheet");
    let mut given: Cells = row
        .iter()
        .filter(|(column, _)| !column.starts_with('→'))
        .map(|(a, b)| (a.clone(), b.clone()))
        .collect();
    let answer: Box<dyn Fn(&str) -> String> =
        if of_sheet { assessed(region, &mut given) } else { settled(region, &mut given) };
    given.retain(|_, cell| !cell.is_empty());
    assert!(given.is_empty(), "columns that nobody knows: {given:?}");
    let wanted = row.iter().filter_map(|(column, cell)| Some((column.strip_prefix("→ ")?, cell)));
    let wrong = wanted.filter_map(|(column, cell)| {
        let found = answer(column);
        (found != *cell).then(|| format!("{column} should be `{cell}`, it is `{found}`: {row:?}"))
    });
    wrong.collect()
}

fn rules_with(region: &Good, local: Option<String>, case: &Case) -> PathBuf {
    let mut rules = rule_text(region);
    for change in local.iter().flat_map(|text| text.split(';')) {
        let (figure, value) = change.trim().split_once('=').expect("figure=value");
        let start = rules.find(&format!("[local.{figure}]")).expect("a local figure");
        let from = start + rules[start..].find("value = ").expect("its value") + "value = ".len();
        let to = from + rules[from..].find('\n').expect("a line end");
        let quoted =
            if rules[from..to].starts_with('"') { format!("\"{value}\"") } else { value.to_string() };
        rules.replace_range(from..to, &quoted);
    }
    let folder = case.home.path().join("regions");
    fs::create_dir_all(folder.join(region.region)).expect("a folder of rules");
    fs::write(folder.join(region.region).join(format!("{}.toml", region.version)), rules).expect("written");
    folder
}

/// One signing (or `people` like it), perhaps a second and a third one of the same person, services, scores
/// and a payment; settled.
///
/// Inputs: package, signed, starts, ended, term, scheme, born, groups, authorized, paid, team, kind,
/// designated, population, people; `second` and `third` (`package day`, behind it `@C2` for another
/// institution); services (`day item card ×times ¥charged @C2`, `;` between); scores (`level period score`,
/// `;` between), assessed on; posted (`source cohort amount`), local (`figure=value`); period.
fn settled(region: &Good, given: &mut Cells) -> Box<dyn Fn(&str) -> String> {
    let case = Case::default();
    let mut take = |column: &str| given.remove(column).filter(|cell| !cell.is_empty());
    let or = |cell: Option<String>, otherwise: &str| cell.unwrap_or_else(|| otherwise.to_string());
    let (kind, designated) = (or(take("kind"), region.kind), or(take("designated"), "y"));
    let population = or(take("population"), "");
    case.write(
        "institutions.csv",
        format!(
            "institution_id,name,kind,designated,served_population\nC1,First,{kind},{designated},{population}\nC2,Second,{kind},y,\n"
        ),
    );
    let born = or(take("born"), "1970-05-20");
    let package = or(take("package"), region.package);
    let (groups, scheme) = (or(take("groups"), region.groups), or(take("scheme"), ""));
    let rest = |given: [Option<String>; 6], groups: &str| {
        let [starts, ended, term, authorized, paid, team] = given.map(|cell| or(cell, ""));
        format!("{starts},{ended},{term},{scheme},{groups},{authorized},{paid},{team}")
    };
    let signed = or(take("signed"), region.signed);
    let authorized = or(take("authorized"), "y");
    let first = rest(
        [take("starts"), take("ended"), take("term"), Some(authorized), take("paid"), take("team")],
        &groups,
    );
    let mut signings = String::from(
        "contract_id,person_id,institution_id,package,signed_on,starts_on,ended_on,term_months,scheme,groups,authorized,personal_paid,team_id\n",
    );
    let people: usize = or(take("people"), "1").parse().expect("a whole number");
    for person in 0..people {
        // More than a thousand people need a second birthday.
        let born = if person < 1_000 { born.clone() } else { "1971-05-20".into() };
        signings += &format!("A{person:04},{},C1,{package},{signed},{first}\n", id(&born, person));
    }
    for (column, contract) in [("second", "B"), ("third", "C")] {
        let Some(text) = take(column) else { continue };
        let mut words = text.split_whitespace();
        let (package, day) = (words.next().expect("a package"), words.next().expect("a day"));
        let at = words.next().map_or("C1", |at| at.trim_start_matches('@'));
        let more = rest([None, None, None, Some("y".into()), None, None], &groups);
        signings += &format!("{contract},{},{at},{package},{day},{more}\n", id(&born, 0));
    }
    case.write("signings.csv", signings);
    let mut swipes =
        String::from("swipe_id,person_id,institution_id,swiped_at,item,card_type,quantity,charged\n");
    let services = take("services");
    for (nth, one) in services.iter().flat_map(|text| text.split(';')).enumerate() {
        let (mut times, mut charged, mut at, mut plain) = ("1", "0", "C1", Vec::new());
        for word in one.split_whitespace() {
            match word.chars().next() {
                Some('×') => times = word.trim_start_matches('×'),
                Some('¥') => charged = word.trim_start_matches('¥'),
                Some('@') => at = word.trim_start_matches('@'),
                _ => plain.push(word),
            }
        }
        let item = plain.get(1).filter(|item| **item != "·").copied().unwrap_or_default();
        let card = plain.get(2).copied().unwrap_or("social_security");
        let person = id(&born, 0);
        swipes += &format!("S{nth},{person},{at},{},{item},{card},{times},{charged}\n", plain[0]);
    }
    case.write("swipes.csv", swipes);
    let assessed_on = or(take("assessed on"), "");
    if let Some(text) = take("scores") {
        let mut scores = String::from("institution_id,period,score,level,assessed_on\n");
        for one in text.split(';') {
            let words: Vec<&str> = one.split_whitespace().collect();
            scores += &format!("C1,{},{},{},{assessed_on}\n", words[1], words[2], words[0]);
        }
        case.write("scores.csv", scores);
    }
    if let Some(text) = take("posted") {
        let words: Vec<&str> = text.split_whitespace().collect();
        let row = format!("C1,{},{},{},{package}\n", words[1], words[0], words[2]);
        case.write("payments.csv", format!("institution_id,cohort,source,amount,package\n{row}"));
    }
    if let Some(text) = take("satisfaction") {
        let row = format!("C1,{},6,{text},\n", region.period);
        case.write("sheets.csv", format!("institution_id,period,indicator,value,points\n{row}"));
    }
    let period = or(take("period"), region.period);
    let rules = rules_with(region, take("local"), &case);
    let output = case.settle_period(region.region, &rules, &period, &[]);
    if output.status.code() != Some(0) {
        let told = stderr(&output);
        return Box::new(move |column| if column == "settles" { "no".into() } else { told.clone() });
    }
    let outputs = case.outputs();
    let (refused, lines) = (outputs.rows("rejected.csv"), outputs.rows("settlement.csv"));
    let (flags, figures) = (outputs.rows("flags.csv"), outputs.rows("figures.csv"));
    let (backs, summary) = (outputs.rows("clawback.csv"), outputs.rows("summary.csv"));
    let sources: BTreeSet<String> = lines.iter().map(|line| line["source"].clone()).collect();
    Box::new(move |column| {
        let code = |contract: &str| {
            let row = refused.iter().find(|row| row["contract_id"] == contract);
            row.map_or("taken".to_string(), |row| row["code"].clone())
        };
        let back = |column: &str| backs.first().map_or(String::new(), |row| row[column].clone());
        let (first, rest) = column.split_once(' ').unwrap_or((column, ""));
        match (first, rest) {
            ("settles", "") => "yes".into(),
            ("code", "") => code("A0000"),
            ("second", "") => code("B"),
            ("third", "") => code("C"),
            ("flags", "") => {
                let each: BTreeSet<String> =
                    flags.iter().map(|row| format!("{} {}", row["code"], row["clause"])).collect();
                each.into_iter().collect::<Vec<_>>().join("; ")
            }
            ("clause", "") => refused.first().map_or(String::new(), |row| row["clause"].clone()),
            ("reason" | "shortfall" | "withheld", "") => back(first),
            ("grade" | "renew", "") => summary[0][first].clone(),
            ("figure", name) => {
                let row = figures.iter().find(|row| row["institution_id"] == "C1" && row["figure"] == name);
                row.map_or(String::new(), |row| row["value"].clone())
            }
            ("lines", "") => lines.iter().filter(|line| line["institution_id"] == "C1").count().to_string(),
            (source, column) => {
                let source = match source {
                    "fund" => "resident_fund",
                    "employees" => "employee_fund",
                    "health" => "public_health",
                    "own" => "individual",
                    "city" => "city_finance",
                    "lottery" => "welfare_lottery",
                    "district" => "district_finance",
                    other => other,
                };
                assert!(
                    sources.contains(source)
                        || [
                            "gross",
                            "count",
                            "held",
                            "prepay",
                            "final",
                            "ratio",
                            "payable",
                            "recover",
                            "deduction"
                        ]
                        .contains(&column),
                    "nobody knows `→ {source} {column}`"
                );
                let mine =
                    lines.iter().filter(|line| line["institution_id"] == "C1" && line["source"] == source);
                let cells: Vec<&str> =
                    mine.map(|line| line[column].as_str()).filter(|cell| !cell.is_empty()).collect();
                cells.join(" + ")
            }
        }
    })
}

/// One institution's score sheet, assessed. Inputs: sheet (`indicator=value` or `indicator:points`, blanks
/// between), level, period, local.
fn assessed(region: &Good, given: &mut Cells) -> Box<dyn Fn(&str) -> String> {
    let case = Case::default();
    let mut take = |column: &str| given.remove(column).filter(|cell| !cell.is_empty());
    let period = take("period").unwrap_or_else(|| region.period.to_string());
    let level = take("level").unwrap_or_else(|| "district".to_string());
    let mut sheet = String::from("institution_id,period,indicator,value,points,level\n");
    for cell in take("sheet").unwrap_or_default().split_whitespace() {
        match (cell.split_once('='), cell.split_once(':')) {
            (Some((indicator, value)), _) => sheet += &format!("C1,{period},{indicator},{value},,{level}\n"),
            (None, Some((indicator, points))) => {
                sheet += &format!("C1,{period},{indicator},,{points},{level}\n")
            }
            (None, None) => panic!("{cell}"),
        }
    }
    let rules = rules_with(region, take("local"), &case);
    let path = case.home.path().join("sheet.csv");
    fs::write(&path, sheet).expect("a sheet");
    let mut command = jiayi(case.home.path());
    command.args(["assess", "--region", region.region, "--period", &period, "--format", "json", "--regions"]);
    let output = command.arg(rules).arg(&path).output().expect("it runs");
    if output.status.code() != Some(0) {
        let told = stderr(&output);
        return Box::new(move |_| told.lines().next().unwrap_or_default().to_string());
    }
    good(&output);
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    Box::new(move |column| {
        let card = &told["cards"][0];
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_string();
        match column {
            "score" => text(&card["score"]),
            "ratio" => text(&card["ratio"]),
            "grade" => text(&card["grade"]),
            "code" => told["rejected"]["sheets"]
                .as_object()
                .and_then(|codes| codes.keys().next().cloned())
                .unwrap_or_else(|| "taken".into()),
            indicator => {
                let lines = card["indicators"].as_array().expect("indicators");
                let id = indicator.strip_prefix("points ").expect("`points N`");
                lines
                    .iter()
                    .find(|line| line["indicator"] == id)
                    .map_or(String::new(), |line| text(&line["points"]))
            }
        }
    })
}
