//! Makes a matrix of random numbers one whose columns or rows are at right angles.
#![expect(unsafe_code, reason = "reads and writes the vectors of a matrix")]

use crate::arena::Memory;
use crate::program::Layout;
use crate::simd::{LANES, Simd};

/// A matrix in its place, in rows or in panels.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    offset: usize,
    /// From a row to the next.
    row: usize,
    /// From a vector of a row to the next.
    vector: usize,
    rows: usize,
    cols: usize,
}

/// The chains that a sum down the columns consists of, which hide the time that an addition takes.
const CHAINS: usize = 4;

impl Matrix {
    /// The matrix of that layout, which has no rows for those of the batch.
    pub fn new(offset: usize, layout: Layout) -> Matrix {
        let (steps, (rows, cols)) = (layout.steps(), layout.shape());
        let (row, vector) = (steps.rows.step as usize, steps.vector as usize);
        Matrix { offset, row, vector, rows: rows.count as usize, cols: cols as usize }
    }

    /// Makes the columns orthonormal, or the rows where these are fewer, and multiplies them by
    /// `gain`: torch.nn.init.orthogonal_.
    ///
    /// It is the modified method of Gram and Schmidt: each vector in turn gets the length 1, and
    /// its part is taken out of all that follow. That is the Q of a QR decomposition with a
    /// positive diagonal of R, which of normal numbers is any such matrix with the same chance
    /// (Mezzadri: How to Generate Random Matrices from the Classical Compact Groups; Notices of the
    /// AMS 54, 2007). The last vectors are small differences of large ones, so all is done again:
    /// after twice, they are at right angles to rounding (Parlett: The Symmetric Eigenvalue
    /// Problem, 1980, section 6.9, after Kahan).
    ///
    /// # Safety
    /// The matrix lies inside the memory, and nothing else reads or writes it.
    #[inline(always)]
    pub unsafe fn orthonormalize<S: Simd>(&self, s: S, memory: Memory, gain: f32) {
        // SAFETY: the contract is this function's, and each element is one of the matrix.
        unsafe {
            for _ in 0..2 {
                if self.rows < self.cols {
                    (0..self.rows).for_each(|row| self.take_row(s, memory, row));
                } else {
                    (0..self.cols).for_each(|col| self.take_column(s, memory, col));
                }
            }
            for (row, col) in self.elements() {
                *memory.at(self.at(row, col)) *= gain;
            }
        }
    }

    fn elements(&self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.rows).flat_map(|row| (0..self.cols).map(move |col| (row, col)))
    }

    /// The place of an element.
    #[inline(always)]
    fn at(&self, row: usize, col: usize) -> usize {
        self.offset + row * self.row + col / LANES * self.vector + col % LANES
    }

    /// The elements of a row that lie in its vector of this number.
    #[inline(always)]
    fn lanes(&self, vector: usize) -> usize {
        (self.cols - vector * LANES).min(LANES)
    }

    /// Gives some elements the length 1.
    #[inline(always)]
    unsafe fn normalize(&self, memory: Memory, places: impl Iterator<Item = usize> + Clone) {
        // SAFETY: the places are of elements, as for the caller.
        unsafe {
            let squares = places.clone().map(|at| f64::from(*memory.at(at)).powi(2));
            let length = squares.sum::<f64>().sqrt();
            // A vector of zeros, which is next to impossible, stays one.
            let factor = if length > 0.0 { 1.0 / length } else { 0.0 };
            for at in places {
                *memory.at(at) = (f64::from(*memory.at(at)) * factor) as f32;
            }
        }
    }

    /// Normalises a column, and takes its part out of those that follow.
    #[inline(always)]
    unsafe fn take_column<S: Simd>(&self, s: S, memory: Memory, col: usize) {
        // SAFETY: as in `orthonormalize`; a vector has as many elements as it is said to have.
        unsafe {
            self.normalize(memory, (0..self.rows).map(|row| self.at(row, col)));
            for vector in col / LANES..self.cols.div_ceil(LANES) {
                let lanes = self.lanes(vector);
                let place = |row| memory.at(self.at(row, vector * LANES));
                let own = |row| s.splat(*memory.at(self.at(row, col)));
                let mut chains = [s.splat(0.0); CHAINS];
                for row in 0..self.rows {
                    let chain = &mut chains[row % CHAINS];
                    *chain = s.mul_add(own(row), s.load_first(place(row), lanes), *chain);
                }
                let [a, b, c, d] = chains;
                let part = s.add(s.add(a, b), s.add(c, d));
                // Of the vector that the column is in, those before it are done.
                let done = if vector == col / LANES { col % LANES + 1 } else { 0 };
                let part = s.select(s.first(done), s.splat(0.0), part);
                for row in 0..self.rows {
                    let rest = s.neg_mul_add(own(row), part, s.load_first(place(row), lanes));
                    s.store_first(place(row), rest, lanes);
                }
            }
        }
    }

    /// Normalises a row, and takes its part out of those that follow.
    #[inline(always)]
    unsafe fn take_row<S: Simd>(&self, s: S, memory: Memory, row: usize) {
        let vectors = self.cols.div_ceil(LANES);
        // SAFETY: as in `take_column`.
        unsafe {
            self.normalize(memory, (0..self.cols).map(|col| self.at(row, col)));
            let load = |row, vector| {
                s.load_first(memory.at(self.at(row, vector * LANES)), self.lanes(vector))
            };
            for other in row + 1..self.rows {
                let mut sum = s.splat(0.0);
                for vector in 0..vectors {
                    sum = s.mul_add(load(row, vector), load(other, vector), sum);
                }
                let part = s.splat(s.sum(sum));
                for vector in 0..vectors {
                    let rest = s.neg_mul_add(load(row, vector), part, load(other, vector));
                    let to = memory.at(self.at(other, vector * LANES));
                    s.store_first(to, rest, self.lanes(vector));
                }
            }
        }
    }
}
