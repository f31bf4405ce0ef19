//! One cell → a value. Cleaning first: full-width characters, blanks at the ends, and what
//! Excel wraps around a text (`'…`, `="…"`); then the shapes that SPEC §2 lists and no others.

use std::borrow::Cow;

use crate::base::money::Fen;
use crate::base::period::{Date, Rank};
use crate::base::text::narrow;

use super::encoding::Encoding;

/// The cell's text, cleaned.
pub fn clean(raw: &[u8], encoding: Encoding) -> Cow<'_, str> {
    let plain = |byte: &u8| (0x20..=0x7E).contains(byte);
    let wrapped = matches!(raw.first(), Some(b'\'' | b'=' | b' ')) || raw.last() == Some(&b' ');
    if !wrapped && raw.iter().all(plain) {
        // ASCII is the same in every encoding that reaches here.
        return Cow::Borrowed(std::str::from_utf8(raw).unwrap_or_default());
    }
    // Most Chinese cells are clean as well. What is not has one of these bytes: full-width forms and the
    // BOM start with EF, the ideographic blank with E3, other blanks with C2 and E2.
    let dirty = |byte: &u8| matches!(byte, 0x00..0x20 | 0x7F | 0xC2 | 0xE1 | 0xE2 | 0xE3 | 0xEF);
    if !wrapped
        && encoding != Encoding::Gb18030
        && !raw.iter().any(dirty)
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(clean_text(&encoding.decode(raw)))
}

/// [`clean`] for what is already text.
pub fn clean_text(text: &str) -> String {
    let narrow = narrow(text);
    let mut text = trimmed(&narrow);
    if let Some(inner) = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        text = trimmed(inner);
    }
    text = trimmed(text.strip_prefix('\'').unwrap_or(text));
    text.to_string()
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{FEFF}' || c == '\u{200B}')
}

/// `2020-01-03`, `2020/1/3`, `2020.1.3`, `20200103`, `2020年1月3日`, each also with a time
/// behind it; years 1800–2999, a day that the calendar has.
pub fn date(text: &str) -> Option<Date> {
    date_of(text.as_bytes())
}

/// [`date`] of bytes that may not have been cleaned: what it reads is sure, what it does not may be
/// a date behind blanks or full-width digits.
pub fn date_of(bytes: &[u8]) -> Option<Date> {
    usual_day(bytes).map(Rank::date).or_else(|| any_day(bytes))
}

fn any_day(bytes: &[u8]) -> Option<Date> {
    let year = number(bytes.get(..4)?)?;
    let (month, day, rest) = match bytes.get(4)? {
        separator @ (b'-' | b'/' | b'.') => {
            let (month, rest) = one_or_two(&bytes[5..])?;
            let rest = rest.strip_prefix(&[*separator])?;
            let (day, rest) = one_or_two(rest)?;
            (month, day, rest)
        }
        digit if digit.is_ascii_digit() => {
            (number(bytes.get(4..6)?)?, number(bytes.get(6..8)?)?, &bytes[8..])
        }
        _ => {
            let rest = bytes[4..].strip_prefix("年".as_bytes())?;
            let (month, rest) = one_or_two(rest)?;
            let (day, rest) = one_or_two(rest.strip_prefix("月".as_bytes())?)?;
            let rest = rest.strip_prefix("日".as_bytes())?;
            // Here a time needs no blank before it.
            let clock = [b" ", rest].concat();
            let date = day_of(year, month, day);
            return date.filter(|_| rest.is_empty() || is_time(rest) || is_time(&clock));
        }
    };
    day_of(year, month, day).filter(|_| rest.is_empty() || is_time(rest))
}

fn day_of(year: i16, month: i16, day: i16) -> Option<Date> {
    let real = (1800..=2999).contains(&year);
    real.then(|| Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok())?
}

/// The day of a date in the shape of most exports; nothing of other shapes, be they dates or not.
#[inline(always)]
pub fn usual_day(bytes: &[u8]) -> Option<Rank> {
    full_day(bytes).or_else(|| short_day(bytes))
}

