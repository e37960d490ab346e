//! Kernels bound to places, ready to run.
#![expect(unsafe_code, reason = "passes the debt of a bound kernel on to it")]

use super::cross_entropy::{Correct, CrossEntropy};
use super::gemm::Gemm;
use super::gemm_int8::GemmInt8;
use super::map::Map;
use super::place::Part;
use super::random::Random;
use super::reduce::Reduce;
use super::softmax::Softmax;
use crate::arena::Memory;
use crate::simd::Simd;

/// A step that is ready to run.
#[derive(Clone, Debug)]
pub enum Bound {
    /// A matrix product, or a column sum.
    Gemm(Gemm),
    /// A matrix product with a weight of 8-bit integers.
    GemmInt8(GemmInt8),
    /// An elementwise expression.
    Map(Map),
    /// A sum.
    Reduce(Reduce),
    /// A softmax.
    Softmax(Softmax),
    /// A softmax with cross-entropy.
    CrossEntropy(CrossEntropy),
    /// A count of correct answers.
    Correct(Correct),
    /// Random numbers.
    Random(Random),
}

impl Bound {
    /// Runs this thread's part of the step at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    #[inline(never)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part, seed: u64) {
        s.vectorize(
            #[inline(always)]
            // SAFETY: the contract is this function's.
            move || unsafe {
                match self {
                    Bound::Gemm(gemm) => gemm.run(s, memory, n, part),
                    Bound::GemmInt8(gemm) => gemm.run(s, memory, n, part),
                    Bound::Map(map) => map.run(s, memory, n, part),
                    Bound::Reduce(reduce) => reduce.run(s, memory, n, part),
                    Bound::Softmax(softmax) => softmax.run(s, memory, n, part),
                    Bound::CrossEntropy(ce) => ce.run(s, memory, n, part),
                    Bound::Correct(correct) => correct.run(memory, n, part),
                    Bound::Random(random) if part.index == 0 => random.run(memory, n, seed),
                    Bound::Random(_) => {}
                }
            },
        );
    }
}
