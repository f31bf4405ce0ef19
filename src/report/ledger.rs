//! The ledger on the screen and as JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::Cell;
use serde_json::{Map, Value, json};

use crate::base::money::Fen;
use crate::ledger::chain::{Batch, BatchKind};
use crate::ledger::store::Store;
use crate::ledger::tell::{Agreed, Moved};
use crate::words::Label;

use super::screen::{Look, right};

type Amounts = BTreeMap<u32, BTreeMap<String, Fen>>;
type InEffect = BTreeMap<u32, bool>;

fn kind(batch: &Batch, look: Look) -> String {
    let label = look.label(match batch.kind {
        BatchKind::Opening => Label::OpeningBatch,
        BatchKind::Settlement => Label::SettlementBatch,
        BatchKind::Reversal => Label::ReversalBatch,
        BatchKind::Adjustment => Label::AdjustmentBatch,
    });
    match batch.reverses {
        Some(number) => format!("{label} {number}"),
        None => label.to_string(),
    }
}

fn total(amounts: &Amounts, number: u32) -> Fen {
    amounts.get(&number).map_or(Fen::ZERO, |by| by.values().copied().sum())
}

/// All batches in a table.
pub fn list(
    out: &mut impl Write,
    store: &Store,
    all: &[Batch],
    effect: &InEffect,
    amounts: &Amounts,
    look: Look,
) -> io::Result<()> {
    use Label::{Amount, ApprovedBy, BatchNumber, Document, Kind, Operator, Period, Time};
    writeln!(
        out,
        "{} {} · {} {}",
        look.label(Label::Ledger),
        store.region,
        look.label(Label::From),
        store.opening
    )?;
    let mut table = look.table(&[BatchNumber, Kind, Period, Amount, Time, Operator, ApprovedBy, Document]);
    for batch in all {
        let undone = if effect.get(&batch.number) == Some(&false) {
            format!("{} ({})", kind(batch, look), look.label(Label::Undone))
        } else {
            kind(batch, look)
        };
        let word = |word: &Option<String>| Cell::new(word.as_deref().unwrap_or_default());
        table.add_row(vec![
            right(batch.number),
            Cell::new(undone),
            Cell::new(&batch.period),
            right(total(amounts, batch.number).grouped()),
            Cell::new(batch.paper.time.get(..16).unwrap_or_default().replace('T', " ")),
            word(&batch.paper.operator),
            word(&batch.paper.approved_by),
            word(&batch.paper.document),
        ]);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    let sum: Fen = all.iter().map(|batch| total(amounts, batch.number)).sum();
    writeln!(out, "{} {}", look.label(Label::Total), sum.grouped())?;
    writeln!(out, "{} {}", look.label(Label::Head), all.last().map_or("", |batch| batch.hash.as_str()))
}

/// One batch: who, what, and what it moved.
pub fn batch(
    out: &mut impl Write,
    batch: &Batch,
    (effect, amounts): (&InEffect, &Amounts),
    (lines, agreed, signings): (&[Moved], &[Agreed], u64),
    look: Look,
) -> io::Result<()> {
    use Label::{Amount, Cohort, Document, Institution, Name, Package, Reason, Source};
    let mut said = vec![
        (Label::BatchNumber, batch.number.to_string()),
        (Label::Kind, kind(batch, look)),
        (Label::Period, batch.period.clone()),
        (Label::Time, batch.paper.time.get(..19).unwrap_or_default().replace('T', " ")),
    ];
    let words = [
        (Label::Operator, &batch.paper.operator),
        (Label::ApprovedBy, &batch.paper.approved_by),
        (Label::Document, &batch.paper.document),
    ];
    said.extend(words.into_iter().filter_map(|(label, word)| Some((label, word.clone()?))));
    said.push((Label::Head, batch.hash.clone()));
    for (label, word) in said {
        writeln!(out, "{} {word}", look.label(label))?;
    }
    if effect.get(&batch.number) == Some(&false) {
        writeln!(out, "{}", look.label(Label::Undone))?;
    }
    writeln!(out, "{} {signings}", look.label(Label::SigningsNoted))?;
    let mut table = look.table(&[Source, Amount]);
    let mut any = false;
    let sums = amounts.get(&batch.number).into_iter().flatten().filter(|(_, amount)| **amount != Fen::ZERO);
    for (source, amount) in sums {
        any = true;
        table.add_row(vec![Cell::new(source), right(amount.grouped())]);
    }
    if any {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    let moved: Vec<&Moved> = lines.iter().filter(|line| line.amount != Fen::ZERO).collect();
    if !moved.is_empty() {
        let mut table = look.table(&[Cohort, Institution, Name, Package, Source, Amount]);
        for line in &moved {
            table.add_row(vec![
                Cell::new(&line.cohort),
                Cell::new(&line.institution),
                Cell::new(&line.name),
                Cell::new(&line.package),
                Cell::new(&line.source),
                right(line.amount.grouped()),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
    }
    if !agreed.is_empty() {
        let mut table = look.table(&[Cohort, Institution, Name, Source, Amount, Document, Reason]);
        for one in agreed {
            table.add_row(vec![
                Cell::new(&one.cohort),
                Cell::new(&one.institution),
                Cell::new(&one.name),
                Cell::new(&one.source),
                right(one.amount.grouped()),
                Cell::new(&one.document),
                Cell::new(&one.reason),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
    }
    Ok(())
}

pub fn batch_json(batch: &Batch, effect: &InEffect, amounts: &Amounts) -> Value {
    let sources: Map<String, Value> = amounts
        .get(&batch.number)
        .into_iter()
        .flatten()
        .map(|(source, amount)| (source.clone(), json!(amount.to_string())))
        .collect();
    json!({
        "batch": batch.number,
        "kind": batch.kind.name(),
        "period": batch.period,
        "as_of": batch.as_of,
        "reverses": batch.reverses,
        "in_effect": effect.get(&batch.number),
        "amount": total(amounts, batch.number).to_string(),
        "sources": sources,
        "time": batch.paper.time,
        "operator": batch.paper.operator,
        "approved_by": batch.paper.approved_by,
        "document": batch.paper.document,
        "program": batch.program,
        "hash": batch.hash,
    })
}

pub fn moved_json(line: &Moved) -> Value {
    json!({
        "cohort": line.cohort,
        "institution_id": line.institution,
        "institution_name": line.name,
        "package": line.package,
        "source": line.source,
        "policy": line.policy,
        "amount": line.amount.to_string(),
    })
}

pub fn agreed_json(one: &Agreed) -> Value {
    json!({
        "institution_id": one.institution,
        "institution_name": one.name,
        "source": one.source,
        "cohort": one.cohort,
        "amount": one.amount.to_string(),
        "document": one.document,
        "reason": one.reason,
    })
}
