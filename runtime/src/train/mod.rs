//! Training: epochs over a data set, with learning-rate schedules, held-out rows, metrics and
//! checkpoints. The [`Trainer`] decides everything before the first step; a step copies its rows
//! in, sets the scalars that changed, and runs.

mod balance;
mod checkpoint;
pub mod chosen;
mod divergence;
mod epoch;
pub(crate) mod evaluate;
pub mod fit;
pub mod hash;
mod lack;
mod look;
mod own;
pub(crate) mod params;
pub mod plateau;
mod prequential;
mod reason;
mod report;
mod rows;
mod running;
pub mod scalars;
mod seen;
pub mod settings;
pub mod split;
mod step;
mod survey;
pub mod tape;
mod watch;
mod weights;

pub use checkpoint::{is_checkpoint, says_checkpoint};
pub use lack::Lack;
pub use look::Look;
pub use prequential::Prequential;
pub use reason::{Part, Reason};
pub use report::{Best, Divergence, EpochReport, Evaluation, Progress, Table, TrainError};
pub use scalars::{Clock, Scalars, at};
pub use seen::Seen;
pub use settings::{Settings, check_epochs, check_rate};
pub use split::Fold;
pub use survey::{Counted, Survey};

use crate::data::{ColumnNames, Dataset, PortSpec};
use crate::exec::{EntryPoint, Executor, Feed, RunError};
use crate::program::{BufferId, DType, Param, Port, Training, Verified};
use chosen::Chosen;
use plateau::Falling;
use rows::Rows;
use running::Running;
use split::Portion;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use watch::Watcher;
pub(crate) use weights::load;

/// Trains a program on a data set.
///
/// The same program, data, settings and seed give the same weights, bit for bit, whatever the
/// instruction set and the number of threads, and however often the run is interrupted and resumed.
///
/// ```no_run
/// # use arenet_runtime::{data::Dataset, program::Verified};
/// # use arenet_runtime::train::{Settings, TrainError, Trainer};
/// # use std::{ops::ControlFlow, sync::Arc};
/// # fn run(program: Arc<Verified>, data: Dataset) -> Result<(), TrainError> {
/// let mut trainer = Trainer::new(program, data, &Settings::default())?;
/// while !trainer.is_done() {
///     if let Some(report) = trainer.run_epoch(&mut |_| ControlFlow::Continue(()))? {
///         println!("epoch {}: loss {:.4}", report.epoch, report.loss);
///     }
/// }
/// trainer.save_weights("net.safetensors")?;
/// # Ok(())
/// # }
/// ```
pub struct Trainer {
    program: Arc<Verified>,
    executor: Executor,
    /// The program's section with the settings applied.
    training: Training,
    loss: BufferId,
    scalars: Scalars,
    /// The names of the data's columns.
    columns: ColumnNames,
    data: Feed<'static>,
    /// The group of each row of it, where the table says so.
    groups: Option<Vec<u32>>,
    /// The data held out, where it is not a part of `data`.
    valid: Option<Feed<'static>>,
    /// The rows of `data` that are trained on.
    training_rows: Chosen,
    /// The rows held out, of `valid` or else of `data`.
    validation_rows: Vec<u32>,
    /// The rows of a batch; the last one of an epoch may have fewer.
    batch: usize,
    position: Position,
    /// What the steps of the epoch add up beside their losses.
    running: Running,
    /// The training rows in the order of the epoch.
    order: Vec<u32>,
    last_good: LastGood,
    /// Whether the statistics of columns are known: there were rows, or weights that have them.
    is_fitted: bool,
    /// The least mean loss of an epoch so far.
    lowest: Option<Lowest>,
    /// The figure that is watched, if one is.
    watcher: Option<Watcher>,
    /// The learning rates that fall by a figure.
    falling: Vec<Falling>,
    timing: Timing,
    /// What its checkpoints say beside the run.
    notes: BTreeMap<String, String>,
    /// A hash of the data, computed for the first checkpoint.
    data_hash: Option<u64>,
}

fn feed(program: &Arc<Verified>, data: Dataset) -> Result<Feed<'static>, RunError> {
    Feed::new(program, data.rows, data.inputs, data.targets)
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Position {
    /// Epochs finished.
    epoch: u64,
    /// Batches done in the one after them.
    step_in_epoch: u64,
    /// Optimizer steps done in all epochs.
    steps: u64,
    /// Steps done on rows that the application gave.
    own_steps: u64,
    /// The loss of each row trained on in this epoch, summed.
    loss_sum: f64,
}

impl Position {
    /// The time for schedules and optimizers.
    fn clock(&self) -> Clock {
        Clock { step: self.steps + self.own_steps, epoch: self.epoch }
    }
}

