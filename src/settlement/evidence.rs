//! Swipes against qualified signings: evidence, items done, counters and flags. A swipe is looked
//! up and added to counters; of itself only its id is kept, in six bytes.
//!
//! Whether an id stood on an earlier row is known when all rows are read. Until then each swipe
//! counts; those that repeat another are taken back at the end. So any thread can take any row at
//! any time, and nothing here depends on the order.

mod recall;

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use rustc_hash::FxHashSet;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::Rank;
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::intake::rows::TOGETHER;
use crate::policy::package::PackageKind;

use super::admitted::Face;
use super::qualify::{Finder, Qualified};
use super::rules::Rules;
use super::swipe_ids::{SwipeIds, repeated};

const FEWER_LINES: &str = "all swipes files together have under 2^32 lines";

/// A swipe with its names looked up.
#[derive(Clone, Debug)]
pub struct Swipe {
    pub person: PersonId,
    pub day: Rank,
    pub institution: u32,
    pub quantity: u32,
    pub charged: Fen,
    pub place: Place,
    pub item: u16,
    /// As the rules number cards.
    pub card: u8,
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

/// What an institution's swipes in the window say: as many at most as lines are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SwipeCounts {
    pub all: u32,
    /// They match a signing in force and an item of its package.
    pub effective: u32,
    /// Of those, with a charge.
    pub separate: u32,
    /// They match a signing in force.
    pub of_signed: u32,
}

impl SwipeCounts {
    fn add(&mut self, other: SwipeCounts) {
        self.all += other.all;
        self.effective += other.effective;
        self.separate += other.separate;
        self.of_signed += other.of_signed;
    }

    fn subtract(&mut self, other: SwipeCounts) {
        self.all -= other.all;
        self.effective -= other.effective;
        self.separate -= other.separate;
        self.of_signed -= other.of_signed;
    }
}

/// What swipes are held against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The file says what was charged.
    pub charged: bool,
    pub rules: &'a Rules<'a>,
    pub qualified: &'a Qualified,
    pub finder: &'a Finder,
}

/// What some swipes came to.
struct Tallied {
    counts: Vec<SwipeCounts>,
    flags: Vec<SwipeFlag>,
    log: Vec<(Service, Taken)>,
}

impl Tallied {
    fn new(rules: &Rules) -> Tallied {
        Tallied {
            counts: vec![SwipeCounts::default(); rules.institutions.count()],
            flags: Vec::new(),
            log: Vec::new(),
        }
    }
}

/// Where one thread takes swipes.
pub struct Desk {
    out: Tallied,
    /// Swipes that are looked up together once they are [`TOGETHER`], and their ids.
    waiting: Vec<Swipe>,
    waiting_ids: Vec<(u64, u32)>,
    /// Where the signings of their people may stand.
    found: Vec<Range<usize>>,
    ids: SwipeIds,
}

impl Desk {
    /// Takes a swipe, and the hash of its id if it has one.
    #[inline(always)]
    pub fn take(&mut self, swipe: Swipe, id_hash: Option<u64>, evidence: &Evidence, against: Against) {
        if let Some(hash) = id_hash {
            let line = evidence.lines_before.checked_add(swipe.place.line);
            self.waiting_ids.push((hash, line.expect(FEWER_LINES)));
        }
        self.waiting.push(swipe);
        if self.waiting.len() == TOGETHER {
            self.look_up(evidence, against);
        }
    }

    /// Looking people up waits for memory. A few dozen at once wait together: first all their
    /// buckets, then the first signing of each, then the work.
    #[inline(never)]
    fn look_up(&mut self, evidence: &Evidence, against: Against) {
        let Desk { out, waiting, waiting_ids, found, ids } = self;
        for (hash, line) in waiting_ids.drain(..) {
            ids.push(hash, line);
        }
        found.extend(waiting.iter().map(|swipe| against.finder.find(swipe.person)));
        std::hint::black_box(against.qualified.approach(found));
        evidence.apply(waiting, found, against, Taken::In, out);
        found.clear();
        waiting.clear();
    }
}

/// What was done on one day for a signing, at its institution.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Index into the qualified signings.
    pub signing: u32,
    pub day: Rank,
    /// The item, as the signing's package numbers them; nothing of records that only are evidence.
    pub item: Option<u8>,
    /// How many records that count as evidence, and how often the item was done.
    pub seen: u32,
    pub times: u32,
}

impl Service {
    fn key(&self) -> (u32, Rank, Option<u8>) {
        (self.signing, self.day, self.item)
    }
}

