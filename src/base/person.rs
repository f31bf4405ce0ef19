//! ID numbers (公民身份号码, GB 11643) and how they are shown.

use std::fmt::Write;

use super::digits::{are_digits, number, pairs};
use super::period::{Date, Rank};

/// A valid ID number: its first 17 digits as a number. The 18th follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub u64);

/// Why a text is no ID number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFault {
    Length(usize),
    NotDigits,
    BirthDate,
    /// The check character that the other 17 digits ask for.
    CheckDigit(char),
    /// `3.30E+17`: a spreadsheet took it for a number and dropped its last digits.
    SpreadsheetNumber,
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECKS: [u8; 11] = *b"10X98765432";

impl PersonId {
    /// So many bits hold any.
    pub const BITS: u32 = 57;

    /// Reads 18 digits (the last may be X or x), or the 15 of the first generation, which are
    /// read as their 18-digit form (born in 19xx).
    pub fn parse(text: &[u8]) -> Result<PersonId, IdFault> {
        PersonId::parse_with_birth(text).map(|(person, _)| person)
    }

    /// [`PersonId::parse`], and the day of birth that it finds on the way.
    pub fn parse_with_birth(text: &[u8]) -> Result<(PersonId, Date), IdFault> {
        if let Some((digits, [check])) = text.split_first_chunk::<17>() {
            return of_digits(digits, Some(*check));
        }
        let [area @ .., _, _, _, _, _, _, _, _, _] = text else {
            return Err(wrong_length(text, text.len()));
        };
        match <[u8; 17]>::try_from([area, b"19", &text[area.len()..]].concat()) {
            Ok(digits) => of_digits(&digits, None),
            Err(_) => Err(wrong_length(text, text.len())),
        }
    }

    /// An ID number in the shape that nearly all have, and the day of birth; nothing of others, be they
    /// ID numbers or not.
    #[inline(always)]
    pub fn usual(text: &[u8]) -> Option<(PersonId, Rank)> {
        let (digits, check) = text.split_first_chunk::<17>()?;
        let [check] = check else { return None };
        let parts = Parts::of(digits)?;
        let right = *check == CHECKS[(parts.weighted % 11) as usize];
        let birth = Rank::real(parts.year, parts.month, parts.day)?;
        (right & (parts.year >= 1800)).then_some((PersonId(parts.number), birth))
    }

    /// The person of these 17 digits, where they hold a real day of birth.
    pub fn of_number(digits: u64) -> Option<PersonId> {
        birth_of((digits / 1_000 % 100_000_000) as u32).map(|_| PersonId(digits))
    }

    pub fn birth(self) -> Date {
        birth_of((self.0 / 1_000 % 100_000_000) as u32).expect("parse lets only real birth dates pass")
    }

    /// All 18 characters. For the ledger and for comparing; outputs use [`mask`].
    pub fn full(self) -> String {
        let mut full = String::with_capacity(18);
        write!(full, "{:017}", self.0).expect("a string takes all");
        let sum: u32 =
            full.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        full.push(char::from(CHECKS[(sum % 11) as usize]));
        full
    }

    /// [`mask`] of all 18 characters.
    pub fn masked(self) -> String {
        let mut text = self.full();
        text.replace_range(6..14, "********");
        text
    }
}

/// What the first 17 digits say, not checked.
struct Parts {
    number: u64,
    year: u32,
    month: u32,
    day: u32,
    /// Their weighted sum, which the last character follows from.
    weighted: u32,
}

