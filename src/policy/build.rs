//! A rule file as written → [`Policy`], or every fault of it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rust_decimal::Decimal;
use toml::de::DeTable;

use crate::base::code::Code;
use crate::base::diagnostic::{Diagnostic, Excerpt};
use crate::base::message::Msg;
use crate::base::period::{Cycle, Date};

use super::build_assessment::{curve, level, sheet};
use super::build_package::{Known, MOST_OF_A_LIST, check_packages, limit, package};
use super::build_parts::{
    calendar, cap, double_benefit, each_once, figure, flag_clauses, population_line, prorate,
    services_at_least, tags, terms,
};
use super::curve::{Basis, Curve, MOST_RATIO};
use super::file::{Sheet as Written, offsets};
use super::merge::merge;
use super::package::{Limit, Package};
use super::reader::Reader;
use super::schedule::Schedule;
use super::sheet::Sheet;
use super::{
    Authorization, Balance, Cap, Evidence, Insurance, Kinds, Level, Named, Overlap, Policy, PolicyFile,
    Population, Source, Tranche,
};

/// Reads and checks `regions/<region>/<date>.toml`, with the files that it extends behind it.
pub fn read(region: &str, date: &str, files: &[PolicyFile]) -> Result<Policy, Vec<Diagnostic>> {
    let excerpt = |file: &PolicyFile, span| {
        Some(Excerpt { path: file.name.clone(), text: Arc::clone(&file.text), span })
    };
    let Ok(version) = date.parse::<Date>() else {
        let fact = Msg::VersionNotADate { name: date.to_string() };
        return Err(vec![Diagnostic { fact, cure: None, clause: None, excerpt: excerpt(&files[0], 0..0) }]);
    };
    // A text behind as many blanks as the files before it are long: each place tells its file.
    let texts: Vec<String> = offsets(files)
        .into_iter()
        .zip(files)
        .map(|(start, file)| format!("{}{}", " ".repeat(start), file.text))
        .collect();
    let mut faults = Vec::new();
    let mut tables = Vec::new();
    for ((start, file), text) in offsets(files).into_iter().zip(files).zip(&texts) {
        let (table, errors) = DeTable::parse_recoverable(text);
        tables.push(table.into_inner());
        faults.extend(syntax(file, start, &errors));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let written = Written::new(files);
    // The one that extends nothing lies undermost.
    let mut merged = tables.pop().unwrap_or_default();
    while let Some(over) = tables.pop() {
        merge(&mut merged, over, &written);
    }
    let root = Reader::new(&written, &merged, 0..0, String::new());
    written.read_local(&root);
    let policy = policy(region, version, &root, &written, files);
    // A table that could not be read hides what else belongs here.
    root.finish_if(policy.is_some());
    let faults = written.faults();
    match policy {
        Some(policy) if faults.is_empty() => Ok(policy),
        _ => Err(faults),
    }
}

/// What is no TOML, the first of each line: one slip makes several errors behind it.
fn syntax(file: &PolicyFile, start: usize, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut by_line: BTreeMap<usize, Diagnostic> = BTreeMap::new();
    let mut sorted: Vec<_> = errors.iter().collect();
    sorted.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    for error in sorted {
        let span = error.span().unwrap_or(start..start);
        let (from, to) = (span.start.saturating_sub(start), span.end.saturating_sub(start));
        let (from, to) = (from.min(file.text.len()), to.min(file.text.len()).max(from));
        let begins = file.text[..from].rfind('\n').map_or(0, |at| at + 1);
        let line = file.text[begins..].lines().next().unwrap_or_default();
        let mark = line.chars().find_map(|c| Some((c, CHINESE_MARKS.iter().find(|(mark, _)| *mark == c)?.1)));
        let cure = mark.map(|(found, want)| Msg::EnglishMarks { found, want });
        let fact = Msg::TomlSyntax { message: error.message().to_string() };
        let excerpt = Excerpt { path: file.name.clone(), text: Arc::clone(&file.text), span: from..to };
        let diagnostic = Diagnostic { fact, cure, clause: None, excerpt: Some(excerpt) };
        by_line.entry(begins).or_insert(diagnostic);
    }
    by_line.into_values().collect()
}

/// Marks that a Chinese keyboard types where TOML wants the English ones.
const CHINESE_MARKS: [(char, char); 9] = [
    ('，', ','),
    ('“', '"'),
    ('”', '"'),
    ('‘', '"'),
    ('’', '"'),
    ('＝', '='),
    ('【', '['),
    ('】', ']'),
    ('：', '='),
];

/// The file that `file` says it extends: `sichuan/2025-01-02`, with its place.
pub fn extends(file: &PolicyFile) -> Option<(String, std::ops::Range<usize>)> {
    let (table, _) = DeTable::parse_recoverable(&file.text);
    let value = table.get_ref().get("extends")?;
    Some((value.get_ref().as_str()?.to_string(), value.span()))
}

fn policy<'t>(
    region: &str,
    version: Date,
    root: &Reader<'t>,
    written: &Written<'t>,
    files: &[PolicyFile],
) -> Option<Policy> {
    root.mention("extends");
    let head = root.required("policy", Reader::table)?;
    let from = head.required("in_force_from", Reader::date);
    if let Some(at) = &from
        && at.value != version
    {
        head.fault(at.span.clone(), Msg::VersionDiffers { name: version.to_string() }, None);
    }
    let name = head.required_text("name");
    let document = head.required_text("document");
    let clause = head.clause();
    let to = head.date("in_force_to");
    if let Some(at) = to.as_ref().filter(|at| at.value < version) {
        head.fault(at.span.clone(), Msg::EndsBeforeItStarts, None);
    }
    let to = to.map(|at| at.value);
    head.finish();

    let charge = root.required("charge", Reader::table)?;
    let unit = charge
        .required("unit", |r, key| r.word(key, &[("year", 12), ("half", 6), ("quarter", 3), ("month", 1)]));
    let calendar_units = charge.bool("calendar").unwrap_or(false);
    let schedule = unit.map(|months| Schedule { months, calendar: calendar_units });
    let cycle = charge.required("cycle", |r, key| r.word(key, &Cycle::ALL));
    let charge_clause = charge.clause();
    let terms = terms(&charge);
    charge.finish();
    let prorate = root.table("prorate").map(prorate).unwrap_or_default();
    let tags = tags(root);

    let insurance = root.table("insurance").map(|table| {
        let schemes = table.tables("scheme").into_iter().filter_map(named).collect();
        let clause = table.clause();
        table.finish();
        Insurance { schemes, clause }
    });
    let schemes: Vec<String> = insurance
        .iter()
        .flat_map(|insurance| &insurance.schemes)
        .map(|scheme: &Named| scheme.id.clone())
        .collect();
    let kinds_table = root.required("institutions", Reader::table)?;
    let institutions = Kinds {
        kinds: kinds_table.tables("kind").into_iter().filter_map(named).collect(),
        clause: kinds_table.clause(),
    };
    kinds_table.finish();
    let kinds: Vec<String> = institutions.kinds.iter().map(|kind| kind.id.clone()).collect();
    if kinds.len() > MOST_OF_A_LIST {
        root.fault(0..0, Msg::TooManyOf { table: "institutions.kind".into(), most: MOST_OF_A_LIST }, None);
    }

    let levels: Vec<Level> = root.tables("level").into_iter().filter_map(level).collect();
    // Ids of what has a fault count as well, so that one fault is told once.
    let ids = |key| -> Vec<String> { root.tables(key).iter().filter_map(|table| table.text("id")).collect() };
    each_once(&[
        (root, "source", "id"),
        (root, "level", "id"),
        (root, "curve", "id"),
        (root, "population", "id"),
        (root, "tag", "id"),
        (root, "double_benefit", "id"),
        (root, "figure", "id"),
        (root, "cap", "of"),
        (root, "sheet", "level"),
    ]);
    for (table, list, key) in [
        ("insurance", "scheme", "id"),
        ("institutions", "kind", "id"),
        ("evidence", "card", "id"),
        ("prorate", "reason", "id"),
        ("calendar", "year", "year"),
    ] {
        if let Some(table) = root.table(table) {
            each_once(&[(&table, list, key)]);
        }
    }
    let level_ids = ids("level");
    let curve_ids = ids("curve");
    let curves: Vec<Curve> = root
        .tables("curve")
        .into_iter()
        .enumerate()
        .filter_map(|(at, table)| curve(table, &level_ids, &curve_ids[..at.min(curve_ids.len())]))
        .collect();
    if let Some(cycle) = cycle.filter(|_| levels.len() == level_ids.len()) {
        check_assessed(root, &levels, &curves, cycle);
    }
    let sources: Vec<Source> =
        root.tables("source").into_iter().filter_map(|table| source(table, &curve_ids)).collect();
    let source_ids = ids("source");
    let of_source = |key: &'static str| -> Vec<bool> {
        root.tables("source").iter().map(|table| table.bool(key).unwrap_or(false)).collect()
    };
    let (settled, once) = (of_source("settled"), of_source("once_for_person"));
    let most_paid: Vec<Decimal> = source_ids
        .iter()
        .map(|id| {
            sources
                .iter()
                .find(|source| source.id == *id)
                .map_or(Decimal::ONE, |source| most_paid(source, &curves))
        })
        .collect();
    let names = Known {
        sources: &source_ids,
        settled: &settled,
        most_paid: &most_paid,
        once: &once,
        schemes: &schemes,
        kinds: &kinds,
        tags: &tags,
    };
    let limits: Vec<Limit> =
        root.tables("limit").into_iter().filter_map(|table| limit(table, &names, root)).collect();
    let tables = root.tables("package");
    let packages: Vec<(Range<usize>, Package)> = tables
        .into_iter()
        .filter_map(|table| Some((table.span(), package(table, version, &names, &limits)?)))
        .collect();
    check_packages(root, &packages);
    let packages: Vec<Package> = packages.into_iter().map(|(_, package)| package).collect();
    let population: Vec<Population> = root
        .tables("population")
        .into_iter()
        .filter_map(|table| population_line(table, &names, &limits))
        .collect();
    if !root.has("package") {
        root.fault(0..0, Msg::MissingKey { table: String::new(), key: "package".into() }, None);
    }

    let overlap = root.required("overlap", Reader::table)?;
    let addons_at_most = overlap.integer("addons_at_most").map_or(1, |at| at.value as usize);
    let whole_term = overlap.bool("whole_term").unwrap_or(false);
    let overlap_clause = overlap.clause();
    let addon_clause = overlap.text("addon_clause").map_or_else(|| overlap_clause.clone(), Into::into);
    overlap.finish();
    let overlap = Overlap { whole_term, addons_at_most, clause: overlap_clause, addon_clause };
    let balance = root.table("balance").and_then(|table| {
        let source = table.required("source", |r, key| r.reference(key, &source_ids));
        let clause = table.clause();
        table.finish();
        Some(Balance { source: source?, clause })
    });
    let authorization = root.table("authorization").and_then(|table| {
        let source = table.required("source", |r, key| r.reference(key, &source_ids));
        let clause = table.clause();
        table.finish();
        Some(Authorization { source: source?, clause })
    });
    let evidence = root.table("evidence").map(|table| {
        let cards = table.tables("card").into_iter().filter_map(named).collect();
        let at_least = services_at_least(&table, "at_least").unwrap_or(1);
        let clause = table.clause();
        table.finish();
        Evidence { cards, at_least, clause }
    });
    let sheets: Vec<Sheet> =
        root.tables("sheet").into_iter().filter_map(|table| sheet(table, &level_ids)).collect();
    let flags = root.table("flags").map_or_else(BTreeMap::new, |table| {
        let cited = table.table("clauses").map(flag_clauses).unwrap_or_default();
        table.finish();
        cited
    });
    let caps: Vec<Cap> = root.tables("cap").into_iter().filter_map(cap).collect();
    if let Some(table) = root.tables("cap").first().filter(|_| !flags.contains_key(&Code::W705)) {
        let fact = Msg::MissingKey { table: "flags.clauses".into(), key: "W705".into() };
        table.fault(table.span(), fact, Some(Msg::AddKey { key: "W705".into() }));
    }
    let double_benefits = root.tables("double_benefit").into_iter().filter_map(double_benefit).collect();
    let calendar = root.table("calendar").map(calendar);
    let figures = root
        .tables("figure")
        .into_iter()
        .filter_map(|table| figure(table, calendar.is_some(), &sheets))
        .collect();
    let two_people = root.table("posting").and_then(|table| {
        let two_people = table.required("two_people", Reader::bool);
        let clause = table.clause();
        table.finish();
        two_people?.then_some(clause)
    });
    let local = written.local_figures();

    Some(Policy {
        id: format!("{region}/{version}"),
        name: name?,
        document: document?,
        from: from?.value,
        to,
        clause,
        schedule: schedule?,
        charge_clause,
        cycle: cycle?,
        terms: terms?,
        prorate,
        insurance,
        institutions,
        sources,
        packages,
        overlap,
        balance,
        evidence,
        authorization,
        population,
        levels,
        curves,
        sheets,
        flags,
        double_benefits,
        caps,
        limits,
        figures,
        calendar,
        two_people,
        local,
        files: files.to_vec(),
    })
}