/// The day of `2020/1/3`, `2020/1/3 8:43` or `2020/1/3 8:43:55`, as spreadsheets write it.
#[inline(never)]
fn short_day(bytes: &[u8]) -> Option<Rank> {
    let (year, [separator @ (b'/' | b'-' | b'.'), rest @ ..]) = bytes.split_first_chunk::<4>()? else {
        return None;
    };
    let year = year.iter().try_fold(0, |sum, byte| Some(sum * 10 + digit(*byte)?))?;
    let (month, rest) = small(rest)?;
    let (day, mut rest) = small(rest.strip_prefix(&[*separator])?)?;
    if let [b' ', clock @ ..] = rest {
        let (hour, behind) = small(clock)?;
        let (minute, behind) = small(behind.strip_prefix(b":")?)?;
        let (second, behind) = if let [b':', seconds @ ..] = behind { small(seconds)? } else { (0, behind) };
        if (hour > 23) | (minute > 59) | (second > 59) {
            return None;
        }
        rest = behind;
    }
    let real = rest.is_empty() & (1800..=2999).contains(&year);
    if real { Rank::real(year, month, day) } else { None }
}

#[inline(always)]
fn digit(byte: u8) -> Option<u32> {
    let value = byte.wrapping_sub(b'0');
    (value <= 9).then_some(u32::from(value))
}

/// A number of one or two digits, and what stands behind it.
#[inline(always)]
fn small(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let first = digit(*first)?;
    match rest.split_first().and_then(|(second, rest)| Some((digit(*second)?, rest))) {
        Some((second, rest)) => Some((first * 10 + second, rest)),
        None => Some((first, rest)),
    }
}

/// The day of `2020-01-03` or `2020-01-03 08:30:05`, read eight bytes at a time.
#[inline(always)]
fn full_day(bytes: &[u8]) -> Option<Rank> {
    let (start, rest) = bytes.split_first_chunk::<8>()?;
    let (days, time) = rest.split_first_chunk::<2>()?;
    let start = digits_between(start, b"0000-00-")?;
    let [d1, d2] = days.map(|byte| u32::from(byte.wrapping_sub(b'0')));
    let digit = |at: u32| (start >> (8 * at) & 0xFF) as u32;
    let year = digit(0) * 1000 + digit(1) * 100 + digit(2) * 10 + digit(3);
    let month = digit(5) * 10 + digit(6);
    if (d1 > 9) | (d2 > 9) | !(1800..=2999).contains(&year) | !(time.is_empty() || is_clock(time)) {
        return None;
    }
    Rank::real(year, month, d1 * 10 + d2)
}

/// ` 08:30:05`, a time that a clock has.
#[inline(always)]
fn is_clock(time: &[u8]) -> bool {
    let Ok([b' ' | b'T', clock @ ..]) = <&[u8; 9]>::try_from(time) else { return false };
    let Some(clock) = digits_between(clock, b"00:00:00") else { return false };
    let digit = |at: u32| clock >> (8 * at) & 0xFF;
    (digit(0) * 10 + digit(1) <= 23) & (digit(3) <= 5) & (digit(6) <= 5)
}

/// Where `shape` has a 0 a digit must stand (its value is given), elsewhere the same byte (given as 0).
#[inline(always)]
fn digits_between(bytes: &[u8; 8], shape: &[u8; 8]) -> Option<u64> {
    let shape = u64::from_le_bytes(*shape);
    let values = u64::from_le_bytes(*bytes) ^ shape;
    // 0x76 lifts 10 and more over 0x7F; at a byte that must be the same, 0x7F lifts anything but 0.
    let digit = (shape ^ 0x3030_3030_3030_3030).wrapping_sub(0x0101_0101_0101_0101)
        & !(shape ^ 0x3030_3030_3030_3030);
    let digit = (digit & 0x8080_8080_8080_8080) >> 7;
    let lift = 0x7F7F_7F7F_7F7F_7F7F - digit * 9;
    ((values.wrapping_add(lift) | values) & 0x8080_8080_8080_8080 == 0).then_some(values)
}

fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0i16, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i16::from(byte - b'0')))
}

