//! `jiayi ledger …`: what was paid, batch by batch.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::diagnostic::{Diagnostic, Stopped, refuse, stop};
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Period;
use crate::base::person::{PersonId, mask_within};
use crate::base::place::Kind;
use crate::intake::folder::{self, InputFile};
use crate::intake::institutions::{Institution, Institutions};
use crate::intake::refusals::Refusal;
use crate::ledger::chain::{Batch, BatchKind, Paper, batches, in_effect};
use crate::ledger::post::{self as write, Adjustment};
use crate::ledger::recall;
use crate::ledger::store::Store;
use crate::ledger::tell;
use crate::ledger::verify;
use crate::ledger::writer::{About, Writer};
use crate::policy::version::{self, Region};
use crate::report::ledger as shown;
use crate::report::output::CsvForm;
use crate::report::publish::cannot_write;
use crate::report::screen::Look;
use crate::report::written::{Table, own, text};
use crate::settlement::history::History;
use crate::settlement::rules::Rules;
use crate::stages::{self, Inputs, Watch};
use crate::words::{refusal, say};

use super::post::two_people;
use super::settle::Held;
use super::{Ended, print, rules_folder};

pub struct Ledger<'a> {
    pub region: Option<&'a str>,
    pub ledger: Option<&'a Path>,
    pub regions: Option<&'a Path>,
    pub json: bool,
    pub look: Look,
}

