//! Numbers as a workbook stores them → what a clerk would see. A binary fraction is turned into the 15 decimal
//! digits that Excel shows of it; all reckoning is with those.

use jiff::ToSpan;
use jiff::civil::date;

use super::formats::Format;

/// How many digits Excel keeps of a number.
const KEPT: usize = 15;

/// A number by its digits: 0.`digits` times ten to the power of `point`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number {
    negative: bool,
    /// At most [`KEPT`], neither the first nor the last a zero; none of nothing.
    digits: Vec<u8>,
    point: i32,
}

impl Number {
    /// Nothing of what is no number.
    #[expect(
        clippy::disallowed_types,
        reason = "that is how a workbook stores a number; only its digits are used"
    )]
    fn read(stored: f64) -> Option<Number> {
        // `-1.50000000000000e-3`: correctly rounded, with the digits that are kept.
        let text = format!("{stored:.*e}", KEPT - 1);
        let (digits, power) = text.split_once('e')?;
        let power: i32 = power.parse().ok()?;
        let kept = digits.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
        let length = kept.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        let negative = length > 0 && digits.starts_with('-');
        Some(Number { negative, digits: kept[..length].to_vec(), point: power + 1 })
    }

    /// The digits before the point; nothing where there are more than are kept.
    fn whole(&self) -> Option<u64> {
        (0..self.point).take(KEPT + 1).try_fold(0u64, |sum, at| {
            let digit = self.digits.get(at as usize).map_or(0, |digit| u64::from(digit - b'0'));
            (at < KEPT as i32).then_some(sum * 10 + digit)
        })
    }

    /// Whether it has no decimals, and all of its digits are known.
    fn is_whole(&self) -> bool {
        self.digits.is_empty() || (self.digits.len() as i32..=KEPT as i32).contains(&self.point)
    }

    /// As it is written: plain, or, where digits of a whole number are lost, as `6.50102199001010E+17`.
    fn shown(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let text = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();
        if self.digits.is_empty() {
            return "0".to_string();
        }
        if self.point > KEPT as i32 || self.point < -20 {
            // All 15 digits, so that nothing of this shape is as long as an ID number.
            let (first, rest) = (text(&self.digits[..1]), text(&self.digits[1..]));
            return format!("{sign}{first}.{rest:0<14}E{:+03}", self.point - 1);
        }
        let point = usize::try_from(self.point).unwrap_or(0);
        if self.digits.len() <= point {
            return format!("{sign}{}{}", text(&self.digits), "0".repeat(point - self.digits.len()));
        }
        let (whole, decimals) = self.digits.split_at(point);
        let zeros = "0".repeat(usize::try_from(-self.point).unwrap_or(0));
        let whole = if whole.is_empty() { "0".to_string() } else { text(whole) };
        format!("{sign}{whole}.{zeros}{}", text(decimals))
    }

    /// The time of day that its decimals say, in seconds. A time just before midnight stays on its day.
    fn seconds(&self) -> u32 {
        let mut part: u64 = 0;
        for at in self.point..self.point + KEPT as i32 {
            let digit = usize::try_from(at).ok().and_then(|at| self.digits.get(at));
            part = part * 10 + digit.map_or(0, |digit| u64::from(digit - b'0'));
        }
        const WHOLE: u128 = 10u128.pow(KEPT as u32);
        let rounded = (u128::from(part) * 2 * 86_400 + WHOLE) / (2 * WHOLE);
        (rounded as u32).min(86_399)
    }
}

/// The text of a cell that holds a number.
#[expect(
    clippy::disallowed_types,
    reason = "that is how a workbook stores a number; only its digits are used"
)]
pub fn shown(stored: f64, format: Format, from_1904: bool) -> String {
    let Some(mut number) = Number::read(stored) else { return stored.to_string() };
    match format {
        Format::Number => number.shown(),
        Format::Percent => {
            number.point += 2;
            format!("{}%", number.shown())
        }
        // A fraction or a number with lost digits is no code.
        Format::Digits(count) if !number.negative && number.is_whole() => {
            format!("{:0>1$}", number.shown(), usize::from(count))
        }
        Format::Digits(_) => number.shown(),
        Format::Day | Format::Month | Format::Year => {
            day(&number, format, from_1904).unwrap_or_else(|| number.shown())
        }
    }
}

