//! A rule file as written → [`Policy`], or every fault of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use toml::de::DeTable;

use crate::base::code::Code;
use crate::base::diagnostic::{Diagnostic, Excerpt};
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::{Cycle, Date};

use super::build_assessment::{curve, level, sheet};
use super::curve::Curve;
use super::file::{At, Reader, Sheet as Written};
use super::package::{Group, Item, Package, PackageKind, ShareAmount, ShareRule, When};
use super::{
    Authorization, Balance, DoubleBenefit, Evidence, Figure, FigureKind, Insurance, Kinds, Level, Named,
    Overlap, Policy, PolicyFile, Population, Source, Terms,
};

/// Reads and checks `regions/<region>/<date>.toml`.
pub fn read(region: &str, date: &str, file: PolicyFile) -> Result<Policy, Vec<Diagnostic>> {
    let excerpt = |span| Excerpt { path: file.name.clone(), text: Arc::clone(&file.text), span };
    let text = Arc::clone(&file.text);
    let root = DeTable::parse(&text).map_err(|error| {
        let fact = Msg::TomlSyntax { message: error.message().to_string() };
        vec![Diagnostic { fact, cure: None, excerpt: Some(excerpt(error.span().unwrap_or(0..0))) }]
    })?;
    let Ok(version) = date.parse::<Date>() else {
        let fact = Msg::VersionNotADate { name: date.to_string() };
        return Err(vec![Diagnostic { fact, cure: None, excerpt: Some(excerpt(0..0)) }]);
    };
    let written = Written::new(file.name.clone(), Arc::clone(&file.text));
    let root = Reader::new(&written, root.get_ref(), 0..0, String::new());
    written.read_local(&root);
    let policy = policy(region, version, &root, &written, file);
    // A table that could not be read hides what else belongs here.
    root.finish_if(policy.is_some());
    let faults = written.faults();
    match policy {
        Some(policy) if faults.is_empty() => Ok(policy),
        _ => Err(faults),
    }
}

fn policy<'t>(
    region: &str,
    version: Date,
    root: &Reader<'t>,
    written: &Written<'t>,
    file: PolicyFile,
) -> Option<Policy> {
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
    let charge_months = charge.required("unit", |r, key| r.word(key, &[("year", 12), ("month", 1)]));
    let cycle = charge.required("cycle", |r, key| r.word(key, &Cycle::ALL));
    let charge_clause = charge.clause();
    let terms_months = charge.required("terms_months", Reader::integers);
    if terms_months.iter().flatten().any(|term| !(1..=1_200).contains(term)) {
        charge.fault(charge.span(), Msg::TermZero, None);
    }
    let or_more = charge.bool("or_more").unwrap_or(false);
    let terms_clause = charge.required_text("terms_clause").unwrap_or_default().into();
    charge.finish();

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

    let levels: Vec<Level> = root.tables("level").into_iter().filter_map(level).collect();
    // Ids of what has a fault count as well, so that one fault is told once.
    let ids = |key| -> Vec<String> { root.tables(key).iter().filter_map(|table| table.text("id")).collect() };
    for key in ["source", "level", "curve", "population"] {
        let all = ids(key);
        for (at, table) in root.tables(key).iter().enumerate() {
            if all.iter().take(at).any(|id| Some(id) == all.get(at)) {
                table.fault(table.span(), Msg::NamedTwice { name: all[at].clone() }, None);
            }
        }
    }
    let level_ids = ids("level");
    if let Some(cycle) = cycle {
        for (level, reader) in levels.iter().zip(root.tables("level")) {
            if level.cycle < cycle {
                reader.fault(reader.span(), Msg::AssessedTooOften { level: level.named.id.clone() }, None);
            }
        }
    }
    let curves: Vec<Curve> =
        root.tables("curve").into_iter().filter_map(|table| curve(table, &level_ids)).collect();
    let curve_ids = ids("curve");
    let sources: Vec<Source> =
        root.tables("source").into_iter().filter_map(|table| source(table, &curve_ids)).collect();
    let source_ids = ids("source");
    let names = Known { sources: &source_ids, schemes: &schemes, kinds: &kinds };
    let packages: Vec<Package> =
        root.tables("package").into_iter().filter_map(|table| package(table, version, &names)).collect();
    check_packages(root, &packages);
    let population: Vec<Population> =
        root.tables("population").into_iter().filter_map(|table| population_line(table, &names)).collect();
    if packages.is_empty() {
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
        let clause = table.clause();
        table.finish();
        Evidence { cards, clause }
    });
    let sheets = root.tables("sheet").into_iter().filter_map(|table| sheet(table, &level_ids)).collect();
    let (flags, team_cap) = root.table("flags").map_or((BTreeMap::new(), None), |table| {
        let cap = table.integer("team_cap").map(|at| u64::from(at.value));
        let cited = table.table("clauses").map(flag_clauses).unwrap_or_default();
        table.finish();
        (cited, cap)
    });
    let double_benefits = root.tables("double_benefit").into_iter().filter_map(double_benefit).collect();
    let figures = root.tables("figure").into_iter().filter_map(|table| {
        let kind = table.required("id", |r, key| r.word(key, &FigureKind::ALL));
        let clause = table.clause();
        table.finish();
        Some(Figure { kind: kind?, clause })
    });
    let figures = figures.collect();
    let local = written.local_figures();

    Some(Policy {
        id: format!("{region}/{version}"),
        name: name?,
        document: document?,
        from: from?.value,
        to,
        clause,
        charge_months: charge_months?,
        charge_clause,
        cycle: cycle?,
        terms: Terms { months: terms_months?, or_more, clause: terms_clause },
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
        team_cap,
        figures,
        local,
        file,
    })
}

