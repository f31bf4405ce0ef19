//! Contract ids in eight bytes each. Offices number their contracts: nearly all ids of an export have one of a few
//! shapes, and differ by their digits. What has no such shape stands in one list of bytes.

use std::cmp::Ordering;
use std::sync::Mutex;

use rustc_hash::FxHashMap;

use crate::intake::short::id_hash;

/// A contract id: the number of its shape, from 1, above its last digits as a number; below 0, where it stands among the
/// ids that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContractId(pub(super) u64);

/// So many digits of an id are its number; those before belong to its shape.
const DIGITS: usize = 15;
const NUMBER_BITS: u32 = 52;
const NUMBER: u64 = (1 << NUMBER_BITS) - 1;
const _: () = assert!(10u64.pow(DIGITS as u32) <= NUMBER);
/// So many shapes are told apart.
const MOST_SHAPES: usize = (1 << (64 - NUMBER_BITS)) - 1;
/// A longer id has no shape.
const LONGEST: usize = 32;

impl ContractId {
    fn shape(self) -> Option<usize> {
        ((self.0 >> NUMBER_BITS) as usize).checked_sub(1)
    }
}

/// An id with a zero for each digit of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Shape {
    text: [u8; LONGEST],
    length: u8,
}

impl Shape {
    /// The shape of an id, and its number; none of a longer id.
    #[inline]
    fn of(id: &[u8]) -> Option<(Shape, u64)> {
        let mut text = [0; LONGEST];
        text.get_mut(..id.len())?.copy_from_slice(id);
        let (mut number, mut unit) = (0, 1);
        for digit in digits(&mut text[..id.len()]) {
            number += u64::from(*digit - b'0') * unit;
            unit *= 10;
            *digit = b'0';
        }
        Some((Shape { text, length: id.len() as u8 }, number))
    }

    /// The id of this shape with a number.
    fn id(&self, mut number: u64, room: &mut [u8; LONGEST]) -> usize {
        let length = usize::from(self.length);
        *room = self.text;
        for digit in digits(&mut room[..length]) {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        length
    }
}

/// The digits that are an id's number, the last one first.
fn digits(id: &mut [u8]) -> impl Iterator<Item = &mut u8> {
    id.iter_mut().rev().filter(|byte| byte.is_ascii_digit()).take(DIGITS)
}

/// Shapes by number, over all threads.
#[derive(Default)]
pub struct Shapes(Mutex<Numbered>);

#[derive(Default)]
struct Numbered {
    numbers: FxHashMap<Shape, u16>,
    list: Vec<Shape>,
}

impl Shapes {
    /// What the ids stand for that were packed with these shapes, and `unshaped` ones.
    pub fn contracts(self, unshaped: Vec<u8>) -> Contracts {
        Contracts { shapes: self.0.into_inner().expect("no panic holds it").list, unshaped }
    }
}

/// Packs ids on one thread.
pub struct Packer<'a> {
    shapes: &'a Shapes,
    /// That of the id before: mostly the next one has it, too.
    last: Option<(Shape, u16)>,
    known: FxHashMap<Shape, u16>,
    /// There are no others, and will be none.
    all: bool,
}

impl<'a> Packer<'a> {
    pub fn new(shapes: &'a Shapes) -> Packer<'a> {
        Packer { shapes, last: None, known: FxHashMap::default(), all: false }
    }

    /// Packs an id. The same id is always packed the same way. One that has no shape goes to `unshaped`.
    #[inline]
    pub fn pack(&mut self, id: &[u8], unshaped: &mut Vec<u8>) -> ContractId {
        let shaped = Shape::of(id).and_then(|(shape, number)| Some((self.number(shape)?, number)));
        if let Some((shape, number)) = shaped {
            return ContractId((u64::from(shape) + 1) << NUMBER_BITS | number);
        }
        let at = unshaped.len();
        let length = u16::try_from(id.len()).expect("a longer id is refused");
        unshaped.extend_from_slice(&length.to_le_bytes());
        unshaped.extend_from_slice(id);
        ContractId(at as u64)
    }

    #[inline]
    fn number(&mut self, shape: Shape) -> Option<u16> {
        if let Some((_, number)) = self.last.filter(|(last, _)| *last == shape) {
            return Some(number);
        }
        let number = self.known.get(&shape).copied();
        let number = if number.is_none() && !self.all { self.meet(shape) } else { number };
        self.last = number.map(|number| (shape, number)).or(self.last);
        number
    }

    /// A shape that this thread does not know yet.
    #[cold]
    fn meet(&mut self, shape: Shape) -> Option<u16> {
        let mut all = self.shapes.0.lock().expect("no panic holds it");
        let next = all.list.len();
        let number = all.numbers.get(&shape).copied();
        if number.is_none() && next == MOST_SHAPES {
            self.known.clone_from(&all.numbers);
            self.all = true;
            return None;
        }
        let number = number.unwrap_or_else(|| {
            all.list.push(shape);
            all.numbers.insert(shape, next as u16);
            next as u16
        });
        self.known.insert(shape, number);
        Some(number)
    }
}

/// What contract ids stand for.
#[derive(Default)]
pub struct Contracts {
    shapes: Vec<Shape>,
    /// Ids without a shape, each behind its length.
    unshaped: Vec<u8>,
}

/// Moves the ids of some that stand in a list of their own to where that list goes in a longer one.
pub fn moved(id: ContractId, by: usize) -> ContractId {
    if id.shape().is_some() { id } else { ContractId(id.0 + by as u64) }
}

impl Contracts {
    /// Has `with` look at the bytes of an id.
    pub fn with<T>(&self, id: ContractId, with: impl FnOnce(&[u8]) -> T) -> T {
        let mut room = [0; LONGEST];
        with(self.bytes(id, &mut room))
    }

