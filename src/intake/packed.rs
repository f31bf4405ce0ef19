//! Compressed exports → the bytes of the CSV within, as a stream. What was packed in parts, one behind the
//! other, is one file; anything else behind the last part is damage.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::time::{Duration, Instant};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::{Digest, Sha256};

use crate::base::message::FileFault;

use super::starts::Starts;

/// What is wrong with a file, as an error of reading.
pub fn fault(fault: FileFault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

/// A file as it lies on the disk, hashed while it is read.
pub struct Hashed {
    file: File,
    hash: Sha256,
    /// What the hashing took, and with it the looking that [`Starts::look_hashing`] does meanwhile.
    pub hashing: Duration,
    pub bytes: u64,
}

impl Hashed {
    pub fn new(file: File) -> Hashed {
        Hashed { file, hash: Sha256::new(), hashing: Duration::ZERO, bytes: 0 }
    }

    /// Appends up to `most` bytes, fewer only at the end: where a block ends follows from the file alone. `starts` are
    /// those of `out`.
    pub fn append(&mut self, most: usize, out: &mut Vec<u8>, starts: &mut Starts) -> io::Result<usize> {
        starts.look(out);
        let read = Read::by_ref(&mut self.file).take(most as u64).read_to_end(out)?;
        let begun = Instant::now();
        starts.look_hashing(out, &mut self.hash);
        self.hashing += begun.elapsed();
        self.bytes += read as u64;
        Ok(read)
    }

    fn take(&mut self, bytes: &[u8]) {
        let begun = Instant::now();
        self.hash.update(bytes);
        self.hashing += begun.elapsed();
        self.bytes += bytes.len() as u64;
    }

    pub fn sha256(&self) -> String {
        self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Read for Hashed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(out)?;
        self.take(&out[..read]);
        Ok(read)
    }
}

type Source = BufReader<Hashed>;

/// How much of a compressed file is taken at once.
const AT_ONCE: usize = 64 << 10;

pub enum Packed {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

impl Packed {
    pub fn gzip(file: Hashed) -> Packed {
        let rest = Some(BufReader::with_capacity(AT_ONCE, file));
        Packed::Gzip(Box::new(Gzip { part: None, rest, first: true }))
    }

    pub fn zstd(file: Hashed) -> Packed {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WIDEST_WINDOW);
        let source = BufReader::with_capacity(AT_ONCE, file);
        Packed::Zstd(Box::new(Zstd { source, decoder, inside: false, first: true, given: 0 }))
    }

    /// The file that is read.
    pub fn file(&self) -> &Hashed {
        match self {
            Packed::Gzip(gzip) => match (&gzip.part, &gzip.rest) {
                (Some(part), _) => part.get_ref().get_ref(),
                (None, rest) => rest.as_ref().expect("it is kept where no part is read").get_ref(),
            },
            Packed::Zstd(zstd) => zstd.source.get_ref(),
        }
    }
}

impl Read for Packed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            _ if out.is_empty() => Ok(0),
            Packed::Gzip(gzip) => gzip.read(out),
            Packed::Zstd(zstd) => zstd.read(out),
        }
    }
}

pub struct Gzip {
    part: Option<GzDecoder<Source>>,
    /// The file, where no part of it is being read.
    rest: Option<Source>,
    first: bool,
}

impl Gzip {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.part.is_some() || self.next_part()? {
            let Some(part) = &mut self.part else { break };
            match part.read(out) {
                // It ended, and its checksum was right.
                Ok(0) => self.rest = self.part.take().map(GzDecoder::into_inner),
                Ok(read) => return Ok(read),
                Err(error) => {
                    return Err(match error.kind() {
                        io::ErrorKind::UnexpectedEof => fault(FileFault::CutShort),
                        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => fault(FileFault::Damaged),
                        _ => error,
                    });
                }
            }
        }
        Ok(0)
    }

    /// Begins the next part, if there is one.
    fn next_part(&mut self) -> io::Result<bool> {
        let Some(source) = &mut self.rest else { return Ok(false) };
        match source.fill_buf()? {
            [] => return Ok(false),
            [0x1F] | [0x1F, 0x8B, ..] => {}
            _ if self.first => return Err(fault(FileFault::NotPacked { form: "gzip" })),
            _ => return Err(fault(FileFault::Trailing)),
        }
        self.part = self.rest.take().map(GzDecoder::new);
        self.first = false;
        Ok(true)
    }
}

/// What `zstd --long` looks back, and no more: a file says how much memory it takes.
const WIDEST_WINDOW: u64 = 128 << 20;

pub struct Zstd {
    source: Source,
    decoder: FrameDecoder,
    /// Within a frame.
    inside: bool,
    first: bool,
    /// How many bytes of the frame were given on.
    given: u64,
}

impl Zstd {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.inside {
                if !self.next_frame()? {
                    return Ok(0);
                }
            } else if self.decoder.can_collect() > 0 {
                let read = self.decoder.read(out)?;
                self.given += read as u64;
                return Ok(read);
            } else if self.decoder.is_finished() {
                let wanted = self.decoder.get_checksum_from_data();
                let size = self.decoder.content_size();
                if wanted.is_some_and(|wanted| self.decoder.get_calculated_checksum() != Some(wanted))
                    || (size > 0 && size != self.given)
                {
                    return Err(fault(FileFault::Damaged));
                }
                self.inside = false;
            } else {
                let decoded =
                    self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                decoded.map_err(|error| self.fault(&error))?;
            }
        }
    }

    /// Reads the head of the next frame, if there is one. Frames to be skipped are.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let mut magic = Vec::with_capacity(4);
            Read::by_ref(&mut self.source).take(4).read_to_end(&mut magic)?;
            let first = std::mem::replace(&mut self.first, false);
            match magic.as_slice() {
                [] => return Ok(false),
                [0x28, 0xB5, 0x2F, 0xFD] => {
                    let head = magic.as_slice().chain(&mut self.source);
                    self.decoder.init(head).map_err(|error| self.fault(&error))?;
                    (self.inside, self.given) = (true, 0);
                    return Ok(true);
                }
                [0x50..=0x5F, 0x2A, 0x4D, 0x18] => {
                    let mut length = [0; 4];
                    let cut = |_| fault(FileFault::CutShort);
                    self.source.read_exact(&mut length).map_err(cut)?;
                    let length = u64::from(u32::from_le_bytes(length));
                    let skipped =
                        io::copy(&mut Read::by_ref(&mut self.source).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(fault(FileFault::CutShort));
                    }
                }
                _ if first => return Err(fault(FileFault::NotPacked { form: "zstd" })),
                _ => return Err(fault(FileFault::Trailing)),
            }
        }
    }

    fn fault(&mut self, error: &FrameDecoderError) -> io::Error {
        if matches!(error, FrameDecoderError::WindowSizeTooBig { .. }) {
            return fault(FileFault::WideWindow);
        }
        match self.source.fill_buf() {
            Ok([]) => fault(FileFault::CutShort),
            Ok(_) => fault(FileFault::Damaged),
            Err(error) => error,
        }
    }
}
