//! The register tiles of a product.

use super::super::place::Tile;
use super::super::sum::{TILE_FLOATS, Total};
use super::ahead::Ahead;
use super::pack::load;
use super::{Job, Operand};
use crate::simd::{LANES, Simd};
use std::hint::black_box;

/// The terms that a round of a tile's loop adds where its instruction set unrolls.
const UNROLLED: usize = 4;

/// The tiles of C from `c` on = bias + op(A) op(B), each with all of it in registers.
///
/// # Safety
/// The operands, C and the room for sums hold these tiles, and a tile has R rows and V vectors.
pub unsafe fn multiply<
    S: Simd,
    const AT: bool,
    const BF16: bool,
    const V: usize,
    const R: usize,
>(
    s: S,
    job: &Job,
    tiles: Tile,
    c: *mut f32,
    ahead: &mut Ahead,
) {
    // A tile that is too large for the registers is never selected; this keeps it from being built.
    if R * V > S::TILE_ROWS * S::TILE_VECTORS.max(2) {
        return;
    }
    s.vectorize(
        #[inline(always)]
        || {
            let &Job { gemm, memory, block, a, b, chain, piece, .. } = job;
            let (bias, result) = (gemm.bias, &gemm.code.result);
            // The columns of a packed tile are as long as the tile is high.
            let a_step = match block.a {
                Some(_) => R,
                None if AT => a.column,
                None => a.row,
            };
            let column = if AT { a_step } else { 1 };
            let mut c = c;
            let mut first = memory.at(bias.at(tiles.row, tiles.vec));
            let mut rows = memory.at(a.at(tiles.row, 0)).cast_const();
            let mut totals = Totals::of::<R, V>(job, tiles);
            for tile in 0..tiles.rows / R {
                if ahead.is_needed {
                    ahead.fetch(s, job, Tile { row: tiles.row + tile * R, rows: R, ..tiles });
                }
                let (mut a, mut from) = (rows, memory.at(b.offset).cast_const());
                let mut left = block.terms.len();
                let mut chains = block.terms.start / chain;
                if block.kept.is_some() {
                    totals.fetch(s);
                }
                // A product without terms has its bias, so there is a chain at least, and a piece.
                loop {
                    let mut terms = left.min(chain);
                    left -= terms;
                    let is_last = left == 0 && block.ends;
                    let (to, row, vec) = match is_last {
                        true => (c, result.row, result.vec),
                        false => totals.place_of(chains),
                    };
                    let mut is_first = true;
                    // SAFETY: `select` gives tiles inside C, and their operands have R rows, V
                    // vectors and these terms for each, as `check_gemm` has proved; the sums of a
                    // chain that is not the last go where `Binder::room` has made room for them.
                    unsafe {
                        loop {
                            let mut sums = [[s.splat(0.0); V]; R];
                            if is_first && chains == 0 {
                                for (r, sums) in sums.iter_mut().enumerate() {
                                    for (v, sum) in sums.iter_mut().enumerate() {
                                        let start = first.add(r * bias.row + v * bias.column);
                                        let splats = bias.row > 0;
                                        *sum = if splats { s.splat(*start) } else { s.load(start) };
                                    }
                                }
                            }
                            let now = terms.min(piece);
                            let rounds = if S::UNROLLS { now / UNROLLED } else { 0 };
                            for _ in 0..rounds {
                                let term = |i: usize| {
                                    let (a, from) =
                                        (a.wrapping_add(i * column), from.wrapping_add(i * b.row));
                                    ((a, a_step), (from, b.column))
                                };
                                // Written out: LLVM leaves a loop over something opaque as it is.
                                add_term::<S, AT, BF16, V, R>(s, &mut sums, term(0));
                                add_term::<S, AT, BF16, V, R>(s, &mut sums, term(1));
                                add_term::<S, AT, BF16, V, R>(s, &mut sums, term(2));
                                add_term::<S, AT, BF16, V, R>(s, &mut sums, term(3));
                                a = a.wrapping_add(UNROLLED * column);
                                from = from.wrapping_add(UNROLLED * b.row);
                            }
                            for _ in rounds * UNROLLED..now {
                                let term = ((a, a_step), (from, b.column));
                                add_term::<S, AT, BF16, V, R>(s, &mut sums, term);
                                a = a.wrapping_add(column);
                                from = from.wrapping_add(b.row);
                            }
                            for (r, sums) in sums.iter().enumerate() {
                                for (v, &sum) in sums.iter().enumerate() {
                                    let to = to.add(r * row + v * vec);
                                    let sum = if is_first { sum } else { s.add(s.load(to), sum) };
                                    s.store(to, sum);
                                }
                            }
                            is_first = false;
                            terms -= now;
                            if terms == 0 {
                                break;
                            }
                        }
                        if chains > 0 {
                            totals.add(s, chains, is_last.then_some((to, row, vec)));
                        }
                    }
                    chains += 1;
                    if left == 0 {
                        break;
                    }
                }
                c = c.wrapping_add(R * result.row);
                first = first.wrapping_add(R * bias.row);
                rows = rows.wrapping_add(R * job.a.row);
                totals.at = totals.at.wrapping_add(totals.tile);
            }
        },
    );
}

