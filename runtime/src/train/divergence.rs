//! Retraces a run that has diverged to the first value that is NaN or infinite.
//!
//! A step does not check its values. When its loss shows that something went wrong, its update has
//! already damaged the parameters. But every step can be repeated bit for bit, so the epoch is run
//! again from the state at its start: once to find the step, once to examine it.

use super::reason::{Before, Part};
use super::report::Divergence;
use super::{Position, Trainer};
use crate::exec::{EntryPoint, NonFinite, RunError};
use crate::program::{Origin, Param, Program};

/// The bad value, and where it comes from.
struct Found {
    part: Part,
    origin: Origin,
    number: f32,
    /// What the executor knows of it.
    value: Option<NonFinite>,
}

impl Trainer {
    /// Finds the first bad value of the steps since the last good state, and goes back to that.
    pub(super) fn retrace(&mut self) -> Result<Divergence, RunError> {
        let end = self.position.step_in_epoch;
        self.rewind();
        let norm = self.norm();
        let (bad, losses) = self.find_step(end)?;
        self.rewind();
        while self.position.step_in_epoch < bad.step_in_epoch {
            self.next_step()?;
        }
        let found = self.look_into_step()?;
        let before = Before { losses: &losses, norm, rate: self.scalars.rate(bad.clock()) };
        let reasons = self.reasons(found.value.as_ref(), found.part, &before);
        let rows = self.next_rows();
        let row = found.value.and_then(|value| value.row);
        let row = row.and_then(|row| self.order[rows.clone()].get(row as usize).copied());
        self.rewind();
        Ok(Divergence {
            epoch: bad.epoch + 1,
            step: bad.clock().step + 1,
            batch: bad.step_in_epoch + 1,
            rows: rows.start as u64..rows.end as u64,
            row: row.map(u64::from),
            part: found.part,
            name: found.origin.name,
            line: found.origin.line,
            column: found.origin.column,
            number: found.number,
            reasons,
        })
    }

    /// Where the run stood before the first step with a bad loss or a bad update, and the losses of
    /// the steps since the last good state.
    fn find_step(&mut self, end: u64) -> Result<(Position, Vec<f32>), RunError> {
        let mut losses = Vec::new();
        loop {
            let before = self.position;
            if before.step_in_epoch + 1 >= end || !self.is_finite() {
                return Ok((before, losses));
            }
            let loss = self.next_step()?;
            if !loss.is_finite() || !self.is_finite() {
                return Ok((before, losses));
            }
            losses.push(loss);
        }
    }

    /// Repeats the next step piece by piece: the parameters, the forward pass, then all of it.
    fn look_into_step(&mut self) -> Result<Found, RunError> {
        let program = self.program.clone();
        let program = program.program();
        for param in &program.params {
            if let Some(number) = self.executor.non_finite(param.buffer, 1) {
                let origin = name_only(&param.name);
                return Ok(Found { part: Part::Parameter, origin, number, value: None });
            }
        }
        let rows = self.next_rows();
        let (count, step) = (rows.len(), self.step_rows(&rows));
        self.prepare_batch(rows, step)?;
        self.executor.fill_holes();
        if let Some(bad) = self.executor.find_non_finite(EntryPoint::Eval, count)? {
            return Ok(found(Part::Value, bad));
        }
        let update = self.training.accumulates().then_some(EntryPoint::Update);
        for entry in [EntryPoint::Train].into_iter().chain(update) {
            let Some(bad) = self.executor.find_non_finite(entry, count)? else { continue };
            let updated = |param: &&Param| param.buffers().any(|buffer| buffer == bad.buffer);
            // What a batch writes to a parameter's states is its gradient where that accumulates.
            let updates = update.is_none_or(|update| update == entry);
            let param = program.params.iter().find(updated).filter(|_| updates);
            return Ok(match param {
                Some(param) => {
                    let mut found = found(Part::Update, bad);
                    found.origin.name = param.name.clone();
                    found
                }
                None => found(Part::Gradient, bad),
            });
        }
        // Not reached while steps repeat themselves; only the loss is known to be bad.
        let number = self.executor.scalar(self.loss);
        Ok(Found { part: Part::Value, origin: loss_origin(program), number, value: None })
    }

    /// Returns to the last good state.
    pub(super) fn rewind(&mut self) {
        self.position = self.last_good.position;
        self.running.restore(&self.last_good.sums);
        self.executor.restore_state(&self.last_good.state);
    }
}

fn found(part: Part, bad: NonFinite) -> Found {
    Found { part, origin: bad.origin.clone(), number: bad.value, value: Some(bad) }
}

fn name_only(name: &str) -> Origin {
    Origin { name: name.into(), ..Origin::default() }
}

/// The statement of the loss: what the last step of an evaluation that writes it comes from.
pub(super) fn loss_origin(program: &Program) -> Origin {
    let writes = |step: &&crate::program::Step| {
        program.loss.is_some_and(|loss| step.kernel.access().writes.contains(&loss))
    };
    let steps = &program.routines[EntryPoint::Eval].steps;
    steps.iter().rfind(writes).map_or(name_only("loss"), |step| step.origin.clone())
}
