//! What the readers of all formats have in common: a file is a table, read row after row.
//!
//! A format is one file with a [`Table`], and its line in `FORMATS` (format.rs).

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::str;

use super::Dataset;
use super::choice::Words;
use super::error::DataError;
use super::spec::TableSpec;

/// The rows of a file, one after another, all with as many fields as the first.
pub(super) trait Table {
    /// Goes to the next row, at first from before the first one; false after the last.
    fn advance(&mut self) -> Result<bool, DataError>;

    /// The row it is at.
    fn row(&self) -> Row<'_>;

    /// The line of the file on which that row starts, from 1, where a file has lines.
    fn line(&self) -> Option<u64> {
        None
    }

    /// The number of that row in its file, from 0, where rows have no lines but names of columns.
    fn number(&self) -> Option<u64> {
        None
    }

    /// Whether the next row has arrived, so that nobody waits for it.
    fn has_next(&self) -> bool {
        true
    }

    /// Whether JSON wrote a field of the row as a string, or else; nothing where it is no JSON.
    fn is_string(&self, _column: usize) -> Option<bool> {
        None
    }

    /// Whether a column holds lists, which nothing takes.
    fn is_nested(&self, _column: usize) -> bool {
        false
    }

    /// Says which columns are looked at from now on; the fields of others may be empty.
    fn choose(&mut self, _columns: &[usize]) -> Result<(), DataError> {
        Ok(())
    }

    /// Whether the first row is the names of the columns, whatever they are.
    fn has_names(&self) -> bool {
        false
    }

    /// The file that the row is in, where there are several.
    fn file(&self) -> Option<&str> {
        None
    }

    /// Says that the first row was the names of the columns, which other files may repeat.
    fn set_header(&mut self, _: &[String]) {}

    /// The rows and columns, where the head of the file says them. Such a file is an array: it has
    /// no names, and belongs to one port.
    fn shape(&self) -> Option<(u64, u64)> {
        None
    }

    /// Reads what a model takes, where the file is an archive of arrays. Such a file has no rows.
    fn read_arrays(&mut self, _: &TableSpec<'_>) -> Option<Result<Dataset, DataError>> {
        None
    }
}

/// A table whose head has been read.
pub(super) type Opened<'r> = Result<Box<dyn Table + 'r>, DataError>;

/// A format that is read.
pub(super) struct Format {
    /// Whether a file that begins so has it.
    pub begins: fn(&[u8]) -> bool,
    /// Reads the head of a file; the name is what errors call it.
    pub open: for<'r> fn(Source<'r>, &str) -> Opened<'r>,
}

/// Where the bytes of a file come from.
#[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet needs a file"))]
pub(super) struct Source<'r> {
    /// All of them, from the first one.
    pub reader: Box<dyn Read + 'r>,
    /// The file, where they are not packed in it and any of them can be read.
    pub file: Option<File>,
    /// What the caller says of it.
    pub terms: Terms,
}

/// What a caller says of a file before its format is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// How errors write what the caller may choose.
    pub words: Words,
    /// The most bytes that may be held.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet needs it"))]
    pub max_bytes: u64,
}

/// A row, as its format holds it.
#[derive(Clone, Copy)]
pub(super) enum Row<'a> {
    /// Text, where in it each field ends, and how many bytes lie between two fields.
    Text { text: &'a [u8], ends: &'a [usize], gap: usize },
    /// Numbers.
    Numbers(&'a [f32]),
}

/// One field of a row.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    /// As it is written.
    Text(&'a [u8]),
    /// As it is meant.
    Number(f32),
}

impl<'a> Row<'a> {
    /// The number of fields.
    pub fn len(self) -> usize {
        match self {
            Row::Text { ends, .. } => ends.len(),
            Row::Numbers(numbers) => numbers.len(),
        }
    }

    /// The field at `index`.
    #[inline]
    pub fn field(self, index: usize) -> Field<'a> {
        match self {
            Row::Text { text, ends, gap } => {
                let start = if index == 0 { 0 } else { ends[index - 1] + gap };
                Field::Text(&text[start..ends[index]])
            }
            Row::Numbers(numbers) => Field::Number(numbers[index]),
        }
    }

    /// All fields.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        (0..self.len()).map(move |index| self.field(index))
    }

    /// The fields as names, or the index of the first that is not UTF-8.
    pub fn names(self) -> Result<Vec<String>, usize> {
        let name = |(index, field)| match field {
            Field::Text(text) => {
                str::from_utf8(text).map(|name| name.trim().to_string()).map_err(|_| index)
            }
            Field::Number(number) => Ok(number.to_string()),
        };
        self.fields().enumerate().map(name).collect()
    }
}

impl<'a> Field<'a> {
    /// As it is written, if it is text.
    pub fn as_text(self) -> Option<&'a [u8]> {
        match self {
            Field::Text(text) => Some(text),
            Field::Number(_) => None,
        }
    }

    /// Whether it is text in the encoding that tables have, or a number.
    pub fn is_utf_8(self) -> bool {
        self.as_text().is_none_or(|text| str::from_utf8(text).is_ok())
    }

    /// The field for a message, without spaces around it.
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Field::Text(text) => String::from_utf8_lossy(text.trim_ascii()),
            Field::Number(number) => number.to_string().into(),
        }
    }
}
