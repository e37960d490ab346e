//! Reads a table into the ports of a model.
//!
//! header.rs decides whether the first row is a header, and columns.rs which columns a port takes.

use std::collections::HashMap;
use std::io::Read;
use std::mem::take;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Dataset;
use super::arrays::read_alone;
use super::choice::Choice;
use super::columns::{Assignment, assign, repeated};
use super::error::{Complaint, DataError, did_you_mean, listed, plural, quoted};
use super::field::{looks_like_name, looks_numeric};
use super::format::open;
use super::header::{empty, is_header, names, no_rows};
use super::keep::{self, Keeping};
use super::names::ColumnNames;
use super::numbers::NumberStyle;
use super::parts::{name_of, open_files};
use super::seat::Head;
use super::sinks::Sinks;
use super::spec::{GroupSpec, TableSpec};
use super::suggest::list;
use super::table::Table;
use super::unlisted::with_others;

/// Reads the table in the file at `path`.
pub fn read_csv_file(path: impl AsRef<Path>, spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    read_csv_files(&[path.as_ref().to_path_buf()], spec)
}

/// Reads the table in several files: the rows of one after those of another. Where the first has a
/// header, others may repeat it.
pub fn read_csv_files(paths: &[PathBuf], spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    let table = open_files(paths, spec.terms())?;
    read_table(table, &name_of(paths), spec)
}

/// Reads a table; `name` is what errors call it.
pub fn read_csv(reader: impl Read, name: &str, spec: &TableSpec<'_>) -> Result<Dataset, DataError> {
    read_table(open(reader, name, spec.terms())?, name, spec)
}

fn read_table(
    mut table: Box<dyn Table + '_>,
    name: &str,
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    if let Some(read) = table.read_arrays(spec) {
        return read;
    }
    match table.shape() {
        None => read_named(&mut *table, name, spec),
        Some(_) => read_alone(&mut *table, name, spec),
    }
}

/// Reads a table in blocks of up to `most` rows and gives each to `each`, with the line of its last
/// row, until that breaks. No row waits for one that has not arrived, and none for memory that
/// there is not. The first block has the names of the columns. The result is the number of rows
/// that were left out because they have no target. Arrays in place of a table are one block.
///
/// # Errors
/// What cannot be read; the rows before it have been given.
pub fn read_blocks(
    reader: impl Read,
    name: &str,
    spec: &TableSpec<'_>,
    most: usize,
    each: &mut dyn FnMut(Dataset, u64) -> ControlFlow<()>,
) -> Result<u64, DataError> {
    give_blocks(open(reader, name, spec.terms())?, name, spec, most, each)
}

/// [`read_blocks`] of a table in several files.
///
/// # Errors
/// As there.
pub fn read_blocks_of_files(
    paths: &[PathBuf],
    spec: &TableSpec<'_>,
    most: usize,
    each: &mut dyn FnMut(Dataset, u64) -> ControlFlow<()>,
) -> Result<u64, DataError> {
    let table = open_files(paths, spec.terms())?;
    give_blocks(table, &name_of(paths), spec, most, each)
}

