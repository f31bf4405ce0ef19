//! A file → its rows: header, encoding, blocks; and the refusals that any kind of row may get.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::code::Code;
use crate::base::diagnostic::{nearest, stop};
use crate::base::message::{FileFault, HeaderFault, Msg};
use crate::base::money::Fen;
use crate::base::period::Date;
use crate::base::person::{IdFault, PersonId, hide_numbers, mask, mask_within};
use crate::base::place::{Kind, Place};

use super::blocks::{Block, Digested, Raw, SheetNames, read_blocks};
use super::cells::{self, NumberFault, clean};
use super::columns::{Column, Columns, chinese_name};
use super::encoding::Encoding;
use super::folder::InputFile;
use super::institutions::Institutions;
use super::packed;
pub use super::record::TOGETHER;
use super::record::{
    End, Fields, LONGEST_RECORD, Lines, Record, RecordFault, record_end, records, usual_lines,
};
use super::short::{Packed, Short, id_hash};
use super::xlsx::Sheet;

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
    pub reason: Msg,
    pub clause: Option<Arc<str>>,
}

/// Why a row by itself is refused.
#[derive(Clone, Debug)]
pub struct Fault {
    pub code: Code,
    pub reason: Box<Msg>,
    pub clause: Option<Arc<str>>,
}

impl Fault {
    pub fn new(code: Code, reason: Msg) -> Fault {
        Fault { code, reason: Box::new(reason), clause: None }
    }

    /// A refusal by an article of the policy.
    pub fn by(code: Code, reason: Msg, clause: &Arc<str>) -> Fault {
        Fault { code, reason: Box::new(reason), clause: Some(Arc::clone(clause)) }
    }
}

/// What there is to say of a file that was read.
#[derive(Clone, Debug)]
pub struct FileFacts {
    pub kind: Kind,
    pub name: String,
    pub sha256: String,
    pub bytes: u64,
    /// Of a workbook.
    pub sheet: Option<String>,
    pub encoding: &'static str,
    /// Without the header and blank lines.
    pub rows: u64,
    /// What its SHA-256 took.
    pub hashing: Duration,
}

impl FileFacts {
    /// As places name the file: a workbook with its sheet.
    pub fn label(&self) -> String {
        label(&self.name, self.sheet.as_deref())
    }
}

fn label(file: &str, sheet: Option<&str>) -> String {
    sheet.map_or_else(|| file.to_string(), |sheet| format!("{file}[{sheet}]"))
}

/// A file whose header has been read.
pub struct Opened {
    pub file: InputFile,
    /// Its number in the run.
    pub index: u16,
    pub encoding: Encoding,
    pub columns: Columns,
    /// What there is to say of it.
    pub notices: Vec<Msg>,
    sheet: Option<OfSheet>,
    raw: Raw,
}

/// Where in a workbook a table stands.
#[derive(Clone)]
struct OfSheet {
    name: String,
    /// The row of its header.
    header: u32,
}

impl Opened {
    /// As places name the file: a workbook with its sheet.
    pub fn name(&self) -> String {
        label(&self.file.name, self.sheet.as_ref().map(|sheet| sheet.name.as_str()))
    }
}

/// Passes over what stands above the header of a sheet: the first of its rows that has all columns which the
/// kind must have, else the one that has the most.
fn find_header(sheet: &mut Sheet, kind: Kind, columns: &[Column]) -> Option<u32> {
    let known = |cells: &[String]| {
        let cells = cells.iter().map(|cell| cells::clean_text(cell)).collect();
        let found = Columns::find(kind, columns, cells);
        (found.missing.is_empty(), found.known())
    };
    let mut best: Option<(u32, (bool, usize))> = None;
    for (row, cells) in sheet.first_rows() {
        let known = known(cells);
        if best.is_none_or(|(_, before)| before < known && !before.0) {
            best = Some((*row, known));
        }
    }
    let (header, _) = best?;
    sheet.begin(header);
    Some(header)
}

