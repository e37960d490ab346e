//! The matrix product with a weight of 8-bit integers: C = Σ q b × (row scale × column scale) +
//! bias, with a fused epilogue.
//!
//! The rows of A are rounded to 8-bit integers q as the product needs them: symmetric, by one scale
//! for each row, max |a| / 127. The sum over k is exact, so its order does not matter; what follows
//! is in f32. B's bytes have 128 added, because the processor's instructions multiply unsigned by
//! signed bytes; so each sum starts from -128 Σ q. All of it wraps, and as the sum that is meant
//! fits into 32 bits, which `verify` has proved, so does the result.
#![expect(unsafe_code, reason = "reads the operands of the matrix product")]

use super::expr::Code;
use super::gemm::{MAX_ROWS, MAX_VECTORS, Operand, parts, tile_vectors, tiles};
use super::place::{Extent, Part, Tile};
use crate::arena::Memory;
use crate::simd::{Dot, LANES, Simd, Widening};
use std::ops::Range;

/// A matrix product bound to places. Offsets and strides count floats.
#[derive(Clone, Debug)]
pub struct GemmInt8 {
    /// The first float of A.
    pub a: usize,
    /// From one row of A to the next.
    pub a_row: usize,
    /// The scales of the first panel of B, before its rows.
    pub b: usize,
    /// From one panel of B to the next.
    pub panel: usize,
    /// The first float of the room for rows of A as integers.
    pub pack: usize,
    /// One row that is added to every row.
    pub bias: Operand,
    /// Whether threads share it by the rows of the batch.
    pub by_rows: bool,
    /// The rows of C.
    pub m: Extent,
    /// The columns of C.
    pub n: usize,
    /// The inner dimension.
    pub k: usize,
    /// What is done with each finished tile.
    pub code: Code,
}

/// The bytes of A as integers that are made at a time: half of a second-level cache.
const PACKED_BYTES: usize = 1 << 19;
/// A row as integers comes after this many floats: its scale, then what its sums start from.
const HEAD: usize = 16;

/// The floats from one row of A as integers to the next.
fn pitch(k: usize) -> usize {
    HEAD + k.div_ceil(64) * 16
}

/// The rows of A that are made integers at a time, whole tiles.
fn packed_rows(k: usize) -> usize {
    (PACKED_BYTES / 4 / pitch(k) / MAX_ROWS).max(1) * MAX_ROWS
}

/// The floats of scratch that a product with `m` rows needs.
pub fn pack_floats(m: usize, k: usize) -> usize {
    m.min(packed_rows(k)) * pitch(k)
}

impl GemmInt8 {
    /// Computes this thread's part of C at a batch of `batch` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `batch` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, batch: usize, part: Part) {
        // SAFETY: the contract is this function's.
        unsafe {
            match s.vnni() {
                Some(vnni) => self.run_with(s, vnni, memory, batch, part),
                None => self.run_with(s, Widening, memory, batch, part),
            }
        }
    }

    #[inline(always)]
    unsafe fn run_with<S: Simd, D: Dot<S>>(
        &self,
        s: S,
        d: D,
        memory: Memory,
        batch: usize,
        part: Part,
    ) {
        let (m, vecs) = (self.m.at(batch), self.n.div_ceil(LANES));
        let (rows, columns) = match part.of {
            1 => (0..m, 0..vecs),
            _ if self.by_rows => (self.m.own(batch, part), 0..vecs),
            _ => parts::<S>(part, m, vecs),
        };
        let height = packed_rows(self.k);
        for first in rows.clone().step_by(height) {
            let rows = first..(first + height).min(rows.end);
            let job = Job { gemm: self, memory, first };
            // SAFETY: the rows lie inside A, as `check_gemm` has proved, and the room for them
            // holds this many, by `pack_floats`.
            unsafe { job.quantise(s, rows.clone()) };
            let widest = tile_vectors::<S>(rows.len());
            let mut vec = columns.start;
            while vec < columns.end {
                let vecs = widest.min(1 << (columns.end - vec).ilog2());
                for tile in tiles::<S>(Tile { row: first, vec, rows: rows.len(), vecs }) {
                    // SAFETY: the tile lies inside C, and its rows have been made integers.
                    unsafe {
                        select(s, d, &job, tile);
                        if !self.code.is_empty() {
                            self.code.run(s, memory, tile);
                        }
                    }
                }
                vec += vecs;
            }
        }
    }
}

