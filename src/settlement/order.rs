//! Signings in order of their people, and those that share a contract id: by numbers that spread evenly, in parts
//! that fit a core's own cache.

use std::cmp::Ordering;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::person::PersonId;
use crate::intake::short::hash_at;

use super::admitted::Admitted;
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
pub struct ByPart(Vec<Vec<Signing>>);

impl ByPart {
    /// For about so many.
    pub fn with_room(count: usize) -> ByPart {
        // Some parts take a little more than others.
        ByPart((0..PARTS).map(|_| Vec::with_capacity(count / PARTS * 17 / 16)).collect())
    }

    pub fn add(&mut self, signing: Signing) {
        self.0[(mixed(signing.person) >> (64 - PARTS.ilog2())) as usize].push(signing);
    }

    /// The signings in order of the person's mixed number, those of one person as they are held against each other.
    /// Some parts at a time are told, and go then: never are all of them there twice.
    pub fn in_order(self, in_turn: impl Fn(&Signing, &Signing) -> Ordering + Sync) -> Admitted {
        let mut admitted = Admitted::with_room(self.0.iter().map(Vec::len).sum());
        let mut parts = self.0.into_iter();
        loop {
            let some: Vec<Vec<Signing>> = parts.by_ref().take(4 * rayon::current_num_threads()).collect();
            if some.is_empty() {
                return admitted;
            }
            let order = |(part, signings): (usize, &Vec<Signing>)| {
                let (part, order) = (part as u32, order_of(signings, &in_turn));
                order.into_iter().map(move |at| (part, at)).collect::<Vec<_>>()
            };
            let order: Vec<Vec<(u32, u32)>> =
                some.par_iter().enumerate().with_max_len(1).map(order).collect();
            admitted.extend(&order.concat(), |(part, at)| &some[part as usize][at as usize]);
        }
    }
}

/// The order of one part. What is sorted is half of the mixed number, with the place of its signing in the other
/// half: numbers move quicker than signings. Where the halves are the same, the whole decides.
fn order_of(signings: &[Signing], in_turn: impl Fn(&Signing, &Signing) -> Ordering) -> Vec<u32> {
    let half = |(at, signing): (usize, &Signing)| mixed(signing.person) >> 32 << 32 | at as u64;
    let mut order: Vec<u64> = signings.iter().enumerate().map(half).collect();
    order.sort_unstable();
    let signing = |at: &u64| &signings[*at as u32 as usize];
    for same in order.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|same| same.len() > 1) {
        same.sort_unstable_by(|a, b| {
            let (a, b) = (signing(a), signing(b));
            mixed(a.person).cmp(&mixed(b.person)).then_with(|| in_turn(a, b))
        });
    }
    order.into_iter().map(|at| at as u32).collect()
}

/// A signing's contract id.
pub fn contract<'a>(contracts: &'a [u8], signing: &Signing) -> &'a str {
    std::str::from_utf8(contract_bytes(contracts, signing)).unwrap_or_default()
}

/// Its bytes.
pub fn contract_bytes<'a>(contracts: &'a [u8], signing: &Signing) -> &'a [u8] {
    arena_bytes(contracts, signing.contract)
}

/// The contract id at a place of an arena, where each stands behind its length.
pub fn arena_bytes(contracts: &[u8], at: u32) -> &[u8] {
    let (start, length) = arena_place(contracts, at);
    &contracts[start..start + length]
}

/// Where the id itself starts, and its length.
fn arena_place(contracts: &[u8], at: u32) -> (usize, usize) {
    let start = at as usize + 2;
    (start, usize::from(u16::from_le_bytes([contracts[start - 2], contracts[start - 1]])))
}

/// The hash of the contract id at a place of an arena.
pub fn arena_hash(contracts: &[u8], at: u32) -> u64 {
    let (start, length) = arena_place(contracts, at);
    hash_at(contracts, start, length)
}

/// Contract ids by the lowest bits of their hash: its upper half, and where each stands in the arena.
pub struct ContractIds(Vec<Vec<(u32, u32)>>);

impl ContractIds {
    /// For about so many.
    pub fn with_room(count: usize) -> ContractIds {
        ContractIds((0..PARTS).map(|_| Vec::with_capacity(count / PARTS * 17 / 16)).collect())
    }

    /// Takes the id at a place of an arena, which stands `offset` further in that of all.
    pub fn add(&mut self, contracts: &[u8], at: u32, offset: u32) {
        let hash = arena_hash(contracts, at);
        self.0[hash as usize % PARTS].push(((hash >> 32) as u32, at + offset));
    }

    /// Where those stand that may be there twice: all that are, and a few others.
    pub fn maybe_repeated(self) -> FxHashSet<u32> {
        let doubtful = self.0.into_par_iter().flat_map_iter(|ids| {
            // A bit for each hash, so many that few are shared.
            const BITS_FOR_EACH: usize = 64;
            let bits = (BITS_FOR_EACH * ids.len()).next_power_of_two().max(64);
            let bit = move |hash: u32| hash as usize & (bits - 1);
            let (mut seen, mut again) = (vec![0u64; bits / 64], FxHashSet::default());
            for (hash, _) in &ids {
                let (word, mask) = (&mut seen[bit(*hash) / 64], 1 << (bit(*hash) % 64));
                if *word & mask != 0 {
                    again.insert(bit(*hash));
                }
                *word |= mask;
            }
            ids.into_iter().filter(move |(hash, _)| again.contains(&bit(*hash))).map(|(_, at)| at)
        });
        doubtful.collect()
    }
}

/// Signings that share a contract id, as they are held against each other, of those whose id is doubtful.
pub fn repeated_contracts(
    signings: &Admitted,
    contracts: &[u8],
    doubtful: &FxHashSet<u32>,
    in_turn: impl Fn(&Signing, &Signing) -> Ordering,
) -> Vec<Vec<u32>> {
    if doubtful.is_empty() {
        return Vec::new();
    }
    let found = signings.par_iter().enumerate().filter(|(_, signing)| doubtful.contains(&signing.contract));
    let hashed = found.map(|(index, signing)| (arena_hash(contracts, signing.contract), index as u32));
    let mut hashed: Vec<(u64, u32)> = hashed.collect();
    hashed.par_sort_unstable();
    let mut same: FxHashMap<&[u8], Vec<u32>> = FxHashMap::default();
    for (_, index) in hashed.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1).flatten() {
        same.entry(contract_bytes(contracts, &signings.get(*index as usize))).or_default().push(*index);
    }
    let mut repeated: Vec<Vec<u32>> = same.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut repeated {
        group.sort_unstable_by(|a, b| in_turn(&signings.get(*a as usize), &signings.get(*b as usize)));
    }
    repeated.sort_unstable();
    repeated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Fen;
    use crate::base::period::Date;

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
            contract: 0,
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
                (0..count).map(signing).for_each(|signing| parts.add(signing));
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                let found: Vec<Signing> = pool.install(|| parts.in_order(in_turn)).iter().collect();
                let told = |all: &[Signing]| all.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>();
                assert_eq!(told(&found), told(&want), "{count} signings, {threads} threads");
            }
        }
    }
}
