//! What a report holds of a run. It is in the page too, as JSON, so that other pages can be made
//! of it.

use serde::{Deserialize, Serialize};

use super::looks::Looks;

/// What stands around the data of a run in its page.
pub const DATA_START: &str = "<script type=\"application/json\" id=\"run\">";
pub const DATA_END: &str = "</script>";

/// A run of `arenet train`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Run {
    /// The version of Arenet.
    pub arenet: String,
    /// The name of the net.
    pub net: String,
    /// When the process started, in UTC.
    pub started: String,
    /// The command line.
    pub command: String,
    pub machine: Machine,
    pub model: Model,
    pub rows: Rows,
    pub settings: Settings,
    pub metrics: Vec<Metric>,
    /// The names of the weights whose norms the epochs have.
    pub weights: Vec<String>,
    /// The epochs that were over when this process went on from a checkpoint.
    pub epochs_before: u64,
    /// The epochs of this process, at equal distances where there are many, and the last one.
    pub epochs: Vec<Epoch>,
    pub end: End,
    /// What the net makes of the rows held out, or without any of those trained on.
    pub looks: Looks,
}

/// What it ran on. The weights do not depend on it, the times do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    pub isa: String,
    pub threads: u64,
    /// The processor's architecture and the operating system.
    pub system: String,
}

/// The net.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Model {
    pub file: String,
    /// The text; a compiled model has none.
    pub text: Option<String>,
    pub parameters: u64,
    pub arena_bytes: u64,
    /// Where the values of a training step lie, as a drawing; a compiled model has none.
    #[serde(skip)]
    pub memory: Option<String>,
}

/// The rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rows {
    pub file: String,
    pub trained_on: u64,
    pub held_out: u64,
    /// How rows were held out, in words.
    pub how: String,
    /// The hash that weights store.
    pub hash: String,
    pub ports: Vec<Port>,
}

/// An input or a target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    pub name: String,
    pub is_target: bool,
    pub width: u64,
    /// The names of its columns, where they are known.
    pub columns: Vec<String>,
    /// The names of its classes.
    pub classes: Vec<String>,
}

/// How it was trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub seed: u64,
    pub epochs: u64,
    /// The rows of a batch.
    pub batch: u64,
    pub steps_per_epoch: u64,
    /// The rate that the schedule starts from.
    pub lr: Option<f64>,
    pub is_shuffled: bool,
}

/// A metric that is a number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metric {
    pub name: String,
    pub percent: bool,
}

/// The figures of an epoch; what is not finite is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Epoch {
    pub epoch: u64,
    pub step: u64,
    pub loss: Option<f64>,
    pub valid_loss: Option<f64>,
    pub metrics: Vec<Option<f64>>,
    pub best: bool,
    pub lr: f64,
    pub seconds: f64,
    /// The norm of each weight after the epoch, and of what the epoch has changed of it.
    pub norms: Vec<Norm>,
}

/// The root of the sum of squares of a weight, and of its change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Norm {
    pub weight: f64,
    pub change: f64,
}

/// How the run ended, and what it has reached.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct End {
    pub ending: Ending,
    /// What the command said of it, if it did not come to its end.
    pub message: String,
    pub epochs: u64,
    pub steps: u64,
    /// The time in steps, by this process.
    pub seconds: f64,
    /// The mean time of a step, and the limits of the machine beside it.
    pub step: Option<Step>,
    pub best: Option<Best>,
    /// Whether the figures are those of the best weights.
    pub of_best: bool,
    pub training: Figures,
    pub held_out: Option<Figures>,
    /// The hidden layers that may have units without a slope.
    pub layers: Vec<Layer>,
    /// What a look at the net has found wrong.
    pub diagnosis: String,
    /// The files written: what each is, and its name.
    pub files: Vec<(String, String)>,
}

/// The time of a step in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Step {
    pub mean: f64,
    /// The least that one core takes, where that is known in short time.
    pub limit: Option<f64>,
}

/// How the units of a hidden layer are used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layer {
    pub name: String,
    pub function: String,
    pub units: u64,
    /// Those that never fire; of `relu`.
    pub dead: Option<u64>,
    /// The share of values where the function is flat; of the others.
    pub saturated: Option<f64>,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// After its last epoch, or because `stop` said so.
    #[default]
    Ended,
    Interrupted,
    Diverged,
}

/// The best validation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Best {
    pub epoch: u64,
    pub figure: Option<f64>,
}

/// Loss and metrics over some rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    pub rows: u64,
    pub loss: Option<f64>,
    pub metrics: Vec<Option<f64>>,
}

impl Run {
    /// As one line for the inside of an element of a page: no character that HTML would read.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("text and numbers are JSON");
        json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    }
}
