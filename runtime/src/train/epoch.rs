//! An epoch: its steps, its validations and its figures.

use super::chosen::{Chosen, Of};
use super::evaluate::evaluate;
use super::report::{EpochReport, Evaluation, Progress, TrainError};
use super::scalars::Clock;
use super::{Lowest, Position, Timing, Trainer};
use crate::exec::RunError;
use crate::program::{Metric, Subject};
use crate::random::{SHUFFLE_STREAM, Stream, shuffle};
use std::ops::ControlFlow;
use std::time::Instant;

impl Trainer {
    /// Trains to the end of the epoch, or of the run. At the end of a run that keeps the best
    /// weights, the executor has those, until training goes on. `on_step` is called after every
    /// batch, and by breaking stops the epoch there: then the result is `None`, and the next call
    /// continues with the next one. A step makes no heap allocation.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] if the loss or a parameter became NaN or infinite. The trainer then
    /// returns to the last good state: the start of the epoch, or the last call of
    /// [`Trainer::load_weights`] or [`Trainer::resume`] in it.
    pub fn run_epoch(
        &mut self,
        on_step: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<EpochReport>, TrainError> {
        let batches = self.batches_per_epoch();
        if batches == 0 {
            let message = "there are no rows to train on, but for those of `step`";
            return Err(TrainError::Settings(message.into()));
        }
        if self.last_good.position.own_steps != self.position.own_steps {
            self.keep_state(); // those steps cannot be repeated
        }
        self.restore(false);
        let mut started = Instant::now();
        let mut rows_before = self.rows_done();
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() && self.position.step_in_epoch < batches {
            let steps_before = self.position.steps;
            let loss = self.next_step()?;
            if !loss.is_finite() {
                return Err(self.retrace()?.into());
            }
            let Position { epoch, step_in_epoch, steps, .. } = self.position;
            let is_due = self.training.validate.is_some_and(|every| steps.is_multiple_of(every))
                && steps != steps_before;
            let mut held_out = None;
            if is_due && step_in_epoch < batches {
                self.time(started, rows_before);
                if !self.is_finite() {
                    return Err(self.retrace()?.into());
                }
                held_out = self.evaluate()?;
                let is_best = held_out.as_ref().is_some_and(|seen| self.see(seen, epoch + 1));
                if self.is_done() {
                    let report = self.report(held_out, is_best)?;
                    self.restore(true);
                    return Ok(Some(report));
                }
                (started, rows_before) = (Instant::now(), self.rows_done());
            }
            flow = on_step(Progress {
                epoch: epoch + 1,
                step_in_epoch,
                steps_per_epoch: batches,
                loss,
                held_out: held_out.map(Box::new),
            });
        }
        self.time(started, rows_before);
        if flow.is_break() { Ok(None) } else { self.finish_epoch().map(Some) }
    }

    fn time(&mut self, started: Instant, rows_before: usize) {
        self.timing.time += started.elapsed();
        self.timing.rows += self.rows_done() - rows_before;
    }

    /// Shows a validation to the watcher; says whether it is the best so far.
    fn see(&mut self, held_out: &Evaluation, epoch: u64) -> bool {
        let step = self.steps();
        let Trainer { watcher, executor, .. } = self;
        watcher.as_mut().is_some_and(|watcher| watcher.see(executor, held_out, (epoch, step)))
    }

    /// Shows the end of an epoch to the rates that fall by a figure.
    fn let_fall(&mut self, report: &EpochReport) {
        let Trainer { falling, scalars, program, .. } = self;
        for falling in falling {
            if falling.see(report) {
                scalars.set_base(program.program(), falling.group, falling.base);
            }
        }
    }

    /// Closes the epoch, evaluates the net, and opens the next epoch.
    fn finish_epoch(&mut self) -> Result<EpochReport, TrainError> {
        if !self.is_finite() {
            return Err(self.retrace()?.into());
        }
        let held_out = self.evaluate()?;
        let is_best = held_out.as_ref().is_some_and(|seen| self.see(seen, self.epoch() + 1));
        let done = self.position;
        let report = self.report(held_out, is_best)?;
        self.let_fall(&report);
        let least = self.lowest.map_or(report.loss, |lowest| lowest.loss.min(report.loss));
        self.lowest = Some(Lowest { loss: least, last: report.loss });
        let Position { epoch, steps, own_steps, .. } = done;
        self.position = Position { epoch: epoch + 1, steps, own_steps, ..Position::default() };
        self.running.clear();
        self.start_epoch();
        self.restore(self.is_done());
        Ok(report)
    }

    /// The figures of the epoch until now.
    fn report(
        &mut self,
        held_out: Option<Evaluation>,
        is_best: bool,
    ) -> Result<EpochReport, TrainError> {
        let Position { epoch, loss_sum, .. } = self.position;
        let step = self.steps();
        let lr = self.scalars.rate(Clock { step: step - 1, epoch });
        let rows_done = self.rows_done();
        let valid_loss = held_out.as_ref().map(|evaluation| evaluation.loss);
        let running = self.running.result(rows_done);
        let metrics = match held_out {
            Some(evaluation) => evaluation.metrics,
            None => self.training_metrics(&running.parts)?,
        };
        let Timing { time, rows } = std::mem::take(&mut self.timing);
        let seconds = time.as_secs_f64();
        Ok(EpochReport {
            epoch: epoch + 1,
            step,
            loss: running.loss.unwrap_or(loss_sum / rows_done as f64),
            valid_loss,
            metrics,
            is_best,
            lr,
            seconds,
            rows_per_second: if rows == 0 { 0.0 } else { rows as f64 / seconds.max(1e-9) },
        })
    }

    /// The metrics without held-out rows: the parts of the loss as the steps had them, and all else
    /// over the training rows, of which those that the parameters alone decide need only one.
    fn training_metrics(&mut self, parts: &[(usize, f64)]) -> Result<Vec<(String, f64)>, RunError> {
        let Trainer { executor, scalars, data, training_rows, program, .. } = self;
        let metrics = program.program().metrics.iter().enumerate();
        let figures = metrics.filter(|(_, metric)| !metric.figure.finish.is_table());
        let any = |of| figures.clone().any(|(_, metric)| metric.subject == of);
        let rows = match (any(Subject::Rows), any(Subject::Parameters)) {
            (true, _) => training_rows.clone(),
            (false, true) => training_rows.first(),
            (false, false) => Chosen::default(),
        };
        let found = match rows.is_empty() {
            true => Vec::new(),
            false => evaluate(executor, scalars, data, Of::Chosen(&rows))?.metrics,
        };
        let figure = |(index, (place, metric)): (usize, (usize, &Metric))| {
            let part = parts.iter().find(|(part, _)| *part == place);
            (metric.name.clone(), part.map_or_else(|| found[index].1, |(_, figure)| *figure))
        };
        Ok(figures.enumerate().map(figure).collect())
    }

    /// Puts the rows into the order of the epoch, and stores the state.
    pub(super) fn start_epoch(&mut self) {
        self.order.clear();
        self.order.extend(self.training_rows.iter());
        if self.training.shuffle {
            let stream = Stream { seed: self.training.seed, stream: SHUFFLE_STREAM };
            shuffle(stream, self.position.epoch, &mut self.order);
        }
        self.keep_state();
    }

    /// Loss and metrics over the held-out rows, or `None` without any.
    ///
    /// # Errors
    /// None after the trainer was made.
    pub fn evaluate(&mut self) -> Result<Option<Evaluation>, TrainError> {
        if self.validation_rows.is_empty() {
            return Ok(None);
        }
        let Trainer { executor, scalars, data, valid, validation_rows, .. } = self;
        let feed = valid.as_mut().unwrap_or(data);
        Ok(Some(evaluate(executor, scalars, feed, Of::Listed(validation_rows))?))
    }

    /// Loss and metrics over the rows trained on, with the parameters as they are now.
    ///
    /// # Errors
    /// None after the trainer was made.
    pub fn evaluate_training(&mut self) -> Result<Evaluation, TrainError> {
        let Trainer { executor, scalars, data, training_rows, .. } = self;
        Ok(evaluate(executor, scalars, data, Of::Chosen(training_rows))?)
    }
}
