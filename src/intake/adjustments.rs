//! adjustments.csv: amounts agreed on paper, for the ledger.

use std::borrow::Cow;

use crate::base::money::Fen;
use crate::base::person::mask_within;

use super::cells;
use super::columns::Column;
use super::rows::{Fault, Row};

pub const COLUMNS: &[Column] = &[
    ("institution_id", true),
    ("source", true),
    ("cohort", true),
    ("amount", true),
    ("document", true),
    ("reason", true),
];
pub const IDS: [Option<usize>; 3] = [None, None, Some(0)];
const AMOUNT: usize = 3;

/// A row that is well formed by itself.
pub struct AdjustmentRow<'a> {
    pub institution: Cow<'a, str>,
    pub source: Cow<'a, str>,
    pub cohort: Cow<'a, str>,
    /// Positive to the institution, negative from it.
    pub amount: Fen,
    pub document: Cow<'a, str>,
    pub reason: Cow<'a, str>,
}

/// Reads a row by itself: E101, E105, E102, E104. An amount may stand behind a minus.
pub fn read<'a>(row: &Row<'a>) -> Result<AdjustmentRow<'a>, Fault> {
    row.whole()?;
    row.required(0..COLUMNS.len())?;
    row.whole_id(0)?;
    let amount = row.number(AMOUNT, |text| match text.strip_prefix(['-', '−']) {
        Some(less) => cells::amount(less.trim_start()).map(|fen| -fen),
        None => cells::amount(text.strip_prefix('+').unwrap_or(text)),
    })?;
    Ok(AdjustmentRow {
        institution: row.text(0),
        source: row.text(1),
        cohort: row.text(2),
        amount: amount.unwrap_or_default(),
        // A word about a person may hold an ID number: it goes to the institution's statement.
        document: mask_within(&row.text(4)).into(),
        reason: mask_within(&row.text(5)).into(),
    })
}
