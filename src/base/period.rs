//! Days, periods and cycles. Every date is an argument: the clock is never read here.

use std::fmt;

pub use jiff::civil::Date;

/// How often something is settled or assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cycle {
    Month,
    Quarter,
    Half,
    Year,
}

impl Cycle {
    pub const ALL: [(&str, Cycle); 4] =
        [("month", Cycle::Month), ("quarter", Cycle::Quarter), ("half", Cycle::Half), ("year", Cycle::Year)];

    pub fn months(self) -> u8 {
        match self {
            Cycle::Month => 1,
            Cycle::Quarter => 3,
            Cycle::Half => 6,
            Cycle::Year => 12,
        }
    }

    pub fn in_a_year(self) -> u8 {
        12 / self.months()
    }

    /// The period of this cycle that `day` is in.
    pub fn of(self, day: Date) -> Period {
        let nth = (day.month().unsigned_abs() - 1) / self.months();
        Period { year: day.year(), cycle: self, nth }
    }
}

/// A month, quarter, half-year or year: `2020-01`, `2020Q1`, `2020H1`, `2020`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    year: i16,
    cycle: Cycle,
    /// From 0 within the year.
    nth: u8,
}

impl Period {
    /// Reads `2020-01`, `2020Q1`, `2020H1` or `2020` (letters in either case).
    pub fn parse(text: &str) -> Option<Period> {
        let (year, rest) = text.split_at_checked(4)?;
        if !year.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let year = year.parse().ok().filter(|year| (1800..=2999).contains(year))?;
        let mut rest = rest.chars();
        let (cycle, digits) = match rest.next() {
            None => return Some(Period { year, cycle: Cycle::Year, nth: 0 }),
            Some('-') => (Cycle::Month, 2),
            Some('Q' | 'q') => (Cycle::Quarter, 1),
            Some('H' | 'h') => (Cycle::Half, 1),
            Some(_) => return None,
        };
        let rest = rest.as_str();
        if rest.len() != digits || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nth: u8 = rest.parse().ok()?;
        (1..=cycle.in_a_year()).contains(&nth).then(|| Period { year, cycle, nth: nth - 1 })
    }

    pub fn cycle(self) -> Cycle {
        self.cycle
    }

    pub fn first_day(self) -> Date {
        let month = self.nth * self.cycle.months() + 1;
        Date::new(self.year, month.cast_signed(), 1).expect("a period starts on a real day")
    }

    /// The day after the last.
    pub fn end(self) -> Date {
        add_months(self.first_day(), u32::from(self.cycle.months()))
    }

    pub fn contains(self, day: Date) -> bool {
        self.first_day() <= day && day < self.end()
    }

    /// Whether the whole of `other` lies in this period.
    pub fn covers(self, other: Period) -> bool {
        self.first_day() <= other.first_day() && other.end() <= self.end()
    }

    /// The periods of `cycle` that make up this one; none where `cycle` is longer.
    pub fn split(self, cycle: Cycle) -> Vec<Period> {
        let mut parts = Vec::new();
        let mut day = self.first_day();
        while day < self.end() {
            let part = cycle.of(day);
            if self.covers(part) {
                parts.push(part);
            }
            day = part.end();
        }
        parts
    }
}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Period) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// By first day, then the shorter one.
impl Ord for Period {
    fn cmp(&self, other: &Period) -> std::cmp::Ordering {
        let key = |one: &Period| (one.year, one.nth * one.cycle.months(), one.cycle);
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nth = self.nth + 1;
        match self.cycle {
            Cycle::Month => write!(f, "{:04}-{nth:02}", self.year),
            Cycle::Quarter => write!(f, "{:04}Q{nth}", self.year),
            Cycle::Half => write!(f, "{:04}H{nth}", self.year),
            Cycle::Year => write!(f, "{:04}", self.year),
        }
    }
}

/// A real day as a number that is greater the later it is, compared in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(i32);

impl Rank {
    /// The day, of the years 1 to 9999, if the calendar has it.
    #[inline(always)]
    pub fn real(year: u32, month: u32, day: u32) -> Option<Rank> {
        // Of February, and of the months that are none, more than these is for the rare case below.
        const DAYS: [u8; 16] = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0, 0, 0];
        let common = (month < 16) & (day >= 1) & (day <= u32::from(DAYS[month as usize & 15]));
        let leap = || month == 2 && day == 29 && is_leap(year.cast_signed());
        let real = (1..=9999).contains(&year) && (common || leap());
        real.then_some(Rank((year << 9 | month << 5 | day).cast_signed()))
    }

    /// So many bits hold any.
    pub const BITS: u32 = 23;

    pub fn bits(self) -> u32 {
        self.0.cast_unsigned()
    }

    /// The rank with these [`Rank::bits`].
    pub fn of_bits(bits: u32) -> Rank {
        Rank(bits.cast_signed())
    }

    /// As a number like 20200103.
    pub fn number(self) -> u32 {
        let rank = self.0.cast_unsigned();
        (rank >> 9) * 10_000 + (rank >> 5 & 15) * 100 + (rank & 31)
    }

    pub fn date(self) -> Date {
        let (year, month, day) = ((self.0 >> 9) as i16, (self.0 >> 5 & 15) as i8, (self.0 & 31) as i8);
        Date::new(year, month, day).expect("a rank is of a real day")
    }
}

