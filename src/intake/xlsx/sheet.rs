//! A sheet → CSV with a line for each of its rows, so that all behind reads it like any export: line 12 is
//! row 12, a cell is the text that a clerk sees. Hidden rows are rows.

use std::collections::VecDeque;
use std::io;

use quick_xml::events::Event;

use crate::intake::record::LONGEST_RECORD;

use super::formats::{Format, Formats};
use super::parts::{Xml, attribute, attributes, damaged};
use super::strings::Strings;
use super::values::shown;

/// How many rows and columns a sheet may have.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: usize = 16_384;

/// How far down the header may stand: so many rows with something in them are looked at.
const FIRST_ROWS: usize = 20;

/// A row with its number and its cells from the left; those that hold nothing are empty.
pub type SheetRow = (u32, Vec<String>);

/// A sheet being read, and what its cells refer to.
pub struct Sheet {
    xml: Xml,
    strings: Strings,
    formats: Formats,
    from_1904: bool,
    /// The last row that was met in the file.
    row: u32,
    ended: bool,
    /// Rows that were looked at and not yet given on.
    ahead: VecDeque<SheetRow>,
    /// The row that the next line of text stands for.
    line: u32,
    /// How many columns the header has.
    width: usize,
}

impl Sheet {
    pub fn new(xml: Xml, strings: Strings, formats: Formats, from_1904: bool) -> io::Result<Sheet> {
        let mut sheet = Sheet {
            xml,
            strings,
            formats,
            from_1904,
            row: 0,
            ended: false,
            ahead: VecDeque::new(),
            line: 1,
            width: 0,
        };
        while sheet.ahead.len() < FIRST_ROWS
            && let Some(row) = sheet.next_row()?
        {
            sheet.ahead.push_back(row);
        }
        Ok(sheet)
    }

    /// The first rows that are not blank, of which one is the header.
    pub fn first_rows(&self) -> impl Iterator<Item = &SheetRow> {
        self.ahead.iter()
    }

    /// Takes a row as the header: what stands above it is passed over.
    pub fn begin(&mut self, header: u32) {
        self.ahead.retain(|(row, _)| *row >= header);
        self.width = self.ahead.front().map_or(0, |(_, cells)| cells.len());
    }

    /// Appends at least `about` bytes of text, less at the end of the sheet; says whether it ended.
    pub fn append(&mut self, about: usize, out: &mut Vec<u8>) -> io::Result<bool> {
        let start = out.len();
        while out.len() - start < about {
            let next = match self.ahead.pop_front() {
                Some(row) => Some(row),
                None => self.next_row()?,
            };
            let Some((row, cells)) = next else { return Ok(true) };
            out.extend(std::iter::repeat_n(b'\n', (row - self.line) as usize));
            self.line = row + 1;
            write(&cells, self.width, out);
        }
        Ok(false)
    }

    /// The next row that is not blank.
    fn next_row(&mut self) -> io::Result<Option<SheetRow>> {
        while !self.ended {
            match self.xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "row" => {
                    let number = attribute(&element, "r")?;
                    let number = if number.is_empty() {
                        self.row + 1
                    } else {
                        number.parse().map_err(|_| damaged())?
                    };
                    if number <= self.row || number > MOST_ROWS {
                        return Err(damaged());
                    }
                    self.row = number;
                    let cells = self.cells()?;
                    if cells.iter().any(|cell| !cell.trim().is_empty()) {
                        return Ok(Some((number, cells)));
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "sheetData" => self.ended = true,
                Event::Eof => return Err(damaged()),
                _ => {}
            }
        }
        // What stands behind the rows is read to its end as well, so that a part that was cut is found.
        while !matches!(self.xml.next()?, Event::Eof) {}
        Ok(None)
    }

    /// The cells of the row that just started, up to the last that holds something.
    fn cells(&mut self) -> io::Result<Vec<String>> {
        let (mut cells, mut length) = (Vec::new(), 0);
        let mut column = 0;
        loop {
            let (style, kind) = match self.xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "c" => {
                    let [place, style, kind] = attributes(&element, ["r", "s", "t"])?;
                    if let Some(place) = place {
                        column = column_of(&place).ok_or_else(damaged)?;
                    }
                    (self.formats.of(style.as_deref()), Kind::of(kind.as_deref()))
                }
                Event::End(element) if element.local_name().as_ref() == "row" => return Ok(cells),
                Event::Eof => return Err(damaged()),
                _ => continue,
            };
            let text = self.cell(style, kind)?;
            if column >= MOST_COLUMNS {
                return Err(damaged());
            }
            // A row far longer than a record may be is refused by its length: the rest of it is not held.
            if !text.trim().is_empty() && length <= 2 * LONGEST_RECORD {
                length += text.len();
                if cells.len() <= column {
                    cells.resize(column + 1, String::new());
                }
                cells[column] = text;
            }
            column += 1;
        }
    }

