//! The normal distribution function and GELU.

use super::exp::{exp_minus_1, split};
use super::polynomial;
use crate::simd::Simd;

/// (2^n, m) with Phi(-a) = 2^n m, for a >= 0; 0 in place of 2^-127.
///
/// Phi(-a) = e^(-a^2/2) t w(t) with t = 1 / (1 + 0.3 a), where w is smooth and between 0.15 and
/// 0.5 (after Shepherd and Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in
/// 0 <= x < inf", 1981). w is the minimax polynomial for the relative error, in t less 131/256,
/// found as in [`exp_minus_1`]; the offset is one where w lies next to an f32. Before rounding
/// errors it is within 4.8e-9 = 2^-27.6. What the steps to t w(t) lose is kept in `low`: without it
/// the result would be off by up to 6 ULP.
#[inline(always)]
fn lower_tail<S: Simd>(s: S, a: S::F) -> (S::F, S::F) {
    let one = s.splat(1.0);
    // From here on 2^n is 0 all the same. A NaN is the second operand and passes.
    let a = s.min(s.splat(13.27), a);

    // a^2 is square + square_low exactly.
    let square = s.mul(a, a);
    let square_low = s.mul_add(a, a, s.neg(square));
    let (power, r) = split(s, s.mul(s.splat(-0.5), square));
    let p = exp_minus_1(s, s.mul_add(s.splat(-0.5), square_low, r));

    let d = s.mul_add(s.splat(0.3), a, one);
    let d_low = s.mul_add(s.splat(0.3), a, s.sub(one, d));
    let t = s.div(one, d);
    // The exact t is t (1 + t_low).
    let t_low = s.neg_mul_add(t, d_low, s.neg_mul_add(t, d, one));

    let w_0 = s.splat(0.225_875_85);
    let rest = [
        0.337_364_67,
        0.354_028_94,
        0.223_337_65,
        0.024_444_686,
        -0.080_022_36,
        -0.033_499_263,
        0.037_767_55,
        0.017_661_339,
        -0.021_009_762,
    ];
    let v = s.sub(t, s.splat(131.0 / 256.0));
    let rest = polynomial(s, v, rest);
    let w = s.mul_add(rest, v, w_0);
    let w_low = s.mul_add(rest, v, s.sub(w_0, w));

    // t w(t) is high + low. A relative change of t changes it by `slope` times that: a line within
    // 0.03 of d ln(t w(t)) / d ln(t).
    let high = s.mul(t, w);
    let low = s.mul_add(t, w_low, s.mul_add(t, w, s.neg(high)));
    let slope = s.mul_add(t, s.splat(1.8), s.splat(0.86));
    let low = s.mul_add(s.mul(high, slope), t_low, low);
    (power, s.add(high, s.mul_add(high, p, s.mul_add(low, p, low))))
}

/// Phi(x), the chance that a standard normal value is below x; 0 below -13.25.
#[inline(always)]
pub fn normal_cdf<S: Simd>(s: S, x: S::F) -> S::F {
    let (power, m) = lower_tail(s, s.abs(x));
    let negative = s.gt(s.splat(0.0), x);
    let m = s.select(negative, m, s.neg(m));
    s.mul_add(m, power, s.select(negative, s.splat(0.0), s.splat(1.0)))
}

/// x Phi(x), as max(x, 0) - |x| Phi(-|x|); 0 below -13.25.
#[inline(always)]
pub fn gelu<S: Simd>(s: S, x: S::F) -> S::F {
    let a = s.abs(x);
    let (power, m) = lower_tail(s, a);
    // At infinity 0 times inf would be NaN.
    let size = s.mul(s.min(s.splat(16.0), a), m);
    s.neg_mul_add(size, power, s.max(x, s.splat(0.0)))
}
