//! Rows of a file: their cells, and the refusals that any kind of row may get.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::Date;
use crate::base::person::{IdFault, PersonId, hide_numbers, mask, mask_within};
use crate::base::place::{Kind, Place};
use crate::base::reason::Reason;

use super::blocks::Block;
use super::cells::{self, NumberFault, clean};
use super::columns::Columns;
use super::digits::Digits;
use super::encoding::Encoding;
use super::institutions::Institutions;
pub use super::lines::TOGETHER;
use super::lines::{LineCells, Lines};
use super::quotes::RecordFault;
use super::record::{Fields, Record, records, usual_lines};
use super::short::{Packed, Short, id_hash};
use super::starts::Starts;

/// The words of a yes/no column.
pub const YES_NO: &str = "y/n, yes/no, true/false, 1/0, 是/否, 有/无";

/// A row that can't be taken.
#[derive(Clone, Debug)]
pub struct Reject {
    pub kind: Kind,
    pub place: Place,
    pub contract: String,
    /// Masked.
    pub person: String,
    pub institution: String,
    pub code: Code,
    pub reason: Reason,
    pub clause: Option<Arc<str>>,
}

/// Why a row by itself is refused.
#[derive(Clone, Debug)]
pub struct Fault {
    pub code: Code,
    pub reason: Box<Reason>,
    pub clause: Option<Arc<str>>,
}

impl Fault {
    pub fn new(code: Code, reason: Reason) -> Fault {
        Fault { code, reason: Box::new(reason), clause: None }
    }

    /// A refusal by an article of the policy.
    pub fn by(code: Code, reason: Reason, clause: &Arc<str>) -> Fault {
        Fault { code, reason: Box::new(reason), clause: Some(Arc::clone(clause)) }
    }
}

/// No kind of file has more columns that are read.
const MOST_COLUMNS: usize = 18;
const _: () = assert!(super::signings::COLUMNS.len() <= MOST_COLUMNS);

/// Which field of a record each known column is; one past any record's last where the file has none.
type Places = [usize; MOST_COLUMNS];

/// Some rows of which nothing is known to be wrong as a whole.
pub struct WholeRows<'a> {
    lines: &'a Lines<'a>,
    places: &'a Places,
    file: u16,
    encoding: Encoding,
}

/// The cells of one row, however it is held.
pub trait Cells {
    fn place(&self) -> Place;

    /// The bytes of a cell as they stand; empty where the file has no such column.
    fn bytes(&self, column: usize) -> &[u8];

    /// A cell as four numbers, if it is as short.
    fn packed(&self, column: usize) -> Option<Packed>;

    /// The cleaned text of a cell; empty where the file has no such column.
    fn text(&self, column: usize) -> Cow<'_, str>;

    /// What `known` says of a cell, looked up by its bytes: a column of a few words is decoded and
    /// cleaned once for each of them, not once a row.
    fn known<T: Copy>(&self, column: usize, known: &mut Known<T>, read: impl FnOnce(&str) -> T) -> T {
        // A word that is longer is rare enough to be read each time.
        let Some(word) = self.packed(column) else { return read(&self.text(column)) };
        if let Some(value) = known.get(&word) {
            return value;
        }
        let value = read(&self.text(column));
        known.0[word.hash() % SLOTS] = (word, Some(value));
        value
    }
}

/// One of [`WholeRows`].
pub struct OneOf<'a>(pub &'a WholeRows<'a>, pub usize);

impl Cells for OneOf<'_> {
    #[inline(always)]
    fn place(&self) -> Place {
        self.0.place(self.1)
    }

    #[inline(always)]
    fn bytes(&self, column: usize) -> &[u8] {
        self.0.column(column).bytes(self.1)
    }

    #[inline(always)]
    fn packed(&self, column: usize) -> Option<Packed> {
        self.0.column(column).packed(self.1)
    }

    fn text(&self, column: usize) -> Cow<'_, str> {
        clean(self.bytes(column), self.0.encoding)
    }
}

