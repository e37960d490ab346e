//! Settings that override a program's `train` section.

use super::report::TrainError;
use super::split::Fold;
use crate::exec::{EntryPoint, Options, RunError};
use crate::program::{Batch, MAX_EPOCHS, Split, Training, Verified};

/// Overrides of the program's `train` section. The default is what the program says.
///
/// ```
/// use arenet_runtime::train::Settings;
///
/// let settings = Settings { epochs: Some(5), seed: Some(1), ..Settings::default() };
/// # assert_eq!(settings.lr, None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Which rows are held out.
    pub split: Option<Split>,
    /// The fold to hold out, in place of a share.
    pub fold: Option<Fold>,
    /// The optimizer steps of the whole run, for schedules that span it; by default the steps of
    /// its epochs.
    pub steps: Option<u64>,
    /// How the program is run.
    pub run: Options,
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
    training.split = settings.split.clone().unwrap_or(training.split);
    training.seed = settings.seed.unwrap_or(training.seed);
    training.shuffle = settings.shuffle.unwrap_or(training.shuffle);
    Ok(training)
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
