//! The ledger → what a run starts from: of each signing, service, score and line what the batches in effect
//! said last.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use rust_decimal::Decimal;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::person::PersonId;
use crate::intake::short::id_hash;
use crate::settlement::history::{
    AsOf, LineState, Past, PastInstitution, PastLine, PastScore, PastService, PastSigning, Terms,
};
use crate::settlement::qualify::arena_bytes;

use super::chain::{Batch, BatchKind, Content, PART, Rows, TABLES, batches, in_effect};
use super::store::{Store, broken, damaged};

/// A day as the ledger writes it: 20200103.
pub fn day_number(day: Date) -> i64 {
    i64::from(day.year()) * 10_000 + i64::from(day.month()) * 100 + i64::from(day.day())
}

fn day(number: i64) -> Option<Date> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Reads the past up to a batch, that one included; all of it where none is named. Every row is held against the
/// hash of its batch: a changed one is never settled against.
pub fn past(store: &Store, up_to: Option<u32>) -> Result<Past> {
    let mut all = batches(store)?;
    let newest = all.last().map_or(0, |batch| batch.number);
    if let Some(last) = up_to {
        all.retain(|batch| batch.number <= last);
    }
    let last = all.last();
    let mut past = Past {
        opening: store.opening,
        batch: last.map_or(0, |batch| batch.number),
        head: last.map_or(String::new(), |batch| batch.hash.clone()),
        institutions: Vec::new(),
        terms: Vec::new(),
        items: Vec::new(),
        signings: Vec::new(),
        contracts: Vec::new(),
        gone: FxHashSet::default(),
        as_of: posted_up_to(&all),
        services: Vec::new(),
        scores: Vec::new(),
        lines: Vec::new(),
    };
    let contents = RefCell::new(all.iter().map(|batch| (batch.number, BTreeMap::new())).collect());
    let reader = Reader { store, effect: in_effect(&all), all: &all, newest, contents };
    // Words may have been brought by a batch that is no longer in effect: all of them are kept.
    reader.rows("institution", false, |row| {
        past.institutions.push(PastInstitution {
            id: row.get("id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            district: row.get("district")?,
            parent_id: row.get("parent_id")?,
        });
        Ok(Some(()))
    })?;
    let ids: Vec<String> = past.institutions.iter().map(|one| one.id.clone()).collect();
    let institution = |number: i64| ids.get(usize::try_from(number).ok()?.checked_sub(1)?).cloned();
    reader.rows("terms", false, |row| {
        let Some(institution) = institution(row.get("institution")?) else { return Ok(None) };
        past.terms.push(terms_of(row, institution)?);
        Ok(Some(()))
    })?;
    reader.rows("items", false, |row| {
        past.items.push(row.get("done")?);
        Ok(Some(()))
    })?;
    let first = reader.signings(&mut past)?;
    reader.services(&mut past, &first)?;
    reader.rows("score", true, |row| {
        let (period, score): (String, String) = (row.get("period")?, row.get("score")?);
        let (Some(period), Ok(score)) = (Period::parse(&period), Decimal::from_str_exact(&score)) else {
            return Ok(None);
        };
        let Some(institution) = institution(row.get("institution")?) else { return Ok(None) };
        let assessed_on: Option<i64> = row.get("assessed_on")?;
        let (level, batch) = (row.get("level")?, row.get("batch")?);
        past.scores.push(PastScore {
            institution,
            period,
            level,
            score,
            assessed_on: assessed_on.and_then(day),
            batch,
        });
        Ok(Some(()))
    })?;
    reader.lines(&mut past, institution)?;
    reader.rows("adjustment", false, |_| Ok(Some(())))?;
    reader.unchanged()?;
    Ok(past)
}

/// The latest day up to which parts of shares were posted.
fn posted_up_to(all: &[Batch]) -> Option<AsOf> {
    let effect = in_effect(all);
    let settled = all.iter().filter(|batch| batch.kind == BatchKind::Settlement && effect[&batch.number]);
    let day =
        |batch: &Batch| batch.as_of.as_ref().and_then(|day| day.parse().ok()).map_or(AsOf::All, AsOf::Day);
    settled.map(day).max()
}

/// The terms that a row of their table says, of an institution by its id.
pub fn terms_of(row: &Row, institution: String) -> rusqlite::Result<Terms> {
    Ok(Terms {
        institution,
        package: row.get("package")?,
        scheme: row.get("scheme")?,
        kind: row.get("kind")?,
        district: row.get("district")?,
        groups: row.get("groups")?,
        team: row.get("team")?,
        doctor: row.get("doctor")?,
        reason: row.get("reason")?,
    })
}

/// A row of the signings, and whether it says that the signing is void. Its contract stands in an arena.
struct Told {
    signing: PastSigning,
    void: bool,
}

/// A part of the signings, their contract ids, and a hash over its rows by batch.
type Part = (Vec<Told>, Vec<u8>, BTreeMap<u32, Content>);

/// Reads the signings numbered from `from` on and before `to`, over a connection of its own.
fn read_signings(path: &Path, (from, to): (i64, i64), wanted: &[bool], terms_count: usize) -> Result<Part> {
    let failed = |error: rusqlite::Error| broken(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let query = "SELECT * FROM signing WHERE number >= ? AND number < ? ORDER BY number";
    let mut query = connection.prepare(query).map_err(failed)?;
    let mut rows = query.query([from, to]).map_err(failed)?;
    let (mut signings, mut contracts) = (Vec::new(), Vec::new());
    let mut contents: BTreeMap<u32, Content> = BTreeMap::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let batch: u32 = row.get(1).map_err(failed)?;
        let content = contents.entry(batch).or_default();
        // Each value is asked for once: for the hash, and for what it says.
        let mut cells = [ValueRef::Null; SIGNING_COLUMNS];
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = row.get_ref(column).map_err(failed)?;
            content.value(*cell);
        }
        if wanted.get(batch as usize) != Some(&true) {
            continue;
        }
        match read_signing(&cells, batch, terms_count, &mut contracts) {
            Some(read) => signings.push(read),
            None => {
                let number: i64 = row.get(0).map_err(failed)?;
                return Err(damaged(path, &format!("signing {number}")));
            }
        }
    }
    Ok((signings, contracts, contents))
}

