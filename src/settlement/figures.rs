//! What a policy wants reported beside the money: parts of it for the staff, targets, days to keep.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::base::message::Msg;
use crate::base::money::{Fen, Fraction, decimal, fraction, shortest};
use crate::base::period::Period;
use crate::policy::{Clause, Figure, FigureKind, Policy};

use super::assess::{ScoreKey, SheetEntry};
use super::lines::Line;
use super::rules::Rules;
use super::tally::HeadCounts;

/// A line of figures.csv; without an institution it is of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureRow {
    pub institution: Option<u32>,
    pub figure: String,
    pub value: String,
    pub clause: Clause,
}

/// Figures of a run, and what is to be said of them.
#[derive(Default)]
pub struct Figures {
    pub rows: Vec<FigureRow>,
    pub notices: Vec<Msg>,
}

/// What a figure is worked out from.
struct Of<'a> {
    rules: &'a Rules<'a>,
    policy: &'a Policy,
    version: usize,
    lines: &'a [&'a Line],
    heads: &'a [HeadCounts],
    sheets: &'a [SheetEntry],
}

type Values = Vec<(Option<u32>, String)>;

/// Works out the figures that the version in force on the period's first day asks for.
pub fn figures(rules: &Rules, lines: &[&Line], heads: &[HeadCounts], sheets: &[SheetEntry]) -> Figures {
    // What any version of the period asks for, the later one's way where two ask for the same.
    let first = rules.version_on(rules.period.first_day());
    let within = |version: &Policy| {
        version.from < rules.end && version.to.is_none_or(|to| to >= rules.period.first_day())
    };
    let versions = rules.region.versions.iter().enumerate();
    let asking: Vec<(usize, &Policy)> =
        versions.filter(|(at, version)| *at >= first && within(version)).collect();
    let mut asked: BTreeMap<&str, (usize, &Figure)> = BTreeMap::new();
    for (version, policy) in &asking {
        asked.extend(policy.figures.iter().map(|figure| (figure.kind.id(), (*version, figure))));
    }
    let mut out = Figures::default();
    for (version, figure) in asked.into_values() {
        let policy = &rules.region.versions[version];
        let of = Of { rules, policy, version, lines, heads, sheets };
        let id = figure.kind.id();
        let mut add = |figure_id: String, values: Values| {
            let row = |(institution, value)| FigureRow {
                institution,
                figure: figure_id.clone(),
                value,
                clause: figure.clause.clone(),
            };
            out.rows.extend(values.into_iter().map(row));
        };
        match &figure.kind {
            FigureKind::FreeSignings => add(id.into(), of.counts(|heads| heads.free)),
            FigureKind::IndividualShare => add(id.into(), of.amounts(|heads| heads.individual)),
            FigureKind::Coverage { target } => {
                let shares = of.coverage();
                add(
                    id.into(),
                    shares.iter().map(|(at, share)| (*at, decimal(*share, 6).to_string())).collect(),
                );
                if let Some(target) = target {
                    add(format!("{id}_target"), vec![(None, shortest(*target))]);
                    add(format!("{id}_met"), met(&shares, *target));
                }
            }
            FigureKind::StaffShare { ratio } => add(id.into(), of.staff_share(*ratio)),
            FigureKind::TeamReward { ratio, standard } => add(id.into(), of.team_reward(*ratio, *standard)),
            FigureKind::Renewal => add(id.into(), of.renewal()),
            FigureKind::FeedbackDay { working_days } => {
                let (days, unlisted) = of.feedback(*working_days);
                add(id.into(), days);
                out.notices.extend(unlisted.map(|year| Msg::YearNotListed { year }));
            }
            FigureKind::Satisfaction { indicator, target } => {
                let measured = of.measured(indicator);
                let shown = |(at, value): &(Option<u32>, Fraction)| (*at, decimal(*value, 6).to_string());
                add(id.into(), measured.iter().map(shown).collect());
                if let Some(target) = target {
                    add(format!("{id}_target"), vec![(None, shortest(*target))]);
                    add(format!("{id}_met"), met(&measured, *target));
                }
            }
        }
    }
    out
}

fn met(values: &[(Option<u32>, Fraction)], target: Decimal) -> Values {
    let yes = |value: &Fraction| if *value >= fraction(target) { "yes" } else { "no" }.to_string();
    values.iter().map(|(at, value)| (*at, yes(value))).collect()
}

