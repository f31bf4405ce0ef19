//! A file → its rows: header, encoding, blocks; and the refusals that any kind of row may get.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use rayon::prelude::*;

use crate::base::code::Code;
use crate::base::diagnostic::{nearest, stop};
use crate::base::message::{HeaderFault, Msg};
use crate::base::money::Fen;
use crate::base::period::Date;
use crate::base::person::{IdFault, PersonId, hide_numbers, mask, mask_within};
use crate::base::place::{Kind, Place};

use super::blocks::{Block, Digested, Raw, read_blocks};
use super::cells::{self, NumberFault, clean};
use super::columns::{Column, Columns, chinese_name};
use super::encoding::Encoding;
use super::folder::InputFile;
use super::record::{End, LONGEST_RECORD, Record, RecordFault, record_end, records};
use super::short::{Short, id_hash};

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
    pub encoding: &'static str,
    /// Without the header and blank lines.
    pub rows: u64,
}

/// A file whose header has been read.
pub struct Opened {
    pub file: InputFile,
    /// Its number in the run.
    pub index: u16,
    pub encoding: Encoding,
    pub columns: Columns,
    raw: Raw,
}

/// Opens a file and reads its header; a required column that is missing stops the run.
pub fn open(file: InputFile, index: u16, columns: &[Column]) -> Result<Opened> {
    let path = file.path.display().to_string();
    let failed = |error: io::Error| cannot_read(&path, &error);
    let mut raw = Raw::open(&file.path).map_err(failed)?;
    raw.fill().map_err(failed)?;
    let bom = Encoding::of_bom(&raw.buffer);
    if let Some((encoding, length)) = bom {
        raw.skip(length);
        if encoding != Encoding::Utf8Bom {
            raw.set_utf16(encoding);
        }
    }
    let Some(header) = header_record(&mut raw).map_err(failed)? else {
        return Err(stop(Msg::EmptyFile { path }, Some(Msg::ExportAgain)));
    };
    let read = |encoding| {
        let mut cells = Vec::new();
        records(&header, 1, |record| {
            cells = (0..record.width()).map(|at| clean(record.field(at), encoding).into_owned()).collect();
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
    Ok(Opened { file, index, encoding, columns, raw })
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
        _ => error.to_string(),
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

/// One record with what is needed to read its cells.
pub struct Row<'a> {
    record: &'a Record<'a>,
    /// Which field of the record each known column is; past the last where the file has none.
    fields: &'a [usize; MOST_COLUMNS],
    columns: &'a Columns,
    encoding: Encoding,
    file: u16,
    text: bool,
    /// It has as many fields as the header. If not, its cells are not certain, and read as empty.
    fits: bool,
}

impl<'a> Row<'a> {
    pub fn place(&self) -> Place {
        Place { file: self.file, line: self.record.line }
    }

    /// Whether nothing is wrong with the row as a whole, as is so for nearly all.
    pub fn is_whole(&self) -> bool {
        self.text && self.fits && self.record.fault.is_none()
    }

    /// E101 and E105: the row as a whole.
    pub fn whole(&self) -> Result<(), Fault> {
        if self.is_whole() {
            return Ok(());
        }
        let (got, want) = (self.record.width(), self.columns.header.len());
        let reason = match self.record.fault {
            Some(RecordFault::TooLong) => Msg::RecordTooLong,
            Some(RecordFault::Quote) => Msg::QuoteNotClosed,
            None if got != want => Msg::FieldCount { want, got },
            None if !self.text && self.record.raw.contains(&0) => {
                return Err(Fault::new(Code::E105, Msg::NulByte));
            }
            None if !self.text && !self.encoding.is_text(self.record.raw) => {
                return Err(Fault::new(Code::E105, Msg::NotText { encoding: self.encoding.name() }));
            }
            None => return Ok(()),
        };
        Err(Fault::new(Code::E101, reason))
    }

    pub fn has(&self, column: usize) -> bool {
        self.columns.position(column).is_some()
    }

    /// The bytes of a cell as they stand; empty where the file has no such column.
    #[inline]
    pub fn bytes(&self, column: usize) -> &'a [u8] {
        if self.fits { self.record.field(self.fields[column]) } else { b"" }
    }

    /// What `known` says of a cell, looked up by its bytes: a column of a few words is decoded and
    /// cleaned once for each of them, not once a row.
    pub fn known<T: Copy>(&self, column: usize, known: &mut Known<T>, read: impl FnOnce(&str) -> T) -> T {
        let bytes = self.bytes(column);
        let at = (id_hash(&bytes[..bytes.len().min(16)]) as usize ^ bytes.len()) % SLOTS;
        match &known.0[at] {
            Some((same, value)) if **same == *bytes => *value,
            _ => {
                let value = read(&self.text(column));
                known.0[at] = Some((bytes.into(), value));
                value
            }
        }
    }

    /// The cleaned text of a cell; empty where the file has no such column.
    pub fn text(&self, column: usize) -> Cow<'a, str> {
        clean(self.bytes(column), self.encoding)
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

    #[cold]
    fn cleaned_id(&self, column: usize) -> Cow<'a, [u8]> {
        match self.text(column) {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        }
    }

    fn title(&self, column: usize) -> String {
        self.columns.title(column)
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
pub struct Known<T>(Vec<Option<Word<T>>>);

/// A cell's bytes, and what they stand for.
type Word<T> = (Box<[u8]>, T);

const SLOTS: usize = 1024;

impl<T> Default for Known<T> {
    fn default() -> Known<T> {
        Known((0..SLOTS).map(|_| None).collect())
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
    pub fn each(&self, mut row: impl FnMut(&Row)) {
        let text = self.encoding.is_text(&self.block.bytes);
        let mut count = 0;
        let mut fields = [usize::MAX; MOST_COLUMNS];
        for (column, at) in self.columns.places() {
            fields[column] = at;
        }
        let width = self.columns.header.len();
        records(&self.block.bytes, self.block.first_line, |record| {
            count += 1;
            row(&Row {
                record,
                fields: &fields,
                columns: self.columns,
                encoding: self.encoding,
                file: self.file,
                text,
                fits: record.width() == width,
            });
        });
        self.counted.fetch_add(count, Ordering::Relaxed);
    }
}

/// A file that was read, so that single rows of it can be read again.
pub struct Again {
    file: InputFile,
    index: u16,
    encoding: Encoding,
    columns: Columns,
    blocks: Vec<(u32, u64)>,
}

/// Reads a file through: `parse` makes something of a block's rows on any thread, `join` takes
/// the results, a wave at a time, in the order of the file.
pub fn read_rows<T: Send>(
    opened: Opened,
    progress: &(dyn Fn(u64) + Sync),
    parse: impl Fn(&BlockRows) -> T + Sync,
    join: impl FnMut(Vec<T>),
) -> Result<(FileFacts, Again)> {
    let Opened { file, index, encoding, columns, raw } = opened;
    let counted = AtomicU64::new(0);
    let rows = |block: &Block| {
        parse(&BlockRows { block, columns: &columns, encoding, file: index, counted: &counted })
    };
    let read = read_blocks(raw, progress, rows, join);
    let Digested { sha256, bytes, blocks } =
        read.map_err(|error| cannot_read(&file.path.display().to_string(), &error))?;
    let (kind, name, rows) = (file.kind, file.name.clone(), counted.into_inner());
    let facts = FileFacts { kind, name, sha256, bytes, encoding: encoding.name(), rows };
    Ok((facts, Again { file, index, encoding, columns, blocks }))
}

impl Again {
    /// Reads the rows that start at `lines` (sorted) once more. Only the blocks that hold one are read.
    pub fn rows<T: Send>(&self, lines: &[u32], each: impl Fn(&Row) -> T + Sync) -> Result<Vec<T>> {
        if matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be) {
            return self.rows_of_utf16(lines, each);
        }
        let block = |at: usize| {
            let next = self.blocks.get(at + 1);
            let (first_line, offset) = self.blocks[at];
            let end = next.map_or(lines.len(), |(line, _)| lines.partition_point(|wanted| wanted < line));
            let lines = &lines[lines.partition_point(|wanted| *wanted < first_line)..end];
            let mut found = Vec::with_capacity(lines.len());
            if !lines.is_empty() {
                let length = next.map(|(_, next_offset)| next_offset - offset);
                let bytes =
                    read_at(&self.file.path, offset, length).map_err(|error| self.cannot_read(&error))?;
                self.rows_of(&bytes, first_line, lines, |row| found.push(each(row)));
            }
            Ok(found)
        };
        let found: Result<Vec<Vec<T>>> = (0..self.blocks.len()).into_par_iter().map(block).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    fn cannot_read(&self, error: &io::Error) -> anyhow::Error {
        cannot_read(&self.file.path.display().to_string(), error)
    }

    /// The rows of a block that start at `lines`.
    fn rows_of(&self, bytes: &[u8], first_line: u32, lines: &[u32], mut each: impl FnMut(&Row)) {
        // Lines are counted some thousand bytes at a time up to the part where the wanted one starts.
        const PART: usize = 4 << 10;
        let counted = AtomicU64::new(0);
        let (mut line, mut start) = (first_line, 0);
        for wanted in lines {
            loop {
                let part = &bytes[start..bytes.len().min(start + PART)];
                let breaks = memchr::memchr_iter(b'\n', part).count() as u32;
                if line + breaks >= *wanted || part.is_empty() {
                    break;
                }
                line += breaks;
                start += part.len();
            }
            while line < *wanted {
                start += memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len() - start, |at| at + 1);
                line += 1;
            }
            let end = match record_end(&bytes[start..], true) {
                End::At(length) | End::Damaged(length, _) => start + length,
                End::Unknown => bytes.len(),
            };
            let record = Block { bytes: bytes[start..end].to_vec(), first_line: line, offset: 0 };
            let (columns, encoding, file) = (&self.columns, self.encoding, self.index);
            BlockRows { block: &record, columns, encoding, file, counted: &counted }.each(&mut each);
        }
    }

    /// The text of UTF-16 has no place in the file: all of it is read again.
    fn rows_of_utf16<T>(&self, lines: &[u32], each: impl Fn(&Row) -> T) -> Result<Vec<T>> {
        let failed = |error: io::Error| self.cannot_read(&error);
        let mut raw = Raw::open(&self.file.path).map_err(failed)?;
        raw.fill().map_err(failed)?;
        raw.skip(2);
        raw.set_utf16(self.encoding);
        while !raw.ended() {
            raw.fill().map_err(failed)?;
        }
        let counted = AtomicU64::new(0);
        let block = Block { bytes: std::mem::take(&mut raw.buffer), first_line: 1, offset: 0 };
        let (columns, encoding, file) = (&self.columns, self.encoding, self.index);
        let mut found = Vec::new();
        BlockRows { block: &block, columns, encoding, file, counted: &counted }.each(|row| {
            if lines.binary_search(&row.record.line).is_ok() {
                found.push(each(row));
            }
        });
        Ok(found)
    }
}

/// The bytes at `offset` of a file, to its end where no length is given.
fn read_at(path: &Path, offset: u64, length: Option<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(length.unwrap_or(0) as usize);
    file.take(length.unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
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
                let text: String = row.encoding.decode(raw).chars().take(160).collect();
                let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                shown.push((row.place(), hide_numbers(&text)));
            }
        });
        shown
    };
    read_rows(opened, &|_| {}, parse, |wave| found.extend(wave.into_iter().flatten()))?;
    Ok(found)
}
