//! Whole numbers as floats: the class of each row, or positions.
#![expect(unsafe_code, reason = "reads indices and writes vectors")]

use super::place::{Extent, List, Part};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// Whole numbers bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole {
    /// The indices; without, the position of each element is its number.
    pub index: Option<List>,
    /// The numbers.
    pub y: usize,
    /// From one row of them to the next.
    pub stride: usize,
    /// Their rows.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
}

impl Whole {
    /// Writes this thread's numbers at a batch of `n` rows, each in all lanes that follow it.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || match self.index {
                Some(index) => {
                    for row in self.rows.own(n, part) {
                        // SAFETY: `check` of program/src/kernel/whole.rs has proved that y has
                        // these rows of whole vectors, each with an index, and `check_overlaps`
                        // that they are apart.
                        unsafe {
                            let whole = *memory.at(index.at(row)).cast::<i32>();
                            s.store(memory.at(self.y + row * self.stride), s.splat(whole as f32));
                        }
                    }
                }
                None => {
                    let lanes = s.from_array(std::array::from_fn(|lane| lane as f32));
                    for first in (0..self.cols).step_by(LANES) {
                        let numbers = s.add(lanes, s.splat(first as f32));
                        // SAFETY: the same, and y is one row.
                        unsafe { s.store(memory.at(self.y + first), numbers) };
                    }
                }
            },
        );
    }
}
