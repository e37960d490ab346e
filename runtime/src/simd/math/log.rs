//! The natural logarithm, and softplus.

use super::exp::{LN_2_HIGH, LN_2_LOW, exp};
use super::polynomial;
use crate::simd::Simd;

/// ln(1+f) for f in [-1/4, 1/2], as f - f^2/2 + f^3 p(f), for the caller to add up.
///
/// p is the minimax polynomial for the relative error of the result, found as in
/// [`super::exp::exp_minus_1`]. Before rounding errors it is within 4.93e-9 = 2^-27.6.
#[inline(always)]
fn log_1p_small<S: Simd>(s: S, f: S::F, k: S::F) -> S::F {
    let p = [
        0.333_334_5,
        -0.250_001_1,
        0.199_908_48,
        -0.166_468_78,
        0.144_776_3,
        -0.131_639_36,
        0.104_725_52,
        -0.045_152_284,
    ];
    let f2 = s.mul(f, f);
    let tail = s.mul(s.mul(f2, f), polynomial(s, f, p));
    let tail = s.mul_add(k, s.splat(LN_2_LOW), tail);
    let tail = s.neg_mul_add(f2, s.splat(0.5), tail);
    s.mul_add(k, s.splat(LN_2_HIGH), s.add(f, tail))
}

/// The natural logarithm: -inf of 0, NaN of a negative number.
#[inline(always)]
pub fn log<S: Simd>(s: S, x: S::F) -> S::F {
    // A subnormal number becomes a normal one first.
    let tiny = s.gt(s.splat(f32::MIN_POSITIVE), x);
    let scaled = s.select(tiny, s.mul(x, s.splat(8388608.0)), x);
    // x = 2^k (1+f) with 1+f in [3/4, 3/2): the shift takes the exponent counted from 3/4.
    let bits = s.to_bits(scaled);
    let k = s.sar::<23>(s.sub_int(bits, s.splat_int(0x3f40_0000)));
    let f = s.sub(s.from_bits(s.sub_int(bits, s.shl::<23>(k))), s.splat(1.0));
    let k = s.sub(s.int_to_float(k), s.select(tiny, s.splat(23.0), s.splat(0.0)));

    let zero = s.splat(0.0);
    let y = log_1p_small(s, f, k);
    let y = s.select(s.gt(s.splat(f32::INFINITY), x), y, x);
    let not_positive = s.select(s.eq(x, zero), s.splat(f32::NEG_INFINITY), s.splat(f32::NAN));
    s.select(s.gt(x, zero), y, not_positive)
}

/// ln(1 + e^x), as max(x, 0) + ln(1+u) with u = e^-|x|.
///
/// ln(1+u) is ln(2) + ln(1 + (u-1)/2) from u = 1/2 on, where the subtraction is exact.
#[inline(always)]
pub fn softplus<S: Simd>(s: S, x: S::F) -> S::F {
    let (zero, one, half) = (s.splat(0.0), s.splat(1.0), s.splat(0.5));
    let u = exp(s, s.neg(s.abs(x)));
    let large = s.gt(u, half);
    let f = s.select(large, s.mul(s.sub(u, one), half), u);
    let log = log_1p_small(s, f, s.select(large, one, zero));
    s.add(s.max(x, zero), log)
}
