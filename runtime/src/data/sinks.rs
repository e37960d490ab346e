//! Where the values of the ports go while a table is read.

use super::choice::{Choice, Words};
use super::columns::Assignment;
use super::error::{Complaint, DataError, shown};
use super::field::{TO_UTF_8, parse_decimal, parse_integer, parse_real};
use super::keep::Keeping;
use super::numbers::NumberStyle;
use super::spec::TableSpec;
use super::table::{Field, Row, Table};
use super::unlisted::Unlisted;
use super::{Array, Dataset, Domain, MISSING, PortSpec, Values};
use crate::program::DType;
use crate::rows::AsSlice;
use crate::spill::Spill;
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

const VALUE_BYTES: u64 = 4;

/// What is put into files at once.
const BLOCK_BYTES: u64 = 4 << 20;

/// The ports that a table fills.
pub(super) struct Sinks<'a> {
    rows: usize,
    /// Whether rows without a target are kept, and the number of those that are not.
    keeps_all: bool,
    left_out: u64,
    numbers: NumberStyle,
    /// The bytes of the values of a row, and those that a row takes beside them.
    value_bytes: u64,
    row_bytes: u64,
    /// The bytes that are held beside them, and the most that may be.
    held: u64,
    max_bytes: u64,
    /// The folder for what is more, and how many of the rows are there.
    spill: Option<&'a Path>,
    in_files: usize,
    words: Words,
    /// Those of the inputs, of which there are so many, then of the targets.
    sinks: Vec<Sink<'a>>,
    inputs: usize,
    groups: Option<Groups>,
    keeping: Option<Keeping>,
}

/// The column that says which rows belong together.
struct Groups {
    column: usize,
    /// The groups by their values.
    numbers: HashMap<String, u32>,
    /// That of each row.
    of_row: Vec<u32>,
}

struct Sink<'a> {
    port: &'a PortSpec,
    columns: Vec<usize>,
    values: Values,
    /// The values before them, in a file.
    spill: Option<Spill>,
    /// The words among them that the port does not list.
    unlisted: Option<Unlisted>,
    /// The rows that were left out and had no value of it.
    lacking: u64,
}

/// A field that a port cannot take.
struct Misfit {
    column: usize,
    port_column: String,
    complaint: Complaint,
}

impl<'a> Sinks<'a> {
    /// The ports of a table whose columns are known.
    pub fn new(spec: &TableSpec<'a>, assignment: Assignment, group: Option<usize>) -> Sinks<'a> {
        let ports = spec.ports().zip(assignment.columns);
        let sinks: Vec<Sink> = ports.map(|(port, columns)| Sink::new(port, columns)).collect();
        let values: u64 = sinks.iter().map(|sink| sink.columns.len() as u64).sum();
        let value_bytes = values * VALUE_BYTES;
        let row_bytes = u64::from(group.is_some()) * VALUE_BYTES + spec.row_bytes;
        let groups =
            group.map(|column| Groups { column, numbers: HashMap::new(), of_row: Vec::new() });
        let TableSpec { held, max_bytes, spill, words, .. } = *spec;
        let (inputs, keeps_all) = (spec.inputs.len(), spec.targets_optional);
        let (rows, left_out) = (0, 0);
        Sinks {
            rows,
            keeps_all,
            left_out,
            numbers: spec.numbers,
            value_bytes,
            row_bytes,
            held,
            max_bytes,
            spill,
            in_files: 0,
            words,
            sinks,
            inputs,
            groups,
            keeping: None,
        }
    }

    /// The same, which keeps columns as well.
    pub fn keeping(self, keeping: Option<Keeping>) -> Sinks<'a> {
        Sinks { keeping, ..self }
    }

    /// Takes the row that the table is at, and all that follow.
    pub fn fill(
        &mut self,
        table: &mut dyn Table,
        header: Option<&[String]>,
        name: &str,
    ) -> Result<(), DataError> {
        loop {
            self.push(table, header, name)?;
            self.make_room(name)?;
            if !table.advance()? {
                return Ok(());
            }
        }
    }

