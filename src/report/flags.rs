//! flags.csv: the flags of signings, institutions and swipes as one sorted list.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::shortest;
use crate::base::person::mask_within;
use crate::base::place::Place;
use crate::intake::rows::TOGETHER;
use crate::pipeline::Run;
use crate::policy::CapOf;
use crate::settlement::contracts::ContractId;
use crate::settlement::evidence::SwipeFlag;
use crate::settlement::flags::{Detail, Flag};
use crate::settlement::qualify::Signing;
use crate::words::{Lang, say};

use super::findings::Findings;
use super::names;
use super::written::{Table, Written, maybe, text};

/// A flag of either kind.
#[derive(Clone, Copy)]
enum Raised<'a> {
    Swipe(&'a SwipeFlag),
    Other(&'a Flag),
}

impl Raised<'_> {
    fn code(&self) -> Code {
        match self {
            Raised::Swipe(flag) => flag.code,
            Raised::Other(flag) => flag.code,
        }
    }

    /// The number of the signing that it is of.
    fn signing(&self) -> Option<u32> {
        match self {
            Raised::Swipe(flag) => Some(flag.signing),
            Raised::Other(flag) => flag.signing,
        }
    }

    fn institution(&self, run: &Run) -> u32 {
        match self {
            Raised::Swipe(flag) => run.qualified.signings.faces()[flag.signing as usize].institution(),
            Raised::Other(flag) => flag.institution,
        }
    }

    fn place(&self) -> Option<Place> {
        match self {
            Raised::Swipe(flag) => Some(flag.place),
            Raised::Other(flag) => flag.place,
        }
    }

    fn detail(&self, run: &Run, lang: Lang) -> Msg {
        let item = |flag: &SwipeFlag| {
            let offer = run.qualified.signings.faces()[flag.signing as usize].offer();
            let named = run.rules.item_named(offer, flag.item);
            let called = named.map(|named| if lang == Lang::Zh { &named.name } else { &named.id });
            called.map_or(run.rules.item_title(flag.item), String::as_str).to_string()
        };
        let at = |place: Place| format!("{}:{}", run.inputs.names[place.file as usize], place.line);
        match self {
            Raised::Swipe(flag) if flag.code == Code::W701 => {
                Msg::ChargedSeparately { item: item(flag), amount: flag.charged }
            }
            Raised::Swipe(flag) if flag.code == Code::W707 => Msg::ClaimedBeside { item: item(flag) },
            Raised::Swipe(flag) => {
                Msg::SwipedElsewhere { institution: run.rules.institutions.get(flag.institution).id.clone() }
            }
            Raised::Other(flag) => match &flag.detail {
                Detail::PaidBelow { paid, share } => Msg::PaidBelow { paid: *paid, share: *share },
                Detail::ClearedBefore { cohort, batch } => {
                    Msg::ClearedBefore { cohort: *cohort, batch: *batch }
                }
                Detail::SignedLate { cohort, assessed_on } => {
                    Msg::SignedLate { cohort: *cohort, assessed_on: *assessed_on }
                }
                Detail::TeamTooLarge { of, team, people, most } => {
                    let doctor = *of == CapOf::Doctor;
                    Msg::TeamTooLarge { doctor, team: team.clone(), people: *people, most: *most }
                }
                Detail::OverCap { most } => Msg::OverCap { most: *most },
                Detail::ScoreMissing { cohort, level } => {
                    Msg::ScoreMissing { cohort: *cohort, level: names::level(run.rules, level, lang) }
                }
                Detail::NoServiceRecord { from, asked } => {
                    Msg::NoServiceRecord { from: *from, asked: *asked }
                }
                Detail::NotAuthorized { source } => Msg::NotAuthorized { source: source.clone() },
                Detail::ScoreReplaced { score, by, at: place } => {
                    Msg::ScoreReplaced { score: shortest(*score), by: shortest(*by), at: at(*place) }
                }
            },
        }
    }
}

/// The signings that some flags are of. They come from memory: what a few dozen wait for they wait for together.
fn signed(flags: &[Raised], run: &Run) -> Vec<Option<Signing>> {
    flags.iter().map(|flag| Some(run.qualified.signings.get(flag.signing()? as usize))).collect()
}

/// How many flags of each code there are.
pub fn flag_counts(run: &Run) -> BTreeMap<Code, u64> {
    let of_swipes = run.evidence.flags.iter().map(|flag| flag.code);
    counts_of(of_swipes.chain(run.settlement.flags.iter().map(|flag| flag.code)))
}

/// How many there are of each code.
pub fn counts_of(codes: impl Iterator<Item = Code>) -> BTreeMap<Code, u64> {
    let mut counts = FxHashMap::default();
    codes.for_each(|code| *counts.entry(code).or_default() += 1);
    counts.into_iter().collect()
}

/// All flags of a run, sorted by code, institution, contract, file and line.
pub struct Flags<'a> {
    run: &'a Run<'a>,
    lang: Lang,
    reveal: bool,
    /// Their numbers.
    order: Vec<u32>,
}

/// What flags are sorted by; of the same place as they came.
struct Key {
    code: Code,
    institution: u32,
    contract: Option<ContractId>,
    place: Option<(u32, u32)>,
    number: u32,
}

