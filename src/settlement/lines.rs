//! Qualified signings, evidence, scores and payments → settlement lines, clawbacks and flags.
//! What is due less what was posted.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Period;
use crate::policy::{Clause, Policy};

use super::assess::{Scores, SheetEntry};
use super::clear::{Outcome, Released, clear};
use super::desk::Team;
use super::evidence::Evidence;
use super::figures::{FigureRow, Figures, figures};
use super::flags::{Detail, Flag, full_teams, missing_scores};
use super::price::Class;
use super::qualify::Qualified;
use super::rules::Rules;
use super::tally::{DeductionKey, HeadCounts, TallyKey, tally};

/// What was paid before: (cohort, institution, package, source) → amount.
pub type Posted = BTreeMap<(Period, u32, String, String), Fen>;

/// One line of a settlement (SPEC §5).
#[derive(Clone, Debug)]
pub struct Line {
    pub cohort: Period,
    pub institution: u32,
    pub package: String,
    pub source: String,
    /// Index into the region's versions.
    pub version: usize,
    pub settled: bool,
    /// Charges not held, and held.
    pub count: u64,
    pub held: u64,
    pub gross: Fen,
    /// What missing items take off.
    pub deduction: Fen,
    pub prepay_ratio: Decimal,
    pub prepay: Fen,
    /// Due as well before the last score is known: parts that were released one by one.
    pub released: Fen,
    /// Once every score that it takes is known.
    pub earned: Option<Outcome>,
    pub last: Option<Fen>,
    /// Where the share is released in parts.
    pub tranches: Vec<Released>,
    pub posted: Fen,
    pub payable: Fen,
    pub recover: Fen,
}

impl Line {
    pub fn due(&self) -> Fen {
        self.last.unwrap_or(self.prepay + self.released)
    }
}

/// Why money comes back, or is not paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClawbackReason {
    /// The score earns nothing by a floor or a gate.
    Failed,
    PrepaidExceedsEarned,
    /// Rows, not the score, moved it.
    Correction,
}

impl ClawbackReason {
    pub fn name(self) -> &'static str {
        match self {
            ClawbackReason::Failed => "failed",
            ClawbackReason::PrepaidExceedsEarned => "prepaid_exceeds_earned",
            ClawbackReason::Correction => "correction",
        }
    }
}

/// A line that pays back or is paid less than was to be prepaid.
pub struct Clawback<'a> {
    pub line: &'a Line,
    pub shortfall: Fen,
    pub withheld: Fen,
    pub reason: ClawbackReason,
    pub clause: Clause,
}

/// The clawback that a line makes, if it makes one.
pub fn clawback<'a>(line: &'a Line, policy: &Policy) -> Option<Clawback<'a>> {
    let shortfall = line.last.map_or(Fen::ZERO, |last| (line.prepay - last).positive());
    if shortfall == Fen::ZERO && line.recover == Fen::ZERO {
        return None;
    }
    let failed = line.earned.as_ref().is_some_and(|outcome| outcome.earned.failed) && line.gross > Fen::ZERO;
    let reason = match failed {
        true => ClawbackReason::Failed,
        false if shortfall > Fen::ZERO => ClawbackReason::PrepaidExceedsEarned,
        false => ClawbackReason::Correction,
    };
    let source = policy.source(&line.source).map(|source| &policy.sources[source]);
    let curve = source.and_then(|source| {
        let curve = source.curve.map(|curve| policy.curves[curve].clause.clone());
        curve.or_else(|| source.tranches.last().map(|tranche| tranche.clause.clone()))
    });
    let clause = match reason {
        ClawbackReason::Correction => source.map(|source| source.prepay_clause.clone()),
        _ => curve,
    };
    let withheld = (shortfall - line.recover).positive();
    let clause = clause.unwrap_or_else(|| Arc::clone(&policy.clause));
    Some(Clawback { line, shortfall, withheld, reason, clause })
}

/// Everything a settlement comes to.
pub struct Settlement {
    /// Sorted by cohort, institution id, package, source, version.
    pub lines: Vec<Line>,
    pub heads: Vec<HeadCounts>,
    pub flags: Vec<Flag>,
    pub figures: Vec<FigureRow>,
    pub notices: Vec<Msg>,
}