    /// Takes the row that the table is at; false where it has no target, and is left out.
    pub fn push(
        &mut self,
        table: &dyn Table,
        header: Option<&[String]>,
        name: &str,
    ) -> Result<bool, DataError> {
        let (row, file) = (table.row(), table.file().unwrap_or(name));
        let mut is_left_out = false;
        for (index, sink) in self.sinks.iter_mut().enumerate() {
            let fate = match index < self.inputs {
                true => Fate::Error,
                false if self.keeps_all => Fate::Hole,
                false => Fate::LeftOut,
            };
            match sink.push(row, fate, self.numbers) {
                Ok(true) => {}
                Ok(false) => {
                    sink.lacking += 1;
                    is_left_out = true;
                }
                // Of a row that is left out, only what else it lacks is of interest.
                Err(_) if is_left_out => {}
                Err(misfit) => return Err(misfit.locate(file, table, self.rows, header)),
            }
        }
        if is_left_out {
            let rows = self.rows - self.in_files;
            self.sinks.iter_mut().for_each(|sink| sink.truncate(rows));
            self.left_out += 1;
            return Ok(false);
        }
        if let Some(groups) = &mut self.groups {
            groups.push(row);
        }
        if let Some(keeping) = &mut self.keeping {
            let kept = keeping.push(row, |column| table.is_string(column));
            kept.map_err(|column| not_utf_8(column, file, table, header))?;
        }
        self.rows += 1;
        Ok(true)
    }

    /// The port that takes a column, counted from 0.
    pub fn port_of(&self, column: usize) -> Option<&'a PortSpec> {
        self.sinks.iter().find(|sink| sink.columns.contains(&column)).map(|sink| sink.port)
    }

    /// Whether so many rows take no more memory than they may: they, or what they need beside their
    /// values if those go to files.
    pub fn check_room(&self, rows: u64, name: &str) -> Result<(), DataError> {
        let in_memory = if self.spill.is_some() { 0 } else { rows };
        match self.bytes(rows, in_memory) > self.max_bytes {
            true => Err(DataError::over_limit(name, self.max_bytes, self.words)),
            false => Ok(()),
        }
    }

    /// Moves values to files where they are more than memory may hold.
    fn make_room(&mut self, name: &str) -> Result<(), DataError> {
        let held = self.held();
        let in_memory = (self.rows - self.in_files) as u64 * self.value_bytes;
        let is_due = match (self.in_files, self.spill) {
            (_, None) => false,
            (0, Some(_)) => held > self.max_bytes / 2, // which leaves room for the net
            (_, Some(_)) => in_memory >= BLOCK_BYTES.min(self.max_bytes / 4),
        };
        if is_due {
            self.move_to_files()?;
        }
        match self.held() > self.max_bytes {
            true => Err(DataError::over_limit(name, self.max_bytes, self.words)),
            false => Ok(()),
        }
    }

    fn move_to_files(&mut self) -> Result<(), DataError> {
        let Some(folder) = self.spill else { return Ok(()) };
        let moved = self.sinks.iter_mut().try_for_each(|sink| sink.move_to_file(folder));
        self.in_files = self.rows;
        moved.map_err(|error| {
            let message = format!("the rows that memory may not hold cannot be put there: {error}");
            let raise = (self.words)(Choice::MaxMemory);
            let help = format!("make room there, or raise the limit with {raise}");
            DataError::new(folder.display().to_string(), message).with_help(help)
        })
    }

    /// What is held with the rows that have been read.
    pub fn held(&self) -> u64 {
        self.bytes(self.rows as u64, (self.rows - self.in_files) as u64)
    }

    /// What is held with so many rows, of which so many have their values in memory.
    fn bytes(&self, rows: u64, in_memory: u64) -> u64 {
        let values = self.value_bytes.saturating_mul(in_memory);
        let kept = self.keeping.as_ref().map_or(0, Keeping::bytes);
        let beside = self.row_bytes.saturating_mul(rows).saturating_add(kept);
        self.held.saturating_add(beside).saturating_add(values)
    }

    /// How many rows are there.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether another row would have the memory that it takes.
    pub fn has_room_for_more(&self) -> bool {
        let rows = self.rows + 1;
        self.bytes(rows as u64, (rows - self.in_files) as u64) <= self.max_bytes
    }

    /// The rows that have been read; they are there no more.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(&mut self) -> Result<Dataset, DataError> {
        // What a row left that could not be read is none of them.
        let in_memory = self.rows - self.in_files;
        self.sinks.iter_mut().for_each(|sink| sink.truncate(in_memory));
        if self.in_files > 0 {
            self.move_to_files()?;
        }
        let rows = std::mem::take(&mut self.rows);
        self.in_files = 0;
        let mut inputs: Vec<Array> = self.sinks.iter_mut().map(Sink::take).collect();
        let targets = inputs.split_off(self.inputs);
        let groups = self.groups.as_mut().map(|groups| std::mem::take(&mut groups.of_row));
        let left_out = std::mem::take(&mut self.left_out);
        let kept = self.keeping.as_mut().map(Keeping::take);
        let unlisted = self.sinks.iter_mut().filter_map(|sink| sink.unlisted.take()).collect();
        let lacking = |sink: &mut Sink| (sink.port.name.clone(), std::mem::take(&mut sink.lacking));
        let lacking = self.sinks[self.inputs..].iter_mut().map(lacking);
        let lacking = lacking.filter(|(_, rows)| *rows > 0).collect();
        let beside = Dataset { left_out, lacking, unlisted, groups, kept, ..Dataset::default() };
        Ok(Dataset { rows, inputs, targets, ..beside })
    }
}

