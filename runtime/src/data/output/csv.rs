//! Predictions as CSV: a header, then a row of text per row.

use std::io::{self, Write};

use super::{Output, Part};

/// Writes a part of the rows, before the first of them the header.
pub(super) fn write(w: &mut dyn Write, part: Part, outputs: &[Output<'_>]) -> io::Result<()> {
    write_table(&mut csv::Writer::from_writer(w), part, outputs).map_err(cause)
}

/// The error of the stream itself, so that its kind can be told.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

fn write_table(
    writer: &mut csv::Writer<&mut dyn Write>,
    part: Part,
    outputs: &[Output<'_>],
) -> csv::Result<()> {
    if part.before == 0 {
        writer.write_record(header(outputs))?;
    }
    for row in 0..part.rows {
        for output in outputs {
            for value in output.row(row) {
                writer.write_field(format!("{value:?}"))?;
            }
            if output.classes.is_some() {
                let class = output.class(row).map(|label| label.to_string());
                writer.write_field(class.unwrap_or_default())?;
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.flush()?)
}

fn header(outputs: &[Output<'_>]) -> Vec<String> {
    let mut header = Vec::new();
    for output in outputs {
        match output.width {
            1 => header.push(output.name.to_string()),
            width => header.extend((0..width).map(|index| format!("{}.{index}", output.name))),
        }
        header.extend(output.classes.map(|classes| classes.column.to_string()));
    }
    header
}
