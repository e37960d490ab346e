//! Elementwise expressions over whole buffers.
#![expect(unsafe_code, reason = "runs tiles")]

use super::expr::Code;
use super::place::{Extent, LARGEST_TILE, Part, Tile};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// The elements of a region: `rows` rows of `cols`, in whole vectors. Where no operand is spread
/// over rows or columns, the region is one row of everything. A region in columns has a row for
/// each column of the matrix.
#[derive(Clone, Copy, Debug, Default)]
pub struct Region {
    /// The rows.
    pub rows: Extent,
    /// The elements of a row.
    pub cols: Extent,
    /// Set where the region is flat: the floats of all of it, `cols` is not used.
    pub flat: Option<Extent>,
}

impl Region {
    /// The rows and vectors at a batch of `n`.
    #[inline(always)]
    pub fn at(&self, n: usize) -> (usize, usize) {
        match self.flat {
            Some(floats) => (1, floats.at(n).div_ceil(LANES)),
            None => (self.rows.at(n), self.cols.at(n).div_ceil(LANES)),
        }
    }

    /// This thread's part: its own rows of a batch, where there is one.
    fn part(&self, n: usize, part: Part) -> (Range<usize>, Range<usize>) {
        let (rows, vecs) = self.at(n);
        match self.flat {
            Some(floats) if floats.is_batched() => (0..1, floats.own_vectors(n, part)),
            None if self.rows.is_batched() => (self.rows.own(n, part), 0..vecs),
            None if self.cols.is_batched() => (0..rows, self.cols.own_vectors(n, part)),
            _ if rows == 1 => (0..1, part.range(vecs, 1)),
            _ => (part.range(rows, 1), 0..vecs),
        }
    }
}

/// An expression with its region.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Where it is evaluated.
    pub region: Region,
    /// The most rows and vectors across of a tile.
    pub tile: (usize, usize),
    /// What is evaluated.
    pub code: Code,
}

impl Map {
    /// Whether it is several instructions over so many vectors that they are better decoded for a
    /// few vectors at a time, and the values between them kept in registers, than written out.
    pub fn is_long_chain(&self, n: usize) -> bool {
        let (rows, vecs) = self.region.at(n);
        self.code.len() > 1 && rows * vecs > LARGEST_TILE
    }

    /// Evaluates this thread's part at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        let (rows, vecs) = self.region.part(n, part);
        let (height, width) = self.tile;
        let width = vecs.len().min(width);
        if width == 0 {
            return;
        }
        let height = if rows.len() == 1 { 1 } else { height };
        let mut row = rows.start;
        while row < rows.end {
            let height = height.min(rows.end - row);
            let mut vec = vecs.start;
            while vec < vecs.end {
                let tile = Tile { row, vec, rows: height, vecs: width.min(vecs.end - vec) };
                // SAFETY: the contract is this function's; the tile lies inside the region, and is
                // no larger than `Binder::bind` has made the registers.
                unsafe { self.code.run(s, memory, tile) };
                vec += width;
            }
            row += height;
        }
    }
}
