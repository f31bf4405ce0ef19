//! What every file of a settlement is written from: the run, the settings, and rows that several files show, sorted
//! once.

use anyhow::Result;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::place::Place;
use crate::intake::rows::Reject;
use crate::pipeline::Run;
use crate::stages::find::{self, WholeIds};
use crate::words::{Lang, say};

use super::flags::Flags;
use super::output::{Output, Posted};

pub struct Findings<'a> {
    pub run: &'a Run<'a>,
    pub output: &'a Output,
    pub posted: &'a Posted,
    pub flags: Flags<'a>,
    /// Sorted by file and line.
    refused: Vec<&'a Reject>,
    /// ID numbers of refused rows, where they are to be shown.
    whole: FxHashMap<Place, WholeIds>,
}

/// A refused row as every file shows it.
pub struct Refused<'a> {
    pub reject: &'a Reject,
    pub file: &'a str,
    pub contract: &'a str,
    pub person: &'a str,
    pub reason: String,
}

impl Refused<'_> {
    pub fn code(&self) -> Code {
        self.reject.code
    }
}

impl<'a> Findings<'a> {
    pub fn of(run: &'a Run, output: &'a Output, posted: &'a Posted) -> Result<Findings<'a>> {
        let whole = if output.reveal { find::whole_ids(run.inputs)? } else { FxHashMap::default() };
        let (refused, flags) = rayon::join(
            || sorted(&run.inputs.rejects, &run.inputs.names),
            || Flags::sorted(run, output.lang, output.reveal),
        );
        Ok(Findings { run, output, posted, flags, refused, whole })
    }

    pub fn lang(&self) -> Lang {
        self.output.lang
    }

    pub fn refused(&'a self) -> impl Iterator<Item = Refused<'a>> {
        self.refused.iter().map(|reject| self.row(reject))
    }

    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    fn row(&'a self, reject: &'a Reject) -> Refused<'a> {
        let row = shown(reject, &self.run.inputs.names, self.output.lang);
        match self.whole.get(&reject.place) {
            // What was left out of a row stays out.
            Some(whole) => Refused {
                contract: if reject.contract.is_empty() { "" } else { &whole.contract },
                person: if reject.person.is_empty() { "" } else { &whole.person },
                ..row
            },
            None => row,
        }
    }
}

fn shown<'a>(reject: &'a Reject, names: &'a [String], lang: Lang) -> Refused<'a> {
    Refused {
        reject,
        file: &names[reject.place.file as usize],
        contract: &reject.contract,
        person: &reject.person,
        reason: say(lang, &reject.reason),
    }
}

fn sorted<'a>(rejects: &'a [Reject], names: &[String]) -> Vec<&'a Reject> {
    let mut sorted: Vec<&Reject> = rejects.iter().collect();
    sorted.sort_by_key(|reject| (&names[reject.place.file as usize], reject.place.line));
    sorted
}

/// Refused rows without a settlement, with their ID numbers masked.
pub fn refused<'a>(rejects: &'a [Reject], names: &'a [String], lang: Lang) -> Vec<Refused<'a>> {
    sorted(rejects, names).into_iter().map(|reject| shown(reject, names, lang)).collect()
}
