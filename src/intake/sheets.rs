//! Score sheets → rows that are well formed by themselves.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::cells::decimal;
use super::columns::Column;
use super::rows::{Fault, Row};

pub const COLUMNS: &[Column] = &[
    ("institution_id", true),
    ("period", true),
    ("indicator", true),
    ("value", false),
    ("points", false),
    ("level", false),
];
pub const INSTITUTION: usize = 0;
pub const VALUE: usize = 3;
pub const IDS: [Option<usize>; 3] = [None, None, Some(INSTITUTION)];

/// A row of a score sheet. What its value means depends on the indicator.
pub struct SheetRow<'a> {
    pub institution: Cow<'a, str>,
    pub period: Cow<'a, str>,
    pub indicator: Cow<'a, str>,
    /// Empty where the sheet leaves it out.
    pub value: Cow<'a, str>,
    pub points: Option<Decimal>,
    pub level: Cow<'a, str>,
}

/// Reads a row by itself: E101–E105.
pub fn read<'a>(row: &Row<'a>) -> Result<SheetRow<'a>, Fault> {
    row.whole()?;
    row.required([0, 1, 2])?;
    row.whole_id(INSTITUTION)?;
    let points = row.number(4, decimal)?;
    Ok(SheetRow {
        institution: row.text(0),
        period: row.text(1),
        indicator: row.text(2),
        value: row.text(VALUE),
        points,
        level: row.text(5),
    })
}
