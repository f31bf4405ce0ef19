//! Which swipe_ids stand on more than one row, in five bytes a row: of an id's hash the bits that choose a part and
//! 28 more, and how far it is from the row before in that part. Ids that only share those are told apart by whoever
//! reads their rows again.

use rayon::prelude::*;

/// How many ids are held against each other at once: so few that all of them stay in a core's own cache.
const IN_PART: u64 = 16 << 10;
/// So few that a row is seldom far from the one before in its part.
const MOST_PARTS: u64 = 1 << 10;

/// The ids that one thread saw.
pub struct SwipeIds {
    parts: Vec<Part>,
}

#[derive(Default)]
struct Part {
    /// The bits of a hash, and below them how many lines further the row is; [`FAR`] where it is in `far`.
    rows: Vec<[u8; 5]>,
    /// Lines that are too far from the one before, or stand before it.
    far: Vec<u32>,
    last: u32,
}

const STEP_BITS: u32 = 12;
const FAR: u32 = (1 << STEP_BITS) - 1;
const HASH: u32 = (1 << (40 - STEP_BITS)) - 1;

impl Part {
    #[inline(always)]
    fn push(&mut self, hash: u32, line: u32) {
        let step = line.wrapping_sub(self.last).min(FAR);
        if step == FAR {
            self.far.push(line);
        }
        let [a, b, c, d, e, ..] = (u64::from(hash & HASH) << STEP_BITS | u64::from(step)).to_le_bytes();
        self.rows.push([a, b, c, d, e]);
        self.last = line;
    }

    /// Each row's hash, which is not 0, in the upper half, and its line in the lower one.
    fn rows(&self) -> impl Iterator<Item = u64> {
        let (mut last, mut far) = (0u32, self.far.iter());
        self.rows.iter().map(move |[a, b, c, d, e]| {
            let row = u64::from_le_bytes([*a, *b, *c, *d, *e, 0, 0, 0]);
            last = match row as u32 & FAR {
                FAR => *far.next().expect("a line for each that is far"),
                step => last.wrapping_add(step),
            };
            (row >> STEP_BITS | u64::from(HASH + 1)) << 32 | u64::from(last)
        })
    }
}

impl SwipeIds {
    /// For a thread of so many, where about so many rows are expected over all.
    pub fn new(expected: u64, threads: usize) -> SwipeIds {
        let parts = (expected / IN_PART).next_power_of_two().min(MOST_PARTS);
        // Threads seldom take quite as many rows.
        let each = expected / parts / threads as u64 * 5 / 4;
        let part = |_| Part { rows: Vec::with_capacity(each as usize), ..Part::default() };
        SwipeIds { parts: (0..parts).map(part).collect() }
    }

    /// Takes the hash of a row's id; `line` is counted over all files.
    #[inline(always)]
    pub fn push(&mut self, hash: u64, line: u32) {
        let part = (hash >> 32) as usize & (self.parts.len() - 1);
        self.parts[part].push(hash as u32, line);
    }
}

/// The lines whose id (by its hash) stood on an earlier line, each with the first of them, in order. All threads' ids were
/// made for as many rows.
pub fn repeated(all: &[SwipeIds]) -> Vec<(u32, u32)> {
    let parts = all.first().map_or(0, |ids| ids.parts.len());
    let one = |table: &mut Vec<u64>, part: usize| {
        let count = all.iter().map(|ids| ids.parts[part].rows.len()).sum();
        repeated_in(count, all.iter().flat_map(|ids| ids.parts[part].rows()), table)
    };
    let lines: Vec<Vec<(u32, u32)>> = (0..parts).into_par_iter().map_init(Vec::new, one).collect();
    let mut lines: Vec<(u32, u32)> = lines.into_iter().flatten().collect();
    lines.sort_unstable();
    lines
}

/// [`repeated`] of one part with so many rows. `table` is room that one search after the other uses.
fn repeated_in(count: usize, rows: impl Iterator<Item = u64>, table: &mut Vec<u64>) -> Vec<(u32, u32)> {
    table.clear();
    table.resize((2 * count).next_power_of_two(), 0);
    let hash = |row: u64| (row >> 32) as usize;
    let mut same = Vec::new();
    for row in rows {
        let mut at = hash(row) & (table.len() - 1);
        while table[at] != 0 && hash(table[at]) != hash(row) {
            at = (at + 1) & (table.len() - 1);
        }
        if table[at] == 0 {
            table[at] = row;
        } else {
            same.extend([table[at], row]);
        }
    }
    // Of one hash the lowest line is first now.
    same.sort_unstable();
    same.dedup();
    let groups = same.chunk_by(|a, b| hash(*a) == hash(*b));
    groups.flat_map(|group| group[1..].iter().map(|row| (*row as u32, group[0] as u32))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(rows: &[(u64, u32)]) -> SwipeIds {
        let mut ids = SwipeIds::new(0, 2);
        rows.iter().for_each(|(hash, line)| ids.push(*hash, *line));
        ids
    }

    #[test]
    fn the_lowest_line_of_an_id_is_the_first_whatever_thread_took_it() {
        let one = ids(&[(7, 9), (8, 2), (7, 4), (0, 6)]);
        let other = ids(&[(7, 3), (15, 1), (8, 30), (23, 5), (0, 7)]);
        assert_eq!(repeated(&[one, other]), [(4, 3), (7, 6), (9, 3), (30, 2)]);
        assert_eq!(repeated(&[ids(&[(7, 9)]), ids(&[])]), []);
        assert_eq!(repeated(&[]), []);
    }

    #[test]
    fn lines_are_told_however_far_they_lie_apart() {
        let lines = [5, 5 + FAR - 1, 5 + 2 * FAR - 1, 3, u32::MAX, 0, 70_000, 70_001];
        let mut part = Part::default();
        lines.iter().zip(1..).for_each(|(line, hash)| part.push(hash, *line));
        assert!(part.rows().map(|row| row as u32).eq(lines));
        assert_eq!(part.far.len(), 4);
        let hashes = part.rows().map(|row| row >> 32 & u64::from(HASH));
        assert!(hashes.eq(1..=8));
    }

    #[test]
    fn many_ids_in_many_parts() {
        let mut all = [SwipeIds::new(200_000, 2), SwipeIds::new(200_000, 2)];
        assert!(all[0].parts.len() > 8);
        let hash = |id: u32| u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for id in 0..200_000 {
            all[id as usize % 2].push(hash(id), id + 1);
        }
        for id in (0..200_000).step_by(1_000) {
            all[0].push(hash(id), 300_000 + id);
        }
        let want: Vec<(u32, u32)> = (0..200_000).step_by(1_000).map(|id| (300_000 + id, id + 1)).collect();
        let found = repeated(&all);
        assert!(want.iter().all(|pair| found.contains(pair)));
        // Of the bits that are kept some may agree though the ids are not the same.
        assert!(found.len() < want.len() + 50, "{}", found.len());
    }
}
