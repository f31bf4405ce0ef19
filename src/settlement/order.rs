//! Signings in order of their people, and those that share a contract id: by numbers that spread evenly, in parts
//! that fit a core's own cache.

use std::cmp::Ordering;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::person::PersonId;

use super::admitted::{Admitted, Face};
use super::contracts::Contracts;
use super::qualify::Signing;

/// One to one, and spread evenly in its upper bits, as ID numbers are not.
pub fn mixed(person: PersonId) -> u64 {
    let x = person.0;
    (x ^ (x >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Candidates are kept in so many parts, by the upper bits of the person's mixed number: each part is then put in order
/// in a core's own cache.
const PARTS: usize = 64;

/// Signings in parts, each with all signings of its people.
pub struct ByPart(Vec<Admitted>);

impl ByPart {
    /// For about so many.
    pub fn with_room(count: usize) -> ByPart {
        // Some parts take a little more than others.
        ByPart((0..PARTS).map(|_| Admitted::with_room(count / PARTS * 17 / 16)).collect())
    }

    pub fn add(&mut self, signing: &Signing) {
        self.0[(mixed(signing.person) >> (64 - PARTS.ilog2())) as usize].push(signing);
    }

    /// The signings in order of the person's mixed number, those of one person as they are held against each other.
    /// Some parts at a time are told, and go then: never are all of them there twice.
    pub fn in_order(self, in_turn: impl Fn(&Signing, &Signing) -> Ordering + Sync) -> Admitted {
        let mut admitted = Admitted::with_room(self.0.iter().map(Admitted::count).sum());
        let mut parts = self.0.into_iter();
        loop {
            let some: Vec<Admitted> = parts.by_ref().take(2 * rayon::current_num_threads()).collect();
            if some.is_empty() {
                return admitted;
            }
            let order = |(part, signings): (usize, &Admitted)| {
                let (part, order) = (part as u32, order_of(signings, &in_turn));
                order.into_iter().map(move |at| (part, at)).collect::<Vec<_>>()
            };
            let order: Vec<Vec<(u32, u32)>> =
                some.par_iter().enumerate().with_max_len(1).map(order).collect();
            order.iter().for_each(|order| admitted.extend(&some, order));
        }
    }
}

/// The order of one part. What is sorted is half of the mixed number, with the place of its signing in the other
/// half: numbers move quicker than signings. Where the halves are the same, the whole decides.
fn order_of(signings: &Admitted, in_turn: impl Fn(&Signing, &Signing) -> Ordering) -> Vec<u32> {
    let faces = signings.faces();
    let half = |(at, face): (usize, &Face)| mixed(face.person()) >> 32 << 32 | at as u64;
    let mut order: Vec<u64> = faces.iter().enumerate().map(half).collect();
    order.sort_unstable();
    let place = |at: &u64| *at as u32 as usize;
    for same in order.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|same| same.len() > 1) {
        same.sort_unstable_by(|a, b| {
            let (a, b) = (place(a), place(b));
            let people = mixed(faces[a].person()).cmp(&mixed(faces[b].person()));
            people.then_with(|| in_turn(&signings.get(a), &signings.get(b)))
        });
    }
    order.into_iter().map(|at| at as u32).collect()
}

/// Signings that share a contract id, as they are held against each other.
pub fn repeated_contracts(
    signings: &Admitted,
    contracts: &Contracts,
    in_turn: impl Fn(&Signing, &Signing) -> Ordering,
) -> Vec<Vec<u32>> {
    let spread = |index: usize| contracts.spread(signings.contract(index));
    let doubtful = doubtful(signings.count(), spread);
    let mut spread: Vec<(u64, u32)> =
        doubtful.into_par_iter().map(|index| (spread(index as usize), index)).collect();
    spread.par_sort_unstable();
    let mut same: FxHashMap<String, Vec<u32>> = FxHashMap::default();
    for (_, index) in spread.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1).flatten() {
        let contract = contracts.text(signings.contract(*index as usize));
        same.entry(contract).or_default().push(*index);
    }
    let mut repeated: Vec<Vec<u32>> = same.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut repeated {
        group.sort_unstable_by(|a, b| in_turn(&signings.get(*a as usize), &signings.get(*b as usize)));
    }
    repeated.sort_unstable();
    repeated
}

/// Of so many things those that share their number with another: all that do, and a few others.
fn doubtful(count: usize, number: impl Fn(usize) -> u64 + Sync) -> Vec<u32> {
    const EACH: usize = 64 << 10;
    let part = |number: u64| number as usize % PARTS;
    let half = |number: u64| (number >> 32) as u32;
    // The upper halves of the numbers, by the lowest bits.
    let starts: Vec<usize> = (0..count).step_by(EACH).collect();
    let by_part = |start: &usize| {
        let mut parts: Vec<Vec<u32>> =
            (0..PARTS).map(|_| Vec::with_capacity(EACH.min(count) / PARTS * 9 / 8)).collect();
        for number in (*start..count.min(start + EACH)).map(&number) {
            parts[part(number)].push(half(number));
        }
        parts
    };
    let halves: Vec<Vec<Vec<u32>>> = starts.par_iter().map(by_part).collect();
    let shared = |part: usize| {
        // A bit for each half, so many that few are shared.
        const BITS_FOR_EACH: usize = 64;
        let count: usize = halves.iter().map(|parts| parts[part].len()).sum();
        let bits = (BITS_FOR_EACH * count).next_power_of_two().max(64);
        let bit = |half: u32| half as usize & (bits - 1);
        let (mut seen, mut again) = (vec![0u64; bits / 64], FxHashSet::default());
        for half in halves.iter().flat_map(|parts| &parts[part]) {
            let (word, mask) = (&mut seen[bit(*half) / 64], 1 << (bit(*half) % 64));
            if *word & mask != 0 {
                again.insert(bit(*half));
            }
            *word |= mask;
        }
        (bits - 1, again)
    };
    let shared: Vec<(usize, FxHashSet<usize>)> = (0..PARTS).into_par_iter().map(shared).collect();
    drop(halves);
    let found = (0..count as u32).into_par_iter().filter(|index| {
        let number = number(*index as usize);
        let (bits, again) = &shared[part(number)];
        again.contains(&(half(number) as usize & bits))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Fen;
    use crate::base::period::Date;
    use crate::settlement::contracts::ContractId;

    #[test]
    fn a_number_that_comes_again_is_found_however_far_from_the_first() {
        let spread = |number: usize| (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let again = [(150_000, 0), (199_999, 70_000), (65_535, 65_536), (131_072, 3), (131_073, 3)];
        let of = |at: usize| again.iter().find(|(later, _)| *later == at).map_or(at, |(_, first)| *first);
        for count in [0, 1, 65_536, 65_537, 200_000] {
            let found = doubtful(count, |at| spread(of(at)));
            let there = again.iter().filter(|(later, first)| *later.max(first) < count);
            for at in there.flat_map(|(later, first)| [*later, *first]) {
                assert!(found.contains(&(at as u32)), "{at} of {count}");
            }
            assert!(found.len() <= 10 + count / 20, "{} of {count}", found.len());
        }
    }

    #[test]
    fn signings_are_in_order_whatever_the_threads() {
        let day = Date::constant(2020, 1, 1);
        let signing = |number: u32| Signing {
            person: PersonId(u64::from(number % 1_700) * 1_000_003),
            institution: 0,
            starts_on: day,
            end: day,
            offer: 0,
            file: 0,
            paid: Fen(0),
            contract: ContractId::default(),
            class: 0,
            details: 0,
            signed_on: day,
            term_end: day,
            line: number.wrapping_mul(0x9E37_79B9),
        };
        let in_turn = |a: &Signing, b: &Signing| a.line.cmp(&b.line);
        for count in [0, 1, 5, 4_000] {
            let mut want: Vec<Signing> = (0..count).map(signing).collect();
            want.sort_by(|a, b| mixed(a.person).cmp(&mixed(b.person)).then_with(|| in_turn(a, b)));
            for threads in [1, 2, 3, 64, 100] {
                let mut parts = ByPart::with_room(count as usize / 2);
                (0..count).map(signing).for_each(|signing| parts.add(&signing));
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                let found: Vec<Signing> = pool.install(|| parts.in_order(in_turn)).iter().collect();
                let told = |all: &[Signing]| all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>();
                assert_eq!(told(&found), told(&want), "{count} signings, {threads} threads");
            }
        }
    }
}
