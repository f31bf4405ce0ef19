//! Where the cells and lines of bytes start, found 64 bytes at a time: cells are short, so that a search from one
//! delimiter to the next costs more than looking at everything; and whether a NUL byte stands among them. Whether a
//! comma stands within quotes is not asked here: of lines with a quote nothing but where they start is of use.

use sha2::{Digest, Sha256};
use wide::u8x16;

/// Where cells and lines start in bytes of which more and more are looked at.
pub struct Starts {
    /// The first byte, then behind every comma and line break. What follows the last of them is left from before.
    cells: Vec<u32>,
    /// How many were found behind the first.
    found: usize,
    /// Where the line behind each line break starts; what follows the last of them is left from before.
    lines: Vec<u32>,
    breaks: usize,
    /// Up to here the bytes were looked at.
    end: usize,
    /// Where quotes stand.
    quotes: Vec<u32>,
    /// Where the last NUL byte stands, if there is one, also where it was given to others.
    nul: Option<usize>,
}

impl Default for Starts {
    fn default() -> Starts {
        Starts {
            cells: vec![0],
            found: 0,
            lines: Vec::new(),
            breaks: 0,
            end: 0,
            quotes: Vec::new(),
            nul: None,
        }
    }
}

impl Starts {
    /// Of bytes of which none was looked at.
    pub fn begin(&mut self) {
        self.quotes.clear();
        (self.found, self.breaks, self.end, self.nul) = (0, 0, 0, None);
    }

    /// Those of `bytes`, which nothing follows.
    pub fn find(&mut self, bytes: &[u8]) -> &Starts {
        self.begin();
        self.look(bytes);
        self.close(bytes);
        self
    }

    /// Looks at the rest of `bytes`.
    pub fn look(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes[self.end..].as_chunks();
        chunks.iter().for_each(|chunk| self.look_at(chunk));
        if !rest.is_empty() {
            let mut last = [b' '; 64];
            last[..rest.len()].copy_from_slice(rest);
            self.look_at(&last);
        }
        self.end = bytes.len();
    }

    /// [`Starts::look`] while the same bytes are hashed: each step of the hash waits for the one before, and a core
    /// has time to look meanwhile, if the other work stands as near as this.
    pub fn look_hashing(&mut self, bytes: &[u8], hash: &mut Sha256) {
        let (chunks, _) = bytes[self.end..].as_chunks::<128>();
        for chunk in chunks {
            chunk.as_chunks().0.iter().for_each(|half| self.look_at(half));
            hash.update(chunk);
        }
        hash.update(&bytes[self.end..]);
        self.look(bytes);
    }

    /// Up to where the bytes were looked at.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Whether a NUL byte may stand among them; if not, none does.
    pub fn may_have_nul(&self) -> bool {
        self.nul.is_some()
    }

    /// Whether there are fewer quotes than lines: of exports that quote their cells no line is a usual one.
    pub fn has_few_quotes(&self) -> bool {
        self.quotes.len() < self.breaks
    }

    /// Where the lines behind line breaks start.
    pub fn lines(&self) -> &[u32] {
        &self.lines[..self.breaks]
    }

    /// Where the first line from `start` on that holds a quote starts; a line starts at `start`.
    pub fn quoted_line(&self, start: usize) -> Option<usize> {
        let quote = *self.quotes.get(self.quotes.partition_point(|quote| (*quote as usize) < start))?;
        let before = self.lines().partition_point(|line| *line <= quote);
        Some(before.checked_sub(1).map_or(start, |line| (self.lines[line] as usize).max(start)))
    }

    /// Of the lines from `start` up to `end`, between which there is no quote: where cells start, the one behind the last
    /// line among them, and where the line behind each starts.
    pub fn part(&self, start: usize, end: usize) -> (&[u32], &[u32]) {
        let (cells, lines) = (&self.cells[..=self.found], self.lines());
        let from = |list: &[u32], least: usize| list.partition_point(|start| (*start as usize) < least);
        // Behind the last line nothing starts, wherever it would.
        let to = |list: &[u32]| if end == self.end { list.len() } else { from(list, end + 1) };
        (&cells[from(cells, start)..to(cells)], &lines[from(lines, start + 1)..to(lines)])
    }

    /// Says that nothing follows `bytes`: a last line without a line break ends as if it had one.
    pub fn close(&mut self, bytes: &[u8]) {
        if bytes.last().is_some_and(|last| *last != b'\n') {
            let behind = self.end as u32 + 1;
            self.found += 1;
            put(&mut self.cells, self.found, behind);
            put(&mut self.lines, self.breaks, behind);
            self.breaks += 1;
        }
    }

