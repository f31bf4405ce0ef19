//! Qualified signings, evidence, scores and payments → settlement lines, clawbacks and flags.
//! What is due less what was posted.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::place::Place;
use crate::policy::curve::Earned;
use crate::policy::package::PackageKind;
use crate::policy::{Clause, FigureKind, Policy};

use super::assess::{ScoreEntry, Scores};
use super::evidence::Evidence;
use super::price::Class;
use super::qualify::{NO_TEAM, Qualified, Signing};
use super::rules::Rules;

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
    /// Once the score is known.
    pub earned: Option<(ScoreEntry, Earned)>,
    pub last: Option<Fen>,
    pub posted: Fen,
    pub payable: Fen,
    pub recover: Fen,
}

impl Line {
    pub fn due(&self) -> Fen {
        self.last.unwrap_or(self.prepay)
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
    let failed = line.earned.as_ref().is_some_and(|(_, earned)| earned.failed) && line.gross > Fen::ZERO;
    let reason = match failed {
        true => ClawbackReason::Failed,
        false if shortfall > Fen::ZERO => ClawbackReason::PrepaidExceedsEarned,
        false => ClawbackReason::Correction,
    };
    let source = policy.source(&line.source).map(|source| &policy.sources[source]);
    let curve = source.and_then(|source| source.curve).map(|curve| policy.curves[curve].clause.clone());
    let clause = match reason {
        ClawbackReason::Correction => source.map(|source| source.prepay_clause.clone()),
        _ => curve,
    };
    let withheld = (shortfall - line.recover).positive();
    let clause = clause.unwrap_or_else(|| Arc::clone(&policy.clause));
    Some(Clawback { line, shortfall, withheld, reason, clause })
}

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

/// What the period's signings come to in one institution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadCounts {
    /// Signings with a charge in the period, none of it held; and with one held.
    pub admitted: u64,
    pub held: u64,
    /// Signings of free packages in force on the last day.
    pub free: u64,
    /// People with a charge, where the policy wants the coverage reported.
    pub people: u64,
    /// What residents bear of the period's charges.
    pub individual: Fen,
}

/// Everything a settlement comes to.
pub struct Settlement {
    /// Sorted by cohort, institution id, package, source, version.
    pub lines: Vec<Line>,
    pub heads: Vec<HeadCounts>,
    pub flags: Vec<Flag>,
}

/// Charges of one institution, cohort and price, by what holds them back.
type TallyKey = (u32, Period, u32, Held);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Held {
    no_evidence: bool,
    unauthorized: bool,
}

#[derive(Default)]
struct Tally {
    charges: FxHashMap<TallyKey, u64>,
    /// What missing items take off, of one class of an institution's cohort.
    deductions: FxHashMap<(u32, Period, u32), Fen>,
    heads: FxHashMap<u32, HeadCounts>,
    flags: Vec<Flag>,
}

/// Works out the settlement of the rules' period.
pub fn settle(
    rules: &Rules,
    qualified: &Qualified,
    classes: &[Arc<Class>],
    evidence: &Evidence,
    scores: &Scores,
    posted: &Posted,
    teams: &[(u32, String)],
) -> Settlement {
    let tally = tally(rules, qualified, classes, evidence, scores);
    let mut heads = vec![HeadCounts::default(); rules.institutions.count()];
    for (institution, counts) in &tally.heads {
        heads[*institution as usize] = *counts;
    }
    let mut flags = tally.flags;
    let mut groups = gross(rules, classes, &tally.charges, &tally.deductions);
    population(rules, &mut groups);
    let lines = finish(rules, groups, scores, posted);
    flags.extend(missing_scores(rules, &lines));
    flags.extend(large_teams(rules, qualified, teams));
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
    Settlement { lines, heads, flags }
}

fn tally(
    rules: &Rules,
    qualified: &Qualified,
    classes: &[Arc<Class>],
    evidence: &Evidence,
    scores: &Scores,
) -> Tally {
    let signings = &qualified.signings;
    let mut parts: Vec<Tally> = signings
        .par_iter()
        .enumerate()
        .fold(Tally::default, |mut tally, (index, signing)| {
            count(&mut tally, index, signing, rules, classes, evidence, scores);
            tally
        })
        .collect();
    if parts.is_empty() {
        parts.push(Tally::default());
    }
    let mut all = parts.swap_remove(0);
    for part in parts {
        for (key, count) in part.charges {
            *all.charges.entry(key).or_default() += count;
        }
        for (key, amount) in part.deductions {
            *all.deductions.entry(key).or_default() += amount;
        }
        for (institution, counts) in part.heads {
            let sum = all.heads.entry(institution).or_default();
            sum.admitted += counts.admitted;
            sum.held += counts.held;
            sum.free += counts.free;
            sum.individual += counts.individual;
        }
        all.flags.extend(part.flags);
    }
    let figures = rules.region.versions.iter().flat_map(|version| &version.figures);
    if figures.into_iter().any(|figure| figure.kind == FigureKind::Coverage) {
        for (institution, people) in people(rules, qualified) {
            all.heads.entry(institution).or_default().people = people;
        }
    }
    all
}

