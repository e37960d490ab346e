//! Random numbers: initial values, and masks.
#![expect(unsafe_code, reason = "fills a buffer")]

use super::orthogonal::Matrix;
use super::place::{Extent, Part};
use crate::arena::Memory;
use crate::program::{Distribution, Layout, StreamId};
use crate::random::normal::Truncated;
use crate::random::{Draw, MULTIPLIERS, ROUNDS, Stream, WEYL};
use crate::simd::{LANES, Simd};

/// A fill bound to its place.
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// The first float.
    pub y: usize,
    /// The order of the elements.
    pub layout: Layout,
    /// Its rows.
    pub rows: Extent,
    /// From what.
    pub distribution: Distribution,
    /// Keeps different uses apart.
    pub stream: StreamId,
}

/// The elements that are drawn at once: sixteen blocks of Philox.
const CHUNK: usize = 4 * LANES;

impl Random {
    /// Fills this thread's rows. Element (i, j) of a matrix draws number i × columns + j, where the
    /// rows of a batch count from the first of the step, so the values depend neither on the
    /// layout nor on the thread nor on the split of a step into batches.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    #[inline(always)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part, draw: Draw) {
        let stream = Stream { seed: draw.seed, stream: self.stream };
        let (_, cols) = self.layout.shape();
        let own = self.rows.own(n, part);
        let before = if self.rows.is_batched() { self.rows.at(draw.row as usize) } else { 0 };
        let before = before as u64 * cols;
        let elements = before + own.start as u64 * cols..before + own.end as u64 * cols;
        // SAFETY: the contract is this function's, and the elements are those of its rows.
        unsafe {
            match self.distribution {
                Distribution::Mask(share, kept) => {
                    let first = elements.start / CHUNK as u64 * CHUNK as u64;
                    for at in (first..elements.end).step_by(CHUNK) {
                        let words = words(s, stream, draw.step, at / 4);
                        let chunk = words.map(
                            #[inline(always)]
                            |words| mask(s, words, share, kept),
                        );
                        let end = at + CHUNK as u64;
                        let own = elements.start.max(at)..elements.end.min(end);
                        if own == (at..end)
                            && let Some(to) = self.in_a_row(cols, at - before)
                        {
                            for (i, vector) in chunk.into_iter().enumerate() {
                                s.store(memory.at(to + i * LANES), vector);
                            }
                            continue;
                        }
                        let lanes = chunk.map(
                            #[inline(always)]
                            |vector| s.to_array(vector),
                        );
                        let values = &lanes.as_flattened()
                            [(own.start - at) as usize..(own.end - at) as usize];
                        self.put(memory, cols, own.start - before, values);
                    }
                }
                Distribution::Constant(value) => {
                    self.fill(memory, cols, (before, elements), |_| value);
                }
                Distribution::Uniform(low, high) => {
                    self.fill(memory, cols, (before, elements), |element| {
                        low + (high - low) * stream.uniform(draw.step, element)
                    });
                }
                Distribution::Normal(mean, deviation) => {
                    self.fill(memory, cols, (before, elements), |element| {
                        mean + deviation * stream.normal(draw.step, element)
                    });
                }
                Distribution::Truncated(mean, deviation, low, high) => {
                    let truncated = Truncated::new(mean, deviation, low, high);
                    self.fill(memory, cols, (before, elements), |element| {
                        truncated.draw(stream, draw.step, element)
                    });
                }
                Distribution::Orthogonal(gain) => {
                    self.fill(memory, cols, (before, elements), |element| {
                        stream.normal(draw.step, element)
                    });
                    Matrix::new(self.y, self.layout).orthonormalize(s, memory, gain);
                    if self.layout == Layout::scalar() {
                        let number = *memory.at(self.y);
                        self.fill(memory, cols, (0, 0..1), |_| number);
                    }
                }
            }
        }
    }

    /// The place of a chunk of which all elements lie side by side in a row.
    #[inline(always)]
    fn in_a_row(&self, cols: u64, first: u64) -> Option<usize> {
        let (row, col) = (first / cols, first % cols);
        let is_whole = matches!(self.layout, Layout::Rows { .. }) && col + CHUNK as u64 <= cols;
        is_whole.then(|| self.y + self.layout.position(row, col))
    }

    /// Writes a value for each of some elements, which count from so many before the first.
    unsafe fn fill(
        &self,
        memory: Memory,
        cols: u64,
        (before, elements): (u64, std::ops::Range<u64>),
        value: impl Fn(u64) -> f32,
    ) {
        for element in elements {
            // SAFETY: the contract is that of `run`.
            unsafe { self.put(memory, cols, element - before, &[value(element)]) };
        }
    }

    /// Writes elements in order, the first of this number.
    #[inline(always)]
    unsafe fn put(&self, memory: Memory, cols: u64, first: u64, values: &[f32]) {
        let (mut row, mut col) = (first / cols, first % cols);
        let mut left = values;
        while let [value, ..] = left {
            let at = self.y + self.layout.position(row, col);
            // Along a row, elements are side by side. One number is held in all lanes.
            let (count, copies) = match self.layout {
                layout if layout == Layout::scalar() => (1, LANES),
                Layout::Rows { .. } => (left.len().min((cols - col) as usize), 1),
                _ => (1, 1),
            };
            // SAFETY: `place` of `verify` has proved that the buffer lies inside the arena.
            unsafe {
                match copies {
                    1 => memory.write(at, count).copy_from_slice(&left[..count]),
                    _ => memory.write(at, copies).fill(*value),
                }
            }
            left = &left[count..];
            (row, col) =
                if col + count as u64 == cols { (row + 1, 0) } else { (row, col + count as u64) };
        }
    }
}

