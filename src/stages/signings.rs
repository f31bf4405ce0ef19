//! Signings → candidates: each row checked by itself, by all threads.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rustc_hash::FxHashSet;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::person::PersonId;
use crate::base::place::Kind;
use crate::intake::cells;
use crate::intake::read::{Again, read_rows_with};
use crate::intake::refusals::Refusals;
use crate::intake::rows::{BlockRows, OneOf, Row, TOGETHER, WholeRows};
use crate::intake::short::id_hash;
use crate::intake::signings::{self, Signing, UsualSignings};
use crate::settlement::assess::RowCounts;
use crate::settlement::contracts::Shapes;
use crate::settlement::desk::{Batch, Desk, DetailsList};
use crate::settlement::history::History;
use crate::settlement::price::Classes;
use crate::settlement::qualify::{Candidates, OfPast};
use crate::settlement::rules::Rules;

use super::find::person_of;
use super::{Inputs, Watch};

/// What a block of signings came to.
#[derive(Default)]
struct SigningBlock {
    batch: Batch,
    rejects: Refusals,
    void: u64,
    /// Contract ids of void rows, where earlier postings may know them, each with the person where one can be
    /// read.
    void_contracts: Vec<(Vec<u8>, Option<PersonId>)>,
    /// Rows that the rules refuse, whose contract earlier postings may know: (index into the refused, contract).
    standing: Vec<(usize, Vec<u8>)>,
}

/// What reading the signings gave: rows that passed their own checks, and counts by institution.
pub struct ReadSignings {
    pub candidates: Candidates,
    /// Those of their contract ids.
    pub shapes: Shapes,
    pub counts: Vec<RowCounts>,
    pub classes: Classes,
    pub details: DetailsList,
    /// What the rows say of signings of the past.
    pub of_past: OfPast,
}

/// Reads signings and checks each row by itself: E101–E405. Those of the past join them.
pub fn signings(inputs: &mut Inputs, rules: &Rules, history: &History, watch: Watch) -> Result<ReadSignings> {
    let (classes, details, shapes) = (Classes::default(), DetailsList::default(), Shapes::default());
    let recalled = history.recall(rules, (&classes, &details, &shapes))?;
    // A row takes some hundred bytes. More room than for so many is asked for when it is needed.
    let expected = (inputs.bytes_of(Kind::Signings) / 100).min(2_000_000);
    let mut candidates = Candidates::recalled(recalled, expected as usize);
    let mut counts = vec![RowCounts::default(); rules.institutions.count()];
    let (mut void_contracts, mut of_past) = (BTreeSet::new(), OfPast::default());
    for opened in inputs.take(Kind::Signings) {
        let (mut rejects, mut void) = (Refusals::default(), 0);
        let mut standing = Vec::new();
        let desk = || {
            (
                Desk::new(rules, (&classes, &details, &shapes)),
                vec![RowCounts::default(); rules.institutions.count()],
            )
        };
        let parse = |desk: &mut (Desk, Vec<RowCounts>), block: &BlockRows| {
            let mut out = SigningBlock::default();
            // A row takes some hundred bytes.
            out.batch.signings.reserve(block.length() / 100);
            block.each_usual(
                &mut (desk, &mut out),
                |(desk, out), rows| usual_rows(rows, desk, rules, out),
                |(desk, out), row| signing_row(row, desk, (rules, history.is_there()), out),
            );
            out
        };
        let (facts, again, desks) = read_rows_with(opened, watch.bytes, desk, parse, |wave| {
            for block in wave {
                candidates.join(block.batch);
                let before = rejects.len();
                standing.extend(block.standing.into_iter().map(|(at, contract)| (before + at, contract)));
                rejects.append(block.rejects);
                void += block.void;
                void_contracts.extend(block.void_contracts);
            }
        })?;
        for (_, more) in desks {
            counts.iter_mut().zip(more).for_each(|(sum, more)| sum.add(more));
        }
        if !standing.is_empty() {
            let of = Standing { rules, history, numbers: (&classes, &details, &shapes) };
            let admitted = of.admit(&again, &rejects, standing, &mut candidates, &mut of_past)?;
            for institution in admitted.values() {
                // Of an institution that is on no list any more nothing was counted.
                let counts = &mut counts[*institution as usize];
                counts.rejected = counts.rejected.saturating_sub(1);
            }
            rejects.retain(|at| !admitted.contains_key(&at));
        }
        let first = inputs.rejects.len();
        inputs.rejects.append(rejects);
        inputs.read(facts, first);
        inputs.void_rows += void;
    }
    let (void, others) = history.voided(&void_contracts);
    of_past.void = void.into_iter().collect();
    if others > 0 {
        inputs.notices.push(Msg::VoidOfAnother { rows: others });
    }
    Ok(ReadSignings { candidates, shapes, counts, classes, details, of_past })
}

