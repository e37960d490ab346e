//! An array of numbers as a table: its first dimension is the rows, the others together are the
//! values of a row.

use std::io::Read;

use half::{bf16, f16};

use super::bytes::{Flaw, append, narrow, read_up_to};
use super::error::{DAMAGED, DataError};
use super::table::{Opened, Row, Table};

/// The bytes that are read at a time, or one row where that is more.
const PIECE: usize = 1 << 16;

/// What the elements of an array are, each with its lowest byte first. Integers may be rounded to
/// the nearest f32.
#[derive(Clone, Copy)]
pub(crate) enum Element {
    /// f64.
    F8,
    /// f32.
    F4,
    /// f16.
    F2,
    /// bf16.
    B2,
    /// i64.
    I8,
    /// i32.
    I4,
    /// u8.
    U1,
}

impl Element {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::U1 => 1,
            Element::F2 | Element::B2 => 2,
            Element::F4 | Element::I4 => 4,
            Element::F8 | Element::I8 => 8,
        }
    }

    /// Appends `count` elements as f32; `bytes` is a buffer for them.
    pub(crate) fn read(
        self,
        reader: &mut impl Read,
        count: usize,
        bytes: &mut Vec<u8>,
        to: &mut Vec<f32>,
    ) -> Result<(), Flaw> {
        let exact = Some::<f32>;
        match self {
            Element::F8 => append(reader, count, |b| narrow(f64::from_le_bytes(b)), bytes, to),
            Element::F4 => append(reader, count, |b| exact(f32::from_le_bytes(b)), bytes, to),
            Element::F2 => {
                append(reader, count, |b| exact(f16::from_le_bytes(b).into()), bytes, to)
            }
            Element::B2 => {
                append(reader, count, |b| exact(bf16::from_le_bytes(b).into()), bytes, to)
            }
            Element::I8 => {
                append(reader, count, |b| exact(i64::from_le_bytes(b) as f32), bytes, to)
            }
            Element::I4 => {
                append(reader, count, |b| exact(i32::from_le_bytes(b) as f32), bytes, to)
            }
            Element::U1 => append(reader, count, |b| exact(u8::from_le_bytes(b).into()), bytes, to),
        }
    }
}

/// An array in a file, its values still to be read.
pub(super) struct ArrayTable<'r> {
    reader: Box<dyn Read + 'r>,
    name: String,
    element: Element,
    rows: u64,
    columns: u64,
    /// The rows read so far, and of those the ones in `piece`.
    done: u64,
    piece: Vec<f32>,
    bytes: Vec<u8>,
    /// The row it is at, of those in `piece`.
    at: usize,
}

impl<'r> ArrayTable<'r> {
    /// An array of this shape; the reader is at its first value.
    pub fn open(
        reader: Box<dyn Read + 'r>,
        name: &str,
        shape: &[usize],
        element: Element,
    ) -> Opened<'r> {
        let Some((&rows, row)) = shape.split_first() else {
            let error = DataError::new(name, "is a single number, and no rows of them");
            return Err(
                error.with_help("save numpy.atleast_1d(a): its first dimension is the rows")
            );
        };
        if rows == 0 {
            let error = DataError::new(name, "has no rows");
            return Err(error.with_help("save an array whose first dimension is not 0"));
        }
        let (rows, name) = (rows as u64, name.to_string());
        let columns = row.iter().try_fold(1u64, |count, n| count.checked_mul(*n as u64));
        let bytes = columns.and_then(|count| count.checked_mul(rows)?.checked_mul(8));
        let (Some(columns), Some(_)) = (columns, bytes) else {
            let error = DataError::new(name, "has a header with a shape that overflows");
            return Err(error.with_help(DAMAGED));
        };
        let (piece, bytes) = (Vec::new(), Vec::new());
        let (done, at) = (0, 0);
        Ok(Box::new(ArrayTable { reader, name, element, rows, columns, done, piece, bytes, at }))
    }

    /// Reads some rows.
    fn read(&mut self) -> Result<(), DataError> {
        let row = (self.columns as usize * self.element.bytes()).max(1);
        let rows = (PIECE / row).max(1).min((self.rows - self.done) as usize);
        self.piece.clear();
        let count = rows * self.columns as usize;
        let read = self.element.read(&mut self.reader, count, &mut self.bytes, &mut self.piece);
        let (before, size) = (self.done * self.columns, self.element.bytes());
        read.map_err(|flaw| self.error(flaw.after(before, size)))?;
        self.done += rows as u64;
        Ok(())
    }

    fn error(&self, flaw: Flaw) -> DataError {
        let expected = self.rows * self.columns * self.element.bytes() as u64;
        let (message, help) = match flaw {
            Flaw::Io(error) => return DataError::io(&self.name, &error),
            Flaw::Short(got) => {
                (format!("ends early: {got} bytes of data, expected {expected}"), DAMAGED)
            }
            Flaw::TooLarge(index) => (
                format!("value {index} is too large for a 32-bit float"),
                "scale the values before they are saved",
            ),
            Flaw::Memory => ("needs more memory than there is".to_string(), "fewer rows take less"),
        };
        DataError::new(&self.name, message).with_help(help)
    }

    /// Nothing may follow the values.
    fn check_end(&mut self) -> Result<(), DataError> {
        match read_up_to(&mut self.reader, &mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(DataError::new(&self.name, "has bytes behind its array")
                .with_help("save one array in a file")),
            Err(error) => Err(DataError::io(&self.name, &error)),
        }
    }
}

impl Table for ArrayTable<'_> {
    fn advance(&mut self) -> Result<bool, DataError> {
        let width = self.columns as usize;
        self.at += width;
        if self.at < self.piece.len() {
            return Ok(true);
        }
        self.at = 0;
        if self.done == self.rows {
            return self.check_end().map(|()| false);
        }
        self.read()?;
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        Row::Numbers(&self.piece[self.at..][..self.columns as usize])
    }

    fn shape(&self) -> Option<(u64, u64)> {
        Some((self.rows, self.columns))
    }
}

/// Fills `buffer` with a part of the head of a file of this kind.
pub(super) fn read_head(
    reader: &mut dyn Read,
    buffer: &mut [u8],
    kind: &str,
    name: &str,
) -> Result<(), DataError> {
    match read_up_to(reader, buffer) {
        Ok(got) if got == buffer.len() => Ok(()),
        Ok(_) => {
            let error = DataError::new(name, format!("ends inside its {kind} header"));
            Err(error.with_help(DAMAGED))
        }
        Err(error) => Err(DataError::io(name, &error)),
    }
}
