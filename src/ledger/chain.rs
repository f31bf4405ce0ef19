//! Batches: who posted what, which of them are in effect, and the hashes that chain them.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::store::Store;

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// What was paid before there was a ledger.
    Opening,
    Settlement,
    /// Undoes another batch.
    Reversal,
    /// Agreed on paper: a penalty, a court's order. Apart from what is computed.
    Adjustment,
}

impl BatchKind {
    pub const ALL: [(&str, BatchKind); 4] = [
        ("opening", BatchKind::Opening),
        ("settlement", BatchKind::Settlement),
        ("reversal", BatchKind::Reversal),
        ("adjustment", BatchKind::Adjustment),
    ];

    pub fn name(self) -> &'static str {
        BatchKind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| *name)
    }
}

/// Who answers for a batch, and when it was posted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paper {
    pub operator: Option<String>,
    pub approved_by: Option<String>,
    pub document: Option<String>,
    /// The clock time of the posting.
    pub time: String,
}

/// One batch of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub number: u32,
    pub kind: BatchKind,
    pub period: String,
    pub as_of: Option<String>,
    pub reverses: Option<u32>,
    pub paper: Paper,
    pub program: String,
    /// A hash over the rule files.
    pub rules: String,
    /// The hash of what it was made from: a manifest, a payments or an adjustments file.
    pub source: String,
    /// Over all its rows.
    pub content: String,
    pub previous: String,
    pub hash: String,
}

impl Batch {
    /// The hash that the batch should have.
    pub fn chained(&self) -> String {
        let mut hash = Content::default();
        let text = |hash: &mut Content, text: &Option<String>| match text {
            Some(text) => hash.text(text),
            None => hash.nothing(),
        };
        hash.text(&self.previous);
        hash.number(self.number.into());
        hash.text(self.kind.name());
        hash.text(&self.period);
        text(&mut hash, &self.as_of);
        hash.number(self.reverses.map_or(-1, i64::from));
        for one in [&self.paper.operator, &self.paper.approved_by, &self.paper.document] {
            text(&mut hash, one);
        }
        for one in [&self.paper.time, &self.program, &self.rules, &self.source, &self.content] {
            hash.text(one);
        }
        hash.finish()
    }

    fn read(row: &Row) -> rusqlite::Result<Batch> {
        let kind: String = row.get("kind")?;
        let kind = BatchKind::ALL.iter().find(|(name, _)| *name == kind).map(|(_, kind)| *kind);
        Ok(Batch {
            number: row.get("number")?,
            kind: kind.ok_or(rusqlite::Error::InvalidQuery)?,
            period: row.get("period")?,
            as_of: row.get("as_of")?,
            reverses: row.get("reverses")?,
            paper: Paper {
                operator: row.get("operator")?,
                approved_by: row.get("approved_by")?,
                document: row.get("document")?,
                time: row.get("time")?,
            },
            program: row.get("program")?,
            rules: row.get("rules")?,
            source: row.get("source")?,
            content: row.get("content")?,
            previous: row.get("previous")?,
            hash: row.get("hash")?,
        })
    }
}

/// All batches in their order; each must follow from the one before it.
pub fn batches(store: &Store) -> Result<Vec<Batch>> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let mut query = store.connection.prepare("SELECT * FROM batch ORDER BY number").map_err(failed)?;
    let rows = query.query_map([], Batch::read).map_err(failed)?;
    let batches = rows.collect::<rusqlite::Result<Vec<Batch>>>().map_err(failed)?;
    let first = genesis(store);
    let mut previous = first.as_str();
    for (nth, batch) in batches.iter().enumerate() {
        let follows = batch.number as usize == nth + 1 && batch.previous == previous;
        if !follows || batch.hash != batch.chained() {
            return Err(store.damaged(&format!("batch {}", batch.number)));
        }
        previous = &batch.hash;
    }
    Ok(batches)
}

/// What the first batch follows: the region and the opening that the ledger was made for.
pub fn genesis(store: &Store) -> String {
    let mut hash = Content::default();
    hash.text(&store.region);
    hash.text(&store.opening.to_string());
    hash.finish()
}

