//! Whole numbers as floats.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::layout::size_text;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::operand::{check_indices, matrix};
use crate::{BufferId, ProgramError, Rows};

/// The index of each row as a float, or where there is no list of indices, the position of each
/// element: 0, 1, 2 and so on along one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole {
    /// One index a row of `y`.
    pub index: Option<BufferId>,
    /// The numbers.
    pub y: BufferId,
}

impl Kind for Whole {
    fn name(&self) -> &'static str {
        "whole"
    }

    fn access(&self) -> Access {
        let gathers = self.index.into_iter().collect();
        Access { gathers, writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.y
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.y), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let y = names.of(self.y);
        vec![match self.index {
            Some(index) => format!("{y} = float({})", names.of(index)),
            None => format!("{y} = 0, 1, 2, .."),
        }]
    }

    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        let (rows, cols) = matrix(self.y, "y", buffers)?;
        let size = size_text((rows, cols));
        match self.index {
            Some(index) => {
                require!(cols == 1, "y is {size}, and must have one element a row");
                check_indices(index, "the index", rows, u64::MAX, buffers, classes)?;
            }
            None => require!(rows == Rows::fixed(1), "y is {size}, and must be one row"),
        }
        Ok(())
    }
}
