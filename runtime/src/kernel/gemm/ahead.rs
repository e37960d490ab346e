//! What a product will soon read or write is brought into the cache while its tiles are computed.

use super::super::place::Tile;
use super::block::CACHED;
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
/// The fewest vectors across C over which the next rows of op(A) are fetched: with fewer, too many
/// would be fetched at a time.
const COLUMNS: usize = 8;

/// How many tiles ahead the operands of the tiles' expression are brought into the cache: where C
/// is too large to be in the second-level cache yet, and as early as the memory needs.
fn tiles_ahead(m: usize, n: usize, k: usize) -> Option<usize> {
    let ahead = if k >= 64 { 0 } else { 4 };
    (m * n >= 1 << 17).then_some(ahead)
}

/// What is fetched before each tile of a column block.
pub struct Ahead<'a> {
    columns: Option<NextColumns>,
    rows: &'a mut Option<NextRows>,
    /// How many tiles ahead what the expression reads and writes is fetched.
    results: Option<usize>,
    /// Whether there is anything.
    pub is_needed: bool,
}

impl<'a> Ahead<'a> {
    /// What a column block has before its tiles.
    #[inline(always)]
    pub fn of<S: Simd>(job: &Job, column: Tile, rows: &'a mut Option<NextRows>) -> Ahead<'a> {
        let columns = NextColumns::after::<S>(job, column);
        let results = tiles_ahead(column.rows, job.n, job.block.terms.len());
        let results = results.filter(|_| job.block.ends);
        let is_needed = columns.is_some() || rows.is_some() || results.is_some();
        Ahead { columns, rows, results, is_needed }
    }

    /// Begins to bring a part into the cache, before this tile.
    #[inline(never)]
    pub fn fetch<S: Simd>(&mut self, s: S, job: &Job, tile: Tile) {
        if let Some(columns) = &mut self.columns {
            columns.fetch(s, job.memory);
        }
        if let Some(rows) = self.rows {
            rows.fetch(s, job.memory);
        }
        if let Some(ahead) = self.results {
            let row = tile.row + ahead * tile.rows;
            job.gemm.code.prefetch(s, job.memory, Tile { row, ..tile });
        }
    }
}

/// B's next column block, some terms of which are fetched before each tile.
#[derive(Clone, Copy, Debug)]
struct NextColumns {
    /// The next term's first vector.
    at: usize,
    /// From one term to the next.
    row: usize,
    /// How many vectors it is across.
    vecs: usize,
    /// From one vector to the next.
    vec: usize,
    /// How many terms are fetched before each tile.
    each: usize,
}

impl NextColumns {
    /// Those that follow a column block, if there are any and they come from afar. What is
    /// transposed is fetched while the block before is.
    #[inline(always)]
    fn after<S: Simd>(job: &Job, column: Tile) -> Option<NextColumns> {
        let near = if job.b.offset == job.gemm.pack { NEAR_PACKED } else { NEAR };
        let terms = &job.block.terms;
        let tiles = column.rows.div_ceil(tile_rows::<S>(column.vecs));
        let next = column.vec + column.vecs;
        let is_near = terms.len() * job.n <= near || job.gemm.b_transposed;
        if next >= job.block.columns.end || is_near || tiles < TILES {
            return None;
        }
        let b = job.gemm.b;
        Some(NextColumns {
            at: b.at(terms.start, next),
            row: b.row,
            vecs: column.vecs.min(job.block.columns.end - next),
            vec: b.column,
            each: terms.len().div_ceil(tiles),
        })
    }

    /// Begins to bring some more into the cache.
    #[inline(always)]
    fn fetch<S: Simd>(&mut self, s: S, memory: Memory) {
        for _ in 0..self.each {
            for vec in 0..self.vecs {
                s.prefetch(memory.at(self.at + vec * self.vec));
            }
            self.at += self.row;
        }
    }
}

/// The rows of op(A) of the next block, some of which are fetched before each tile.
#[derive(Clone, Copy, Debug)]
pub struct NextRows {
    /// The next row.
    at: usize,
    /// From one row to the next.
    row: usize,
    /// How many rows are left.
    rows: usize,
    /// The floats of a row.
    floats: usize,
    /// How many of the next row have been fetched.
    fetched: usize,
    /// How many lines are fetched before each tile.
    each: usize,
}

impl NextRows {
    /// Those that follow a block whose column blocks are `width` vectors across, if there are any
    /// and they will still be near when they are needed.
    #[inline(always)]
    pub fn after<S: Simd>(job: &Job, width: usize) -> Option<NextRows> {
        let (gemm, block) = (job.gemm, job.block);
        let (rows, floats) = (block.next.len(), block.terms.len());
        let is_near = block.rows.len() * floats <= CACHED;
        if gemm.a_transposed || rows == 0 || !is_near || block.columns.len() < COLUMNS {
            return None;
        }
        let tiles = block.rows.len().div_ceil(tile_rows::<S>(width));
        let tiles = tiles * block.columns.len().div_ceil(width);
        Some(NextRows {
            at: gemm.a.offset + block.next.start * gemm.a.row,
            row: gemm.a.row,
            rows,
            floats,
            fetched: 0,
            each: (rows * floats.div_ceil(LANES)).div_ceil(tiles),
        })
    }

    /// Begins to bring some more into the cache.
    #[inline(always)]
    pub fn fetch<S: Simd>(&mut self, s: S, memory: Memory) {
        for _ in 0..self.each {
            if self.fetched >= self.floats {
                self.fetched = 0;
                self.rows -= 1;
                self.at += self.row;
            }
            if self.rows == 0 {
                self.each = 0;
                return;
            }
            s.prefetch(memory.at(self.at + self.fetched));
            self.fetched += LANES;
        }
    }
}
