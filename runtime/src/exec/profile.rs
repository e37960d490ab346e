//! Times each step of a run.

use super::{EntryPoint, Executor, Run, RunError};
use std::time::{Duration, Instant};

impl Executor {
    /// Runs an entry like [`Executor::run`], but step by step on the calling thread, each by its
    /// general kernel, and adds the time of each to its place in `times`. The clock is read once
    /// between two steps, so each time contains the cost of one reading.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub fn run_timed(
        &mut self,
        entry: EntryPoint,
        rows: usize,
        times: &mut [Duration],
    ) -> Result<(), RunError> {
        self.check_run(entry, rows)?;
        let run = Run { entry, rows, draw: self.draw_of(entry) };
        let steps = self.program().routines[entry].steps.len();
        let mut before = Instant::now();
        for (step, time) in (0..steps).zip(times) {
            self.run_step(run, step);
            let now = Instant::now();
            *time += now - before;
            before = now;
        }
        Ok(())
    }

    /// Whether [`Executor::run`] runs an entry over so many rows as straight-line code, in place of
    /// its general kernels.
    pub fn is_straight(&self, entry: EntryPoint, rows: usize) -> bool {
        self.plan.straight(entry, rows).is_some()
    }
}