/// Ids that packages refer to.
struct Known<'a> {
    sources: &'a [String],
    schemes: &'a [String],
    kinds: &'a [String],
}

fn named(table: Reader) -> Option<Named> {
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
    if settled == Some(true) {
        prepay = table.required("prepay", Reader::ratio).map(|at| at.value);
        prepay_clause = table.text("prepay_clause");
        curve = table.required("curve", |r, key| r.reference(key, curves));
    }
    table.finish();
    Some(Source {
        id: id?,
        name: name?,
        settled: settled?,
        prepay: prepay?,
        once_for_person,
        curve,
        prepay_clause: prepay_clause.map_or_else(|| clause.clone(), Into::into),
        clause,
    })
}

fn package(table: Reader, version: Date, known: &Known) -> Option<Package> {
    let named = named_part(&table);
    let kind = table.required("kind", |r, key| r.word(key, &PackageKind::ALL));
    let clause = table.clause();
    let offered_from = table.date("offered_from").map_or(version, |at| at.value);
    let requires = table.texts("requires").into_iter().map(|at| at.value).collect();
    let group = table.table("group").map(group);
    let deduct_missing = table.bool("deduct_missing").unwrap_or(false);
    let items: Vec<Item> =
        table.tables("item").into_iter().filter_map(|row| item(row, deduct_missing)).collect();
    let mut priced = Some((Fen::ZERO, Vec::new()));
    if kind == Some(PackageKind::Free) {
        if table.has("fee") || table.has("share") {
            table.fault(table.span(), Msg::FreeHasFee, None);
        }
        table.text("fee");
        table.tables("share");
    } else {
        let fee = table.required("fee", Reader::money);
        let rows = table.tables("share");
        let last = rows.len().saturating_sub(1);
        let shares: Vec<Option<ShareRule>> =
            rows.into_iter().enumerate().map(|(at, row)| share(row, at == last, known)).collect();
        let shares: Option<Vec<ShareRule>> = shares.into_iter().collect();
        if last >= 32 {
            table.fault(table.span(), Msg::TooManyShares, None);
            priced = None;
        } else {
            priced = fee.map(|fee| fee.value).zip(shares);
        }
    }
    let span = table.span();
    let sheet = table.sheet;
    table.finish();
    let (fee, shares) = priced?;
    let package = Package {
        named: named?,
        kind: kind?,
        fee,
        shares,
        requires,
        group,
        items,
        deduct_missing,
        offered_from,
        clause,
    };
    if kind == Some(PackageKind::Free) {
        return Some(package);
    }
    if let Some(sum) = package.wrong_sum(known.schemes.len(), known.kinds.len()) {
        let fact = if sum > fee { Msg::SharesOverFee { sum, fee } } else { Msg::SharesNotFee { sum, fee } };
        sheet.fault(span, fact, Some(Msg::LastIsRest));
        return None;
    }
    Some(package)
}

fn share(row: Reader, last: bool, known: &Known) -> Option<ShareRule> {
    let source = row.required("source", |r, key| r.reference(key, known.sources));
    let clause = row.clause();
    let amount = share_amount(&row, last, known);
    let when = row.table("when").map(|table| when(table, known)).unwrap_or_default();
    row.finish();
    Some(ShareRule { source: source?, amount: amount?, when, clause })
}

