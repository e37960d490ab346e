//! Tables in and out: what a model reads, and how its predictions are written.
//!
//! The readers take any bytes, hostile ones included: what they cannot read is a [`DataError`], and
//! memory grows only with what has really arrived. They hold a whole table in memory, or give it
//! in blocks (`read_blocks`). A model's inputs and targets come from one table of text (`tables`),
//! or each from a file of its own (`arrays`) or an array of an archive (`npz`). Every format is a
//! `Table` (table.rs) and a line in a list (format.rs).

mod array;
mod arrays;
mod bytes;
mod choice;
mod column_map;
mod columns;
#[cfg(feature = "csv")]
mod csv;
#[cfg(feature = "csv")]
mod dialect;
mod error;
mod field;
mod format;
mod header;
mod idx;
#[cfg(feature = "csv")]
mod jsonl;
mod keep;
#[cfg(feature = "csv")]
mod lines;
mod names;
mod npy;
#[cfg(feature = "gzip")]
mod npz;
mod numbers;
pub mod output;
mod packing;
#[cfg(feature = "parquet")]
mod parquet;
mod parts;
pub mod profile;
mod seat;
mod sinks;
mod spec;
mod suggest;
mod table;
mod tables;
pub mod twin;
mod unlisted;
#[cfg(feature = "gzip")]
mod zip;
#[cfg(feature = "zstd")]
mod zstd;

pub(crate) use array::Element;
pub use arrays::{read_arrays, read_arrays_of};
pub(crate) use bytes::Flaw;
pub use choice::{Choice, Words, methods};
pub use column_map::ColumnMap;
pub use error::DataError;
pub(crate) use error::{nearest, quoted, shown};
pub use keep::Kept;
pub use names::ColumnNames;
pub use numbers::NumberStyle;
pub use spec::{GroupSpec, TableSpec};
pub use tables::{read_blocks, read_blocks_of_files, read_csv, read_csv_file, read_csv_files};
pub use unlisted::Unlisted;

use crate::exec::{PortRows, PortValues};
pub use crate::program::{Column, Domain, MISSING, Missing};
use crate::program::{DType, Port, Program};
use crate::rows::{AsSlice, Slice};
use crate::spill::Spill;
use std::borrow::Cow;
use std::sync::Arc;

/// What a model wants from a table: an input or a target, `width` columns of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortSpec {
    /// The name in the model.
    pub name: String,
    /// How many columns a row of it takes.
    pub width: usize,
    /// Whether its values are whole numbers, stored as i32.
    pub integer: bool,
    /// What its values may be.
    pub domain: Domain,
    /// What becomes of a field without a value.
    pub missing: Missing,
    /// The columns that it takes, where the model says it.
    pub from: Vec<Column>,
}

impl PortSpec {
    /// What a program's inputs want.
    pub fn inputs(program: &Program) -> Vec<PortSpec> {
        program.inputs.iter().map(|port| PortSpec::of(program, port)).collect()
    }

    /// What a program's targets want.
    pub fn targets(program: &Program) -> Vec<PortSpec> {
        program.targets.iter().map(|port| PortSpec::of(program, port)).collect()
    }

    fn of(program: &Program, port: &Port) -> PortSpec {
        PortSpec {
            name: port.name.clone(),
            width: port.width as usize,
            integer: program.buffers[port.buffer.0 as usize].dtype == DType::I32,
            domain: port.domain.clone(),
            missing: port.missing.clone(),
            from: port.from.clone(),
        }
    }

    /// No rows of it.
    fn no_rows(&self) -> Array {
        let data = if self.integer { Values::I32(Vec::new()) } else { Values::F32(Vec::new()) };
        Array { width: self.width, data }
    }

    /// What the header calls column `index` of this port.
    pub(crate) fn column_name(&self, index: usize) -> String {
        if self.width == 1 { self.name.clone() } else { format!("{}.{index}", self.name) }
    }
}

