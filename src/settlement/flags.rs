//! Flags: rows and institutions that count but should be looked at. Those of swipes are raised where
//! swipes are read, those of single signings where charges are counted.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::place::Place;
use crate::policy::Clause;

use super::lines::Line;
use super::qualify::{NO_TEAM, Qualified};
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
    PaidBelow { paid: Fen, share: Fen },
    SignedLate { cohort: Period, assessed_on: Date },
    TeamTooLarge { team: String, people: u64, most: u64 },
    ScoreMissing { cohort: Period, level: String },
    NoServiceRecord { from: Date },
    NotAuthorized { source: String },
    ScoreReplaced { score: Decimal, by: Decimal, at: Place },
}

/// W706: charges and no score, where others of the cohort have one.
pub fn missing_scores(rules: &Rules, lines: &[Line]) -> Vec<Flag> {
    let mut scored: BTreeSet<(Period, String)> = BTreeSet::new();
    let mut missing: BTreeMap<(Period, String, u32), Clause> = BTreeMap::new();
    for line in lines.iter().filter(|line| line.settled) {
        let policy = &rules.region.versions[line.version];
        let curve = policy.source(&line.source).and_then(|source| policy.sources[source].curve);
        let Some(curve) = curve.map(|curve| &policy.curves[curve]) else { continue };
        let level = policy.levels[curve.level].named.id.clone();
        if line.earned.is_some() {
            scored.insert((line.cohort, level));
        } else if let Some(clause) = policy.flag(Code::W706).filter(|_| line.count + line.held > 0) {
            missing.insert((line.cohort, level, line.institution), clause.clone());
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

/// W705: more people in a team than the policy's cap, on the last day of the period.
pub fn large_teams(rules: &Rules, qualified: &Qualified, teams: &[(u32, String)]) -> Vec<Flag> {
    let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
    let mut people = vec![0u64; teams.len()];
    for signings in qualified.people() {
        let of_teams =
            signings.iter().filter(|signing| signing.team != NO_TEAM && signing.in_force(last_day));
        let mine: BTreeSet<u32> = of_teams.map(|signing| signing.team).collect();
        for team in mine {
            people[team as usize] += 1;
        }
    }
    let policy = &rules.region.versions[rules.version_on(last_day)];
    let (Some(most), Some(clause)) = (policy.team_cap, policy.flag(Code::W705)) else { return Vec::new() };
    let mut flags: Vec<Flag> = teams
        .iter()
        .zip(people)
        .filter(|(_, people)| *people > most)
        .map(|((institution, team), people)| Flag {
            code: Code::W705,
            institution: *institution,
            signing: None,
            place: None,
            detail: Detail::TeamTooLarge { team: team.clone(), people, most },
            clause: clause.clone(),
        })
        .collect();
    flags.sort_by(|a, b| format!("{:?}", a.detail).cmp(&format!("{:?}", b.detail)));
    flags
}