/// A block of rows of a product.
struct Job<'a> {
    gemm: &'a GemmInt8,
    memory: Memory,
    /// The first row of the block.
    first: usize,
}

impl Job<'_> {
    /// The scale of a row of A as integers; its start and the integers come after it.
    #[inline(always)]
    fn packed(&self, row: usize) -> *mut f32 {
        self.memory.at(self.gemm.pack + (row - self.first) * pitch(self.gemm.k))
    }

    /// Makes rows of A integers: q = round(a × (127 / max |a|)).
    unsafe fn quantise<S: Simd>(&self, s: S, rows: Range<usize>) {
        s.vectorize(
            #[inline(always)]
            || {
                for row in rows {
                    let from = self.memory.at(self.gemm.a + row * self.gemm.a_row);
                    // SAFETY: the row has k floats, and its room is `pitch` long: whole vectors.
                    unsafe { quantise_row(s, from, self.gemm.k, self.packed(row)) };
                }
            },
        );
    }
}

/// Makes a row of `k` floats integers. A row with a value that is not finite gets the scale NaN, so
/// that it shows; one below the range in which 127 / max is finite is a row of zeros.
#[inline(always)]
unsafe fn quantise_row<S: Simd>(s: S, from: *const f32, k: usize, to: *mut f32) {
    const LEAST: f32 = f32::MIN_POSITIVE * 256.0;
    // Adding 1.5 * 2^23 rounds to the nearest integer, ties to even, and puts it into the low bits.
    const MAGIC: f32 = 12582912.0;
    // SAFETY: the caller's row has k floats, of which no more are read; `to` has room for the head
    // and for k bytes padded to whole vectors.
    unsafe {
        let at = |i: usize| s.load_first(from.add(i), LANES.min(k - i));
        let zero = s.splat(0.0);
        let (mut largest, mut poison) = (zero, zero);
        for i in (0..k).step_by(LANES) {
            let x = at(i);
            largest = s.max(s.abs(x), largest);
            poison = s.add(poison, s.mul(x, zero)); // NaN from the first that is not finite on
        }
        let largest = s.largest(largest);
        let small = largest < LEAST;
        let scale = if small { 0.0 } else { largest / 127.0 };
        let inverse = s.splat(if small { 0.0 } else { 127.0 / largest });
        let (magic, mut total) = (s.splat(MAGIC), s.splat_int(0));
        let bytes = to.add(HEAD).cast::<u8>();
        for i in (0..k).step_by(LANES) {
            let rounded = s.to_bits(s.add(s.mul(at(i), inverse), magic));
            let q = s.sub_int(rounded, s.to_bits(magic));
            total = s.add_int(total, q);
            s.store_bytes(bytes.add(i), q);
        }
        // The bytes up to the next multiple of four are those of zeros, which were loaded.
        let lanes = s.to_array(s.from_bits(total)).map(|lane| lane.to_bits().cast_signed());
        let total = lanes.into_iter().fold(0i32, i32::wrapping_add);
        *to = scale + s.sum(poison);
        *to.add(1).cast::<i32>() = total.wrapping_mul(-128);
    }
}

