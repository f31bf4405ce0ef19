//! Days as numbers, quicker than a calendar's: millions of them are written.

use crate::base::period::Date;

/// Days since 1970-01-01.
pub type Day = i64;

pub const fn day(year: i64, month: i64, day: i64) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

pub fn year_month_day(day: Day) -> (u64, u64, u64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u64, month as u64, (day_of_year - (153 * shifted + 2) / 5 + 1) as u64)
}

/// The same day so many years on, or before; in a year without 29 February it is the 28th.
pub fn years_later(from: Day, years: i64) -> Day {
    let (y, m, d) = year_month_day(from);
    day(y as i64 + years, m as i64, if (m, d) == (2, 29) { 28 } else { d as i64 })
}

pub fn of_date(date: Date) -> Day {
    day(i64::from(date.year()), i64::from(date.month()), i64::from(date.day()))
}

pub fn date(day: Day) -> Date {
    let (y, m, d) = year_month_day(day);
    Date::new(y as i16, m as i8, d as i8).expect("it is counted by the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_calendars() {
        for at in (-60_000..60_000).step_by(7) {
            assert_eq!(of_date(date(at)), at);
            assert_eq!(date(at), date(0).saturating_add(jiff::Span::new().days(at)));
        }
        assert_eq!(date(years_later(day(2020, 2, 29), 1)), Date::constant(2021, 2, 28));
        assert_eq!(date(years_later(day(2020, 3, 1), -65)), Date::constant(1955, 3, 1));
    }
}
