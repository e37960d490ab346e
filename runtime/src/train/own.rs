//! Training steps on rows that the application gives, for online learning.

use super::divergence::loss_origin;
use super::report::{Divergence, Part};
use super::{TrainError, Trainer};
use crate::exec::{EntryPoint, RunError, Side};
use crate::program::Schedule;
use crate::program::host::{HostInput, HostInstr};
use crate::rows::{Rows, RowsMut};

impl Trainer {
    /// One optimizer step on these rows, at most as many as the program is planned for: values of
    /// all inputs, and of all targets. It makes no heap allocation, counts for schedules like any
    /// other step, and returns the mean loss over the rows before the update.
    ///
    /// # Errors
    /// Values that are not what the ports take, more rows than planned for or none.
    /// [`TrainError::Diverged`] if the loss is NaN or infinite: the trainer then returns to the
    /// last good state, that when it was made, its weights were loaded or an epoch began.
    pub fn step<I: Rows + ?Sized, T: Rows + ?Sized>(
        &mut self,
        inputs: &I,
        targets: &T,
    ) -> Result<f32, TrainError> {
        if !self.position.step_in_epoch.is_multiple_of(self.training.accumulate) {
            let message = "an epoch has stopped between batches of one optimizer step: go on with \
                           it before you take steps on other rows";
            return Err(TrainError::Settings(message.into()));
        }
        let executor = &mut self.executor;
        let rows = executor.count_rows(Side::Inputs, inputs)?;
        let others = executor.count_rows(Side::Targets, targets)?;
        let batch = self.program.program().batch;
        if rows != others || rows == 0 || rows as u64 > batch {
            return Err(wrong_rows(rows, others, batch).into());
        }
        executor.check_reals(Side::Inputs, inputs)?;
        executor.check_reals(Side::Targets, targets)?;
        self.restore(false);
        let executor = &mut self.executor;
        executor.put_rows(Side::Inputs, inputs, 0..rows);
        executor.put_rows(Side::Targets, targets, 0..rows);
        self.scalars.set_step(executor, rows, self.position.clock());
        executor.run(EntryPoint::Train, rows)?;
        self.update()?;
        let loss = self.executor.scalar(self.loss);
        self.position.own_steps += 1;
        match loss.is_finite() {
            true => Ok(loss),
            false => Err(self.give_up(rows, loss).into()),
        }
    }

    /// Predicts with the current parameters, as [`Predictor`](crate::predict::Predictor) does.
    ///
    /// # Errors
    /// As there.
    pub fn predict_into<I: Rows + ?Sized, O: RowsMut + ?Sized>(
        &mut self,
        inputs: &I,
        outputs: &mut O,
    ) -> Result<(), RunError> {
        self.executor.predict_rows(inputs, outputs)
    }

    /// Returns to the last good state. The steps since then cannot be repeated: their rows are
    /// gone.
    #[cold]
    fn give_up(&mut self, rows: usize, loss: f32) -> Divergence {
        let step = self.position.clock().step;
        self.rewind();
        let origin = loss_origin(self.program.program());
        Divergence {
            epoch: 0,
            step,
            rows: 0..rows as u64,
            part: Part::Value,
            name: origin.name,
            line: origin.line,
            column: origin.column,
            number: loss,
        }
    }
}

#[cold]
fn wrong_rows(inputs: usize, targets: usize, batch: u64) -> RunError {
    RunError::Value(match inputs == targets {
        true => format!("a step takes 1 to {batch} rows, not {inputs}"),
        false => format!("the inputs have {inputs} rows and the targets {targets}"),
    })
}

/// Whether a schedule depends on the number of steps of the run.
pub(super) fn spans_the_run(schedule: &Schedule) -> bool {
    let mut numbers = [&schedule.rate].into_iter().chain(&schedule.momentum);
    numbers.any(|number| number.code.contains(&HostInstr::Input(HostInput::Steps)))
}
