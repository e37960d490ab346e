//! Elements of some buffers put together.
#![expect(unsafe_code, reason = "copies vectors of elements")]

use super::place::{Extent, Part};
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
