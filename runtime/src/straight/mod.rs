//! Straight-line code for programs so small that decoding their kernels would cost more than their
//! arithmetic.
//!
//! For the full batch, the kernels' loops are unrolled once into a flat list of operations on lines
//! of vectors at fixed offsets, in the same order of arithmetic and so with the same bits. A
//! 3-3-2 net's training step is some twenty of them.
#![expect(unsafe_code, reason = "runs lines of vectors")]

mod tape;
mod unroll;

pub use unroll::unroll;

use crate::arena::Memory;
use crate::kernel::Prepared;
use crate::kernel::expr::chain::Sweep;
use crate::kernel::lanes::compute;
use crate::kernel::place::Part;
use crate::program::Opcode;
use crate::random::Draw;
use crate::simd::{LANES, Simd};

/// Instead of an offset: the value of the operation before, which is still in a register. Reading
/// it back from memory would take longer than most operations.
pub const LAST: u32 = u32::MAX;

/// Vectors, or floats, at equal distances. Both count floats, the first from the start of the
/// arena.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The first; [`LAST`] only where there is no other.
    pub at: u32,
    /// From one to the next.
    pub step: u32,
}

impl Line {
    /// What is left of it after so many.
    #[inline(always)]
    fn after(self, count: u32) -> Line {
        Line { at: self.at + self.step * count, ..self }
    }

    #[inline(always)]
    fn cursor(self, memory: Memory) -> Cursor {
        Cursor { at: memory.at(self.at as usize), step: self.step as usize }
    }
}

/// Goes along a line.
#[derive(Clone, Copy)]
struct Cursor {
    at: *mut f32,
    step: usize,
}

impl Cursor {
    #[inline(always)]
    fn next(&mut self) -> *mut f32 {
        let at = self.at;
        self.at = at.wrapping_add(self.step);
        at
    }
}

/// One operation. Single offsets count floats from the start of the arena.
#[derive(Clone, Debug)]
pub enum Op {
    /// An instruction on whole vectors.
    Compute(Compute),
    /// to = start + Σ a\[i\] b\[i\], one multiply-add after another.
    Chain(Chain),
    /// The transpose of a block of up to 16 rows and columns; lanes and columns beyond hold
    /// anything.
    Transpose {
        /// The first of 16 vectors, one after another.
        to: u32,
        /// The rows.
        from: Line,
        /// How many.
        rows: u32,
        /// The columns.
        columns: u32,
    },
    /// to = from
    Copy {
        /// How often.
        len: u32,
        /// The vectors written.
        to: Line,
        /// The vectors read.
        from: Line,
    },
    /// Every lane of `to` = the float at `from`.
    Splat {
        /// How often.
        len: u32,
        /// The vectors written.
        to: Line,
        /// The floats read.
        from: Line,
    },
    /// to = sums + the first `present` lanes of `from`
    Accumulate {
        /// The new sums.
        to: u32,
        /// The sums so far; may be [`LAST`].
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
    /// A chain of instructions over some vectors.
    Sweep(Box<Sweep>),
    /// A step by its general kernel.
    Step(Box<Prepared>),
}

/// The most bytes that an operation takes in a list that may hold twice what is in it.
pub const MOST_BYTES: u64 = {
    let (sweep, step) = (size_of::<Sweep>(), size_of::<Prepared>());
    (2 * size_of::<Op>() + if sweep > step { sweep } else { step }) as u64
};

/// The bytes of a list of operations, with what they hold beside it.
pub fn bytes(ops: &Vec<Op>) -> u64 {
    let beside = ops.iter().map(|op| match op {
        Op::Sweep(_) => size_of::<Sweep>(),
        Op::Step(_) => size_of::<Prepared>(),
        _ => 0,
    });
    (ops.capacity() * size_of::<Op>() + beside.sum::<usize>()) as u64
}

/// An instruction on each vector of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compute {
    /// What is computed.
    pub opcode: Opcode,
    /// How often.
    pub len: u32,
    /// The results.
    pub to: Line,
    /// The operands.
    pub args: [Line; 3],
}