impl Groups {
    fn push(&mut self, row: Row<'_>) {
        let next = self.numbers.len() as u32;
        let value = row.field(self.column).text();
        let known = self.numbers.get(&*value).copied();
        self.of_row.push(known.unwrap_or_else(|| {
            self.numbers.insert(value.into_owned(), next);
            next
        }));
    }
}

impl<'a> Sink<'a> {
    fn new(port: &'a PortSpec, columns: Vec<usize>) -> Sink<'a> {
        Sink { port, columns, values: port.no_rows().data, spill: None, unlisted: None, lacking: 0 }
    }

    /// Takes a row; false where it is to be left out.
    fn push(&mut self, row: Row<'_>, fate: Fate, numbers: NumberStyle) -> Result<bool, Misfit> {
        let from = Source { port: self.port, columns: &self.columns, fate, numbers };
        let unlisted = &mut self.unlisted;
        match &mut self.values {
            Values::F32(values) => {
                let plain = plain_number(&from);
                push_row((values, unlisted), row, &from, f32::NAN, plain, parse_real)
            }
            Values::I32(values) => {
                push_row((values, unlisted), row, &from, MISSING, |_| None, parse_integer)
            }
            Values::File(_) => unreachable!("the newest values of a sink are in memory"),
        }
    }

    /// Moves all values to a file of the folder.
    fn move_to_file(&mut self, folder: &Path) -> io::Result<()> {
        let dtype = if self.port.integer { DType::I32 } else { DType::F32 };
        let spill = match &mut self.spill {
            Some(spill) => spill,
            none => none.insert(Spill::create_in(folder, dtype)?),
        };
        match &mut self.values {
            Values::F32(values) => move_to(spill, values),
            Values::I32(values) => move_to(spill, values),
            Values::File(_) => Ok(()),
        }
    }

    /// Keeps the values of so many rows.
    fn truncate(&mut self, rows: usize) {
        let count = rows * self.columns.len();
        match &mut self.values {
            Values::F32(values) => values.truncate(count),
            Values::I32(values) => values.truncate(count),
            Values::File(_) => {}
        }
    }

    fn take(&mut self) -> Array {
        let data = match self.spill.take() {
            Some(spill) => Values::File(Arc::new(spill)),
            None => std::mem::replace(&mut self.values, self.port.no_rows().data),
        };
        Array { width: self.columns.len(), data }
    }
}

/// Adds values to a file; the room for the next ones is that of a block.
fn move_to<T>(spill: &mut Spill, values: &mut Vec<T>) -> io::Result<()>
where
    [T]: AsSlice,
{
    spill.add(values.as_values())?;
    values.clear();
    values.shrink_to(BLOCK_BYTES as usize / size_of::<T>());
    Ok(())
}

/// Where the values of a port come from.
struct Source<'a> {
    port: &'a PortSpec,
    columns: &'a [usize],
    fate: Fate,
    numbers: NumberStyle,
}

