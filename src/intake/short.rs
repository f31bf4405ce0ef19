//! Short byte strings as a few numbers, which are compared and hashed without a loop: most ids have up
//! to 16 bytes, most words up to 32.

use std::hash::Hasher;

use rustc_hash::FxHasher;

/// A byte string of up to 16 bytes, zeros behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Short {
    words: [u64; 2],
    length: u8,
}

impl PartialEq for Short {
    #[inline(always)]
    fn eq(&self, other: &Short) -> bool {
        same((self.words, self.length), (other.words, other.length))
    }
}

impl Eq for Short {}

/// Whether two strings are the same, number by number: as one run of bytes they would be compared from memory, where
/// the one that was just taken apart has yet to arrive.
#[inline(always)]
fn same<const WORDS: usize>(one: ([u64; WORDS], u8), other: ([u64; WORDS], u8)) -> bool {
    let differ = |at: usize| one.0[at] ^ other.0[at];
    (0..WORDS).fold(u64::from(one.1 ^ other.1), |all, at| all | differ(at)) == 0
}

impl Short {
    /// Nothing of a longer one.
    pub fn new(bytes: &[u8]) -> Option<Short> {
        Short::at(bytes, 0, bytes.len())
    }

    /// The `length` bytes from `start`.
    #[inline(always)]
    pub fn at(bytes: &[u8], start: usize, length: usize) -> Option<Short> {
        const MASKS: [[u64; 2]; 17] = masks();
        Some(Short { words: masked(bytes, start, MASKS.get(length)?), length: length as u8 })
    }

    pub fn is_ascii(self) -> bool {
        (self.words[0] | self.words[1]) & 0x8080_8080_8080_8080 == 0
    }

    /// Whether it is compared as it stands, without being cleaned: nothing but ASCII, and no blank or
    /// wrapping at its ends.
    #[inline(always)]
    pub fn is_plain(self) -> bool {
        let last = usize::from(self.length).wrapping_sub(1);
        let last = (self.words[(last / 8) & 1] >> (8 * (last % 8))) as u8;
        let first = self.words[0] as u8;
        stands_plain(first) & stands_plain(last) & self.is_ascii()
    }

    #[inline(always)]
    pub fn hash(self) -> u64 {
        let [a, b] = self.words;
        let product = u128::from(a ^ 0x9E37_79B9_7F4A_7C15)
            * u128::from(b ^ 0xD1B5_4A32_D192_ED03 ^ u64::from(self.length) << 56);
        product as u64 ^ (product >> 64) as u64
    }
}

/// A 64-bit hash of an id of any length.
#[inline]
pub fn id_hash(id: &[u8]) -> u64 {
    hash_at(id, 0, id.len())
}

/// [`id_hash`] of the `length` bytes from `start`: quicker than of a copy, as more may stand behind them.
#[inline]
pub fn hash_at(bytes: &[u8], start: usize, length: usize) -> u64 {
    Short::at(bytes, start, length).map_or_else(
        || {
            let mut hasher = FxHasher::default();
            hasher.write(&bytes[start..start + length]);
            hasher.finish()
        },
        Short::hash,
    )
}

/// A byte string of up to 32 bytes, zeros behind it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Packed {
    words: [u64; 4],
    length: u8,
}

impl PartialEq for Packed {
    #[inline(always)]
    fn eq(&self, other: &Packed) -> bool {
        same((self.words, self.length), (other.words, other.length))
    }
}

impl Eq for Packed {}

impl Packed {
    /// The `length` bytes from `start`; nothing of a longer string.
    #[inline(always)]
    pub fn at(bytes: &[u8], start: usize, length: usize) -> Option<Packed> {
        const MASKS: [[u64; 4]; 33] = masks();
        Some(Packed { words: masked(bytes, start, MASKS.get(length)?), length: length as u8 })
    }

    /// [`Short::is_plain`].
    #[inline(always)]
    pub fn is_plain(&self) -> bool {
        let last = usize::from(self.length).wrapping_sub(1);
        let last = (self.words[(last / 8) & 3] >> (8 * (last % 8))) as u8;
        let first = self.words[0] as u8;
        stands_plain(first) & stands_plain(last) & self.is_ascii()
    }

