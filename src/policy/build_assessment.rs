//! The part of a rule file that says how work is assessed: levels, curves, score sheets.

use rust_decimal::Decimal;

use crate::base::message::Msg;
use crate::base::period::Cycle;

use super::Level;
use super::build::named_part;
use super::curve::{Assessed, Band, Basis, Below, BelowPays, Curve, Partial, Shape};
use super::reader::{At, Reader};
use super::sheet::{Derive, Indicator, Method, Sheet, Side};

pub fn level(table: Reader) -> Option<Level> {
    let named = named_part(&table);
    let cycle = table.required("cycle", |r, key| r.word(key, &Cycle::ALL));
    let clause = table.clause();
    table.finish();
    Some(Level { named: named?, cycle: cycle?, clause })
}

/// `earlier` are the ids of the curves before this one: only those may be chained.
pub fn curve(table: Reader, levels: &[String], earlier: &[String]) -> Option<Curve> {
    let id = table.required_text("id");
    let name = table.text("name").or_else(|| id.clone());
    let clause = table.clause();
    let basis = basis(&table, levels, earlier);
    if matches!(basis, Some(Basis::Chain(_))) {
        // What the chained curves give is multiplied: there is no score of its own to shape.
        table.finish();
        return Some(Curve { id: id?, name: name?, basis: basis?, shape: Shape::Share, clause });
    }
    let score = |key| {
        table.required(key, Reader::decimal).map(|at: At<Decimal>| {
            if at.value > Decimal::ONE_HUNDRED {
                table.fault(at.span, Msg::ScoreMark, None);
            }
            at.value
        })
    };
    let shapes = [("linear", 0), ("bands", 1), ("gate", 2), ("share", 3), ("points", 4)];
    let shape_key = table.required("shape", |r, key| r.word(key, &shapes));
    let shape = || match shape_key? {
        0 => {
            let (full_at, floor) = (score("full_at"), score("floor"));
            let per_point = table.required("per_point", Reader::decimal);
            let partial = table.required("partial", |r, key| r.word(key, &Partial::ALL));
            if let (Some(full_at), Some(floor)) = (full_at, floor)
                && floor > full_at
            {
                table.fault(table.span(), Msg::FloorOverFull, None);
            }
            let per_point = per_point?.value;
            Some(Shape::Linear { full_at: full_at?, per_point, floor: floor?, partial: partial? })
        }
        1 => bands(&table),
        2 => Some(Shape::Gate { pass: score("pass")? }),
        3 => Some(Shape::Share),
        _ => points(&table),
    };
    let shape = shape();
    table.finish_if(shape_key.is_some());
    Some(Curve { id: id?, name: name?, basis: basis?, shape: shape?, clause })
}

/// Whose assessment a curve follows: one level's, or several combined.
fn basis(table: &Reader, levels: &[String], earlier: &[String]) -> Option<Basis> {
    let combines = table.has("combine");
    let combine = table.word("combine", &[("weighted", 0), ("lowest", 1), ("chain", 2)]);
    if !combines {
        let of = table.has("of");
        table.mention("of");
        if of {
            table.fault(table.span(), Msg::MissingKey { table: "curve".into(), key: "combine".into() }, None);
        }
        return assessed(table, levels).map(Basis::One);
    }
    for key in ["level", "nth", "of_parent"] {
        if table.has(key) {
            table.fault(table.span(), Msg::OneOfTwo { keys: format!("{key}, combine") }, None);
        }
        table.mention(key);
    }
    let rows = table.required("of", |r, key| Some(r.tables(key)))?;
    if rows.is_empty() {
        table.fault(table.span(), Msg::MissingKey { table: "curve".into(), key: "of".into() }, None);
        return None;
    }
    match combine? {
        0 => {
            let rows = rows.into_iter().map(|row| {
                let one = assessed(&row, levels);
                let weight = row.required("weight", Reader::ratio);
                row.finish();
                Some((one?, weight?.value))
            });
            let all: Vec<(Assessed, Decimal)> =
                rows.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?;
            let sum: Decimal = all.iter().map(|(_, weight)| *weight).sum();
            if sum != Decimal::ONE {
                let fact = Msg::PartsNotWhole { sum: sum.normalize().to_string() };
                table.fault(table.span(), fact, None);
            }
            Some(Basis::Weighted(all))
        }
        1 => {
            let rows = rows.into_iter().map(|row| {
                let one = assessed(&row, levels);
                row.finish();
                one
            });
            rows.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Basis::Lowest)
        }
        _ => {
            let rows = rows.into_iter().map(|row| {
                let curve = row.required("curve", |r, key| r.reference(key, earlier));
                row.finish();
                curve
            });
            rows.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Basis::Chain)
        }
    }
}