/// What becomes of a row that is without a value of a port that has no holes.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    /// It cannot be read.
    Error,
    /// It is kept, to predict from: the target is not needed for that.
    Hole,
    /// It is left out.
    LeftOut,
}

/// Reads the plain decimals that most fields are, where nothing is asked of a number but to be one.
fn plain_number(source: &Source<'_>) -> impl Fn(Field<'_>) -> Option<f32> + use<> {
    let Source { port, numbers, .. } = source;
    let asks_no_more = port.domain == Domain::Any
        && port.missing.words().is_empty()
        && *numbers == NumberStyle::default();
    move |field| match field {
        Field::Text(text) if asks_no_more => parse_decimal(text.trim_ascii()),
        _ => None,
    }
}

fn push_row<T>(
    (values, unlisted): (&mut Vec<T>, &mut Option<Unlisted>),
    row: Row<'_>,
    source: &Source<'_>,
    hole: T,
    plain: impl Fn(Field<'_>) -> Option<T>,
    parse: impl Fn(Field<'_>, &PortSpec) -> Result<Option<T>, Complaint>,
) -> Result<bool, Misfit>
where
    T: Copy,
{
    let port = source.port;
    let mut number = Vec::new();
    for (index, &column) in source.columns.iter().enumerate() {
        let field = row.field(column);
        if let Some(value) = plain(field) {
            values.push(value);
            continue;
        }
        let read = match &port.domain {
            Domain::Names(_) => Ok(field),
            _ => source.numbers.read(field, &mut number),
        };
        let complaint = match read.and_then(|field| parse(field, port)) {
            Ok(Some(value)) => {
                values.push(value);
                continue;
            }
            Ok(None) if port.missing.is_hole() || source.fate == Fate::Hole => {
                Unlisted::count(unlisted, field, port);
                values.push(hole);
                continue;
            }
            Ok(None) if source.fate == Fate::LeftOut => return Ok(false),
            Ok(None) => Complaint::new("a value is missing", "fill it in, or remove the row"),
            Err(complaint) => complaint,
        };
        return Err(Misfit { column, port_column: port.column_name(index), complaint });
    }
    Ok(true)
}

/// A field that is no text, and cannot be kept.
fn not_utf_8(column: usize, file: &str, table: &dyn Table, header: Option<&[String]>) -> DataError {
    let complaint = Complaint::new("is not valid UTF-8", TO_UTF_8);
    let port_column = String::new();
    Misfit { column, port_column, complaint }.locate(file, table, 0, header)
}

impl Misfit {
    /// The error of the field: by its line and its column, which has the name that the header gives
    /// it or else the model; by its row, where there are no lines, and alone by that in an array.
    fn locate(
        self,
        file: &str,
        table: &dyn Table,
        row: usize,
        header: Option<&[String]>,
    ) -> DataError {
        let Misfit { column, port_column, complaint } = self;
        let (line, number) = (table.line(), table.number());
        let complaint = match number.or(line.is_none().then_some(row as u64)) {
            Some(row) => {
                Complaint { message: format!("row {row}: {}", complaint.message), ..complaint }
            }
            None => complaint,
        };
        if line.or(number).is_none() {
            return complaint.in_file(file);
        }
        let name = match header {
            Some(names) if !names[column].is_empty() => shown(&names[column]),
            _ => port_column,
        };
        DataError {
            line,
            column: Some(column as u32),
            column_name: Some(name.into()),
            ..complaint.in_file(file)
        }
    }
}
