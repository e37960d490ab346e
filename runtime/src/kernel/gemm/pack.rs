//! The operands of a product that are copied into a thread's scratch: where they lie far apart, or
//! not in the order in which they are used.

use super::super::place::Tile;
use super::block::{Block, MAX_PACKED_VECTORS};
use super::{Gemm, MAX_ROWS, MAX_VECTORS, Operand, tiles};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// The columns of op(A) that are packed at a time, as each may lie on a page of its own: as many as
/// the processor keeps the addresses of at hand.
const PAGES: usize = 32;

/// Whether a product of `m` rows with a B of bfloat16 makes its column blocks f32 once for all of
/// them; with fewer rows every tile does it again.
pub(super) fn widens(m: usize) -> bool {
    m >= 4 * MAX_ROWS
}

/// The floats of scratch that a product with `m` rows and a B of bfloat16 needs.
pub fn bf16_floats(m: usize, k: usize) -> usize {
    if widens(m) { k * MAX_PACKED_VECTORS * LANES } else { 0 }
}

/// The floats of scratch that a product with a transposed B of `k` columns and `n` rows needs.
pub fn b_floats(k: usize, n: usize) -> usize {
    k.next_multiple_of(LANES) * n.div_ceil(LANES).min(MAX_VECTORS) * LANES
}

/// A vector of B, whose elements may be bfloat16.
#[inline(always)]
pub(super) unsafe fn load<S: Simd>(s: S, p: *const f32, bf16: bool) -> S::F {
    // SAFETY: `p` points at a vector of B, which the caller knows.
    unsafe { if bf16 { s.load_bf16(p.cast()) } else { s.load(p) } }
}

impl Gemm {
    /// Packs the block's part of op(A), if that has a room: tile after tile, in each its columns
    /// one after another.
    pub(super) unsafe fn pack_a<S: Simd>(&self, s: S, memory: Memory, block: &Block) {
        let (Some(a), rows, k) = (block.a, &block.rows, block.terms.len()) else { return };
        let first = self.a.offset + block.terms.start * self.a.column;
        s.vectorize(
            #[inline(always)]
            || {
                let all = Tile { row: rows.start, vec: 0, rows: rows.len(), vecs: S::TILE_VECTORS };
                for start in (0..k).step_by(PAGES) {
                    for tile in tiles::<S>(all) {
                        let to = a.offset.wrapping_add(tile.row * k);
                        for i in start..(start + PAGES).min(k) {
                            let from = first + tile.row + i * self.a.column;
                            s.prefetch(memory.at(from + 4 * MAX_ROWS));
                            // SAFETY: op(A) has these rows, as `check_gemm` has proved. A whole
                            // vector is written where it ends inside the tile, whose later columns
                            // overwrite what is too much; `Binder::room` has left room for it.
                            unsafe {
                                let lanes = s.load_first(memory.at(from), tile.rows);
                                let to = memory.at(to.wrapping_add(i * tile.rows));
                                if (k - i) * tile.rows >= LANES {
                                    s.store(to, lanes);
                                } else {
                                    s.store_first(to, lanes, tile.rows);
                                }
                            }
                        }
                    }
                }
            },
        );
    }

    /// Copies the `width` vectors of B's columns at `from` into `pack`, row after row, as f32.
    pub(super) unsafe fn pack_b<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        k: usize,
        from: Operand,
        width: usize,
    ) {
        s.vectorize(
            #[inline(always)]
            || {
                for i in 0..k {
                    for vec in 0..width {
                        // SAFETY: B has k rows of this many vectors, as `check_gemm` has proved,
                        // and `pack` has room for them, by `Binder::room`.
                        unsafe {
                            let at = from.offset + i * from.row + vec * from.column;
                            let to = self.pack + (i * width + vec) * LANES;
                            s.store(memory.at(to), load(s, memory.at(at), self.b_bf16));
                        }
                    }
                }
            },
        );
    }

    /// Sixteen columns of op(B) from row `start` of them on, as sixteen rows.
    #[inline(always)]
    pub(super) unsafe fn transposed_block<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        n: usize,
        vec: usize,
        start: usize,
    ) -> [S::F; LANES] {
        let first = vec * LANES;
        let from = self.b.offset + first * self.b.row + start / LANES * self.b.column;
        let present = n - first;
        let mut block = [s.splat(0.0); LANES];
        for (i, lanes) in block.iter_mut().enumerate() {
            let row = if i < present { i } else { 0 };
            // SAFETY: B has `present` rows from `first` on, as `check_gemm` has proved; those
            // beyond are read as the first and end in lanes that nobody uses. `place` pads a row.
            *lanes = unsafe { s.load(memory.at(from + row * self.b.row)) };
        }
        s.transpose(&mut block);
        block
    }

    /// Begins to bring what such a block is made of into the cache.
    #[inline(always)]
    fn fetch_block<S: Simd>(&self, s: S, memory: Memory, vec: usize, start: usize) {
        let first = vec * LANES * self.b.row + start / LANES * self.b.column;
        for i in 0..LANES {
            s.prefetch(memory.at(self.b.offset.wrapping_add(first + i * self.b.row)));
        }
    }

    /// Writes the `width` vectors of op(B)'s columns from `vec` on into `pack`, row after row,
    /// and has those that follow brought into the cache: the machine would notice too late what is
    /// read, as the rows of B that make a block lie apart.
    pub(super) unsafe fn pack_transposed_b<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        (k, n): (usize, usize),
        vec: usize,
        width: usize,
    ) {
        s.vectorize(
            #[inline(always)]
            || {
                for column in 0..width {
                    for start in (0..k).step_by(LANES) {
                        let to = self.pack + (start * width + column) * LANES;
                        // SAFETY: op(B) has these columns, as `check_gemm` has proved; `pack` has
                        // room for whole vectors of k, by `Binder::room`.
                        unsafe {
                            let block = self.transposed_block(s, memory, n, vec + column, start);
                            self.fetch_block(s, memory, vec + column + width, start);
                            for (i, &row) in block.iter().enumerate() {
                                s.store(memory.at(to + i * width * LANES), row);
                            }
                        }
                    }
                }
            },
        );
    }
}