    fn bytes<'b>(&'b self, id: ContractId, room: &'b mut [u8; LONGEST]) -> &'b [u8] {
        if let Some(shape) = id.shape() {
            let length = self.shapes[shape].id(id.0 & NUMBER, room);
            return &room[..length];
        }
        let start = id.0 as usize + 2;
        let length = u16::from_le_bytes([self.unshaped[start - 2], self.unshaped[start - 1]]);
        &self.unshaped[start..start + usize::from(length)]
    }

    pub fn text(&self, id: ContractId) -> String {
        self.with(id, |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The order of the ids' bytes.
    pub fn compare(&self, a: ContractId, b: ContractId) -> Ordering {
        match (a.shape(), b.shape()) {
            // Their digits stand at the same places.
            (Some(one), Some(other)) if one == other => a.0.cmp(&b.0),
            _ => self.with(a, |a| self.with(b, |b| a.cmp(b))),
        }
    }

    /// The hash of an id, the same as of its bytes anywhere.
    pub fn hash(&self, id: ContractId) -> u64 {
        self.with(id, id_hash)
    }

    /// A number that spreads evenly, the same of the same ids, and seldom of others.
    #[inline]
    pub fn spread(&self, id: ContractId) -> u64 {
        let spread = (id.0 ^ id.0 >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if id.shape().is_some() { spread ^ spread >> 29 } else { self.hash(id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(ids: &[&str]) -> (Vec<ContractId>, Contracts) {
        let (shapes, mut unshaped) = (Shapes::default(), Vec::new());
        let mut packer = Packer::new(&shapes);
        let all = ids.iter().map(|id| packer.pack(id.as_bytes(), &mut unshaped)).collect();
        (all, shapes.contracts(unshaped))
    }

    const IDS: [&str; 18] = [
        "C000000001",
        "C000000002",
        "C1",
        "C01",
        "1",
        "",
        "HT-2020-A17/0009",
        "HT-2020-A18/0009",
        "HT-2021-A17/0008",
        "650102202001010000000001",
        "650102202001010000000002",
        "650103202001010000000001",
        "签约第12号",
        "签约第13号",
        "no digits",
        "0123456789012345678901234567890x",
        "0123456789012345678901234567890xy",
        "a very long one that is longer than any shape 1",
    ];

    #[test]
    fn ids_come_back_as_they_were_and_in_their_order() {
        let (all, contracts) = packed(&IDS);
        for (id, text) in all.iter().zip(IDS) {
            assert_eq!(contracts.text(*id), text);
            assert_eq!(contracts.hash(*id), id_hash(text.as_bytes()));
            assert_eq!(id.shape().is_some(), text.len() <= LONGEST, "{text}");
            for (other, of) in all.iter().zip(IDS) {
                assert_eq!(contracts.compare(*id, *other), text.as_bytes().cmp(of.as_bytes()), "{text} {of}");
                assert_eq!(contracts.spread(*id) == contracts.spread(*other), text == of, "{text} {of}");
            }
        }
        // Four shapes: two of them with earlier digits than the number has.
        assert_eq!(all[0].shape(), all[1].shape());
        assert_eq!(all[6].shape(), all[8].shape());
        assert_eq!(all[9].shape(), all[10].shape());
        assert_ne!(all[9].shape(), all[11].shape());
        assert_eq!(all[12].shape(), all[13].shape());
    }

    #[test]
    fn the_same_id_is_packed_the_same_way_though_there_are_more_shapes_than_numbers() {
        let shapes = Shapes::default();
        // As many letters as a number has bits: each is a shape of its own.
        let id = |number: usize| {
            let letter = |bit: usize| if number >> bit & 1 == 1 { 'x' } else { 'o' };
            (0..13).map(letter).chain(number.to_string().chars()).collect::<String>()
        };
        let (mut one, mut other) = (Packer::new(&shapes), Packer::new(&shapes));
        let (mut unshaped, mut apart) = (Vec::new(), Vec::new());
        // The other meets some early, and the rest when all numbers are given.
        let early: Vec<ContractId> =
            (0..10).map(|number| other.pack(id(number).as_bytes(), &mut apart)).collect();
        let all: Vec<ContractId> =
            (0..6_000).map(|number| one.pack(id(number).as_bytes(), &mut unshaped)).collect();
        assert_eq!(all[..10], early);
        let again: Vec<ContractId> =
            (0..6_000).map(|number| other.pack(id(number).as_bytes(), &mut apart)).collect();
        let shaped = all.iter().filter(|id| id.shape().is_some()).count();
        assert!((MOST_SHAPES..6_000).contains(&shaped), "{shaped}");
        assert_eq!(all, again);
        let behind = unshaped.len();
        unshaped.extend_from_slice(&apart);
        let contracts = shapes.contracts(unshaped);
        for (number, (one, other)) in all.iter().zip(again).enumerate() {
            assert_eq!(contracts.text(*one), id(number));
            assert_eq!(contracts.text(moved(other, behind)), id(number));
            assert_eq!(contracts.spread(*one), contracts.spread(moved(other, behind)));
            assert_eq!(contracts.compare(*one, moved(other, behind)), Ordering::Equal);
        }
    }
}
