//! Chains of cheap instructions over a tile: the value that goes from one instruction to the next
//! stays in vector registers, as in an accumulator machine.
//!
//! A block of vectors is taken through the whole chain before the next one, so an instruction is
//! decoded once a block, and only what somebody else reads is written. Where the operands lie is
//! found once for all blocks of a line. What takes longer than its operands take to load, such as
//! an exponential, is no link of a chain: it would need the vector registers for itself.
#![expect(unsafe_code, reason = "reads and writes the vectors of a tile")]

use super::instr::compute;
use super::tile::{Place, Tile};
use crate::arena::Memory;
use crate::program::{Cost, Opcode};
use crate::simd::Simd;
use std::mem::MaybeUninit;

/// The most links of a chain.
pub const LINKS: usize = 16;

/// Which operand of an instruction is the accumulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum At {
    /// The first.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The first and the second.
    Both,
}

impl At {
    /// The number of other operands.
    #[inline(always)]
    pub fn others(self, opcode: Opcode) -> usize {
        opcode.arity() - if self == At::Both { 2 } else { 1 }
    }
}

/// One instruction of a chain.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// What is computed; `None` keeps the accumulator as it is.
    pub form: Option<(Opcode, At)>,
    /// Where the accumulator is loaded from, unless it is the value of the link before.
    pub start: Option<Place>,
    /// The other operands, in their order; those beyond the arity may be any place.
    pub others: [Place; 2],
    /// Where the value goes, if anybody but the next link reads it.
    pub to: Option<Place>,
}

/// Makes `is_form` and `apply` of one list: what each position of the accumulator is good for.
/// What commutes needs no second position.
macro_rules! forms {
    ($($at:ident: $($op:ident)*;)*) => {
        /// Whether an instruction can have the accumulator there.
        pub const fn is_form(at: At, opcode: Opcode) -> bool {
            matches!((opcode, at), $($((Opcode::$op, At::$at))|*)|*)
        }

        /// The values of a link. The form is a constant in each arm, so that the code behind it is
        /// made for it.
        #[inline(always)]
        unsafe fn apply<S: Simd, const B: usize>(
            s: S,
            acc: [S::F; B],
            form: (Opcode, At),
            other: impl Fn(usize) -> Strided,
        ) -> [S::F; B] {
            // SAFETY: the operands are the caller's.
            unsafe {
                match form {
                    $($((Opcode::$op, At::$at) => {
                        each::<S, B>(s, acc, (Opcode::$op, At::$at), other)
                    })*)*
                    _ => acc,
                }
            }
        }
    };
}

forms! {
    First: Neg Abs Sqrt Relu Sign
        Add Sub Mul Div Max Min Gate SigmoidGrad TanhGrad MulAdd NegMulAdd;
    Second: Sub Div Max Min Gate SigmoidGrad TanhGrad;
    Third: MulAdd NegMulAdd;
    Both: Mul;
}

// The cheap instructions are the links of chains.
const _: () = {
    let mut code = 0;
    while code < Opcode::ALL.len() {
        let opcode = Opcode::ALL[code];
        assert!(is_form(At::First, opcode) == matches!(opcode.cost(), Cost::Cheap));
        code += 1;
    }
};

/// An operand along a line of a tile.
#[derive(Clone, Copy)]
struct Line {
    first: *mut f32,
    step: usize,
}

impl Line {
    #[inline(always)]
    fn of(memory: Memory, place: &Place, tile: Tile, line: usize) -> Line {
        let (to_line, step) = place.steps(tile);
        Line { first: place.of(memory, tile).wrapping_add(line * to_line), step }
    }

    #[inline(always)]
    fn block<const B: usize>(self, block: Block) -> Strided {
        let low = self.first.wrapping_add(block.first * self.step);
        let high = low.wrapping_add((block.len - B / 2) * self.step);
        Strided { low, high, step: self.step }
    }
}

/// A link with its operands along a line: where they lie is found once for all its blocks.
#[derive(Clone, Copy)]
struct Resolved {
    form: Option<(Opcode, At)>,
    start: Option<Line>,
    others: [Line; 2],
    to: Option<Line>,
}

impl Resolved {
    #[inline(always)]
    fn of(memory: Memory, link: &Link, tile: Tile, line: usize) -> Resolved {
        let of = |place: &Place| Line::of(memory, place, tile, line);
        let Link { form, start, others: [x, y], to } = link;
        Resolved {
            form: *form,
            start: start.as_ref().map(of),
            others: [of(x), of(y)],
            to: to.as_ref().map(of),
        }
    }
}

/// Some vectors of a line.
#[derive(Clone, Copy)]
struct Block {
    first: usize,
    len: usize,
}

/// The vectors of an operand that belong to a block: the first half of them from `low` on, the
/// others from `high` on. Where the block is shorter than `B`, the halves overlap; what is then
/// computed twice is the same twice, as every load of a link comes before its stores.
#[derive(Clone, Copy)]
struct Strided {
    low: *mut f32,
    high: *mut f32,
    step: usize,
}

