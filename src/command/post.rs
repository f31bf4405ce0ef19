//! `jiayi post`: computes a settlement again from its inputs, sees that it is the same, and writes it into the
//! ledger.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::base::diagnostic::{Diagnostic, Exit, Stopped, refuse, stop};
use crate::base::message::Msg;
use crate::base::period::{Date, Period};
use crate::base::place::Kind;
use crate::ledger::chain::{Batch, BatchKind, Paper, batches, in_effect};
use crate::ledger::post::{Posting, opening, settlement};
use crate::ledger::recall;
use crate::ledger::store::Store;
use crate::ledger::writer::{About, Writer};
use crate::pipeline::{self, Asked, Run};
use crate::policy::version::{self, Region};
use crate::report::documents;
use crate::report::names;
use crate::report::output::Output;
use crate::report::publish::{self, Aside};
use crate::report::screen::Look;
use crate::report::written::hex;
use crate::stages::Stage;
use crate::words::say;

use super::settle::{Held, posted_by};
use super::{Common, Ended};

pub struct Post<'a> {
    pub common: Common<'a>,
    pub out: &'a Path,
    pub data: Option<&'a Path>,
    pub ledger: Option<&'a Path>,
    pub paper: Paper,
}

/// A folder that settle wrote, as its manifest and run.json tell of it.
pub struct Written {
    pub folder: PathBuf,
    pub text: String,
    pub manifest: Value,
    pub region: String,
    pub period: Period,
    pub as_of: Option<Date>,
    pub output: Output,
    how: Value,
}

impl Written {
    pub fn read(folder: &Path) -> Result<Written> {
        let text = fs::read_to_string(folder.join("manifest.json")).unwrap_or_default();
        let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
        let word = |name: &str| manifest[name].as_str().map(str::to_string);
        let (region, period) = (word("region"), word("period").and_then(|text| Period::parse(&text)));
        let (Some(region), Some(period)) = (region, period) else {
            return Err(stop(Msg::NotAnOutput { path: folder.display().to_string() }, None));
        };
        let how = fs::read_to_string(folder.join("run.json")).unwrap_or_default();
        Ok(Written {
            folder: folder.to_path_buf(),
            region,
            period,
            as_of: word("as_of").and_then(|day| day.parse().ok()),
            output: Output::of_manifest(&manifest),
            how: serde_json::from_str(&how).unwrap_or_default(),
            text,
            manifest,
        })
    }

    /// A folder that run.json names, unless another is given.
    pub fn path(&self, given: Option<&Path>, name: &str) -> Option<PathBuf> {
        given.map(Path::to_path_buf).or_else(|| self.how[name].as_str().map(PathBuf::from))
    }

    /// The batch of the ledger that it was settled at; 0 where there was no ledger.
    pub fn batch(&self) -> u32 {
        self.manifest["ledger"]["batch"].as_u64().and_then(|batch| u32::try_from(batch).ok()).unwrap_or(0)
    }

    pub fn head(&self) -> &str {
        self.manifest["ledger"]["head"].as_str().unwrap_or_default()
    }

    /// Name and hash of each entry of a list of the manifest.
    pub fn listed(&self, list: &str, name: &str) -> Vec<(String, String)> {
        let entries = self.manifest[list].as_array().cloned().unwrap_or_default();
        let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_string();
        entries.iter().map(|entry| (word(entry, name), word(entry, "sha256"))).collect()
    }

    /// The hash of the manifest itself.
    pub fn hash(&self) -> String {
        hex(&Sha256::digest(self.text.as_bytes()))
    }

    /// Outputs that are not what the manifest says, each as it is `called`.
    pub fn changed_outputs(&self, called: impl Fn(&str) -> String) -> Vec<Msg> {
        let changed = |(name, sha256): (String, String)| {
            let file = called(&name);
            match fs::read(self.folder.join(name)) {
                Ok(bytes) if hex(&Sha256::digest(&bytes)) == sha256 => None,
                Ok(_) => Some(Msg::OutputChanged { file }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Msg::OutputGone { file }),
                Err(error) => Some(Msg::CannotRead { path: file, why: (&error).into() }),
            }
        };
        self.listed("outputs", "file").into_iter().filter_map(changed).collect()
    }

