//! Rows of a table by their indices, and sums of rows by theirs.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::verify::operand::{check_indices, matrix};
use crate::{BufferId, ProgramError, Rows};

/// Each row of `y` is the row of `table` that its index names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gather {
    /// The table.
    pub table: BufferId,
    /// One index a row of `y`.
    pub index: BufferId,
    /// The rows that are looked up.
    pub y: BufferId,
}

/// The sum of the rows of `x` that have the same index, for each index: `y` = 0, and then each row
/// of `x`, in their order, is added to the row of `y` that its index names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScatterAdd {
    /// The rows that are added.
    pub x: BufferId,
    /// One index a row of `x`.
    pub index: BufferId,
    /// The sums.
    pub y: BufferId,
}

impl Kind for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn access(&self) -> Access {
        let gathers = vec![self.table, self.index];
        Access { gathers, writes: vec![self.y], ..Access::default() }
    }

    fn reads_part_of(&self) -> Option<BufferId> {
        Some(self.table)
    }

    fn over(&self) -> BufferId {
        self.y
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.y), parts: false }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let [y, table, index] = [self.y, self.table, self.index].map(|id| names.of(id));
        vec![format!("{y} = {table}[{index}]")]
    }

    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        check(self.table, self.index, (self.y, "y"), buffers, classes)
    }
}

impl Kind for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn access(&self) -> Access {
        let gathers = vec![self.x, self.index];
        Access { gathers, writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.x
    }

    fn division(&self) -> Division {
        Division { rows_of: None, parts: true }
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let [y, x, index] = [self.y, self.x, self.index].map(|id| names.of(id));
        vec![format!("{y} = scatter_add({x}, {index})")]
    }

    fn check(&self, buffers: &Buffers, classes: &Classes) -> Result<(), ProgramError> {
        check(self.y, self.index, (self.x, "x"), buffers, classes)
    }
}

/// Checks that each row of a matrix has an index, and that each index has a row of a table.
fn check(
    table: BufferId,
    index: BufferId,
    (id, what): (BufferId, &str),
    buffers: &Buffers,
    classes: &Classes,
) -> Result<(), ProgramError> {
    let (rows, cols) = matrix(id, what, buffers)?;
    let (Rows { count, batched }, own_cols) = matrix(table, "the table", buffers)?;
    require!(!batched, "the table may not have the batch as its rows");
    require!(
        own_cols == cols,
        "the rows of the table have {own_cols} elements, and those of {what} {cols}"
    );
    let within = check_indices(index, "the index", rows, count, buffers, classes)?;
    require!(within, "the index may be outside the {count} rows of the table");
    Ok(())
}