/// Whether a swipe is added, or what it added is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    In,
    Back,
}

/// Everything that swipes add up to.
pub struct Evidence {
    /// Where the counters of a signing's charges in the period start, and how many swipes each charge has;
    /// empty where no policy asks.
    charge_start: Vec<u32>,
    charges: Vec<AtomicU32>,
    /// Some policy asks for evidence or items.
    asked: bool,
    /// Where the item counters of a signing start, and the counters.
    item_start: Vec<u32>,
    items: Vec<AtomicU32>,
    /// Services are kept day by day: what was posted is held against them, or a posting notes them.
    recording: bool,
    /// Those that a posting notes: the ones that no earlier one saw. In order of signing, day and item.
    pub services: Vec<Service>,
    /// What this run saw, in no certain order.
    log: Vec<(Service, Taken)>,
    pub counts: Vec<SwipeCounts>,
    pub flags: Vec<SwipeFlag>,
    /// Some policy names benefits that may not be claimed beside a package.
    double_benefits: bool,
    /// Those that no thread sits at.
    desks: Mutex<Vec<Desk>>,
    /// How many ids are expected, and the folder for what memory is not to hold of them.
    expected: u64,
    scratch: PathBuf,
    /// Of each swipes file: its number, and how many lines the files before it have.
    file_lines: Vec<(u16, u32)>,
    /// Of the last of them.
    lines_before: u32,
}

impl Evidence {
    /// `swipes`: about how many there will be; `scratch`: a folder for what memory is not to hold of them.
    pub fn new(rules: &Rules, qualified: &Qualified, swipes: u64, scratch: PathBuf) -> Evidence {
        let offers = || (0..rules.offers.len()).map(|offer| offer as u16);
        let asked = offers().any(|offer| rules.services_asked(offer) > 0);
        let deducting = offers().any(|offer| rules.items_counted(offer) > 0);
        let (mut charge_start, mut charges) = (Vec::new(), 0u32);
        let (mut item_start, mut items) = (Vec::new(), 0u32);
        if asked || deducting {
            for signing in qualified.signings.faces() {
                let count = signing.charges(rules).count();
                charge_start.push(charges);
                item_start.push(items);
                if rules.services_asked(signing.offer()) > 0 {
                    charges += count as u32;
                }
                items += (count * rules.items_counted(signing.offer())) as u32;
            }
        }
        let zeros = |count| (0..count).map(|_| AtomicU32::new(0)).collect();
        Evidence {
            asked: asked || deducting,
            charge_start,
            charges: zeros(charges),
            item_start,
            items: zeros(items),
            recording: rules.recording,
            services: Vec::new(),
            log: Vec::new(),
            counts: vec![SwipeCounts::default(); rules.institutions.count()],
            flags: Vec::new(),
            double_benefits: rules.region.versions.iter().any(|policy| !policy.double_benefits.is_empty()),
            desks: Mutex::default(),
            expected: swipes,
            scratch,
            file_lines: Vec::new(),
            lines_before: 0,
        }
    }

    /// Says that the next swipes are of another file, and how many lines the one before it had.
    pub fn next_file(&mut self, file: u16, lines: u32) {
        let before = self.lines_before.checked_add(lines);
        self.lines_before = before.expect(FEWER_LINES);
        self.file_lines.push((file, self.lines_before));
    }

    fn place_of(&self, line: u32) -> Place {
        let (file, base) =
            self.file_lines.iter().rfind(|(_, base)| *base < line).copied().unwrap_or_default();
        Place { file, line: line - base }
    }

    /// Has `work` done at a desk that nobody else sits at.
    pub fn at_desk<T>(&self, against: Against, work: impl FnOnce(&mut Desk) -> T) -> T {
        let free = self.desks.lock().expect("no panic holds it").pop();
        let mut desk = free.unwrap_or_else(|| Desk {
            out: Tallied::new(against.rules),
            waiting: Vec::with_capacity(TOGETHER),
            waiting_ids: Vec::with_capacity(TOGETHER),
            found: Vec::with_capacity(TOGETHER),
            ids: SwipeIds::new(self.expected, rayon::current_num_threads(), &self.scratch),
        });
        let result = work(&mut desk);
        desk.look_up(self, against);
        self.desks.lock().expect("no panic holds it").push(desk);
        result
    }

