//! Curves: from a score to the part of a share that it pays.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::money::half_up;

use super::Clause;

/// How a fraction of a unit or of a point counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partial {
    Proportional,
    /// Only full ones count.
    Whole,
    /// Each begun one counts.
    Started,
}

impl Partial {
    pub const ALL: [(&str, Partial); 3] =
        [("proportional", Partial::Proportional), ("whole", Partial::Whole), ("started", Partial::Started)];
}

/// A curve belongs to sources and follows one level's assessment.
#[derive(Debug)]
pub struct Curve {
    pub id: String,
    /// What documents in Chinese call it; its id if the file names none.
    pub name: String,
    /// Whose score it follows.
    pub basis: Basis,
    pub shape: Shape,
    pub clause: Clause,
}

/// What a curve takes for the score.
#[derive(Debug)]
pub enum Basis {
    One(Assessed),
    /// The sum of the scores, each times its weight.
    Weighted(Vec<(Assessed, Decimal)>),
    Lowest(Vec<Assessed>),
    /// No score of its own: the product of what other curves give (indices into the policy's curves).
    Chain(Vec<usize>),
}

/// One assessment that a curve looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// Index into the policy's levels.
    pub level: usize,
    /// Where the level assesses more often than cohorts are settled: which one within the cohort, from 1.
    pub nth: Option<u8>,
    /// The score of the institution's parent, not its own.
    pub of_parent: bool,
}

impl Basis {
    /// The assessments that it looks at by itself.
    pub fn assessed(&self) -> Vec<Assessed> {
        match self {
            Basis::One(one) => vec![*one],
            Basis::Weighted(all) => all.iter().map(|(one, _)| *one).collect(),
            Basis::Lowest(all) => all.clone(),
            Basis::Chain(_) => Vec::new(),
        }
    }

    /// The score that counts, of the scores of [`Basis::assessed`] in order.
    pub fn score(&self, scores: &[Decimal]) -> Decimal {
        match self {
            Basis::Weighted(all) => all.iter().zip(scores).map(|((_, weight), score)| weight * score).sum(),
            _ => scores.iter().min().copied().unwrap_or_default(),
        }
    }
}

#[derive(Debug)]
pub enum Shape {
    /// 1 at or above `full_at`, `per_point` less for each point under it, nothing under `floor`.
    Linear { full_at: Decimal, per_point: Decimal, floor: Decimal, partial: Partial },
    /// From the highest mark down; `below` is for what is under the lowest.
    Bands { bands: Vec<Band>, below: Below },
    /// Straight lines between points (score, ratio), from the lowest score up; the highest point's ratio
    /// holds above it, `below` under the lowest.
    Points { points: Vec<(Decimal, Decimal)>, below: Below },
    /// 1 at or above the mark, nothing under it.
    Gate { pass: Decimal },
    /// score ÷ 100.
    Share,
}

#[derive(Debug)]
pub struct Band {
    pub from: Decimal,
    pub ratio: Decimal,
    pub grade: Option<String>,
    pub renew: Option<bool>,
}

#[derive(Debug)]
pub struct Below {
    pub pays: BelowPays,
    pub grade: Option<String>,
    pub renew: Option<bool>,
}

#[derive(Debug)]
pub enum BelowPays {
    Nothing,
    Fixed(Decimal),
    /// score ÷ 100.
    Score,
}

/// What a score earns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earned {
    /// 0 to [`MOST_RATIO`], rounded half up to 6 places where the curve does not give it exactly.
    pub ratio: Decimal,
    pub grade: Option<String>,
    /// The score earns nothing by a floor or a gate.
    pub failed: bool,
    pub renew: Option<bool>,
}

impl Curve {
    /// What `score` (0 to 100, not rounded before) earns.
    pub fn earned(&self, score: Decimal) -> Earned {
        let plain = |ratio: Decimal, failed| Earned {
            ratio: half_up(ratio, 6).normalize(),
            grade: None,
            failed,
            renew: None,
        };
        match &self.shape {
            Shape::Linear { full_at, .. } if score >= *full_at => plain(Decimal::ONE, false),
            Shape::Linear { floor, .. } if score < *floor => plain(Decimal::ZERO, true),
            Shape::Linear { full_at, per_point, partial, .. } => {
                let points = partial.count(full_at - score);
                plain((Decimal::ONE - points * per_point).max(Decimal::ZERO), false)
            }
            Shape::Bands { bands, below } => match bands.iter().find(|band| score >= band.from) {
                Some(band) => {
                    Earned { grade: band.grade.clone(), renew: band.renew, ..plain(band.ratio, false) }
                }
                None => below.earned(score),
            },
            Shape::Points { points, below } => {
                let above = points.iter().position(|(mark, _)| *mark > score);
                match above {
                    Some(0) => below.earned(score),
                    None => plain(points.last().map_or(Decimal::ZERO, |(_, ratio)| *ratio), false),
                    Some(at) => {
                        let ((low, from), (high, to)) = (points[at - 1], points[at]);
                        // Multiplied first: a third is divided once, at the end.
                        plain(from + (score - low) * (to - from) / (high - low), false)
                    }
                }
            }
            Shape::Gate { pass } if score >= *pass => plain(Decimal::ONE, false),
            Shape::Gate { .. } => plain(Decimal::ZERO, true),
            Shape::Share => plain(score / Decimal::ONE_HUNDRED, false),
        }
    }
}

