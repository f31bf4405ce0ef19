//! A sheet → CSV with a line for each of its rows, so that all behind reads it like any export: line 12 is
//! row 12, a cell is the text that a clerk sees. Hidden rows are rows.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader};

use calamine::{DataRef, Xlsx, XlsxFormulaMetadata};

use crate::base::message::FileFault;
use crate::intake::packed::fault;
use crate::intake::quotes::LONGEST_RECORD;

use super::check::damaged;
use super::formats::Format;
use super::values::shown;
use super::{failed, failed_at};

/// How many rows and columns a sheet may have.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 16_384;

/// How much text of a sheet is held; a full one with twenty columns takes some 300 MB.
const MOST_TEXT: usize = 1 << 30;

/// How far down the header may stand: so many rows with something in them are looked at.
const FIRST_ROWS: usize = 20;

/// A row with its number and its cells from the left; those that hold nothing are empty.
pub type SheetRow = (u32, Vec<String>);

pub type Book = Xlsx<BufReader<File>>;

/// The rows of a sheet that are not blank.
#[derive(Default)]
pub struct Sheet {
    /// Their cells as CSV, one behind the other.
    text: Vec<u8>,
    rows: Vec<Row>,
    first: Vec<SheetRow>,
    /// How many rows were given on, and the row that the next line of text stands for.
    given: usize,
    line: u32,
    /// How many columns the header has.
    width: u32,
}

struct Row {
    number: u32,
    cells: u32,
    /// Where its text ends.
    end: u32,
}

impl Sheet {
    /// Reads a sheet, of which `formulas` says whether any cell has one.
    pub fn read(book: &mut Book, name: &str, formulas: bool) -> io::Result<Sheet> {
        let formulas = if formulas { without_value(book, name)? } else { HashMap::new() };
        let mut sheet = Sheet { line: 1, ..Sheet::default() };
        sheet.read_rows(book, name, &formulas, usize::MAX)?;
        Ok(sheet)
    }

    /// The first rows of a sheet, for a look at its header; as many as can be read.
    pub fn first(book: &mut Book, name: &str) -> Sheet {
        let mut sheet = Sheet::default();
        let _ = sheet.read_rows(book, name, &HashMap::new(), FIRST_ROWS);
        sheet
    }

    /// Up to `most` rows that are not blank.
    fn read_rows(&mut self, book: &mut Book, name: &str, formulas: &Formulas, most: usize) -> io::Result<()> {
        let from_1904 = book.has_1904_epoch();
        let mut cells = book.worksheet_cells_reader(name).map_err(failed)?;
        let formats: Vec<Format> = cells.styles().iter().map(Format::of).collect();
        let (mut last, mut row, mut length) = (None, Vec::new(), 0);
        while self.rows.len() < most {
            // Rows are counted from 0 here, and from 1 by people.
            let (cell, style) = match cells.next_cell_with_style_id() {
                Ok(Some(cell)) => cell,
                Ok(None) => break,
                Err(error) => {
                    let above = last.map_or(1, |(row, _)| row + 1);
                    self.push(above, &mut row)?;
                    return Err(failed_at(error, name, above));
                }
            };
            let (at, column) = cell.get_position();
            if last >= Some((at, column)) || at >= MOST_ROWS || column >= MOST_COLUMNS {
                return Err(damaged());
            }
            if let Some((before, _)) = last.replace((at, column))
                && before < at
            {
                self.push(before + 1, &mut row)?;
                length = 0;
            }
            let number = |value| {
                // A file whose styles were not found could mean 95% by its 0.95.
                let format = formats.get(style).copied().or((style == 0).then_some(Format::Number));
                Ok::<_, io::Error>(shown(value, format.ok_or_else(damaged)?, from_1904))
            };
            // A row far longer than a record may be is refused by its length: the rest of it is not held.
            if length > 2 * LONGEST_RECORD {
                continue;
            }
            let text = match cell.get_value() {
                DataRef::Empty => {
                    formulas.get(&(at, column)).map_or(String::new(), |text| format!("={text}"))
                }
                DataRef::Float(value) => number(*value)?,
                DataRef::DateTime(value) => number(value.as_f64())?,
                DataRef::Int(value) => value.to_string(),
                DataRef::DateTimeIso(text) if text.is_empty() => return Err(damaged()),
                DataRef::SharedString(text) => text.to_string(),
                DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
                    text.clone()
                }
                DataRef::Bool(yes) => if *yes { "TRUE" } else { "FALSE" }.to_string(),
                DataRef::Error(error) => error.to_string(),
            };
            if !text.trim().is_empty() {
                length += text.len();
                row.resize(column as usize, String::new());
                row.push(text);
            }
        }
        if let Some((before, _)) = last.filter(|_| self.rows.len() < most) {
            self.push(before + 1, &mut row)?;
        }
        Ok(())
    }

    /// Keeps a row that is not blank, and takes its cells.
    fn push(&mut self, number: u32, cells: &mut Vec<String>) -> io::Result<()> {
        if cells.is_empty() {
            return Ok(());
        }
        write(cells, &mut self.text);
        if self.text.len() > MOST_TEXT {
            return Err(fault(FileFault::TooLarge));
        }
        self.rows.push(Row { number, cells: cells.len() as u32, end: self.text.len() as u32 });
        if self.first.len() < FIRST_ROWS {
            self.first.push((number, cells.clone()));
        }
        cells.clear();
        Ok(())
    }

    /// The first rows that are not blank, of which one is the header.
    pub fn first_rows(&self) -> impl Iterator<Item = &SheetRow> {
        self.first.iter()
    }

    /// Takes a row as the header: what stands above it is passed over.
    pub fn begin(&mut self, header: u32) {
        self.given = self.rows.partition_point(|row| row.number < header);
        self.width = self.rows.get(self.given).map_or(0, |row| row.cells);
    }

    /// Appends at least `about` bytes of text, less at the end of the sheet; says whether it ended.
    pub fn append(&mut self, about: usize, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        while out.len() - start < about {
            let Some(row) = self.rows.get(self.given) else { return true };
            let begin = self.given.checked_sub(1).map_or(0, |before| self.rows[before].end);
            out.extend(std::iter::repeat_n(b'\n', (row.number - self.line) as usize));
            out.extend_from_slice(&self.text[begin as usize..row.end as usize]);
            out.extend(std::iter::repeat_n(b',', self.width.saturating_sub(row.cells) as usize));
            out.push(b'\n');
            self.line = row.number + 1;
            self.given += 1;
        }
        false
    }
}