/// Distinct people with a charge in the period, by institution.
fn people(rules: &Rules, qualified: &Qualified) -> FxHashMap<u32, u64> {
    let mut counts = FxHashMap::default();
    let mut seen: Vec<u32> = Vec::new();
    let mut last = None;
    for signing in &qualified.signings {
        if last != Some(signing.person) {
            last = Some(signing.person);
            seen.clear();
        }
        let charged = rules.kind_of(signing.offer()) != PackageKind::Free
            && signing.charges(rules.policy(signing.offer()).charge_months, rules.period).next().is_some();
        if charged && !seen.contains(&signing.institution) {
            seen.push(signing.institution);
            *counts.entry(signing.institution).or_default() += 1;
        }
    }
    counts
}

fn count(
    tally: &mut Tally,
    index: usize,
    signing: &Signing,
    rules: &Rules,
    classes: &[Arc<Class>],
    evidence: &Evidence,
    scores: &Scores,
) {
    let (policy, package) = (rules.policy(signing.offer()), rules.package(signing.offer()));
    let heads = tally.heads.entry(signing.institution).or_default();
    if package.kind == PackageKind::Free {
        let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
        heads.free += u64::from(signing.in_force(last_day));
        return;
    }
    let class = &classes[signing.class as usize];
    let unauthorized = policy.authorization.as_ref().is_some_and(|rule| {
        !signing.authorized() && class.shares.iter().any(|share| share.source == rule.source)
    });
    // A held charge cites the article that holds it.
    let mut flag = |code, place: Option<Place>, detail: Detail| {
        let of_rule = match &detail {
            Detail::NoServiceRecord { .. } => policy.evidence.as_ref().map(|rule| &rule.clause),
            Detail::NotAuthorized { .. } => policy.authorization.as_ref().map(|rule| &rule.clause),
            _ => None,
        };
        if let Some(clause) = policy.flag(code) {
            tally.flags.push(Flag {
                code,
                institution: signing.institution,
                signing: Some(index as u32),
                place,
                detail,
                clause: of_rule.unwrap_or(clause).clone(),
            });
        }
    };
    let (mut any, mut any_held) = (false, false);
    for (nth, (_, day)) in signing.charges(policy.charge_months, rules.period).enumerate() {
        let cohort = policy.cycle.of(day);
        let no_evidence = policy.evidence.is_some() && !evidence.seen(index, nth);
        let held = Held { no_evidence, unauthorized };
        *tally.charges.entry((signing.institution, cohort, signing.class, held)).or_default() += 1;
        if !no_evidence {
            heads.individual += class.individual;
        }
        if package.deduct_missing && !no_evidence {
            let missing = missing_items(index, nth, package, evidence);
            *tally.deductions.entry((signing.institution, cohort, signing.class)).or_default() += missing;
        }
        if no_evidence {
            flag(Code::W708, Some(signing.place()), Detail::NoServiceRecord { from: day });
        }
        if let Some(assessed_on) = assessed_before(policy, signing, cohort, scores) {
            flag(Code::W704, Some(signing.place()), Detail::SignedLate { cohort, assessed_on });
        }
        any = true;
        any_held |= no_evidence || unauthorized;
    }
    if !any {
        return;
    }
    if any_held {
        heads.held += 1;
    } else {
        heads.admitted += 1;
    }
    if unauthorized && let Some(rule) = &policy.authorization {
        let source = policy.sources[rule.source].name.clone();
        flag(Code::W708, Some(signing.place()), Detail::NotAuthorized { source });
    }
    if signing.underpaid()
        && let Some(paid) = signing.paid()
    {
        flag(Code::W702, Some(signing.place()), Detail::PaidBelow { paid, share: class.individual });
    }
}

fn missing_items(
    index: usize,
    nth: usize,
    package: &crate::policy::package::Package,
    evidence: &Evidence,
) -> Fen {
    let items = package.items.len();
    package
        .items
        .iter()
        .enumerate()
        .filter_map(|(item, rule)| {
            let missing = rule.times?.saturating_sub(evidence.done(index, nth, items, item));
            Some(rule.amount?.times(u64::from(missing)))
        })
        .sum()
}

