//! One CSV file: rows are built as UTF-8 and turned into the wanted encoding when they end.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use encoding_rs::GB18030;

use super::chance::Rng;
use super::days::{Day, year_month_day};

/// How exports are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// UTF-8, English headers, LF, 2020-01-03.
    Utf8,
    /// GB18030, Chinese headers, CRLF, 2020/1/3.
    Gb18030,
}

/// A byte that no text holds, in place of which one is written that the encoding does not have (E105).
const SPOILED: u8 = 1;

pub struct Sheet {
    file: File,
    buffer: Vec<u8>,
    row: Vec<u8>,
    fields: usize,
    pub rows: u64,
    form: Form,
}

impl Sheet {
    /// `columns`: the English and the Chinese name of each.
    pub fn create(folder: &Path, name: &str, form: Form, columns: &[(&str, &str)]) -> io::Result<Sheet> {
        let mut sheet = Sheet {
            file: File::options().write(true).create_new(true).mode(0o600).open(folder.join(name))?,
            buffer: Vec::with_capacity(1 << 20),
            row: Vec::with_capacity(256),
            fields: 0,
            rows: 0,
            form,
        };
        for (english, chinese) in columns {
            sheet.text(if form == Form::Gb18030 { chinese } else { english });
        }
        sheet.end_row()?;
        sheet.rows = 0;
        Ok(sheet)
    }

    pub fn field(&mut self) -> &mut Vec<u8> {
        if self.fields > 0 {
            self.row.push(b',');
        }
        self.fields += 1;
        &mut self.row
    }

    /// A cell; in quotation marks where its text needs them.
    pub fn text(&mut self, text: &str) {
        let row = self.field();
        if text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            row.push(b'"');
            row.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            row.push(b'"');
        } else {
            row.extend_from_slice(text.as_bytes());
        }
    }

    /// Adds a byte to the last cell that is no text.
    pub fn spoil(&mut self) {
        self.row.push(SPOILED);
    }

    /// A letter and a number, so many digits wide.
    pub fn label(&mut self, letter: u8, number: u64, digits: u32) {
        let row = self.field();
        row.push(letter);
        push_number(row, number, digits);
    }

    pub fn number(&mut self, number: u64) {
        push_number(self.field(), number, 1);
    }

    pub fn fen(&mut self, fen: u64) {
        let row = self.field();
        push_number(row, fen / 100, 1);
        row.push(b'.');
        push_number(row, fen % 100, 2);
    }

    pub fn date(&mut self, day: Option<Day>) {
        let form = self.form;
        let row = self.field();
        if let Some(day) = day {
            push_date(row, day, form);
        }
    }

    pub fn date_and_time(&mut self, day: Day, second: u64) {
        let form = self.form;
        let row = self.field();
        push_date(row, day, form);
        row.push(b' ');
        push_number(row, second / 3600, if form == Form::Gb18030 { 1 } else { 2 });
        row.push(b':');
        push_number(row, second / 60 % 60, 2);
        row.push(b':');
        push_number(row, second % 60, 2);
    }

    /// The id or the name; in a Chinese file always the name. Both forms take the same draw.
    pub fn word(&mut self, rng: &mut Rng, id: &str, name: &str) {
        let coin = rng.percent(50);
        // Full-width brackets are read as plain ones, by which a rule file does not know the name.
        let wide = name.bytes().any(|byte| byte == 0xef);
        self.text(if !wide && (self.form == Form::Gb18030 || coin) { name } else { id });
    }

    pub fn end_row(&mut self) -> io::Result<()> {
        let start = self.buffer.len();
        if self.form == Form::Gb18030 {
            let row = std::str::from_utf8(&self.row).expect("rows are built as UTF-8");
            let (bytes, _, _) = GB18030.encode(row);
            self.buffer.extend_from_slice(&bytes);
            self.buffer.push(b'\r');
        } else {
            self.buffer.extend_from_slice(&self.row);
        }
        if self.row.contains(&SPOILED) {
            self.buffer[start..].iter_mut().filter(|byte| **byte == SPOILED).for_each(|byte| *byte = 0xff);
        }
        self.buffer.push(b'\n');
        self.row.clear();
        self.fields = 0;
        self.rows += 1;
        if self.buffer.len() > (1 << 20) - 4096 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// How many rows it has, without the header.
    pub fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.rows)
    }
}

pub fn push_number(row: &mut Vec<u8>, mut number: u64, digits: u32) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while number > 0 {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    row.extend_from_slice(&text[at.min(text.len() - digits as usize)..]);
}

fn push_date(row: &mut Vec<u8>, day: Day, form: Form) {
    let (y, m, d) = year_month_day(day);
    let (mark, digits) = if form == Form::Gb18030 { (b'/', 1) } else { (b'-', 2) };
    push_number(row, y, 4);
    row.push(mark);
    push_number(row, m, digits);
    row.push(mark);
    push_number(row, d, digits);
}
