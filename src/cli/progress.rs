//! Shows the progress of a training: a bar on a terminal, or on request all of it in full screen;
//! plain lines elsewhere, or JSON lines.

use std::time::Duration;

use ::console::Term;
use arenet::internals::runtime::program::text::escaped;
use arenet::{EpochReport, Evaluation};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::console::{self, Console};
use super::figures::metrics_json;
use super::live::{About, Live};
use super::{failure::Failure, units};

/// The number of lines for a long run.
const LINES: u64 = 20;
/// The bar is updated once in so many batches, because a small one takes less time than an update.
const STEPS_A_TICK: u64 = 64;

/// How a run is shown while it goes on.
enum Shown {
    Lines,
    Bar(ProgressBar),
    Live(Live),
}

/// The display of one training run.
pub struct Progress<'a> {
    console: &'a Console,
    shown: Shown,
    json: bool,
    /// Which metrics are shown in percent.
    percent: Vec<bool>,
    epochs: u64,
    batches_per_epoch: u64,
    /// Why standard output takes no more lines, which does not end the training.
    trouble: Option<Failure>,
}

impl<'a> Progress<'a> {
    /// The display of a run, of which some epochs may have been done before.
    pub fn new(
        console: &'a Console,
        json: bool,
        is_live: bool,
        about: About,
    ) -> Result<Self, Failure> {
        let About { percent, epochs, batches_per_epoch, .. } = about.clone();
        let shown = match console.bar {
            _ if is_live => Shown::Live(Live::start(about)?),
            true => Shown::Bar(new_bar(epochs.saturating_mul(batches_per_epoch))),
            false => Shown::Lines,
        };
        Ok(Progress { console, shown, json, percent, epochs, batches_per_epoch, trouble: None })
    }

    /// A batch is done: number `step` of its epoch, both from 0.
    #[inline]
    pub fn step(&self, epoch: u64, step: u64) {
        if step.is_multiple_of(STEPS_A_TICK) {
            let position = epoch * self.batches_per_epoch + step;
            match &self.shown {
                Shown::Lines => {}
                Shown::Bar(bar) => bar.set_position(position),
                Shown::Live(live) => live.step(position),
            }
        }
    }

    /// The net was validated within an epoch.
    pub fn validation(&mut self, step: &arenet::Progress, held_out: &Evaluation) {
        let metrics = &held_out.metrics;
        if self.json {
            let line = json!({
                "epoch": step.epoch,
                "step_in_epoch": step.step_in_epoch,
                "loss": step.loss,
                "valid_loss": held_out.loss,
                "metrics": metrics_json(metrics),
            });
            self.print(&line);
        } else if self.console.verbose {
            let loss = format!("held out {}", units::figure(held_out.loss));
            let metrics = metrics.iter().zip(&self.percent);
            let metrics =
                metrics.map(|((name, value), percent)| units::metric(name, *value, *percent));
            let parts: Vec<String> = [loss].into_iter().chain(metrics).collect();
            let (epoch, step) = (step.epoch, step.step_in_epoch);
            let parts = escaped(&parts.join("  "));
            self.note(&format!("epoch {epoch} step {step}  {parts}"));
        }
    }

    /// An epoch is done.
    pub fn epoch(&mut self, report: &EpochReport) {
        let parts = describe(report, &self.percent, self.epochs);
        match &self.shown {
            Shown::Lines => {}
            Shown::Bar(bar) => {
                let (template, line) = fit(&parts, columns());
                bar.set_position(report.epoch * self.batches_per_epoch);
                bar.set_style(style(template));
                bar.set_message(line);
            }
            Shown::Live(live) => live.epoch(report),
        }
        if self.json {
            return self.print(&epoch_json(report));
        }
        let every = self.epochs.div_ceil(LINES).max(1);
        let due = report.epoch.is_multiple_of(every) || report.epoch == self.epochs;
        if self.console.verbose || due && matches!(self.shown, Shown::Lines) {
            let width = if self.console.is_terminal { columns() } else { usize::MAX };
            self.note(&fitting(&parts, width));
        }
    }

