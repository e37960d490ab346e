//! The kernels: each written once, generic over [`Simd`], over places that are resolved before a
//! run. [`Prepared`] is any of them.
//!
//! From the bottom: `place`, then `lanes` and `sum`, `expr`, and the kernels.
//!
//! # Safety
//! A kernel follows its offsets unchecked. It may run over memory that is its own as
//! [`Memory::new`](crate::arena::Memory::new) asks, if `Binder` in exec/bind.rs bound it for that
//! memory from a [`Verified`](crate::program::Verified) program, at 1 to the program's batch of
//! rows, which `Executor::check_run` sees to. It then rests on what program/src/verify/ has proved:
//!
//! - `place`: every buffer lies inside the arena in whole vectors, at any such number of rows;
//! - `kernel::check`, by kernel: the operands have the types, sizes and layouts it assumes;
//! - `expr::check`: the operands of an expression cover its region, and each value it names exists;
//! - `check_target`: a class index is one of a row's columns;
//! - `check_overlaps`: what a step writes is apart from all else that it touches, but for exact
//!   aliases of what it reads just before it writes the same element.
//!
//! The binder sizes scratch: `Binder::room` for packed operands, `Binder::code` for registers.

pub mod argmax;
pub mod cross_entropy;
pub mod expr;
pub mod gather;
pub mod gemm;
pub mod gemm_int8;
pub mod lanes;
pub mod map;
pub mod orthogonal;
pub mod place;
pub mod random;
pub mod reduce;
pub mod softmax;
pub mod splice;
pub mod sum;
pub mod whole;

use crate::arena::Memory;
use crate::random::Draw;
use crate::simd::Simd;
use argmax::Argmax;
use cross_entropy::{Correct, CrossEntropy};
use gather::{Gather, ScatterAdd};
use gemm::Gemm;
use gemm_int8::GemmInt8;
use map::Map;
use place::Part;
use random::Random;
use reduce::Reduce;
use softmax::Softmax;
use splice::Splice;
use whole::Whole;

/// A kernel that is ready to run.
#[derive(Clone, Debug)]
pub enum Prepared {
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
    /// A look-up in a table.
    Gather(Gather),
    /// Sums of rows by their indices.
    ScatterAdd(ScatterAdd),
    /// Elements of some buffers put together.
    Splice(Splice),
    /// Whole numbers as floats.
    Whole(Whole),
    /// Where the largest element of each row is.
    Argmax(Argmax),
}

#[expect(unsafe_code, reason = "runs kernels, which follow their offsets unchecked")]
impl Prepared {
    /// Runs this thread's part of the kernel at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    #[inline(never)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part, draw: Draw) {
        s.vectorize(
            #[inline(always)]
            // SAFETY: the contract is this function's.
            move || unsafe {
                match self {
                    Prepared::Gemm(gemm) => gemm.run(s, memory, n, part),
                    Prepared::GemmInt8(gemm) => gemm.run(s, memory, n, part),
                    Prepared::Map(map) => map.run(s, memory, n, part),
                    Prepared::Reduce(reduce) => reduce.run(s, memory, n, part),
                    Prepared::Softmax(softmax) => softmax.run(s, memory, n, part),
                    Prepared::CrossEntropy(ce) => ce.run(s, memory, n, part),
                    Prepared::Correct(correct) => correct.run(memory, n, part),
                    Prepared::Random(random) => random.run(s, memory, n, part, draw),
                    Prepared::Gather(gather) => gather.run(s, memory, n, part),
                    Prepared::ScatterAdd(scatter) => scatter.run(s, memory, n, part),
                    Prepared::Splice(splice) => splice.run(s, memory, n, part),
                    Prepared::Whole(whole) => whole.run(s, memory, n, part),
                    Prepared::Argmax(argmax) => argmax.run(memory, n, part),
                }
            },
        );
    }
}
