//! swipes.csv → rows that are well formed by themselves (E101–E201).

use crate::base::money::Fen;
use crate::base::period::Rank;
use crate::base::person::PersonId;

use super::cells::{is_cut_number, usual_day, whole};
use super::columns::Column;
use super::institutions::Institutions;
use super::rows::{Fault, Row, TOGETHER, WholeRows};

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
pub struct SwipeRow {
    pub person: PersonId,
    /// Nothing where no institution has the id.
    pub institution: Option<u32>,
    pub day: Rank,
    /// The hash of the swipe's own id, if it has one.
    pub id: Option<u64>,
    pub quantity: u64,
    pub charged: Fen,
}

/// What some rows hold, column by column.
pub struct UsualSwipes {
    pub institutions: [u32; TOGETHER],
    /// With the day of birth.
    pub people: [(PersonId, Rank); TOGETHER],
    pub days: [Rank; TOGETHER],
    pub ids: [Option<u64>; TOGETHER],
    pub charged: [Fen; TOGETHER],
    pub quantities: [u64; TOGETHER],
}

/// Reads rows whose cells all have the shape that most exports write, of institutions that are known;
/// nothing of others: their bits are taken out of `sound`. It is [`read`] without a word for what might be
/// wrong, one column after the other, so that what comes from memory is waited for together.
#[inline(always)]
pub fn read_usual(rows: &WholeRows, known: &Institutions, sound: &mut u64) -> UsualSwipes {
    let cells = rows.column(INSTITUTION);
    let institutions = rows.read(sound, 0, |at| known.find_short(cells.plain_id(at)?));
    let (cells, nobody) = (rows.column(PERSON), (PersonId(0), Rank::default()));
    let people = rows.read(sound, nobody, |at| PersonId::usual(cells.bytes(at)));
    let cells = rows.column(SWIPED_AT);
    let days =
        rows.read(sound, Rank::default(), |at| usual_day(cells.bytes(at)).filter(|day| people[at].1 <= *day));
    let cells = rows.column(SWIPE_ID);
    let ids = rows.read(sound, None, |at| match cells.bytes(at) {
        b"" => Some(None),
        id if is_cut_number(id) => None,
        _ => Some(Some(cells.plain_id(at)?.hash())),
    });
    let cells = rows.column(CHARGED);
    let charged = rows.read(sound, Fen::ZERO, |at| cells.digits(at)?.amount());
    let cells = rows.column(QUANTITY);
    let quantities = rows.read(sound, 1, |at| {
        let cell = cells.digits(at)?;
        Some(cell.whole()? + u64::from(cell.is_empty()))
    });
    UsualSwipes { institutions, people, days, ids, charged, quantities }
}

/// Reads a row by itself: E101, E105, E102, E103, E104, E201.
#[cold]
pub fn read(row: &Row, institutions: &Institutions) -> Result<SwipeRow, Fault> {
    row.whole()?;
    row.required([PERSON, INSTITUTION, SWIPED_AT])?;
    let day = row.date(SWIPED_AT)?.expect("a required value is not empty");
    row.whole_id(SWIPE_ID)?;
    let quantity = match row.bytes(QUANTITY) {
        b"" | b"1" => 1,
        _ => row.number(QUANTITY, whole)?.unwrap_or(1),
    };
    let charged = row.amount(CHARGED)?.unwrap_or(Fen::ZERO);
    let (person, _) = row.person(PERSON, day)?;
    let (institution, id) = (row.institution(INSTITUTION, institutions), row.id_hash(SWIPE_ID));
    Ok(SwipeRow { person, institution, day: Rank::from(day), id, quantity, charged })
}