impl Parts {
    /// Nothing of what is not all digits.
    #[inline(always)]
    fn of(digits: &[u8; 17]) -> Option<Parts> {
        let (first, second) = (eight(digits, 0), eight(digits, 8));
        let last = digits[16].wrapping_sub(b'0');
        if !(are_digits(first) & are_digits(second) & (last <= 9)) {
            return None;
        }
        let weighted = weighted(first, &WEIGHTS[..8])
            + weighted(second, &WEIGHTS[8..16])
            + u32::from(last) * WEIGHTS[16];
        // 6 digits of the area, 8 of the day of birth, 3 that count.
        let (first, second) = (pairs(first), pairs(second));
        let pair = |pairs: u64, at: u32| (pairs >> (16 * at) & 0xFF) as u32;
        Some(Parts {
            number: number(first) * 1_000_000_000 + number(second) * 10 + u64::from(last),
            year: pair(first, 3) * 100 + pair(second, 0),
            month: pair(second, 1),
            day: pair(second, 2),
            weighted,
        })
    }
}

/// The first 17 digits, and the 18th character where there is one.
fn of_digits(digits: &[u8; 17], check: Option<u8>) -> Result<(PersonId, Date), IdFault> {
    let may_check = |byte: u8| byte.is_ascii_digit() || byte.eq_ignore_ascii_case(&b'X');
    let parts = Parts::of(digits).filter(|_| check.is_none_or(may_check)).ok_or(IdFault::NotDigits)?;
    let birth = Rank::real(parts.year, parts.month, parts.day).filter(|_| parts.year >= 1800);
    let birth = birth.ok_or(IdFault::BirthDate)?;
    let wanted = CHECKS[(parts.weighted % 11) as usize];
    if check.is_some_and(|last| last.to_ascii_uppercase() != wanted) {
        return Err(IdFault::CheckDigit(char::from(wanted)));
    }
    Ok((PersonId(parts.number), birth.date()))
}

/// Eight characters as the bytes of a number, less those of "00000000".
#[inline(always)]
fn eight(digits: &[u8; 17], from: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&digits[from..from + 8]);
    u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030
}

/// The sum of eight digits, each times its weight: four at a time, the products of one multiplication
/// meeting in its upper sixteen bits.
#[inline(always)]
fn weighted(eight: u64, weights: &[u32]) -> u32 {
    let of = |digits: u64, first: usize| {
        let weight = |at: usize| u64::from(weights[at]);
        let factor =
            weight(first) << 48 | weight(first + 2) << 32 | weight(first + 4) << 16 | weight(first + 6);
        (digits.wrapping_mul(factor) >> 48) as u32
    };
    of(eight & 0x00FF_00FF_00FF_00FF, 0) + of(eight >> 8 & 0x00FF_00FF_00FF_00FF, 1)
}

/// The day of eight digits, from 1800 on.
fn birth_of(digits: u32) -> Option<Date> {
    let (year, month, day) = ((digits / 10_000) as i16, (digits / 100 % 100) as i8, (digits % 100) as i8);
    Date::new(year, month, day).ok().filter(|_| year >= 1800)
}

fn wrong_length(text: &[u8], length: usize) -> IdFault {
    let of_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'e' | b'E' | b'.' | b'+');
    let number = text.iter().any(|byte| matches!(byte, b'e' | b'E')) && text.iter().all(of_number);
    let characters = text.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    if number { IdFault::SpreadsheetNumber } else { IdFault::Length(characters.min(length)) }
}

/// Whether an id holds a whole ID number of somebody who may live, or is one.
pub fn holds_person(id: &str) -> bool {
    let born = |birth: Date| (1880..2100).contains(&birth.year());
    id.as_bytes().windows(18).any(|part| PersonId::parse_with_birth(part).is_ok_and(|(_, birth)| born(birth)))
}

/// Masks whatever has the shape of an 18-character ID number within an id, whether its check digit fits
/// or not: some systems build contract numbers on them.
pub fn mask_within(id: &str) -> String {
    // No id has blanks in it, nor is a number with an exponent, but an ID number may have been written so.
    if id.contains([' ', '+']) {
        return hide_numbers(id);
    }
    let mut out = id.to_string();
    let digit = |byte: &u8| byte.is_ascii_digit() || byte.eq_ignore_ascii_case(&b'X');
    for at in 0..id.len().saturating_sub(17) {
        let part = &id.as_bytes()[at..at + 18];
        let shaped = part[..17].iter().all(u8::is_ascii_digit) && digit(&part[17]);
        let born = || part[6..14].iter().fold(0, |day, byte| day * 10 + u32::from(byte - b'0'));
        if shaped && birth_of(born()).is_some_and(|day| (1880..2100).contains(&day.year())) {
            out.replace_range(at + 6..at + 14, "********");
        }
    }
    out
}

