//! Swipes against qualified signings: evidence, items done, counters and flags. A swipe is looked
//! up and added to counters; none is kept.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;
use rustc_hash::{FxHashSet, FxHasher};

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::Date;
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::policy::package::PackageKind;

use super::qualify::{Qualified, Signing};
use super::rules::Rules;

/// How many swipes are looked up together.
const TOGETHER: usize = 64;

/// A swipe with its names looked up.
#[derive(Clone, Debug)]
pub struct Swipe {
    pub person: PersonId,
    pub day: Date,
    pub institution: u32,
    pub quantity: u32,
    pub charged: Fen,
    pub place: Place,
    pub item: u16,
    /// The card is one that the policy admits as evidence.
    pub card: bool,
}

/// The taken swipes of one block, and apart from them what tells repeated ids: the search for those goes
/// through all ids, and should touch nothing else.
#[derive(Default)]
pub struct SwipeBlock {
    pub swipes: Vec<Swipe>,
    /// By shard: hash of the id, row, line.
    ids: Vec<Vec<(u64, u32, u32)>>,
}

impl SwipeBlock {
    /// Takes a swipe, and the hash of its id if it has one.
    pub fn push(&mut self, swipe: Swipe, id_hash: Option<u64>) {
        if let Some(hash) = id_hash {
            if self.ids.is_empty() {
                self.ids.resize_with(shards(), Vec::new);
            }
            let shard = hash as usize & (self.ids.len() - 1);
            self.ids[shard].push((hash, self.swipes.len() as u32, swipe.place.line));
        }
        self.swipes.push(swipe);
    }
}

/// How many parts the ids are dealt to; a power of two. The results do not depend on it.
fn shards() -> usize {
    rayon::current_num_threads().next_power_of_two()
}

/// A 64-bit hash of a swipe_id.
pub fn id_hash(id: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(id);
    hasher.finish()
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

/// What swipes are held against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The file says what was charged.
    pub charged: bool,
    pub rules: &'a Rules<'a>,
    pub qualified: &'a Qualified,
}

/// What some swipes came to.
struct Tallied {
    counts: Vec<SwipeCounts>,
    flags: Vec<SwipeFlag>,
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
    shards: Vec<Seen>,
    /// Rows whose swipe_id seems to have stood on an earlier one, in order; not taken.
    pub repeated: Vec<Repeated>,
    /// Of each swipes file: its number, and how many lines the files before it have.
    file_lines: Vec<(u16, u32)>,
}

/// A swipe whose id has the hash of an earlier one's.
#[derive(Clone, Debug)]
pub struct Repeated {
    pub swipe: Swipe,
    pub first: Place,
}

/// The swipe_ids of taken rows, each by 32 bits of its hash and its place, eight bytes in all. Where
/// an id stands in the table tells more bits; what still agrees by chance is told apart by reading
/// both rows again.
#[derive(Default)]
struct Seen {
    /// Only the last one is filled. None grows: what a slot holds is too little to find it a new place.
    tables: Vec<Vec<u64>>,
    filled: usize,
}

/// Where an id's search starts: the upper half of the hash picks the slot, the lower half is kept.
fn home(hash: u64, table: &[u64]) -> usize {
    (((hash >> 32) * table.len() as u64) >> 32) as usize
}

impl Seen {
    /// Looks at the slots where some ids' searches start, so that they come from memory together.
    fn approach(&self, hashes: impl Iterator<Item = u64>) -> u64 {
        self.tables
            .last()
            .map_or(0, |table| hashes.map(|hash| table[home(hash, table)]).fold(0, |all, slot| all ^ slot))
    }

    fn reserve(&mut self, ids: usize) {
        self.tables.push(vec![0; ids.max(1_024)]);
        self.filled = 0;
    }

    /// Enters an id at a line counted over all files (from 1), or tells the line of the earlier one.
    fn enter(&mut self, hash: u64, line: u32) -> Option<u32> {
        let full = self.tables.last().map(|table| (table.len(), self.filled * 8 >= table.len() * 7));
        if let None | Some((_, true)) = full {
            self.reserve(full.map_or(0, |(length, _)| 2 * length));
        }
        let (tag, last) = ((hash as u32).max(1), self.tables.len() - 1);
        for (nth, table) in self.tables.iter_mut().enumerate() {
            let mut at = home(hash, table);
            loop {
                let slot = table[at];
                if slot == 0 {
                    if nth == last {
                        table[at] = u64::from(tag) << 32 | u64::from(line);
                        self.filled += 1;
                    }
                    break;
                }
                if (slot >> 32) as u32 == tag {
                    return Some(slot as u32);
                }
                at = if at + 1 == table.len() { 0 } else { at + 1 };
            }
        }
        None
    }
}

