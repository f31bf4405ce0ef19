//! Swipes against qualified signings: evidence, items done, counters and flags. A swipe is looked
//! up and added to counters; none is kept.

use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::policy::package::PackageKind;

use super::qualify::{Qualified, Signing};
use super::rules::Rules;

/// A swipe with its names looked up.
#[derive(Clone, Debug)]
pub struct Swipe {
    pub person: PersonId,
    pub day: Date,
    pub institution: u32,
    pub quantity: u32,
    pub charged: Fen,
    /// Of its swipe_id; 0 where it has none.
    pub id_hash: u64,
    pub place: Place,
    pub item: u16,
    /// The card is one that the policy admits as evidence.
    pub card: bool,
}

/// A 64-bit hash of a swipe_id, never 0.
pub fn id_hash(id: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(id.as_bytes());
    hasher.finish().max(1)
}

/// A flag on a signing, raised by a swipe.
#[derive(Clone, Debug)]
pub struct SwipeFlag {
    pub code: Code,
    /// Index into the qualified signings.
    pub signing: u32,
    pub place: Place,
    pub item: u16,
    pub charged: Fen,
    /// Where the swipe was.
    pub institution: u32,
}

/// What an institution's swipes in the window say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwipeCounts {
    pub all: u64,
    /// They match a signing in force and an item of its package.
    pub effective: u64,
    /// Of those, with a charge.
    pub separate: u64,
    /// They match a signing in force.
    pub of_signed: u64,
}

impl SwipeCounts {
    fn add(&mut self, other: SwipeCounts) {
        self.all += other.all;
        self.effective += other.effective;
        self.separate += other.separate;
        self.of_signed += other.of_signed;
    }
}

/// Which columns a swipes file has; flags and values that need another are left out.
#[derive(Clone, Copy, Debug)]
pub struct SwipeColumns {
    pub item: bool,
    pub charged: bool,
}

/// Everything that swipes add up to.
pub struct Evidence {
    /// One bit for each charge of a signing in the period, from its first; empty where no policy asks.
    charges: Vec<AtomicU32>,
    /// Where the item counters of a signing start, and the counters.
    item_start: Vec<u32>,
    items: Vec<AtomicU32>,
    pub counts: Vec<SwipeCounts>,
    pub flags: Vec<SwipeFlag>,
    shards: Vec<FxHashSet<u64>>,
    /// Hashes of swipe_ids that stood on more than one row.
    pub repeated: FxHashSet<u64>,
}

impl Evidence {
    pub fn new(rules: &Rules, qualified: &Qualified) -> Evidence {
        let asked = rules.region.versions.iter().any(|policy| policy.evidence.is_some());
        let charges = if asked {
            (0..qualified.signings.len()).map(|_| AtomicU32::new(0)).collect()
        } else {
            Vec::new()
        };
        let deducting = (0..rules.offers.len()).any(|offer| rules.package(offer as u16).deduct_missing);
        let (mut item_start, mut items) = (Vec::new(), 0u32);
        if deducting {
            for signing in &qualified.signings {
                item_start.push(items);
                let package = rules.package(signing.offer);
                if package.deduct_missing {
                    let policy = rules.policy(signing.offer);
                    let charges = signing.charges(policy.charge_months, rules.period).count();
                    items += (charges * package.items.len()) as u32;
                }
            }
        }
        Evidence {
            charges,
            item_start,
            items: (0..items).map(|_| AtomicU32::new(0)).collect(),
            counts: vec![SwipeCounts::default(); rules.institutions.count()],
            flags: Vec::new(),
            shards: vec![FxHashSet::default(); rayon::current_num_threads().next_power_of_two()],
            repeated: FxHashSet::default(),
        }
    }

    /// Takes a wave of blocks, in the order of the files.
    pub fn take(&mut self, wave: &[Vec<Swipe>], columns: SwipeColumns, rules: &Rules, qualified: &Qualified) {
        let repeated = self.repeats(wave);
        let results: Vec<(FxHashMap<u32, SwipeCounts>, Vec<SwipeFlag>)> = wave
            .par_iter()
            .enumerate()
            .map(|(block, swipes)| {
                let (mut counts, mut flags) = (FxHashMap::default(), Vec::new());
                for (row, swipe) in swipes.iter().enumerate() {
                    if repeated.is_empty() || !repeated.contains(&(block, row)) {
                        self.apply(swipe, columns, rules, qualified, &mut counts, &mut flags);
                    }
                }
                (counts, flags)
            })
            .collect();
        for (counts, flags) in results {
            for (institution, more) in counts {
                self.counts[institution as usize].add(more);
            }
            self.flags.extend(flags);
        }
    }

    /// Takes one swipe, which was passed over because another id has the same hash.
    pub fn take_one(&mut self, swipe: &Swipe, columns: SwipeColumns, rules: &Rules, qualified: &Qualified) {
        let (mut counts, mut flags) = (FxHashMap::default(), Vec::new());
        self.apply(swipe, columns, rules, qualified, &mut counts, &mut flags);
        for (institution, more) in counts {
            self.counts[institution as usize].add(more);
        }
        self.flags.extend(flags);
    }

