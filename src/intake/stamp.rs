//! Whether a file stays as it is while it is read: an export that is still being written is none yet.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;

use super::folder::InputFile;

/// What changes with whatever is written to a file, or put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    bytes: u64,
    /// In seconds and nanoseconds.
    modified: (i64, i64),
}

impl Stamp {
    pub fn of(path: &Path) -> io::Result<Stamp> {
        let data = path.metadata()?;
        Ok(Stamp { inode: data.ino(), bytes: data.len(), modified: (data.mtime(), data.mtime_nsec()) })
    }

    /// Stops the run where the file is another by now, or gone.
    pub fn must_hold(self, file: &InputFile) -> Result<()> {
        if Stamp::of(&file.path).is_ok_and(|now| now == self) {
            return Ok(());
        }
        Err(stop(Msg::ChangedMeanwhile { file: file.name.clone() }, None))
    }
}
