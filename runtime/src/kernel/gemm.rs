//! The matrix product C = op(A) op(B) + bias with a fused epilogue.
//!
//! Names are those of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication"
//! (2008): `k` runs over the inner dimension, a register tile has `R` rows of `V` vectors. The
//! vector axis is C's columns, A is broadcast. Each element of C is a chain of fused multiply-adds
//! over ascending k that starts from the bias, or several such chains where k is large (sum.rs),
//! however the loops around it are blocked, so its bits depend on nothing but the operands.
#![expect(unsafe_code, reason = "reads the operands of the matrix product")]

mod ahead;
pub mod block;
mod few_rows;
pub mod few_terms;
mod multiply;
pub mod pack;
mod sums;

use self::ahead::{Ahead, NextRows};
use self::block::{Block, MAX_PACKED_VECTORS};
use self::multiply::multiply;
use self::pack::widens;
use super::expr::Code;
use super::place::{Extent, LARGEST_TILE, Part, Tile};
use super::sum::Chains;
use crate::arena::Memory;
use crate::simd::{LANES, Simd};
use std::ops::Range;

/// A matrix product bound to places. Offsets and strides count floats.
#[derive(Clone, Debug, Default)]
pub struct Gemm {
    /// The broadcast operand, op(A).
    pub a: Operand,
    /// The vector operand, op(B); B itself where it is transposed.
    pub b: Operand,
    /// Whether op(A) is A transposed, so that its rows lie side by side.
    pub a_transposed: bool,
    /// Whether op(B) is B transposed, made column block by column block in `pack`.
    pub b_transposed: bool,
    /// Whether B's elements are bfloat16; then neither operand is transposed.
    pub b_bf16: bool,
    /// The first float of the room for the sums of a tile between chains.
    pub totals: usize,
    /// The first float of the room for a column block of op(B), and behind it for a block of op(A)
    /// and for sums that are kept between blocks.
    pub pack: usize,
    /// What the sums start from: vectors of one row for all, or one element for each row.
    pub bias: Operand,
    /// Whether threads share it by the rows of the batch.
    pub by_rows: bool,
    /// How many terms are added in one chain.
    pub chains: Chains,
    /// Whether it has long tiles, as its sums have few terms.
    pub few_terms: bool,
    /// The rows of C.
    pub m: Extent,
    /// The columns of C.
    pub n: Extent,
    /// The inner dimension.
    pub k: Extent,
    /// What is done with each finished tile.
    pub code: Code,
    /// The product that sums op(B)'s columns, of a row of ones with the same B: computed with this
    /// one, column block by column block.
    pub sums: Option<Box<Gemm>>,
}

/// A bound matrix.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Operand {
    /// Its first float.
    pub offset: usize,
    /// From one row to the next; for op(A), and for B from one row of B to the next.
    pub row: usize,
    /// From one column of op(A) to the next; from one vector of columns of B to the next.
    pub column: usize,
}

impl Operand {
    /// Where an element or a vector lies.
    #[inline(always)]
    fn at(&self, row: usize, column: usize) -> usize {
        self.offset.wrapping_add(row * self.row + column * self.column)
    }
}

/// The vectors across a tile of few rows: wide enough that the chains of multiply-adds hide their
/// latency.
pub(super) fn tile_vectors<S: Simd>(m: usize) -> usize {
    let accumulators = S::TILE_ROWS * S::TILE_VECTORS;
    match m {
        1 if accumulators >= 24 => 8,
        _ if m * 6 <= accumulators => 4,
        _ if m * 2 <= accumulators => S::TILE_VECTORS.max(2),
        _ => S::TILE_VECTORS,
    }
}

/// The rows of a tile that is `vecs` vectors across, a power of two.
fn tile_rows<S: Simd>(vecs: usize) -> usize {
    S::TILE_ROWS.min((S::TILE_ROWS * S::TILE_VECTORS) >> vecs.trailing_zeros())
}

/// The most rows of any tile.
pub const MAX_ROWS: usize = 12;
/// The most vectors across any tile.
pub const MAX_VECTORS: usize = 8;