/// Masks whatever could be an ID number in a sentence.
pub fn hide_numbers(text: impl Into<String>) -> String {
    let text = text.into();
    // `9.99901195503010E+17` has a sign that hardly any other text has.
    if text.bytes().any(|byte| byte == b'+') {
        return hide_runs(hide_exponents(&text));
    }
    hide_runs(text)
}

/// Masks an ID number that a spreadsheet took for a number, but for the digits of its area: it shows up to fifteen.
fn hide_exponents(text: &str) -> String {
    let mut out = text.to_string();
    for (at, _) in text.match_indices(['E', 'e']) {
        let (before, after) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
        let [b'+', tens @ b'1'..=b'9', ones @ b'0'..=b'9', rest @ ..] = after else { continue };
        if (*tens, *ones) < (b'1', b'4') {
            continue;
        }
        let digits = before.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
        let from = at - digits + "9.99901".len();
        if from < at && !rest.first().is_some_and(u8::is_ascii_digit) {
            out.replace_range(from..at, &"*".repeat(at - from));
        }
    }
    out
}

/// Masks runs of 15 or more digits, full-width ones too, with blanks or hyphens between them or not.
fn hide_runs(text: String) -> String {
    // Full-width digits start with the byte EF, as some marks do.
    let may_be_digit = |byte: &u8| byte.is_ascii_digit() | (*byte == 0xEF);
    if text.bytes().filter(may_be_digit).count() < 15 {
        return text;
    }
    let is_digit = |c: char| c.is_ascii_digit() || ('\u{FF10}'..='\u{FF19}').contains(&c);
    let mut out = String::with_capacity(text.len());
    let (mut run, mut digits) = (String::new(), 0);
    let end_run = |run: &mut String, digits: &mut usize, out: &mut String| {
        let tail = run.trim_end_matches([' ', '-']).len();
        let rest = run.split_off(tail);
        *out += &if *digits >= 15 { mask(run) } else { run.clone() };
        *out += &rest;
        run.clear();
        *digits = 0;
    };
    for c in text.chars() {
        let inside = !run.is_empty() && matches!(c, ' ' | '-' | 'x' | 'X' | 'Ｘ');
        if is_digit(c) || inside {
            run.push(c);
            digits += usize::from(is_digit(c));
        } else {
            end_run(&mut run, &mut digits, &mut out);
            out.push(c);
        }
    }
    end_run(&mut run, &mut digits, &mut out);
    out
}

