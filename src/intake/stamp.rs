//! Whether a file stays as it is until what was read of it is written down: one that changes meanwhile is no input.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;

use super::folder::InputFile;
use super::header::cannot_read;

/// A file, and what changes when it is written to or another is put in its place: where it stands on the disk, its
/// length, and when it was written. Nothing is known of a pipe, whose time changes by itself.
#[derive(Clone, Debug)]
pub struct Stamp {
    file: InputFile,
    then: Option<Seen>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    inode: u64,
    bytes: u64,
    /// In seconds and nanoseconds.
    modified: (i64, i64),
}

impl Stamp {
    pub fn of(file: &InputFile) -> io::Result<Stamp> {
        Ok(Stamp { file: file.clone(), then: seen(file)? })
    }

    /// Stops the run where the file is another by now, or gone.
    pub fn must_hold(&self) -> Result<()> {
        match seen(&self.file) {
            Ok(now) if now == self.then => Ok(()),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(cannot_read(&self.file.path.display().to_string(), &error))
            }
            _ => Err(self.changed()),
        }
    }

    /// The same where so many bytes were read: all of them, or someone wrote to it and put its time back.
    pub fn must_have(&self, bytes: u64) -> Result<()> {
        if self.then.is_none_or(|then| then.bytes == bytes) { self.must_hold() } else { Err(self.changed()) }
    }

    fn changed(&self) -> anyhow::Error {
        stop(Msg::ChangedMeanwhile { file: self.file.name.clone() }, None)
    }
}

fn seen(file: &InputFile) -> io::Result<Option<Seen>> {
    let data = file.path.metadata()?;
    let seen = Seen { inode: data.ino(), bytes: data.len(), modified: (data.mtime(), data.mtime_nsec()) };
    Ok(data.is_file().then_some(seen))
}
