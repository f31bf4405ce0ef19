//! flags.csv: the flags of signings, institutions and swipes as one sorted list.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::shortest;
use crate::base::person::mask_within;
use crate::base::place::Place;
use crate::pipeline::Run;
use crate::policy::CapOf;
use crate::settlement::evidence::SwipeFlag;
use crate::settlement::flags::{Detail, Flag};
use crate::settlement::qualify::Signing;
use crate::words::{Lang, say};

use super::csv::{Table, Written, maybe, own, text};

/// A flag of either kind.
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

    fn signing<'a>(&self, run: &'a Run) -> Option<&'a Signing> {
        let index = match self {
            Raised::Swipe(flag) => Some(flag.signing),
            Raised::Other(flag) => flag.signing,
        };
        index.map(|index| &run.qualified.signings[index as usize])
    }

    fn institution(&self, run: &Run) -> u32 {
        match self {
            Raised::Swipe(_) => self.signing(run).map_or(0, |signing| signing.institution),
            Raised::Other(flag) => flag.institution,
        }
    }

    fn place(&self) -> Option<Place> {
        match self {
            Raised::Swipe(flag) => Some(flag.place),
            Raised::Other(flag) => flag.place,
        }
    }

    fn detail(&self, run: &Run) -> Msg {
        let item = |flag: &SwipeFlag| {
            run.rules.item_id(run.qualified.signings[flag.signing as usize].offer(), flag.item)
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
                    Msg::ScoreMissing { cohort: *cohort, level: level.clone() }
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

/// How many flags of each code there are.
pub fn flag_counts(run: &Run) -> BTreeMap<Code, u64> {
    let mut counts = BTreeMap::new();
    for code in run
        .evidence
        .flags
        .iter()
        .map(|flag| flag.code)
        .chain(run.settlement.flags.iter().map(|flag| flag.code))
    {
        *counts.entry(code).or_default() += 1;
    }
    counts
}

/// Writes flags.csv, sorted by code, institution, contract, file and line.
pub fn flags(run: &Run, folder: &Path, lang: Lang) -> Result<Written> {
    let header = ["code", "institution_id", "contract_id", "person_id", "file", "line", "detail", "clause"];
    let mut table = Table::create(folder, "flags.csv", &header)?;
    let swipes = run.evidence.flags.iter().map(Raised::Swipe);
    let all = swipes.chain(run.settlement.flags.iter().map(Raised::Other));
    let file = |flag: &Raised| flag.place().map(|place| &run.inputs.names[place.file as usize]);
    let contract = |flag: &Raised| flag.signing(run).map_or("", |signing| run.qualified.contract(signing));
    let id = |flag: &Raised| &run.rules.institutions.get(flag.institution(run)).id;
    let key = |flag: &Raised| {
        (flag.code(), id(flag), contract(flag), file(flag), flag.place().map(|place| place.line))
    };
    let mut all: Vec<_> = all.map(|flag| (key(&flag), flag)).collect();
    all.par_sort_by_key(|(key, _)| *key);
    for (_, flag) in &all {
        let clause = match flag {
            Raised::Other(flag) => own(&flag.clause),
            Raised::Swipe(raised) => {
                let policy = flag.signing(run).map(|signing| run.rules.policy(signing.offer()));
                maybe(policy.and_then(|policy| policy.flag(raised.code)))
            }
        };
        table.row([
            text(flag.code().name()),
            text(&run.rules.institutions.get(flag.institution(run)).id),
            own(mask_within(contract(flag))),
            maybe(flag.signing(run).map(|signing| signing.person.masked())),
            maybe(file(flag)),
            maybe(flag.place().map(|place| place.line)),
            own(say(lang, &flag.detail(run))),
            clause,
        ])?;
    }
    table.finish()
}
