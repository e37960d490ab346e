//! Straight-line code under construction.

use super::{Chain, Compute, LAST, Op, Update};
use crate::program::Opcode;
use crate::simd::LANES;

/// The most work that is unrolled, in vectors computed, each multiply-add of a chain counted as
/// one: beyond it the tiles of the general kernels, which load each operand for many rows at once,
/// are faster.
pub const MAX_WORK: usize = 40_000;

/// As many chains as a few count for, which run side by side and wait for their own sums: a general
/// kernel has more of them in the air, and gains more the longer they are.
const FEW_CHAINS: usize = 20;

/// Operations under construction.
#[derive(Debug)]
pub struct Tape {
    /// The operations in order.
    pub ops: Vec<Op>,
    /// The most that there may be.
    most: usize,
    work: usize,
    /// Where the last operation's value went, if it was a single one.
    last: Option<u32>,
    /// The operations of the steps before the current one.
    before: usize,
}

impl Tape {
    /// No operations yet, and at most so many.
    pub fn new(most: usize) -> Tape {
        Tape { ops: Vec::new(), most, work: 0, last: None, before: 0 }
    }

    /// Begins a step, which may write what the step before reads.
    pub fn begin_step(&mut self) {
        self.before = self.ops.len();
    }

    /// Adds an operation.
    pub fn push(&mut self, mut op: Op) {
        if let Op::Compute(compute) = &op
            && let Some(Op::Chain(chain)) = self.ops[self.before..].last_mut()
            && chain.take_update(compute)
        {
            self.last = (compute.len == 1).then_some(compute.to.at);
            self.work += compute.len as usize;
            return;
        }
        let last = self.last;
        let read = |arg: &mut u32| {
            if Some(*arg) == last {
                *arg = LAST;
            }
        };
        match &mut op {
            Op::Compute(Compute { len: 1, args, .. }) => {
                args.iter_mut().for_each(|arg| read(&mut arg.at));
            }
            Op::Accumulate { sums, from, .. } => [sums, from].into_iter().for_each(read),
            Op::Total { from, .. } => read(from),
            _ => {}
        }
        self.last = match &op {
            Op::Compute(Compute { len: 1, to, .. }) | Op::Chain(Chain { len: 1, to, .. }) => {
                Some(to.at)
            }
            Op::Accumulate { to, .. } | Op::Total { to, .. } => Some(*to),
            _ => None,
        };
        self.work += match &op {
            Op::Compute(Compute { len, .. }) | Op::Copy { len, .. } | Op::Splat { len, .. } => {
                *len as usize
            }
            Op::Chain(Chain { len, k, .. }) => FEW_CHAINS.max(*len as usize) * (1 + *k as usize),
            Op::Sweep(sweep) => sweep.vectors(),
            Op::Step(_) | Op::Transpose { .. } => LANES,
            Op::Accumulate { .. } | Op::Total { .. } => 1,
        };
        self.ops.push(op);
    }

    /// Whether it has become too long to be worth it, or to be held.
    pub fn is_long(&self) -> bool {
        self.work > MAX_WORK || self.ops.len() > self.most
    }
}

impl Chain {
    /// Takes an instruction over that updates by the results.
    fn take_update(&mut self, compute: &Compute) -> bool {
        let &Compute { opcode, len, to, args: [result, rate, from] } = compute;
        let takes = self.update.is_none()
            && (opcode, len, result) == (Opcode::NegMulAdd, self.len, self.to);
        if takes {
            self.update = Some(Update { to, from, rate });
        }
        takes
    }
}
