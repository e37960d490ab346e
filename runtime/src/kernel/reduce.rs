//! Sums over a fused expression: of each row, or of everything.
//!
//! Sixteen lanes run down the vectors in ascending order, then are added by the fixed tree of
//! [`Simd::sum`]. The order is that of the shape alone.

use super::Part;
use super::code::Code;
use super::map::Domain;
use super::straight::{self, Tape};
use super::tile::{LARGEST_TILE, Tile};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// A reduction bound to places.
#[derive(Clone, Debug, Default)]
pub struct Reduce {
    /// What is summed over; the lanes beyond its columns are padding.
    pub domain: Domain,
    /// What is summed; its value is in `body.value`.
    pub body: Code,
    /// Whether each row has a sum of its own.
    pub by_row: bool,
    /// What is done with the sums.
    pub tail: Code,
}

impl Reduce {
    /// Writes the sums out, vector by vector; `zeros` is the offset of a vector of zeros.
    pub fn unroll(&self, tape: &mut Tape, n: usize, zeros: u32) {
        let (rows, _) = self.domain.at(n);
        let cols = self.domain.flat.unwrap_or(self.domain.cols).at(n);
        let mut result = self.tail.result.line(Tile::one(0, 0)).at;
        let mut sums = zeros;
        for row in 0..rows {
            if self.by_row {
                result = self.tail.result.line(Tile::one(row, 0)).at;
            }
            for vec in 0..cols.div_ceil(LANES) {
                let tile = Tile::one(row, vec);
                self.body.unroll(tape, tile);
                let present = (cols - vec * LANES).min(LANES) as u32;
                let from = self.body.value.line(tile).at;
                tape.push(straight::Op::Accumulate { to: result, sums, from, present });
                sums = result;
            }
            if self.by_row {
                tape.push(straight::Op::Total { to: result, from: result });
                self.tail.unroll(tape, Tile::one(row, 0));
                sums = zeros;
            }
            if tape.is_long() {
                return;
            }
        }
        if !self.by_row {
            tape.push(straight::Op::Total { to: result, from: result });
            self.tail.unroll(tape, Tile::one(0, 0));
        }
    }

    /// Computes this thread's sums at a batch of `n` rows; a sum over everything is the first
    /// thread's.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        let (rows, _) = self.domain.at(n);
        let range = match self.by_row {
            true => self.domain.rows.own(n, part),
            false if part.index == 0 => 0..rows,
            false => return,
        };
        s.vectorize(
            #[inline(always)]
            || {
                let cols = self.domain.flat.unwrap_or(self.domain.cols).at(n);
                let mut sums = s.splat(0.0);
                for row in range {
                    // SAFETY: the contract is this function's, and the row lies in the domain.
                    unsafe {
                        sums = self.row(s, memory, row, cols, sums);
                        if self.by_row {
                            self.finish(s, memory, row, sums);
                            sums = s.splat(0.0);
                        }
                    }
                }
                if !self.by_row {
                    // SAFETY: the same, and a sum over everything has one row.
                    unsafe { self.finish(s, memory, 0, sums) };
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
        mut sums: S::F,
    ) -> S::F {
        for first in (0..cols.div_ceil(LANES)).step_by(LARGEST_TILE) {
            let vecs = (cols.div_ceil(LANES) - first).min(LARGEST_TILE);
            let tile = Tile { row, vec: first, rows: 1, vecs };
            // SAFETY: the tile lies inside the domain, which the operands of the body cover, as
            // `verify::expr::check` has proved; its value is one of them, or a register.
            unsafe {
                self.body.run(s, memory, tile);
                let value = self.body.value.of(memory, tile);
                for vec in 0..vecs {
                    let lanes = s.load(value.add(vec * self.body.value.vec));
                    let present = (cols - (first + vec) * LANES).min(LANES);
                    let lanes = s.select(s.first(present), lanes, s.splat(0.0));
                    sums = s.add(sums, lanes);
                }
            }
        }
        sums
    }

    /// Adds the lanes up and runs the tail on the sum, held sixteen times.
    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, s: S, memory: Memory, row: usize, sums: S::F) {
        let tile = Tile { row, vec: 0, rows: 1, vecs: 1 };
        let result = self.tail.result.of(memory, tile);
        // SAFETY: the tail's domain has a vector for this row, as `check_reduce` has proved.
        unsafe {
            s.store(result, s.splat(s.sum(sums)));
            self.tail.run(s, memory, tile);
        }
    }
}