/// What was read and qualified, for the settlement to work with.
pub struct Given<'a> {
    pub qualified: &'a Qualified,
    pub classes: &'a [Arc<Class>],
    pub teams: &'a [Team],
    pub evidence: &'a Evidence,
    pub scores: &'a Scores,
    pub posted: &'a Posted,
    pub sheets: &'a [SheetEntry],
}

/// Works out the settlement of the rules' period.
pub fn settle(rules: &Rules, given: &Given) -> Settlement {
    let Given { qualified, classes, teams, evidence, scores, posted, sheets } = *given;
    let full = full_teams(rules, qualified, teams);
    let tally = tally(rules, qualified, classes, evidence, scores, &full.cut_off);
    let mut heads = vec![HeadCounts::default(); rules.institutions.count()];
    for (institution, counts) in &tally.heads {
        heads[*institution as usize] = *counts;
    }
    let mut flags = tally.flags;
    let mut groups = gross(rules, classes, &tally.charges, &tally.deductions);
    population(rules, &mut groups);
    let lines = finish(rules, groups, scores, posted);
    flags.extend(missing_scores(rules, &lines, scores));
    flags.extend(full.flags);
    for (replaced, by) in &scores.replaced {
        let policy = &rules.region.versions[rules.version_on(replaced.key.1.first_day())];
        if let Some(clause) = policy.flag(Code::W710) {
            flags.push(Flag {
                code: Code::W710,
                institution: replaced.key.0,
                signing: None,
                place: Some(replaced.place),
                detail: Detail::ScoreReplaced { score: replaced.score, by: by.score, at: by.place },
                clause: clause.clone(),
            });
        }
    }
    let Figures { rows: figures, notices } = figures(rules, &lines, &heads, sheets);
    Settlement { lines, heads, flags, figures, notices }
}

/// A line before its score and its payments are known.
type GroupKey = (Period, u32, String, String, usize);

#[derive(Default)]
struct Group {
    source: usize,
    count: u64,
    held: u64,
    gross: Fen,
    deduction: Fen,
}

fn gross(
    rules: &Rules,
    classes: &[Arc<Class>],
    charges: &FxHashMap<TallyKey, u64>,
    deductions: &FxHashMap<DeductionKey, Fen>,
) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    let mut sorted: Vec<_> = charges.iter().collect();
    sorted.sort_unstable_by_key(|((institution, cohort, class, _, part), _)| {
        (*cohort, *institution, *class, *part)
    });
    for ((institution, cohort, class, held, part), count) in sorted {
        let class = &classes[*class as usize];
        let (policy, package) = (rules.policy(class.offer), rules.package(class.offer));
        let version = rules.offers[class.offer as usize].version;
        for (share, amount) in class.shares.iter().zip(class.shares_of(*part)) {
            let source = &policy.sources[share.source];
            let key = (*cohort, *institution, package.named.id.clone(), source.id.clone(), version);
            let group = groups.entry(key).or_default();
            group.source = share.source;
            let asks = policy.authorization.as_ref().is_some_and(|rule| rule.source == share.source);
            if held.whole() || (held.unauthorized && asks) {
                group.held += count;
            } else {
                group.count += count;
                group.gross += amount.times(*count);
            }
        }
    }
    for ((institution, cohort, class, source), amount) in deductions {
        let class = &classes[*class as usize];
        let (policy, package) = (rules.policy(class.offer), rules.package(class.offer));
        let version = rules.offers[class.offer as usize].version;
        let source = policy.sources[*source].id.clone();
        let key = (*cohort, *institution, package.named.id.clone(), source, version);
        if let Some(group) = groups.get_mut(&key) {
            group.deduction += *amount;
        }
    }
    groups
}

/// Lines that are paid by served population (SPEC §3).
fn population(rules: &Rules, groups: &mut BTreeMap<GroupKey, Group>) {
    let cycles: Vec<_> = rules.region.versions.iter().map(|version| version.cycle).collect();
    for (version, policy) in rules.region.versions.iter().enumerate() {
        for cohort in rules.period.split(cycles[version]) {
            if rules.region.in_force(cohort.first_day()) != Some(version) || cohort.first_day() < policy.from
            {
                continue;
            }
            for rule in &policy.population {
                for (index, institution) in rules.institutions.list.iter().enumerate() {
                    let (_, admitted) = rules.kind(version, index as u32);
                    let Some(people) =
                        institution.served_population.filter(|_| institution.designated && admitted)
                    else {
                        continue;
                    };
                    let gross = rule.a_year.times(people).divided(u32::from(policy.cycle.in_a_year()));
                    let source = policy.sources[rule.source].id.clone();
                    let key = (cohort, index as u32, rule.id.clone(), source, version);
                    let group =
                        Group { source: rule.source, count: people, held: 0, gross, deduction: Fen::ZERO };
                    groups.insert(key, group);
                }
            }
        }
    }
}

