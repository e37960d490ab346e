//! Sums of products of bytes, by what a machine has for them.

use super::Simd;

/// A way to sum products of bytes on the machine that `S` proves; a value is the proof of any
/// instructions that it needs beyond those of `S`.
pub trait Dot<S: Simd>: Copy {
    /// Runs `f` compiled with the instructions; everything inlined into it uses them.
    fn vectorize<R>(self, s: S, f: impl FnOnce() -> R) -> R;

    /// sum + Σ a b in each lane over its four bytes, wrapping; those of `a` are unsigned, those of
    /// `b` signed.
    fn dot(self, s: S, sum: S::I, a: S::I, b: S::I) -> S::I;
}

/// [`Simd::dot`], which every instruction set has.
#[derive(Clone, Copy, Debug)]
pub struct Widening;

impl<S: Simd> Dot<S> for Widening {
    #[inline(always)]
    fn vectorize<R>(self, s: S, f: impl FnOnce() -> R) -> R {
        s.vectorize(f)
    }

    #[inline(always)]
    fn dot(self, s: S, sum: S::I, a: S::I, b: S::I) -> S::I {
        s.dot(sum, a, b)
    }
}