fn give_blocks(
    mut table: Box<dyn Table + '_>,
    name: &str,
    spec: &TableSpec<'_>,
    most: usize,
    each: &mut dyn FnMut(Dataset, u64) -> ControlFlow<()>,
) -> Result<u64, DataError> {
    let arrays = match (table.shape(), spec.targets_optional) {
        (Some(_), true) => Some(read_alone(&mut *table, name, spec)),
        (None, true) => table.read_arrays(spec),
        (Some(_), false) => {
            let error = DataError::new(name, "is an array, and row by row a table of text is read");
            return Err(error.with_help("save it as CSV"));
        }
        (None, false) => None,
    };
    if let Some(rows) = arrays {
        // They say how many rows they have, and nobody waits for them.
        let _ = each(rows?, 0);
        return Ok(0);
    }
    let mut start = Start::of(&mut *table, name, spec)?;
    start.sinks.check_room(1, name)?;
    let mut left_out = 0;
    let end = loop {
        match start.sinks.push(&*table, start.header.as_deref(), name) {
            Ok(true) => start.line = table.line().or(table.number()).unwrap_or(0),
            Ok(false) => left_out += 1,
            Err(error) => break Err(start.advise(error, &*table, spec)),
        }
        let is_full = start.sinks.rows() == most || !start.sinks.has_room_for_more();
        if (is_full || !table.has_next()) && start.give(each)?.is_break() {
            return Ok(left_out);
        }
        match table.advance() {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    match start.give(each)? {
        ControlFlow::Continue(()) => end.map(|()| left_out),
        ControlFlow::Break(()) => Ok(left_out),
    }
}

/// Reads a table whose first row may be a header.
fn read_named(
    table: &mut dyn Table,
    name: &str,
    spec: &TableSpec<'_>,
) -> Result<Dataset, DataError> {
    let mut start = Start::of(table, name, spec)?;
    let filled = start.sinks.fill(table, start.header.as_deref(), name);
    filled.map_err(|error| {
        let (column, help) = (error.column, error.help.clone());
        let advised = start.advise(error, table, spec);
        let port = column.and_then(|column| start.sinks.port_of(column as usize));
        match port.filter(|_| advised.help == help) {
            Some(port) => with_others(advised, port, table),
            None => advised,
        }
    })?;
    let rows = start.sinks.finish()?;
    if rows.rows == 0 {
        let count = plural(rows.left_out as usize, "row");
        let error = DataError::new(name, format!("none of its {count} has a target"));
        let say = (spec.words)(Choice::Columns(Some("x=0..4,t=4")));
        return Err(error.with_help(format!("fill the targets in, or name their column: {say}")));
    }
    Ok(Dataset { columns: start.columns, unused: start.unused, ..rows })
}

/// What is known of a table that is at its first row.
struct Start<'a> {
    /// The line of the header, or else of that row.
    first_line: Option<u64>,
    header: Option<Vec<String>>,
    columns: ColumnNames,
    unused: Option<String>,
    /// Where its values go.
    sinks: Sinks<'a>,
    /// The line of the last row that they have taken.
    line: u64,
}

impl<'a> Start<'a> {
    /// Reads the header, if there is one, and goes to the first row.
    fn of(table: &mut dyn Table, name: &str, spec: &TableSpec<'a>) -> Result<Start<'a>, DataError> {
        if !table.advance()? {
            return Err(empty(name));
        }
        let (count, first_line) = (table.row().len(), table.line());
        let in_first_line =
            |complaint: Complaint| DataError { line: first_line, ..complaint.in_file(name) };
        let has_names = table.has_names();
        let header = if has_names || is_header(table.row(), spec).map_err(in_first_line)? {
            let names = names(table, name)?;
            table.set_header(&names);
            if !table.advance()? {
                return Err(no_rows(name, spec.words));
            }
            Some(names)
        } else {
            None
        };
        let row = table.row();
        let starts_with_number = |column: usize| looks_numeric(row.field(column));
        let header_names = header.as_deref();
        let group = group_column(spec, header_names).map_err(in_first_line)?;
        let starts_with_number = &starts_with_number;
        let nested = (0..count).filter(|&column| table.is_nested(column));
        let others = group.into_iter().chain(nested).collect();
        let mut head = Head { count, header: header_names, others, starts_with_number };
        let kept = keep::resolve(spec.keep, &head, spec.words).map_err(in_first_line)?;
        head.others.extend(&kept);
        let assignment = assign(spec, &head).map_err(in_first_line)?;
        let columns = names_of(spec, &assignment, &head);
        let of_ports = assignment.columns.iter().flatten();
        let chosen: Vec<usize> = of_ports.chain(&group).chain(&kept).copied().collect();
        let keeping = (!kept.is_empty()).then(|| Keeping::new(kept, head.header));
        let unused = head.header.filter(|_| !assignment.unused.is_empty());
        let unused = unused.map(|header| list(&assignment.unused, Some(header)));
        table.choose(&chosen)?;
        Ok(Start {
            first_line,
            header,
            columns,
            unused,
            sinks: Sinks::new(spec, assignment, group).keeping(keeping),
            line: 0,
        })
    }

    /// Gives the rows that have been taken to `each`, if there are any.
    fn give(
        &mut self,
        each: &mut dyn FnMut(Dataset, u64) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, DataError> {
        if self.sinks.rows() == 0 {
            return Ok(ControlFlow::Continue(()));
        }
        let rows = self.sinks.finish()?;
        let (columns, unused) = (take(&mut self.columns), self.unused.take());
        Ok(each(Dataset { columns, unused, left_out: 0, ..rows }, self.line))
    }

    /// An error in the row that the table is at, which may be that the row is a header.
    fn advise(&self, error: DataError, table: &dyn Table, spec: &TableSpec<'_>) -> DataError {
        let row = table.row();
        let words = row.fields().filter(|&field| looks_like_name(field));
        let first = error.line == self.first_line && error.column.is_some();
        if first && !table.has_names() && spec.header.is_none() && words.count() * 2 > row.len() {
            let say = (spec.words)(Choice::Header(Some(true)));
            let help = error.help.as_deref().unwrap_or_default();
            let help = format!("if this row is a header, say {say}; if not: {help}");
            return error.with_help(help);
        }
        let Some(column) = error.column else { return error };
        let field = row.field(column as usize);
        let styles = NumberStyle::of(&[field.text()]);
        let is_plain = spec.numbers != NumberStyle::default() || looks_numeric(field);
        if is_plain || styles.is_empty() {
            return error;
        }
        let say: Vec<String> =
            styles.into_iter().map(|example| (spec.words)(Choice::Numbers(example))).collect();
        error.with_help(format!("if numbers are written so, say {}", say.join(" or ")))
    }
}

/// The column that says which rows belong together.
fn group_column(
    spec: &TableSpec<'_>,
    header: Option<&[String]>,
) -> Result<Option<usize>, Complaint> {
    let Some(GroupSpec { column, is_optional }) = spec.group else { return Ok(None) };
    let mut places = (0..).zip(header.unwrap_or_default()).filter(|(_, name)| *name == column);
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(Some(place)),
        _ if is_optional => Ok(None),
        (Some(_), Some(_)) => Err(repeated(column)),
        (None, _) if header.is_none() => Err(Complaint::new(
            format!(
                "rows are held out by their column {}, and the table has no header",
                quoted(column)
            ),
            format!(
                "write the names of its columns above its rows, or say {} if they are there",
                (spec.words)(Choice::Header(Some(true)))
            ),
        )),
        (None, _) => {
            let names = header.unwrap_or_default().iter().map(String::as_str);
            let meant = did_you_mean(column, names.clone().chain(["class", "last"]));
            Err(Complaint::new(
                format!("there is no column {}, to hold rows out by", quoted(column)),
                meant.unwrap_or_else(|| listed("the columns", names)),
            ))
        }
    }
}

/// What the columns of each port are called, in the header or else where the net was trained; and
/// where they are in a table without a header, if the user says so.
fn names_of(spec: &TableSpec<'_>, assignment: &Assignment, table: &Head<'_>) -> ColumnNames {
    let mut known = spec.names.cloned().unwrap_or_default();
    known.set_numbers(spec.numbers);
    let Some(header) = table.header else {
        if spec.columns.is_some() {
            let ports = spec.ports().map(|port| port.name.as_str());
            known.set_places(table.count, ports.zip(&assignment.columns));
        }
        return known;
    };
    let mut names = ColumnNames::default();
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(header.len());
    header.iter().for_each(|name| *times.entry(name).or_default() += 1);
    for (port, columns) in spec.ports().zip(&assignment.columns) {
        // Names that come twice could not be found again.
        if columns.iter().all(|&column| times[header[column].as_str()] == 1) {
            let own = columns.iter().map(|&column| header[column].clone());
            names.set(&port.name, own.collect());
        }
    }
    names.or(known)
}
