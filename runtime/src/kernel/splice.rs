//! Elements of some buffers put together, whole numbers as floats, and where the largest element of
//! a row is.
#![expect(unsafe_code, reason = "reads and writes elements and vectors")]

use super::place::{Extent, List, Part};
use crate::arena::Memory;
use crate::simd::{LANES, Simd};

/// Pieces of groups bound to places.
#[derive(Clone, Debug, Default)]
pub struct Splice {
    /// The groups.
    pub groups: Extent,
    /// What each group of the result is filled with.
    pub pieces: Vec<Piece>,
    /// The result.
    pub y: Groups,
    /// Whether it is one number, which is held in all lanes.
    pub is_number: bool,
}

/// What a part of each group is filled with.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Whose elements; zeros without.
    pub x: Option<Groups>,
    /// The first of them in its group.
    pub from: usize,
    /// How many.
    pub len: usize,
}

/// A buffer as groups of elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Groups {
    /// Its first element.
    pub offset: usize,
    /// The elements of a row.
    pub cols: usize,
    /// From one row to the next.
    pub stride: usize,
    /// The elements of a group, whole rows or a part of one.
    pub size: usize,
}

impl Groups {
    /// The place of an element, and how many from there on are in its row.
    #[inline(always)]
    fn at(&self, element: usize) -> (usize, usize) {
        let (row, col) = (element / self.cols, element % self.cols);
        (self.offset + row * self.stride + col, self.cols - col)
    }
}

impl Splice {
    /// Fills this thread's groups at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || {
                for group in self.groups.own(n, part) {
                    let mut to = group * self.y.size;
                    for piece in &self.pieces {
                        let from = piece.x.map(|x| (x, group * x.size + piece.from));
                        // SAFETY: `check` of program/src/kernel/splice.rs has proved that the group
                        // of y holds all pieces, and those of their buffers these elements, and
                        // `check_overlaps` that y is apart from them.
                        unsafe { self.copy(s, memory, from, to, piece.len) };
                        to += piece.len;
                    }
                }
                if self.is_number {
                    // SAFETY: one number has a whole vector, which is this thread's alone.
                    unsafe { memory.write(self.y.offset, LANES).fill(*memory.at(self.y.offset)) };
                }
            },
        );
    }

    /// Copies elements one after another, each row's part of them at once.
    #[inline(always)]
    unsafe fn copy<S: Simd>(
        &self,
        s: S,
        memory: Memory,
        mut from: Option<(Groups, usize)>,
        mut to: usize,
        mut len: usize,
    ) {
        while len > 0 {
            let (y, room) = self.y.at(to);
            let mut run = room.min(len);
            let source = from.map(|(x, element)| x.at(element));
            if let Some((_, left)) = source {
                run = run.min(left);
            }
            for start in (0..run).step_by(LANES) {
                let count = (run - start).min(LANES);
                // SAFETY: the contract is this function's.
                unsafe {
                    let lanes = match source {
                        Some((x, _)) => s.load_first(memory.at(x + start), count),
                        None => s.splat(0.0),
                    };
                    s.store_first(memory.at(y + start), lanes, count);
                }
            }
            from = from.map(|(x, element)| (x, element + run));
            (to, len) = (to + run, len - run);
        }
    }
}

/// Whole numbers bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whole {
    /// The indices; without, the position of each element is its number.
    pub index: Option<List>,
    /// The numbers.
    pub y: usize,
    /// From one row of them to the next.
    pub stride: usize,
    /// Their rows.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
}

impl Whole {
    /// Writes this thread's numbers at a batch of `n` rows, each in all lanes that follow it.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run<S: Simd>(&self, s: S, memory: Memory, n: usize, part: Part) {
        s.vectorize(
            #[inline(always)]
            || match self.index {
                Some(index) => {
                    for row in self.rows.own(n, part) {
                        // SAFETY: `check` of program/src/kernel/whole.rs has proved that y has
                        // these rows of whole vectors, each with an index, and `check_overlaps`
                        // that they are apart.
                        unsafe {
                            let whole = *memory.at(index.at(row)).cast::<i32>();
                            s.store(memory.at(self.y + row * self.stride), s.splat(whole as f32));
                        }
                    }
                }
                None => {
                    let lanes = s.from_array(std::array::from_fn(|lane| lane as f32));
                    for first in (0..self.cols).step_by(LANES) {
                        let numbers = s.add(lanes, s.splat(first as f32));
                        // SAFETY: the same, and y is one row.
                        unsafe { s.store(memory.at(self.y + first), numbers) };
                    }
                }
            },
        );
    }
}

/// Where the largest elements are, bound to places.
#[derive(Clone, Copy, Debug, Default)]
pub struct Argmax {
    /// The rows.
    pub x: usize,
    /// A position a row.
    pub y: List,
    /// How many rows.
    pub rows: Extent,
    /// The elements of each.
    pub cols: usize,
    /// From one row to the next.
    pub stride: usize,
}

impl Argmax {
    /// Computes this thread's positions at a batch of `n` rows.
    ///
    /// # Safety
    /// It is bound for this memory from a verified program planned for at least `n` rows.
    pub unsafe fn run(&self, memory: Memory, n: usize, part: Part) {
        for row in self.rows.own(n, part) {
            // SAFETY: `check` of program/src/kernel/argmax.rs has proved that x has these rows and
            // that y has an element for each, and `check_overlaps` that they are apart.
            unsafe {
                let x = memory.read(self.x + row * self.stride, self.cols);
                *memory.at(self.y.at(row)) = first_largest(x) as f32;
            }
        }
    }
}

/// The position of the first largest element.
#[inline(always)]
pub fn first_largest(x: &[f32]) -> usize {
    (1..x.len()).fold(0, |best, i| if x[i] > x[best] { i } else { best })
}
