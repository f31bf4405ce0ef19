//! Admitted signings, each in two parts: a face, which every swipe is held against, and the rest. Swipes come in any
//! order of people, so that each waits for its signings from memory: of faces more lie together.

use rayon::prelude::*;

use crate::base::money::Fen;
use crate::base::period::{Date, Rank};
use crate::base::person::PersonId;
use crate::policy::schedule::Schedule;

use super::contracts::ContractId;
use super::qualify::{NO_DETAILS, Signing, offer_of};
use super::rules::Rules;

/// What a swipe is held against, in 20 bytes. From below: the person; the institution; the days on which it starts and
/// ends; what is packed with its offer; and its file.
#[derive(Clone, Copy, Debug)]
pub struct Face([u32; 5]);

/// Of the institution so many bits lie above the person, and the rest below the days.
const BESIDE_PERSON: u32 = 64 - PersonId::BITS;
const BESIDE_DAYS: u32 = 64 - 2 * Rank::BITS;
/// A run has fewer institutions.
const MOST_INSTITUTIONS: u64 = 1 << (BESIDE_PERSON + BESIDE_DAYS);

impl Face {
    fn of(signing: &Signing) -> Face {
        let Signing { person, institution, starts_on, end, offer, file, .. } = *signing;
        let institution = u64::from(institution);
        assert!(institution < MOST_INSTITUTIONS, "a run has fewer institutions");
        let day = |day: Date| u64::from(Rank::from(day).bits());
        let first = institution << PersonId::BITS | person.0;
        let days = day(end) << (64 - Rank::BITS) | day(starts_on) << BESIDE_DAYS;
        let second = days | institution >> BESIDE_PERSON;
        let last = u32::from(file) << 16 | u32::from(offer);
        Face([first as u32, (first >> 32) as u32, second as u32, (second >> 32) as u32, last])
    }

    #[inline(always)]
    fn first(&self) -> u64 {
        u64::from(self.0[1]) << 32 | u64::from(self.0[0])
    }

    #[inline(always)]
    fn second(&self) -> u64 {
        u64::from(self.0[3]) << 32 | u64::from(self.0[2])
    }

    #[inline(always)]
    pub fn person(&self) -> PersonId {
        PersonId(self.first() & ((1 << PersonId::BITS) - 1))
    }

    #[inline(always)]
    pub fn institution(&self) -> u32 {
        let below = self.second() & ((1 << BESIDE_DAYS) - 1);
        (below << BESIDE_PERSON | self.first() >> PersonId::BITS) as u32
    }

    #[inline(always)]
    fn starts_on(&self) -> Rank {
        Rank::of_bits((self.second() >> BESIDE_DAYS) as u32 & ((1 << Rank::BITS) - 1))
    }

    #[inline(always)]
    fn end(&self) -> Rank {
        Rank::of_bits((self.second() >> (64 - Rank::BITS)) as u32)
    }

    #[inline(always)]
    pub fn offer(&self) -> u16 {
        offer_of(self.0[4] as u16)
    }

    #[inline(always)]
    pub fn in_force(&self, day: Rank) -> bool {
        (self.starts_on() <= day) & (day < self.end())
    }

    /// Charges of the signing that are settled: their numbers and first days.
    pub fn charges(&self, rules: &Rules) -> impl Iterator<Item = (u32, Date)> + use<> {
        rules.charges(self.offer(), self.starts_on().date(), self.end().date())
    }

    /// The charge whose time `day` falls in.
    pub fn charge_of(&self, schedule: Schedule, day: Date) -> Option<u32> {
        self.in_force(day.into()).then(|| schedule.charge_of(self.starts_on().date(), day))
    }
}

/// What a signing has beside its face, in 25 bytes: the contract id; its days of signing and of the end of its term
/// below the number of its price; what was paid; and its line.
#[derive(Clone, Copy, Debug)]
struct Rest([u8; 25]);

/// Prices have lower numbers: of each package only those that differ in what somebody bears.
const MOST_CLASSES: u64 = 1 << (64 - 2 * Rank::BITS);
/// An amount of one row is below 1,000,000,000.
const PAID_BYTES: usize = 5;

