//! How a program is trained: what the host needs to know beside the steps.

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

/// What a schedule counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// Optimizer steps.
    Step,
    /// Epochs.
    Epoch,
}

/// The shape of a learning-rate schedule; the rate is `base` times or towards what the shape says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Curve {
    /// Always the base rate.
    Constant,
    /// base × byᶠˡᵒᵒʳ⁽ᵗ ᐟ ᵉᵛᵉʳʸ⁾
    Step {
        /// The length of a stair.
        every: u64,
        /// The factor of each stair.
        by: f64,
    },
    /// base × byᵗ
    Exponential {
        /// The factor of each unit.
        by: f64,
    },
    /// to + (base - to) (1 + cos(π t / over)) / 2, and `to` from there on
    Cosine {
        /// The final rate.
        to: f64,
        /// The length of the half wave; without it, to the end of the run.
        over: Option<u64>,
    },
}

/// A learning rate over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The rate the curve starts from.
    pub base: f64,
    /// The shape.
    pub curve: Curve,
    /// The rate grows linearly over this many first units: base × (t + 1) / warmup; the curve
    /// starts after them.
    pub warmup: u64,
    /// What is counted.
    pub per: Per,
}

/// A number the host computes before a step and the program reads; it is stored as f32.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A factor shared out among the rows really present in the batch: factor / rows
    PerRow {
        /// The factor; 1 / elements for the mean over rows of that many elements.
        factor: f64,
    },
    /// The learning rate of a group.
    LearningRate {
        /// Which optimizer's.
        group: u16,
    },
    /// Adam's step size with its first bias correction: lr / (1 - βᵗ), t from 1
    CorrectedRate {
        /// Which optimizer's.
        group: u16,
        /// β₁
        beta: f64,
    },
    /// Adam's second bias correction: 1 / √(1 - βᵗ), t from 1
    RootCorrection {
        /// β₂
        beta: f64,
    },
    /// 1 at the first step, 1 - dampening from the second on: torch.optim.SGD's momentum buffer
    /// starts as the bare gradient.
    Undampened {
        /// The dampening.
        dampening: f64,
    },
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
