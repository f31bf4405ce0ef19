//! Which swipe_ids stand on more than one row, in six bytes a row: of an id's hash the bits that choose a part and
//! 36 more, and how far it is from the row before in that part. Ids that only share those are told apart by whoever
//! reads their rows again. Of millions of rows these bytes are in a file.

use std::io;
use std::path::Path;

use rayon::prelude::*;

use crate::intake::spill::{CHUNK, Spill};

/// How many ids are held against each other at once: few enough to stay in a core's own cache, and many enough that the
/// parts' ends, each in a page of its own, do not drive out the pages of all else that a swipe is held against.
const IN_PART: u64 = 48 << 10;
/// So few that a row is seldom far from the one before in its part.
const MOST_PARTS: u64 = 1 << 9;
/// Bytes of ids that are in memory, over all threads.
const IN_MEMORY: usize = 40 << 20;

/// The ids that one thread saw.
pub struct SwipeIds {
    /// Of each part the last rows, a page for each part.
    open: Vec<u8>,
    ends: Vec<End>,
    /// What few rows need; apart, so that the rest stays in a core's cache.
    full: Vec<Full>,
    /// The rows before.
    spill: Spill,
}

/// The bits of a hash, and below them how many lines further the row is; [`FAR`] where it is in [`Full::far`].
type Id = [u8; 6];

const IN_CHUNK: u32 = (CHUNK / size_of::<Id>()) as u32;

/// How many rows a part has, and the line of the last.
#[derive(Clone, Copy, Default)]
struct End {
    count: u32,
    line: u32,
}

#[derive(Default)]
struct Full {
    /// The numbers of chunks, each with [`IN_CHUNK`] rows.
    chunks: Vec<u32>,
    /// Lines that are too far from the one before, or stand before it.
    far: Vec<u32>,
}

const STEP_BITS: u32 = 12;
const FAR: u32 = (1 << STEP_BITS) - 1;
const HASH_BITS: u32 = 48 - STEP_BITS;
const HASH: u64 = (1 << HASH_BITS) - 1;

impl SwipeIds {
    /// For a thread of so many, where about so many rows are expected over all. `scratch`: a folder for what memory is
    /// not to hold.
    pub fn new(expected: u64, threads: usize, scratch: &Path) -> SwipeIds {
        // Lines have no higher numbers.
        let expected = expected.min(u64::from(u32::MAX));
        let parts = (expected / IN_PART).next_power_of_two().min(MOST_PARTS) as usize;
        let chunks = |bytes: usize| bytes / CHUNK / threads;
        SwipeIds {
            open: vec![0; parts * CHUNK],
            ends: vec![End::default(); parts],
            full: (0..parts).map(|_| Full::default()).collect(),
            spill: Spill::new(scratch, chunks(expected as usize * size_of::<Id>()), chunks(IN_MEMORY)),
        }
    }

    /// Takes the hash of a row's id; `line` is counted over all files.
    #[inline(always)]
    pub fn push(&mut self, hash: u64, line: u32) {
        let number = (hash >> 54) as usize & (self.ends.len() - 1);
        let end = &mut self.ends[number];
        let step = line.wrapping_sub(end.line).min(FAR);
        let [a, b, c, d, e, f, ..] = ((hash & HASH) << STEP_BITS | u64::from(step)).to_le_bytes();
        let at = number * CHUNK + (end.count % IN_CHUNK) as usize * size_of::<Id>();
        self.open[at..][..size_of::<Id>()].copy_from_slice(&[a, b, c, d, e, f]);
        let count = end.count + 1;
        *end = End { count, line };
        if step == FAR {
            self.full[number].far.push(line);
        }
        if count.is_multiple_of(IN_CHUNK) {
            self.put_away(number);
        }
    }

    #[cold]
    #[inline(never)]
    fn put_away(&mut self, number: usize) {
        self.full[number].chunks.push(self.spill.count() as u32);
        self.spill.push(self.open[number * CHUNK..].first_chunk().expect("a page for each part"));
    }

    fn count(&self, number: usize) -> usize {
        self.ends[number].count as usize
    }

    /// Tells the hash and the line of each row of a part.
    fn each(&self, number: usize, mut row: impl FnMut(u64, u32)) -> io::Result<()> {
        let Full { chunks, far } = &self.full[number];
        let (mut last, mut far) = (0u32, far.iter());
        let mut of_chunk = |rows: &[u8], count: usize| {
            for id in rows.as_chunks::<{ size_of::<Id>() }>().0.iter().take(count) {
                let [a, b, c, d, e, f] = *id;
                let id = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
                last = match id as u32 & FAR {
                    FAR => *far.next().expect("a line for each that is far"),
                    step => last.wrapping_add(step),
                };
                row(id >> STEP_BITS, last);
            }
        };
        let mut room = [0; CHUNK];
        for chunk in chunks {
            self.spill.read(*chunk as usize, &mut room)?;
            of_chunk(&room, IN_CHUNK as usize);
        }
        of_chunk(&self.open[number * CHUNK..][..CHUNK], (self.ends[number].count % IN_CHUNK) as usize);
        Ok(())
    }
}

/// The lines whose id (by its hash) stood on an earlier line, each with the first of them, in order; some more whose hash
/// is nearly the same. All threads' ids were made for as many rows.
pub fn repeated(all: &[SwipeIds]) -> io::Result<Vec<(u32, u32)>> {
    let parts = all.first().map_or(0, |ids| ids.ends.len());
    let one = |table: &mut Vec<u64>, part: usize| repeated_in(all, part, table);
    let lines: io::Result<Vec<Vec<(u32, u32)>>> =
        (0..parts).into_par_iter().map_init(Vec::new, one).collect();
    let mut lines: Vec<(u32, u32)> = lines?.into_iter().flatten().collect();
    lines.sort_unstable();
    Ok(lines)
}

