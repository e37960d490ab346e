//! The batches of an epoch, and the optimizer step that each is a part of.

use super::Trainer;
use crate::exec::{Coming, EntryPoint, RunError};
use std::ops::Range;

impl Trainer {
    /// The next batch of the epoch, and after the last one of an optimizer step the update.
    #[inline]
    pub(super) fn next_step(&mut self) -> Result<f32, RunError> {
        let rows = self.next_rows();
        let (count, step) = (rows.len(), self.step_rows(&rows));
        let ends_step = rows.end == step.end;
        self.prepare_batch(rows, step)?;
        self.executor.run(EntryPoint::Train, count)?;
        let loss = self.executor.scalar(self.loss);
        self.position.loss_sum += f64::from(loss) * count as f64;
        self.running.add(&self.executor, count);
        self.position.step_in_epoch += 1;
        if ends_step {
            self.update()?;
            self.position.steps += 1;
        }
        Ok(loss)
    }

    /// Copies the rows of a batch in, and sets the scalars for them and for those of the step.
    #[inline]
    pub(super) fn prepare_batch(
        &mut self,
        rows: Range<usize>,
        step: Range<usize>,
    ) -> Result<(), RunError> {
        let (batch, clock) =
            (rows.start - step.start..rows.end - step.start, self.position.clock());
        self.executor.load(&mut self.data, Coming { rows: &self.order, now: rows })?;
        self.scalars.set_batch(&mut self.executor, batch, step.len(), clock);
        Ok(())
    }

    /// Updates the parameters where gradients were accumulated; a batch has done so elsewhere.
    #[inline]
    pub(super) fn update(&mut self) -> Result<(), RunError> {
        match self.training.accumulates() {
            true => self.executor.run(EntryPoint::Update, self.planned_rows()),
            false => Ok(()),
        }
    }

    /// The rows that the program is planned for. An update is of none, and fastest as a full batch.
    fn planned_rows(&self) -> usize {
        self.program.program().batch as usize
    }

    /// The rows of the next batch, as positions in the order of the epoch.
    pub(super) fn next_rows(&self) -> Range<usize> {
        let start = self.rows_done();
        start..(start + self.batch).min(self.order.len())
    }

    /// The rows of the optimizer step that the next batch, of these rows, is a part of.
    #[inline]
    pub(super) fn step_rows(&self, batch: &Range<usize>) -> Range<usize> {
        if !self.training.accumulates() {
            return batch.clone();
        }
        let batches = usize::try_from(self.training.accumulate).unwrap_or(usize::MAX);
        let rows = batches.saturating_mul(self.batch);
        let start = batch.start - batch.start % rows;
        start..start.saturating_add(rows).min(self.order.len())
    }

    /// The rows of the epoch that have been trained on.
    pub(super) fn rows_done(&self) -> usize {
        (self.position.step_in_epoch as usize).saturating_mul(self.batch).min(self.order.len())
    }
}
