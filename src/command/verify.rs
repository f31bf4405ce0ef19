//! `jiayi verify`: for the auditor: whether a settlement's files are what its inputs and rules give.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::ledger::chain::{BatchKind, batches, in_effect};
use crate::ledger::recall;
use crate::ledger::store::Store;
use crate::pipeline::{self, Asked, Run};
use crate::policy::version;
use crate::report::documents;
use crate::report::output::CsvForm;
use crate::report::publish::{self, Aside};
use crate::words::say;

use super::post::Written;
use super::settle::{Held, posted_by};
use super::{Common, Ended};

pub struct Verify<'a> {
    pub common: Common<'a>,
    pub out: &'a Path,
    pub data: Option<&'a Path>,
    pub ledger: Option<&'a Path>,
}

pub fn run(verify: &Verify) -> Result<Ended> {
    let written = Written::read(verify.out)?;
    let common = Common { region: &written.region, ..verify.common };
    let mut found = written.changed_outputs(str::to_string);
    found.extend(unlisted(&written)?);
    sums(&written, &mut found);
    let region = match written.path(common.regions, "regions") {
        Some(folder) if folder.is_dir() => version::load(&written.region, Some(&folder))?,
        _ => common.region()?,
    };
    found.extend(written.changed_rules(&region));
    let data = written.path(verify.data, "data").unwrap_or_else(|| common.data(None));
    let ledger = written.path(verify.ledger, "ledger").unwrap_or_else(|| common.ledger(verify.ledger));
    let _lock = Held::of(&ledger, false)?;
    let clock = common.clock(&data);
    let mut said = Vec::new();
    let (anew, lines) = common.threads(|| {
        let mut found = Vec::new();
        let store = Store::find(&ledger, &region.id, false)?;
        let all = store.as_ref().map(batches).transpose()?.unwrap_or_default();
        let (effect, source) = (in_effect(&all), written.hash());
        // Of several the one in effect, else the last.
        let posted = all.iter().filter(|batch| batch.kind == BatchKind::Settlement && batch.source == source);
        let posted = posted.max_by_key(|batch| (effect[&batch.number], batch.number));
        said.push(match posted {
            Some(batch) => Msg::PostedAs { batch: batch.number, reversed: !effect[&batch.number] },
            None => Msg::NotPosted,
        });
        if written.head().is_empty() && posted.is_none() && !all.is_empty() {
            said.push(Msg::SettledWithout);
        }
        let past = match written.head() {
            "" => None,
            head => {
                let Some(store) = &store else {
                    let fact = Msg::NoLedger { path: ledger.display().to_string() };
                    return Err(stop(fact, Some(Msg::OtherLedger)));
                };
                let Some(batch) = all.iter().find(|batch| batch.hash == head) else {
                    return Err(stop(Msg::NoSuchHead { hash: head.to_string() }, Some(Msg::RestoreLedger)));
                };
                Some(recall::past(store, Some(batch.number))?)
            }
        };
        let asked = Asked { as_of: written.as_of, past: past.as_ref(), ..Asked::of(written.period) };
        let work = |run: &Run| {
            clock.bar.finish_and_clear();
            found.extend(written.changed_inputs(run));
            let aside = tempfile::tempdir().context("a folder for the comparison")?;
            let beside = aside.path().to_path_buf();
            let aside = Aside::new(aside, &beside);
            let posted = posted_by(store.as_ref().filter(|_| past.is_some()), written.batch())?;
            let manifest = documents::write(run, aside.path(), &written.output, &posted)?;
            let word = |value: &serde_json::Value| value["program"].as_str().unwrap_or_default().to_string();
            let (wrote, here) = (word(&written.manifest), word(&manifest));
            if wrote != here {
                found.push(Msg::OtherProgram { wrote, here });
            }
            let mut names: BTreeSet<String> = BTreeSet::from(["manifest.json".to_string()]);
            let listed = written.listed("outputs", "file").into_iter().map(|(name, _)| name);
            // What is gone was told.
            let (here, gone): (Vec<String>, Vec<String>) =
                listed.partition(|name| written.folder.join(name).exists());
            names.extend(here);
            names.extend(
                manifest["outputs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|one| Some(one["file"].as_str()?.to_string())),
            );
            for name in names.into_iter().filter(|name| !gone.contains(name)) {
                found.extend(differs(&written, aside.path(), &name));
            }
            Ok(run.settlement.lines.len())
        };
        let lines = clock.watch(|watch| pipeline::settle(&region, asked, &data, watch, work))?;
        Ok((found, lines))
    })?;
    found.extend(anew);
    let lang = common.look.lang;
    let good = Msg::OutputGood { lines };
    common.print(
        |out| {
            let all = if found.is_empty() { std::slice::from_ref(&good) } else { &found };
            all.iter().chain(&said).try_for_each(|msg| writeln!(out, "{}", say(lang, msg)))
        },
        || {
            let differences: Vec<String> = found.iter().map(|msg| say(lang, msg)).collect();
            json!({ "schema": "jiayi.verify/1", "good": found.is_empty(), "lines": lines.to_string(), "differences": differences })
        },
    )?;
    Ok(if found.is_empty() { Ended::Done } else { Ended::Faulty })
}

/// Files of the folder that the manifest does not list.
fn unlisted(written: &Written) -> Result<Vec<Msg>> {
    let listed = written.listed("outputs", "file");
    let ours = |name: &String| {
        matches!(name.as_str(), "manifest.json" | "run.json") || listed.iter().any(|(file, _)| file == name)
    };
    let names = publish::files(&written.folder)?.into_iter().filter(|name| !ours(name));
    Ok(names.map(|file| Msg::FileNotListed { file }).collect())
}

/// Where a file of the folder differs from the one computed anew: the first line that does.
fn differs(written: &Written, anew: &Path, name: &str) -> Option<Msg> {
    let read = |folder: &Path| fs::read(folder.join(name)).unwrap_or_default();
    let (here, there) = (read(&written.folder), read(anew));
    if here == there {
        return None;
    }
    // A workbook has no lines to show.
    if name.ends_with(".xlsx") {
        return Some(Msg::OtherBytes { file: name.to_string() });
    }
    let (mut left, mut right) = (here.split(|byte| *byte == b'\n'), there.split(|byte| *byte == b'\n'));
    let mut line = 1;
    loop {
        let (a, b) = (left.next(), right.next());
        if a != b {
            let form = if name.ends_with(".csv") { written.output.csv } else { CsvForm::PLAIN };
            let text = |bytes: Option<&[u8]>| -> String {
                form.read(bytes.unwrap_or_default()).chars().take(200).collect()
            };
            return Some(Msg::OutputDiffers { file: name.to_string(), line, here: text(a), anew: text(b) });
        }
        line += 1;
    }
}

type Row = BTreeMap<String, String>;

pub(super) fn table(written: &Written, name: &str) -> Vec<Row> {
    let form = written.output.csv;
    let text = form.read(&fs::read(written.folder.join(name)).unwrap_or_default());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let columns: csv::StringRecord =
        reader.headers().into_iter().flatten().map(|title| form.column(title)).collect();
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|row| row.deserialize(Some(&columns)).ok()).collect()
}

