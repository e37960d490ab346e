//! The rows of a run: which of the data are trained on, and which are held out.

use super::chosen::Chosen;
use super::report::TrainError;
use super::split::{By, Portion, hold_out, split};
use crate::exec::Feed;
use crate::program::Training;

/// The data, and which rows of it are used.
pub(super) struct Rows {
    pub data: Feed<'static>,
    /// The group of each row, where the table says so.
    pub groups: Option<Vec<u32>>,
    /// The data held out, where it is other data.
    pub valid: Option<Feed<'static>>,
    pub training: Chosen,
    pub validation: Vec<u32>,
}

impl Rows {
    /// Holds rows of the data out, as a training says.
    pub fn split(
        data: Feed<'static>,
        groups: Option<Vec<u32>>,
        training: &Training,
        part: Portion,
    ) -> Result<Rows, TrainError> {
        let (by, seed) = (&training.split, training.seed);
        let (training, validation) = hold_out(&data, groups.as_deref(), by, part, seed)?;
        Ok(Rows { groups, training, validation, ..Rows::of(data) })
    }

    /// All of the data, and all of other data held out.
    pub fn validated(data: Feed<'static>, valid: Feed<'static>) -> Result<Rows, TrainError> {
        let all = |data: &Feed| split(data.rows(), By::Chance, Portion::Share(0.0), 0);
        let (training, validation) = (all(&data)?.0, all(&valid)?.0.iter().collect());
        Ok(Rows { training, validation, valid: Some(valid), ..Rows::of(data) })
    }

    /// No rows of this data.
    pub fn of(data: Feed<'static>) -> Rows {
        Rows {
            data,
            groups: None,
            valid: None,
            training: Chosen::default(),
            validation: Vec::new(),
        }
    }
}
