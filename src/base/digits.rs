//! Eight digits at a time, as the bytes of a number: the first digit in its lowest byte.

/// Whether eight bytes, less those of "00000000", are all digits.
#[inline(always)]
pub fn are_digits(eight: u64) -> bool {
    // 0x76 lifts 10 and more over 0x7F, and 9 not.
    (eight.wrapping_add(0x7676_7676_7676_7676) | eight) & 0x8080_8080_8080_8080 == 0
}

/// The numbers that eight digits write two by two, sixteen bits each.
#[inline(always)]
pub fn pairs(eight: u64) -> u64 {
    eight.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF
}

/// The number that four pairs of digits write: fours, then all.
#[inline(always)]
pub fn number(pairs: u64) -> u64 {
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}
