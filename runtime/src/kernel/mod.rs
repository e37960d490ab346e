//! The kernels: each written once, generic over [`Simd`](crate::simd::Simd), over bound places.
//!
//! # Safety
//! A kernel follows its offsets unchecked. It may run over memory that is its own as
//! [`Memory::new`](crate::arena::Memory::new) asks, if [`bind::Binder`] bound it for that memory
//! from a [`Verified`](crate::program::Verified) program, at 1 to the program's batch of rows,
//! which `Executor::check_run` sees to. It then rests on what program/src/verify/ has proved:
//!
//! - `place`: every buffer lies inside the arena in whole vectors, at any such number of rows;
//! - `kernel::check`, by kernel: the operands have the types, sizes and layouts it assumes;
//! - `expr::check`: the operands of an expression cover its domain, and each value it names exists;
//! - `check_target`: a class index is one of a row's columns;
//! - `check_overlaps`: what a step writes is apart from all else that it touches, but for exact
//!   aliases of what it reads just before it writes the same element.
//!
//! The rooms in scratch are the binder's: `Binder::room` for packed operands, `Binder::code` for
//! registers.

pub mod bind;
mod chain;
pub mod code;
pub mod constants;
pub mod cross_entropy;
pub mod gemm;
pub mod gemm_int8;
mod instr;
pub mod map;
pub mod random;
pub mod reduce;
pub mod share;
pub mod softmax;
pub mod straight;
mod sum;
pub mod tile;

pub(crate) use instr::compute_one;

use crate::program::Rows;
use crate::simd::LANES;
use std::ops::Range;

/// A number of rows, fixed or a multiple of the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extent {
    count: usize,
    batched: bool,
}

impl Extent {
    /// A fixed number.
    pub fn fixed(count: usize) -> Extent {
        Extent { count, batched: false }
    }

    /// The number at a batch of `n`.
    #[inline(always)]
    pub fn at(self, n: usize) -> usize {
        if self.batched { self.count * n } else { self.count }
    }

    /// Whether it is a multiple of the batch.
    pub fn is_batched(self) -> bool {
        self.batched
    }

    /// Those of a thread at a batch of `n`: all, where they do not depend on the batch. Rows of a
    /// batch change hands at multiples of sixteen, so that no two threads write one vector.
    #[inline(always)]
    pub fn own(self, n: usize, part: Part) -> Range<usize> {
        match self.batched {
            true => {
                let rows = part.range(n, LANES);
                rows.start * self.count..rows.end * self.count
            }
            false => 0..self.count,
        }
    }

    /// The vectors of [`Extent::own`].
    #[inline(always)]
    pub fn own_vectors(self, n: usize, part: Part) -> Range<usize> {
        let own = self.own(n, part);
        own.start.div_ceil(LANES)..own.end.div_ceil(LANES)
    }
}

impl From<Rows> for Extent {
    fn from(rows: Rows) -> Extent {
        Extent { count: rows.count as usize, batched: rows.batched }
    }
}

/// A thread's share of a step.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Which thread.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

impl Part {
    /// The whole of it.
    pub const WHOLE: Part = Part { index: 0, of: 1 };

    /// This thread's share of `len` items, which change hands only at multiples of `grain`.
    #[inline(always)]
    pub fn range(self, len: usize, grain: usize) -> Range<usize> {
        if self.of == 1 {
            return 0..len;
        }
        let cut = |index: usize| (len * index / self.of).next_multiple_of(grain).min(len);
        cut(self.index)..cut(self.index + 1)
    }
}