/// Formulas by their row and column.
type Formulas = HashMap<(u32, u32), String>;

/// Formulas that nobody worked out, by their row and column: to take them for empty could move money.
fn without_value(book: &mut Book, name: &str) -> io::Result<Formulas> {
    let mut cells = book.worksheet_cells_reader(name).map_err(failed)?;
    let (mut found, mut length, mut last) = (HashMap::new(), 0, 0);
    loop {
        let above = |error| failed_at(error, name, last + 1);
        let Some(cell) = cells.next_cell_with_formula_metadata().map_err(above)? else { break };
        last = cell.pos.0;
        let (DataRef::Empty, Some(formula)) = (&cell.value, cell.formula) else { continue };
        let text = match formula {
            XlsxFormulaMetadata::Normal { formula } | XlsxFormulaMetadata::Shared { formula, .. } => formula,
            _ => String::new(),
        };
        length += text.len() + 64;
        if length > MOST_TEXT {
            return Err(fault(FileFault::TooLarge));
        }
        found.insert(cell.pos, text);
    }
    Ok(found)
}

/// Cells as CSV.
fn write(cells: &[String], out: &mut Vec<u8>) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let quoted = cell.contains(['"', ',']);
        if quoted {
            out.push(b'"');
        }
        for byte in cell.bytes() {
            match byte {
                // A line is a row, so that a cell's own line breaks are blanks.
                b'\n' | b'\r' | 0 => out.push(b' '),
                b'"' => out.extend(b"\"\""),
                byte => out.push(byte),
            }
        }
        if quoted {
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_line() {
        let mut sheet = Sheet { line: 1, ..Sheet::default() };
        sheet.push(2, &mut vec!["title".into()]).expect("it is short");
        sheet.push(4, &mut ["a", "b", "c", "d"].map(String::from).to_vec()).expect("it is short");
        sheet.push(7, &mut vec!["a\nb".into(), String::new(), "x,\"y\"".into()]).expect("it is short");
        sheet.begin(4);
        let mut out = Vec::new();
        assert!(!sheet.append(1, &mut out));
        assert!(sheet.append(100, &mut out));
        assert_eq!(String::from_utf8_lossy(&out), "\n\n\na,b,c,d\n\n\na b,,\"x,\"\"y\"\"\",\n");
    }
}
