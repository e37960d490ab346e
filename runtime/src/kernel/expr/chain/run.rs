//! Takes blocks of vectors through a chain.
#![expect(unsafe_code, reason = "reads and writes the vectors of a tile")]

use super::{
    At, BLOCK, Chain, Form, KEEP, LANES, Link, Operand, PAIR, STRIDES, Strides, Tile, form,
};
use crate::arena::Memory;
use crate::kernel::lanes::compute;
use crate::program::Opcode;
use crate::simd::Simd;
use std::ptr::null_mut;
use std::sync::Arc;

/// Makes `is_form`, `pair` and `apply` of one list: what each position of the accumulator is good
/// for, and what is taken in one step. What commutes needs no second position. Of a pair, the
/// numbers say which of the other operands are the same for all vectors.
macro_rules! forms {
    (
        { $($at:ident: $($op:ident)*;)* }
        { $($at1:ident $op1:ident [$x1:literal $y1:literal]
            then $at2:ident $op2:ident [$x2:literal $y2:literal];)* }
    ) => {
        /// Whether an instruction can have the accumulator there.
        pub const fn is_form(at: At, opcode: Opcode) -> bool {
            matches!((opcode, at), $($((Opcode::$op, At::$at))|*)|*)
        }

        const PAIRS: &[[Form; 2]] = &[$([
            form(Opcode::$op1, At::$at1, [$x1, $y1]),
            form(Opcode::$op2, At::$at2, [$x2, $y2]),
        ]),*];

        /// The values of a link. The form is a constant in each arm, so that the code behind it is
        /// made for it.
        #[inline(always)]
        unsafe fn apply<S: Simd, const B: usize, const DENSE: bool>(
            s: S,
            acc: [S::F; B],
            others: Others,
        ) -> [S::F; B] {
            let second = Others { index: 1, ..others };
            // SAFETY: the operands are the caller's.
            unsafe {
                match others.link.form {
                    $($(
                        f if f == form(Opcode::$op, At::$at, [false, false]) =>
                            each::<S, B, DENSE, false, false>(s, acc, Opcode::$op, At::$at, others),
                        f if f == form(Opcode::$op, At::$at, [true, false]) =>
                            each::<S, B, DENSE, true, false>(s, acc, Opcode::$op, At::$at, others),
                        f if f == form(Opcode::$op, At::$at, [false, true]) =>
                            each::<S, B, DENSE, false, true>(s, acc, Opcode::$op, At::$at, others),
                        f if f == form(Opcode::$op, At::$at, [true, true]) =>
                            each::<S, B, DENSE, true, true>(s, acc, Opcode::$op, At::$at, others),
                    )*)*
                    $(
                        f if f == pair_form(
                            form(Opcode::$op1, At::$at1, [$x1, $y1]),
                            form(Opcode::$op2, At::$at2, [$x2, $y2]),
                        ) => {
                            let (op1, at1, op2, at2) =
                                (Opcode::$op1, At::$at1, Opcode::$op2, At::$at2);
                            let acc = each::<S, B, DENSE, $x1, $y1>(s, acc, op1, at1, others);
                            each::<S, B, DENSE, $x2, $y2>(s, acc, op2, at2, second)
                        }
                    )*
                    _ => acc,
                }
            }
        }
    };
}

forms! {
    {
        First: Neg Abs Sqrt Relu Sign
            Add Sub Mul Div Max Min Gate SigmoidGrad TanhGrad MulAdd NegMulAdd;
        Second: Sub Div Max Min Gate SigmoidGrad TanhGrad;
        Third: MulAdd NegMulAdd;
        Both: Mul;
    }
    {
        First Mul [true false] then Third MulAdd [false true];
        Both Mul [false false] then First Mul [true false];
        First Sqrt [false false] then First MulAdd [true true];
        First Sqrt [false false] then First Add [true false];
        First Mul [true false] then First Div [false false];
    }
}

/// The form of two links as one, if there is any.
pub const fn pair(first: Form, second: Form) -> Option<Form> {
    let form = pair_form(first, second);
    if form == KEEP { None } else { Some(form) }
}

const fn pair_form(first: Form, second: Form) -> Form {
    let mut index = 0;
    while index < PAIRS.len() {
        if PAIRS[index][0] == first && PAIRS[index][1] == second {
            return PAIR + index as Form;
        }
        index += 1;
    }
    KEEP
}

/// Where the operands of each stride are, beside their offsets, in floats.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Cursors {
    /// The first vector of the block.
    low: [usize; STRIDES],
    /// The first of its second half.
    high: [usize; STRIDES],
    /// From one vector of a block to the next.
    step: [usize; STRIDES],
    /// From one vector to the next, where they are in different blocks.
    advance: [usize; STRIDES],
    /// The first vector of the line.
    line: [usize; STRIDES],
    /// From one line to the next.
    next_line: [usize; STRIDES],
    /// Whether the vectors of every operand that moves follow each other.
    is_dense: bool,
}

