//! exp and what is made of it: sigmoid and tanh.
//!
//! One range reduction serves all: x = n ln 2 + r with n whole and |r| <= ln(2)/2, and then
//! e^x = 2^n e^r (Cody and Waite, "Software Manual for the Elementary Functions", 1980).

use super::polynomial;
use crate::simd::Simd;

/// 1.5 * 2^23: a sum with it has no room for a fraction, so adding it rounds to a whole number,
/// which then stands in the low bits.
const ROUND: f32 = 12582912.0;
/// Like [`ROUND`], and with the exponent's bias on top: the low bits are those of 2^n.
const ROUND_BIASED: f32 = ROUND + 127.0;
/// log2(e)
const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln(2) rounded to f32
pub(super) const LN_2_HIGH: f32 = std::f32::consts::LN_2;
/// ln(2) - LN_2_HIGH
pub(super) const LN_2_LOW: f32 = -1.904_654_3e-9;

/// x - n ln(2). The first step is exact: where n is not 0 the difference has at most 24 bits.
#[inline(always)]
fn remainder<S: Simd>(s: S, x: S::F, n: S::F) -> S::F {
    let r = s.neg_mul_add(n, s.splat(LN_2_HIGH), x);
    s.neg_mul_add(n, s.splat(LN_2_LOW), r)
}

/// (2^n, r) with e^x = 2^n e^r, for x in [-88.3, 88]; 0 in place of 2^-127.
#[inline(always)]
pub(super) fn split<S: Simd>(s: S, x: S::F) -> (S::F, S::F) {
    let biased = s.mul_add(x, s.splat(LOG2_E), s.splat(ROUND_BIASED));
    let n = s.sub(biased, s.splat(ROUND_BIASED));
    // The low byte is the exponent of 2^n; whatever stands above it is shifted out.
    let power = s.from_bits(s.shl::<23>(s.to_bits(biased)));
    (power, remainder(s, x, n))
}

/// e^r - 1 for |r| <= ln(2)/2, as r + r^2 q(r).
///
/// q is the minimax polynomial for the relative error of the result, by linear programming over
/// 1200 Chebyshev nodes, the coefficients rounded to f32 one by one from the constant up and the
/// others fitted anew each time. Before rounding errors it is within 1.36e-8 = 2^-26.1.
#[inline(always)]
pub(super) fn exp_minus_1<S: Simd>(s: S, r: S::F) -> S::F {
    let q = [0.499_999_97, 0.166_665_46, 0.041_667_446, 0.008_366_249, 0.001_386_967_7];
    s.mul_add(s.mul(r, r), polynomial(s, r, q), r)
}

/// e^x: inf above 88.73, and subnormal numbers down to 0 below -87.34.
#[inline(always)]
pub fn exp<S: Simd>(s: S, x: S::F) -> S::F {
    // Beyond these bounds the result is inf or 0 already. A NaN is the second operand and passes.
    let x = s.min(s.splat(89.0), s.max(s.splat(-104.0), x));
    let n = s.sub(s.mul_add(x, s.splat(LOG2_E), s.splat(ROUND)), s.splat(ROUND));
    let p = s.add(exp_minus_1(s, remainder(s, x, n)), s.splat(1.0));
    s.scale(p, n)
}

/// 1 / (1 + e^-x): in [0, 1], and 0 below -87.68.
///
/// With e = e^-|x| it is 1 / (1+e), and e / (1+e) where x is negative, so that nothing overflows
/// and nothing cancels.
#[inline(always)]
pub fn sigmoid<S: Simd>(s: S, x: S::F) -> S::F {
    let negative = s.from_bits(s.or(s.to_bits(x), s.splat_int(i32::MIN)));
    let (power, r) = split(s, s.max(s.splat(-88.0), negative));
    let e = s.mul_add(power, exp_minus_1(s, r), power);
    let one = s.splat(1.0);
    s.div(s.select(s.gt(s.splat(0.0), x), e, one), s.add(one, e))
}

/// The hyperbolic tangent: odd, and in [-1, 1].
///
/// With m = e^(-2|x|) - 1, which near 0 is as accurate as x is, it is -m / (2+m) with x's sign.
#[inline(always)]
pub fn tanh<S: Simd>(s: S, x: S::F) -> S::F {
    let sign = s.splat_int(i32::MIN);
    let negative = s.from_bits(s.or(s.to_bits(x), sign));
    // From -20 on the result is -1 all the same.
    let (power, r) = split(s, s.max(s.splat(-20.0), s.add(negative, negative)));
    let m = s.mul_add(power, exp_minus_1(s, r), s.sub(power, s.splat(1.0)));
    let size = s.div(m, s.add(m, s.splat(2.0)));
    s.from_bits(s.xor(s.to_bits(size), s.and(s.to_bits(s.neg(x)), sign)))
}
