//! Products of few terms, as the gradient of a weight has them for a batch of one: hardly more than
//! the bytes of C have to move, so tiles are long, and each is one vector across.

use super::super::place::{LARGEST_TILE, Tile};
use super::Gemm;
use crate::arena::Memory;
use crate::simd::Simd;
use std::ops::Range;

/// The most terms of a sum.
const MOST: usize = 4;
/// The most rows of a tile.
const ROWS: usize = LARGEST_TILE;
/// The most rows and vectors across of a tile.
pub const TILE: (usize, usize) = (ROWS, 1);

/// Whether a product of `m` rows and sums of `k` terms gains by it.
pub fn pays(m: usize, k: usize) -> bool {
    k <= MOST && m >= ROWS
}

impl Gemm {
    /// Computes the tiles of every column of vectors.
    #[inline(always)]
    pub(super) unsafe fn few_terms<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        k: usize,
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        for vec in columns {
            for row in rows.clone().step_by(ROWS) {
                let tile = Tile { row, vec, rows: ROWS.min(rows.end - row), vecs: 1 };
                // SAFETY: the contract is that of `Gemm::run`; the tile lies inside C.
                unsafe {
                    match k {
                        1 => self.few_terms_tile::<S, 1>(s, memory, tile),
                        2 => self.few_terms_tile::<S, 2>(s, memory, tile),
                        3 => self.few_terms_tile::<S, 3>(s, memory, tile),
                        _ => self.few_terms_tile::<S, MOST>(s, memory, tile),
                    }
                    if !self.code.is_empty() {
                        self.code.run(s, memory, tile);
                    }
                }
            }
        }
    }

    /// Computes a tile of sums of `K` terms; the rows of B stay in registers.
    unsafe fn few_terms_tile<S: Simd, const K: usize>(&self, s: S, memory: Memory, tile: Tile) {
        s.vectorize(
            #[inline(always)]
            || {
                let &Gemm { a, b, bias, .. } = self;
                // SAFETY: the tile lies inside C and the operands agree with it in size, as
                // `check_gemm` has proved.
                unsafe {
                    let mut terms = [s.splat(0.0); K];
                    for (i, term) in terms.iter_mut().enumerate() {
                        *term = s.load(memory.at(b.offset + tile.vec * b.column + i * b.row));
                    }
                    let to = self.code.result.of(memory, tile);
                    for r in 0..tile.rows {
                        let row = tile.row + r;
                        let start =
                            memory.at(bias.offset + row * bias.row + tile.vec * bias.column);
                        let mut sum = if bias.row > 0 { s.splat(*start) } else { s.load(start) };
                        for (i, &term) in terms.iter().enumerate() {
                            let x = *memory.at(a.offset + row * a.row + i * a.column);
                            sum = s.mul_add(s.splat(x), term, sum);
                        }
                        s.store(to.add(r * self.code.result.row), sum);
                    }
                }
            },
        );
    }
}
