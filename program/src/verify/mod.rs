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

pub(crate) mod buffers;
pub(crate) mod expr;
mod lanes;
mod lifetime;
pub(crate) mod operand;
mod table;

use std::ops::Deref;

use crate::error::require;
use crate::{EntryPoint, Program, ProgramError, Step};
use buffers::Buffers;

/// The most buffers, steps of an entry, parameters, ports and so on.
const MAX_COUNT: usize = 1 << 20;

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
