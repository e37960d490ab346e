//! Writes predictions: as CSV, as JSON, or as one `.npy` matrix.
//!
//! columns.rs decides which columns there are, and judge.rs which classes the outputs predict.

mod columns;
#[cfg(feature = "csv")]
mod csv;
mod form;
mod json;
mod judge;

pub use form::{Form, Misfit, Threshold};
pub use judge::{Found, Judge, Judgement, all_judges, judges};

use std::io::{self, Write};

use super::keep::Kept;
use super::npy;
use crate::program::{Label, Program};
use columns::{Column, Source};

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A header, then a row of text per row; by the feature `csv`.
    #[cfg(feature = "csv")]
    Csv,
    /// An array of objects, one per row and line.
    Json,
    /// JSON lines: an object in each line.
    Jsonl,
    /// A matrix of f32 with the columns of all outputs side by side.
    Npy,
}

/// Some of the rows that are written.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// How many.
    pub rows: usize,
    /// For each output of the program its values, row after row.
    pub outputs: &'a [Vec<f32>],
    /// Columns of the table, and the first of their rows that is one of these.
    pub kept: Option<(&'a Kept, usize)>,
}

/// Writes predictions a part of the rows after another, so that only one is held.
///
/// A number is the shortest text that reads back as the same f32. What is not finite is `NaN`,
/// `inf` or `-inf` in CSV, and `null` in JSON, which has no word for it.
#[derive(Clone, Debug)]
pub struct Writer {
    format: Format,
    /// The values of each output in a row.
    widths: Vec<usize>,
    judges: Vec<Judge>,
    /// What the outputs give, and with the first part what is kept in front of it.
    columns: Vec<Column>,
    /// Those of the row that is written.
    judgements: Vec<Judgement>,
    begun: bool,
    /// All rows, where that is known: npy has it in front.
    rows: Option<usize>,
    text: String,
}

