//! Qualified signings and evidence → counts of charges by institution, cohort and price; and the
//! flags that a single signing raises.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period, add_months};
use crate::base::place::Place;
use crate::policy::package::{ItemsDue, Package, PackageKind};
use crate::policy::schedule::Part;
use crate::policy::{FigureKind, Policy};

use super::assess::{Scores, score_key};
use super::changes;
use super::delta::{Cause, Change};
use super::evidence::Evidence;
use super::flags::{Detail, Flag};
use super::history::History;
use super::price::{Class, Classes};
use super::qualify::{Qualified, Signing};
use super::rules::Rules;

/// What the period's signings come to in one institution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeadCounts {
    /// Signings with a charge in the period, none of it held; and with one held.
    pub admitted: u64,
    pub held: u64,
    /// Of both, those that stand in no file of this run; and of these the held ones.
    pub recalled: u64,
    pub recalled_held: u64,
    /// Signings of free packages in force on the last day.
    pub free: u64,
    /// People signed on the last day, where the policy wants the coverage reported.
    pub people: u64,
    /// What residents bear of the period's charges.
    pub individual: Fen,
}

/// Charges of one institution, cohort and price, by what holds them back, what part is paid, and whether their
/// signing was never posted.
pub type TallyKey = (u32, Period, u32, Held, Part, bool);

/// Changes of signings that were posted: of an institution's cohort, offer and source.
pub type ChangeKey = (u32, Period, u16, usize, Cause);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    pub no_evidence: bool,
    pub unauthorized: bool,
    /// Its team or doctor had all the people it may have.
    pub over_cap: bool,
}

impl Held {
    /// Every source's share is held, not only the one that asks for authorization.
    pub fn whole(self) -> bool {
        self.no_evidence || self.over_cap
    }
}

/// What missing items take off: of an institution's cohort, class and source.
pub type DeductionKey = (u32, Period, u32, usize);

/// What charges of an institution are told apart by: cohort, class, and the rest of [`TallyKey`].
type Condition = (Period, u32, Held, Part, bool);

/// Charges by institution and condition. There are few conditions and many institutions: of the first conditions
/// each has a number for every institution, so that a charge is counted without looking for its place.
struct Charges {
    conditions: FxHashMap<Condition, usize>,
    /// The condition met last, which mostly comes again.
    last: Option<(Condition, usize)>,
    counts: Vec<Vec<u64>>,
    /// By the condition's number and the institution, of conditions beyond those.
    others: FxHashMap<(usize, u32), u64>,
    institutions: usize,
}

impl Charges {
    /// How many conditions have a number for every institution: more would take more memory than they are worth.
    const DENSE: usize = 64;

    fn new(institutions: usize) -> Charges {
        let (conditions, others) = (FxHashMap::default(), FxHashMap::default());
        Charges { conditions, last: None, counts: Vec::new(), others, institutions }
    }

    #[inline]
    fn add(&mut self, institution: u32, condition: Condition, count: u64) {
        let number = match self.last {
            Some((last, number)) if last == condition => number,
            _ => {
                let next = self.conditions.len();
                let number = *self.conditions.entry(condition).or_insert(next);
                if number == self.counts.len() && number < Charges::DENSE {
                    self.counts.push(vec![0; self.institutions]);
                }
                self.last = Some((condition, number));
                number
            }
        };
        match self.counts.get_mut(number) {
            Some(counts) => counts[institution as usize] += count,
            None => *self.others.entry((number, institution)).or_default() += count,
        }
    }

    fn each(&self, mut each: impl FnMut(u32, Condition, u64)) {
        let mut conditions: Vec<(&Condition, usize)> =
            self.conditions.iter().map(|(condition, number)| (condition, *number)).collect();
        conditions.sort_unstable_by_key(|(_, number)| *number);
        for ((condition, _), counts) in conditions.iter().zip(&self.counts) {
            for (institution, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                each(institution as u32, **condition, *count);
            }
        }
        for ((number, institution), count) in &self.others {
            each(*institution, *conditions[*number].0, *count);
        }
    }
}