impl Cursors {
    #[inline(always)]
    fn of(strides: &Strides, tile: Tile) -> Cursors {
        let Strides { row, vec, by_tile, by_block, .. } = strides;
        let is_tall = tile.is_tall();
        let (step, beside) = if is_tall { (row, vec) } else { (vec, row) };
        let mut line = [0; STRIDES];
        let (mut advance, mut next_line) = (line, line);
        for i in 0..STRIDES {
            line[i] = (tile.row * row[i] + tile.vec * vec[i]) & by_tile[i];
            advance[i] = step[i] & by_block[i];
            next_line[i] = beside[i] & by_block[i];
        }
        let is_dense = strides.is_dense[usize::from(is_tall)];
        Cursors { low: line, high: line, step: *step, advance, line, next_line, is_dense }
    }

    /// Begins the next line.
    #[inline(always)]
    fn begin_line(&mut self) {
        self.low = self.line;
        for (line, next) in self.line.iter_mut().zip(&self.next_line) {
            *line += next;
        }
    }

    /// Goes on by so many vectors.
    #[inline(always)]
    fn advance(&mut self, vectors: usize) {
        for (low, advance) in self.low.iter_mut().zip(&self.advance) {
            *low += vectors * advance;
        }
    }

    /// Makes blocks have `len` vectors: at most `B`, and at least half as many.
    #[inline(always)]
    fn set_len<const B: usize>(&mut self, len: usize) {
        for i in 0..STRIDES {
            self.high[i] = self.low[i] + (len - B / 2) * self.step[i];
        }
    }

    /// The vectors of an operand in the block; `DENSE` says that it is a whole one whose vectors
    /// follow each other.
    #[inline(always)]
    fn block<const B: usize, const DENSE: bool>(
        &self,
        memory: Memory,
        operand: Operand,
    ) -> Strided {
        let index = usize::from(operand.stride) % STRIDES;
        let first = memory.at(operand.offset);
        let low = first.wrapping_add(self.low[index]);
        match DENSE {
            true => Strided { low, high: low.wrapping_add((B - B / 2) * LANES), step: LANES },
            false => {
                let high = first.wrapping_add(self.high[index]);
                Strided { low, high, step: self.step[index] }
            }
        }
    }
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

/// The other operands of a link.
#[derive(Clone, Copy)]
struct Others<'a> {
    memory: Memory,
    link: &'a Link,
    /// Which instruction of the link they are of.
    index: usize,
    cursors: &'a Cursors,
}

impl Others<'_> {
    /// The vectors of one; `FIXED` says that they are all the same.
    #[inline(always)]
    fn block<const B: usize, const DENSE: bool, const FIXED: bool>(self, index: usize) -> Strided {
        let operand = self.link.others[self.index][index];
        match FIXED {
            true => Strided { low: self.memory.at(operand.offset), high: null_mut(), step: 0 },
            false => self.cursors.block::<B, DENSE>(self.memory, operand),
        }
    }
}