/// Rows that the rules refuse and whose contract was posted. What the institution or the person became since
/// takes nothing back; what the signing is now may.
struct Standing<'a> {
    rules: &'a Rules<'a>,
    history: &'a History<'a>,
    numbers: (&'a Classes, &'a DetailsList, &'a Shapes),
}

impl Standing<'_> {
    /// Reads such rows again as what they are now; gives which of the refusals fall, and their institutions.
    /// Where one stays, the posted signing is refused with it.
    fn admit(
        &self,
        again: &Again,
        rejects: &Refusals,
        standing: Vec<(usize, Vec<u8>)>,
        candidates: &mut Candidates,
        of_past: &mut OfPast,
    ) -> Result<BTreeMap<usize, u32>> {
        let hashes: FxHashSet<u64> = standing.iter().map(|(_, contract)| id_hash(contract)).collect();
        let found = self.history.with_hashes(&hashes);
        let mut known: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
        for (at, contract) in standing {
            let among = found.get(&id_hash(&contract));
            if let Some(posted) = among.and_then(|among| self.history.of_contract(among, &contract)) {
                known.insert(rejects.get(at).place.line, (at, posted));
            }
        }
        let lines: Vec<u32> = known.keys().copied().collect();
        let rows = again.rows(&lines, |row| {
            let (at, posted) = known[&row.place().line];
            let mut desk = Desk::new(self.rules, self.numbers);
            let mut batch = Batch::default();
            let Ok(Signing::Row(signing)) = signings::read(row, &mut desk.words, self.rules.institutions)
            else {
                return None;
            };
            let same = self.history.signing(posted).person == signing.person;
            same.then(|| {
                (at, posted, desk.admit(&signing, row, self.history.posted_as(posted), &mut batch), batch)
            })
        })?;
        let mut admitted = BTreeMap::new();
        for (at, posted, result, batch) in rows.into_iter().flatten() {
            match result {
                Ok(()) => {
                    admitted.extend(batch.signings.first().map(|signing| (at, signing.institution)));
                    of_past.standing.extend(batch.signings.first().map(|signing| signing.place()));
                    candidates.join(batch);
                }
                Err(fault) => {
                    of_past.refused.insert(posted, fault.code);
                }
            }
        }
        Ok(admitted)
    }
}

/// [`signing_row`] of rows that have nothing unusual and that the rules admit; says which these are.
fn usual_rows(
    rows: &WholeRows,
    (desk, counts): &mut (Desk, Vec<RowCounts>),
    rules: &Rules,
    out: &mut SigningBlock,
) -> u64 {
    let mut sound = u64::MAX >> (TOGETHER - rows.count());
    let read = UsualSignings::read(rows, &desk.words, rules.institutions, &mut sound);
    for at in 0..rows.count() {
        if sound >> at & 1 == 0 {
            continue;
        }
        let row = read.row(at);
        // What is refused is read again, for the words.
        if desk.admit(&row, &OneOf(rows, at), None, &mut out.batch).is_err() {
            sound &= !(1 << at);
            continue;
        }
        let counts = &mut counts[row.institution.unwrap_or_default() as usize];
        counts.rows += 1;
        counts.assessed_rows += u32::from(rules.contains(row.signed_on));
    }
    sound
}

fn signing_row(
    row: &Row,
    (desk, counts): &mut (Desk, Vec<RowCounts>),
    (rules, past): (&Rules, bool),
    out: &mut SigningBlock,
) {
    let read = signings::read(row, &mut desk.words, rules.institutions);
    let (void, institution, day, fault) = match &read {
        Ok(Signing::Row(signing)) => {
            let fault = desk.admit(signing, row, None, &mut out.batch).err();
            if past && fault.is_some() {
                out.standing.push((out.rejects.len(), signing.contract.to_vec()));
            }
            (false, signing.institution, Some(signing.signed_on), fault)
        }
        other => {
            let certain = !matches!(other, Err(fault) if fault.code == Code::E101);
            let find = || row.institution(signings::INSTITUTION, rules.institutions);
            let institution = certain.then(find).flatten();
            let day = cells::date(&row.text(signings::SIGNED_ON));
            (matches!(other, Ok(Signing::Void)), institution, day, other.as_ref().err().cloned())
        }
    };
    out.void += u64::from(void);
    if void && past {
        let person = person_of(row, signings::PERSON);
        out.void_contracts.push((row.id(signings::CONTRACT).into_owned(), person));
    }
    if let Some(institution) = institution {
        let assessed = u32::from(day.is_none_or(|day| rules.contains(day)));
        let refused = u32::from(fault.is_some());
        let counts = &mut counts[institution as usize];
        counts.rows += 1;
        counts.void += u32::from(void);
        counts.rejected += refused;
        counts.assessed_rows += assessed;
        counts.assessed_refused += assessed * refused;
    }
    if let Some(fault) = fault {
        out.rejects.push(row.reject(Kind::Signings, fault, signings::IDS));
    }
}
