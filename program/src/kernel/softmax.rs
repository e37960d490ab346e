//! Softmax of each row.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::operand::rows_or_columns;
use crate::{BufferId, LANES, ProgramError};

/// `y` = softmax of each row of `x`, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    /// The logits.
    pub x: BufferId,
    /// The probabilities.
    pub y: BufferId,
    /// Whether the logarithm is wanted.
    pub log: bool,
}

impl Kind for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn access(&self) -> Access {
        Access { streams: vec![self.x], writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.x), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        vec![format!("{} = {}({})", names.of(self.y), self.name(), names.of(self.x))]
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let &Softmax { x, y, .. } = self;
        rows_or_columns(x, LANES, buffers)?;
        require!(buffers.float(y, "y")? == buffers.float(x, "x")?, "x and y differ in layout");
        Ok(())
    }
}
