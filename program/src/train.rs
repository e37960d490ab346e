//! How a program is trained: what the host needs to know beside the steps.

use crate::host::HostNumber;

/// The most epochs, so that a count of steps cannot overflow.
pub const MAX_EPOCHS: u64 = 1 << 32;

/// How many rows make one optimizer step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// All training rows: batch gradient descent.
    Full,
    /// This many rows; 1 is online gradient descent.
    Rows(u64),
}

/// A learning rate over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The rate that it starts from.
    pub base: f64,
    /// The rate; its [`HostInput::Base`](crate::host::HostInput::Base) is `base`.
    pub rate: HostNumber,
}

/// What a metric's value over a batch is, and how those of all batches become the figure shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// A mean; shown is the mean over all rows.
    Mean,
    /// A mean; shown is the square root of the mean over all rows.
    Root,
    /// A count, of at most so many in each row; shown is the share of those that there are. Counts
    /// are whole numbers, so the share is that of all rows exactly, whatever the batches.
    Share(u64),
}

/// The training section of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Rows a step.
    pub batch: Batch,
    /// Passes over the data.
    pub epochs: u64,
    /// Seed of every random choice.
    pub seed: u64,
    /// The share of rows held out for validation, from 0 up to but not including 1.
    pub valid: f64,
    /// Whether the rows are visited in a new order every epoch.
    pub shuffle: bool,
    /// The learning rate of each optimizer group.
    pub schedules: Vec<Schedule>,
}
