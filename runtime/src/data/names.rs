//! What the columns of each port were called in the table that a net was trained on, or where they
//! were.
//!
//! A header that was read by position has names which the model does not know. They travel with
//! the weights, in the metadata of their file, and with a compiled program, so that a later table
//! is read by name. Of a table without a header, whose columns the user chose, the places travel
//! with the weights, and so does how the numbers of a table are written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::DataError;
use super::numbers::NumberStyle;
use crate::program::text::escaped_start;
use crate::program::{Port, Program};

/// The key of the names in the metadata of a weight file, and that of the places.
const KEY: &str = "columns";
const PLACES_KEY: &str = "column_places";
/// The key of how numbers are written.
const NUMBERS_KEY: &str = "numbers";

/// The most bytes of names that a weight file gets, and of places; beyond, its header could be too
/// large to read.
const MAX_BYTES: usize = 4 << 20;

/// For each port, by its name, the names of its columns in order; and how numbers are written. A
/// port whose columns have no names, or none that tell them apart, has no entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnNames {
    names: BTreeMap<String, Vec<String>>,
    places: Option<Positions>,
    numbers: NumberStyle,
}

/// Where the columns of each port are in a table of so many, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Positions {
    of: usize,
    ports: BTreeMap<String, Vec<usize>>,
}

impl ColumnNames {
    /// The names that a program keeps.
    pub fn of_program(program: &Program) -> ColumnNames {
        let ports = program.inputs.iter().chain(&program.targets);
        let named = ports.filter(|port| !port.columns.is_empty());
        let names = named.map(|port| (port.name.clone(), port.columns.clone())).collect();
        ColumnNames { names, ..ColumnNames::default() }
    }

    /// The names and places in the metadata of a weight file, which errors call `file`.
    ///
    /// # Errors
    /// An entry that is no object of lists of names, or no places in a table.
    pub fn from_metadata(
        metadata: &BTreeMap<String, String>,
        file: &str,
    ) -> Result<ColumnNames, DataError> {
        let fail = |what: &str, reason: String| {
            let reason = escaped_start(&reason, 200);
            let message = format!("has invalid {what} of columns in its metadata: {reason}");
            DataError::new(file, message).with_help("train it again, or remove this metadata")
        };
        let names = metadata.get(KEY).map(|text| serde_json::from_str(text));
        let names = names.transpose().map_err(|error| fail("names", error.to_string()))?;
        let places = metadata.get(PLACES_KEY).map(|text| serde_json::from_str::<Positions>(text));
        let places = places.transpose().map_err(|error| fail("places", error.to_string()))?;
        if let Some(Positions { of, ports }) = &places
            && let Some(place) = ports.values().flatten().find(|place| *place >= of)
        {
            return Err(fail("places", format!("there is no {place} among {of}")));
        }
        let numbers = metadata.get(NUMBERS_KEY).map(|example| NumberStyle::parse(example));
        let numbers = numbers.transpose().map_err(|reason| fail("numbers", reason))?;
        let (names, numbers) = (names.unwrap_or_default(), numbers.unwrap_or_default());
        Ok(ColumnNames { names, places, numbers })
    }

    /// Adds the names and the places to the metadata of a weight file, unless they are too long for
    /// it.
    pub(crate) fn add_to(&self, metadata: &mut BTreeMap<String, String>) {
        let names = serde_json::to_string(&self.names).expect("a map of lists of text is JSON");
        if !self.names.is_empty() && names.len() <= MAX_BYTES {
            metadata.insert(KEY.to_string(), names);
        }
        if self.numbers != NumberStyle::default() {
            metadata.insert(NUMBERS_KEY.to_string(), self.numbers.example().to_string());
        }
        if let Some(places) = &self.places {
            let places = serde_json::to_string(places).expect("a map of lists of numbers is JSON");
            if places.len() <= MAX_BYTES {
                metadata.insert(PLACES_KEY.to_string(), places);
            }
        }
    }

    /// How the numbers of the table are written.
    pub fn numbers(&self) -> NumberStyle {
        self.numbers
    }

    /// Sets how the numbers of the table are written.
    pub(super) fn set_numbers(&mut self, numbers: NumberStyle) {
        self.numbers = numbers;
    }

    /// Where a port's columns were in a table of so many, if it was trained on one.
    pub(super) fn places(&self, port: &str, of: usize) -> Option<&[usize]> {
        let places = self.places.as_ref().filter(|places| places.of == of)?;
        places.ports.get(port).map(Vec::as_slice)
    }

    /// Sets where the columns of all ports are in a table of so many.
    pub(super) fn set_places<'a>(
        &mut self,
        of: usize,
        ports: impl Iterator<Item = (&'a str, &'a Vec<usize>)>,
    ) {
        let ports = ports.map(|(port, places)| (port.to_string(), places.clone())).collect();
        self.places = Some(Positions { of, ports });
    }

    /// Makes a program keep the names of its ports.
    pub fn keep_in(&self, program: &mut Program) {
        let keep = |port: &mut Port| port.columns = self.get(&port.name).unwrap_or(&[]).to_vec();
        program.inputs.iter_mut().chain(&mut program.targets).for_each(keep);
    }

    /// The names of a port's columns, where they are known.
    pub fn get(&self, port: &str) -> Option<&[String]> {
        self.names.get(port).map(Vec::as_slice)
    }

    /// Whether no names are known.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Sets the names of a port's columns.
    pub fn set(&mut self, port: &str, names: Vec<String>) {
        self.names.insert(port.to_string(), names);
    }

    /// These names and places, and for ports without any those of `other`.
    #[must_use]
    pub fn or(mut self, other: ColumnNames) -> ColumnNames {
        for (port, names) in other.names {
            self.names.entry(port).or_insert(names);
        }
        self.places = self.places.or(other.places);
        if self.numbers == NumberStyle::default() {
            self.numbers = other.numbers;
        }
        self
    }
}