/// Runs the register tile of this size.
#[inline(always)]
unsafe fn select<S: Simd, D: Dot<S>>(s: S, d: D, job: &Job, tile: Tile) {
    // SAFETY: the tile is the caller's.
    unsafe {
        match tile.vecs {
            1 => select_rows::<S, D, 1>(s, d, job, tile),
            2 => select_rows::<S, D, 2>(s, d, job, tile),
            4 => select_rows::<S, D, 4>(s, d, job, tile),
            _ => select_rows::<S, D, MAX_VECTORS>(s, d, job, tile),
        }
    }
}

#[inline(always)]
unsafe fn select_rows<S: Simd, D: Dot<S>, const V: usize>(s: S, d: D, job: &Job, tile: Tile) {
    // SAFETY: the tile is the caller's.
    unsafe {
        match tile.rows {
            1 => multiply::<S, D, V, 1>(s, d, job, tile),
            2 => multiply::<S, D, V, 2>(s, d, job, tile),
            3 => multiply::<S, D, V, 3>(s, d, job, tile),
            4 => multiply::<S, D, V, 4>(s, d, job, tile),
            5 => multiply::<S, D, V, 5>(s, d, job, tile),
            6 => multiply::<S, D, V, 6>(s, d, job, tile),
            7 => multiply::<S, D, V, 7>(s, d, job, tile),
            8 => multiply::<S, D, V, 8>(s, d, job, tile),
            9 => multiply::<S, D, V, 9>(s, d, job, tile),
            10 => multiply::<S, D, V, 10>(s, d, job, tile),
            11 => multiply::<S, D, V, 11>(s, d, job, tile),
            _ => multiply::<S, D, V, MAX_ROWS>(s, d, job, tile),
        }
    }
}

/// C's tile, with all of its sums in registers.
unsafe fn multiply<S: Simd, D: Dot<S>, const V: usize, const R: usize>(
    s: S,
    d: D,
    job: &Job,
    tile: Tile,
) {
    // A tile that is too large for the registers is never selected; this keeps it from being built.
    if R * V > S::TILE_ROWS * S::TILE_VECTORS.max(2) {
        return;
    }
    d.vectorize(
        s,
        #[inline(always)]
        || {
            let &Job { gemm, memory, .. } = job;
            let (panel, pitch) = (gemm.panel, pitch(gemm.k));
            let rows = job.packed(tile.row).cast_const();
            let panels = memory.at(gemm.b + tile.vec * panel).cast_const();
            let bias = memory.at(gemm.bias.offset + tile.vec * gemm.bias.column);
            let to = &gemm.code.result;
            let c = to.of(memory, tile);
            // SAFETY: the tile lies inside C, and its operands have R rows, V panels and k terms,
            // as `check_gemm` and `check_vector_operand` have proved.
            unsafe {
                let mut sums = [[s.splat_int(0); V]; R];
                for (r, sums) in sums.iter_mut().enumerate() {
                    *sums = [s.splat_int(*rows.add(r * pitch + 1).cast()); V];
                }
                let (mut a, mut b) = (rows.add(HEAD).cast::<i32>(), panels.add(LANES));
                for _ in 0..gemm.k.div_ceil(4) {
                    let mut quads = [s.splat_int(0); V];
                    for (v, quads) in quads.iter_mut().enumerate() {
                        *quads = s.to_bits(s.load(b.add(v * panel)));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let q = s.splat_int(*a.add(r * pitch));
                        for (sum, &quads) in sums.iter_mut().zip(&quads) {
                            *sum = d.dot(s, *sum, quads, q);
                        }
                    }
                    a = a.wrapping_add(1);
                    b = b.wrapping_add(LANES);
                }
                for v in 0..V {
                    let scales = s.load(panels.add(v * panel));
                    let bias = s.load(bias.add(v * gemm.bias.column));
                    for (r, sums) in sums.iter().enumerate() {
                        let scale = s.mul(s.splat(*rows.add(r * pitch)), scales);
                        let value = s.mul_add(s.int_to_float(sums[v]), scale, bias);
                        s.store(c.add(r * to.row + v * to.vec), value);
                    }
                }
            }
        },
    );
}
