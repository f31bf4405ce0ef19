//! An output folder is replaced as a whole or not at all: written aside, then exchanged.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use crate::base::diagnostic::{Stopped, stop};
use crate::base::message::{DiskFault, Msg};

/// A folder in the making: it goes when this does, and when the process gives up.
pub struct Aside(TempDir);

/// The folder in the making, and what it will be called.
static MAKING: Mutex<Option<(PathBuf, PathBuf)>> = Mutex::new(None);

impl Aside {
    /// Only one at a time.
    pub fn new(folder: TempDir, called: &Path) -> Aside {
        let making = (folder.path().to_path_buf(), called.to_path_buf());
        *MAKING.lock().unwrap_or_else(PoisonError::into_inner) = Some(making);
        Aside(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        MAKING.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Removes the folder in the making, if there is one: what it would have been called.
pub fn abandon() -> Option<PathBuf> {
    let (folder, called) = MAKING.lock().unwrap_or_else(PoisonError::into_inner).take()?;
    let _ = fs::remove_dir_all(folder);
    Some(called)
}

/// Fills a new folder with `write` and puts it in the place of `out`.
pub fn replace<R>(out: &Path, inputs: &Path, write: impl FnOnce(&Path) -> Result<R>) -> Result<R> {
    let failed = |path: &Path, error: &io::Error| cannot_write(path, error);
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|error| failed(&parent, &error))?;
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    let Some(name) = name else {
        return Err(stop(Msg::NotOurFolder { path: out.display().to_string() }, Some(Msg::AnotherOut)));
    };
    // Two runs that write here at once take turns. Where folders can't be locked, the exchange still is whole.
    let lock = File::open(&parent).map_err(|error| failed(&parent, &error))?;
    if lock.lock().is_ok() {
        // Nobody else writes here now: what an earlier run left behind when it was killed can go.
        for entry in fs::read_dir(&parent).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&format!(".{name}.tmp-")) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
    may_replace(out, inputs)?;
    let aside = tempfile::Builder::new()
        .prefix(&format!(".{name}.tmp-"))
        .tempdir_in(&parent)
        .map_err(|error| failed(&parent, &error))?;
    let aside = Aside::new(aside, out);
    let result = write(aside.path()).map_err(|error| written_badly(out, error))?;
    finish(aside.path(), &parent, out).map_err(|error| failed(out, &error))?;
    // After the exchange the name stands for the old folder, which goes with `aside`.
    drop(aside);
    Ok(result)
}

pub fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    stop(Msg::CannotWrite { path: path.display().to_string(), why: error.into() }, Some(Msg::CheckSpace))
}

/// What the disk said, wherever in an error it stands.
pub fn disk_fault(error: &anyhow::Error) -> DiskFault {
    let told = || error.chain().last().map(ToString::to_string).unwrap_or_default();
    let disk = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    disk.map_or_else(|| DiskFault { kind: io::ErrorKind::Other, said: told() }, DiskFault::from)
}

/// Names the folder where a report failed to be written; other errors pass as they are.
fn written_badly(out: &Path, error: anyhow::Error) -> anyhow::Error {
    if error.downcast_ref::<Stopped>().is_some() {
        return error;
    }
    let path = out.join(error.to_string()).display().to_string();
    stop(Msg::CannotWrite { path, why: disk_fault(&error) }, Some(Msg::CheckSpace))
}

/// Only an empty folder or an earlier output with nothing else in it is replaced, and never one that
/// holds the inputs.
fn may_replace(out: &Path, inputs: &Path) -> Result<()> {
    let not_ours = || stop(Msg::NotOurFolder { path: out.display().to_string() }, Some(Msg::AnotherOut));
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Err(not_ours()),
        Err(error) => return Err(cannot_write(out, &error)),
    };
    if let (Ok(out), Ok(inputs)) = (out.canonicalize(), inputs.canonicalize())
        && inputs.starts_with(&out)
    {
        return Err(stop(Msg::OutIsInput { path: out.display().to_string() }, Some(Msg::AnotherOut)));
    }
    drop(entries);
    let names = files(out).map_err(|error| cannot_write(out, &error))?;
    let written = fs::read_to_string(out.join("manifest.json")).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&written).unwrap_or_default();
    let outputs: Vec<&str> = manifest["outputs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|output| output["file"].as_str())
        .collect();
    let ours = |name: &String| {
        matches!(name.as_str(), "manifest.json" | "run.json") || outputs.contains(&name.as_str())
    };
    if names.iter().all(ours) { Ok(()) } else { Err(not_ours()) }
}

/// The files of a folder and of those in it, named from it: `statements/A1.html`.
pub fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.file_type()?.is_dir() {
            true => {
                let inner = files(&entry.path())?;
                // A folder with nothing in it is something as well.
                let own = inner.is_empty().then(|| format!("{name}/"));
                names.extend(inner.into_iter().map(|file| format!("{name}/{file}")).chain(own));
            }
            false => names.push(name),
        }
    }
    names.sort();
    Ok(names)
}

/// Only its owner may read what stands in a folder, and it is on the disk.
fn keep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            keep(&path)?;
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            File::open(&path)?.sync_all()?;
        }
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    File::open(folder)?.sync_all()
}

fn finish(aside: &Path, parent: &Path, out: &Path) -> io::Result<()> {
    keep(aside)?;
    if out.exists() {
        match renameat_with(CWD, aside, CWD, out, RenameFlags::EXCHANGE) {
            Ok(()) => {}
            // A file system that can't exchange: the old one steps aside, and back if the new one can't come.
            Err(_) => {
                let old = tempfile::Builder::new().prefix(".old-").tempdir_in(parent)?;
                let kept = old.path().join("output");
                fs::rename(out, &kept)?;
                if let Err(error) = fs::rename(aside, out) {
                    fs::rename(&kept, out)?;
                    return Err(error);
                }
            }
        }
    } else {
        fs::rename(aside, out)?;
    }
    File::open(parent)?.sync_all()
}

/// Writes a new file, with the folders above it; refuses one that is there.
pub fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    }
    let mut file = match File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(stop(Msg::FileThere { path: path.display().to_string() }, None));
        }
        Err(error) => return Err(cannot_write(path, &error)),
    };
    file.write_all(bytes).map_err(|error| cannot_write(path, &error))
}
