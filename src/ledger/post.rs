//! What a run came to → a batch, written in one transaction: all of it, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rusqlite::Statement;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::diagnostic::refuse;
use crate::base::message::Msg;
use crate::base::money::{Fen, shortest};
use crate::base::period::Period;
use crate::intake::institutions::Institution;
use crate::settlement::assess::Scores;
use crate::settlement::delta::differs;
use crate::settlement::desk::Details;
use crate::settlement::evidence::Evidence;
use crate::settlement::history::{History, PastSigning, Terms};
use crate::settlement::lines::{Posted, Settlement};
use crate::settlement::qualify::{Qualified, Signing, row_terms};
use crate::settlement::rules::Rules;

use super::chain::{Batch, BatchKind, Content, Paper, Rows, TABLES, batches, genesis};
use super::recall::{day_number, terms_of};
use super::store::Store;

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

/// A value of a row.
#[derive(Clone, Copy)]
enum Cell<'a> {
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

fn maybe(number: Option<i64>) -> Cell<'static> {
    number.map_or(Cell::Nothing, Cell::Number)
}

/// A table that a batch is written into.
struct Table<'s> {
    /// The last number given.
    last: i64,
    /// Over the batch's rows.
    content: Rows,
    insert: Statement<'s>,
}

/// A batch being written. Without [`Writer::finish`] nothing of it stays.
pub struct Writer<'s> {
    store: &'s Store,
    number: u32,
    previous: String,
    tables: BTreeMap<&'static str, Table<'s>>,
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
            tables.insert(table, Table { last, content: Rows::default(), insert });
        }
        let mut writer = Writer {
            store,
            number: all.last().map_or(1, |batch| batch.number + 1),
            previous: all.last().map_or_else(|| genesis(store), |batch| batch.hash.clone()),
            tables,
            institutions: FxHashMap::default(),
            terms: FxHashMap::default(),
            items: FxHashMap::default(),
            rows: 0,
        };
        writer.institutions = writer.words("SELECT number, id FROM institution")?;
        writer.items = writer.words("SELECT number, done FROM items")?;
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
    fn add(&mut self, table: &'static str, cells: &[Cell]) -> Result<i64> {
        let Table { last, content, insert } = self.tables.get_mut(table).expect("every table is listed");
        *last += 1;
        let failed = |error: rusqlite::Error| self.store.broken(&error);
        let all = [Cell::Number(*last), Cell::Number(self.number.into())];
        let content = content.of(*last);
        for (at, cell) in all.iter().chain(cells).enumerate() {
            match cell {
                Cell::Nothing => content.nothing(),
                Cell::Number(number) => content.number(*number),
                Cell::Text(text) => content.text(text),
            }
            insert.raw_bind_parameter(at + 1, cell).map_err(failed)?;
        }
        insert.raw_execute().map_err(failed)?;
        self.rows += 1;
        Ok(*last)
    }

    fn institution(&mut self, one: &Institution) -> Result<i64> {
        if let Some(number) = self.institutions.get(&one.id) {
            return Ok(*number);
        }
        let cells = [&one.id, &one.name, &one.kind, &one.district, &one.parent_id];
        let number = self.add("institution", &cells.map(|text| Cell::Text(text)))?;
        self.institutions.insert(one.id.clone(), number);
        Ok(number)
    }

    fn terms(&mut self, terms: Terms, institution: &Institution) -> Result<i64> {
        if let Some(number) = self.terms.get(&terms) {
            return Ok(*number);
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
        Ok(number)
    }

    fn items(&mut self, done: String) -> Result<i64> {
        if let Some(number) = self.items.get(&done) {
            return Ok(*number);
        }
        let number = self.add("items", &[Cell::Text(&done)])?;
        self.items.insert(done, number);
        Ok(number)
    }

    /// An amount that a batch moves on a line, with what the line came to where it is a settlement's.
    fn line(
        &mut self,
        (cohort, institution, package, source): (Period, i64, &str, &str),
        policy: &str,
        amount: Fen,
        state: Option<&crate::settlement::history::LineState>,
    ) -> Result<()> {
        let cohort = cohort.to_string();
        let ratio = state.and_then(|state| state.ratio.map(shortest));
        let of = |pick: fn(&crate::settlement::history::LineState) -> i64| maybe(state.map(pick));
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
    pub fn close(self, about: About) -> Result<Closed<'s>> {
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
    state: &'static str,
}

fn signings(writer: &mut Writer, posting: &Posting) -> Result<()> {
    let Posting { rules, history, qualified, .. } = *posting;
    let mut terms_of: FxHashMap<(u32, u16, u32, Option<usize>), i64> = FxHashMap::default();
    for (index, signing) in qualified.signings.iter().enumerate() {
        let known = qualified.known(index);
        // What starts later may be another by then.
        if known.is_none() && signing.starts_on >= rules.end {
            continue;
        }
        let noted = Noted { signing, known, state: "admitted" };
        let id = note(writer, posting, &noted, &mut terms_of)?;
        services(writer, posting, (index, signing, known), id)?;
    }
    for (signing, code, known) in &qualified.refused {
        if known.is_some() || signing.starts_on < rules.end {
            let noted = Noted { signing, known: *known, state: code.name() };
            note(writer, posting, &noted, &mut terms_of)?;
        }
    }
    for known in &qualified.voided {
        let past = history.signing(*known);
        let Some((institution, terms)) = history.terms(*known) else { continue };
        let terms = writer.terms(terms.clone(), rules.institutions.get(institution))?;
        let contract = history.past().map_or("", |all| all.contract(past));
        writer.signing((Some(past.id), contract), terms, &Facts::of_past(past), "void")?;
    }
    Ok(())
}

/// Writes a signing where it is new or other than it was; gives the number that it goes by.
fn note(
    writer: &mut Writer,
    posting: &Posting,
    Noted { signing, known, state }: &Noted,
    terms_of: &mut FxHashMap<(u32, u16, u32, Option<usize>), i64>,
) -> Result<i64> {
    let Posting { rules, history, qualified, .. } = *posting;
    let past = known.map(|known| history.signing(known));
    let facts = Facts::of(signing);
    let before = |past: &PastSigning| past.refused.map_or("admitted", Code::name);
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
    writer.signing((first, qualified.contract(signing)), terms, &facts, state)
}

/// What a signing is, beside its terms.
#[derive(PartialEq, Eq)]
struct Facts {
    person: i64,
    /// signed, starts, end of the term, end.
    days: [i64; 4],
    paid: Option<i64>,
    authorized: bool,
}

impl Facts {
    fn of(signing: &Signing) -> Facts {
        let days = [signing.signed_on, signing.starts_on, signing.term_end, signing.end];
        Facts {
            person: signing.person.0.cast_signed(),
            days: days.map(day_number),
            paid: signing.paid().map(|paid| paid.0),
            authorized: signing.authorized(),
        }
    }

    fn of_past(past: &PastSigning) -> Facts {
        let days = [past.signed_on, past.starts_on, past.term_end, past.end];
        Facts {
            person: past.person.0.cast_signed(),
            days: days.map(day_number),
            paid: past.paid.map(|paid| paid.0),
            authorized: past.authorized,
        }
    }
}

impl Writer<'_> {
    fn signing(
        &mut self,
        (first, contract): (Option<i64>, &str),
        terms: i64,
        facts: &Facts,
        state: &str,
    ) -> Result<i64> {
        let [signed_on, starts_on, term_end, end] = facts.days.map(Cell::Number);
        let number = self.add(
            "signing",
            &[
                maybe(first),
                Cell::Text(contract),
                Cell::Number(facts.person),
                Cell::Number(terms),
                signed_on,
                starts_on,
                term_end,
                end,
                maybe(facts.paid),
                Cell::Number(facts.authorized.into()),
                Cell::Text(state),
            ],
        )?;
        Ok(first.unwrap_or(number))
    }
}

