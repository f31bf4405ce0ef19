//! What a run came to → the rows of a batch.

use std::collections::BTreeSet;

use anyhow::Result;
use rustc_hash::FxHashMap;

use crate::base::money::{Fen, shortest};
use crate::base::period::Period;
use crate::intake::institutions::Institution;
use crate::settlement::assess::Scores;
use crate::settlement::delta::differs;
use crate::settlement::desk::Details;
use crate::settlement::evidence::Evidence;
use crate::settlement::history::History;
use crate::settlement::lines::{Posted, Settlement};
use crate::settlement::past::PastSigning;
use crate::settlement::qualify::{Qualified, Signing, row_terms};
use crate::settlement::rules::Rules;

use super::pages::{ServiceRow, SigningRow, State};
use super::recall::day_number;
use super::writer::{Cell, Writer, maybe};

/// What a run came to, and what it relied on.
pub struct Posting<'a> {
    pub rules: &'a Rules<'a>,
    pub history: &'a History<'a>,
    pub qualified: &'a Qualified,
    pub evidence: &'a Evidence,
    pub scores: &'a Scores,
    pub details: &'a [Details],
    pub settlement: &'a Settlement,
    pub rules_hash: &'a str,
}

/// A row of an adjustments file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// The institution's id.
    pub institution: String,
    pub source: String,
    pub cohort: Period,
    /// Positive to the institution, negative from it.
    pub amount: Fen,
    pub document: String,
    pub reason: String,
}

/// Writes what was paid before there was a ledger.
pub fn opening(
    writer: &mut Writer,
    posted: &Posted,
    institution: impl Fn(u32) -> Institution,
    policy: impl Fn(Period) -> String,
) -> Result<()> {
    for ((cohort, number, package, source), amount) in posted {
        let institution = writer.institution(&institution(*number))?;
        writer.line((*cohort, institution, package, source), &policy(*cohort), *amount, None)?;
    }
    Ok(())
}

/// Writes what moves, and what a later run has to know.
pub fn settlement(writer: &mut Writer, posting: &Posting) -> Result<()> {
    signings(writer, posting)?;
    scores(writer, posting)?;
    for line in &posting.settlement.lines {
        let state = line.state(posting.rules_hash);
        let amount = line.payable - line.recover;
        let moved = line.then.as_ref().is_none_or(|then| differs(&state, then));
        if amount == Fen::ZERO && !moved {
            continue;
        }
        let institution = writer.institution(posting.rules.institutions.get(line.institution))?;
        let policy = &posting.rules.region.versions[line.version].id;
        let of = (line.cohort, institution, line.package.as_str(), line.source.as_str());
        writer.line(of, policy, amount, Some(&state))?;
    }
    Ok(())
}

/// What a later run has to know of a signing.
struct Noted<'a> {
    signing: &'a Signing,
    known: Option<u32>,
    state: State,
}

fn signings(writer: &mut Writer, posting: &Posting) -> Result<()> {
    let Posting { rules, history, qualified, .. } = *posting;
    let mut terms_of: FxHashMap<(u32, u16, u32, Option<usize>), u32> = FxHashMap::default();
    for (index, signing) in qualified.signings.iter().enumerate() {
        let known = qualified.known(index);
        // What starts later may be another by then.
        if known.is_none() && signing.starts_on >= rules.end {
            continue;
        }
        let noted = Noted { signing: &signing, known, state: State::Admitted };
        let id = note(writer, posting, &noted, &mut terms_of)?;
        services(writer, posting, index, id)?;
    }
    for (signing, code, known) in &qualified.refused {
        if known.is_some() || signing.starts_on < rules.end {
            let noted = Noted { signing, known: *known, state: State::Refused(*code) };
            note(writer, posting, &noted, &mut terms_of)?;
        }
    }
    for known in &qualified.voided {
        let past = history.signing(*known);
        let Some((institution, terms)) = history.terms(*known) else { continue };
        let terms = writer.terms(terms.clone(), rules.institutions.get(institution))?;
        let contract = history.past().map_or("", |all| all.contract(past));
        Facts::of_past(past).write(writer, (Some(past.id), contract), terms, State::Void)?;
    }
    Ok(())
}

/// Writes a signing where it is new or other than it was; gives the number that it goes by.
fn note(
    writer: &mut Writer,
    posting: &Posting,
    Noted { signing, known, state }: &Noted,
    terms_of: &mut FxHashMap<(u32, u16, u32, Option<usize>), u32>,
) -> Result<u32> {
    let Posting { rules, history, qualified, .. } = *posting;
    let past = known.map(|known| history.signing(known));
    let facts = Facts::of(signing);
    let before = |past: &PastSigning| past.refused.map_or(State::Admitted, State::Refused);
    if let Some(past) = past
        && history.owns(signing).is_some()
        && before(past) == *state
    {
        return Ok(past.id);
    }
    let institution = rules.institutions.get(signing.institution);
    let terms = match known.and_then(|known| history.terms(known)) {
        None => {
            let key = (signing.institution, signing.offer(), signing.details, signing.reason());
            match terms_of.get(&key) {
                Some(number) => *number,
                None => {
                    let now = row_terms(rules, posting.details, signing);
                    let number = writer.terms(now, institution)?;
                    terms_of.insert(key, number);
                    number
                }
            }
        }
        Some((_, posted)) => {
            let now = match (known, history.owns(signing)) {
                (Some(known), None) => {
                    let now = row_terms(rules, posting.details, signing);
                    history.terms_now(*known, signing.institution, now)
                }
                _ => posted.clone(),
            };
            if now == *posted
                && past.is_some_and(|past| facts == Facts::of_past(past) && before(past) == *state)
            {
                return Ok(past.map_or(0, |past| past.id));
            }
            writer.terms(now, institution)?
        }
    };
    let first = past.map(|past| past.id);
    facts.write(writer, (first, &qualified.contract(signing)), terms, *state)
}

