//! What a training tells TensorBoard: event files that grow by an epoch at a time.
//!
//! A run is a folder with `train/` and `validation/`, as Keras writes them, so that both curves of
//! a figure are in one chart. A file is a sequence of records, each an `Event` in the encoding of
//! Protocol Buffers between its length and checksums (tensorflow/core/lib/io/record_writer.h,
//! tensorflow/core/util/event.proto).

mod encode;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use arenet::{EpochReport, Trainer};

use super::failure::{Failure, Kind};
use super::source::Source;
use encode::{Value, record};

/// Where the figures of training rows go, and those of held-out rows.
const TRAIN: &str = "train";
const VALIDATION: &str = "validation";

/// The event files of a run.
pub struct Events {
    folder: PathBuf,
    train: File,
    validation: Option<File>,
}

impl Events {
    /// Begins the files of a run, if there is a folder for them. What is there of another run would
    /// be mixed with it.
    pub fn of_run(
        folder: Option<&Path>,
        source: &Source,
        trainer: &Trainer,
    ) -> Result<Option<Events>, Failure> {
        let Some(folder) = folder else { return Ok(None) };
        let (is_validated, goes_on) = (trainer.held_out_rows() > 0, trainer.steps() > 0);
        let parts = [Some(TRAIN), is_validated.then_some(VALIDATION)];
        for part in parts.into_iter().flatten() {
            let part = folder.join(part);
            if !goes_on && holds_events(&part) {
                let text = format!("{}: has the events of another run", part.display());
                return Err(Failure::usage(text).help(
                    "name another folder with --log-dir: TensorBoard shows all below the one that \
                     it is given",
                ));
            }
        }
        let begin = |part: &str| -> Result<File, Failure> {
            let part = folder.join(part);
            let failed = |error: io::Error| {
                let text = format!("{}: cannot be written: {error}", part.display());
                Failure::new(Kind::Data, text)
            };
            fs::create_dir_all(&part).map_err(failed)?;
            let mut file = new_file(&part).map_err(failed)?;
            file.write_all(&encode::version(now())).map_err(failed)?;
            Ok(file)
        };
        let train = begin(TRAIN)?;
        let validation = is_validated.then(|| begin(VALIDATION)).transpose()?;
        let mut events = Events { folder: folder.to_path_buf(), train, validation };
        if let Some(text) = source.text() {
            let model = Value::Text { tag: "model", text: &code(text) };
            let record = record(now(), 0, &[model]);
            events.train.write_all(&record).map_err(|error| events.failed(error))?;
        }
        Ok(Some(events))
    }

    /// Adds the figures of an epoch. If that fails, the training goes on, and says so once.
    pub fn epoch(&mut self, report: &EpochReport) -> Result<(), Failure> {
        let metrics: Vec<(String, f64)> =
            report.metrics.iter().map(|(name, value)| (format!("epoch_{name}"), *value)).collect();
        let metrics = metrics.iter().map(|(tag, value)| Value::Scalar { tag, value: *value });
        let mut train = vec![
            Value::Scalar { tag: "epoch_loss", value: report.loss },
            Value::Scalar { tag: "epoch_learning_rate", value: report.lr },
            Value::Scalar { tag: "rows_per_second", value: report.rows_per_second },
        ];
        let written = match (&mut self.validation, report.valid_loss) {
            (Some(validation), Some(loss)) => {
                let loss = Value::Scalar { tag: "epoch_loss", value: loss };
                let values: Vec<Value> = [loss].into_iter().chain(metrics).collect();
                validation.write_all(&record(now(), report.epoch, &values))
            }
            _ => {
                train.extend(metrics);
                Ok(())
            }
        };
        written
            .and_then(|()| self.train.write_all(&record(now(), report.epoch, &train)))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Failure {
        let text = format!("{}: cannot be written: {error}", self.folder.display());
        Failure::new(Kind::Data, text)
    }
}

fn holds_events(folder: &Path) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.into_iter().any(|file| file.file_name().to_string_lossy().contains("tfevents"))
}

/// A file after which TensorBoard looks, of a name that none there has.
fn new_file(folder: &Path) -> io::Result<File> {
    let (seconds, process) = (now() as u64, std::process::id());
    let name = format!("events.out.tfevents.{seconds}.arenet.{process}");
    OpenOptions::new().write(true).create_new(true).open(folder.join(name))
}

/// A moment in seconds.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A text as Markdown that leaves it as it is.
fn code(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}
