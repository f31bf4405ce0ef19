//! The ledger → what a run starts from: of each signing, service, score and line what the batches in effect
//! said last.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;
use rusqlite::{Connection, OpenFlags, Row};
use rust_decimal::Decimal;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period, Rank};
use crate::base::person::PersonId;
use crate::settlement::past::{
    AsOf, LineState, Past, PastInstitution, PastLine, PastScore, PastService, PastSigning, Terms,
    arena_bytes, arena_hash,
};

use super::chain::{Batch, BatchKind, Content, TABLES, batches, in_effect};
use super::pages::{self, Page, SIGNING, State};
use super::store::{Store, broken};

/// A day as the ledger writes it: 20200103.
pub fn day_number(day: Date) -> u32 {
    Rank::from(day).number()
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
        past.items.push(row.get("id")?);
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

/// The signings of one page, in its order, as far as its batch is in effect.
#[derive(Default)]
struct Told {
    batch: u32,
    hash: String,
    /// The number of the first row, and how many there are.
    first: u32,
    count: usize,
    signings: Vec<PastSigning>,
    /// Their contract ids, each behind its length.
    contracts: Vec<u8>,
    /// Of those rows that are about a signing told of before, or make one void: where they stand, and whether
    /// they do the latter.
    others: Vec<(usize, bool)>,
}

/// Reads a page of signings; nothing where it says what no program of ours writes.
fn read_signings(page: &Page, wanted: &[bool], terms_count: usize) -> Option<Told> {
    let mut told = Told {
        batch: page.batch,
        hash: page.hash(),
        first: page.first,
        count: page.count,
        ..Told::default()
    };
    if wanted.get(page.batch as usize) != Some(&true) {
        return Some(told);
    }
    told.signings.reserve_exact(page.count);
    told.contracts.reserve_exact(page.bytes.len().saturating_sub(page.count * (SIGNING - 2)));
    pages::signings(page, |number, row| {
        let [signed_on, starts_on, term_end, end] = row.days.map(|number| day(number.into()));
        let refused = match row.state {
            State::Refused(code) => Some(code),
            State::Admitted | State::Void => None,
        };
        // What the rules refuse is as good as void; what only clashed may be admitted once the other is gone.
        let clashed = refused.is_none_or(|code| (Code::E502..=Code::E505).contains(&code));
        let void = row.state == State::Void || !clashed;
        if void || row.first != 0 {
            told.others.push((told.signings.len(), void));
        }
        let contract = told.contracts.len() as u32;
        told.contracts.extend_from_slice(&(row.contract.len() as u16).to_le_bytes());
        told.contracts.extend_from_slice(row.contract);
        told.signings.push(PastSigning {
            person: PersonId::of_number(row.person)?,
            contract,
            terms: row.terms.checked_sub(1).filter(|at| (*at as usize) < terms_count)?,
            signed_on: signed_on?,
            starts_on: starts_on?,
            term_end: term_end?,
            end: end?,
            paid: row.paid.map(Fen),
            authorized: row.authorized,
            refused,
            id: if row.first == 0 { number } else { row.first },
            batch: page.batch,
            since: page.batch,
        });
        Some(())
    })?;
    Some(told)
}

/// What was said of a signing last: by which row, and whether that makes it void.
struct Said {
    row: u32,
    void: bool,
}

struct Reader<'a> {
    store: &'a Store,
    effect: BTreeMap<u32, bool>,
    all: &'a [Batch],
    /// The last batch of the ledger, read or not.
    newest: u32,
    /// By batch and table what its rows come to.
    contents: RefCell<BTreeMap<u32, BTreeMap<&'static str, Content>>>,
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
                let content = tables.entry(table).or_default();
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

    /// Reads the pages of a table by all threads; nobody writes meanwhile. Gives what each came to, in order.
    fn pages<T: Send>(
        &self,
        table: &'static str,
        read: impl Fn(&Page) -> Option<T> + Sync,
    ) -> Result<Vec<T>> {
        let path = self.store.path.as_path();
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Connection::open_with_flags(path, flags).map_err(|error| broken(path, &error))
        };
        let one = |connection: &mut Option<Connection>, number| {
            let connection = match connection {
                Some(connection) => connection,
                None => connection.insert(open()?),
            };
            pages::read((connection, path), table, number, &read)
        };
        let (count, _) = pages::last(self.store, table)?;
        // A connection to each run of pages, not to each page.
        const TOGETHER: usize = 8;
        let all: Result<Vec<T>> =
            (1..count + 1).into_par_iter().with_min_len(TOGETHER).map_init(|| None, one).collect();
        all
    }

    /// Adds a page to what its batch's rows come to.
    fn of_batch(&self, table: &'static str, batch: u32, hash: &str) -> Result<()> {
        if batch == 0 || batch > self.newest {
            return Err(self.store.damaged(&format!("{table}: batch {batch}")));
        }
        if let Some(tables) = self.contents.borrow_mut().get_mut(&batch) {
            tables.entry(table).or_default().text(hash);
        }
        Ok(())
    }

    /// Reads signings; gives by the number of the row that first told of one where it stands in the past.
    fn signings(&self, past: &mut Past) -> Result<Vec<u32>> {
        let (wanted, terms) = (self.wanted(true), past.terms.len());
        let all = self.pages("signing", |page| read_signings(page, &wanted, terms))?;
        // By number where a signing stands: numbers have no gap.
        let rows: usize = all.iter().map(|told| told.count).sum();
        let mut known = vec![u32::MAX; rows + 1];
        let (mut said, mut next): (Vec<Said>, u32) = (Vec::new(), 1);
        past.signings.reserve_exact(all.iter().map(|told| told.signings.len()).sum());
        past.contracts.reserve_exact(all.iter().map(|told| told.contracts.len()).sum());
        said.reserve_exact(all.iter().map(|told| told.signings.len()).sum());
        for Told { batch, hash, first, count, signings, contracts, others } in all {
            self.of_batch("signing", batch, &hash)?;
            if first != next {
                return Err(self.store.damaged(&format!("signing: {first}")));
            }
            next += count as u32;
            let offset = u32::try_from(past.contracts.len() + contracts.len());
            offset.expect("all contract ids together take under 4 GiB");
            let offset = past.contracts.len() as u32;
            past.contracts.extend_from_slice(&contracts);
            let outside = || self.store.damaged(&format!("signing: {first}"));
            let mut others = others.into_iter().peekable();
            for (at, mut signing) in signings.into_iter().enumerate() {
                signing.contract += offset;
                let place = known.get_mut(signing.id as usize).ok_or_else(outside)?;
                let other = others.next_if(|(other, _)| *other == at);
                let now = Said { row: first + at as u32, void: other.is_some_and(|(_, void)| void) };
                if other.is_some() && *place != u32::MAX {
                    let since = past.signings[*place as usize].since;
                    past.signings[*place as usize] = PastSigning { since, ..signing };
                    said[*place as usize] = now;
                } else {
                    *place = past.signings.len() as u32;
                    past.signings.push(signing);
                    said.push(now);
                }
            }
        }
        self.one_of_each_contract(past, &mut known, said);
        Ok(known)
    }

    /// A void one is as if it had never been: a valid row of its contract begins anew, under a number of its own.
    /// Where the batch that voided one was reversed two may stand for one contract. What was said last of a
    /// contract, by row `said` of each signing, holds for it: the others go, and all of them where that is void.
    fn one_of_each_contract(&self, past: &mut Past, known: &mut [u32], said: Vec<Said>) {
        let reversed = self.all.iter().any(|batch| batch.kind == BatchKind::Reversal);
        let mut doubtful: FxHashSet<u64> = FxHashSet::default();
        let hash = |signing: &PastSigning| arena_hash(&past.contracts, signing.contract);
        for (signing, _) in past.signings.iter().zip(&said).filter(|(_, said)| said.void) {
            doubtful.insert(hash(signing));
        }
        if doubtful.is_empty() && !reversed {
            return;
        }
        // By contract the signing that was spoken of last.
        let mut last: FxHashMap<&[u8], u32> = FxHashMap::default();
        for (index, signing) in past.signings.iter().enumerate() {
            if !reversed && !doubtful.contains(&hash(signing)) {
                continue;
            }
            let holder = last.entry(arena_bytes(&past.contracts, signing.contract)).or_insert(index as u32);
            if said[*holder as usize].row < said[index].row {
                *holder = index as u32;
            }
        }
        let of = |index: usize| {
            let signing = &past.signings[index];
            last.get(arena_bytes(&past.contracts, signing.contract)).copied().unwrap_or(index as u32)
        };
        let holders: Vec<u32> = (0..past.signings.len()).map(of).collect();
        let mut moved = vec![u32::MAX; past.signings.len()];
        let mut kept = Vec::with_capacity(past.signings.len());
        for (index, signing) in past.signings.iter().enumerate() {
            if holders[index] as usize != index {
                continue;
            }
            if said[index].void {
                past.gone.insert(hash(signing));
            } else {
                moved[index] = kept.len() as u32;
                kept.push(signing.clone());
            }
        }
        past.signings = kept;
        for place in known.iter_mut().filter(|place| **place != u32::MAX) {
            *place = moved[holders[*place as usize] as usize];
        }
    }

    fn services(&self, past: &mut Past, known: &[u32]) -> Result<()> {
        let wanted = self.wanted(true);
        let (items, institutions) = (past.items.len(), past.institutions.len());
        let all = self.pages("service", |page| {
            let mut services = Vec::new();
            if wanted.get(page.batch as usize) == Some(&true) {
                pages::services(page, |_, row| {
                    let institution =
                        row.institution.checked_sub(1).filter(|at| (*at as usize) < institutions)?;
                    let item = row.item.checked_sub(1);
                    if item.is_some_and(|item| item as usize >= items) {
                        return None;
                    }
                    // Of a signing that is void now nothing is asked.
                    let signing = known.get(row.signing as usize).copied();
                    if let Some(signing) = signing.filter(|signing| *signing != u32::MAX) {
                        let (day, seen, times) = (day(row.day.into())?, row.seen, row.times);
                        services.push(PastService { signing, day, institution, item, seen, times });
                    }
                    Some(())
                })?;
            }
            Some((page.batch, page.hash(), services))
        })?;
        for (batch, hash, services) in all {
            self.of_batch("service", batch, &hash)?;
            past.services.extend(services);
        }
        // What was said last of a day holds.
        let key = |service: &PastService| (service.signing, service.day, service.institution, service.item);
        past.services.par_sort_by_key(key);
        past.services.reverse();
        past.services.dedup_by_key(|service| key(service));
        past.services.reverse();
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