impl From<Date> for Rank {
    #[inline]
    fn from(day: Date) -> Rank {
        Rank(i32::from(day.year()) << 9 | i32::from(day.month()) << 5 | i32::from(day.day()))
    }
}

/// `day` plus `months`, on the last day of the month where there is no such day:
/// 2020-01-31 plus one month is 2020-02-29.
pub fn add_months(day: Date, months: u32) -> Date {
    let months = i32::try_from(months).unwrap_or(i32::MAX / 2);
    let total = i32::from(day.year()) * 12 + i32::from(day.month()) - 1 + months;
    let (year, month) = (total / 12, (total % 12 + 1) as i8);
    let last = match month {
        2 => 28 + i8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    i16::try_from(year)
        .ok()
        .and_then(|year| Date::new(year, month, day.day().min(last)).ok())
        .unwrap_or(Date::MAX)
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Whole months from the month of `from` to the month of `to`, days not looked at.
pub fn months_between(from: Date, to: Date) -> i32 {
    (i32::from(to.year()) - i32::from(from.year())) * 12 + i32::from(to.month()) - i32::from(from.month())
}

/// Age in whole years on `day`; who was born on 29 February is a year older on 1 March.
pub fn age_on(birth: Date, day: Date) -> i16 {
    let before_birthday = (day.month(), day.day()) < (birth.month(), birth.day());
    day.year() - birth.year() - i16::from(before_birthday)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn periods_read_and_print_alike() {
        for text in ["2020-01", "2020-12", "2020Q1", "2020Q4", "2020H1", "2020H2", "2020"] {
            assert_eq!(Period::parse(text).map(|p| p.to_string()).as_deref(), Some(text));
        }
        for text in
            ["2020Q5", "2020Q0", "2020H3", "2020-13", "2020-1", "20", "2020Q", "2020-001", "二〇二〇", "1799"]
        {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_holds_its_first_and_last_day() {
        let quarter = Period::parse("2020Q1").expect("a quarter");
        assert!(!quarter.contains(day("2019-12-31")));
        assert!(quarter.contains(day("2020-01-01")));
        assert!(quarter.contains(day("2020-03-31")));
        assert!(!quarter.contains(day("2020-04-01")));
        assert_eq!(quarter.split(Cycle::Month).len(), 3);
        assert!(quarter.split(Cycle::Half).is_empty());
    }

    #[test]
    fn ranks_are_in_the_order_of_days() {
        let days = ["1799-12-31", "1800-01-01", "2019-12-31", "2020-01-01", "2020-01-31", "2020-02-01"];
        assert!(days.map(|text| Rank::from(day(text))).is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn ranks_are_of_the_days_that_the_calendar_has() {
        for year in [0, 1, 1800, 1900, 2000, 2019, 2020, 2100, 9999, 10_000] {
            for month in 0..20 {
                for of_month in 0..40 {
                    let date = Date::new(year, month, of_month).ok().filter(|day| day.year() > 0);
                    let found = Rank::real(year as u32, month as u32, of_month as u32);
                    assert_eq!(found, date.map(Rank::from), "{year}-{month}-{of_month}");
                    assert_eq!(found.map(Rank::date), date);
                }
            }
        }
    }

    #[test]
    fn months_are_clamped_from_the_original_day() {
        assert_eq!(add_months(day("2020-01-31"), 1), day("2020-02-29"));
        assert_eq!(add_months(day("2020-01-31"), 2), day("2020-03-31"));
        assert_eq!(add_months(day("2024-02-29"), 12), day("2025-02-28"));
        assert_eq!(add_months(day("2019-11-30"), 3), day("2020-02-29"));
    }

    #[test]
    fn months_are_added_as_the_calendar_does() {
        use jiff::ToSpan;
        for (year, month) in
            [1899, 1900, 1999, 2000, 2023, 2024].into_iter().flat_map(|year| (1..=12).map(move |m| (year, m)))
        {
            for from in (1..=31).filter_map(|of_month| Date::new(year, month, of_month).ok()) {
                for months in [0u32, 1, 2, 6, 11, 12, 13, 25, 49, 1_201] {
                    let want = from.checked_add(i64::from(months).months()).expect("before the year 9999");
                    assert_eq!(add_months(from, months), want, "{from} + {months}");
                }
            }
        }
        assert_eq!(add_months(day("2020-01-31"), u32::MAX), Date::MAX);
    }

    #[test]
    fn a_leap_child_is_older_on_the_first_of_march() {
        let birth = day("1956-02-29");
        assert_eq!(age_on(birth, day("2021-02-28")), 64);
        assert_eq!(age_on(birth, day("2021-03-01")), 65);
        assert_eq!(age_on(birth, day("2020-02-29")), 64);
        assert_eq!(age_on(day("1955-03-01"), day("2020-02-29")), 64);
        assert_eq!(age_on(day("1955-03-01"), day("2020-03-01")), 65);
    }
}
