//! signings.csv → rows that are well formed by themselves (E101–E201). Whether a policy admits
//! them is not asked here.

use std::borrow::Cow;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Rank};
use crate::base::person::PersonId;
use crate::base::reason::Reason;

use super::cells::{months, usual_day, yes_no};
use super::columns::Column;
use super::institutions::Institutions;
use super::lines::LineCells;
use super::rows::{Cells, Fault, Known, Row, TOGETHER, WholeRows};

pub const COLUMNS: &[Column] = &[
    ("contract_id", true),
    ("person_id", true),
    ("institution_id", true),
    ("package", true),
    ("signed_on", true),
    ("starts_on", false),
    ("term_months", false),
    ("ended_on", false),
    ("scheme", false),
    ("insured", false),
    ("balance", false),
    ("personal_paid", false),
    ("authorized", false),
    ("groups", false),
    ("team_id", false),
    ("status", false),
    ("doctor_id", false),
    ("ended_reason", false),
];
pub const CONTRACT: usize = 0;
pub const PERSON: usize = 1;
pub const INSTITUTION: usize = 2;
pub const PACKAGE: usize = 3;
pub const SIGNED_ON: usize = 4;
pub const STARTS_ON: usize = 5;
pub const TERM: usize = 6;
pub const ENDED_ON: usize = 7;
pub const SCHEME: usize = 8;
pub const INSURED: usize = 9;
pub const BALANCE: usize = 10;
pub const PERSONAL_PAID: usize = 11;
pub const AUTHORIZED: usize = 12;
pub const GROUPS: usize = 13;
pub const TEAM: usize = 14;
pub const STATUS: usize = 15;
pub const DOCTOR: usize = 16;
pub const ENDED_REASON: usize = 17;
/// The columns that identify a refused row.
pub const IDS: [Option<usize>; 3] = [Some(CONTRACT), Some(PERSON), Some(INSTITUTION)];

/// What the institution collected from the resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid {
    /// The file has no such column.
    Unasked,
    Missing,
    Amount(Fen),
}

/// A row that is well formed by itself. Package, scheme, groups and team are read as a policy lists
/// them, later.
#[derive(Debug)]
pub struct SigningRow<'a> {
    pub contract: Cow<'a, [u8]>,
    pub person: PersonId,
    /// Nothing where no institution has the id.
    pub institution: Option<u32>,
    pub signed_on: Date,
    pub starts_on: Date,
    pub term_months: Option<u32>,
    pub ended_on: Option<Date>,
    pub insured: bool,
    pub balance: Option<Fen>,
    pub paid: Paid,
    pub authorized: bool,
}

/// What the words of some columns mean, by their bytes.
#[derive(Default)]
pub struct Words {
    status: Known<Option<bool>>,
    insured: Known<Option<bool>>,
    /// A term that is empty is none.
    term: Known<Option<Option<u32>>>,
    authorized: Known<Option<bool>>,
}

/// A row read by itself.
#[derive(Debug)]
pub enum Signing<'a> {
    Row(SigningRow<'a>),
    /// Counted, not settled; blocks nobody.
    Void,
}

/// What some rows hold, column by column.
pub struct UsualSignings<'a> {
    contracts: [&'a [u8]; TOGETHER],
    people: [PersonId; TOGETHER],
    institutions: [u32; TOGETHER],
    signed_on: [Rank; TOGETHER],
    starts_on: [Rank; TOGETHER],
    ended_on: [Option<Rank>; TOGETHER],
    terms: [Option<u32>; TOGETHER],
    insured: [bool; TOGETHER],
    balances: [Option<Fen>; TOGETHER],
    paid: [Paid; TOGETHER],
    authorized: [bool; TOGETHER],
}

