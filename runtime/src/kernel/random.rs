//! Random initial values.
#![expect(unsafe_code, reason = "fills a buffer")]

use crate::arena::Memory;
use crate::program::{Distribution, Layout, StreamId};
use crate::random::Stream;
use crate::simd::LANES;

/// A fill bound to its place.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// The first float.
    pub y: usize,
    /// The order of the elements.
    pub layout: Layout,
    /// From what.
    pub distribution: Distribution,
    /// Keeps different uses apart.
    pub stream: StreamId,
}

impl Random {
    /// Fills the buffer. Element (i, j) of a matrix draws number i × columns + j, so the values do
    /// not depend on the layout.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run(&self, memory: Memory, n: usize, seed: u64) {
        let stream = Stream { seed, stream: self.stream };
        let Some((rows, cols)) = self.layout.size(n as u64) else { return };
        // One number is held in all lanes of its vector.
        let copies = if self.layout == Layout::scalar() { LANES } else { 1 };
        for row in 0..rows {
            for col in 0..cols {
                let element = row * cols + col;
                let value = match self.distribution {
                    Distribution::Constant(value) => value,
                    Distribution::Uniform(low, high) => {
                        low + (high - low) * stream.uniform(0, element)
                    }
                    Distribution::Normal(mean, deviation) => {
                        mean + deviation * stream.normal(0, element)
                    }
                };
                let at = self.y + self.layout.position(row, col);
                // SAFETY: `place` of `verify` has proved that the buffer lies inside the arena.
                unsafe { memory.write(at, copies).fill(value) };
            }
        }
    }
}
