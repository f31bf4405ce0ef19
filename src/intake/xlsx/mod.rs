//! A workbook (.xlsx) → the text of one sheet. A library reads it; ours is what it is looked through for before,
//! which sheet counts, and what of a cell a clerk sees.

mod check;
mod formats;
mod sheet;
mod values;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use calamine::{Reader, Sheet as Listed, SheetType, SheetVisible, XlsxError};

use crate::base::message::FileFault;
use crate::base::place::Kind;

use super::columns::is_sheet_of;
use super::packed::fault;
use check::{check, damaged, unpacking};
use sheet::Book;
pub use sheet::{Sheet, SheetRow};

/// A workbook whose sheet is about to be read.
pub struct Workbook {
    pub sheet: Sheet,
    /// The name of the sheet.
    pub name: String,
    /// The names of the others.
    pub others: Vec<String>,
    /// Where no sheet is named like the kind: the first rows of the other ones that are not hidden.
    pub rivals: Vec<(String, Vec<SheetRow>)>,
}

/// The start of an old workbook, and of one with a password.
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Opens the sheet of a workbook that holds `kind`: the one that is named like it, else the first.
pub fn open(mut file: File, kind: Kind) -> io::Result<Workbook> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(8).read_to_end(&mut start)?;
    match start.as_slice() {
        [] => return Err(fault(FileFault::EmptyWorkbook)),
        COMPOUND => {
            let encrypted = holds(
                &mut file,
                &"EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            )?;
            return Err(fault(if encrypted { FileFault::Encrypted } else { FileFault::OldWorkbook }));
        }
        [b'P', b'K', ..] => {}
        _ => return Err(fault(FileFault::NoWorkbook)),
    }
    file.rewind()?;
    let formulas = check(&file)?;
    file.rewind()?;
    let mut book = Book::new(BufReader::new(file)).map_err(failed)?;
    // Charts and dialogs are sheets as well.
    let mut all = book.sheets_metadata().to_vec();
    all.retain(|one| one.typ == SheetType::WorkSheet);
    let named: Vec<_> = all.iter().filter(|one| is_sheet_of(kind, &plain(&one.name))).collect();
    let taken = match named.as_slice() {
        [_, _, ..] => {
            let names = named.iter().map(|one| plain(&one.name)).collect();
            return Err(fault(FileFault::SheetsAlike { names }));
        }
        [one] => one,
        [] => {
            let visible = all.iter().find(|one| one.visible == SheetVisible::Visible);
            visible.or(all.first()).ok_or_else(|| fault(FileFault::NoWorkbook))?
        }
    };
    let (same, others): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.name == taken.name);
    if same.len() > 1 {
        return Err(damaged());
    }
    let visible = |one: &&&Listed| named.is_empty() && one.visible == SheetVisible::Visible;
    let rivals = others.iter().filter(visible).map(|one| {
        let sheet = Sheet::first(&mut book, &one.name);
        (plain(&one.name), sheet.first_rows().cloned().collect())
    });
    let rivals = rivals.collect();
    let others = others.into_iter().map(|one| plain(&one.name)).collect();
    let sheet = Sheet::read(&mut book, &taken.name, formulas)?;
    Ok(Workbook { sheet, name: plain(&taken.name), others, rivals })
}

/// What is wrong with a sheet that could not be read beyond a row.
fn failed_at(error: XlsxError, sheet: &str, row: u32) -> io::Error {
    match error {
        XlsxError::CellError(word) => {
            fault(FileFault::ErrorWord { word: plain(&word), sheet: plain(sheet), row })
        }
        error => failed(error),
    }
}

/// What is wrong with a workbook that could not be read.
fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::FileNotFound(_) | XlsxError::RelationshipNotFound => fault(FileFault::NoWorkbook),
        XlsxError::Io(error) => unpacking(&error),
        XlsxError::Xml(quick_xml::Error::Io(error)) => unpacking(&error),
        _ => damaged(),
    }
}

/// Whether `wanted` stands anywhere in what is left of a file.
fn holds(file: &mut File, wanted: &[u8]) -> io::Result<bool> {
    let mut bytes = Vec::new();
    loop {
        let kept = bytes.len().saturating_sub(wanted.len());
        bytes.drain(..kept);
        if Read::by_ref(file).take(1 << 20).read_to_end(&mut bytes)? == 0 {
            return Ok(false);
        }
        if memchr::memmem::find(&bytes, wanted).is_some() {
            return Ok(true);
        }
    }
}

/// A word out of a workbook as a message may show it; Excel's names of sheets are no longer than 31 characters.
fn plain(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(31).collect();
    crate::base::person::hide_numbers(name)
}