impl<'a> UsualSignings<'a> {
    /// Reads rows whose cells all have the shape that most exports write, of institutions and with words that are
    /// known; nothing of others, void ones among them: their bits are taken out of `sound`. It is [`read`]
    /// without a word for what might be wrong.
    #[inline(always)]
    pub fn read(rows: &WholeRows<'a>, words: &Words, known: &Institutions, sound: &mut u64) -> Self {
        let cells = rows.column(CONTRACT);
        let contracts = rows.read(sound, &[][..], |at| cells.plain_bytes(at));
        let cells = rows.column(INSTITUTION);
        let institutions = rows.read(sound, 0, |at| known.find_short(cells.plain_id(at)?));
        let cells = rows.column(SIGNED_ON);
        let signed_on = rows.read(sound, Rank::default(), |at| usual_day(cells.bytes(at)));
        let cells = rows.column(PERSON);
        let people = rows.read(sound, PersonId(0), |at| {
            let (person, birth) = PersonId::usual(cells.bytes(at))?;
            (birth <= signed_on[at]).then_some(person)
        });
        let cells = rows.column(STARTS_ON);
        let starts_on = rows.read(sound, Rank::default(), |at| match cells.bytes(at) {
            b"" => Some(signed_on[at]),
            day => usual_day(day),
        });
        let cells = rows.column(ENDED_ON);
        let ended_on = rows.read(sound, None, |at| match cells.bytes(at) {
            b"" => Some(None),
            day => usual_day(day).map(Some),
        });
        let cells = rows.column(TERM);
        let terms = rows.read(sound, None, |at| words.term.of(cells, at)?);
        // One that is void is told of otherwise.
        let cells = rows.column(STATUS);
        rows.read(sound, (), |at| (words.status.of(cells, at)? == Some(false)).then_some(()));
        let cells = rows.column(INSURED);
        let insured = rows.read(sound, true, |at| words.insured.of(cells, at)?);
        let cells = rows.column(AUTHORIZED);
        let authorized = rows.read(sound, false, |at| words.authorized.of(cells, at)?);
        let amount = |cells: LineCells, at| {
            let cell = cells.digits(at)?;
            cell.amount().map(|amount| (!cell.is_empty()).then_some(amount))
        };
        let cells = rows.column(BALANCE);
        let balances = rows.read(sound, None, |at| amount(cells, at));
        let (cells, asked) = (rows.column(PERSONAL_PAID), rows.has(PERSONAL_PAID));
        let paid = rows.read(sound, Paid::Unasked, |at| {
            Some(match amount(cells, at)? {
                Some(amount) => Paid::Amount(amount),
                None if asked => Paid::Missing,
                None => Paid::Unasked,
            })
        });
        UsualSignings {
            contracts,
            people,
            institutions,
            signed_on,
            starts_on,
            ended_on,
            terms,
            insured,
            balances,
            paid,
            authorized,
        }
    }

    /// One of the rows that were read.
    #[inline(always)]
    pub fn row(&self, at: usize) -> SigningRow<'a> {
        SigningRow {
            contract: Cow::Borrowed(self.contracts[at]),
            person: self.people[at],
            institution: Some(self.institutions[at]),
            signed_on: self.signed_on[at].date(),
            starts_on: self.starts_on[at].date(),
            term_months: self.terms[at],
            ended_on: self.ended_on[at].map(Rank::date),
            insured: self.insured[at],
            balance: self.balances[at],
            paid: self.paid[at],
            authorized: self.authorized[at],
        }
    }
}

fn is_void(word: &str) -> Option<bool> {
    match word {
        "void" | "作废" | "已作废" | "无效" | "VOID" | "Void" => Some(true),
        "valid" | "有效" | "正常" | "生效" | "VALID" | "Valid" => Some(false),
        _ => None,
    }
}

/// Reads a row by itself: E101, E105, E102, E103, E104, E106, E201, in this order.
pub fn read<'a>(row: &Row<'a>, words: &mut Words, institutions: &Institutions) -> Result<Signing<'a>, Fault> {
    row.whole()?;
    let contract = row.id(CONTRACT);
    // What is less than 64 KiB in GB18030 may be more as UTF-8.
    if contract.len() > usize::from(u16::MAX) {
        return Err(Fault::new(Code::E101, Reason::IdTooLong { column: row.title(CONTRACT) }));
    }
    row.required([CONTRACT, PERSON, INSTITUTION, PACKAGE, SIGNED_ON])?;
    let status = row
        .known(STATUS, &mut words.status, |text| if text.is_empty() { Some(false) } else { is_void(text) });
    if status == Some(true) {
        return Ok(Signing::Void);
    }
    let signed_on = row.date(SIGNED_ON)?.expect("a required value is not empty");
    let starts_on = row.date(STARTS_ON)?.unwrap_or(signed_on);
    let ended_on = row.date(ENDED_ON)?;
    let term_months = match row.known(TERM, &mut words.term, |text| {
        if text.is_empty() { Some(None) } else { months(text).ok().map(Some) }
    }) {
        Some(months) => months,
        None => row.number(TERM, months)?,
    };
    row.whole_id(CONTRACT)?;
    let balance = row.amount(BALANCE)?;
    let paid = match row.amount(PERSONAL_PAID)? {
        Some(amount) => Paid::Amount(amount),
        None if row.has(PERSONAL_PAID) => Paid::Missing,
        None => Paid::Unasked,
    };
    let insured = match row.known(INSURED, &mut words.insured, |text| {
        if text.is_empty() { Some(true) } else { insured_word(text) }
    }) {
        Some(insured) => insured,
        None => row.word(INSURED, super::rows::YES_NO, insured_word)?.unwrap_or(true),
    };
    let authorized = match row.known(AUTHORIZED, &mut words.authorized, |text| {
        if text.is_empty() { Some(false) } else { yes_no(text) }
    }) {
        Some(authorized) => authorized,
        None => row.yes_no(AUTHORIZED)?.unwrap_or(false),
    };
    if status.is_none() {
        row.word(STATUS, "valid, void, 有效, 作废", is_void)?;
    }
    let person = row.person(PERSON, signed_on)?;
    Ok(Signing::Row(SigningRow {
        contract,
        person,
        institution: row.institution(INSTITUTION, institutions),
        signed_on,
        starts_on,
        term_months,
        ended_on,
        insured,
        balance,
        paid,
        authorized,
    }))
}