impl Evidence {
    pub fn new(rules: &Rules, qualified: &Qualified) -> Evidence {
        let asked = (0..rules.offers.len()).any(|offer| rules.services_asked(offer as u16) > 0);
        let charges = if asked {
            (0..qualified.signings.len()).map(|_| AtomicU32::new(0)).collect()
        } else {
            Vec::new()
        };
        let counting = (0..rules.offers.len()).any(|offer| rules.counters(offer as u16) > 0);
        let (mut item_start, mut items) = (Vec::new(), 0u32);
        if counting {
            for signing in &qualified.signings {
                item_start.push(items);
                let counters = rules.counters(signing.offer());
                if counters > 0 {
                    let policy = rules.policy(signing.offer());
                    let charges = signing.charges(policy.schedule, rules.period).count();
                    items += (charges * counters) as u32;
                }
            }
        }
        Evidence {
            charges,
            item_start,
            items: (0..items).map(|_| AtomicU32::new(0)).collect(),
            counts: vec![SwipeCounts::default(); rules.institutions.count()],
            flags: Vec::new(),
            shards: (0..shards()).map(|_| Seen::default()).collect(),
            repeated: Vec::new(),
            file_lines: Vec::new(),
        }
    }

    /// Makes room for the ids of so many swipes.
    pub fn expect(&mut self, swipes: u64) {
        let each = (swipes as usize / self.shards.len()) * 8 / 7;
        self.shards.iter_mut().for_each(|shard| shard.reserve(each));
    }

    /// Says that the next swipes are of another file, and how many lines the one before it had.
    pub fn next_file(&mut self, file: u16, lines_before: u32) {
        let base = self.file_lines.last().map_or(0, |(_, base)| *base);
        let base = base.checked_add(lines_before).expect("all swipes files together have under 2^32 lines");
        self.file_lines.push((file, base));
    }

    fn place_of(&self, line: u32) -> Place {
        let (file, base) =
            self.file_lines.iter().rfind(|(_, base)| *base < line).copied().unwrap_or_default();
        Place { file, line: line - base }
    }

    /// Takes a wave of blocks, in the order of the files.
    pub fn take(&mut self, wave: &[SwipeBlock], against: Against) {
        let repeated = self.repeats(wave);
        let qualified = against.qualified;
        let nothing = || Tallied {
            counts: vec![SwipeCounts::default(); against.rules.institutions.count()],
            flags: Vec::new(),
        };
        let add = |mut out: Tallied, (block, SwipeBlock { swipes, .. }): (usize, &SwipeBlock)| {
            // Looking people up waits for memory. A few dozen at once wait together: first all their
            // buckets, then the first signing of each, then the work.
            let mut found = Vec::with_capacity(TOGETHER);
            for (part, some) in swipes.chunks(TOGETHER).enumerate() {
                found.clear();
                found.extend(some.iter().map(|swipe| qualified.bucket(swipe.person)));
                for (bucket, swipe) in found.iter_mut().zip(some) {
                    *bucket = qualified.of(swipe.person, bucket.clone());
                }
                for ((nth, swipe), found) in some.iter().enumerate().zip(&found) {
                    if repeated.is_empty() || !repeated.contains(&(block, part * TOGETHER + nth)) {
                        self.apply(swipe, found.clone(), against, &mut out);
                    }
                }
            }
            out
        };
        let part = wave.len().div_ceil(rayon::current_num_threads()).max(1);
        let parts: Vec<Tallied> = wave.par_iter().enumerate().with_min_len(part).fold(nothing, add).collect();
        for Tallied { counts, flags } in parts {
            for (sum, more) in self.counts.iter_mut().zip(counts) {
                sum.add(more);
            }
            self.flags.extend(flags);
        }
    }

    /// Takes one swipe, which was passed over because another id has the same hash.
    pub fn take_one(&mut self, swipe: &Swipe, against: Against) {
        let mut out =
            Tallied { counts: std::mem::take(&mut self.counts), flags: std::mem::take(&mut self.flags) };
        let bucket = against.qualified.bucket(swipe.person);
        self.apply(swipe, against.qualified.of(swipe.person, bucket), against, &mut out);
        (self.counts, self.flags) = (out.counts, out.flags);
    }

