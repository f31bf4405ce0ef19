//! payments.csv: what was prepaid, about as much as was right, so that some comes back.

use std::io;
use std::path::Path;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Plan;
use super::chance::{Of, Rng};
use super::file::{Form, Sheet};
use super::places;
use super::signings::Gross;

/// Whether the policy prepays anything.
pub fn any(plan: &Plan) -> bool {
    plan.policy.sources.iter().any(|source| !source.prepay.is_zero())
}

pub fn write(plan: &Plan, gross: &Gross, folder: &Path) -> io::Result<u64> {
    let columns = [
        ("institution_id", "机构编码"),
        ("cohort", "批次"),
        ("source", "资金来源"),
        ("amount", "金额"),
        ("package", "服务包"),
    ];
    let mut sheet = Sheet::create(folder, "payments.csv", plan.form, &columns)?;
    let mut keys: Vec<_> = gross.keys().copied().collect();
    keys.sort_unstable();
    let mut rng = plan.rng(Of::Payments);
    for key in keys {
        let (institution, cohort, package, source) = key;
        let (sum, count) = gross[&key];
        // Half of the institutions were prepaid.
        if plan.draw_for(Of::Payments, u64::from(institution)).percent(50) || count < 5 {
            continue;
        }
        if !places::may_sign(plan, u64::from(institution)) {
            continue;
        }
        let named = &plan.policy.packages[usize::from(package)].named;
        let amount = prepaid(plan, usize::from(source), sum.unsigned_abs(), count, &mut rng);
        let place = (u64::from(institution), usize::from(cohort), usize::from(source));
        pay(plan, &mut sheet, place, amount, (&named.id, &named.name), &mut rng)?;
    }
    population(plan, &mut sheet, &mut rng)?;
    sheet.finish()
}

/// What was paid for so much before the score was known: of a person more, of one less, of all.
fn prepaid(plan: &Plan, source: usize, sum: u64, count: u64, rng: &mut Rng) -> u64 {
    let people = match rng.below(4) {
        0 => count + 1 + rng.below(3),
        1 => count - 1 - rng.below(3),
        _ => count,
    };
    let prepay = plan.policy.sources[source].prepay;
    if prepay.is_zero() {
        return 0;
    }
    // Now and then all of it was paid at once: with a score of less, a part of that comes back.
    let part = if rng.percent(10) { Decimal::ONE } else { prepay };
    let of = Decimal::from(sum / count * people) * part;
    of.to_u64().unwrap_or_default()
}

/// Population lines are prepaid like others.
fn population(plan: &Plan, sheet: &mut Sheet, rng: &mut Rng) -> io::Result<()> {
    for line in &plan.policy.population {
        let source = &plan.policy.sources[line.source];
        for institution in 0..plan.institutions {
            if !source.settled || !places::may_sign(plan, institution) || rng.percent(50) {
                continue;
            }
            let parts = u64::from(plan.policy.cycle.in_a_year());
            let sum = line.a_year.0.max(0).cast_unsigned() * places::population(plan, institution) / parts;
            let amount = (Decimal::from(sum) * source.prepay).to_u64().unwrap_or_default();
            for (cohort, period) in plan.cohorts.iter().enumerate() {
                // Only in cohorts that the policy was in force for.
                if period.first_day() >= plan.policy.from {
                    let place = (institution, cohort, line.source);
                    pay(plan, sheet, place, amount, (&line.id, &line.name), rng)?;
                }
            }
        }
    }
    Ok(())
}

/// One sum, or now and then two.
fn pay(
    plan: &Plan,
    sheet: &mut Sheet,
    (institution, cohort, source): (u64, usize, usize),
    amount: u64,
    (id, name): (&str, &str),
    rng: &mut Rng,
) -> io::Result<()> {
    let first = if rng.percent(10) { rng.below(amount.max(1)) } else { amount };
    let source = &plan.policy.sources[source];
    for amount in [first, amount - first] {
        if amount > 0 {
            places::push(sheet, institution);
            sheet.text(&plan.cohorts[cohort].to_string());
            sheet.text(if plan.form == Form::Gb18030 { &source.name } else { &source.id });
            sheet.fen(amount);
            sheet.word(rng, id, name);
            sheet.end_row()?;
        }
    }
    Ok(())
}