fn assessed(table: &Reader, levels: &[String]) -> Option<Assessed> {
    let level = table.required("level", |r, key| r.reference(key, levels));
    let nth = table.integer("nth").map(|at| u8::try_from(at.value).unwrap_or(u8::MAX));
    let of_parent = table.bool("of_parent").unwrap_or(false);
    Some(Assessed { level: level?, nth, of_parent })
}

fn bands(table: &Reader) -> Option<Shape> {
    table.mention("below");
    let mut bands = Vec::new();
    let mut above: Option<Decimal> = None;
    for row in table.tables("band") {
        let from = row.required("from", Reader::decimal);
        let to = row.decimal("to");
        let ratio = row.required("ratio", Reader::ratio_over);
        let (grade, renew) = (row.text("grade"), row.bool("renew"));
        let span = row.span();
        row.finish();
        let band = Band { from: from?.value, ratio: ratio?.value, grade, renew };
        let ordered = bands.last().is_none_or(|above: &Band| above.from > band.from);
        if !ordered || band.from > Decimal::ONE_HUNDRED {
            table.fault(span.clone(), Msg::BandsOrder, None);
        }
        // The highest band goes up to 100, the others up to the one above.
        let wanted = above.unwrap_or(Decimal::ONE_HUNDRED);
        if let Some(to) = to.as_ref().filter(|to| ordered && to.value != wanted) {
            let gap = to.value < wanted;
            let (to, wanted) = (to.value.normalize().to_string(), wanted.normalize().to_string());
            let fact = if gap { Msg::BandsGap { to, wanted } } else { Msg::BandsOverlap { to, wanted } };
            table.fault(span.clone(), fact, None);
        }
        if bands.last().is_some_and(|above: &Band| above.ratio < band.ratio) {
            table.fault(span, Msg::CurveFalls, None);
        }
        above = Some(band.from);
        bands.push(band);
    }
    if bands.is_empty() {
        table.fault(table.span(), Msg::MissingKey { table: "curve".into(), key: "band".into() }, None);
        return None;
    }
    let below = below(table)?;
    let lowest = bands.last().map(|band| (band.from, band.ratio));
    falls_below(table, &below, lowest);
    Some(Shape::Bands { bands, below })
}

fn points(table: &Reader) -> Option<Shape> {
    table.mention("below");
    let mut points: Vec<(Decimal, Decimal)> = Vec::new();
    for row in table.tables("point") {
        let score = row.required("score", Reader::decimal);
        let ratio = row.required("ratio", Reader::ratio_over);
        let span = row.span();
        row.finish();
        let point = (score?.value, ratio?.value);
        if point.0 > Decimal::ONE_HUNDRED || points.last().is_some_and(|before| before.0 >= point.0) {
            table.fault(span.clone(), Msg::PointsOrder, None);
        }
        if points.last().is_some_and(|before| before.1 > point.1) {
            table.fault(span, Msg::CurveFalls, None);
        }
        points.push(point);
    }
    if points.len() < 2 {
        table.fault(table.span(), Msg::TwoPoints, None);
        return None;
    }
    let below = below(table)?;
    falls_below(table, &below, points.first().copied());
    Some(Shape::Points { points, below })
}

