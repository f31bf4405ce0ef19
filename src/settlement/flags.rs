//! Flags: rows and institutions that count but should be looked at. Those of swipes are raised where
//! swipes are read, those of single signings where charges are counted.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::policy::{CapOf, Clause};

use super::assess::{Scores, score_key};
use super::lines::Line;
use super::qualify::{NO_TEAM, Qualified, Team};
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
pub fn missing_scores(rules: &Rules, lines: &[Line], scores: &Scores) -> Vec<Flag> {
    let mut scored: BTreeSet<(Period, String)> = BTreeSet::new();
    let mut missing: BTreeMap<(Period, String, u32), Clause> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.settled) {
        let policy = &rules.region.versions[line.version];
        let Some(source) = policy.source(&line.source).map(|source| &policy.sources[source]) else {
            continue;
        };
        let curves = source.curve.into_iter().chain(source.tranches.iter().filter_map(|one| one.curve));
        for assessed in curves.flat_map(|curve| policy.assessed_by(curve)) {
            let level = &policy.levels[assessed.level].named.id;
            let key = score_key(rules, policy, assessed, line.institution, line.cohort);
            if key.is_some_and(|key| scores.by_key.contains_key(&key)) {
                scored.insert((line.cohort, level.clone()));
            } else if let Some(clause) = policy.flag(Code::W706).filter(|_| line.count + line.held > 0) {
                missing.insert((line.cohort, level.clone(), line.institution), clause.clone());
            }
        }
    }
    missing
        .into_iter()
        .filter(|((cohort, level, _), _)| scored.contains(&(*cohort, level.clone())))
        .map(|((cohort, level, institution), clause)| Flag {
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
pub fn full_teams(rules: &Rules, qualified: &Qualified, teams: &[Team]) -> FullTeams {
    let mut full = FullTeams::default();
    let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
    let policy = &rules.region.versions[rules.version_on(last_day)];
    let Some(clause) = policy.flag(Code::W705) else { return full };
    for cap in &policy.caps {
        let name = |team: &Team| match cap.of {
            CapOf::Team => (team.0, team.1.clone()),
            CapOf::Doctor => (team.0, team.2.clone()),
        };
        // By team: when each of its people's signings is in force.
        let mut of: BTreeMap<(u32, String), Vec<u32>> = BTreeMap::new();
        for (index, signing) in qualified.signings.iter().enumerate() {
            if signing.team != NO_TEAM {
                let name = name(&teams[signing.team as usize]);
                if !name.1.is_empty() {
                    of.entry(name).or_default().push(index as u32);
                }
            }
        }
        for ((institution, name), mut signings) in of {
            let at = |index: &u32| &qualified.signings[*index as usize];
            let now: BTreeSet<PersonId> =
                signings.iter().map(at).filter(|one| one.in_force(last_day)).map(|one| one.person).collect();
            let people = now.len() as u64;
            if people > cap.people {
                full.flags.push(Flag {
                    code: Code::W705,
                    institution,
                    signing: None,
                    place: None,
                    detail: Detail::TeamTooLarge { of: cap.of, team: name, people, most: cap.people },
                    clause: clause.clone(),
                });
            }
            if cap.cut_off {
                signings.sort_unstable_by(|a, b| {
                    let key = |index: &u32| {
                        let one = at(index);
                        (one.starts_on, one.signed_on, qualified.contract(one), one.place())
                    };
                    key(a).cmp(&key(b))
                });
                cut_off(&signings, qualified, cap.people, &mut full.cut_off);
            }
        }
    }
    full.flags.sort_by(|a, b| format!("{:?}", a.detail).cmp(&format!("{:?}", b.detail)));
    full
}

/// In turn: who starts while the team has all its people is cut off, and takes no place.
fn cut_off(in_turn: &[u32], qualified: &Qualified, most: u64, out: &mut FxHashMap<u32, u64>) {
    // Who is in the team, until when.
    let mut until: BTreeMap<PersonId, Date> = BTreeMap::new();
    let mut leaving: BTreeSet<(Date, PersonId)> = BTreeSet::new();
    for index in in_turn {
        let signing = &qualified.signings[*index as usize];
        if signing.end <= signing.starts_on {
            continue;
        }
        while let Some((day, person)) = leaving.first().copied().filter(|(day, _)| *day <= signing.starts_on)
        {
            leaving.remove(&(day, person));
            until.remove(&person);
        }
        let stays = until.get(&signing.person).copied();
        if stays.is_none() && until.len() as u64 >= most {
            out.insert(*index, most);
            continue;
        }
        let end = stays.map_or(signing.end, |stays| stays.max(signing.end));
        if let Some(stays) = stays {
            leaving.remove(&(stays, signing.person));
        }
        leaving.insert((end, signing.person));
        until.insert(signing.person, end);
    }
}
