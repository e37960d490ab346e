//! What a caller says of a table that is to be read: the ports that it fills, and the limits.

use super::PortSpec;
use super::choice::{Words, methods};
use super::column_map::ColumnMap;
use super::names::ColumnNames;
use super::numbers::NumberStyle;
use super::table::Terms;
use std::path::Path;

/// The column of a table that says which rows belong together: those with the same value.
#[derive(Clone, Copy, Debug)]
pub struct GroupSpec<'a> {
    /// Its name.
    pub column: &'a str,
    /// Whether the table may be without it.
    pub is_optional: bool,
}

/// What to read from a table.
#[derive(Clone, Copy, Debug)]
pub struct TableSpec<'a> {
    /// The inputs of the model.
    pub inputs: &'a [PortSpec],
    /// Its targets.
    pub targets: &'a [PortSpec],
    /// What its columns were called in the table that the net was trained on.
    pub names: Option<&'a ColumnNames>,
    /// The user's choice of columns, for the ports that it names.
    pub columns: Option<&'a ColumnMap>,
    /// The columns that are kept as they are written: names, places and ranges of them, several
    /// separated by commas, or all.
    pub keep: &'a [String],
    /// The column that says which rows belong together.
    pub group: Option<GroupSpec<'a>>,
    /// How its numbers are written.
    pub numbers: NumberStyle,
    /// Whether the first row of the table is a header; where it is not said, its fields decide.
    pub header: Option<bool>,
    /// Whether the table may be without targets, as for a prediction.
    pub targets_optional: bool,
    /// The most bytes that may be held.
    pub max_bytes: u64,
    /// Those of them that are held before the table is read.
    pub held: u64,
    /// Those that a row will take beside its values.
    pub row_bytes: u64,
    /// The folder for values that are more than half of those, in files of which a training reads
    /// what comes next; where there is none, more than all are an error.
    pub spill: Option<&'a Path>,
    /// How errors write what the caller may choose.
    pub words: Words,
}

impl<'a> TableSpec<'a> {
    /// The table has all these ports, in the columns where they usually are.
    pub fn new(inputs: &'a [PortSpec], targets: &'a [PortSpec]) -> TableSpec<'a> {
        TableSpec {
            inputs,
            targets,
            names: None,
            columns: None,
            keep: &[],
            group: None,
            numbers: NumberStyle::default(),
            header: None,
            targets_optional: false,
            max_bytes: u64::MAX,
            held: 0,
            row_bytes: 0,
            spill: None,
            words: methods,
        }
    }

    /// What is said of a file before its format is known.
    pub(super) fn terms(&self) -> Terms {
        Terms { words: self.words, max_bytes: self.max_bytes.saturating_sub(self.held) }
    }

    /// The inputs and the targets.
    pub(super) fn ports(&self) -> impl Iterator<Item = &'a PortSpec> {
        self.inputs.iter().chain(self.targets)
    }
}
