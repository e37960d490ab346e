//! Prediction: a program with trained parameters, run over rows of inputs.

use crate::data::output::{Form, Format, Misfit, Part, Writer};
use crate::data::{Array, Dataset, Kept};
use crate::exec::{Coming, EntryPoint, Executor, Feed, Options, RunError, Side};
use crate::program::{DType, Program, Verified};
use crate::rows::{Rows, RowsMut};
use crate::train::chosen::Of;
use crate::train::evaluate::evaluate;
use crate::train::scalars::{Clock, Scalars};
use crate::train::{self, Evaluation, Look, Seen, TrainError};
use crate::weights::WeightsFile;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

/// Predicts with a program. The result of a row does not depend on other rows.
///
/// ```no_run
/// # use arenet_runtime::{exec::Options, predict::Predictor, program::Verified, train::TrainError};
/// # use std::sync::Arc;
/// # fn run(program: Arc<Verified>) -> Result<(), TrainError> {
/// let mut weights = arenet_runtime::weights::WeightsFile::open("xor.safetensors")?;
/// let mut predictor = Predictor::new(program, &mut weights, Options::default())?;
/// let mut y = [0.0];
/// predictor.predict_into(&[1.0, 0.0], &mut y)?;
/// # Ok(())
/// # }
/// ```
pub struct Predictor {
    program: Arc<Verified>,
    executor: Executor,
    scalars: Scalars,
    options: Options,
}

impl Predictor {
    /// Prepares a program with the parameters in a file, which is read in pieces. Optimizer states
    /// in a checkpoint are ignored.
    ///
    /// # Errors
    /// A parameter that is missing, of another shape or not finite, a tensor that is no parameter,
    /// a file that cannot be read, or an executor that cannot be made.
    pub fn new(
        program: Arc<Verified>,
        weights: &mut WeightsFile<'_>,
        options: Options,
    ) -> Result<Predictor, TrainError> {
        let mut executor = Executor::new(program, options)?;
        train::load(&mut executor, weights)?;
        Ok(Predictor::over(executor, options))
    }

    fn over(executor: Executor, options: Options) -> Predictor {
        let program = executor.verified().clone();
        let scalars = Scalars::new(program.program(), &[], Clock { step: 0, epoch: 0 });
        Predictor { program, executor, scalars, options }
    }

    /// Makes `count` predictors of one, for `count` threads. They have one copy of the weights;
    /// each has its own memory for everything else, and is as fast as the one was.
    ///
    /// # Errors
    /// Memory over the limit, or a program that writes its weights when it predicts. The compiler
    /// makes no such program.
    pub fn share(self, count: usize) -> Result<Vec<Predictor>, RunError> {
        let options = self.options;
        let executors = self.executor.share(count, options)?;
        Ok(executors.into_iter().map(|executor| Predictor::over(executor, options)).collect())
    }

    /// The program.
    pub fn program(&self) -> &Program {
        self.program.program()
    }

    /// The executor, with the parameters.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// The most bytes that a row takes beside its data while it is predicted or evaluated: two
    /// indices, and a copy of its integers.
    pub fn row_bytes(&self) -> u64 {
        let program = self.program();
        let ports = program.inputs.iter().chain(&program.targets);
        let integers =
            ports.filter(|port| program.buffers[port.buffer.0 as usize].dtype == DType::I32);
        8 + integers.map(|port| 4 * port.width).sum::<u64>()
    }

    /// Predicts rows. Returns the values of each output, row after row.
    ///
    /// # Errors
    /// Values that are not what the inputs take: their number, size, type or domain; or a program
    /// whose outputs depend on the rows that they are predicted with.
    pub fn predict<I: Rows + ?Sized>(&mut self, inputs: &I) -> Result<Vec<Vec<f32>>, RunError> {
        let rows = self.executor.count_rows(Side::Inputs, inputs)?;
        self.executor.check_reals(Side::Inputs, inputs)?;
        let widths = self.program().outputs.iter().map(|output| output.width as usize);
        let mut outputs: Vec<Vec<f32>> =
            widths.map(|width| vec![0.0; rows.saturating_mul(width)]).collect();
        let mut room: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        self.predict_into(inputs, &mut room[..])?;
        Ok(outputs)
    }