pub fn named(table: Reader) -> Option<Named> {
    let named = named_part(&table);
    table.finish();
    named
}

pub fn named_part(table: &Reader) -> Option<Named> {
    let id = table.required_text("id");
    let name = table.required_text("name");
    let aliases = table.texts("aliases").into_iter().map(|at| at.value).collect();
    Some(Named::new(id?, name?, aliases))
}

fn source(table: Reader, curves: &[String]) -> Option<Source> {
    let id = table.required_text("id");
    let name = table.required_text("name");
    let clause = table.clause();
    let settled = table.required("settled", Reader::bool);
    let once_for_person = table.bool("once_for_person").unwrap_or(false);
    let (mut prepay, mut curve, mut prepay_clause) = (Some(Decimal::ZERO), None, None);
    let mut tranches = Vec::new();
    if settled == Some(true) {
        prepay = table.required("prepay", Reader::ratio).map(|at| at.value);
        prepay_clause = table.text("prepay_clause");
        let rows = table.tables("tranche");
        let all: Vec<Option<Tranche>> = rows.into_iter().map(|row| tranche(row, curves)).collect();
        if all.is_empty() {
            curve = Some(table.required("curve", |r, key| r.reference(key, curves))?);
        } else {
            if table.has("curve") {
                table.mention("curve");
                table.fault(table.span(), Msg::OneOfTwo { keys: "curve, tranche".into() }, None);
            }
            let whole = all.iter().all(Option::is_some);
            tranches = all.into_iter().flatten().collect();
            let parts: Decimal = prepay.into_iter().chain(tranches.iter().map(|one| one.part)).sum();
            if whole && prepay.is_some() && parts != Decimal::ONE {
                let fact = Msg::PartsNotWhole { sum: parts.normalize().to_string() };
                table.fault(table.span(), fact, None);
            }
            for (at, one) in tranches.iter().enumerate() {
                if tranches[..at].iter().any(|other| other.id == one.id) {
                    table.fault(table.span(), Msg::NamedTwice { name: one.id.clone() }, None);
                }
            }
        }
    }
    table.finish();
    Some(Source {
        id: id?,
        name: name?,
        settled: settled?,
        prepay: prepay?,
        once_for_person,
        curve,
        tranches,
        prepay_clause: prepay_clause.map_or_else(|| clause.clone(), Into::into),
        clause,
    })
}