/// Computes a link where the first of the other operands is the same for all vectors if `X`, the
/// second if `Y`.
#[inline(always)]
unsafe fn each<S: Simd, const B: usize, const DENSE: bool, const X: bool, const Y: bool>(
    s: S,
    mut acc: [S::F; B],
    opcode: Opcode,
    at: At,
    others: Others,
) -> [S::F; B] {
    let count = at.others(opcode);
    if (X && count < 1) || (Y && count < 2) {
        return acc; // no link has this form
    }
    let none = Strided { low: null_mut(), high: null_mut(), step: 0 };
    let x = if count > 0 { others.block::<B, DENSE, X>(0) } else { none };
    let y = if count > 1 { others.block::<B, DENSE, Y>(1) } else { none };
    let load = |strided: Strided, i: usize, exists: bool| match exists {
        // SAFETY: the caller's operands cover the block.
        true => unsafe { s.load(strided.at::<B>(i)) },
        false => s.splat(0.0),
    };
    for (i, a) in acc.iter_mut().enumerate() {
        let x = load(x, if X { 0 } else { i }, count > 0);
        let y = load(y, if Y { 0 } else { i }, count > 1);
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

/// Takes a block through the chain.
#[inline(always)]
unsafe fn follow<S: Simd, const B: usize, const DENSE: bool>(
    s: S,
    memory: Memory,
    links: &[Link],
    cursors: &Cursors,
) {
    let mut acc = [s.splat(0.0); B];
    for link in links {
        // SAFETY: the operands cover the caller's line, and so the block.
        unsafe {
            if let Some(start) = link.start {
                if DENSE && start.stride == 0 {
                    acc = [s.load(memory.at(start.offset)); B];
                } else {
                    let from = cursors.block::<B, DENSE>(memory, start);
                    for (i, a) in acc.iter_mut().enumerate() {
                        *a = s.load(from.at::<B>(i));
                    }
                }
            }
            acc = apply::<S, B, DENSE>(s, acc, Others { memory, link, index: 0, cursors });
            if let Some(to) = link.to {
                let to = cursors.block::<B, DENSE>(memory, to);
                for (i, &a) in acc.iter().enumerate() {
                    s.store(to.at::<B>(i), a);
                }
            }
        }
    }
}

/// [`follow`], in a frame of its own where builds are not optimised: they give each arm of each
/// size of block its place on the stack, which has not room for all of them at once.
#[cfg_attr(debug_assertions, inline(never))]
#[cfg_attr(not(debug_assertions), inline(always))]
unsafe fn block<S: Simd, const B: usize, const DENSE: bool>(
    s: S,
    memory: Memory,
    links: &[Link],
    cursors: &Cursors,
) {
    // SAFETY: the contract is that of `follow`.
    unsafe {
        if cfg!(debug_assertions) {
            s.vectorize(
                #[inline(always)]
                || follow::<S, B, DENSE>(s, memory, links, cursors),
            );
        } else {
            follow::<S, B, DENSE>(s, memory, links, cursors);
        }
    }
}

/// Takes a line of `len` vectors through the chain, in blocks of `B`.
#[inline(always)]
unsafe fn line<S: Simd, const B: usize>(
    s: S,
    memory: Memory,
    links: &[Link],
    cursors: &mut Cursors,
    len: usize,
    divides: bool,
) {
    // SAFETY: the operands cover the caller's line, and the blocks lie in it.
    unsafe {
        let mut len = len;
        if B == BLOCK && cursors.is_dense && !divides {
            while len >= 2 * BLOCK {
                block::<S, { 2 * BLOCK }, true>(s, memory, links, cursors);
                cursors.advance(2 * BLOCK);
                len -= 2 * BLOCK;
            }
        }
        for _ in 0..len / B {
            if cursors.is_dense {
                block::<S, B, true>(s, memory, links, cursors);
            } else {
                cursors.set_len::<B>(B);
                block::<S, B, false>(s, memory, links, cursors);
            }
            cursors.advance(B);
        }
        let left = len % B;
        if left >= B.div_ceil(2) {
            cursors.set_len::<B>(left);
            return block::<S, B, false>(s, memory, links, cursors);
        }
        for _ in 0..left {
            block::<S, 1, false>(s, memory, links, cursors);
            cursors.advance(1);
        }
    }
}

/// Runs a chain over the tile.
///
/// # Safety
/// Its operands are bound for this memory from a verified program and cover the tile, and its
/// registers have room for [`BLOCK`] vectors.
#[inline(never)]
pub unsafe fn run<S: Simd>(s: S, memory: Memory, chain: &Chain, tile: Tile) {
    s.vectorize(
        #[inline(always)]
        || {
            let (lines, len) = tile.lines();
            let mut cursors = Cursors::of(&chain.strides, tile);
            for _ in 0..lines {
                cursors.begin_line();
                // SAFETY: the line is one of the tile's, which the operands cover.
                unsafe {
                    match S::TILE_ROWS {
                        ..BLOCK => {
                            line::<S, 2>(s, memory, &chain.links, &mut cursors, len, chain.divides)
                        }
                        _ => line::<S, BLOCK>(
                            s,
                            memory,
                            &chain.links,
                            &mut cursors,
                            len,
                            chain.divides,
                        ),
                    }
                }
            }
        },
    );
}

/// A few vectors of a chain, found before the run.
#[derive(Clone, Debug)]
pub struct Sweep {
    chain: Arc<Chain>,
    cursors: Cursors,
    /// One of [`SWEEPS`].
    len: usize,
}

/// How many vectors a sweep may have.
const SWEEPS: [usize; 3] = [4, 2, 1];

impl Sweep {
    /// The sweeps that are a chain over a tile.
    pub fn of(chain: &Arc<Chain>, tile: Tile) -> Vec<Sweep> {
        let (lines, len) = tile.lines();
        let mut cursors = Cursors::of(&chain.strides, tile);
        let mut sweeps = Vec::new();
        for _ in 0..lines {
            cursors.begin_line();
            let mut left = len;
            for len in SWEEPS {
                while left >= len {
                    match len {
                        4 => cursors.set_len::<4>(4),
                        2 => cursors.set_len::<2>(2),
                        _ => cursors.set_len::<1>(1),
                    }
                    sweeps.push(Sweep { chain: chain.clone(), cursors: cursors.clone(), len });
                    cursors.advance(len);
                    left -= len;
                }
            }
        }
        sweeps
    }

    /// How many vectors it goes over.
    pub fn vectors(&self) -> usize {
        self.len
    }

    /// Runs it.
    ///
    /// # Safety
    /// That of [`run`], for the tile that it is of.
    #[inline(never)]
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory) {
        let Sweep { chain, cursors, len } = self;
        s.vectorize(
            #[inline(always)]
            // SAFETY: the vectors are some of the tile's.
            || unsafe {
                match len {
                    4 => block::<S, 4, false>(s, memory, &chain.links, cursors),
                    2 => block::<S, 2, false>(s, memory, &chain.links, cursors),
                    _ => block::<S, 1, false>(s, memory, &chain.links, cursors),
                }
            },
        );
    }
}
