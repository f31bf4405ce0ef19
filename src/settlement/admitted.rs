//! Admitted signings, each in two parts: a face, which every swipe is held against, and the rest. Swipes come in any
//! order of people, so that each waits for its signings from memory: of faces more lie together.

use rayon::prelude::*;

use crate::base::money::Fen;
use crate::base::period::{Date, Rank};
use crate::base::person::PersonId;
use crate::policy::schedule::Schedule;

use super::qualify::{Signing, offer_of};
use super::rules::Rules;

/// What a swipe is held against, in 24 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    pub person: PersonId,
    pub institution: u32,
    starts_on: Date,
    end: Date,
    offer: u16,
    file: u16,
}

impl Face {
    pub fn of(signing: &Signing) -> Face {
        let Signing { person, institution, starts_on, end, offer, file, .. } = *signing;
        Face { person, institution, starts_on, end, offer, file }
    }

    #[inline(always)]
    pub fn offer(&self) -> u16 {
        offer_of(self.offer)
    }

    #[inline(always)]
    pub fn in_force(&self, day: impl Into<Rank>) -> bool {
        let day = day.into();
        (Rank::from(self.starts_on) <= day) & (day < Rank::from(self.end))
    }

    /// Charges of the signing that are settled: their numbers and first days.
    pub fn charges(&self, rules: &Rules) -> impl Iterator<Item = (u32, Date)> + use<> {
        let schedule = rules.policy(self.offer()).schedule;
        schedule.charges(self.starts_on, rules.from, self.end.min(rules.end))
    }

    /// The charge whose time `day` falls in.
    pub fn charge_of(&self, schedule: Schedule, day: Date) -> Option<u32> {
        self.in_force(day).then(|| schedule.charge_of(self.starts_on, day))
    }
}

/// What a signing has beside its face.
#[derive(Clone, Copy, Debug)]
struct Rest {
    paid: Fen,
    contract: u32,
    class: u32,
    details: u32,
    signed_on: Date,
    term_end: Date,
    line: u32,
}

impl Rest {
    fn of(signing: &Signing) -> Rest {
        let Signing { paid, contract, class, details, signed_on, term_end, line, .. } = *signing;
        Rest { paid, contract, class, details, signed_on, term_end, line }
    }
}

/// Admitted signings by number.
#[derive(Debug)]
pub struct Admitted {
    faces: Vec<Face>,
    rest: Vec<Rest>,
}

impl Admitted {
    pub fn with_room(count: usize) -> Admitted {
        Admitted { faces: Vec::with_capacity(count), rest: Vec::with_capacity(count) }
    }

    /// Takes some more, in an order of their places.
    pub fn extend<'s, P>(&mut self, order: &[P], signing: impl Fn(P) -> &'s Signing + Sync)
    where
        P: Copy + Sync,
    {
        self.faces.par_extend(order.par_iter().map(|at| Face::of(signing(*at))));
        self.rest.par_extend(order.par_iter().map(|at| Rest::of(signing(*at))));
    }

    /// Takes those out that are `out`.
    pub fn keep(&mut self, out: &[bool]) {
        keep(&mut self.faces, out);
        keep(&mut self.rest, out);
    }

    /// Says that the signing at `index` has another price.
    pub fn set_class(&mut self, index: usize, class: u32) {
        self.rest[index].class = class;
    }

    pub fn count(&self) -> usize {
        self.faces.len()
    }

    pub fn faces(&self) -> &[Face] {
        &self.faces
    }

    #[inline(always)]
    pub fn get(&self, index: usize) -> Signing {
        let Face { person, institution, starts_on, end, offer, file } = self.faces[index];
        let Rest { paid, contract, class, details, signed_on, term_end, line } = self.rest[index];
        Signing {
            person,
            institution,
            starts_on,
            end,
            offer,
            file,
            paid,
            contract,
            class,
            details,
            signed_on,
            term_end,
            line,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Signing> {
        (0..self.count()).map(|index| self.get(index))
    }

    pub fn par_iter(&self) -> impl IndexedParallelIterator<Item = Signing> {
        (0..self.count()).into_par_iter().map(|index| self.get(index))
    }

    /// The signings of each person together.
    pub fn people(&self) -> impl Iterator<Item = impl Iterator<Item = Signing>> {
        let same = self.faces.chunk_by(|a, b| a.person == b.person).map(<[Face]>::len);
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
            person: PersonId(u64::from(number / 2)),
            institution: number + 1,
            starts_on: Date::constant(2020, 1, 1 + number as i8),
            end: Date::constant(2020, 2, 1 + number as i8),
            offer: number as u16 + 2,
            file: number as u16 + 3,
            paid: Fen(i64::from(number) + 4),
            contract: number + 5,
            class: number + 6,
            details: number + 7,
            signed_on: Date::constant(2020, 3, 1 + number as i8),
            term_end: Date::constant(2020, 4, 1 + number as i8),
            line: number + 8,
        };
        let signings: Vec<Signing> = (0..5).map(signing).collect();
        let mut admitted = Admitted::with_room(5);
        admitted.extend(&[1, 0, 3], |at: usize| &signings[at]);
        admitted.extend(&[2, 4], |at: usize| &signings[at]);
        let signings = [1, 0, 3, 2, 4].map(|at| signings[at]);
        let told =
            |all: &mut dyn Iterator<Item = Signing>| all.map(|one| format!("{one:?}")).collect::<Vec<_>>();
        assert_eq!(told(&mut admitted.iter()), told(&mut signings.into_iter()));
        admitted.set_class(1, 77);
        admitted.keep(&[false, false, true, false, false]);
        let kept = [signings[0], Signing { class: 77, ..signings[1] }, signings[3], signings[4]];
        assert_eq!(told(&mut admitted.iter()), told(&mut kept.into_iter()));
        let people: Vec<usize> = admitted.people().map(Iterator::count).collect();
        assert_eq!(people, [2, 1, 1]);
        assert_eq!(size_of::<Face>() + size_of::<Rest>(), size_of::<Signing>());
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