    /// Predicts `rows` rows, given as one array per input, a batch at a time. Only the outputs of
    /// one batch are held.
    ///
    /// # Errors
    /// As there.
    pub fn batches<'p>(
        &'p mut self,
        inputs: &'p [Array],
        rows: usize,
    ) -> Result<Batches<'p>, RunError> {
        self.executor.check_rows()?;
        let feed = Feed::of_inputs(&self.program, rows, inputs)?;
        let rows = 0..count(rows)?;
        let outputs = vec![Vec::new(); self.program().outputs.len()];
        Ok(Batches { predictor: self, feed, rows, batch: Vec::new(), outputs, kept: None })
    }

    /// Writes predictions in this form.
    ///
    /// # Errors
    /// A form that is not one of the program's outputs.
    pub fn writer(&self, form: &Form) -> Result<Writer, Misfit> {
        Writer::new(self.program(), form)
    }

    /// Predicts rows without a heap allocation, from values of all inputs into buffers for all
    /// outputs. It does not check whether real numbers are finite.
    ///
    /// # Errors
    /// No rows, values or buffers of the wrong number or size; or a program whose outputs depend on
    /// the rows that they are predicted with.
    pub fn predict_into<I: Rows + ?Sized, O: RowsMut + ?Sized>(
        &mut self,
        inputs: &I,
        outputs: &mut O,
    ) -> Result<(), RunError> {
        self.executor.predict_rows(inputs, outputs)
    }

    /// Loss and metrics over a data set.
    ///
    /// # Errors
    /// A program without a `train` section, data without rows, or data that does not fit the ports.
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation, RunError> {
        self.evaluate_rows(data, &all_rows(data.rows)?)
    }

    /// The rows that were held out of training, if the weights were trained on this data.
    ///
    /// # Errors
    /// Data that does not fit the ports.
    pub fn held_out(&self, data: &Dataset, seen: &Seen) -> Result<Option<Vec<u32>>, RunError> {
        let feed = Feed::new(&self.program, data.rows, &data.inputs, &data.targets)?;
        seen.held_out(&feed, data.groups.as_deref())
    }

    /// Loss and metrics over some rows of a data set.
    ///
    /// # Errors
    /// As [`Predictor::evaluate`], or a row that is not there.
    pub fn evaluate_rows(&mut self, data: &Dataset, rows: &[u32]) -> Result<Evaluation, RunError> {
        let mut feed = self.feed(data, rows)?;
        evaluate(&mut self.executor, &mut self.scalars, &mut feed, Of::Listed(rows))
    }

    /// Looks at some rows of a data set, one after another. They are predicted in the batches in
    /// which they are evaluated.
    ///
    /// # Errors
    /// As [`Predictor::evaluate_rows`].
    pub fn look(
        &mut self,
        data: &Dataset,
        rows: &[u32],
        mut each: impl FnMut(&Look),
    ) -> Result<(), RunError> {
        let mut feed = self.feed(data, rows)?;
        let batch = usize::try_from(self.program().batch).unwrap_or(usize::MAX);
        let executor = &mut self.executor;
        Of::Listed(rows).each(batch, |coming| Look::each(executor, &mut feed, coming, &mut each))
    }

    /// The rows of a data set, of which these are evaluated.
    fn feed<'d>(&self, data: &'d Dataset, rows: &[u32]) -> Result<Feed<'d>, RunError> {
        if self.program.program().loss.is_none() {
            return Err(RunError::Entry(EntryPoint::Eval));
        }
        if rows.is_empty() {
            return Err(RunError::Value("there are no rows to evaluate".into()));
        }
        if let Some(row) = rows.iter().find(|row| **row as usize >= data.rows) {
            return Err(RunError::Value(format!("there is no row {row} among {}", data.rows)));
        }
        Feed::new(&self.program, data.rows, &data.inputs, &data.targets)
    }
}

/// The predictions of many rows, a batch at a time.
pub struct Batches<'p> {
    predictor: &'p mut Predictor,
    feed: Feed<'p>,
    /// Those that are left.
    rows: Range<u32>,
    batch: Vec<u32>,
    outputs: Vec<Vec<f32>>,
    kept: Option<&'p Kept>,
}

/// The predictions of one batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'b> {
    /// The first of its rows.
    pub first: usize,
    /// How many there are.
    pub rows: usize,
    /// For each output its values, row after row.
    pub outputs: &'b [Vec<f32>],
}

impl<'p> Batches<'p> {
    /// Predicts the next batch; nothing after the last.
    ///
    /// # Errors
    /// None after the batches were made.
    pub fn advance(&mut self) -> Result<Option<Batch<'_>>, RunError> {
        let Predictor { program, executor, .. } = &mut *self.predictor;
        let program = program.program();
        let first = self.rows.start as usize;
        self.batch.clear();
        self.batch.extend(self.rows.by_ref().take(program.batch as usize));
        let rows = self.batch.len();
        if rows == 0 {
            return Ok(None);
        }
        executor.load(&mut self.feed, Coming { rows: &self.batch, now: 0..rows })?;
        executor.run(EntryPoint::Predict, rows)?;
        for (output, values) in program.outputs.iter().zip(&mut self.outputs) {
            values.clear();
            executor.read_rows(output.buffer, rows, values);
        }
        Ok(Some(Batch { first, rows, outputs: &self.outputs }))
    }

    /// The same rows with columns of their table, to be written in front of the predictions.
    #[must_use]
    pub fn beside(self, kept: Option<&'p Kept>) -> Self {
        Batches { kept, ..self }
    }

    /// Predicts and writes all remaining batches, in many small pieces: use a buffered `w`.
    ///
    /// # Errors
    /// Those of `w`, or npy of rows with columns of their table.
    pub fn write(&mut self, w: &mut dyn Write, format: Format) -> io::Result<()> {
        let writer = self.predictor.writer(&Form::new(format)).map_err(io::Error::other)?;
        let mut writer = writer.of_rows(self.rows.len());
        self.write_to(&mut writer, w)?;
        writer.finish(w)
    }

    /// The same in the form of a writer, behind the rows that it has written. The caller ends them
    /// with [`Writer::finish`].
    ///
    /// # Errors
    /// As there.
    pub fn write_to(&mut self, writer: &mut Writer, w: &mut dyn Write) -> io::Result<()> {
        let kept = self.kept;
        while let Some(batch) = self.advance().map_err(io::Error::other)? {
            let kept = kept.map(|kept| (kept, batch.first));
            writer.write(w, &Part { rows: batch.rows, outputs: batch.outputs, kept })?;
        }
        Ok(())
    }
}

fn all_rows(rows: usize) -> Result<Vec<u32>, RunError> {
    Ok((0..count(rows)?).collect())
}

fn count(rows: usize) -> Result<u32, RunError> {
    let message = || format!("{rows} rows are more than the limit of 2^32");
    u32::try_from(rows).map_err(|_| RunError::Value(message()))
}
