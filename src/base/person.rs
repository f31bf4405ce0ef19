//! ID numbers (公民身份号码, GB 11643) and how they are shown.

use super::period::Date;

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
    /// Reads 18 digits (the last may be X or x), or the 15 of the first generation, which are
    /// read as their 18-digit form (born in 19xx).
    pub fn parse(text: &[u8]) -> Result<PersonId, IdFault> {
        PersonId::parse_with_birth(text).map(|(person, _)| person)
    }

    /// [`PersonId::parse`], and the day of birth that it finds on the way.
    pub fn parse_with_birth(text: &[u8]) -> Result<(PersonId, Date), IdFault> {
        let mut digits = [0u8; 17];
        match text.len() {
            18 => digits.copy_from_slice(&text[..17]),
            15 => {
                digits[..6].copy_from_slice(&text[..6]);
                digits[6..8].copy_from_slice(b"19");
                digits[8..].copy_from_slice(&text[6..]);
            }
            length => return Err(wrong_length(text, length)),
        }
        let mut sum = 0u32;
        let mut greatest = 0u8;
        for (digit, weight) in digits.iter_mut().zip(WEIGHTS) {
            *digit = digit.wrapping_sub(b'0');
            greatest = greatest.max(*digit);
            sum += u32::from(*digit) * weight;
        }
        let check = text.get(17);
        if greatest > 9 || check.is_some_and(|last| !(last.is_ascii_digit() || last.eq_ignore_ascii_case(&b'X'))) {
            return Err(IdFault::NotDigits);
        }
        let number = |part: &[u8]| part.iter().fold(0u32, |sum, digit| sum * 10 + u32::from(*digit));
        let (area, day, order) = (number(&digits[..6]), number(&digits[6..14]), number(&digits[14..]));
        let person = PersonId(u64::from(area) * 100_000_000_000 + u64::from(day) * 1_000 + u64::from(order));
        let birth = birth_of(day).ok_or(IdFault::BirthDate)?;
        let wanted = CHECKS[(sum % 11) as usize];
        if check.is_some_and(|last| last.to_ascii_uppercase() != wanted) {
            return Err(IdFault::CheckDigit(char::from(wanted)));
        }
        Ok((person, birth))
    }

    pub fn birth(self) -> Date {
        birth_of((self.0 / 1_000 % 100_000_000) as u32).expect("parse lets only real birth dates pass")
    }

    /// All 18 characters. For the ledger and for comparing; outputs use [`mask`].
    pub fn full(self) -> String {
        let digits = format!("{:017}", self.0);
        let sum: u32 =
            digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        digits + &char::from(CHECKS[(sum % 11) as usize]).to_string()
    }

    pub fn masked(self) -> String {
        mask(&self.full())
    }
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

/// The first 6 and the last 4 characters, the rest as `*`; all of them if there are ten or fewer.
pub fn mask(text: &str) -> String {
    let length = text.chars().count();
    let hidden = |at: usize| length <= 10 || (at >= 6 && at + 4 < length);
    text.chars().enumerate().map(|(at, c)| if hidden(at) { '*' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn only_the_ends_are_shown() {
        assert_eq!(mask(GOOD), "999901********0017");
        assert_eq!(mask("1234567890"), "**********");
        assert_eq!(mask("12345678901"), "123456*8901");
    }
}
