//! Flags: rows and institutions that count but should be looked at. Those of swipes are raised where
//! swipes are read, those of single signings where charges are counted.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period, add_months};
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::policy::{CapOf, Clause};

use super::assess::{Scores, score_key};
use super::desk::Details;
use super::lines::Line;
use super::qualify::{NO_DETAILS, Qualified};
use super::rules::Rules;

/// Something to be looked at, found while settling. Those that swipes raise are apart.
#[derive(Clone, Debug)]
pub struct Flag {
    pub code: Code,
    pub institution: u32,
    /// Index into the qualified signings.
    pub signing: Option<u32>,
    pub place: Option<Place>,
    pub detail: Detail,
    pub clause: Clause,
}

#[derive(Clone, Debug)]
pub enum Detail {
    PaidBelow {
        paid: Fen,
        share: Fen,
    },
    SignedLate {
        cohort: Period,
        assessed_on: Date,
    },
    /// The batch that cleared the cohort before the row came.
    ClearedBefore {
        cohort: Period,
        batch: u32,
    },
    TeamTooLarge {
        of: CapOf,
        team: String,
        people: u64,
        most: u64,
    },
    /// The charges are held for it.
    OverCap {
        most: u64,
    },
    ScoreMissing {
        cohort: Period,
        level: String,
    },
    /// How many it takes.
    NoServiceRecord {
        from: Date,
        asked: u32,
    },
    NotAuthorized {
        source: String,
    },
    ScoreReplaced {
        score: Decimal,
        by: Decimal,
        at: Place,
    },
}

/// W706: charges and no score, where others of the cohort have one.
pub fn missing_scores(rules: &Rules, lines: &[&Line], scores: &Scores) -> Vec<Flag> {
    // By cohort and assessment: a level's first half-year is another than its second.
    let mut scored: BTreeSet<(Period, String, Period)> = BTreeSet::new();
    let mut missing: BTreeMap<(Period, String, Period, u32), Clause> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.settled) {
        let policy = &rules.region.versions[line.version];
        let Some(source) = policy.source(&line.source).map(|source| &policy.sources[source]) else {
            continue;
        };
        // A part that is not due yet misses no score.
        let due =
            |after: u32| rules.as_of.is_none_or(|day| add_months(line.cohort.first_day(), after) <= day);
        let parts = source.tranches.iter().filter(|one| due(one.after_months)).filter_map(|one| one.curve);
        let curves = source.curve.into_iter().chain(parts);
        for assessed in curves.flat_map(|curve| policy.assessed_by(curve)) {
            let Some(key) = score_key(rules, policy, assessed, line.institution, line.cohort) else {
                continue;
            };
            let of = (line.cohort, key.2.clone(), key.1);
            if scores.by_key.contains_key(&key) {
                scored.insert(of);
            } else if let Some(clause) = policy.flag(Code::W706).filter(|_| line.count + line.held > 0) {
                missing.insert((of.0, of.1, of.2, line.institution), clause.clone());
            }
        }
    }
    missing
        .into_iter()
        .filter(|((cohort, level, period, _), _)| scored.contains(&(*cohort, level.clone(), *period)))
        .map(|((cohort, level, _, institution), clause)| Flag {
            code: Code::W706,
            institution,
            signing: None,
            place: None,
            detail: Detail::ScoreMissing { cohort, level },
            clause,
        })
        .collect()
}

/// Teams and doctors with more people than they may have.
#[derive(Default)]
pub struct FullTeams {
    pub flags: Vec<Flag>,
    /// Signings that came when a cap that cuts off was reached, with the cap.
    pub cut_off: FxHashMap<u32, u64>,
}

/// W705, and whose charges are held for it.
pub fn full_teams(rules: &Rules, qualified: &Qualified, details: &[Details]) -> FullTeams {
    let mut full = FullTeams::default();
    let versions = &rules.region.versions;
    if versions.iter().all(|version| version.caps.is_empty()) {
        return full;
    }
    let name = |of: CapOf, team: u32| -> Option<(CapOf, u32, &str)> {
        let Details { institution, team, doctor, .. } = details.get(team as usize)?;
        let name = if of == CapOf::Team { team } else { doctor };
        (!name.is_empty()).then_some((of, *institution, name.as_str()))
    };
    let of_teams: Vec<u32> = (0..qualified.signings.count() as u32)
        .filter(|index| qualified.signings.get(*index as usize).details != NO_DETAILS)
        .collect();
    full.flags = too_large(rules, qualified, &of_teams, &name);
    if versions.iter().flat_map(|version| &version.caps).any(|cap| cap.cut_off) {
        cut_off(rules, qualified, of_teams, &name, &mut full.cut_off);
    }
    full
}

