//! settlement.xlsx: what an office prints, signs and files. The same bytes from the same settlement: no clock time.

mod basis;
mod details;
mod summary;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::panic::PanicHookInfo;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, Worksheet};
use sha2::{Digest, Sha256};

use crate::words::{Phrase, phrase};

use super::findings::Findings;
use super::written::{Written, hex};
use table::{Head, Looks};

pub const NAME: &str = "settlement.xlsx";

/// A sheet after the first, still to be written.
struct Part<'a> {
    head: Head,
    rows: Box<dyn Iterator<Item = Vec<table::Cell>> + Send + 'a>,
    count: usize,
}

/// Writes the workbook into `folder`.
pub fn write(findings: &Findings, folder: &Path) -> Result<Written> {
    write_with(findings, folder, table::MOST_ROWS)
}

/// What the disk said, if a panic is the library's that writes workbooks: it takes a full disk for a bug of its own.
pub fn disk_fault(info: &PanicHookInfo) -> Option<io::Error> {
    let theirs = info.location().is_some_and(|at| at.file().contains("rust_xlsxwriter"));
    let text = info.payload().downcast_ref::<String>().filter(|_| theirs)?;
    let (_, after) = text.split_once("code: ")?;
    Some(io::Error::from_raw_os_error(after.split(',').next()?.parse().ok()?))
}

/// [`write()`], with so many rows to a sheet.
fn write_with(findings: &Findings, folder: &Path, most: usize) -> Result<Written> {
    let mut book = Workbook::new();
    // Rows wait on the disk: beside the output, not where others may look.
    book.set_tempdir(folder).context(NAME)?;
    let looks = Looks::known_to(&mut book);
    let lang = findings.lang();
    summary::write(book.add_worksheet(), findings, &looks)?;
    let parts = [
        details::lines(findings),
        details::clawbacks(findings),
        details::refused(findings),
        details::flags(findings),
        basis::basis(findings),
    ];
    let mut work: Vec<(Part, Vec<Worksheet>)> = Vec::new();
    for part in parts {
        let sheets =
            (0..table::sheets_for(part.count, most)).map(|_| book.new_worksheet_with_constant_memory());
        let sheets = sheets.collect::<Result<Vec<_>, _>>().context(NAME)?;
        work.push((part, sheets));
    }
    let written = work.into_par_iter().with_max_len(1).map(|(part, sheets)| {
        table::write(sheets, &part.head, part.rows, (&looks, lang, most)).context(NAME)
    });
    for sheets in written.collect::<Result<Vec<_>>>()? {
        sheets.into_iter().for_each(|sheet| book.push_worksheet(sheet));
    }
    let day = ExcelDateTime::from_ymd(2020, 1, 1).context(NAME)?;
    let title = phrase(lang, Phrase::DocTitleSummary, &[]);
    book.set_properties(
        &DocProperties::new().set_title(title).set_author("jiayi").set_creation_datetime(&day),
    );
    // The quickest: a workbook of a hundred thousand rows takes as long to pack as to settle otherwise.
    book.set_zip_compression_level(1);
    let path = folder.join(NAME);
    book.save(&path).context(NAME)?;
    hashed(&path, NAME)
}

/// A file that was written, with its hash.
fn hashed(path: &Path, name: &str) -> Result<Written> {
    let mut file = File::open(path).with_context(|| name.to_string())?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error).with_context(|| name.to_string()),
        }
    }
    Ok(Written { name: name.to_string(), bytes, sha256: hex(&hash.finalize()) })
}