    /// The rows of a wave whose swipe_id (by its hash) stood on an earlier row.
    fn repeats(&mut self, wave: &[SwipeBlock]) -> FxHashSet<(usize, usize)> {
        let base = self.file_lines.last().map_or(0, |(_, base)| *base);
        let search = |(shard, seen): (usize, &mut Seen)| {
            let mut found = Vec::new();
            for (block, SwipeBlock { ids, .. }) in wave.iter().enumerate() {
                for some in ids.get(shard).into_iter().flat_map(|ids| ids.chunks(TOGETHER)) {
                    std::hint::black_box(seen.approach(some.iter().map(|(hash, _, _)| *hash)));
                    for (hash, row, line) in some {
                        found.extend(
                            seen.enter(*hash, base + line).map(|first| (block, *row as usize, first)),
                        );
                    }
                }
            }
            found
        };
        let found: Vec<Vec<(usize, usize, u32)>> =
            self.shards.par_iter_mut().enumerate().map(search).collect();
        let mut rows = FxHashSet::default();
        for (block, row, first) in found.into_iter().flatten() {
            rows.insert((block, row));
            let repeated = Repeated { swipe: wave[block].swipes[row].clone(), first: self.place_of(first) };
            self.repeated.push(repeated);
        }
        rows
    }

    fn apply(&self, swipe: &Swipe, found: Range<usize>, against: Against, out: &mut Tallied) {
        let Against { charged, rules, qualified } = against;
        let Tallied { counts, flags } = out;
        let inside = rules.contains(swipe.day);
        let (mut of_signed, mut effective, mut elsewhere) = (false, None, None);
        for index in found {
            let signing = &qualified.signings[index];
            if !signing.in_force(swipe.day) {
                continue;
            }
            self.double_benefit(swipe, inside, index, signing, rules, flags);
            if signing.institution != swipe.institution {
                if rules.kind_of(signing.offer()) != PackageKind::Free {
                    elsewhere = elsewhere.or(Some(index));
                }
                continue;
            }
            of_signed = true;
            let item = rules.item_of(signing.offer(), swipe.item);
            if item.is_some() {
                effective = effective.or(Some(index));
            }
            if swipe.day < rules.end {
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
        let separate = effective.filter(|_| charged && swipe.charged > Fen::ZERO);
        let count = &mut counts[swipe.institution as usize];
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
        let policy = rules.policy(signing.offer());
        if !inside || policy.double_benefits.is_empty() {
            return;
        }
        let title = rules.item_title(swipe.item);
        let kind = rules.kind_of(signing.offer());
        let claimed = policy
            .double_benefits
            .iter()
            .any(|benefit| benefit.item.is(title) && benefit.beside.is_none_or(|beside| beside == kind));
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
        let policy = rules.policy(signing.offer());
        let Some(number) = signing.charge_of(policy.schedule, swipe.day) else { return };
        let mut charges = signing.charges(policy.schedule, rules.period);
        let Some(nth) = charges.position(|(charge, _)| charge == number) else { return };
        let (asked, counters) = (rules.services_asked(signing.offer()), rules.counters(signing.offer()));
        let admitted = policy.evidence.as_ref().is_none_or(|rule| rule.cards.is_empty() || swipe.card);
        let counter = |at: usize| &self.items[self.item_start[index] as usize + nth * counters + at];
        if admitted && asked == 1 {
            self.charges[index].fetch_or(1 << nth, Ordering::Relaxed);
        } else if admitted && asked > 1 {
            // Where more than one is asked for, they are counted behind the items.
            let seen = counter(counters - 1).fetch_add(1, Ordering::Relaxed) + 1;
            if seen >= asked {
                self.charges[index].fetch_or(1 << nth, Ordering::Relaxed);
            }
        }
        if let Some(item) = item.filter(|_| rules.package(signing.offer()).deduct_missing) {
            counter(item).fetch_add(swipe.quantity, Ordering::Relaxed);
        }
    }

    /// Whether the `nth` charge of the period has the service records that it takes.
    pub fn seen(&self, index: usize, nth: usize) -> bool {
        self.charges[index].load(Ordering::Relaxed) >> nth & 1 == 1
    }

    /// How often an item was done for the `nth` charge of the period.
    pub fn done(&self, index: usize, nth: usize, counters: usize, item: usize) -> u32 {
        self.items[self.item_start[index] as usize + nth * counters + item].load(Ordering::Relaxed)
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
    if rules.policy(qualified.signings[index].offer()).flag(code).is_some() {
        flags.push(flag(code, index));
    }
}
