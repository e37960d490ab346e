//! Chains of cheap instructions over a tile: the value that goes from one instruction to the next
//! stays in vector registers, as in an accumulator machine.
//!
//! A block of vectors is taken through the whole chain before the next one, so an instruction is
//! decoded once a block, and only what somebody else reads is written. What takes longer than its
//! operands take to load, such as an exponential, is no link of a chain: it would need the vector
//! registers for itself.

use super::tile::{Place, Tile, compute};
use crate::arena::Memory;
use crate::program::Opcode;
use crate::simd::Simd;

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
    pub form: Option<(At, Opcode)>,
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
        pub fn is_form(at: At, opcode: Opcode) -> bool {
            matches!((at, opcode), $($((At::$at, Opcode::$op))|*)|*)
        }

        /// The values of a link. The form is a constant in each arm, so that the code behind it is
        /// made for it.
        #[inline(always)]
        unsafe fn apply<S: Simd, const B: usize>(
            s: S,
            acc: [S::F; B],
            form: (At, Opcode),
            other: impl Fn(usize) -> Strided,
        ) -> [S::F; B] {
            // SAFETY: passed on to the caller.
            unsafe {
                match form {
                    $($((At::$at, Opcode::$op) => {
                        each::<S, B>(s, acc, (At::$at, Opcode::$op), other)
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
    form: (At, Opcode),
    other: impl Fn(usize) -> Strided,
) -> [S::F; B] {
    let (x, y) = (other(0), other(1));
    let others = form.0.others(form.1);
    // SAFETY: passed on to the caller.
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
    (at, opcode): (At, Opcode),
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

/// Some vectors of a tile, one after another along a line of it.
#[derive(Clone, Copy)]
struct Block {
    tile: Tile,
    /// The line of the tile.
    line: usize,
    /// Its first vector in there.
    first: usize,
    /// Its vectors.
    len: usize,
}

impl Block {
    #[inline(always)]
    fn of<const B: usize>(self, memory: Memory, place: &Place) -> Strided {
        let (line, step) = place.steps(self.tile);
        let low = place.of(memory, self.tile).wrapping_add(self.line * line + self.first * step);
        let high = low.wrapping_add((self.len - B / 2) * step);
        Strided { low, high, step }
    }
}

/// Takes a block through the chain. It has at most `B` vectors, and at least half as many.
#[inline(always)]
unsafe fn block<S: Simd, const B: usize>(s: S, memory: Memory, links: &[Link], block: Block) {
    let mut acc = [s.splat(0.0); B];
    for link in links {
        // SAFETY: the operands cover the caller's tile, and so the block.
        unsafe {
            if let Some(start) = &link.start {
                let from = block.of::<B>(memory, start);
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
                    |i| block.of::<B>(memory, &link.others[i]),
                );
            }
            if let Some(to) = &link.to {
                let to = block.of::<B>(memory, to);
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
/// Its operands are bound for this memory from a verified program and cover the tile.
#[inline(never)]
pub unsafe fn run<S: Simd>(s: S, memory: Memory, links: &[Link], tile: Tile) {
    s.vectorize(
        #[inline(always)]
        || {
            // SAFETY: passed on to the caller.
            unsafe {
                match S::TILE_ROWS {
                    12 => lines::<S, 12>(s, memory, links, tile),
                    6 => lines::<S, 6>(s, memory, links, tile),
                    _ => lines::<S, 2>(s, memory, links, tile),
                }
            }
        },
    );
}

/// Cuts the lines of the tile into blocks of equal length.
#[inline(always)]
unsafe fn lines<S: Simd, const B: usize>(s: S, memory: Memory, links: &[Link], tile: Tile) {
    let (count, len) = tile.lines();
    for line in 0..count {
        let mut first = 0;
        for blocks in (1..=len.div_ceil(B)).rev() {
            let len = (len - first).div_ceil(blocks);
            let whole = Block { tile, line, first, len };
            // SAFETY: passed on to the caller.
            unsafe {
                if len >= B.div_ceil(2) {
                    block::<S, B>(s, memory, links, whole);
                } else {
                    for at in (0..len).step_by(2) {
                        let pair = Block { first: first + at, len: 2.min(len - at), ..whole };
                        block::<S, 2>(s, memory, links, pair);
                    }
                }
            }
            first += len;
        }
    }
}
