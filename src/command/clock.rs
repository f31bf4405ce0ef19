//! How a run goes on: a bar while it reads, and how long each of its stages took. Nothing that is computed sees
//! any of it.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::ProgressBar;

use crate::report::timings::{self, Timed};
use crate::stages::{Inputs, Stage, Watch};
use crate::words::label;

use super::{Common, seen};

/// Looks on while a run goes.
pub struct Clock<'a> {
    common: &'a Common<'a>,
    pub bar: ProgressBar,
    /// What began when.
    begun: Mutex<Vec<(Stage, Instant)>>,
}

impl<'a> Clock<'a> {
    pub fn new(common: &'a Common<'a>, bar: ProgressBar) -> Clock<'a> {
        Clock { common, bar, begun: Mutex::default() }
    }

    /// Runs `work` under its eyes.
    pub fn watch<R>(&self, work: impl FnOnce(Watch) -> R) -> R {
        work(Watch { bytes: &|bytes| self.bar.inc(bytes), begins: &|stage| self.begins(stage) })
    }

    pub fn begins(&self, stage: Stage) {
        self.begun.lock().expect("no panic holds it").push((stage, Instant::now()));
        self.bar.set_message(label(self.common.look.lang, timings::title(stage)));
    }

    /// Prints what each stage took up to now, where that was asked for.
    pub fn tell(&self, inputs: &Inputs, rows: impl Fn(Stage) -> Option<u64>) -> Result<()> {
        if !self.common.timings {
            return Ok(());
        }
        let begun = self.begun.lock().expect("no panic holds it");
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([Instant::now()]);
        let timed: Vec<Timed> = begun
            .iter()
            .zip(ends)
            .map(|((stage, from), to)| Timed { stage: *stage, took: to - *from, rows: rows(*stage) })
            .collect();
        let hashing: Duration = inputs.facts.iter().map(|facts| facts.hashing).sum();
        let bytes = inputs.facts.iter().map(|facts| facts.bytes).sum();
        seen(timings::print(&mut io::stderr().lock(), &timed, (hashing, bytes), self.common.look))
    }
}
