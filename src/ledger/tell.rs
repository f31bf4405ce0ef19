//! What a ledger holds, for those who look at it: batches with their amounts, lines, adjustments.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use rustc_hash::FxHashSet;

use crate::base::money::Fen;

use super::pages;
use super::store::Store;

/// An amount that a batch moved on a line, with names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub batch: u32,
    pub cohort: String,
    pub institution: String,
    pub name: String,
    pub package: String,
    pub source: String,
    pub policy: String,
    pub amount: Fen,
}

/// An amount agreed on paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub batch: u32,
    pub institution: String,
    pub name: String,
    pub source: String,
    pub cohort: String,
    pub amount: Fen,
    pub document: String,
    pub reason: String,
}

/// What a batch noted of a signing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    pub batch: u32,
    pub contract: String,
    pub person: u64,
    pub institution: String,
    pub package: String,
    /// `admitted`, `void`, or the code by which it was refused.
    pub state: String,
    pub starts_on: String,
    pub ends_on: String,
}

/// What batches noted of a contract, or of all of a person's.
pub fn noted(store: &Store, contract: Option<&str>, person: Option<u64>) -> Result<Vec<Noted>> {
    let query = "SELECT i.id, t.package FROM terms t JOIN institution i ON i.number = t.institution ORDER BY t.number";
    let terms: Vec<(String, String)> = rows(store, query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let day = |number: u32| format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100);
    let mut found = Vec::new();
    pages::each(store, "signing", |page| {
        pages::signings(page, |_, row| {
            if person == Some(row.person)
                || contract.is_some_and(|contract| contract.as_bytes() == row.contract)
            {
                let (institution, package) = terms.get((row.terms as usize).checked_sub(1)?)?.clone();
                found.push(Noted {
                    batch: page.batch,
                    contract: String::from_utf8_lossy(row.contract).into_owned(),
                    person: row.person,
                    state: row.state.name().to_string(),
                    starts_on: day(row.days[1]),
                    ends_on: day(row.days[3]),
                    institution,
                    package,
                });
            }
            Some(())
        })
    })?;
    Ok(found)
}

/// Amounts by batch and source, adjustments among them.
pub fn by_source(store: &Store) -> Result<BTreeMap<u32, BTreeMap<String, Fen>>> {
    let mut all: BTreeMap<u32, BTreeMap<String, Fen>> = BTreeMap::new();
    for table in ["line", "adjustment"] {
        let query = format!("SELECT batch, source, sum(amount) FROM {table} GROUP BY batch, source");
        let rows: Vec<(u32, String, i64)> =
            rows(store, &query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for (batch, source, amount) in rows {
            *all.entry(batch).or_default().entry(source).or_default() += Fen(amount);
        }
    }
    Ok(all)
}

/// What a batch moved, line by line; all batches where none is named.
pub fn moved(store: &Store, batch: Option<u32>) -> Result<Vec<Moved>> {
    let query = "SELECT l.batch, l.cohort, i.id, i.name, l.package, l.source, l.policy, l.amount FROM line l \
                 JOIN institution i ON i.number = l.institution WHERE ?1 IS NULL OR l.batch = ?1 ORDER BY l.number";
    rows(store, query, [batch], |row| {
        Ok(Moved {
            batch: row.get(0)?,
            cohort: row.get(1)?,
            institution: row.get(2)?,
            name: row.get(3)?,
            package: row.get(4)?,
            source: row.get(5)?,
            policy: row.get(6)?,
            amount: Fen(row.get(7)?),
        })
    })
}

/// What was agreed on paper in a batch; in all where none is named.
pub fn agreed(store: &Store, batch: Option<u32>) -> Result<Vec<Agreed>> {
    let query = "SELECT a.batch, i.id, i.name, a.source, a.cohort, a.amount, a.document, a.reason FROM adjustment a \
                 JOIN institution i ON i.number = a.institution WHERE ?1 IS NULL OR a.batch = ?1 ORDER BY a.number";
    rows(store, query, [batch], |row| {
        Ok(Agreed {
            batch: row.get(0)?,
            institution: row.get(1)?,
            name: row.get(2)?,
            source: row.get(3)?,
            cohort: row.get(4)?,
            amount: Fen(row.get(5)?),
            document: row.get(6)?,
            reason: row.get(7)?,
        })
    })
}

/// How many rows of signings a batch added.
pub fn signings(store: &Store, batch: u32) -> Result<u64> {
    let query = "SELECT coalesce(sum(count), 0) FROM signing WHERE batch = ?";
    let counts: Vec<i64> = rows(store, query, [Some(batch)], |row| row.get(0))?;
    Ok(counts.first().copied().unwrap_or_default().cast_unsigned())
}

/// Batches after `batch` that are in effect and moved some of its lines or told of some of its signings: with
/// how many of each.
pub fn later(store: &Store, batch: u32) -> Result<Vec<(u32, u64, u64)>> {
    let lines = "SELECT b.batch, count(DISTINCT b.cohort || ' ' || b.institution || ' ' || b.package || ' ' || b.source) \
                 FROM line a JOIN line b ON b.cohort = a.cohort AND b.institution = a.institution \
                 AND b.package = a.package AND b.source = a.source WHERE a.batch = ?1 AND b.batch > ?1 GROUP BY b.batch";
    let mut all: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let later = rows(store, lines, [Some(batch)], |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
    });
    for (later, lines) in later? {
        all.entry(later).or_default().0 = lines;
    }
    // Signings that the batch was the first to tell of.
    let (mut own, mut told) = (FxHashSet::default(), FxHashSet::default());
    pages::each(store, "signing", |page| {
        pages::signings(page, |number, row| {
            if page.batch == batch {
                own.insert(number);
            } else if page.batch > batch && own.contains(&row.first) && told.insert((page.batch, row.first)) {
                all.entry(page.batch).or_default().1 += 1;
            }
            Some(())
        })
    })?;
    Ok(all.into_iter().map(|(later, (lines, signings))| (later, lines, signings)).collect())
}

