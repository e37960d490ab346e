//! Columns of a table that are kept as they are written, to stand beside predictions.

use std::collections::{HashMap, HashSet};

use super::choice::{Choice, Words};
use super::columns::repeated;
use super::error::{Complaint, meant_or_listed, plural, quoted};
use super::seat::Head;
use super::table::Row;

/// All columns, where none is called so.
const ALL: &str = "all";

/// The fields of some columns, row after row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    names: Vec<String>,
    text: String,
    /// Where each field ends.
    ends: Vec<usize>,
    /// Whether JSON wrote each field as a string, or else; nothing where the table is no JSON.
    strings: Vec<Option<bool>>,
}

impl Kept {
    /// What the columns are called: in a table without a header by their places, `column_0`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// A field, and whether JSON wrote it as a string or else, if it did.
    pub fn field(&self, row: usize, column: usize) -> (&str, Option<bool>) {
        let index = row * self.names.len() + column;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        (&self.text[start..self.ends[index]], self.strings[index])
    }

    /// The bytes of all fields.
    pub fn bytes(&self) -> u64 {
        let each = size_of::<usize>() + size_of::<Option<bool>>();
        (self.text.len() + self.ends.len() * each) as u64
    }
}

/// Which columns are kept, and what has been read of them.
pub(super) struct Keeping {
    columns: Vec<usize>,
    kept: Kept,
}

impl Keeping {
    /// These columns of a table.
    pub fn new(columns: Vec<usize>, header: Option<&[String]>) -> Keeping {
        let name = |&column: &usize| match header {
            Some(names) => names[column].clone(),
            None => format!("column_{column}"),
        };
        let names = columns.iter().map(name).collect();
        Keeping { columns, kept: Kept { names, ..Kept::default() } }
    }

    /// Keeps the fields of a row; the column of one that is no text.
    pub fn push(
        &mut self,
        row: Row<'_>,
        is_string: impl Fn(usize) -> Option<bool>,
    ) -> Result<(), usize> {
        for &column in &self.columns {
            let field = row.field(column);
            match field.as_text().map(std::str::from_utf8) {
                Some(text) => self.kept.text.push_str(text.map_err(|_| column)?),
                None => self.kept.text.push_str(&field.text()),
            }
            self.kept.ends.push(self.kept.text.len());
            self.kept.strings.push(is_string(column));
        }
        Ok(())
    }

    /// The bytes that have been read.
    pub fn bytes(&self) -> u64 {
        self.kept.bytes()
    }

    /// What has been read.
    pub fn take(&mut self) -> Kept {
        let names = self.kept.names.clone();
        std::mem::replace(&mut self.kept, Kept { names, ..Kept::default() })
    }
}

/// The columns that the caller wants to keep: names, places and ranges of them, several of these
/// separated by commas, or all.
pub(super) fn resolve(
    wanted: &[String],
    table: &Head<'_>,
    words: Words,
) -> Result<Vec<usize>, Complaint> {
    let mut columns = Vec::new();
    for text in wanted {
        // A name may have a comma.
        match find(text, table, words) {
            Ok(found) => columns.extend(found),
            Err(complaint) if !text.contains(',') => return Err(complaint),
            Err(_) => {
                for item in text.split(',') {
                    columns.extend(find(item.trim(), table, words)?);
                }
            }
        }
    }
    let mut seen = HashSet::new();
    columns.retain(|column| seen.insert(*column));
    let names = table.header.unwrap_or_default();
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    names.iter().for_each(|name| *times.entry(name).or_default() += 1);
    let kept = columns.iter().filter_map(|column| names.get(*column));
    match kept.into_iter().find(|name| times[name.as_str()] > 1) {
        Some(name) => Err(repeated(name)),
        None => Ok(columns),
    }
}

fn find(item: &str, table: &Head<'_>, words: Words) -> Result<Vec<usize>, Complaint> {
    let names = table.header.unwrap_or_default();
    if let Some(place) = names.iter().position(|name| name == item) {
        return Ok(vec![place]);
    }
    if item == ALL {
        return Ok((0..table.count).collect());
    }
    let place = |text: &str| text.trim().parse::<usize>().ok();
    let range = match item.split_once("..") {
        Some((low, high)) => place(low).zip(place(high)),
        None => place(item).and_then(|place| Some((place, place.checked_add(1)?))),
    };
    let keep = words(Choice::Keep(None));
    match range {
        Some((low, high)) if low < high && high <= table.count => Ok((low..high).collect()),
        Some(_) => Err(Complaint::new(
            format!("{keep} gives {item}, but the table has {}", plural(table.count, "column")),
            "columns are counted from 0, and the end of a range is not part of it",
        )),
        None if table.header.is_none() => {
            let message = format!("{keep} names the column {}", quoted(item));
            let [by_place, header] =
                [Choice::Keep(Some("0")), Choice::Header(Some(true))].map(words);
            Err(Complaint::new(
                format!("{message}, but the table has no header"),
                format!(
                    "say where it is, from 0: {by_place}; or {header} if its first row is a header"
                ),
            ))
        }
        None => {
            let message = format!("there is no column {}, to keep", quoted(item));
            let named = names.iter().map(String::as_str).filter(|name| !name.is_empty());
            Err(Complaint::new(message, meant_or_listed(item, "the columns", named)))
        }
    }
}