/// What a file is that its name says is text.
fn disguise(start: &[u8]) -> Option<FileFault> {
    let form = match start {
        [b'P', b'K', 3, 4, ..] => ".xlsx",
        [0x1F, 0x8B, 8, ..] => ".csv.gz",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ".csv.zst",
        [0xD0, 0xCF, 0x11, 0xE0, ..] => ".xls",
        _ => return None,
    };
    Some(FileFault::Disguised { form })
}

/// Opens a file and reads its header; a required column that is missing stops the run.
pub fn open(file: InputFile, index: u16, columns: &[Column]) -> Result<Opened> {
    let path = file.path.display().to_string();
    let failed = |error: io::Error| cannot_read(&path, &error);
    let (mut raw, names) = Raw::open(&file.path, file.kind).map_err(failed)?;
    let header = raw.sheet().and_then(|sheet| find_header(sheet, file.kind, columns));
    raw.fill().map_err(failed)?;
    if let Some(fault) = disguise(&raw.buffer) {
        return Err(failed(packed::fault(fault)));
    }
    let (mut sheet, mut notices) = (None, Vec::new());
    if let Some(SheetNames { read, others }) = names {
        let of = OfSheet { name: read, header: header.unwrap_or_default() };
        let name = label(&file.name, Some(&of.name));
        if !others.is_empty() {
            notices.push(Msg::SheetsNotRead { file: name.clone(), others });
        }
        if of.header > 1 {
            notices.push(Msg::RowsAbove { file: name, header: of.header });
        }
        sheet = Some(of);
    }
    let bom = if sheet.is_some() { Some((Encoding::Sheet, 0)) } else { Encoding::of_bom(&raw.buffer) };
    if let Some((encoding, length)) = bom {
        raw.skip(length);
        if encoding.is_utf16() {
            raw.set_utf16(encoding);
        }
    }
    let Some(header) = header_record(&mut raw).map_err(failed)? else {
        return Err(stop(Msg::EmptyFile { path }, Some(Msg::ExportAgain)));
    };
    let read = |encoding| {
        let mut cells = Vec::new();
        records(&header, 1, &mut |record| {
            let fields = (0..record.fields.count()).map(|at| record.fields.get(at));
            cells = fields.map(|field| clean(field, encoding).into_owned()).collect();
        });
        Columns::find(file.kind, columns, cells)
    };
    let (encoding, columns) = match bom {
        Some((encoding, _)) => (encoding, read(Encoding::Utf8)),
        None => {
            let (utf8, gb) = (read(Encoding::Utf8), read(Encoding::Gb18030));
            if gb.known() > utf8.known() { (Encoding::Gb18030, gb) } else { (Encoding::Utf8, utf8) }
        }
    };
    if let Some(column) = columns.missing.first() {
        let chinese = chinese_name(file.kind, column);
        let header = columns.unknown.iter().map(String::as_str);
        let near = nearest(column, header.clone()).or_else(|| nearest(&chinese, header)).map(str::to_string);
        let fact = Msg::MissingColumns {
            path,
            columns: columns
                .missing
                .iter()
                .map(|name| (name.to_string(), chinese_name(file.kind, name)))
                .collect(),
        };
        let fault = header_fault(&columns.header);
        return Err(stop(fact, Some(Msg::ColumnsThere { there: columns.header, near, fault })));
    }
    Ok(Opened { file, index, encoding, columns, notices, sheet, raw })
}

fn header_fault(header: &[String]) -> HeaderFault {
    if header.iter().any(|cell| cell.contains(['\0', '\u{FFFD}'])) {
        HeaderFault::NotText
    } else if header.len() == 1 && header[0].contains([';', '\t', '|']) {
        HeaderFault::Separator
    } else if header.iter().filter(|cell| !cell.is_empty()).count() == 1 {
        HeaderFault::Title
    } else {
        HeaderFault::None
    }
}

