//! Predictions as JSON: an array of objects, or an object in each line.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Cell, Row};
use crate::program::Label;

/// Begins an array.
pub(super) fn begin(w: &mut dyn Write) -> io::Result<()> {
    w.write_all(b"[")
}

/// Writes a row as an element of the array, which stands in a line of its own.
pub(super) fn write_element(w: &mut dyn Write, row: &Row<'_>, text: &mut String) -> io::Result<()> {
    text.push_str(if row.is_first() { "\n" } else { ",\n" });
    push_object(text, row)?;
    w.write_all(text.as_bytes())
}

/// Ends the array.
pub(super) fn end(w: &mut dyn Write) -> io::Result<()> {
    w.write_all(b"\n]\n")
}

/// Writes a row in a line.
pub(super) fn write_line(w: &mut dyn Write, row: &Row<'_>, text: &mut String) -> io::Result<()> {
    push_object(text, row)?;
    text.push('\n');
    w.write_all(text.as_bytes())
}

/// An object with a field for each column, of which one of several values is a list.
fn push_object(text: &mut String, row: &Row<'_>) -> io::Result<()> {
    text.push('{');
    for (index, column) in row.columns().iter().enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        write!(text, "{comma}{}: ", serde_json::to_string(&column.name)?)
            .map_err(io::Error::other)?;
        let is_list = column.width != 1;
        text.push_str(if is_list { "[" } else { "" });
        for (index, cell) in row.cells(column).enumerate() {
            text.push_str(if index > 0 { ", " } else { "" });
            push_cell(text, &cell)?;
        }
        text.push_str(if is_list { "]" } else { "" });
    }
    text.push('}');
    Ok(())
}

fn push_cell(text: &mut String, cell: &Cell<'_>) -> io::Result<()> {
    match cell {
        Cell::Real(value) if value.is_finite() => write!(text, "{value:?}"),
        Cell::Real(_) | Cell::Nothing | Cell::Field("", None | Some(false)) => {
            text.write_str("null")
        }
        Cell::Label(Label::Number(number)) => write!(text, "{number}"),
        Cell::Label(Label::Name(name)) => text.write_str(&serde_json::to_string(name)?),
        Cell::Field(field, Some(false)) => text.write_str(field),
        Cell::Field(field, None) if is_number(field.trim()) => text.write_str(field.trim()),
        Cell::Field(field, _) => text.write_str(&serde_json::to_string(field)?),
    }
    .map_err(io::Error::other)
}

/// Whether a field is a number as JSON writes it: `007` is none.
fn is_number(field: &str) -> bool {
    field.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<serde_json::Number>(field).is_ok()
}