/// What hospital systems write in 参保状态 beside yes and no.
fn insured_word(text: &str) -> Option<bool> {
    match text {
        "参保" | "正常参保" | "已参保" | "正常" => Some(true),
        "未参保" | "停保" | "暂停参保" | "断保" => Some(false),
        _ => super::cells::yes_no(text),
    }
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

    /// Reads rows with these columns both ways, twice, so that the words of the second time are known; gives how many
    /// were read quickly then.
    fn both_ways(columns: &[usize], rows: &[Vec<&str>]) -> usize {
        let mut known = Institutions::default();
        assert!(known.add(Institution::named("A1", Place::default()), &[]).is_ok());
        let header = columns.iter().map(|at| COLUMNS[*at].0.to_string()).collect();
        let columns = Columns::find(Kind::Signings, COLUMNS, header);
        let text: String = rows.iter().map(|cells| cells.join(",") + "\n").collect();
        let (block, counted) = (Block::new(text.into_bytes(), 1), AtomicU64::new(0));
        let (columns, counted) = (&columns, &counted);
        let block = BlockRows { block: &block, columns, encoding: Encoding::Utf8, file: 0, counted };
        let mut words = Words::default();
        let [_, count] = [(), ()].map(|()| {
            let mut quick = BTreeMap::new();
            block.each_usual(
                &mut (&mut words, &mut quick),
                |(words, quick), rows| {
                    let mut sound = u64::MAX >> (TOGETHER - rows.count());
                    let read = UsualSignings::read(rows, words, &known, &mut sound);
                    for at in (0..rows.count()).filter(|at| sound >> at & 1 == 1) {
                        quick.insert(rows.place(at).line, format!("{:?}", read.row(at)));
                    }
                    // So each is read the other way too.
                    0
                },
                |(words, quick), row| {
                    let at_length = match read(row, words, &known) {
                        Ok(Signing::Row(read)) => Some(format!("{read:?}")),
                        _ => None,
                    };
                    let quick = quick.get(&row.place().line);
                    assert!(quick.is_none() || quick == at_length.as_ref(), "{quick:?} {at_length:?}");
                },
            );
            quick.len()
        });
        count
    }

    #[test]
    fn what_is_read_quickly_is_what_is_read_at_length() {
        let person = PersonId(99_990_119_550_301_001).full();
        let good = ["C1", &person, "A1", "paid", "2020-01-03"];
        let asked = [
            (CONTRACT, vec!["2.02000000000000E+15", "合同一", "C-1", "'C1"]),
            (PERSON, vec!["999901195503010018", "x"]),
            (SIGNED_ON, vec!["1955-02-28", "2020/1/3", "2020-02-30"]),
            (STARTS_ON, vec!["", "2020-02-01", "x"]),
            (TERM, vec!["", " ", "12", "12个月", "3年", "x"]),
            (ENDED_ON, vec!["", "2020-03-01", "x"]),
            (INSURED, vec!["", "y", "否", "停保", "x"]),
            (BALANCE, vec!["", "0", "10.49", "10.5", "-1"]),
            (PERSONAL_PAID, vec!["", "0", "4.50", "x"]),
            (AUTHORIZED, vec!["", "是", "n", "x"]),
            (STATUS, vec!["", "valid", "作废", "x"]),
        ];
        let mut counts = Vec::new();
        for (column, cells) in &asked {
            let mut columns = vec![CONTRACT, PERSON, INSTITUTION, PACKAGE, SIGNED_ON];
            let rows: Vec<Vec<&str>> = if let Some(at) = columns.iter().position(|at| at == column) {
                let with = |cell: &&'static str| {
                    good.iter().enumerate().map(|(of, good)| if of == at { *cell } else { *good }).collect()
                };
                cells.iter().map(with).collect()
            } else {
                columns.push(*column);
                cells.iter().map(|cell| [&good[..], &[*cell]].concat()).collect()
            };
            counts.push((*column, both_ways(&columns, &rows)));
        }
        let want = [
            (CONTRACT, 1),
            (PERSON, 0),
            (SIGNED_ON, 1),
            (STARTS_ON, 2),
            (TERM, 5),
            (ENDED_ON, 2),
            (INSURED, 4),
            (BALANCE, 3),
            (PERSONAL_PAID, 3),
            (AUTHORIZED, 3),
            (STATUS, 2),
        ];
        assert_eq!(counts, want);
    }
}