/// A flag as every file shows it.
pub struct FlagRow<'a> {
    pub code: Code,
    pub institution: u32,
    pub contract: String,
    pub person: Option<String>,
    pub place: Option<(&'a str, u32)>,
    pub detail: String,
    pub clause: Option<&'a str>,
}

impl<'a> Flags<'a> {
    pub fn sorted(run: &'a Run<'a>, lang: Lang, reveal: bool) -> Flags<'a> {
        let mut flags = Flags { run, lang, reveal, order: Vec::new() };
        // Names by their turn: numbers are quicker to compare, and take less room.
        let files = names::turns(run.inputs.names.iter());
        let institutions = names::turns(
            (0..run.rules.institutions.count()).map(|at| &run.rules.institutions.get(at as u32).id),
        );
        let contracts = &run.qualified.contracts;
        let key = |number: usize| {
            let flag = flags.raised(number as u32);
            let contract = flag.signing().map(|signing| run.qualified.signings.contract(signing as usize));
            let place = flag.place().map(|place| (files[place.file as usize], place.line));
            let institution = institutions[flag.institution(run) as usize];
            Key { code: flag.code(), institution, contract, place, number: number as u32 }
        };
        let count = run.evidence.flags.len() + run.settlement.flags.len();
        let mut keys: Vec<Key> = (0..count).into_par_iter().map(key).collect();
        keys.par_sort_unstable_by(|a, b| {
            let contract = |key: &Key| key.contract.is_some();
            (a.code, a.institution)
                .cmp(&(b.code, b.institution))
                .then_with(|| match (a.contract, b.contract) {
                    (Some(a), Some(b)) => contracts.compare(a, b),
                    _ => contract(a).cmp(&contract(b)),
                })
                .then_with(|| (a.place, a.number).cmp(&(b.place, b.number)))
        });
        flags.order = keys.into_iter().map(|key| key.number).collect();
        flags
    }

    /// A flag by its number: those of swipes come first.
    fn raised(&self, number: u32) -> Raised<'a> {
        let (swipes, number) = (&self.run.evidence.flags, number as usize);
        match swipes.get(number) {
            Some(flag) => Raised::Swipe(flag),
            None => Raised::Other(&self.run.settlement.flags[number - swipes.len()]),
        }
    }

    pub fn count(&self) -> usize {
        self.order.len()
    }

    /// Those of a part of the list.
    pub fn rows(&'a self, part: Range<usize>) -> impl Iterator<Item = FlagRow<'a>> {
        // Of a province, a signing is waited for from memory: those of some dozens together.
        self.order[part].chunks(TOGETHER).flat_map(|numbers| {
            let flags: Vec<Raised> = numbers.iter().map(|number| self.raised(*number)).collect();
            let signed = signed(&flags, self.run);
            flags.into_iter().zip(signed).map(|(flag, signed)| self.row(flag, signed))
        })
    }

    /// Where the flags of each institution stand, by its number.
    pub fn by_institution(&self) -> Vec<Vec<usize>> {
        let mut by = vec![Vec::new(); self.run.rules.institutions.count()];
        for (at, number) in self.order.iter().enumerate() {
            by[self.raised(*number).institution(self.run) as usize].push(at);
        }
        by
    }

    pub fn at(&'a self, at: usize) -> FlagRow<'a> {
        let flag = self.raised(self.order[at]);
        self.row(flag, signed(&[flag], self.run)[0])
    }

    fn row(&self, flag: Raised<'a>, signing: Option<Signing>) -> FlagRow<'a> {
        let run = self.run;
        let contract = signing.map_or(String::new(), |signing| run.qualified.contract(&signing));
        let person = signing.map(|signing| signing.person);
        let clause = match flag {
            Raised::Other(flag) => Some(&*flag.clause),
            Raised::Swipe(raised) => {
                let policy = signing.map(|signing| run.rules.policy(signing.offer()));
                policy.and_then(|policy| policy.flag(raised.code)).map(|clause| &**clause)
            }
        };
        FlagRow {
            code: flag.code(),
            institution: flag.institution(run),
            contract: if self.reveal { contract } else { mask_within(&contract) },
            person: person.map(|person| if self.reveal { person.full() } else { person.masked() }),
            place: flag.place().map(|at| (run.inputs.names[at.file as usize].as_str(), at.line)),
            detail: say(self.lang, &flag.detail(run, self.lang)),
            clause,
        }
    }
}

/// Writes flags.csv.
pub fn flags(findings: &Findings, folder: &Path) -> Result<Written> {
    let header = ["code", "institution_id", "contract_id", "person_id", "file", "line", "detail", "clause"];
    let table = Table::create(folder, "flags.csv", &header, findings.output.csv)?;
    table.finish_with(findings.flags.count(), |part| {
        findings.flags.rows(part).map(|flag| {
            [
                text(flag.code.name()),
                text(&findings.run.rules.institutions.get(flag.institution).id),
                flag.contract.into(),
                flag.person.unwrap_or_default().into(),
                text(flag.place.map_or("", |(file, _)| file)),
                maybe(flag.place.map(|(_, line)| line)),
                flag.detail.into(),
                text(flag.clause.unwrap_or_default()),
            ]
        })
    })
}