    /// Figures that nobody had confirmed.
    pub fn unconfirmed(&self) -> Vec<String> {
        let local = self.manifest["local"].as_array().into_iter().flatten();
        let open = local.filter(|figure| figure["confirmed"] != true);
        let word = |figure: &Value, key: &str| figure[key].as_str().unwrap_or_default().to_string();
        open.map(|figure| format!("{} {}", word(figure, "policy"), word(figure, "figure"))).collect()
    }

    /// What of the rules at hand is not what the manifest says.
    pub fn changed_rules(&self, region: &Region) -> Vec<Msg> {
        let here = region.versions.iter().flat_map(|version| {
            version.files.iter().map(|file| (file.id(), hex(&Sha256::digest(file.text.as_bytes()))))
        });
        let (here, then) = (here.collect::<Vec<_>>(), self.listed("policies", "policy"));
        let differ = here
            .iter()
            .filter(|one| !then.contains(one))
            .chain(then.iter().filter(|one| !here.contains(one)));
        let mut ids: Vec<String> = differ.map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids.into_iter().map(|policy| Msg::RulesChanged { policy }).collect()
    }

    /// What of the inputs that a run read is not what the manifest says.
    pub fn changed_inputs(&self, run: &Run) -> Vec<Msg> {
        let then = self.listed("inputs", "file");
        let mut changed = Vec::new();
        for facts in &run.inputs.facts {
            match then.iter().find(|(name, _)| *name == facts.name) {
                Some((_, sha256)) if *sha256 == facts.sha256 => {}
                Some(_) => changed.push(Msg::InputChanged { file: facts.name.clone() }),
                None => changed.push(Msg::InputNew { file: facts.name.clone() }),
            }
        }
        let gone =
            then.into_iter().filter(|(name, _)| run.inputs.facts.iter().all(|facts| facts.name != *name));
        changed.extend(gone.map(|(file, _)| Msg::InputMissing { file }));
        changed
    }
}

pub fn run(post: &Post) -> Result<Ended> {
    let written = Written::read(post.out)?;
    let common = Common { region: &written.region, ..post.common };
    if let Some(changed) = written.changed_outputs(str::to_string).into_iter().next() {
        return Err(refuse(changed, Some(Msg::SettleAgain)));
    }
    let regions = written.path(common.regions, "regions");
    let region = match &regions {
        Some(folder) => version::load(&written.region, Some(folder))?,
        None => common.region()?,
    };
    if let Some(changed) = written.changed_rules(&region).into_iter().next() {
        return Err(refuse(changed, Some(Msg::SettleAgain)));
    }
    let paper = who_answers(&written.output.paper, &post.paper)?;
    let data = written.path(post.data, "data").unwrap_or_else(|| common.data(None));
    let ledger = written.path(post.ledger, "ledger").unwrap_or_else(|| common.ledger(None));
    let there = Store::find(&ledger, &region.id, false)?.is_some();
    if !there && !written.head().is_empty() {
        let fact = Msg::NoLedger { path: ledger.display().to_string() };
        return Err(refuse(fact, Some(Msg::OtherLedger)));
    }
    common.not_another(&ledger, &region.id)?;
    let _lock = Held::of(&ledger, true)?;
    let clock = common.clock(&data);
    common.threads(|| {
        let store = Store::find(&ledger, &region.id, true)?;
        clock.begins(Stage::Ledger);
        let past = store.as_ref().map(|store| recall::past(store, None)).transpose()?;
        if past.as_ref().map_or("", |past| &past.head) != written.head() {
            return Err(moved_on(store.as_ref(), &written)?);
        }
        let asked =
            Asked { as_of: written.as_of, past: past.as_ref(), recording: true, ..Asked::of(written.period) };
        let work = |run: &Run| {
            clock.bar.finish_and_clear();
            clock.begins(Stage::Write);
            if let Some(changed) = written.changed_inputs(run).into_iter().next() {
                return Err(refuse(changed, Some(Msg::SettleAgain)));
            }
            may_post(run, Some(&paper))?;
            common.warnings(&run.inputs.notices)?;
            same_bytes(run, &written, (&ledger, store.as_ref()))?;
            clock.begins(Stage::Post);
            let ready = Ready { run, ledger: &ledger, store: store.as_ref(), manifest: &written.manifest };
            let batch = ready.post(&paper)?;
            if store.is_none() && batch.is_some() {
                common.tell(&ready.opened())?;
            }
            common.print(|screen| told(screen, batch.as_ref(), common.look), || told_json(batch.as_ref()))?;
            clock.tell(run.inputs, |stage| run.rows_of(stage))?;
            Ok(Ended::Done)
        };
        clock.watch(|watch| pipeline::settle(&region, asked, &data, watch, work))
    })
}

