//! A file read through by all threads, and single rows of it once more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::person::hide_numbers;
use crate::base::place::{Kind, Place};

use super::blocks::{Block, Digested, Raw, read_blocks};
use super::columns::Columns;
use super::encoding::Encoding;
use super::folder::InputFile;
use super::header::{Opened, cannot_read, label, open};
use super::quotes::{End, LONGEST_RECORD, record_end};
use super::rows::{BlockRows, Row};
use super::stamp::Stamp;

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
    /// Of the file as it was read.
    pub stamp: Stamp,
}

impl FileFacts {
    /// As places name the file: a workbook with its sheet.
    pub fn label(&self) -> String {
        label(&self.name, self.sheet.as_deref())
    }
}

/// A file that was read, so that single rows of it can be read again.
pub struct Again {
    file: InputFile,
    index: u16,
    encoding: Encoding,
    columns: Columns,
    marks: Vec<(u32, u64)>,
    /// How long the file is.
    bytes: u64,
    stamp: Stamp,
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
    let Opened { file, index, encoding, columns, sheet, raw, stamp, .. } = opened;
    let plain = raw.is_plain() && !encoding.is_utf16();
    let counted = AtomicU64::new(0);
    let rows = |with: &mut S, block: &Block| {
        parse(with, &BlockRows { block, columns: &columns, encoding, file: index, counted: &counted })
    };
    let read = read_blocks(raw, progress, start, rows, join);
    let (Digested { sha256, bytes, hashing, marks }, with) = read.map_err(|error| {
        // Of a file that changed, whatever else is wrong follows from it.
        stamp.must_hold().err().unwrap_or_else(|| cannot_read(&file.path.display().to_string(), &error))
    })?;
    stamp.must_have(bytes)?;
    let (kind, name, rows) = (file.kind, file.name.clone(), counted.into_inner());
    let header = sheet.as_ref().map(|sheet| sheet.header);
    let sheet = sheet.map(|sheet| sheet.name);
    let (encoding_name, held) = (encoding.name(), stamp.clone());
    let facts =
        FileFacts { kind, name, sha256, bytes, sheet, encoding: encoding_name, rows, hashing, stamp: held };
    Ok((facts, Again { file, index, encoding, columns, marks, bytes, stamp, header, plain }, with))
}

impl Again {
    /// Reads the rows that start at `lines` (sorted) once more, and little else of the file.
    pub fn rows<T: Send>(&self, lines: &[u32], each: impl Fn(&Row) -> T + Sync) -> Result<Vec<T>> {
        let rows = if self.plain { self.rows_at(lines, each) } else { self.rows_of_stream(lines, each) };
        // Whatever else is wrong then follows from it.
        self.stamp.must_hold()?;
        rows
    }

    /// [`Again::rows`] by the places of their bytes.
    fn rows_at<T: Send>(&self, lines: &[u32], each: impl Fn(&Row) -> T + Sync) -> Result<Vec<T>> {
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
        let mut bytes = self.read_at(file, offset, length)?;
        let counted = AtomicU64::new(0);
        let (mut line, mut start) = (first_line, 0);
        for wanted in lines {
            while line < *wanted {
                start += memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len() - start, |at| at + 1);
                line += 1;
            }
            let mut end = record_end(&bytes[start..], false);
            if end == End::Unknown {
                bytes = self.read_at(file, offset, length.map(|length| length + 2 * LONGEST_RECORD))?;
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

    /// So many bytes at `offset`, or all to the end of the file.
    fn read_at(&self, file: &File, offset: u64, length: Option<usize>) -> io::Result<Vec<u8>> {
        let left = (self.bytes - offset) as usize;
        let mut bytes = vec![0; length.map_or(left, |length| length.min(left))];
        file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Once;
    use std::time::SystemTime;

    use super::super::swipes::COLUMNS;
    use super::*;

    const ROWS: &str = "person_id,institution_id,swiped_at\n1,A,2020-01-03\n2,B,2020-01-04\n";

    fn written(name: &str) -> (tempfile::TempDir, InputFile) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::write(&path, ROWS).expect("written");
        (folder, InputFile { kind: Kind::Swipes, path, name: name.to_string() })
    }

    fn append(file: &InputFile) {
        let opened = File::options().append(true).open(&file.path);
        opened.and_then(|mut file| file.write_all(b"3,C,2020-01-05\n")).expect("written");
    }

    fn changed<T>(result: Result<T>) -> bool {
        result.err().is_some_and(|error| format!("{error:?}").contains("ChangedMeanwhile"))
    }

    #[test]
    fn a_file_that_is_still_being_written_stops_the_run() {
        let (_folder, file) = written("swipes.csv");
        let read = |progress: &(dyn Fn(u64) + Sync)| {
            let opened = open(file.clone(), 0, COLUMNS).expect("a header");
            let mut rows = 0;
            let count = |block: &BlockRows| {
                let mut count = 0;
                block.each(|_| count += 1);
                count
            };
            read_rows(opened, progress, count, |wave: Vec<u32>| rows += wave.iter().sum::<u32>())
                .map(|_| rows)
        };
        assert_eq!(read(&|_| {}).expect("read"), 2);
        let once = Once::new();
        assert!(changed(read(&|_| once.call_once(|| append(&file)))));
        assert_eq!(read(&|_| {}).expect("it stays as it is now"), 3);
        // Another file in its place: what was opened is still read, and is no longer what stands there.
        let other = file.path.with_extension("part");
        std::fs::copy(&file.path, &other).expect("copied");
        let once = Once::new();
        let replace = || std::fs::rename(&other, &file.path).expect("renamed");
        assert!(changed(read(&|_| once.call_once(replace))));
    }

    #[test]
    fn rows_are_read_again_only_of_the_file_that_was_read() {
        let (_folder, file) = written("swipes.csv");
        let opened = open(file.clone(), 0, COLUMNS).expect("a header");
        let (_, again) = read_rows(opened, &|_| {}, |_: &BlockRows| (), |_| {}).expect("read");
        let people = || again.rows(&[3], |row| row.text(super::super::swipes::PERSON).into_owned());
        assert_eq!(people().expect("there"), ["2"]);
        // As long as before, some time later.
        std::fs::write(&file.path, ROWS.replace("2,B", "4,B")).expect("written");
        let later = SystemTime::now() + Duration::from_secs(2);
        let touched = File::options().write(true).open(&file.path).and_then(|file| file.set_modified(later));
        assert!(touched.is_ok() && changed(people()));
        std::fs::remove_file(&file.path).expect("removed");
        assert!(changed(people()));
    }

    #[test]
    fn a_file_of_which_not_all_was_read_was_cut_meanwhile() {
        let (_folder, file) = written("swipes.csv");
        let stamp = Stamp::of(&file).expect("seen");
        assert!(stamp.must_have(ROWS.len() as u64).is_ok());
        assert!(changed(stamp.must_have(ROWS.len() as u64 - 1)));
        // What is no file of its own, a pipe say, has no length.
        let stamp = Stamp::of(&InputFile { path: "/dev/null".into(), ..file }).expect("seen");
        assert!(stamp.must_have(7).is_ok());
    }
}
