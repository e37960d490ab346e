//! Data into and out of the arena without a search or an allocation: batches, predictions, and the
//! state that training changes.

use super::{Executor, RunError};
use crate::data::{Array, Dataset, Values};
use crate::program::{BufferId, DType, Domain, Layout, Port, Program, Verified};
use std::borrow::{Borrow, Cow};
use std::fmt;
use std::iter;
use std::sync::Arc;

/// Data that has been checked against the ports of a program, so that any of its rows can be copied
/// into them.
pub(crate) struct Feed<'d> {
    program: Arc<Verified>,
    rows: usize,
    columns: Vec<Column<'d>>,
}

/// The data of one port and the port's place. Integers are kept as floats of the same bits, as they
/// are in the arena.
struct Column<'d> {
    data: Cow<'d, [f32]>,
    place: Place,
}

/// Where the rows of data of a port or output lie.
#[derive(Clone, Copy)]
struct Place {
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
    fn of(program: &Program, id: BufferId) -> Place {
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

impl<'d> Feed<'d> {
    /// Borrows the inputs and the targets.
    pub(crate) fn new(program: &Arc<Verified>, data: &'d Dataset) -> Result<Feed<'d>, RunError> {
        let mut feed = Feed::inputs(program, &data.inputs, data.rows)?;
        feed.add("target", &program.program().targets, &data.targets, borrow)?;
        Ok(feed)
    }

    /// Borrows the inputs alone.
    pub(crate) fn inputs(
        program: &Arc<Verified>,
        arrays: &'d [Array],
        rows: usize,
    ) -> Result<Feed<'d>, RunError> {
        let mut feed = Feed { program: program.clone(), rows, columns: Vec::new() };
        feed.add("input", &program.program().inputs, arrays, borrow)?;
        Ok(feed)
    }

    fn add<A: Borrow<Array>>(
        &mut self,
        kind: &str,
        ports: &[Port],
        arrays: impl IntoIterator<Item = A, IntoIter: ExactSizeIterator>,
        floats: impl Fn(A, &Domain) -> Cow<'d, [f32]>,
    ) -> Result<(), RunError> {
        let arrays = arrays.into_iter();
        if arrays.len() != ports.len() {
            let (takes, has) = (ports.len(), arrays.len());
            let message = format!("of {kind}s, the net takes {takes} and the data has {has}");
            return Err(RunError::Value(message));
        }
        let program = self.program.clone();
        for (port, array) in ports.iter().zip(arrays) {
            check_array(program.program(), port, array.borrow(), self.rows)?;
            let place = Place::of(program.program(), port.buffer);
            self.columns.push(Column { data: floats(array, &port.domain), place });
        }
        Ok(())
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The bytes of all values.
    pub(crate) fn bytes(&self) -> u64 {
        self.values().map(|values| size_of_val(values) as u64).sum()
    }

    /// The values of each port, integers as floats of the same bits.
    pub(crate) fn values(&self) -> impl Iterator<Item = &[f32]> {
        self.columns.iter().map(|column| &*column.data)
    }
}

impl Feed<'static> {
    /// Takes the inputs and the targets over.
    pub(crate) fn owned(program: &Arc<Verified>, data: Dataset) -> Result<Feed<'static>, RunError> {
        let ports = program.program();
        let mut feed = Feed { program: program.clone(), rows: data.rows, columns: Vec::new() };
        let take = |array: Array, domain: &Domain| match array.data {
            Values::F32(values) => Cow::Owned(values),
            Values::I32(values) => Cow::Owned(stored_classes(values, domain)),
        };
        feed.add("input", &ports.inputs, data.inputs, take)?;
        feed.add("target", &ports.targets, data.targets, take)?;
        Ok(feed)
    }
}

fn borrow<'d>(array: &'d Array, domain: &Domain) -> Cow<'d, [f32]> {
    match &array.data {
        Values::F32(values) => Cow::Borrowed(values),
        Values::I32(values) => Cow::Owned(stored_classes(values.iter().copied(), domain)),
    }
}

/// Classes as the arena holds them; those of a vector stay in its place.
fn stored_classes(values: impl IntoIterator<Item = i32>, domain: &Domain) -> Vec<f32> {
    let low = domain.first_class();
    values.into_iter().map(|class| stored_class(class, low)).collect()
}

/// A class of a domain that begins at `low`, as the arena holds it: an index from 0 on, as a float
/// of the same bits.
pub(super) fn stored_class(class: i32, low: i64) -> f32 {
    f32::from_bits((i64::from(class) - low) as u32)
}

/// Checks that an array is what a port takes. The kernels rely on the bounds of class indices.
fn check_array(program: &Program, port: &Port, array: &Array, rows: usize) -> Result<(), RunError> {
    let name = &port.name;
    let width = port.width as usize;
    let dtype = program.buffers[port.buffer.0 as usize].dtype;
    let (len, given) = match &array.data {
        Values::F32(values) => (values.len(), DType::F32),
        Values::I32(values) => (values.len(), DType::I32),
    };
    let kind = |dtype| if dtype == DType::F32 { "real numbers" } else { "integers" };
    let message = if given != dtype {
        format!("`{name}` takes {}, not {}", kind(dtype), kind(given))
    } else if array.width != width || rows.checked_mul(width) != Some(len) {
        format!(
            "`{name}` takes {rows} rows of {width} values, not {len} values in rows of {}",
            array.width
        )
    } else {
        return check_values(port, &array.data);
    };
    Err(RunError::Value(message))
}

/// Checks that every value is finite and in the port's domain.
fn check_values(port: &Port, values: &Values) -> Result<(), RunError> {
    match values {
        Values::I32(values) => check_classes(port, values),
        Values::F32(values) => {
            let inside = |&value: &f32| port.domain.contains(f64::from(value));
            first_outside(port, values.iter().position(|value| !inside(value)), values)
        }
    }
}

/// Checks that every class is in the port's domain.
pub(super) fn check_classes(port: &Port, values: &[i32]) -> Result<(), RunError> {
    let (low, count) = (port.domain.first_class(), port.domain.classes().unwrap_or(0));
    let inside = |&class: &i32| u64::try_from(i64::from(class) - low).is_ok_and(|at| at < count);
    first_outside(port, values.iter().position(|class| !inside(class)), values)
}

/// The error of the value at `index`, if there is one.
fn first_outside<T: fmt::Display>(
    port: &Port,
    index: Option<usize>,
    values: &[T],
) -> Result<(), RunError> {
    let Some(index) = index else { return Ok(()) };
    let (name, row, value) = (&port.name, index as u64 / port.width, &values[index]);
    Err(RunError::Value(match &port.domain {
        Domain::Any => format!("`{name}` is {value} in row {row}, and must be finite"),
        domain => format!("`{name}` is {value} in row {row}, outside {domain}"),
    }))
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