/// Whoever the documents name answers for the batch; who is named at the posting must be the same.
fn who_answers(printed: &Paper, given: &Paper) -> Result<Paper> {
    let one = |printed: &Option<String>, given: &Option<String>| match (printed, given) {
        (Some(printed), Some(given)) if printed != given => {
            let (printed, given) = (printed.clone(), given.clone());
            Err(refuse(Msg::OtherPaper { printed, given }, Some(Msg::SettleAgain)))
        }
        _ => Ok(given.clone().or_else(|| printed.clone())),
    };
    Ok(Paper {
        operator: one(&printed.operator, &given.operator)?,
        approved_by: one(&printed.approved_by, &given.approved_by)?,
        document: one(&printed.document, &given.document)?,
        time: given.time.clone(),
    })
}

/// The ledger is at another batch than the settlement was made at: perhaps this very one was posted.
fn moved_on(store: Option<&Store>, written: &Written) -> Result<anyhow::Error> {
    let all = store.map(batches).transpose()?.unwrap_or_default();
    let source = written.hash();
    let effect = in_effect(&all);
    let same = |batch: &&Batch| {
        batch.source == source && effect[&batch.number] && batch.kind == BatchKind::Settlement
    };
    if let Some(batch) = all.iter().find(same) {
        return Ok(refuse(Msg::AlreadyPosted { batch: batch.number }, None));
    }
    let (batch, then) = (all.last().map_or(0, |batch| batch.number), written.batch());
    Ok(refuse(Msg::LedgerMoved { batch, then }, Some(Msg::SettleAgain)))
}

/// How a folder starts that holds a settlement computed again.
const ASIDE: &str = ".jiayi-post-";

/// Writes all outputs aside, where personal data may be, and compares them with those that are posted.
fn same_bytes(run: &Run, written: &Written, (ledger, store): (&Path, Option<&Store>)) -> Result<()> {
    let beside = ledger.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let only_mine = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    // What a run that was killed left there is nobody's: whoever posts holds the lock.
    for left in fs::read_dir(beside).into_iter().flatten().flatten() {
        if left.file_name().to_string_lossy().starts_with(ASIDE) {
            let _ = fs::remove_dir_all(left.path());
        }
    }
    let aside = tempfile::Builder::new().prefix(ASIDE).permissions(only_mine).tempdir_in(beside);
    let aside = aside.map_err(|error| publish::cannot_write(beside, &error))?;
    let aside = Aside::new(aside, beside);
    let posted = posted_by(store, written.batch())?;
    let manifest = documents::write(run, aside.path(), &written.output, &posted)?;
    if manifest == written.manifest {
        return Ok(());
    }
    let (wrote, here) = (&written.manifest["program"], &manifest["program"]);
    if wrote != here {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let fact = Msg::OtherProgram { wrote: word(wrote), here: word(here) };
        return Err(refuse(fact, Some(Msg::SettleAgain)));
    }
    let then = written.listed("outputs", "file");
    let now = manifest["outputs"].as_array().cloned().unwrap_or_default();
    let differs = now.iter().find_map(|output| {
        let name = output["file"].as_str().unwrap_or_default().to_string();
        let same = then.iter().any(|(file, sha256)| *file == name && output["sha256"] == **sha256);
        (!same).then_some(name)
    });
    let file = differs.unwrap_or_else(|| "manifest.json".to_string());
    Err(refuse(Msg::OtherBytes { file }, Some(Msg::SettleAgain)))
}

/// Refuses to post figures that nobody confirmed, and where the rules want two people and there are not two.
pub fn may_post(run: &Run, paper: Option<&Paper>) -> Result<()> {
    let used = names::versions(run);
    let figures: Vec<String> = used.iter().flat_map(|version| version.open_ids()).collect();
    if !figures.is_empty() {
        return Err(refuse(Msg::UnconfirmedPost { figures }, Some(Msg::ConfirmFigures)));
    }
    // The opening balances of a new ledger must be whole.
    let refused = run.inputs.rejects.iter().filter(|reject| reject.kind == Kind::Payments).count() as u64;
    if refused > 0 {
        return Err(refuse(Msg::PaymentsFaulty { rows: refused }, Some(Msg::MendPayments)));
    }
    two_people(used.into_iter(), paper)
}

