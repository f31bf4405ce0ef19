//! Blocks of bytes → records and their fields.
//!
//! A quote opens only at the start of a field; what stands behind a closing quote, or a record
//! longer than 64 KiB, is damage: the record is refused and reading goes on at the next line, so
//! that one stray quote never swallows the rows below it.

use std::cell::Cell;

use memchr::{memchr, memrchr};
use wide::u8x16;

/// No record is longer than this, in bytes.
pub const LONGEST_RECORD: usize = 64 * 1024;

/// What is wrong with a record as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFault {
    TooLong,
    Quote,
}

/// One record. Its fields are unquoted, not yet cleaned or decoded.
pub struct Record<'a> {
    /// Of its first byte, from the block's first line.
    pub line: u32,
    pub raw: &'a [u8],
    pub fault: Option<RecordFault>,
    bytes: &'a [u8],
    /// Where the first field starts.
    start: usize,
    /// Where each field ends; the next one starts a byte later.
    ends: &'a [u32],
}

impl<'a> Record<'a> {
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// Nothing where the record has no such field.
    #[inline]
    pub fn field(&self, at: usize) -> &'a [u8] {
        let Some(end) = self.ends.get(at) else { return b"" };
        let start = if at == 0 { self.start } else { self.ends[at - 1] as usize + 1 };
        &self.bytes[start..*end as usize]
    }
}

/// Where the record that starts at `bytes[0]` ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With its line break.
    At(usize),
    /// It is damaged: its first line ends here.
    Damaged(usize, RecordFault),
    /// More bytes must be seen to know.
    Unknown,
}

/// Looks for the end of the first record. `last`: nothing follows `bytes`.
pub fn record_end(bytes: &[u8], last: bool) -> End {
    let line_end = memchr(b'\n', bytes);
    let line = &bytes[..line_end.unwrap_or(bytes.len())];
    let first_line = line_end.map_or(bytes.len(), |at| at + 1);
    if line.len() > LONGEST_RECORD {
        return End::Damaged(first_line, RecordFault::TooLong);
    }
    if memchr(b'"', line).is_none() {
        return if line_end.is_some() || last { End::At(first_line) } else { End::Unknown };
    }
    // The longest record and its line break.
    const WINDOW: usize = LONGEST_RECORD + 2;
    let window = &bytes[..bytes.len().min(WINDOW)];
    match split_quoted(window, |_, _, _| {}) {
        Quoted::Ended(end) if trim_break(&bytes[..end]).len() > LONGEST_RECORD => {
            End::Damaged(first_line, RecordFault::TooLong)
        }
        Quoted::Ended(end) => End::At(end),
        Quoted::Open if window.len() == WINDOW => damaged(line_end, last, first_line),
        Quoted::Open if !last => End::Unknown,
        // The last record of the file may end without a line break, but not inside quotes.
        Quoted::Open if closed_at_end(window) => End::At(bytes.len()),
        Quoted::Open | Quoted::Damaged => damaged(line_end, last, first_line),
    }
}

fn damaged(line_end: Option<usize>, last: bool, first_line: usize) -> End {
    if line_end.is_some() || last { End::Damaged(first_line, RecordFault::Quote) } else { End::Unknown }
}

enum Quoted {
    Ended(usize),
    Open,
    Damaged,
}

fn closed_at_end(bytes: &[u8]) -> bool {
    let mut open = false;
    let ended = split_quoted(bytes, |_, _, inside| open = inside);
    matches!(ended, Quoted::Open) && !open
}