impl Ledger<'_> {
    fn path(&self) -> Result<PathBuf> {
        match (self.ledger, self.region) {
            (Some(ledger), _) => Ok(ledger.to_path_buf()),
            (None, Some(region)) => Ok(Path::new("ledger").join(format!("{region}.db"))),
            (None, None) => Err(stop(Msg::WhichLedger, None)),
        }
    }

    fn open(&self, writing: bool) -> Result<(Held, Store)> {
        let path = self.path()?;
        // Nothing is made where there is no ledger to write into.
        if writing {
            drop(Store::open(&path, self.region, false)?);
        }
        let held = Held::of(&path, writing)?;
        let store = Store::open(&path, self.region, writing)?;
        // Nothing is told of rows that were changed, and nothing is written behind them.
        recall::past(&store, None)?;
        Ok((held, store))
    }

    fn rules(&self, region: &str) -> Result<Region> {
        version::load(region, rules_folder(self.regions).as_deref())
    }

    fn say(&self, msgs: &[Msg], json: impl FnOnce() -> Value) -> Result<Ended> {
        let lang = self.look.lang;
        let all = |out: &mut dyn Write| msgs.iter().try_for_each(|msg| writeln!(out, "{}", say(lang, msg)));
        print(self.json, |out| all(out), json)?;
        Ok(Ended::Done)
    }

    /// Opens a ledger from a period on, with what was paid of its cohorts before.
    pub fn init(
        &self,
        from: Period,
        payments: Option<&Path>,
        data: Option<&Path>,
        paper: Paper,
    ) -> Result<Ended> {
        let Some(id) = self.region else { return Err(stop(Msg::WhichLedger, None)) };
        let path = self.path()?;
        let region = self.rules(id)?;
        let version = &region.versions[region.on_or_after(from.first_day())];
        if from.cycle() < version.cycle {
            return Err(crate::pipeline::too_fine(from, version));
        }
        let files = payments.map(|path| file(Kind::Payments, path)).into_iter().collect();
        let mut inputs = Inputs::open(files)?;
        let (institutions, unchecked) = listed(&mut inputs, data, id, Kind::Payments)?;
        let rules = Rules::compile(&region, &institutions, from);
        let posted = stages::small::payments(&mut inputs, &rules, false, Watch::NONE)?;
        whole(&inputs, self.look)?;
        if let Some(((cohort, ..), _)) =
            posted.iter().find(|((cohort, ..), _)| cohort.first_day() < from.first_day())
        {
            let (cohort, opening) = (*cohort, from.first_day());
            return Err(stop(Msg::OpeningOlder { cohort, opening }, None));
        }
        two_people(region.versions.iter(), Some(&paper))?;
        let _held = Held::of(&path, true)?;
        if Store::find(&path, id, true)?.is_some() {
            let fact = Msg::LedgerThere { path: path.display().to_string() };
            return Err(refuse(fact, Some(Msg::MoveLedger)));
        }
        let store = Store::create(&path, id, from)?;
        let mut writer = Writer::begin(&store, "")?;
        let policy = |cohort: Period| region.versions[rules.version_on(cohort.first_day())].id.clone();
        write::opening(&mut writer, &posted, |number| institutions.get(number).clone(), policy)?;
        let source = inputs.facts.first().map_or(String::new(), |facts| facts.sha256.clone());
        let batch = writer.finish(About {
            kind: BatchKind::Opening,
            period: from.to_string(),
            as_of: None,
            reverses: None,
            paper,
            rules: region.hash(),
            source,
        })?;
        let amount: Fen = posted.values().copied().sum();
        let mut msgs = vec![Msg::Opened { batch: batch.number, opening: from, amount }];
        if payments.is_some() && unchecked {
            msgs.push(Msg::InstitutionsUnchecked);
        }
        self.say(&msgs, || {
            json!({ "batch": batch.number, "head": batch.hash, "opening": from.to_string(), "amount": amount.to_string() })
        })
    }

    pub fn list(&self) -> Result<Ended> {
        let (_held, store) = self.open(false)?;
        let all = batches(&store)?;
        let (effect, amounts) = (in_effect(&all), tell::by_source(&store)?);
        print(
            self.json,
            |out| shown::list(out, &store, &all, &effect, &amounts, self.look),
            || Value::Array(all.iter().map(|batch| shown::batch_json(batch, &effect, &amounts)).collect()),
        )?;
        Ok(Ended::Done)
    }

    pub fn show(&self, number: u32) -> Result<Ended> {
        let (_held, store) = self.open(false)?;
        let all = batches(&store)?;
        let batch = find(&all, number)?;
        let (effect, amounts) = (in_effect(&all), tell::by_source(&store)?);
        let (lines, agreed) = (tell::moved(&store, Some(number))?, tell::agreed(&store, Some(number))?);
        let signings = tell::signings(&store, number)?;
        print(
            self.json,
            |out| shown::batch(out, batch, (&effect, &amounts), (&lines, &agreed, signings), self.look),
            || {
                let mut all = shown::batch_json(batch, &effect, &amounts);
                all["signings"] = json!(signings);
                all["lines"] = lines.iter().map(shown::moved_json).collect();
                all["adjustments"] = agreed.iter().map(shown::agreed_json).collect();
                all
            },
        )?;
        Ok(Ended::Done)
    }

    /// Holds every row against the hashes, and a head that a document names against the chain.
    pub fn verify(&self, head: Option<&str>) -> Result<Ended> {
        let (_held, store) = self.open(false)?;
        let all = verify::verify(&store)?;
        let last = all.last();
        let good = Msg::LedgerGood {
            batches: all.len(),
            head: last.map_or(String::new(), |batch| batch.hash.clone()),
        };
        let mut msgs = vec![good];
        if let Some(head) = head {
            let wanted = head.trim().to_lowercase();
            if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(stop(Msg::BadHead { text: head.to_string() }, None));
            }
            match all.iter().find(|batch| batch.hash == wanted) {
                None => return Err(refuse(Msg::NoSuchHead { hash: wanted }, Some(Msg::RestoreLedger))),
                Some(batch) if Some(batch) != last => {
                    let since = last.map_or(0, |last| last.number - batch.number);
                    msgs.push(Msg::HeadInside { batch: batch.number, since });
                }
                Some(_) => {}
            }
        }
        self.say(
            &msgs,
            || json!({ "good": true, "batches": all.len(), "head": last.map(|batch| &batch.hash) }),
        )
    }

    /// Undoes a batch by one of its own.
    pub fn reverse(&self, number: u32, paper: Paper) -> Result<Ended> {
        let (_held, store) = self.open(true)?;
        let all = batches(&store)?;
        let batch = find(&all, number)?;
        let effect = in_effect(&all);
        let by = all.iter().find(|other| other.reverses == Some(number) && effect[&other.number]);
        if let Some(by) = by {
            return Err(refuse(Msg::ReversedBefore { number, by: by.number }, None));
        }
        let region = self.rules(&store.region)?;
        two_people(region.versions.iter(), Some(&paper))?;
        let later = tell::later(&store, number)?;
        let head = all.last().map_or(String::new(), |batch| batch.hash.clone());
        let mut writer = Writer::begin(&store, &head)?;
        write::reversal(&mut writer, number)?;
        let done = writer.finish(About {
            kind: BatchKind::Reversal,
            period: batch.period.clone(),
            as_of: batch.as_of.clone(),
            reverses: Some(number),
            paper,
            rules: region.hash(),
            source: batch.hash.clone(),
        })?;
        let mut msgs = vec![Msg::Reversed { number, batch: done.number }];
        let stands = later.into_iter().filter(|(later, ..)| effect.get(later) == Some(&true));
        msgs.extend(stands.map(|(batch, lines, signings)| Msg::LaterStands { batch, lines, signings }));
        // Charges of later years and months rest on the signings that the batch brought.
        let after = all.iter().any(|other| other.number > number && effect[&other.number]);
        let brought = tell::signings(&store, number)?;
        if after && brought > 0 {
            msgs.push(Msg::LaterCharges { signings: brought });
        }
        self.say(&msgs, || json!({ "batch": done.number, "head": done.hash, "reverses": number }))
    }

    /// Registers amounts that were agreed on paper.
    pub fn adjust(&self, path: &Path, data: Option<&Path>, paper: Paper) -> Result<Ended> {
        let (_held, store) = self.open(true)?;
        let region = self.rules(&store.region)?;
        two_people(region.versions.iter(), Some(&paper))?;
        let mut inputs = Inputs::open(vec![file(Kind::Adjustments, path)])?;
        let past = recall::past(&store, None)?;
        let mut institutions = match data.map(Path::to_path_buf).or_else(|| default_data(&store.region)) {
            Some(data) => read_institutions(&data)?,
            None => Institutions::default(),
        };
        // Whoever was paid before may be adjusted, on today's list or not.
        History::new(&past, &mut institutions, 0);
        let rules = Rules::compile(&region, &institutions, store.opening);
        let rows = stages::small::adjustments(&mut inputs, &rules)?;
        whole(&inputs, self.look)?;
        if rows.is_empty() {
            return Err(stop(Msg::NothingToRegister, None));
        }
        for row in &rows {
            let what = format!("`{} {} {}`", row.institution, row.cohort, row.document);
            if row.amount == Fen::ZERO {
                return Err(stop(Msg::AmountZero { what }, None));
            }
            if row.cohort.first_day() < store.opening.first_day() {
                let (cohort, opening) = (row.cohort, store.opening.first_day());
                return Err(stop(Msg::OpeningOlder { cohort, opening }, None));
            }
        }
        self.not_twice(&store, &inputs, &rows)?;
        let mut writer = Writer::begin(&store, &past.head)?;
        let of = |id: &str| {
            let number = institutions.find(id.as_bytes()).or_else(|| institutions.gone(id));
            number
                .map_or_else(|| Institution::named(id, Default::default()), |at| institutions.get(at).clone())
        };
        write::adjustments(&mut writer, &rows, of)?;
        let source = inputs.facts.first().map_or(String::new(), |facts| facts.sha256.clone());
        let cohorts: std::collections::BTreeSet<String> =
            rows.iter().map(|row| row.cohort.to_string()).collect();
        let batch = writer.finish(About {
            kind: BatchKind::Adjustment,
            period: cohorts.into_iter().collect::<Vec<_>>().join(";"),
            as_of: None,
            reverses: None,
            paper,
            rules: region.hash(),
            source,
        })?;
        let amount: Fen = rows.iter().map(|row| row.amount).sum();
        let msg = Msg::Adjusted { batch: batch.number, rows: rows.len(), amount };
        self.say(&[msg], || {
            json!({ "batch": batch.number, "head": batch.hash, "rows": rows.len(), "amount": amount.to_string() })
        })
    }

    /// Neither the file nor a row of it may stand in a batch that is in effect, nor a row twice in the file.
    fn not_twice(&self, store: &Store, inputs: &Inputs, rows: &[Adjustment]) -> Result<()> {
        let all = batches(store)?;
        let effect = in_effect(&all);
        let sha256 = inputs.facts.first().map(|facts| facts.sha256.as_str());
        let same = |batch: &&Batch| {
            batch.kind == BatchKind::Adjustment
                && effect[&batch.number]
                && Some(batch.source.as_str()) == sha256
        };
        if let Some(batch) = all.iter().find(same) {
            let what = inputs.names.first().map_or(String::new(), |name| format!("`{name}`"));
            return Err(refuse(Msg::AdjustedBefore { batch: batch.number, what }, None));
        }
        let mut known: BTreeMap<Agreement, Option<u32>> = BTreeMap::new();
        let registered = |number: u32| {
            effect[&number]
                && all.iter().any(|batch| batch.number == number && batch.kind == BatchKind::Adjustment)
        };
        for one in tell::agreed(store, None)?.into_iter().filter(|one| registered(one.batch)) {
            let key = (one.institution, one.source, one.cohort, one.document, one.reason, one.amount);
            known.insert(key, Some(one.batch));
        }
        for row in rows {
            let key = (
                row.institution.clone(),
                row.source.clone(),
                row.cohort.to_string(),
                row.document.clone(),
                row.reason.clone(),
                row.amount,
            );
            let what = || format!("`{} {} {} {}`", row.institution, row.cohort, row.document, row.amount);
            match known.insert(key, None) {
                None => {}
                Some(None) => return Err(stop(Msg::AdjustedTwice { what: what() }, None)),
                Some(Some(batch)) => return Err(refuse(Msg::AdjustedBefore { batch, what: what() }, None)),
            }
        }
        Ok(())
    }

    /// Writes the ledger as CSV files into a new folder. ID numbers are masked.
    pub fn export(&self, folder: &Path) -> Result<Ended> {
        let (_held, store) = self.open(false)?;
        let filled = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if filled || folder.is_file() {
            return Err(stop(Msg::FolderFilled { path: folder.display().to_string() }, None));
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| cannot_write(folder, &error))?;
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        tell::table(&store, "institution", |row| {
            ids.insert(row[0].clone().unwrap_or_default(), row[2].clone().unwrap_or_default());
            Ok(())
        })?;
        let id = |number: &str| ids.get(number).cloned().unwrap_or_default();
        let names = [
            ("batch", "batches.csv"),
            ("institution", "institutions.csv"),
            ("terms", "terms.csv"),
            ("items", "items.csv"),
            ("signing", "signings.csv"),
            ("service", "services.csv"),
            ("score", "scores.csv"),
            ("line", "lines.csv"),
            ("adjustment", "adjustments.csv"),
        ];
        for (table, name) in names {
            let columns = tell::columns(&store, table)?;
            let header: Vec<&str> = columns.iter().map(String::as_str).collect();
            let mut out = Table::create(folder, name, &header, CsvForm::PLAIN)?;
            tell::table(&store, table, |row| {
                let cells = columns.iter().zip(row).map(|(column, cell)| {
                    let cell = cell.unwrap_or_default();
                    match column.as_str() {
                        "person" => own(cell.parse().map_or(cell, |digits| PersonId(digits).masked())),
                        "contract" => own(mask_within(&cell)),
                        "amount" | "gross" | "deduction" | "prepay" | "due" | "final" | "paid"
                            if !cell.is_empty() =>
                        {
                            own(cell.parse().map_or(cell, |fen| Fen(fen).to_string()))
                        }
                        "institution" => own(id(&cell)),
                        "signed_on" | "starts_on" | "term_end" | "ends_on" | "assessed_on" | "day"
                            if cell.len() == 8 =>
                        {
                            own(format!("{}-{}-{}", &cell[..4], &cell[4..6], &cell[6..]))
                        }
                        _ => own(text(&cell)),
                    }
                });
                out.row(cells)
            })?;
            out.finish()?;
            let only_mine = fs::Permissions::from_mode(0o600);
            fs::set_permissions(folder.join(name), only_mine)
                .map_err(|error| cannot_write(folder, &error))?;
        }
        let folder = folder.display().to_string();
        self.say(&[Msg::Exported { folder: folder.clone() }], || json!({ "folder": folder }))
    }
}