/// [`repeated`] of one part. `table` is room that one search after the other uses.
fn repeated_in(all: &[SwipeIds], part: usize, table: &mut Vec<u64>) -> io::Result<Vec<(u32, u32)>> {
    // No line is 0.
    const EMPTY: u64 = 0;
    let count: usize = all.iter().map(|ids| ids.count(part)).sum();
    table.clear();
    table.resize((2 * count).next_power_of_two(), EMPTY);
    let mut same = Vec::new();
    let mut take = |hash: u64, line: u32| {
        // All of the hash that a number holds beside the line: the table is to stay in a core's own cache.
        let row = hash >> (HASH_BITS - 32) << 32 | u64::from(line);
        let mut at = hash as usize & (table.len() - 1);
        while table[at] != EMPTY && table[at] >> 32 != row >> 32 {
            at = (at + 1) & (table.len() - 1);
        }
        if table[at] == EMPTY {
            table[at] = row;
        } else {
            same.extend([table[at], row]);
        }
    };
    all.iter().try_for_each(|ids| ids.each(part, &mut take))?;
    // Of one hash the lowest line is first now.
    same.sort_unstable();
    same.dedup();
    let groups = same.chunk_by(|a, b| a >> 32 == b >> 32);
    Ok(groups.flat_map(|group| group[1..].iter().map(|row| (*row as u32, group[0] as u32))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::short::id_hash;

    fn made_for(expected: u64) -> SwipeIds {
        SwipeIds::new(expected, 2, &std::env::temp_dir())
    }

    fn repeated(all: &[SwipeIds]) -> Vec<(u32, u32)> {
        super::repeated(all).expect("a file that is ours")
    }

    fn ids(rows: &[(u64, u32)]) -> SwipeIds {
        let mut ids = made_for(0);
        rows.iter().for_each(|(hash, line)| ids.push(*hash, *line));
        ids
    }

    #[test]
    fn the_lowest_line_of_an_id_is_the_first_whatever_thread_took_it() {
        let one = ids(&[(0x70, 9), (0x80, 2), (0x70, 4), (0, 6)]);
        let other = ids(&[(0x70, 3), (0xF0, 1), (0x80, 30), (0x170, 5), (0, 7)]);
        assert_eq!(repeated(&[one, other]), [(4, 3), (7, 6), (9, 3), (30, 2)]);
        assert_eq!(repeated(&[ids(&[(0x70, 9)]), ids(&[])]), []);
        assert_eq!(repeated(&[]), []);
    }

    #[test]
    fn nearly_the_same_hash_hides_no_id_that_is_there_twice() {
        let mut rows = vec![(0x70, 1), (0x71, 2), (0x71, 3), (0x70, 4)];
        assert_eq!(repeated(&[ids(&rows)]), [(2, 1), (3, 1), (4, 1)]);
        // Those that lie between push each other along.
        rows.extend((5..70).map(|line| (u64::from(line * line % 23), line)));
        let told: Vec<u32> = repeated(&[ids(&rows)]).into_iter().map(|(line, _)| line).collect();
        let first = |row: &(u64, u32)| rows.iter().find(|one| one.0 == row.0) == Some(row);
        assert!(rows.iter().all(|row| first(row) || told.contains(&row.1)));
    }

    #[test]
    fn lines_are_told_however_far_they_lie_apart() {
        let lines = [5, 5 + FAR - 1, 5 + 2 * FAR - 1, 3, u32::MAX, 0, 70_000, 70_001];
        for expected in [0, 3, 8, 100] {
            let mut ids = made_for(expected);
            lines.iter().zip(1..).for_each(|(line, hash)| ids.push(hash, *line));
            let mut told = Vec::new();
            ids.each(0, |hash, line| told.push((hash, line))).expect("no file is read");
            assert!(told.into_iter().eq((1..=8).zip(lines)), "{expected}");
            assert_eq!(ids.full[0].far.len(), 4);
        }
    }

    /// A test of whole runs relies on it.
    #[test]
    fn two_ids_share_the_bits_that_are_kept() {
        let [one, other] = ["S0532676", "S0871820"].map(|id| id_hash(id.as_bytes()));
        assert_ne!(one, other);
        assert_eq!(repeated(&[ids(&[(one, 1), (other, 2)])]), [(2, 1)]);
    }

    #[test]
    fn many_ids_in_many_parts() {
        // Twice as many as were expected.
        many(200_000, 4, false);
        // So many that they go to a file.
        many(10_000_000, 256, true);
    }

    fn many(expected: u64, parts: usize, to_file: bool) {
        let mut all = [made_for(expected), made_for(expected)];
        assert_eq!(all[0].ends.len(), parts);
        let hash = |id: u32| u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let in_file = |ids: &SwipeIds| ids.spill.count() > 0 && ids.spill.in_memory() < ids.spill.count();
        for id in 0..400_000 {
            all[id as usize % 2].push(hash(id), id + 1);
        }
        for id in (0..400_000).step_by(1_000) {
            all[0].push(hash(id), 500_000 + id);
        }
        assert_eq!(all.each_ref().map(in_file), [to_file; 2]);
        let want: Vec<(u32, u32)> = (0..400_000).step_by(1_000).map(|id| (500_000 + id, id + 1)).collect();
        assert_eq!(repeated(&all), want);
    }
}