impl Below {
    fn earned(&self, score: Decimal) -> Earned {
        let (ratio, failed) = match self.pays {
            BelowPays::Nothing => (Decimal::ZERO, true),
            BelowPays::Fixed(ratio) => (ratio, false),
            BelowPays::Score => (score / Decimal::ONE_HUNDRED, false),
        };
        let ratio = half_up(ratio, 6).normalize();
        Earned { ratio, grade: self.grade.clone(), failed, renew: self.renew }
    }
}

/// The most that a curve may pay of a share: the best may earn more than all of it.
pub const MOST_RATIO: Decimal = Decimal::TWO;

impl Curve {
    /// Scores at which the ratio changes its course, from low to high.
    pub fn marks(&self) -> Vec<Decimal> {
        let mut marks = match &self.shape {
            Shape::Linear { full_at, floor, .. } => vec![*floor, *full_at],
            Shape::Bands { bands, .. } => bands.iter().map(|band| band.from).collect(),
            Shape::Points { points, .. } => points.iter().map(|(mark, _)| *mark).collect(),
            Shape::Gate { pass } => vec![*pass],
            Shape::Share => Vec::new(),
        };
        marks.sort_unstable();
        marks
    }
}

impl Partial {
    /// How many units `exact` (not negative) of them count as.
    pub fn count(self, exact: Decimal) -> Decimal {
        match self {
            Partial::Proportional => exact,
            Partial::Whole => exact.floor(),
            Partial::Started => exact.ceil(),
        }
    }

    /// [`Partial::count`] for a fraction that a decimal cannot hold.
    pub fn count_fraction(self, exact: crate::base::money::Fraction) -> crate::base::money::Fraction {
        match self {
            Partial::Proportional => exact,
            Partial::Whole => exact.floor(),
            Partial::Started => exact.ceil(),
        }
    }
}

/// Whether a ratio is one that a share can be paid by: 0 to 1.
pub fn is_ratio(ratio: Decimal) -> bool {
    ratio >= Decimal::ZERO && ratio <= Decimal::ONE && ratio.to_i128().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("a decimal")
    }

    fn curve(shape: Shape) -> Curve {
        Curve {
            id: "c".into(),
            name: "c".into(),
            basis: Basis::One(Assessed { level: 0, nth: None, of_parent: false }),
            shape,
            clause: "一".into(),
        }
    }

    fn linear(partial: Partial) -> Curve {
        curve(Shape::Linear { full_at: dec("90"), per_point: dec("0.02"), floor: dec("60"), partial })
    }

    #[test]
    fn linear_is_exact_around_its_marks() {
        let cases = [
            ("100", "1"),
            ("90.01", "1"),
            ("90", "1"),
            ("89.99", "0.9998"),
            ("89.5", "0.99"),
            ("65", "0.5"),
            ("60.01", "0.4002"),
            ("60", "0.4"),
        ];
        for (score, ratio) in cases {
            let earned = linear(Partial::Proportional).earned(dec(score));
            assert_eq!((earned.ratio, earned.failed), (dec(ratio), false), "{score}");
        }
        for score in ["59.99", "59.5", "0"] {
            let earned = linear(Partial::Proportional).earned(dec(score));
            assert_eq!((earned.ratio, earned.failed), (dec("0"), true), "{score}");
        }
        assert_eq!(linear(Partial::Whole).earned(dec("88.5")).ratio, dec("0.98"));
        assert_eq!(linear(Partial::Started).earned(dec("88.5")).ratio, dec("0.96"));
    }

    #[test]
    fn bands_gate_and_share() {
        let band = |from: &str, ratio: &str| Band {
            from: dec(from),
            ratio: dec(ratio),
            grade: Some(from.into()),
            renew: None,
        };
        let bands = || vec![band("85", "1"), band("70", "0.9"), band("60", "0.8")];
        let below = |pays| Below { pays, grade: None, renew: Some(false) };
        let sichuan = curve(Shape::Bands { bands: bands(), below: below(BelowPays::Score) });
        for (score, ratio) in [
            ("85", "1"),
            ("84.99", "0.9"),
            ("70", "0.9"),
            ("69.99", "0.8"),
            ("60", "0.8"),
            ("59.99", "0.5999"),
        ] {
            assert_eq!(sichuan.earned(dec(score)).ratio, dec(ratio), "{score}");
        }
        assert_eq!(sichuan.earned(dec("59")).renew, Some(false));
        assert!(
            curve(Shape::Bands { bands: bands(), below: below(BelowPays::Nothing) }).earned(dec("59")).failed
        );
        let gate = curve(Shape::Gate { pass: dec("60") });
        assert_eq!((gate.earned(dec("60")).ratio, gate.earned(dec("59.9")).failed), (dec("1"), true));
        assert_eq!(curve(Shape::Share).earned(dec("66.6666667")).ratio, dec("0.666667"));
    }
}
