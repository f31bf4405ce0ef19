//! Which files of a folder hold what.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::{nearest, stop};
use crate::base::message::Msg;
use crate::base::place::Kind;

/// A file of the data folder.
#[derive(Clone, Debug)]
pub struct InputFile {
    pub kind: Kind,
    pub path: PathBuf,
    /// As outputs name it.
    pub name: String,
}

/// The files of `folder` by kind, in name order: every `.csv` file whose name starts with the kind's name.
pub fn list(folder: &Path) -> Result<Vec<InputFile>> {
    let names = file_names(folder)?;
    let mut files = Vec::new();
    for kind in Kind::of_folder() {
        for name in &names {
            let csv = name.len() > 4
                && name.is_char_boundary(name.len() - 4)
                && name[name.len() - 4..].eq_ignore_ascii_case(".csv");
            if csv && name.starts_with(kind.name()) {
                files.push(InputFile { kind, path: folder.join(name), name: name.clone() });
            }
        }
    }
    Ok(files)
}

/// Tables of `folder` that are of no kind: perhaps a misspelt name.
pub fn unused(folder: &Path, files: &[InputFile]) -> Result<Vec<String>> {
    let table = |name: &String| {
        let name = name.to_lowercase();
        [".csv", ".xlsx", ".xls", ".txt"].iter().any(|end| name.ends_with(end))
    };
    // What `assess` and `settle` write beside the exports is none of them.
    let ours = |name: &String| matches!(name.as_str(), "scorecard.csv" | "rejected.csv");
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
    let near = nearest(&wanted, there.iter().map(String::as_str)).map(str::to_string);
    let cure = Msg::PutFileThere { wanted: wanted.clone(), there, near };
    Err(stop(Msg::MissingFile { wanted, folder: folder.display().to_string() }, Some(cure)))
}

fn file_names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| {
        let fact = Msg::CannotRead { path: folder.display().to_string(), why: error.to_string() };
        stop(fact, Some(Msg::NameDataFolder))
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