/// What the signings of a period come to, before any score or payment.
pub struct Tally {
    charges: Charges,
    pub deductions: FxHashMap<DeductionKey, Fen>,
    /// By institution.
    pub heads: Vec<HeadCounts>,
    pub changes: FxHashMap<ChangeKey, Change>,
    pub flags: Vec<Flag>,
}

impl Tally {
    fn new(institutions: usize) -> Tally {
        Tally {
            charges: Charges::new(institutions),
            deductions: FxHashMap::default(),
            heads: vec![HeadCounts::default(); institutions],
            changes: FxHashMap::default(),
            flags: Vec::new(),
        }
    }

    /// The charges by all that they are told apart by, sorted.
    pub fn charges(&self) -> Vec<(TallyKey, u64)> {
        let mut all = Vec::new();
        self.charges.each(|institution, (cohort, class, held, part, fresh), count| {
            all.push(((institution, cohort, class, held, part, fresh), count));
        });
        all.par_sort_unstable_by_key(|((institution, cohort, class, held, part, fresh), _)| {
            (*cohort, *institution, *class, *part, *held, *fresh)
        });
        all
    }
}

/// Counts every charge that is settled.
pub fn tally(with: With, qualified: &Qualified) -> Tally {
    let rules = with.rules;
    let signings = &qualified.signings;
    let empty = || Tally::new(rules.institutions.count());
    const TOGETHER: usize = 1 << 10;
    // One for each thread: where institutions are many it is large.
    let free = Mutex::new(Vec::new());
    (0..signings.count().div_ceil(TOGETHER)).into_par_iter().for_each(|chunk| {
        let tally = free.lock().expect("no panic holds it").pop();
        let mut tally = tally.unwrap_or_else(empty);
        for index in chunk * TOGETHER..signings.count().min((chunk + 1) * TOGETHER) {
            let (signing, known) = (signings.get(index), qualified.known(index));
            count(&mut tally, (index, known), &signing, with);
            if let Some(known) = known {
                let now = Some((index, &signing));
                changes::of_signing(&mut tally.changes, known, now, Cause::Corrected, with);
            }
        }
        free.lock().expect("no panic holds it").push(tally);
    });
    let mut parts = free.into_inner().expect("no panic holds it");
    let mut gone = empty();
    for known in &qualified.voided {
        changes::of_signing(&mut gone.changes, *known, None, Cause::Void, with);
    }
    for known in qualified.refused.iter().filter_map(|(_, _, known)| *known) {
        changes::of_signing(&mut gone.changes, known, None, Cause::Refused, with);
    }
    parts.push(gone);
    let mut all = parts.swap_remove(0);
    for part in parts {
        part.charges.each(|institution, condition, count| all.charges.add(institution, condition, count));
        for (key, amount) in part.deductions {
            *all.deductions.entry(key).or_default() += amount;
        }
        for (sum, counts) in all.heads.iter_mut().zip(part.heads) {
            sum.admitted += counts.admitted;
            sum.held += counts.held;
            sum.recalled += counts.recalled;
            sum.recalled_held += counts.recalled_held;
            sum.free += counts.free;
            sum.individual += counts.individual;
        }
        for (key, change) in part.changes {
            all.changes.entry(key).or_default().add(change);
        }
        all.flags.extend(part.flags);
    }
    let figures = rules.region.versions.iter().flat_map(|version| &version.figures);
    if figures.into_iter().any(|figure| matches!(figure.kind, FigureKind::Coverage { .. })) {
        for (institution, people) in people(rules, qualified) {
            all.heads[institution as usize].people = people;
        }
    }
    all
}

/// Distinct people with a signing that is charged in force on the last day of the period, by institution.
fn people(rules: &Rules, qualified: &Qualified) -> FxHashMap<u32, u64> {
    let mut counts = FxHashMap::default();
    let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
    for signings in qualified.signings.people() {
        let charged = |signing: &Signing| {
            rules.kind_of(signing.offer()) != PackageKind::Free && signing.in_force(last_day)
        };
        let at: BTreeSet<u32> = signings.filter(charged).map(|signing| signing.institution).collect();
        for institution in at {
            *counts.entry(institution).or_default() += 1;
        }
    }
    counts
}