pub fn cannot_read(path: &str, error: &io::Error) -> anyhow::Error {
    let why = match error.kind() {
        io::ErrorKind::IsADirectory => return stop(Msg::IsAFolder { path: path.to_string() }, None),
        io::ErrorKind::NotFound => return stop(Msg::NoSuchFile { path: path.to_string() }, None),
        _ => match error.get_ref().and_then(|inner| inner.downcast_ref::<FileFault>()) {
            Some(fault) => {
                let cure = Msg::MendFile { fault: fault.clone() };
                return stop(Msg::FaultyFile { path: path.to_string(), fault: fault.clone() }, Some(cure));
            }
            None => error.to_string(),
        },
    };
    stop(Msg::CannotRead { path: path.to_string(), why }, None)
}

/// Takes the first record that is not blank off the file.
fn header_record(raw: &mut Raw) -> io::Result<Option<Vec<u8>>> {
    loop {
        match record_end(&raw.buffer, raw.ended()) {
            End::Unknown if raw.buffer.len() <= 2 * LONGEST_RECORD => {
                if raw.ended() {
                    return Ok(None);
                }
                raw.fill()?;
            }
            End::At(length) | End::Damaged(length, _) => {
                let blank = raw.buffer[..length].iter().all(u8::is_ascii_whitespace);
                let header = raw.buffer[..length].to_vec();
                if blank && length == 0 {
                    return Ok(None);
                }
                raw.skip(length);
                if !blank {
                    return Ok(Some(header));
                }
            }
            End::Unknown => return Ok(Some(raw.buffer[..LONGEST_RECORD].to_vec())),
        }
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
        self.0.bytes(self.1, column)
    }

    #[inline(always)]
    fn packed(&self, column: usize) -> Option<Packed> {
        self.0.lines.packed(self.1, self.0.places[column])
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

    /// The bytes of a cell as they stand; empty where the file has no such column.
    #[inline(always)]
    pub fn bytes(&self, at: usize, column: usize) -> &'a [u8] {
        self.lines.get(at, self.places[column])
    }

    /// Whether the file has a column.
    pub fn has(&self, column: usize) -> bool {
        self.places[column] != usize::MAX
    }

    /// An id that is compared as it stands; nothing where it would have to be cleaned first, or is long.
    #[inline(always)]
    pub fn plain_id(&self, at: usize, column: usize) -> Option<Short> {
        let id = self.lines.short(at, self.places[column])?;
        if id.is_plain() { Some(id) } else { None }
    }

    /// [`WholeRows::plain_id`] of up to 32 bytes, as it stands.
    #[inline(always)]
    pub fn plain_bytes(&self, at: usize, column: usize) -> Option<&'a [u8]> {
        let plain = self.lines.packed(at, self.places[column])?.is_plain();
        if plain { Some(self.bytes(at, column)) } else { None }
    }

    /// What `known` says of a cell, if it was asked before.
    #[inline(always)]
    pub fn known<T: Copy>(&self, at: usize, column: usize, known: &Known<T>) -> Option<T> {
        known.get(&self.lines.packed(at, self.places[column])?)
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
    record: &'a Record<'a>,
    /// None where the record has not as many fields as the header: they would not be certain.
    fields: Fields<'a>,
    places: &'a Places,
    block: &'a BlockRows<'a>,
    /// All of the block is text.
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
            Some(RecordFault::TooLong) => Msg::RecordTooLong,
            Some(RecordFault::Quote) => Msg::QuoteNotClosed,
            None if got != want => Msg::FieldCount { want, got },
            None if !self.text && self.record.raw.contains(&0) => {
                return Err(Fault::new(Code::E105, Msg::NulByte));
            }
            None if !self.text && !self.block.encoding.is_text(self.record.raw) => {
                return Err(Fault::new(Code::E105, Msg::NotText { encoding: self.block.encoding.name() }));
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

    fn title(&self, column: usize) -> String {
        self.block.columns.title(column)
    }

    /// E102: the first of `columns` that is empty.
    pub fn required(&self, columns: impl IntoIterator<Item = usize>) -> Result<(), Fault> {
        match columns.into_iter().find(|column| {
            // A Chinese character (of these bytes in UTF-8 and GB18030 alike) is no blank either.
            let filled = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, 0xE4..=0xE9);
            !self.bytes(*column).first().is_some_and(filled) && self.text(*column).is_empty()
        }) {
            Some(column) => Err(Fault::new(Code::E102, Msg::Empty { column: self.title(column) })),
            None => Ok(()),
        }
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
                let reason =
                    if excel { Msg::ExcelDate { column, value } } else { Msg::BadDate { column, value } };
                Err(Fault::new(Code::E103, reason))
            }
        }
    }

    /// E104: an amount, or nothing where the cell is empty.
    pub fn amount(&self, column: usize) -> Result<Option<Fen>, Fault> {
        match self.bytes(column) {
            b"" => return Ok(None),
            b"0" => return Ok(Some(Fen::ZERO)),
            _ => {}
        }
        match cells::plain_amount(self.bytes(column)) {
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
                NumberFault::Unreadable => Msg::BadNumber { column, value },
                NumberFault::Negative => Msg::NegativeNumber { column, value },
                NumberFault::Decimals => Msg::TooManyDecimals { column, value },
                NumberFault::NotWhole => Msg::NotWhole { column, value },
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
                let reason = Msg::BadWord { column: self.title(column), value: shown(&text), takes };
                Err(Fault::new(Code::E106, reason))
            }
        }
    }

    pub fn yes_no(&self, column: usize) -> Result<Option<bool>, Fault> {
        self.word(column, YES_NO, cells::yes_no)
    }

    /// E201: a valid ID number of somebody born by `day`.
    pub fn person(&self, column: usize, day: Date) -> Result<(PersonId, Date), Fault> {
        let refused = |reason| Fault::new(Code::E201, reason);
        let bytes = self.bytes(column);
        let person = PersonId::parse_with_birth(bytes)
            .or_else(|_| PersonId::parse_with_birth(self.text(column).as_bytes()));
        match person {
            Ok((_, birth)) if birth > day => Err(refused(Msg::BornLater { day })),
            Ok(found) => Ok(found),
            Err(IdFault::Length(length)) => Err(refused(Msg::IdLength { length })),
            Err(IdFault::NotDigits) => Err(refused(Msg::IdNotDigits)),
            Err(IdFault::BirthDate) => Err(refused(Msg::IdBirthDate)),
            Err(IdFault::CheckDigit(_)) if bytes.ends_with(b"000") => Err(refused(Msg::IdCutByExcel)),
            Err(IdFault::CheckDigit(_)) => Err(refused(Msg::IdCheckDigit)),
            Err(IdFault::SpreadsheetNumber) => Err(refused(Msg::IdCutByExcel)),
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
            institution: hide_numbers(&mask_within(&institution)),
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
    #[inline(always)]
    fn get(&self, word: &Packed) -> Option<T> {
        let (same, value) = &self.0[word.hash() % SLOTS];
        if same == word { *value } else { None }
    }
}

/// A cell as a message may show it: short, and with no ID number in it.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    hide_numbers(&short)
}

