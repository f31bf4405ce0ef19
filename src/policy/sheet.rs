//! Score sheets (考核指标表): indicators and how a value becomes points.

use rust_decimal::Decimal;

use crate::base::money::{Fraction, decimal, fraction};

use super::Clause;
use super::curve::Partial;

/// The sheet of one level's assessment.
#[derive(Debug)]
pub struct Sheet {
    /// Index into the policy's levels.
    pub level: usize,
    pub indicators: Vec<Indicator>,
    pub clause: Clause,
}

#[derive(Debug)]
pub struct Indicator {
    pub id: String,
    pub title: String,
    /// Points lie between 0 and this.
    pub max: Decimal,
    pub method: Method,
    pub derive: Option<Derive>,
    pub clause: Clause,
}

#[derive(Debug)]
pub enum Method {
    /// The deduction of the lowest threshold that the value is under: (under, deduction).
    Steps(Vec<(Decimal, Decimal)>),
    PerUnit {
        side: Side,
        target: Decimal,
        unit: Decimal,
        deduct: Decimal,
        partial: Partial,
    },
    PerCase {
        deduct: Decimal,
    },
    YesNo,
    /// Awarded by hand.
    Points,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Under,
    Over,
}

/// What an indicator's value is computed from where the sheet leaves it out (SPEC §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Derive {
    DataValidity,
    EffectiveShare,
    SeparateCharges,
    SwipeRecords,
    UnpaidCases,
    PaymentConsistency,
}

impl Derive {
    pub const ALL: [(&str, Derive); 6] = [
        ("data_validity", Derive::DataValidity),
        ("effective_share", Derive::EffectiveShare),
        ("separate_charges", Derive::SeparateCharges),
        ("swipe_records", Derive::SwipeRecords),
        ("unpaid_cases", Derive::UnpaidCases),
        ("payment_consistency", Derive::PaymentConsistency),
    ];
}

impl Derive {
    pub fn id(self) -> &'static str {
        Derive::ALL.iter().find(|(_, derive)| *derive == self).map_or("", |(id, _)| *id)
    }
}

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A percentage or another measure, exact.
    Measure(Fraction),
    Cases(u64),
    Yes(bool),
}

impl Value {
    /// Percentages lie between 0 and 100.
    pub fn in_range(self) -> bool {
        let (zero, hundred) = (Fraction::from_integer(0), Fraction::from_integer(100));
        match self {
            Value::Measure(value) => value >= zero && value <= hundred,
            Value::Cases(_) | Value::Yes(_) => true,
        }
    }

    /// As a scorecard shows it; what a decimal cannot hold is rounded half up to 6 places.
    pub fn shown(self) -> String {
        match self {
            Value::Measure(exact) => decimal(exact, 6).to_string(),
            Value::Cases(count) => count.to_string(),
            Value::Yes(yes) => if yes { "yes" } else { "no" }.to_string(),
        }
    }
}

impl Indicator {
    /// The points of a value, 0 to the maximum, rounded half up to 0.01. Nothing where the value
    /// is not of the method's type.
    pub fn points(&self, value: Value) -> Option<Decimal> {
        let max = fraction(self.max);
        let deduction = match (&self.method, value) {
            (Method::Steps(steps), Value::Measure(value)) => {
                let under = steps.iter().filter(|(under, _)| value < fraction(*under));
                under
                    .min_by_key(|(under, _)| *under)
                    .map_or(Fraction::from_integer(0), |(_, deduct)| fraction(*deduct))
            }
            (Method::PerUnit { side, target, unit, deduct, partial }, Value::Measure(value)) => {
                let beyond = match side {
                    Side::Under => fraction(*target) - value,
                    Side::Over => value - fraction(*target),
                };
                let units = beyond.max(Fraction::from_integer(0)) / fraction(*unit);
                partial.count_fraction(units) * fraction(*deduct)
            }
            (Method::PerCase { deduct }, Value::Cases(count)) => {
                Fraction::from_integer(i128::from(count)) * fraction(*deduct)
            }
            (Method::YesNo, Value::Yes(true)) => Fraction::from_integer(0),
            (Method::YesNo, Value::Yes(false)) => max,
            _ => return None,
        };
        Some(decimal((max - deduction).max(Fraction::from_integer(0)), 2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("a decimal")
    }

    fn indicator(max: &str, method: Method) -> Indicator {
        Indicator {
            id: "1".into(),
            title: "t".into(),
            max: dec(max),
            method,
            derive: None,
            clause: "一".into(),
        }
    }

    fn points(indicator: &Indicator, value: &str) -> String {
        indicator.points(Value::Measure(fraction(dec(value)))).expect("points").to_string()
    }

    #[test]
    fn steps_take_the_lowest_threshold_that_the_value_is_under() {
        let steps = indicator("10", Method::Steps(vec![(dec("95"), dec("2")), (dec("90"), dec("4"))]));
        for (value, want) in
            [("100", "10"), ("95", "10"), ("94.99", "8"), ("90", "8"), ("89.99", "6"), ("0", "6")]
        {
            assert_eq!(points(&steps, value), want, "{value}");
        }
    }

    #[test]
    fn units_count_in_part_in_full_or_once_begun() {
        let of = |partial, side| {
            indicator(
                "10",
                Method::PerUnit { side, target: dec("90"), unit: dec("1"), deduct: dec("1"), partial },
            )
        };
        let under = of(Partial::Proportional, Side::Under);
        for (value, want) in [
            ("90", "10"),
            ("89.5", "9.5"),
            ("80.004", "0"),
            ("79", "0"),
            ("100", "10"),
            ("89.996", "10"),
            ("89.995", "10"),
            ("89.994", "9.99"),
        ] {
            assert_eq!(points(&under, value), want, "{value}");
        }
        assert_eq!(points(&of(Partial::Whole, Side::Under), "88.5"), "9");
        assert_eq!(points(&of(Partial::Started, Side::Under), "88.5"), "8");
        assert_eq!(points(&of(Partial::Proportional, Side::Over), "92"), "8");
        // Two thirds of 100: 23.33… under, so nothing is left of 10.
        assert_eq!(
            under.points(Value::Measure(Fraction::new(200, 3))).map(|p| p.to_string()).as_deref(),
            Some("0")
        );
        // One third of a point: rounded once, at the end.
        let third = Value::Measure(Fraction::from_integer(90) - Fraction::new(1, 3));
        assert_eq!(under.points(third).map(|p| p.to_string()).as_deref(), Some("9.67"));
    }

    #[test]
    fn cases_and_yes_no() {
        let cases = indicator("10", Method::PerCase { deduct: dec("5") });
        let of = |count| cases.points(Value::Cases(count)).expect("points").to_string();
        assert_eq!([of(0), of(1), of(2), of(3)], ["10", "5", "0", "0"]);
        let yes_no = indicator("5", Method::YesNo);
        assert_eq!(yes_no.points(Value::Yes(true)), Some(dec("5")));
        assert_eq!(yes_no.points(Value::Yes(false)), Some(dec("0")));
        assert_eq!(yes_no.points(Value::Cases(1)), None);
    }
}
