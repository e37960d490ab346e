//! Rows of an application's own into the ports, and outputs out, without a search or an allocation.

use super::feed::{check_classes, check_reals, stored_class, wrong_type};
use super::row_map::RowMap;
use super::{EntryPoint, Executor, RunError};
use crate::program::rows::crossing;
use crate::program::{DType, Domain, Origin, Output, Port, Program};
use crate::rows::{Rows, RowsMut, Slice};
use std::ops::Range;

/// The ports that values are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The inputs.
    Inputs,
    /// The targets.
    Targets,
}

impl Side {
    fn ports(self, program: &Program) -> &[Port] {
        match self {
            Side::Inputs => &program.inputs,
            Side::Targets => &program.targets,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Side::Inputs => "input",
            Side::Targets => "target",
        }
    }
}

impl Executor {
    /// The number of rows that values of all inputs or targets make. Classes are in their domains,
    /// which the steps rely on; real numbers may be anything.
    ///
    /// # Errors
    /// Values for other ports than there are, of another type, or of different numbers of rows, or
    /// a class outside its domain.
    pub fn count_rows<R: Rows + ?Sized>(&self, side: Side, values: &R) -> Result<usize, RunError> {
        let program = self.program.program();
        let ports = side.ports(program);
        if values.ports() != ports.len() {
            return Err(wrong_count(side.name(), ports.len(), values.ports()));
        }
        let mut rows = None;
        for (index, port) in ports.iter().enumerate() {
            let (slice, width) = (values.slice(index), port.width as usize);
            let integers = program.buffers[port.buffer.0 as usize].dtype == DType::I32;
            match slice {
                Slice::I32(classes) if integers => check_classes(port, classes)?,
                Slice::F32(_) if !integers => {}
                _ => return Err(wrong_type(port, integers)),
            }
            let own = slice.len() / width;
            if own * width != slice.len() {
                return Err(uneven(&port.name, width, slice.len()));
            }
            if *rows.get_or_insert(own) != own {
                return Err(wrong_len(&port.name, width, rows.unwrap_or(own), slice.len()));
            }
        }
        Ok(rows.unwrap_or(0))
    }

    /// Checks that every real number is finite and in the domain of its port.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check_reals<R: Rows + ?Sized>(&self, side: Side, values: &R) -> Result<(), RunError> {
        for (index, port) in side.ports(self.program.program()).iter().enumerate() {
            let Slice::F32(values) = values.slice(index) else { continue };
            // Without a branch for each, and so at the speed of memory.
            let finite = || values.iter().fold(true, |all, value| all & value.is_finite());
            if port.domain != Domain::Any || !finite() {
                check_reals(port, values)?;
            }
        }
        Ok(())
    }

    /// Copies a range of the rows of values, which have been counted, into all inputs or targets.
    ///
    /// # Panics
    /// If the range has more rows than the program is planned for, or the values have not so many.
    #[inline]
    pub fn put_rows<R: Rows + ?Sized>(&mut self, side: Side, values: &R, rows: Range<usize>) {
        let program = self.program.program();
        assert!(rows.len() as u64 <= program.batch, "a batch fits into the plan");
        for (index, port) in side.ports(program).iter().enumerate() {
            let place = RowMap::of(program, port.buffer);
            let (start, end) = place.extent(rows.len());
            let view = self.arena.floats_mut(start, end);
            match values.slice(index) {
                Slice::F32(values) => place.put_all(view, &values[place.values(&rows)]),
                Slice::I32(classes) => {
                    let classes = classes[place.values(&rows)].iter().enumerate();
                    let stored = |class| stored_class(class, port);
                    classes.for_each(|(at, &class)| place.put_one(view, at, stored(class)));
                }
            }
        }
    }

    /// Checks that rows are predicted independently of each other. The compiler makes no program
    /// where they are not, but a file may hold one.
    #[inline]
    pub(crate) fn check_rows(&self) -> Result<(), RunError> {
        if self.by_rows { Ok(()) } else { Err(crossed(self.program.program())) }
    }

    /// Predicts rows without a heap allocation, from values of all inputs into room for all
    /// outputs.
    ///
    /// # Errors
    /// No rows, values or room of the wrong number or size; or a program whose outputs depend on
    /// the rows that they are predicted with.
    pub(crate) fn predict_rows<I: Rows + ?Sized, O: RowsMut + ?Sized>(
        &mut self,
        inputs: &I,
        outputs: &mut O,
    ) -> Result<(), RunError> {
        self.check_rows()?;
        let rows = self.count_rows(Side::Inputs, inputs)?;
        self.check_room(rows, outputs)?;
        if rows == 0 {
            return Err(RunError::Value("there are no rows to predict".into()));
        }
        let batch = self.program().batch as usize;
        for first in (0..rows).step_by(batch) {
            let batch = first..rows.min(first.saturating_add(batch));
            self.put_rows(Side::Inputs, inputs, batch.clone());
            self.run(EntryPoint::Predict, batch.len())?;
            self.take_rows(outputs, batch);
        }
        Ok(())
    }

    /// Checks that the room for the outputs is that of so many rows.
    ///
    /// # Errors
    /// Room for other outputs than there are, or for another number of rows.
    pub fn check_room<R: RowsMut + ?Sized>(
        &self,
        rows: usize,
        room: &mut R,
    ) -> Result<(), RunError> {
        let outputs = &self.program.program().outputs;
        if room.outputs() != outputs.len() {
            return Err(wrong_count("output", outputs.len(), room.outputs()));
        }
        for (index, Output { name, width, .. }) in outputs.iter().enumerate() {
            let (width, len) = (*width as usize, room.slice_mut(index).len());
            if rows.checked_mul(width) != Some(len) {
                return Err(wrong_len(name, width, rows, len));
            }
        }
        Ok(())
    }

    /// Copies the outputs of a run into a range of the rows of their room, which has been checked.
    ///
    /// # Panics
    /// If the range has more rows than the program is planned for, or the room has not so many.
    #[inline]
    pub fn take_rows<R: RowsMut + ?Sized>(&self, room: &mut R, rows: Range<usize>) {
        let program = self.program.program();
        for (index, output) in program.outputs.iter().enumerate() {
            let place = RowMap::of(program, output.buffer);
            let (start, end) = place.extent(rows.len());
            let view = self.arena.floats(start, end);
            place.take_all(view, &mut room.slice_mut(index)[place.values(&rows)]);
        }
    }
}

#[cold]
fn crossed(program: &Program) -> RunError {
    let Some(step) = crossing(program) else { unreachable!("some step was found to cross rows") };
    let Origin { name, line, column } = &step.origin;
    RunError::Value(format!(
        "the program predicts no row on its own: `{name}` ({line}:{column}) goes over all rows of \
         a batch"
    ))
}

#[cold]
fn wrong_count(what: &str, takes: usize, given: usize) -> RunError {
    let s = if takes == 1 { "" } else { "s" };
    RunError::Value(format!("the net has {takes} {what}{s}, and the values are of {given}"))
}

#[cold]
fn uneven(name: &str, width: usize, len: usize) -> RunError {
    RunError::Value(format!("`{name}` takes {width} values a row, {len} are not whole rows"))
}

#[cold]
fn wrong_len(name: &str, width: usize, rows: usize, len: usize) -> RunError {
    RunError::Value(format!("`{name}` has {width} values a row, and {rows} rows are not {len}"))
}