    /// Adds up what all desks took. Gives the rows whose swipe_id (by its hash) stood on an earlier row,
    /// in order, each with the first of them.
    pub fn close(&mut self) -> io::Result<Vec<(Place, Place)>> {
        let desks = std::mem::take(&mut *self.desks.lock().expect("no panic holds it"));
        let mut ids = Vec::new();
        for Desk { out, ids: of_desk, .. } in desks {
            self.counts.iter_mut().zip(out.counts).for_each(|(sum, more)| sum.add(more));
            self.flags.extend(out.flags);
            self.log.extend(out.log);
            ids.push(of_desk);
        }
        let lines = repeated(&ids)?;
        Ok(lines.into_iter().map(|(line, first)| (self.place_of(line), self.place_of(first))).collect())
    }

    /// Takes back swipes that were taken and should not have been.
    pub fn take_back<'a>(&mut self, swipes: impl Iterator<Item = (&'a Swipe, Against<'a>)>) {
        let mut out: Option<Tallied> = None;
        let mut places = FxHashSet::default();
        for (swipe, against) in swipes {
            let out = out.get_or_insert_with(|| Tallied::new(against.rules));
            let found = against.finder.find(swipe.person);
            self.apply(std::slice::from_ref(swipe), &[found], against, Taken::Back, out);
            places.insert(swipe.place);
        }
        if let Some(out) = out {
            self.counts.iter_mut().zip(out.counts).for_each(|(sum, less)| sum.subtract(less));
            self.flags.retain(|flag| !places.contains(&flag.place));
            self.log.extend(out.log);
        }
    }

    /// Holds some swipes against the signings of their buckets, at most [`TOGETHER`]. First all are held against the
    /// first signing of each bucket, then those that have more against the second, and so on: whether a signing is
    /// the person's can't be foreseen, so that it only says how far a list grows, and no branch.
    fn apply(
        &self,
        swipes: &[Swipe],
        found: &[Range<usize>],
        against: Against,
        taken: Taken,
        out: &mut Tallied,
    ) {
        let signings = against.qualified.signings.faces();
        let mut met = [NOTHING_MET; TOGETHER];
        let (mut left, mut count) = ([0; TOGETHER], 0);
        let mut matching = [(0, 0); TOGETHER];
        for (at, bucket) in found.iter().enumerate() {
            left[count] = at;
            count += usize::from(!bucket.is_empty());
        }
        for nth in 0.. {
            let (mut of_person, mut more) = (0, 0);
            for one in 0..count {
                let at = left[one];
                let index = found[at].start + nth;
                matching[of_person] = (at, index);
                of_person += usize::from(signings[index].person() == swipes[at].person);
                left[more] = at;
                more += usize::from(index + 1 < found[at].end);
            }
            for (at, index) in &matching[..of_person] {
                self.meet(&swipes[*at], *index, &mut met[*at], against, taken, out);
            }
            count = more;
            if count == 0 {
                break;
            }
        }
        for (swipe, met) in swipes.iter().zip(met).filter(|(swipe, _)| against.rules.contains(swipe.day)) {
            count_swipe(swipe, met, against, out);
        }
    }

    /// Holds a swipe against a signing of its person.
    #[inline(always)]
    fn meet(
        &self,
        swipe: &Swipe,
        index: usize,
        met: &mut Met,
        against: Against,
        taken: Taken,
        out: &mut Tallied,
    ) {
        let Against { rules, qualified, .. } = against;
        // None of this can be foreseen, so all of it is reckoned.
        let signing = &qualified.signings.faces()[index];
        let in_force = signing.in_force(swipe.day);
        let here = in_force & (signing.institution() == swipe.institution);
        let item = rules.item_of(signing.offer(), swipe.item);
        let away = (in_force & !here) & (rules.kind_of(signing.offer()) != PackageKind::Free);
        met.of_signed |= here;
        met.effective = first_of(met.effective, here & item.is_some(), index);
        met.elsewhere = first_of(met.elsewhere, away, index);
        if self.double_benefits && in_force && rules.contains(swipe.day) {
            self.double_benefit(swipe, index, signing, rules, &mut out.flags);
        }
        if self.asked && here && swipe.day < Rank::from(rules.end) {
            self.record(swipe, index, signing, item, rules, (taken, &mut out.log));
        }
    }

    fn double_benefit(
        &self,
        swipe: &Swipe,
        index: usize,
        signing: &Face,
        rules: &Rules,
        flags: &mut Vec<SwipeFlag>,
    ) {
        let policy = rules.policy(signing.offer());
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
    fn record(
        &self,
        swipe: &Swipe,
        index: usize,
        signing: &Face,
        item: Option<u8>,
        rules: &Rules,
        (taken, log): (Taken, &mut Vec<(Service, Taken)>),
    ) {
        let policy = rules.policy(signing.offer());
        let Some(number) = signing.charge_of(policy.schedule, swipe.day.date()) else { return };
        let mut charges = signing.charges(rules);
        let Some(nth) = charges.position(|(charge, _)| charge == number) else { return };
        let offer = signing.offer();
        let add = |counter: &AtomicU32, count: u32| match taken {
            Taken::In => counter.fetch_add(count, Ordering::Relaxed),
            Taken::Back => counter.fetch_sub(count, Ordering::Relaxed),
        };
        let admitted = rules.admits_card(offer, swipe.card);
        if admitted && rules.services_asked(offer) > 0 {
            let at = self.charge_start[index] as usize + nth;
            add(&self.charges[at], 1);
        }
        let items = rules.items_counted(offer);
        let item = item.filter(|_| items > 0);
        let seen = admitted && rules.services_asked(offer) > 0;
        if self.recording && (seen || item.is_some()) {
            let times = if item.is_some() { swipe.quantity } else { 0 };
            let signing = index as u32;
            let one = Service { signing, day: swipe.day, item, seen: seen.into(), times };
            log.push((one, taken));
        }
        if let Some(item) = item {
            add(
                &self.items[self.item_start[index] as usize + nth * items + usize::from(item)],
                swipe.quantity,
            );
        }
    }

    /// How many service records the `nth` settled charge has.
    pub fn seen(&self, index: usize, nth: usize) -> u32 {
        self.charges[self.charge_start[index] as usize + nth].load(Ordering::Relaxed)
    }

    /// How often an item was done for the `nth` settled charge.
    pub fn done(&self, index: usize, nth: usize, items: usize, item: usize) -> u32 {
        self.items[self.item_start[index] as usize + nth * items + item].load(Ordering::Relaxed)
    }

    /// What a posting notes of a signing.
    pub fn services_of(&self, index: usize) -> &[Service] {
        let start = self.services.partition_point(|service| (service.signing as usize) < index);
        let count =
            self.services[start..].iter().take_while(|service| service.signing as usize == index).count();
        &self.services[start..start + count]
    }
}