/// Some rules want two different people.
pub fn two_people<'a>(
    versions: impl Iterator<Item = &'a crate::policy::Policy>,
    paper: Option<&Paper>,
) -> Result<()> {
    let Some(rule) = versions.filter_map(|version| version.two_people.as_ref()).next() else { return Ok(()) };
    let name = |name: Option<&String>| name.map(|name| name.trim().to_lowercase()).unwrap_or_default();
    let (operator, approver) = (
        name(paper.and_then(|paper| paper.operator.as_ref())),
        name(paper.and_then(|paper| paper.approved_by.as_ref())),
    );
    if operator.is_empty() || approver.is_empty() || operator == approver {
        let (cure, clause) = (Some(Msg::NamePeople), Some(rule.to_string()));
        let diagnostics = vec![Diagnostic { fact: Msg::TwoPeople, cure, clause, excerpt: None }];
        return Err(anyhow::Error::new(Stopped { diagnostics, exit: Exit::Ledger }));
    }
    Ok(())
}

/// A run whose outputs are written, ready to be posted. The lock on the ledger is held.
pub struct Ready<'a> {
    pub run: &'a Run<'a>,
    pub ledger: &'a Path,
    pub store: Option<&'a Store>,
    pub manifest: &'a Value,
}

impl Ready<'_> {
    /// Says which ledger is a new one.
    pub fn opened(&self) -> Msg {
        let here = std::env::current_dir().unwrap_or_default();
        let path = self.ledger.strip_prefix(&here).unwrap_or(self.ledger);
        Msg::NewLedger { path: path.display().to_string(), opening: self.run.rules.period }
    }

    /// Posts in one transaction; nothing where nothing moved. Where there is no ledger yet it is made, and what
    /// payments say is its opening balance.
    pub fn post(&self, paper: &Paper) -> Result<Option<Batch>> {
        let (run, region) = (self.run, self.run.rules.region);
        let made;
        let store = match self.store {
            Some(store) => store,
            None => {
                made = Store::create(self.ledger, &region.id, run.rules.period)?;
                &made
            }
        };
        let about = |kind, source| About {
            kind,
            period: run.rules.period.to_string(),
            as_of: run.rules.as_of.map(|day| day.to_string()),
            reverses: None,
            paper: paper.clone(),
            rules: run.rules_hash.to_string(),
            source,
        };
        let mut text = serde_json::to_string_pretty(self.manifest)?;
        text.push('\n');
        let source = hex(&Sha256::digest(text.as_bytes()));
        let mut head = run.history.past().map_or(String::new(), |past| past.head.clone());
        if self.store.is_none() && !run.payments.is_empty() {
            let mut writer = Writer::begin(store, "")?;
            let institution = |number| run.rules.institutions.get(number).clone();
            let policy =
                |cohort: Period| region.versions[run.rules.version_on(cohort.first_day())].id.clone();
            // Older cohorts count as settled elsewhere.
            let from = run.rules.period.first_day();
            let payments = run.payments.iter().filter(|((cohort, ..), _)| cohort.first_day() >= from);
            let payments = payments.map(|(key, amount)| (key.clone(), *amount)).collect();
            opening(&mut writer, &payments, institution, policy)?;
            head = writer.close(about(BatchKind::Opening, source.clone()))?.batch.hash;
        }
        let mut writer = Writer::begin(store, &head)?;
        let posting = Posting {
            rules: run.rules,
            history: run.history,
            qualified: run.qualified,
            evidence: run.evidence,
            scores: run.scores,
            details: run.details,
            settlement: run.settlement,
            rules_hash: run.rules_hash,
        };
        settlement(&mut writer, &posting)?;
        if writer.is_empty() {
            return Ok(None);
        }
        writer.finish(about(BatchKind::Settlement, source)).map(Some)
    }
}

/// Says what was posted.
pub fn told(screen: &mut impl Write, batch: Option<&Batch>, look: Look) -> io::Result<()> {
    match batch {
        Some(batch) => {
            let msg = Msg::Posted { batch: batch.number, head: batch.hash.clone() };
            writeln!(screen, "{}", say(look.lang, &msg))
        }
        None => writeln!(screen, "{}", say(look.lang, &Msg::NothingToPost)),
    }
}

pub fn told_json(batch: Option<&Batch>) -> Value {
    match batch {
        Some(batch) => json!({ "batch": batch.number, "head": batch.hash }),
        None => Value::Null,
    }
}
