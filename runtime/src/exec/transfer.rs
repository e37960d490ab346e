//! Data into and out of the arena without a search or an allocation: batches, predictions, and the
//! state that training changes.

use super::feed::Feed;
use super::{Executor, RunError};
use crate::program::{BufferId, DType, Layout, Program};
use std::iter;
use std::sync::Arc;

/// Where the rows of data of a port or output lie.
#[derive(Clone, Copy)]
pub(super) struct Place {
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

impl Place {
    pub(super) fn of(program: &Program, id: BufferId) -> Place {
        let buffer = &program.buffers[id.0 as usize];
        let (rows, cols, row, step) = match buffer.layout {
            Layout::Rows { rows, cols, stride } => (rows, cols, stride, 1),
            Layout::Columns { rows, cols, stride } => (rows, cols, 1, stride),
            Layout::Panels { .. } | Layout::Quads { .. } => {
                unreachable!("`verify` lets no port or output be in panels")
            }
        };
        let [count, cols, row, step] = [rows.count, cols, row, step].map(|n| n as usize);
        Place { offset: buffer.offset as usize / 4, count, cols, row, step }
    }

    /// The elements in a row of data.
    fn width(self) -> usize {
        self.count * self.cols
    }

    /// Where `rows` rows of data lie, from the first float to the last.
    #[inline]
    fn extent(self, rows: usize) -> (usize, usize) {
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

impl Executor {
    /// Copies these rows of the data into the ports, in this order.
    ///
    /// # Panics
    /// If the data was checked against another program, or has no such row.
    #[inline]
    pub(crate) fn load(&mut self, feed: &Feed, rows: &[u32]) {
        assert!(Arc::ptr_eq(&self.program, &feed.program), "data is fed to the program it is for");
        assert!(rows.len() as u64 <= self.program().batch, "a batch fits into the plan");
        for column in &feed.columns {
            let (place, data) = (column.place, &*column.data);
            let (start, end) = place.extent(rows.len());
            let view = self.arena.floats_mut(start, end);
            let Place { count, cols, .. } = place;
            for (i, &row) in rows.iter().enumerate() {
                for j in 0..count {
                    let from = &data[(row as usize * count + j) * cols..][..cols];
                    place.put(view, i * count + j, from);
                }
            }
        }
    }

    /// Copies `rows` rows of real numbers into the `index`-th input.
    ///
    /// # Errors
    /// No such input, one of integers, another number of values, or more rows than planned for.
    pub fn write_input(&mut self, index: usize, rows: usize, data: &[f32]) -> Result<(), RunError> {
        let program = self.program.program();
        let Some(port) = program.inputs.get(index) else {
            let count = program.inputs.len();
            return Err(RunError::Value(format!("the net has {count} inputs, none at {index}")));
        };
        if program.buffers[port.buffer.0 as usize].dtype != DType::F32 {
            return Err(RunError::Value(format!("`{}` takes integers", port.name)));
        }
        let place = Place::of(program, port.buffer);
        check_size(program, &port.name, place, rows, data.len())?;
        let (start, end) = place.extent(rows);
        let view = self.arena.floats_mut(start, end);
        for row in 0..rows * place.count {
            place.put(view, row, &data[row * place.cols..][..place.cols]);
        }
        Ok(())
    }

    /// Copies `rows` rows of the `index`-th output out.
    ///
    /// # Errors
    /// No such output, another number of values, or more rows than planned for.
    pub fn read_output(&self, index: usize, rows: usize, data: &mut [f32]) -> Result<(), RunError> {
        let program = self.program.program();
        let Some(output) = program.outputs.get(index) else {
            let count = program.outputs.len();
            return Err(RunError::Value(format!("the net has {count} outputs, none at {index}")));
        };
        let place = Place::of(program, output.buffer);
        check_size(program, &output.name, place, rows, data.len())?;
        let (start, end) = place.extent(rows);
        let view = self.arena.floats(start, end);
        for row in 0..rows * place.count {
            place.take(view, row, &mut data[row * place.cols..][..place.cols]);
        }
        Ok(())
    }

    /// Replaces `to` by a copy of all parameters and optimizer states, in the order of the arena.
    pub(crate) fn copy_state(&self, to: &mut Vec<f32>) {
        to.clear();
        for (start, end) in state_extents(self.program.program()) {
            to.extend_from_slice(self.arena.floats(start, end));
        }
    }

    /// Puts back what [`Executor::copy_state`] copied.
    pub(crate) fn restore_state(&mut self, mut from: &[f32]) {
        for (start, end) in state_extents(self.program.program()) {
            let (own, rest) = from.split_at(end - start);
            self.arena.floats_mut(start, end).copy_from_slice(own);
            from = rest;
        }
    }
}

fn check_size(
    program: &Program,
    name: &str,
    place: Place,
    rows: usize,
    len: usize,
) -> Result<(), RunError> {
    let (batch, width) = (program.batch, place.width());
    if rows as u64 > batch {
        return Err(RunError::Value(format!("`{name}` is planned for {batch} rows, not {rows}")));
    }
    if rows.checked_mul(width) != Some(len) {
        let message = format!("`{name}` has {width} values a row, and {rows} rows are not {len}");
        return Err(RunError::Value(message));
    }
    Ok(())
}

/// The floats of each parameter and state.
fn state_extents(program: &Program) -> impl Iterator<Item = (usize, usize)> {
    let params = program.params.iter();
    let ids = params.flat_map(|param| iter::once(&param.buffer).chain(&param.states));
    ids.map(|id| {
        let buffer = &program.buffers[id.0 as usize];
        let start = buffer.offset as usize / 4;
        let bytes = buffer.bytes(program.batch).expect("a verified layout has a size");
        (start, start + bytes as usize / 4)
    })
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