/// What a signing's charges are held against.
#[derive(Clone, Copy)]
pub struct With<'a> {
    pub rules: &'a Rules<'a>,
    pub classes: &'a Classes,
    pub prices: &'a [Arc<Class>],
    pub history: &'a History<'a>,
    pub evidence: &'a Evidence,
    pub scores: &'a Scores,
    pub over_cap: &'a FxHashMap<u32, u64>,
}

/// Whether the share of the source that asks for it is held for want of authorization.
pub fn unauthorized(policy: &Policy, class: &Class, signing: &Signing) -> bool {
    policy.authorization.as_ref().is_some_and(|rule| {
        !signing.authorized() && class.shares.iter().any(|share| share.source == rule.source)
    })
}

fn count(tally: &mut Tally, (index, known): (usize, Option<u32>), signing: &Signing, with: With) {
    let With { rules, prices: classes, history, evidence, scores, over_cap, .. } = with;
    // What stands in no file of this run has no place to show, and what the row lacks was told before.
    let recalled = history.owns(signing).is_some();
    let place = (!recalled).then(|| signing.place());
    let (policy, package) = (rules.policy(signing.offer()), rules.package(signing.offer()));
    let heads = &mut tally.heads[signing.institution as usize];
    if package.kind == PackageKind::Free {
        let last_day = rules.period.end().yesterday().unwrap_or(rules.period.first_day());
        heads.free += u64::from(signing.in_force(last_day));
        return;
    }
    let class = &classes[signing.class as usize];
    let unauthorized = unauthorized(policy, class, signing);
    // A held charge cites the article that holds it.
    let mut flag = |code, place: Option<Place>, detail: Detail| {
        let of_rule = match &detail {
            Detail::NoServiceRecord { .. } if package.services_at_least.is_some() => Some(&package.clause),
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
    let mut first_part = None;
    let (asked, items) = (rules.services_asked(signing.offer()), rules.items_counted(signing.offer()));
    let most = over_cap.get(&(index as u32)).copied();
    let over_cap = most.is_some();
    for (nth, (number, day)) in signing.charges(rules).enumerate() {
        let cohort = policy.cycle.of(day);
        let of_period = rules.contains(day);
        let no_evidence = asked > 0 && evidence.seen(index, nth) < asked;
        let held = Held { no_evidence, unauthorized, over_cap };
        let part = signing.part(policy, number);
        if of_period {
            first_part = first_part.or(Some(part));
        }
        let condition = (cohort, signing.class, held, part, known.is_none());
        tally.charges.add(signing.institution, condition, 1);
        if of_period && !held.whole() {
            heads.individual += match part {
                Part::WHOLE => class.individual,
                part => class.individual_of(policy, part),
            };
        }
        // Off the first settled share, in the same part, and never more than that share of this charge.
        let first = class.shares.iter().position(|share| policy.sources[share.source].settled);
        if let Some(at) = first.filter(|_| package.deduct_missing && !held.whole()) {
            let source = class.shares[at].source;
            let asks = policy.authorization.as_ref().is_some_and(|rule| rule.source == source);
            if !(asks && unauthorized) {
                let missing = missing_items(
                    index,
                    nth,
                    (day, cohort, signing.end),
                    rules,
                    (signing.offer(), items),
                    evidence,
                );
                // The months that passed until an early end are counted already.
                let missing = match package.items_due {
                    ItemsDue::WholeYear => missing.times(u64::from(part.paid)).divided(u32::from(part.of)),
                    ItemsDue::MonthsPassed => missing,
                };
                let missing = weighted(missing, package, class.shares[at].amount);
                let key = (signing.institution, cohort, signing.class, source);
                *tally.deductions.entry(key).or_default() += missing.min(class.shares_of(part)[at]);
            }
        }
        if no_evidence && of_period {
            flag(Code::W708, place, Detail::NoServiceRecord { from: day, asked });
        }
        // Of a signing that came when the cohort was cleared, later charges are as late as the first.
        let since = known.map_or(u32::MAX, |known| history.signing(known).since);
        let cleared = history.cleared(cohort, signing.institution, &package.named.id);
        // Of an older cohort it was told when the signing came.
        let told = recalled && !of_period;
        if let Some(batch) = cleared.filter(|batch| *batch < since && !told) {
            flag(Code::W704, place, Detail::ClearedBefore { cohort, batch });
        } else if known.is_none()
            && let Some(assessed_on) = assessed_before(rules, (policy, class), signing, cohort, scores)
        {
            flag(Code::W704, place, Detail::SignedLate { cohort, assessed_on });
        }
        any |= of_period;
        any_held |= of_period && (held.whole() || unauthorized);
    }
    if !any {
        return;
    }
    heads.recalled += u64::from(recalled);
    heads.recalled_held += u64::from(recalled && any_held);
    if any_held {
        heads.held += 1;
    } else {
        heads.admitted += 1;
    }
    if let Some(most) = most {
        flag(Code::W705, place, Detail::OverCap { most });
    }
    if unauthorized && let Some(rule) = &policy.authorization {
        let source = policy.sources[rule.source].name.clone();
        flag(Code::W708, place, Detail::NotAuthorized { source });
    }
    let share = match first_part {
        None | Some(Part::WHOLE) => class.individual,
        Some(part) => class.individual_of(policy, part),
    };
    if !recalled
        && signing.underpaid()
        && let Some(paid) = signing.paid().filter(|paid| *paid < share)
    {
        flag(Code::W702, place, Detail::PaidBelow { paid, share });
    }
}

fn missing_items(
    index: usize,
    nth: usize,
    (from, cohort, end): (Date, Period, Date),
    rules: &Rules,
    (offer, items): (u16, usize),
    evidence: &Evidence,
) -> Fen {
    let package = rules.package(offer);
    let months = rules.policy(offer).schedule.months;
    // Where only the months that have passed count, a begun one does not.
    let passed = match package.items_due {
        ItemsDue::WholeYear => months,
        ItemsDue::MonthsPassed => {
            // An older cohort counts as it did when it was settled.
            let until = if rules.of_period(cohort) { rules.end } else { cohort.end() };
            (0..months).take_while(|month| add_months(from, month + 1) <= until.min(end)).count() as u32
        }
    };
    package
        .items
        .iter()
        .enumerate()
        .filter_map(|(item, rule)| {
            let due = rule.times? * passed / months;
            let missing = due.saturating_sub(evidence.done(index, nth, items, item));
            Some(rule.amount?.times(u64::from(missing)))
        })
        .sum()
}

/// Amounts of items are those of the fee without its weights: where it is weighted, they are so as well.
fn weighted(missing: Fen, package: &Package, share: Fen) -> Fen {
    if package.weights.is_empty() {
        return missing;
    }
    let each = package.items.iter().filter_map(|item| Some(item.amount?.times(u64::from(item.times?))));
    let planned = u32::try_from(each.sum::<Fen>().0).unwrap_or_default();
    if planned == 0 { missing } else { missing.times(share.0.unsigned_abs()).divided(planned) }
}

/// The day of the assessment that its cohort had before the signing was signed (W704).
fn assessed_before(
    rules: &Rules,
    (policy, class): (&Policy, &Class),
    signing: &Signing,
    cohort: Period,
    scores: &Scores,
) -> Option<Date> {
    if signing.signed_on < cohort.end() {
        return None;
    }
    // Those that what is paid for this signing depends on.
    let sources = class.shares.iter().map(|share| &policy.sources[share.source]);
    let curves = sources.flat_map(|source| {
        source.curve.into_iter().chain(source.tranches.iter().filter_map(|tranche| tranche.curve))
    });
    curves.flat_map(|curve| policy.assessed_by(curve)).find_map(|assessed| {
        let key = score_key(rules, policy, assessed, signing.institution, cohort)?;
        let assessed_on = scores.by_key.get(&key)?.assessed_on?;
        (assessed_on < signing.signed_on).then_some(assessed_on)
    })
}
