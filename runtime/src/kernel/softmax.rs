//! Softmax of each row, and its logarithm.

use super::{Extent, Part};
use crate::arena::Memory;
use crate::simd::{LANES, Simd, math};

/// A softmax bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Softmax {
    /// The logits.
    pub x: usize,
    /// The probabilities.
    pub y: usize,
    /// The rows.
    pub rows: Extent,
    /// The classes.
    pub cols: usize,
    /// From one row to the next.
    pub stride: usize,
    /// Whether the logarithm is wanted.
    pub log: bool,
}

impl Softmax {
    /// Computes this thread's rows at a batch of `n` rows. y = e^(x - max) / Σ e^(x - max), or its
    /// logarithm (x - max) - ln Σ e^(x - max).
    pub fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || {
                for row in part.range(self.rows.at(n), 1) {
                    let width = self.cols.next_multiple_of(LANES);
                    let y = memory.write(self.y + row * self.stride, width);
                    if self.x != self.y {
                        y.copy_from_slice(memory.read(self.x + row * self.stride, width));
                    }
                    let (largest, total) = normalizer(s, y, self.cols);
                    if self.log {
                        let shift = s.splat(largest);
                        let log = math::log(s, s.splat(total));
                        each(s, y, |x| s.sub(s.sub(x, shift), log));
                    } else {
                        let (shift, total) = (s.splat(largest), s.splat(total));
                        each(s, y, |x| s.div(math::exp(s, s.sub(x, shift)), total));
                    }
                }
            },
        );
    }
}

/// Replaces each vector of a row by `f` of it.
#[inline(always)]
pub fn each<S: Simd>(s: S, row: &mut [f32], f: impl Fn(S::F) -> S::F) {
    for lanes in row.as_chunks_mut().0 {
        *lanes = s.to_array(f(s.from_array(*lanes)));
    }
}

/// The largest of the first `cols` elements of a row, and Σ e^(x - largest).
#[inline(always)]
pub fn normalizer<S: Simd>(s: S, row: &[f32], cols: usize) -> (f32, f32) {
    let present = |vec: usize| s.first((cols - vec * LANES).min(LANES));
    let mut largest = s.splat(f32::NEG_INFINITY);
    for (vec, lanes) in row.as_chunks().0.iter().enumerate() {
        // max gives its second operand where either is NaN, so that a NaN is not lost.
        let x = s.select(present(vec), s.from_array(*lanes), s.splat(f32::NEG_INFINITY));
        largest = s.max(largest, x);
    }
    let largest = s.largest(largest);
    let mut total = s.splat(0.0);
    for (vec, lanes) in row.as_chunks().0.iter().enumerate() {
        let e = math::exp(s, s.sub(s.from_array(*lanes), s.splat(largest)));
        total = s.add(total, s.select(present(vec), e, s.splat(0.0)));
    }
    (largest, s.sum(total))
}