fn one_or_two(text: &[u8]) -> Option<(i16, &[u8])> {
    let length = text.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    (length > 0).then(|| number(&text[..length]).map(|value| (value, &text[length..])))?
}

/// ` 08:30`, `T08:30:00.000+08:00`, ` 8时30分`, `083000`: a time of day that a clock has.
fn is_time(rest: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(rest) else { return false };
    if matches!(text.len(), 4 | 6) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return in_range(&text[..2], 23)
            && in_range(&text[2..4], 59)
            && in_range(text.get(4..).unwrap_or("0"), 59);
    }
    let Some(text) = text.strip_prefix(['T', ' ']) else { return false };
    let text = text.trim();
    if matches!(text.len(), 4 | 6) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return is_time(text.as_bytes());
    }
    let text = text.replace(['时', '分'], ":").replace('秒', "");
    let text = text.trim_end_matches(':');
    let zone = text.find(['Z', '+']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(zone);
    let zone_ok =
        zone.is_empty() || zone == "Z" || zone.bytes().skip(1).all(|b| b.is_ascii_digit() || b == b':');
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.trim().split(':').collect();
    zone_ok
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=3).contains(&parts.len())
        && parts.iter().zip([23, 59, 59]).all(|(part, most)| in_range(part, most))
}

fn in_range(digits: &str, most: u8) -> bool {
    let short = matches!(digits.len(), 0..=2) && digits.bytes().all(|byte| byte.is_ascii_digit());
    short && !digits.is_empty() && digits.parse::<u8>().is_ok_and(|value| value <= most) || digits == "0"
}

/// Of an amount in fen, so that a province of them adds up: under a billion yuan.
const MOST_DIGITS: usize = 11;

/// Why a number is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    Unreadable,
    Negative,
    Decimals,
    NotWhole,
    /// An amount of a thousand million yuan or more.
    TooLarge,
}

/// `15`, `15.00`, `1,234.50`, `¥15.00`, `15元`.
pub fn amount(text: &str) -> Result<Fen, NumberFault> {
    let text = text.strip_prefix('¥').unwrap_or(text);
    let text = text.strip_suffix('元').unwrap_or(text).trim();
    let (whole, decimals) = plain_number(text)?;
    if decimals.len() > 2 {
        return Err(NumberFault::Decimals);
    }
    let digits = format!("{}{decimals:0<2}", whole.trim_start_matches('0'));
    if digits.len() > MOST_DIGITS {
        return Err(NumberFault::TooLarge);
    }
    digits.parse().map(Fen).map_err(|_| NumberFault::Unreadable)
}

/// A whole number, thousands separators allowed.
pub fn whole(text: &str) -> Result<u64, NumberFault> {
    let (whole, decimals) = plain_number(text)?;
    if decimals.bytes().any(|digit| digit != b'0') {
        return Err(NumberFault::NotWhole);
    }
    whole.parse().ok().filter(|count| *count < 10_000_000_000).ok_or(NumberFault::Unreadable)
}

/// A number with up to 15 decimals: as many as a spreadsheet keeps of a third of a point.
pub fn decimal(text: &str) -> Result<rust_decimal::Decimal, NumberFault> {
    let (whole, decimals) = plain_number(text)?;
    if whole.len() > 12 || decimals.len() > 15 {
        return Err(NumberFault::Unreadable);
    }
    let text = if decimals.is_empty() { whole } else { format!("{whole}.{decimals}") };
    rust_decimal::Decimal::from_str_exact(&text).map_err(|_| NumberFault::Unreadable)
}

/// Whether an id has the shape in which a spreadsheet shows a long number, `2.02000000000000E+15`: its last digits
/// are lost, and other ids come out alike.
#[inline(always)]
pub fn is_cut_number(id: &[u8]) -> bool {
    // Few ids have a plus sign there.
    id.len() > 4 && id[id.len() - 3] == b'+' && has_exponent(id)
}

