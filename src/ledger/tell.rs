//! What a ledger holds, for those who look at it: batches with their amounts, lines, adjustments.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Row;

use crate::base::money::Fen;

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
    let failed = |error: rusqlite::Error| store.broken(&error);
    let query = "SELECT s.batch, s.contract, s.person, s.state, s.starts_on, s.ends_on, i.id, t.package FROM signing s \
                 JOIN terms t ON t.number = s.terms JOIN institution i ON i.number = t.institution \
                 WHERE s.contract = ?1 OR s.person = ?2 ORDER BY s.number";
    let mut query = store.connection.prepare(query).map_err(failed)?;
    let day = |number: i64| format!("{:04}-{:02}-{:02}", number / 10_000, number / 100 % 100, number % 100);
    let person = person.map(u64::cast_signed);
    let rows = query
        .query_map(rusqlite::params![contract, person], |row| {
            Ok(Noted {
                batch: row.get(0)?,
                contract: row.get(1)?,
                person: row.get::<_, i64>(2)?.cast_unsigned(),
                state: row.get(3)?,
                starts_on: day(row.get(4)?),
                ends_on: day(row.get(5)?),
                institution: row.get(6)?,
                package: row.get(7)?,
            })
        })
        .map_err(failed)?;
    rows.collect::<rusqlite::Result<_>>().map_err(failed)
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

/// How many rows of a table a batch added.
pub fn count(store: &Store, table: &str, batch: u32) -> Result<u64> {
    let query = format!("SELECT count(*) FROM {table} WHERE batch = ?");
    let counts: Vec<i64> = rows(store, &query, [Some(batch)], |row| row.get(0))?;
    Ok(counts.first().copied().unwrap_or_default().cast_unsigned())
}

/// Batches after `batch` that are in effect and moved some of its lines or told of some of its signings: with
/// how many of each.
pub fn later(store: &Store, batch: u32) -> Result<Vec<(u32, u64, u64)>> {
    let lines = "SELECT b.batch, count(DISTINCT b.cohort || ' ' || b.institution || ' ' || b.package || ' ' || b.source) \
                 FROM line a JOIN line b ON b.cohort = a.cohort AND b.institution = a.institution \
                 AND b.package = a.package AND b.source = a.source WHERE a.batch = ?1 AND b.batch > ?1 GROUP BY b.batch";
    let signings = "SELECT b.batch, count(DISTINCT b.first) FROM signing b JOIN signing a ON a.number = b.first \
                    WHERE a.batch = ?1 AND b.batch > ?1 GROUP BY b.batch";
    let mut all: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let read = |query| {
        rows(store, query, [Some(batch)], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })
    };
    for (later, lines) in read(lines)? {
        all.entry(later).or_default().0 = lines;
    }
    for (later, signings) in read(signings)? {
        all.entry(later).or_default().1 = signings;
    }
    Ok(all.into_iter().map(|(later, (lines, signings))| (later, lines, signings)).collect())
}

/// A row as text; empty cells are none.
pub type Texts = Vec<Option<String>>;

/// A table as it is: its columns, then its rows.
pub fn table(store: &Store, name: &str) -> Result<(Vec<String>, Vec<Texts>)> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let query = store.connection.prepare(&format!("SELECT * FROM {name} ORDER BY number")).map_err(failed)?;
    let columns: Vec<String> = query.column_names().map(str::to_string).collect();
    drop(query);
    let count = columns.len();
    let all = rows(store, &format!("SELECT * FROM {name} ORDER BY number"), [], |row| {
        (0..count)
            .map(|at| {
                Ok(match row.get_ref(at)? {
                    rusqlite::types::ValueRef::Null => None,
                    rusqlite::types::ValueRef::Integer(number) => Some(number.to_string()),
                    other => Some(String::from_utf8_lossy(other.as_bytes()?).into_owned()),
                })
            })
            .collect()
    })?;
    Ok((columns, all))
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
