//! Data of the host that has been checked against the ports of a program. It comes as slices, one
//! for each port: what holds them, and where they were read, is no matter of the executor. Of a
//! table that is larger than memory it comes as files of values.

use super::RunError;
use super::ahead::{Ahead, Coming};
use super::row_map::RowMap;
use super::stored::Stored;
use crate::program::{DType, Domain, Port, Program, Verified};
use crate::spill::Spill;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The rows of a block.
const BLOCK: usize = 4096;

/// The rows of one port: borrowed, or taken over.
pub(crate) struct PortRows<'d> {
    /// The values in a row.
    pub(crate) width: usize,
    /// The values, row after row.
    pub(crate) values: PortValues<'d>,
}

/// The values of one port.
pub(crate) enum PortValues<'d> {
    /// Real numbers.
    F32(Cow<'d, [f32]>),
    /// The numbers of classes, or of names their positions.
    I32(Cow<'d, [i32]>),
    /// Either of them, in a file.
    File(Arc<Spill>),
}

/// Data of which any row can be copied into the ports of the program that it is for.
pub(crate) struct Feed<'d> {
    pub(super) program: Arc<Verified>,
    rows: usize,
    /// Those of the inputs, then those of the targets.
    pub(super) columns: Vec<Column<'d>>,
    /// What reads the columns that are in files.
    ahead: Option<Box<Ahead>>,
}

/// Some rows of a feed.
pub(crate) struct Block<'f> {
    /// Which they are.
    pub(crate) rows: Range<usize>,
    /// The values of each port and how many of them are a row, integers as floats of the same bits.
    ports: Vec<(&'f [f32], usize)>,
}

impl Block<'_> {
    /// The values of one of its rows, counted from its first, port by port.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = &[f32]> {
        self.ports.iter().map(move |(values, width)| &values[row * width..][..*width])
    }
}

/// The data of one port and the port's place.
pub(super) struct Column<'d> {
    pub(super) data: Store<'d>,
    pub(super) place: RowMap,
}

/// Values, of which integers are kept as floats of the same bits, as they are in the arena.
pub(super) enum Store<'d> {
    Memory(Cow<'d, [f32]>),
    File(Stored),
}

impl<'d> Feed<'d> {
    /// Of so many rows of all inputs and targets, in the order of the ports.
    pub(crate) fn new<I, T>(
        program: &Arc<Verified>,
        rows: usize,
        inputs: I,
        targets: T,
    ) -> Result<Feed<'d>, RunError>
    where
        I: IntoIterator<Item: Into<PortRows<'d>>, IntoIter: ExactSizeIterator>,
        T: IntoIterator<Item: Into<PortRows<'d>>, IntoIter: ExactSizeIterator>,
    {
        let mut feed = Feed::of_inputs(program, rows, inputs)?;
        feed.add("target", &program.program().targets, targets)?;
        Ok(feed)
    }

    /// Of the inputs alone.
    pub(crate) fn of_inputs<I>(
        program: &Arc<Verified>,
        rows: usize,
        inputs: I,
    ) -> Result<Feed<'d>, RunError>
    where
        I: IntoIterator<Item: Into<PortRows<'d>>, IntoIter: ExactSizeIterator>,
    {
        let mut feed = Feed { program: program.clone(), rows, columns: Vec::new(), ahead: None };
        feed.add("input", &program.program().inputs, inputs)?;
        Ok(feed)
    }

    fn add<I>(&mut self, kind: &str, ports: &[Port], given: I) -> Result<(), RunError>
    where
        I: IntoIterator<Item: Into<PortRows<'d>>, IntoIter: ExactSizeIterator>,
    {
        let given = given.into_iter();
        if given.len() != ports.len() {
            let (takes, has) = (ports.len(), given.len());
            let message = format!("of {kind}s, the net takes {takes} and the data has {has}");
            return Err(RunError::Value(message));
        }
        let program = self.program.clone();
        for (port, given) in ports.iter().zip(given) {
            let given = given.into();
            check_rows(program.program(), port, &given, self.rows)?;
            let data = match given.values {
                PortValues::F32(values) => Store::Memory(values),
                // Those of a vector stay in its place.
                PortValues::I32(values) => Store::Memory(Cow::Owned(match values {
                    Cow::Owned(values) => stored_classes(values, port),
                    Cow::Borrowed(values) => stored_classes(values.iter().copied(), port),
                })),
                PortValues::File(spill) => Store::File(Stored::new(spill, port)),
            };
            self.columns.push(Column { data, place: RowMap::of(program.program(), port.buffer) });
        }
        self.ahead = Ahead::of(&self.columns).map(Box::new);
        Ok(())
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The ports, inputs and then targets, of which this has the values.
    pub(crate) fn ports(&self) -> impl Iterator<Item = &Port> {
        let program = self.program.program();
        program.inputs.iter().chain(&program.targets).take(self.columns.len())
    }

    /// Goes over all rows in their order, some at a time.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn each_block(&self, mut each: impl FnMut(&Block<'_>)) -> Result<(), RunError> {
        let widths: Vec<usize> = self.ports().map(|port| port.width as usize).collect();
        let mut read = vec![Vec::new(); self.columns.len()];
        let mut bytes = Vec::new();
        for start in (0..self.rows).step_by(BLOCK) {
            let rows = start..self.rows.min(start + BLOCK);
            for (column, to) in self.columns.iter().zip(&mut read) {
                if let Store::File(stored) = &column.data {
                    stored.replace(rows.clone(), to, &mut bytes)?;
                }
            }
            let own = self.columns.iter().zip(&read).map(|(column, read)| match &column.data {
                Store::Memory(values) => &values[column.place.values(&rows)],
                Store::File(_) => &read[..],
            });
            let ports = own.zip(widths.iter().copied()).collect();
            each(&Block { rows, ports });
        }
        Ok(())
    }

