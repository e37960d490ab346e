//! The standard normal distribution cut off at both ends: its distribution function and the inverse
//! of that, in f64, of operations that IEEE 754 defines exactly.

use super::{Stream, ln};
use crate::program::host::real_power;
use std::f64::consts::{E, TAU};

/// A normal distribution of which only values between two bounds are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Truncated {
    mean: f64,
    deviation: f64,
    bounds: [f32; 2],
    /// The shares of the whole distribution below the bounds.
    shares: [f64; 2],
}

impl Truncated {
    /// By mean, standard deviation and bounds.
    pub fn new(mean: f32, deviation: f32, low: f32, high: f32) -> Truncated {
        let (mean, deviation) = (f64::from(mean), f64::from(deviation));
        let share = |bound| share_below((f64::from(bound) - mean) / deviation);
        Truncated { mean, deviation, bounds: [low, high], shares: [low, high].map(share) }
    }

    /// The value of an element: where the share of the distribution is that is drawn evenly.
    pub fn draw(&self, stream: Stream, step: u64, element: u64) -> f32 {
        let word = stream.block(step, element / 4)[(element % 4) as usize];
        let part = (f64::from(word) + 0.5) / (1u64 << 32) as f64;
        let [low, high] = self.shares;
        let value = self.mean + self.deviation * quantile(low + (high - low) * part);
        (value as f32).clamp(self.bounds[0], self.bounds[1])
    }
}

/// Φ(x) = ½ + φ(x) (x + x³ / 3 + x⁵ / 15 + …), for |x| up to 8, beyond which nothing is left
/// (Marsaglia: Evaluating the Normal Distribution; Journal of Statistical Software 11, 2004).
pub fn share_below(x: f64) -> f64 {
    let x = x.clamp(-8.0, 8.0);
    let (mut sum, mut term, mut next) = (x, x, 1.0);
    for _ in 0..200 {
        next += 2.0;
        term *= x * x / next;
        sum += term;
    }
    let density = 1.0 / (real_power(E, x * x / 2.0) * TAU.sqrt());
    (0.5 + sum * density).clamp(0.0, 1.0)
}

/// The x with Φ(x) = p, to 1 part in 10¹⁵ (Wichura: Algorithm AS 241, PPND16; Applied Statistics
/// 37, 1988).
pub fn quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180625 - q * q, CENTRE);
    }
    let tail = (-ln(p.min(1.0 - p).max(f64::MIN_POSITIVE))).sqrt();
    let size = if tail <= 5.0 { ratio(tail - 1.6, MIDDLE) } else { ratio(tail - 5.0, FAR) };
    if q < 0.0 { -size } else { size }
}

/// A quotient of two polynomials, by their coefficients from the highest power down.
fn ratio(x: f64, [above, below]: [[f64; 8]; 2]) -> f64 {
    let polynomial =
        |of: [f64; 8]| of.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient);
    polynomial(above) / polynomial(below)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        2_509.080_928_730_122_6,
        33_430.575_583_588_13,
        67_265.770_927_008_7,
        45_921.953_931_549_87,
        13_731.693_765_509_46,
        1_971.590_950_306_551_3,
        133.141_667_891_784_38,
        3.387_132_872_796_366_5,
    ],
    [
        5_226.495_278_852_545,
        28_729.085_735_721_943,
        39_307.895_800_092_71,
        21_213.794_301_586_597,
        5_394.196_021_424_751,
        687.187_007_492_057_9,
        42.313_330_701_600_91,
        1.0,
    ],
];

const MIDDLE: [[f64; 8]; 2] = [
    [
        7.745_450_142_783_414e-4,
        0.022_723_844_989_269_184,
        0.241_780_725_177_450_6,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        0.015_198_666_563_616_457,
        0.148_103_976_427_480_08,
        0.689_767_334_985_1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
];

const FAR: [[f64; 8]; 2] = [
    [
        2.010_334_399_292_288_1e-7,
        2.711_555_568_743_487_6e-5,
        0.001_242_660_947_388_078_4,
        0.026_532_189_526_576_124,
        0.296_560_571_828_504_87,
        1.784_826_539_917_291_3,
        5.463_784_911_164_114,
        6.657_904_643_501_103,
    ],
    [
        2.044_263_103_389_939_8e-15,
        1.421_511_758_316_446e-7,
        1.846_318_317_510_054_8e-5,
        7.868_691_311_456_133e-4,
        0.014_875_361_290_850_615,
        0.136_929_880_922_735_8,
        0.599_832_206_555_887_9,
        1.0,
    ],
];
