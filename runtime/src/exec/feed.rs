//! Data of the host that has been checked against the ports of a program. It comes as slices, one
//! for each port: what holds them, and where they were read, is no matter of the executor.

use super::RunError;
use super::row_map::RowMap;
use crate::program::{DType, Domain, Port, Program, Verified};
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
}

/// Data of which any row can be copied into the ports of the program that it is for.
pub(crate) struct Feed<'d> {
    pub(super) program: Arc<Verified>,
    rows: usize,
    pub(super) columns: Vec<Column<'d>>,
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

/// The data of one port and the port's place. Integers are kept as floats of the same bits, as they
/// are in the arena.
pub(super) struct Column<'d> {
    pub(super) data: Cow<'d, [f32]>,
    pub(super) place: RowMap,
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
        let mut feed = Feed::inputs(program, rows, inputs)?;
        feed.add("target", &program.program().targets, targets)?;
        Ok(feed)
    }

    /// Of the inputs alone.
    pub(crate) fn inputs<I>(
        program: &Arc<Verified>,
        rows: usize,
        inputs: I,
    ) -> Result<Feed<'d>, RunError>
    where
        I: IntoIterator<Item: Into<PortRows<'d>>, IntoIter: ExactSizeIterator>,
    {
        let mut feed = Feed { program: program.clone(), rows, columns: Vec::new() };
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
                PortValues::F32(values) => values,
                // Those of a vector stay in its place.
                PortValues::I32(values) => Cow::Owned(match values {
                    Cow::Owned(values) => stored_classes(values, port),
                    Cow::Borrowed(values) => stored_classes(values.iter().copied(), port),
                }),
            };
            self.columns.push(Column { data, place: RowMap::of(program.program(), port.buffer) });
        }
        Ok(())
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The targets with their values, integers as floats of the same bits.
    pub(crate) fn targets(&self) -> impl Iterator<Item = (&Port, &[f32])> {
        let program = self.program.program();
        let columns = self.columns.iter().skip(program.inputs.len());
        program.targets.iter().zip(columns).map(|(port, column)| (port, &*column.data))
    }

    /// Goes over all rows in their order, some at a time.
    pub(crate) fn each_block(&self, mut each: impl FnMut(&Block<'_>)) {
        let program = self.program.program();
        let ports = program.inputs.iter().chain(&program.targets);
        let widths: Vec<usize> = ports.map(|port| port.width as usize).collect();
        for start in (0..self.rows).step_by(BLOCK) {
            let rows = start..self.rows.min(start + BLOCK);
            let ports = self
                .values()
                .zip(&widths)
                .map(|(values, &width)| (&values[rows.start * width..rows.end * width], width));
            let ports = ports.collect();
            each(&Block { rows, ports });
        }
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
