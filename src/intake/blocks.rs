//! Files → blocks of whole records, hashed on the way.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use crate::base::message::FileFault;
use crate::base::place::Kind;
use memchr::{memchr, memchr_iter, memrchr};

use super::encoding::{Encoding, Utf16};
use super::folder::Form;
use super::packed::{Hashed, Packed, fault};
use super::quotes::LONGEST_RECORD;
use super::record::last_end;
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
}

impl Block {
    /// Records by themselves.
    pub fn new(bytes: Vec<u8>, first_line: u32) -> Block {
        Block { bytes, first_line, marks: Vec::new() }
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
        let raw = Raw { text, utf16: None, ended: false, buffer: Vec::new(), line: 1, offset: 0 };
        Ok((raw, names))
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
    }

    /// From here on the bytes are UTF-16; those in the buffer as well.
    pub fn set_utf16(&mut self, encoding: Encoding) {
        let mut stream = Utf16::new(encoding);
        let raw = std::mem::take(&mut self.buffer);
        stream.decode(&raw, self.ended, &mut self.buffer);
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
            Text::Plain(file) => file.append(BLOCK, &mut fresh)? < BLOCK,
            Text::Packed(packed) => packed.by_ref().take(BLOCK as u64).read_to_end(&mut fresh)? < BLOCK,
            Text::Sheet(sheet, _) => sheet.append(BLOCK, &mut fresh),
        };
        match &mut self.utf16 {
            Some(stream) => stream.decode(&fresh, self.ended, &mut self.buffer),
            None => self.buffer = fresh,
        }
        Ok(())
    }

    /// The next records, or nothing at the end of the file.
    fn next(&mut self, mut spare: Vec<u8>) -> io::Result<Option<Block>> {
        loop {
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            let cut = self.cut();
            if cut > 0 {
                spare.extend_from_slice(&self.buffer[cut..]);
                self.buffer.truncate(cut);
                let bytes = std::mem::replace(&mut self.buffer, spare);
                return self.block(bytes).map(Some);
            }
            if self.buffer.len() >= ENDLESS && memchr(b'\n', &self.buffer).is_none() {
                return self.endless_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> io::Result<Block> {
        let first_line = self.line;
        let mut marks = Vec::with_capacity(bytes.len() / MARKED + 1);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            marks.push((self.line, self.offset));
            let last_break = rest.get(..MARKED).and_then(|part| memrchr(b'\n', part));
            let (part, behind) = rest.split_at(last_break.map_or(rest.len(), |at| at + 1));
            let line = self.line.checked_add(memchr_iter(b'\n', part).count() as u32);
            self.line = line.ok_or_else(|| fault(FileFault::Endless))?;
            self.offset += part.len() as u64;
            rest = behind;
        }
        Ok(Block { bytes, first_line, marks })
    }

    /// Where the last record that surely ended, ended.
    fn cut(&self) -> usize {
        if self.ended {
            return self.buffer.len();
        }
        last_end(&self.buffer)
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
        Ok(Block { bytes, first_line, marks })
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

/// What the threads of a wave share: whoever is free takes the next block off the file.
struct Source<S> {
    raw: Raw,
    taken: usize,
    told: u64,
    failed: Option<io::Error>,
    /// Buffers go round: fresh memory for every block would cost more than reading it.
    used: Vec<Vec<u8>>,
    /// What a thread parses with, of those that do not parse now.
    free: Vec<S>,
}

impl<S> Source<S> {
    fn next(&mut self, progress: &(dyn Fn(u64) + Sync)) -> Option<(usize, Block)> {
        if self.failed.is_some() {
            return None;
        }
        let spare = self.used.pop().map(|mut buffer| {
            buffer.clear();
            buffer
        });
        let block = self.raw.next(spare.unwrap_or_default());
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
    let source =
        Mutex::new(Source { raw, taken: 0, told: 0, failed: None, used: Vec::new(), free: Vec::new() });
    let lock = || source.lock().expect("no panic holds it");
    let mut marks = Vec::new();
    let mut parsed = Vec::new();
    loop {
        let one = |_| {
            let ((number, block), free) = {
                let mut source = lock();
                (source.next(progress)?, source.free.pop())
            };
            let mut with = free.unwrap_or_else(&start);
            let parsed = parse(&mut with, &block);
            let mut source = lock();
            source.used.push(block.bytes);
            source.free.push(with);
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
        None => Ok((Digested { marks, ..source.raw.digest()? }, source.free)),
    }
}
