//! The elementary functions of `simd::math` beside what they should give, computed in f64.

use arenet_runtime::simd::math::{erf, exp, gelu, log, normal_cdf, sigmoid, softplus, tanh};
use arenet_runtime::simd::{LANES, Simd, Task};

/// A function of `simd::math`.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    Exp,
    Log,
    Sigmoid,
    Tanh,
    Softplus,
    NormalCdf,
    Erf,
    Gelu,
}
use Function::*;

impl Function {
    pub const ALL: [Function; 8] = [Exp, Log, Sigmoid, Tanh, Softplus, NormalCdf, Erf, Gelu];

    /// The exact value, but for the error of f64.
    pub fn exact(self, x: f64) -> f64 {
        match self {
            Exp => x.exp(),
            Log => x.ln(),
            Sigmoid if x < 0.0 => x.exp() / (1.0 + x.exp()),
            Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Tanh => x.tanh(),
            Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            NormalCdf => phi(x),
            Erf => libm::erf(x),
            // The limit at -inf, which the product does not have.
            Gelu if x < -40.0 => 0.0,
            Gelu => x * phi(x),
        }
    }

    /// The most units in the last place a result may be off.
    pub fn limit(self) -> f64 {
        match self {
            Exp | Log | Softplus | Erf => 2.0,
            Sigmoid | Tanh | NormalCdf | Gelu => 3.0,
        }
    }

    /// The bounds of the results, both included.
    pub fn bounds(self) -> (f32, f32) {
        match self {
            Exp | Softplus => (0.0, f32::INFINITY),
            Log => (f32::NEG_INFINITY, f32::INFINITY),
            Sigmoid | NormalCdf => (0.0, 1.0),
            Tanh | Erf => (-1.0, 1.0),
            Gelu => (-0.169_972, f32::INFINITY),
        }
    }

    /// Whether results may be 0 where the exact value is below the smallest normal number.
    fn flushes(self) -> bool {
        matches!(self, Sigmoid | NormalCdf | Gelu)
    }

    /// How far `y` is from f(x), in units of the exact value's last place; infinite where `y` is
    /// out of bounds or a NaN is lost or made.
    pub fn error(self, x: f32, y: f32) -> f64 {
        let exact = self.exact(f64::from(x));
        let (least, most) = self.bounds();
        if exact.is_nan() && y.is_nan() || y == exact as f32 {
            0.0
        } else if !(least..=most).contains(&y) || exact.is_nan() {
            f64::INFINITY
        } else if self.flushes() && y == 0.0 && exact.abs() < f64::from(f32::MIN_POSITIVE) {
            0.0
        } else {
            let exponent = ((exact.abs().to_bits() >> 52) as i32 - 1023).clamp(-126, 127);
            (f64::from(y) - exact).abs() / f64::from(exponent - 23).exp2()
        }
    }
}

/// The normal distribution function.
fn phi(x: f64) -> f64 {
    libm::erfc(-x / std::f64::consts::SQRT_2) / 2.0
}

/// The function of 16 numbers.
pub struct Apply(pub Function, pub [f32; LANES]);

impl Task for Apply {
    type Output = [f32; LANES];

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> [f32; LANES] {
        let x = s.from_array(self.1);
        s.to_array(match self.0 {
            Exp => exp(s, x),
            Log => log(s, x),
            Sigmoid => sigmoid(s, x),
            Tanh => tanh(s, x),
            Softplus => softplus(s, x),
            NormalCdf => normal_cdf(s, x),
            Erf => erf(s, x),
            Gelu => gelu(s, x),
        })
    }
}
