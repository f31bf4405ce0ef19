//! One batch being written, in one transaction: all of it, or nothing.

use std::collections::BTreeMap;

use anyhow::Result;
use rusqlite::Statement;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rustc_hash::FxHashMap;

use crate::base::diagnostic::refuse;
use crate::base::message::Msg;
use crate::base::money::{Fen, shortest};
use crate::base::period::Period;
use crate::intake::institutions::Institution;
use crate::settlement::past::{LineState, Terms};

use super::chain::{Batch, BatchKind, Content, Paper, TABLES, batches, genesis};
use super::pages::{self, Filling, Page, ServiceRow, SigningRow};
use super::recall::terms_of;
use super::store::Store;

/// What a batch says of itself, beside its rows.
pub struct About {
    pub kind: BatchKind,
    pub period: String,
    pub as_of: Option<String>,
    pub reverses: Option<u32>,
    pub paper: Paper,
    /// A hash over the rule files.
    pub rules: String,
    /// The hash of what it was made from.
    pub source: String,
}

/// A value of a row.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    Nothing,
    Number(i64),
    Text(&'a str),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Nothing => ValueRef::Null,
            Cell::Number(number) => ValueRef::Integer(*number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

pub fn maybe(number: Option<i64>) -> Cell<'static> {
    number.map_or(Cell::Nothing, Cell::Number)
}

/// A table that a batch is written into.
struct Table<'s> {
    /// The last number given.
    last: i64,
    /// Over the batch's rows.
    content: Content,
    insert: Statement<'s>,
}

/// A batch being written. Without [`Writer::finish`] nothing of it stays.
pub struct Writer<'s> {
    pub(super) store: &'s Store,
    number: u32,
    previous: String,
    tables: BTreeMap<&'static str, Table<'s>>,
    /// Rows that wait to fill a page.
    signings: Filling,
    services: Filling,
    institutions: FxHashMap<String, i64>,
    terms: FxHashMap<Terms, i64>,
    items: FxHashMap<String, i64>,
    rows: u64,
}

