//! Qualified signings, evidence, scores and payments → settlement lines, clawbacks and flags.
//! What is due less what was posted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Period;
use crate::policy::{Clause, Policy};

use super::assess::{Scores, SheetEntry};
use super::clear::{Outcome, Released, clear};
use super::delta::{Cause, Change, Move, differs, moves, state};
use super::desk::Details;
use super::evidence::Evidence;
use super::figures::{FigureRow, Figures, figures};
use super::flags::{Detail, Flag, full_teams, missing_scores};
use super::history::History;
use super::past::LineState;
use super::price::{Class, Classes};
use super::qualify::Qualified;
use super::rules::Rules;
use super::tally::{ChangeKey, DeductionKey, HeadCounts, Tally, TallyKey, With, tally};

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
    /// What earlier postings took back of it.
    pub recovered: Fen,
    /// What it came to when it was last posted, by the ledger.
    pub then: Option<Box<LineState>>,
    /// What moved it since; nothing where nothing was posted.
    pub moves: Vec<Move>,
}

impl Line {
    fn new(cohort: Period, institution: u32, package: String, version: usize) -> Line {
        Line {
            cohort,
            institution,
            package,
            source: String::new(),
            version,
            settled: false,
            count: 0,
            held: 0,
            gross: Fen::ZERO,
            deduction: Fen::ZERO,
            prepay_ratio: Decimal::ZERO,
            prepay: Fen::ZERO,
            released: Fen::ZERO,
            earned: None,
            last: None,
            tranches: Vec::new(),
            posted: Fen::ZERO,
            payable: Fen::ZERO,
            recover: Fen::ZERO,
            recovered: Fen::ZERO,
            then: None,
            moves: Vec::new(),
        }
    }

    /// Where the past and payments name it.
    pub fn key(&self) -> (Period, u32, String, String) {
        (self.cohort, self.institution, self.package.clone(), self.source.clone())
    }

    /// What a posting notes of it. `rules`: a hash over the rule files.
    pub fn state(&self, rules: &str) -> LineState {
        state(self, self.earned.as_ref().map(Outcome::shown).unwrap_or_default(), rules)
    }

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
    // Against a ledger, what comes back comes back for what moved since.
    let scored = |one: &Move| one.cause == Cause::Score && one.amount < Fen::ZERO;
    let by_rows = line.then.is_some() && line.recover > Fen::ZERO && !line.moves.iter().any(scored);
    let reason = match failed {
        _ if by_rows => ClawbackReason::Correction,
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
    let withheld = (shortfall - line.recover - line.recovered).positive();
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
    /// How many charges of each price and condition the lines count, for whoever wants them one by one.
    pub charges: Vec<(TallyKey, u64)>,
    pub notices: Vec<Msg>,
}

/// What was read and qualified, for the settlement to work with.
pub struct Given<'a> {
    pub history: &'a History<'a>,
    pub qualified: &'a Qualified,
    pub classes: &'a Classes,
    pub prices: &'a [Arc<Class>],
    pub details: &'a [Details],
    pub evidence: &'a Evidence,
    pub scores: &'a Scores,
    /// What payments say, where there is no ledger.
    pub posted: &'a Posted,
    pub sheets: &'a [SheetEntry],
    /// A hash over the rule files.
    pub rules_hash: &'a str,
}

/// Works out the settlement of the rules' period.
pub fn settle(rules: &Rules, given: &Given) -> Settlement {
    let Given { history, qualified, classes, prices, details, evidence, scores, sheets, .. } = *given;
    let full = full_teams(rules, qualified, details);
    let with = With { rules, classes, prices, history, evidence, scores, over_cap: &full.cut_off };
    let tally = tally(with, qualified);
    let charges = tally.charges();
    let Tally { deductions, heads, changes, mut flags, .. } = tally;
    let mut groups = gross(rules, prices, &charges, &deductions);
    population(rules, history, &mut groups);
    let lines = finish(rules, groups, &row_changes(rules, changes), given);
    let of_period: Vec<&Line> = lines.iter().filter(|line| rules.of_period(line.cohort)).collect();
    flags.extend(missing_scores(rules, &of_period, scores));
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
    let Figures { rows: figures, notices } = figures(rules, &of_period, &heads, sheets);
    Settlement { lines, heads, flags, figures, charges, notices }
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
    /// Of it, charges of signings that were never posted.
    fresh: Change,
}

type RowChanges = BTreeMap<GroupKey, BTreeMap<Cause, Change>>;

