//! The texts that cells of a workbook share.

use std::io;

use quick_xml::events::Event;

use crate::base::message::FileFault;
use crate::intake::packed::fault;

use super::parts::Parts;

/// All of them one behind the other, and where each ends.
#[derive(Default)]
pub struct Strings {
    text: String,
    ends: Vec<u32>,
}

/// How much of them is held; a full sheet of a million people with their names takes some 100 MB.
const MOST_BYTES: usize = 512 << 20;
const MOST: usize = 20_000_000;

impl Strings {
    pub fn read(parts: &Parts, name: &str) -> io::Result<Strings> {
        let Some(mut xml) = parts.xml(name)? else { return Ok(Strings::default()) };
        let mut strings = Strings::default();
        loop {
            match xml.next()? {
                Event::Start(element) if element.local_name().as_ref() == "si" => {}
                Event::Eof => return Ok(strings),
                _ => continue,
            }
            // How a name is pronounced stands beside it, and is no part of it.
            xml.text("rPh", &mut strings.text)?;
            strings.ends.push(strings.text.len() as u32);
            if strings.text.len() > MOST_BYTES || strings.ends.len() > MOST {
                return Err(fault(FileFault::TooLarge));
            }
        }
    }

    /// Nothing where there are not as many.
    pub fn get(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        Some(&self.text[start..end])
    }
}