/// The last state that is known to be finite: that at the start of the epoch, or when weights were
/// loaded. From there a divergence is retraced to its first bad value.
struct LastGood {
    position: Position,
    /// What [`Running`] has added up until there.
    sums: Vec<f64>,
    state: Vec<f32>,
}

/// The mean losses of epochs: the least one, and that of the last.
#[derive(Clone, Copy)]
struct Lowest {
    loss: f64,
    last: f64,
}

/// What this process has done of an epoch.
#[derive(Default)]
struct Timing {
    time: Duration,
    rows: usize,
}

impl Trainer {
    /// Prepares a run: checks the data against the program, holds rows out, and gives the
    /// parameters their initial values. The program or the settings say which share of the rows is
    /// held out; the seed chooses the rows.
    ///
    /// # Errors
    /// A program without a `train` section, data that does not fit its ports, settings that are out
    /// of range or leave nothing to train on, or an executor that cannot be made.
    pub fn new(
        program: Arc<Verified>,
        data: Dataset,
        settings: &Settings,
    ) -> Result<Trainer, TrainError> {
        let training = settings::resolve(&program, settings)?;
        let (columns, groups) = (data.columns.clone(), data.groups.clone());
        let data = feed(&program, data)?;
        let part = settings.fold.map_or(Portion::Share(training.valid), Portion::Fold);
        let rows = Rows::split(data, groups, &training, part)?;
        Trainer::prepare(program, training, columns, rows, settings)
    }

    /// [`Trainer::new`] that trains on all of the data, and validates on other data.
    ///
    /// # Errors
    /// As there.
    pub fn validated(
        program: Arc<Verified>,
        data: Dataset,
        valid: Dataset,
        settings: &Settings,
    ) -> Result<Trainer, TrainError> {
        let mut training = settings::resolve(&program, settings)?;
        training.valid = 0.0;
        let columns = data.columns.clone();
        let (data, valid) = (feed(&program, data)?, feed(&program, valid)?);
        let rows = Rows::validated(data, valid)?;
        Trainer::prepare(program, training, columns, rows, settings)
    }

    /// [`Trainer::new`] without data, for training on given rows with [`Trainer::step`].
    ///
    /// # Errors
    /// As there, a schedule that counts epochs, or one that spans the run while the settings do not
    /// give its number of steps.
    pub fn without_data(
        program: Arc<Verified>,
        settings: &Settings,
    ) -> Result<Trainer, TrainError> {
        let training = settings::resolve(&program, settings)?;
        if let Some(lack) = Lack::of(&training, settings.steps.is_some()) {
            return Err(TrainError::Lacks(lack));
        }
        let ports = [PortSpec::inputs, PortSpec::targets].map(|ports| ports(program.program()));
        let none = Dataset::empty(&ports[0], &ports[1]);
        let rows = Rows::of(feed(&program, none)?);
        Trainer::prepare(program, training, ColumnNames::default(), rows, settings)
    }

    fn prepare(
        program: Arc<Verified>,
        training: Training,
        columns: ColumnNames,
        rows: Rows,
        settings: &Settings,
    ) -> Result<Trainer, TrainError> {
        let Rows { mut data, groups, valid, training: training_rows, validation } = rows;
        let validation_rows = validation;
        let source = program.program();
        let loss = source.loss.ok_or(RunError::Entry(EntryPoint::Train))?;
        if training.watch.is_some() && validation_rows.is_empty() && !training_rows.is_empty() {
            let message = "`stop` and `keep = best` look at held-out rows, and there are none: \
                           hold some out, such as by `valid = 0.2` in the `train` section";
            return Err(TrainError::Settings(message.into()));
        }
        let batch = settings::batch_rows(&training, training_rows.len(), source.batch)?.max(1);
        let batches = training_rows.len().div_ceil(batch) as u64;
        let steps_per_epoch = batches.div_ceil(training.accumulate);
        let steps = training.epochs.saturating_mul(steps_per_epoch);
        let total = Clock { step: settings.steps.unwrap_or(steps), epoch: training.epochs };
        let scalars = Scalars::new(source, &training.schedules, total);
        let groups_len = groups.as_ref().map_or(0, Vec::len);
        // With the order of an epoch, and those that are not trained on.
        let listed = validation_rows.len() + training_rows.without().len();
        let rows = training_rows.len() + listed + groups_len;
        let tables = data.bytes() + valid.as_ref().map_or(0, Feed::bytes) + 4 * rows as u64;
        let held = source.copy_bytes().saturating_add(tables);
        let mut executor = Executor::beside(held, program.clone(), settings.run)?;
        let left = settings.run.limit().saturating_sub(held + executor.held_bytes());
        data.add_room(left / 8 * 5);
        executor.set_seed(training.seed);
        executor.run(EntryPoint::Init, 1)?;
        balance::count(&mut executor, &training.balances, &data, &training_rows)?;
        let is_fitted = fit::fit(&mut executor, &mut data, &training_rows, |_| true)?;
        // Allocated once, so that no epoch allocates.
        let state = Vec::with_capacity(source.state_bytes() as usize / 4);
        let running = Running::new(source);
        let sums = running.sums().to_vec();
        let last_good = LastGood { position: Position::default(), sums, state };
        let mut trainer = Trainer {
            order: Vec::with_capacity(training_rows.len()),
            falling: Falling::all(source, &training.schedules),
            watcher: training.watch.map(|watch| Watcher::new(source, watch)),
            columns: columns.or(ColumnNames::of_program(source)),
            program,
            executor,
            training,
            loss,
            scalars,
            data,
            groups,
            valid,
            training_rows,
            validation_rows,
            batch,
            position: Position::default(),
            running,
            last_good,
            is_fitted,
            lowest: None,
            timing: Timing::default(),
            notes: BTreeMap::new(),
            data_hash: None,
        };
        trainer.start_epoch();
        Ok(trainer)
    }

