//! The buffers of a program, each of them checked on its own.

use std::collections::HashMap;
use std::fmt;

use crate::error::require;
use crate::{
    Buffer, BufferId, DType, LANES, Layout, MAX_ARENA, MAX_ELEMENTS, MAX_INT8_ROWS, Program,
    ProgramError,
};

/// The bytes every buffer is aligned to.
const ALIGN: u64 = 64;

/// The number of classes that each buffer of i32 may hold, which are stored from 0 on.
pub(crate) type Classes = HashMap<BufferId, u64>;

/// The bytes of the arena from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Extent {
    pub(crate) fn overlaps(self, other: Extent) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// The buffers, each well-formed and inside the arena, with the bytes each takes at the full batch.
/// A smaller batch takes a part of them.
pub(crate) struct Buffers<'p> {
    pub(super) buffers: &'p [Buffer],
    extents: Vec<Extent>,
}

impl<'p> Buffers<'p> {
    pub(super) fn new(program: &'p Program) -> Result<Self, ProgramError> {
        let arena = program.arena_bytes;
        require!(program.batch >= 1, "the batch is 0 rows, and must be at least 1");
        require!(
            arena.is_multiple_of(ALIGN) && arena <= MAX_ARENA,
            "the arena is {arena} bytes, and must be a multiple of {ALIGN} up to 2^46"
        );
        let mut extents = Vec::with_capacity(program.buffers.len());
        for (i, buffer) in program.buffers.iter().enumerate() {
            let place = place(buffer, program.batch, arena)
                .map_err(|error| ProgramError::new(format!("buffer {i} {error}")))?;
            extents.push(place);
        }
        Ok(Buffers { buffers: &program.buffers, extents })
    }

    pub(crate) fn get(&self, id: BufferId) -> Result<&'p Buffer, ProgramError> {
        let count = self.buffers.len();
        let buffer = self.buffers.get(id.0 as usize);
        buffer.ok_or_else(|| {
            ProgramError::new(format!("there is no buffer {} among the {count} buffers", id.0))
        })
    }

    /// The layout of a buffer of floats; `what` is its part in the kernel or table.
    pub(crate) fn float(
        &self,
        id: BufferId,
        what: impl fmt::Display,
    ) -> Result<Layout, ProgramError> {
        let Buffer { layout, dtype, .. } = *self.get(id)?;
        require!(dtype == DType::F32, "{what} must be a buffer of f32, not of {}", dtype.name());
        Ok(layout)
    }

    /// The bytes of a buffer whose id has been checked.
    pub(crate) fn extent(&self, id: BufferId) -> Extent {
        self.extents[id.0 as usize]
    }

    /// Whether two checked ids mean the same elements in the same place.
    pub(super) fn same(&self, a: BufferId, b: BufferId) -> bool {
        a == b || self.buffers[a.0 as usize] == self.buffers[b.0 as usize]
    }
}

/// The bytes of a buffer, or what is wrong with it.
fn place(buffer: &Buffer, batch: u64, arena: u64) -> Result<Extent, ProgramError> {
    let start = buffer.offset;
    require!(start.is_multiple_of(ALIGN), "starts at byte {start}, not a multiple of {ALIGN}");
    match buffer.layout {
        Layout::Rows { rows, cols, stride } => {
            require!(rows.count >= 1 && cols >= 1, "has no elements");
            require!(
                stride == 1 && cols == 1 || stride.is_multiple_of(LANES) && stride >= cols,
                "has rows of {cols} elements at a stride of {stride}, and the stride must be a \
                 multiple of {LANES} that holds a row, or 1 for a list"
            );
        }
        Layout::Panels { rows, cols } => require!(rows >= 1 && cols >= 1, "has no elements"),
        Layout::Quads { rows, cols } => {
            require!(rows >= 1 && cols >= 1, "has no elements");
            require!(
                rows <= MAX_INT8_ROWS,
                "has {rows} rows of 8-bit integers, more than {MAX_INT8_ROWS}, so that a sum of \
                 products could overflow"
            );
        }
        Layout::Columns { rows, cols, stride } => {
            require!(rows.count >= 1 && cols >= 1, "has no elements");
            require!(rows.batched, "is in columns, which are for the rows of a batch");
            let held = rows.at(batch).is_some_and(|rows| rows <= stride);
            require!(
                held && stride.is_multiple_of(LANES),
                "has columns at a stride of {stride}, which must be a multiple of {LANES} that \
                 holds the rows of a full batch"
            );
        }
    }
    let fits = match buffer.dtype {
        DType::F32 => !matches!(buffer.layout, Layout::Quads { .. }),
        DType::I32 => matches!(buffer.layout, Layout::Rows { .. } | Layout::Columns { .. }),
        DType::Bf16 => matches!(buffer.layout, Layout::Panels { .. }),
        DType::I8 => matches!(buffer.layout, Layout::Quads { .. }),
    };
    require!(fits, "is of {}, which cannot lie as it does", buffer.dtype.name());
    let elements = buffer.layout.elements(batch).filter(|&n| n <= MAX_ELEMENTS);
    require!(elements.is_some(), "has more than 2^40 elements");
    let bytes = buffer.bytes(batch);
    let end = bytes.and_then(|bytes| start.checked_add(bytes)).filter(|&end| end <= arena);
    let Some(end) = end else {
        let message = format!("starts at byte {start} and ends beyond the arena of {arena} bytes");
        return Err(ProgramError::new(message));
    };
    Ok(Extent { start, end })
}

/// Whether the rows are whole vectors, so that a row can be read on its own.
pub(crate) fn has_vector_rows(layout: Layout) -> bool {
    matches!(layout, Layout::Rows { stride, .. } if stride.is_multiple_of(LANES))
}

/// Whether one element for each row lies in a vector for each sixteen rows.
pub(crate) fn is_dense(layout: Layout) -> bool {
    matches!(layout, Layout::Rows { stride: 1, .. } | Layout::Columns { cols: 1, .. })
}