const SIGNING_COLUMNS: usize = 13;

/// Nothing where a row says what no program of ours writes.
fn read_signing(
    cells: &[ValueRef; SIGNING_COLUMNS],
    batch: u32,
    terms_count: usize,
    contracts: &mut Vec<u8>,
) -> Option<Told> {
    let number = |at: usize| cells[at].as_i64().ok();
    let maybe = |at: usize| cells[at].as_i64_or_null().ok();
    let state = cells[12].as_str().ok()?;
    let refused = match state {
        "admitted" | "void" => None,
        code => Some(Code::parse(code)?),
    };
    let id = maybe(2)?.or(number(0))?;
    let [signed_on, starts_on, term_end, end] = [6, 7, 8, 9].map(|at| number(at).and_then(day));
    let terms = u32::try_from(number(5)?).ok()?.checked_sub(1).filter(|at| (*at as usize) < terms_count)?;
    let person = PersonId::of_number(number(4)?.cast_unsigned())?;
    let contract = cells[3].as_bytes().ok()?;
    let length = u16::try_from(contract.len()).ok()?;
    let at = contracts.len() as u32;
    contracts.extend_from_slice(&length.to_le_bytes());
    contracts.extend_from_slice(contract);
    let signing = PastSigning {
        person,
        contract: at,
        terms,
        signed_on: signed_on?,
        starts_on: starts_on?,
        term_end: term_end?,
        end: end?,
        paid: maybe(10)?.map(Fen),
        authorized: number(11)? != 0,
        refused,
        id,
        batch,
        since: batch,
    };
    // What the rules refuse is as good as void; what only clashed may be admitted once the other is gone.
    let clashed = refused.is_none_or(|code| (Code::E502..=Code::E505).contains(&code));
    Some(Told { signing, void: state == "void" || !clashed })
}

struct Reader<'a> {
    store: &'a Store,
    effect: BTreeMap<u32, bool>,
    all: &'a [Batch],
    /// The last batch of the ledger, read or not.
    newest: u32,
    /// By batch and table what its rows come to.
    contents: RefCell<BTreeMap<u32, BTreeMap<&'static str, Rows>>>,
}

