//! A workbook's file, looked through before it is read: nothing in it that would take the memory, and nothing
//! that could be read as something else than it says. Each part is unpacked to its end, so that its checksum
//! is held against it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use crate::base::message::FileFault;
use crate::intake::packed::fault;

/// The error of a workbook that is not as workbooks are.
pub fn damaged() -> io::Error {
    fault(FileFault::Damaged)
}

/// No workbook has more parts.
const MOST_PARTS: usize = 10_000;

/// How much XML all parts may come to; a full sheet with twenty columns takes less than half of it.
const MOST_BYTES: u64 = 4 << 30;

/// The longest tag, text or cell: a cell's text takes some 200 KB at most.
const LONGEST: u64 = 1 << 20;

/// No part of a workbook is nested deeper.
const DEEPEST: usize = 200;

/// How many texts cells may share, and how much memory they may take.
const MOST_STRINGS: usize = 20_000_000;
const MOST_SHARED: u64 = 1 << 30;

/// How many sheets, names, styles and references a part may list.
const MOST_LISTED: usize = 100_000;

/// Each style takes a copy of its font and format: how much all of them may take.
const MOST_STYLES: u64 = 1 << 30;

/// Parts by which workbooks of other programs are known.
const OTHERS: [&str; 3] = ["xl/workbook.bin", "content.xml", "index.xml"];

/// Looks through all parts; says whether a cell has a formula.
pub fn check(file: &File) -> io::Result<bool> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| damaged())?;
    if archive.len() > MOST_PARTS {
        return Err(damaged());
    }
    let (mut left, mut formulas) = (MOST_BYTES, false);
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|_| damaged())?;
        let name = entry.name().map_err(|_| damaged())?.to_ascii_lowercase();
        if entry.encrypted() {
            return Err(fault(FileFault::Encrypted));
        }
        if OTHERS.contains(&name.as_str()) {
            return Err(fault(FileFault::OtherWorkbook));
        }
        drop(entry);
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let entry = archive.by_index(at).map_err(|_| damaged())?;
            let source = Source { bytes: BufReader::with_capacity(64 << 10, entry), since: 0, left };
            let mut part = Part::default();
            left = part.read(source)?;
            formulas |= part.formulas;
        }
    }
    Ok(formulas)
}

/// A part's bytes, counted.
struct Source<R> {
    bytes: BufReader<R>,
    /// How much was taken since the last tag, or since the cell began.
    since: u64,
    /// How much all parts may still take.
    left: u64,
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > LONGEST {
            return Err(fault(FileFault::Endless));
        }
        if self.left == 0 {
            return Err(fault(FileFault::TooLarge));
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.since += amount as u64;
        self.left = self.left.saturating_sub(amount as u64);
        self.bytes.consume(amount);
    }
}

/// What was met in a part so far.
#[derive(Default)]
struct Part {
    depth: usize,
    /// Where the cell or the text began that is held as a whole.
    held: Option<usize>,
    cell: Option<Cell>,
    /// The depth of a cell's stored value, within it.
    value: Option<usize>,
    formulas: bool,
    strings: usize,
    listed: usize,
    styles: u64,
    longest: u64,
}

/// A cell being looked at.
#[derive(Default)]
struct Cell {
    /// Its value is the number of a shared text.
    shared: bool,
    /// Its value may be text with references such as `&amp;`.
    text: bool,
    /// Its text stands in `is`; some programs write it as its value as well, which is not read.
    inline: bool,
    /// What was met: `v`, text in it, `is`.
    value: bool,
    filled: bool,
    string: bool,
}