impl Of<'_> {
    fn each(&self) -> impl Iterator<Item = (Option<u32>, &HeadCounts)> {
        self.heads.iter().enumerate().map(|(at, heads)| (Some(at as u32), heads))
    }

    fn counts(&self, pick: fn(&HeadCounts) -> u64) -> Values {
        let some = self.each().map(|(at, heads)| (at, pick(heads))).filter(|(_, count)| *count > 0);
        let mut all: Values = some.map(|(at, count)| (at, count.to_string())).collect();
        all.push((None, self.heads.iter().map(pick).sum::<u64>().to_string()));
        all
    }

    fn amounts(&self, pick: fn(&HeadCounts) -> Fen) -> Values {
        with_total(
            self.each().map(|(at, heads)| (at, pick(heads))).filter(|(_, fen)| *fen > Fen::ZERO).collect(),
        )
    }

    /// People with a charge ÷ served population.
    fn coverage(&self) -> Vec<(Option<u32>, Fraction)> {
        let mut all = Vec::new();
        let (mut people, mut population) = (0, 0);
        for ((at, heads), one) in self.each().zip(&self.rules.institutions.list) {
            if let Some(served) = one.served_population.filter(|served| *served > 0) {
                all.push((at, Fraction::new(heads.people.into(), served.into())));
                people += heads.people;
                population += served;
            }
        }
        if population > 0 {
            all.push((None, Fraction::new(people.into(), population.into())));
        }
        all
    }

    /// The part of the fee (what is due of it, and what others pay) that is for those who serve.
    fn staff_share(&self, ratio: Decimal) -> Values {
        let mut fees: BTreeMap<u32, Fen> = BTreeMap::new();
        for line in self.lines {
            *fees.entry(line.institution).or_default() += if line.settled { line.due() } else { line.gross };
        }
        with_total(fees.into_iter().map(|(at, fee)| (Some(at), fee.share(ratio))).collect())
    }

    /// Of a year's reward what falls on the cohorts in which the policy is in force on the first day, as the
    /// population lines do of which it is a part.
    fn team_reward(&self, ratio: Decimal, standard: Fen) -> Values {
        let cohorts = self.rules.period.split(self.policy.cycle).into_iter();
        let covered = cohorts.filter(|cohort| {
            let day = cohort.first_day();
            day >= self.policy.from && self.rules.region.in_force(day) == Some(self.version)
        });
        let months: u64 = covered.map(|cohort| u64::from(cohort.cycle().months())).sum();
        let mut all = Vec::new();
        for (at, one) in self.rules.institutions.list.iter().enumerate() {
            let (_, admitted) = self.rules.kind(self.version, at as u32);
            if let Some(people) = one.served_population.filter(|_| one.designated && admitted) {
                let year = standard.times(people).share(ratio);
                all.push((Some(at as u32), year.times(months).divided(12)));
            }
        }
        with_total(all)
    }

    fn renewal(&self) -> Values {
        let mut renewed: BTreeMap<u32, bool> = BTreeMap::new();
        for line in self.lines {
            if let Some(renew) = line.earned.as_ref().and_then(|outcome| outcome.earned.renew) {
                *renewed.entry(line.institution).or_insert(true) &= renew;
            }
        }
        let word = |renew: bool| if renew { "yes" } else { "no" }.to_string();
        renewed.into_iter().map(|(at, renew)| (Some(at), word(renew))).collect()
    }

    /// The day by which each institution is told its result, and a year that the calendar lacks.
    fn feedback(&self, working_days: u32) -> (Values, Option<i16>) {
        let Some(calendar) = &self.policy.calendar else { return (Vec::new(), None) };
        let used = self.lines.iter().filter_map(|line| line.earned.as_ref()).flat_map(|one| &one.used);
        let assessed: BTreeSet<(ScoreKey, crate::base::period::Date)> =
            used.filter_map(|score| Some((score.key.clone(), score.assessed_on?))).collect();
        let mut days: BTreeMap<u32, Vec<(String, Period, String)>> = BTreeMap::new();
        let mut unlisted = None;
        for ((institution, period, level), assessed_on) in assessed {
            match calendar.working_days_after(assessed_on, working_days) {
                Some(day) => days.entry(institution).or_default().push((level, period, day.to_string())),
                None => {
                    let listed = calendar.years.contains_key(&assessed_on.year());
                    unlisted = Some(assessed_on.year() + i16::from(listed));
                }
            }
        }
        let shown = |(at, mut days): (u32, Vec<(String, Period, String)>)| {
            let value = match days.len() {
                1 => days.remove(0).2,
                _ => {
                    let each = days.into_iter().map(|(level, period, day)| format!("{level} {period} {day}"));
                    each.collect::<Vec<_>>().join(";")
                }
            };
            (Some(at), value)
        };
        (days.into_iter().map(shown).collect(), unlisted)
    }

    /// The value of an indicator, where the period's sheets give one, and only one.
    fn measured(&self, indicator: &str) -> Vec<(Option<u32>, Fraction)> {
        let mut values: BTreeMap<u32, BTreeSet<Fraction>> = BTreeMap::new();
        for entry in self.sheets {
            let (institution, period, _) = &entry.key;
            let of_run = self.rules.period.covers(*period) || period.covers(self.rules.period);
            if let Some(value) = entry.measure(self.rules, indicator).filter(|_| of_run) {
                values.entry(*institution).or_default().insert(value);
            }
        }
        let certain = values.into_iter().filter(|(_, values)| values.len() == 1);
        certain.filter_map(|(at, values)| Some((Some(at), values.into_iter().next()?))).collect()
    }
}

/// Amounts with their sum behind them.
fn with_total(amounts: Vec<(Option<u32>, Fen)>) -> Values {
    let total: Fen = amounts.iter().map(|(_, fen)| *fen).sum();
    let each = amounts.into_iter().chain([(None, total)]);
    each.map(|(at, fen)| (at, fen.to_string())).collect()
}
