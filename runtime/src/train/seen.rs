//! Which rows a net was trained on, as its weights remember: a hash of the data, and how rows were
//! held out. So an evaluation can tell rows that training saw from others.

use super::hash::{hash_data, hex};
use super::split::{Portion, hold_out};
use crate::exec::{Feed, RunError};
use crate::program::{Split, Training};
use std::collections::BTreeMap;

const DATA: &str = "data";
const VALID: &str = "valid";
const SEED: &str = "seed";
/// Which rows are held out: `class`, `last`, or `column` and its name; any where there is none.
const BY: &str = "by";
const COLUMN: &str = "column ";

/// What a weight file says about the rows that it was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    data: String,
    valid: f64,
    split: Split,
    seed: u64,
}

impl Seen {
    /// What the metadata of a weight file says, if it does.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Option<Seen> {
        Some(Seen {
            data: metadata.get(DATA)?.clone(),
            valid: metadata.get(VALID)?.parse().ok().filter(|valid| (0.0..1.0).contains(valid))?,
            split: match metadata.get(BY).map(String::as_str) {
                None => Split::Random,
                Some("class") => Split::Class,
                Some("last") => Split::Last,
                Some(by) => Split::Column(by.strip_prefix(COLUMN)?.to_string()),
            },
            seed: metadata.get(SEED)?.parse().ok()?,
        })
    }

    /// The rows held out of this data, if it is the data that was trained on.
    ///
    /// # Errors
    /// Data in a file that cannot be read.
    pub(crate) fn held_out(
        &self,
        data: &Feed,
        groups: Option<&[u32]>,
    ) -> Result<Option<Vec<u32>>, RunError> {
        if hex(hash_data(data, groups)?) != self.data {
            return Ok(None);
        }
        let part = Portion::Share(self.valid);
        let sides = hold_out(data, groups, &self.split, part, self.seed);
        Ok(sides.ok().map(|(_, held_out)| held_out))
    }
}

/// Adds what [`Seen`] reads to the metadata of a weight file.
pub(super) fn add_to(metadata: &mut BTreeMap<String, String>, data: String, training: &Training) {
    metadata.insert(DATA.into(), data);
    metadata.insert(VALID.into(), training.valid.to_string());
    let by = match &training.split {
        Split::Random => None,
        Split::Class => Some("class".to_string()),
        Split::Last => Some("last".to_string()),
        Split::Column(name) => Some(format!("{COLUMN}{name}")),
    };
    metadata.extend(by.map(|by| (BY.to_string(), by)));
    metadata.insert(SEED.into(), training.seed.to_string());
}
