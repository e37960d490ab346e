//! Where the largest element of each row is.
#![expect(unsafe_code, reason = "reads rows and writes elements")]

use super::place::{Extent, List, Part};
use crate::arena::Memory;

/// Where the largest elements are, bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Argmax {
    /// The rows.
    pub x: usize,
    /// A position a row.
    pub y: List,
    /// How many rows.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
    /// From one row to the next.
    pub stride: usize,
}

impl Argmax {
    /// Computes this thread's positions at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run(&self, memory: Memory, n: usize, part: Part) {
        for row in self.rows.own(n, part) {
            // SAFETY: `check` of program/src/kernel/argmax.rs has proved that x has these rows and
            // that y has an element for each, and `check_overlaps` that they are apart.
            unsafe {
                let x = memory.read(self.x + row * self.stride, self.cols);
                *memory.at(self.y.at(row)) = first_largest(x) as f32;
            }
        }
    }
}

/// The position of the first largest element.
#[inline(always)]
pub fn first_largest(x: &[f32]) -> usize {
    (1..x.len()).fold(0, |best, i| if x[i] > x[best] { i } else { best })
}
