//! Counter-based random numbers: a value is a function of (seed, stream, step, element).
//!
//! The generator is Philox 4x32-10 (Salmon, Moraes, Dror and Shaw: Parallel Random Numbers: As Easy
//! as 1, 2, 3; SC 2011). There is no state to advance, so neither threads nor the split of a batch
//! can change a value. Nothing here calls the system's mathematical library, whose last bit differs
//! between machines: only operations that IEEE 754 defines exactly are used.

pub mod normal;

use crate::program::StreamId;
use crate::program::host::sin_cos_turn;
use std::f64::consts::{LN_2, SQRT_2};

/// The multipliers of the two products of a round.
pub const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the words of the key grow by from round to round.
pub const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
/// The rounds.
pub const ROUNDS: usize = 10;

/// The stream that orders the rows of an epoch; see [`shuffle`].
pub const SHUFFLE_STREAM: StreamId = StreamId(u32::MAX);
/// The stream that chooses the rows held out for validation.
pub const SPLIT_STREAM: StreamId = StreamId(u32::MAX - 1);

/// Four random words from a counter and a key, with Philox 4x32-10.
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    for _ in 0..ROUNDS {
        let (high0, low0) = multiply(MULTIPLIERS[0], c0);
        let (high1, low1) = multiply(MULTIPLIERS[1], c2);
        (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0);
        k0 = k0.wrapping_add(WEYL[0]);
        k1 = k1.wrapping_add(WEYL[1]);
    }
    [c0, c1, c2, c3]
}

/// The high and the low word of a * b.
fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    ((product >> 32) as u32, product as u32)
}

/// What the random numbers of a run follow from, beside the stream and the element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draw {
    /// What the user chose; the same for every step of a run.
    pub seed: u64,
    /// The optimizer steps done.
    pub step: u64,
    /// The rows of the step that other batches have before those of the run.
    pub row: u64,
}

/// One purpose's random numbers: the weights of one parameter, the mask of one dropout.
///
/// The key is the seed. The counter of element e at step s is [b, s, s' << 16 | b', stream], where
/// b = e / 4 and the primes are bits 32..48; the element's word is number e % 4 of the four. Use a
/// stream for one kind of number only: its uniform and its normal values come from the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// What the user chose; the same for every stream of a run.
    pub seed: u64,
    /// Which purpose.
    pub stream: StreamId,
}

impl Stream {
    /// Block `block` of four words at `step`; of both, 48 bits count.
    pub fn block(self, step: u64, block: u64) -> [u32; 4] {
        philox4x32(self.counter(step, block), self.key())
    }

    /// The counter of a block at a step.
    pub fn counter(self, step: u64, block: u64) -> [u32; 4] {
        let high = ((step >> 32) as u32) << 16 | (block >> 32) as u32 & 0xFFFF;
        [block as u32, step as u32, high, self.stream.0]
    }

    /// The key, which is the seed.
    pub fn key(self) -> [u32; 2] {
        [self.seed as u32, (self.seed >> 32) as u32]
    }

    /// A uniform value in [0, 1): a multiple of 2^-24, so that every one of them is an f32.
    pub fn uniform(self, step: u64, element: u64) -> f32 {
        let word = self.block(step, element / 4)[(element % 4) as usize];
        (word >> 8) as f32 * (1.0 / (1 << 24) as f32)
    }

    /// A value of the standard normal distribution, with the Box-Muller transform in f64.
    ///
    /// Two neighbouring elements share the two words of their pair: one takes the cosine, the
    /// other the sine. No value is larger than sqrt(64 ln 2), about 6.66.
    pub fn normal(self, step: u64, element: u64) -> f32 {
        let words = self.block(step, element / 4);
        let pair = (element % 4) as usize & 2;
        let unit = 1.0 / (1u64 << 32) as f64;
        let radius_uniform = (f64::from(words[pair]) + 1.0) * unit; // (0, 1], so the log is finite
        let radius = (-2.0 * ln(radius_uniform)).sqrt();
        let (sin, cos) = sin_cos_turn(f64::from(words[pair + 1]) * unit);
        (radius * if element.is_multiple_of(2) { cos } else { sin }) as f32
    }

    /// An unbiased integer in 0..n, with Lemire's multiplication and rejection.
    ///
    /// `element` is below 2^40. Panics if `n` is zero.
    pub fn below(self, step: u64, element: u64, n: u32) -> u32 {
        assert!(n > 0, "a number below zero was asked for");
        let threshold = n.wrapping_neg() % n; // 2^32 mod n
        // At most every second word is rejected, so the end of the 1,024 is out of reach.
        for attempt in 0..256 {
            for word in self.block(step, element | attempt << 40) {
                let (high, low) = multiply(word, n);
                if low >= threshold {
                    return high;
                }
            }
        }
        0
    }
}

/// Shuffles the rows in place: a function of (stream, step) and of their number alone, with Fisher
/// and Yates.
///
/// Panics with 2^32 rows or more.
pub fn shuffle(stream: Stream, step: u64, rows: &mut [u32]) {
    let n = u32::try_from(rows.len()).expect("fewer than 2^32 rows are shuffled");
    for i in (1..n).rev() {
        let j = stream.below(step, u64::from(i), i + 1);
        rows.swap(i as usize, j as usize);
    }
}

/// The natural logarithm of a positive, normal x: x = 2^k m with m near 1, and ln m = 2 artanh s
/// with s = (m - 1) / (m + 1), as a series.
pub fn ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits(bits & ((1 << 52) - 1) | 1023 << 52);
    if m > SQRT_2 {
        m *= 0.5;
        exponent += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s; // at most 0.0295, so 12 terms reach 2^-60
    let series = (0..12).rev().fold(0.0, |sum, i| sum * s2 + 1.0 / (2 * i + 1) as f64);
    exponent as f64 * LN_2 + 2.0 * s * series
}