fn tranche(row: Reader, curves: &[String]) -> Option<Tranche> {
    let id = row.required_text("id");
    let name = row.required_text("name");
    let part = row.required("part", Reader::ratio);
    let follows = row.has("curve");
    let curve = row.reference("curve", curves);
    let after_months = row.integer("after_months").map_or(0, |at| at.value);
    let clause = row.clause();
    row.finish();
    if follows && curve.is_none() {
        return None;
    }
    Some(Tranche { id: id?, name: name?, part: part?.value, curve, after_months, clause })
}

/// The most that is paid of a share of this source.
fn most_paid(source: &Source, curves: &[Curve]) -> Decimal {
    fn most(curve: usize, curves: &[Curve]) -> Decimal {
        match curves.get(curve).map(|curve| (&curve.basis, curve)) {
            Some((Basis::Chain(of), _)) => {
                of.iter().map(|one| most(*one, curves)).product::<Decimal>().min(MOST_RATIO)
            }
            Some((_, curve)) => curve.earned(Decimal::ONE_HUNDRED).ratio,
            None => Decimal::ONE,
        }
    }
    let parts =
        source.tranches.iter().map(|one| one.part * one.curve.map_or(Decimal::ONE, |at| most(at, curves)));
    match source.curve {
        Some(curve) => most(curve, curves),
        None => source.prepay + parts.sum::<Decimal>(),
    }
}

/// Assessments that a curve looks at must lie in the cohort, or the cohort in them.
fn check_assessed(root: &Reader, levels: &[Level], curves: &[Curve], cycle: Cycle) {
    for table in root.tables("curve") {
        let id = table.text("id");
        let Some(curve) = curves.iter().find(|curve| Some(&curve.id) == id.as_ref()) else { continue };
        for assessed in curve.basis.assessed() {
            let Some(level) = levels.get(assessed.level) else { continue };
            let within = cycle.months() / level.cycle.months();
            let right = match assessed.nth {
                None => within <= 1,
                Some(nth) => within > 1 && (1..=within).contains(&nth),
            };
            if !right {
                let fact = Msg::NthOfCohort { level: level.named.id.clone(), most: within.max(1) };
                table.fault(table.span(), fact, None);
            }
        }
    }
}