impl<'s> Writer<'s> {
    /// Begins the next batch behind the one that the work rests on (`head`: its hash; empty where there was none);
    /// where the ledger is new its transaction is open already.
    pub fn begin(store: &'s Store, head: &str) -> Result<Writer<'s>> {
        let failed = |error: rusqlite::Error| store.broken(&error);
        if store.connection.is_autocommit() {
            store.connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        }
        let all = batches(store)?;
        // Within the transaction nobody else can have come between.
        if all.last().map_or("", |batch| batch.hash.as_str()) != head {
            let last = all.last().map_or(0, |batch| batch.number);
            let then = all.iter().find(|batch| batch.hash == head).map_or(0, |batch| batch.number);
            return Err(refuse(Msg::LedgerMoved { batch: last, then }, Some(Msg::SettleAgain)));
        }
        let mut tables = BTreeMap::new();
        for table in TABLES {
            let query = format!("SELECT coalesce(max(number), 0) FROM {table}");
            let last: i64 = store.connection.query_row(&query, [], |row| row.get(0)).map_err(failed)?;
            let columns =
                store.connection.prepare(&format!("SELECT * FROM {table}")).map_err(failed)?.column_count();
            let insert = format!("INSERT INTO {table} VALUES ({})", vec!["?"; columns].join(","));
            let insert = store.connection.prepare(&insert).map_err(failed)?;
            tables.insert(table, Table { last, content: Content::default(), insert });
        }
        let mut writer = Writer {
            store,
            number: all.last().map_or(1, |batch| batch.number + 1),
            previous: all.last().map_or_else(|| genesis(store), |batch| batch.hash.clone()),
            tables,
            signings: Filling::behind(pages::last(store, "signing")?.1),
            services: Filling::behind(pages::last(store, "service")?.1),
            institutions: FxHashMap::default(),
            terms: FxHashMap::default(),
            items: FxHashMap::default(),
            rows: 0,
        };
        writer.institutions = writer.words("SELECT number, id FROM institution")?;
        writer.items = writer.words("SELECT number, id FROM items")?;
        writer.terms = writer.known_terms()?;
        Ok(writer)
    }

    fn words(&self, query: &str) -> Result<FxHashMap<String, i64>> {
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        let mut query = self.store.connection.prepare(query).map_err(failed)?;
        let rows = query.query_map([], |row| Ok((row.get(1)?, row.get(0)?))).map_err(failed)?;
        rows.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    fn known_terms(&self) -> Result<FxHashMap<Terms, i64>> {
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        let query = "SELECT t.*, i.id FROM terms t JOIN institution i ON i.number = t.institution";
        let mut query = self.store.connection.prepare(query).map_err(failed)?;
        let rows = query.query_map([], |row| Ok((terms_of(row, row.get("id")?)?, row.get("number")?)));
        rows.map_err(failed)?.collect::<rusqlite::Result<_>>().map_err(failed)
    }

    /// Adds a row; gives its number.
    pub fn add(&mut self, table: &'static str, cells: &[Cell]) -> Result<i64> {
        let Table { last, content, insert } = self.tables.get_mut(table).expect("every table is listed");
        *last += 1;
        let all = [Cell::Number(*last), Cell::Number(self.number.into())];
        let bound = all.iter().chain(cells).enumerate().try_for_each(|(at, cell)| {
            match cell {
                Cell::Nothing => content.nothing(),
                Cell::Number(number) => content.number(*number),
                Cell::Text(text) => content.text(text),
            }
            insert.raw_bind_parameter(at + 1, cell)
        });
        bound.and_then(|()| insert.raw_execute()).map_err(|error| self.store.broken(&error))?;
        self.rows += 1;
        Ok(*last)
    }

    /// Adds a row of the signings; gives its number.
    pub fn signing(&mut self, row: &SigningRow) -> Result<u32> {
        let number = self.signings.number(self.store)?;
        self.signings.signing(row);
        self.rows += 1;
        if self.signings.count == pages::ROWS {
            self.page("signing")?;
        }
        Ok(number)
    }

    /// Adds a row of the services.
    pub fn service(&mut self, row: &ServiceRow) -> Result<()> {
        self.services.number(self.store)?;
        self.services.service(row);
        self.rows += 1;
        if self.services.count == pages::ROWS {
            self.page("service")?;
        }
        Ok(())
    }

    /// Writes the rows that wait.
    fn page(&mut self, table: &'static str) -> Result<()> {
        let filling = if table == "signing" { &mut self.signings } else { &mut self.services };
        if filling.count == 0 {
            return Ok(());
        }
        let (first, count, bytes) = filling.take();
        let Table { last, content, insert } = self.tables.get_mut(table).expect("every table is listed");
        *last += 1;
        let page = Page { number: *last as u32, batch: self.number, first, count, bytes: &bytes };
        content.text(&page.hash());
        let row = rusqlite::params![page.number, page.batch, page.first, page.count as i64, page.bytes];
        insert.execute(row).map_err(|error| self.store.broken(&error))?;
        Ok(())
    }

    pub fn institution(&mut self, one: &Institution) -> Result<i64> {
        if let Some(number) = self.institutions.get(&one.id) {
            return Ok(*number);
        }
        let cells = [&one.id, &one.name, &one.kind, &one.district, &one.parent_id];
        let number = self.add("institution", &cells.map(|text| Cell::Text(text)))?;
        self.institutions.insert(one.id.clone(), number);
        Ok(number)
    }

    pub fn terms(&mut self, terms: Terms, institution: &Institution) -> Result<u32> {
        if let Some(number) = self.terms.get(&terms) {
            return Ok(*number as u32);
        }
        let of_institution = Cell::Number(self.institution(institution)?);
        let rest = [
            &terms.package,
            &terms.scheme,
            &terms.kind,
            &terms.district,
            &terms.groups,
            &terms.team,
            &terms.doctor,
            &terms.reason,
        ];
        let cells: Vec<Cell> =
            [of_institution].into_iter().chain(rest.map(|text| Cell::Text(text))).collect();
        let number = self.add("terms", &cells)?;
        self.terms.insert(terms, number);
        Ok(number as u32)
    }

    pub fn item(&mut self, id: &str) -> Result<u32> {
        if let Some(number) = self.items.get(id) {
            return Ok(*number as u32);
        }
        let number = self.add("items", &[Cell::Text(id)])?;
        self.items.insert(id.to_string(), number);
        Ok(number as u32)
    }

    /// An amount that a batch moves on a line, with what the line came to where it is a settlement's.
    pub fn line(
        &mut self,
        (cohort, institution, package, source): (Period, i64, &str, &str),
        policy: &str,
        amount: Fen,
        state: Option<&LineState>,
    ) -> Result<()> {
        let cohort = cohort.to_string();
        let ratio = state.and_then(|state| state.ratio.map(shortest));
        let of = |pick: fn(&LineState) -> i64| maybe(state.map(pick));
        self.add(
            "line",
            &[
                Cell::Text(&cohort),
                Cell::Number(institution),
                Cell::Text(package),
                Cell::Text(source),
                Cell::Text(policy),
                Cell::Number(amount.0),
                of(|state| state.count.cast_signed()),
                of(|state| state.held.cast_signed()),
                of(|state| state.gross.0),
                of(|state| state.deduction.0),
                of(|state| state.prepay.0),
                of(|state| state.due.0),
                maybe(state.and_then(|state| state.last).map(|last| last.0)),
                ratio.as_deref().map_or(Cell::Nothing, Cell::Text),
                state.map_or(Cell::Nothing, |state| Cell::Text(&state.score)),
            ],
        )?;
        Ok(())
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Chains the batch to the one before it and commits, so that all of it counts at once.
    pub fn finish(self, about: About) -> Result<Batch> {
        let batch = self.close(about)?;
        batch.commit()
    }

    /// Chains the batch; the transaction stays open, so that another may follow in it.
    pub fn close(mut self, about: About) -> Result<Closed<'s>> {
        self.page("signing")?;
        self.page("service")?;
        let mut content = Content::default();
        for table in TABLES {
            content.text(&self.tables[table].content.clone().finish());
        }
        let About { kind, period, as_of, reverses, paper, rules, source } = about;
        let mut batch = Batch {
            number: self.number,
            kind,
            period,
            as_of,
            reverses,
            paper,
            program: concat!("jiayi ", env!("CARGO_PKG_VERSION")).to_string(),
            rules,
            source,
            content: content.finish(),
            previous: self.previous,
            hash: String::new(),
        };
        batch.hash = batch.chained();
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        self.store
            .connection
            .execute(
                "INSERT INTO batch VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                rusqlite::params![
                    batch.number,
                    batch.kind.name(),
                    batch.period,
                    batch.as_of,
                    batch.reverses,
                    batch.paper.time,
                    batch.paper.operator,
                    batch.paper.approved_by,
                    batch.paper.document,
                    batch.program,
                    batch.rules,
                    batch.source,
                    batch.content,
                    batch.previous,
                    batch.hash,
                ],
            )
            .map_err(failed)?;
        Ok(Closed { store: self.store, batch })
    }
}

/// A batch that is written and not committed.
pub struct Closed<'s> {
    store: &'s Store,
    pub batch: Batch,
}

impl Closed<'_> {
    pub fn commit(self) -> Result<Batch> {
        self.store.commit()?;
        Ok(self.batch)
    }
}
