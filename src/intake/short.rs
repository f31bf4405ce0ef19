//! Byte strings of up to 16 bytes as two numbers: most ids are, and so they are compared and hashed
//! without a loop.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// A byte string of up to 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Short {
    /// The two overlap where it has not 16 bytes, and together hold all of them.
    first: u64,
    last: u64,
    length: u8,
}

impl Short {
    /// Nothing of a longer one.
    #[inline(always)]
    pub fn new(bytes: &[u8]) -> Option<Short> {
        let (first, last) = match bytes.len() {
            8..=16 => (u64::from_le_bytes(*bytes.first_chunk()?), u64::from_le_bytes(*bytes.last_chunk()?)),
            4..8 => {
                let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
                (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)))
            }
            0 => (0, 0),
            1..4 => {
                let at = |place: usize| u64::from(bytes[place]);
                (at(0) << 8 | at(bytes.len() / 2), at(bytes.len() - 1))
            }
            _ => return None,
        };
        Some(Short { first, last, length: bytes.len() as u8 })
    }

    pub fn is_ascii(self) -> bool {
        (self.first | self.last) & 0x8080_8080_8080_8080 == 0
    }
}

/// A 64-bit hash of an id of any length.
#[inline]
pub fn id_hash(id: &[u8]) -> u64 {
    let Some(Short { first, last, length }) = Short::new(id) else {
        let mut hasher = FxHasher::default();
        hasher.write(id);
        return hasher.finish();
    };
    let product = u128::from(first ^ 0x9E37_79B9_7F4A_7C15)
        * u128::from(last ^ 0xD1B5_4A32_D192_ED03 ^ u64::from(length) << 56);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_told_apart_whatever_their_lengths() {
        let text = "aaaaaaaabaaaaaaaa";
        let mut all: Vec<&[u8]> = Vec::new();
        for from in 0..text.len() {
            for to in from..=text.len().min(from + 16) {
                all.push(&text.as_bytes()[from..to]);
            }
        }
        for a in &all {
            for b in &all {
                assert_eq!(Short::new(a) == Short::new(b), a == b, "{a:?} {b:?}");
            }
        }
        assert_eq!(Short::new(text.as_bytes()), None);
        for (text, ascii) in [("", true), ("a1", true), ("é", false), ("1234567é", false), ("村123", false)]
        {
            assert_eq!(Short::new(text.as_bytes()).map(Short::is_ascii), Some(ascii), "{text}");
        }
    }

    #[test]
    fn hashes_of_numbered_ids_are_spread_in_all_their_bits() {
        let mut counts = [[0u32; 16]; 16];
        for number in 0..16_000 {
            let hash = id_hash(format!("S{number:010}").as_bytes());
            for (at, counts) in counts.iter_mut().enumerate() {
                counts[(hash >> (4 * at) & 15) as usize] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
