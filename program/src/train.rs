//! How a program is trained: what the host needs to know beside the steps.

use crate::host::{HostInput, HostNumber};
use crate::ids::{BufferId, ParamId};

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

/// A learning rate over time, and what moves with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The rate that it starts from.
    pub base: f64,
    /// The rate; its [`HostInput::Base`] is `base`.
    pub rate: HostNumber,
    /// The momentum, where the schedule moves it.
    pub momentum: Option<HostNumber>,
    /// When the base falls.
    pub plateau: Option<Plateau>,
}

/// Lets the base of a schedule fall where a figure no longer gets better: that of the held-out rows
/// at the end of each epoch, or without any that of the training rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plateau {
    /// The figure.
    pub figure: Watched,
    /// What the base is multiplied by, from 0 up to but not including 1.
    pub factor: f64,
    /// It falls after more epochs than these without a better figure.
    pub patience: u64,
    /// A figure that is better by no more than this is no better one.
    pub threshold: f64,
    /// Whether the threshold is a share of the best figure.
    pub is_relative: bool,
    /// The epochs after a fall that do not count.
    pub cooldown: u64,
    /// The lowest base.
    pub min_lr: f64,
}

impl Schedule {
    /// A rate that stays the same.
    pub fn constant(rate: f64) -> Schedule {
        Schedule { base: rate, rate: HostInput::Base.into(), momentum: None, plateau: None }
    }
}

/// How a metric's values over batches become the figure shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// What the values are.
    pub over: Over,
    /// What is added up over all batches, of each element: numbers of the values over a batch and
    /// of its rows.
    pub sums: Vec<HostNumber>,
    /// The figure: a number of those sums and of all rows.
    pub figure: HostNumber,
    /// Whether it is shown in percent.
    pub percent: bool,
}

/// What the values of a metric are over a batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// A number each.
    Numbers,
    /// A row each, with an element for each class.
    Classes {
        /// What is added up over the classes, numbers of the sums of each; the figure is of these.
        each: Vec<HostNumber>,
        /// The one class that counts; without, all do.
        class: Option<u32>,
    },
    /// A score and a side for each row, above 0 or not. The figure is of three sums: how many pairs
    /// of an upper and a lower row have their scores in this order, equal scores as half a pair,
    /// and how many rows there are on either side, the upper one first.
    Ranks,
    /// Counts of the rows of each class of a target, in a row for each, by what was found in a
    /// column for each. It is a table, and no figure.
    Table {
        /// The target.
        target: u32,
    },
}

impl Over {
    /// The sums that a figure may be of.
    pub fn figures(&self, sums: usize) -> usize {
        match self {
            Over::Numbers | Over::Table { .. } => sums,
            Over::Classes { each, .. } => each.len(),
            Over::Ranks => 3,
        }
    }
}

impl Finish {
    /// A value that is a sum over the rows of a batch; the figure is the sum over all rows.
    pub fn sum() -> Finish {
        let sums = vec![HostInput::Value(0).into()];
        Finish { over: Over::Numbers, sums, figure: HostInput::Sum(0).into(), percent: false }
    }

    /// A value that is a mean over the rows of a batch; the figure is the mean over all rows.
    pub fn mean() -> Finish {
        Finish {
            sums: vec![HostNumber::from(HostInput::Value(0)) * HostInput::Rows],
            figure: HostNumber::from(HostInput::Sum(0)) / HostInput::Rows,
            ..Finish::sum()
        }
    }

    /// Whether it is a table, and no figure.
    pub fn is_table(&self) -> bool {
        matches!(self.over, Over::Table { .. })
    }
}

/// A figure of the held-out rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watched {
    /// The loss.
    #[default]
    Loss,
    /// The metric of this index.
    Metric(u16),
}

/// What a run does about the figure that it watches.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Watch {
    /// The figure.
    pub figure: Watched,
    /// Whether the weights with the best figure are kept, in place of the last ones.
    pub keeps_best: bool,
    /// After so many validations without an improvement the run ends.
    pub patience: Option<u64>,
    /// A figure that is better by no more than this is no improvement.
    pub min_delta: f64,
}

