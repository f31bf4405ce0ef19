//! Curves drawn: score against ratio as points and as a small chart.

use rust_decimal::Decimal;

use crate::base::money::half_up;
use crate::policy::curve::Curve;

use super::rules::percent;

/// A point of a curve, and what it was just below where it jumps there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurvePoint {
    pub score: Decimal,
    pub ratio: Decimal,
    pub grade: Option<String>,
    pub from: Option<Decimal>,
}

/// A curve from 100 points down, at every fifth point and wherever its course changes.
pub fn curve_points(curve: &Curve) -> Vec<CurvePoint> {
    let hair = Decimal::new(1, 6);
    let mut scores: Vec<Decimal> = (0..=20).map(|at| Decimal::from(at * 5)).chain(curve.marks()).collect();
    scores.sort_unstable();
    scores.dedup();
    let point = |score: Decimal| {
        let earned = curve.earned(score);
        let below = (score >= hair).then(|| curve.earned(score - hair).ratio);
        // A jump is more than the slope makes of a millionth of a point.
        let from = below.filter(|below| (earned.ratio - below).abs() > Decimal::new(1, 3));
        CurvePoint { score, ratio: earned.ratio, grade: earned.grade, from }
    };
    let all: Vec<CurvePoint> = scores.into_iter().rev().map(point).collect();
    // Between two points of the same ratio and grade a third one says nothing.
    let told = |at: usize| {
        let (Some(above), Some(below)) = (at.checked_sub(1).and_then(|at| all.get(at)), all.get(at + 1))
        else {
            return true;
        };
        let same = |other: &CurvePoint| other.ratio == all[at].ratio && other.grade == all[at].grade;
        all[at].from.is_some() || above.from.is_some() || !same(above) || !same(below)
    };
    (0..all.len()).filter(|at| told(*at)).map(|at| all[at].clone()).collect()
}

/// A small chart: ratio upwards, score to the right; `┊` where it jumps.
pub fn chart(curve: &Curve) -> Vec<String> {
    const COLUMNS: i64 = 50;
    const ROWS: i64 = 10;
    let points = curve_points(curve);
    let most = points.iter().map(|point| point.ratio).max().unwrap_or_default().max(Decimal::ONE);
    let row_of = |ratio: Decimal| -> i64 {
        let row = half_up(ratio / most * Decimal::from(ROWS), 0);
        row.try_into().unwrap_or(ROWS)
    };
    let mut grid = vec![vec![' '; COLUMNS as usize + 1]; ROWS as usize + 1];
    for column in 0..=COLUMNS {
        let ratio = curve.earned(Decimal::from(column * 100) / Decimal::from(COLUMNS)).ratio;
        grid[row_of(ratio) as usize][column as usize] = '•';
    }
    for point in points.iter() {
        let Some(from) = point.from else { continue };
        let at = half_up(point.score * Decimal::from(COLUMNS) / Decimal::ONE_HUNDRED, 0);
        let at: i64 = at.try_into().unwrap_or(COLUMNS);
        let (low, high) = (row_of(from.min(point.ratio)), row_of(from.max(point.ratio)));
        for row in low + 1..high {
            grid[row as usize][at as usize] = '┊';
        }
    }
    let mut lines = Vec::new();
    for (row, cells) in grid.iter().enumerate().rev() {
        let value = most * Decimal::from(row as i64) / Decimal::from(ROWS);
        let label = if row % 2 == 0 { percent(half_up(value, 4)) } else { String::new() };
        lines.push(format!("{label:>6} │{}", cells.iter().collect::<String>().trim_end()));
    }
    lines.push(format!("       └{}", "─".repeat(COLUMNS as usize + 1)));
    let mut scale = String::from("        ");
    for mark in (0..=100).step_by(10) {
        let at = 8 + mark * COLUMNS as usize / 100;
        while scale.chars().count() < at {
            scale.push(' ');
        }
        scale += &mark.to_string();
    }
    lines.push(scale);
    lines
}
