//! Writes predictions: as CSV, as JSON with one row a line, or as one `.npy` matrix.

#[cfg(feature = "csv")]
mod csv;

use std::io::{self, Write};

use super::error::shown;
use super::npy;
use crate::program::{self, Domain, Label, Program};

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header, then a row of text per row; by the feature `csv`.
    #[cfg(feature = "csv")]
    Csv,
    /// An array of objects, one per row and line.
    Json,
    /// A matrix of f32 with the columns of all outputs side by side.
    Npy,
}

/// One output of the model for all rows.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// The name in the model.
    pub name: &'a str,
    /// The values in a row.
    pub width: usize,
    /// Row after row.
    pub values: &'a [f32],
    /// The classes that the columns stand for, if they do.
    pub classes: Option<Classes<'a>>,
}

/// The classes that the columns of an output stand for. CSV and JSON get one more column with the
/// class of the largest value in the row, the first of several, as the user calls it.
#[derive(Clone, Copy, Debug)]
pub struct Classes<'a> {
    /// What the additional column is called.
    pub column: &'a str,
    /// A class per column.
    pub domain: &'a Domain,
}

/// Some of the rows that are written: `rows` of `all`, after `before` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The rows that have been written.
    pub before: usize,
    /// The rows that are written now.
    pub rows: usize,
    /// All of them.
    pub all: usize,
}

/// Writes some rows of all outputs, in many small pieces: `w` had better be buffered. The parts
/// follow each other, so that only the values of one are held.
///
/// A number is the shortest text that reads back as the same f32. What is not finite is `NaN`,
/// `inf` or `-inf` in CSV, and `null` in JSON, which has no word for it.
///
/// # Errors
/// Those of `w`, or outputs that do not have as many values as the part has rows.
pub fn write_part(
    w: &mut dyn Write,
    format: Format,
    part: Part,
    outputs: &[Output<'_>],
) -> io::Result<()> {
    for output in outputs {
        check(output, part.rows)?;
    }
    match format {
        #[cfg(feature = "csv")]
        Format::Csv => csv::write(w, part, outputs),
        Format::Json => write_json(w, part, outputs),
        Format::Npy => write_matrix(w, part, outputs),
    }
}

fn check(output: &Output<'_>, rows: usize) -> io::Result<()> {
    let whole = rows.checked_mul(output.width) == Some(output.values.len());
    let named =
        output.classes.is_none_or(|classes| classes.domain.classes() == Some(output.width as u64));
    if whole && named {
        return Ok(());
    }
    let message = format!(
        "output {} has {} values and not {rows} rows of {}, or not a class per column",
        shown(output.name),
        output.values.len(),
        output.width
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

impl<'a> Output<'a> {
    /// All outputs of a program, with their values.
    pub fn all(program: &'a Program, values: &'a [Vec<f32>]) -> Vec<Output<'a>> {
        let output = |(index, (output, values)): (usize, (&'a program::Output, &'a Vec<f32>))| {
            let (name, width) = (output.name.as_str(), output.width as usize);
            Output { name, width, values, classes: classes(program, index) }
        };
        program.outputs.iter().zip(values).enumerate().map(output).collect()
    }

    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.width..][..self.width]
    }

    fn class(&self, row: usize) -> Option<Label<'a>> {
        let domain = self.classes?.domain;
        domain.label(largest(self.row(row))? as u64)
    }
}

/// The classes that an output stands for. The last of several gives them, so
/// `probs = softmax(logits)` and not both.
fn classes(program: &Program, output: usize) -> Option<Classes<'_>> {
    let index = program.outputs[output].classes?;
    let last = program.outputs[output + 1..].iter().all(|later| later.classes != Some(index));
    let target = &program.targets[index as usize];
    last.then_some(Classes { column: &target.name, domain: &target.domain })
}

/// The index of the largest value, the first of several; nothing where all are NaN.
fn largest(values: &[f32]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (index, value) in values.iter().enumerate() {
        let better = best.is_none_or(|best| *value > values[best]);
        if better && !value.is_nan() {
            best = Some(index);
        }
    }
    best
}

fn write_json(w: &mut dyn Write, part: Part, outputs: &[Output<'_>]) -> io::Result<()> {
    let Part { before, rows, all } = part;
    if before == 0 {
        writeln!(w, "[")?;
    }
    for row in 0..rows {
        let fields: Vec<String> =
            outputs.iter().map(|output| json_fields(output, row)).collect::<io::Result<_>>()?;
        let comma = if before + row + 1 < all { "," } else { "" };
        writeln!(w, "{{{}}}{comma}", fields.join(", "))?;
    }
    if before + rows == all { writeln!(w, "]") } else { Ok(()) }
}

/// What one output adds to a row's object: its values, and the class if it has any.
fn json_fields(output: &Output<'_>, row: usize) -> io::Result<String> {
    let numbers: Vec<String> = output.row(row).iter().map(|value| json_number(*value)).collect();
    let name = serde_json::to_string(output.name)?;
    let mut fields = match numbers.as_slice() {
        [number] => format!("{name}: {number}"),
        numbers => format!("{name}: [{}]", numbers.join(", ")),
    };
    if let Some(classes) = output.classes {
        let column = serde_json::to_string(classes.column)?;
        let class = match output.class(row) {
            Some(Label::Number(number)) => number.to_string(),
            Some(Label::Name(name)) => serde_json::to_string(name)?,
            None => "null".to_string(),
        };
        fields.push_str(&format!(", {column}: {class}"));
    }
    Ok(fields)
}

fn json_number(value: f32) -> String {
    if value.is_finite() { format!("{value:?}") } else { "null".to_string() }
}

fn write_matrix(w: &mut dyn Write, part: Part, outputs: &[Output<'_>]) -> io::Result<()> {
    if part.before == 0 {
        let cols = outputs.iter().map(|output| output.width).sum();
        w.write_all(&npy::matrix_header(part.all, cols))?;
    }
    let mut bytes = Vec::new();
    for row in 0..part.rows {
        bytes.clear();
        for output in outputs {
            bytes.extend(output.row(row).iter().flat_map(|value| value.to_le_bytes()));
        }
        w.write_all(&bytes)?;
    }
    Ok(())
}