/// Which rows are held out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Any.
    #[default]
    Random,
    /// Of each class of the targets its share.
    Class,
    /// The last ones.
    Last,
    /// Those that have the same value in this column of the table, or none of them.
    Column(String),
}

/// A parameter with a factor for each class of a target, which the host sets before the first step:
/// n / (k c) of a class that c of n rows have, k classes being there, and 1 of one that is not
/// there. (sklearn.utils.class_weight.compute_class_weight, `balanced`.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The parameter.
    pub param: ParamId,
    /// The target, whose values in the training rows are counted.
    pub target: u32,
    /// The class that does not count, if one does not.
    pub ignored: Option<u32>,
}

/// Parameters that are statistics of values: the host takes them of all rows that are trained on,
/// before the first step. Each column has its own; elements that are NaN do not count.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The parameters, as many as [`Statistic::params`] says.
    pub params: Vec<ParamId>,
    /// The values, which [`EntryPoint::Fit`](crate::EntryPoint::Fit) leaves there for a batch.
    pub values: BufferId,
    /// What is taken of them.
    pub statistic: Statistic,
    /// How many others it waits for, one after the other: these values depend on them.
    pub level: u32,
}

/// What is taken of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The mean, and the root of the mean squared distance from it: sklearn's StandardScaler. The
    /// second is 1 where all values are the same, and the first 0 where there are none.
    Deviation,
    /// The least, and how far the largest is from it: sklearn's MinMaxScaler. The second is 1 where
    /// all values are the same, and the first 0 where there are none.
    Range,
    /// The mean; 0 where there are no values.
    Mean,
    /// The one in the middle, or the mean of both; 0 where there are no values.
    Median,
}

impl Statistic {
    /// How many parameters hold it.
    pub fn params(self) -> usize {
        match self {
            Statistic::Deviation | Statistic::Range => 2,
            Statistic::Mean | Statistic::Median => 1,
        }
    }

    /// How often it looks at all rows.
    pub fn passes(self) -> u32 {
        match self {
            Statistic::Deviation | Statistic::Range | Statistic::Mean => 1,
            Statistic::Median => 4,
        }
    }
}

/// The training section of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Rows of a batch.
    pub batch: Batch,
    /// The batches whose gradients make one optimizer step: 1, or several that are accumulated;
    /// [`Training::ALL_BATCHES`] of an epoch.
    pub accumulate: u64,
    /// Passes over the data.
    pub epochs: u64,
    /// Seed of every random choice.
    pub seed: u64,
    /// The share of rows held out for validation, from 0 up to but not including 1.
    pub valid: f64,
    /// Which rows those are.
    pub split: Split,
    /// Whether the rows are visited in a new order every epoch.
    pub shuffle: bool,
    /// The steps between two validations within an epoch; one is always at its end.
    pub validate: Option<u64>,
    /// What the run watches, if it does.
    pub watch: Option<Watch>,
    /// The learning rate of each optimizer group.
    pub schedules: Vec<Schedule>,
    /// The factors of classes that the host counts.
    pub balances: Vec<Balance>,
    /// The statistics of columns that the host takes.
    pub fits: Vec<Fit>,
}

impl Default for Training {
    /// What the language means where a text says nothing.
    fn default() -> Training {
        Training {
            batch: Batch::Rows(32),
            accumulate: 1,
            epochs: 10,
            seed: 0,
            valid: 0.0,
            split: Split::Random,
            shuffle: true,
            validate: None,
            watch: None,
            schedules: Vec::new(),
            balances: Vec::new(),
            fits: Vec::new(),
        }
    }
}

impl Training {
    /// Of [`Training::accumulate`]: all batches of an epoch.
    pub const ALL_BATCHES: u64 = u64::MAX;

    /// Whether the host takes statistics before the first step.
    pub fn fits_columns(&self) -> bool {
        !self.fits.is_empty()
    }

    /// Whether gradients are accumulated over several batches.
    pub fn accumulates(&self) -> bool {
        self.accumulate > 1
    }
}