    /// The rows of a wave whose swipe_id (by its hash) stood on an earlier row.
    fn repeats(&mut self, wave: &[Vec<Swipe>]) -> FxHashSet<(usize, usize)> {
        let mask = self.shards.len() as u64 - 1;
        let found: Vec<Vec<(usize, usize, u64)>> = self
            .shards
            .par_iter_mut()
            .enumerate()
            .map(|(shard, seen)| {
                let mut found = Vec::new();
                for (block, swipes) in wave.iter().enumerate() {
                    for (row, swipe) in swipes.iter().enumerate() {
                        // The upper half picks the shard; the set uses the lower.
                        let mine = (swipe.id_hash >> 40) & mask == shard as u64;
                        if mine && swipe.id_hash != 0 && !seen.insert(swipe.id_hash) {
                            found.push((block, row, swipe.id_hash));
                        }
                    }
                }
                found
            })
            .collect();
        let mut rows = FxHashSet::default();
        for (block, row, hash) in found.into_iter().flatten() {
            rows.insert((block, row));
            self.repeated.insert(hash);
        }
        rows
    }

    fn apply(
        &self,
        swipe: &Swipe,
        columns: SwipeColumns,
        rules: &Rules,
        qualified: &Qualified,
        counts: &mut FxHashMap<u32, SwipeCounts>,
        flags: &mut Vec<SwipeFlag>,
    ) {
        let window: Period = rules.period;
        let inside = window.contains(swipe.day);
        let (mut of_signed, mut effective, mut elsewhere) = (false, None, None);
        for index in qualified.of(swipe.person) {
            let signing = &qualified.signings[index];
            if !signing.in_force(swipe.day) {
                continue;
            }
            self.double_benefit(swipe, inside, index, signing, rules, flags);
            if signing.institution != swipe.institution {
                if rules.kind_of(signing.offer) != PackageKind::Free {
                    elsewhere = elsewhere.or(Some(index));
                }
                continue;
            }
            of_signed = true;
            let item = rules.item_of(signing.offer, swipe.item);
            if item.is_some() {
                effective = effective.or(Some(index));
            }
            if swipe.day < window.end() {
                self.record(swipe, index, signing, item, rules);
            }
        }
        if !inside {
            return;
        }
        let flag = |code, index: usize| SwipeFlag {
            code,
            signing: index as u32,
            place: swipe.place,
            item: swipe.item,
            charged: swipe.charged,
            institution: swipe.institution,
        };
        let separate = effective.filter(|_| columns.charged && swipe.charged > Fen::ZERO);
        let count = counts.entry(swipe.institution).or_default();
        count.all += 1;
        count.of_signed += u64::from(of_signed);
        count.effective += u64::from(effective.is_some());
        count.separate += u64::from(separate.is_some());
        if let Some(index) = separate {
            raise(Code::W701, index, qualified, rules, flags, &flag);
        }
        if let (Some(index), false) = (elsewhere, of_signed) {
            raise(Code::W703, index, qualified, rules, flags, &flag);
        }
    }

    fn double_benefit(
        &self,
        swipe: &Swipe,
        inside: bool,
        index: usize,
        signing: &Signing,
        rules: &Rules,
        flags: &mut Vec<SwipeFlag>,
    ) {
        let policy = rules.policy(signing.offer);
        if !inside || policy.double_benefits.is_empty() {
            return;
        }
        let title = rules.item_title(swipe.item);
        let kind = rules.kind_of(signing.offer);
        let claimed = policy
            .double_benefits
            .iter()
            .any(|benefit| benefit.item.id == title && benefit.beside.is_none_or(|beside| beside == kind));
        if claimed && kind != PackageKind::Free && policy.flag(Code::W707).is_some() {
            flags.push(SwipeFlag {
                code: Code::W707,
                signing: index as u32,
                place: swipe.place,
                item: swipe.item,
                charged: swipe.charged,
                institution: swipe.institution,
            });
        }
    }

    /// Evidence and items, for the charge whose year or month the swipe falls in.
    fn record(&self, swipe: &Swipe, index: usize, signing: &Signing, item: Option<usize>, rules: &Rules) {
        if self.charges.is_empty() && self.items.is_empty() {
            return;
        }
        let policy = rules.policy(signing.offer);
        let package = rules.package(signing.offer);
        let Some(number) = signing.charge_of(policy.charge_months, swipe.day) else { return };
        let mut charges = signing.charges(policy.charge_months, rules.period);
        let Some(nth) = charges.position(|(charge, _)| charge == number) else { return };
        if policy.evidence.as_ref().is_some_and(|rule| rule.cards.is_empty() || swipe.card) {
            self.charges[index].fetch_or(1 << nth, Ordering::Relaxed);
        }
        if let Some(item) = item.filter(|_| package.deduct_missing) {
            let at = self.item_start[index] as usize + nth * package.items.len() + item;
            self.items[at].fetch_add(swipe.quantity, Ordering::Relaxed);
        }
    }

    /// Whether the `nth` charge of the period has a service record.
    pub fn seen(&self, index: usize, nth: usize) -> bool {
        self.charges[index].load(Ordering::Relaxed) >> nth & 1 == 1
    }

    /// How often an item was done for the `nth` charge of the period.
    pub fn done(&self, index: usize, nth: usize, items: usize, item: usize) -> u32 {
        self.items[self.item_start[index] as usize + nth * items + item].load(Ordering::Relaxed)
    }
}

fn raise(
    code: Code,
    index: usize,
    qualified: &Qualified,
    rules: &Rules,
    flags: &mut Vec<SwipeFlag>,
    flag: &impl Fn(Code, usize) -> SwipeFlag,
) {
    if rules.policy(qualified.signings[index].offer).flag(code).is_some() {
        flags.push(flag(code, index));
    }
}