impl Strided {
    #[inline(always)]
    fn at<const B: usize>(self, i: usize) -> *mut f32 {
        let half = B.div_ceil(2);
        let (from, i) = if i < half { (self.low, i) } else { (self.high, i - half) };
        from.wrapping_add(i * self.step)
    }
}

/// Computes a link; an operand that is the same for all vectors is loaded once.
#[inline(always)]
unsafe fn each<S: Simd, const B: usize>(
    s: S,
    acc: [S::F; B],
    form: (Opcode, At),
    other: impl Fn(usize) -> Strided,
) -> [S::F; B] {
    let (x, y) = (other(0), other(1));
    let others = form.1.others(form.0);
    // SAFETY: the operands are the caller's.
    unsafe {
        match (others > 0 && x.step == 0, others > 1 && y.step == 0) {
            (false, false) => every::<S, B, false, false>(s, acc, form, [x, y]),
            (true, false) => every::<S, B, true, false>(s, acc, form, [x, y]),
            (false, true) => every::<S, B, false, true>(s, acc, form, [x, y]),
            (true, true) => every::<S, B, true, true>(s, acc, form, [x, y]),
        }
    }
}

/// Computes a link where the first of the other operands is the same for all vectors if `X`, the
/// second if `Y`.
#[inline(always)]
unsafe fn every<S: Simd, const B: usize, const X: bool, const Y: bool>(
    s: S,
    mut acc: [S::F; B],
    (opcode, at): (Opcode, At),
    [x, y]: [Strided; 2],
) -> [S::F; B] {
    for (i, a) in acc.iter_mut().enumerate() {
        let (x, y) = (x.at::<B>(if X { 0 } else { i }), y.at::<B>(if Y { 0 } else { i }));
        // SAFETY: the caller's operands cover the block; those beyond the arity are as good.
        let (x, y) = unsafe { (s.load(x), s.load(y)) };
        let args = match at {
            At::First => [*a, x, y],
            At::Second => [x, *a, y],
            At::Third => [x, y, *a],
            At::Both => [*a, *a, x],
        };
        *a = compute(s, opcode, args);
    }
    acc
}

/// Takes a block through the chain. It has at most `B` vectors, and at least half as many.
#[inline(always)]
unsafe fn block<S: Simd, const B: usize>(s: S, links: &[Resolved], block: Block) {
    let mut acc = [s.splat(0.0); B];
    for link in links {
        // SAFETY: the operands cover the caller's line, and so the block.
        unsafe {
            if let Some(start) = link.start {
                let from = start.block::<B>(block);
                for (i, a) in acc.iter_mut().enumerate() {
                    *a = s.load(from.at::<B>(i));
                }
            }
            if let Some(form) = link.form {
                acc = apply::<S, B>(
                    s,
                    acc,
                    form,
                    #[inline(always)]
                    |i| link.others[i].block::<B>(block),
                );
            }
            if let Some(to) = link.to {
                let to = to.block::<B>(block);
                for (i, &a) in acc.iter().enumerate() {
                    s.store(to.at::<B>(i), a);
                }
            }
        }
    }
}

/// Runs a chain over the tile.
///
/// # Safety
/// It has at most [`LINKS`] links. Its operands are bound for this memory from a verified program
/// and cover the tile.
#[inline(never)]
pub unsafe fn run<S: Simd>(s: S, memory: Memory, links: &[Link], tile: Tile) {
    s.vectorize(
        #[inline(always)]
        || {
            let (lines, len) = tile.lines();
            for line in 0..lines {
                let mut resolved = [const { MaybeUninit::uninit() }; LINKS];
                for (resolved, link) in resolved.iter_mut().zip(links) {
                    resolved.write(Resolved::of(memory, link, tile, line));
                }
                // SAFETY: as many as there are links have been written, and the line is one of the
                // tile's, which the operands cover.
                unsafe {
                    let resolved = resolved[..links.len()].assume_init_ref();
                    match S::TILE_ROWS {
                        12 => blocks::<S, 12>(s, resolved, len),
                        6 => blocks::<S, 6>(s, resolved, len),
                        _ => blocks::<S, 2>(s, resolved, len),
                    }
                }
            }
        },
    );
}

/// Cuts a line of `len` vectors into blocks of the same length, but for a vector.
#[inline(always)]
unsafe fn blocks<S: Simd, const B: usize>(s: S, links: &[Resolved], len: usize) {
    let count = len.div_ceil(B);
    let (least, longer) = (len / count, len % count);
    let mut first = 0;
    for index in 0..count {
        let len = least + usize::from(index < longer);
        // SAFETY: the operands cover the caller's line, and the block lies in it.
        unsafe {
            if len >= B.div_ceil(2) {
                block::<S, B>(s, links, Block { first, len });
            } else {
                for at in (0..len).step_by(2) {
                    let pair = Block { first: first + at, len: 2.min(len - at) };
                    block::<S, 2>(s, links, pair);
                }
            }
        }
        first += len;
    }
}
