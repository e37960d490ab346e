//! Where things lie: the tiles that expressions go over, the places of their operands, numbers of
//! rows and the parts of threads.
//!
//! A tile is `rows` x `vecs` vectors. Every operand is a [`Place`]: where its first vector is and
//! how far the next row and the next vector are.

use crate::arena::Memory;
use crate::program::Rows;
use crate::simd::LANES;
use std::ops::Range;

/// The most vectors in a tile.
pub const LARGEST_TILE: usize = 48;

/// A part of an expression's region.
#[derive(Clone, Copy, Debug)]
pub struct Tile {
    /// Its first row.
    pub row: usize,
    /// Its first vector.
    pub vec: usize,
    /// Its rows.
    pub rows: usize,
    /// Its vectors in each row.
    pub vecs: usize,
}

impl Tile {
    /// The tile of one vector.
    pub fn one(row: usize, vec: usize) -> Tile {
        Tile { row, vec, rows: 1, vecs: 1 }
    }

    /// Whether its lines are its columns of vectors: the longer of the two, rows where they are
    /// equal.
    #[inline(always)]
    pub fn is_tall(&self) -> bool {
        self.rows > self.vecs
    }

    /// The number of its lines, and of vectors in each.
    #[inline(always)]
    pub fn lines(&self) -> (usize, usize) {
        if self.is_tall() { (self.vecs, self.rows) } else { (self.rows, self.vecs) }
    }
}

/// Where an operand of a tile lies. All distances count floats.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Its first float in the arena.
    pub offset: usize,
    /// From one row of a tile to the next.
    pub row: usize,
    /// From one vector of a tile to the next.
    pub vec: usize,
    /// How far a tile moves that starts one row later: nowhere, for a register.
    pub tile_row: usize,
    /// How far a tile moves that starts one vector later.
    pub tile_vec: usize,
}

impl Place {
    /// A place that covers a whole region.
    pub fn spread(offset: usize, row: usize, vec: usize) -> Place {
        Place { offset, row, vec, tile_row: row, tile_vec: vec }
    }

    /// The offset of a tile.
    #[inline(always)]
    pub fn offset(&self, tile: Tile) -> usize {
        self.offset + tile.row * self.tile_row + tile.vec * self.tile_vec
    }

    /// The first float of a tile.
    #[inline(always)]
    pub fn of(&self, memory: Memory, tile: Tile) -> *mut f32 {
        memory.at(self.offset(tile))
    }

    /// From one line of a tile to the next, and from one vector of a line to the next.
    #[inline(always)]
    pub fn steps(&self, tile: Tile) -> (usize, usize) {
        if tile.is_tall() { (self.vec, self.row) } else { (self.row, self.vec) }
    }
}

/// A number of rows, fixed or a multiple of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    count: usize,
    batched: bool,
}

impl Extent {
    /// A fixed number.
    pub fn fixed(count: usize) -> Extent {
        Extent { count, batched: false }
    }

    /// The number at a batch of `n`.
    #[inline(always)]
    pub fn at(self, n: usize) -> usize {
        if self.batched { self.count * n } else { self.count }
    }

    /// Whether it is a multiple of the batch.
    pub fn is_batched(self) -> bool {
        self.batched
    }

    /// Those of a thread at a batch of `n`: all, where they do not depend on the batch. Rows of a
    /// batch change hands at multiples of sixteen, so that no two threads write one vector.
    #[inline(always)]
    pub fn own(self, n: usize, part: Part) -> Range<usize> {
        match self.batched {
            true => {
                let rows = part.range(n, LANES);
                rows.start * self.count..rows.end * self.count
            }
            false => 0..self.count,
        }
    }

    /// The vectors of [`Extent::own`].
    #[inline(always)]
    pub fn own_vectors(self, n: usize, part: Part) -> Range<usize> {
        let own = self.own(n, part);
        own.start.div_ceil(LANES)..own.end.div_ceil(LANES)
    }
}

impl From<Rows> for Extent {
    fn from(rows: Rows) -> Extent {
        Extent { count: rows.count as usize, batched: rows.batched }
    }
}

/// One element for each row of a matrix, itself in rows of `cols` elements that are `stride`
/// apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct List {
    /// Its first element.
    pub offset: usize,
    /// The elements of one of its rows.
    pub cols: usize,
    /// From one of its rows to the next.
    pub stride: usize,
}

impl List {
    /// The place of the element for a row of the matrix.
    #[inline(always)]
    pub fn at(self, row: usize) -> usize {
        self.offset + row / self.cols * self.stride + row % self.cols
    }
}

/// A thread's share of a step.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Which thread.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Part {
    /// The whole of it.
    pub const WHOLE: Part = Part { index: 0, of: 1 };

    /// This thread's share of `len` items, which change hands only at multiples of `grain`.
    #[inline(always)]
    pub fn range(self, len: usize, grain: usize) -> Range<usize> {
        if self.of == 1 {
            return 0..len;
        }
        let cut = |index: usize| (len * index / self.of).next_multiple_of(grain).min(len);
        cut(self.index)..cut(self.index + 1)
    }
}