/// The first 6 and the last 4 characters, the rest as `*`; all of them if there are ten or fewer.
pub fn mask(text: &str) -> String {
    let length = text.chars().count();
    let hidden = |at: usize| length <= 10 || (at >= 6 && at + 4 < length);
    text.chars().enumerate().map(|(at, c)| if hidden(at) { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_digits_at_once_are_what_one_by_one_gives() {
        let mut x = 1u64;
        for _ in 0..10_000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let digits = format!("{:017}", x % 100_000_000_000_000_000);
            let array: [u8; 17] = digits.as_bytes().try_into().expect("17 digits");
            assert_eq!(
                number(pairs(eight(&array, 0))).to_string(),
                digits[..8].trim_start_matches('0').to_string()
            );
            let slow = |part: &str, weights: &[u32]| -> u32 {
                part.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum()
            };
            assert_eq!(weighted(eight(&array, 8), &WEIGHTS[8..16]), slow(&digits[8..16], &WEIGHTS[8..16]));
        }
        for byte in 0..=255u8 {
            let mut array = *b"00000000000000000";
            array[3] = byte;
            assert_eq!(are_digits(eight(&array, 0)), byte.is_ascii_digit());
        }
    }

    // Area code 999901 is assigned to nobody.
    const GOOD: &str = "999901195503010017";

    #[test]
    fn the_check_digit_decides() {
        let good = PersonId(99_990_119_550_301_001).full();
        assert_eq!(good.len(), 18);
        for last in "0123456789X".chars() {
            let text = format!("{}{last}", &good[..17]);
            assert_eq!(PersonId::parse(text.as_bytes()).is_ok(), text == good, "{text}");
        }
        assert_eq!(GOOD[..17], good[..17]);
    }

    #[test]
    fn fifteen_digits_are_their_eighteen() {
        let old = PersonId::parse(b"999901550301001").expect("valid");
        assert_eq!(old, PersonId(99_990_119_550_301_001));
        assert_eq!(old.birth().to_string(), "1955-03-01");
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(PersonId::parse(b"123"), Err(IdFault::Length(3)));
        assert_eq!(PersonId::parse(b"9.99901E+17"), Err(IdFault::SpreadsheetNumber));
        assert_eq!(PersonId::parse(b"99990119550230001X"), Err(IdFault::BirthDate));
        assert_eq!(PersonId::parse(b"9999011955030100A7"), Err(IdFault::NotDigits));
        assert_eq!(PersonId::parse(b"99990119550301001A"), Err(IdFault::NotDigits));
    }

    #[test]
    fn an_id_number_inside_an_id_is_masked_and_a_long_number_is_not() {
        let person = PersonId(99_990_119_550_301_001).full();
        assert_eq!(mask_within(&person), mask(&person));
        assert!(holds_person(&person) && holds_person(&format!("D{person}-1")));
        assert!(!holds_person("99990119550301001") && !holds_person("999901195503010029"));
        assert_eq!(mask_within(&format!("XY{person}-1")), format!("XY{}-1", mask(&person)));
        assert_eq!(mask_within("202099990000000123"), "202099990000000123");
        assert_eq!(mask_within("99990119550301002a"), "99990119550301002a");
        assert_eq!(mask_within("999901195503010029"), "999901********0029");
        assert_eq!(mask_within("协议-12"), "协议-12");
        assert_eq!(mask_within("9.99901195503010E+17"), "9.99901*********E+17");
    }

    #[test]
    fn sentences_show_no_id_number_in_any_dress() {
        for text in [
            "999901195503010029",
            "999901550301002",
            "999901 19550301 0029",
            "９９９９０１１９５５０３０１００２Ｘ",
        ] {
            let hidden = hide_numbers(format!("机构 `{text}` 不在"));
            assert!(hidden.contains("****") && !hidden.contains(text), "{hidden}");
        }
        for (text, hidden) in [
            ("9.99901195503010E+17", "9.99901*********E+17"),
            ("1.5e+12, 9.9990155030100e+14", "1.5e+12, 9.99901********e+14"),
            ("9.99901E+17 1.5E+17 E+17", "9.99901E+17 1.5E+17 E+17"),
            ("＝9.999011955030E+17", "＝9.99901*******E+17"),
            ("9.99901195503010E+19", "9.99901*********E+19"),
            ("9.99901195503010E+16%", "9.99901*********E+16%"),
        ] {
            assert_eq!(hide_numbers(text), hidden);
        }
        for text in ["2020-01-03 08:30:05", "H65010200001", "XY-2020-000123", "1,234.50", "12345678901234"] {
            assert_eq!(hide_numbers(text), text);
        }
    }

    #[test]
    fn only_the_ends_are_shown() {
        assert_eq!(mask(GOOD), "999901********0017");
        assert_eq!(mask("1234567890"), "**********");
        assert_eq!(mask("12345678901"), "123456*8901");
    }
}
