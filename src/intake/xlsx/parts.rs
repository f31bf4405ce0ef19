//! A workbook's file → its parts, and a part → XML events. Nothing is unpacked into memory, and no
//! event is longer than a cell can be, however small the file that it comes from.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::{CompressionMethod, ZipArchive};

use crate::base::message::FileFault;
use crate::intake::packed::fault;

/// The error of a workbook that is not as workbooks are.
pub fn damaged() -> io::Error {
    fault(FileFault::Damaged)
}

/// Where the parts of a workbook stand in its file.
pub struct Parts {
    file: Arc<File>,
    /// By name, in lower case and with `/`, as some programs write them otherwise.
    all: HashMap<String, Part>,
}

#[derive(Clone, Copy)]
struct Part {
    start: u64,
    packed: u64,
    size: u64,
    crc: u32,
    method: CompressionMethod,
}

/// No workbook has more parts.
const MOST_PARTS: usize = 10_000;

impl Parts {
    pub fn open(file: File) -> io::Result<Parts> {
        let file = Arc::new(file);
        let mut archive = ZipArchive::new(At { file: Arc::clone(&file), place: 0 }).map_err(|_| damaged())?;
        if archive.len() > MOST_PARTS {
            return Err(damaged());
        }
        let mut all = HashMap::new();
        for at in 0..archive.len() {
            let entry = archive.by_index_raw(at).map_err(|_| damaged())?;
            let name = entry.name().map_err(|_| damaged())?;
            if entry.encrypted() {
                return Err(fault(FileFault::Encrypted));
            }
            let part = Part {
                start: entry.data_start().ok_or_else(damaged)?,
                packed: entry.compressed_size(),
                size: entry.size(),
                crc: entry.crc32(),
                method: entry.compression(),
            };
            all.insert(usual(&name), part);
        }
        Ok(Parts { file, all })
    }

    pub fn has(&self, name: &str) -> bool {
        self.all.contains_key(&usual(name))
    }

    /// Opens a part; nothing where there is no such part.
    pub fn xml(&self, name: &str) -> io::Result<Option<Xml>> {
        let Some(part) = self.all.get(&usual(name)).copied() else { return Ok(None) };
        let packed = At { file: Arc::clone(&self.file), place: part.start }.take(part.packed);
        let packed = BufReader::with_capacity(64 << 10, packed);
        let bytes = match part.method {
            CompressionMethod::Stored => Unpacked::Stored(packed),
            CompressionMethod::Deflated => Unpacked::Deflated(DeflateDecoder::new(packed)),
            _ => return Err(damaged()),
        };
        let checked = Checked { bytes, crc: Crc::new(), part };
        let source = Source { bytes: BufReader::with_capacity(64 << 10, checked), since: 0 };
        let mut reader = Reader::from_reader(source);
        reader.config_mut().expand_empty_elements = true;
        Ok(Some(Xml { reader, buffer: Vec::new(), depth: 0 }))
    }

    /// How many bytes of the file a part takes.
    pub fn packed(&self, name: &str) -> u64 {
        self.all.get(&usual(name)).map_or(0, |part| part.packed)
    }
}

fn usual(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_lowercase()
}

/// A file read from a place of its own, whoever else reads it.
struct At {
    file: Arc<File>,
    place: u64,
}

impl Read for At {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(out, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl io::Seek for At {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let place = match to {
            io::SeekFrom::Start(place) => Some(place),
            io::SeekFrom::Current(by) => self.place.checked_add_signed(by),
            io::SeekFrom::End(by) => self.file.metadata()?.len().checked_add_signed(by),
        };
        self.place = place.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.place)
    }
}

enum Unpacked {
    Stored(BufReader<io::Take<At>>),
    Deflated(DeflateDecoder<BufReader<io::Take<At>>>),
}

/// A part's bytes, held against its size and checksum at the end.
struct Checked {
    bytes: Unpacked,
    crc: Crc,
    part: Part,
}

