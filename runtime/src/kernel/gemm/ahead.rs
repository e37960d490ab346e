//! What a product will soon read or write is brought into the cache while its tiles are computed.

use super::super::tile::Tile;
use super::{Job, tile_rows};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// The most elements of B that may still be in the second-level cache since they were last read.
const NEAR: usize = 1 << 17;
/// The same where column blocks are packed: that reads each in one go, and waits for every line
/// that is not in the first-level cache.
const NEAR_PACKED: usize = 1 << 15;
/// The fewest tiles of a column block over which the next one is fetched: with fewer, it would be
/// there no sooner than it is needed.
const TILES: usize = 4;

/// How many tiles ahead the operands of the tiles' expression are brought into the cache: where C
/// is too large to be in the second-level cache yet, and as early as the memory needs.
pub fn tiles_ahead(m: usize, n: usize, k: usize) -> Option<usize> {
    let ahead = if k >= 64 { 0 } else { 4 };
    (m * n >= 1 << 17).then_some(ahead)
}

/// B's next column block, some terms of which are fetched before each tile.
#[derive(Clone, Copy, Debug)]
pub struct NextColumns {
    first: usize,
    /// How many vectors it is across.
    vecs: usize,
    /// From one vector to the next.
    vec: usize,
    /// From one to the next of the sixteen rows of B that lie beside each other.
    row: usize,
    /// From sixteen rows to the next.
    block: usize,
    /// How many have been fetched.
    fetched: usize,
    /// How many are fetched before each tile.
    each: usize,
}

impl NextColumns {
    /// Those that follow a column block, if there are any and they come from afar.
    #[inline(always)]
    pub fn after<S: Simd>(job: &Job, column: Tile) -> Option<NextColumns> {
        let near = if job.b.offset == job.gemm.pack { NEAR_PACKED } else { NEAR };
        let tiles = column.rows.div_ceil(tile_rows::<S>(column.vecs));
        let next = column.vec + column.vecs;
        if next >= job.block.columns.end || job.block.terms.len() * job.n <= near || tiles < TILES {
            return None;
        }
        let b = job.gemm.b;
        // Sixteen columns of op(B) are a vector of B's columns, or sixteen rows of a transposed B.
        let (vec, block) = match job.gemm.b_transposed {
            true => (LANES * b.row, b.column),
            false => (b.column, LANES * b.row),
        };
        Some(NextColumns {
            first: b.offset + next * vec,
            vecs: column.vecs.min(job.block.columns.end - next),
            vec,
            row: b.row,
            block,
            fetched: 0,
            each: job.block.terms.len().div_ceil(tiles),
        })
    }

    /// Begins to bring some more into the cache.
    #[inline(always)]
    pub fn fetch<S: Simd>(&mut self, s: S, memory: Memory) {
        for i in self.fetched..self.fetched + self.each {
            let term = self.first + i % LANES * self.row + i / LANES * self.block;
            for vec in 0..self.vecs {
                s.prefetch(memory.at(term + vec * self.vec));
            }
        }
        self.fetched += self.each;
    }
}