/// 0 where the uniform number of a word is below `share`, else `kept`.
#[inline(always)]
fn mask<S: Simd>(s: S, words: S::I, share: f32, kept: f32) -> S::F {
    // The number is the upper 24 bits over 2^24; both sides of the comparison are exact.
    let uniform = s.int_to_float(s.shr::<8>(words));
    let stays = s.ge(uniform, s.splat(share * (1 << 24) as f32));
    s.select(stays, s.splat(kept), s.splat(0.0))
}

/// The words of sixteen blocks of a stream, in order, of which the first is a multiple of sixteen.
#[inline(always)]
fn words<S: Simd>(s: S, stream: Stream, step: u64, block: u64) -> [S::I; 4] {
    let [a, b] = eight_blocks(s, stream, step, block);
    let [c, d] = eight_blocks(s, stream, step, block + 8);
    [a, b, c, d]
}

/// The words of eight blocks: [`philox4x32`](crate::random::philox4x32) in the even lanes.
#[inline(always)]
fn eight_blocks<S: Simd>(s: S, stream: Stream, step: u64, block: u64) -> [S::I; 2] {
    let counter = stream.counter(step, block);
    let splat = |word: u32| s.splat_int(word as i32);
    // Of every four lanes, the first has a block of the first half and the third one of the second.
    let place = s.from_ints([0, 0, 4, 0, 1, 0, 5, 0, 2, 0, 6, 0, 3, 0, 7, 0]);
    let mut c0 = s.add_int(splat(counter[0]), place);
    let [mut c1, mut c2, mut c3] = [counter[1], counter[2], counter[3]].map(splat);
    let [mut k0, mut k1] = stream.key();
    for _ in 0..ROUNDS {
        // Of the odd lanes nothing is read but the high word of a product.
        let a = s.mul_even(c0, splat(MULTIPLIERS[0]));
        let b = s.mul_even(c2, splat(MULTIPLIERS[1]));
        c0 = s.xor(s.xor(s.odd_to_even(b), c1), splat(k0));
        c2 = s.xor(s.xor(s.odd_to_even(a), c3), splat(k1));
        (c1, c3) = (b, a);
        (k0, k1) = (k0.wrapping_add(WEYL[0]), k1.wrapping_add(WEYL[1]));
    }
    let (first, second) = (s.evens(c0, c1), s.evens(c2, c3));
    [s.evens(first, second), s.odds(first, second)]
}
