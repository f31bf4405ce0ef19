//! Blocks of bytes → records and their fields.

use std::cell::Cell;

use memchr::memchr;

use super::digits::Digits;
use super::lines::{Line, Lines, TOGETHER};
use super::quotes::{End, LONGEST_RECORD, RecordFault, record_end, split_quoted, trim_break};
use super::short::{Packed, Short};
use super::starts::Starts;

/// One record. Its fields are unquoted, not yet cleaned or decoded.
pub struct Record<'a> {
    /// Of its first byte, from the block's first line.
    pub line: u32,
    pub raw: &'a [u8],
    pub fault: Option<RecordFault>,
    pub fields: Fields<'a>,
}

/// The fields of one record.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    /// Where each starts, and where one behind the last would: each ends a byte before the next.
    starts: &'a [u32],
    /// 1 where a carriage return stands behind the last.
    carriage: u32,
}

impl<'a> Fields<'a> {
    pub const NONE: Fields<'static> = Fields { bytes: &[], starts: &[], carriage: 0 };

    #[inline]
    pub fn count(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Nothing where the record has no such field.
    #[inline(always)]
    pub fn get(&self, at: usize) -> &'a [u8] {
        let (start, length) = self.place(at);
        &self.bytes[start..start + length]
    }

    /// A field as two numbers, if it has no more bytes than they hold.
    #[inline(always)]
    pub fn short(&self, at: usize) -> Option<Short> {
        let (start, length) = self.place(at);
        Short::at(self.bytes, start, length)
    }

    /// A field as four numbers.
    #[inline(always)]
    pub fn packed(&self, at: usize) -> Option<Packed> {
        let (start, length) = self.place(at);
        Packed::at(self.bytes, start, length)
    }

    /// A field as digits, if it has no more than sixteen bytes.
    pub fn digits(&self, at: usize) -> Option<Digits> {
        let (start, length) = self.place(at);
        Digits::at(self.bytes, start, length)
    }

    /// Where a field starts, and how long it is.
    #[inline(always)]
    fn place(&self, at: usize) -> (usize, usize) {
        match self.starts.get(at..).and_then(|starts| starts.split_first_chunk()) {
            Some(([start, next], rest)) => {
                let carriage = if rest.is_empty() { self.carriage } else { 0 };
                (*start as usize, (next - start - carriage) as usize - 1)
            }
            None => (0, 0),
        }
    }
}

/// Room that one block after the other uses.
#[derive(Default)]
struct Room {
    /// Where the fields and lines of a block start.
    starts: Starts,
    /// Those of the usual width that are to be looked at together.
    usual: Vec<Line>,
    unquoted: Unquoted,
}

/// The fields of one quoted record, and their bytes without the quotes.
#[derive(Default)]
struct Unquoted {
    starts: Vec<u32>,
    bytes: Vec<u8>,
}

thread_local! {
    static ROOM: Cell<Room> = Cell::default();
}

/// Tells `each` every record of a block that was cut at record ends. Blank lines are skipped.
pub fn records(block: &[u8], first_line: u32, each: &mut dyn FnMut(&Record)) {
    let mut room = ROOM.take();
    let Room { starts: found, unquoted: scratch, .. } = &mut room;
    let (found, mut start, mut line) = (found.find(block), 0, first_line);
    // Lines without a quote are split where they stand; only the others are looked at byte by byte.
    while start < block.len() {
        let quoted = found.quoted_line(start).unwrap_or(block.len());
        line = plain_records(block, found.part(start, quoted), line, each);
        start = quoted;
        if start < block.len() {
            (start, line) = quoted_record(block, start, line, scratch, each);
        }
    }
    ROOM.set(room);
}

/// Where the last record that surely ended, ended, in bytes that go on. `starts` are theirs.
pub fn last_end(bytes: &[u8], starts: &Starts) -> usize {
    let mut cut = 0;
    while let Some(quoted) = starts.quoted_line(cut) {
        match record_end(&bytes[quoted..], false) {
            End::At(length) | End::Damaged(length, _) if bytes[quoted + length - 1] == b'\n' => {
                cut = quoted + length;
            }
            _ => return quoted,
        }
    }
    starts.lines().last().map_or(0, |start| *start as usize).max(cut)
}