    /// Leaves what starts before `cut`, where a line starts; gives the rest to `others`, counted from there.
    pub fn split_off(&mut self, cut: usize, others: &mut Starts) {
        let (cells, lines) = (&self.cells[..=self.found], self.lines());
        let first = cells.partition_point(|start| (*start as usize) < cut);
        let behind = lines.partition_point(|start| (*start as usize) <= cut);
        let quotes = self.quotes.partition_point(|quote| (*quote as usize) < cut);
        let give = |to: &mut Vec<u32>, from: &[u32]| {
            if to.len() < from.len() {
                to.resize(from.len(), 0);
            }
            to.iter_mut().zip(from).for_each(|(to, from)| *to = from - cut as u32);
            from.len()
        };
        others.found = give(&mut others.cells, &cells[first..]) - 1;
        others.breaks = give(&mut others.lines, &lines[behind..]);
        others.quotes.clear();
        others.quotes.extend(self.quotes.drain(quotes..).map(|quote| quote - cut as u32));
        (others.end, others.nul) = (self.end - cut, self.nul.and_then(|nul| nul.checked_sub(cut)));
        (self.found, self.breaks, self.end) = (first, behind, cut);
    }

    #[inline(always)]
    fn look_at(&mut self, chunk: &[u8; 64]) {
        let base = self.end as u32 + 1;
        let parts = chunk.as_chunks().0;
        let parts: [u8x16; 4] = std::array::from_fn(|at| u8x16::new(parts[at]));
        let [a, b, c, d] = parts;
        if a.min(b).min(c.min(d)).simd_eq(u8x16::splat(0)).any() {
            self.nul = Some(self.end + 63 - equal_bytes(&parts, 0).leading_zeros() as usize);
        }
        let mut breaks = equal_bytes(&parts, b'\n');
        let mut hits = equal_bytes(&parts, b',') | breaks;
        let mut quotes = equal_bytes(&parts, b'"');
        while quotes != 0 {
            self.quotes.push(base + quotes.trailing_zeros() - 1);
            quotes &= quotes - 1;
        }
        // Room for all that may be found, so that it can be written without asking each time.
        if self.lines.len() < self.breaks + 65 {
            self.lines.resize(2 * self.breaks + 1_024, 0);
        }
        if self.cells.len() < self.found + 66 {
            self.cells.resize(2 * self.found + 4_096, 0);
        }
        // One is written whether there is one or not: of 64 bytes a line break is hard to foresee, a second is rare.
        self.lines[self.breaks] = base + breaks.trailing_zeros();
        self.breaks += usize::from(breaks != 0);
        breaks &= breaks.wrapping_sub(1);
        while breaks != 0 {
            self.lines[self.breaks] = base + breaks.trailing_zeros();
            self.breaks += 1;
            breaks &= breaks - 1;
        }
        let count = hits.count_ones() as usize;
        // Eight are written whether there are as many or not: how many it are is hard to foresee.
        let behind = self.cells[self.found + 1..self.found + 65].as_chunks_mut::<8>().0;
        for eight in behind.iter_mut().take(count.div_ceil(8)) {
            for at in eight {
                *at = base + hits.trailing_zeros();
                hits &= hits.wrapping_sub(1);
            }
        }
        self.found += count;
        self.end += 64;
    }
}

/// Which of 64 bytes are `byte`, one bit each.
#[inline(always)]
fn equal_bytes(parts: &[u8x16; 4], byte: u8) -> u64 {
    let wanted = u8x16::splat(byte);
    let equal = |at: usize| u64::from(parts[at].simd_eq(wanted).to_bitmask()) << (16 * at);
    equal(0) | equal(1) | equal(2) | equal(3)
}

fn put(list: &mut Vec<u32>, at: usize, value: u32) {
    match list.get_mut(at) {
        Some(there) => *there = value,
        None => list.push(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_byte_is_seen_wherever_it_stands_and_goes_with_its_bytes() {
        for length in [1, 63, 64, 65, 128, 200] {
            let text = b"ab,c\n".iter().copied().cycle().take(length).collect::<Vec<u8>>();
            let (mut starts, mut hashing) = (Starts::default(), Starts::default());
            assert!(!starts.find(&text).may_have_nul());
            for (first, at) in (0..length).flat_map(|at| [(at, at), (at / 2, at)]) {
                let mut bytes = text.clone();
                (bytes[first], bytes[at]) = (0, 0);
                assert!(starts.find(&bytes).may_have_nul(), "{length} {at}");
                let of_line = |cut: &usize| *cut == 0 || bytes[cut - 1] == b'\n';
                for cut in (0..=length).filter(of_line) {
                    hashing.begin();
                    hashing.look_hashing(&bytes, &mut Sha256::new());
                    let mut others = Starts::default();
                    hashing.split_off(cut, &mut others);
                    assert!(hashing.may_have_nul() || first >= cut, "{length} {at} {cut}");
                    assert_eq!(others.may_have_nul(), at >= cut, "{length} {at} {cut}");
                }
            }
        }
    }
}
