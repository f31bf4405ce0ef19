//! Files → blocks of whole records, read ahead on a thread of their own, hashed on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use memchr::{memchr, memchr_iter};
use sha2::{Digest, Sha256};

use super::encoding::{Encoding, Utf16};
use super::record::{LONGEST_RECORD, last_end};

/// How much is parsed at once: little enough to stay in a core's own cache from the reading on.
const BLOCK: usize = 512 << 10;

/// Whole records of one file.
pub struct Block {
    pub bytes: Vec<u8>,
    /// The line of its first byte, from 1.
    pub first_line: u32,
    /// Where it starts in the file (UTF-16: in the text that it is turned into).
    pub offset: u64,
}

/// What there is to say of a file once it was read.
#[derive(Clone, Debug, Default)]
pub struct Digested {
    pub sha256: String,
    pub bytes: u64,
    /// The first line and the place of every block, so that a row can be found again.
    pub blocks: Vec<(u32, u64)>,
}

/// A file being read from its start. UTF-16 comes out as UTF-8.
pub struct Raw {
    file: File,
    hash: Sha256,
    bytes: u64,
    utf16: Option<Utf16>,
    ended: bool,
    /// Bytes read and not yet given on, and the line of the first of them.
    pub buffer: Vec<u8>,
    pub line: u32,
    offset: u64,
}

impl Raw {
    pub fn open(path: &Path) -> io::Result<Raw> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(Raw {
            file,
            hash: Sha256::new(),
            bytes: 0,
            utf16: None,
            ended: false,
            buffer: Vec::new(),
            line: 1,
            offset: 0,
        })
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
        let start = fresh.len();
        fresh.reserve(BLOCK);
        let read = Read::by_ref(&mut self.file).take(BLOCK as u64).read_to_end(&mut fresh)?;
        self.ended = read < BLOCK;
        self.bytes += read as u64;
        self.hash.update(&fresh[start..]);
        match &mut self.utf16 {
            Some(stream) => stream.decode(&fresh, self.ended, &mut self.buffer),
            None => self.buffer = fresh,
        }
        Ok(())
    }

    /// The next records, or nothing at the end of the file.
    fn next(&mut self, spare: impl Fn() -> Vec<u8>) -> io::Result<Option<Block>> {
        loop {
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            let cut = self.cut();
            if cut > 0 {
                let mut rest = spare();
                rest.extend_from_slice(&self.buffer[cut..]);
                self.buffer.truncate(cut);
                let bytes = std::mem::replace(&mut self.buffer, rest);
                return Ok(Some(self.block(bytes)));
            }
            if self.buffer.len() > LONGEST_RECORD && memchr(b'\n', &self.buffer).is_none() {
                return self.endless_line().map(Some);
            }
            self.fill()?;
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> Block {
        let (first_line, offset) = (self.line, self.offset);
        self.line += memchr_iter(b'\n', &bytes).count() as u32;
        self.offset += bytes.len() as u64;
        Block { bytes, first_line, offset }
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
        let mut bytes = self.buffer[..=LONGEST_RECORD].to_vec();
        let (first_line, offset) = (self.line, self.offset);
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
        Ok(Block { bytes, first_line, offset })
    }

    fn digest(self) -> Digested {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digested { sha256, bytes: self.bytes, blocks: Vec::new() }
    }
}

/// Reads the rest of `raw`: `parse` runs on all threads of the pool, a wave of blocks at a time;
/// `join` gets the results in the order of the file.
pub fn read_blocks<T: Send>(
    raw: Raw,
    ahead: usize,
    progress: &(dyn Fn(u64) + Sync),
    parse: impl Fn(&Block) -> T + Sync,
    mut join: impl FnMut(Vec<T>),
) -> io::Result<Digested> {
    use rayon::prelude::*;
    std::thread::scope(|scope| {
        let (sender, receiver): (SyncSender<Block>, Receiver<Block>) = sync_channel(ahead);
        // Buffers go round: fresh memory for every block would cost more than reading it.
        let (give_back, used): (SyncSender<Vec<u8>>, Receiver<Vec<u8>>) = sync_channel(4 * ahead);
        let reader = scope.spawn(move || -> io::Result<Digested> {
            let mut raw = raw;
            let mut told = 0;
            let spare = || {
                let mut buffer = used.try_recv().unwrap_or_default();
                buffer.clear();
                buffer
            };
            while let Some(block) = raw.next(spare)? {
                progress(raw.bytes - told);
                told = raw.bytes;
                if sender.send(block).is_err() {
                    break;
                }
            }
            progress(raw.bytes - told);
            Ok(raw.digest())
        });
        let (mut wave, mut blocks) = (Vec::with_capacity(ahead), Vec::new());
        while let Ok(block) = receiver.recv() {
            wave.push(block);
            wave.extend(receiver.try_iter().take(ahead - 1));
            join(wave.par_iter().map(&parse).collect());
            for block in wave.drain(..) {
                blocks.push((block.first_line, block.offset));
                let _ = give_back.try_send(block.bytes);
            }
        }
        drop(receiver);
        let read = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        read.map(|digested| Digested { blocks, ..digested })
    })
}