fn finish(rules: &Rules, groups: BTreeMap<GroupKey, Group>, scores: &Scores, posted: &Posted) -> Vec<Line> {
    let mut lines: Vec<Line> = groups
        .into_iter()
        .map(|((cohort, institution, package, source, version), group)| {
            let policy = &rules.region.versions[version];
            let rule = &policy.sources[group.source];
            let mut line = Line {
                cohort,
                institution,
                package,
                source,
                version,
                settled: rule.settled,
                count: group.count,
                held: group.held,
                gross: group.gross,
                deduction: if rule.settled { group.deduction.min(group.gross) } else { Fen::ZERO },
                prepay_ratio: rule.prepay,
                prepay: Fen::ZERO,
                released: Fen::ZERO,
                earned: None,
                last: None,
                tranches: Vec::new(),
                posted: Fen::ZERO,
                payable: Fen::ZERO,
                recover: Fen::ZERO,
            };
            if rule.settled {
                clear(&mut line, rules, policy, rule, scores);
            }
            line
        })
        .collect();
    post(rules, &mut lines, posted, scores);
    for line in lines.iter_mut().filter(|line| line.settled) {
        line.payable = (line.due() - line.posted).positive();
        line.recover = (line.posted - line.due()).positive();
        assert_eq!(line.posted + line.payable - line.recover, line.due(), "what moves makes up what is due");
    }
    let id = |line: &Line| &rules.institutions.get(line.institution).id;
    lines.sort_by(|a, b| {
        (a.cohort.to_string(), id(a), &a.package, &a.source, a.version).cmp(&(
            b.cohort.to_string(),
            id(b),
            &b.package,
            &b.source,
            b.version,
        ))
    });
    lines
}

/// Puts what was paid on its lines: the versions' lines in turn up to what each is due, the rest on
/// the last; on a line of its own where there is none.
fn post(rules: &Rules, lines: &mut Vec<Line>, posted: &Posted, scores: &Scores) {
    let periods: Vec<Vec<Period>> =
        rules.region.versions.iter().map(|version| rules.period.split(version.cycle)).collect();
    let mut places: FxHashMap<(Period, u32, String, String), Vec<usize>> = FxHashMap::default();
    // A line of a version that does not settle the source takes no payment of it.
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.settled) {
        let key = (line.cohort, line.institution, line.package.clone(), line.source.clone());
        places.entry(key).or_default().push(at);
    }
    for (key, amount) in posted {
        let (cohort, institution, package, source) = key;
        if !periods.iter().any(|cohorts| cohorts.contains(cohort)) {
            continue;
        }
        let settles = |version: &usize| {
            let policy = &rules.region.versions[*version];
            policy.cycle == cohort.cycle() && policy.source(source).is_some()
        };
        let version = rules.versions_about(cohort.first_day()).find(settles);
        let version = version.unwrap_or_else(|| rules.version_on(cohort.first_day()));
        let Some(at) = places.get(key) else {
            let policy = &rules.region.versions[version];
            let rule = policy.source(source).map(|source| &policy.sources[source]);
            let mut line = Line {
                cohort: *cohort,
                institution: *institution,
                package: package.clone(),
                source: source.clone(),
                version,
                settled: true,
                count: 0,
                held: 0,
                gross: Fen::ZERO,
                deduction: Fen::ZERO,
                prepay_ratio: rule.map_or(Decimal::ZERO, |rule| rule.prepay),
                prepay: Fen::ZERO,
                released: Fen::ZERO,
                earned: None,
                last: None,
                tranches: Vec::new(),
                posted: *amount,
                payable: Fen::ZERO,
                recover: Fen::ZERO,
            };
            if let Some(rule) = rule {
                clear(&mut line, rules, policy, rule, scores);
            }
            if *amount > Fen::ZERO {
                lines.push(line);
            }
            continue;
        };
        let mut left = *amount;
        for (nth, at) in at.iter().enumerate() {
            let line = &mut lines[*at];
            let here = if nth + 1 == places[key].len() { left } else { left.min(line.due()) };
            line.posted = here;
            left = left - here;
        }
    }
}
