//! Amounts and counts of the usual shapes, read without asking byte after byte: which shape a cell has changes from row
//! to row, and a branch for each would mostly be guessed wrong.

use crate::base::digits::{are_digits, number, pairs};
use crate::base::money::Fen;

/// A cell of up to sixteen bytes: each less `0`, the last at the end, zeros before the first.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    values: [u64; 2],
    length: usize,
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
/// A point, less `0`.
const POINT: u64 = 0x2E ^ 0x30;

impl Digits {
    /// The `length` bytes from `start`; nothing of a longer cell.
    #[inline(always)]
    pub fn at(bytes: &[u8], start: usize, length: usize) -> Option<Digits> {
        const MASKS: [[u64; 2]; 17] = masks();
        let mask = MASKS.get(length)?;
        // Always sixteen are taken, whatever stands before the cell.
        let words = match bytes.get(..start + length)?.as_rchunks::<8>().1 {
            [.., first, last] => [u64::from_le_bytes(*first), u64::from_le_bytes(*last)],
            _ => first_words(&bytes[..start + length]),
        };
        Some(Digits { values: [0, 1].map(|at| (words[at] ^ ZEROS) & mask[at]), length })
    }

    pub fn is_empty(self) -> bool {
        self.length == 0
    }

    /// A number of up to eight digits, and 0 where there is none; nothing of others.
    #[inline(always)]
    pub fn whole(self) -> Option<u64> {
        let [_, last] = self.values;
        let right = (self.length <= 8) & are_digits(last);
        right.then(|| number(pairs(last)))
    }

    /// Up to nine digits, or at least one of these and two decimals, and 0 where there is nothing; nothing of others.
    #[inline(always)]
    pub fn amount(self) -> Option<Fen> {
        let [first, last] = self.values;
        let point = u64::from(last >> 40 & 0xFF == POINT);
        // What stands before the point, a byte further to the end.
        let closed = [first << 8, first >> 56 | last << 8 & 0xFFFF_FFFF_FFFF | last & 0xFFFF << 48];
        let either = |open: u64, closed: u64| open ^ (open ^ closed) & point.wrapping_neg();
        let (first, last) = (either(first, closed[0]), either(last, closed[1]));
        let (unit, least, most) = (100 - 99 * point, 4 * point, 9 + 3 * point);
        let length = self.length as u64;
        let right = (least <= length) & (length <= most) & are_digits(first) & are_digits(last);
        let sum = number(pairs(first)) * 100_000_000 + number(pairs(last));
        right.then(|| Fen((sum * unit).cast_signed()))
    }
}

/// By length: which bits of two numbers are bytes of a cell that ends where they end.
const fn masks() -> [[u64; 2]; 17] {
    let mut masks = [[0; 2]; 17];
    let mut length = 1;
    while length < 17 {
        let byte = 16 - length;
        masks[length] = masks[length - 1];
        masks[length][byte / 8] |= 0xFF << (8 * (byte % 8));
        length += 1;
    }
    masks
}

/// The last sixteen bytes of fewer than so many.
#[cold]
#[inline(never)]
fn first_words(bytes: &[u8]) -> [u64; 2] {
    let mut words = [[0; 8]; 2];
    let all = words.as_flattened_mut();
    all[16 - bytes.len()..].copy_from_slice(bytes);
    words.map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::cells::{amount, whole};

    fn of(text: &str) -> Option<Digits> {
        Digits::at(text.as_bytes(), 0, text.len())
    }

    #[test]
    fn what_is_read_quickly_is_what_is_read_at_length() {
        // Every cell of up to five of these, alone and behind something else.
        const BYTES: &[u8] = b"0179.,-: ";
        let mut cells = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let end = cells.len();
            for at in from..end {
                let cell = cells[at].clone();
                cells.extend(BYTES.iter().map(|byte| format!("{cell}{}", char::from(*byte))));
            }
            from = end;
        }
        let long = [
            "123456789",
            "1234567890",
            "123456789.01",
            "1234567890.01",
            "000000001.50",
            "12345678",
            "99999999",
            "0000000000000001",
            "00000000000001.00",
            "1234567.8.01",
            "12345.67.01",
            "十二",
            "12.0/",
            "1/.00",
            "x12345678",
            "-12345678",
            "123x456789.01",
            " 12345678.00",
        ];
        cells.extend(long.map(str::to_string));
        let (mut amounts, mut counts) = (0, 0);
        for cell in cells.iter().filter(|cell| !cell.is_empty()) {
            let behind = format!("2020-01-03,{cell},7");
            for digits in [of(cell), Digits::at(behind.as_bytes(), 11, cell.len())] {
                let (fen, count) = (digits.and_then(Digits::amount), digits.and_then(Digits::whole));
                assert!(fen.is_none_or(|fen| amount(cell) == Ok(fen)), "{cell}: {fen:?}");
                assert!(count.is_none_or(|count| whole(cell) == Ok(count)), "{cell}: {count:?}");
                amounts += usize::from(fen.is_some());
                counts += usize::from(count.is_some());
            }
        }
        // Of four digits and a point: all numbers of one to five digits, and `d.dd`, `dd.dd`.
        assert_eq!(counts, 2 * (4 + 16 + 64 + 256 + 1024 + 2));
        assert_eq!(amounts, 2 * (4 + 16 + 64 + 256 + 1024 + 64 + 256 + 5));
    }

    #[test]
    fn the_usual_shapes_are_read() {
        let fen = |text| of(text).and_then(Digits::amount).map(|fen| fen.0);
        assert_eq!(["0", "0.00", "12", "18.49", "336.28"].map(fen), [0, 0, 1_200, 1_849, 33_628].map(Some));
        assert_eq!(["999999999.99", "999999999"].map(fen), [99_999_999_999, 99_999_999_900].map(Some));
        assert_eq!(["1.5", ".50", "-1.00", "1,234.50", "1234567890", "15元"].map(fen), [None; 6]);
        assert_eq!(of("20").and_then(Digits::whole), Some(20));
        let nothing = of("").expect("short");
        assert!(nothing.is_empty() && nothing.amount() == Some(Fen::ZERO) && nothing.whole() == Some(0));
        assert!(of("12345678901234567").is_none());
    }
}
