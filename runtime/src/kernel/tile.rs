//! The tiles that expressions go over, and where their operands lie.
//!
//! A tile is `rows` x `vecs` vectors. Every operand is a [`Place`]: where its first vector is and
//! how far the next row and the next vector are.

use super::straight::Line;
use crate::arena::Memory;

/// The most vectors in a tile.
pub const LARGEST_TILE: usize = 48;

/// A part of an expression's domain.
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
    /// A place that covers a whole domain.
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

    /// The vectors of a tile of one row or one vector across, in straight-line code, which is only
    /// made for small arenas.
    pub fn line(&self, tile: Tile) -> Line {
        let step = if tile.vecs > 1 { self.vec } else { self.row };
        Line { at: self.offset(tile) as u32, step: step as u32 }
    }
}
