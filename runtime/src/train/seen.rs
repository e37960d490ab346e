//! Which rows a net was trained on, as its weights remember: a hash of the data, and how rows were
//! held out. So an evaluation can tell rows that training saw from others.

use super::hash::{hash_data, hex};
use super::settings::split;
use crate::exec::Feed;
use crate::program::Training;
use std::collections::BTreeMap;

const DATA: &str = "data";
const VALID: &str = "valid";
const SEED: &str = "seed";

/// What a weight file says about the rows that it was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    data: String,
    valid: f64,
    seed: u64,
}

impl Seen {
    /// What the metadata of a weight file says, if it does.
    pub fn from_metadata(metadata: &BTreeMap<String, String>) -> Option<Seen> {
        Some(Seen {
            data: metadata.get(DATA)?.clone(),
            valid: metadata.get(VALID)?.parse().ok().filter(|valid| (0.0..1.0).contains(valid))?,
            seed: metadata.get(SEED)?.parse().ok()?,
        })
    }

    /// The rows held out of this data, if it is the data that was trained on.
    pub(crate) fn held_out(&self, data: &Feed) -> Option<Vec<u32>> {
        let same = hex(hash_data(data)) == self.data;
        let rows = same.then(|| split(data.rows(), self.valid, self.seed).ok())?;
        rows.map(|(_, held_out)| held_out)
    }
}

/// Adds what [`Seen`] reads to the metadata of a weight file.
pub(super) fn add_to(metadata: &mut BTreeMap<String, String>, data: String, training: &Training) {
    metadata.insert(DATA.into(), data);
    metadata.insert(VALID.into(), training.valid.to_string());
    metadata.insert(SEED.into(), training.seed.to_string());
}