/// [`records`] where nearly all lines have no quote and `width` fields: `usual` gets these, some at a time,
/// and says which of them it took, one bit each; `other` gets the records of the others, and those that start at
/// one of the places `apart` (sorted). Both get `with`. `known`: where cells and lines start, if that is known.
pub fn usual_lines<W>(
    (block, known): (&[u8], Option<&Starts>),
    (first_line, width, mut apart): (u32, usize, &[u32]),
    with: &mut W,
    mut usual: impl FnMut(&mut W, &Lines) -> u64,
    mut other: impl FnMut(&mut W, &Record),
) {
    let mut room = ROOM.take();
    let Room { starts: found, usual: waiting, unquoted: scratch } = &mut room;
    let found = known.unwrap_or_else(|| found.find(block));
    let (mut start, mut number) = (0, first_line);
    while start < block.len() {
        let quoted = found.quoted_line(start).unwrap_or(block.len());
        // What stands behind is of others: a last row that is too short must not end in it.
        let (starts, lines) = found.part(start, quoted);
        let (mut first, mut next) = (0, lines.iter());
        loop {
            waiting.clear();
            for next in next.by_ref() {
                let line =
                    Line { number, first: first as u32, carriage: carriage(block, starts[first], *next) };
                // A line of the usual width ends where the next one starts.
                let mut wide = starts.get(first + width) == Some(next);
                while let Some((one, behind)) = apart.split_first().filter(|(one, _)| **one <= starts[first])
                {
                    wide &= *one != starts[first];
                    apart = behind;
                }
                if wide && (next - starts[first]) as usize <= LONGEST_RECORD {
                    waiting.push(line);
                    first += width;
                } else {
                    let fields = starts[first..].iter().take_while(|start| *start != next).count();
                    plain_record(block, starts, (line, fields), &mut |record| other(with, record));
                    first += fields;
                }
                number += 1;
                if waiting.len() == TOGETHER {
                    break;
                }
            }
            if waiting.is_empty() {
                break;
            }
            let mut left = !usual(with, &Lines { bytes: block, starts, width, lines: waiting });
            while let Some(line) = waiting.get(left.trailing_zeros() as usize) {
                plain_record(block, starts, (*line, width), &mut |record| other(with, record));
                left &= left - 1;
            }
        }
        start = quoted;
        if start < block.len() {
            (start, number) = quoted_record(block, start, number, scratch, &mut |record| other(with, record));
        }
    }
    ROOM.set(room);
}

/// Gives the record of a line of so many fields.
fn plain_record(block: &[u8], starts: &[u32], (line, width): (Line, usize), each: &mut dyn FnMut(&Record)) {
    let Line { number, first, carriage } = line;
    let starts = &starts[first as usize..][..=width];
    let raw = &block[starts[0] as usize..(starts[width] - 1 - carriage) as usize];
    give(&Record { line: number, raw, fault: None, fields: Fields { bytes: block, starts, carriage } }, each);
}

/// 1 where the line from `start` up to where the `next` one starts ends with a carriage return.
#[inline(always)]
fn carriage(block: &[u8], start: u32, next: u32) -> u32 {
    u32::from(next > start + 1 && block[next as usize - 2] == b'\r')
}

fn plain_records(
    block: &[u8],
    (starts, lines): (&[u32], &[u32]),
    first_line: u32,
    each: &mut dyn FnMut(&Record),
) -> u32 {
    let mut first = 0;
    for (next, number) in lines.iter().zip(first_line..) {
        let line = Line { number, first: first as u32, carriage: carriage(block, starts[first], *next) };
        let width = starts[first..].iter().take_while(|start| *start != next).count();
        plain_record(block, starts, (line, width), each);
        first += width;
    }
    first_line + lines.len() as u32
}

/// Takes the record at `start`; returns where the next one starts, and its line.
fn quoted_record(
    block: &[u8],
    start: usize,
    line: u32,
    Unquoted { starts: unquoted, bytes: scratch }: &mut Unquoted,
    each: &mut dyn FnMut(&Record),
) -> (usize, u32) {
    let rest = &block[start..];
    unquoted.clear();
    unquoted.push(0);
    scratch.clear();
    // The block was cut where a record ends, so what is open here stays open.
    match record_end(rest, true) {
        End::Damaged(length, fault) => {
            let raw = trim_break(&rest[..length]);
            give(&Record { line, raw, fault: Some(fault), fields: Fields::NONE }, each);
            (start + length, line + 1)
        }
        End::At(length) => {
            let record = &rest[..length];
            let raw = trim_break(record);
            split_quoted(record, |from, to, _| {
                let quoted = from > 0 && record[from - 1] == b'"';
                let to = if quoted { to } else { to.min(raw.len()).max(from) };
                unquote(&record[from..to], quoted, scratch);
                scratch.push(b',');
                unquoted.push(scratch.len() as u32);
            });
            let fields = Fields { bytes: scratch, starts: unquoted, carriage: 0 };
            give(&Record { line, raw, fault: None, fields }, each);
            (start + length, line + memchr::memchr_iter(b'\n', record).count() as u32)
        }
        End::Unknown => unreachable!("the end of a whole block is known"),
    }
}

