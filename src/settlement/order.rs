//! Signings in order of their people, and those that share a contract id: by numbers that spread evenly, in parts
//! that fit a core's own cache.

use std::cmp::Ordering;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::person::PersonId;
use crate::intake::short::hash_at;

use super::qualify::Signing;

/// One to one, and spread evenly in its upper bits, as ID numbers are not.
pub fn mixed(person: PersonId) -> u64 {
    let x = person.0;
    (x ^ (x >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Puts the signings in order of the person's mixed number, those of one person as they are held against each
/// other. First by the upper bits, where they stand: so each part is then put in order in a core's own cache, and
/// never are all of them there twice.
pub fn by_person(signings: &mut [Signing], in_turn: impl Fn(&Signing, &Signing) -> Ordering + Sync) {
    split_and_sort(signings, rayon::current_num_threads().next_power_of_two().ilog2(), 0, &in_turn);
}

/// Parts for all threads: `halvings` more times by a bit, those before it being the same in all of these.
fn split_and_sort(
    signings: &mut [Signing],
    halvings: u32,
    bit: u32,
    in_turn: &(impl Fn(&Signing, &Signing) -> Ordering + Sync),
) {
    if halvings == 0 {
        return sort_parts(signings, bit, in_turn);
    }
    let upper = |signing: &Signing| mixed(signing.person) << bit >> 63 == 1;
    let (mut low, mut high) = (0, signings.len());
    loop {
        while low < high && !upper(&signings[low]) {
            low += 1;
        }
        while low < high && upper(&signings[high - 1]) {
            high -= 1;
        }
        if low == high {
            break;
        }
        signings.swap(low, high - 1);
    }
    let (below, above) = signings.split_at_mut(low);
    let sort = |half| split_and_sort(half, halvings - 1, bit + 1, in_turn);
    rayon::join(|| sort(below), || sort(above));
}

/// [`by_person`] of signings that have the same upper bits.
fn sort_parts(
    signings: &mut [Signing],
    bits: u32,
    in_turn: &(impl Fn(&Signing, &Signing) -> Ordering + Sync),
) {
    const PARTS: usize = 64;
    let part_of = |signing: &Signing| (mixed(signing.person) << bits >> (64 - PARTS.ilog2())) as usize;
    let mut counts = [0; PARTS];
    signings.iter().for_each(|signing| counts[part_of(signing)] += 1);
    let (mut next, mut ends, mut end) = ([0; PARTS], [0; PARTS], 0);
    for part in 0..PARTS {
        next[part] = end;
        end += counts[part];
        ends[part] = end;
    }
    for part in 0..PARTS {
        while next[part] < ends[part] {
            let goes = part_of(&signings[next[part]]);
            if goes != part {
                signings.swap(next[part], next[goes]);
            }
            next[goes] += 1;
        }
    }
    let mut rest = signings;
    let mut parts = Vec::with_capacity(PARTS);
    for count in counts {
        let (part, behind) = rest.split_at_mut(count);
        parts.push(part);
        rest = behind;
    }
    let sort = |part: &mut [Signing]| part.copy_from_slice(&in_order(part, in_turn));
    parts.into_par_iter().with_max_len(1).for_each(sort);
}

/// One part in that order. What is sorted is half of the mixed number, with the place of its signing in the other
/// half: numbers move quicker than signings. Where the halves are the same, the whole decides.
fn in_order(signings: &[Signing], in_turn: impl Fn(&Signing, &Signing) -> Ordering) -> Vec<Signing> {
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
    order.iter().map(|at| *signing(at)).collect()
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

/// Where the contract ids stand of signings whose id may stand on another one too: of all for which it
/// does, and of a few others.
pub fn maybe_repeated(signings: &[Signing], contracts: &[u8]) -> FxHashSet<u32> {
    // A bit for each hash, so many that few are shared; in parts, so that the bits of one stay in a core's
    // cache, up to as many as may each look at all hashes.
    const BITS_FOR_EACH: usize = 64;
    const IN_A_PART: usize = 128 << 10;
    const MOST_PARTS: usize = 32;
    let hash = |signing: &Signing| (arena_hash(contracts, signing.contract) >> 32) as u32;
    let hashes: Vec<u32> = signings.par_iter().map(hash).collect();
    let parts = (hashes.len() / IN_A_PART).next_power_of_two().min(MOST_PARTS);
    let bits = (BITS_FOR_EACH * hashes.len().div_ceil(parts)).next_power_of_two().max(64);
    let doubtful = (0..parts).into_par_iter().flat_map_iter(|part| {
        let of_part = move |hash: &&u32| **hash as usize & (parts - 1) == part;
        let bit = move |hash: u32| hash as usize >> parts.ilog2() & (bits - 1);
        let (mut seen, mut again) = (vec![0u64; bits / 64], FxHashSet::default());
        for hash in hashes.iter().filter(of_part) {
            let (word, mask) = (&mut seen[bit(*hash) / 64], 1 << (bit(*hash) % 64));
            if *word & mask != 0 {
                again.insert(bit(*hash));
            }
            *word |= mask;
        }
        let all = hashes.iter().zip(signings).filter(move |(hash, _)| of_part(hash));
        all.filter(move |(hash, _)| again.contains(&bit(**hash))).map(|(_, signing)| signing.contract)
    });
    doubtful.collect()
}

/// Signings that share a contract id, as they are held against each other, of those whose id is doubtful.
pub fn repeated_contracts(
    signings: &[Signing],
    contracts: &[u8],
    doubtful: &FxHashSet<u32>,
    in_turn: impl Fn(&Signing, &Signing) -> Ordering,
) -> Vec<Vec<u32>> {
    if doubtful.is_empty() {
        return Vec::new();
    }
    let found = signings.par_iter().enumerate().filter(|(_, signing)| doubtful.contains(&signing.contract));
    let found: Vec<usize> = found.map(|(index, _)| index).collect();
    let mut same: FxHashMap<&[u8], Vec<u32>> = FxHashMap::default();
    for index in found {
        same.entry(contract_bytes(contracts, &signings[index])).or_default().push(index as u32);
    }
    let mut repeated: Vec<Vec<u32>> = same.into_values().filter(|group| group.len() > 1).collect();
    for group in &mut repeated {
        group.sort_unstable_by(|a, b| in_turn(&signings[*a as usize], &signings[*b as usize]));
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
                let mut found: Vec<Signing> = (0..count).map(signing).collect();
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
                pool.install(|| by_person(&mut found, in_turn));
                let told =
                    |all: &[Signing]| all.iter().map(|one| (one.person.0, one.line)).collect::<Vec<_>>();
                assert_eq!(told(&found), told(&want), "{count} signings, {threads} threads");
            }
        }
    }
}
