//! Where the values of the ports go while a table is read.

use super::columns::Assignment;
use super::error::{Complaint, DataError, shown};
use super::field::{parse_integer, parse_real};
use super::spec::TableSpec;
use super::table::{Field, Row, Table};
use super::{Array, Dataset, PortSpec, Values};
use std::collections::HashMap;

const VALUE_BYTES: u64 = 4;

/// The ports that a table fills.
pub(super) struct Sinks<'a> {
    rows: usize,
    /// The bytes for each row.
    row_bytes: u64,
    /// The bytes that are held beside them, and the most that may be.
    held: u64,
    max_bytes: u64,
    /// Those of the inputs, of which there are so many, then of the targets.
    sinks: Vec<Sink<'a>>,
    inputs: usize,
    groups: Option<Groups>,
}

/// The column that says which rows belong together.
struct Groups {
    column: usize,
    /// The groups by their values.
    numbers: HashMap<String, u32>,
    /// That of each row.
    of_row: Vec<u32>,
}

struct Sink<'a> {
    port: &'a PortSpec,
    columns: Vec<usize>,
    values: Values,
}

/// A field that a port cannot take.
struct Misfit {
    column: usize,
    port_column: String,
    complaint: Complaint,
}

impl<'a> Sinks<'a> {
    /// The ports of a table whose columns are known.
    pub fn new(spec: &TableSpec<'a>, assignment: Assignment, group: Option<usize>) -> Sinks<'a> {
        let ports = spec.ports().zip(assignment.columns);
        let sinks: Vec<Sink> = ports.map(|(port, columns)| Sink::new(port, columns)).collect();
        let values: u64 = sinks.iter().map(|sink| sink.columns.len() as u64).sum();
        let values = values + u64::from(group.is_some());
        let row_bytes = values * VALUE_BYTES + spec.row_bytes;
        let groups =
            group.map(|column| Groups { column, numbers: HashMap::new(), of_row: Vec::new() });
        let TableSpec { held, max_bytes, .. } = *spec;
        Sinks { rows: 0, row_bytes, held, max_bytes, sinks, inputs: spec.inputs.len(), groups }
    }

    /// Takes the row that the table is at, and all that follow.
    pub fn fill(
        &mut self,
        table: &mut dyn Table,
        header: Option<&[String]>,
        name: &str,
    ) -> Result<(), DataError> {
        loop {
            self.push(table, header, name)?;
            self.check_room(self.rows as u64, name)?;
            if !table.advance()? {
                return Ok(());
            }
        }
    }

    /// Takes the row that the table is at.
    pub fn push(
        &mut self,
        table: &dyn Table,
        header: Option<&[String]>,
        name: &str,
    ) -> Result<(), DataError> {
        let row = table.row();
        for sink in &mut self.sinks {
            let taken = sink.push(row);
            taken.map_err(|misfit| misfit.locate(name, table.line(), self.rows, header))?;
        }
        if let Some(groups) = &mut self.groups {
            groups.push(row);
        }
        self.rows += 1;
        Ok(())
    }

    /// So many rows take no more memory than they may.
    pub fn check_room(&self, rows: u64, name: &str) -> Result<(), DataError> {
        if self.bytes(rows) > self.max_bytes {
            return Err(DataError::over_limit(name, self.max_bytes));
        }
        Ok(())
    }

    /// What is held with so many rows.
    pub fn bytes(&self, rows: u64) -> u64 {
        self.held.saturating_add(self.row_bytes.saturating_mul(rows))
    }

    /// What has been read.
    pub fn finish(mut self) -> Dataset {
        self.take(self.rows)
    }

    /// The last rows that have been read, so many and all that are there; they are there no more.
    pub fn take(&mut self, rows: usize) -> Dataset {
        let mut inputs: Vec<Array> = self.sinks.iter_mut().map(Sink::take).collect();
        let targets = inputs.split_off(self.inputs);
        let groups = self.groups.as_mut().map(|groups| std::mem::take(&mut groups.of_row));
        Dataset { rows, inputs, targets, groups, ..Dataset::default() }
    }
}

impl Groups {
    fn push(&mut self, row: Row<'_>) {
        let next = self.numbers.len() as u32;
        let value = row.field(self.column).text();
        let known = self.numbers.get(&*value).copied();
        self.of_row.push(known.unwrap_or_else(|| {
            self.numbers.insert(value.into_owned(), next);
            next
        }));
    }
}

impl<'a> Sink<'a> {
    fn new(port: &'a PortSpec, columns: Vec<usize>) -> Sink<'a> {
        Sink { port, columns, values: port.no_rows().data }
    }

    fn push(&mut self, row: Row<'_>) -> Result<(), Misfit> {
        let (port, columns) = (self.port, &self.columns);
        match &mut self.values {
            Values::F32(values) => push_row(values, columns, row, port, parse_real),
            Values::I32(values) => push_row(values, columns, row, port, parse_integer),
        }
    }

    fn take(&mut self) -> Array {
        let data = std::mem::replace(&mut self.values, self.port.no_rows().data);
        Array { width: self.columns.len(), data }
    }
}

fn push_row<T>(
    values: &mut Vec<T>,
    columns: &[usize],
    row: Row<'_>,
    port: &PortSpec,
    parse: impl Fn(Field<'_>, &PortSpec) -> Result<T, Complaint>,
) -> Result<(), Misfit> {
    for (index, &column) in columns.iter().enumerate() {
        match parse(row.field(column), port) {
            Ok(value) => values.push(value),
            Err(complaint) => {
                return Err(Misfit { column, port_column: port.column_name(index), complaint });
            }
        }
    }
    Ok(())
}

impl Misfit {
    /// The error of the field: by its line and its column, which has the name that the header gives
    /// it or else the model; or by its row, where there are no lines.
    fn locate(
        self,
        file: &str,
        line: Option<u64>,
        row: usize,
        header: Option<&[String]>,
    ) -> DataError {
        let Misfit { column, port_column, complaint } = self;
        if line.is_none() {
            let message = format!("row {row}: {}", complaint.message);
            return Complaint { message, ..complaint }.in_file(file);
        }
        let name = match header {
            Some(names) if !names[column].is_empty() => shown(&names[column]),
            _ => port_column,
        };
        DataError {
            line,
            column: Some(column as u32 + 1),
            column_name: Some(name.into()),
            ..complaint.in_file(file)
        }
    }
}
