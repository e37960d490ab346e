//! The kernels: each written once, generic over [`Simd`](crate::simd::Simd), over bound places.

pub mod bind;
pub mod cross_entropy;
pub mod gemm;
pub mod map;
pub mod random;
pub mod reduce;
pub mod softmax;
pub mod straight;
pub mod tile;

use crate::program::Rows;
use std::ops::Range;

/// A number of rows, fixed or a multiple of the batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent {
    count: usize,
    batched: bool,
}

impl Extent {
    /// A fixed number.
    pub fn fixed(count: usize) -> Extent {
        Extent { count, batched: false }
    }

    /// The number at a batch of `n`.
    #[inline(always)]
    pub fn at(self, n: usize) -> usize {
        if self.batched { self.count * n } else { self.count }
    }
}

impl From<Rows> for Extent {
    fn from(rows: Rows) -> Extent {
        Extent { count: rows.count as usize, batched: rows.batched }
    }
}

/// A thread's share of a step.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Which thread.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Part {
    /// The whole of it.
    pub const WHOLE: Part = Part { index: 0, of: 1 };

    /// This thread's share of `len` items, which change hands only at multiples of `grain`.
    #[inline(always)]
    pub fn range(self, len: usize, grain: usize) -> Range<usize> {
        if self.of == 1 {
            return 0..len;
        }
        let cut = |index: usize| (len * index / self.of).next_multiple_of(grain).min(len);
        cut(self.index)..cut(self.index + 1)
    }
}
