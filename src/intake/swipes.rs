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

impl UsualSwipes {
    /// One of the rows that were read.
    #[inline(always)]
    pub fn row(&self, at: usize) -> SwipeRow {
        SwipeRow {
            person: self.people[at].0,
            institution: Some(self.institutions[at]),
            day: self.days[at],
            id: self.ids[at],
            quantity: self.quantities[at],
            charged: self.charged[at],
        }
    }
}

/// Reads rows whose cells all have the shape that most exports write, which is ASCII in each of them, of institutions
/// that are known; nothing of others: their bits are taken out of `sound`. It is [`read`] without a word for what might be
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
    let person = row.person(PERSON, day)?;
    let (institution, id) = (row.institution(INSTITUTION, institutions), row.id_hash(SWIPE_ID));
    Ok(SwipeRow { person, institution, day: Rank::from(day), id, quantity, charged })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicU64;

    use super::super::blocks::Block;
    use super::super::columns::Columns;
    use super::super::encoding::Encoding;
    use super::super::institutions::Institution;
    use super::super::rows::BlockRows;
    use super::*;
    use crate::base::place::{Kind, Place};

    #[test]
    fn what_is_read_quickly_is_what_is_read_at_length() {
        let person = PersonId(99_990_119_550_301_001).full();
        let mut known = Institutions::default();
        for id in ["A", "U0000012", "1234567890123456", "村一"] {
            assert!(known.add(Institution::named(id, Place::default()), &[]).is_ok());
        }
        let good = [&person, "U0000012", "2020-02-03", "S1", "", "2", "18.49", ""];
        let other: [&[&str]; 8] = [
            &["", "999901195503010018", "99990119550301001", " "],
            &["", "A", "B", "1234567890123456", "村一", "'A", "U00000123"],
            &["", "2020/2/3", "2020-02-30", "1955-02-28", "1955-03-01 08:30:00", "20200203"],
            &["", "2.02000000000000E+15", "S 1", "一", "12345678901234567", " S1"],
            &["x"],
            &["", "0", "1", "12", "1.5", "-1", "123456789", "１２", " 3", "x"],
            &["", "0", "0.00", "1.5", ".50", "１.00", "1234567890", "-1", "999999999.99", "¥5"],
            &[""],
        ];
        let header = COLUMNS.iter().map(|(name, _)| name.to_string()).collect();
        let columns = Columns::find(Kind::Swipes, COLUMNS, header);
        let mut rows = vec![good.join(",")];
        for (at, cells) in other.iter().enumerate() {
            let with = |cell: &&str| {
                good.iter()
                    .enumerate()
                    .map(|(of, good)| if of == at { *cell } else { good })
                    .collect::<Vec<_>>()
                    .join(",")
            };
            rows.extend(cells.iter().map(with));
        }
        let block = Block::new((rows.join("\n") + "\n").into_bytes(), 1);
        let counted = AtomicU64::new(0);
        let block = BlockRows {
            block: &block,
            columns: &columns,
            encoding: Encoding::Utf8,
            file: 0,
            counted: &counted,
        };
        let told = |row: &SwipeRow| {
            format!("{:?}", (row.person, row.institution, row.day, row.id, row.quantity, row.charged))
        };
        let (mut quick, mut same, mut slow) = (BTreeMap::new(), 0, 0);
        block.each_usual(
            &mut (&mut quick, &mut same, &mut slow),
            |(quick, ..), rows| {
                let mut sound = u64::MAX >> (TOGETHER - rows.count());
                let read = read_usual(rows, &known, &mut sound);
                for at in (0..rows.count()).filter(|at| sound >> at & 1 == 1) {
                    quick.insert(rows.place(at).line, told(&read.row(at)));
                }
                // So each is read the other way too.
                0
            },
            |(quick, same, slow), row| {
                let (quick, read) = (quick.get(&row.place().line), read(row, &known));
                let at_length = read.as_ref().ok().map(told);
                assert!(quick.is_none() || quick == at_length.as_ref(), "{quick:?} {at_length:?}");
                **same += usize::from(quick.is_some());
                **slow += usize::from(quick.is_none() && at_length.is_some());
            },
        );
        // The good row twice, 2 institutions, 2 days, 2 ids, an item, 4 quantities, 4 charges.
        assert_eq!((same, slow), (17, 14));
    }
}
