//! Lines of a block that all have the usual fields, and the cells of one of their columns.

use super::cells::is_cut_number;
use super::digits::Digits;
use super::short::{Packed, Short};

/// How many lines are looked at together.
pub const TOGETHER: usize = 64;

/// Some lines of a block, each with as many fields as the header.
pub struct Lines<'a> {
    pub(super) bytes: &'a [u8],
    /// Where each of the block's fields starts; each ends a byte before the next.
    pub(super) starts: &'a [u32],
    pub(super) width: usize,
    /// At most [`TOGETHER`].
    pub(super) lines: &'a [Line],
}

#[derive(Clone, Copy)]
pub(super) struct Line {
    pub number: u32,
    /// Which of the block's fields its first is.
    pub first: u32,
    /// 1 where a carriage return stands behind the last.
    pub carriage: u32,
}

impl<'a> Lines<'a> {
    /// At most [`TOGETHER`].
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    #[inline(always)]
    pub fn number(&self, line: usize) -> u32 {
        self.lines[line].number
    }

    /// All of a line.
    pub(super) fn raw(&self, line: usize) -> &'a [u8] {
        let first = self.lines[line].first as usize;
        &self.bytes[self.starts[first] as usize..self.starts[first + self.width] as usize - 1]
    }

    /// The fields at one place of each line; nothing but empty ones where they have no such field.
    #[inline(always)]
    pub fn column(&self, at: usize) -> LineCells<'a> {
        const NOWHERE: &[Line] = &[Line { number: 0, first: 0, carriage: 0 }; TOGETHER];
        if at >= self.width {
            // Amid bytes of no meaning, so that they can be taken like those of other cells.
            return LineCells { bytes: &[0; 64], starts: &[32, 33], lines: NOWHERE, last: 0 };
        }
        let (starts, last) = (&self.starts[at..], u32::from(at + 1 == self.width));
        LineCells { bytes: self.bytes, starts, lines: self.lines, last }
    }
}

/// The cells of one column. Where it is in the file is asked once for all of them.
#[derive(Clone, Copy)]
pub struct LineCells<'a> {
    bytes: &'a [u8],
    /// From the column's first cell on.
    starts: &'a [u32],
    lines: &'a [Line],
    /// 1 where a line's carriage return stands behind its cell.
    last: u32,
}

impl<'a> LineCells<'a> {
    /// Where a cell starts, and how long it is.
    #[inline(always)]
    fn place(&self, line: usize) -> (usize, usize) {
        let Line { first, carriage, .. } = self.lines[line];
        let first = first as usize;
        let Some(&[start, next]) = self.starts.get(first..first + 2) else { return (0, 0) };
        (start as usize, (next - start - (carriage & self.last)) as usize - 1)
    }

    /// The bytes of a cell as they stand.
    #[inline(always)]
    pub fn bytes(&self, line: usize) -> &'a [u8] {
        let (start, length) = self.place(line);
        &self.bytes[start..start + length]
    }

    /// A cell as four numbers, if it has no more bytes than they hold.
    #[inline(always)]
    pub fn packed(&self, line: usize) -> Option<Packed> {
        let (start, length) = self.place(line);
        Packed::at(self.bytes, start, length)
    }

    /// A cell as digits, if it has no more than sixteen bytes.
    #[inline(always)]
    pub fn digits(&self, line: usize) -> Option<Digits> {
        let (start, length) = self.place(line);
        Digits::at(self.bytes, start, length)
    }

    /// An id that is compared as it stands; nothing where it would have to be cleaned first, or is long.
    #[inline(always)]
    pub fn plain_id(&self, line: usize) -> Option<Short> {
        let (start, length) = self.place(line);
        Short::at(self.bytes, start, length).filter(|id| id.is_plain())
    }

    /// [`LineCells::plain_id`] of up to 32 bytes, as it stands.
    #[inline(always)]
    pub fn plain_bytes(&self, line: usize) -> Option<&'a [u8]> {
        let (id, bytes) = (self.packed(line)?, self.bytes(line));
        if id.is_plain() && !is_cut_number(bytes) { Some(bytes) } else { None }
    }
}
