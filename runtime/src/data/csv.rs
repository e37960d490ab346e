//! Reads a table of text into the ports of a model.
//!
//! Separators are commas; semicolons or tabs if the first line has one outside quotes. Fields may
//! be quoted; LF and CRLF, blank lines, a byte order mark and spaces around a field are read. Every
//! row has as many fields as the first.
//!
//! The first row is a header if one of its fields is the name of a port (`x`, `x.0`) or a column
//! that the user's map names, or if none of its fields is a number and not all of them are class
//! names of the model. So a row of data with one wrong field is never taken for a header and lost.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::columns::{ColumnMap, Placement, place, plural};
use super::error::{Complaint, DataError, shown};
use super::field::{looks_numeric, parse_integer, parse_real};
use super::record::Records;
use super::{Array, Dataset, Domain, PortSpec, Values};

/// What to read from a table.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec<'a> {
    /// The inputs of the model.
    pub inputs: &'a [PortSpec],
    /// Its targets.
    pub targets: &'a [PortSpec],
    /// The user's choice of columns, for the ports that it names.
    pub columns: Option<&'a ColumnMap>,
    /// Whether the table may be without targets, as for a prediction.
    pub targets_optional: bool,
    /// The most bytes that the values may take.
    pub max_bytes: u64,
}

impl<'a> TableSpec<'a> {
    /// The table has all these ports, in the columns where they usually are.
    pub fn new(inputs: &'a [PortSpec], targets: &'a [PortSpec]) -> TableSpec<'a> {
        TableSpec { inputs, targets, columns: None, targets_optional: false, max_bytes: u64::MAX }
    }
}

/// Reads the table in the file at `path`.
pub fn read_csv_file(path: impl AsRef<Path>, spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    let name = path.as_ref().display().to_string();
    let file = File::open(path).map_err(|error| DataError::io(&name, &error))?;
    read_csv(file, &name, spec)
}

/// Reads a table; `name` is what errors call it.
pub fn read_csv(reader: impl Read, name: &str, spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    let mut records = Records::new(reader, name);
    if !records.advance()? {
        return Err(DataError::new(name, "is empty"));
    }
    let count = records.len();
    let header = if is_header(&records, spec) { Some(records.to_strings()?) } else { None };
    let placement = place(spec, count, header.as_deref()).map_err(|complaint| {
        let error = complaint.in_file(name);
        error.at_line(records.line())
    })?;
    if header.is_some() && !records.advance()? {
        return Err(DataError::new(name, "has a header but no rows"));
    }

    let mut sinks = Sinks::new(spec, placement);
    loop {
        if records.len() != count {
            return Err(wrong_count(&records, count));
        }
        sinks.push(&records).map_err(|flaw| locate(&records, header.as_deref(), flaw))?;
        if sinks.bytes() > spec.max_bytes {
            return Err(DataError::over_limit(name, spec.max_bytes));
        }
        if !records.advance()? {
            return Ok(sinks.finish());
        }
    }
}

/// Whether the first row is a header; the rule is at the top of this file.
fn is_header<R: Read>(records: &Records<R>, spec: &TableSpec<'_>) -> bool {
    let ports = || spec.inputs.iter().chain(spec.targets);
    let names: HashSet<&str> = ports().map(|port| port.name.as_str()).collect();
    let is_port = |field: &str| match field.rsplit_once('.') {
        _ if names.contains(field) => true,
        Some((port, index)) => names.contains(port) && index.parse::<usize>().is_ok(),
        None => false,
    };
    let classes: HashSet<&str> = ports()
        .filter_map(|port| match &port.domain {
            Domain::Names(names) => Some(names),
            _ => None,
        })
        .flatten()
        .map(String::as_str)
        .collect();

    let mut has_number = false;
    let mut only_classes = true;
    for index in 0..records.len() {
        let field = String::from_utf8_lossy(records.field(index));
        let field = field.trim();
        if is_port(field) || spec.columns.is_some_and(|map| map.names_column(field)) {
            return true;
        }
        has_number |= looks_numeric(field.as_bytes());
        only_classes &= classes.contains(field);
    }
    !has_number && !only_classes
}

