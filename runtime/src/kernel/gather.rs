//! Rows of a table by their indices, and sums of rows by theirs.
#![expect(unsafe_code, reason = "reads and writes rows of vectors")]

use super::place::{Extent, List, Part};
use super::softmax::{load, store};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// A look-up in a table bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gather {
    /// The table.
    pub table: usize,
    /// From one of its rows to the next.
    pub table_stride: usize,
    /// The indices.
    pub index: List,
    /// The rows that are looked up.
    pub y: usize,
    /// From one of them to the next.
    pub y_stride: usize,
    /// Their number.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
}

impl Gather {
    /// Copies this thread's rows at a batch of `n` rows, padding included.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || {
                for row in self.rows.own(n, part) {
                    // SAFETY: `check` of program/src/kernel/gather.rs has proved that y has these
                    // rows in whole vectors, each with an index that is a row of the table, and
                    // `check_overlaps` that y is apart from both.
                    unsafe {
                        let index = *memory.at(self.index.at(row)).cast::<i32>() as usize;
                        let from = self.table + index * self.table_stride;
                        let to = self.y + row * self.y_stride;
                        for col in (0..self.cols).step_by(LANES) {
                            store(s, memory, to + col, load(s, memory, from + col));
                        }
                    }
                }
            },
        );
    }
}

/// Sums of rows bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScatterAdd {
    /// The rows that are added.
    pub x: usize,
    /// From one of them to the next.
    pub x_stride: usize,
    /// Their number.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
    /// The indices.
    pub index: List,
    /// The sums.
    pub y: usize,
    /// From one of their rows to the next.
    pub y_stride: usize,
    /// Their number.
    pub sums: usize,
}

impl ScatterAdd {
    /// Computes this thread's sums at a batch of `n` rows. Each thread goes through all indices in
    /// order, so the order of the additions does not depend on how many threads there are.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        let own = part.range(self.sums, 1);
        s.vectorize(
            #[inline(always)]
            || {
                let cols = || (0..self.cols).step_by(LANES);
                for row in own.clone() {
                    for col in cols() {
                        let at = self.y + row * self.y_stride + col;
                        // SAFETY: `check` of program/src/kernel/gather.rs has proved that y has
                        // these rows in whole vectors, and no other thread has them.
                        unsafe { store(s, memory, at, s.splat(0.0)) };
                    }
                }
                for row in 0..self.rows.at(n) {
                    // SAFETY: the same has proved that each row of x has an index that is a row of
                    // y, and `check_overlaps` that y is apart from both.
                    unsafe {
                        let index = *memory.at(self.index.at(row)).cast::<i32>() as usize;
                        if !own.contains(&index) {
                            continue;
                        }
                        let from = self.x + row * self.x_stride;
                        let to = self.y + index * self.y_stride;
                        for col in cols() {
                            let sum = load(s, memory, to + col);
                            let sum = s.add(sum, load(s, memory, from + col));
                            store(s, memory, to + col, sum);
                        }
                    }
                }
            },
        );
    }
}