fn below(table: &Reader) -> Option<Below> {
    let below = table.required("below", Reader::table)?;
    let (fixed, score) = (below.ratio_over("ratio"), below.bool("score"));
    let pays = match (fixed, score) {
        (Some(at), None) if at.value.is_zero() => BelowPays::Nothing,
        (Some(at), None) => BelowPays::Fixed(at.value),
        (None, Some(true)) => BelowPays::Score,
        (None, _) => BelowPays::Nothing,
        (Some(at), Some(_)) => {
            below.fault(at.span, Msg::OneOfTwo { keys: "ratio, score".into() }, None);
            return None;
        }
    };
    let (grade, renew) = (below.text("grade"), below.bool("renew"));
    below.finish();
    Some(Below { pays, grade, renew })
}

/// What is paid under the lowest mark must not be more than at it.
fn falls_below(table: &Reader, below: &Below, lowest: Option<(Decimal, Decimal)>) {
    let falls = lowest.is_some_and(|(mark, ratio)| match below.pays {
        BelowPays::Nothing => false,
        BelowPays::Fixed(fixed) => fixed > ratio,
        BelowPays::Score => mark / Decimal::ONE_HUNDRED > ratio,
    });
    if falls {
        table.fault(table.span(), Msg::CurveFalls, None);
    }
}

pub fn sheet(table: Reader, levels: &[String]) -> Option<Sheet> {
    let level = table.required("level", |r, key| r.reference(key, levels));
    let clause = table.clause();
    let rows = table.tables("indicator");
    let count = rows.len();
    let indicators: Vec<Indicator> = rows.into_iter().filter_map(indicator).collect();
    let sum: Decimal = indicators.iter().map(|indicator| indicator.max).sum();
    // Where an indicator has a fault of its own, the sum says nothing.
    if indicators.len() == count && sum != Decimal::ONE_HUNDRED {
        table.fault(table.span(), Msg::SheetNot100 { sum: sum.normalize().to_string() }, None);
    }
    for (at, indicator) in indicators.iter().enumerate() {
        if indicators[..at].iter().any(|other| other.id == indicator.id) {
            table.fault(table.span(), Msg::NamedTwice { name: indicator.id.clone() }, None);
        }
    }
    table.finish();
    Some(Sheet { level: level?, indicators, clause })
}

fn indicator(table: Reader) -> Option<Indicator> {
    let id = table.required_text("id");
    let title = table.required_text("title");
    let max = table.required("max", Reader::decimal);
    let clause = table.clause();
    let derive = table.word("derive", &Derive::ALL);
    let method_key = table.required("method", |r, key| {
        r.word(key, &[("steps", 0), ("per_unit", 1), ("per_case", 2), ("yes_no", 3), ("points", 4)])
    });
    let method = || match method_key? {
        0 => {
            let mut steps = Vec::new();
            for row in table.tables("step") {
                let (under, deduct) =
                    (row.required("under", Reader::decimal), row.required("deduct", Reader::decimal));
                row.finish();
                steps.push((under?.value, deduct?.value));
            }
            Some(Method::Steps(steps))
        }
        1 => {
            let side =
                table.required("side", |r, key| r.word(key, &[("under", Side::Under), ("over", Side::Over)]));
            let target = table.required("target", Reader::decimal);
            let unit = table.required("unit", Reader::decimal);
            let deduct = table.required("deduct", Reader::decimal);
            let partial = table.required("partial", |r, key| r.word(key, &Partial::ALL));
            let unit = unit?;
            if unit.value.is_zero() {
                table.fault(unit.span, Msg::ZeroUnit, None);
                return None;
            }
            Some(Method::PerUnit {
                side: side?,
                target: target?.value,
                unit: unit.value,
                deduct: deduct?.value,
                partial: partial?,
            })
        }
        2 => Some(Method::PerCase { deduct: table.required("deduct", Reader::decimal)?.value }),
        3 => Some(Method::YesNo),
        _ => Some(Method::Points),
    };
    let method = method();
    table.finish_if(method_key.is_some());
    Some(Indicator { id: id?, title: title?, max: max?.value, method: method?, derive, clause })
}