/// Splits the first record of `bytes`, telling `field(start, end, inside)` the place of each,
/// without its quotes. `inside`: the bytes ended within quotes.
fn split_quoted(bytes: &[u8], mut field: impl FnMut(usize, usize, bool)) -> Quoted {
    let mut at = 0;
    loop {
        if bytes.get(at) != Some(&b'"') {
            let Some(length) = memchr::memchr2(b',', b'\n', &bytes[at..]) else {
                field(at, bytes.len(), false);
                return Quoted::Open;
            };
            field(at, at + length, false);
            at += length + 1;
            if bytes[at - 1] == b'\n' {
                return Quoted::Ended(at);
            }
            continue;
        }
        let start = at + 1;
        let mut close = start;
        loop {
            let Some(length) = memchr(b'"', &bytes[close..]) else {
                field(start, bytes.len(), true);
                return Quoted::Open;
            };
            close += length;
            if bytes.get(close + 1) != Some(&b'"') {
                break;
            }
            close += 2;
        }
        field(start, close, false);
        at = close + 1;
        while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r')) {
            at += 1;
        }
        match bytes.get(at) {
            None => return Quoted::Open,
            Some(b'\n') => return Quoted::Ended(at + 1),
            Some(b',') => at += 1,
            Some(_) => return Quoted::Damaged,
        }
    }
}

/// Room that one block after the other uses.
#[derive(Default)]
struct Room {
    /// Every comma and line break of some lines; what follows the last of them is of no meaning.
    delimiters: Vec<u32>,
    /// For each line, how many delimiters there are up to its end.
    lines: Vec<u32>,
    /// The fields of one quoted record, and their bytes without the quotes.
    ends: Vec<u32>,
    scratch: Vec<u8>,
}

thread_local! {
    static ROOM: Cell<Room> = Cell::default();
}

/// Tells `each` every record of a block that was cut at record ends. Blank lines are skipped.
pub fn records(block: &[u8], first_line: u32, mut each: impl FnMut(&Record)) {
    let mut room = ROOM.take();
    let (mut start, mut line) = (0, first_line);
    // Lines without a quote are split where they stand; only the others are looked at byte by byte.
    while start < block.len() {
        let quoted = quoted_line(&block[start..]).map_or(block.len(), |at| start + at);
        line = plain_records(block, start..quoted, line, &mut room, &mut each);
        start = quoted;
        if start < block.len() {
            (start, line) = quoted_record(block, start, line, &mut room, &mut each);
        }
    }
    ROOM.set(room);
}

/// Where the first line that holds a quote starts.
fn quoted_line(bytes: &[u8]) -> Option<usize> {
    let quote = memchr(b'"', bytes)?;
    Some(memrchr(b'\n', &bytes[..quote]).map_or(0, |at| at + 1))
}

/// Where the last record that surely ended, ended, in bytes that go on.
pub fn last_end(bytes: &[u8]) -> usize {
    let mut cut = 0;
    loop {
        let rest = &bytes[cut..];
        let Some(quoted) = quoted_line(rest) else {
            return memrchr(b'\n', rest).map_or(cut, |at| cut + at + 1);
        };
        cut += quoted;
        match record_end(&bytes[cut..], false) {
            End::At(length) | End::Damaged(length, _) if bytes[cut + length - 1] == b'\n' => cut += length,
            _ => return cut,
        }
    }
}

/// Which of 64 bytes are `byte`, one bit each.
fn equal_bytes(bytes: &[u8; 64], byte: u8) -> u64 {
    let wanted = u8x16::splat(byte);
    let (parts, _) = bytes.as_chunks::<16>();
    let equal = |part: &[u8; 16]| u64::from(u8x16::new(*part).simd_eq(wanted).to_bitmask());
    equal(&parts[0]) | equal(&parts[1]) << 16 | equal(&parts[2]) << 32 | equal(&parts[3]) << 48
}

