//! Reads a table of text into the ports of a model.
//!
//! Separators are commas; semicolons or tabs if the first line has one outside quotes. Fields may
//! be quoted; LF and CRLF, blank lines, a byte order mark and spaces around a field are read. Every
//! row has as many fields as the first. The text may be gzipped. Which row is a header says
//! `header`, and which columns belong to a port `columns`.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::arrays::read_alone;
use super::column_map::ColumnMap;
use super::columns::{Placement, Table, place, plural};
use super::error::{Complaint, DataError, shown};
use super::field::{looks_numeric, parse_integer, parse_real};
use super::format::{Format, open};
use super::header::is_header;
use super::names::ColumnNames;
use super::record::Records;
use super::suggest::list;
use super::{Array, Dataset, PortSpec, Values};

/// What to read from a table.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec<'a> {
    /// The inputs of the model.
    pub inputs: &'a [PortSpec],
    /// Its targets.
    pub targets: &'a [PortSpec],
    /// What its columns were called in the table that the net was trained on.
    pub names: Option<&'a ColumnNames>,
    /// The user's choice of columns, for the ports that it names.
    pub columns: Option<&'a ColumnMap>,
    /// Whether the first row of the table is a header; where it is not said, its fields decide.
    pub header: Option<bool>,
    /// Whether the table may be without targets, as for a prediction.
    pub targets_optional: bool,
    /// The most bytes that may be held.
    pub max_bytes: u64,
    /// Those of them that are held before the table is read.
    pub held: u64,
    /// Those that a row will take beside its values.
    pub row_bytes: u64,
}

impl<'a> TableSpec<'a> {
    /// The table has all these ports, in the columns where they usually are.
    pub fn new(inputs: &'a [PortSpec], targets: &'a [PortSpec]) -> TableSpec<'a> {
        TableSpec {
            inputs,
            targets,
            names: None,
            columns: None,
            header: None,
            targets_optional: false,
            max_bytes: u64::MAX,
            held: 0,
            row_bytes: 0,
        }
    }

    /// The inputs and the targets.
    pub(super) fn ports(&self) -> impl Iterator<Item = &'a PortSpec> {
        self.inputs.iter().chain(self.targets)
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
    let (format, mut reader) = open(reader, name)?;
    match format {
        Format::Text => read_text(&mut reader, name, spec),
        Format::Npy | Format::Idx => read_alone(format, &mut reader, name, spec),
    }
}

fn read_text(
    reader: &mut dyn Read,
    name: &str,
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    let mut records = Records::new(reader, name);
    if !records.advance()? {
        return Err(DataError::new(name, "is empty"));
    }
    let (count, first_line) = (records.len(), records.line());
    let in_first_line = |complaint: Complaint| complaint.in_file(name).at_line(first_line);
    let fields: Vec<&[u8]> = (0..count).map(|index| records.field(index)).collect();
    let header = is_header(&fields, spec).map_err(in_first_line)?;
    let header = if header { Some(records.to_strings()?) } else { None };
    if header.is_some() && !records.advance()? {
        return Err(DataError::new(name, "has a header but no rows"));
    }
    let starts_with_number =
        |column: usize| records.len() == count && looks_numeric(records.field(column));
    let header = header.as_deref();
    let table = Table { count, header, starts_with_number: &starts_with_number };
    let placement = place(spec, &table).map_err(in_first_line)?;

    let columns = names_of(spec, &placement, &table);
    let unused = header.filter(|_| !placement.unused.is_empty());
    let unused = unused.map(|header| list(&placement.unused, Some(header)));
    let mut sinks = Sinks::new(spec, placement);
    loop {
        if records.len() != count {
            return Err(wrong_count(&records, count));
        }
        sinks.push(&records).map_err(|flaw| {
            let error = locate(&records, header, flaw);
            let words = (0..count).filter(|&column| !looks_numeric(records.field(column)));
            let first = records.line() == first_line && spec.header.is_none();
            if first && error.help.is_none() && words.count() * 2 > count {
                return error.with_help("if this row is a header, say --header yes");
            }
            error
        })?;
        if spec.held.saturating_add(sinks.bytes()) > spec.max_bytes {
            return Err(DataError::over_limit(name, spec.max_bytes));
        }
        if !records.advance()? {
            return Ok(Dataset { columns, unused, ..sinks.finish() });
        }
    }
}

/// What the columns of each port are called, in the header or else where the net was trained; and
/// where they are in a table without a header, if the user says so.
fn names_of(spec: &TableSpec<'_>, placement: &Placement, table: &Table<'_>) -> ColumnNames {
    let mut known = spec.names.cloned().unwrap_or_default();
    let Some(header) = table.header else {
        if spec.columns.is_some() {
            let ports = placement.ports(spec).map(|(port, columns)| (port.name.as_str(), columns));
            known.set_places(table.count, ports);
        }
        return known;
    };
    let mut names = ColumnNames::default();
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(header.len());
    header.iter().for_each(|name| *times.entry(name).or_default() += 1);
    for (port, columns) in placement.ports(spec) {
        // Names that come twice could not be found again.
        if columns.iter().all(|&column| times[header[column].as_str()] == 1) {
            let own = columns.iter().map(|&column| header[column].clone());
            names.set(&port.name, own.collect());
        }
    }
    names.or(known)
}

const VALUE_BYTES: u64 = 4;

/// Where the values of the ports go.
struct Sinks<'a> {
    rows: usize,
    /// The bytes for each row.
    row_bytes: u64,
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
        let values: u64 = inputs.iter().chain(&targets).map(|sink| sink.columns.len() as u64).sum();
        let row_bytes = values * VALUE_BYTES + spec.row_bytes;
        Sinks { rows: 0, row_bytes, inputs, targets }
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
        self.row_bytes * self.rows as u64
    }

    fn finish(self) -> Dataset {
        let arrays = |sinks: Vec<Sink<'a>>| sinks.into_iter().map(Sink::finish).collect();
        let (inputs, targets) = (arrays(self.inputs), arrays(self.targets));
        Dataset { rows: self.rows, inputs, targets, ..Dataset::default() }
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