/// The most rows and vectors across that the expression of a product with `n` columns goes over: it
/// costs as much to start and to end as some vectors take, so it follows several tiles at a time.
pub fn largest_strip(n: usize) -> (usize, usize) {
    (LARGEST_TILE, n.div_ceil(LANES).next_power_of_two().min(MAX_VECTORS))
}

/// The rows and the vectors across of a thread's part of C, whatever its rows are.
#[inline(always)]
pub(super) fn parts<S: Simd>(part: Part, m: usize, vecs: usize) -> (Range<usize>, Range<usize>) {
    if vecs >= 2 * S::TILE_VECTORS * part.of {
        (0..m, part.range(vecs, S::TILE_VECTORS))
    } else {
        (part.range(m, 1), 0..vecs)
    }
}

impl Gemm {
    /// Computes this thread's part of C at a batch of `batch` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `batch` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, batch: usize, part: Part) {
        let (m, k, n) = (self.m.at(batch), self.k.at(batch), self.n.at(batch));
        let vecs = n.div_ceil(LANES);
        let (rows, columns) = match part.of {
            1 => (0..m, 0..vecs),
            _ if self.by_rows => (self.m.own(batch, part), self.n.own_vectors(batch, part)),
            _ => parts::<S>(part, m, vecs),
        };
        if self.b_transposed && (1..=few_rows::MOST).contains(&rows.len()) {
            // SAFETY: the contract is this function's; the sums have one row.
            return unsafe {
                if let Some(sums) = self.sums_beside(&rows) {
                    sums.few_rows(s, memory, (k, n), 0..1, columns.clone());
                }
                self.few_rows(s, memory, (k, n), rows, columns);
            };
        }
        if self.few_terms {
            // SAFETY: the contract is this function's; the sums have one row.
            return unsafe {
                if let Some(sums) = self.sums_beside(&rows) {
                    sums.sum_columns(s, memory, k, columns.clone());
                }
                self.few_terms(s, memory, k, rows, columns);
            };
        }
        let (height, depth) = self.block_size(m, n, k);
        if depth < k
            && let Some(sums) = self.sums_beside(&rows)
        {
            // SAFETY: the sums have one row of the same vectors.
            unsafe { sums.sum_columns(s, memory, k, columns.clone()) };
        }
        for first in rows.clone().step_by(height) {
            let next = rows.end.min(first.saturating_add(height));
            let next = next..rows.end.min(next.saturating_add(height));
            let rows = first..next.start;
            for term in (0..k.max(1)).step_by(depth) {
                let part = (rows.clone(), columns.clone());
                let block = self.block_at((m, n, k), part, term, next.clone());
                // SAFETY: the block lies inside the product, whose sizes `check_gemm` has proved,
                // and `Binder::room` has left room for its part of op(A) and for its sums.
                unsafe {
                    self.pack_a::<S>(s, memory, &block);
                    self.block(s, memory, (k, n), &block);
                }
            }
        }
    }

    /// What sums columns beside these rows of C: of the threads and blocks that split its rows, one
    /// has the first.
    #[inline(always)]
    fn sums_beside(&self, rows: &Range<usize>) -> Option<&Gemm> {
        self.sums.as_deref().filter(|_| rows.contains(&0))
    }

    /// Computes a block, column block by column block.
    #[inline(always)]
    unsafe fn block<S: Simd>(&self, s: S, memory: Memory, (k, n): (usize, usize), block: &Block) {
        let Block { rows, columns, terms, .. } = block;
        let widen = self.b_bf16 && widens(rows.len());
        let copies_b = block.a.is_some() || widen || self.packs_b(rows.len());
        let widest = if copies_b { MAX_PACKED_VECTORS } else { MAX_VECTORS };
        let widest = tile_vectors::<S>(rows.len()).min(widest);
        let first = terms.start * self.a.column;
        let own = Operand { offset: self.a.offset.wrapping_add(first), ..self.a };
        let job = Job {
            gemm: self,
            memory,
            n,
            block,
            a: block.a.unwrap_or(own),
            b: Operand::default(),
            b_bf16: self.b_bf16 && !widen,
            chain: self.chains.len(k),
            piece: self.chains.piece(k),
        };
        let mut ahead = NextRows::after::<S>(&job, widest);
        let mut vec = columns.start;
        while vec < columns.end && !rows.is_empty() {
            let width = widest.min(1 << (columns.end - vec).ilog2());
            let packed = Operand { offset: self.pack, row: width * LANES, column: LANES };
            let own = self.b.offset + vec * self.b.column + terms.start * self.b.row;
            let own = Operand { offset: own, ..self.b };
            // SAFETY: the block and its column lie inside the product, whose sizes `check_gemm`
            // has proved; `Binder::room` has left room for the column.
            let b = unsafe {
                if self.b_transposed {
                    self.pack_transposed_b(s, memory, (k, n), vec, width);
                    packed
                } else if copies_b {
                    self.pack_b(s, memory, terms.len(), own, width);
                    packed
                } else {
                    own
                }
            };
            let job = Job { b, ..job };
            let column = Tile { row: rows.start, vec, rows: rows.len(), vecs: width };
            // SAFETY: the rows and vectors lie inside C; the sums have one row of the same vectors.
            unsafe {
                if terms.len() == k
                    && let Some(sums) = self.sums_beside(rows)
                {
                    sums.sum_block(s, memory, k, b, Tile { rows: 1, ..column });
                }
                job.column(s, column, &mut ahead);
            }
            vec += width;
        }
    }

    /// Whether each sum is one chain at a batch of `batch` rows.
    pub fn is_one_chain(&self, batch: usize) -> bool {
        !self.chains.splits(self.k.at(batch))
    }

    /// Whether it needs the same columns of op(B) in the same room as another product.
    pub fn packs_as(&self, other: &Gemm) -> bool {
        let packed = |gemm: &Gemm| (gemm.b_transposed, gemm.pack, gemm.b, gemm.k, gemm.n);
        packed(self) == packed(other)
    }
}

