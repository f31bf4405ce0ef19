//! scores.csv: what each level's assessment gave, around every mark at which a curve changes its course.

use std::io;
use std::path::Path;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::period::{Cycle, Period};
use crate::policy::Policy;
use crate::policy::curve::Curve;

use super::Plan;
use super::chance::{Of, Rng};
use super::days::{Day, of_date};
use super::file::{Sheet, push_number};
use super::places;

/// A score that was written: of which institution, level and period, in hundredths.
pub struct Score {
    pub institution: u64,
    pub level: usize,
    pub period: Period,
    pub hundredths: u64,
}

pub struct Scored {
    pub rows: u64,
    pub scores: Vec<Score>,
}

fn hundredths(score: Decimal) -> u64 {
    (score * Decimal::ONE_HUNDRED).to_u64().unwrap_or_default().min(10_000)
}

/// The curves that follow an institution's own score of a level.
fn follows(policy: &Policy, level: usize) -> impl Iterator<Item = &Curve> {
    policy.curves.iter().filter(move |curve| {
        curve.basis.assessed().iter().any(|assessed| assessed.level == level && !assessed.of_parent)
    })
}

/// Marks of the curves that follow a level, in hundredths.
fn marks(policy: &Policy, level: usize) -> Vec<u64> {
    let marks = follows(policy, level).flat_map(Curve::marks).map(hundredths);
    let mut marks: Vec<u64> = marks.filter(|mark| *mark > 0).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
}

/// Scores that some institutions are to have, each for a level: every mark, just under it, between two, all, none.
pub fn set(policy: &Policy) -> Vec<(usize, Option<u64>)> {
    let mut set = Vec::new();
    for level in 0..policy.levels.len() {
        let marks = marks(policy, level);
        for (at, mark) in marks.iter().enumerate() {
            set.push((level, Some(mark - (*mark).min(50))));
            set.push((level, Some(*mark)));
            if let Some(next) = marks.get(at + 1) {
                set.push((level, Some((mark + next) / 200 * 100)));
            }
        }
        if follows(policy, level).next().is_none() {
            continue;
        }
        if marks.is_empty() {
            set.push((level, Some(6_000)));
            set.push((level, Some(8_550)));
        }
        set.push((level, Some(10_000)));
        set.push((level, None));
    }
    // One that falls on a mark or on another stands once.
    let mut once: Vec<(usize, Option<u64>)> = Vec::new();
    for one in set {
        if !once.contains(&one) {
            once.push(one);
        }
    }
    once
}

/// The institution whose score a later one replaces.
pub fn replaced(plan: &Plan) -> u64 {
    places::FIRST_SET + plan.set_scores.len() as u64
}

/// Where the stories' people sign, if it is not the story.
pub fn home(plan: &Plan) -> u64 {
    replaced(plan) + 1
}

/// The periods in which a level assesses something of the plan's.
pub fn periods(of: Period, cycle: Cycle) -> Vec<Period> {
    let (mut periods, mut day) = (Vec::new(), of.first_day());
    while day < of.end() {
        let period = cycle.of(day);
        day = period.end();
        periods.push(period);
    }
    periods
}

pub fn assessed_on(period: Period) -> Day {
    of_date(period.end()) + 14
}

pub fn write(plan: &Plan, folder: &Path) -> io::Result<Scored> {
    let several = plan.policy.levels.len() > 1;
    let mut columns = vec![("institution_id", "机构编码"), ("period", "考核周期"), ("score", "得分")];
    columns.extend(several.then_some(("level", "考核层级")));
    columns.push(("assessed_on", "考核日期"));
    let mut sheet = Sheet::create(folder, "scores.csv", plan.form, &columns)?;
    let mut desk = Desk { plan, several, scores: Vec::new() };
    let mut rng = plan.rng(Of::Scores);
    for institution in 0..plan.institutions {
        for level in 0..plan.policy.levels.len() {
            for period in periods(plan.period, plan.policy.levels[level].cycle) {
                desk.of(&mut sheet, institution, level, period, &mut rng)?;
            }
        }
    }
    Ok(Scored { rows: sheet.finish()?, scores: desk.scores })
}

