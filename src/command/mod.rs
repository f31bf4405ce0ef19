//! One file a command: what was typed → the pipeline → reports.

pub mod assess;
pub mod check;
mod clock;
pub mod explain;
pub mod ledger;
pub mod merge;
pub mod post;
pub mod rules;
pub mod sample;
pub mod settle;
pub mod verify;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::base::diagnostic::{refuse, stop};
use crate::base::message::Msg;
use crate::base::period::Period;
use crate::intake::folder;
use crate::ledger::store::{self, Store};
use crate::policy::Policy;
use crate::policy::version::{self, Region};
use crate::report::screen::{self, Look};
use crate::stages::Inputs;

use clock::Clock;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Done,
    /// Rows were refused, and `--strict` was given.
    Refused,
    /// What was checked has faults, which were told.
    Faulty,
}

/// What all commands that read have in common.
#[derive(Clone, Copy)]
pub struct Common<'a> {
    pub region: &'a str,
    pub regions: Option<&'a Path>,
    pub threads: Option<usize>,
    pub quiet: bool,
    pub strict: bool,
    pub timings: bool,
    pub json: bool,
    pub look: Look,
}

impl Common<'_> {
    /// The region's rules: `--regions`, else `./regions`, go before those inside the program.
    fn region(&self) -> Result<Region> {
        version::load(self.region, rules_folder(self.regions).as_deref())
    }

    fn data(&self, data: Option<&Path>) -> PathBuf {
        data.map_or_else(|| Path::new("data").join(self.region), Path::to_path_buf)
    }

    fn ledger(&self, ledger: Option<&Path>) -> PathBuf {
        ledger.map_or_else(|| store::usual(self.region), Path::to_path_buf)
    }

    /// Stops the run where a ledger was named that is not there, while another of the region is.
    fn not_another(&self, ledger: &Path, region: &str) -> Result<()> {
        let there = Store::find(ledger, region, false)?.is_some();
        match if there { None } else { store::sibling(ledger, region) } {
            Some(other) => {
                let (path, there) = (ledger.display().to_string(), other.display().to_string());
                Err(refuse(Msg::OtherLedgerThere { path, there }, Some(Msg::NameOrInit)))
            }
            None => Ok(()),
        }
    }

    /// Runs `work` on as many threads as were asked for.
    fn threads<R: Send>(&self, work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build()?;
        pool.install(work)
    }

    /// Looks on while the files of a folder are read.
    fn clock(&self, folder: &Path) -> Clock<'_> {
        Clock::new(self, self.bar(folder))
    }

    /// A bar on a terminal, by bytes of the folder's files.
    fn bar(&self, folder: &Path) -> ProgressBar {
        if self.quiet || self.json || !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let tables = files.filter(|entry| folder::stem(&entry.file_name().to_string_lossy()).is_some());
        let total = tables.filter_map(|entry| entry.metadata().ok()).map(|data| data.len()).sum();
        // What is read in a moment needs no bar.
        if total < 50_000_000 {
            return ProgressBar::hidden();
        }
        let style =
            ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}");
        let bar = ProgressBar::new(total);
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    fn notices(&self, notices: &[Msg]) -> Result<()> {
        if self.quiet || self.json { self.warnings(notices) } else { self.told(notices) }
    }

    /// Says what must be seen before money moves.
    fn warnings(&self, notices: &[Msg]) -> Result<()> {
        let warnings: Vec<Msg> = notices.iter().filter(|notice| notice.warns()).cloned().collect();
        if warnings.is_empty() { Ok(()) } else { self.told(&warnings) }
    }

    fn told(&self, notices: &[Msg]) -> Result<()> {
        seen(screen::notices(&mut io::stderr().lock(), notices, self.look))
    }

    /// Says something that is said even where nothing else is shown.
    fn tell(&self, notice: &Msg) -> Result<()> {
        self.told(std::slice::from_ref(notice))
    }

    /// Where nothing else is shown, figures that nobody confirmed are told all the same.
    fn unconfirmed(&self, region: &Region) -> Result<()> {
        if !self.quiet || self.json {
            return Ok(());
        }
        let figures: Vec<String> = region.versions.iter().flat_map(Policy::open_ids).collect();
        if figures.is_empty() {
            return Ok(());
        }
        self.tell(&Msg::Unconfirmed { figures })
    }

    fn ended(&self, inputs: &Inputs) -> Ended {
        let nothing =
            inputs.notices.iter().any(|notice| matches!(notice, Msg::NoCharges { posted: false, .. }));
        let refused = inputs.refused().next().is_some();
        if self.strict && (refused || nothing) { Ended::Refused } else { Ended::Done }
    }

    /// Prints what `table` writes, or the JSON.
    fn print(
        &self,
        table: impl FnOnce(&mut io::BufWriter<io::StdoutLock>) -> io::Result<()>,
        json: impl FnOnce() -> serde_json::Value,
    ) -> Result<()> {
        if self.quiet && !self.json { Ok(()) } else { print(self.json, table, json) }
    }
}

/// The folder of rule files: the one that was named, else `./regions` where that is there.
fn rules_folder(given: Option<&Path>) -> Option<PathBuf> {
    let here = Path::new("regions");
    given.or_else(|| here.is_dir().then_some(here)).map(Path::to_path_buf)
}

/// Prints what `table` writes, or the JSON.
fn print(
    as_json: bool,
    table: impl FnOnce(&mut io::BufWriter<io::StdoutLock>) -> io::Result<()>,
    json: impl FnOnce() -> serde_json::Value,
) -> Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match as_json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&json())?),
        false => table(&mut out),
    };
    seen(written.and_then(|()| out.flush()))
}

/// Whoever closed the other end has seen enough: no error.
fn seen(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Reads a period; `wanted` says what it should look like.
pub fn period(text: &str, wanted: &'static str, fits: impl Fn(Period) -> bool) -> Result<Period> {
    let period = Period::parse(text.trim()).filter(|period| fits(*period));
    period.ok_or_else(|| stop(Msg::BadPeriod { text: text.to_string(), wanted }, None))
}
