//! Files → blocks of whole records, read ahead on a thread of their own, hashed on the way.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use memchr::{memchr, memchr_iter};
use sha2::{Digest, Sha256};

use super::encoding::{Encoding, Utf16};
use super::record::{LONGEST_RECORD, last_end};

/// How much is parsed at once.
const BLOCK: usize = 4 << 20;

/// Whole records of one file.
pub struct Block {
    pub bytes: Vec<u8>,
    /// The line of its first byte, from 1.
    pub first_line: u32,
}

/// What there is to say of a file once it was read.
#[derive(Clone, Debug, Default)]
pub struct Digested {
    pub sha256: String,
    pub bytes: u64,
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
        })
    }

    /// Drops `length` bytes of the buffer.
    pub fn skip(&mut self, length: usize) {
        self.line += memchr_iter(b'\n', &self.buffer[..length]).count() as u32;
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
    fn next(&mut self) -> io::Result<Option<Block>> {
        loop {
            if self.ended && self.buffer.is_empty() {
                return Ok(None);
            }
            let cut = self.cut();
            if cut > 0 {
                let rest = self.buffer.split_off(cut);
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
        let first_line = self.line;
        self.line += memchr_iter(b'\n', &bytes).count() as u32;
        Block { bytes, first_line }
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
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer) {
                self.buffer.drain(..=at);
                bytes.push(b'\n');
                break;
            }
            self.buffer.clear();
            if self.ended {
                break;
            }
            self.fill()?;
        }
        Ok(self.block(bytes))
    }

    fn digest(self) -> Digested {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digested { sha256, bytes: self.bytes }
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
        let reader = scope.spawn(move || -> io::Result<Digested> {
            let mut raw = raw;
            let mut told = 0;
            while let Some(block) = raw.next()? {
                progress(raw.bytes - told);
                told = raw.bytes;
                if sender.send(block).is_err() {
                    break;
                }
            }
            progress(raw.bytes - told);
            Ok(raw.digest())
        });
        let mut wave = Vec::with_capacity(ahead);
        while let Ok(block) = receiver.recv() {
            wave.push(block);
            wave.extend(receiver.try_iter().take(ahead - 1));
            join(wave.par_drain(..).map(|block| parse(&block)).collect());
        }
        drop(receiver);
        reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