/// What the signings of a swipe's person are to it.
#[derive(Clone, Copy)]
struct Met {
    /// One in force is with the institution of the swipe.
    of_signed: bool,
    /// The first of these whose package has the item, or [`NO_SIGNING`].
    effective: u32,
    /// The first one in force with another institution, of a package that is paid for, or [`NO_SIGNING`].
    elsewhere: u32,
}

/// No signing has so high a number.
const NO_SIGNING: u32 = u32::MAX;

const NOTHING_MET: Met = Met { of_signed: false, effective: NO_SIGNING, elsewhere: NO_SIGNING };

#[inline(always)]
fn first_of(first: u32, is_one: bool, index: usize) -> u32 {
    if is_one & (first == NO_SIGNING) { index as u32 } else { first }
}

/// Counts a swipe of the period, and raises its flags.
#[inline(always)]
fn count_swipe(swipe: &Swipe, met: Met, against: Against, out: &mut Tallied) {
    let Against { charged, rules, qualified, .. } = against;
    let flag = |code, signing| SwipeFlag {
        code,
        signing,
        place: swipe.place,
        item: swipe.item,
        charged: swipe.charged,
        institution: swipe.institution,
    };
    let effective = met.effective != NO_SIGNING;
    let separate = effective & charged & (swipe.charged > Fen::ZERO);
    let count = &mut out.counts[swipe.institution as usize];
    count.all += 1;
    count.of_signed += u32::from(met.of_signed);
    count.effective += u32::from(effective);
    count.separate += u32::from(separate);
    if separate {
        raise(Code::W701, met.effective, qualified, rules, &mut out.flags, &flag);
    }
    if (met.elsewhere != NO_SIGNING) & !met.of_signed {
        raise(Code::W703, met.elsewhere, qualified, rules, &mut out.flags, &flag);
    }
}

fn raise(
    code: Code,
    index: u32,
    qualified: &Qualified,
    rules: &Rules,
    flags: &mut Vec<SwipeFlag>,
    flag: &impl Fn(Code, u32) -> SwipeFlag,
) {
    if rules.policy(qualified.signings.faces()[index as usize].offer()).flag(code).is_some() {
        flags.push(flag(code, index));
    }
}