    /// The epochs of the whole run.
    pub fn epochs(&self) -> u64 {
        self.training.epochs
    }

    /// The epochs finished.
    pub fn epoch(&self) -> u64 {
        self.position.epoch
    }

    /// The optimizer steps done.
    pub fn steps(&self) -> u64 {
        self.position.clock().step
    }

    /// Adds an entry to the metadata of all checkpoints that are written from now on.
    pub fn note(&mut self, key: &str, text: String) {
        self.notes.insert(key.to_string(), text);
    }

    /// Whether the run is over: after its last epoch, or when its figure has not improved for long.
    pub fn is_done(&self) -> bool {
        let is_over = self.watcher.as_ref().is_some_and(Watcher::is_over);
        is_over || self.position.epoch >= self.training.epochs
    }

    /// The best validation so far, if a figure is watched.
    pub fn best(&self) -> Option<Best> {
        self.watcher.as_ref().and_then(Watcher::best)
    }

    /// The best validation so far, if its weights are kept: [`Trainer::save_weights`] writes those.
    pub fn best_weights(&self) -> Option<Best> {
        self.watcher.as_ref().filter(|watcher| watcher.keeps_best()).and_then(Watcher::best)
    }

    /// The optimizer steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches_per_epoch().div_ceil(self.training.accumulate)
    }

    /// The batches of an epoch: one for each step, or several whose gradients are accumulated.
    pub fn batches_per_epoch(&self) -> u64 {
        self.training_rows.len().div_ceil(self.batch) as u64
    }

    /// The rows trained on.
    pub fn training_rows(&self) -> usize {
        self.training_rows.len()
    }

    /// What the columns of the data are called.
    pub fn columns(&self) -> &ColumnNames {
        &self.columns
    }

    /// Whether the rows held out are other data.
    pub fn has_other_validation(&self) -> bool {
        self.valid.is_some()
    }

    /// The values of some of the rows trained on, at equal distances: of each input and then of
    /// each target, row after row, classes as their indices.
    pub fn some_rows(&self, count: usize) -> Vec<Vec<f64>> {
        let program = self.program.program();
        let ports = program.inputs.iter().chain(&program.targets);
        let all = self.training_rows.len();
        let chosen = (0..count).map(|i| self.training_rows.row(i * all / count.max(1)) as usize);
        let of_port = |(index, port): (usize, &Port)| -> Vec<f64> {
            let is_class = program.buffers[port.buffer.0 as usize].dtype == DType::I32;
            let value = |x: &f32| if is_class { f64::from(x.to_bits()) } else { f64::from(*x) };
            let mut values = Vec::new();
            // Of what cannot be read there is nothing to tell.
            let _ = self.data.add_rows(index, chosen.clone(), &mut values);
            values.iter().map(value).collect()
        };
        ports.enumerate().map(of_port).collect()
    }

    /// The rows held out.
    pub fn validation_rows(&self) -> usize {
        self.validation_rows.len()
    }

    /// The executor, with the parameters as they are now.
    pub fn executor(&self) -> &Executor {
        &self.executor
    }

    /// Gives the executor the best parameters, where they are kept, or those that the run goes on
    /// with; says which it had.
    fn restore(&mut self, best: bool) -> bool {
        let Trainer { watcher, executor, .. } = self;
        watcher.as_mut().is_some_and(|watcher| watcher.restore(executor, best))
    }

    fn keep_state(&mut self) {
        self.last_good.position = self.position;
        self.last_good.sums.copy_from_slice(self.running.sums());
        self.executor.copy_state(&mut self.last_good.state);
    }

    /// Whether every parameter and optimizer state is finite.
    fn is_finite(&self) -> bool {
        let mut ids = self.program.program().params.iter().flat_map(Param::buffers);
        ids.all(|id| self.executor.non_finite(id, 1).is_none())
    }
}
