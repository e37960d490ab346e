//! Takes down a run while it goes on, and writes its report at the end.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arenet::internals::Units;
use arenet::internals::runtime::exec::EntryPoint;
use arenet::internals::runtime::files::write_atomically;
use arenet::internals::runtime::machine;
use arenet::internals::runtime::program::{self, Program, Split};
use arenet::{EpochReport, Error, Evaluation, Trainer};

use super::looks::Looks;
use super::norms::Weights;
use super::page::page;
use super::run::{
    Best, End, Ending, Epoch, Figures, Layer, Machine, Metric, Model, Port, Rows, Run, Settings,
    Step,
};
use crate::draw::svg::within_page;
use crate::failure::Failure;
use crate::figures::percent;
use crate::profile::least_time;
use crate::show::drawing::plan;
use crate::source::{Built, Source, parameters};
use crate::train::TrainArgs;
use crate::{Context, args};

/// The most epochs of a report: more than a chart shows.
const MOST_EPOCHS: usize = 400;

/// A report that is being written.
pub struct Recorder {
    path: PathBuf,
    run: Run,
    weights: Weights,
    /// Only so many epochs are taken down once, a power of two.
    every: u64,
    /// The last one, if it is none of those.
    last: Option<Epoch>,
}

impl Recorder {
    /// Takes down what is known before the first step, if a report is wanted.
    pub fn new(
        cx: &Context,
        args: &TrainArgs,
        source: &Source,
        built: &Built,
        table: &args::Rows,
        trainer: &mut Trainer,
    ) -> Option<Recorder> {
        let path = args.report.clone()?;
        let program = built.program();
        let metrics = program.metrics.iter().filter(|metric| !metric.figure.finish.is_table());
        let metrics = metrics.zip(percent(program));
        let (names, weights) = Weights::new(program, trainer);
        let run = Run {
            arenet: env!("CARGO_PKG_VERSION").to_string(),
            net: program.name.clone(),
            started: utc(SystemTime::now()),
            command: command_line(cx),
            machine: Machine {
                isa: trainer.executor().isa().to_string(),
                threads: cx.threads() as u64,
                system: format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            },
            model: Model {
                file: source.name(),
                text: source.text().map(String::from),
                parameters: parameters(program),
                arena_bytes: program.arena_bytes,
                memory: memory(source, built),
            },
            rows: rows(args, program, table, trainer),
            settings: settings(args, program, trainer),
            metrics: metrics
                .map(|(metric, percent)| Metric { name: metric.name.clone(), percent })
                .collect(),
            weights: names,
            epochs_before: trainer.epoch(),
            ..Run::default()
        };
        Some(Recorder { path, run, weights, every: 1, last: None })
    }

    /// Takes down an epoch.
    pub fn epoch(&mut self, report: &EpochReport, trainer: &Trainer) {
        // A run that keeps the best weights has put them back by the end of its last epoch.
        let best = trainer.best_weights().filter(|_| trainer.is_done());
        let is_replaced = best.is_some_and(|best| best.epoch != report.epoch);
        let epoch = Epoch {
            epoch: report.epoch,
            step: report.step,
            loss: finite(report.loss),
            valid_loss: report.valid_loss.and_then(finite),
            metrics: report.metrics.iter().map(|(_, value)| finite(*value)).collect(),
            best: report.is_best,
            lr: report.lr,
            seconds: report.seconds,
            norms: if is_replaced { Vec::new() } else { self.weights.norms(trainer) },
        };
        self.run.end.seconds += report.seconds;
        if !report.epoch.is_multiple_of(self.every) {
            self.last = Some(epoch);
            return;
        }
        self.last = None;
        self.run.epochs.push(epoch);
        if self.run.epochs.len() > MOST_EPOCHS {
            self.every *= 2;
            let (every, all) = (self.every, &mut self.run.epochs);
            self.last = all.last().cloned().filter(|last| !last.epoch.is_multiple_of(every));
            all.retain(|epoch| epoch.epoch.is_multiple_of(every));
        }
    }

    /// Evaluates the weights as they are now, and writes the report.
    pub fn finish(
        mut self,
        trainer: &mut Trainer,
        ending: Ending,
        message: String,
        files: &[(&str, Option<&Path>)],
    ) -> Result<(), Failure> {
        self.run.epochs.extend(self.last.take());
        let runtime = trainer.runtime();
        self.run.rows.hash = runtime.data_hash().map_err(Error::from)?;
        let training = runtime.evaluate_training().map_err(Error::from)?;
        let held_out = trainer.evaluate()?;
        self.run.looks = Looks::take(trainer)?;
        let (diagnosis, units) = trainer.examine();
        let (best, kept) = (trainer.best(), trainer.best_weights());
        self.run.end = End {
            ending,
            message,
            epochs: trainer.epoch(),
            steps: trainer.steps(),
            seconds: self.run.end.seconds,
            step: self.step(trainer),
            best: best.map(|best| Best { epoch: best.epoch, figure: finite(best.figure) }),
            of_best: kept.is_some() && ending == Ending::Ended,
            training: figures(&training),
            held_out: held_out.as_ref().map(figures),
            layers: units.into_iter().map(layer).collect(),
            diagnosis: match diagnosis.is_empty() {
                true => String::new(),
                false => diagnosis.render(false),
            },
            files: files
                .iter()
                .filter_map(|(what, file)| {
                    Some((what.to_string(), file.as_ref()?.display().to_string()))
                })
                .collect(),
        };
        let page = page(&self.run);
        Ok(write_atomically(&self.path, |to| to.write_all(page.as_bytes()))?)
    }
}

