//! How much of a product is computed at a time: the rows of C and the terms of its sums between
//! which operands stay in the caches, and the operands that are packed for them.

use super::super::sum::Chains;
use super::{Gemm, MAX_ROWS, Operand};
use crate::simd::LANES;
use std::ops::Range;

/// The floats of op(A) that are taken through all columns at a time where op(A) is used as it lies:
/// 128 KiB, so that they are read from afar only once.
pub(super) const CACHED: usize = 1 << 15;
/// The same where op(B) leaves no room for them in the second-level cache: 2 MiB.
const FAR: usize = 1 << 19;
/// The fewest rows then, as each block reads all of op(B).
const LEAST: usize = 512;
/// The same where op(A) is a transposed A that is not packed.
const CACHED_TRANSPOSED: usize = 1 << 17;
/// The floats of op(A) that are packed at a time: 4 MiB. They are read in order, so they may come
/// from the third-level cache; the more there are, the less often a column block of B is packed.
const PACKED: usize = 1 << 20;
/// The most terms of sums that are computed in one go from a transposed A, and how many are added
/// at a time where there are more, whole chains each: with op(A) packed, and as it lies.
const DEPTHS: [(usize, usize); 2] = [(1024, 512), (512, 256)];
/// The most sums that are kept between blocks of terms: 4 MiB, and as much for what they have lost.
const SUMS: usize = 1 << 20;
/// The fewest columns of C for which op(A) is packed.
const WIDE: usize = 8 * LANES;
/// The most vectors across a column block of B that is packed, beside op(A) or as f32.
pub const MAX_PACKED_VECTORS: usize = 2;

/// A part of a product.
#[derive(Clone, Debug)]
pub struct Block {
    /// Rows of C.
    pub rows: Range<usize>,
    /// Vectors across C.
    pub columns: Range<usize>,
    /// Terms of its sums.
    pub terms: Range<usize>,
    /// These rows and terms of op(A), where they are packed.
    pub a: Option<Operand>,
    /// Whether its terms are the last.
    pub ends: bool,
    /// Where the sums are kept from block to block, if there are several.
    pub kept: Option<Operand>,
    /// How far behind each of those lies what it has lost.
    pub lost: usize,
    /// The rows of C that follow.
    pub next: Range<usize>,
}

/// Whether a product with a transposed A of so many columns packs column blocks of B, whose rows
/// may lie a page apart: tiles enough read each again.
pub fn packs_b(m: usize) -> bool {
    m >= 4 * MAX_ROWS
}

/// Whether op(A) is packed where it is transposed: that costs about as much as one column block of
/// C, and saves more the longer the columns are that a tile would find anywhere in the cache.
pub fn packs_a(m: usize, n: usize, k: usize) -> bool {
    packs_b(m) && n >= WIDE && k * n >= 1 << 14
}

/// The most rows and terms of a block of a product with a transposed A.
pub fn size(m: usize, n: usize, k: usize, chains: Chains) -> (usize, usize) {
    let packs = packs_a(m, n, k);
    let (most, depth) = if packs { DEPTHS[0] } else { DEPTHS[1] };
    let splits = k > most && packs_b(m) && chains.splits(k);
    let depth = if splits { depth } else { k.max(1) };
    let rows = if packs { PACKED } else { CACHED_TRANSPOSED } / depth;
    let rows = if depth < k { rows.min(SUMS / n.max(1).next_multiple_of(LANES)) } else { rows };
    ((rows / MAX_ROWS).max(1) * MAX_ROWS, depth)
}

