//! A column of a row group, value after value. Values are decoded some at a time and never beyond
//! their page, so that a column holds one page and its dictionary.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::Result;
use parquet::file::metadata::ColumnChunkMetaData;

use super::pages::{Budget, Pages, damaged};
use super::place::Place;
use super::text::{Meaning, Value};
use crate::data::error::DataError;

/// The values that are decoded at once.
const BATCH: u64 = 1024;

/// The values of a column.
pub(super) trait Column {
    /// Adds the next value to a text; whether it is a word and no number. Where it is missing,
    /// nothing is added.
    fn next(&mut self, to: &mut Vec<u8>) -> Result<bool>;
}

/// Opens a column of a row group.
pub(super) fn column(
    chunk: &ColumnChunkMetaData,
    place: Place,
    budget: &Arc<Budget>,
    over_limit: DataError,
) -> Result<Box<dyn Column>> {
    let descr = chunk.column_descr_ptr();
    let first = chunk.dictionary_page_offset().filter(|offset| *offset > 0);
    let at = u64::try_from(first.unwrap_or(chunk.data_page_offset()));
    let (Ok(at), Ok(len)) = (at, u64::try_from(chunk.compressed_size())) else {
        return Err(damaged("a column that lies nowhere"));
    };
    let Some(end) = at.checked_add(len).filter(|end| *end <= place.len()) else {
        return Err(damaged("a column that lies behind the end of the file"));
    };
    let width = match descr.physical_type() {
        Type::BOOLEAN => 1,
        Type::INT32 | Type::FLOAT => 4,
        Type::INT64 | Type::DOUBLE => 8,
        Type::INT96 => 12,
        Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(descr.type_length()).unwrap_or(0),
        Type::BYTE_ARRAY => 0,
    };
    let values = Arc::new(AtomicU64::new(0));
    let pages = Pages {
        place,
        at,
        end,
        packing: chunk.compression(),
        physical: descr.physical_type(),
        width,
        is_optional: descr.max_def_level() > 0,
        values: values.clone(),
        budget: budget.clone(),
        dictionary: None,
        held: 0,
        over_limit,
    };
    let (meaning, present) = (Meaning::of(&descr), descr.max_def_level());
    Ok(match get_column_reader(descr, Box::new(pages)) {
        ColumnReader::BoolColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::Int32ColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::Int64ColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::Int96ColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::FloatColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::DoubleColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::ByteArrayColumnReader(reader) => boxed(reader, meaning, present, values),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            boxed(reader, meaning, present, values)
        }
    })
}

/// The values of a column of one physical type.
struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    meaning: Meaning,
    /// The level of a value that is there, and those of the batch.
    present: i16,
    levels: Vec<i16>,
    values: Vec<T::T>,
    /// How many of the batch there are, and which come next.
    count: usize,
    next_level: usize,
    next_value: usize,
    /// The values of the page, and those that are left of them.
    in_page: Arc<AtomicU64>,
    left: u64,
}

fn boxed<T: DataType>(
    reader: ColumnReaderImpl<T>,
    meaning: Meaning,
    present: i16,
    in_page: Arc<AtomicU64>,
) -> Box<dyn Column>
where
    T::T: Value,
{
    let (levels, values) = (Vec::new(), Vec::new());
    let (count, next_level, next_value, left) = (0, 0, 0, 0);
    Box::new(Typed::<T> {
        reader,
        meaning,
        present,
        levels,
        values,
        count,
        next_level,
        next_value,
        in_page,
        left,
    })
}

impl<T: DataType> Typed<T> {
    fn refill(&mut self) -> Result<()> {
        self.levels.clear();
        self.values.clear();
        (self.count, self.next_level, self.next_value) = (0, 0, 0);
        // The first value of a page tells how many there are.
        let wanted = self.left.clamp(1, BATCH);
        let levels = (self.present > 0).then_some(&mut self.levels);
        let (count, ..) =
            self.reader.read_records(wanted as usize, levels, None, &mut self.values)?;
        if count == 0 {
            return Err(damaged("a column with fewer values than rows"));
        }
        let before = if self.left == 0 { self.in_page.load(Relaxed) } else { self.left };
        self.left = before.saturating_sub(count as u64);
        self.count = count;
        Ok(())
    }
}

impl<T: DataType> Column for Typed<T>
where
    T::T: Value,
{
    fn next(&mut self, to: &mut Vec<u8>) -> Result<bool> {
        if self.next_level == self.count {
            self.refill()?;
        }
        let level = if self.present > 0 { self.levels.get(self.next_level) } else { Some(&0) };
        self.next_level += 1;
        if level.is_some_and(|level| *level < self.present) {
            return Ok(false);
        }
        let value = level.and_then(|_| self.values.get(self.next_value));
        self.next_value += 1;
        let written = value.and_then(|value| value.write(self.meaning, to));
        written.ok_or_else(|| damaged("a value that nothing can be"))
    }
}