/// Finds every comma and line break of `block[part]`, 64 bytes at a time: cells are short, so
/// that a search from one delimiter to the next costs more than looking at everything.
fn find_delimiters(block: &[u8], part: std::ops::Range<usize>, room: &mut Room) {
    let Room { delimiters, lines, .. } = room;
    lines.clear();
    let (chunks, rest) = block[part.clone()].as_chunks::<64>();
    let mut last = [0; 64];
    last[..rest.len()].copy_from_slice(rest);
    let mut found = 0;
    for (chunk, base) in chunks.iter().chain([&last]).zip((part.start as u32..).step_by(64)) {
        let mut breaks = equal_bytes(chunk, b'\n');
        let mut hits = equal_bytes(chunk, b',') | breaks;
        while breaks != 0 {
            let up_to = breaks ^ (breaks - 1);
            lines.push(found as u32 + (hits & up_to).count_ones());
            breaks &= breaks - 1;
        }
        // Room for all that may be found, so that it can be written without asking each time.
        if delimiters.len() < found + 65 {
            delimiters.resize(2 * found + 4_096, 0);
        }
        let count = hits.count_ones() as usize;
        // Eight are written whether there are as many or not: how many it are is hard to foresee.
        for eight in delimiters[found..found + 64].as_chunks_mut::<8>().0.iter_mut().take(count.div_ceil(8)) {
            for at in eight {
                *at = base + hits.trailing_zeros();
                hits &= hits.wrapping_sub(1);
            }
        }
        found += count;
    }
    if part.end > part.start && block[part.end - 1] != b'\n' {
        delimiters[found] = part.end as u32;
        lines.push(found as u32 + 1);
    }
}

fn plain_records(
    block: &[u8],
    part: std::ops::Range<usize>,
    first_line: u32,
    room: &mut Room,
    each: &mut impl FnMut(&Record),
) -> u32 {
    find_delimiters(block, part.clone(), room);
    let (mut start, mut first) = (part.start, 0);
    for (end, line) in room.lines.iter().zip(first_line..) {
        let ends = &mut room.delimiters[first..*end as usize];
        let last = ends.len() - 1;
        let line_end = ends[last] as usize;
        if line_end > start && block[line_end - 1] == b'\r' {
            ends[last] -= 1;
        }
        let raw = &block[start..ends[last] as usize];
        give(Record { line, raw, fault: None, bytes: block, start, ends }, each);
        (start, first) = (line_end + 1, *end as usize);
    }
    first_line + room.lines.len() as u32
}

/// Takes the record at `start`; returns where the next one starts, and its line.
fn quoted_record(
    block: &[u8],
    start: usize,
    line: u32,
    room: &mut Room,
    each: &mut impl FnMut(&Record),
) -> (usize, u32) {
    let rest = &block[start..];
    let Room { ends, scratch, .. } = room;
    ends.clear();
    scratch.clear();
    // The block was cut where a record ends, so what is open here stays open.
    match record_end(rest, true) {
        End::Damaged(length, fault) => {
            let raw = trim_break(&rest[..length]);
            give(Record { line, raw, fault: Some(fault), bytes: block, start: 0, ends: &[] }, each);
            (start + length, line + 1)
        }
        End::At(length) => {
            let record = &rest[..length];
            let raw = trim_break(record);
            split_quoted(record, |from, to, _| {
                let quoted = from > 0 && record[from - 1] == b'"';
                let to = if quoted { to } else { to.min(raw.len()).max(from) };
                unquote(&record[from..to], quoted, scratch);
                ends.push(scratch.len() as u32);
                scratch.push(b',');
            });
            give(Record { line, raw, fault: None, bytes: scratch, start: 0, ends }, each);
            (start + length, line + memchr::memchr_iter(b'\n', record).count() as u32)
        }
        End::Unknown => unreachable!("the end of a whole block is known"),
    }
}

fn give(record: Record, each: &mut impl FnMut(&Record)) {
    if record.raw.len() > LONGEST_RECORD {
        each(&Record { fault: Some(RecordFault::TooLong), ends: &[], ..record });
    } else if record.raw.iter().any(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
        each(&record);
    }
}

