//! Predictions as CSV, by RFC 4180 but for lines that end with LF: a header, then a line for each
//! row.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::columns::Column;
use super::{Cell, Row};

/// Writes the names of all columns.
pub(super) fn write_header(w: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
    let mut line = String::new();
    columns.iter().flat_map(Column::names).for_each(|name| push(&mut line, &name));
    write_line(w, &mut line)
}

/// Writes a row.
pub(super) fn write_row(w: &mut dyn Write, row: &Row<'_>, line: &mut String) -> io::Result<()> {
    for cell in row.columns().iter().flat_map(|column| row.cells(column)) {
        match cell {
            // A number needs no quotes.
            Cell::Real(value) => write!(line, "{value:?},").map_err(io::Error::other)?,
            Cell::Label(label) => push(line, &label.to_string()),
            Cell::Field(field, _) => push(line, field),
            Cell::Nothing => line.push(','),
        }
    }
    write_line(w, line)
}

/// Appends a field, in quotes where it needs them.
fn push(line: &mut String, field: &str) {
    if field.contains(['"', ',', '\n', '\r']) {
        line.extend(["\"", &field.replace('"', "\"\""), "\""]);
    } else {
        line.push_str(field);
    }
    line.push(',');
}

/// Writes a line of which every field ends with a comma.
fn write_line(w: &mut dyn Write, line: &mut String) -> io::Result<()> {
    line.pop();
    // A line without anything would be no row.
    let text = if line.is_empty() { "\"\"" } else { line };
    w.write_all(text.as_bytes())?;
    w.write_all(b"\n")
}
