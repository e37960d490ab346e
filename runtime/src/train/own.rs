//! Training steps on rows that the application gives, for online learning.

use super::divergence::loss_origin;
use super::prequential::Prequential;
use super::reason::Part;
use super::reason::Reason;
use super::report::Divergence;
use super::{TrainError, Trainer};
use crate::data::ColumnNames;
use crate::exec::{EntryPoint, RunError, Side};
use crate::program::Origin;
use crate::rows::{Rows, RowsMut};

impl Trainer {
    /// One optimizer step on these rows, at most as many as the program is planned for: values of
    /// all inputs, and of all targets. It makes no heap allocation, counts for schedules like any
    /// other step, and returns the mean loss over the rows before the update.
    ///
    /// # Errors
    /// Values that are not what the ports take, more rows than planned for or none.
    /// [`TrainError::Diverged`] if the loss is NaN or infinite: the trainer then returns to the
    /// last good state, that when it was made, its weights were loaded, an epoch began or
    /// [`Trainer::settle`] was called.
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
        if !self.is_fitted {
            let message = "the net takes statistics of columns before the first step, and there \
                           are no rows for it: load weights that have them, of a training on a \
                           table";
            return Err(TrainError::Settings(message.into()));
        }
        let rows = self.put(inputs, targets)?;
        self.scalars.set_step(&mut self.executor, rows, self.position.clock());
        self.executor.run(EntryPoint::Train, rows)?;
        self.update()?;
        let loss = self.executor.scalar(self.loss);
        self.position.own_steps += 1;
        match loss.is_finite() {
            true => Ok(loss),
            false => {
                let origin = loss_origin(self.program.program());
                Err(self.give_up(rows, (Part::Value, origin), loss).into())
            }
        }
    }

    /// Evaluates the net on these rows, and adds them to `figures`: before a step on the same rows,
    /// that is a test on rows which the net has not seen.
    ///
    /// # Errors
    /// Values that are not what the ports take, more rows than planned for or none.
    pub fn test<I: Rows + ?Sized, T: Rows + ?Sized>(
        &mut self,
        inputs: &I,
        targets: &T,
        figures: &mut Prequential,
    ) -> Result<(), TrainError> {
        let rows = self.put(inputs, targets)?;
        self.scalars.set_rows(&mut self.executor, rows);
        self.executor.run(EntryPoint::Eval, rows)?;
        figures.add(&self.executor, rows);
        Ok(())
    }

    /// Figures of no rows yet, over all of them and over the last `window` calls of
    /// [`Trainer::test`].
    pub fn prequential(&self, window: usize) -> Prequential {
        Prequential::new(&self.program, window)
    }

    /// Takes the present state for the last good one, to which a divergence returns.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if a parameter or a state is NaN or infinite: the trainer then
    /// returns to the last good state.
    pub fn settle(&mut self) -> Result<(), TrainError> {
        if self.is_finite() {
            self.keep_state();
            return Ok(());
        }
        let program = self.program.clone();
        let bad = program.program().params.iter().find_map(|param| {
            let number = param.buffers().find_map(|id| self.executor.non_finite(id, 1))?;
            Some((Origin { name: param.name.as_str().into(), ..Origin::default() }, number))
        });
        let (origin, number) = bad.expect("one of them is not finite");
        Err(self.give_up(0, (Part::Parameter, origin), number).into())
    }

    /// What the data's columns are called, so that weights and checkpoints say so.
    pub fn name_columns(&mut self, columns: ColumnNames) {
        self.columns = columns;
    }

    /// Copies the rows in, and counts them.
    fn put<I: Rows + ?Sized, T: Rows + ?Sized>(
        &mut self,
        inputs: &I,
        targets: &T,
    ) -> Result<usize, TrainError> {
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
        self.executor.put_rows(Side::Inputs, inputs, 0..rows);
        self.executor.put_rows(Side::Targets, targets, 0..rows);
        Ok(rows)
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
    fn give_up(&mut self, rows: usize, (part, origin): (Part, Origin), number: f32) -> Divergence {
        let step = self.position.clock().step;
        let rate = self.scalars.rate(self.position.clock());
        let now = self.norm();
        self.rewind();
        let reasons = Reason::of_weights((self.norm(), now), rate).into_iter().collect();
        Divergence {
            epoch: 0,
            step,
            batch: 0,
            row: None,
            rows: 0..rows as u64,
            part,
            name: origin.name,
            line: origin.line,
            column: origin.column,
            number,
            reasons,
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
