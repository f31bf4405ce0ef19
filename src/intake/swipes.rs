//! swipes.csv → rows that are well formed by themselves (E101–E201).

use std::borrow::Cow;

use crate::base::money::Fen;
use crate::base::period::Date;
use crate::base::person::PersonId;

use super::cells::{date_of, plain_amount, plain_whole, whole};
use super::columns::Column;
use super::rows::{Fault, Row};

pub const COLUMNS: &[Column] = &[
    ("person_id", true),
    ("institution_id", true),
    ("swiped_at", true),
    ("swipe_id", false),
    ("item", false),
    ("quantity", false),
    ("charged", false),
    ("card_type", false),
];
pub const PERSON: usize = 0;
pub const INSTITUTION: usize = 1;
pub const SWIPED_AT: usize = 2;
pub const SWIPE_ID: usize = 3;
pub const ITEM: usize = 4;
pub const QUANTITY: usize = 5;
pub const CHARGED: usize = 6;
pub const CARD: usize = 7;
/// The columns that identify a refused row; a swipe has no contract.
pub const IDS: [Option<usize>; 3] = [None, Some(PERSON), Some(INSTITUTION)];

/// A row that is well formed by itself. Items and cards are read as a policy lists them, later.
pub struct SwipeRow<'a> {
    pub person: PersonId,
    pub institution: Cow<'a, [u8]>,
    pub day: Date,
    /// Empty where the row has none.
    pub id: Cow<'a, [u8]>,
    pub quantity: u64,
    pub charged: Fen,
}

/// Reads a row whose cells all have the shape that most exports write; nothing of others. It is
/// [`read`] without a word for what might be wrong, and takes half the steps.
#[inline]
fn read_plain<'a>(row: &Row<'a>) -> Option<SwipeRow<'a>> {
    let institution = row.bytes(INSTITUTION);
    if !row.is_whole() || !institution.first().is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    let (person, birth) = PersonId::parse_with_birth(row.bytes(PERSON)).ok()?;
    let day = date_of(row.bytes(SWIPED_AT)).filter(|day| birth <= *day)?;
    let charged = match row.bytes(CHARGED) {
        b"" | b"0" => Fen::ZERO,
        amount => plain_amount(amount)?,
    };
    let quantity = match row.bytes(QUANTITY) {
        b"" | b"1" => 1,
        number => plain_whole(number)?,
    };
    Some(SwipeRow { person, institution: row.id(INSTITUTION), day, id: row.id(SWIPE_ID), quantity, charged })
}

/// Reads a row by itself: E101, E105, E102, E103, E104, E201.
#[inline]
pub fn read<'a>(row: &Row<'a>) -> Result<SwipeRow<'a>, Fault> {
    read_plain(row).map_or_else(|| read_any(row), Ok)
}

#[cold]
fn read_any<'a>(row: &Row<'a>) -> Result<SwipeRow<'a>, Fault> {
    row.whole()?;
    row.required([PERSON, INSTITUTION, SWIPED_AT])?;
    let day = row.date(SWIPED_AT)?.expect("a required value is not empty");
    let quantity = match row.bytes(QUANTITY) {
        b"" | b"1" => 1,
        _ => row.number(QUANTITY, whole)?.unwrap_or(1),
    };
    let charged = row.amount(CHARGED)?.unwrap_or(Fen::ZERO);
    let (person, _) = row.person(PERSON, day)?;
    Ok(SwipeRow { person, institution: row.id(INSTITUTION), day, id: row.id(SWIPE_ID), quantity, charged })
}