    /// Says a line, above the bar if there is one.
    fn note(&self, line: &str) {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(|| self.console.note(line)),
            Shown::Lines | Shown::Live(_) => self.console.note(line),
        }
    }

    fn print(&mut self, line: &serde_json::Value) {
        if self.trouble.is_none() {
            self.trouble = console::print_json(line).err();
        }
    }

    /// Removes the bar, or leaves the screen with the curve of the loss. Returns the failure of
    /// standard output, if any.
    pub fn finish(&mut self) -> Result<(), Failure> {
        match &mut self.shown {
            Shown::Lines => {}
            Shown::Bar(bar) => bar.finish_and_clear(),
            Shown::Live(live) => {
                let curve = live.finish();
                if !curve.is_empty() {
                    self.console.note(curve.trim_end());
                }
            }
        }
        self.trouble.take().map_or(Ok(()), Err)
    }
}

fn new_bar(steps: u64) -> ProgressBar {
    let bar = ProgressBar::new(steps);
    bar.set_style(style(fit(&[], columns()).0));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).expect("the templates are well formed");
    style.progress_chars("━━─")
}

/// The columns of the terminal that progress is told on.
pub fn columns() -> usize {
    const USUAL: usize = 80;
    Term::stderr().size_checked().map_or(USUAL, |(_, columns)| usize::from(columns))
}

/// What a part of the line is, or the last kind of part that stays: the first stay longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Keep {
    Figures,
    Epoch,
    HeldOut,
    All,
}

/// The forms of the line, the widest first: what stands before the parts and the columns that it
/// takes, and the parts. The loss is there at any width, and all metrics where they fit alone.
const FORMS: [(&str, usize, Keep); 6] = [
    ("{bar:16.cyan} {percent:>3}% {eta:>3} left  {wide_msg}", 32, Keep::All),
    ("{bar:16.cyan} {percent:>3}% {eta:>3} left  {wide_msg}", 32, Keep::HeldOut),
    ("{percent:>3}% {eta:>3} left  {wide_msg}", 15, Keep::HeldOut),
    ("{wide_msg}", 0, Keep::HeldOut),
    ("{wide_msg}", 0, Keep::Epoch),
    ("{wide_msg}", 0, Keep::Figures),
];

/// The first of [`FORMS`] that leaves some metrics out.
const FEW: usize = 2;

/// The widest form that fits the columns: its template, and the parts as it has them. Where not all
/// metrics fit, the first ones stay beside what is told of the run.
fn fit(parts: &[(Keep, String)], columns: usize) -> (&'static str, String) {
    let fits = |(_, before, line): &(_, usize, String)| before + line.chars().count() <= columns;
    let all = FORMS.iter().map(|&(template, before, keep)| (template, before, join(parts, keep)));
    let metrics = parts.iter().filter(|(part, _)| *part == Keep::Figures).count().max(1) - 1;
    let few = FORMS[FEW..].iter().flat_map(|&(template, before, keep)| {
        let shown = (1..metrics).rev();
        shown.map(move |shown| (template, before, join(&first(parts, shown), keep) + " …"))
    });
    let found = all.chain(few).find(fits);
    found.map_or_else(
        || (FORMS[FORMS.len() - 1].0, join(&first(parts, 0), Keep::Figures)),
        |(template, _, line)| (template, line),
    )
}

/// As many parts as fit a line.
fn fitting(parts: &[(Keep, String)], columns: usize) -> String {
    let kept = [Keep::All, Keep::HeldOut, Keep::Epoch].map(|keep| join(parts, keep));
    let fits = |line: &String| line.chars().count() <= columns;
    kept.into_iter().find(fits).unwrap_or_else(|| join(parts, Keep::Figures))
}

/// The parts with only so many metrics, which follow the loss.
fn first(parts: &[(Keep, String)], metrics: usize) -> Vec<(Keep, String)> {
    let mut left = 1 + metrics;
    let stays = |(part, _): &&(Keep, String)| {
        let is_figure = *part == Keep::Figures;
        let stays = !is_figure || left > 0;
        left -= usize::from(is_figure && stays);
        stays
    };
    parts.iter().filter(stays).cloned().collect()
}

/// The parts that stay, as one line.
fn join(parts: &[(Keep, String)], keep: Keep) -> String {
    let kept = parts.iter().filter(|(part, _)| *part <= keep);
    let texts: Vec<String> = kept.map(|(_, text)| escaped(text)).collect();
    texts.join("  ")
}

/// One epoch in words, as many as fit a line.
#[cfg(feature = "live")]
pub fn in_words(report: &EpochReport, percent: &[bool], epochs: u64, columns: usize) -> String {
    fitting(&describe(report, percent, epochs), columns)
}