/// Some chains of multiply-adds over the same vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chain {
    /// How many chains.
    pub len: u32,
    /// The number of terms.
    pub k: u32,
    /// The results.
    pub to: Line,
    /// What the sums start from.
    pub start: Line,
    /// Whether that is a single float, for all lanes.
    pub splat: bool,
    /// The first factor of each chain, a single float.
    pub a: Line,
    /// From one factor to the next.
    pub a_step: u32,
    /// The vectors.
    pub b: Line,
    /// What is done with the results while they are in registers.
    pub update: Option<Update>,
}

/// to = from - rate × result, the step of a gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Update {
    /// The new values.
    pub to: Line,
    /// The old values.
    pub from: Line,
    /// The factors.
    pub rate: Line,
}

/// Runs the operations at a batch of `n` rows.
///
/// # Safety
/// They are unrolled for this batch from steps that are bound for this memory.
pub unsafe fn run<S: Simd>(s: S, ops: &[Op], memory: Memory, n: usize, draw: Draw) {
    s.vectorize(
        #[inline(always)]
        move || {
            let mut last = s.splat(0.0);
            for op in ops {
                // SAFETY: every offset is that of a vector, float or strided run that the general
                // kernel of the step would touch, so the contract is that of `Prepared::run`.
                last = unsafe { op.run(s, memory, n, draw, last) };
            }
        },
    );
}

impl Op {
    /// Runs the operation after one that gave `last`, and says what it gives itself.
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, draw: Draw, last: S::F) -> S::F {
        // SAFETY: the contract is that of the module's `run`.
        unsafe {
            let value = |at: u32| if at == LAST { last } else { s.load(memory.at(at as usize)) };
            let (result, to) = match *self {
                Op::Compute(Compute { opcode, len: 1, to, args }) => {
                    let [a, b, c] = args;
                    (compute(s, opcode, [value(a.at), value(b.at), value(c.at)]), to.at)
                }
                Op::Accumulate { to, sums, from, present } => {
                    let lanes = s.select(s.first(present as usize), value(from), s.splat(0.0));
                    (s.add(value(sums), lanes), to)
                }
                Op::Total { to, from } => (s.splat(s.sum(value(from))), to),
                Op::Chain(ref chain) => return chains(s, memory, chain),
                Op::Compute(ref computes) => {
                    line(s, memory, computes);
                    return last;
                }
                Op::Transpose { to, from, rows, columns } => {
                    match (rows, columns) {
                        (..=4, ..=4) => transpose::<S, 4, 4>(s, memory, to, from, rows),
                        (..=4, _) => transpose::<S, 4, LANES>(s, memory, to, from, rows),
                        _ => transpose::<S, LANES, LANES>(s, memory, to, from, rows),
                    }
                    return last;
                }
                Op::Copy { len, to, from } => {
                    let (mut to, mut from) = (to.cursor(memory), from.cursor(memory));
                    for _ in 0..len {
                        s.store(to.next(), s.load(from.next()));
                    }
                    return last;
                }
                Op::Splat { len, to, from } => {
                    let (mut to, mut from) = (to.cursor(memory), from.cursor(memory));
                    for _ in 0..len {
                        s.store(to.next(), s.splat(*from.next()));
                    }
                    return last;
                }
                Op::Sweep(ref sweep) => {
                    sweep.run(s, memory);
                    return last;
                }
                Op::Step(ref step) => {
                    step.run(s, memory, n, Part::WHOLE, draw);
                    return last;
                }
            };
            s.store(memory.at(to as usize), result);
            result
        }
    }
}

/// Computes an instruction for each vector of a line. Not inlined: the constants of all opcodes
/// would be loaded before the first operation of every run.
#[inline(never)]
unsafe fn line<S: Simd>(s: S, memory: Memory, computes: &Compute) {
    s.vectorize(
        #[inline(always)]
        move || {
            computes.opcode.specialized(
                #[inline(always)]
                |opcode| {
                    let mut to = computes.to.cursor(memory);
                    let mut args = [to; 3];
                    for (arg, line) in args.iter_mut().zip(computes.args) {
                        *arg = line.cursor(memory);
                    }
                    for _ in 0..computes.len {
                        let mut values = [s.splat(0.0); 3];
                        // SAFETY: the lines are those of an operation, so `len` vectors long.
                        unsafe {
                            for i in 0..opcode.arity() {
                                values[i] = s.load(args[i].next());
                            }
                            s.store(to.next(), compute(s, opcode, values));
                        }
                    }
                },
            );
        },
    );
}

