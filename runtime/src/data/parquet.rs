//! Parquet: columns with names and types, in groups of rows. A file is read from its end, where its
//! metadata is: in place on disk, or from memory where it comes from a pipe or is packed.
//!
//! Rows are read one after another, with a page of each column in memory. The crate reads the
//! metadata and decodes the values; what of its input it takes for granted is checked before
//! (compact.rs, pages.rs).

mod column;
mod compact;
mod pages;
mod place;
mod text;

use std::cell::Cell;
use std::io;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use parquet::basic::Repetition;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::Type;

use super::choice::{Choice, Words};
use super::error::{DAMAGED, DataError, shown};
use super::table::{Format, Opened, Row, Source, Table};
use column::{Column, column};
use pages::{Budget, damaged};
use place::Place;
use text::Meaning;

pub(super) const FORMAT: Format = Format { begins: |head| head.starts_with(MAGIC), open };

const MAGIC: &[u8] = b"PAR1";
/// What is behind the metadata: its length, and the first bytes again.
const TAIL_BYTES: u64 = 8;
/// The parts of the limit of memory: for the pages of all columns, or a file that is no file on
/// disk, and for metadata, which takes more memory than bytes.
const PART: u64 = 4;
const METADATA_PART: u64 = 16;
/// The most bytes in a row, as of tables of text.
const MAX_ROW_BYTES: usize = 16 << 20;

fn open<'r>(source: Source<'r>, name: &str) -> Opened<'r> {
    let (max_bytes, words) = (source.terms.max_bytes, source.terms.words);
    let fail = |error: io::Error| DataError::io(name, &error);
    let place = match source.file {
        Some(file) => Place::of_file(file).map_err(fail)?,
        None => {
            let read = Place::of_reader(source.reader, max_bytes / PART).map_err(fail)?;
            read.ok_or_else(|| not_in_memory(name, max_bytes, words))?
        }
    };
    let over_limit = DataError::over_limit(name, max_bytes, words);
    let metadata = contained(name, || metadata(&place, max_bytes, &over_limit))?;
    let mut sources = Vec::new();
    let schema = metadata.file_metadata().schema_descr_ptr();
    list(schema.root_schema(), "", &mut 0, &mut sources);
    for source in &mut sources {
        let meaning = source.leaf.map(|leaf| Meaning::of(&schema.column(leaf)));
        source.leaf = source.leaf.filter(|_| meaning != Some(Meaning::Unread));
    }
    if sources.iter().all(|source| source.leaf.is_none()) {
        let error = DataError::new(name, "has no column of numbers or words");
        return Err(error.with_help("save it with a column for each value"));
    }
    let chosen = vec![true; sources.len()];
    let mut table = Rows {
        name: name.to_string(),
        place,
        metadata,
        sources,
        chosen,
        budget: Budget::new(max_bytes / PART),
        over_limit,
        columns: Vec::new(),
        group: 0,
        left: 0,
        number: None,
        text: Vec::new(),
        ends: Vec::new(),
        strings: Vec::new(),
        is_started: false,
    };
    table.columns.resize_with(table.sources.len(), || None);
    Ok(Box::new(table))
}

/// The rows of a file.
struct Rows {
    name: String,
    place: Place,
    metadata: ParquetMetaData,
    sources: Vec<Leaf>,
    /// Which of the columns are read.
    chosen: Vec<bool>,
    budget: Arc<Budget>,
    over_limit: DataError,
    /// The columns of the row group, as far as they are read.
    columns: Vec<Option<Box<dyn Column>>>,
    /// The row group that comes next, and the rows that are left of the one before.
    group: usize,
    left: u64,
    /// The number of the row, while it is not that of the names.
    number: Option<u64>,
    is_started: bool,
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Which fields are words.
    strings: Vec<bool>,
}

/// A column of the table.
struct Leaf {
    name: String,
    /// Its place among the leaves of the schema, if it has one value in each row.
    leaf: Option<usize>,
}

impl Table for Rows {
    fn advance(&mut self) -> Result<bool, DataError> {
        self.text.clear();
        self.ends.clear();
        self.strings.clear();
        if !self.is_started {
            self.is_started = true;
            for source in &self.sources {
                self.text.extend(source.name.as_bytes());
                self.ends.push(self.text.len());
                self.strings.push(true);
            }
            return Ok(true);
        }
        let name = self.name.clone();
        let advanced = contained(&name, || self.read_row())?;
        self.number = Some(self.number.map_or(0, |number| number + 1));
        Ok(advanced)
    }

    fn row(&self) -> Row<'_> {
        Row::Text { text: &self.text, ends: &self.ends, gap: 0 }
    }

    fn number(&self) -> Option<u64> {
        self.number
    }

    fn is_string(&self, column: usize) -> Option<bool> {
        Some(self.strings[column])
    }

    fn is_nested(&self, column: usize) -> bool {
        self.sources[column].leaf.is_none()
    }

    fn choose(&mut self, columns: &[usize]) -> Result<(), DataError> {
        if let Some(&column) = columns.iter().find(|&&column| self.is_nested(column)) {
            let name = &self.sources[column].name;
            let error =
                DataError::new(&self.name, "holds lists or the like, and a field is a value");
            let error = DataError {
                column: Some(column as u32),
                column_name: Some(name.as_str().into()),
                ..error
            };
            return Err(error.with_help(format!(
                "save its values as columns of their own, such as {}, or leave it out",
                shown(&format!("{name}.0"))
            )));
        }
        self.chosen = (0..self.sources.len()).map(|column| columns.contains(&column)).collect();
        for (column, is_chosen) in self.columns.iter_mut().zip(&self.chosen) {
            if !is_chosen {
                *column = None;
            }
        }
        Ok(())
    }

    fn has_names(&self) -> bool {
        true
    }
}

