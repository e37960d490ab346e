//! The elementary functions, each written once for every instruction set.
//!
//! They use only the exact operations of [`Simd`], so their results have the same bits everywhere.
//! The largest errors over all 2^32 inputs, in units of the last place, as
//! `cargo run --release -p arenet-runtime --example exhaustive_math` finds them:
//!
//! | function       | ULP  | limits                                                       |
//! | -------------- | ---- | ------------------------------------------------------------ |
//! | [`exp()`]      | 1.04 | subnormal results are rounded like others                    |
//! | [`log()`]      | 0.88 | -inf of 0, NaN of negative numbers                           |
//! | [`sigmoid`]    | 2.41 | in [0, 1]; below the smallest normal number rounded, or 0    |
//! | [`tanh`]       | 2.50 | in [-1, 1], odd                                              |
//! | [`softplus`]   | 1.68 | never negative                                               |
//! | [`normal_cdf`] | 2.00 | in [0, 1]; below the smallest normal number rounded, or 0    |
//! | [`erf()`]      | 1.04 | in [-1, 1], odd                                              |
//! | [`gelu`]       | 2.44 | below the smallest normal number rounded, or 0               |
//!
//! A NaN gives a NaN.

mod erf;
mod exp;
mod log;
mod normal;

pub use erf::erf;
pub use exp::{exp, sigmoid, tanh};
pub use log::{log, softplus};
pub use normal::{gelu, normal_cdf};

use super::Simd;

/// The polynomial `c[0] + c[1] x + c[2] x^2 + ...` by Horner's rule.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::F, c: [f32; N]) -> S::F {
    let mut sum = s.splat(c[N - 1]);
    for k in (0..N - 1).rev() {
        sum = s.mul_add(sum, x, s.splat(c[k]));
    }
    sum
}
