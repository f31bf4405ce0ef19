//! sheets.csv: score sheets whose points add up to the scores that were written.

use std::io;
use std::path::Path;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use crate::base::money::{fraction, shortest};
use crate::policy::sheet::{Indicator, Method, Side, Value};

use super::Plan;
use super::chance::{Of, Rng};
use super::file::Sheet;
use super::places;
use super::scores::{Score, home, shown};

pub fn write(plan: &Plan, scores: &[Score], folder: &Path) -> io::Result<u64> {
    let columns = [
        ("institution_id", "机构编码"),
        ("period", "考核周期"),
        ("indicator", "指标"),
        ("value", "实测值"),
        ("points", "得分"),
        ("level", "考核层级"),
    ];
    let mut sheet = Sheet::create(folder, "sheets.csv", plan.form, &columns)?;
    let mut rng = plan.rng(Of::Sheets);
    for score in scores {
        let Some(rules) = plan.policy.sheet(score.level) else { continue };
        let given = given(&rules.indicators, score.hundredths, &mut rng);
        for (indicator, (value, points)) in rules.indicators.iter().zip(&given) {
            row(plan, &mut sheet, score, [&indicator.id, value, points], &mut rng)?;
        }
        // Rows too many, each refused by itself: the score stays what it is.
        if plan.faulty(&mut rng, 1) && score.institution > home(plan) {
            let (first, mut wrong) = (&rules.indicators[0], Score { ..*score });
            match rng.below(3) {
                0 => row(plan, &mut sheet, score, ["99", "", "1"], &mut rng)?, // E604
                1 => row(plan, &mut sheet, score, [&first.id, "", "101"], &mut rng)?, // E601
                _ => {
                    wrong.institution = places::unknown(&mut rng); // E301
                    row(plan, &mut sheet, &wrong, [&first.id, "", "1"], &mut rng)?;
                }
            }
        }
        if plan.faulty(&mut rng, 3) && score.institution > home(plan) {
            // E605
            places::push(&mut sheet, score.institution);
            for cell in [&score.period.to_string(), &rules.indicators[0].id, "", "1", "省级"] {
                sheet.text(cell);
            }
            sheet.end_row()?;
        }
    }
    sheet.finish()
}

fn row(
    plan: &Plan,
    sheet: &mut Sheet,
    score: &Score,
    [indicator, value, points]: [&str; 3],
    rng: &mut Rng,
) -> io::Result<()> {
    places::push(sheet, score.institution);
    for cell in [&score.period.to_string(), indicator, value, points] {
        sheet.text(cell);
    }
    let level = &plan.policy.levels[score.level].named;
    sheet.word(rng, &level.id, &level.name);
    sheet.end_row()
}

/// Values and points of the indicators that come to a score: what is missing is taken off one after the other,
/// first where any amount can be, in an order of chance. A value where one gives just these points, else points.
fn given(indicators: &[Indicator], hundredths: u64, rng: &mut Rng) -> Vec<(String, String)> {
    let of = |indicator: &Indicator| (indicator.max * Decimal::ONE_HUNDRED).to_u64().unwrap_or_default();
    let all: u64 = indicators.iter().map(of).sum();
    let mut missing = all.saturating_sub(hundredths);
    let mut order: Vec<usize> = (0..indicators.len()).collect();
    for at in (1..order.len()).rev() {
        order.swap(at, rng.below(at as u64 + 1) as usize);
    }
    let mut points: Vec<u64> = indicators.iter().map(of).collect();
    // Half of each at first, so that no indicator bears it all; then what is left.
    for part in [2, 1] {
        for at in &order {
            let off = missing.min(points[*at] / part);
            points[*at] -= off;
            missing -= off;
        }
    }
    let cells = indicators.iter().zip(points).map(|(indicator, points)| {
        let (wanted, points) = (Decimal::new(points as i64, 2), shown(points));
        match value(indicator, wanted) {
            Some(value) => (value, String::new()),
            None => (String::new(), points),
        }
    });
    cells.collect()
}

/// A value that gives just these points.
fn value(indicator: &Indicator, points: Decimal) -> Option<String> {
    let off = indicator.max - points;
    let gives = |value: Value| (indicator.points(value) == Some(points)).then_some(());
    match &indicator.method {
        Method::Points => None,
        Method::YesNo => {
            let yes = off.is_zero();
            gives(Value::Yes(yes)).map(|()| if yes { "是" } else { "否" }.to_string())
        }
        Method::PerCase { deduct } => {
            let cases = (off / deduct).to_u64()?;
            gives(Value::Cases(cases)).map(|()| cases.to_string())
        }
        Method::Steps(steps) => {
            let under =
                steps.iter().find(|(_, deduct)| *deduct == off).map(|(under, _)| under - Decimal::ONE);
            let value = if off.is_zero() { Decimal::ONE_HUNDRED } else { under? };
            gives(Value::Measure(fraction(value))).map(|()| shortest(value))
        }
        Method::PerUnit { side, target, unit, deduct, .. } => {
            let beyond =
                (off / deduct * unit).round_dp_with_strategy(4, rust_decimal::RoundingStrategy::AwayFromZero);
            let value = if *side == Side::Under { target - beyond } else { target + beyond };
            gives(Value::Measure(fraction(value)))
                .filter(|()| value >= Decimal::ZERO)
                .map(|()| shortest(value))
        }
    }
}
