//! Files → blocks of whole records, hashed on the way.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::base::message::FileFault;
use crate::base::place::Kind;
use memchr::{memchr, memchr_iter};

use super::encoding::{Encoding, Utf16};
use super::folder::Form;
use super::packed::{Hashed, Packed, fault};
use super::quotes::LONGEST_RECORD;
use super::record::last_end;
use super::starts::Starts;
use super::xlsx::{self, Sheet, SheetRow, Workbook};

/// How much is parsed at once: little enough to stay in a core's own cache from the reading on.
const BLOCK: usize = 128 << 10;

/// About how many bytes it is from one line whose place is kept to the next.
const MARKED: usize = 8 << 10;

/// A line that goes on after so many bytes is longer than any record, be the last of them a carriage return or not.
const ENDLESS: usize = LONGEST_RECORD + 2;

/// Whole records of one file.
pub struct Block {
    pub bytes: Vec<u8>,
    /// The line of its first byte, from 1.
    pub first_line: u32,
    /// Of some of its lines, the first among them: the number, and where it starts in the file (UTF-16: in the
    /// text that it is turned into).
    marks: Vec<(u32, u64)>,
    starts: Starts,
}

impl Block {
    /// Records by themselves.
    pub fn new(bytes: Vec<u8>, first_line: u32) -> Block {
        Block { bytes, first_line, marks: Vec::new(), starts: Starts::default() }
    }

    /// Where its cells and lines start, if that is known.
    pub fn starts(&self) -> Option<&Starts> {
        (self.starts.end() == self.bytes.len()).then_some(&self.starts)
    }
}

/// What there is to say of a file once it was read.
#[derive(Clone, Debug, Default)]
pub struct Digested {
    pub sha256: String,
    pub bytes: u64,
    /// What the hashing took.
    pub hashing: Duration,
    /// Some lines with their places, every few thousand bytes, so that a row can be found again.
    pub marks: Vec<(u32, u64)>,
}

/// Where the text of a file comes from.
enum Text {
    Plain(Box<Hashed>),
    Packed(Packed),
    /// The sheet, and the workbook's file.
    Sheet(Box<Sheet>, File),
}

/// A file being read from its start. UTF-16 comes out as UTF-8, compressed text as it was, a sheet as CSV.
pub struct Raw {
    text: Text,
    utf16: Option<Utf16>,
    ended: bool,
    /// Bytes read and not yet given on, and the line of the first of them.
    pub buffer: Vec<u8>,
    /// Of those of the buffer that were looked at.
    starts: Starts,
    pub line: u32,
    offset: u64,
}