/// Where the values of the ports go.
struct Sinks<'a> {
    rows: usize,
    row_width: u64,
    inputs: Vec<Sink<'a>>,
    targets: Vec<Sink<'a>>,
}

struct Sink<'a> {
    port: &'a PortSpec,
    columns: Vec<usize>,
    values: Values,
}

/// A field that a port cannot take.
struct Flaw {
    column: usize,
    port_column: String,
    complaint: Complaint,
}

impl<'a> Sinks<'a> {
    fn new(spec: &TableSpec<'a>, placement: Placement) -> Sinks<'a> {
        let sinks = |ports: &'a [PortSpec], columns: Vec<Vec<usize>>| -> Vec<Sink<'a>> {
            ports.iter().zip(columns).map(|(port, columns)| Sink::new(port, columns)).collect()
        };
        let inputs = sinks(spec.inputs, placement.inputs);
        let targets = sinks(spec.targets, placement.targets);
        let row_width = inputs.iter().chain(&targets).map(|sink| sink.columns.len() as u64).sum();
        Sinks { rows: 0, row_width, inputs, targets }
    }

    /// Adds a row, which has all the columns.
    fn push<R>(&mut self, records: &Records<R>) -> Result<(), Flaw>
    where
        R: Read,
    {
        for sink in self.inputs.iter_mut().chain(&mut self.targets) {
            sink.push(records)?;
        }
        self.rows += 1;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        const VALUE_BYTES: u64 = 4;
        self.row_width * VALUE_BYTES * self.rows as u64
    }

    fn finish(self) -> Dataset {
        let arrays = |sinks: Vec<Sink<'a>>| sinks.into_iter().map(Sink::finish).collect();
        Dataset { rows: self.rows, inputs: arrays(self.inputs), targets: arrays(self.targets) }
    }
}

impl<'a> Sink<'a> {
    fn new(port: &'a PortSpec, columns: Vec<usize>) -> Sink<'a> {
        let values = if port.integer { Values::I32(Vec::new()) } else { Values::F32(Vec::new()) };
        Sink { port, columns, values }
    }

    fn push<R: Read>(&mut self, records: &Records<R>) -> Result<(), Flaw> {
        let (port, columns) = (self.port, &self.columns);
        match &mut self.values {
            Values::F32(values) => push_row(values, columns, records, port, parse_real),
            Values::I32(values) => push_row(values, columns, records, port, parse_integer),
        }
    }

    fn finish(self) -> Array {
        Array { width: self.columns.len(), data: self.values }
    }
}

fn push_row<T, R: Read>(
    values: &mut Vec<T>,
    columns: &[usize],
    records: &Records<R>,
    port: &PortSpec,
    parse: impl Fn(&[u8], &PortSpec) -> Result<T, Complaint>,
) -> Result<(), Flaw> {
    for (index, column) in columns.iter().enumerate() {
        match parse(records.field(*column), port) {
            Ok(value) => values.push(value),
            Err(complaint) => {
                let port_column = port.column_name(index);
                return Err(Flaw { column: *column, port_column, complaint });
            }
        }
    }
    Ok(())
}

/// The error of a field, by the name that the header gives its column or else the model.
fn locate<R: Read>(records: &Records<R>, header: Option<&[String]>, flaw: Flaw) -> DataError {
    let mut error = records.error(flaw.complaint.message);
    error.help = flaw.complaint.help;
    error.column = Some(flaw.column as u32 + 1);
    let name = match header {
        Some(names) if !names[flaw.column].is_empty() => shown(&names[flaw.column]),
        _ => flaw.port_column,
    };
    error.column_name = Some(name.into());
    error
}

fn wrong_count<R: Read>(records: &Records<R>, expected: usize) -> DataError {
    let found = records.len();
    let separator = records.separator_name();
    let error = records.error(format!("expected {}, found {found}", plural(expected, "column")));
    error.with_help(format!("every row has the columns of the first, separated by {separator}"))
}