/// Runs chains, some side by side, and gives the value of the last.
#[inline(always)]
unsafe fn chains<S: Simd>(s: S, memory: Memory, chain: &Chain) -> S::F {
    let &Chain { to, start, a, .. } = chain;
    let mut heads =
        Heads { to: to.cursor(memory), start: start.cursor(memory), a: a.cursor(memory) };
    let mut left = chain.len;
    // SAFETY: the lines are those of an operation, of `len` chains.
    unsafe {
        loop {
            match left {
                1 => return side_by_side::<S, 1>(s, memory, chain, &mut heads, chain.len - left),
                2 => return side_by_side::<S, 2>(s, memory, chain, &mut heads, chain.len - left),
                3 => return side_by_side::<S, 3>(s, memory, chain, &mut heads, chain.len - left),
                4 => return side_by_side::<S, 4>(s, memory, chain, &mut heads, chain.len - left),
                _ => side_by_side::<S, 4>(s, memory, chain, &mut heads, chain.len - left),
            };
            left -= 4;
        }
    }
}

/// What differs from chain to chain.
struct Heads {
    to: Cursor,
    start: Cursor,
    a: Cursor,
}

/// Runs the next `R` chains, the first of them of this index.
#[inline(always)]
unsafe fn side_by_side<S: Simd, const R: usize>(
    s: S,
    memory: Memory,
    chain: &Chain,
    heads: &mut Heads,
    first: u32,
) -> S::F {
    let &Chain { k, splat, a_step, b, .. } = chain;
    let mut sums = [s.splat(0.0); R];
    let mut factors = [heads.a.at; R];
    // SAFETY: the chain's lines have `R` more elements, and `k` terms each.
    unsafe {
        for (sum, factor) in sums.iter_mut().zip(&mut factors) {
            let start = heads.start.next();
            *sum = if splat { s.splat(*start) } else { s.load(start) };
            *factor = heads.a.next();
        }
        let mut vectors = b.cursor(memory);
        for _ in 0..k {
            let vector = s.load(vectors.next());
            for (sum, factor) in sums.iter_mut().zip(&mut factors) {
                *sum = s.mul_add(s.splat(**factor), vector, *sum);
                *factor = factor.wrapping_add(a_step as usize);
            }
        }
        for &sum in &sums {
            s.store(heads.to.next(), sum);
        }
        if let Some(Update { to, from, rate }) = chain.update {
            let (mut to, mut from, mut rate) = (
                to.after(first).cursor(memory),
                from.after(first).cursor(memory),
                rate.after(first).cursor(memory),
            );
            for sum in &mut sums {
                *sum = s.neg_mul_add(*sum, s.load(rate.next()), s.load(from.next()));
                s.store(to.next(), *sum);
            }
        }
    }
    sums[R - 1]
}

/// Transposes up to `R` rows and `C` columns.
#[inline(always)]
unsafe fn transpose<S: Simd, const R: usize, const C: usize>(
    s: S,
    memory: Memory,
    to: u32,
    from: Line,
    rows: u32,
) {
    let mut block = [s.splat(0.0); LANES];
    let mut from = from.cursor(memory);
    for (i, lanes) in block[..R].iter_mut().enumerate() {
        // SAFETY: the operation has `rows` rows, of which no more are read.
        *lanes = unsafe { s.load(from.at) };
        if i + 1 < rows as usize {
            from.next();
        }
    }
    s.transpose(&mut block);
    for (i, &column) in block[..C].iter().enumerate() {
        // SAFETY: `unroll` gives the room a block of sixteen vectors.
        unsafe { s.store(memory.at(to as usize + i * LANES), column) };
    }
}
