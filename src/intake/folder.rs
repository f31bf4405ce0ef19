//! Which files of a folder hold what.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::{nearest, stop};
use crate::base::message::Msg;
use crate::base::place::Kind;

/// How a table lies on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Plain,
    Gzip,
    Zstd,
    Workbook,
}

/// The ends of names that say so.
const ENDS: [(&str, Form); 4] =
    [(".csv", Form::Plain), (".csv.gz", Form::Gzip), (".csv.zst", Form::Zstd), (".xlsx", Form::Workbook)];

/// The ends of tables that are not read.
const UNREAD: [&str; 17] = [
    ".xls", ".xlsb", ".xlsm", ".et", ".ods", ".numbers", ".zip", ".rar", ".7z", ".tgz", ".bz2", ".xz",
    ".lz4", ".gz", ".zst", ".tsv", ".txt",
];

impl Form {
    /// What a file's name says; a file that was named by hand may be called anything.
    pub fn of(path: &Path) -> Form {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        stem(&name).map_or(Form::Plain, |(_, form)| form)
    }
}

/// A table's name without its end, and what the end says.
pub fn stem(name: &str) -> Option<(&str, Form)> {
    ENDS.iter().find_map(|(end, form)| Some((without(name, end)?, *form)))
}

fn without<'a>(name: &'a str, end: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(end.len()).filter(|at| *at > 0 && name.is_char_boundary(*at))?;
    name[at..].eq_ignore_ascii_case(end).then_some(&name[..at])
}

/// A file of the data folder.
#[derive(Clone, Debug)]
pub struct InputFile {
    pub kind: Kind,
    pub path: PathBuf,
    /// As outputs name it.
    pub name: String,
}

/// The files of `folder` by kind, in name order: every table whose name starts with the kind's name. One table
/// in two forms would count twice, and stops the run.
pub fn list(folder: &Path) -> Result<Vec<InputFile>> {
    let names = file_names(folder)?;
    let mut files = Vec::new();
    for kind in Kind::of_folder() {
        for name in &names {
            if stem(name).is_some() && is_of(name, kind) {
                files.push(InputFile { kind, path: folder.join(name), name: name.clone() });
            }
        }
    }
    for (at, file) in files.iter().enumerate() {
        if let Some(other) = files[..at].iter().find(|other| same_stem(&other.name, &file.name)) {
            let (first, second) = (other.name.clone(), file.name.clone());
            return Err(stop(Msg::SameInTwoForms { first, second }, Some(Msg::RemoveOne)));
        }
    }
    Ok(files)
}

/// Whether a file is named after a kind.
fn is_of(name: &str, kind: Kind) -> bool {
    name.get(..kind.name().len()).is_some_and(|start| start.eq_ignore_ascii_case(kind.name()))
}

fn same_stem(one: &str, other: &str) -> bool {
    let both = stem(one).zip(stem(other));
    both.is_some_and(|((one, _), (other, _))| one.eq_ignore_ascii_case(other))
}

/// Stops the run where `folder` has a table of one of `kinds` in a form that is not read, and that does not
/// stand beside it in another: to go on without it could move money.
pub fn no_other_form(folder: &Path, files: &[InputFile], kinds: &[Kind]) -> Result<()> {
    for name in file_names(folder)? {
        let Some(alone) = UNREAD.iter().find_map(|end| without(&name, end)) else { continue };
        if stem(&name).is_some() {
            continue;
        }
        let alone = stem(alone).map_or(alone, |(alone, _)| alone);
        let beside =
            |file: &InputFile| stem(&file.name).is_some_and(|(stem, _)| stem.eq_ignore_ascii_case(alone));
        if kinds.iter().any(|kind| is_of(&name, *kind)) && !files.iter().any(beside) {
            let path = folder.join(name).display().to_string();
            return Err(stop(Msg::UnreadForm { path }, Some(Msg::SaveAsWorkbook)));
        }
    }
    Ok(())
}

/// Tables of `folder` that are of no kind: perhaps a misspelt name.
pub fn unused(folder: &Path, files: &[InputFile]) -> Result<Vec<String>> {
    let table = |name: &String| {
        // What begins with `~$` is there while Excel has a workbook open.
        !name.starts_with("~$")
            && (stem(name).is_some() || UNREAD.iter().any(|end| without(name, end).is_some()))
    };
    // What `assess` and `settle` write beside the exports is none of them.
    let ours = |name: &String| ["scorecard", "rejected"].iter().any(|ours| name.starts_with(ours));
    let names = file_names(folder)?;
    let taken = |name: &String| files.iter().any(|file| file.name == *name);
    Ok(names.into_iter().filter(|name| table(name) && !taken(name) && !ours(name)).collect())
}

/// Stops the run where `folder` has no file of `kind`, saying what it has.
pub fn must_have(folder: &Path, files: &[InputFile], kind: Kind) -> Result<()> {
    if files.iter().any(|file| file.kind == kind) {
        return Ok(());
    }
    let wanted = format!("{}.csv", kind.name());
    let there = file_names(folder)?;
    // A file of another kind is none that only has a wrong name.
    let other = |name: &&str| !Kind::of_folder().into_iter().any(|other| is_of(name, other));
    let near = nearest(&wanted, there.iter().map(String::as_str).filter(other)).map(str::to_string);
    let cure = Msg::PutFileThere { wanted: wanted.clone(), there, near };
    Err(stop(Msg::MissingFile { wanted, folder: folder.display().to_string() }, Some(cure)))
}

fn file_names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| {
        let fact = Msg::CannotRead { path: folder.display().to_string(), why: (&error).into() };
        stop(fact, Some(Msg::NameDataFolder))
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