impl Rest {
    fn of(signing: &Signing) -> Rest {
        let Signing { paid, contract, class, signed_on, term_end, line, .. } = *signing;
        let day = |day: Date| u64::from(Rank::from(day).bits());
        let days = day(term_end) << Rank::BITS | day(signed_on);
        let [paid @ .., 0, 0, 0] = paid.0.to_le_bytes() else {
            panic!("an amount of a row is no larger, and not negative")
        };
        let mut bytes = [0; 25];
        bytes[..8].copy_from_slice(&contract.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&days.to_le_bytes());
        bytes[16..16 + PAID_BYTES].copy_from_slice(&paid);
        bytes[21..].copy_from_slice(&line.to_le_bytes());
        let mut rest = Rest(bytes);
        rest.set_class(class);
        rest
    }

    #[inline(always)]
    fn number(&self, at: usize) -> u64 {
        u64::from_le_bytes(*self.0[at..].first_chunk().expect("eight bytes"))
    }

    #[inline(always)]
    fn contract(&self) -> ContractId {
        ContractId(self.number(0))
    }

    fn set_class(&mut self, class: u32) {
        assert!(u64::from(class) < MOST_CLASSES, "a run has fewer prices");
        let days = self.number(8) & ((1 << (2 * Rank::BITS)) - 1);
        let days = u64::from(class) << (2 * Rank::BITS) | days;
        self.0[8..16].copy_from_slice(&days.to_le_bytes());
    }

    /// The signing, with its face.
    #[inline(always)]
    fn with(&self, face: &Face, details: u32) -> Signing {
        let days = self.number(8);
        let day = |shift: u32| Rank::of_bits((days >> shift) as u32 & ((1 << Rank::BITS) - 1)).date();
        let paid = self.number(16) & ((1 << (8 * PAID_BYTES)) - 1);
        Signing {
            person: face.person(),
            institution: face.institution(),
            starts_on: face.starts_on().date(),
            end: face.end().date(),
            offer: face.0[4] as u16,
            file: (face.0[4] >> 16) as u16,
            paid: Fen(paid.cast_signed()),
            contract: self.contract(),
            class: (days >> (2 * Rank::BITS)) as u32,
            details,
            signed_on: day(0),
            term_end: day(Rank::BITS),
            line: (self.number(17) >> 32) as u32,
        }
    }
}

/// Signings by number.
#[derive(Debug, Default)]
pub struct Admitted {
    faces: Vec<Face>,
    rest: Vec<Rest>,
    /// Empty where nothing else is kept of any.
    details: Vec<u32>,
}

impl Admitted {
    pub fn with_room(count: usize) -> Admitted {
        Admitted { faces: Vec::with_capacity(count), rest: Vec::with_capacity(count), details: Vec::new() }
    }

    pub fn push(&mut self, signing: &Signing) {
        if signing.details != NO_DETAILS || !self.details.is_empty() {
            self.details.resize(self.count(), NO_DETAILS);
            self.details.push(signing.details);
        }
        self.faces.push(Face::of(signing));
        self.rest.push(Rest::of(signing));
    }

    /// Takes some of others, in an order of which others, and which of them.
    pub fn extend(&mut self, others: &[Admitted], order: &[(u32, u32)]) {
        let of = |(others_at, _): &(u32, u32)| &others[*others_at as usize];
        if !self.details.is_empty() || others.iter().any(|one| !one.details.is_empty()) {
            self.details.resize(self.count(), NO_DETAILS);
            self.details.par_extend(order.par_iter().map(|at| of(at).details(at.1 as usize)));
        }
        self.faces.par_extend(order.par_iter().map(|at| of(at).faces[at.1 as usize]));
        self.rest.par_extend(order.par_iter().map(|at| of(at).rest[at.1 as usize]));
    }

    #[inline]
    fn details(&self, index: usize) -> u32 {
        self.details.get(index).copied().unwrap_or(NO_DETAILS)
    }

    /// Takes those out that are `out`.
    pub fn keep(&mut self, out: &[bool]) {
        keep(&mut self.faces, out);
        keep(&mut self.rest, out);
        keep(&mut self.details, out);
    }

    /// Says that the signing at `index` has another price.
    pub fn set_class(&mut self, index: usize, class: u32) {
        self.rest[index].set_class(class);
    }

    pub fn count(&self) -> usize {
        self.faces.len()
    }

    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    #[inline]
    pub fn contract(&self, index: usize) -> ContractId {
        self.rest[index].contract()
    }

    #[inline(always)]
    pub fn get(&self, index: usize) -> Signing {
        self.rest[index].with(&self.faces[index], self.details(index))
    }