/// One epoch in words, part by part.
fn describe(report: &EpochReport, percent: &[bool], epochs: u64) -> Vec<(Keep, String)> {
    let width = epochs.to_string().len();
    let loss = units::figure(report.loss);
    let mut parts = vec![
        (Keep::Epoch, format!("epoch {:>width$}/{epochs}", report.epoch)),
        (Keep::Figures, format!("loss {loss}")),
    ];
    let held_out = |loss| (Keep::HeldOut, format!("held out {}", units::figure(loss)));
    parts.extend(report.valid_loss.map(held_out));
    let metrics = report.metrics.iter().zip(percent);
    let metrics = metrics.map(|((name, value), percent)| units::metric(name, *value, *percent));
    parts.extend(metrics.map(|text| (Keep::Figures, text)));
    if report.is_best {
        parts.push((Keep::All, "best".to_string()));
    }
    parts.push((Keep::All, format!("{} rows/s", units::short(report.rows_per_second))));
    parts
}

/// One epoch as an object; what is not finite is null.
fn epoch_json(report: &EpochReport) -> serde_json::Value {
    json!({
        "epoch": report.epoch,
        "step": report.step,
        "loss": report.loss,
        "valid_loss": report.valid_loss,
        "metrics": metrics_json(&report.metrics),
        "best": report.is_best,
        "lr": report.lr,
        "seconds": report.seconds,
        "rows_per_second": report.rows_per_second,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_keeps_loss_and_metrics() {
        let mut report = EpochReport {
            epoch: 2,
            step: 90,
            loss: 0.5936,
            valid_loss: Some(0.3194),
            metrics: vec![("accuracy".to_string(), 0.93)],
            is_best: true,
            lr: 0.005,
            seconds: 0.001,
            rows_per_second: 1.5e6,
        };
        let parts = describe(&report, &[true], 30);
        let check = |columns: usize, before: usize, line: &str| {
            let (template, shown) = fit(&parts, columns);
            assert_eq!(shown, line, "{columns} columns");
            assert!(before + line.len() <= columns || columns < 30);
            let form = FORMS.iter().find(|(own, ..)| *own == template).unwrap();
            assert_eq!(form.1, before, "{columns} columns");
        };
        let all = "epoch  2/30  loss 0.5936  held out 0.3194  accuracy 93.0%";
        check(200, 32, &format!("{all}  best  1.5M rows/s"));
        check(100, 32, all);
        check(80, 15, all);
        check(60, 0, all);
        check(50, 0, "epoch  2/30  loss 0.5936  accuracy 93.0%");
        check(30, 0, "loss 0.5936  accuracy 93.0%");
        check(10, 0, "loss 0.5936");
        assert_eq!(fitting(&parts, 80), format!("{all}  best  1.5M rows/s"));
        assert_eq!(fitting(&parts, 60), all);
        assert_eq!(fitting(&parts, 40), "epoch  2/30  loss 0.5936  accuracy 93.0%");

        let each = ["setosa", "versicolor", "virginica"].map(|class| (format!("f1({class})"), 0.9));
        report.metrics.extend(each);
        let parts = describe(&report, &[true; 4], 30);
        let shown = |columns: usize| fit(&parts, columns).1;
        let few = "epoch  2/30  loss 0.5936  held out 0.3194  accuracy 93.0%";
        let f1 = "f1(setosa) 90.0%  f1(versicolor) 90.0%  f1(virginica) 90.0%";
        assert_eq!(shown(200), format!("{few}  {f1}  best  1.5M rows/s"));
        assert_eq!(shown(88), format!("loss 0.5936  accuracy 93.0%  {f1}"));
        assert_eq!(shown(80), format!("{few} …"));
        assert_eq!(fit(&parts, 80).0, FORMS[FEW].0);
        assert_eq!(shown(62), format!("{few} …"));
        assert_eq!(shown(42), "epoch  2/30  loss 0.5936  accuracy 93.0% …");
        assert_eq!(shown(20), "loss 0.5936");
        for columns in 20..200 {
            let (template, line) = fit(&parts, columns);
            let form = FORMS.iter().find(|(own, ..)| *own == template).unwrap();
            assert!(form.1 + line.chars().count() <= columns, "{columns}: {line}");
        }
    }
}