    /// The text of the cell that just started.
    fn cell(&mut self, format: Format, kind: Kind) -> io::Result<String> {
        let (mut value, mut formula, mut inline) = (None, None, String::new());
        loop {
            let name = match self.xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "v" => 'v',
                    "f" => 'f',
                    "is" => 'i',
                    _ => ' ',
                },
                Event::End(_) => break,
                Event::Eof => return Err(damaged()),
                _ => continue,
            };
            let mut text = String::new();
            self.xml.text("rPh", &mut text)?;
            match name {
                'v' => value = Some(text),
                'f' => formula = Some(text),
                'i' => inline = text,
                _ => {}
            }
        }
        let stored = value.as_deref().unwrap_or_default();
        Ok(match kind {
            Kind::Shared if value.is_some() => {
                let text = stored.trim().parse().ok().and_then(|at| self.strings.get(at));
                unescaped(text.ok_or_else(damaged)?)
            }
            Kind::Inline => unescaped(&inline),
            Kind::Text if value.is_some() => unescaped(stored),
            // Nobody worked it out: to take it for empty could move money.
            _ if stored.is_empty() => formula.map_or(String::new(), |formula| format!("={formula}")),
            Kind::YesNo if stored == "0" => "FALSE".to_string(),
            Kind::YesNo => "TRUE".to_string(),
            Kind::Number => shown(stored, format, self.from_1904),
            Kind::Text | Kind::Shared | Kind::Other => stored.to_string(),
        })
    }
}

/// What a cell holds.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    /// One of the texts that cells share.
    Shared,
    Inline,
    /// What a formula came to.
    Text,
    YesNo,
    /// A day in ISO 8601, or the word of an error such as #N/A.
    Other,
}

impl Kind {
    fn of(word: Option<&str>) -> Kind {
        match word {
            None | Some("n") => Kind::Number,
            Some("s") => Kind::Shared,
            Some("inlineStr") => Kind::Inline,
            Some("str") => Kind::Text,
            Some("b") => Kind::YesNo,
            Some(_) => Kind::Other,
        }
    }
}

/// The column of `AB12`, from 0.
fn column_of(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let column =
        letters.take(4).fold(0, |sum, letter| sum * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    (1..=MOST_COLUMNS).contains(&column).then(|| column - 1)
}

/// `_x000D_` is how a workbook writes characters that XML does not hold.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let code = rest.get(2..6).filter(|_| rest.as_bytes().get(6) == Some(&b'_'));
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?)) {
            Some(c) => {
                out.push(c);
                rest = &rest[7..];
            }
            None => {
                out.push_str("_x");
                rest = &rest[2..];
            }
        }
    }
    out + rest
}

/// A row as a line of CSV, of at least `width` fields.
fn write(cells: &[String], width: usize, out: &mut Vec<u8>) {
    for at in 0..cells.len().max(width) {
        if at > 0 {
            out.push(b',');
        }
        let Some(cell) = cells.get(at) else { continue };
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
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_by_letters() {
        assert_eq!(
            ["A1", "Z9", "AA12", "XFD1", "XFE1", "12", "AAAAA1"].map(column_of),
            [Some(0), Some(25), Some(26), Some(16_383), None, None, None]
        );
    }

    #[test]
    fn escaped_characters_come_back() {
        assert_eq!(unescaped("a_x000D_b_x005F_x0041__x12"), "a\rb_x0041__x12");
        assert_eq!(unescaped("_x中文字符_"), "_x中文字符_");
    }

    #[test]
    fn a_row_is_a_line() {
        let mut out = Vec::new();
        write(&["a\nb".into(), String::new(), "x,\"y\"".into()], 5, &mut out);
        assert_eq!(out, b"a b,,\"x,\"\"y\"\"\",,\n");
    }
}