impl Raw {
    /// Opens a file that holds `kind`; of a workbook also what its sheets are called.
    pub fn open(path: &Path, kind: Kind) -> io::Result<(Raw, Option<SheetNames>)> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let mut names = None;
        let text = match Form::of(path) {
            Form::Plain => Text::Plain(Box::new(Hashed::new(file))),
            Form::Gzip => Text::Packed(Packed::gzip(Hashed::new(file))),
            Form::Zstd => Text::Packed(Packed::zstd(Hashed::new(file))),
            Form::Workbook => {
                let Workbook { sheet, name, others, rivals } = xlsx::open(file.try_clone()?, kind)?;
                names = Some(SheetNames { read: name, others, rivals });
                Text::Sheet(Box::new(sheet), file)
            }
        };
        let (buffer, starts) = (Vec::new(), Starts::default());
        Ok((Raw { text, utf16: None, ended: false, buffer, starts, line: 1, offset: 0 }, names))
    }

    /// The sheet that is read, if it is one.
    pub fn sheet(&mut self) -> Option<&mut Sheet> {
        match &mut self.text {
            Text::Sheet(sheet, _) => Some(sheet),
            _ => None,
        }
    }

    /// Whether the file's own bytes are its text.
    pub fn is_plain(&self) -> bool {
        matches!(self.text, Text::Plain(_))
    }

    /// How many bytes of the file were read.
    fn bytes(&self) -> u64 {
        match &self.text {
            Text::Plain(file) => file.bytes,
            Text::Packed(packed) => packed.file().bytes,
            // Its parts stand anywhere: it counts as read once it is.
            Text::Sheet(_, file) => {
                if self.ended {
                    file.metadata().map_or(0, |data| data.len())
                } else {
                    0
                }
            }
        }
    }

    /// Drops `length` bytes of the buffer.
    pub fn skip(&mut self, length: usize) {
        self.line += memchr_iter(b'\n', &self.buffer[..length]).count() as u32;
        self.offset += length as u64;
        self.buffer.drain(..length);
        self.starts.begin();
    }

    /// From here on the bytes are UTF-16; those in the buffer as well.
    pub fn set_utf16(&mut self, encoding: Encoding) {
        let mut stream = Utf16::new(encoding);
        let raw = std::mem::take(&mut self.buffer);
        stream.decode(&raw, self.ended, &mut self.buffer);
        self.starts.begin();
        self.utf16 = Some(stream);
    }

    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Appends up to a block's length of bytes to the buffer.
    pub fn fill(&mut self) -> io::Result<()> {
        let mut fresh = match self.utf16 {
            Some(_) => Vec::with_capacity(BLOCK),
            None => std::mem::take(&mut self.buffer),
        };
        fresh.reserve(BLOCK);
        self.ended = match &mut self.text {
            Text::Plain(file) if self.utf16.is_none() => {
                file.append(BLOCK, &mut fresh, &mut self.starts)? < BLOCK
            }
            // Of UTF-16 the text is looked at, not the bytes.
            Text::Plain(file) => file.by_ref().take(BLOCK as u64).read_to_end(&mut fresh)? < BLOCK,
            Text::Packed(packed) => packed.by_ref().take(BLOCK as u64).read_to_end(&mut fresh)? < BLOCK,
            Text::Sheet(sheet, _) => sheet.append(BLOCK, &mut fresh),
        };
        match &mut self.utf16 {
            Some(stream) => stream.decode(&fresh, self.ended, &mut self.buffer),
            None => self.buffer = fresh,
        }
        Ok(())
    }

    /// The next records, or nothing at the end of the file. `spare`: a buffer that nobody uses.
    fn next(&mut self, (mut spare, mut starts): Buffer) -> io::Result<Option<Block>> {
        loop {
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            self.starts.look(&self.buffer);
            let cut = self.cut();
            if cut > 0 {
                let (first_line, marks) = self.pass(cut)?;
                let behind = &self.buffer[cut..];
                spare.clear();
                spare.extend_from_slice(behind);
                self.buffer.truncate(cut);
                if self.ended {
                    starts.begin();
                    self.starts.close(&self.buffer);
                } else {
                    self.starts.split_off(cut, &mut starts);
                }
                let bytes = std::mem::replace(&mut self.buffer, spare);
                let starts = std::mem::replace(&mut self.starts, starts);
                return Ok(Some(Block { bytes, first_line, marks, starts }));
            }
            if self.buffer.len() >= ENDLESS && self.starts.lines().is_empty() {
                return self.endless_line().map(Some);
            }
            self.fill()?;
        }
    }

    /// Goes on by the first `length` bytes of the buffer, which are whole lines; gives the number of their first line,
    /// and of some of them the number and the place.
    fn pass(&mut self, length: usize) -> io::Result<(u32, Vec<(u32, u64)>)> {
        let lines = self.starts.lines();
        let lines = &lines[..lines.partition_point(|start| *start as usize <= length)];
        let last = self.line.checked_add(lines.len() as u32).ok_or_else(|| fault(FileFault::Endless))?;
        let mut marks = Vec::with_capacity(length / MARKED + 1);
        let (mut line, mut start) = (0, 0);
        while start < length {
            marks.push((self.line + line as u32, self.offset + start as u64));
            // The last one up to there, or the first where it is long.
            line += lines[line..].partition_point(|next| *next as usize <= start + MARKED).max(1);
            start = lines.get(line - 1).map_or(length, |start| *start as usize);
        }
        self.offset += length as u64;
        Ok((std::mem::replace(&mut self.line, last), marks))
    }

    /// Where the last record that surely ended, ended.
    fn cut(&self) -> usize {
        if self.ended { self.buffer.len() } else { last_end(&self.buffer, &self.starts) }
    }

    /// A line far longer than any record: enough of it to be refused, the rest is passed over.
    fn endless_line(&mut self) -> io::Result<Block> {
        let mut bytes = self.buffer[..ENDLESS].to_vec();
        let (first_line, marks) = (self.line, vec![(self.line, self.offset)]);
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer) {
                self.skip(at + 1);
                bytes.push(b'\n');
                break;
            }
            self.skip(self.buffer.len());
            if self.ended {
                break;
            }
            self.fill()?;
        }
        Ok(Block { marks, ..Block::new(bytes, first_line) })
    }

    fn digest(self) -> io::Result<Digested> {
        let digested = |file: &Hashed| Digested {
            sha256: file.sha256(),
            bytes: file.bytes,
            hashing: file.hashing,
            marks: Vec::new(),
        };
        Ok(match self.text {
            Text::Plain(file) => digested(&file),
            Text::Packed(packed) => digested(packed.file()),
            // Its parts were read here and there, so that its bytes are hashed by themselves.
            Text::Sheet(_, mut file) => {
                file.rewind()?;
                let mut file = Hashed::new(file);
                io::copy(&mut file, &mut io::sink())?;
                digested(&file)
            }
        })
    }
}