#[cold]
fn has_exponent(id: &[u8]) -> bool {
    let (number, power) = id.split_at(id.len() - 4);
    let number = number.strip_prefix(b"-").unwrap_or(number);
    let digit = |byte: &u8| byte.is_ascii_digit();
    let decimals = match number {
        [first, b'.', decimals @ ..] if digit(first) => decimals,
        [first] if digit(first) => &[],
        _ => return false,
    };
    matches!(power, [b'E' | b'e', _, tens, ones] if digit(tens) && digit(ones)) && decimals.iter().all(digit)
}

/// A number of months: `12`, `12个月`, `1年`.
pub fn months(text: &str) -> Result<u32, NumberFault> {
    let (digits, unit) = match text.strip_suffix('年') {
        Some(years) => (years, 12),
        None => (text.strip_suffix("个月").or_else(|| text.strip_suffix('月')).unwrap_or(text), 1),
    };
    let count = u32::try_from(whole(digits.trim())?).map_err(|_| NumberFault::Unreadable)?;
    count.checked_mul(unit).filter(|months| *months <= 12_000).ok_or(NumberFault::Unreadable)
}

/// The digits before and behind the point; nothing but digits, one point, and commas at thousands.
fn plain_number(text: &str) -> Result<(String, &str), NumberFault> {
    let (digits, negative) = text.strip_prefix('-').map_or((text, false), |digits| (digits, true));
    let (whole, decimals) = digits_of(digits)?;
    let nothing = whole.bytes().chain(decimals.bytes()).all(|digit| digit == b'0');
    if negative && !nothing { Err(NumberFault::Negative) } else { Ok((whole, decimals)) }
}

fn digits_of(text: &str) -> Result<(String, &str), NumberFault> {
    let (whole, decimals) = match text.split_once('.') {
        Some((_, "")) => return Err(NumberFault::Unreadable),
        Some(parts) => parts,
        None => (text, ""),
    };
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = whole.contains(',');
    let groups_right = !grouped
        || whole.split(',').enumerate().all(|(at, group)| {
            digits_only(group) && if at == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 }
        });
    let whole = whole.replace(',', "");
    if whole.is_empty() || !digits_only(&whole) || !digits_only(decimals) || !groups_right {
        return Err(NumberFault::Unreadable);
    }
    Ok((whole, decimals))
}