impl Part {
    /// Reads it to its end; gives what all parts may still take.
    fn read<R: Read>(&mut self, source: Source<R>) -> io::Result<u64> {
        let whole = source.left;
        let mut reader = Reader::from_reader(source);
        reader.config_mut().expand_empty_elements = true;
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            let event = reader.read_event_into(&mut buffer).map_err(failed)?;
            match &event {
                _ if self.value.is_some() => self.in_value(&event)?,
                Event::Start(element) => self.start(element)?,
                _ => {}
            }
            let tag = matches!(event, Event::Start(_) | Event::End(_));
            match event {
                Event::Start(_) if self.depth == DEEPEST => return Err(damaged()),
                Event::Start(_) => self.depth += 1,
                Event::End(_) => {
                    self.depth -= 1;
                    let ended = Some(self.depth);
                    self.value = self.value.filter(|_| ended != self.value);
                    if ended == self.held {
                        let cell = self.cell.take().unwrap_or_default();
                        if cell.inline && cell.value && !cell.string {
                            return Err(damaged());
                        }
                        self.held = None;
                    }
                }
                // An element that does not end.
                Event::Eof if self.depth > 0 => return Err(damaged()),
                Event::Eof => break,
                _ => {}
            }
            if tag && self.held.is_none() {
                let source = reader.get_mut();
                self.longest = self.longest.max(source.since);
                source.since = 0;
            }
        }
        let left = reader.get_ref().left;
        let too_large = self.strings > 0 && whole - left > MOST_SHARED
            || self.styles.saturating_mul(self.longest) > MOST_STYLES;
        if too_large { Err(fault(FileFault::TooLarge)) } else { Ok(left) }
    }

    /// An element, but for those within a cell's value.
    fn start(&mut self, element: &BytesStart) -> io::Result<()> {
        let name = element.local_name();
        let name = name.as_ref();
        if let Some(cell) = &mut self.cell {
            match name {
                // Of two values one would be dropped, and a formula behind its value would hide it.
                "v" | "f" if cell.value || cell.string => return Err(damaged()),
                "is" if cell.string || cell.value && !cell.inline => return Err(damaged()),
                "v" => (cell.value, self.value) = (true, Some(self.depth)),
                "is" => cell.string = true,
                "f" => self.formulas = true,
                _ => {}
            }
            return Ok(());
        }
        match name {
            "c" => {
                let [place, style, kind] = attributes(element, ["r", "s", "t"])?;
                if place.is_some_and(|place| !is_place(place)) || style.is_some_and(|style| !is_number(style))
                {
                    return Err(damaged());
                }
                let inline = matches!(kind, Some("inlineStr" | "is"));
                let text = inline || matches!(kind, Some("str" | "d"));
                self.cell = Some(Cell { shared: kind == Some("s"), text, inline, ..Cell::default() });
                self.held.get_or_insert(self.depth);
            }
            "row" => {
                let [place] = attributes(element, ["r"])?;
                if place.is_some_and(|place| !is_number(place)) {
                    return Err(damaged());
                }
            }
            "sst" => {
                let [count] = attributes(element, ["uniqueCount"])?;
                // So much memory is taken before the first text is read.
                if count.is_some_and(|count| !count.parse().is_ok_and(|count: usize| count <= MOST_STRINGS)) {
                    return Err(fault(FileFault::TooLarge));
                }
            }
            "si" => {
                self.strings += 1;
                self.held.get_or_insert(self.depth);
            }
            "definedName" => {
                self.listed += 1;
                self.held.get_or_insert(self.depth);
            }
            "Relationship" => {
                self.listed += 1;
                let [of, target] = attributes(element, ["Type", "Target"])?;
                let read = of.is_some_and(|of| of.ends_with("/officeDocument") || of.ends_with("/worksheet"));
                // Parts of other names were not looked through.
                if read && target.is_some_and(|target| !target.to_ascii_lowercase().ends_with(".xml")) {
                    return Err(damaged());
                }
            }
            "xf" => {
                self.listed += 1;
                self.styles += 1;
            }
            "sheet" | "numFmt" | "font" | "fill" | "border" => self.listed += 1,
            _ => {}
        }
        let too_many = self.strings > MOST_STRINGS || self.listed > MOST_LISTED;
        if too_many { Err(fault(FileFault::TooLarge)) } else { Ok(()) }
    }

    /// Of a number in pieces only the first would be read, and what is no number of a text would be the first text.
    fn in_value(&mut self, event: &Event) -> io::Result<()> {
        let Some(cell) = &mut self.cell else { return Ok(()) };
        let as_usual = match event {
            Event::Text(_) if cell.text => true,
            Event::Text(text) => {
                let first = !std::mem::replace(&mut cell.filled, true);
                first && (!cell.shared || is_number(text))
            }
            Event::GeneralRef(_) => cell.text,
            Event::End(_) | Event::Eof => true,
            _ => false,
        };
        if as_usual { Ok(()) } else { Err(damaged()) }
    }
}

fn failed(error: quick_xml::Error) -> io::Error {
    let quick_xml::Error::Io(error) = error else { return damaged() };
    match error.get_ref().and_then(|inner| inner.downcast_ref::<FileFault>()) {
        Some(known) => fault(known.clone()),
        None => unpacking(&error),
    }
}

