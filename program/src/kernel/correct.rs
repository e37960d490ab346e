//! Whether the largest score of each row is its class's.

use super::{Access, Division, Kind};
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::operand::{check_list, check_target, matrix};
use crate::{BufferId, ProgramError};

/// `y` = 1 for each row of `x` whose first largest element is at index `target`, else 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correct {
    /// The scores.
    pub x: BufferId,
    /// The class indices.
    pub target: BufferId,
    /// 1 or 0 a row.
    pub y: BufferId,
}

impl Kind for Correct {
    fn name(&self) -> &'static str {
        "correct"
    }

    fn access(&self) -> Access {
        let gathers = vec![self.x, self.target];
        Access { gathers, writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.x), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let [y, x, target] = [self.y, self.x, self.target].map(|id| names.of(id));
        vec![format!("{y} = correct({x}, {target})")]
    }

    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        let (rows, cols) = matrix(self.x, "x", buffers)?;
        check_target(self.target, rows, cols, buffers, classes)?;
        check_list(self.y, "y", rows, buffers)
    }
}
