//! When charges start, how long a term is, and what a charge that is cut short comes to.

use crate::base::period::{Date, add_months, months_between};

use super::curve::Partial;
use super::{Clause, Named};

/// When the charges of a signing start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long one charge is for.
    pub months: u32,
    /// The second charge starts with the next calendar year, half-year, quarter or month, not so many
    /// months after the signing.
    pub calendar: bool,
}

impl Schedule {
    /// The first day of the calendar unit that `day` is in.
    fn unit_start(self, day: Date) -> Date {
        let month = (day.month() - 1) / self.months as i8 * self.months as i8 + 1;
        Date::new(day.year(), month, 1).unwrap_or(day)
    }

    /// The first day of charge `number` of a signing.
    pub fn start(self, starts_on: Date, number: u32) -> Date {
        match number {
            0 => starts_on,
            _ if self.calendar => add_months(self.unit_start(starts_on), number * self.months),
            _ => add_months(starts_on, number * self.months),
        }
    }

    /// Charges that start from `first` on and before `end`: their numbers and first days.
    pub fn charges(self, starts_on: Date, first: Date, end: Date) -> impl Iterator<Item = (u32, Date)> {
        let passed = months_between(starts_on, first) / self.months.cast_signed() - 1;
        (passed.max(0).cast_unsigned()..)
            .map(move |number| (number, self.start(starts_on, number)))
            .skip_while(move |(_, day)| *day < first)
            .take_while(move |(_, day)| *day < end)
    }

    /// The charge whose time `day` falls in; `day` is not before the signing starts.
    pub fn charge_of(self, starts_on: Date, day: Date) -> u32 {
        let guess = (months_between(starts_on, day) / self.months.cast_signed()).max(0).cast_unsigned();
        // A calendar unit may have begun since: at most one more.
        let guess = guess + u32::from(self.calendar && self.start(starts_on, guess + 1) <= day);
        if self.start(starts_on, guess) <= day { guess } else { guess.saturating_sub(1) }
    }

    /// What part of charge `number` falls before `end`, by whole or begun months, or by days, of the full
    /// unit. Of a charge that begins within a calendar unit, the unit counts from its own first day.
    fn part(self, starts_on: Date, number: u32, end: Date, pays: Pays, partial: Partial) -> Part {
        let from = self.start(starts_on, number);
        let next = self.start(starts_on, number + 1);
        let unit = if self.calendar { self.unit_start(from) } else { from };
        let until = end.min(next);
        let days = |from: Date, until: Date| (until - from).get_days().max(0).unsigned_abs();
        match pays {
            Pays::Whole => Part::WHOLE,
            Pays::Nothing => Part { of: 1, paid: 0 },
            Pays::Days => Part::of(days(from, until), days(unit, next)),
            Pays::Months => {
                let mut full = 0;
                while add_months(from, full + 1) <= until {
                    full += 1;
                }
                let begun = full + u32::from(add_months(from, full) < until);
                let months = if partial == Partial::Started { begun } else { full };
                Part::of(months.min(self.months), self.months)
            }
        }
    }
}

/// What part of a charge is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub paid: u16,
    pub of: u16,
}

impl Part {
    pub const WHOLE: Part = Part { paid: 1, of: 1 };

    fn of(paid: u32, of: u32) -> Part {
        if paid >= of {
            return Part::WHOLE;
        }
        Part { paid: paid as u16, of: of as u16 }
    }
}

/// How a charge that is cut short is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    Whole,
    Months,
    Days,
    Nothing,
}

impl Pays {
    pub const ALL: [(&str, Pays); 4] =
        [("whole", Pays::Whole), ("months", Pays::Months), ("days", Pays::Days), ("nothing", Pays::Nothing)];
}

/// What is paid of a charge that does not run its full time. Without a word on it: all of it.
#[derive(Debug)]
pub struct Prorate {
    /// A first or last charge that the calendar or the term makes shorter.
    pub short: Pays,
    /// A charge that an early end cuts short, where no reason of the list is given.
    pub ended: Pays,
    /// By the reason for the end.
    pub reasons: Vec<(Named, Pays)>,
    /// Whether a month that is begun counts as one.
    pub partial: Partial,
    pub clause: Option<Clause>,
}

impl Default for Prorate {
    fn default() -> Prorate {
        Prorate {
            short: Pays::Whole,
            ended: Pays::Whole,
            reasons: Vec::new(),
            partial: Partial::Started,
            clause: None,
        }
    }
}

impl Prorate {
    /// What part is paid of charge `number` of a signing that ends on `end`, of a term up to `term_end`;
    /// `reason` is an index into the reasons.
    pub fn part(
        &self,
        schedule: Schedule,
        starts_on: Date,
        number: u32,
        (end, term_end): (Date, Date),
        reason: Option<usize>,
    ) -> Part {
        // Most policies say nothing of it.
        if self.clause.is_none() {
            return Part::WHOLE;
        }
        let next = schedule.start(starts_on, number + 1);
        let (ended, short) = (end < term_end && end < next, term_end < next);
        let begins_short = schedule.calendar && number == 0 && schedule.unit_start(starts_on) < starts_on;
        let by_end = reason.and_then(|at| self.reasons.get(at)).map_or(self.ended, |(_, pays)| *pays);
        match (ended && by_end != Pays::Whole, short || begins_short) {
            (true, _) => schedule.part(starts_on, number, end, by_end, self.partial),
            (false, true) => schedule.part(starts_on, number, term_end, self.short, self.partial),
            (false, false) => Part::WHOLE,
        }
    }
}