/// y/n, yes/no, true/false, 1/0, 是/否, 有/无.
pub fn yes_no(text: &str) -> Option<bool> {
    match text {
        "1" | "是" | "有" => Some(true),
        "0" | "否" | "无" => Some(false),
        _ if ["y", "yes", "true"].iter().any(|word| text.eq_ignore_ascii_case(word)) => Some(true),
        _ if ["n", "no", "false"].iter().any(|word| text.eq_ignore_ascii_case(word)) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_of_a_spreadsheet_are_no_ids() {
        for id in ["2.02000000000000E+15", "2.02E+15", "2e+15", "-1.5E+17"] {
            assert!(is_cut_number(id.as_bytes()), "{id}");
        }
        for id in [
            "2020000000000001",
            "E+15",
            "A.5E+15",
            "1.5E+1A",
            "12.5E+15",
            "1.5F+15",
            "1.5E-15",
            "+15",
            "C1+15",
        ] {
            assert!(!is_cut_number(id.as_bytes()), "{id}");
        }
    }

    #[test]
    fn cells_are_cleaned_of_what_excel_adds() {
        for raw in ["0012", " 0012\t", "'0012", "=\"0012\"", "００１２", "\u{3000}0012", "\u{FEFF}0012"] {
            assert_eq!(clean(raw.as_bytes(), Encoding::Utf8), "0012", "{raw:?}");
        }
        assert_eq!(clean("Ａ１－村".as_bytes(), Encoding::Utf8), "A1-村");
        assert_eq!(clean(&[0xB4, 0xE5, 0x20], Encoding::Gb18030), "村");
    }

    #[test]
    fn dates_have_five_shapes_and_a_time() {
        for text in [
            "2020-01-03",
            "2020/1/3",
            "2020.1.3",
            "20200103",
            "2020年1月3日",
            "2020-01-03 08:30",
            "2020/1/3 8:30:05",
            "2020-01-03T08:30:00.123+08:00",
            "20200103083000",
            "20200103 083000",
            "2020年1月3日 8时30分",
            "2020-1-03",
            "2020-01-03 00:00:00.0",
            "2020年1月3日8时30分",
            "2020年1月3日08:30",
            "2020.01.03 23:59:59Z",
        ] {
            assert_eq!(date(text).map(|d| d.to_string()).as_deref(), Some("2020-01-03"), "{text}");
        }
        for text in [
            "",
            "2020",
            "2020-13-01",
            "2020-02-30",
            "2019-02-29",
            "20-01-03",
            "2020-1/3",
            "2020113",
            "1799-12-31",
            "3000-01-01",
            "2020-01-03x",
            "2020-01-03 25:00",
            "2020-01-03 08:60",
            "43833",
            "2020-01-003",
            "03/01/2020",
            "+2020-01-03",
            "2020--1-3",
            "202001030",
            "2020年1月3",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        // What is read quickly is what is read at length.
        let parts = [
            "2020", "1799", "1800", "2999", "3000", "202", "/1/3", "/01/03", "-2-29", ".2.30", "/1-3",
            "/13/1",
        ];
        let clocks = [
            "", " ", " 8:43", " 08:43:5", " 24:00", " 8:60", " 8:5:60", " 8", " 8:", " 8:5:", "T8:43",
            " 8:43x",
        ];
        for (year, day) in parts.iter().flat_map(|year| parts.iter().map(move |day| (year, day))) {
            for clock in clocks {
                let text = format!("{year}{day}{clock}");
                let quick = usual_day(text.as_bytes()).map(Rank::date);
                assert!(quick.is_none() || quick == any_day(text.as_bytes()), "{text}");
            }
        }
        assert!(
            ["2020/1/3", "2020/1/3 8:43", "2020.01.3 18:43:55"]
                .iter()
                .all(|text| usual_day(text.as_bytes()).is_some())
        );
        assert!(date("1800-01-01").is_some() && date("2999-12-31").is_some() && date("2020-02-29").is_some());
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, fen) in [
            ("15", 1_500),
            ("15.00", 1_500),
            ("1,234.50", 123_450),
            ("¥15.00", 1_500),
            ("15元", 1_500),
            ("0", 0),
            ("15.5", 1_550),
            ("-0.00", 0),
            ("¥ 1,234,567.8 元", 123_456_780),
        ] {
            assert_eq!(amount(text), Ok(Fen(fen)), "{text}");
        }
        for (text, fault) in [
            ("15.005", NumberFault::Decimals),
            ("15.000", NumberFault::Decimals),
            ("-1", NumberFault::Negative),
            ("1e3", NumberFault::Unreadable),
            ("+3", NumberFault::Unreadable),
            (".5", NumberFault::Unreadable),
            ("5.", NumberFault::Unreadable),
            ("12,34", NumberFault::Unreadable),
            ("1_000", NumberFault::Unreadable),
            ("", NumberFault::Unreadable),
            ("十五", NumberFault::Unreadable),
            ("1.2.3", NumberFault::Unreadable),
            ("999999999999999999", NumberFault::TooLarge),
            ("1000000000", NumberFault::TooLarge),
            (&"-".repeat(60_000), NumberFault::Unreadable),
        ] {
            assert_eq!(amount(text), Err(fault), "{text}");
        }
        assert_eq!(whole("12"), Ok(12));
        assert_eq!(whole("12.0"), Ok(12));
        assert_eq!(whole("1.5"), Err(NumberFault::NotWhole));
        assert_eq!(months("12个月"), Ok(12));
        assert_eq!(months("2年"), Ok(24));
    }

    #[test]
    fn yes_and_no_have_six_words_each() {
        for word in ["y", "Yes", "TRUE", "1", "是", "有"] {
            assert_eq!(yes_no(word), Some(true));
        }
        for word in ["N", "no", "False", "0", "否", "无"] {
            assert_eq!(yes_no(word), Some(false));
        }
        assert_eq!(yes_no("好"), None);
    }
}