    pub fn iter(&self) -> impl Iterator<Item = Signing> {
        (0..self.count()).map(|index| self.get(index))
    }

    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = Signing> {
        (0..self.count()).into_par_iter().map(|index| self.get(index))
    }

    /// The signings of each person together.
    pub fn people(&self) -> impl Iterator<Item = impl Iterator<Item = Signing>> {
        let same = self.faces.chunk_by(|a, b| a.person() == b.person()).map(<[Face]>::len);
        let ends = same.scan(0, |end, count| {
            *end += count;
            Some(*end - count..*end)
        });
        ends.map(|of_one| of_one.map(|index| self.get(index)))
    }
}

/// Takes those out of a list, if it is not empty, that are `out`.
pub(super) fn keep<T: Copy + Send>(list: &mut Vec<T>, out: &[bool]) {
    const PART: usize = 64 << 10;
    let within = |(part, out): (&mut [T], &[bool])| {
        let mut kept = 0;
        for (at, _) in out.iter().enumerate().filter(|(_, out)| !**out) {
            part[kept] = part[at];
            kept += 1;
        }
        kept
    };
    let kept: Vec<usize> = list.par_chunks_mut(PART).zip(out.par_chunks(PART)).map(within).collect();
    let mut end = 0;
    for (part, kept) in kept.into_iter().enumerate() {
        list.copy_within(part * PART..part * PART + kept, end);
        end += kept;
    }
    list.truncate(end);
    list.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_comes_back_as_it_was() {
        let signing = |number: u32| Signing {
            person: PersonId(99_999_999_999_999_999 - u64::from(number / 2)),
            institution: MOST_INSTITUTIONS as u32 - 1 - number,
            starts_on: Date::constant(1, 1, 1 + number as i8),
            end: Date::constant(9999, 12, 31 - number as i8),
            offer: u16::MAX - number as u16,
            file: u16::MAX - number as u16,
            paid: Fen(99_999_999_999 - i64::from(number)),
            contract: ContractId(u64::MAX - u64::from(number)),
            class: MOST_CLASSES as u32 - 1 - number,
            details: if number == 3 { NO_DETAILS } else { number + 7 },
            signed_on: Date::constant(2020, 3, 1 + number as i8),
            term_end: Date::constant(9999, 12, 31 - number as i8),
            line: u32::MAX - number,
        };
        let signings: Vec<Signing> = (0..5).map(signing).collect();
        let of = |some: &[usize]| {
            let mut all = Admitted::default();
            some.iter().for_each(|at| all.push(&signings[*at]));
            all
        };
        let mut admitted = Admitted::with_room(5);
        // Of the first nothing else is kept.
        admitted.extend(&[of(&[3])], &[(0, 0)]);
        assert!(admitted.details.is_empty());
        admitted.extend(&[of(&[0, 1]), of(&[4, 2])], &[(1, 1), (0, 0), (0, 1), (1, 0)]);
        let signings = [3, 2, 0, 1, 4].map(|at| signings[at]);
        let told =
            |all: &mut dyn Iterator<Item = Signing>| all.map(|one| format!("{one:?}")).collect::<Vec<_>>();
        assert_eq!(told(&mut admitted.iter()), told(&mut signings.into_iter()));
        admitted.set_class(1, 77);
        admitted.keep(&[false, false, true, false, false]);
        let kept = [signings[0], Signing { class: 77, ..signings[1] }, signings[3], signings[4]];
        assert_eq!(admitted.contract(3), signings[4].contract);
        assert_eq!(told(&mut admitted.iter()), told(&mut kept.into_iter()));
        let people: Vec<usize> = admitted.people().map(Iterator::count).collect();
        assert_eq!(people, [2, 1, 1]);
        assert_eq!((size_of::<Face>(), size_of::<Rest>()), (20, 25));
    }

    #[test]
    fn what_is_out_goes_from_long_lists_too() {
        for (every, length) in
            [(1, 5), (2, 200_000), (3, 64 << 10), (70_000, (64 << 10) + 1), (usize::MAX, 131_072)]
        {
            let out: Vec<bool> = (0..length).map(|at| at % every == every - 1).collect();
            let mut list: Vec<usize> = (0..length).collect();
            keep(&mut list, &out);
            let want: Vec<usize> = (0..length).filter(|at| !out[*at]).collect();
            assert!(list == want, "{every} {length}");
        }
    }
}
