//! Counter-based random numbers: a value is a function of (seed, stream, step, element).
//!
//! The generator is Philox 4x32-10 (Salmon, Moraes, Dror and Shaw: Parallel Random Numbers: As Easy
//! as 1, 2, 3; SC 2011). There is no state to advance, so neither threads nor the split of a batch
//! can change a value. Nothing here calls the system's mathematical library, whose last bit differs
//! between machines: only operations that IEEE 754 defines exactly are used.

use crate::program::StreamId;
use crate::program::host::sin_cos_turn;
use std::f64::consts::{LN_2, SQRT_2};

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

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
        let high = ((step >> 32) as u32) << 16 | (block >> 32) as u32 & 0xFFFF;
        let counter = [block as u32, step as u32, high, self.stream.0];
        philox4x32(counter, [self.seed as u32, (self.seed >> 32) as u32])
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
fn ln(x: f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of `n` rows in an epoch.
    fn permutation(seed: u64, epoch: u64, n: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..n).collect();
        shuffle(Stream { seed, stream: SHUFFLE_STREAM }, epoch, &mut order);
        order
    }

    const STREAM: Stream = Stream { seed: 7, stream: StreamId(3) };

    /// The known answers of the Random123 distribution (kat_vectors, philox4x32 10).
    #[test]
    fn philox_gives_the_known_answers() {
        let check = |counter, key, expected| assert_eq!(philox4x32(counter, key), expected);
        check([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        check([!0; 4], [!0; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        check(
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            [0xa409_3822, 0x299f_31d0],
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
        );
    }

    #[test]
    fn every_part_of_the_address_changes_the_value() {
        let base = STREAM.block(5, 9);
        let others = [
            STREAM.block(6, 9),
            STREAM.block(5 | 1 << 32, 9),
            STREAM.block(5 | 1 << 47, 9),
            STREAM.block(5, 10),
            STREAM.block(5, 9 | 1 << 32),
            STREAM.block(5, 9 | 1 << 47),
            Stream { seed: 7 | 1 << 32, ..STREAM }.block(5, 9),
            Stream { seed: 8, ..STREAM }.block(5, 9),
            Stream { stream: StreamId(4), ..STREAM }.block(5, 9),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn uniform_values_fill_the_unit_interval() {
        const N: u64 = 100_000;
        let values: Vec<f32> = (0..N).map(|e| STREAM.uniform(0, e)).collect();
        assert!(values.iter().all(|v| (0.0..1.0).contains(v)));
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / N as f64;
        let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / N as f64;
        assert!((mean - 0.5).abs() < 0.005, "mean {mean}");
        assert!((square - 1.0 / 3.0).abs() < 0.005, "mean square {square}");
    }

    #[test]
    fn normal_values_have_the_moments_of_the_standard_normal() {
        const N: u64 = 100_000;
        let values: Vec<f64> = (0..N).map(|e| f64::from(STREAM.normal(1, e))).collect();
        let moment = |k| values.iter().map(|v| v.powi(k)).sum::<f64>() / N as f64;
        for (k, expected, tolerance) in [(1, 0.0, 0.02), (2, 1.0, 0.02), (3, 0.0, 0.05)] {
            assert!((moment(k) - expected).abs() < tolerance, "moment {k} is {}", moment(k));
        }
        assert!((moment(4) - 3.0).abs() < 0.1, "moment 4 is {}", moment(4));
        let neighbours = values.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / N as f64;
        assert!(neighbours.abs() < 0.02, "neighbours correlate by {neighbours}");
    }

    #[test]
    fn own_functions_agree_with_the_system() {
        for i in 0..100_000u64 {
            let x = (i * 42_949 + 1) as f64 / (1u64 << 32) as f64;
            assert!((ln(x) - x.ln()).abs() <= 4e-16 * x.ln().abs().max(1e-3), "ln {x}");
            let (sin, cos) = sin_cos_turn(x);
            let angle = x * std::f64::consts::TAU;
            assert!((sin - angle.sin()).abs() < 1e-15, "sin of {x} turns");
            assert!((cos - angle.cos()).abs() < 1e-15, "cos of {x} turns");
        }
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(sin_cos_turn(0.0), (0.0, 1.0));
        assert_eq!(sin_cos_turn(0.25), (1.0, 0.0));
    }

    #[test]
    fn below_is_even_and_stays_below() {
        for n in [1, 2, 3, 7, 1 << 31, (1 << 31) + 1, u32::MAX] {
            assert!((0..1000).all(|e| STREAM.below(0, e, n) < n), "below {n}");
        }
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|e| counts[STREAM.below(2, e, 7) as usize] += 1);
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 500), "{counts:?}");
    }

    #[test]
    fn a_permutation_holds_every_row_once_and_depends_on_seed_and_epoch() {
        for n in [0, 1, 2, 3, 1000] {
            let mut order = permutation(1, 2, n);
            order.sort_unstable();
            assert!(order.iter().copied().eq(0..n));
        }
        let order = permutation(1, 2, 1000);
        assert_eq!(order, permutation(1, 2, 1000));
        assert_ne!(order, permutation(1, 3, 1000));
        assert_ne!(order, permutation(2, 2, 1000));
        let mut counts = std::collections::BTreeMap::new();
        (0..6000).for_each(|epoch| *counts.entry(permutation(0, epoch, 3)).or_insert(0u32) += 1);
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|c| c.abs_diff(1000) < 150), "{counts:?}");
    }

    /// Pinned, and confirmed by a second implementation: a change of these numbers changes every
    /// trained weight.
    #[test]
    fn values_never_change() {
        let uniform: Vec<f32> = (0..4).map(|e| STREAM.uniform(0, e)).collect();
        let normal: Vec<f32> = (0..4).map(|e| STREAM.normal(0, e)).collect();
        assert_eq!(uniform, [0.66264725, 0.45306182, 0.37499976, 0.9976683]);
        assert_eq!(normal, [-0.86803854, 0.26369286, 1.4004424, -0.020518007]);
        assert_eq!(permutation(0, 0, 8), [0, 4, 1, 5, 7, 3, 2, 6]);
        assert_eq!(permutation(5, 2, 8), [7, 6, 2, 4, 0, 5, 3, 1]);
    }
}