/// The values of one port, row after row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Of a port of real numbers.
    F32(Vec<f32>),
    /// Of an integer port: the numbers of its domain, and of names the positions; a hole is
    /// [`MISSING`], which of real numbers is NaN.
    I32(Vec<i32>),
    /// Either of them, in a file, because memory may not hold them: for a training or an
    /// evaluation.
    File(Arc<Spill>),
}

/// The rows of one port.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The values in a row.
    pub width: usize,
    /// `rows * width` values.
    pub data: Values,
}

impl<'a> From<&'a Array> for PortRows<'a> {
    fn from(array: &'a Array) -> PortRows<'a> {
        let values = match &array.data {
            Values::F32(values) => PortValues::F32(Cow::Borrowed(values)),
            Values::I32(values) => PortValues::I32(Cow::Borrowed(values)),
            Values::File(spill) => PortValues::File(spill.clone()),
        };
        PortRows { width: array.width, values }
    }
}

impl From<Array> for PortRows<'static> {
    fn from(array: Array) -> PortRows<'static> {
        let values = match array.data {
            Values::F32(values) => PortValues::F32(Cow::Owned(values)),
            Values::I32(values) => PortValues::I32(Cow::Owned(values)),
            Values::File(spill) => PortValues::File(spill),
        };
        PortRows { width: array.width, values }
    }
}

/// Values in a file are no slice; of them there are none.
impl AsSlice for Array {
    fn as_values(&self) -> Slice<'_> {
        match &self.data {
            Values::F32(values) => Slice::F32(values),
            Values::I32(values) => Slice::I32(values),
            Values::File(_) => Slice::F32(&[]),
        }
    }
}

/// A table in memory, split into a model's ports in the order they were asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// The number of rows, the same in every array.
    pub rows: usize,
    /// One array per input.
    pub inputs: Vec<Array>,
    /// One array per target; none where the table has no targets and need not have them.
    pub targets: Vec<Array>,
    /// The rows that were left out because they have no target.
    pub left_out: u64,
    /// Of those, how many lacked each target.
    pub lacking: Vec<(String, u64)>,
    /// The words that no class is, of the ports that take such.
    pub unlisted: Vec<Unlisted>,
    /// The group of each row, numbered as they appear, where a column says it.
    pub groups: Option<Vec<u32>>,
    /// The columns that are kept to stand beside predictions, where there are any.
    pub kept: Option<Kept>,
    /// What its columns are called, so that weights trained on it know them.
    pub columns: ColumnNames,
    /// Which columns of the table no port takes, in words; none if a port is given its columns by
    /// their place.
    pub unused: Option<String>,
}

impl Dataset {
    /// No rows of these ports.
    pub fn empty(inputs: &[PortSpec], targets: &[PortSpec]) -> Dataset {
        let arrays = |ports: &[PortSpec]| ports.iter().map(PortSpec::no_rows).collect();
        Dataset { inputs: arrays(inputs), targets: arrays(targets), ..Dataset::default() }
    }

    /// The bytes of all values in files.
    pub fn bytes_in_files(&self) -> u64 {
        let arrays = self.inputs.iter().chain(&self.targets);
        let bytes = arrays.map(|array| match &array.data {
            Values::File(spill) => spill.bytes(),
            Values::F32(_) | Values::I32(_) => 0,
        });
        bytes.sum()
    }

    /// The bytes of all values in memory.
    pub fn bytes(&self) -> u64 {
        let arrays = self.inputs.iter().chain(&self.targets);
        let bytes = arrays.map(|array| match &array.data {
            Values::F32(values) => size_of_val(&values[..]),
            Values::I32(values) => size_of_val(&values[..]),
            Values::File(_) => 0,
        });
        let groups = self.groups.as_deref().map_or(0, size_of_val);
        (bytes.sum::<usize>() + groups) as u64 + self.kept.as_ref().map_or(0, Kept::bytes)
    }
}
