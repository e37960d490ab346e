//! Straight-line code for programs so small that decoding their kernels would cost more than their
//! arithmetic.
//!
//! For the full batch, the kernels' loops are unrolled once into a flat list of operations on
//! single vectors at fixed offsets, in the same order of arithmetic and so with the same bits. A
//! 3-3-2 net's training step is some thirty of them.

use super::tile::compute;
use crate::arena::Memory;
use crate::program::Opcode;
use crate::simd::{LANES, Simd};
use std::slice;

/// The most operations that are unrolled, a multiply-add in a chain counted as one: beyond it the
/// tiles of the general kernels, which load each operand for many rows at once, are faster.
pub const MAX_WORK: usize = 2_000;

/// Instead of an offset: the value of the operation before, which is still in a register. Reading
/// it back from memory would take longer than most operations.
pub const LAST: u32 = u32::MAX;

/// One operation. Offsets count floats from the start of the arena.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// An instruction on whole vectors; an operand may be [`LAST`].
    Compute {
        /// What is computed.
        opcode: Opcode,
        /// The result.
        to: u32,
        /// The operands.
        args: [u32; 3],
    },
    /// to = start + Σ a\[i\] b\[i\], one multiply-add after another.
    Chain {
        /// The result.
        to: u32,
        /// What the sum starts from.
        start: u32,
        /// Whether that is a single float, for all lanes.
        splat: bool,
        /// The first factor, a single float.
        a: u32,
        /// From one to the next.
        a_step: u32,
        /// The first vector.
        b: u32,
        /// From one to the next.
        b_step: u32,
        /// The number of terms.
        k: u32,
    },
    /// The transpose of a block of 16 columns and `rows` rows; the lanes beyond hold anything.
    Transpose {
        /// The first of 16 vectors, one after another.
        to: u32,
        /// The first row.
        from: u32,
        /// From one row to the next.
        step: u32,
        /// How many.
        rows: u32,
    },
    /// to\[i\] = from\[i × step\] for `count` lanes.
    Gather {
        /// The vector.
        to: u32,
        /// The first float.
        from: u32,
        /// From one to the next.
        step: u32,
        /// How many.
        count: u32,
    },
    /// to = from
    Copy {
        /// The vector written.
        to: u32,
        /// The vector read.
        from: u32,
    },
    /// Every lane of `to` = the float at `from`.
    Splat {
        /// The vector written.
        to: u32,
        /// The float read.
        from: u32,
    },
    /// to = sums + the first `present` lanes of `from`
    Accumulate {
        /// The new sums.
        to: u32,
        /// The sums so far.
        sums: u32,
        /// What is added; may be [`LAST`].
        from: u32,
        /// The lanes that count.
        present: u32,
    },
    /// Every lane of `to` = the sum of the lanes of `from`.
    Total {
        /// The vector written.
        to: u32,
        /// The lanes added up; may be [`LAST`].
        from: u32,
    },
    /// The step of this index, by its general kernel.
    Step(u32),
}

/// Operations under construction.
#[derive(Debug, Default)]
pub struct Tape {
    /// The operations in order.
    pub ops: Vec<Op>,
    work: usize,
    /// Where the last operation's value went.
    last: Option<u32>,
}

impl Tape {
    /// Adds an operation.
    pub fn push(&mut self, mut op: Op) {
        let read = match &mut op {
            Op::Compute { args, .. } => &mut args[..],
            Op::Accumulate { from, .. } | Op::Total { from, .. } => slice::from_mut(from),
            _ => &mut [],
        };
        for arg in read.iter_mut().filter(|arg| Some(**arg) == self.last) {
            *arg = LAST;
        }
        self.last = match op {
            Op::Compute { to, .. }
            | Op::Chain { to, .. }
            | Op::Accumulate { to, .. }
            | Op::Total { to, .. } => Some(to),
            _ => None,
        };
        self.work += match op {
            Op::Chain { k, .. } => 1 + k as usize,
            Op::Step(_) | Op::Transpose { .. } => 16,
            _ => 1,
        };
        self.ops.push(op);
    }

    /// Whether it has become too long to be worth it.
    pub fn is_long(&self) -> bool {
        self.work > MAX_WORK
    }
}

/// Runs the operations; `step` runs a step by its general kernel.
///
/// # Safety
/// The operations are unrolled from steps that are bound for this memory.
#[inline(always)]
pub unsafe fn run<S: Simd>(s: S, ops: &[Op], memory: Memory, step: impl Fn(u32)) {
    let at = |offset: u32| memory.at(offset as usize);
    let mut last = s.splat(0.0);
    for op in ops {
        // SAFETY: every offset is that of a vector, float or strided run that the general kernel of
        // a verified step would have touched.
        unsafe {
            match *op {
                Op::Compute { opcode, to, args } => {
                    let mut values = [last; 3];
                    for (value, arg) in values.iter_mut().zip(args) {
                        if arg != LAST {
                            *value = s.load(at(arg));
                        }
                    }
                    last = compute(s, opcode, values);
                    s.store(at(to), last);
                }
                Op::Chain { to, start, splat, a, a_step, b, b_step, k } => {
                    let mut sum = if splat { s.splat(*at(start)) } else { s.load(at(start)) };
                    let (mut a, mut b) = (at(a), at(b));
                    for _ in 0..k {
                        sum = s.mul_add(s.splat(*a), s.load(b), sum);
                        a = a.wrapping_add(a_step as usize);
                        b = b.wrapping_add(b_step as usize);
                    }
                    last = sum;
                    s.store(at(to), sum);
                }
                Op::Transpose { to, from, step, rows } => {
                    let mut block = std::array::from_fn(|i| {
                        let row = if i < rows as usize { i } else { 0 };
                        s.load(at(from).add(row * step as usize))
                    });
                    s.transpose(&mut block);
                    for (i, &column) in block.iter().enumerate() {
                        s.store(at(to).add(i * LANES), column);
                    }
                }
                Op::Gather { to, from, step, count } => {
                    for i in 0..count as usize {
                        *at(to).add(i) = *at(from).add(i * step as usize);
                    }
                }
                Op::Copy { to, from } => s.store(at(to), s.load(at(from))),
                Op::Splat { to, from } => s.store(at(to), s.splat(*at(from))),
                Op::Accumulate { to, sums, from, present } => {
                    let value = if from == LAST { last } else { s.load(at(from)) };
                    let value = s.select(s.first(present as usize), value, s.splat(0.0));
                    last = s.add(s.load(at(sums)), value);
                    s.store(at(to), last);
                }
                Op::Total { to, from } => {
                    let value = if from == LAST { last } else { s.load(at(from)) };
                    last = s.splat(s.sum(value));
                    s.store(at(to), last);
                }
                Op::Step(index) => step(index),
            }
        }
    }
}

/// The offset of vector `index` from `base`.
pub fn vector(base: usize, index: usize) -> u32 {
    (base + index * LANES) as u32
}
