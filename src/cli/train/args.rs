//! What `arenet train` is asked to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use arenet::internals::runtime::train::Settings;
use clap::Args;

use crate::Context;
use crate::args::{
    BatchChoice, DataArgs, OnlineArgs, Rows, TrialArgs, parse_batch, parse_epochs, parse_rate,
    parse_seconds,
};

/// What to train, on what, and how.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet train models/digits.net --epochs 20 --lr 0.005")]
pub struct TrainArgs {
    /// The model, .net or .netc; with --resume alone, that of the checkpoint
    #[arg(required_unless_present = "resume")]
    model: Option<PathBuf>,
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub online: OnlineArgs,
    /// Rows to validate on, in place of held-out ones; forms as for --data
    #[arg(long, value_name = "FILE", value_parser = Rows::parser())]
    pub valid: Option<Rows>,
    /// Weights to start from
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// File for the weights; by default the model's name with the ending
    /// .safetensors, in the current folder
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// File for checkpoints, which hold all that a run needs to go on; by
    /// default named after the weights
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// Time between two checkpoints; 30 seconds by default
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = "30",
        hide_default_value = true,
        value_parser = parse_seconds
    )]
    pub checkpoint_every: Duration,
    /// Checkpoint of an interrupted run to go on from; the other arguments
    /// are those of that run, but for what is given
    #[arg(long, value_name = "FILE")]
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    /// Passes over the data
    #[arg(long, value_name = "N", value_parser = parse_epochs)]
    epochs: Option<u64>,
    /// Rows of a step: a number, or `full` for all
    #[arg(long, value_name = "N", value_parser = parse_batch)]
    pub batch: Option<BatchChoice>,
    /// Learning rate that the schedule starts from
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub lr: Option<f64>,
    /// Seed of initial weights and shuffling
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Keep the rows in the order of the table
    #[arg(long)]
    pub no_shuffle: bool,
    /// Page of HTML to write at the end: curves, figures, settings and the
    /// model; it needs no other file and no network
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["online", "sweep", "seeds", "folds"]
    )]
    pub report: Option<PathBuf>,
    /// Folder for what TensorBoard shows while the run goes on: loss, metrics
    /// and learning rate of each epoch, in train/ and validation/
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = ["online", "sweep", "seeds", "folds"]
    )]
    pub log_dir: Option<PathBuf>,
    /// Show the run in full screen, with its curves; q ends it as Ctrl-C
    /// does. Where the command was built with it: --features live
    #[arg(
        long,
        conflicts_with_all = ["json", "quiet", "online", "sweep", "seeds", "folds"]
    )]
    pub live: bool,
    #[command(flatten)]
    pub trials: TrialArgs,
    /// One line of JSON an epoch, or of several trainings one for each, and
    /// one at the end
    #[arg(long)]
    pub json: bool,
}

impl TrainArgs {
    /// The checkpoint that says all else.
    pub fn resumed_alone(&self) -> Option<&Path> {
        self.resume.as_deref().filter(|_| self.model.is_none())
    }

    /// The model.
    pub fn model(&self) -> &Path {
        self.model.as_deref().expect("it is required, or that of the checkpoint")
    }

    /// What overrides the model.
    pub fn settings(&self, cx: &Context) -> Settings {
        Settings {
            epochs: self.epochs,
            lr: self.lr,
            seed: self.seed,
            shuffle: self.no_shuffle.then_some(false),
            run: cx.global.exec(),
            ..Settings::default()
        }
    }
}
