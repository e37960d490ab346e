//! Settings that override a program's `train` section, and the choice of rows that are held out.

use super::report::TrainError;
use crate::exec::{EntryPoint, Options, RunError};
use crate::program::{Batch, MAX_EPOCHS, Training, Verified};
use crate::random::{SPLIT_STREAM, Stream, shuffle};
use std::ops::Range;

/// Overrides of the program's `train` section. The default is what the program says.
///
/// ```
/// use arenet_runtime::train::Settings;
///
/// let settings = Settings { epochs: Some(5), seed: Some(1), ..Settings::default() };
/// # assert_eq!(settings.lr, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// Passes over the data.
    pub epochs: Option<u64>,
    /// The base of every learning-rate schedule.
    pub lr: Option<f64>,
    /// The seed of the initial values, the split and the order of the rows.
    pub seed: Option<u64>,
    /// Whether the rows are shuffled for every epoch.
    pub shuffle: Option<bool>,
    /// The share of the rows to hold out, from 0 up to but not including 1.
    pub valid: Option<f64>,
    /// The fold to hold out, in place of a share.
    pub fold: Option<Fold>,
    /// The optimizer steps of the whole run, for schedules that span it; by default the steps of
    /// its epochs.
    pub steps: Option<u64>,
    /// How the program is run.
    pub run: Options,
}

/// One of several parts of the rows, of nearly the same size.
///
/// ```
/// # use arenet_runtime::train::Fold;
/// let parts = (0..3).map(|index| Fold { index, count: 3 }.range(10));
/// assert_eq!(parts.collect::<Vec<_>>(), [0..3, 3..6, 6..10]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// Which, from 0.
    pub index: u32,
    /// How many there are.
    pub count: u32,
}

impl Fold {
    /// Its places among so many rows.
    pub fn range(self, rows: usize) -> Range<usize> {
        let place = |index: u32| (rows as u64 * u64::from(index) / u64::from(self.count)) as usize;
        place(self.index)..place(self.index + 1)
    }
}

/// Checks a number of epochs; the error is a sentence.
///
/// # Errors
/// None, or more than a verified program may have.
pub fn check_epochs(epochs: u64) -> Result<(), String> {
    match (1..=MAX_EPOCHS).contains(&epochs) {
        true => Ok(()),
        false => Err(format!("epochs must be from 1 to {MAX_EPOCHS}, not {epochs}")),
    }
}

/// Checks a learning rate, which is stored as f32 before each step; the error is a sentence.
///
/// # Errors
/// A negative number, one that f32 does not hold, or NaN.
pub fn check_rate(rate: f64) -> Result<(), String> {
    match (0.0..=f64::from(f32::MAX)).contains(&rate) {
        true => Ok(()),
        false => Err(format!("the learning rate must be from 0 to {:e}, not {rate}", f32::MAX)),
    }
}

/// The program's section with the settings applied.
pub(crate) fn resolve(program: &Verified, settings: &Settings) -> Result<Training, TrainError> {
    let program = program.program();
    let section = program.training.as_ref().filter(|_| program.loss.is_some());
    let mut training = section.ok_or(RunError::no_entry(program, EntryPoint::Train))?.clone();
    if let Some(epochs) = settings.epochs {
        check_epochs(epochs).map_err(TrainError::Settings)?;
        training.epochs = epochs;
    }
    if let Some(lr) = settings.lr {
        check_rate(lr).map_err(TrainError::Settings)?;
        training.schedules.iter_mut().for_each(|schedule| schedule.base = lr);
    }
    if let Some(valid) = settings.valid {
        if !(0.0..1.0).contains(&valid) {
            let message = format!("the share to hold out must be in 0..1, not {valid}");
            return Err(TrainError::Settings(message));
        }
        training.valid = valid;
    }
    training.seed = settings.seed.unwrap_or(training.seed);
    training.shuffle = settings.shuffle.unwrap_or(training.shuffle);
    Ok(training)
}

/// The rows to train on and those to hold out, each in the order of the data.
///
/// The share is rounded to whole rows, but is at least one row if it is not 0; which rows these are
/// depends only on the seed and the number of rows.
pub fn split(rows: usize, share: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>), TrainError> {
    let Ok(count) = u32::try_from(rows) else {
        return Err(TrainError::Settings(format!("{rows} rows are more than the limit of 2^32")));
    };
    if rows == 0 {
        return Err(TrainError::Settings("there are no rows to train on".into()));
    }
    if share == 0.0 {
        return Ok(((0..count).collect(), Vec::new()));
    }
    let held = ((rows as f64 * share).round() as usize).max(1);
    if held >= rows {
        return Err(TrainError::Settings(format!(
            "a share of {share} holds out {held} of {rows} rows, and leaves none to train on"
        )));
    }
    Ok(hold_out(count, 0..held, seed))
}

/// The rows to train on and those of the fold, as [`split`] gives them.
pub fn split_fold(rows: usize, fold: Fold, seed: u64) -> Result<(Vec<u32>, Vec<u32>), TrainError> {
    let (all, _) = split(rows, 0.0, seed)?;
    if fold.count as usize > rows {
        let message = format!("{rows} rows are too few for {} folds", fold.count);
        return Err(TrainError::Settings(message));
    }
    Ok(hold_out(all.len() as u32, fold.range(rows), seed))
}

/// Holds out the rows at these places of a random order.
fn hold_out(count: u32, places: Range<usize>, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..count).collect();
    shuffle(Stream { seed, stream: SPLIT_STREAM }, 0, &mut order);
    let mut held: Vec<u32> = order.drain(places).collect();
    order.sort_unstable();
    held.sort_unstable();
    (order, held)
}

/// The rows of a batch. Where gradients are accumulated, those of a full batch may come in pieces.
pub fn batch_rows(training: &Training, rows: usize, planned: u64) -> Result<usize, TrainError> {
    let at_most = |most: u64| usize::try_from(most).map_or(rows, |most| most.min(rows));
    match training.batch {
        Batch::Rows(most) => Ok(at_most(most)),
        Batch::Full if training.accumulates() => Ok(at_most(planned)),
        Batch::Full if rows as u64 > planned => Err(TrainError::Settings(format!(
            "a full batch has {rows} rows, but the net is compiled for {planned}: \
             compile it with `arenet compile --batch {rows}`"
        ))),
        Batch::Full => Ok(rows),
    }
}