/// An error of unpacking, if the disk is not to blame.
pub fn unpacking(error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Unsupported
        | io::ErrorKind::Other => damaged(),
        kind => io::Error::new(kind, error.to_string()),
    }
}

/// Some attributes of an element, as they stand; none may be there twice.
fn attributes<'a, const N: usize>(
    element: &'a BytesStart,
    names: [&str; N],
) -> io::Result<[Option<&'a str>; N]> {
    let mut found = [None; N];
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| damaged())?;
        if let Some(at) = names.iter().position(|wanted| *wanted == attribute.key.as_ref()) {
            let std::borrow::Cow::Borrowed(value) = attribute.value else { return Err(damaged()) };
            if found[at].replace(value).is_some() {
                return Err(damaged());
            }
        }
    }
    Ok(found)
}

/// Up to three letters and seven digits: `XFD1048576`.
fn is_place(place: &str) -> bool {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic).count();
    (1..=3).contains(&letters) && place.len() <= letters + 7 && is_number(&place[letters..])
}

fn is_number(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_at(xml: &str) -> Result<bool, FileFault> {
        let mut part = Part::default();
        let source = Source { bytes: BufReader::new(xml.as_bytes()), since: 0, left: MOST_BYTES };
        match part.read(source) {
            Ok(left) => {
                assert_eq!(left, MOST_BYTES - xml.len() as u64);
                Ok(part.formulas)
            }
            Err(error) => Err(error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<FileFault>())
                .expect("it is known")
                .clone()),
        }
    }

    #[test]
    fn what_could_be_misread_is_refused() {
        for (xml, formulas) in [
            ("<c r=\"XFD1048576\" s=\"12\"><f>A1</f><v>1.5E-2</v></c>", true),
            ("<c t=\"s\"><v>7</v></c>", false),
            ("<c t=\"str\"><v>a &amp; b</v></c>", false),
            ("<c t=\"inlineStr\"><is><t><![CDATA[a]]></t></is></c>", false),
            ("<c t=\"inlineStr\"><v>a</v><is><t>a</t></is></c>", false),
            ("<c><v/></c>", false),
            ("<sst uniqueCount=\"2\"><si/><si/></sst>", false),
            ("<f>of a chart</f>", false),
        ] {
            assert_eq!(looked_at(xml), Ok(formulas), "{xml}");
        }
        for xml in [
            "<c><v>4&#46;5</v></c>",
            "<c><v>4<!-- -->5</v></c>",
            "<c><v><![CDATA[4]]></v></c>",
            "<c><v>4<x/></v></c>",
            "<c t=\"str\"><v><![CDATA[4]]></v></c>",
            "<c t=\"s\"><v> 7</v></c>",
            "<c t=\"s\"><v>x</v></c>",
            "<c t=\"s\"><v>99999999999999999999</v></c>",
            "<c><v>4</v><f>A1</f></c>",
            "<c><v>4</v><v>5</v></c>",
            "<c><v>4</v><is><t>a</t></is></c>",
            "<c t=\"inlineStr\"><v>a</v></c>",
            "<c t=\"inlineStr\"><is><t>a</t></is><v>a</v></c>",
            "<c r=\"AAAAAAA1\"/>",
            "<c r=\"1\"/>",
            "<c r=\"A11111111111\"/>",
            "<c s=\"x\"/>",
            "<c t=\"s\" t=\"n\"/>",
            "<row r=\"11111111111\"/>",
            "<row></c>",
            "<row>",
            "<Relationship Type=\"a/worksheet\" Target=\"sheet.txt\"/>",
        ] {
            assert_eq!(looked_at(xml), Err(FileFault::Damaged), "{xml}");
        }
    }

    #[test]
    fn what_would_take_the_memory_is_refused() {
        let long = "x".repeat(2 << 20);
        let runs = "<r><t>text</t></r>".repeat(100_000);
        for xml in [format!("<a>{long}</a>"), format!("<a b=\"{long}\"/>"), format!("<si>{runs}</si>")] {
            assert_eq!(looked_at(&xml), Err(FileFault::Endless));
        }
        let styles = format!("<font a=\"{}\"/>{}", &long[..1 << 19], "<xf/>".repeat(3_000));
        for xml in
            ["<sst uniqueCount=\"99999999999999\"/>", &format!("<a>{}</a>", "<xf/>".repeat(100_001)), &styles]
        {
            assert_eq!(looked_at(xml), Err(FileFault::TooLarge));
        }
        assert_eq!(looked_at(&format!("<a>{}</a>", runs)), Ok(false));
    }
}