fn trim_break(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

fn unquote(field: &[u8], quoted: bool, out: &mut Vec<u8>) {
    let mut rest = field;
    while quoted && let Some(at) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(block: &[u8]) -> Vec<(u32, Vec<String>)> {
        let mut rows = Vec::new();
        records(block, 1, |record| {
            let mut row: Vec<String> = (0..record.width())
                .map(|at| String::from_utf8_lossy(record.field(at)).into_owned())
                .collect();
            if let Some(fault) = record.fault {
                row = vec![format!("{fault:?}")];
            }
            rows.push((record.line, row));
        });
        rows
    }

    fn row(line: u32, fields: &[&str]) -> (u32, Vec<String>) {
        (line, fields.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_are_counted_with_any_line_break() {
        let want = [row(1, &["a", "b"]), row(3, &["c", "d"])];
        assert_eq!(read(b"a,b\n\nc,d\n"), want);
        assert_eq!(read(b"a,b\r\n \t\r\nc,d"), want);
        assert_eq!(read(b"a,b\n\n\"c\",d\n"), want);
        assert_eq!(read(b"a,b\r\n\r\n\"c\" ,d\r\n"), want);
    }

    #[test]
    fn delimiters_are_found_wherever_they_stand() {
        let mut x = 1u64;
        for length in 0..300 {
            let mut block = vec![b'x'];
            for _ in 0..length {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                block.push(b"ab,\n\xE5"[(x >> 33) as usize % 5]);
            }
            let text: Vec<&[u8]> = block.split(|byte| *byte == b'\n').collect();
            let lines = (1..).zip(&text).filter(|(_, line)| !line.is_empty());
            let want: Vec<_> = lines
                .map(|(line, text)| {
                    let fields = text.split(|byte| *byte == b',').map(String::from_utf8_lossy);
                    (line, fields.map(|field| field.into_owned()).collect::<Vec<_>>())
                })
                .collect();
            assert_eq!(read(&block), want);
        }
    }

    #[test]
    fn quoted_fields_hold_commas_quotes_and_line_breaks() {
        assert_eq!(
            read(b"\"a,\"\"1\"\"\",\"x\r\ny\"\r\nb,c\r\n"),
            [row(1, &["a,\"1\"", "x\r\ny"]), row(3, &["b", "c"])]
        );
        assert_eq!(read(b"\"\",\"\""), [row(1, &["", ""])]);
    }

    #[test]
    fn a_stray_quote_never_swallows_a_row() {
        assert_eq!(read(b"1\"x,2\n3\"y,4\n"), [row(1, &["1\"x", "2"]), row(2, &["3\"y", "4"])]);
        assert_eq!(
            read(b"a,\"b\nc,\"d\ne,f\n"),
            [row(1, &["Quote"]), row(2, &["Quote"]), row(3, &["e", "f"])]
        );
        assert_eq!(read(b"a,\"b\nc,d\n"), [row(1, &["Quote"]), row(2, &["c", "d"])]);
        assert_eq!(read(b"\"a\"b,c\nd,e"), [row(1, &["Quote"]), row(2, &["d", "e"])]);
    }

    #[test]
    fn a_record_over_64_kib_is_refused_and_the_next_line_read() {
        for quote in ["", "\""] {
            let mut block = format!("{quote}{}{quote},b\n", "x".repeat(LONGEST_RECORD)).into_bytes();
            block.extend_from_slice(b"c,d\n");
            assert_eq!(read(&block), [row(1, &["TooLong"]), row(2, &["c", "d"])]);
        }
        let just = format!("{},b\nc,d", "x".repeat(LONGEST_RECORD - 2));
        assert_eq!(read(just.as_bytes()).len(), 2);
        assert_eq!(read(just.as_bytes())[0].1.len(), 2);
    }

    #[test]
    fn an_end_is_only_told_when_it_is_certain() {
        assert_eq!(record_end(b"a,b\nc", false), End::At(4));
        assert_eq!(record_end(b"a,b", false), End::Unknown);
        assert_eq!(record_end(b"a,b", true), End::At(3));
        assert_eq!(record_end(b"a,\"b\nc", false), End::Unknown);
        assert_eq!(record_end(b"a,\"b\nc\"", true), End::At(7));
        assert_eq!(record_end(b"a,\"b\nc\"", false), End::Unknown);
        let open = [b"a,\"b\n".as_slice(), &vec![b'x'; LONGEST_RECORD]].concat();
        assert_eq!(record_end(&open, false), End::Damaged(5, RecordFault::Quote));
    }
}
