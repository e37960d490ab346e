//! Where the largest element of each row is.

use super::{Access, Division, Kind};
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::operand::{check_list, matrix};
use crate::{BufferId, ProgramError};

/// The position of the first largest element of each row of `x`, as a float.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argmax {
    /// The rows.
    pub x: BufferId,
    /// A position a row.
    pub y: BufferId,
}

impl Kind for Argmax {
    fn name(&self) -> &'static str {
        "argmax"
    }

    fn access(&self) -> Access {
        Access { gathers: vec![self.x], writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.x), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        vec![format!("{} = argmax({})", names.of(self.y), names.of(self.x))]
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let (rows, _) = matrix(self.x, "x", buffers)?;
        check_list(self.y, "y", rows, buffers)
    }
}
