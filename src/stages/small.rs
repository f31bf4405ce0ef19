//! The small files: institutions, scores, sheets, payments, adjustments.

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::person::holds_person;
use crate::base::place::Kind;
use crate::intake::header::open;
use crate::intake::institutions::{self, Institution, Institutions};
use crate::intake::read::read_rows;
use crate::intake::rows::{BlockRows, Reject, Row};
use crate::intake::scores::{self, payments};
use crate::intake::{adjustments, sheets};
use crate::ledger::post::Adjustment;
use crate::settlement::assess::{self, ScoreEntry, SheetEntry};
use crate::settlement::lines::Posted;
use crate::settlement::payments::{line_of, payment};
use crate::settlement::rules::Rules;

use super::{Inputs, Watch, columns};

/// Reads institutions: E101–E106, E306.
pub fn institutions(inputs: &mut Inputs, watch: Watch) -> Result<Institutions> {
    let mut all = Institutions::default();
    let names = inputs.names.clone();
    inputs.read_small(
        Kind::Institutions,
        [None, None, Some(institutions::ID)],
        watch,
        institutions::read,
        |one| {
            let (place, id) = (one.place, one.id.clone());
            all.add(one, &names).err().map(|fault| Reject {
                kind: Kind::Institutions,
                place,
                contract: String::new(),
                person: String::new(),
                institution: id,
                code: fault.code,
                reason: *fault.reason,
                clause: fault.clause,
            })
        },
    )?;
    no_person(&all, &names)?;
    Ok(all)
}

/// Outputs and file names show what institutions are called: an ID number must not stand there.
fn no_person(all: &Institutions, names: &[String]) -> Result<()> {
    let Some(Institution { id, place, .. }) = all.list.iter().find(|one| holds_person(&one.id)) else {
        return Ok(());
    };
    let at = format!("{}:{}", names[place.file as usize], place.line);
    Err(stop(Msg::InstitutionIsPerson { id: id.clone(), at }, Some(Msg::NotAPerson)))
}

/// Reads scores: E101–E105, E301, E601, E605, E602. They are held against each other later.
pub fn scores(inputs: &mut Inputs, rules: &Rules, watch: Watch) -> Result<Vec<ScoreEntry>> {
    let mut entries = Vec::new();
    let row = |row: &Row| assess::score_entry(rules, &scores::read(row)?, row.place());
    inputs.read_small(Kind::Scores, scores::IDS, watch, row, |entry| {
        entries.push(entry);
        None
    })?;
    Ok(entries)
}

/// Reads score sheets: E101–E105, E301, E605, E602, E604, E601.
pub fn sheets(inputs: &mut Inputs, rules: &Rules, watch: Watch) -> Result<Vec<SheetEntry>> {
    let mut entries = Vec::new();
    let row = |row: &Row| assess::sheet_entry(rules, &sheets::read(row)?, row.place());
    inputs.read_small(Kind::Sheets, sheets::IDS, watch, row, |entry| {
        entries.push(entry);
        None
    })?;
    Ok(entries)
}

/// Reads what was agreed on paper: E101–E104, E301, E602 (cohort), E604 (source).
pub fn adjustments(inputs: &mut Inputs, rules: &Rules) -> Result<Vec<Adjustment>> {
    let mut all = Vec::new();
    let row = |row: &Row| {
        let read = adjustments::read(row)?;
        let (cohort, source) = line_of(rules, [&read.institution, &read.cohort, &read.source])?;
        let text = |text: &str| text.to_string();
        Ok(Adjustment {
            institution: text(&read.institution),
            source,
            cohort,
            amount: read.amount,
            document: text(&read.document),
            reason: text(&read.reason),
        })
    };
    inputs.read_small(Kind::Adjustments, adjustments::IDS, Watch::NONE, row, |one| {
        all.push(one);
        None
    })?;
    Ok(all)
}

/// The institutions that files of a kind name in their first column, where there is no list of them.
pub fn institutions_named(inputs: &mut Inputs, kind: Kind) -> Result<Institutions> {
    let mut all = Institutions::default();
    for opened in inputs.opened.get(&kind).into_iter().flatten() {
        let again = open(opened.file.clone(), opened.index, columns(kind))?;
        let parse = |block: &BlockRows| {
            let mut ids = Vec::new();
            block.each(|row| {
                if row.whole().is_ok() && row.whole_id(0).is_ok() {
                    ids.push((row.text(0).into_owned(), row.place()));
                }
            });
            ids
        };
        read_rows(again, &|_| {}, parse, |wave| {
            for (id, place) in wave.into_iter().flatten() {
                if !id.is_empty() && all.find(id.as_bytes()).is_none() {
                    // It was not there a line ago.
                    let _ = all.add(Institution::named(&id, place), &[]);
                }
            }
        })?;
    }
    no_person(&all, &inputs.names)?;
    Ok(all)
}

/// Reads payments: E101–E105, E301, E602 (cohort), E604 (source), E304 (package). A ledger knows better.
pub fn payments(inputs: &mut Inputs, rules: &Rules, ledger: bool, watch: Watch) -> Result<Posted> {
    let mut posted = Posted::new();
    if ledger {
        if inputs.has(Kind::Payments) {
            inputs.take(Kind::Payments);
            inputs.notices.push(Msg::PaymentsNotRead);
        }
        return Ok(posted);
    }
    let (mut unnamed, mut elsewhere, mut here) = (false, 0, 0);
    let row = |row: &Row| payment(rules, &payments::read(row)?);
    inputs.read_small(Kind::Payments, payments::IDS, watch, row, |(key, amount, named)| {
        unnamed |= !named;
        let of_period = rules.period.covers(key.0);
        elsewhere += u64::from(!of_period);
        here += u64::from(of_period);
        *posted.entry(key).or_default() += amount;
        None
    })?;
    let refused = inputs.rejects.iter().filter(|reject| reject.kind == Kind::Payments).count() as u64;
    if refused > 0 {
        inputs.notices.push(Msg::PaymentsRefused { rows: refused });
    }
    if elsewhere > 0 {
        inputs.notices.push(Msg::PaymentsElsewhere {
            rows: elsewhere,
            period: rules.period,
            all: here == 0 && inputs.has(Kind::Scores),
        });
    }
    if !inputs.has(Kind::Payments) && inputs.has(Kind::Scores) {
        let mut sources = rules.region.versions.iter().flat_map(|version| &version.sources);
        let prepays = sources.any(|source| source.settled && !source.prepay.is_zero());
        inputs.notices.push(Msg::NoPaymentsFile { prepays });
    }
    if unnamed {
        let file = inputs.files.iter().find(|file| file.kind == Kind::Payments).map(|file| file.name.clone());
        inputs.notices.push(Msg::NoPackageNamed { file: file.unwrap_or_default() });
    }
    Ok(posted)
}
