//! Finds the first value of a run that is NaN or infinite.

use super::explain::{Culprit, Operation};
use super::team::ALONE;
use super::{EntryPoint, Executor, Run, RunError};
use crate::arena::Memory;
use crate::program::lines::Address;
use crate::program::{BufferId, DType, Origin};

/// A value that is NaN or infinite, and where it came up.
#[derive(Clone, Debug, PartialEq)]
pub struct NonFinite {
    /// The index of the step in its entry.
    pub step: usize,
    /// What the step wrote.
    pub buffer: BufferId,
    /// The first such value: of what the step computes on the way to that buffer.
    pub value: f32,
    /// The statement that it comes from.
    pub origin: Origin,
    /// The row of the batch that it belongs to, where that is one.
    pub row: Option<u64>,
    /// The operation that made it of sound operands, where it is one of an expression.
    pub operation: Option<Operation>,
}

impl Executor {
    /// Runs an entry like [`Executor::run`], but step by step on the calling thread, up to the
    /// first step that writes a value which is not finite. Parameters and states are then as they
    /// were before the run. Slow: to explain what went wrong.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn find_non_finite(
        &mut self,
        entry: EntryPoint,
        rows: usize,
    ) -> Result<Option<NonFinite>, RunError> {
        self.check_run(entry, rows)?;
        let program = self.program.clone();
        let steps = &program.program().routines[entry].steps;
        let run = Run { entry, rows, draw: self.draw_of(entry) };
        let mut before = Vec::new();
        self.copy_state(&mut before);
        for (step, source) in steps.iter().enumerate() {
            self.run_step(run, step);
            let writes = source.kernel.access().writes;
            let found = writes.iter().find_map(|&id| Some((id, self.find_bad(id, rows)?)));
            let Some((buffer, (at, value))) = found else { continue };
            // The step may have overwritten its operands.
            self.restore_state(&before);
            (0..step).for_each(|earlier| self.run_step(run, earlier));
            let culprit = self.culprit(&source.kernel, buffer, rows, at);
            let origin = culprit.and_then(|Culprit { part, instr, .. }| {
                program.program().line(Address { entry, step: step as u32, part, instr })
            });
            let origin = origin.unwrap_or(&source.origin).clone();
            let value = culprit.map_or(value, |culprit| culprit.value);
            let row = culprit.map_or_else(|| self.row_of_batch(buffer, at.0), |found| found.row);
            let operation = culprit.map(|culprit| culprit.operation);
            self.restore_state(&before);
            return Ok(Some(NonFinite { step, buffer, value, origin, row, operation }));
        }
        Ok(None)
    }

    /// Takes 0 for what is missing among the inputs, so that what is NaN then is a mistake.
    pub(crate) fn fill_holes(&mut self) {
        let program = self.program.clone();
        for port in program.program().inputs.iter().filter(|port| port.has_holes()) {
            let (buffer, bytes) = self.extent(port.buffer);
            if buffer.dtype == DType::F32 {
                let view = self.arena.floats_mut(bytes.start / 4, bytes.end / 4);
                view.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
            }
        }
    }

    /// Runs one step of a run that has been checked: every thread's part, one after the other.
    pub(super) fn run_step(&mut self, run: Run, step: usize) {
        for index in 0..self.plan.steps[run.entry][0][step].share.threads {
            self.run_part(run, 0, step, index);
        }
    }

    /// Runs the part of a thread `index` by what another thread has bound for the step, its
    /// `launch`-th.
    pub(super) fn run_part(&mut self, run: Run, thread: usize, launch: usize, index: usize) {
        let launch = &self.plan.steps[run.entry][thread][launch..=launch];
        // SAFETY: the arena is borrowed mutably, the team is idle between runs, and the plan was
        // bound for it from a verified program; `check_run` has checked the run's rows.
        unsafe { self.plan.walker.walk(launch, run, Memory::new(&self.arena), index, &ALONE) };
    }

    /// The first value of a buffer that is NaN or infinite, of the `rows` rows of the batch in it.
    /// Padding may hold anything and does not count.
    pub fn non_finite(&self, id: BufferId, rows: usize) -> Option<f32> {
        self.find_bad(id, rows).map(|(_, value)| value)
    }

    /// The row and the column of that value, and the value.
    fn find_bad(&self, id: BufferId, rows: usize) -> Option<((u64, u64), f32)> {
        if self.program().buffers[id.0 as usize].dtype != DType::F32 {
            return None;
        }
        let (offset, layout) = self.buffer(id);
        let taken = layout.elements(rows as u64).expect("a verified layout has a size") as usize;
        let view = self.arena.floats(offset, offset + taken);
        if all_finite(view) {
            return None; // the padding too, which is quicker to see
        }
        let (rows, cols) = layout.size(rows as u64).expect("a verified layout has a size");
        let positions = (0..rows).flat_map(|row| (0..cols).map(move |col| (row, col)));
        let mut values = positions.map(|(row, col)| ((row, col), view[layout.position(row, col)]));
        values.find(|(_, value)| !value.is_finite())
    }
}

/// Without a branch per value, so that it runs at the speed of memory.
fn all_finite(values: &[f32]) -> bool {
    const INFINITY: u32 = f32::INFINITY.to_bits();
    let largest = values.iter().fold(0, |largest: u32, v| largest.max(v.abs().to_bits()));
    largest < INFINITY
}