/// The vectors of a tile: the first, and how far the next row and the next vector are.
type Vectors = (*mut f32, usize, usize);

/// The sums of a tile's finished chains.
#[derive(Clone, Copy)]
struct Totals {
    /// The rows and vectors of a tile.
    size: (usize, usize),
    /// The first vector of the tile.
    at: *mut f32,
    /// From one row to the next.
    row: usize,
    /// From one vector to the next.
    vec: usize,
    /// From one tile to the next.
    tile: usize,
    /// From a sum to what it has lost.
    lost: usize,
    /// Where the sums of the chains that have just been finished lie, one after another.
    chains: *mut f32,
}

impl Totals {
    /// Those of the first of these tiles: where the block keeps its sums, or else in one place for
    /// all tiles.
    #[inline(always)]
    fn of<const R: usize, const V: usize>(job: &Job, tiles: Tile) -> Totals {
        let &Job { gemm, memory, block, .. } = job;
        let room = |index: usize| memory.at(gemm.totals + index * TILE_FLOATS);
        let (size, chains) = ((R, V), room(0));
        match block.kept {
            Some(kept @ Operand { row, column: vec, .. }) => {
                let (at, lost) = (memory.at(kept.at(tiles.row, tiles.vec)), block.lost);
                Totals { size, at, row, vec, tile: R * row, lost, chains }
            }
            None => {
                let (at, lost) = (room(1), TILE_FLOATS);
                Totals { size, at, row: V * LANES, vec: LANES, tile: 0, lost, chains }
            }
        }
    }

    /// Begins to bring them into the cache: a block's sums come from afar.
    #[inline(never)]
    fn fetch<S: Simd>(&self, s: S) {
        let (rows, vecs) = self.size;
        for (row, vec) in (0..rows).flat_map(|row| (0..vecs).map(move |vec| (row, vec))) {
            let at = self.at.wrapping_add(row * self.row + vec * self.vec);
            s.prefetch(at);
            s.prefetch(at.wrapping_add(self.lost));
        }
    }

    /// Where the sums of a chain go that is not the last, after so many: the first are the totals.
    #[inline(always)]
    fn place_of(&self, before: usize) -> Vectors {
        match before {
            0 => (self.at, self.row, self.vec),
            _ => (self.chains, self.size.1 * LANES, LANES),
        }
    }

    /// Adds the sums of a chain after so many before it; those of the last are in `result`, and
    /// become those of everything there.
    ///
    /// # Safety
    /// There is memory for them, and the chain's sums are in their place.
    #[inline(never)]
    unsafe fn add<S: Simd>(&self, s: S, before: usize, result: Option<Vectors>) {
        let (rows, vecs) = self.size;
        let (from, row, vec) = result.unwrap_or(self.place_of(before));
        s.vectorize(
            #[inline(always)]
            || {
                for r in 0..rows {
                    for v in 0..vecs {
                        let at = self.at.wrapping_add(r * self.row + v * self.vec);
                        let from = from.wrapping_add(r * row + v * vec);
                        // SAFETY: `of` has taken a place for each vector of a tile.
                        unsafe {
                            let lost = match before {
                                1 => s.splat(0.0),
                                _ => s.load(at.add(self.lost)),
                            };
                            let total = Total { sum: s.load(at), lost }.add(s, s.load(from));
                            if result.is_some() {
                                s.store(from, total.sum);
                            } else {
                                s.store(at, total.sum);
                                s.store(at.add(self.lost), total.lost);
                            }
                        }
                    }
                }
            },
        );
    }
}

/// Adds a term to every sum: the product of a column of op(A) and a row of op(B), each given by its
/// start and the distance between its elements or vectors.
#[inline(always)]
unsafe fn add_term<S: Simd, const AT: bool, const BF16: bool, const V: usize, const R: usize>(
    s: S,
    sums: &mut [[S::F; V]; R],
    ((a, a_step), (b, b_step)): ((*const f32, usize), (*const f32, usize)),
) {
    // Past something opaque no operand is loaded early, and no loop unrolled, as LLVM's models of
    // some processors would do: the sums take all registers as it is.
    black_box(());
    // SAFETY: `multiply` gives R elements and V vectors for each of its terms.
    unsafe {
        let mut row = [s.splat(0.0); V];
        for (v, y) in row.iter_mut().enumerate() {
            *y = load(s, b.add(v * b_step), BF16);
        }
        for (r, sums) in sums.iter_mut().enumerate() {
            let x = s.splat(*a.add(if AT { r } else { r * a_step }));
            for (sum, &y) in sums.iter_mut().zip(&row) {
                *sum = s.mul_add(x, y, *sum);
            }
        }
    }
}
