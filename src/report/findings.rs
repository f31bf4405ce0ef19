//! What every file of a settlement is written from: the run, the settings, and rows that several files show, sorted
//! once.

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::place::{Kind, Place};
use crate::intake::refusals::{self, Refusal, Refusals};
use crate::pipeline::Run;
use crate::stages::find::{self, WholeIds};
use crate::words::{Lang, Phrase, capitals, phrase, refusal, say};

use super::flags::Flags;
use super::names;
use super::output::{Output, Posted};
use super::totals::settled;

pub struct Findings<'a> {
    pub run: &'a Run<'a>,
    pub output: &'a Output,
    pub posted: &'a Posted,
    pub flags: Flags<'a>,
    /// Sorted by file and line.
    refused: Vec<u32>,
    /// ID numbers of refused rows, where they are to be shown.
    whole: FxHashMap<Place, WholeIds>,
    /// Whose payments were refused; nothing where a row names no institution that is known.
    unpaid: FxHashSet<Option<u32>>,
}

/// A refused row as every file shows it.
pub struct Refused<'a> {
    pub row: Refusal<'a>,
    pub file: &'a str,
    /// In the language of the file.
    pub reason: String,
}

impl Refused<'_> {
    pub fn code(&self) -> Code {
        self.row.code
    }
}

impl<'a> Findings<'a> {
    pub fn of(run: &'a Run, output: &'a Output, posted: &'a Posted) -> Result<Findings<'a>> {
        let whole = if output.reveal { find::whole_ids(run.inputs)? } else { FxHashMap::default() };
        let (refused, flags) = rayon::join(
            || sorted(&run.inputs.rejects, &run.inputs.names),
            || Flags::sorted(run, output.lang, output.reveal),
        );
        let payments = run.inputs.rejects.iter().enumerate().filter(|(_, row)| row.kind == Kind::Payments);
        let whose =
            |at: usize| run.rules.institutions.find(run.inputs.rejects.get(at).institution.as_bytes());
        let unpaid = payments.map(|(at, _)| whose(at)).collect();
        Ok(Findings { run, output, posted, flags, refused, whole, unpaid })
    }

    pub fn lang(&self) -> Lang {
        self.output.lang
    }

    pub fn refused(&'a self) -> impl Iterator<Item = Refused<'a>> {
        (0..self.refused.len()).map(|at| self.refused_at(at))
    }

    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    pub fn refused_at(&'a self, at: usize) -> Refused<'a> {
        let inputs = self.run.inputs;
        let mut shown = shown(&inputs.rejects, self.refused[at], &inputs.names, self.output.lang);
        if let Some(WholeIds { contract, person }) = self.whole.get(&shown.row.place) {
            // What was left out of a row stays out.
            let whole = |masked: &'a str, whole: &'a str| if masked.is_empty() { "" } else { whole };
            shown.row.contract = whole(shown.row.contract, contract);
            shown.row.person = whole(shown.row.person, person);
        }
        shown
    }

    /// The institution that a refused row names.
    pub fn refused_by(&self, at: usize) -> &'a str {
        self.run.inputs.rejects.get(self.refused[at] as usize).institution
    }
}

impl Findings<'_> {
    pub fn words(&self, what: Phrase, with: &[&str]) -> String {
        phrase(self.lang(), what, with)
    }

    /// What a sheet is about: the policy, its document and the period.
    pub fn about(&self) -> String {
        let run = self.run;
        let policy = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
        let period = names::period(run.rules.period, self.lang());
        self.words(Phrase::DocAbout, &[&policy.name, &policy.document, &period])
    }

    /// The lines that a sheet of money is signed on: the sums in words, who answers for it, what it stands on.
    pub fn foot(&self, all: bool) -> Vec<String> {
        let total = settled(self.run);
        let (payable, recover) = (capitals(total.payable), capitals(total.recover));
        let sums = match all {
            true => self.words(Phrase::DocCapitals, &[&payable, &recover]),
            false => self.words(Phrase::DocCapitalsOne, &[&recover]),
        };
        let mut foot = vec![sums];
        let paper = &self.output.paper;
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        if let Some(document) = &paper.document {
            foot.push(self.words(Phrase::DocPaper, &[document]));
        }
        foot.push(self.words(Phrase::DocSign, &[&word(&paper.operator), &word(&paper.approved_by)]));
        foot.extend(self.doubts());
        foot.extend(self.standing());
        foot
    }

    /// Why the sums may be wrong, as the run says it.
    pub fn doubts(&self) -> Vec<String> {
        self.doubts_where(|_| true)
    }

    /// Why those of one institution may be: what is another's matter stands on no paper of it.
    pub fn doubts_of(&self, institution: u32) -> Vec<String> {
        let concerned = [None, Some(institution)].iter().any(|whose| self.unpaid.contains(whose));
        self.doubts_where(|notice| match notice {
            Msg::PaymentsRefused { .. } => concerned,
            notice => !notice.names_file(),
        })
    }

    fn doubts_where(&self, stands: impl Fn(&Msg) -> bool) -> Vec<String> {
        let doubts = self.run.inputs.notices.iter().filter(|notice| notice.doubts_sums() && stands(notice));
        doubts.map(|notice| self.words(Phrase::DocDoubt, &[&say(self.lang(), notice)])).collect()
    }

    /// What the figures stand on: the ledger as it was, and what nobody confirmed.
    pub fn standing(&self) -> Vec<String> {
        let mut told = vec![match self.run.history.past() {
            Some(past) => self.words(Phrase::DocHead, &[&past.batch.to_string(), &past.head]),
            None => self.words(Phrase::DocNoLedger, &[]),
        }];
        let (open, between) =
            (names::unconfirmed(self.run, self.lang()), self.words(Phrase::DocBetween, &[]));
        if !open.is_empty() {
            told.push(self.words(Phrase::DocUnconfirmed, &[&open.join(&between)]));
        }
        told
    }
}

/// A refused row with its ID number masked, by its number.
pub fn shown<'a>(rejects: &'a Refusals, at: u32, names: &'a [String], lang: Lang) -> Refused<'a> {
    let row = rejects.get(at as usize);
    Refused { file: &names[row.place.file as usize], reason: refusal(lang, &row.reason), row }
}

/// Refused rows by file and line: their numbers.
pub fn sorted(rejects: &Refusals, file_names: &[String]) -> Vec<u32> {
    let files = names::turns(file_names.iter());
    // Of the same place as they came.
    let place =
        |(at, row): (usize, refusals::Refused)| (files[row.place.file as usize], row.place.line, at as u32);
    let mut places: Vec<_> = rejects.iter().enumerate().map(place).collect();
    places.par_sort_unstable();
    places.into_iter().map(|(.., at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::reason::Reason;
    use crate::intake::rows::Reject;

    #[test]
    fn refused_rows_of_one_place_stay_as_they_came() {
        let reject = |(line, contract): (u32, &str)| Reject {
            kind: Kind::Signings,
            place: Place { file: line as u16 % 2, line },
            contract: contract.into(),
            person: String::new(),
            institution: String::new(),
            code: Code::E501,
            reason: Reason::NotInsured,
            clause: None,
        };
        let rejects: Refusals =
            [(3, "a"), (2, "b"), (3, "c"), (1, "d"), (3, "a")].into_iter().map(reject).collect();
        // Files by their names.
        let names = ["z.csv".to_string(), "y.csv".to_string()];
        let sorted = sorted(&rejects, &names);
        assert_eq!(sorted, [3, 0, 2, 4, 1]);
    }
}