/// Who has more people on the period's last day than the version in force then lets them have.
fn too_large<'t>(
    rules: &Rules,
    qualified: &Qualified,
    of_teams: &[u32],
    name: &impl Fn(CapOf, u32) -> Option<(CapOf, u32, &'t str)>,
) -> Vec<Flag> {
    let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
    let policy = &rules.region.versions[rules.version_on(last_day)];
    let Some(clause) = policy.flag(Code::W705) else { return Vec::new() };
    let mut flags = Vec::new();
    for cap in &policy.caps {
        let mut people: BTreeMap<(CapOf, u32, &str), BTreeSet<PersonId>> = BTreeMap::new();
        for index in of_teams {
            let signing = qualified.signings.get(*index as usize);
            if let Some(name) = name(cap.of, signing.details).filter(|_| signing.in_force(last_day)) {
                people.entry(name).or_default().insert(signing.person);
            }
        }
        let large = people.into_iter().filter(|(_, people)| people.len() as u64 > cap.people);
        flags.extend(large.map(|((of, institution, team), people)| Flag {
            code: Code::W705,
            institution,
            signing: None,
            place: None,
            detail: Detail::TeamTooLarge {
                of,
                team: team.to_string(),
                people: people.len() as u64,
                most: cap.people,
            },
            clause: clause.clone(),
        }));
    }
    flags.sort_by(|a, b| format!("{:?}", a.detail).cmp(&format!("{:?}", b.detail)));
    flags
}

/// The people of one team or doctor, and until when each stays.
#[derive(Default)]
struct Places {
    until: BTreeMap<PersonId, Date>,
    leaving: BTreeSet<(Date, PersonId)>,
}

impl Places {
    /// Lets go who has left by `day`.
    fn leave(&mut self, day: Date) {
        while let Some((left, person)) = self.leaving.first().copied().filter(|(left, _)| *left <= day) {
            self.leaving.remove(&(left, person));
            self.until.remove(&person);
        }
    }

    fn stay(&mut self, person: PersonId, end: Date) {
        let stays = self.until.get(&person).copied();
        if let Some(stays) = stays {
            self.leaving.remove(&(stays, person));
        }
        let end = stays.map_or(end, |stays| stays.max(end));
        self.leaving.insert((end, person));
        self.until.insert(person, end);
    }
}

/// In turn: who starts while the team or the doctor has all the people that the signing's own version lets
/// them have is cut off, and takes no place anywhere.
fn cut_off<'t>(
    rules: &Rules,
    qualified: &Qualified,
    mut in_turn: Vec<u32>,
    name: &impl Fn(CapOf, u32) -> Option<(CapOf, u32, &'t str)>,
    out: &mut FxHashMap<u32, u64>,
) {
    let at = |index: &u32| qualified.signings.get(*index as usize);
    in_turn.sort_unstable_by(|a, b| {
        let (a, b) = (at(a), at(b));
        (a.starts_on, a.signed_on)
            .cmp(&(b.starts_on, b.signed_on))
            .then_with(|| qualified.contracts.compare(a.contract, b.contract))
            .then_with(|| a.place().cmp(&b.place()))
    });
    let mut places: BTreeMap<(CapOf, u32, &str), Places> = BTreeMap::new();
    for index in in_turn {
        let signing = at(&index);
        if signing.end <= signing.starts_on {
            continue;
        }
        let caps = rules.policy(signing.offer()).caps.iter().filter(|cap| cap.cut_off);
        let full = caps.filter_map(|cap| {
            let of = places.entry(name(cap.of, signing.details)?).or_default();
            of.leave(signing.starts_on);
            let new = !of.until.contains_key(&signing.person);
            (new && of.until.len() as u64 >= cap.people).then_some(cap.people)
        });
        if let Some(most) = full.min() {
            out.insert(index, most);
            continue;
        }
        for of in [CapOf::Team, CapOf::Doctor] {
            if let Some(name) = name(of, signing.details) {
                places.entry(name).or_default().stay(signing.person, signing.end);
            }
        }
    }
}
