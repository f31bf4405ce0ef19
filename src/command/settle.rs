//! `jiayi settle`: settles a period, writes the reports, and posts the result where that is asked.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use crate::base::message::Msg;
use crate::base::period::{Date, Period};
use crate::ledger::chain::{Batch, Paper, batches};
use crate::ledger::recall;
use crate::ledger::store::{self, Lock, Store};
use crate::ledger::tell;
use crate::pipeline::{self, Asked, Run};
use crate::report::output::{Output, Posted};
use crate::report::{documents, manifest, publish, screen};
use crate::stages::Stage;

use super::post::{self, Ready};
use super::{Common, Ended, rules_folder};

pub struct Settle<'a> {
    pub common: Common<'a>,
    pub period: Period,
    pub as_of: Option<Date>,
    pub data: Option<&'a Path>,
    pub out: Option<&'a Path>,
    pub ledger: Option<&'a Path>,
    /// Who posts, where the result is posted at once.
    pub post: Option<Paper>,
    pub output: Output,
}

pub fn run(settle: &Settle) -> Result<Ended> {
    let started = Instant::now();
    let common = &settle.common;
    let region = common.region()?;
    let data = common.data(settle.data);
    let default = || PathBuf::from("out").join(&region.id).join(settle.period.to_string());
    let out = settle.out.map_or_else(default, Path::to_path_buf);
    let ledger = common.ledger(settle.ledger);
    // What is no ledger of this region is told before anything is locked or read.
    common.not_another(&ledger, &region.id)?;
    // Held until the end: nobody posts between what this run read and what it writes.
    let _lock = Held::of(&ledger, settle.post.is_some())?;
    let clock = common.clock(&data);
    common.threads(|| {
        let store = Store::find(&ledger, &region.id, settle.post.is_some())?;
        clock.begins(Stage::Ledger);
        let past = store.as_ref().map(|store| recall::past(store, None)).transpose()?;
        let posted_before = posted_by(store.as_ref(), past.as_ref().map_or(0, |past| past.batch))?;
        let asked = Asked {
            as_of: settle.as_of,
            past: past.as_ref(),
            recording: settle.post.is_some(),
            last: true,
            ..Asked::of(settle.period)
        };
        let not_yet = (store.is_none() && settle.ledger.is_some() && settle.post.is_none())
            .then(|| Msg::LedgerNotYet { path: ledger.display().to_string() });
        let work = |run: &Run| {
            clock.bar.finish_and_clear();
            clock.begins(Stage::Write);
            if settle.post.is_some() {
                post::may_post(run, settle.post.as_ref())?;
            }
            let manifest = publish::replace(&out, &data, |folder| {
                let manifest = documents::write(run, folder, &settle.output, &posted_before)?;
                run.inputs.must_hold()?;
                let how = json!({
                    "arguments": std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()).collect::<Vec<_>>(),
                    "folder": std::env::current_dir().ok().map(|path| path.display().to_string()),
                    "data": absolute(&data),
                    "out": absolute(&out),
                    "ledger": absolute(&ledger),
                    "regions": rules_folder(common.regions).as_deref().map(absolute),
                    "policy_files": region.versions.iter().flat_map(|version| &version.files).map(|file| &file.name).collect::<Vec<_>>(),
                    "user": std::env::var("USER").ok(),
                    "time": jiff::Timestamp::now().to_string(),
                    "seconds": format!("{}.{:03}", started.elapsed().as_secs(), started.elapsed().subsec_millis()),
                });
                manifest::write_json(folder, "run.json", &how)?;
                Ok(manifest)
            })?;
            common.unconfirmed(&region)?;
            common.notices(&run.inputs.notices)?;
            common.notices(not_yet.as_slice())?;
            let opens = settle.post.is_some() && store.is_none();
            let folder = out.display().to_string();
            let posted = match &settle.post {
                Some(paper) => {
                    clock.begins(Stage::Post);
                    let ready = Ready { run, ledger: &ledger, store: store.as_ref(), manifest: &manifest };
                    let batch = ready.post(paper)?;
                    if opens && batch.is_some() {
                        common.tell(&ready.opened())?;
                    }
                    Some(batch)
                }
                None => None,
            };
            common.print(
                |screen| {
                    screen::settlement(screen, run, &folder, common.look)?;
                    posted.iter().try_for_each(|posted| post::told(screen, posted.as_ref(), common.look))
                },
                || {
                    let mut all = screen::settlement_json(run, &folder, common.look.lang);
                    if let Some(posted) = &posted {
                        all["posted_batch"] = post::told_json(posted.as_ref());
                    }
                    all
                },
            )?;
            clock.tell(run.inputs, |stage| run.rows_of(stage))?;
            Ok(common.ended(run.inputs))
        };
        clock.watch(|watch| pipeline::settle(&region, asked, &data, watch, work))
    })
}

/// What a ledger says beside the lines, up to a batch.
pub fn posted_by(store: Option<&Store>, last: u32) -> Result<Posted> {
    let Some(store) = store else { return Ok(Posted::default()) };
    let all: Vec<Batch> = batches(store)?;
    Ok(Posted::up_to(last, &all, tell::agreed(store, None)?))
}

/// A lock on the ledger, held while this lives.
pub struct Held(#[allow(dead_code)] Option<Lock>);

impl Held {
    pub fn of(ledger: &Path, writing: bool) -> Result<Held> {
        Ok(Held(match writing {
            true => Some(store::lock_to_write(ledger)?),
            false => store::lock_to_read(ledger)?,
        }))
    }
}

pub fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}