    /// How many of them are inputs.
    pub(crate) fn input_count(&self) -> usize {
        self.program.program().inputs.len()
    }

    /// The bytes that all values take in memory.
    pub(crate) fn bytes(&self) -> u64 {
        let of_column = |column: &Column| match &column.data {
            Store::Memory(values) => size_of_val(&**values) as u64,
            Store::File(_) => 0,
        };
        let ahead = self.ahead.as_ref().map_or(0, |ahead| ahead.bytes());
        self.columns.iter().map(of_column).sum::<u64>() + ahead
    }

    /// Lets what is read ahead of files take so many bytes more.
    pub(crate) fn add_room(&mut self, bytes: u64) {
        self.ahead.iter_mut().for_each(|ahead| ahead.add_room(bytes));
    }

    /// Goes over the values of a port in blocks of rows, each with the first of them. Integers are
    /// floats of the same bits.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn each_block_of(
        &self,
        port: usize,
        mut each: impl FnMut(usize, &[f32]),
    ) -> Result<(), RunError> {
        match &self.columns[port].data {
            Store::Memory(values) => each(0, values),
            Store::File(stored) => stored.each_block(self.rows, each)?,
        }
        Ok(())
    }

    /// Adds the values of some rows of a port to `to`.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn add_rows(
        &self,
        port: usize,
        rows: impl Iterator<Item = usize>,
        to: &mut Vec<f32>,
    ) -> Result<(), RunError> {
        let Column { data, place } = &self.columns[port];
        for row in rows {
            match data {
                Store::Memory(values) => {
                    to.extend_from_slice(&values[place.values(&(row..row + 1))]);
                }
                Store::File(stored) => stored.add_row(row, to)?,
            }
        }
        Ok(())
    }

    /// Where the rows that are wanted now are among those that have been read from files.
    #[inline]
    pub(super) fn seek(&mut self, coming: &Coming<'_>) -> Result<usize, RunError> {
        match &mut self.ahead {
            None => Ok(0),
            Some(ahead) => ahead.seek(coming),
        }
    }

    /// The rows of a column that have been read from its file.
    pub(super) fn read_ahead(&self, column: usize) -> &[f32] {
        self.ahead.as_ref().map_or(&[], |ahead| ahead.values(column))
    }
}

/// Classes as the arena holds them.
fn stored_classes(values: impl IntoIterator<Item = i32>, port: &Port) -> Vec<f32> {
    values.into_iter().map(|class| stored_class(class, port)).collect()
}

/// A class as the arena holds it: an index from 0 on, as a float of the same bits.
#[inline]
pub(super) fn stored_class(class: i32, port: &Port) -> f32 {
    f32::from_bits(port.index(class) as u32)
}

/// Checks that the rows are what a port takes. The kernels rely on the bounds of class indices.
fn check_rows(
    program: &Program,
    port: &Port,
    given: &PortRows<'_>,
    rows: usize,
) -> Result<(), RunError> {
    let name = &port.name;
    let width = port.width as usize;
    let dtype = program.buffers[port.buffer.0 as usize].dtype;
    let (len, given_dtype) = match &given.values {
        PortValues::F32(values) => (values.len(), DType::F32),
        PortValues::I32(values) => (values.len(), DType::I32),
        PortValues::File(spill) => (usize::try_from(spill.len()).unwrap_or(0), spill.dtype()),
    };
    if given_dtype != dtype {
        return Err(wrong_type(port, dtype == DType::I32));
    }
    let message = if given.width != width || rows.checked_mul(width) != Some(len) {
        format!(
            "`{name}` takes {rows} rows of {width} values, not {len} values in rows of {}",
            given.width
        )
    } else {
        return match &given.values {
            PortValues::F32(values) => check_reals(port, values),
            PortValues::I32(values) => check_classes(port, values),
            // They have been checked when they were read, and classes are again.
            PortValues::File(_) => Ok(()),
        };
    };
    Err(RunError::Value(message))
}

/// Checks that every number is one that the port takes.
pub(super) fn check_reals(port: &Port, values: &[f32]) -> Result<(), RunError> {
    check_values(port, values, |value| port.takes_real(value))
}

/// Checks that every class is one that the port takes.
pub(super) fn check_classes(port: &Port, values: &[i32]) -> Result<(), RunError> {
    check_values(port, values, |class| port.takes_class(class))
}

fn check_values<T: Copy + fmt::Display>(
    port: &Port,
    values: &[T],
    takes: impl Fn(T) -> bool,
) -> Result<(), RunError> {
    let outside = |&value: &T| !takes(value);
    let Some(index) = values.iter().position(outside) else { return Ok(()) };
    let (name, row, value) = (&port.name, index as u64 / port.width, values[index]);
    Err(RunError::Value(match &port.domain {
        Domain::Any => format!("`{name}` is {value} in row {row}, and must be finite"),
        domain => format!("`{name}` is {value} in row {row}, outside {domain}"),
    }))
}

#[cold]
pub(super) fn wrong_type(port: &Port, integers: bool) -> RunError {
    let kinds = if integers { ["integers", "real numbers"] } else { ["real numbers", "integers"] };
    RunError::Value(format!("`{}` takes {}, not {}", port.name, kinds[0], kinds[1]))
}
