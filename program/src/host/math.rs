//! Functions of f64 from operations that IEEE 754 defines exactly, so that they give the same bits
//! on every machine. They are few: written out, they spare this package its only dependency.

use std::f64::consts::{FRAC_PI_2, LN_2, LOG2_E, SQRT_2};

/// The exponents that [`power`] takes at a time.
pub const POWER_BLOCK: u64 = 64;

/// xⁿ, with n x 2⁻⁵² as the bound of its relative error: the product of the powers to the last
/// multiple of [`POWER_BLOCK`] and to the rest, both by repeated squaring. Who needs it for one n
/// after another keeps the first factor.
pub fn power(x: f64, n: u64) -> f64 {
    let rest = n % POWER_BLOCK;
    square_and_multiply(x, n - rest) * square_and_multiply(x, rest)
}

fn square_and_multiply(x: f64, mut n: u64) -> f64 {
    let (mut result, mut square) = (1.0, x);
    while n > 0 {
        if n & 1 == 1 {
            result *= square;
        }
        square *= square;
        n >>= 1;
    }
    result
}

/// The q-Pochhammer symbol (a; q)ₙ = (1 - a) (1 - a q) … (1 - a qⁿ⁻¹) for an n that grows by one
/// again and again: one factor most times. A value depends on n alone, not on those before.
#[derive(Clone, Debug)]
pub struct Pochhammer {
    a: f64,
    q: f64,
    n: u64,
    /// a qⁿ
    next: f64,
    product: f64,
}

impl Pochhammer {
    /// Begins with n = 0.
    pub fn new(a: f64, q: f64) -> Pochhammer {
        Pochhammer { a, q, n: 0, next: a, product: 1.0 }
    }

    /// (a; q)ₙ
    pub fn at(&mut self, n: u64) -> f64 {
        if n < self.n {
            *self = Pochhammer::new(self.a, self.q);
        }
        while self.n < n {
            let product = self.product * (1.0 - self.next);
            // With a q from 0 to 1 no later factor is further from 1.
            if product == self.product {
                return product;
            }
            (self.n, self.next, self.product) = (self.n + 1, self.next * self.q, product);
        }
        self.product
    }
}

/// aᵇ for a from 0, NaN below: 2 to the power of b log₂ a. Its relative error is at most
/// (|b log₂ a| + 4) x 2⁻⁵¹.
pub fn real_power(a: f64, b: f64) -> f64 {
    match (a, b) {
        (_, 0.0) => 1.0,
        _ => exp2(b * log2(a)),
    }
}

/// eˣ. Its relative error is at most (|x| + 4) x 2⁻⁵¹.
pub fn exp(x: f64) -> f64 {
    exp2(x * LOG2_E)
}

fn log2(a: f64) -> f64 {
    match a {
        _ if a.is_nan() || a < 0.0 => return f64::NAN,
        0.0 => return f64::NEG_INFINITY,
        f64::INFINITY => return a,
        _ if a < f64::MIN_POSITIVE => return log2(a * SUBNORMAL) - SUBNORMAL_BITS,
        _ => {}
    }
    // a is m 2ⁿ, with m from √½ to √2.
    let n = (a.to_bits() >> MANTISSA_BITS) as f64 - EXPONENT_BIAS;
    let m = f64::from_bits(a.to_bits() & MANTISSA | 1.0f64.to_bits());
    let (m, n) = if m > SQRT_2 { (m / 2.0, n + 1.0) } else { (m, n) };
    // ln m = 2 artanh s; s² is at most 0.0295, so the terms from s²³ on are below 2⁻⁵⁵ of it.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let artanh = s * (0..11).rev().fold(0.0, |sum, i| sum * s2 + 1.0 / (2 * i + 1) as f64);
    n + 2.0 * LOG2_E * artanh
}

fn exp2(x: f64) -> f64 {
    match x {
        _ if x.is_nan() => return x,
        _ if x > 1025.0 => return f64::INFINITY,
        _ if x < -1076.0 => return 0.0,
        _ => {}
    }
    let n = x.round_ties_even();
    let y = (x - n) * LN_2; // at most 0.347, so the terms from y¹⁵ on are below 2⁻⁵⁶
    let exp = (1..15).rev().fold(1.0, |sum, i| 1.0 + sum * y / f64::from(i));
    // In two steps, as 2ⁿ itself may be out of range.
    let half = (n / 2.0).floor();
    exp * two_to(half) * two_to(n - half)
}

/// 2ⁿ, for a whole n from -1022 to 1023.
fn two_to(n: f64) -> f64 {
    f64::from_bits(((n + EXPONENT_BIAS) as u64) << MANTISSA_BITS)
}