/// A row as text; empty cells are none.
pub type Texts = Vec<Option<String>>;

const SIGNING_COLUMNS: [&str; 13] = [
    "number",
    "batch",
    "first",
    "contract",
    "person",
    "terms",
    "signed_on",
    "starts_on",
    "term_end",
    "ends_on",
    "paid",
    "authorized",
    "state",
];
const SERVICE_COLUMNS: [&str; 8] =
    ["number", "batch", "signing", "day", "institution", "item", "seen", "times"];

/// The columns of a table, in the order in which [`table`] tells them.
pub fn columns(store: &Store, name: &str) -> Result<Vec<String>> {
    let own: &[&str] = match name {
        "signing" => &SIGNING_COLUMNS,
        "service" => &SERVICE_COLUMNS,
        _ => &[],
    };
    if !own.is_empty() {
        return Ok(own.iter().map(ToString::to_string).collect());
    }
    let query = format!("SELECT * FROM {name}");
    let query = store.connection.prepare(&query).map_err(|error| store.broken(&error))?;
    Ok(query.column_names().map(str::to_string).collect())
}

/// Tells `each` the rows of a table as they are.
pub fn table(store: &Store, name: &str, mut each: impl FnMut(Texts) -> Result<()>) -> Result<()> {
    let number = |number: u32| (number != 0).then(|| number.to_string());
    let mut told = Ok(());
    let mut tell = |row: Texts| {
        told = std::mem::replace(&mut told, Ok(())).and_then(|()| each(row));
        Some(())
    };
    match name {
        "signing" => pages::each(store, name, |page| {
            pages::signings(page, |at, row| {
                let [signed_on, starts_on, term_end, ends_on] = row.days.map(number);
                tell(vec![
                    number(at),
                    number(page.batch),
                    number(row.first),
                    Some(String::from_utf8_lossy(row.contract).into_owned()),
                    Some(row.person.to_string()),
                    number(row.terms),
                    signed_on,
                    starts_on,
                    term_end,
                    ends_on,
                    row.paid.map(|paid| paid.to_string()),
                    Some(u8::from(row.authorized).to_string()),
                    Some(row.state.name().to_string()),
                ])
            })
        })?,
        "service" => pages::each(store, name, |page| {
            pages::services(page, |at, row| {
                tell(vec![
                    number(at),
                    number(page.batch),
                    number(row.signing),
                    number(row.day),
                    number(row.institution),
                    number(row.item),
                    Some(row.seen.to_string()),
                    Some(row.times.to_string()),
                ])
            })
        })?,
        _ => {
            let failed = |error: rusqlite::Error| store.broken(&error);
            let query = format!("SELECT * FROM {name} ORDER BY number");
            let mut query = store.connection.prepare(&query).map_err(failed)?;
            let count = query.column_count();
            let mut rows = query.query([]).map_err(failed)?;
            while let Some(row) = rows.next().map_err(failed)? {
                let text = |at| {
                    Ok(match row.get_ref(at)? {
                        ValueRef::Null => None,
                        ValueRef::Integer(number) => Some(number.to_string()),
                        other => Some(String::from_utf8_lossy(other.as_bytes()?).into_owned()),
                    })
                };
                let cells: rusqlite::Result<Texts> = (0..count).map(text).collect();
                tell(cells.map_err(failed)?);
            }
        }
    }
    told
}

fn rows<T, const N: usize>(
    store: &Store,
    query: &str,
    values: [Option<u32>; N],
    read: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> Result<Vec<T>> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let mut query = store.connection.prepare(query).map_err(failed)?;
    let rows = query.query_map(rusqlite::params_from_iter(values), read).map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
}
