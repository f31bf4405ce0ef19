//! The sheets that go on row by row: lines, recoveries, refused rows, flags.

use rust_decimal::Decimal;

use crate::base::money::Fen;
use crate::policy::curve::Curve;
use crate::report::findings::{Findings, Refused};
use crate::report::flags::FlagRow;
use crate::report::names;
use crate::report::totals;
use crate::settlement::clear::Outcome;
use crate::settlement::lines::{Line, clawback};
use crate::words::{Label, Phrase, cure, label};

use super::Part;
use super::table::{Cell, Column, Head, Kind};

/// How wide a column of words may grow, in half characters.
const WIDEST: usize = 36;

pub fn head(
    findings: &Findings,
    (sheet, title): (Phrase, Phrase),
    columns: Vec<Column>,
    foot: Vec<String>,
) -> Head {
    let money = columns.iter().any(|column| column.kind == Kind::Money);
    Head {
        sheet: findings.words(sheet, &[]),
        title: findings.words(title, &[]),
        about: findings.about(),
        unit: findings.words(if money { Phrase::DocUnit } else { Phrase::DocUnitNone }, &[]),
        columns,
        foot,
    }
}

/// A score as a number; several scores as the words that settlement.csv has.
fn score(text: String) -> Cell {
    match Decimal::from_str_exact(&text) {
        Ok(score) => Cell::Number(score),
        Err(_) if text.is_empty() => Cell::None,
        Err(_) => Cell::Text(text),
    }
}

/// Columns as wide as what stands in them and its sum; those that say nothing in any row are left out.
fn fitted(columns: Vec<(Column, bool)>, rows: Vec<Vec<Cell>>) -> (Vec<Column>, Vec<Vec<Cell>>) {
    let mut widest: Vec<usize> = columns.iter().map(|(column, _)| column.width).collect();
    let mut said: Vec<bool> = columns.iter().map(|(_, always)| *always).collect();
    let mut sums = vec![Fen::ZERO; columns.len()];
    for (at, cell) in rows.iter().flat_map(|row| row.iter().enumerate()) {
        widest[at] = widest[at].max(cell.width());
        said[at] |= match cell {
            Cell::Text(text) => !text.is_empty(),
            Cell::Count(count) => *count > 0,
            Cell::Money(amount) => *amount != Fen::ZERO,
            Cell::Number(_) => true,
            Cell::None => false,
        };
        if let Cell::Money(amount) = cell {
            sums[at] += *amount;
        }
    }
    let keep = |at: &usize| said[*at];
    let kept: Vec<usize> = (0..said.len()).filter(keep).collect();
    let rows = rows.into_iter().map(|row| {
        let cells = row.into_iter().enumerate().filter(|(at, _)| said[*at]);
        cells.map(|(_, cell)| cell).collect()
    });
    let rows = rows.collect();
    let mut columns: Vec<Option<Column>> = columns.into_iter().map(|(column, _)| Some(column)).collect();
    let columns = kept.into_iter().filter_map(|at| {
        let mut column = columns[at].take()?;
        column.width = widest[at].max(sums[at].grouped().len()).min(WIDEST);
        Some(column)
    });
    (columns.collect(), rows)
}