/// Which batches are in effect: those that no batch in effect reverses.
pub fn in_effect(batches: &[Batch]) -> BTreeMap<u32, bool> {
    let mut effect: BTreeMap<u32, bool> = BTreeMap::new();
    // A batch is reversed by later ones only.
    for batch in batches.iter().rev() {
        let reversed = batches
            .iter()
            .any(|other| other.reverses == Some(batch.number) && effect.get(&other.number) == Some(&true));
        effect.insert(batch.number, !reversed);
    }
    effect
}

/// A hash over values, each with its kind and length, so that no two lists of values look the same.
#[derive(Clone, Default)]
pub struct Content {
    hash: Sha256,
    /// Values are short: many are hashed at once.
    waiting: Vec<u8>,
}

/// How many bytes wait.
const TOGETHER: usize = 4096;

impl Content {
    pub fn text(&mut self, text: &str) {
        self.waiting.push(b't');
        self.waiting.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.waiting.extend_from_slice(text.as_bytes());
        self.flush(TOGETHER);
    }

    pub fn number(&mut self, number: i64) {
        self.waiting.push(b'n');
        self.waiting.extend_from_slice(&number.to_le_bytes());
        self.flush(TOGETHER);
    }

    pub fn bytes(&mut self, bytes: &[u8]) {
        self.waiting.push(b'b');
        self.waiting.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.flush(0);
        self.hash.update(bytes);
    }

    pub fn nothing(&mut self) {
        self.waiting.push(b'0');
    }

    fn flush(&mut self, least: usize) {
        if self.waiting.len() >= least {
            self.hash.update(&self.waiting);
            self.waiting.clear();
        }
    }

    /// Adds a value as the database holds it.
    pub fn value(&mut self, value: ValueRef) {
        match value {
            ValueRef::Null => self.nothing(),
            ValueRef::Integer(number) => self.number(number),
            ValueRef::Text(text) => self.text(&String::from_utf8_lossy(text)),
            ValueRef::Real(real) => self.text(&format!("real {real}")),
            ValueRef::Blob(bytes) => self.bytes(bytes),
        }
    }

    pub fn finish(mut self) -> String {
        self.flush(0);
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The tables whose rows make up a batch, in the order in which they are hashed.
pub const TABLES: [&str; 8] =
    ["institution", "terms", "items", "signing", "service", "score", "line", "adjustment"];

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(number: u32, reverses: Option<u32>) -> Batch {
        Batch {
            number,
            kind: BatchKind::Settlement,
            period: String::new(),
            as_of: None,
            reverses,
            paper: Paper::default(),
            program: String::new(),
            rules: String::new(),
            source: String::new(),
            content: String::new(),
            previous: String::new(),
            hash: String::new(),
        }
    }

    #[test]
    fn a_reversal_that_is_reversed_undoes_nothing() {
        let all = [batch(1, None), batch(2, None), batch(3, Some(2)), batch(4, Some(3)), batch(5, Some(1))];
        let effect = in_effect(&all);
        assert_eq!(effect.into_values().collect::<Vec<_>>(), [false, true, false, true, true]);
    }

    #[test]
    fn every_word_of_a_batch_is_in_its_hash() {
        let plain = batch(1, None);
        let changed = [
            Batch { number: 2, ..plain.clone() },
            Batch { kind: BatchKind::Reversal, ..plain.clone() },
            Batch { period: "2020Q1".into(), ..plain.clone() },
            Batch { as_of: Some(String::new()), ..plain.clone() },
            Batch { reverses: Some(1), ..plain.clone() },
            Batch { paper: Paper { operator: Some("a".into()), ..Paper::default() }, ..plain.clone() },
            Batch { paper: Paper { approved_by: Some("a".into()), ..Paper::default() }, ..plain.clone() },
            Batch { paper: Paper { document: Some("a".into()), ..Paper::default() }, ..plain.clone() },
            Batch { paper: Paper { time: "a".into(), ..Paper::default() }, ..plain.clone() },
            Batch { program: "a".into(), ..plain.clone() },
            Batch { rules: "a".into(), ..plain.clone() },
            Batch { source: "a".into(), ..plain.clone() },
            Batch { content: "a".into(), ..plain.clone() },
            Batch { previous: "a".into(), ..plain.clone() },
        ];
        let mut hashes: Vec<String> = changed.iter().chain([&plain]).map(Batch::chained).collect();
        hashes.sort();
        hashes.dedup();
        assert_eq!(hashes.len(), changed.len() + 1);
    }
}
