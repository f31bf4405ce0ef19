//! scores.csv and payments.csv → rows that are well formed by themselves.

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::base::money::Fen;
use crate::base::period::Date;

use super::cells::decimal;
use super::columns::Column;
use super::rows::{Fault, Row};

pub const COLUMNS: &[Column] =
    &[("institution_id", true), ("period", true), ("score", true), ("level", false), ("assessed_on", false)];
pub const INSTITUTION: usize = 0;
pub const PERIOD: usize = 1;
pub const SCORE: usize = 2;
pub const LEVEL: usize = 3;
pub const ASSESSED_ON: usize = 4;
pub const IDS: [Option<usize>; 3] = [None, None, Some(INSTITUTION)];

/// A row of scores.csv; period and level are read as a policy lists them, later.
pub struct ScoreRow<'a> {
    pub institution: Cow<'a, str>,
    pub period: Cow<'a, str>,
    pub score: Decimal,
    pub level: Cow<'a, str>,
    pub assessed_on: Option<Date>,
}

/// Reads a row by itself: E101–E105.
pub fn read<'a>(row: &Row<'a>) -> Result<ScoreRow<'a>, Fault> {
    row.whole()?;
    row.required([INSTITUTION, PERIOD, SCORE])?;
    row.whole_id(INSTITUTION)?;
    let assessed_on = row.date(ASSESSED_ON)?;
    let score = row.number(SCORE, decimal)?.expect("a required value is not empty");
    Ok(ScoreRow {
        institution: row.text(INSTITUTION),
        period: row.text(PERIOD),
        score,
        level: row.text(LEVEL),
        assessed_on,
    })
}

pub mod payments {
    //! payments.csv: what was paid before.

    use super::*;

    pub const COLUMNS: &[Column] =
        &[("institution_id", true), ("cohort", true), ("source", true), ("amount", true), ("package", false)];
    pub const IDS: [Option<usize>; 3] = [None, None, Some(0)];

    pub struct PaymentRow<'a> {
        pub institution: Cow<'a, str>,
        pub cohort: Cow<'a, str>,
        pub source: Cow<'a, str>,
        pub amount: Fen,
        pub package: Cow<'a, str>,
    }

    /// Reads a row by itself: E101–E105.
    pub fn read<'a>(row: &Row<'a>) -> Result<PaymentRow<'a>, Fault> {
        row.whole()?;
        row.required([0, 1, 2, 3])?;
        row.whole_id(0)?;
        let amount = row.amount(3)?.expect("a required value is not empty");
        Ok(PaymentRow {
            institution: row.text(0),
            cohort: row.text(1),
            source: row.text(2),
            amount,
            package: row.text(4),
        })
    }
}