pub fn lines<'a>(findings: &'a Findings<'a>) -> Part<'a> {
    let (run, lang) = (findings.run, findings.lang());
    let word = |what: Phrase| findings.words(what, &[]);
    let name = |what: Label| label(lang, what).to_string();
    let text = |title: String| (Column::new(title, Kind::Text, 6), true);
    let words = |title: String| (Column::new(title, Kind::Words, 6), true);
    let number = |title: String| (Column::new(title, Kind::Number, 5), true);
    let sum = |title: String, kind| (Column::summed(title, kind), true);
    let count = |title: String| (Column::new(title, Kind::Count, 5), true);
    let sometimes = |(column, _): (Column, bool)| (column, false);
    // What stands above them all, or decides nothing, would only make the print smaller.
    let many = run.settlement.lines.iter().any(|line| line.version != run.settlement.lines[0].version);
    let cohorts = run.settlement.lines.iter().any(|line| line.cohort != run.rules.period);
    let of_parent = |curve: &Curve| curve.basis.assessed().iter().any(|one| one.of_parent);
    let parents = names::versions(run).iter().any(|policy| policy.curves.iter().any(of_parent));
    let columns = vec![
        sometimes(text(name(Label::Cohort))),
        text(name(Label::Institution)),
        words(name(Label::Name)),
        sometimes(words(word(Phrase::DocDistrict))),
        sometimes(text(word(Phrase::DocParent))),
        words(name(Label::Package)),
        words(name(Label::Source)),
        sometimes(text(word(Phrase::DocPolicy))),
        // Not added up: a signing stands on the line of each source that bears a part of it.
        count(name(Label::Count)),
        sometimes(count(name(Label::Held))),
        sum(name(Label::Gross), Kind::Money),
        sometimes(sum(word(Phrase::DocDeduction), Kind::Money)),
        sum(name(Label::Prepay), Kind::Money),
        number(name(Label::Score)),
        number(name(Label::Ratio)),
        sum(name(Label::Final), Kind::Money),
        sum(name(Label::Posted), Kind::Money),
        sum(name(Label::Payable), Kind::Money),
        sum(name(Label::Recover), Kind::Money),
    ];
    let row = |line: &Line| {
        let one = run.rules.institutions.get(line.institution);
        let policy = &run.rules.region.versions[line.version];
        let settled = |amount: Fen| Cell::money(line.settled.then_some(amount));
        let earned = line.earned.as_ref();
        vec![
            Cell::text(if cohorts { line.cohort.to_string() } else { String::new() }),
            Cell::text(&one.id),
            Cell::text(&one.name),
            Cell::text(&one.district),
            Cell::text(if parents { one.parent_id.as_str() } else { "" }),
            Cell::text(names::package(policy, &line.package, lang)),
            Cell::text(names::source(run, &line.source, lang)),
            Cell::text(if many { policy.id.as_str() } else { "" }),
            Cell::Count(line.count),
            Cell::Count(line.held),
            Cell::Money(line.gross),
            Cell::money(earned.map(|_| line.deduction)),
            settled(line.prepay),
            score(earned.map(Outcome::shown).unwrap_or_default()),
            Cell::number(earned.map(|outcome| outcome.earned.ratio)),
            Cell::money(line.last),
            settled(line.posted),
            settled(line.payable),
            settled(line.recover),
        ]
    };
    let (columns, rows) = fitted(columns, run.settlement.lines.iter().map(row).collect());
    let names = (Phrase::DocSheetLines, Phrase::DocTitleLines);
    let mut foot = findings.foot(true);
    let only_shown: Fen =
        run.settlement.lines.iter().filter(|line| !line.settled).map(|line| line.gross).sum();
    if only_shown != Fen::ZERO {
        let sums = [only_shown, totals::settled(run).gross].map(Fen::grouped);
        foot.insert(0, findings.words(Phrase::DocUnsettledIn, &sums.each_ref().map(String::as_str)));
    }
    let head = head(findings, names, columns, foot);
    Part { head, count: rows.len(), rows: Box::new(rows.into_iter()) }
}

pub fn clawbacks<'a>(findings: &'a Findings<'a>) -> Part<'a> {
    let (run, lang) = (findings.run, findings.lang());
    let name = |what: Label| label(lang, what).to_string();
    let column = |title: String, kind| (Column::new(title, kind, 6), true);
    let sum = |title: String, kind| (Column::summed(title, kind), true);
    let columns = vec![
        column(name(Label::Cohort), Kind::Text),
        column(name(Label::Institution), Kind::Text),
        column(name(Label::Name), Kind::Words),
        column(name(Label::Package), Kind::Words),
        column(name(Label::Source), Kind::Words),
        column(name(Label::Count), Kind::Count),
        column(name(Label::Score), Kind::Number),
        column(name(Label::Ratio), Kind::Number),
        sum(name(Label::Prepay), Kind::Money),
        sum(name(Label::Final), Kind::Money),
        sum(findings.words(Phrase::DocShortfall, &[]), Kind::Money),
        sum(name(Label::Posted), Kind::Money),
        sum(name(Label::Recover), Kind::Money),
        sum(findings.words(Phrase::DocWithheld, &[]), Kind::Money),
        column(name(Label::Reason), Kind::Words),
        column(name(Label::Clause), Kind::Words),
    ];
    let row = |line: &Line| {
        let policy = &run.rules.region.versions[line.version];
        let back = clawback(line, policy)?;
        let one = run.rules.institutions.get(line.institution);
        let earned = line.earned.as_ref();
        Some(vec![
            Cell::text(line.cohort.to_string()),
            Cell::text(&one.id),
            Cell::text(&one.name),
            Cell::text(names::package(policy, &line.package, lang)),
            Cell::text(names::source(run, &line.source, lang)),
            Cell::Count(line.count),
            score(earned.map(Outcome::shown).unwrap_or_default()),
            Cell::number(earned.map(|outcome| outcome.earned.ratio)),
            Cell::Money(line.prepay),
            Cell::money(line.last),
            Cell::Money(back.shortfall),
            Cell::Money(line.posted),
            Cell::Money(line.recover),
            Cell::Money(back.withheld),
            Cell::text(label(lang, names::reason(back.reason))),
            Cell::text(&*back.clause),
        ])
    };
    let (columns, rows) = fitted(columns, run.settlement.lines.iter().filter_map(row).collect());
    let names = (Phrase::DocSheetClawback, Phrase::DocTitleClawback);
    let head = head(findings, names, columns, findings.foot(false));
    Part { head, count: rows.len(), rows: Box::new(rows.into_iter()) }
}