const MANTISSA_BITS: u32 = f64::MANTISSA_DIGITS - 1;
const MANTISSA: u64 = (1 << MANTISSA_BITS) - 1;
const EXPONENT_BIAS: f64 = 1023.0;
/// Makes a normal number of a subnormal one.
const SUBNORMAL_BITS: f64 = 54.0;
const SUBNORMAL: f64 = (1u64 << 54) as f64;

/// The largest whole n with bⁿ at most a, found by multiplying, as a logarithm may miss it by one;
/// 0 where a is less than 1 or b less than 2.
pub fn whole_log(a: f64, b: f64) -> f64 {
    let (mut n, mut next) = (0.0, b);
    while b >= 2.0 && next <= a && next < f64::INFINITY {
        (n, next) = (n + 1.0, next * b);
    }
    n
}

/// The sine and the cosine of `turn` full turns, for `turn` in [0, 1).
#[inline]
pub fn sin_cos_turn(turn: f64) -> (f64, f64) {
    // The angle is the nearest quarter turn plus at most an eighth; both are exact.
    let quarter = (turn * 4.0 + 0.5).floor();
    let x = (turn * 4.0 - quarter) * FRAC_PI_2;
    let x2 = x * x; // at most 0.617, so the Taylor terms of degree 18 and 19 are below 2^-55
    let sin = x * (1..10).rev().fold(1.0, |sum, i| 1.0 - sum * x2 / (2 * i * (2 * i + 1)) as f64);
    let cos = (1..10).rev().fold(1.0, |sum, i| 1.0 - sum * x2 / (2 * i * (2 * i - 1)) as f64);
    match quarter as u32 % 4 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_powers_are_those_of_the_system() {
        let near = |a: f64, b: f64| {
            let (own, system) = (real_power(a, b), a.powf(b));
            let bound = ((b * a.log2()).abs() + 4.0) * f64::EPSILON * 2.0;
            // What is below the normal numbers has fewer digits.
            let error = (own - system).abs() - f64::MIN_POSITIVE * f64::EPSILON;
            assert!(own == system || error <= bound * system, "{a} to {b}: {own}, not {system}");
        };
        let bases = (1..2000).map(|i| f64::from(i) / 1000.0);
        let wide = (-1074..1024).map(|n| 1.37 * 2f64.powi(n));
        for a in bases.chain(wide).chain([0.0, f64::INFINITY, 1.0 + f64::EPSILON]) {
            for b in [0.0, 0.5, 0.9, 1.0, 1.5, 2.0, 3.7, 20.0, -0.3, -2.0, 400.0, 1e-9] {
                near(a, b);
            }
        }
        assert_eq!(real_power(0.25, 0.5), 0.5);
        assert_eq!(real_power(1.0, 1e300), 1.0);
        assert!(real_power(-1.0, 2.0).is_nan() && real_power(f64::NAN, 1.0).is_nan());
        assert!(real_power(2.0, f64::NAN).is_nan());
    }

    #[test]
    fn a_power_has_the_same_bits_on_every_machine() {
        let bits = [(0.7, 0.9), (0.04, 2.5), (1e-9, 0.3)].map(|(a, b)| real_power(a, b).to_bits());
        assert_eq!(bits, [0x3fe7_369f_7d10_f686, 0x3f34_f8b5_88e3_68f6, 0x3f60_585e_4c78_b078]);
    }

    #[test]
    fn a_whole_logarithm_is_exact_at_powers() {
        for b in 2..=10u64 {
            for n in (0..).take_while(|&n| b.checked_pow(n).is_some_and(|power| power < 1 << 53)) {
                let power = b.pow(n) as f64;
                assert_eq!(whole_log(power, b as f64), f64::from(n));
                assert_eq!(whole_log(power * (1.0 + f64::EPSILON), b as f64), f64::from(n));
                let below = f64::from(n.saturating_sub(1));
                assert_eq!(whole_log(power * (1.0 - f64::EPSILON), b as f64), below);
            }
        }
        assert_eq!([whole_log(f64::MAX, 2.0), whole_log(f64::INFINITY, 2.0)], [1023.0; 2]);
        assert_eq!([whole_log(-1.0, 2.0), whole_log(f64::NAN, 2.0), whole_log(8.0, 1.0)], [0.0; 3]);
    }

    /// The product over all n for a = q = 1/2 is sequence A048651 of the OEIS.
    #[test]
    fn a_pochhammer_symbol_goes_on_from_the_one_before() {
        let mut product = Pochhammer::new(0.5, 0.5);
        let values = [0, 1, 2, 3, 60, 1, u64::MAX].map(|n| product.at(n));
        assert_eq!(values[..4], [1.0, 0.5, 0.375, 0.328125]);
        assert!((values[4] - 0.288_788_095_086_602_4).abs() < 1e-15);
        assert_eq!((values[5], values[6]), (0.5, Pochhammer::new(0.5, 0.5).at(60)));
    }
}
