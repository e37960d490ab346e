//! Settings that override a program's `train` section, and the choice of rows that are held out.

use super::report::TrainError;
use crate::exec::{EntryPoint, Options, RunError};
use crate::program::{Batch, MAX_EPOCHS, Training, Verified};
use crate::random::{SPLIT_STREAM, Stream, shuffle};

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
    training.seed = settings.seed.unwrap_or(training.seed);
    training.shuffle = settings.shuffle.unwrap_or(training.shuffle);
    Ok(training)
}

/// The rows to train on and those to hold out, each in the order of the data.
///
/// The share is rounded to whole rows, but is at least one row if it is not 0; which rows these are
/// depends only on the seed and the number of rows.
pub(crate) fn split(
    rows: usize,
    share: f64,
    seed: u64,
) -> Result<(Vec<u32>, Vec<u32>), TrainError> {
    let Ok(count) = u32::try_from(rows) else {
        return Err(TrainError::Settings(format!("{rows} rows are more than the limit of 2^32")));
    };
    if rows == 0 {
        return Err(TrainError::Settings("there are no rows to train on".into()));
    }
    let mut order: Vec<u32> = (0..count).collect();
    if share == 0.0 {
        return Ok((order, Vec::new()));
    }
    let held = ((rows as f64 * share).round() as usize).max(1);
    if held >= rows {
        return Err(TrainError::Settings(format!(
            "a share of {share} holds out {held} of {rows} rows, and leaves none to train on"
        )));
    }
    shuffle(Stream { seed, stream: SPLIT_STREAM }, 0, &mut order);
    let mut training = order.split_off(held);
    training.sort_unstable();
    order.sort_unstable();
    Ok((training, order))
}

/// The rows of a step.
pub(crate) fn batch_rows(batch: Batch, rows: usize, planned: u64) -> Result<usize, TrainError> {
    match batch {
        Batch::Rows(n) => Ok(usize::try_from(n).map_or(rows, |n| n.min(rows))),
        Batch::Full if rows as u64 > planned => Err(TrainError::Settings(format!(
            "a full batch has {rows} rows, but the net is compiled for {planned}: \
             compile it with `arenet compile --batch {rows}`"
        ))),
        Batch::Full => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_holds_every_row_once_and_depends_on_the_seed() {
        let (training, held) = split(10, 0.25, 3).unwrap();
        assert_eq!((training.len(), held.len()), (7, 3), "2.5 rows round up");
        let mut all = [training, held.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..10));
        assert!(held.is_sorted());
        assert_eq!(split(10, 0.25, 3).unwrap().1, held);
        assert!((0..20).any(|seed| split(10, 0.25, seed).unwrap().1 != held));
    }

    #[test]
    fn a_split_keeps_a_row_on_each_side_or_fails() {
        assert_eq!(split(3, 0.0, 0), Ok((vec![0, 1, 2], vec![])));
        assert_eq!(split(100, 0.001, 0).unwrap().1.len(), 1);
        let message = |rows, share| split(rows, share, 0).unwrap_err().to_string();
        assert_eq!(
            message(4, 0.9),
            "a share of 0.9 holds out 4 of 4 rows, and leaves none to train on"
        );
        assert_eq!(
            message(1, 0.1),
            "a share of 0.1 holds out 1 of 1 rows, and leaves none to train on"
        );
        assert_eq!(message(0, 0.0), "there are no rows to train on");
    }

    #[test]
    fn a_batch_has_no_more_rows_than_there_are() {
        assert_eq!(batch_rows(Batch::Rows(64), 10, 64), Ok(10));
        assert_eq!(batch_rows(Batch::Rows(4), 10, 64), Ok(4));
        assert_eq!(batch_rows(Batch::Full, 10, 10), Ok(10));
        assert_eq!(
            batch_rows(Batch::Full, 10, 8).unwrap_err().to_string(),
            "a full batch has 10 rows, but the net is compiled for 8: compile it \
             with `arenet compile --batch 10`"
        );
    }
}
