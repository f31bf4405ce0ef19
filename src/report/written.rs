//! A CSV file as it is written: its cells disarmed, its bytes hashed, a long list made by all threads.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::output::CsvForm;

/// A file that was written: its name, length and hash.
#[derive(Clone, Debug)]
pub struct Written {
    pub name: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A CSV file being written and hashed.
pub struct Table {
    name: &'static str,
    form: CsvForm,
    csv: csv::Writer<Hashed>,
}

struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Hashed {
    fn create(folder: &Path, name: &str) -> Result<Hashed> {
        let file = File::create(folder.join(name)).context(name.to_string())?;
        Ok(Hashed { file: BufWriter::new(file), hash: Sha256::new(), bytes: 0 })
    }

    fn finish(self, name: &str) -> Result<Written> {
        let Hashed { file, hash, bytes } = self;
        let file = file.into_inner().map_err(|error| error.into_error());
        file.and_then(|file| file.sync_all()).context(name.to_string())?;
        Ok(Written { name: name.to_string(), bytes, sha256: hex(&hash.finalize()) })
    }
}

impl Write for Hashed {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.file.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Table {
    pub fn create(folder: &Path, name: &'static str, header: &[&str], form: CsvForm) -> Result<Table> {
        let mut out = Hashed::create(folder, name)?;
        out.write_all(form.mark()).context(name)?;
        let mut csv = writer(out);
        let header = header.iter().map(|column| form.bytes(form.title(column)));
        csv.write_record(header).map_err(of_disk).context(name)?;
        Ok(Table { name, form, csv })
    }

    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cow<'a, str>>) -> Result<()> {
        put_row(&mut self.csv, self.form, cells).context(self.name)
    }

    /// Ends it with the rows of a list of so many, which all threads make: `rows` gives those of a part of it.
    pub fn finish_with<'a, C, R>(
        self,
        count: usize,
        rows: impl Fn(Range<usize>) -> R + Sync,
    ) -> Result<Written>
    where
        C: IntoIterator<Item = Cow<'a, str>>,
        R: Iterator<Item = C>,
    {
        const PART: usize = 1 << 10;
        let Table { name, form, csv } = self;
        let mut out = inner(csv).context(name)?;
        let make = |from: &usize| {
            let mut part = writer(Vec::new());
            rows(*from..count.min(from + PART)).try_for_each(|row| put_row(&mut part, form, row))?;
            inner(part)
        };
        let parts: Vec<usize> = (0..count).step_by(PART).collect();
        for parts in parts.chunks(4 * rayon::current_num_threads()) {
            let made: io::Result<Vec<Vec<u8>>> = parts.par_iter().map(make).collect();
            made.and_then(|made| made.iter().try_for_each(|part| out.write_all(part))).context(name)?;
        }
        out.finish(name)
    }

    pub fn finish(self) -> Result<Written> {
        inner(self.csv).context(self.name)?.finish(self.name)
    }
}

fn writer<W: Write>(to: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().buffer_capacity(1 << 16).from_writer(to)
}

/// What a writer wrote to, with all that was to be written.
fn inner<W: Write>(csv: csv::Writer<W>) -> io::Result<W> {
    csv.into_inner().map_err(|error| error.into_error())
}

fn put_row<'a, W: Write>(
    csv: &mut csv::Writer<W>,
    form: CsvForm,
    cells: impl IntoIterator<Item = Cow<'a, str>>,
) -> io::Result<()> {
    for cell in cells {
        // No byte of a GB18030 character but the first is a comma, a quote or a line break.
        csv.write_field(form.bytes(&guarded(cell))).map_err(of_disk)?;
    }
    csv.write_record(None::<&[u8]>).map_err(of_disk)
}

/// What the disk said, without what csv says around it.
fn of_disk(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A cell that a spreadsheet would take for a formula gets a leading `'`.
#[inline]
fn guarded(cell: Cow<str>) -> Cow<str> {
    let risky = matches!(cell.as_bytes(), [b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r', ..]);
    let number = || {
        let digits = cell.strip_prefix(['+', '-']).unwrap_or(&cell);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    if risky && !number() { Cow::Owned(format!("'{cell}")) } else { cell }
}

pub fn text(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(value)
}

pub fn own(value: impl ToString) -> Cow<'static, str> {
    Cow::Owned(value.to_string())
}

pub fn maybe(value: Option<impl ToString>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(""), own)
}

/// Writes a text as a file of `folder`.
pub fn write_text(folder: &Path, name: String, text: &str) -> Result<Written> {
    let mut file = File::create(folder.join(&name)).with_context(|| name.clone())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| name.clone())?;
    Ok(Written { name, bytes: text.len() as u64, sha256: hex(&Sha256::digest(text.as_bytes())) })
}

/// Writes a long text as a file of `folder`: between its beginning and its end a part for each of a list. All threads make
/// them, some at a time, so that memory never holds the whole.
pub fn write_parts<T: Sync>(
    folder: &Path,
    name: &str,
    (begin, end): (&str, &str),
    list: &[T],
    part: impl Fn(&T) -> String + Sync,
) -> Result<Written> {
    const TOGETHER: usize = 32;
    let mut out = Hashed::create(folder, name)?;
    out.write_all(begin.as_bytes()).context(name.to_string())?;
    for some in list.chunks(TOGETHER * rayon::current_num_threads()) {
        let made: Vec<String> = some.par_iter().map(&part).collect();
        made.iter().try_for_each(|part| out.write_all(part.as_bytes())).context(name.to_string())?;
    }
    out.write_all(end.as_bytes()).context(name.to_string())?;
    out.finish(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_stands_in_its_order_behind_the_header() {
        let folder = tempfile::tempdir().expect("a folder");
        for count in [0, 1, 1_023, 1_024, 1_025, 20_000] {
            let table = Table::create(folder.path(), "list.csv", &["a", "b"], CsvForm::PLAIN).expect("begun");
            let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().expect("threads");
            let rows = |part: Range<usize>| part.map(|at| [own(at), text("=1")]);
            let written = pool.install(|| table.finish_with(count, rows)).expect("written");
            let want: String = (0..count).map(|at| format!("{at},'=1\n")).collect();
            let there = std::fs::read_to_string(folder.path().join("list.csv")).expect("there");
            assert!(there == format!("a,b\n{want}"), "{count}");
            assert_eq!(written.bytes, there.len() as u64);
            assert_eq!(written.sha256, hex(&Sha256::digest(there.as_bytes())));
        }
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_left_alone() {
        for cell in ["=HYPERLINK(\"x\")", "+1+1", "-a", "@x", "\tx", "\rx", "-", "-1.2.3e"] {
            assert_eq!(guarded(Cow::Borrowed(cell)), format!("'{cell}"));
        }
        for cell in ["-5.00", "+5", "15.00", "居民", "", "a=b"] {
            assert_eq!(guarded(Cow::Borrowed(cell)), cell);
        }
    }
}
