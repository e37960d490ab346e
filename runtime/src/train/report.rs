//! What training reports, and why it can stop.

use super::lack::Lack;
use super::reason::{Part, Reason};
use crate::data::{DataError, shown};
use crate::exec::RunError;
use std::fmt;
use std::ops::Range;

/// How far an epoch has come, after one of its steps; where gradients are accumulated, after one of
/// the batches of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The steps done in it.
    pub step_in_epoch: u64,
    /// The steps it has.
    pub steps_per_epoch: u64,
    /// The mean loss over the rows of the step, before its update.
    pub loss: f32,
    /// Loss and metrics over the held-out rows, after a step that is followed by a validation.
    pub held_out: Option<Box<Evaluation>>,
}

/// The best validation of a run, by the figure that it watches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The steps of the run until then.
    pub step: u64,
    /// The figure.
    pub figure: f64,
}

/// The figures of a finished epoch, or of the part until the run stopped.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The steps of the run so far.
    pub step: u64,
    /// The loss over the training rows, each as it was seen just before its update.
    pub loss: f64,
    /// The loss over the held-out rows after the epoch, if there are any.
    pub valid_loss: Option<f64>,
    /// The net's metrics after the epoch: over the held-out rows, or else over the training rows.
    /// Without held-out rows, the parts of the loss are those of `loss`.
    pub metrics: Vec<(String, f64)>,
    /// Whether this is the best validation so far; `false` where nothing is watched.
    pub is_best: bool,
    /// The learning rate of the last step; of the first optimizer, where there are several.
    pub lr: f64,
    /// The time spent in the epoch's steps, by this process.
    pub seconds: f64,
    /// The training rows a second in that time.
    pub rows_per_second: f64,
}

impl EpochReport {
    /// The metric of this name.
    ///
    /// ```
    /// # use arenet_runtime::train::EpochReport;
    /// # fn run(report: EpochReport) {
    /// if let Some(accuracy) = report.metric("accuracy") {
    ///     println!("{:.1}%", accuracy * 100.0);
    /// }
    /// # }
    /// ```
    pub fn metric(&self, name: &str) -> Option<f64> {
        figure(&self.metrics, name)
    }
}

fn figure(metrics: &[(String, f64)], name: &str) -> Option<f64> {
    metrics.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
}

impl Evaluation {
    /// The metric of this name.
    ///
    /// ```
    /// # use arenet_runtime::train::Evaluation;
    /// let metrics = vec![("accuracy".to_string(), 0.9)];
    /// let figures = Evaluation { rows: 10, loss: 0.5, metrics, tables: vec![] };
    /// assert_eq!((figures.metric("accuracy"), figures.metric("rmse")), (Some(0.9), None));
    /// ```
    pub fn metric(&self, name: &str) -> Option<f64> {
        figure(&self.metrics, name)
    }
}

/// Loss and metrics over a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The rows it covers.
    pub rows: u64,
    /// The loss over them.
    pub loss: f64,
    /// The net's metrics over them, by name.
    pub metrics: Vec<(String, f64)>,
    /// The metrics that are tables.
    pub tables: Vec<Table>,
}

/// Counts of rows by their class and by what was found: a confusion matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The name of the metric.
    pub name: String,
    /// The classes.
    pub classes: Vec<String>,
    /// For each class of the target in turn, how many of its rows were found to be of each class.
    pub counts: Vec<u64>,
}

/// Why training, or its preparation, stopped.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainError {
    /// The program cannot be run, or not with these values.
    Run(RunError),
    /// A file of weights or a checkpoint is not what the net takes.
    Data(DataError),
    /// The settings do not fit each other or the data.
    Settings(String),
    /// The net asks of a run without data what only one with data has.
    Lacks(Lack),
    /// A value became NaN or infinite.
    Diverged(Box<Divergence>),
}

impl fmt::Display for TrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrainError::Run(error) => error.fmt(f),
            TrainError::Data(error) => error.fmt(f),
            TrainError::Settings(message) => f.write_str(message),
            TrainError::Lacks(lack) => lack.fmt(f),
            TrainError::Diverged(divergence) => divergence.fmt(f),
        }
    }
}

impl std::error::Error for TrainError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            TrainError::Run(error) => Some(error),
            TrainError::Data(error) => Some(error),
            TrainError::Settings(_) | TrainError::Lacks(_) | TrainError::Diverged(_) => None,
        }
    }
}

impl From<RunError> for TrainError {
    fn from(error: RunError) -> TrainError {
        TrainError::Run(error)
    }
}

impl From<Divergence> for TrainError {
    fn from(divergence: Divergence) -> TrainError {
        TrainError::Diverged(Box::new(divergence))
    }
}

impl From<DataError> for TrainError {
    fn from(error: DataError) -> TrainError {
        TrainError::Data(error)
    }
}

/// The first value of a run that is NaN or infinite.
///
/// It prints as `training diverged in epoch 2 at step 37, batch 3 (rows 64..96 of the epoch): a
/// value at h (4:5) is NaN, in row 51 of the data`.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The epoch, from 1; 0 for a step on rows that the application gave.
    pub epoch: u64,
    /// The step of the run, from 1.
    pub step: u64,
    /// The batch of the epoch, from 1; 0 for a step on rows that the application gave.
    pub batch: u64,
    /// The rows of the batch, counted from 0 in the order of the epoch, or as they were given.
    pub rows: Range<u64>,
    /// The row of the data that the value belongs to, from 0, where it is of one; it prints from 1.
    pub row: Option<u64>,
    /// What kind of value it is.
    pub part: Part,
    /// The name of the statement the value comes from; of a parameter, its own.
    pub name: String,
    /// The line of that statement, from 1; 0 for a parameter.
    pub line: u32,
    /// Its column, from 1; 0 for a parameter.
    pub column: u32,
    /// The value.
    pub number: f32,
    /// What was measured about it.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Divergence { epoch, step, batch, rows, name, number, .. } = self;
        let Range { start, end } = rows;
        match epoch {
            0 => write!(f, "training diverged at step {step}: ")?,
            _ => {
                write!(f, "training diverged in epoch {epoch} at step {step}, ")?;
                write!(f, "batch {batch} (rows {start}..{end} of the epoch): ")?;
            }
        }
        f.write_str(match self.part {
            Part::Value => "a value at ",
            Part::Gradient => "a gradient at ",
            Part::Update => "the update of ",
            Part::Parameter => "the parameter ",
        })?;
        f.write_str(&shown(name))?;
        if self.line > 0 {
            write!(f, " ({}:{})", self.line, self.column)?;
        }
        write!(f, " is {number}")?;
        match self.row {
            Some(row) => write!(f, ", in row {} of the data", row + 1),
            None => Ok(()),
        }
    }
}
