//! Sums over a fused expression: of each row, or of everything.
//!
//! Sixteen lanes run down the vectors in ascending order, in chains of a fixed length (sum.rs), and
//! then are added by the fixed tree of [`Simd::sum`]. The order is that of the shape alone.
#![expect(unsafe_code, reason = "runs tiles")]

use super::expr::Code;
use super::map::Region;
use super::place::{LARGEST_TILE, Part, Tile};
use super::sum::{self, LaneSums};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// A reduction bound to places.
#[derive(Clone, Debug, Default)]
pub struct Reduce {
    /// What is summed over; the lanes beyond its columns are padding.
    pub region: Region,
    /// What is summed; its value is in `body.value`.
    pub body: Code,
    /// Whether each row has a sum of its own.
    pub by_row: bool,
    /// What is done with the sums.
    pub tail: Code,
}

impl Reduce {
    /// Whether each lane of a sum is one chain at a batch of `n` rows.
    pub fn is_short(&self, n: usize) -> bool {
        let (rows, _) = self.region.at(n);
        let vectors = self.region.flat.unwrap_or(self.region.cols).at(n).div_ceil(LANES);
        !sum::splits_lanes(if self.by_row { vectors } else { rows * vectors })
    }

    /// Computes this thread's sums at a batch of `n` rows; a sum over everything is the first
    /// thread's.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        let (rows, _) = self.region.at(n);
        let range = match self.by_row {
            true => self.region.rows.own(n, part),
            false if part.index == 0 => 0..rows,
            false => return,
        };
        s.vectorize(
            #[inline(always)]
            || {
                let cols = self.region.flat.unwrap_or(self.region.cols).at(n);
                let mut sums = LaneSums::new(s);
                for row in range {
                    // SAFETY: the contract is this function's, and the row lies in the region.
                    unsafe {
                        self.row(s, memory, row, cols, &mut sums);
                        if self.by_row {
                            self.finish(s, memory, row, &sums);
                            sums = LaneSums::new(s);
                        }
                    }
                }
                if !self.by_row {
                    // SAFETY: the same, and a sum over everything has one row.
                    unsafe { self.finish(s, memory, 0, &sums) };
                }
            },
        );
    }

    /// Adds one row of the body to the lanes.
    #[inline(always)]
    unsafe fn row<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        row: usize,
        cols: usize,
        sums: &mut LaneSums<S>,
    ) {
        for first in (0..cols.div_ceil(LANES)).step_by(LARGEST_TILE) {
            let vecs = (cols.div_ceil(LANES) - first).min(LARGEST_TILE);
            let tile = Tile { row, vec: first, rows: 1, vecs };
            // SAFETY: the tile lies inside the region, which the operands of the body cover, as
            // `verify::expr::check` has proved; its value is one of them, or a register.
            unsafe {
                self.body.run(s, memory, tile);
                let value = self.body.value.of(memory, tile);
                for vec in 0..vecs {
                    let lanes = s.load(value.add(vec * self.body.value.vec));
                    let present = (cols - (first + vec) * LANES).min(LANES);
                    sums.add(s.select(s.first(present), lanes, s.splat(0.0)));
                }
            }
        }
    }

    /// Adds the lanes up and runs the tail on the sum, held sixteen times.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, memory: Memory, row: usize, sums: &LaneSums<S>) {
        let tile = Tile { row, vec: 0, rows: 1, vecs: 1 };
        let result = self.tail.result.of(memory, tile);
        // SAFETY: the tail's region has a vector for this row, as `check_reduce` has proved.
        unsafe {
            s.store(result, s.splat(sums.sum()));
            self.tail.run(s, memory, tile);
        }
    }
}