impl Rows {
    fn read_row(&mut self) -> Result<bool, ParquetError> {
        while self.left == 0 {
            if self.group == self.metadata.num_row_groups() {
                return Ok(false);
            }
            self.open_group()?;
        }
        self.left -= 1;
        for column in &mut self.columns {
            let is_string = match column {
                Some(column) => column.next(&mut self.text)?,
                None => false,
            };
            self.ends.push(self.text.len());
            self.strings.push(is_string);
            if self.text.len() > MAX_ROW_BYTES {
                let row = self.number.map_or(0, |number| number + 1);
                let error = DataError::new(&self.name, format!("row {row} has more than 16 MiB"));
                let error = error.with_help("leave out what is no number and no word");
                return Err(ParquetError::External(Box::new(error)));
            }
        }
        Ok(true)
    }

    /// Opens the columns of the row group that comes next.
    fn open_group(&mut self) -> Result<(), ParquetError> {
        let group = self.metadata.row_group(self.group);
        self.columns.iter_mut().for_each(|column| *column = None);
        let Ok(rows) = u64::try_from(group.num_rows()) else {
            return Err(damaged("a group with a negative number of rows"));
        };
        for (place, source) in self.sources.iter().enumerate() {
            let Some(leaf) = source.leaf.filter(|_| self.chosen[place]) else { continue };
            let chunk = group.column(leaf);
            if u64::try_from(chunk.num_values()) != Ok(rows) {
                return Err(damaged("a column with another number of values than rows"));
            }
            let over_limit = self.over_limit.clone();
            let column = column(chunk, self.place.clone(), &self.budget, over_limit)?;
            self.columns[place] = Some(column);
        }
        self.group += 1;
        self.left = rows;
        Ok(())
    }
}

/// Reads the metadata at the end of a file.
fn metadata(
    place: &Place,
    max_bytes: u64,
    over_limit: &DataError,
) -> Result<ParquetMetaData, ParquetError> {
    let end = place.len().checked_sub(TAIL_BYTES).ok_or_else(|| damaged("no end"))?;
    let tail = place.read(end, TAIL_BYTES)?;
    let (len, magic) = tail.split_at(4);
    let len = u64::from(u32::from_le_bytes(len.try_into().unwrap_or_default()));
    if magic != MAGIC || len > end {
        return Err(damaged("no metadata at its end"));
    }
    if len > max_bytes / METADATA_PART {
        return Err(ParquetError::External(Box::new(over_limit.clone())));
    }
    let bytes = place.read(end - len, len)?;
    if !compact::has_sound_schema(&bytes) {
        return Err(damaged("metadata that cannot be meant"));
    }
    ParquetMetaDataReader::decode_metadata(&bytes)
}

/// Lists the columns below a group of the schema: those with one value in each row, and of others
/// the outermost one.
fn list(group: &Type, prefix: &str, next_leaf: &mut usize, to: &mut Vec<Leaf>) {
    let is_repeated = |field: &Type| {
        let info = field.get_basic_info();
        info.has_repetition() && info.repetition() == Repetition::REPEATED
    };
    for field in group.get_fields() {
        let name = format!("{prefix}{}", field.name());
        let is_list = is_repeated(field)
            || field.is_group() && field.get_fields().iter().any(|field| is_repeated(field));
        if is_list {
            *next_leaf += leaves(field);
            to.push(Leaf { name, leaf: None });
        } else if field.is_group() {
            list(field, &format!("{name}."), next_leaf, to);
        } else {
            to.push(Leaf { name, leaf: Some(*next_leaf) });
            *next_leaf += 1;
        }
    }
}

/// How many leaves a field of the schema has.
fn leaves(field: &Type) -> usize {
    match field.is_group() {
        true => field.get_fields().iter().map(|field| leaves(field)).sum(),
        false => 1,
    }
}

thread_local! {
    /// Whether a panic of this thread is contained, so that nobody is told of it.
    static IS_CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Set up once: what panics do else.
static QUIET: Once = Once::new();

/// What the crate reads for `read`. On damaged files it may panic, where it relies on what their
/// writers should have ensured; that is an error of the file, and none of the program's. What has
/// been read of such a file is not used again.
fn contained<T>(
    name: &str,
    read: impl FnOnce() -> Result<T, ParquetError>,
) -> Result<T, DataError> {
    let unreadable = |why: &str| {
        let colon = if why.is_empty() { "" } else { ": " };
        let message = format!("is not a Parquet file that can be read{colon}{why}");
        DataError::new(name, message).with_help(DAMAGED)
    };
    QUIET.call_once(|| {
        let told = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_CONTAINED.get() {
                told(panic);
            }
        }));
    });
    let outer = IS_CONTAINED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    IS_CONTAINED.set(outer);
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(ParquetError::External(error))) => match error.downcast::<DataError>() {
            Ok(error) => Err(*error),
            Err(error) => Err(unreadable(&error.to_string())),
        },
        Ok(Err(ParquetError::NYI(message))) => Err(DataError::new(name, message)
            .with_help("save it as most programs do, such as pandas with to_parquet(FILE)")),
        Ok(Err(ParquetError::General(why) | ParquetError::EOF(why))) => Err(unreadable(&why)),
        Ok(Err(_)) | Err(_) => Err(unreadable("")),
    }
}

fn not_in_memory(name: &str, max_bytes: u64, words: Words) -> DataError {
    let error = DataError::over_limit(name, max_bytes, words);
    let raise = words(Choice::MaxMemory);
    let help = format!("save it as a file that is not packed, or raise the limit with {raise}");
    error.with_help(help)
}
