//! What the columns of each port were called in the table that a net was trained on.
//!
//! A header that was read by position has names which the model does not know. They travel with
//! the weights, in the metadata of their file, and with a compiled program, so that a later table
//! is read by name.

use std::collections::BTreeMap;

use super::error::DataError;
use crate::program::text::escaped_start;
use crate::program::{Port, Program};

/// The key of the names in the metadata of a weight file.
const KEY: &str = "columns";

/// The most bytes of names that a weight file gets; beyond, its header could be too large to read.
const MAX_BYTES: usize = 4 << 20;

/// For each port, by its name, the names of its columns in order. A port whose columns have no
/// names, or none that tell them apart, has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames(BTreeMap<String, Vec<String>>);

impl ColumnNames {
    /// The names that a program keeps.
    pub fn of_program(program: &Program) -> ColumnNames {
        let ports = program.inputs.iter().chain(&program.targets);
        let named = ports.filter(|port| !port.columns.is_empty());
        ColumnNames(named.map(|port| (port.name.clone(), port.columns.clone())).collect())
    }

    /// The names in the metadata of a weight file, which errors call `file`.
    ///
    /// # Errors
    /// An entry that is no object of lists of names.
    pub fn from_metadata(
        metadata: &BTreeMap<String, String>,
        file: &str,
    ) -> Result<ColumnNames, DataError> {
        let Some(text) = metadata.get(KEY) else { return Ok(ColumnNames::default()) };
        serde_json::from_str(text).map(ColumnNames).map_err(|error| {
            let reason = escaped_start(&error.to_string(), 200);
            DataError::new(file, format!("has invalid names of columns in its metadata: {reason}"))
        })
    }

    /// Adds the names to the metadata of a weight file, unless they are too long for it.
    pub(crate) fn add_to(&self, metadata: &mut BTreeMap<String, String>) {
        let text = serde_json::to_string(&self.0).expect("a map of lists of text is JSON");
        if !self.0.is_empty() && text.len() <= MAX_BYTES {
            metadata.insert(KEY.to_string(), text);
        }
    }

    /// Makes a program keep the names of its ports.
    pub fn keep_in(&self, program: &mut Program) {
        let keep = |port: &mut Port| port.columns = self.get(&port.name).unwrap_or(&[]).to_vec();
        program.inputs.iter_mut().chain(&mut program.targets).for_each(keep);
    }

    /// The names of a port's columns, where they are known.
    pub fn get(&self, port: &str) -> Option<&[String]> {
        self.0.get(port).map(Vec::as_slice)
    }

    /// Whether no names are known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets the names of a port's columns.
    pub fn set(&mut self, port: &str, names: Vec<String>) {
        self.0.insert(port.to_string(), names);
    }

    /// These names, and for ports without any those of `other`.
    #[must_use]
    pub fn or(mut self, other: ColumnNames) -> ColumnNames {
        for (port, names) in other.0 {
            self.0.entry(port).or_insert(names);
        }
        self
    }
}
