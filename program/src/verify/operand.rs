//! The types, sizes and layouts that kernels ask of their operands.

use super::buffers::{Buffers, Classes, has_vector_rows};
use crate::error::require;
use crate::layout::size_text;
use crate::{Buffer, BufferId, DType, Expr, Layout, ProgramError, Rows};

/// The size of a buffer of floats in rows of whole vectors.
pub(crate) fn matrix(
    id: BufferId,
    what: &str,
    buffers: &Buffers,
) -> Result<(Rows, u64), ProgramError> {
    let layout = buffers.float(id, what)?;
    require!(has_vector_rows(layout), "{what} must be in rows of whole vectors");
    Ok(layout.shape())
}

/// The size of x, a buffer of floats in rows of whole vectors, or in up to `most` columns.
pub(crate) fn rows_or_columns(
    x: BufferId,
    most: u64,
    buffers: &Buffers,
) -> Result<(Rows, u64), ProgramError> {
    match buffers.float(x, "x")? {
        Layout::Columns { rows, cols, .. } => {
            require!(cols <= most, "x is in {cols} columns, more than {most}");
            Ok((rows, cols))
        }
        _ => matrix(x, "x", buffers),
    }
}

/// The layout of the first store, which is the region of a map.
pub(crate) fn first_store(expr: &Expr, buffers: &Buffers) -> Result<Layout, ProgramError> {
    let Some(&(_, id)) = expr.stores.first() else {
        return Err(ProgramError::new("its expression stores nothing"));
    };
    buffers.float(id, "store 0")
}

/// Whether a layout has one element for each of `rows`, in rows of its own.
pub(crate) fn is_list(layout: Layout, rows: Rows) -> bool {
    let Layout::Rows { rows: own, cols, .. } = layout else { return false };
    own.batched == rows.batched && own.count.checked_mul(cols) == Some(rows.count)
}

/// Checks a list of one float for each row.
pub(crate) fn check_list(
    id: BufferId,
    what: &str,
    rows: Rows,
    b: &Buffers,
) -> Result<(), ProgramError> {
    let layout = b.float(id, what)?;
    require!(is_list(layout, rows), "{what} must be a list of {}", size_text((rows, 1)));
    Ok(())
}

/// Checks the target of logits: for each row the index of one of `cols` classes.
pub(crate) fn check_target(
    id: BufferId,
    rows: Rows,
    cols: u64,
    buffers: &Buffers,
    classes: &Classes,
) -> Result<(), ProgramError> {
    let within = check_indices(id, "the target", rows, cols, buffers, classes)?;
    require!(within, "the target may be outside the {cols} classes");
    Ok(())
}

/// Checks a list of one index for each row, and says whether each is below `end`. Indices are data,
/// so they are trusted only where they come from a port that admits no others.
pub(crate) fn check_indices(
    id: BufferId,
    what: &str,
    rows: Rows,
    end: u64,
    buffers: &Buffers,
    classes: &Classes,
) -> Result<bool, ProgramError> {
    let Buffer { layout, dtype, .. } = *buffers.get(id)?;
    let name = dtype.name();
    require!(dtype == DType::I32, "{what} must be a buffer of i32, not of {name}");
    require!(is_list(layout, rows), "{what} must be a list of {}", size_text((rows, 1)));
    Ok(classes.get(&id).is_some_and(|&count| count <= end))
}