struct Desk<'p, 'a> {
    plan: &'p Plan<'a>,
    several: bool,
    scores: Vec<Score>,
}

impl Desk<'_, '_> {
    fn of(
        &mut self,
        sheet: &mut Sheet,
        institution: u64,
        level: usize,
        period: Period,
        rng: &mut Rng,
    ) -> io::Result<()> {
        let plan = self.plan;
        let marks = marks(plan.policy, level);
        let mark = if marks.is_empty() { 6_000 } else { rng.pick(&marks) };
        let chance = match rng.below(100) {
            0..3 => None,
            3..12 => Some(mark),
            12..14 => Some(mark - mark.min(10)),
            _ => Some(5_000 + rng.below(501) * 10),
        };
        let at = institution.wrapping_sub(places::FIRST_SET) as usize;
        let set = plan.set_scores.get(at).filter(|(of, _)| *of == level).map(|(_, score)| *score);
        let told = institution <= home(plan);
        let Some(score) = set.unwrap_or(if told { chance.or(Some(9_500)) } else { chance }) else {
            return Ok(());
        };
        let day = assessed_on(period);
        let mut row = |institution: u64, score: &str, of: &str, day: Day, rng: &mut Rng| {
            self.row(sheet, institution, level, (of, score), day, rng)
        };
        let (name, good) = (period.to_string(), shown(score));
        if institution == replaced(plan) {
            row(institution, &shown(score - score.min(1_000)), &name, day - 5, rng)?;
            row(institution, &good, &name, day, rng)?;
        } else if told || !plan.faulty(rng, 1) {
            row(institution, &good, &name, day, rng)?;
        } else {
            match rng.below(9) {
                0 => row(places::unknown(rng), &good, &name, day, rng)?, // E301
                1 => row(institution, "100.1", &name, day, rng)?,        // E601
                2 => {
                    // E603: two that differ, neither holds
                    row(institution, &good, &name, day, rng)?;
                    row(institution, &shown(10_000 - score / 2), &name, day, rng)?;
                    return Ok(());
                }
                3 => row(institution, "", &name, day, rng)?, // E102
                4 => row(institution, "优", &name, day, rng)?, // E104
                5 => row(institution, &good, "2020-13", day, rng)?, // E602
                6 => row(institution, &good, "第一季度", day, rng)?,
                7 => {
                    // W710: the later one holds
                    row(institution, &shown(score - score.min(1_000)), &name, day - 5, rng)?;
                    row(institution, &good, &name, day, rng)?;
                    self.scores.push(Score { institution, level, period, hundredths: score });
                    return Ok(());
                }
                _ => {
                    // the same twice is one
                    row(institution, &good, &name, day, rng)?;
                    row(institution, &good, &name, day, rng)?;
                    self.scores.push(Score { institution, level, period, hundredths: score });
                    return Ok(());
                }
            }
            return Ok(());
        }
        self.scores.push(Score { institution, level, period, hundredths: score });
        Ok(())
    }

    fn row(
        &self,
        sheet: &mut Sheet,
        institution: u64,
        level: usize,
        (period, score): (&str, &str),
        day: Day,
        rng: &mut Rng,
    ) -> io::Result<()> {
        places::push(sheet, institution);
        sheet.text(period);
        sheet.text(score);
        if self.several {
            let named = &self.plan.policy.levels[level].named;
            // E605: a level that there is not.
            match self.plan.faulty(rng, 4) && institution > home(self.plan) {
                true => sheet.text("省级"),
                false => sheet.word(rng, &named.id, &named.name),
            }
        }
        sheet.date(Some(day));
        sheet.end_row()
    }
}

/// `89.5`, the shortest way.
pub fn shown(hundredths: u64) -> String {
    let mut text = Vec::new();
    push_number(&mut text, hundredths / 100, 1);
    match (hundredths / 10 % 10, hundredths % 10) {
        (0, 0) => {}
        (tenth, 0) => text.extend([b'.', b'0' + tenth as u8]),
        (tenth, rest) => text.extend([b'.', b'0' + tenth as u8, b'0' + rest as u8]),
    }
    String::from_utf8(text).expect("digits are text")
}