/// A value of a row.
enum Cell<'a> {
    /// Of an output, or a probability.
    Real(f32),
    /// A class.
    Label(Label<'a>),
    /// A field of the table as it is written; whether JSON wrote it, as a string or else.
    Field(&'a str, Option<bool>),
    /// There is none.
    Nothing,
}

impl Writer {
    /// Writes what the program predicts in this form.
    ///
    /// # Errors
    /// A form that is not one of this program's outputs.
    pub fn new(program: &Program, form: &Form) -> Result<Writer, Misfit> {
        let judges = judges(program, form)?;
        let columns = columns::columns(program, form, &judges)?;
        Ok(Writer {
            format: form.format,
            widths: program.outputs.iter().map(|output| output.width as usize).collect(),
            judgements: judges.iter().map(|_| Judgement::default()).collect(),
            judges,
            columns,
            begun: false,
            rows: None,
            text: String::new(),
        })
    }

    /// Says how many rows will be written.
    #[must_use]
    pub fn of_rows(self, rows: usize) -> Writer {
        Writer { rows: Some(rows), ..self }
    }

    /// Writes some rows, in many small pieces: `w` had better be buffered. All parts have the same
    /// columns of the table.
    ///
    /// # Errors
    /// Those of `w`, outputs that do not have as many values as the part has rows, or npy where it
    /// is not known how many rows there will be.
    pub fn write(&mut self, w: &mut dyn Write, part: &Part<'_>) -> io::Result<()> {
        check(part, &self.widths)?;
        if !self.begun {
            self.begin(w, part)?;
        }
        match self.format {
            #[cfg(feature = "csv")]
            Format::Csv => self.each_row(w, part, csv::write_row),
            Format::Json => self.each_row(w, part, json::write_element),
            Format::Jsonl => self.each_row(w, part, json::write_line),
            Format::Npy => self.each_row(w, part, write_values),
        }
    }

    /// Ends what has been written; without a part before it there are no rows.
    ///
    /// # Errors
    /// Those of `w`.
    pub fn finish(&mut self, w: &mut dyn Write) -> io::Result<()> {
        if !self.begun {
            let outputs = vec![Vec::new(); self.widths.len()];
            self.begin(w, &Part { rows: 0, outputs: &outputs, kept: None })?;
        }
        match self.format {
            Format::Json => json::end(w),
            _ => Ok(()),
        }
    }

    /// Writes what stands in front of the rows.
    fn begin(&mut self, w: &mut dyn Write, part: &Part<'_>) -> io::Result<()> {
        if let Some((kept, _)) = part.kept {
            columns::put_in_front(kept.names(), &mut self.columns);
        }
        match self.format {
            #[cfg(feature = "csv")]
            Format::Csv => csv::write_header(w, &self.columns)?,
            Format::Json => json::begin(w)?,
            Format::Jsonl => {}
            Format::Npy if part.kept.is_some() => {
                return Err(invalid("npy holds numbers, and no columns of the table"));
            }
            Format::Npy => {
                let rows =
                    self.rows.ok_or_else(|| invalid("npy has its number of rows in front"))?;
                let columns = self.columns.iter().filter(|column| column.is_output());
                let columns = columns.map(|column| column.width).sum();
                w.write_all(&npy::matrix_header(rows, columns))?;
            }
        }
        Ok(())
    }

    fn each_row(
        &mut self,
        w: &mut dyn Write,
        part: &Part<'_>,
        write: fn(&mut dyn Write, &Row<'_>, &mut String) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.text);
        for index in 0..part.rows {
            for (judge, judgement) in self.judges.iter().zip(&mut self.judgements) {
                let width = self.widths[judge.output];
                let scores = &part.outputs[judge.output][index * width..][..width];
                judge.judge(scores, judgement);
            }
            let row = Row { writer: self, part, index };
            text.clear();
            write(w, &row, &mut text)?;
            self.begun = true;
        }
        self.begun = true;
        self.text = text;
        Ok(())
    }
}

/// A row that is written.
struct Row<'a> {
    writer: &'a Writer,
    part: &'a Part<'a>,
    /// Of the part.
    index: usize,
}

impl Row<'_> {
    /// Whether it is the first of all.
    fn is_first(&self) -> bool {
        !self.writer.begun
    }

    fn columns(&self) -> &[Column] {
        &self.writer.columns
    }

    /// The values of a column.
    fn cells<'r>(&'r self, column: &'r Column) -> impl Iterator<Item = Cell<'r>> {
        (0..column.width).map(|element| self.cell(&column.source, element))
    }

    fn cell(&self, source: &Source, element: usize) -> Cell<'_> {
        let Writer { widths, judges, judgements, .. } = self.writer;
        match *source {
            Source::Kept(column) => match self.part.kept {
                Some((kept, first)) => {
                    let (text, is_string) = kept.field(first + self.index, column);
                    Cell::Field(text, is_string)
                }
                None => Cell::Nothing,
            },
            Source::Output(output) => {
                Cell::Real(self.part.outputs[output][self.index * widths[output] + element])
            }
            Source::Class(judge, place) => {
                let found = judgements[judge].found.get(place + element);
                let label = found.and_then(|found| judges[judge].label(found.class));
                label.map_or(Cell::Nothing, Cell::Label)
            }
            Source::Probability(judge, place) => {
                let found = judgements[judge].found.get(place + element);
                found.and_then(|found| found.probability).map_or(Cell::Nothing, Cell::Real)
            }
        }
    }
}

fn check(part: &Part<'_>, widths: &[usize]) -> io::Result<()> {
    let whole =
        |(values, width): (&Vec<f32>, &usize)| part.rows.checked_mul(*width) == Some(values.len());
    match part.outputs.len() == widths.len() && part.outputs.iter().zip(widths).all(whole) {
        true => Ok(()),
        false => Err(invalid("the outputs do not have the values of all rows")),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// The values of the outputs alone.
fn write_values(w: &mut dyn Write, row: &Row<'_>, _: &mut String) -> io::Result<()> {
    for column in row.columns().iter().filter(|column| column.is_output()) {
        for cell in row.cells(column) {
            if let Cell::Real(value) = cell {
                w.write_all(&value.to_le_bytes())?;
            }
        }
    }
    Ok(())
}
