//! The error function.

use super::exp::{exp_minus_1, split};
use super::polynomial;
use crate::simd::Simd;

/// erf x: odd, and in [-1, 1].
///
/// Up to 0.92 it is x + x p(x^2), and beyond 1 - e^(t q(t) - t) with t = |x|: the exponent is the
/// logarithm of 1 - erf t. p and q are the minimax polynomials for the relative error of the result
/// by Lawson's weights over 2000 Chebyshev nodes, with coefficients rounded to f32 as in
/// `exp_minus_1`. Before rounding errors they are within 1.6e-8 and 3e-9.
#[inline(always)]
pub fn erf<S: Simd>(s: S, x: S::F) -> S::F {
    let p =
        [0.128_379_15, -0.376_125, 0.112_818_77, -0.026_768_58, 0.004_995_853_6, -0.000_600_380_07];
    let near = s.mul_add(x, polynomial(s, s.mul(x, x), p), x);

    let q = [
        -0.128_514_36,
        -0.635_718_3,
        -0.105_261_914,
        0.022_890_039,
        -0.003_214_991,
        0.000_213_991_17,
    ];
    // From 3.9 on it is 1 all the same. A NaN is the second operand, and not beyond 0.92.
    let size = s.abs(x);
    let t = s.min(s.splat(4.0), size);
    let (power, r) = split(s, s.mul_add(t, polynomial(s, t, q), s.neg(t)));
    let minus_far = s.mul_add(power, exp_minus_1(s, r), s.sub(power, s.splat(1.0)));
    let sign = s.and(s.to_bits(x), s.splat_int(i32::MIN));
    let far = s.from_bits(s.or(s.to_bits(s.neg(minus_far)), sign));
    s.select(s.gt(size, s.splat(0.92)), far, near)
}
