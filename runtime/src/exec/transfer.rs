//! Data into and out of the arena without a search or an allocation: batches, predictions, and the
//! state that training changes.

use super::ahead::Coming;
use super::feed::{Feed, Store};
use super::{Executor, RunError};
use crate::program::{BufferId, Param, Program};
use std::sync::Arc;

impl Executor {
    /// Copies the rows of the data that are wanted now into the ports, in their order.
    ///
    /// # Errors
    /// Data in a file that cannot be read.
    ///
    /// # Panics
    /// If the data was checked against another program, or has no such row.
    #[inline]
    pub(crate) fn load(&mut self, feed: &mut Feed, coming: Coming<'_>) -> Result<(), RunError> {
        assert!(Arc::ptr_eq(&self.program, &feed.program), "data is fed to the program it is for");
        let rows = coming.now();
        assert!(rows.len() as u64 <= self.program().batch, "a batch fits into the plan");
        let first = feed.seek(&coming)?;
        for (index, column) in feed.columns.iter().enumerate() {
            let place = column.place;
            let (start, end) = place.extent(rows.len());
            let view = self.arena.floats_mut(start, end);
            match &column.data {
                Store::Memory(data) => {
                    for (i, &row) in rows.iter().enumerate() {
                        place.put_row(view, i, data, row as usize);
                    }
                }
                Store::File(_) => {
                    let data = feed.read_ahead(index);
                    place.put_all(view, &data[place.values(&(first..first + rows.len()))]);
                }
            }
        }
        Ok(())
    }

    /// Replaces `to` by a copy of all parameters and optimizer states, in the order of the arena.
    pub(crate) fn copy_state(&self, to: &mut Vec<f32>) {
        self.copy(Param::buffers, to);
    }

    /// Replaces `to` by a copy of all parameters.
    pub(crate) fn copy_params(&self, to: &mut Vec<f32>) {
        self.copy(|param| std::iter::once(param.buffer), to);
    }

    fn copy<'s, I: Iterator<Item = BufferId>>(
        &'s self,
        buffers: impl FnMut(&'s Param) -> I,
        to: &mut Vec<f32>,
    ) {
        to.clear();
        let program = self.program.program();
        for (start, end) in extents(program, program.params.iter().flat_map(buffers)) {
            to.extend_from_slice(self.arena.floats(start, end));
        }
    }

    /// Exchanges all parameters with those that [`Executor::copy_params`] copied.
    pub(crate) fn swap_params(&mut self, with: &mut [f32]) {
        let program = self.program.program();
        let mut with = with;
        for (start, end) in extents(program, program.params.iter().map(|param| param.buffer)) {
            let (own, rest) = with.split_at_mut(end - start);
            self.arena.floats_mut(start, end).swap_with_slice(own);
            with = rest;
        }
    }

    /// Puts back what [`Executor::copy_state`] copied.
    pub(crate) fn restore_state(&mut self, mut from: &[f32]) {
        let program = self.program.program();
        for (start, end) in extents(program, program.params.iter().flat_map(Param::buffers)) {
            let (own, rest) = from.split_at(end - start);
            self.arena.floats_mut(start, end).copy_from_slice(own);
            from = rest;
        }
    }
}

/// The floats of each of these buffers.
fn extents(
    program: &Program,
    ids: impl Iterator<Item = BufferId>,
) -> impl Iterator<Item = (usize, usize)> {
    ids.map(|id| {
        let buffer = &program.buffers[id.0 as usize];
        let start = buffer.offset as usize / 4;
        let bytes = buffer.bytes(program.batch).expect("a verified layout has a size");
        (start, start + bytes as usize / 4)
    })
}
