//! Amounts as whole fen, and the one place where anything is rounded.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};

use num_rational::Ratio;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount of money in whole fen (分, 0.01 yuan). Sums are checked: an overflow is a bug
/// and stops the program before anything is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fen(pub i64);

impl Fen {
    pub const ZERO: Fen = Fen(0);

    /// `self` once for each of `count` heads.
    pub fn times(self, count: u64) -> Fen {
        let count = i64::try_from(count).expect("a head count fits");
        Fen(self.0.checked_mul(count).expect("an amount fits 92 quadrillion yuan"))
    }

    /// `self × rate`, rounded half up (四舍五入) to whole fen.
    pub fn share(self, rate: Decimal) -> Fen {
        let exact = Decimal::from(self.0).checked_mul(rate).expect("an amount times a rate fits");
        Fen(half_up(exact, 0).try_into().expect("an amount fits"))
    }

    /// `self ÷ parts`, rounded half up (四舍五入) to whole fen.
    pub fn divided(self, parts: u32) -> Fen {
        let exact = Ratio::new(i128::from(self.0), i128::from(parts));
        Fen(round_ratio(exact, 0).try_into().expect("an amount fits"))
    }

    /// The amount of `yuan`, or nothing where it has more than two decimals or does not fit.
    pub fn from_yuan(yuan: Decimal) -> Option<Fen> {
        let fen = yuan.checked_mul(Decimal::ONE_HUNDRED)?;
        fen.fract().is_zero().then(|| fen.try_into().ok().map(Fen)).flatten()
    }

    pub fn positive(self) -> Fen {
        self.max(Fen::ZERO)
    }

    /// With thousands separators, for people: `1,234.50`.
    pub fn grouped(self) -> String {
        let plain = self.to_string();
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
        let (yuan, fen) = digits.split_at(digits.len() - 3);
        format!("{sign}{}{fen}", grouped(yuan))
    }
}

/// A whole number with thousands separators: `1,234`.
pub fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Yuan with two decimals, as in every file: `1234.50`.
impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:02}", fen / 100, fen % 100)
    }
}

impl Add for Fen {
    type Output = Fen;
    fn add(self, other: Fen) -> Fen {
        Fen(self.0.checked_add(other.0).expect("a sum of amounts fits"))
    }
}

impl Sub for Fen {
    type Output = Fen;
    fn sub(self, other: Fen) -> Fen {
        Fen(self.0.checked_sub(other.0).expect("a difference of amounts fits"))
    }
}

impl Neg for Fen {
    type Output = Fen;
    fn neg(self) -> Fen {
        Fen::ZERO - self
    }
}

impl AddAssign for Fen {
    fn add_assign(&mut self, other: Fen) {
        *self = *self + other;
    }
}

impl Sum for Fen {
    fn sum<I: Iterator<Item = Fen>>(all: I) -> Fen {
        all.fold(Fen::ZERO, Add::add)
    }
}

/// Rounds half up (四舍五入), away from zero, to `places` decimals.
pub fn half_up(exact: Decimal, places: u32) -> Decimal {
    exact.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// An exact fraction, for what a decimal cannot hold (one third of 100 percent).
pub type Fraction = Ratio<i128>;

/// The fraction that a decimal is.
pub fn fraction(decimal: Decimal) -> Fraction {
    Ratio::new(decimal.mantissa(), 10i128.pow(decimal.scale()))
}

/// A fraction as a decimal, rounded half up to `places` decimals.
pub fn decimal(exact: Fraction, places: u32) -> Decimal {
    Decimal::from_i128_with_scale(round_ratio(exact, places), places).normalize()
}

fn round_ratio(exact: Fraction, places: u32) -> i128 {
    let scaled = exact * Ratio::from_integer(10i128.pow(places));
    let half = Ratio::new(1, 2);
    if scaled < Ratio::from_integer(0) {
        -(-scaled + half).floor().to_integer()
    } else {
        (scaled + half).floor().to_integer()
    }
}

/// The shortest exact form of a ratio or a score: `0.98`, `1`, `89.5`.
pub fn shortest(value: Decimal) -> String {
    value.normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("a decimal")
    }

    #[test]
    fn halves_go_up_where_bankers_rounding_would_not() {
        assert_eq!(Fen(25).share(dec("0.5")), Fen(13));
        assert_eq!(Fen(5).share(dec("0.5")), Fen(3));
        assert_eq!(Fen(-5).share(dec("0.5")), Fen(-3));
        assert_eq!(Fen(1_500).share(dec("0.7")), Fen(1_050));
        assert_eq!(Fen(3_000).divided(4), Fen(750));
        assert_eq!(Fen(10).divided(4), Fen(3));
        assert_eq!(half_up(dec("0.125"), 2), dec("0.13"));
    }

    #[test]
    fn fractions_round_once_and_half_up() {
        assert_eq!(decimal(Ratio::new(1, 3), 6), dec("0.333333"));
        assert_eq!(decimal(Ratio::new(2, 3), 6), dec("0.666667"));
        assert_eq!(decimal(fraction(dec("89.125")), 2), dec("89.13"));
    }

    #[test]
    fn amounts_print_with_two_decimals() {
        assert_eq!(Fen(0).to_string(), "0.00");
        assert_eq!(Fen(-5).to_string(), "-0.05");
        assert_eq!(Fen(100_000_110).grouped(), "1,000,001.10");
        assert_eq!(Fen(-123_450).grouped(), "-1,234.50");
        assert_eq!(Fen(10_000).grouped(), "100.00");
        assert_eq!(Fen::from_yuan(dec("10.5")), Some(Fen(1_050)));
        assert_eq!(Fen::from_yuan(dec("10.505")), None);
    }
}
