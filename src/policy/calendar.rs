//! Working days (工作日): weekends, and the holidays and make-up workdays that a rule file lists by year.

use std::collections::BTreeMap;

use crate::base::period::Date;

use super::Clause;

#[derive(Debug)]
pub struct Calendar {
    pub years: BTreeMap<i16, Year>,
    pub clause: Clause,
}

/// One year's days that are not as their weekday says.
#[derive(Debug, Default)]
pub struct Year {
    /// First and last day of each holiday.
    pub holidays: Vec<(Date, Date)>,
    /// Days of a weekend that are worked.
    pub workdays: Vec<Date>,
}

impl Calendar {
    /// Whether `day` is worked; nothing where its year is not listed.
    fn worked(&self, day: Date) -> Option<bool> {
        let year = self.years.get(&day.year())?;
        let holiday = year.holidays.iter().any(|(first, last)| *first <= day && day <= *last);
        let weekend = day.weekday().to_monday_zero_offset() >= 5;
        Some(year.workdays.contains(&day) || !(holiday || weekend))
    }

    /// The last of so many working days after `day`, which itself does not count; nothing where a year
    /// on the way is not listed.
    pub fn working_days_after(&self, day: Date, working_days: u32) -> Option<Date> {
        let (mut day, mut left) = (day, working_days);
        while left > 0 {
            day = day.tomorrow().ok()?;
            left -= u32::from(self.worked(day)?);
        }
        Some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    #[test]
    fn holidays_and_weekends_do_not_count_and_make_up_days_do() {
        let holidays = vec![(day("2026-02-15"), day("2026-02-23"))];
        let workdays = vec![day("2026-02-14"), day("2026-02-28")];
        let years = [(2026, Year { holidays, workdays })].into();
        let calendar = Calendar { years, clause: "1".into() };
        let after = |from, count| calendar.working_days_after(day(from), count).map(|day| day.to_string());
        // Friday the 13th; Saturday the 14th is worked, then nine days of holiday.
        assert_eq!(after("2026-02-13", 1).as_deref(), Some("2026-02-14"));
        assert_eq!(after("2026-02-13", 2).as_deref(), Some("2026-02-24"));
        assert_eq!(after("2026-02-13", 6).as_deref(), Some("2026-02-28"));
        assert_eq!(after("2026-03-06", 1).as_deref(), Some("2026-03-09"));
        assert_eq!(after("2026-12-31", 1), None);
    }
}