/// What the sheets of a workbook are called.
pub struct SheetNames {
    pub read: String,
    pub others: Vec<String>,
    /// [`Workbook::rivals`].
    pub rivals: Vec<(String, Vec<SheetRow>)>,
}

/// Bytes, and where their cells start.
type Buffer = (Vec<u8>, Starts);

/// What the threads of a wave share: whoever is free takes the next block off the file.
struct Source {
    raw: Raw,
    taken: usize,
    told: u64,
    failed: Option<io::Error>,
}

/// What they leave for each other, apart from the source: to leave it nobody waits for who reads.
struct Left<S> {
    /// Buffers go round: fresh memory for every block would cost more than reading it.
    used: Vec<Buffer>,
    /// What a thread parses with, of those that do not parse now.
    free: Vec<S>,
}

impl Source {
    fn next(&mut self, spare: Buffer, progress: &(dyn Fn(u64) + Sync)) -> Option<(usize, Block)> {
        if self.failed.is_some() {
            return None;
        }
        let block = self.raw.next(spare);
        let bytes = self.raw.bytes();
        progress(bytes - self.told);
        self.told = bytes;
        match block {
            Ok(block) => {
                self.taken += 1;
                block.map(|block| (self.taken, block))
            }
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}

/// Reads the rest of `raw`: a thread of the pool that is free reads the next block and parses it where
/// it is still in the core's own cache; `join` gets the results, a wave at a time, in the order of the file.
/// What a thread parses with is made by `start`, goes from block to block, and is given back at the end.
pub fn read_blocks<S: Send, T: Send>(
    raw: Raw,
    progress: &(dyn Fn(u64) + Sync),
    start: impl Fn() -> S + Sync,
    parse: impl Fn(&mut S, &Block) -> T + Sync,
    mut join: impl FnMut(Vec<T>) + Send,
) -> io::Result<(Digested, Vec<S>)> {
    use rayon::prelude::*;
    let source = Mutex::new(Source { raw, taken: 0, told: 0, failed: None });
    let left = Mutex::new(Left { used: Vec::new(), free: Vec::new() });
    let leaving = || left.lock().expect("no panic holds it");
    let mut marks = Vec::new();
    let mut parsed = Vec::new();
    loop {
        let one = |_| {
            let spare = leaving().used.pop().unwrap_or_default();
            let (number, block) = source.lock().expect("no panic holds it").next(spare, progress)?;
            let free = leaving().free.pop();
            let mut with = free.unwrap_or_else(&start);
            let parsed = parse(&mut with, &block);
            let mut left = leaving();
            left.used.push((block.bytes, block.starts));
            left.free.push(with);
            Some((number, block.marks, parsed))
        };
        let wave = rayon::current_num_threads() * 48;
        // While one wave is joined the next is read.
        let last = std::mem::take(&mut parsed);
        // One by one: who has blocks left while the other thread has none would end the wave alone.
        let read = || (0..wave).into_par_iter().with_max_len(1).filter_map(one).collect::<Vec<_>>();
        let (_, mut wave) = rayon::join(|| join(last), read);
        if wave.is_empty() {
            break;
        }
        wave.sort_by_key(|(number, _, _)| *number);
        for (_, of_block, one) in wave {
            marks.extend(of_block);
            parsed.push(one);
        }
    }
    let source = source.into_inner().expect("no panic holds it");
    match source.failed {
        Some(error) => Err(error),
        None => {
            let free = left.into_inner().expect("no panic holds it").free;
            Ok((Digested { marks, ..source.raw.digest()? }, free))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of a file with this text, and of the same behind its first line; checks that each knows what its
    /// bytes say.
    fn blocks(text: &str) -> Vec<Block> {
        let header = text.find('\n').map_or(0, |at| at + 1);
        if header < BLOCK {
            blocks_behind(text, header);
        }
        blocks_behind(text, 0)
    }

    fn blocks_behind(text: &str, header: usize) -> Vec<Block> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("swipes.csv");
        std::fs::write(&path, text).expect("written");
        let (mut raw, _) = Raw::open(&path, Kind::Swipes).expect("opened");
        if header > 0 {
            raw.fill().expect("read");
            raw.skip(header);
        }
        let mut all = Vec::new();
        // Buffers that were used before go round.
        let mut spare = Buffer::default();
        while let Some(block) = raw.next(spare).expect("read") {
            spare = (block.bytes.clone(), Starts::default());
            spare.1.find(b"1,2\n3,4,\"5");
            all.push(block);
        }
        let (mut line, mut offset) = (1 + u32::from(header > 0), header as u64);
        for block in &all {
            let bytes = block.bytes.as_slice();
            assert_eq!(block.first_line, line);
            let mut found = Starts::default();
            let (starts, found) = (block.starts().expect("known"), found.find(bytes));
            assert_eq!(starts.part(0, bytes.len()), found.part(0, bytes.len()));
            let quote = found.quoted_line(0);
            let lines = [0].into_iter().chain(starts.part(0, bytes.len()).1.iter().copied());
            for line in lines.map(|start| start as usize).filter(|start| *start <= bytes.len()) {
                assert_eq!(starts.quoted_line(line), found.quoted_line(line));
            }
            assert_eq!(
                quote,
                memchr(b'"', bytes)
                    .map(|at| bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1))
            );
            for (number, place) in &block.marks {
                let before = &bytes[..(place - offset) as usize];
                assert!(before.is_empty() || before.ends_with(b"\n"));
                assert_eq!(*number, line + memchr_iter(b'\n', before).count() as u32);
            }
            assert!(block.marks.windows(2).all(|two| two[0].1 < two[1].1) && block.marks[0].1 == offset);
            line += memchr_iter(b'\n', bytes).count() as u32;
            offset += bytes.len() as u64;
        }
        let whole: Vec<u8> = all.iter().flat_map(|block| block.bytes.iter().copied()).collect();
        assert!(whole == text.as_bytes()[header..], "every byte is in a block");
        let mut hash = Hashed::new(File::open(&path).expect("there"));
        io::copy(&mut hash, &mut io::sink()).expect("read");
        assert_eq!(raw.digest().expect("read").sha256, hash.sha256());
        all
    }

    #[test]
    fn blocks_know_where_their_cells_start_wherever_they_are_cut() {
        let row = |number: usize| format!("{number},{}村,,{}\n", number * number, "x".repeat(number % 90));
        let plain: String = (0..9_000).map(row).collect();
        assert!(blocks(&plain).len() > 3);
        assert_eq!(blocks("").len(), 0);
        for text in ["a", "a,b\n", "\n\n", "a,b\r\nc,d", ",", "\"a\nb\",c"] {
            assert_eq!(blocks(text).len(), 1, "{text}");
        }
        // Quotes in one row of a thousand, in the last one, and around line breaks; a last line that does not end.
        for (every, quote) in
            [(1_000, "\"a\"\n"), (8_999, "\"a"), (2_500, "\"a,\n\n,b\",c\n"), (3_000, "1\"\n")]
        {
            let with = |number: usize| row(number) + if number % every == every - 1 { quote } else { "" };
            let text: String = (0..9_000).map(with).collect();
            let found = blocks(&text);
            let quoted = |block: &Block| block.starts().is_some_and(|starts| starts.quoted_line(0).is_some());
            assert!(found.iter().any(quoted), "{quote}");
            blocks(&(text + "9,end"));
        }
        // Lines longer than it is from mark to mark, and than a read.
        blocks(&format!("{},b\n{plain}{},c\n1,2", "y".repeat(20_000), "z".repeat(60_000)));
        blocks(&",".repeat(300_000).replace(&",".repeat(5_000), ",\n"));
    }
}
