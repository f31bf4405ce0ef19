//! The smaller parts of a rule file: terms and part charges, groups, caps, the calendar, figures, flags.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::period::Date;

use super::build::{named, named_part};
use super::build_package::{Known, bounds};
use super::calendar::{Calendar, Year};
use super::curve::Partial;
use super::package::{Limit, LimitOf, PackageKind};
use super::reader::Reader;
use super::schedule::{Pays, Prorate, Terms};
use super::sheet::Sheet;
use super::{Cap, CapOf, DoubleBenefit, Figure, FigureKind, Named, Population};

/// Groups of people by id: those that the file lists, and those of packages' own groups; one id in two
/// places is one group with all its names.
pub fn tags(root: &Reader) -> Vec<Named> {
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
                names.append(&mut one.aliases);
                *one = Named::new(id, one.name.clone(), names);
            }
            None => all.push(Named::new(id, name, names)),
        }
    }
    all
}

/// Things of one list must differ in what tells them apart.
pub fn each_once(lists: &[(&Reader, &'static str, &'static str)]) {
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

pub fn terms(charge: &Reader) -> Option<Terms> {
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

pub fn prorate(table: Reader) -> Prorate {
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

pub fn cap(table: Reader) -> Option<Cap> {
    let of = table.required("of", |r, key| r.word(key, &[("team", CapOf::Team), ("doctor", CapOf::Doctor)]));
    let people = table.required("people", Reader::integer);
    let over = table.required("over", |r, key| r.word(key, &[("flag", false), ("cut_off", true)]));
    let clause = table.clause();
    table.finish();
    Some(Cap { of: of?, people: u64::from(people?.value), cut_off: over?, clause })
}

pub fn calendar(table: Reader) -> Calendar {
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

pub fn figure(table: Reader, has_calendar: bool, sheets: &[Sheet]) -> Option<Figure> {
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

pub fn population_line(table: Reader, known: &Known, limits: &[Limit]) -> Option<Population> {
    let id = table.required_text("id");
    let name = table.required_text("name");
    let source = table.required("source", |r, key| r.reference(key, known.sources));
    let a_year = table.required("a_year", Reader::money);
    let clause = table.clause();
    let (id, a_year) = (id?, a_year?);
    let mine = |limit: &&Limit| matches!(&limit.of, LimitOf::Population(of) if *of == id);
    let most =
        source.and_then(|at| known.most_paid.get(at)).copied().unwrap_or(Decimal::ONE).max(Decimal::ONE);
    for limit in limits.iter().filter(mine) {
        let paid = a_year.value.share(most);
        let over = limit.at_most.is_some() && limit.broken(a_year.value.max(paid), a_year.value);
        if over || limit.broken(a_year.value, a_year.value) {
            let fact = Msg::LimitBroken {
                of: id.clone(),
                amount: if over { paid } else { a_year.value },
                bound: bounds(limit),
                clause: limit.clause.clone(),
                whom: String::new(),
            };
            table.fault(a_year.span.clone(), fact, None);
        }
    }
    table.finish();
    Some(Population { id, name: name?, source: source?, a_year: a_year.value, clause })
}

pub fn double_benefit(table: Reader) -> Option<DoubleBenefit> {
    let item = named_part(&table);
    let beside = table.word("beside", &PackageKind::ALL);
    let clause = table.clause();
    table.finish();
    Some(DoubleBenefit { item: item?, beside, clause })
}

pub fn flag_clauses(table: Reader) -> BTreeMap<Code, super::Clause> {
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
