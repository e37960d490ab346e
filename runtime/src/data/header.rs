//! Whether the first row of a table is a header.
//!
//! It is one if a field is the name of a port (`x`, `x.0`), or of a column that the user's map or
//! the model names or that the net was trained on, unless that name is a number. Otherwise it is
//! one if no field is a number or the name of a class, and not all fields stand for missing
//! values. So a row of data with a wrong field is never taken for a header and lost. Names that
//! are numbers cannot be distinguished from data: where the first row may hold such names, the
//! user has to say what it is.

use std::collections::HashSet;

use super::choice::{Choice, Words};
use super::error::{Complaint, DataError};
use super::field::{TO_UTF_8, is_missing, is_number};
use super::spec::TableSpec;
use super::table::{Field, Row, Table};
use super::{Column, Domain};

/// How many columns 0, 1, 2 and so on are taken for names, as tables without names are written.
const COUNTED: usize = 3;

/// Whether these fields of the first row are a header.
pub(super) fn is_header(row: Row<'_>, spec: &TableSpec<'_>) -> Result<bool, Complaint> {
    if let Some(said) = spec.header {
        return Ok(said);
    }
    let fields: Vec<_> = row.fields().map(Field::text).collect();
    let fields: Vec<&str> = fields.iter().map(|field| field.trim()).collect();
    let ports: HashSet<&str> = spec.ports().map(|port| port.name.as_str()).collect();
    let known = known_names(spec);
    let classes = class_names(spec);
    let is_number = |field: &str| is_number(field) || spec.numbers.is_written(field);
    let named = |field: &&str| {
        is_port(field, &ports)
            || spec.columns.is_some_and(|map| map.names_column(field))
            || !is_number(field) && known.contains(field) && !classes.contains(field)
    };
    if fields.iter().any(named) {
        return Ok(true);
    }
    if fields.iter().any(|field| is_number(field)) {
        let row: HashSet<&str> = fields.iter().copied().collect();
        let may_be_names = !known.is_empty() && known.is_subset(&row) || counts(&fields);
        return if may_be_names { Err(ambiguous(&fields, spec.words)) } else { Ok(false) };
    }
    let has_class = fields.iter().any(|field| classes.contains(field));
    let missing = fields.iter().all(|field| is_missing(field));
    Ok(!has_class && !missing)
}

/// Whether the field is the name of a port or of one of its columns.
fn is_port(field: &str, ports: &HashSet<&str>) -> bool {
    match field.rsplit_once('.') {
        _ if ports.contains(field) => true,
        Some((port, index)) => ports.contains(port) && index.parse::<usize>().is_ok(),
        None => false,
    }
}

fn known_names<'a>(spec: &TableSpec<'a>) -> HashSet<&'a str> {
    let inputs = spec.inputs.iter().filter_map(|port| spec.names?.get(&port.name));
    let from = spec.ports().flat_map(|port| &port.from);
    let from = from.filter_map(|column| match column {
        Column::Named(name) => Some(name),
        Column::At(_) => None,
    });
    inputs.flatten().chain(from).map(String::as_str).collect()
}

fn class_names<'a>(spec: &TableSpec<'a>) -> HashSet<&'a str> {
    let names = spec.ports().filter_map(|port| match &port.domain {
        Domain::Names(names) => Some(names),
        _ => None,
    });
    names.flatten().map(String::as_str).collect()
}

/// Whether the fields are 0, 1, 2 and so on.
fn counts(fields: &[&str]) -> bool {
    let counted = |(index, field): (usize, &&str)| field.parse() == Ok(index);
    fields.len() >= COUNTED && fields.iter().enumerate().all(counted)
}

/// The names in the row that a table is at, which is its header.
pub(super) fn names(table: &dyn Table, name: &str) -> Result<Vec<String>, DataError> {
    table.row().names().map_err(|column| DataError {
        line: table.line(),
        column: Some(column as u32),
        ..Complaint::new("the header is not valid UTF-8", TO_UTF_8).in_file(name)
    })
}

/// A table without a row below its header.
pub(super) fn no_rows(name: &str, words: Words) -> DataError {
    let no = words(Choice::Header(Some(false)));
    let error = DataError::new(name, "has a header but no rows");
    error.with_help(format!("add rows below it, or say {no} if it is a row itself"))
}

/// A table without a row.
pub(super) fn empty(name: &str) -> DataError {
    DataError::new(name, "is empty").with_help("a table has a line for each row")
}

fn ambiguous(fields: &[&str], words: Words) -> Complaint {
    let [yes, no] = [true, false].map(|header| words(Choice::Header(Some(header))));
    let first = fields.iter().take(COUNTED).copied().collect::<Vec<_>>().join(", ");
    Complaint::new(
        format!("the first row ({first}, ...) may be names of columns, or a row of data"),
        format!("say {yes} or {no}"),
    )
}