/// A column block of a product.
#[derive(Clone, Copy)]
struct Job<'a> {
    gemm: &'a Gemm,
    memory: Memory,
    /// The columns of C.
    n: usize,
    /// What it is a part of.
    block: &'a Block,
    /// The block's rows and terms of op(A).
    a: Operand,
    /// The column block of op(B).
    b: Operand,
    /// Whether its elements are bfloat16.
    b_bf16: bool,
    /// The terms of a chain.
    chain: usize,
    /// The terms of a piece of a chain.
    piece: usize,
}

impl Job<'_> {
    /// Computes all rows of the column block.
    #[inline(always)]
    unsafe fn column<S: Simd>(&self, s: S, column: Tile, rows: &mut Option<NextRows>) {
        let has_strips = self.block.ends && !self.gemm.code.is_empty();
        let most = if has_strips { LARGEST_TILE / column.vecs } else { usize::MAX };
        let mut ahead = Ahead::of::<S>(self, column, rows);
        // The rows that have been computed and that the expression has not gone over yet.
        let mut strip = Tile { rows: 0, ..column };
        for (height, mut left) in by_height::<S>(column) {
            while left.rows > 0 {
                if strip.rows + height > most {
                    // SAFETY: as below.
                    unsafe { self.gemm.code.run(s, self.memory, strip) };
                    strip = Tile { rows: 0, ..left };
                }
                let room = (most - strip.rows) / height * height;
                let tiles = Tile { rows: left.rows.min(room), ..left };
                let result = &self.gemm.code.result;
                let c = self.memory.at(result.offset(strip) + strip.rows * result.row);
                // SAFETY: the tiles lie inside C and the operands agree with it in size, as
                // `check_gemm` has proved; `place` pads the last vector of every row.
                unsafe {
                    match (self.gemm.a_transposed, self.b_bf16) {
                        (true, _) => {
                            select::<S, true, false>(s, self, tiles, height, c, &mut ahead)
                        }
                        (false, false) => {
                            select::<S, false, false>(s, self, tiles, height, c, &mut ahead)
                        }
                        (false, true) => {
                            select::<S, false, true>(s, self, tiles, height, c, &mut ahead)
                        }
                    }
                }
                strip.rows += tiles.rows;
                left = Tile { row: left.row + tiles.rows, rows: left.rows - tiles.rows, ..left };
            }
        }
        if has_strips {
            // SAFETY: as above.
            unsafe { self.gemm.code.run(s, self.memory, strip) };
        }
    }
}

