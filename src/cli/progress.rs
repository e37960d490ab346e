//! How a training is followed: a bar on a terminal, plain lines elsewhere, JSON lines if asked.

use std::time::Duration;

use arenet::runtime::program::text::escaped;
use arenet::runtime::train::EpochReport;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::console::{self, Console};
use super::eval::metrics_json;
use super::{failure::Failure, units};

/// The lines that a long run is told in.
const LINES: u64 = 20;
/// A bar is told of one step in so many, as a small one takes less time than the telling.
const STEPS_A_TICK: u64 = 64;

/// The display of one training run.
pub struct Progress<'a> {
    console: &'a Console,
    bar: Option<ProgressBar>,
    json: bool,
    epochs: u64,
    steps_per_epoch: u64,
    /// Why standard output takes no more lines: no reason to lose a training.
    trouble: Option<Failure>,
}

impl<'a> Progress<'a> {
    /// The display of a run of so many epochs, of which some may have been done before.
    pub fn new(console: &'a Console, json: bool, epochs: u64, steps_per_epoch: u64) -> Self {
        let bar = console.bar.then(|| new_bar(epochs.saturating_mul(steps_per_epoch)));
        Progress { console, bar, json, epochs, steps_per_epoch, trouble: None }
    }

    /// A step is done: number `step` of its epoch, both from 0.
    #[inline]
    pub fn step(&self, epoch: u64, step: u64) {
        if let Some(bar) = &self.bar
            && step.is_multiple_of(STEPS_A_TICK)
        {
            bar.set_position(epoch * self.steps_per_epoch + step);
        }
    }

    /// An epoch is done.
    pub fn epoch(&mut self, report: &EpochReport) {
        if let Some(bar) = &self.bar {
            bar.set_position(report.epoch * self.steps_per_epoch);
            bar.set_message(escaped(&describe(report, self.epochs)));
        }
        if self.json {
            if self.trouble.is_none() {
                self.trouble = console::print_json(&epoch_json(report)).err();
            }
            return;
        }
        let every = self.epochs.div_ceil(LINES).max(1);
        let due = report.epoch.is_multiple_of(every) || report.epoch == self.epochs;
        if self.bar.is_none() && (due || self.console.verbose) {
            self.console.note(describe(report, self.epochs));
        }
    }

    /// The last figures stay on the screen, the bar goes. Gives what kept it from telling all.
    pub fn finish(&mut self) -> Result<(), Failure> {
        if let Some(bar) = &self.bar {
            let last = bar.message();
            bar.finish_and_clear();
            if !last.is_empty() && !self.json {
                self.console.note(last);
            }
        }
        self.trouble.take().map_or(Ok(()), Err)
    }
}

fn new_bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    let style =
        ProgressStyle::with_template("{bar:16.cyan} {percent:>3}% {eta:>3} left  {wide_msg}")
            .expect("the template is well formed");
    bar.set_style(style.progress_chars("━━─"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// One epoch in words.
fn describe(report: &EpochReport, epochs: u64) -> String {
    let width = epochs.to_string().len();
    let loss = units::figure(report.loss);
    let mut parts = vec![format!("epoch {:>width$}/{epochs}  loss {loss}", report.epoch)];
    let held_out = |loss| format!("held out {}", units::figure(loss));
    parts.extend(report.valid_loss.map(held_out));
    parts.extend(report.metrics.iter().map(|(name, value)| units::metric(name, *value)));
    parts.push(format!("{} rows/s", units::short(report.rows_per_second)));
    parts.join("  ")
}

/// One epoch as an object; what is not finite is null.
fn epoch_json(report: &EpochReport) -> serde_json::Value {
    json!({
        "epoch": report.epoch,
        "step": report.step,
        "loss": report.loss,
        "valid_loss": report.valid_loss,
        "metrics": metrics_json(&report.metrics),
        "lr": report.lr,
        "seconds": report.seconds,
        "rows_per_second": report.rows_per_second,
    })
}