fn share_amount(row: &Reader, last: bool, known: &Known) -> Option<ShareAmount> {
    let rest = row.bool("rest");
    let given = [row.has("amount"), row.has("ratio"), rest == Some(true)];
    // Asked for in any case, so that a misspelt one is told from a missing one.
    let amount = row.money("amount");
    if given.iter().filter(|given| **given).count() != 1 {
        row.mention("ratio");
        row.fault(row.span(), Msg::OneOfTwo { keys: "amount, ratio, rest".into() }, None);
        return None;
    }
    if given[0] {
        row.mention("ratio");
        return Some(ShareAmount::Fixed(amount?.value));
    }
    if given[2] {
        row.mention("ratio");
        if !last {
            row.fault(row.span(), Msg::RestNotLast, None);
        }
        return Some(ShareAmount::Rest);
    }
    if row.is_table("ratio") && known.kinds.is_empty() {
        row.mention("ratio");
        row.fault(row.span(), Msg::NoKinds, None);
        return None;
    }
    if !row.is_table("ratio") {
        return Some(ShareAmount::Ratio(row.ratio("ratio")?.value));
    }
    let by_kind = row.decimals_by_name("ratio")?;
    let mut ratios = Vec::new();
    for kind in known.kinds {
        match by_kind.get(kind) {
            Some(at) if super::curve::is_ratio(at.value) => ratios.push(at.value),
            Some(at) => row.fault(at.span.clone(), Msg::RatioRange { key: kind.clone() }, None),
            None => row.fault(row.span(), Msg::MissingKey { table: "ratio".into(), key: kind.clone() }, None),
        }
    }
    for (name, at) in &by_kind {
        let name = At { value: name.clone(), span: at.span.clone() };
        row.find_reference("ratio", &name, known.kinds);
    }
    Some(ShareAmount::RatioByKind(ratios))
}

fn age(table: &Reader, key: &'static str) -> Option<i16> {
    let at = table.integer(key)?;
    if at.value > 150 {
        table.fault(at.span, Msg::AgeRange, None);
        return None;
    }
    i16::try_from(at.value).ok()
}

fn when(table: Reader, known: &Known) -> When {
    let age = |key| age(&table, key);
    let when = When {
        scheme: table.reference("scheme", known.schemes),
        kind: table.reference("kind", known.kinds),
        district: table.text("district"),
        tag: table.text("tag").map(|tag| Named { id: tag.clone(), name: tag, aliases: Vec::new() }),
        age_from: age("age_from"),
        age_under: age("age_under"),
    };
    table.finish();
    when
}

fn group(table: Reader) -> Group {
    let age = |key| age(&table, key);
    let (age_from, age_under) = (age("age_from"), age("age_under"));
    let tags = table.tables("tag").into_iter().filter_map(named).collect();
    let clause = table.clause();
    table.finish();
    Group { age_from, age_under, tags, clause }
}

fn item(table: Reader, must_have_times: bool) -> Option<Item> {
    let named = named_part(&table);
    let clause = table.clause();
    let (times, amount) = if must_have_times {
        (table.required("times", Reader::integer), table.required("amount", Reader::money))
    } else {
        (table.integer("times"), table.money("amount"))
    };
    table.finish();
    Some(Item { named: named?, times: times.map(|at| at.value), amount: amount.map(|at| at.value), clause })
}

fn check_packages(root: &Reader, packages: &[Package]) {
    let tables = root.tables("package");
    for (at, package) in packages.iter().enumerate() {
        let Some(table) = tables.get(at) else { continue };
        let span = table.span();
        for name in package.named.names() {
            if packages[..at].iter().any(|other| other.named.is(name)) {
                root.fault(span.clone(), Msg::NamedTwice { name: name.to_string() }, None);
                break;
            }
        }
        for required in &package.requires {
            if !packages.iter().any(|other| other.named.id == *required) {
                let fact = Msg::UnknownWord { key: "requires".into(), value: required.clone() };
                root.fault(span.clone(), fact, None);
            }
        }
        let planned: Fen =
            package.items.iter().filter_map(|item| Some(item.amount?.times(u64::from(item.times?)))).sum();
        let first = package.shares.first();
        if package.deduct_missing
            && first.is_some_and(|share| matches!(share.amount, ShareAmount::Fixed(fen) if fen != planned))
        {
            root.fault(span, Msg::ItemsNotShare { sum: planned }, None);
        }
    }
}

fn population_line(table: Reader, known: &Known) -> Option<Population> {
    let id = table.required_text("id");
    let name = table.required_text("name");
    let source = table.required("source", |r, key| r.reference(key, known.sources));
    let a_year = table.required("a_year", Reader::money);
    let clause = table.clause();
    table.finish();
    Some(Population { id: id?, name: name?, source: source?, a_year: a_year?.value, clause })
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