/// The tiles of a column block: of equal heights, rather than full ones and a short rest, which
/// would run slower. First those with a row more than the others; each height with all its rows.
#[inline(always)]
fn by_height<S: Simd>(column: Tile) -> [(usize, Tile); 2] {
    let height = tile_rows::<S>(column.vecs);
    if column.rows <= height {
        return [(column.rows, column), (1, Tile { rows: 0, ..column })];
    }
    let tiles = column.rows.div_ceil(height);
    let (height, longer) = (column.rows / tiles, column.rows % tiles);
    let tall = Tile { rows: longer * (height + 1), ..column };
    let rest = Tile { row: column.row + tall.rows, rows: column.rows - tall.rows, ..column };
    [(height + 1, tall), (height, rest)]
}

/// The tiles of a column block, one after another.
#[inline(always)]
pub(super) fn tiles<S: Simd>(column: Tile) -> impl Iterator<Item = Tile> {
    by_height::<S>(column).into_iter().flat_map(|(height, run)| {
        let rows = (run.row..run.row + run.rows).step_by(height.max(1));
        rows.map(move |row| Tile { row, rows: height, ..run })
    })
}

/// Computes tiles of this height.
#[inline(always)]
unsafe fn select<S: Simd, const AT: bool, const BF16: bool>(
    s: S,
    job: &Job,
    tiles: Tile,
    height: usize,
    c: *mut f32,
    ahead: &mut Ahead,
) {
    // SAFETY: the tiles are the caller's, and lie inside C.
    unsafe {
        match tiles.vecs {
            1 => select_rows::<S, AT, BF16, 1>(s, job, tiles, height, c, ahead),
            2 => select_rows::<S, AT, BF16, 2>(s, job, tiles, height, c, ahead),
            4 => select_rows::<S, AT, BF16, 4>(s, job, tiles, height, c, ahead),
            _ => select_rows::<S, AT, BF16, 8>(s, job, tiles, height, c, ahead),
        }
    }
}

#[inline(always)]
unsafe fn select_rows<S: Simd, const AT: bool, const BF16: bool, const V: usize>(
    s: S,
    job: &Job,
    tiles: Tile,
    height: usize,
    c: *mut f32,
    ahead: &mut Ahead,
) {
    // SAFETY: the tiles are the caller's, and lie inside C.
    unsafe {
        match height {
            1 => multiply::<S, AT, BF16, V, 1>(s, job, tiles, c, ahead),
            2 => multiply::<S, AT, BF16, V, 2>(s, job, tiles, c, ahead),
            3 => multiply::<S, AT, BF16, V, 3>(s, job, tiles, c, ahead),
            4 => multiply::<S, AT, BF16, V, 4>(s, job, tiles, c, ahead),
            5 => multiply::<S, AT, BF16, V, 5>(s, job, tiles, c, ahead),
            6 => multiply::<S, AT, BF16, V, 6>(s, job, tiles, c, ahead),
            7 => multiply::<S, AT, BF16, V, 7>(s, job, tiles, c, ahead),
            8 => multiply::<S, AT, BF16, V, 8>(s, job, tiles, c, ahead),
            9 => multiply::<S, AT, BF16, V, 9>(s, job, tiles, c, ahead),
            10 => multiply::<S, AT, BF16, V, 10>(s, job, tiles, c, ahead),
            11 => multiply::<S, AT, BF16, V, 11>(s, job, tiles, c, ahead),
            _ => multiply::<S, AT, BF16, V, MAX_ROWS>(s, job, tiles, c, ahead),
        }
    }
}
