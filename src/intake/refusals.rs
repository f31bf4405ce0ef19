//! Refused rows of a run. A province has hundreds of thousands, so what is told of each is packed, and unpacked where it
//! is shown.

use std::mem;

use rayon::prelude::*;

use crate::base::code::Code;
use crate::base::place::{Kind, Place};
use crate::base::reason::Reason;

use super::rows::Reject;

/// Refused rows in the order in which they came.
#[derive(Default)]
pub struct Refusals {
    heads: Vec<Head>,
    /// What is told of them, some together.
    packed: Vec<Box<[u8]>>,
    /// What belongs behind those.
    open: Vec<u8>,
}

/// So many bytes are closed.
const TOGETHER: usize = 16 << 10;

/// A refused row without what is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    pub place: Place,
    pub kind: Kind,
    pub code: Code,
}

#[derive(Clone, Copy)]
struct Head {
    refused: Refused,
    /// Which bytes, and where in them.
    packed: u32,
    at: u32,
}

/// What is told of a row: its contract id, person and institution, the article, and why.
type Told<'a, R> = (&'a str, &'a str, &'a str, Option<&'a str>, R);

/// A refused row with all that is told of it.
#[derive(Debug)]
pub struct Refusal<'a> {
    pub place: Place,
    pub kind: Kind,
    pub code: Code,
    pub contract: &'a str,
    /// Masked.
    pub person: &'a str,
    pub institution: &'a str,
    pub reason: Reason,
    pub clause: Option<&'a str>,
}

impl Refusals {
    pub fn push(&mut self, reject: Reject) {
        let Reject { kind, place, contract, person, institution, code, reason, clause } = reject;
        let (packed, at) = (self.packed.len() as u32, self.open.len() as u32);
        self.heads.push(Head { refused: Refused { place, kind, code }, packed, at });
        let told: Told<&Reason> = (&contract, &person, &institution, clause.as_deref(), &reason);
        let open = postcard::to_extend(&told, mem::take(&mut self.open));
        self.open = open.expect("texts and numbers can be packed");
        if self.open.len() >= TOGETHER {
            self.close();
        }
    }

    fn close(&mut self) {
        self.packed.push(mem::take(&mut self.open).into_boxed_slice());
    }

    /// Takes others behind these.
    pub fn append(&mut self, mut others: Refusals) {
        if others.heads.is_empty() {
            return;
        }
        // Where few bytes are open, more go behind them.
        let (packed, at) = (self.packed.len() as u32, self.open.len() as u32);
        if others.packed.is_empty() && (at as usize) < TOGETHER {
            let moved = |head: Head| Head { packed, at: head.at + at, ..head };
            self.heads.extend(others.heads.into_iter().map(moved));
            self.open.append(&mut others.open);
            return;
        }
        self.close();
        let packed = packed + 1;
        self.heads.extend(others.heads.into_iter().map(|head| Head { packed: head.packed + packed, ..head }));
        self.packed.append(&mut others.packed);
        self.open = others.open;
    }

    pub fn len(&self) -> usize {
        self.heads.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Refused> {
        self.heads.iter().map(|head| head.refused)
    }

    /// What is told of a row by its number.
    pub fn get(&self, at: usize) -> Refusal<'_> {
        let Head { refused: Refused { place, kind, code }, packed, at } = self.heads[at];
        let packed = self.packed.get(packed as usize).map_or(&self.open[..], |packed| packed);
        let told = postcard::take_from_bytes::<Told<Reason>>(&packed[at as usize..]);
        let ((contract, person, institution, clause, reason), _) = told.expect("what was packed here");
        Refusal { place, kind, code, contract, person, institution, reason, clause }
    }

    /// Keeps the rows whose numbers `stays`.
    pub fn retain(&mut self, stays: impl Fn(usize) -> bool) {
        let mut at = 0;
        self.heads.retain(|_| {
            at += 1;
            stays(at - 1)
        });
    }

    /// Those of one place stay as they came.
    pub fn sort_by_place(&mut self) {
        self.heads.par_sort_by_key(|head| (head.refused.kind.name(), head.refused.place));
    }
}

impl Extend<Reject> for Refusals {
    fn extend<R: IntoIterator<Item = Reject>>(&mut self, rejects: R) {
        rejects.into_iter().for_each(|reject| self.push(reject));
    }
}

impl FromIterator<Reject> for Refusals {
    fn from_iter<R: IntoIterator<Item = Reject>>(rejects: R) -> Refusals {
        let mut all = Refusals::default();
        all.extend(rejects);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Fen;
    use crate::base::period::Date;

    fn reject(number: u32) -> Reject {
        let day = Date::constant(2020, 1, 31);
        let reason = match number % 4 {
            0 => Reason::NotInsured,
            1 => Reason::NoVersion { day, from: day, to: None },
            2 => Reason::BalanceBelow { balance: Fen(-3), share: Fen(i64::from(number)) },
            _ => Reason::BadWord {
                column: "险种".into(),
                value: "x".repeat(number as usize % 50_000),
                takes: "y/n".into(),
            },
        };
        Reject {
            kind: if number.is_multiple_of(3) { Kind::Signings } else { Kind::Swipes },
            place: Place { file: number as u16 % 2, line: number },
            contract: format!("C{number}"),
            person: "*".repeat(number as usize % 20),
            institution: "机构".into(),
            code: Code::E401,
            reason,
            clause: number.is_multiple_of(2).then(|| "第五条".into()),
        }
    }

    fn told(refusal: &Refusal) -> String {
        format!("{refusal:?}")
    }

    fn as_made(number: u32) -> String {
        let Reject { kind, place, contract, person, institution, code, reason, clause } = reject(number);
        let (contract, person, institution) = (&*contract, &*person, &*institution);
        let clause = clause.as_deref();
        told(&Refusal { place, kind, code, contract, person, institution, reason, clause })
    }

    #[test]
    fn rows_come_back_as_they_were_however_they_came() {
        for size in [1, 7, 300, 5_000] {
            let mut all = Refusals::default();
            let numbers: Vec<u32> = (0..1_000).map(|number| number * 37).collect();
            for (at, some) in numbers.chunks(size).enumerate() {
                match at % 3 {
                    0 => all.append(some.iter().map(|number| reject(*number)).collect()),
                    1 => all.append(Refusals::default()),
                    _ => {}
                }
                if at % 3 > 0 {
                    all.extend(some.iter().map(|number| reject(*number)));
                }
            }
            assert_eq!(all.len(), 1_000);
            for (at, number) in numbers.iter().enumerate() {
                assert_eq!(told(&all.get(at)), as_made(*number), "{size}");
            }
            all.retain(|at| at % 5 == 3);
            assert!(all.iter().map(|row| row.place.line).eq((0..200).map(|at| (at * 5 + 3) * 37)));
            assert_eq!(told(&all.get(100)), as_made(503 * 37));
        }
    }

    #[test]
    fn rows_are_sorted_by_kind_and_place_and_stay_as_they_came_beside_each_other() {
        let mut all: Refusals = [4, 9, 3, 4, 6].map(reject).into_iter().collect();
        all.push(Reject { contract: "second".into(), ..reject(9) });
        all.sort_by_place();
        let contracts: Vec<&str> = (0..all.len()).map(|at| all.get(at).contract).collect();
        assert_eq!(contracts, ["C6", "C3", "C9", "second", "C4", "C4"]);
    }
}