/// What a signing is, beside its terms.
#[derive(PartialEq, Eq)]
struct Facts {
    person: u64,
    /// signed, starts, end of the term, end.
    days: [u32; 4],
    paid: Option<i64>,
    authorized: bool,
}

impl Facts {
    fn of(signing: &Signing) -> Facts {
        let days = [signing.signed_on, signing.starts_on, signing.term_end, signing.end];
        Facts {
            person: signing.person.0,
            days: days.map(day_number),
            paid: signing.paid().map(|paid| paid.0),
            authorized: signing.authorized(),
        }
    }

    fn of_past(past: &PastSigning) -> Facts {
        let days = [past.signed_on, past.starts_on, past.term_end, past.end];
        Facts {
            person: past.person.0,
            days: days.map(day_number),
            paid: past.paid.map(|paid| paid.0),
            authorized: past.authorized,
        }
    }

    /// As a row of the ledger; gives the number that the signing goes by.
    fn write(self, writer: &mut Writer, of: (Option<u32>, &str), terms: u32, state: State) -> Result<u32> {
        let Facts { person, days, paid, authorized } = self;
        let (first, contract) = (of.0.unwrap_or_default(), of.1.as_bytes());
        let row = SigningRow { first, contract, person, terms, days, paid, authorized, state };
        let number = writer.signing(&row)?;
        Ok(of.0.unwrap_or(number))
    }
}

/// Writes the services of a signing that no earlier posting saw.
fn services(writer: &mut Writer, posting: &Posting, index: usize, id: u32) -> Result<()> {
    let Posting { rules, qualified, evidence, .. } = *posting;
    let signing = &qualified.signings.faces()[index];
    for service in evidence.services_of(index) {
        let institution = writer.institution(rules.institutions.get(signing.institution()))? as u32;
        let item = match service.item {
            Some(item) => writer.item(&rules.package(signing.offer()).items[usize::from(item)].named.id)?,
            None => 0,
        };
        let (day, seen, times) = (service.day.number(), service.seen, service.times);
        writer.service(&ServiceRow { signing: id, day, institution, item, seen, times })?;
    }
    Ok(())
}

/// Writes the scores that hold, where they are others than those written before: what they will clear may come
/// later.
fn scores(writer: &mut Writer, posting: &Posting) -> Result<()> {
    let Posting { rules, history, scores, .. } = *posting;
    let known: BTreeSet<_> = history
        .scores(rules)
        .into_iter()
        .map(|entry| (entry.key, shortest(entry.score), entry.assessed_on))
        .collect();
    for entry in scores.by_key.values() {
        if known.contains(&(entry.key.clone(), shortest(entry.score), entry.assessed_on)) {
            continue;
        }
        let (institution, period, level) = &entry.key;
        let institution = writer.institution(rules.institutions.get(*institution))?;
        let (period, score) = (period.to_string(), shortest(entry.score));
        writer.add(
            "score",
            &[
                Cell::Number(institution),
                Cell::Text(&period),
                Cell::Text(level),
                Cell::Text(&score),
                maybe(entry.assessed_on.map(|day| day_number(day).into())),
            ],
        )?;
    }
    Ok(())
}

/// Writes the opposite of every amount of a batch.
pub fn reversal(writer: &mut Writer, number: u32) -> Result<()> {
    let failed = |error: rusqlite::Error| writer.store.broken(&error);
    type Moved = (String, i64, String, String, String, i64);
    let moved: Vec<Moved> = {
        let query = "SELECT cohort, institution, package, source, policy, amount FROM line WHERE batch = ? ORDER BY number";
        let mut query = writer.store.connection.prepare(query).map_err(failed)?;
        let rows = query.query_map([number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        });
        rows.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)?
    };
    for (cohort, institution, package, source, policy, amount) in moved {
        let Some(cohort) = Period::parse(&cohort) else {
            return Err(writer.store.damaged(&format!("cohort `{cohort}`")));
        };
        writer.line((cohort, institution, &package, &source), &policy, -Fen(amount), None)?;
    }
    type Agreed = (i64, String, String, i64, String, String);
    let agreed: Vec<Agreed> = {
        let query = "SELECT institution, source, cohort, amount, document, reason FROM adjustment WHERE batch = ? ORDER BY number";
        let mut query = writer.store.connection.prepare(query).map_err(failed)?;
        let rows = query.query_map([number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        });
        rows.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)?
    };
    for (institution, source, cohort, amount, document, reason) in agreed {
        let cells = [
            Cell::Number(institution),
            Cell::Text(&source),
            Cell::Text(&cohort),
            Cell::Number(-amount),
            Cell::Text(&document),
            Cell::Text(&reason),
        ];
        writer.add("adjustment", &cells)?;
    }
    Ok(())
}

/// Writes what was agreed on paper.
pub fn adjustments(writer: &mut Writer, rows: &[Adjustment], of: impl Fn(&str) -> Institution) -> Result<()> {
    for row in rows {
        let institution = writer.institution(&of(&row.institution))?;
        let cohort = row.cohort.to_string();
        let cells = [
            Cell::Number(institution),
            Cell::Text(&row.source),
            Cell::Text(&cohort),
            Cell::Number(row.amount.0),
            Cell::Text(&row.document),
            Cell::Text(&row.reason),
        ];
        writer.add("adjustment", &cells)?;
    }
    Ok(())
}