pub(super) fn amount(row: &Row, column: &str) -> Fen {
    let text = row.get(column).map(String::as_str).unwrap_or_default();
    let whole = text.parse::<rust_decimal::Decimal>().ok().and_then(Fen::from_yuan);
    whole.unwrap_or_default()
}

/// Amounts of some lines, column by column.
#[derive(Default)]
struct Sum([Fen; COLUMNS.len()]);

pub(super) const COLUMNS: [&str; 6] = ["gross", "prepay", "final", "posted", "payable", "recover"];

impl Sum {
    fn add(&mut self, line: &Row) {
        for (sum, column) in self.0.iter_mut().zip(COLUMNS) {
            *sum += amount(line, column);
        }
    }
}

/// Adds every sum of the output up again from its lines, where it has them as CSV.
pub(super) fn sums(written: &Written, found: &mut Vec<Msg>) {
    if !written.output.only.csv {
        return;
    }
    let lines = table(written, "settlement.csv");
    let mut check = |what: String, stands: Fen, adds: Fen| {
        if stands != adds {
            found.push(Msg::SumDiffers { what, stands, adds });
        }
    };
    let filled = |line: &Row, column: &str| line.get(column).is_some_and(|cell| !cell.is_empty());
    let word = |line: &Row, column: &str| line.get(column).cloned().unwrap_or_default();
    let mut by_institution: BTreeMap<String, Sum> = BTreeMap::new();
    let mut by_source: BTreeMap<String, Sum> = BTreeMap::new();
    for line in &lines {
        by_source.entry(word(line, "source")).or_default().add(line);
        if filled(line, "prepay_ratio") {
            by_institution.entry(word(line, "institution_id")).or_default().add(line);
        }
    }
    let none = Sum::default();
    for row in table(written, "summary.csv") {
        let id = word(&row, "institution_id");
        let sum = by_institution.get(&id).unwrap_or(&none);
        for (sum, column) in sum.0.iter().zip(COLUMNS) {
            check(format!("summary.csv {id} {column}"), amount(&row, column), *sum);
        }
    }
    for (source, total) in written.manifest["sources"].as_object().into_iter().flatten() {
        let sum = by_source.get(source).unwrap_or(&none);
        for (sum, column) in sum.0.iter().zip(COLUMNS) {
            let stands = total[column].as_str().and_then(|text| text.parse().ok()).and_then(Fen::from_yuan);
            check(format!("manifest.json {source} {column}"), stands.unwrap_or_default(), *sum);
        }
    }
    let added = |name: &str| {
        let mut sums: BTreeMap<Vec<String>, Fen> = BTreeMap::new();
        for row in table(written, name) {
            *sums.entry(key(&row)).or_default() += amount(&row, "amount");
        }
        sums
    };
    let (parts, causes) = (added("tranches.csv"), added("delta.csv"));
    for line in lines.iter().filter(|line| filled(line, "prepay_ratio")) {
        let moved = amount(line, "payable") - amount(line, "recover");
        // Of what is not cleared, the prepayment and the parts that were released.
        let due = match filled(line, "final") {
            true => amount(line, "final"),
            false => amount(line, "prepay") + parts.get(&key(line)).copied().unwrap_or_default(),
        };
        check(format!("settlement.csv {}", key(line).join(" ")), amount(line, "posted") + moved, due);
        if let Some(sum) = causes.get(&key(line)) {
            check(format!("delta.csv {}", key(line).join(" ")), moved, *sum);
        }
    }
    let back: Fen = table(written, "clawback.csv").iter().map(|row| amount(row, "recover")).sum();
    let recover = lines.iter().map(|line| amount(line, "recover")).sum();
    check("clawback.csv recover".to_string(), back, recover);
}

fn key(row: &Row) -> Vec<String> {
    let columns = ["cohort", "institution_id", "package", "source", "policy"];
    columns.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect()
}
