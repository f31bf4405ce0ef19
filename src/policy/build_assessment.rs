//! The part of a rule file that says how work is assessed: levels, curves, score sheets.

use rust_decimal::Decimal;

use crate::base::message::Msg;
use crate::base::period::Cycle;

use super::Level;
use super::build::named_part;
use super::curve::{Band, Below, BelowPays, Curve, Partial, Shape};
use super::file::{At, Reader};
use super::sheet::{Derive, Indicator, Method, Sheet, Side};

pub fn level(table: Reader) -> Option<Level> {
    let named = named_part(&table);
    let cycle = table.required("cycle", |r, key| r.word(key, &Cycle::ALL));
    let clause = table.clause();
    table.finish();
    Some(Level { named: named?, cycle: cycle?, clause })
}

pub fn curve(table: Reader, levels: &[String]) -> Option<Curve> {
    let id = table.required_text("id");
    let level = table.required("level", |r, key| r.reference(key, levels));
    let clause = table.clause();
    let score = |key| {
        table.required(key, Reader::decimal).map(|at: At<Decimal>| {
            if at.value > Decimal::ONE_HUNDRED {
                table.fault(at.span, Msg::ScoreMark, None);
            }
            at.value
        })
    };
    let shape_key = table
        .required("shape", |r, key| r.word(key, &[("linear", 0), ("bands", 1), ("gate", 2), ("share", 3)]));
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
        _ => Some(Shape::Share),
    };
    let shape = shape();
    table.finish_if(shape_key.is_some());
    Some(Curve { id: id?, level: level?, shape: shape?, clause })
}

fn bands(table: &Reader) -> Option<Shape> {
    let mut bands = Vec::new();
    for row in table.tables("band") {
        let from = row.required("from", Reader::decimal);
        let ratio = row.required("ratio", Reader::ratio);
        let (grade, renew) = (row.text("grade"), row.bool("renew"));
        let span = row.span();
        row.finish();
        let band = Band { from: from?.value, ratio: ratio?.value, grade, renew };
        if bands.last().is_some_and(|above: &Band| above.from <= band.from) {
            table.fault(span.clone(), Msg::BandsOrder, None);
        }
        if bands.last().is_some_and(|above: &Band| above.ratio < band.ratio) {
            table.fault(span, Msg::CurveFalls, None);
        }
        bands.push(band);
    }
    let below = table.required("below", Reader::table)?;
    let (fixed, score) = (below.ratio("ratio"), below.bool("score"));
    let pays = match (fixed, score) {
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
    Some(Shape::Bands { bands, below: Below { pays, grade, renew } })
}

pub fn sheet(table: Reader, levels: &[String]) -> Option<Sheet> {
    let level = table.required("level", |r, key| r.reference(key, levels));
    let clause = table.clause();
    let indicators: Vec<Indicator> = table.tables("indicator").into_iter().filter_map(indicator).collect();
    let sum: Decimal = indicators.iter().map(|indicator| indicator.max).sum();
    if sum != Decimal::ONE_HUNDRED {
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
