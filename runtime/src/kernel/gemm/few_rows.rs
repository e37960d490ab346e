//! Products of few rows with a transposed B, as the gradient of a layer's input has them at a small
//! batch: the blocks of B are transposed in registers and used at once.

use super::super::place::Tile;
use super::super::sum::Total;
use super::Gemm;
use crate::arena::Memory;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// The most rows for which B is not packed.
pub const MOST: usize = 4;
/// How many panels ahead B is fetched into the cache: the next one is far away, and no processor
/// guesses where.
const AHEAD: usize = 2;

impl Gemm {
    /// Computes the vectors of up to [`MOST`] rows one by one.
    #[inline(always)]
    pub(super) unsafe fn few_rows<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        size: (usize, usize),
        rows: Range<usize>,
        columns: Range<usize>,
    ) {
        for vec in columns {
            let tile = Tile { row: rows.start, vec, rows: rows.len(), vecs: 1 };
            // SAFETY: the contract is that of `Gemm::run`; the tile lies inside C.
            unsafe {
                match rows.len() {
                    1 => self.few_rows_tile::<S, 1>(s, memory, size, tile),
                    2 => self.few_rows_tile::<S, 2>(s, memory, size, tile),
                    3 => self.few_rows_tile::<S, 3>(s, memory, size, tile),
                    _ => self.few_rows_tile::<S, MOST>(s, memory, size, tile),
                }
                if !self.code.is_empty() {
                    self.code.run(s, memory, tile);
                }
            }
        }
    }

    /// Computes a vector of `R` rows with a transposed B, whose blocks stay in registers: packing
    /// them is not worth it for so few rows.
    unsafe fn few_rows_tile<S: Simd, const R: usize>(
        &self,
        s: S,
        memory: Memory,
        (k, n): (usize, usize),
        tile: Tile,
    ) {
        s.vectorize(
            #[inline(always)]
            || {
                let bias = |r: usize| (tile.row + r) * self.bias.row + tile.vec * self.bias.column;
                let a = |r: usize| self.a.offset + (tile.row + r) * self.a.row;
                // SAFETY: the tile lies inside C and the operands agree with it in size, as
                // `check_gemm` has proved.
                unsafe {
                    let mut sums = [s.splat(0.0); R];
                    for (r, sum) in sums.iter_mut().enumerate() {
                        let start = memory.at(self.bias.offset + bias(r));
                        *sum = if self.bias.row > 0 { s.splat(*start) } else { s.load(start) };
                    }
                    let (chain, piece) = (self.chains.len(k), self.chains.piece(k));
                    let zero = s.splat(0.0);
                    let mut pieces = [zero; R];
                    let mut totals = [Total { sum: zero, lost: zero }; R];
                    // Takes the sums of the piece that ends with as many terms, as `multiply` does.
                    let mut take = |sums: &mut [S::F; R], end: usize| {
                        for ((sum, piece_sum), total) in
                            sums.iter_mut().zip(&mut pieces).zip(&mut totals)
                        {
                            let is_first = end.saturating_sub(1) % chain < piece;
                            *piece_sum = if is_first { *sum } else { s.add(*piece_sum, *sum) };
                            *sum = zero;
                            if end == k || end.is_multiple_of(chain) {
                                *total = match end <= chain {
                                    true => Total { sum: *piece_sum, lost: zero },
                                    false => total.add(s, *piece_sum),
                                };
                            }
                        }
                    };
                    for start in (0..k).step_by(LANES) {
                        if start > 0 && start.is_multiple_of(piece) {
                            take(&mut sums, start);
                        }
                        let panels = self.b.offset + (start / LANES + AHEAD) * self.b.column;
                        for i in 0..LANES {
                            let row = tile.vec * LANES + i;
                            s.prefetch(memory.at(panels + row * self.b.row));
                        }
                        let block = self.transposed_block(s, memory, n, tile.vec, start);
                        for (i, &y) in block.iter().enumerate().take(k - start) {
                            for (r, sum) in sums.iter_mut().enumerate() {
                                let x = *memory.at(a(r) + (start + i) * self.a.column);
                                *sum = s.mul_add(s.splat(x), y, *sum);
                            }
                        }
                    }
                    take(&mut sums, k);
                    let to = self.code.result.of(memory, tile);
                    for (r, total) in totals.iter().enumerate() {
                        s.store(to.add(r * self.code.result.row), total.sum);
                    }
                }
            },
        );
    }
}
