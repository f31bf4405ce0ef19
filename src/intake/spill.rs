//! Chunks of bytes that wait until the end of a reading: few in memory, more in a file that has no name and goes with
//! the process. Where no file can be written they stay in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of a chunk: a page of the system.
pub const CHUNK: usize = 4 << 10;
/// So many are written together.
const TOGETHER: usize = 16;

/// Chunks by number, in the order in which they came.
pub struct Spill {
    folder: PathBuf,
    /// What is not in the file.
    memory: Vec<u8>,
    /// How many chunks are in memory before they are written.
    most: usize,
    file: Option<File>,
    in_file: usize,
}

impl Spill {
    /// For about so many chunks, of which `most` stay in memory.
    pub fn new(folder: &Path, expected: usize, most: usize) -> Spill {
        let most = if expected > most { TOGETHER } else { most };
        Spill { folder: folder.to_path_buf(), memory: Vec::new(), most, file: None, in_file: 0 }
    }

    /// The number of the next chunk.
    pub fn count(&self) -> usize {
        self.in_file + self.memory.len() / CHUNK
    }

    /// How many chunks are in memory.
    #[cfg(test)]
    pub fn in_memory(&self) -> usize {
        self.memory.len() / CHUNK
    }

    pub fn push(&mut self, chunk: &[u8; CHUNK]) {
        self.memory.extend_from_slice(chunk);
        if self.memory.len() >= self.most * CHUNK {
            // No room for it on the disk: then it has to be in memory.
            self.most = if self.write().is_ok() { TOGETHER } else { usize::MAX / CHUNK };
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.write_all_at(&self.memory, (self.in_file * CHUNK) as u64)?;
        self.in_file += self.memory.len() / CHUNK;
        self.memory = Vec::with_capacity(TOGETHER * CHUNK);
        Ok(())
    }

    /// Reads a chunk into `room`.
    pub fn read(&self, number: usize, room: &mut [u8; CHUNK]) -> io::Result<()> {
        match (number.checked_sub(self.in_file), &self.file) {
            (Some(at), _) => room.copy_from_slice(&self.memory[at * CHUNK..][..CHUNK]),
            (None, Some(file)) => file.read_exact_at(room, (number * CHUNK) as u64)?,
            (None, None) => unreachable!("what is not in memory was written to the file"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: usize) -> [u8; CHUNK] {
        std::array::from_fn(|at| (at / 7 + number) as u8)
    }

    fn holds(spill: &Spill, count: usize) {
        assert_eq!(spill.count(), count);
        let mut room = [0; CHUNK];
        // In any order.
        for number in (0..count).rev().chain(0..count) {
            spill.read(number, &mut room).expect("a chunk");
            assert!(room == chunk(number), "{number}");
        }
    }

    #[test]
    fn chunks_come_back_from_memory_and_from_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        for (expected, most, count, in_file) in
            [(0, 40, 30, 0), (50, 40, 40, 32), (10, 40, 39, 0), (10, 40, 100, 88)]
        {
            let mut spill = Spill::new(folder.path(), expected, most);
            (0..count).for_each(|number| spill.push(&chunk(number)));
            assert_eq!(spill.in_file, in_file, "{expected} {most} {count}");
            assert!(spill.memory.len() <= most.max(TOGETHER) * CHUNK);
            holds(&spill, count);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0, "no file has a name");
    }

    #[test]
    fn without_a_disk_they_stay_in_memory() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spill = Spill::new(&folder.path().join("none"), 100, 10);
        (0..100).for_each(|number| spill.push(&chunk(number)));
        holds(&spill, 100);
        // A disk that is full later.
        let mut spill = Spill::new(folder.path(), 100, 10);
        (0..20).for_each(|number| spill.push(&chunk(number)));
        spill.file = Some(File::open("/dev/null").expect("a file that can't be written"));
        (20..100).for_each(|number| spill.push(&chunk(number)));
        assert_eq!((spill.in_file, spill.count()), (16, 100));
        assert_eq!(spill.memory.len(), 84 * CHUNK);
    }
}
