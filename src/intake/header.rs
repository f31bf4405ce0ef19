//! A file → its header: encoding, sheet, columns; a file that is no table stops the run.

use std::io;

use anyhow::Result;

use crate::base::diagnostic::{nearest, stop};
use crate::base::message::{FileFault, HeaderFault, Msg};
use crate::base::place::Kind;

use super::blocks::{Raw, SheetNames};
use super::cells::{self, clean};
use super::columns::{Column, Columns, chinese_name};
use super::encoding::Encoding;
use super::folder::InputFile;
use super::packed;
use super::quotes::{End, LONGEST_RECORD, record_end};
use super::record::records;
use super::stamp::Stamp;
use super::xlsx::{Sheet, SheetRow};

/// A file whose header has been read.
pub struct Opened {
    pub file: InputFile,
    /// Its number in the run.
    pub index: u16,
    pub encoding: Encoding,
    pub columns: Columns,
    /// What there is to say of it.
    pub notices: Vec<Msg>,
    pub(super) sheet: Option<OfSheet>,
    pub(super) raw: Raw,
    /// Of the file before its first byte was read.
    pub(super) stamp: Stamp,
}

/// Where in a workbook a table stands.
#[derive(Clone)]
pub(super) struct OfSheet {
    pub name: String,
    /// The row of its header.
    pub header: u32,
}

impl Opened {
    /// As places name the file: a workbook with its sheet.
    pub fn name(&self) -> String {
        label(&self.file.name, self.sheet.as_ref().map(|sheet| sheet.name.as_str()))
    }
}

/// Whether a row has all columns that a kind must have, and how many it has.
fn complete(kind: Kind, columns: &[Column], cells: &[String]) -> (bool, usize) {
    let cells = cells.iter().map(|cell| cells::clean_text(cell)).collect();
    let found = Columns::find(kind, columns, cells);
    (found.missing.is_empty(), found.known())
}

/// Passes over what stands above the header of a sheet: the first of its rows that has all columns which the
/// kind must have, else the one that has the most; says whether it has all.
fn find_header(sheet: &mut Sheet, kind: Kind, columns: &[Column]) -> Option<(u32, bool)> {
    let mut best: Option<(u32, (bool, usize))> = None;
    for (row, cells) in sheet.first_rows() {
        let known = complete(kind, columns, cells);
        if best.is_none_or(|(_, before)| before < known && !before.0) {
            best = Some((*row, known));
        }
    }
    let (header, (whole, _)) = best?;
    sheet.begin(header);
    Some((header, whole))
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
    let stamp = Stamp::of(&file).map_err(failed)?;
    let (mut raw, names) = Raw::open(&file.path, file.kind).map_err(failed)?;
    let header = raw.sheet().and_then(|sheet| find_header(sheet, file.kind, columns));
    let (header, read_whole) = header.map_or((None, false), |(header, whole)| (Some(header), whole));
    raw.fill().map_err(failed)?;
    if let Some(fault) = disguise(&raw.buffer) {
        return Err(failed(packed::fault(fault)));
    }
    let (mut sheet, mut notices) = (None, Vec::new());
    if let Some(SheetNames { read, others, rivals }) = names {
        // Whoever asks for no column looks for a line of the sheet that was read.
        let whole = |rows: &[SheetRow]| rows.iter().any(|(_, cells)| complete(file.kind, columns, cells).0);
        let rivals: Vec<_> =
            rivals.into_iter().filter(|(_, rows)| !columns.is_empty() && whole(rows)).collect();
        if !rivals.is_empty() {
            let names = rivals.into_iter().map(|(name, _)| name);
            let fault = match read_whole {
                true => FileFault::SheetsComplete { names: [read].into_iter().chain(names).collect() },
                false => FileFault::OtherSheet { first: read, names: names.collect() },
            };
            return Err(failed(packed::fault(fault)));
        }
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
    Ok(Opened { file, index, encoding, columns, notices, sheet, raw, stamp })
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
            None => error.into(),
        },
    };
    stop(Msg::CannotRead { path: path.to_string(), why }, None)
}

/// Takes the first record that is not blank off the file.
fn header_record(raw: &mut Raw) -> io::Result<Option<Vec<u8>>> {
    loop {
        // Blank lines above it, however many: at once.
        let blank = raw.buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(last) = raw.buffer[..blank].iter().rposition(|byte| *byte == b'\n') {
            raw.skip(last + 1);
        }
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

/// A file as places name it: a workbook with its sheet.
pub(super) fn label(file: &str, sheet: Option<&str>) -> String {
    sheet.map_or_else(|| file.to_string(), |sheet| format!("{file}[{sheet}]"))
}