/// The day of the assessment that its cohort had before the signing was signed (W704).
fn assessed_before(policy: &Policy, signing: &Signing, cohort: Period, scores: &Scores) -> Option<Date> {
    if signing.signed_on < cohort.end() {
        return None;
    }
    policy.levels.iter().find_map(|level| {
        let key = (signing.institution, level.cycle.of(cohort.first_day()), level.named.id.clone());
        let assessed_on = scores.by_key.get(&key)?.assessed_on?;
        (assessed_on < signing.signed_on).then_some(assessed_on)
    })
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
    deductions: &FxHashMap<(u32, Period, u32), Fen>,
) -> BTreeMap<GroupKey, Group> {
    let mut groups: BTreeMap<GroupKey, Group> = BTreeMap::new();
    let mut sorted: Vec<_> = charges.iter().collect();
    sorted.sort_unstable_by_key(|((institution, cohort, class, _), _)| (*cohort, *institution, *class));
    for ((institution, cohort, class, held), count) in sorted {
        let class = &classes[*class as usize];
        let (policy, package) = (rules.policy(class.offer), rules.package(class.offer));
        let version = rules.offers[class.offer as usize].version;
        for share in &class.shares {
            let source = &policy.sources[share.source];
            let key = (*cohort, *institution, package.named.id.clone(), source.id.clone(), version);
            let group = groups.entry(key).or_default();
            group.source = share.source;
            let asks = policy.authorization.as_ref().is_some_and(|rule| rule.source == share.source);
            if held.no_evidence || (held.unauthorized && asks) {
                group.held += count;
            } else {
                group.count += count;
                group.gross += share.amount.times(*count);
            }
        }
    }
    for ((institution, cohort, class), amount) in deductions {
        let class = &classes[*class as usize];
        let (policy, package) = (rules.policy(class.offer), rules.package(class.offer));
        let version = rules.offers[class.offer as usize].version;
        let Some(share) = class.shares.iter().find(|share| policy.sources[share.source].settled) else {
            continue;
        };
        let source = policy.sources[share.source].id.clone();
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
                earned: None,
                last: None,
                posted: Fen::ZERO,
                payable: Fen::ZERO,
                recover: Fen::ZERO,
            };
            if rule.settled {
                line.prepay = line.gross.share(rule.prepay);
                line.earned = earned(policy, rule.curve, &line, scores);
                line.last =
                    line.earned.as_ref().map(|(_, earned)| (line.gross - line.deduction).share(earned.ratio));
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

fn earned(
    policy: &Policy,
    curve: Option<usize>,
    line: &Line,
    scores: &Scores,
) -> Option<(ScoreEntry, Earned)> {
    let curve = &policy.curves[curve?];
    let level = &policy.levels[curve.level];
    let key = (line.institution, level.cycle.of(line.cohort.first_day()), level.named.id.clone());
    let score = scores.by_key.get(&key)?;
    Some((score.clone(), curve.earned(score.score)))
}

/// Puts what was paid on its lines: the versions' lines in turn up to what each is due, the rest on
/// the last; on a line of its own where there is none.
fn post(rules: &Rules, lines: &mut Vec<Line>, posted: &Posted, scores: &Scores) {
    let periods: Vec<Vec<Period>> =
        rules.region.versions.iter().map(|version| rules.period.split(version.cycle)).collect();
    let mut places: FxHashMap<(Period, u32, String, String), Vec<usize>> = FxHashMap::default();
    for (at, line) in lines.iter().enumerate() {
        let key = (line.cohort, line.institution, line.package.clone(), line.source.clone());
        places.entry(key).or_default().push(at);
    }
    for (key, amount) in posted {
        let (cohort, institution, package, source) = key;
        let version = rules.version_on(cohort.first_day());
        if !periods[version].contains(cohort) {
            continue;
        }
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
                earned: None,
                last: None,
                posted: *amount,
                payable: Fen::ZERO,
                recover: Fen::ZERO,
            };
            line.earned = rule.and_then(|rule| earned(policy, rule.curve, &line, scores));
            line.last = line.earned.as_ref().map(|_| Fen::ZERO);
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

/// W706: charges and no score, where others of the cohort have one.
fn missing_scores(rules: &Rules, lines: &[Line]) -> Vec<Flag> {
    let mut scored: std::collections::BTreeSet<(Period, String)> = std::collections::BTreeSet::new();
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
fn large_teams(rules: &Rules, qualified: &Qualified, teams: &[(u32, String)]) -> Vec<Flag> {
    let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
    let mut people = vec![0u64; teams.len()];
    let mut seen: Vec<u32> = Vec::new();
    let mut last = None;
    for signing in &qualified.signings {
        if last != Some(signing.person) {
            last = Some(signing.person);
            seen.clear();
        }
        if signing.team != NO_TEAM && signing.in_force(last_day) && !seen.contains(&signing.team) {
            seen.push(signing.team);
            people[signing.team as usize] += 1;
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
