//! Where a record ends, be there quotes in it or not, and where its fields stand.
//!
//! A quote opens only at the start of a field; what stands behind a closing quote, or a record
//! longer than 64 KiB, is damage: the record is refused and reading goes on at the next line, so
//! that one stray quote never swallows the rows below it.

use memchr::memchr;

/// No record is longer than this, in bytes.
pub const LONGEST_RECORD: usize = 64 * 1024;

/// What is wrong with a record as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFault {
    TooLong,
    Quote,
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
    let line = trim_break(&bytes[..line_end.unwrap_or(bytes.len())]);
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

pub enum Quoted {
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
pub fn split_quoted(bytes: &[u8], mut field: impl FnMut(usize, usize, bool)) -> Quoted {
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

/// A record without its line break.
pub fn trim_break(record: &[u8]) -> &[u8] {
    let record = record.strip_suffix(b"\n").unwrap_or(record);
    record.strip_suffix(b"\r").unwrap_or(record)
}

#[cfg(test)]
mod tests {
    use super::*;

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
