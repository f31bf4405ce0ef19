//! What stops a run: data that the screen renders in the reader's language.

use std::fmt;
use std::ops::Range;

use super::message::Msg;

/// One thing that stops the run: the fact, the cure apart from it, and where it stands.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub fact: Msg,
    pub cure: Option<Msg>,
    /// The article that it is about, where a rule file names one.
    pub clause: Option<String>,
    pub excerpt: Option<Excerpt>,
}

/// A part of a text file, in bytes.
#[derive(Clone, Debug)]
pub struct Excerpt {
    pub path: String,
    pub text: std::sync::Arc<str>,
    pub span: Range<usize>,
}

/// Everything that stops this run, told at once.
#[derive(Debug)]
pub struct Stopped {
    pub diagnostics: Vec<Diagnostic>,
    pub exit: Exit,
}

/// What the program's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Input, rules or disk.
    CannotRun = 1,
    /// The ledger does not let it: posted already, moved on, unconfirmed figures, damaged.
    Ledger = 4,
    /// Another run holds the lock: try later.
    Busy = 75,
}

impl Stopped {
    pub fn new(diagnostics: Vec<Diagnostic>) -> Stopped {
        Stopped { diagnostics, exit: Exit::CannotRun }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.diagnostics)
    }
}

impl std::error::Error for Stopped {}

impl From<Diagnostic> for anyhow::Error {
    fn from(diagnostic: Diagnostic) -> anyhow::Error {
        anyhow::Error::new(Stopped::new(vec![diagnostic]))
    }
}

/// An error that stops the run with a fact and its cure.
pub fn stop(fact: Msg, cure: Option<Msg>) -> anyhow::Error {
    Diagnostic { fact, cure, clause: None, excerpt: None }.into()
}

/// What the ledger refuses, and what to do.
pub fn refuse(fact: Msg, cure: Option<Msg>) -> anyhow::Error {
    ended(fact, cure, Exit::Ledger)
}

/// Another run is at it: try later.
pub fn busy(fact: Msg) -> anyhow::Error {
    ended(fact, Some(Msg::TryLater), Exit::Busy)
}

fn ended(fact: Msg, cure: Option<Msg>, exit: Exit) -> anyhow::Error {
    let diagnostics = vec![Diagnostic { fact, cure, clause: None, excerpt: None }];
    anyhow::Error::new(Stopped { diagnostics, exit })
}

/// What `wanted` was probably meant to be: the nearest of `known` by edits, if any is near.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(1);
    // Each edit takes away at most one of the characters that a name is made of: most names are told apart by that.
    let made_of = |name: &str| name.chars().fold(0u64, |all, c| all | 1 << (u32::from(c) & 63));
    let of_wanted = made_of(&wanted);
    let may_be = |name: &String| {
        let of_name = made_of(name);
        let most = (of_wanted & !of_name).count_ones().max((of_name & !of_wanted).count_ones());
        most as usize <= limit
    };
    known
        .into_iter()
        .map(|name| (name.to_lowercase(), name))
        .filter(|(lower, _)| may_be(lower))
        .map(|(lower, name)| (strsim::osa_distance(&wanted, &lower), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}