impl<'a> WholeRows<'a> {
    /// At most [`TOGETHER`].
    pub fn count(&self) -> usize {
        self.lines.count()
    }

    #[inline(always)]
    pub fn place(&self, at: usize) -> Place {
        Place { file: self.file, line: self.lines.number(at) }
    }

    /// The cells of a column; empty where the file has no such column.
    #[inline(always)]
    pub fn column(&self, column: usize) -> LineCells<'a> {
        self.lines.column(self.places[column])
    }

    /// Whether the file has a column.
    pub fn has(&self, column: usize) -> bool {
        self.places[column] != usize::MAX
    }

    /// Takes those out of `sound` whose cell of a column that nobody reads is no text. `known`: words of it.
    #[inline(always)]
    pub fn must_be_text<T: Copy>(&self, sound: &mut u64, column: usize, known: &Known<T>) {
        let cells = self.column(column);
        let is_text = |at| {
            let short = cells.packed(at).is_some_and(|word| word.is_ascii() || known.get(&word).is_some());
            (short || self.encoding.is_text(cells.bytes(at))).then_some(())
        };
        self.read(sound, (), is_text);
    }

    /// Reads a cell of each row. Of those that it is nothing of, the bits are taken out of `sound`.
    #[inline(always)]
    pub fn read<T: Copy>(
        &self,
        sound: &mut u64,
        empty: T,
        read: impl Fn(usize) -> Option<T>,
    ) -> [T; TOGETHER] {
        let (mut values, mut found) = ([empty; TOGETHER], 0);
        for (at, value) in values.iter_mut().enumerate().take(self.count()) {
            if let Some(read) = read(at) {
                *value = read;
                found |= 1 << at;
            }
        }
        *sound &= found;
        values
    }
}

/// One record with what is needed to read its cells.
pub struct Row<'a> {
    pub(super) record: &'a Record<'a>,
    /// None where the record has not as many fields as the header: they would not be certain.
    fields: Fields<'a>,
    places: &'a Places,
    pub(super) block: &'a BlockRows<'a>,
    /// All of the block is known to be text.
    text: bool,
    whole: bool,
}

impl Cells for Row<'_> {
    fn place(&self) -> Place {
        Row::place(self)
    }

    fn bytes(&self, column: usize) -> &[u8] {
        Row::bytes(self, column)
    }

    fn packed(&self, column: usize) -> Option<Packed> {
        self.fields.packed(self.places[column])
    }

    fn text(&self, column: usize) -> Cow<'_, str> {
        Row::text(self, column)
    }
}

impl<'a> Row<'a> {
    pub fn place(&self) -> Place {
        Place { file: self.block.file, line: self.record.line }
    }

    /// Whether nothing is wrong with the row as a whole, as is so for nearly all.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// E101 and E105: the row as a whole.
    pub fn whole(&self) -> Result<(), Fault> {
        if self.is_whole() {
            return Ok(());
        }
        let (got, want) = (self.record.fields.count(), self.block.columns.header.len());
        let reason = match self.record.fault {
            Some(RecordFault::TooLong) => Reason::RecordTooLong,
            Some(RecordFault::Quote) => Reason::QuoteNotClosed,
            None if got != want => Reason::FieldCount { want, got },
            None if !self.text && self.record.raw.contains(&0) => {
                return Err(Fault::new(Code::E105, Reason::NulByte));
            }
            None if !self.text && !self.block.encoding.is_text(self.record.raw) => {
                return Err(Fault::new(
                    Code::E105,
                    Reason::NotText { encoding: self.block.encoding.name().into() },
                ));
            }
            None => return Ok(()),
        };
        Err(Fault::new(Code::E101, reason))
    }

    pub fn has(&self, column: usize) -> bool {
        self.block.columns.position(column).is_some()
    }

