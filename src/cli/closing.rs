//! What a training has come to: the figures of its best and its last epoch, its time, and the files
//! that it wrote.

use std::path::Path;
use std::time::Instant;

use arenet::{EpochReport, Evaluation, Trainer};
use serde_json::{Value, json};

use super::figures::metrics_json;
use super::table::{Column, fitted, wrapped};
use super::units;

/// The epochs of this process that count at its end.
pub struct Closing {
    start: Instant,
    /// The best epoch: that which the run watches, or else the one with the least held-out loss.
    best: Option<EpochReport>,
    last: Option<EpochReport>,
    /// The rows trained on, each as often as it was, and the time in steps.
    rows: f64,
    seconds: f64,
    files: Vec<File>,
}

/// A file that the run wrote.
struct File {
    what: &'static str,
    path: String,
    replaced: bool,
}

impl Closing {
    /// Before the first step.
    pub fn new() -> Closing {
        let (best, last, files) = (None, None, Vec::new());
        Closing { start: Instant::now(), best, last, rows: 0.0, seconds: 0.0, files }
    }

    /// A file is about to be written, perhaps once more.
    pub fn file(&mut self, what: &'static str, file: &Path) {
        let (path, replaced) = (file.display().to_string(), file.is_file());
        if self.files.iter().all(|known| known.path != path) {
            self.files.push(File { what, path, replaced });
        }
    }

    /// An epoch is done.
    pub fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) {
        self.seconds += report.seconds;
        self.rows += report.rows_per_second * report.seconds;
        let is_best = match trainer.best() {
            Some(best) => best.epoch == report.epoch,
            None => {
                let before = self.best.as_ref().and_then(|best| best.valid_loss);
                report.valid_loss.is_some_and(|loss| before.is_none_or(|before| loss < before))
            }
        };
        if is_best {
            self.best = Some(report.clone());
        }
        self.last = Some(report.clone());
    }

    /// The figures of the weights that are saved, which are those of the best epoch where it was
    /// validated within.
    pub fn saved(&mut self, held_out: Option<&Evaluation>, trainer: &Trainer) {
        let is_saved = |best: &&mut EpochReport| {
            trainer.best_weights().is_some_and(|saved| saved.epoch == best.epoch)
        };
        if let (Some(best), Some(held_out)) = (self.best.as_mut().filter(is_saved), held_out) {
            best.valid_loss = Some(held_out.loss);
            best.metrics = held_out.metrics.clone();
        }
    }

    /// The last epoch of this process, if there was one.
    pub fn last(&self) -> Option<&EpochReport> {
        self.last.as_ref()
    }

    /// The training rows a second, in steps.
    fn speed(&self) -> f64 {
        if self.seconds > 0.0 { self.rows / self.seconds } else { 0.0 }
    }

    /// The epochs as a table, and the time, in lines of at most `width` columns.
    pub fn text(&self, percent: &[bool], width: usize) -> String {
        let Some(last) = &self.last else { return String::new() };
        let mut head = ["", "epoch", "loss"].map(String::from).to_vec();
        head.extend(last.valid_loss.map(|_| "held out".to_string()));
        head.extend(last.metrics.iter().map(|(name, _)| name.clone()));
        let line = |name: &str, report: &EpochReport| {
            let mut line = vec![name.to_string(), units::count(report.epoch)];
            line.push(units::figure(report.loss));
            line.extend(report.valid_loss.map(units::figure));
            let metrics = report.metrics.iter().zip(percent);
            line.extend(metrics.map(|((_, value), percent)| units::share(*value, *percent)));
            line
        };
        let mut lines = vec![head];
        let best = self.best.as_ref();
        lines.extend(best.map(|best| line("best", best)));
        if best.is_none_or(|best| best.epoch != last.epoch) {
            lines.push(line("last", last));
        }
        let rank = |column: usize| column.saturating_sub(2).min(usize::from(u8::MAX)) as u8;
        let columns: Vec<Column> = (0..lines[0].len())
            .map(|at| if at == 0 { Column::words(4, 0) } else { Column::numbers(rank(at)) })
            .collect();
        let speed = units::short(self.speed());
        let time = units::time(self.start.elapsed().as_secs_f64());
        fitted(&lines, &columns, width) + &format!("{time}, {speed} rows/s\n")
    }

    /// The files that were written, in lines of at most `width` columns.
    pub fn files(&self, width: usize) -> String {
        let file = |file: &File| match file.replaced {
            true => format!("{} (replaced)", file.path),
            false => file.path.clone(),
        };
        let files: Vec<String> = self.files.iter().map(file).collect();
        wrapped(&format!("wrote {}", files.join(", ")), 2, width)
    }

    /// What it adds to the last line of JSON.
    pub fn add_to(&self, line: &mut Value) {
        let epoch = |report: &EpochReport| {
            json!({
                "epoch": report.epoch,
                "loss": report.loss,
                "valid_loss": report.valid_loss,
                "metrics": metrics_json(&report.metrics),
            })
        };
        let file = |file: &File| {
            let File { what, path, replaced } = file;
            json!({ "what": what, "path": path, "replaced": replaced })
        };
        line["best_epoch"] = json!(self.best.as_ref().map(epoch));
        line["last_epoch"] = json!(self.last.as_ref().map(epoch));
        line["seconds"] = json!(self.start.elapsed().as_secs_f64());
        line["rows_per_second"] = json!(self.speed());
        line["files"] = self.files.iter().map(file).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_a_narrow_terminal() {
        let report = |epoch: u64, loss: f64, valid_loss: f64, accuracy: f64| EpochReport {
            epoch,
            step: epoch,
            loss,
            valid_loss: Some(valid_loss),
            metrics: vec![("accuracy".into(), accuracy), ("rmse".into(), 0.25)],
            is_best: false,
            lr: 0.1,
            seconds: 0.5,
            rows_per_second: 30_000.0,
        };
        let mut closing = Closing::new();
        closing.best = Some(report(64, 0.1956, 0.1793, 1.0));
        closing.last = Some(report(1000, 0.1, 0.25, 0.975));
        closing.seconds = 2.0;
        closing.rows = 3e6;
        let shown = |closing: &Closing, width| {
            let text = closing.text(&[true, false], width);
            let (table, time) = text.trim_end().rsplit_once('\n').unwrap();
            assert!(time.ends_with(", 1.5M rows/s"), "{time}");
            format!("{table}\n")
        };
        let wide = "      epoch    loss  held out  accuracy    rmse\n\
                    best     64  0.1956    0.1793    100.0%  0.2500\n\
                    last  1,000  0.1000    0.2500     97.5%  0.2500\n";
        let narrow = "      epoch    loss  held out  accuracy\n\
                      best     64  0.1956    0.1793    100.0%\n\
                      last  1,000  0.1000    0.2500     97.5%\n";
        assert_eq!(shown(&closing, 80), wide);
        assert_eq!(shown(&closing, 40), narrow);

        closing.best = closing.last.clone();
        assert_eq!(shown(&closing, 80).lines().count(), 2);
        closing.files = vec![
            File { what: "weights", path: "penguins.safetensors".into(), replaced: true },
            File { what: "report", path: "run.html".into(), replaced: false },
        ];
        assert_eq!(closing.files(80), "wrote penguins.safetensors (replaced), run.html\n");
        assert_eq!(closing.files(40), "wrote penguins.safetensors (replaced),\n  run.html\n");
    }
}