/// A number that stands for a day, as `2020-01-03` or `2020-01-03 08:30:05`; nothing of one that no day has.
fn day(number: &Number, format: Format, from_1904: bool) -> Option<String> {
    /// 9999-12-31 where days are counted from 1900.
    const LAST: i64 = 2_958_465;
    let serial = i64::try_from(number.whole()?).ok().filter(|serial| *serial <= LAST && !number.negative)?;
    let shown = match serial {
        _ if from_1904 => {
            let day = date(1904, 1, 1).checked_add(serial.days()).ok()?;
            day.to_string()
        }
        0 => "1900-01-00".to_string(),
        // Excel takes 1900 for a leap year: its days are one late up to a 29 February that was none.
        1..60 => date(1899, 12, 31).checked_add(serial.days()).ok()?.to_string(),
        60 => "1900-02-29".to_string(),
        _ => date(1899, 12, 30).checked_add(serial.days()).ok()?.to_string(),
    };
    let seconds = number.seconds();
    Some(match seconds {
        0 if format == Format::Month => shown[..7].to_string(),
        0 if format == Format::Year => shown[..4].to_string(),
        0 => shown,
        _ => format!("{shown} {:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(stored: &str, format: Format, from_1904: bool) -> String {
        shown(stored.parse().expect("a number"), format, from_1904)
    }

    #[test]
    fn numbers_are_shown_with_the_digits_that_excel_keeps() {
        for (stored, wanted) in [
            ("15", "15"),
            ("15.0", "15"),
            ("15.1", "15.1"),
            ("0.30000000000000004", "0.3"),
            ("15.005", "15.005"),
            ("114.99999999999999", "115"),
            ("10.499999999999998", "10.5"),
            ("4.5000000000000009", "4.5"),
            ("0.1", "0.1"),
            ("1.5E-2", "0.015"),
            ("1E3", "1000"),
            ("-1.50", "-1.5"),
            ("-0.0", "0"),
            ("0", "0"),
            ("99999999999999.99", "100000000000000"),
            ("123456789012345", "123456789012345"),
            ("999901199001011", "999901199001011"),
            ("999901199001010000", "9.99901199001010E+17"),
            ("9.9990119900101E+17", "9.99901199001010E+17"),
            ("1000000000000000", "1.00000000000000E+15"),
            ("1E-30", "1.00000000000000E-30"),
            ("NaN", "NaN"),
            ("inf", "inf"),
        ] {
            assert_eq!(text(stored, Format::Number, false), wanted, "{stored}");
        }
        assert_eq!(text("0.95", Format::Percent, false), "95%");
        assert_eq!(text("0.045", Format::Percent, false), "4.5%");
        assert_eq!(text("2.5", Format::Percent, false), "250%");
    }

    #[test]
    fn days_are_counted_as_excel_does() {
        for (stored, wanted) in [
            ("43833", "2020-01-03"),
            ("43833.354224537034", "2020-01-03 08:30:05"),
            ("43833.999999999999", "2020-01-04"),
            ("43833.999998", "2020-01-03 23:59:59"),
            ("43833.0000001", "2020-01-03"),
            ("59", "1900-02-28"),
            ("60", "1900-02-29"),
            ("61", "1900-03-01"),
            ("1", "1900-01-01"),
            ("0", "1900-01-00"),
            ("0.5", "1900-01-00 12:00:00"),
            ("2958465", "9999-12-31"),
            ("2958466", "2958466"),
            ("-1", "-1"),
            ("1E17", "1.00000000000000E+17"),
        ] {
            assert_eq!(text(stored, Format::Day, false), wanted, "{stored}");
        }
        assert_eq!(text("42371", Format::Day, true), "2020-01-03");
        assert_eq!(text("0", Format::Day, true), "1904-01-01");
        assert_eq!(text("43831", Format::Month, false), "2020-01");
        assert_eq!(text("43831", Format::Year, false), "2020");
        for (stored, wanted) in
            [("123", "00123"), ("0", "00000"), ("123456", "123456"), ("1.5", "1.5"), ("-1", "-1")]
        {
            assert_eq!(text(stored, Format::Digits(5), false), wanted);
        }
        assert_eq!(text("999901199001010000", Format::Digits(18), false), "9.99901199001010E+17");
    }
}