/// Writes the services of a signing's charges, where there are more than were written before.
fn services(
    writer: &mut Writer,
    posting: &Posting,
    (index, signing, known): (usize, &Signing, Option<u32>),
    id: i64,
) -> Result<()> {
    let Posting { rules, history, evidence, .. } = *posting;
    let offer = signing.offer();
    let (asked, items) = (rules.services_asked(offer), rules.items_counted(offer));
    if asked == 0 && items == 0 {
        return Ok(());
    }
    let package = rules.package(offer);
    let before = known.map_or(&[][..], |known| history.services(known));
    for (nth, (charge, _)) in signing.charges(rules).enumerate() {
        let seen = if asked > 0 { evidence.seen(index, nth) } else { 0 };
        let done = (0..items).map(|item| (item, evidence.done(index, nth, items, item)));
        let done: Vec<String> = done
            .filter(|(_, times)| *times > 0)
            .map(|(item, times)| format!("{}={times}", package.items[item].named.id))
            .collect();
        let done = done.join(";");
        let past = before.iter().find(|service| service.charge == charge);
        let then = past.and_then(|past| Some(history.past()?.items[past.items? as usize].as_str()));
        if (seen, done.as_str()) == (past.map_or(0, |past| past.seen), then.unwrap_or_default()) {
            continue;
        }
        let done = if done.is_empty() { None } else { Some(writer.items(done)?) };
        let before = past.and_then(|past| past.day).map(day_number);
        let day = if asked > 0 { evidence.first_day(index, nth).or(before) } else { None };
        let cells = [
            Cell::Number(id),
            Cell::Number(charge.into()),
            Cell::Number(seen.into()),
            maybe(done),
            maybe(day),
        ];
        writer.add("service", &cells)?;
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
                maybe(entry.assessed_on.map(day_number)),
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