/// What tells one adjustment from another: institution, source, cohort, document, reason, amount.
type Agreement = (String, String, String, String, String, Fen);

fn find(all: &[Batch], number: u32) -> Result<&Batch> {
    let last = all.last().map_or(0, |batch| batch.number);
    all.iter()
        .find(|batch| batch.number == number)
        .ok_or_else(|| stop(Msg::NoSuchBatch { number, last }, None))
}

fn file(kind: Kind, path: &Path) -> InputFile {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    InputFile { kind, path: path.to_path_buf(), name }
}

fn default_data(region: &str) -> Option<PathBuf> {
    let data = Path::new("data").join(region);
    data.is_dir().then_some(data)
}

fn read_institutions(data: &Path) -> Result<Institutions> {
    let mut files = folder::list(data)?;
    folder::no_other_form(data, &files, &[Kind::Institutions])?;
    folder::must_have(data, &files, Kind::Institutions)?;
    files.retain(|file| file.kind == Kind::Institutions);
    let mut inputs = Inputs::open(files)?;
    stages::small::institutions(&mut inputs, Watch::NONE)
}

/// The institutions of a data folder; without one, those that the file itself names, which nobody checked.
fn listed(
    inputs: &mut Inputs,
    data: Option<&Path>,
    region: &str,
    kind: Kind,
) -> Result<(Institutions, bool)> {
    match data.map(Path::to_path_buf).or_else(|| default_data(region)) {
        Some(data) => Ok((read_institutions(&data)?, false)),
        None => Ok((stages::small::institutions_named(inputs, kind)?, true)),
    }
}

/// Money is written down whole or not at all: bad rows stop the command, and the first of them are named.
fn whole(inputs: &Inputs, look: Look) -> Result<()> {
    const FIRST: usize = 20;
    let rows = inputs.rejects.len();
    let told = (0..rows.min(FIRST)).map(|at| {
        let Refusal { place, reason, code, .. } = inputs.rejects.get(at);
        let at = format!("{}:{}", inputs.names[place.file as usize], place.line);
        let reason = format!("{code} {}", refusal(look.lang, &reason));
        Diagnostic { fact: Msg::RowRefused { at, reason, rows }, cure: None, clause: None, excerpt: None }
    });
    let diagnostics: Vec<Diagnostic> = told.collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(anyhow::Error::new(Stopped::new(diagnostics))) }
}
