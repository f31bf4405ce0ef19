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
use super::build_package::{Known, MOST_OF_A_LIST, bounds, check_packages, limit, package};
use super::calendar::{Calendar, Year};
use super::curve::{Curve, Partial};
use super::file::{Sheet as Written, offsets};
use super::merge::merge;
use super::package::{Limit, LimitOf, Package, PackageKind};
use super::reader::Reader;
use super::schedule::{Pays, Prorate, Schedule, Terms};
use super::sheet::Sheet;
use super::{
    Authorization, Balance, Cap, CapOf, DoubleBenefit, Evidence, Figure, FigureKind, Insurance, Kinds, Level,
    Named, Overlap, Policy, PolicyFile, Population, Source, Tranche,
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
            let source = sources.iter().find(|source| source.id == *id);
            let curves_of = source.into_iter().flat_map(|source| {
                source.curve.into_iter().chain(source.tranches.iter().filter_map(|one| one.curve))
            });
            let most = curves_of
                .filter_map(|at| curves.get(at))
                .map(|curve| curve.earned(Decimal::ONE_HUNDRED).ratio);
            most.max().unwrap_or(Decimal::ONE)
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
    Some(Named { id: id?, name: name?, aliases })
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

/// Groups of people by id: those that the file lists, and those of packages' own groups; one id in two
/// places is one group with all its names.
fn tags(root: &Reader) -> Vec<Named> {
    let listed = root.tables("tag").into_iter().filter_map(named);
    let of_packages = root.tables("package").into_iter().flat_map(|package| {
        let groups = package.table_or_tables("group").into_iter();
        groups
            .filter(|group| group.is_table_list("tag"))
            .flat_map(|group| group.tables("tag"))
            .collect::<Vec<_>>()
    });
    let mut all: Vec<Named> = listed.collect();
    for tag in of_packages {
        let (Some(id), Some(name)) = (tag.text("id"), tag.text("name")) else { continue };
        let mut names: Vec<String> = tag.texts("aliases").into_iter().map(|at| at.value).collect();
        match all.iter_mut().find(|one| one.id == id) {
            Some(one) => {
                names.push(name);
                one.aliases.extend(names);
            }
            None => all.push(Named { id, name, aliases: names }),
        }
    }
    all
}

/// Things of one list must differ in what tells them apart.
fn each_once(lists: &[(&Reader, &'static str, &'static str)]) {
    for (table, list, key) in lists {
        let mut seen: Vec<String> = Vec::new();
        for one in table.tables(list) {
            let id = one.text_quietly(key);
            if let Some(id) = id {
                if seen.contains(&id) {
                    one.fault(one.span(), Msg::NamedTwice { name: id.clone() }, None);
                }
                seen.push(id);
            }
        }
    }
}

/// A number of services, from 1.
pub fn services_at_least(table: &Reader, key: &'static str) -> Option<u32> {
    let at = table.integer(key)?;
    if !(1..=1_000).contains(&at.value) {
        table.fault(at.span, Msg::ServicesRange, None);
        return None;
    }
    Some(at.value)
}

fn terms(charge: &Reader) -> Option<Terms> {
    let to_year_end = charge.word("term_ends", &[("this_year_end", 0), ("next_year_end", 1)]);
    let or_more = charge.bool("or_more").unwrap_or(false);
    let clause = charge.required_text("terms_clause").unwrap_or_default().into();
    let months = if charge.has("term_ends") {
        if charge.has("terms_months") || or_more {
            charge.fault(charge.span(), Msg::OneOfTwo { keys: "terms_months, term_ends".into() }, None);
        }
        charge.mention("terms_months");
        Vec::new()
    } else {
        charge.required("terms_months", Reader::integers)?
    };
    if months.iter().any(|term| !(1..=1_200).contains(term)) {
        charge.fault(charge.span(), Msg::TermZero, None);
    }
    Some(Terms { months, or_more, to_year_end, clause })
}

fn prorate(table: Reader) -> Prorate {
    let mut rule = Prorate { clause: Some(table.clause()), ..Prorate::default() };
    if let Some(short) = table.word("short", &Pays::ALL) {
        rule.short = short;
    }
    if let Some(ended) = table.word("ended", &Pays::ALL) {
        rule.ended = ended;
    }
    if let Some(partial) = table.word("partial", &[("started", Partial::Started), ("whole", Partial::Whole)])
    {
        rule.partial = partial;
    }
    for reason in table.tables("reason") {
        let named = named_part(&reason);
        let pays = reason.required("pays", |r, key| r.word(key, &Pays::ALL));
        reason.finish();
        rule.reasons.extend(named.zip(pays));
    }
    if rule.reasons.len() > MOST_REASONS {
        table.fault(table.span(), Msg::TooManyReasons { most: MOST_REASONS }, None);
    }
    table.finish();
    rule
}

/// Most reasons for an early end that a policy can tell apart.
pub const MOST_REASONS: usize = 14;

fn cap(table: Reader) -> Option<Cap> {
    let of = table.required("of", |r, key| r.word(key, &[("team", CapOf::Team), ("doctor", CapOf::Doctor)]));
    let people = table.required("people", Reader::integer);
    let over = table.required("over", |r, key| r.word(key, &[("flag", false), ("cut_off", true)]));
    let clause = table.clause();
    table.finish();
    Some(Cap { of: of?, people: u64::from(people?.value), cut_off: over?, clause })
}

fn calendar(table: Reader) -> Calendar {
    let mut years = BTreeMap::new();
    for row in table.tables("year") {
        let year = row.required("year", Reader::integer);
        let days = |key| -> Vec<(Date, Date)> {
            row.texts(key).iter().filter_map(|at| row.date_range(key, at)).collect()
        };
        let (holidays, worked) = (days("holidays"), days("workdays"));
        let workdays = worked.into_iter().map(|(day, _)| day).collect();
        if let Some(year) = year.and_then(|at| i16::try_from(at.value).ok()) {
            years.insert(year, Year { holidays, workdays });
        }
        row.finish();
    }
    let clause = table.clause();
    table.finish();
    Calendar { years, clause }
}

fn figure(table: Reader, has_calendar: bool, sheets: &[Sheet]) -> Option<Figure> {
    let id = table.required("id", |r, key| {
        r.word(
            key,
            &[
                ("free_signings", 0),
                ("coverage", 1),
                ("individual_share", 2),
                ("staff_share", 3),
                ("team_reward", 4),
                ("renewal", 5),
                ("feedback_day", 6),
                ("satisfaction", 7),
            ],
        )
    });
    let clause = table.clause();
    let kind = || {
        Some(match id? {
            0 => FigureKind::FreeSignings,
            1 => FigureKind::Coverage { target: table.ratio("target").map(|at| at.value) },
            2 => FigureKind::IndividualShare,
            3 => FigureKind::StaffShare { ratio: table.required("ratio", Reader::ratio)?.value },
            4 => {
                let ratio = table.required("ratio", Reader::ratio);
                let standard = table.required("standard", Reader::money);
                FigureKind::TeamReward { ratio: ratio?.value, standard: standard?.value }
            }
            5 => FigureKind::Renewal,
            6 => {
                let working_days = table.required("working_days", Reader::integer)?.value;
                if !has_calendar {
                    table.fault(table.span(), Msg::NoCalendar, None);
                }
                FigureKind::FeedbackDay { working_days }
            }
            _ => {
                let indicator = table.required_text("indicator");
                let target = table.decimal("target").map(|at| at.value);
                let indicator = indicator?;
                let known = || sheets.iter().flat_map(|sheet| &sheet.indicators).map(|one| one.id.clone());
                if !known().any(|id| id == indicator) {
                    let fact = Msg::UnknownWord { key: "indicator".into(), value: indicator.clone() };
                    let known = known().collect::<Vec<_>>().join(", ");
                    table.fault(table.span(), fact, Some(Msg::OneOf { known }));
                }
                FigureKind::Satisfaction { indicator, target }
            }
        })
    };
    let kind = kind();
    table.finish_if(id.is_some());
    Some(Figure { kind: kind?, clause })
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

fn population_line(table: Reader, known: &Known, limits: &[Limit]) -> Option<Population> {
    let id = table.required_text("id");
    let name = table.required_text("name");
    let source = table.required("source", |r, key| r.reference(key, known.sources));
    let a_year = table.required("a_year", Reader::money);
    let clause = table.clause();
    let (id, a_year) = (id?, a_year?);
    let mine = |limit: &&Limit| matches!(&limit.of, LimitOf::Population(of) if *of == id);
    for limit in limits.iter().filter(mine).filter(|limit| limit.broken(a_year.value, a_year.value)) {
        let of = id.clone();
        let fact = Msg::LimitBroken {
            of,
            amount: a_year.value,
            bound: bounds(limit),
            clause: limit.clause.clone(),
            whom: String::new(),
        };
        table.fault(a_year.span.clone(), fact, None);
    }
    table.finish();
    Some(Population { id, name: name?, source: source?, a_year: a_year.value, clause })
}

fn double_benefit(table: Reader) -> Option<DoubleBenefit> {
    let item = named_part(&table);
    let beside = table.word("beside", &PackageKind::ALL);
    let clause = table.clause();
    table.finish();
    Some(DoubleBenefit { item: item?, beside, clause })
}

fn flag_clauses(table: Reader) -> BTreeMap<Code, super::Clause> {
    let mut clauses = BTreeMap::new();
    for (key, clause) in table.all_texts() {
        match Code::parse(&key.value).filter(|code| code.is_flag()) {
            Some(code) => {
                clauses.insert(code, clause.into());
            }
            None => {
                table.fault(key.span, Msg::UnknownKey { key: key.value, table: "flags.clauses".into() }, None)
            }
        }
    }
    clauses
}