impl Reader<'_> {
    /// Reads the rows of a table in their order; those of batches in effect, or of all that are read. A row
    /// that `take` finds nothing in is damage.
    fn rows(
        &self,
        table: &'static str,
        only_in_effect: bool,
        mut take: impl FnMut(&Row) -> rusqlite::Result<Option<()>>,
    ) -> Result<()> {
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        let query = format!("SELECT * FROM {table} ORDER BY number");
        let mut query = self.store.connection.prepare(&query).map_err(failed)?;
        let columns = query.column_count();
        let mut rows = query.query([]).map_err(failed)?;
        let wanted = self.wanted(only_in_effect);
        while let Some(row) = rows.next().map_err(failed)? {
            let (number, batch): (i64, u32) = (row.get(0).map_err(failed)?, row.get(1).map_err(failed)?);
            if batch == 0 || batch > self.newest {
                return Err(self.store.damaged(&format!("{table} {number}")));
            }
            if let Some(tables) = self.contents.borrow_mut().get_mut(&batch) {
                let content = tables.entry(table).or_default().of(number);
                for column in 0..columns {
                    content.value(row.get_ref(column).map_err(failed)?);
                }
            }
            if wanted.get(batch as usize) != Some(&true) {
                continue;
            }
            if take(row).map_err(failed)?.is_none() {
                return Err(self.store.damaged(&format!("{table} {number}")));
            }
        }
        Ok(())
    }

    /// Holds the rows of each batch against its hash.
    fn unchanged(&self) -> Result<()> {
        let mut contents = self.contents.borrow_mut();
        for batch in self.all {
            let mut tables = contents.remove(&batch.number).unwrap_or_default();
            let mut content = Content::default();
            for table in TABLES {
                content.text(&tables.remove(table).unwrap_or_default().finish());
            }
            if content.finish() != batch.content {
                return Err(self.store.damaged(&format!("batch {}", batch.number)));
            }
        }
        Ok(())
    }

    /// By number which batches are read: those in effect, or all. Their numbers have no gap.
    fn wanted(&self, only_in_effect: bool) -> Vec<bool> {
        let mut wanted = vec![false; self.effect.len() + 1];
        for (number, effect) in &self.effect {
            wanted[*number as usize] = *effect || !only_in_effect;
        }
        wanted
    }

    /// Reads signings; gives by the number of the row that first told of one where it stands in the past. Parts
    /// of the table are read by all threads; nobody writes meanwhile.
    fn signings(&self, past: &mut Past) -> Result<Vec<u32>> {
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        let query = "SELECT coalesce(max(number), 0) FROM signing";
        let last: i64 = self.store.connection.query_row(query, [], |row| row.get(0)).map_err(failed)?;
        let wanted = self.wanted(true);
        let (path, terms) = (self.store.path.as_path(), past.terms.len());
        let parts = last / PART + 1;
        let read = |part| read_signings(path, (part * PART, (part + 1) * PART), &wanted, terms);
        let parts: Result<Vec<Part>> = (0..parts).into_par_iter().map(read).collect();
        // By number where a signing stands: numbers have no gap.
        let mut known = vec![u32::MAX; usize::try_from(last).unwrap_or_default() + 1];
        let mut gone = Vec::new();
        for (signings, contracts, contents) in parts? {
            for (batch, content) in contents {
                if batch == 0 || batch > self.newest {
                    return Err(self.store.damaged(&format!("signing: batch {batch}")));
                }
                if let Some(tables) = self.contents.borrow_mut().get_mut(&batch) {
                    tables.entry("signing").or_default().add(&content.finish());
                }
            }
            let offset = past.contracts.len() as u32;
            past.contracts.extend_from_slice(&contracts);
            for Told { mut signing, void } in signings {
                signing.contract += offset;
                let Some(place) = usize::try_from(signing.id).ok().and_then(|id| known.get_mut(id)) else {
                    return Err(self.store.damaged(&format!("signing {}", signing.id)));
                };
                if *place == u32::MAX {
                    *place = past.signings.len() as u32;
                    past.signings.push(signing);
                } else {
                    let since = past.signings[*place as usize].since;
                    past.signings[*place as usize] = PastSigning { since, ..signing };
                }
                if void {
                    gone.push(*place);
                }
            }
        }
        // A void one is as if it had never been: a valid row of its contract begins anew. Where the batch that
        // voided it was reversed both stand, and the later one holds.
        let mut gone: Vec<bool> = {
            let mut all = vec![false; past.signings.len()];
            gone.into_iter().for_each(|index: u32| all[index as usize] = true);
            all
        };
        let mut instead: FxHashMap<u32, u32> = FxHashMap::default();
        if self.all.iter().any(|batch| batch.kind == BatchKind::Reversal) {
            let mut last: FxHashMap<&str, u32> = FxHashMap::default();
            for (index, signing) in past.signings.iter().enumerate().filter(|(index, _)| !gone[*index]) {
                if let Some(earlier) = last.insert(past.contract(signing), index as u32) {
                    instead.insert(earlier, index as u32);
                }
            }
            instead.keys().for_each(|earlier| gone[*earlier as usize] = true);
        }
        if gone.iter().any(|gone| *gone) {
            let mut moved = vec![u32::MAX; past.signings.len()];
            let mut kept = Vec::with_capacity(past.signings.len());
            for (index, signing) in past.signings.drain(..).enumerate() {
                if gone[index] {
                    past.gone.insert(id_hash(arena_bytes(&past.contracts, signing.contract)));
                } else {
                    moved[index] = kept.len() as u32;
                    kept.push(signing);
                }
            }
            past.signings = kept;
            for place in known.iter_mut().filter(|place| **place != u32::MAX) {
                let index = instead.get(place).copied().unwrap_or(*place);
                *place = moved[index as usize];
            }
        }
        Ok(known)
    }

    fn services(&self, past: &mut Past, known: &[u32]) -> Result<()> {
        let items = past.items.len() as i64;
        let mut services: BTreeMap<(u32, u32), PastService> = BTreeMap::new();
        self.rows("service", true, |row| {
            let (signing, charge): (i64, u32) = (row.get("signing")?, row.get("charge")?);
            let done: Option<i64> = row.get("items")?;
            if done.is_some_and(|done| done < 1 || done > items) {
                return Ok(None);
            }
            // Of a signing that is void now nothing is asked.
            let signing = usize::try_from(signing).ok().and_then(|signing| known.get(signing)).copied();
            if let Some(signing) = signing.filter(|signing| *signing != u32::MAX) {
                let items = done.map(|done| done as u32 - 1);
                let first: Option<i64> = row.get("day")?;
                let day = first.and_then(day);
                let service = PastService { signing, charge, seen: row.get("seen")?, day, items };
                services.insert((signing, charge), service);
            }
            Ok(Some(()))
        })?;
        past.services = services.into_values().collect();
        Ok(())
    }

    fn lines(&self, past: &mut Past, institution: impl Fn(i64) -> Option<String>) -> Result<()> {
        let rules: BTreeMap<u32, String> =
            self.all.iter().map(|batch| (batch.number, batch.rules.clone())).collect();
        let lines = &mut past.lines;
        self.rows("line", false, |row| {
            let (cohort, batch): (String, u32) = (row.get("cohort")?, row.get("batch")?);
            let Some(cohort) = Period::parse(&cohort) else { return Ok(None) };
            let Some(institution) = institution(row.get("institution")?) else { return Ok(None) };
            let count: Option<i64> = row.get("count")?;
            let in_effect = self.effect.get(&batch).copied().unwrap_or_default();
            let fen = |column| -> rusqlite::Result<Fen> { Ok(Fen(row.get(column)?)) };
            let state = match count.filter(|_| in_effect) {
                None => None,
                Some(count) => {
                    let (last, ratio): (Option<i64>, Option<String>) = (row.get("final")?, row.get("ratio")?);
                    let ratio = ratio.map(|ratio| Decimal::from_str_exact(&ratio)).transpose();
                    let Ok(ratio) = ratio else { return Ok(None) };
                    Some(LineState {
                        count: count.cast_unsigned(),
                        held: row.get::<_, i64>("held")?.cast_unsigned(),
                        gross: fen("gross")?,
                        deduction: fen("deduction")?,
                        prepay: fen("prepay")?,
                        due: fen("due")?,
                        last: last.map(Fen),
                        ratio,
                        score: row.get("score")?,
                        rules: rules.get(&batch).cloned().unwrap_or_default(),
                        batch,
                    })
                }
            };
            lines.push(PastLine {
                cohort,
                institution,
                package: row.get("package")?,
                source: row.get("source")?,
                policy: row.get("policy")?,
                amount: fen("amount")?,
                state,
                batch,
            });
            Ok(Some(()))
        })
    }
}
