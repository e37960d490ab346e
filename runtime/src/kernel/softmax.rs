//! Softmax of each row, and its logarithm.
#![expect(unsafe_code, reason = "reads and writes rows of vectors")]

use super::place::{Extent, Part};
use super::sum::LaneSums;
use crate::arena::Memory;
use crate::simd::{LANES, Simd, math};

/// A softmax bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Softmax {
    /// The logits.
    pub x: usize,
    /// The probabilities.
    pub y: usize,
    /// The rows.
    pub rows: Extent,
    /// The classes.
    pub cols: usize,
    /// From one row to the next, or from one column to the next.
    pub stride: usize,
    /// Whether the classes are columns, of which there are at most [`LANES`].
    pub columns: bool,
    /// Whether the logarithm is wanted.
    pub log: bool,
}

impl Softmax {
    /// Computes this thread's rows at a batch of `n` rows. y = e^(x - max) / Σ e^(x - max), or its
    /// logarithm (x - max) - ln Σ e^(x - max).
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || {
                if self.columns {
                    // SAFETY: the contract is this function's.
                    return unsafe { self.run_columns(s, memory, n, part) };
                }
                for row in self.rows.own(n, part) {
                    // SAFETY: `check_softmax` has proved that x and y have these rows of whole
                    // vectors, and `check_overlaps` that they are the same or apart.
                    let y =
                        unsafe { copied_row(memory, self.x, self.y, row * self.stride, self.cols) };
                    let (largest, total) = normalizer(s, y, self.cols);
                    if self.log {
                        let shift = s.splat(largest);
                        let log = math::log(s, s.splat(total));
                        each(s, y, |x| s.sub(s.sub(x, shift), log));
                    } else {
                        let (shift, total) = (s.splat(largest), s.splat(total));
                        each(s, y, |x| s.div(math::exp(s, s.sub(x, shift)), total));
                    }
                }
            },
        );
    }

    /// Sixteen rows at once.
    #[inline(always)]
    unsafe fn run_columns<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        for row in self.rows.own(n, part).step_by(LANES) {
            // SAFETY: `rows_or_columns` has proved that x has at most sixteen columns, and `place`
            // that each holds its rows in whole vectors.
            let x = unsafe { Logits::load(s, memory, self.x + row, self.stride, self.cols) };
            let log = if self.log { math::log(s, x.total) } else { x.total };
            for class in 0..self.cols {
                let y = match self.log {
                    true => s.sub(s.sub(x.x[class], x.largest), log),
                    false => s.div(x.e[class], x.total),
                };
                // SAFETY: y lies as x does, as `check_softmax` has proved.
                unsafe { store(s, memory, self.y + class * self.stride + row, y) };
            }
        }
    }
}

/// A row of `cols` values and its padding at `to`, once it holds what lies at `from`; both are
/// `row` floats further on.
///
/// # Safety
/// Both rows lie inside the arena, in whole vectors, and are the same or apart; while the result
/// lives, nothing else touches the row at `to`.
#[inline(always)]
pub unsafe fn copied_row<'a>(
    memory: Memory,
    from: usize,
    to: usize,
    row: usize,
    cols: usize,
) -> &'a mut [f32] {
    let width = cols.next_multiple_of(LANES);
    // SAFETY: the contract is this function's.
    unsafe {
        let lanes = memory.write(to + row, width);
        if from != to {
            lanes.copy_from_slice(memory.read(from + row, width));
        }
        lanes
    }
}

/// The logits of sixteen rows, a row in each lane, with what normalises them: the same bits as
/// [`normalizer`] gives a single row, whose lanes are the classes.
pub struct Logits<S: Simd> {
    /// The logits by class; -inf for classes that are not there.
    pub x: [S::F; LANES],
    /// e^(x - largest); 0 for classes that are not there.
    pub e: [S::F; LANES],
    /// The largest logit.
    pub largest: S::F,
    /// The sum of `e`.
    pub total: S::F,
}

impl<S: Simd> Logits<S> {
    /// Loads the rows that begin at `first` in each of `cols` columns.
    ///
    /// # Safety
    /// There are at most sixteen columns, and each has a whole vector there.
    #[inline(always)]
    pub unsafe fn load(
        s: S,
        memory: Memory,
        first: usize,
        stride: usize,
        cols: usize,
    ) -> Logits<S> {
        let (mut x, mut e) = ([s.splat(f32::NEG_INFINITY); LANES], [s.splat(0.0); LANES]);
        for (class, x) in x.iter_mut().enumerate().take(cols) {
            // SAFETY: the contract is this function's.
            *x = unsafe { load(s, memory, first + class * stride) };
        }
        let largest = tree(x, |a, b| s.max(a, b));
        for (e, &x) in e.iter_mut().zip(&x).take(cols) {
            *e = math::exp(s, s.sub(x, largest));
        }
        Logits { x, e, largest, total: tree(e, |a, b| s.add(a, b)) }
    }
}

/// Joins sixteen values by the tree of [`Simd::sum`].
#[inline(always)]
fn tree<F: Copy>(mut values: [F; LANES], join: impl Fn(F, F) -> F) -> F {
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            values[i] = join(values[i], values[i + half]);
        }
    }
    values[0]
}

/// Sixteen floats of a column.
///
/// # Safety
/// They lie inside the arena, and nothing writes them meanwhile.
#[inline(always)]
pub unsafe fn load<S: Simd>(s: S, memory: Memory, offset: usize) -> S::F {
    // SAFETY: the contract is this function's.
    unsafe { s.load(memory.at(offset)) }
}

/// Writes sixteen floats of a column.
///
/// # Safety
/// They lie inside the arena, and nothing else touches them meanwhile.
#[inline(always)]
pub unsafe fn store<S: Simd>(s: S, memory: Memory, offset: usize, values: S::F) {
    // SAFETY: the contract is this function's.
    unsafe { s.store(memory.at(offset), values) }
}

/// Replaces each vector of a row by `f` of it.
#[inline(always)]
pub fn each<S: Simd>(s: S, row: &mut [f32], f: impl Fn(S::F) -> S::F) {
    for lanes in row.as_chunks_mut().0 {
        *lanes = s.to_array(f(s.from_array(*lanes)));
    }
}

/// The largest of the first `cols` elements of a row, and Σ e^(x - largest).
#[inline(always)]
pub fn normalizer<S: Simd>(s: S, row: &[f32], cols: usize) -> (f32, f32) {
    let present = |vec: usize| s.first((cols - vec * LANES).min(LANES));
    let mut largest = s.splat(f32::NEG_INFINITY);
    for (vec, lanes) in row.as_chunks().0.iter().enumerate() {
        // max gives its second operand where either is NaN, so that a NaN is not lost.
        let x = s.select(present(vec), s.from_array(*lanes), s.splat(f32::NEG_INFINITY));
        largest = s.max(largest, x);
    }
    let largest = s.largest(largest);
    let mut total = LaneSums::new(s);
    for (vec, lanes) in row.as_chunks().0.iter().enumerate() {
        let e = math::exp(s, s.sub(s.from_array(*lanes), s.splat(largest)));
        total.add(s.select(present(vec), e, s.splat(0.0)));
    }
    (largest, total.sum())
}
