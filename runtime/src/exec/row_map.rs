//! Where the rows of the host's data lie in the arena, and copies of rows there and back.

use crate::program::{BufferId, Program};
use std::ops::Range;

/// Where the rows of data of a port or output lie.
#[derive(Clone, Copy)]
pub(super) struct RowMap {
    /// The first float in the arena.
    offset: usize,
    /// Stored rows for each row of data, and the elements meant of each.
    count: usize,
    cols: usize,
    /// From one stored row to the next.
    row: usize,
    /// From one element of a row to the next.
    step: usize,
}

impl RowMap {
    pub(super) fn of(program: &Program, id: BufferId) -> RowMap {
        let buffer = &program.buffers[id.0 as usize];
        // `verify` lets no port or output be in panels: both steps are even.
        let ((rows, cols), steps) = (buffer.layout.shape(), buffer.layout.steps());
        let [count, cols, row, step] =
            [rows.count, cols, steps.rows.step, steps.cols.step].map(|n| n as usize);
        RowMap { offset: buffer.offset as usize / 4, count, cols, row, step }
    }

    /// The values of a range of rows among those of all rows.
    #[inline]
    pub(super) fn values(self, rows: &Range<usize>) -> Range<usize> {
        let width = self.count * self.cols;
        rows.start * width..rows.end * width
    }

    /// Where `rows` rows of data lie, from the first float to the last.
    #[inline]
    pub(super) fn extent(self, rows: usize) -> (usize, usize) {
        let last = (rows * self.count).saturating_sub(1) * self.row + (self.cols - 1) * self.step;
        (self.offset, self.offset + last + 1)
    }

    /// Copies a stored row into the view of the extent. Indices, because iterators over chunks
    /// divide first, which a batch of one row feels.
    #[inline(always)]
    fn put(self, view: &mut [f32], row: usize, from: &[f32]) {
        if self.step == 1 {
            copy_row(&mut view[row * self.row..][..self.cols], from);
        } else {
            let column = view[row * self.row..].iter_mut().step_by(self.step);
            column.zip(from).for_each(|(to, from)| *to = *from);
        }
    }

    /// Copies a row of data to row `at` of the view of the extent.
    #[inline(always)]
    pub(super) fn put_row(self, view: &mut [f32], at: usize, data: &[f32], row: usize) {
        for part in 0..self.count {
            let from = &data[(row * self.count + part) * self.cols..][..self.cols];
            self.put(view, at * self.count + part, from);
        }
    }

    /// Copies the values of rows into the view of their extent.
    #[inline(always)]
    pub(super) fn put_all(self, view: &mut [f32], from: &[f32]) {
        for row in 0..from.len() / self.cols {
            self.put(view, row, &from[row * self.cols..][..self.cols]);
        }
    }

    /// Puts one of the values of rows into the view of their extent.
    #[inline(always)]
    pub(super) fn put_one(self, view: &mut [f32], index: usize, value: f32) {
        view[index / self.cols * self.row + index % self.cols * self.step] = value;
    }

    /// Copies the values of rows out of the view of their extent.
    #[inline(always)]
    pub(super) fn take_all(self, view: &[f32], to: &mut [f32]) {
        for row in 0..to.len() / self.cols {
            self.take(view, row, &mut to[row * self.cols..][..self.cols]);
        }
    }

    /// Copies a stored row out of the view of the extent.
    #[inline(always)]
    fn take(self, view: &[f32], row: usize, to: &mut [f32]) {
        if self.step == 1 {
            copy_row(to, &view[row * self.row..][..self.cols]);
        } else {
            let column = view[row * self.row..].iter().step_by(self.step);
            to.iter_mut().zip(column).for_each(|(to, from)| *to = *from);
        }
    }
}

/// A call of `memcpy` costs more than a few values.
#[inline(always)]
fn copy_row(to: &mut [f32], from: &[f32]) {
    const FEW: usize = 16;
    if from.len() > FEW {
        to.copy_from_slice(from);
    } else {
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}