/// The rows of one block.
pub struct BlockRows<'a> {
    block: &'a Block,
    columns: &'a Columns,
    encoding: Encoding,
    file: u16,
    counted: &'a AtomicU64,
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

    /// Gives `usual` the rows that are whole and have no quotes, as nearly all are, some at a time; it says
    /// which of them it took, one bit each. The others are told to `row`. Both get `with`.
    pub fn each_usual<W>(
        &self,
        with: &mut W,
        mut usual: impl FnMut(&mut W, &WholeRows) -> u64,
        mut row: impl FnMut(&mut W, &Row),
    ) {
        let bytes = &self.block.bytes;
        let text = self.encoding.is_text(bytes);
        if !text {
            return self.each(|one| row(with, one));
        }
        let (places, width) = (self.places(), self.columns.header.len());
        let (mut count, mut others) = (0, 0);
        let usual = |with: &mut W, lines: &Lines| {
            let taken =
                usual(with, &WholeRows { lines, places: &places, file: self.file, encoding: self.encoding });
            count += u64::from(taken.count_ones());
            taken
        };
        usual_lines(bytes, (self.block.first_line, width), with, usual, |with, record| {
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

/// A file that was read, so that single rows of it can be read again.
pub struct Again {
    file: InputFile,
    index: u16,
    encoding: Encoding,
    columns: Columns,
    marks: Vec<(u32, u64)>,
    /// The row of the header, where it is a sheet.
    header: Option<u32>,
    /// Whether a row can be found by the place of its bytes.
    plain: bool,
}

/// Reads a file through: `parse` makes something of a block's rows on any thread, `join` takes
/// the results, a wave at a time, in the order of the file.
pub fn read_rows<T: Send>(
    opened: Opened,
    progress: &(dyn Fn(u64) + Sync),
    parse: impl Fn(&BlockRows) -> T + Sync,
    join: impl FnMut(Vec<T>) + Send,
) -> Result<(FileFacts, Again)> {
    let parse = |(): &mut (), block: &BlockRows| parse(block);
    let (facts, again, _) = read_rows_with(opened, progress, || (), parse, join)?;
    Ok((facts, again))
}

/// [`read_rows`] where `parse` works with something that `start` makes, that goes from block to block, and
/// that is given back at the end: one for each thread.
pub fn read_rows_with<S: Send, T: Send>(
    opened: Opened,
    progress: &(dyn Fn(u64) + Sync),
    start: impl Fn() -> S + Sync,
    parse: impl Fn(&mut S, &BlockRows) -> T + Sync,
    join: impl FnMut(Vec<T>) + Send,
) -> Result<(FileFacts, Again, Vec<S>)> {
    let Opened { file, index, encoding, columns, sheet, raw, .. } = opened;
    let plain = raw.is_plain() && !encoding.is_utf16();
    let counted = AtomicU64::new(0);
    let rows = |with: &mut S, block: &Block| {
        parse(with, &BlockRows { block, columns: &columns, encoding, file: index, counted: &counted })
    };
    let read = read_blocks(raw, progress, start, rows, join);
    let (Digested { sha256, bytes, hashing, marks }, with) =
        read.map_err(|error| cannot_read(&file.path.display().to_string(), &error))?;
    let (kind, name, rows) = (file.kind, file.name.clone(), counted.into_inner());
    let header = sheet.as_ref().map(|sheet| sheet.header);
    let sheet = sheet.map(|sheet| sheet.name);
    let facts = FileFacts { kind, name, sha256, bytes, sheet, encoding: encoding.name(), rows, hashing };
    Ok((facts, Again { file, index, encoding, columns, marks, header, plain }, with))
}

impl Again {
    /// Reads the rows that start at `lines` (sorted) once more, and little else of the file.
    pub fn rows<T: Send>(&self, lines: &[u32], each: impl Fn(&Row) -> T + Sync) -> Result<Vec<T>> {
        if !self.plain {
            return self.rows_of_stream(lines, each);
        }
        let file = File::open(&self.file.path).map_err(|error| self.cannot_read(&error))?;
        let part = |at: usize| {
            let next = self.marks.get(at + 1);
            let (first_line, offset) = self.marks[at];
            let end = next.map_or(lines.len(), |(line, _)| lines.partition_point(|wanted| wanted < line));
            let lines = &lines[lines.partition_point(|wanted| *wanted < first_line)..end];
            let mut found = Vec::with_capacity(lines.len());
            if !lines.is_empty() {
                let length = next.map(|(_, next_offset)| (next_offset - offset) as usize);
                self.rows_from(&file, (first_line, offset, length), lines, |row| found.push(each(row)))
                    .map_err(|error| self.cannot_read(&error))?;
            }
            Ok(found)
        };
        let found: Result<Vec<Vec<T>>> = (0..self.marks.len()).into_par_iter().map(part).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    fn cannot_read(&self, error: &io::Error) -> anyhow::Error {
        cannot_read(&self.file.path.display().to_string(), error)
    }

    /// The rows that start at `lines`, from the place of a line on. `length`: how far it is to the next mark,
    /// where there is one; the last row may end behind it.
    fn rows_from(
        &self,
        file: &File,
        (first_line, offset, length): (u32, u64, Option<usize>),
        lines: &[u32],
        mut each: impl FnMut(&Row),
    ) -> io::Result<()> {
        let mut bytes = read_at(file, offset, length)?;
        let counted = AtomicU64::new(0);
        let (mut line, mut start) = (first_line, 0);
        for wanted in lines {
            while line < *wanted {
                start += memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len() - start, |at| at + 1);
                line += 1;
            }
            let mut end = record_end(&bytes[start..], false);
            if end == End::Unknown {
                bytes = read_at(file, offset, length.map(|length| length + 2 * LONGEST_RECORD))?;
                end = record_end(&bytes[start..], true);
            }
            let end = match end {
                End::At(length) | End::Damaged(length, _) => start + length,
                End::Unknown => bytes.len(),
            };
            let record = Block::new(bytes[start..end].to_vec(), line);
            let (columns, encoding, file) = (&self.columns, self.encoding, self.index);
            BlockRows { block: &record, columns, encoding, file, counted: &counted }.each(&mut each);
        }
        Ok(())
    }

    /// The text of UTF-16, of a compressed file and of a sheet has no place in the file: all of it is read again.
    fn rows_of_stream<T: Send>(&self, lines: &[u32], each: impl Fn(&Row) -> T + Sync) -> Result<Vec<T>> {
        let failed = |error: io::Error| self.cannot_read(&error);
        let (mut raw, _) = Raw::open(&self.file.path, self.file.kind).map_err(failed)?;
        if let (Some(sheet), Some(header)) = (raw.sheet(), self.header) {
            sheet.begin(header);
        }
        if self.encoding.is_utf16() {
            raw.fill().map_err(failed)?;
            raw.skip(2);
            raw.set_utf16(self.encoding);
        }
        let counted = AtomicU64::new(0);
        let (columns, encoding, file) = (&self.columns, self.encoding, self.index);
        let parse = |(): &mut (), block: &Block| {
            let mut found = Vec::new();
            let wanted = |row: &Row| lines.binary_search(&row.record.line).is_ok();
            BlockRows { block, columns, encoding, file, counted: &counted }.each(|row| {
                if wanted(row) {
                    found.push(each(row));
                }
            });
            found
        };
        let mut found = Vec::new();
        read_blocks(raw, &|_| {}, || (), parse, |wave| found.extend(wave.into_iter().flatten()))
            .map_err(failed)?;
        Ok(found)
    }
}

/// The bytes at `offset` of a file, to its end where no length is given.
fn read_at(file: &File, offset: u64, length: Option<usize>) -> io::Result<Vec<u8>> {
    let left = file.metadata()?.len().saturating_sub(offset) as usize;
    let mut bytes = vec![0; length.map_or(left, |length| length.min(left))];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// The lines of a file at `wanted` places, as a message may show them: one line, short, and with no
/// ID number in it.
pub fn excerpts(file: &InputFile, index: u16, wanted: &[Place]) -> Result<BTreeMap<Place, String>> {
    let mut found = BTreeMap::new();
    let lines: BTreeSet<u32> =
        wanted.iter().filter(|place| place.file == index).map(|place| place.line).collect();
    if lines.is_empty() {
        return Ok(found);
    }
    let opened = open(file.clone(), index, &[])?;
    let parse = |block: &BlockRows| {
        let mut shown = Vec::new();
        block.each(|row| {
            if lines.contains(&row.record.line) {
                let raw = &row.record.raw[..row.record.raw.len().min(2_000)];
                let text: String = row.block.encoding.decode(raw).chars().take(160).collect();
                let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                shown.push((row.place(), hide_numbers(&text)));
            }
        });
        shown
    };
    read_rows(opened, &|_| {}, parse, |wave| found.extend(wave.into_iter().flatten()))?;
    Ok(found)
}
