//! What every file of a settlement is written from: the run, the settings, and rows that several files show, sorted
//! once.

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::place::{Kind, Place};
use crate::intake::rows::Reject;
use crate::pipeline::Run;
use crate::stages::find::{self, WholeIds};
use crate::words::{Lang, Phrase, capitals, phrase, say};

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
    refused: Vec<&'a Reject>,
    /// ID numbers of refused rows, where they are to be shown.
    whole: FxHashMap<Place, WholeIds>,
    /// Whose payments were refused; nothing where a row names no institution that is known.
    unpaid: FxHashSet<Option<u32>>,
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
        let payments = refused.iter().filter(|reject| reject.kind == Kind::Payments);
        let whose = |reject: &&Reject| run.rules.institutions.find(reject.institution.as_bytes());
        let unpaid = payments.map(whose).collect();
        Ok(Findings { run, output, posted, flags, refused, whole, unpaid })
    }

    pub fn lang(&self) -> Lang {
        self.output.lang
    }

    pub fn refused(&'a self) -> impl Iterator<Item = Refused<'a>> {
        self.refused.iter().map(|reject| self.shown(reject))
    }

    /// What they are rows of.
    pub fn rejects(&self) -> &[&'a Reject] {
        &self.refused
    }

    pub fn refused_at(&'a self, at: usize) -> Refused<'a> {
        self.shown(self.refused[at])
    }

    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// A refused row as every file shows it.
    pub fn shown(&'a self, reject: &'a Reject) -> Refused<'a> {
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

/// A refused row with its ID number masked.
pub fn shown<'a>(reject: &'a Reject, names: &'a [String], lang: Lang) -> Refused<'a> {
    Refused {
        reject,
        file: &names[reject.place.file as usize],
        contract: &reject.contract,
        person: &reject.person,
        reason: say(lang, &reject.reason),
    }
}

/// Refused rows by file and line.
pub fn sorted<'a>(rejects: &'a [Reject], file_names: &[String]) -> Vec<&'a Reject> {
    let files = names::turns(file_names.iter());
    // By numbers, which lie closer together than the rows; of the same place as they came.
    let place = |(at, reject): (usize, &Reject)| (files[reject.place.file as usize], reject.place.line, at);
    let mut places: Vec<_> = rejects.par_iter().enumerate().map(place).collect();
    places.par_sort_unstable();
    places.into_par_iter().map(|(.., at)| &rejects[at]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_rows_of_one_place_stay_as_they_came() {
        let reject = |(line, contract): (u32, &str)| Reject {
            kind: Kind::Signings,
            place: Place { file: line as u16 % 2, line },
            contract: contract.into(),
            person: String::new(),
            institution: String::new(),
            code: Code::E501,
            reason: Msg::NotInsured,
            clause: None,
        };
        let rejects: Vec<Reject> =
            [(3, "a"), (2, "b"), (3, "c"), (1, "d"), (3, "a")].into_iter().map(reject).collect();
        // Files by their names.
        let names = ["z.csv".to_string(), "y.csv".to_string()];
        let sorted = sorted(&rejects, &names);
        let told: Vec<&str> = sorted.iter().map(|reject| reject.contract.as_str()).collect();
        assert_eq!(told, ["d", "a", "c", "a", "b"]);
        assert!(std::ptr::eq(sorted[1], &rejects[0]));
    }
}