    /// The bytes of a cell as they stand; empty where the file has no such column.
    #[inline]
    pub fn bytes(&self, column: usize) -> &'a [u8] {
        self.fields.get(self.places[column])
    }

    /// The cleaned text of a cell; empty where the file has no such column.
    pub fn text(&self, column: usize) -> Cow<'a, str> {
        clean(self.bytes(column), self.block.encoding)
    }

    /// An id as it is compared: cleaned, and mostly the bytes as they stand.
    #[inline(always)]
    pub fn id(&self, column: usize) -> Cow<'a, [u8]> {
        let bytes = self.bytes(column);
        let clean = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
        let ascii = || Short::new(bytes).map_or_else(|| bytes.is_ascii(), Short::is_ascii);
        if clean(bytes.first()) && clean(bytes.last()) && ascii() {
            return Cow::Borrowed(bytes);
        }
        self.cleaned_id(column)
    }

    /// The hash of an id as it is compared; nothing where the cell is empty.
    pub fn id_hash(&self, column: usize) -> Option<u64> {
        let id = self.id(column);
        (!id.is_empty()).then(|| id_hash(&id))
    }

    /// The institution that a cell names.
    pub fn institution(&self, column: usize, institutions: &Institutions) -> Option<u32> {
        match self.fields.short(self.places[column]).filter(|id| id.is_plain()) {
            Some(id) => institutions.find_short(id),
            None => institutions.find(&self.id(column)),
        }
    }

    #[cold]
    fn cleaned_id(&self, column: usize) -> Cow<'a, [u8]> {
        match self.text(column) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    pub fn title(&self, column: usize) -> String {
        self.block.columns.title(column)
    }

    /// E102: the first of `columns` that is empty.
    pub fn required(&self, columns: impl IntoIterator<Item = usize>) -> Result<(), Fault> {
        match columns.into_iter().find(|column| {
            // A Chinese character (of these bytes in UTF-8 and GB18030 alike) is no blank either.
            let filled = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, 0xE4..=0xE9);
            !self.bytes(*column).first().is_some_and(filled) && self.text(*column).is_empty()
        }) {
            Some(column) => Err(Fault::new(Code::E102, Reason::Empty { column: self.title(column) })),
            None => Ok(()),
        }
    }

    /// E104: an id that a spreadsheet made a number of.
    pub fn whole_id(&self, column: usize) -> Result<(), Fault> {
        if cells::is_cut_number(&self.id(column)) {
            return Err(Fault::new(Code::E104, Reason::CutBySpreadsheet { column: self.title(column) }));
        }
        Ok(())
    }

    /// E103: a date, or nothing where the cell is empty.
    pub fn date(&self, column: usize) -> Result<Option<Date>, Fault> {
        let bytes = self.bytes(column);
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(date) = cells::date_of(bytes) {
            return Ok(Some(date));
        }
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        match cells::date(&text) {
            Some(date) => Ok(Some(date)),
            None => {
                let (column, value) = (self.title(column), shown(&text));
                let excel = text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
                let reason = if excel {
                    Reason::ExcelDate { column, value }
                } else {
                    Reason::BadDate { column, value }
                };
                Err(Fault::new(Code::E103, reason))
            }
        }
    }

    /// E104: an amount, or nothing where the cell is empty.
    pub fn amount(&self, column: usize) -> Result<Option<Fen>, Fault> {
        let cell = self.fields.digits(self.places[column]).filter(|cell| !cell.is_empty());
        match cell.and_then(Digits::amount) {
            Some(amount) => Ok(Some(amount)),
            None => self.number(column, cells::amount),
        }
    }

    /// E104: a number read by `read`, or nothing where the cell is empty.
    pub fn number<T>(
        &self,
        column: usize,
        read: impl Fn(&str) -> Result<T, NumberFault>,
    ) -> Result<Option<T>, Fault> {
        if self.bytes(column).is_empty() {
            return Ok(None);
        }
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        read(&text).map(Some).map_err(|fault| {
            let (column, value) = (self.title(column), shown(&text));
            let reason = match fault {
                NumberFault::Unreadable => Reason::BadNumber { column, value },
                NumberFault::Negative => Reason::NegativeNumber { column, value },
                NumberFault::Decimals => Reason::TooManyDecimals { column, value },
                NumberFault::NotWhole => Reason::NotWhole { column, value },
                NumberFault::TooLarge => Reason::AmountTooLarge { column, value },
            };
            Fault::new(Code::E104, reason)
        })
    }

    /// E106: one of the words that the column takes, or nothing where the cell is empty.
    pub fn word<T>(
        &self,
        column: usize,
        takes: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        if self.bytes(column).is_empty() {
            return Ok(None);
        }
        let text = self.text(column);
        if text.is_empty() {
            return Ok(None);
        }
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => {
                let reason =
                    Reason::BadWord { column: self.title(column), value: shown(&text), takes: takes.into() };
                Err(Fault::new(Code::E106, reason))
            }
        }
    }

    pub fn yes_no(&self, column: usize) -> Result<Option<bool>, Fault> {
        self.word(column, YES_NO, cells::yes_no)
    }

    /// E201: a valid ID number of somebody born by `day`.
    pub fn person(&self, column: usize, day: Date) -> Result<PersonId, Fault> {
        let refused = |reason| Fault::new(Code::E201, reason);
        let bytes = self.bytes(column);
        let person = PersonId::parse_with_birth(bytes)
            .or_else(|_| PersonId::parse_with_birth(self.text(column).as_bytes()));
        match person {
            Ok((_, birth)) if birth > day => Err(refused(Reason::BornLater { day })),
            Ok((person, _)) => Ok(person),
            Err(IdFault::Length(length)) => Err(refused(Reason::IdLength { length })),
            Err(IdFault::NotDigits) => Err(refused(Reason::IdNotDigits)),
            Err(IdFault::BirthDate) => Err(refused(Reason::IdBirthDate)),
            Err(IdFault::CheckDigit(_)) if bytes.ends_with(b"000") => Err(refused(Reason::IdCutByExcel)),
            Err(IdFault::CheckDigit(_)) => Err(refused(Reason::IdCheckDigit)),
            Err(IdFault::SpreadsheetNumber) => Err(refused(Reason::IdCutByExcel)),
        }
    }

    /// The refusal of this row. Columns whose place is not certain (E101) are left empty.
    pub fn reject(&self, kind: Kind, fault: Fault, ids: [Option<usize>; 3]) -> Reject {
        let certain = fault.code != Code::E101;
        let text = |column: Option<usize>| match column {
            Some(column) if certain => self.text(column).into_owned(),
            _ => String::new(),
        };
        let [contract, person, institution] = ids.map(text);
        Reject {
            kind,
            place: self.place(),
            contract: mask_within(&contract),
            person: match PersonId::parse(person.as_bytes()) {
                Ok(person) => person.masked(),
                Err(_) => mask(&person),
            },
            institution: hide_numbers(mask_within(&institution)),
            code: fault.code,
            reason: *fault.reason,
            clause: fault.clause,
        }
    }
}

