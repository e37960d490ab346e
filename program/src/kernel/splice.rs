//! Elements of some buffers put together: rows side by side, a part of each row, or the same
//! elements in rows of another length.

use super::{Access, Division, Kind};
use crate::error::require;
use crate::layout::size_text;
use crate::names::Names;
use crate::verify::buffers::{Buffers, Classes};
use crate::{BufferId, Layout, ProgramError, Rows};

/// Fills each group of `y` with pieces of the same group of other buffers, one after another.
///
/// A group is some rows that follow each other, their elements in order. Every buffer here is as
/// many groups, of a size of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Splice {
    /// How many groups each buffer is made of.
    pub groups: Rows,
    /// What a group of `y` is filled with, in order.
    pub pieces: Vec<Piece>,
    /// The result.
    pub y: BufferId,
}

/// What a part of each group is filled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Whose elements; zeros without.
    pub x: Option<BufferId>,
    /// The first of them in its group.
    pub from: u64,
    /// How many.
    pub len: u64,
}

impl Kind for Splice {
    fn name(&self) -> &'static str {
        "splice"
    }

    fn access(&self) -> Access {
        let gathers = self.pieces.iter().filter_map(|piece| piece.x).collect();
        Access { gathers, writes: vec![self.y], ..Access::default() }
    }

    fn over(&self) -> BufferId {
        self.y
    }

    fn division(&self) -> Division {
        Division { rows_of: Some(self.y), parts: false }
    }

    fn spreads(&self) -> bool {
        true
    }

    fn lines(&self, names: &Names) -> Vec<String> {
        let piece = |Piece { x, from, len }: &Piece| match x {
            Some(x) => format!("{}[{from}..{}]", names.of(*x), from.saturating_add(*len)),
            None => format!("0[..{len}]"),
        };
        let pieces: Vec<String> = self.pieces.iter().map(piece).collect();
        vec![format!("{} = splice({})", names.of(self.y), pieces.join(", "))]
    }

    fn check(&self, buffers: &Buffers, _: &Classes) -> Result<(), ProgramError> {
        let size = group(self.y, "y", self.groups, buffers)?;
        let mut filled = 0u64;
        for Piece { x, from, len } in &self.pieces {
            if let Some(x) = x {
                let end = from.checked_add(*len);
                let held = group(*x, "x", self.groups, buffers)?;
                require!(
                    end.is_some_and(|end| end <= held),
                    "takes {len} elements from {from} of a group that has {held}"
                );
            }
            filled = filled.saturating_add(*len);
        }
        require!(filled == size, "fills {filled} elements of a group that has {size}");
        Ok(())
    }
}

/// The elements of each group of a buffer.
fn group(id: BufferId, what: &str, groups: Rows, buffers: &Buffers) -> Result<u64, ProgramError> {
    let layout = buffers.float(id, what)?;
    require!(matches!(layout, Layout::Rows { .. }), "{what} must be in rows");
    let (rows, cols) = layout.shape();
    let elements = rows.count.checked_mul(cols).filter(|_| rows.batched == groups.batched);
    let size = elements.and_then(|elements| elements.checked_div(groups.count));
    match size.filter(|&size| Some(size * groups.count) == elements) {
        Some(size) => Ok(size),
        None => Err(ProgramError::new(format!(
            "{what} is {}, which is not {} alike",
            size_text((rows, cols)),
            groups_text(groups)
        ))),
    }
}

fn groups_text(Rows { count, batched }: Rows) -> String {
    format!("{count}{} groups", if batched { "N" } else { "" })
}