fn row_changes(rules: &Rules, changes: FxHashMap<ChangeKey, Change>) -> RowChanges {
    let mut all = RowChanges::new();
    for ((institution, cohort, offer, source, cause), change) in changes {
        let (policy, package) = (rules.policy(offer), rules.package(offer));
        let version = rules.offers[offer as usize].version;
        let source = policy.sources[source].id.clone();
        let key = (cohort, institution, package.named.id.clone(), source, version);
        all.entry(key).or_default().entry(cause).or_default().add(change);
    }
    all
}

fn gross(
    rules: &Rules,
    classes: &[Arc<Class>],
    charges: &[(TallyKey, u64)],
    deductions: &FxHashMap<DeductionKey, Fen>,
) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    for ((institution, cohort, class, held, part, fresh), count) in charges {
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
                if *fresh {
                    let (count, gross) = (count.cast_signed(), amount.times(*count));
                    group.fresh.add(Change { count, gross });
                }
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

/// Lines that are paid by served population (SPEC §3). What was posted stands: what the institution has become
/// since takes nothing back.
fn population(rules: &Rules, history: &History, groups: &mut BTreeMap<GroupKey, Group>) {
    for (version, policy) in rules.region.versions.iter().enumerate() {
        for cohort in rules.cohorts(version) {
            if rules.region.in_force(cohort.first_day()) != Some(version) || cohort.first_day() < policy.from
            {
                continue;
            }
            for rule in &policy.population {
                let source = &policy.sources[rule.source].id;
                for (index, institution) in rules.institutions.list.iter().enumerate() {
                    let (_, admitted) = rules.kind(version, index as u32);
                    let posted = (cohort, index as u32, rule.id.clone(), source.clone());
                    let posted = history.state(&posted, &policy.id).map(|state| state.count);
                    let now = || institution.served_population.filter(|_| institution.designated && admitted);
                    let people = posted.filter(|people| *people > 0).or_else(now);
                    let Some(people) = people else { continue };
                    let gross = rule.a_year.times(people).divided(u32::from(policy.cycle.in_a_year()));
                    let key = (cohort, index as u32, rule.id.clone(), source.clone(), version);
                    let group = Group { source: rule.source, count: people, gross, ..Group::default() };
                    groups.insert(key, group);
                }
            }
        }
    }
}

/// Lines that were posted and have no charge any more.
fn stranded(rules: &Rules, history: &History, groups: &mut BTreeMap<GroupKey, Group>) {
    for ((cohort, institution, package, source), by_policy) in history.states() {
        for id in by_policy.keys() {
            let Some(version) = rules.region.versions.iter().position(|version| version.id == *id) else {
                continue;
            };
            let policy = &rules.region.versions[version];
            let known = policy.source(source).filter(|_| policy.cycle == cohort.cycle());
            let settled = cohort.first_day() >= rules.from && cohort.end() <= rules.end;
            if let Some(index) = known.filter(|_| settled) {
                let key = (*cohort, *institution, package.clone(), source.clone(), version);
                groups.entry(key).or_insert_with(|| Group { source: index, ..Group::default() });
            }
        }
    }
}

fn finish(
    rules: &Rules,
    mut groups: BTreeMap<GroupKey, Group>,
    changes: &RowChanges,
    given: &Given,
) -> Vec<Line> {
    let Given { history, scores, rules_hash, .. } = *given;
    stranded(rules, history, &mut groups);
    let mut fresh: FxHashMap<GroupKey, Change> = FxHashMap::default();
    let mut lines: Vec<Line> = groups
        .into_iter()
        .map(|(key, group)| {
            if history.is_there() && group.fresh != Change::default() {
                fresh.insert(key.clone(), group.fresh);
            }
            let (cohort, institution, package, source, version) = key;
            let policy = &rules.region.versions[version];
            let rule = &policy.sources[group.source];
            let mut line = Line {
                source,
                settled: rule.settled,
                count: group.count,
                held: group.held,
                gross: group.gross,
                deduction: if rule.settled { group.deduction.min(group.gross) } else { Fen::ZERO },
                prepay_ratio: rule.prepay,
                ..Line::new(cohort, institution, package, version)
            };
            if rule.settled {
                clear(&mut line, rules, policy, rule, scores);
            }
            line.then = history.state(&line.key(), &policy.id).cloned().map(Box::new);
            line.recovered = history.posted_by(&line.key(), &policy.id).1;
            line
        })
        .collect();
    post(rules, &mut lines, (history, given.posted), scores);
    let none = BTreeMap::new();
    lines.par_iter_mut().for_each(|line| {
        if line.settled {
            line.payable = (line.due() - line.posted).positive();
            line.recover = (line.posted - line.due()).positive();
            assert_eq!(
                line.posted + line.payable - line.recover,
                line.due(),
                "what moves makes up what is due"
            );
        }
        if history.is_there() || line.posted != Fen::ZERO {
            let (cohort, institution, package, source) = line.key();
            let key = (cohort, institution, package, source, line.version);
            let fresh = fresh.get(&key).copied().unwrap_or_default();
            let rows = changes.get(&key).unwrap_or(&none);
            let cleared = history.cleared(line.cohort, line.institution, &line.package).is_some();
            let elsewhere = history
                .states_of(&line.key())
                .any(|policy| *policy != rules.region.versions[line.version].id);
            let states = (line.then.as_deref(), &line.state(rules_hash));
            line.moves = moves(line, states, rows, fresh, (cleared, elsewhere));
            let moved: Fen = line.moves.iter().map(|one| one.amount).sum();
            assert_eq!(moved, line.payable - line.recover, "the causes add up to what moves");
        }
    });
    // Of older cohorts only what moved since it was posted; and no line that has neither a charge nor money.
    lines.retain(|line| {
        let now = line.state(rules_hash);
        let moved = line.then.as_ref().map_or(line.count + line.held > 0, |then| differs(&now, then));
        let money = line.posted != Fen::ZERO || line.payable != Fen::ZERO;
        let due = line.payable != Fen::ZERO || line.recover != Fen::ZERO;
        let stranded = line.count + line.held == 0 && line.then.is_some();
        // Rows may have come and gone without changing a sum.
        let changed = moved || due || !line.moves.is_empty();
        ((rules.standing || rules.of_period(line.cohort)) && (money || !stranded)) || changed
    });
    let id = |line: &Line| &rules.institutions.get(line.institution).id;
    // Most are of the same.
    let by_cohort = |a: Period, b: Period| match a == b {
        true => Ordering::Equal,
        false => a.to_string().cmp(&b.to_string()),
    };
    // What was paid may stand beside a line that settles nothing; no other two are alike in all of it.
    lines.sort_unstable_by(|a, b| {
        by_cohort(a.cohort, b.cohort).then_with(|| {
            let key = |line: &'_ Line| (line.version, line.settled);
            (id(a), &a.package, &a.source, key(a)).cmp(&(id(b), &b.package, &b.source, key(b)))
        })
    });
    lines
}

/// Puts what was paid on its lines: the versions' lines in turn up to what each is due, the rest on
/// the last; on a line of its own where there is none.
fn post(rules: &Rules, lines: &mut Vec<Line>, (history, payments): (&History, &Posted), scores: &Scores) {
    let posted = if history.is_there() { &history.posted } else { payments };
    let periods: Vec<Vec<Period>> =
        (0..rules.region.versions.len()).map(|version| rules.cohorts(version)).collect();
    let mut places: FxHashMap<(Period, u32), Vec<usize>> = FxHashMap::default();
    // A line of a version that does not settle the source takes no payment of it.
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.settled) {
        places.entry((line.cohort, line.institution)).or_default().push(at);
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
        let of_both = |at: &usize| lines[*at].package == *package && lines[*at].source == *source;
        let there = places.get(&(*cohort, *institution)).map_or(&[][..], Vec::as_slice);
        let there: Vec<usize> = there.iter().copied().filter(of_both).collect();
        if there.is_empty() {
            let policy = &rules.region.versions[version];
            let rule = policy.source(source).map(|source| &policy.sources[source]);
            let mut line = Line {
                source: source.clone(),
                settled: true,
                prepay_ratio: rule.map_or(Decimal::ZERO, |rule| rule.prepay),
                posted: *amount,
                ..Line::new(*cohort, *institution, package.clone(), version)
            };
            if let Some(rule) = rule {
                clear(&mut line, rules, policy, rule, scores);
            }
            if *amount != Fen::ZERO {
                lines.push(line);
            }
            continue;
        }
        let mut left = *amount;
        let last = there.len() - 1;
        for (nth, at) in there.into_iter().enumerate() {
            let line = &mut lines[at];
            // A ledger knows of which policy's line an amount was.
            let own = match history.is_there() {
                true => history.posted_by(key, &rules.region.versions[line.version].id).0,
                false => left.min(line.due()),
            };
            let here = if nth == last { left } else { own };
            line.posted = here;
            left = left - here;
        }
    }
}