/// The floats of scratch left for a block: for a column block of B, for op(A), and for sums with
/// what they have lost. A block may take less, but these never shrink where a size grows, as blocks
/// do: so those of a full batch hold the blocks of any smaller one.
pub fn rooms(m: usize, n: usize, k: usize, chains: Chains) -> [usize; 3] {
    let depth = k.min(DEPTHS[0].0.max(chains.whole()));
    let b = if packs_b(m) { depth * MAX_PACKED_VECTORS * LANES } else { 0 };
    let a = if packs_a(m, n, k) { PACKED.min((m * depth).next_multiple_of(LANES)) } else { 0 };
    // Up to `DEPTHS[0]` terms, sums are kept only of a C too narrow for op(A) to be packed.
    let row = match k {
        _ if !packs_b(m) || !chains.splits(k) || k <= DEPTHS[1].0 => 0,
        _ if k <= DEPTHS[0].0 => n.min(WIDE).next_multiple_of(LANES),
        _ => n.next_multiple_of(LANES),
    };
    [b, a, 2 * (m * row).min(SUMS.max(MAX_ROWS * row))]
}

/// The floats of scratch that a product with a transposed A needs, of at most so many rows, columns
/// and terms.
pub fn floats(m: usize, n: usize, k: usize, chains: Chains) -> usize {
    rooms(m, n, k, chains).iter().sum()
}

impl Gemm {
    /// Whether column blocks of B are copied though op(A) is not.
    pub(super) fn packs_b(&self, m: usize) -> bool {
        self.is_of_columns() && packs_b(m) && self.b.row > LANES
    }

    /// Whether op(A)'s tiles are packed.
    pub(super) fn packs_a(&self, m: usize, n: usize, k: usize) -> bool {
        self.is_of_columns() && packs_a(m, n, k)
    }

    /// Whether its terms are the products of A's and B's rows, which may lie far apart.
    pub(super) fn is_of_columns(&self) -> bool {
        self.a_transposed && !self.b_transposed && self.a.column > 0
    }

    /// The most rows and terms of a block.
    pub(super) fn block_size(&self, m: usize, n: usize, k: usize) -> (usize, usize) {
        if self.is_of_columns() {
            size(m, n, k, self.chains)
        } else {
            (self.cached_rows(m, n, k), k.max(1))
        }
    }

    /// The block of these rows and columns that begins with this term.
    #[inline(always)]
    pub(super) fn block_at(
        &self,
        (m, n, k): (usize, usize, usize),
        (rows, columns): (Range<usize>, Range<usize>),
        term: usize,
        next: Range<usize>,
    ) -> Block {
        let (_, depth) = self.block_size(m, n, k);
        let terms = term..(term + depth).min(k);
        let [b, a, _] = rooms(m, n, k, self.chains);
        let packed = Operand {
            offset: (self.pack + b).wrapping_sub(rows.start * terms.len()),
            row: terms.len(),
            column: 0,
        };
        let column = rows.len() * LANES;
        let first = rows.start * LANES + columns.start * column;
        let sums = Operand { offset: (self.pack + b + a).wrapping_sub(first), row: LANES, column };
        let a = self.packs_a(m, n, k).then_some(packed);
        let ends = terms.end == k;
        let kept = (terms.len() < k).then_some(sums);
        let lost = columns.len() * column;
        Block { rows, columns, terms, a, ends, kept, lost, next }
    }

    /// The rows of op(A) that all columns use before the next rows are read: as many as stay in the
    /// second-level cache beside op(B), if that has room there and is not packed again for each, or
    /// else in the third-level cache.
    fn cached_rows(&self, m: usize, n: usize, k: usize) -> usize {
        let rows = CACHED / k.max(1) / MAX_ROWS * MAX_ROWS;
        let repacks = self.b_transposed || self.b_bf16 || self.a_transposed;
        let is_small = |floats: usize| floats <= 4 * CACHED;
        if !repacks && rows >= 2 * MAX_ROWS && is_small(k * n) {
            return if is_small(m * k) { usize::MAX } else { rows };
        }
        // Of equal heights, rather than full ones and a short rest.
        let blocks = m.div_ceil((FAR / k.max(1)).max(LEAST)).max(1);
        m.div_ceil(blocks).next_multiple_of(MAX_ROWS).max(MAX_ROWS)
    }
}
