//! A table in several files: the rows of one after those of another.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;

use super::choice::{Choice, Words};
use super::error::{Complaint, DataError, plural, quoted, shown};
use super::format;
use super::header::{empty, names};
use super::table::{Opened, Row, Table, Terms};

/// Opens the table in these files, in this order.
///
/// # Errors
/// No file, one that cannot be read, or one of several that is an array.
pub(super) fn open_files(paths: &[PathBuf], terms: Terms) -> Opened<'static> {
    let Some((first, left)) = paths.split_first() else {
        return Err(DataError::new("the table", "has no file"));
    };
    let (name, table) = open_file(first, terms)?;
    if left.is_empty() {
        return Ok(table);
    }
    refuse_array(&*table, &name, terms.words)?;
    let (first, left) = (name.clone(), left.iter().cloned().collect());
    Ok(Box::new(Parts { table, name, first, left, width: None, header: None, chosen: None, terms }))
}

/// What errors call a table in several files as a whole.
pub(super) fn name_of(paths: &[PathBuf]) -> String {
    paths.first().map(|path| path.display().to_string()).unwrap_or_default()
}

/// What errors call a file, and the table in it.
fn open_file(path: &PathBuf, terms: Terms) -> Result<(String, Box<dyn Table>), DataError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| DataError::io(&name, &error))?;
    let table = format::open_file(file, &name, terms)?;
    Ok((name, table))
}

/// An array has no rows of text that could follow others.
fn refuse_array(table: &dyn Table, name: &str, words: Words) -> Result<(), DataError> {
    if table.shape().is_none() {
        return Ok(());
    }
    let error = DataError::new(name, "is an array, and the parts of a table are text");
    Err(error
        .with_help(format!("name one array for each port: {}", words(Choice::Arrays("x=X.npy")))))
}

/// The files of a table, and the one that is read.
struct Parts {
    table: Box<dyn Table>,
    name: String,
    /// What the first of them is called.
    first: String,
    left: VecDeque<PathBuf>,
    /// The number of columns.
    width: Option<usize>,
    /// The names of the columns, where the first file has them: others may have them too.
    header: Option<Vec<String>>,
    /// The columns that are looked at, where it is said.
    chosen: Option<Vec<usize>>,
    terms: Terms,
}

impl Table for Parts {
    fn advance(&mut self) -> Result<bool, DataError> {
        while !self.table.advance()? {
            if self.width.is_none() {
                return Err(empty(&self.name));
            }
            let Some(path) = self.left.pop_front() else { return Ok(false) };
            let (name, mut table) = open_file(&path, self.terms)?;
            refuse_array(&*table, &name, self.terms.words)?;
            if !table.advance()? {
                return Err(empty(&name));
            }
            self.check_width(&*table, &name)?;
            let is_row = !self.is_header(&*table, &name)?;
            if let Some(chosen) = &self.chosen {
                table.choose(chosen)?;
            }
            (self.table, self.name) = (table, name);
            if is_row {
                return Ok(true);
            }
        }
        self.width.get_or_insert(self.table.row().len());
        Ok(true)
    }

    fn row(&self) -> Row<'_> {
        self.table.row()
    }

    fn line(&self) -> Option<u64> {
        self.table.line()
    }

    fn number(&self) -> Option<u64> {
        self.table.number()
    }

    fn has_next(&self) -> bool {
        self.table.has_next()
    }

    fn is_string(&self, column: usize) -> Option<bool> {
        self.table.is_string(column)
    }

    fn is_nested(&self, column: usize) -> bool {
        self.table.is_nested(column)
    }

    fn choose(&mut self, columns: &[usize]) -> Result<(), DataError> {
        self.chosen = Some(columns.to_vec());
        self.table.choose(columns)
    }

    fn has_names(&self) -> bool {
        self.table.has_names()
    }

    fn file(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn set_header(&mut self, header: &[String]) {
        self.header = Some(header.to_vec());
    }
}

impl Parts {
    /// A file has as many columns as the first.
    fn check_width(&self, table: &dyn Table, name: &str) -> Result<(), DataError> {
        let (found, first) = (table.row().len(), shown(&self.first));
        let expected = self.width.unwrap_or(found);
        if found == expected {
            return Ok(());
        }
        let columns = plural(found, "column");
        let message = format!("has {columns}, and {first} has {expected}");
        let help = "all files of a table have the same columns";
        Err(DataError::new(name, message).with_help(help))
    }

    /// Whether the first row of a file is the header of the first one again.
    fn is_header(&self, table: &dyn Table, name: &str) -> Result<bool, DataError> {
        let Some(header) = &self.header else { return Ok(false) };
        let own = match table.row().names() {
            Ok(own) => own,
            Err(_) if !table.has_names() => return Ok(false),
            Err(_) => names(table, name)?,
        };
        if own == *header {
            return Ok(true);
        }
        // Names of columns, but not those, in their places.
        let is_header = table.has_names() || own.iter().any(|own| header.contains(own));
        if !is_header {
            return Ok(false);
        }
        let differs = own.iter().zip(header).position(|(own, name)| own != name).unwrap_or(0);
        let first = shown(&self.first);
        let (found, expected) = (quoted(&own[differs]), quoted(&header[differs]));
        let complaint = Complaint::new(
            format!("the column is {found}, and in {first} it is {expected}"),
            "the columns of all files have the same names, in the same order",
        );
        let column = Some(differs as u32);
        Err(DataError { line: table.line(), column, ..complaint.in_file(name) })
    }
}