    #[inline(always)]
    pub fn is_ascii(&self) -> bool {
        let [a, b, c, d] = self.words;
        (a | b | c | d) & 0x8080_8080_8080_8080 == 0
    }

    /// A few bits of a hash.
    #[inline(always)]
    pub fn hash(&self) -> usize {
        let [a, b, c, d] = self.words;
        let mixed = a ^ b.rotate_left(17) ^ c.rotate_left(31) ^ d.rotate_left(47) ^ u64::from(self.length);
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
    }
}

/// Whether a byte may stand at an end of what is compared as it stands: a letter or digit of ASCII.
#[inline(always)]
fn stands_plain(byte: u8) -> bool {
    const PLAIN: [bool; 256] = {
        let (mut plain, mut byte) = ([false; 256], 0);
        while byte < 128 {
            plain[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        plain
    };
    PLAIN[usize::from(byte)]
}

/// By length: which bits of so many numbers are bytes of a string.
const fn masks<const WORDS: usize, const LENGTHS: usize>() -> [[u64; WORDS]; LENGTHS] {
    let mut masks = [[0; WORDS]; LENGTHS];
    let mut length = 1;
    while length < LENGTHS {
        masks[length] = masks[length - 1];
        masks[length][(length - 1) / 8] |= 0xFF << (8 * ((length - 1) % 8));
        length += 1;
    }
    masks
}

/// The numbers at `start` that are `bytes`, and of them the bits of the mask. Always as many bytes are
/// taken, whatever stands behind the string: a copy of just its own would take a loop.
#[inline(always)]
fn masked<const WORDS: usize>(bytes: &[u8], start: usize, mask: &[u64; WORDS]) -> [u64; WORDS] {
    let words: [u64; WORDS] = match bytes.get(start..start + 8 * WORDS) {
        Some(all) => std::array::from_fn(|at| u64::from_le_bytes(all.as_chunks().0[at])),
        None => last_words(bytes.get(start..).unwrap_or_default()),
    };
    std::array::from_fn(|at| words[at] & mask[at])
}

#[cold]
#[inline(never)]
fn last_words<const WORDS: usize>(rest: &[u8]) -> [u64; WORDS] {
    let mut words = [[0; 8]; WORDS];
    let rest = &rest[..rest.len().min(8 * WORDS)];
    words.as_flattened_mut()[..rest.len()].copy_from_slice(rest);
    words.map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_packed_string_is_not_of_it() {
        let text = "村卫生室一二三四五六七八九十".as_bytes();
        for length in 0..=text.len() {
            let whole = Packed::at(text, 0, length);
            assert_eq!(whole.is_some(), length <= 32, "{length}");
            let alone = [b"abc", &text[..length]].concat();
            assert_eq!(whole, Packed::at(&alone, 3, length), "{length}");
            let other = [&text[..length], &[0]].concat();
            assert!(length > 31 || whole != Packed::at(&other, 0, length + 1), "{length}");
        }
        assert_eq!(Packed::at(b"ab", 3, 0), Packed::at(b"ab", 0, 0));
    }

    #[test]
    fn plain_is_what_needs_no_cleaning() {
        for (text, plain) in [
            ("C1", true),
            ("XY-2020 000123", true),
            ("", false),
            (" C1", false),
            ("C1\t", false),
            ("'C1", false),
        ] {
            assert_eq!(
                Packed::at(text.as_bytes(), 0, text.len()).map(|id| id.is_plain()),
                Some(plain),
                "{text}"
            );
            assert_eq!(Short::new(text.as_bytes()).map(Short::is_plain), Some(plain), "{text}");
        }
        for length in 1..=32 {
            for at in 0..length {
                let mut text = vec![b'7'; length];
                text[at] = 0xE5;
                assert_eq!(
                    Packed::at(&text, 0, length).map(|id| id.is_plain()),
                    Some(false),
                    "{length} {at}"
                );
            }
        }
    }

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
