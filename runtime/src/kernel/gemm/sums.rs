//! The sums of the columns of op(B), beside a product that has a column block of it at hand. They
//! have the bits of a product with a row of ones, and are plain additions.

use super::super::place::Tile;
use super::super::sum::Total;
use super::{Gemm, MAX_VECTORS, Operand};
use crate::arena::Memory;
use crate::simd::Simd;
use std::ops::Range;

impl Gemm {
    /// Sums vectors of B as it lies.
    #[inline(always)]
    pub(super) unsafe fn sum_columns<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        k: usize,
        columns: Range<usize>,
    ) {
        let mut vec = columns.start;
        while vec < columns.end {
            let vecs = MAX_VECTORS.min(1 << (columns.end - vec).ilog2());
            let b = Operand { offset: self.b.offset + vec * self.b.column, ..self.b };
            // SAFETY: the contract is that of `Gemm::run`; these vectors of B are in `columns`.
            unsafe { self.sum_block(s, memory, k, b, Tile { row: 0, vec, rows: 1, vecs }) };
            vec += vecs;
        }
    }

    /// Sums the vectors of a column block, as this product with ones would.
    #[inline(always)]
    pub(super) unsafe fn sum_block<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        k: usize,
        b: Operand,
        tile: Tile,
    ) {
        // SAFETY: the contract is that of `Gemm::run`; the tile is in the row of sums.
        unsafe {
            match tile.vecs {
                1 => self.sum::<S, 1>(s, memory, k, b, tile),
                2 => self.sum::<S, 2>(s, memory, k, b, tile),
                4 => self.sum::<S, 4>(s, memory, k, b, tile),
                _ => self.sum::<S, 8>(s, memory, k, b, tile),
            }
            if !self.code.is_empty() {
                self.code.run(s, memory, tile);
            }
        }
    }

    unsafe fn sum<S: Simd, const V: usize>(
        &self,
        s: S,
        memory: Memory,
        k: usize,
        b: Operand,
        tile: Tile,
    ) {
        s.vectorize(
            #[inline(always)]
            || {
                let mut from = memory.at(b.offset).cast_const();
                let to = self.code.result.of(memory, tile);
                // SAFETY: the column block has k rows of V vectors, and the row of sums has these
                // vectors, as `check_product_sums` and `check_column_sum` have proved.
                unsafe {
                    let chain = self.chains.len(k);
                    let zero = s.splat(0.0);
                    let mut totals = [Total { sum: zero, lost: zero }; V];
                    for first in (0..k).step_by(chain) {
                        let mut sums = [zero; V];
                        for _ in first..k.min(first + chain) {
                            for (v, sum) in sums.iter_mut().enumerate() {
                                *sum = s.add(*sum, s.load(from.add(v * b.column)));
                            }
                            from = from.wrapping_add(b.row);
                        }
                        for (total, &sum) in totals.iter_mut().zip(&sums) {
                            *total = total.add(s, sum);
                        }
                    }
                    for (v, total) in totals.iter().enumerate() {
                        s.store(to.add(v * self.code.result.vec), total.sum);
                    }
                }
            },
        );
    }
}