fn give(record: &Record, each: &mut dyn FnMut(&Record)) {
    if record.raw.len() > LONGEST_RECORD {
        each(&Record { fault: Some(RecordFault::TooLong), fields: Fields::NONE, ..*record });
    } else if record.raw.iter().any(|byte| !matches!(byte, b' ' | b'\t' | b'\r')) {
        each(record);
    }
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

    /// The line of a record, and its fields.
    type Row = (u32, Vec<String>);

    fn read(block: &[u8]) -> Vec<Row> {
        let mut rows = Vec::new();
        records(block, 1, &mut |record| {
            let mut row: Vec<String> = (0..record.fields.count())
                .map(|at| String::from_utf8_lossy(record.fields.get(at)).into_owned())
                .collect();
            if let Some(fault) = record.fault {
                row = vec![format!("{fault:?}")];
            }
            rows.push((record.line, row));
        });
        rows
    }

    fn row(line: u32, fields: &[&str]) -> Row {
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

    /// The rows that are taken together, and the others: the same ones whether it is known where cells start or not.
    fn parted(block: &[u8], width: usize, apart: &[u32]) -> (Vec<Row>, Vec<Row>) {
        let found = parted_by(block, None, width, apart);
        let mut known = Starts::default();
        assert_eq!(found, parted_by(block, Some(known.find(block)), width, apart));
        found
    }

    fn parted_by(block: &[u8], known: Option<&Starts>, width: usize, apart: &[u32]) -> (Vec<Row>, Vec<Row>) {
        let (mut usual, mut others) = (Vec::new(), Vec::new());
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
        usual_lines(
            (block, known),
            (1, width, apart),
            &mut (&mut usual, &mut others),
            |(usual, _), lines| {
                for line in 0..lines.count() {
                    let cells = (0..width).map(|at| text(lines.column(at).bytes(line)));
                    usual.push((lines.number(line), cells.collect()));
                    let none = lines.column(width);
                    assert!(none.bytes(line).is_empty() && none.plain_id(line).is_none());
                    assert!(none.digits(line).is_some_and(|cell| cell.is_empty()));
                    assert_eq!(none.packed(line), Some(Packed::default()));
                }
                u64::MAX
            },
            |(_, others), record| {
                let cells = (0..record.fields.count()).map(|at| text(record.fields.get(at)));
                others.push((record.line, cells.collect()));
            },
        );
        (usual, others)
    }

    #[test]
    fn a_last_row_has_the_fields_that_it_has_whatever_stood_in_the_room_before() {
        for (padding, ends) in (0..130).flat_map(|padding| ["", "\n"].map(|ends| (padding, ends))) {
            let padded = "x".repeat(padding);
            for last in ["a", "a,b", "a,b,c", "a,b,", "a,,,", ",,"] {
                let block = format!("{padded},1,2\n1,2,3\n{last}{ends}");
                // A block whose last row ends where this one's does, and a longer one, leave what they found.
                let long = "1,2,3\n".repeat(200);
                for before in ["", ",1,2\n1,2,3\n1,,\n", ",1,2\n1,2,3\n,,\n", &long] {
                    let before = format!("{padded}{before}");
                    parted(before.as_bytes(), 3, &[]);
                    let (usual, others) = parted(block.as_bytes(), 3, &[]);
                    assert!(usual.iter().all(|(_, cells)| cells.len() == 3));
                    let whole = last.matches(',').count() == 2;
                    assert_eq!((usual.len(), others.len()), if whole { (3, 0) } else { (2, 1) }, "{block}");
                    assert_eq!([usual, others].concat(), read(block.as_bytes()));
                }
            }
        }
    }

    #[test]
    fn lines_that_stand_apart_are_told_as_records_and_all_others_are_taken_together() {
        let row = |number: u32, breaks: &str| format!("{number},居民{breaks}");
        let mut blocks =
            vec![String::new(), row(1, ""), "\n\n".into(), "a,\"b\nc\"\r\nd,e\n\n\"f\",g".into()];
        for (lines, breaks) in [(3, "\n"), (63, "\r\n"), (64, "\n"), (65, "\n\n"), (200, "\r\n")] {
            let rows: String = (0..lines).map(|number| row(number, breaks)).collect();
            let quoted = "x,\"y\n\"\"z\n\"\n";
            blocks.extend([
                rows.clone(),
                format!("{quoted}{rows}short\n{quoted}{rows}{quoted}"),
                rows + "9,end",
            ]);
        }
        for block in &blocks {
            let block = block.as_bytes();
            let starts: Vec<u32> = memchr::memchr_iter(b'\n', block).map(|at| at as u32 + 1).collect();
            let every = |nth: usize| [0].into_iter().chain(starts.iter().copied()).step_by(nth).collect();
            for apart in [Vec::new(), every(1), every(7), starts.iter().rev().take(1).copied().collect()] {
                let (usual, others) = parted(block, 2, &apart);
                let line_of =
                    |start: u32| 1 + memchr::memchr_iter(b'\n', &block[..start as usize]).count() as u32;
                let apart: Vec<u32> = apart.into_iter().map(line_of).collect();
                assert!(usual.iter().all(|(line, _)| !apart.contains(line)));
                let plain = |(line, cells): &&Row| {
                    let text = block.split(|byte| *byte == b'\n').nth(*line as usize - 1).unwrap_or_default();
                    cells.len() == 2 && !text.contains(&b'"') && !apart.contains(line)
                };
                assert!(!others.iter().any(|one| plain(&one)), "{others:?}");
                let mut all = [usual, others].concat();
                all.sort();
                assert_eq!(all, read(block));
            }
        }
    }
}
