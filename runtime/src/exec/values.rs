//! The values of parameters and optimizer states in and out: row after row, whatever their layout,
//! and in pieces, so that nobody needs a copy of a whole buffer.

use super::stretch::{Order, Stretch, stretches};
use super::{Executor, RunError, narrow};
use crate::program::{Axis, Buffer, BufferId, DType, Layout};
use crate::weights::PIECE;
use std::ops::Range;

impl Executor {
    /// The bytes of a buffer.
    pub(super) fn extent(&self, id: BufferId) -> (Buffer, Range<usize>) {
        let program = self.program.program();
        let buffer = program.buffers[id.0 as usize];
        let bytes = buffer.bytes(program.batch).expect("a verified layout has a size");
        (buffer, buffer.offset as usize..(buffer.offset + bytes) as usize)
    }

    /// Appends the first `rows` rows of a buffer, `rows` of the batch, to `to`; those of a narrow
    /// weight widened.
    pub fn read_rows(&self, id: BufferId, rows: usize, to: &mut Vec<f32>) {
        let (_, layout) = self.buffer(id);
        let (rows, cols) = layout.size(rows as u64).expect("a verified layout has a size");
        self.read_values(id, 0..(rows * cols) as usize, to);
    }

    /// The values of a parameter or an optimizer state, row after row.
    pub fn read(&self, id: BufferId) -> Vec<f32> {
        let mut values = Vec::new();
        self.read_rows(id, self.program().batch as usize, &mut values);
        values
    }

    /// Appends a range of a buffer's values, which are counted row after row.
    pub(crate) fn read_values(&self, id: BufferId, range: Range<usize>, to: &mut Vec<f32>) {
        let (buffer, bytes) = self.extent(id);
        let layout = buffer.layout;
        let view = self.arena.bytes(bytes.start, bytes.end);
        let floats = self.arena.floats(bytes.start / 4, bytes.end / 4);
        for (row, cols) in rows_of(range, cols_of(layout)) {
            if buffer.dtype.is_narrow() {
                narrow::widen(&buffer, view, row, cols, to);
            } else if layout.steps().cols == Axis::even(1) {
                let start = layout.position(row as u64, cols.start as u64);
                to.extend_from_slice(&floats[start..start + cols.len()]);
            } else {
                to.extend(cols.map(|col| floats[layout.position(row as u64, col as u64)]));
            }
        }
    }

    /// Overwrites a parameter or an optimizer state, row after row; a narrow weight is rounded.
    ///
    /// # Errors
    /// Another number of values than the buffer has, or a buffer of integers: those are indices,
    /// which are checked as they are written to their port.
    pub fn write(&mut self, id: BufferId, values: &[f32]) -> Result<(), RunError> {
        let (rows, cols) = self.matrix(id);
        if self.extent(id).0.dtype == DType::I32 {
            return Err(RunError::Value("the buffer holds integers, not real numbers".into()));
        }
        if values.len() != rows * cols {
            let message = format!("{rows} x {cols} values are needed, not {}", values.len());
            return Err(RunError::Value(message));
        }
        for pass in self.passes(id) {
            self.write_piece(id, pass, Order::Rows, 0, values);
        }
        Ok(())
    }

    /// [`Executor::write`] of values that come in pieces, in this order: `values` appends a range
    /// of them, and may be asked more than once. After an error of it, the buffer holds anything.
    pub(crate) fn fill<E>(
        &mut self,
        id: BufferId,
        order: Order,
        piece: &mut Vec<f32>,
        mut values: impl FnMut(Range<usize>, &mut Vec<f32>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (rows, cols) = self.matrix(id);
        for pass in self.passes(id) {
            for start in (0..rows * cols).step_by(PIECE) {
                piece.clear();
                values(start..(rows * cols).min(start + PIECE), piece)?;
                self.write_piece(id, pass, order, start, piece);
            }
        }
        Ok(())
    }

    /// How often, and what for, all values of a buffer are gone through to write them.
    fn passes(&self, id: BufferId) -> impl Iterator<Item = Pass> + use<> {
        let (buffer, _) = self.extent(id);
        let measure = (buffer.dtype == DType::I8).then_some(Pass::Measure);
        measure.into_iter().chain([Pass::Write])
    }

    /// Goes through the values of a buffer from the `first` on, as they are counted in this order.
    fn write_piece(&mut self, id: BufferId, pass: Pass, order: Order, first: usize, from: &[f32]) {
        let (buffer, bytes) = self.extent(id);
        let stretches = stretches(buffer.layout, self.matrix(id), order, first, from);
        if buffer.dtype.is_narrow() {
            let view = self.arena.bytes_mut(bytes.start, bytes.end);
            if pass == Pass::Measure && first == 0 {
                narrow::forget_scales(&buffer, view);
            }
            stretches.for_each(|stretch| match pass {
                Pass::Measure => narrow::measure(&buffer, stretch, view),
                Pass::Write => narrow::round(&buffer, stretch, view),
            });
            return;
        }
        let view = self.arena.floats_mut(bytes.start / 4, bytes.end / 4);
        // One number is held in all lanes of its vector.
        if let (true, [value]) = (buffer.layout == Layout::scalar(), from) {
            view.fill(*value);
            return;
        }
        for Stretch { values, start, step, .. } in stretches {
            match step {
                1 => view[start..start + values.len()].copy_from_slice(values),
                step => {
                    let places = view[start..].iter_mut().step_by(step);
                    places.zip(values).for_each(|(place, value)| *place = *value);
                }
            }
        }
    }

    /// The rows and columns of a parameter or an optimizer state.
    fn matrix(&self, id: BufferId) -> (usize, usize) {
        let (buffer, _) = self.extent(id);
        let size = buffer.layout.size(self.program().batch);
        let (rows, cols) = size.expect("a verified layout has a size");
        (rows as usize, cols as usize)
    }
}

/// What the values of a buffer are gone through for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// To find the scales of 8-bit integers.
    Measure,
    /// To write them.
    Write,
}

fn cols_of(layout: Layout) -> usize {
    // The batch has no part in the size of a row.
    layout.size(1).expect("a verified layout has a size").1 as usize
}

/// The rows that a range of values touches, and which columns of each.
pub fn rows_of(range: Range<usize>, cols: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let (row, col) = (at.checked_div(cols)?, at.checked_rem(cols)?);
        let end = cols.min(col + (range.end - at));
        at += end - col;
        (col < end).then_some((row, col..end))
    })
}