impl Recorder {
    /// The mean time of a step, where a batch makes one, of the epochs that came to their end.
    fn step(&self, trainer: &Trainer) -> Option<Step> {
        let steps = (trainer.epoch() - self.run.epochs_before) * trainer.steps_per_epoch();
        let is_one = trainer.batches_per_epoch() == trainer.steps_per_epoch();
        let mean = (steps > 0 && is_one).then(|| 1e9 * self.run.end.seconds / steps as f64)?;
        let (executor, program) = (trainer.executor(), trainer.executor().program());
        let machine = machine::Machine::glance(executor.isa(), program.arena_bytes);
        let rows = self.run.settings.batch.min(program.batch);
        let least = |machine| least_time(program, EntryPoint::Train, rows, &machine);
        Some(Step { mean, limit: machine.map(least) })
    }
}

/// The drawing of the memory of a training step.
fn memory(source: &Source, built: &Built) -> Option<String> {
    let drawing = plan(source, built, EntryPoint::Train).ok()?;
    Some(within_page(&drawing))
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn figures(evaluation: &Evaluation) -> Figures {
    Figures {
        rows: evaluation.rows,
        loss: finite(evaluation.loss),
        metrics: evaluation.metrics.iter().map(|(_, value)| finite(*value)).collect(),
    }
}

fn layer(units: Units) -> Layer {
    Layer {
        name: units.name,
        function: units.function.to_string(),
        units: units.units as u64,
        dead: units.dead.map(|dead| dead as u64),
        saturated: units.saturated,
    }
}

fn settings(args: &TrainArgs, program: &Program, trainer: &Trainer) -> Settings {
    let training = program.training.clone().unwrap_or_default();
    let rows = (trainer.rows() as u64).div_ceil(trainer.batches_per_epoch().max(1));
    let batch = match training.batch {
        program::Batch::Rows(batch) => batch,
        program::Batch::Full => rows,
    };
    Settings {
        seed: args.seed.unwrap_or(training.seed),
        epochs: trainer.epochs(),
        batch,
        steps_per_epoch: trainer.steps_per_epoch(),
        lr: args.lr.or(training.schedules.first().map(|schedule| schedule.base)),
        is_shuffled: training.shuffle && !args.no_shuffle,
    }
}

fn rows(args: &TrainArgs, program: &Program, table: &args::Rows, trainer: &mut Trainer) -> Rows {
    let training = program.training.clone().unwrap_or_default();
    let share = format!("{}% of the rows", 100.0 * training.valid);
    let how = match (&args.valid, &training.split) {
        (Some(valid), _) => format!("those of {valid}"),
        _ if trainer.held_out_rows() == 0 => "so figures are those of the rows trained on".into(),
        (_, Split::Random) => format!("{share}, chosen by the seed"),
        (_, Split::Class) => format!("{share} of each class, chosen by the seed"),
        (_, Split::Last) => format!("the last {share}"),
        (_, Split::Column(name)) => format!("{share}, those alike in `{name}` together"),
    };
    let columns = trainer.runtime().columns();
    let port = |port: &program::Port, is_target| {
        let classes = 0..port.domain.classes().unwrap_or(0);
        Port {
            name: port.name.clone(),
            is_target,
            width: port.width,
            columns: columns.get(&port.name).unwrap_or_default().to_vec(),
            classes: classes
                .filter_map(|class| port.domain.label(class))
                .map(|label| label.to_string())
                .collect(),
        }
    };
    let inputs = program.inputs.iter().map(|input| port(input, false));
    let targets = program.targets.iter().map(|target| port(target, true));
    Rows {
        file: table.to_string(),
        ports: inputs.chain(targets).collect(),
        trained_on: trainer.rows() as u64,
        held_out: trainer.held_out_rows() as u64,
        how,
        hash: String::new(),
    }
}

/// The command line as a shell takes it.
fn command_line(cx: &Context) -> String {
    let quoted = |argument: &std::ffi::OsString| {
        let argument = argument.to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+%@".contains(c);
        match !argument.is_empty() && argument.chars().all(is_plain) {
            true => argument.into_owned(),
            false => format!("'{}'", argument.replace('\'', "'\\''")),
        }
    };
    let arguments = cx.arguments.iter().skip(1).map(quoted);
    ["arenet".to_string()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

/// A moment as `2026-05-31 14:05 UTC`.
fn utc(moment: SystemTime) -> String {
    let text = humantime::format_rfc3339_seconds(moment).to_string();
    let minutes: String = text.chars().take(16).collect();
    minutes.replace('T', " ") + " UTC"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    /// What `date -u -d @SECONDS` says.
    #[test]
    fn moments_are_told_in_utc() {
        let at = |seconds| utc(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01 00:00 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(at(1_709_251_199), "2024-02-29 23:59 UTC");
        assert_eq!(at(1_735_689_600), "2025-01-01 00:00 UTC");
        assert_eq!(at(4_102_444_800), "2100-01-01 00:00 UTC");
    }
}