/// What some distinct cells of a column stand for, those of the last rows at least: each has its slot by a
/// hash, and the last one of a slot stays.
pub struct Known<T>(Vec<(Packed, Option<T>)>);

const SLOTS: usize = 1024;

impl<T: Copy> Default for Known<T> {
    fn default() -> Known<T> {
        Known(vec![(Packed::default(), None); SLOTS])
    }
}

impl<T: Copy> Known<T> {
    /// What was said of a cell, if it was asked before.
    #[inline(always)]
    pub fn of(&self, cells: LineCells, line: usize) -> Option<T> {
        self.get(&cells.packed(line)?)
    }

    #[inline(always)]
    fn get(&self, word: &Packed) -> Option<T> {
        let (same, value) = &self.0[word.hash() % SLOTS];
        if same == word { *value } else { None }
    }
}

/// A cell as a message may show it: short, and with no ID number in it.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    hide_numbers(short)
}

/// The rows of one block.
pub struct BlockRows<'a> {
    pub(super) block: &'a Block,
    pub(super) columns: &'a Columns,
    pub(super) encoding: Encoding,
    pub(super) file: u16,
    pub(super) counted: &'a AtomicU64,
}

impl BlockRows<'_> {
    /// How many bytes its rows take.
    pub fn length(&self) -> usize {
        self.block.bytes.len()
    }

    /// Tells `row` every row.
    pub fn each(&self, mut row: impl FnMut(&Row)) {
        let text = self.encoding.is_text(&self.block.bytes);
        let (places, mut count) = (self.places(), 0);
        records(&self.block.bytes, self.block.first_line, &mut |record| {
            count += 1;
            row(&self.row(record, &places, text));
        });
        self.counted.fetch_add(count, Ordering::Relaxed);
    }

    /// Gives `usual` the rows that are whole, text, and have no quotes, as nearly all are, some at a time; it says
    /// which of them it took, one bit each. The others are told to `row`. Both get `with`.
    pub fn each_usual<W>(
        &self,
        with: &mut W,
        usual: impl FnMut(&mut W, &WholeRows) -> u64,
        row: impl FnMut(&mut W, &Row),
    ) {
        self.each_whole(false, with, usual, row);
    }

    /// [`BlockRows::each_usual`] where `usual` may get rows that are no text, and must take none of them: of a row that it
    /// takes each cell of the columns that are known is ASCII, or of bytes that were text before.
    pub fn each_vouched<W>(
        &self,
        with: &mut W,
        usual: impl FnMut(&mut W, &WholeRows) -> u64,
        row: impl FnMut(&mut W, &Row),
    ) {
        let no_other = self.columns.places().count() == self.columns.header.len();
        let plain = |starts: &Starts| !starts.may_have_nul() && starts.has_few_quotes();
        self.each_whole(no_other && self.block.starts().is_some_and(plain), with, usual, row);
    }

    fn each_whole<W>(
        &self,
        vouched: bool,
        with: &mut W,
        mut usual: impl FnMut(&mut W, &WholeRows) -> u64,
        mut row: impl FnMut(&mut W, &Row),
    ) {
        let bytes = &self.block.bytes;
        let (places, width) = (self.places(), self.columns.header.len());
        let (spoiled, text) = if vouched {
            (Vec::new(), false)
        } else {
            let spoiled = self.encoding.lines_of_no_text(bytes);
            let text = spoiled.is_empty();
            (spoiled, text)
        };
        let (mut count, mut others) = (0, 0);
        let usual = |with: &mut W, lines: &Lines| {
            let taken =
                usual(with, &WholeRows { lines, places: &places, file: self.file, encoding: self.encoding });
            count += u64::from(taken.count_ones());
            let is_text = |at| taken >> at & 1 == 0 || self.encoding.is_text(lines.raw(at));
            debug_assert!((0..lines.count()).all(is_text), "only what is text is taken");
            taken
        };
        let lines = (self.block.first_line, width, &spoiled[..]);
        usual_lines((bytes, self.block.starts()), lines, with, usual, |with, record| {
            others += 1;
            row(with, &self.row(record, &places, text));
        });
        self.counted.fetch_add(count + others, Ordering::Relaxed);
    }

    fn places(&self) -> Places {
        let mut places = [usize::MAX; MOST_COLUMNS];
        for (column, at) in self.columns.places() {
            places[column] = at;
        }
        places
    }

    fn row<'r>(&'r self, record: &'r Record, places: &'r Places, text: bool) -> Row<'r> {
        let fits = record.fields.count() == self.columns.header.len();
        let fields = if fits { record.fields } else { Fields::NONE };
        let whole = text & fits & record.fault.is_none();
        Row { record, fields, places, block: self, text, whole }
    }
}
