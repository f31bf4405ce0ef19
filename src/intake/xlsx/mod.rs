//! A workbook (.xlsx) → the text of one sheet. Its own reader, since a run needs the stored digits as they are,
//! no binary fractions, and a file that unpacks without end must not take the memory.

mod formats;
mod parts;
mod sheet;
mod strings;
mod values;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek};

use quick_xml::events::Event;

use crate::base::message::FileFault;
use crate::base::place::Kind;

use super::columns::is_sheet_of;
use super::packed::fault;
use formats::Formats;
use parts::{Parts, attribute, damaged};
pub use sheet::Sheet;
use strings::Strings;

/// A workbook whose sheet is about to be read.
pub struct Workbook {
    pub sheet: Sheet,
    /// The name of the sheet.
    pub name: String,
    /// The names of the others.
    pub others: Vec<String>,
}

/// The start of an old workbook, and of one with a password.
const COMPOUND: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Opens the sheet of a workbook that holds `kind`: the one that is named like it, else the first.
pub fn open(mut file: File, kind: Kind) -> io::Result<Workbook> {
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(8).read_to_end(&mut start)?;
    match start.as_slice() {
        [] => return Err(fault(FileFault::EmptyWorkbook)),
        COMPOUND => {
            let encrypted = holds(
                &mut file,
                &"EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
            )?;
            return Err(fault(if encrypted { FileFault::Encrypted } else { FileFault::OldWorkbook }));
        }
        [b'P', b'K', ..] => {}
        _ => return Err(fault(FileFault::NoWorkbook)),
    }
    file.rewind()?;
    let parts = Parts::open(file)?;
    let main = related(&parts, "_rels/.rels", "")?.into_values().find(|(of, _)| of == "officeDocument");
    let main = main.map_or("xl/workbook.xml".to_string(), |(_, target)| target);
    if !parts.has(&main) || main.to_lowercase().ends_with(".bin") {
        let other = ["xl/workbook.bin", "content.xml", "index.xml"].iter().any(|part| parts.has(part));
        return Err(fault(if other { FileFault::OtherWorkbook } else { FileFault::NoWorkbook }));
    }
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
    let related = related(&parts, &format!("{folder}/_rels/{name}.rels"), folder)?;
    let (sheets, from_1904) = sheets(&parts, &main)?;
    let of = |wanted: &str| related.values().find(|(of, _)| of == wanted).map(|(_, target)| target.as_str());
    let strings = of("sharedStrings").map(|name| Strings::read(&parts, name)).transpose()?;
    let formats = of("styles").map(|name| Formats::read(&parts, name)).transpose()?;
    // Charts and old macros are sheets as well.
    let tables = |one: &&Listed| related.get(&one.id).is_some_and(|(of, _)| of == "worksheet");
    let visible: Vec<&Listed> = sheets.iter().filter(tables).filter(|one| !one.hidden).collect();
    let all: Vec<&Listed> = sheets.iter().filter(tables).collect();
    let named: Vec<&&Listed> = all.iter().filter(|one| is_sheet_of(kind, &one.name)).collect();
    let taken = match named.as_slice() {
        [_, _, ..] => {
            let names = named.iter().map(|one| one.name.clone()).collect();
            return Err(fault(FileFault::SheetsAlike { names }));
        }
        [one] => one,
        [] => visible.first().or(all.first()).ok_or_else(|| fault(FileFault::NoWorkbook))?,
    };
    let others = all.iter().filter(|one| one.id != taken.id).map(|one| one.name.clone()).collect();
    let xml = parts.xml(&related[&taken.id].1)?.ok_or_else(damaged)?;
    let sheet = Sheet::new(xml, strings.unwrap_or_default(), formats.unwrap_or_default(), from_1904)?;
    Ok(Workbook { sheet, name: taken.name.clone(), others })
}

/// Whether `wanted` stands anywhere in what is left of a file.
fn holds(file: &mut File, wanted: &[u8]) -> io::Result<bool> {
    let mut bytes = Vec::new();
    loop {
        let kept = bytes.len().saturating_sub(wanted.len());
        bytes.drain(..kept);
        if Read::by_ref(file).take(1 << 20).read_to_end(&mut bytes)? == 0 {
            return Ok(false);
        }
        if memchr::memmem::find(&bytes, wanted).is_some() {
            return Ok(true);
        }
    }
}

/// What a part refers to: by id, the last word of what it is, and the name of the part.
fn related(parts: &Parts, name: &str, folder: &str) -> io::Result<HashMap<String, (String, String)>> {
    let mut all = HashMap::new();
    let Some(mut xml) = parts.xml(name)? else { return Ok(all) };
    loop {
        match xml.next()? {
            Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                let target = attribute(&element, "Target")?;
                let target = match target.strip_prefix('/') {
                    Some(whole) => whole.to_string(),
                    None => joined(folder, &target),
                };
                let of = attribute(&element, "Type")?;
                let of = of.rsplit('/').next().unwrap_or_default().to_string();
                all.insert(attribute(&element, "Id")?, (of, target));
            }
            Event::Eof => return Ok(all),
            _ => {}
        }
        if all.len() > MOST_SHEETS {
            return Err(damaged());
        }
    }
}

/// The name of a part that is named from a folder: `../x` and `./x` as well.
fn joined(folder: &str, name: &str) -> String {
    let mut path: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.join("/")
}

const MOST_SHEETS: usize = 10_000;

/// A sheet as the workbook lists it.
struct Listed {
    name: String,
    id: String,
    hidden: bool,
}

/// The sheets in their order, and whether days are counted from 1904.
fn sheets(parts: &Parts, name: &str) -> io::Result<(Vec<Listed>, bool)> {
    let mut xml = parts.xml(name)?.ok_or_else(damaged)?;
    let (mut all, mut from_1904) = (Vec::new(), false);
    loop {
        match xml.next()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "workbookPr" => from_1904 = matches!(attribute(&element, "date1904")?.as_str(), "1" | "true"),
                "sheet" => {
                    let id = attribute(&element, "id")?;
                    let hidden = !matches!(attribute(&element, "state")?.as_str(), "" | "visible");
                    all.push(Listed { name: plain(&attribute(&element, "name")?), id, hidden });
                }
                _ => {}
            },
            Event::Eof => return Ok((all, from_1904)),
            _ => {}
        }
        if all.len() > MOST_SHEETS {
            return Err(damaged());
        }
    }
}

/// A sheet's name as a message may show it; Excel's own are no longer than 31 characters.
fn plain(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(31).collect();
    crate::base::person::hide_numbers(&name)
}
