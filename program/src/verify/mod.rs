//! Proves that a program can be executed without further checks.
//!
//! What holds after [`verify`], for a run of any number of rows up to `Program::batch`:
//!
//! - every buffer lies inside the arena, aligned, in a well-formed layout, padded to whole vectors;
//! - every kernel's operands have the types, sizes and layouts it assumes (`Kind::check`, `expr`);
//! - weights of bf16 lie in panels, those of i8 in quads with few enough rows that products cannot
//!   overflow, and no step writes them;
//! - class indices are bounded by the domain of the port they come from;
//! - within a step, nothing written overlaps anything else that is written or read, but for exact
//!   aliases of what the kernel reads just before it writes the same element; between steps, every
//!   byte read is the one meant (`lifetime`);
//! - what is spread over a tile as one number was written to all lanes (`lanes`);
//! - what the host reads and writes — parameters, ports, outputs, scalars — is as described
//!   (`table`).
//!
//! It does not judge values: a program may still compute nonsense, but only inside its arena.

pub(crate) mod expr;
mod lanes;
mod lifetime;
pub(crate) mod operand;
mod table;

pub(crate) use table::Classes;

use std::fmt;
use std::ops::Deref;

use super::{
    Buffer, BufferId, DType, EntryPoint, LANES, Layout, MAX_ARENA, MAX_ELEMENTS, MAX_INT8_ROWS,
    Program, Rows, Step,
};

/// The most buffers, steps of an entry, parameters, ports and so on.
const MAX_COUNT: usize = 1 << 20;
/// The bytes every buffer is aligned to.
const ALIGN: u64 = 64;

/// Why bytes are not a program that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// One plain sentence.
    pub message: String,
    /// A way out, where there is one.
    pub help: Option<&'static str>,
}

impl ProgramError {
    pub(super) fn new(message: impl Into<String>) -> ProgramError {
        ProgramError { message: super::text::message(&message.into()), help: None }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ProgramError {}

/// Returns the formatted message as a [`ProgramError`] unless the condition holds.
macro_rules! require {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::ProgramError::new(format!($($message)+)));
        }
    };
}
pub(crate) use require;

/// A program that has passed [`verify`].
#[derive(Clone, Debug)]
pub struct Verified(Program);

impl Deref for Verified {
    type Target = Program;

    fn deref(&self) -> &Program {
        &self.0
    }
}

impl Verified {
    /// The program.
    pub fn program(&self) -> &Program {
        &self.0
    }
}

/// Checks everything that the executor relies on; the first fault found is the error. Steps are
/// counted from 1 in its message.
pub fn verify(program: Program) -> Result<Verified, ProgramError> {
    counts(&program)?;
    let buffers = Buffers::new(&program)?;
    let held = table::check(&program, &buffers)?;
    let classes = table::classes(&program, &buffers)?;
    for entry in EntryPoint::ALL {
        let steps = &program.routines[entry].steps;
        each_step(entry, steps, |step| step.kernel.check(&buffers, &classes))?;
        if entry.runs(&program) {
            lifetime::check(&program, entry, &buffers, &held)?;
        }
    }
    lanes::check(&program, &buffers, &held)?;
    Ok(Verified(program))
}

/// Runs `check` on every step, and says in its error which step it was.
fn each_step(
    entry: EntryPoint,
    steps: &[Step],
    mut check: impl FnMut(&Step) -> Result<(), ProgramError>,
) -> Result<(), ProgramError> {
    for (i, step) in steps.iter().enumerate() {
        check(step).map_err(|error| {
            let (entry, kernel) = (entry.name(), step.kernel.name());
            ProgramError::new(format!("{entry}, step {} ({kernel}): {}", i + 1, error.message))
        })?;
    }
    Ok(())
}

/// Keeps every later loop and table within reason.
fn counts(program: &Program) -> Result<(), ProgramError> {
    let lists = [
        ("buffers", program.buffers.len()),
        ("parameters", program.params.len()),
        ("inputs", program.inputs.len()),
        ("targets", program.targets.len()),
        ("outputs", program.outputs.len()),
        ("scalars", program.scalars.len()),
        ("metrics", program.metrics.len()),
    ];
    for (what, count) in lists {
        require!(count <= MAX_COUNT, "the program has {count} {what}, more than {MAX_COUNT}");
    }
    for entry in EntryPoint::ALL {
        let (name, steps) = (entry.name(), &program.routines[entry].steps);
        let count = steps.len();
        require!(
            count <= MAX_COUNT,
            "the program has {count} steps of {name}, more than {MAX_COUNT}"
        );
        let total = steps.iter().try_fold(0u64, |sum, step| sum.checked_add(step.flops));
        require!(total.is_some(), "the operations of {name} overflow 64 bits");
    }
    Ok(())
}

/// The bytes of the arena from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    start: u64,
    end: u64,
}

impl Extent {
    pub(crate) fn overlaps(self, other: Extent) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// The buffers, each well-formed and inside the arena, with the bytes each takes at the full batch.
/// A smaller batch takes a part of them.
pub(crate) struct Buffers<'p> {
    buffers: &'p [Buffer],
    extents: Vec<Extent>,
}

impl<'p> Buffers<'p> {
    fn new(program: &'p Program) -> Result<Self, ProgramError> {
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
    fn same(&self, a: BufferId, b: BufferId) -> bool {
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

/// Prints a size as the text does: `[N, 3]`, `[4N, 3]`, `[4, 3]`.
pub(crate) fn text((rows, cols): (Rows, u64)) -> String {
    match rows {
        Rows { count: 1, batched: true } => format!("[N, {cols}]"),
        Rows { count, batched: true } => format!("[{count}N, {cols}]"),
        Rows { count, batched: false } => format!("[{count}, {cols}]"),
    }
}