/// The terms that may be signed for.
#[derive(Clone, Debug)]
pub struct Terms {
    /// In months; empty where the calendar sets the end.
    pub months: Vec<u32>,
    /// Any longer term than the last of `months` is allowed too.
    pub or_more: bool,
    /// Up to the end of the calendar year in which the signing starts, or of so many after it.
    pub to_year_end: Option<u8>,
    pub clause: Clause,
}

impl Terms {
    pub fn first(&self) -> u32 {
        self.months.first().copied().unwrap_or_default()
    }

    pub fn allow(&self, months: u32) -> bool {
        self.to_year_end.is_some()
            || self.months.contains(&months)
            || (self.or_more && self.months.last().is_some_and(|most| months > *most))
    }

    /// The day after the signed term.
    pub fn end(&self, starts_on: Date, months: u32) -> Date {
        match self.to_year_end {
            Some(years) => Date::new(starts_on.year() + i16::from(years) + 1, 1, 1).unwrap_or(Date::MAX),
            None => add_months(starts_on, months),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::period::Period;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    const YEAR: Schedule = Schedule { months: 12, calendar: false };
    const CALENDAR: Schedule = Schedule { months: 12, calendar: true };
    const QUARTERS: Schedule = Schedule { months: 3, calendar: true };

    #[test]
    fn a_day_falls_in_the_charge_that_began_last() {
        for schedule in [YEAR, CALENDAR, QUARTERS, Schedule { months: 1, calendar: false }] {
            for start in ["2020-01-31", "2020-02-29", "2020-03-01", "2020-12-31"] {
                let (mut at, start) = (day(start), day(start));
                for _ in 0..900 {
                    let number = schedule.charge_of(start, at);
                    assert!(schedule.start(start, number) <= at, "{schedule:?} {start} {at}");
                    assert!(at < schedule.start(start, number + 1), "{schedule:?} {start} {at}");
                    at = at.tomorrow().expect("a day");
                }
            }
        }
    }

    #[test]
    fn charges_of_a_period_are_those_that_start_in_it() {
        let period = |text| Period::parse(text).expect("a period");
        let of = |schedule: Schedule, period: Period| {
            let end = day("2022-01-01").min(period.end());
            let charges = schedule.charges(day("2020-11-15"), period.first_day(), end);
            charges.map(|(number, day)| format!("{number} {day}")).collect::<Vec<_>>()
        };
        assert_eq!(of(CALENDAR, period("2020")), ["0 2020-11-15"]);
        assert_eq!(of(CALENDAR, period("2021")), ["1 2021-01-01"]);
        assert_eq!(of(CALENDAR, period("2022")), Vec::<String>::new());
        assert_eq!(of(YEAR, period("2021Q4")), ["1 2021-11-15"]);
        assert_eq!(of(QUARTERS, period("2021H1")), ["1 2021-01-01", "2 2021-04-01"]);
    }

    #[test]
    fn a_short_charge_is_counted_in_months_or_days() {
        let rule = |short, ended, partial| Prorate {
            short,
            ended,
            reasons: Vec::new(),
            partial,
            clause: Some("1".into()),
        };
        let part = |rule: &Prorate, schedule, start, number, end, term_end| {
            let part = rule.part(schedule, day(start), number, (day(end), day(term_end)), None);
            (part.paid, part.of)
        };
        // From 15 November to the year's end: two begun months, one full, 47 of 366 days.
        let end = "2021-01-01";
        for (pays, partial, want) in [
            (Pays::Months, Partial::Started, (2, 12)),
            (Pays::Months, Partial::Whole, (1, 12)),
            (Pays::Days, Partial::Whole, (47, 366)),
            (Pays::Whole, Partial::Whole, (1, 1)),
        ] {
            let rule = rule(pays, Pays::Whole, partial);
            assert_eq!(part(&rule, CALENDAR, "2020-11-15", 0, end, end), want);
        }
        // An early end cuts a contract year short; one on its last day does not.
        let months = rule(Pays::Whole, Pays::Months, Partial::Started);
        for (end, want) in [
            ("2020-01-15", (1, 12)),
            ("2020-01-16", (1, 12)),
            ("2020-07-14", (6, 12)),
            ("2020-07-15", (6, 12)),
            ("2020-07-16", (7, 12)),
            ("2020-12-15", (11, 12)),
            ("2021-01-14", (1, 1)),
            ("2021-01-15", (1, 1)),
        ] {
            let got = part(&months, YEAR, "2020-01-15", 0, end, "2021-01-15");
            assert_eq!(got, if end == "2020-01-15" { (0, 12) } else { want }, "{end}");
        }
    }
}