pub fn refused<'a>(findings: &'a Findings<'a>) -> Part<'a> {
    let lang = findings.lang();
    let name = |what: Label| label(lang, what).to_string();
    let columns = vec![
        Column::new(name(Label::File), Kind::Words, 16),
        Column::new(findings.words(Phrase::DocLine, &[]), Kind::Count, 8),
        Column::new(name(Label::Code), Kind::Text, 6),
        Column::new(findings.words(Phrase::DocContract, &[]), Kind::Words, 16),
        Column::new(findings.words(Phrase::DocPerson, &[]), Kind::Text, 20),
        Column::new(name(Label::Institution), Kind::Words, 12),
        Column::new(name(Label::Reason), Kind::Words, 46),
        Column::new(name(Label::Clause), Kind::Words, 12),
        Column::new(name(Label::WhatToDo), Kind::Words, 28),
    ];
    let row = move |row: Refused| {
        let Refused { row, file, reason } = row;
        vec![
            Cell::text(file),
            Cell::Count(row.place.line.into()),
            Cell::text(row.code.name()),
            Cell::text(row.contract),
            Cell::text(row.person),
            Cell::text(row.institution),
            Cell::Text(reason),
            Cell::text(row.clause.unwrap_or_default()),
            Cell::text(cure(lang, row.code)),
        ]
    };
    let names = (Phrase::DocSheetRefused, Phrase::DocTitleRefused);
    let head = head(findings, names, columns, Vec::new());
    Part { head, count: findings.refused_count(), rows: Box::new(findings.refused().map(row)) }
}

pub fn flags<'a>(findings: &'a Findings<'a>) -> Part<'a> {
    let lang = findings.lang();
    let name = |what: Label| label(lang, what).to_string();
    let columns = vec![
        Column::new(name(Label::Code), Kind::Text, 6),
        Column::new(name(Label::Institution), Kind::Words, 12),
        Column::new(name(Label::Name), Kind::Words, 24),
        Column::new(findings.words(Phrase::DocContract, &[]), Kind::Words, 16),
        Column::new(findings.words(Phrase::DocPerson, &[]), Kind::Text, 20),
        Column::new(name(Label::File), Kind::Words, 16),
        Column::new(findings.words(Phrase::DocLine, &[]), Kind::Count, 8),
        Column::new(findings.words(Phrase::DocDetail, &[]), Kind::Words, 46),
        Column::new(name(Label::Clause), Kind::Words, 12),
        Column::new(name(Label::WhatToDo), Kind::Words, 28),
    ];
    let row = move |flag: FlagRow| {
        let one = findings.run.rules.institutions.get(flag.institution);
        vec![
            Cell::text(flag.code.name()),
            Cell::text(&one.id),
            Cell::text(&one.name),
            Cell::Text(flag.contract),
            Cell::text(flag.person.unwrap_or_default()),
            Cell::text(flag.place.map_or("", |(file, _)| file)),
            flag.place.map_or(Cell::None, |(_, line)| Cell::Count(line.into())),
            Cell::Text(flag.detail),
            Cell::text(flag.clause.unwrap_or_default()),
            Cell::text(cure(lang, flag.code)),
        ]
    };
    let names = (Phrase::DocSheetFlags, Phrase::DocTitleFlags);
    let head = head(findings, names, columns, Vec::new());
    let count = findings.flags.count();
    Part { head, count, rows: Box::new(findings.flags.rows(0..count).map(row)) }
}
