//! A line's scores → what of it is prepaid, released in parts, and cleared.

use rust_decimal::Decimal;

use crate::base::money::{Fen, half_up, shortest};
use crate::base::period::{Date, add_months};
use crate::policy::curve::{Basis, Earned, MOST_RATIO};
use crate::policy::{Clause, Policy, Source, Tranche};

use super::assess::{ScoreEntry, Scores, score_key};
use super::lines::Line;
use super::rules::Rules;

/// What assessments come to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scores that were used.
    pub used: Vec<ScoreEntry>,
    /// The score that met the curve: the only one, or what several combine to.
    pub score: Option<Decimal>,
    pub earned: Earned,
}

impl Outcome {
    /// As settlement.csv shows it: the score, or each with its level and period where none stands for all.
    pub fn shown(&self) -> String {
        match self.score {
            Some(score) => shortest(score),
            None => {
                let each = |entry: &ScoreEntry| {
                    let (_, period, level) = &entry.key;
                    format!("{level} {period} {}", shortest(entry.score))
                };
                self.used.iter().map(each).collect::<Vec<_>>().join(";")
            }
        }
    }
}

/// One part of a line that is released by itself.
#[derive(Clone, Debug)]
pub struct Released {
    pub id: String,
    pub name: String,
    pub part: Decimal,
    /// Not due before this day.
    pub due_on: Date,
    pub outcome: Option<Outcome>,
    /// What part of it is due: all of it without a curve.
    known: Option<Decimal>,
    /// What is due of it; nothing while it waits for its day or score.
    pub amount: Option<Fen>,
    pub clause: Clause,
}

/// Works out what of a line is prepaid, released and cleared.
pub fn clear(line: &mut Line, rules: &Rules, policy: &Policy, rule: &Source, scores: &Scores) {
    let base = line.gross - line.deduction;
    line.prepay = line.gross.share(rule.prepay);
    if rule.tranches.is_empty() {
        line.earned = rule.curve.and_then(|curve| earned(rules, policy, curve, line, scores));
        line.last = line.earned.as_ref().map(|outcome| base.share(outcome.earned.ratio));
        return;
    }
    // Rounded once for what is due so far, so that the whole is share × ratio and the parts add up to it. What
    // missing items take off is taken off at the end, with the last part.
    let mut ratio = rule.prepay;
    let mut so_far = line.gross.share(ratio);
    let last = rule.tranches.len() - 1;
    for (nth, tranche) in rule.tranches.iter().enumerate() {
        let mut released = release(line, rules, policy, tranche, scores);
        if let Some(earned) = released.known {
            ratio += tranche.part * earned;
            let complete = nth == last && line.tranches.iter().all(|one| one.amount.is_some());
            let due = if complete { base } else { line.gross }.share(ratio);
            released.amount = Some(due - so_far);
            so_far = due;
        }
        line.tranches.push(released);
    }
    if line.tranches.iter().any(|one| one.amount.is_none()) {
        line.released = so_far - line.prepay;
        return;
    }
    let outcomes: Vec<&Outcome> = line.tranches.iter().filter_map(|one| one.outcome.as_ref()).collect();
    let mut used: Vec<ScoreEntry> = Vec::new();
    for entry in outcomes.iter().flat_map(|outcome| &outcome.used) {
        if !used.iter().any(|known| known.key == entry.key) {
            used.push(entry.clone());
        }
    }
    let same = |pick: fn(&Outcome) -> Option<Decimal>| {
        let first = outcomes.first().and_then(|one| pick(one));
        first.filter(|_| outcomes.iter().all(|one| pick(one) == first))
    };
    let earned = Earned {
        ratio: half_up(ratio, 6).normalize(),
        grade: outcomes.iter().rev().find_map(|one| one.earned.grade.clone()),
        failed: ratio.is_zero() && outcomes.last().is_some_and(|one| one.earned.failed),
        renew: outcomes.iter().rev().find_map(|one| one.earned.renew),
    };
    let score = if used.len() <= 1 { same(|one| one.score) } else { None };
    line.earned = Some(Outcome { used, score, earned });
    line.last = Some(so_far);
}

/// One part of a line: its day, its score, and what of it is paid once both are there.
fn release(line: &Line, rules: &Rules, policy: &Policy, tranche: &Tranche, scores: &Scores) -> Released {
    let due_on = add_months(line.cohort.first_day(), tranche.after_months);
    let outcome = tranche.curve.and_then(|curve| earned(rules, policy, curve, line, scores));
    let known = match (tranche.curve, &outcome) {
        (None, _) => Some(Decimal::ONE),
        (Some(_), outcome) => outcome.as_ref().map(|outcome| outcome.earned.ratio),
    };
    Released {
        id: tranche.id.clone(),
        name: tranche.name.clone(),
        part: tranche.part,
        due_on,
        outcome,
        known: known.filter(|_| rules.as_of.is_none_or(|day| due_on <= day)),
        amount: None,
        clause: tranche.clause.clone(),
    }
}

/// What a line's scores earn on a curve; nothing while one of them is missing.
fn earned(rules: &Rules, policy: &Policy, curve: usize, line: &Line, scores: &Scores) -> Option<Outcome> {
    let rule = &policy.curves[curve];
    if let Basis::Chain(of) = &rule.basis {
        let all: Option<Vec<Outcome>> =
            of.iter().map(|curve| earned(rules, policy, *curve, line, scores)).collect();
        let all = all?;
        let ratio: Decimal = all.iter().map(|one| one.earned.ratio).product();
        let earned = Earned {
            ratio: half_up(ratio, 6).normalize().min(MOST_RATIO),
            grade: all.iter().rev().find_map(|one| one.earned.grade.clone()),
            failed: all.iter().any(|one| one.earned.failed),
            renew: all.iter().rev().find_map(|one| one.earned.renew),
        };
        let mut used: Vec<ScoreEntry> = Vec::new();
        for entry in all.iter().flat_map(|one| &one.used) {
            if !used.iter().any(|known| known.key == entry.key) {
                used.push(entry.clone());
            }
        }
        let score = if used.len() == 1 { Some(used[0].score) } else { None };
        return Some(Outcome { used, score, earned });
    }
    let found = |assessed| {
        let key = score_key(rules, policy, assessed, line.institution, line.cohort)?;
        scores.by_key.get(&key).cloned()
    };
    let used: Option<Vec<ScoreEntry>> = rule.basis.assessed().into_iter().map(found).collect();
    let used = used?;
    let score = rule.basis.score(&used.iter().map(|entry| entry.score).collect::<Vec<_>>());
    Some(Outcome { used, score: Some(score), earned: rule.earned(score) })
}