impl Read for Checked {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.bytes {
            Unpacked::Stored(bytes) => bytes.read(out)?,
            Unpacked::Deflated(bytes) => bytes.read(out).map_err(|_| damaged())?,
        };
        self.crc.update(&out[..read]);
        let same = self.crc.sum() == self.part.crc && self.crc.amount() == self.part.size as u32;
        if read == 0 && !out.is_empty() && !same { Err(damaged()) } else { Ok(read) }
    }
}

/// The longest event of XML: a cell's text takes some 200 KB at most.
const LONGEST_EVENT: usize = 1 << 20;

/// No part of a workbook is nested deeper.
const DEEPEST: usize = 200;

struct Source {
    bytes: BufReader<Checked>,
    /// How much was taken since the last event.
    since: usize,
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        self.since += read;
        Ok(read)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > LONGEST_EVENT {
            return Err(fault(FileFault::Endless));
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.since += amount;
        self.bytes.consume(amount);
    }
}

/// A part being read. Every element starts and ends, even one without content.
pub struct Xml {
    reader: Reader<Source>,
    buffer: Vec<u8>,
    depth: usize,
}

impl Xml {
    pub fn next(&mut self) -> io::Result<Event<'_>> {
        self.buffer.clear();
        self.reader.get_mut().since = 0;
        let event = self.reader.read_event_into(&mut self.buffer).map_err(|error| match error {
            quick_xml::Error::Io(error) => {
                match error.get_ref().and_then(|inner| inner.downcast_ref::<FileFault>()) {
                    Some(known) => fault(known.clone()),
                    None => io::Error::new(error.kind(), error.to_string()),
                }
            }
            _ => damaged(),
        })?;
        match &event {
            Event::Start(_) if self.depth == DEEPEST => return Err(damaged()),
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth -= 1,
            // An element that does not end.
            Event::Eof if self.depth > 0 => return Err(damaged()),
            _ => {}
        }
        Ok(event)
    }

    /// Appends the text up to the end of the element that just started, without that of elements named
    /// `without`. What is longer than a cell can be is cut: its record is too long whatever follows.
    pub fn text(&mut self, without: &str, out: &mut String) -> io::Result<()> {
        let (mut depth, mut skipped, start) = (1, 0, out.len());
        while depth > 0 {
            let room = out.len() - start <= LONGEST_TEXT;
            match self.next()? {
                Event::Start(element) => {
                    depth += 1;
                    if skipped > 0 || element.local_name().as_ref() == without {
                        skipped += 1;
                    }
                }
                Event::End(_) => {
                    depth -= 1;
                    skipped = usize::saturating_sub(skipped, 1);
                }
                Event::Eof => return Err(damaged()),
                _ if skipped > 0 || !room => {}
                Event::Text(text) => out.push_str(&text.xml10_content()),
                Event::CData(text) => out.push_str(&text.xml10_content()),
                Event::GeneralRef(name) => match name.resolve_char_ref() {
                    Ok(Some(c)) => out.push(c),
                    _ => out.push_str(match &*name.xml10_content() {
                        "amp" => "&",
                        "lt" => "<",
                        "gt" => ">",
                        "quot" => "\"",
                        "apos" => "'",
                        _ => return Err(damaged()),
                    }),
                },
                _ => {}
            }
        }
        Ok(())
    }
}

/// Of a cell, in bytes; a record may be no longer anyway.
const LONGEST_TEXT: usize = crate::intake::record::LONGEST_RECORD;

/// Some attributes of a cell at once; nothing where there is none.
pub fn attributes<'a, const N: usize>(
    element: &'a BytesStart,
    names: [&str; N],
) -> io::Result<[Option<Cow<'a, str>>; N]> {
    let mut found = [const { None }; N];
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| damaged())?;
        let name = attribute.key.local_name();
        if let Some(at) = names.iter().position(|wanted| *wanted == name.as_ref()) {
            found[at] = Some(attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| damaged())?);
        }
    }
    Ok(found)
}

/// An attribute, whatever stands before its name's colon; empty where there is none.
pub fn attribute(element: &BytesStart, name: &str) -> io::Result<String> {
    let [found] = attributes(element, [name])?;
    Ok(found.unwrap_or_default().into_owned())
}
