//! `arenet train`: from a model and a table to weights.

mod args;

pub use args::TrainArgs;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arenet::internals::compiler::{Precision, Purpose};
use arenet::{Best, Data, Error, ErrorKind, Evaluation, Reader, Trainer};
use serde_json::json;

use super::args::{BatchChoice, Rows};
use super::closing::Closing;
use super::events::Events;
use super::failure::{Failure, Kind, options};
use super::figures::{figures, metrics_json, percent};
use super::live::{About, Live};
use super::places::{or_previous, places, scratch_folder, write_checkpoint};
use super::progress::{self, Progress};
use super::report::{Ending, Recorder};
use super::signals::{is_checkpoint_due, is_interrupted, listen, remind, take_checkpoint_due};
use super::source::{Built, Source};
use super::{Context, console, data, rerun, units};

/// Trains and saves.
pub fn run(cx: &Context, args: &TrainArgs) -> Result<(), Failure> {
    if args.live {
        Live::check()?;
    }
    let model = args.model();
    let source = Source::read(cx, model)?;
    let (out, checkpoint, table) = places(args, &source, model)?;
    let mut run = Run::prepare(cx, args, &source, table, out, checkpoint)?;
    listen(|| {})?;
    run.header(cx, args, &source);
    lint(cx, &run.trainer);
    if run.checkpoint.is_some() {
        remind(args.checkpoint_every, || {});
    }
    let Run { trainer, built, table, .. } = &mut run;
    let recorder = Recorder::new(cx, args, &source, built, table, trainer);
    let events = Events::of_run(args.log_dir.as_deref(), &source, trainer)?;
    run.train(cx, args, recorder, events)
}

/// A training that is ready to start.
struct Run {
    trainer: Trainer,
    built: Built,
    table: Rows,
    out: PathBuf,
    /// The file for checkpoints; none where the weights go to no ordinary file.
    checkpoint: Option<PathBuf>,
}

impl Run {
    /// Reads and checks everything, so that what can fail does so before the work starts.
    fn prepare(
        cx: &Context,
        args: &TrainArgs,
        source: &Source,
        table: Result<Rows, Failure>,
        out: PathBuf,
        checkpoint: Option<PathBuf>,
    ) -> Result<Run, Failure> {
        // A full batch is known only with the data; everything else is compiled before it is read.
        let early = match is_full(args, source) {
            true => None,
            false => Some(source.build(cx, rows_of(args.batch), Purpose::Train)?),
        };
        source.warn(cx);
        check_trains(args, source)?;
        let table = table?;
        if let (Some(path), Some(built)) = (&args.init, &early) {
            data::describe_weights(cx, built.program(), path)?;
        }
        let (rows, valid) = read_rows(cx, args, source, &table, &out)?;
        let built = match early {
            Some(built) => built,
            None => {
                let built = source.build_full(Some(rows.rows() as u64))?;
                source.describe(cx, &built);
                if let Some(path) = &args.init {
                    data::describe_weights(cx, built.program(), path)?;
                }
                built
            }
        };

        let settings = args.settings(cx);
        let mut trainer = source.net.trainer(rows).compiled(built.program.clone(), settings);
        if let Some(valid) = valid {
            trainer = trainer.validate_on(valid);
        }
        let mut trainer = trainer.build()?;
        begin(cx, args, &mut trainer)?;
        Ok(Run { trainer, built, table, out, checkpoint })
    }

    /// Says what is trained, and on what.
    fn header(&self, cx: &Context, args: &TrainArgs, source: &Source) {
        let program = self.built.program();
        let isa = self.trainer.executor().isa();
        let threads = units::plural(cx.threads() as u64, "thread");
        cx.console.note(format!("{}, {isa}, {threads}", self.built.in_training()));
        cx.console.note(format!("{}: {}", self.table, rows_of_run(&self.trainer)));
        if let Some(training) = &program.training {
            let order = if training.shuffle && !args.no_shuffle { "shuffled" } else { "in order" };
            let (batches, steps) =
                (self.trainer.batches_per_epoch(), self.trainer.steps_per_epoch());
            let batches = match batches > steps {
                true => format!(" in {} batches", units::count(batches)),
                false => String::new(),
            };
            cx.console.detail(format!(
                "settings: {}, {}{batches} each, {order}, seed {}",
                units::plural(self.trainer.epochs(), "epoch"),
                units::plural(steps, "step"),
                args.seed.unwrap_or(training.seed),
            ));
        }
        if self.trainer.epoch() > 0 {
            let name = source.name();
            cx.console.note(format!("{name}: resumed after epoch {}", self.trainer.epoch()));
        }
        if self.checkpoint.is_some() && self.out.exists() {
            let out = self.out.display();
            cx.console.note(format!("{out}: is there already; the end of this run replaces it"));
        }
    }

    /// Trains to the end, or until it is interrupted or diverges.
    fn train(
        mut self,
        cx: &Context,
        args: &TrainArgs,
        mut recorder: Option<Recorder>,
        mut events: Option<Events>,
    ) -> Result<(), Failure> {
        let about = About {
            net: self.built.program().name.clone(),
            epochs: self.trainer.epochs(),
            batches_per_epoch: self.trainer.batches_per_epoch(),
            percent: percent(self.built.program()),
        };
        let mut progress = Progress::new(&cx.console, args.json, args.live, about)?;
        let mut closing = Closing::new();
        while !self.trainer.is_done() {
            let on_step = |step: arenet::Progress| {
                progress.step(step.epoch - 1, step.step_in_epoch);
                if let Some(held_out) = &step.held_out {
                    progress.validation(&step, held_out);
                }
                match is_interrupted() || is_checkpoint_due() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            };
            match self.trainer.train_epoch_with(on_step) {
                Ok(Some(report)) => {
                    progress.epoch(&report);
                    if let Some(recorder) = &mut recorder {
                        recorder.epoch(&report, &self.trainer);
                    }
                    closing.epoch(&report, &self.trainer);
                    if let Some(Err(failure)) = events.as_mut().map(|all| all.epoch(&report)) {
                        cx.console.note(format!("no more events: {}", failure.text()));
                        events = None;
                    }
                }
                Ok(None) if !is_interrupted() => self.save_checkpoint(cx, &mut closing),
                Ok(None) => {
                    let _ = progress.finish();
                    self.tell(cx, &closing);
                    let failure = self.interrupted()?;
                    return Err(self.report_failure(cx, recorder, Ending::Interrupted, failure));
                }
                Err(error) if error.kind() == ErrorKind::Diverged => {
                    let _ = progress.finish();
                    self.tell(cx, &closing);
                    let failure = self.diverged(error)?;
                    return Err(self.report_failure(cx, recorder, Ending::Diverged, failure));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let told = progress.finish();
        if args.checkpoint.is_some() {
            self.save_checkpoint(cx, &mut closing);
        }
        closing.file("weights", &self.out);
        self.trainer.save(&self.out)?;
        if let Some(recorder) = recorder {
            args.report.iter().for_each(|report| closing.file("report", report));
            let checkpoint = args.checkpoint.as_deref();
            let files = [("Weights", Some(&*self.out)), ("Checkpoint", checkpoint)];
            recorder.finish(&mut self.trainer, Ending::Ended, String::new(), &files)?;
        }
        told?;
        let held_out = self.trainer.evaluate()?;
        closing.saved(held_out.as_ref(), &self.trainer);
        self.tell(cx, &closing);
        if !cx.console.quiet {
            cx.console.note(closing.files(progress::columns()).trim_end());
            cx.console.diagnostics(&self.trainer.diagnosis());
        }
        self.result(args, &closing, held_out)
    }

    /// Says what the epochs have come to.
    fn tell(&self, cx: &Context, closing: &Closing) {
        let text = closing.text(&percent(self.built.program()), progress::columns());
        if !text.is_empty() {
            cx.console.note(text.trim_end());
        }
    }

    /// Writes the report of a run that ends too early. That it did so remains its failure.
    fn report_failure(
        &mut self,
        cx: &Context,
        recorder: Option<Recorder>,
        ending: Ending,
        failure: Failure,
    ) -> Failure {
        if let Some(recorder) = recorder
            && let Err(error) = recorder.finish(&mut self.trainer, ending, failure.text(), &[])
        {
            cx.console.note(format!("no report: {}", error.text()));
        }
        failure
    }

    /// Writes a checkpoint, so that a run that is killed loses little, and keeps the one before. If
    /// that fails, training continues.
    fn save_checkpoint(&mut self, cx: &Context, closing: &mut Closing) {
        take_checkpoint_due();
        if let Some(path) = &self.checkpoint {
            closing.file("checkpoint", path);
            write_checkpoint(cx, &mut self.trainer, path);
        }
    }

    /// Saves a checkpoint after Ctrl-C, and says how to continue. Weights are written where the
    /// best ones are kept, or where they go to no ordinary file, so that there is no checkpoint.
    fn interrupted(&mut self) -> Result<Failure, Failure> {
        let (epoch, steps) = (self.trainer.epoch() + 1, self.trainer.steps());
        let mut text = format!("in epoch {epoch}, after {}", units::plural(steps, "step"));
        if let (Some(best), Some(_)) = (self.trainer.best_weights(), &self.checkpoint) {
            self.trainer.save(&self.out)?;
            text.push_str(&format!("; weights: {}, {}", self.out.display(), of_best(best)));
        }
        let failed = |what: String| Failure::new(Kind::Interrupted, format!("{text}; {what}"));
        let Some(path) = &self.checkpoint else {
            self.trainer.save(&self.out)?;
            return Ok(failed(format!("weights: {}", self.out.display())));
        };
        self.trainer.save_checkpoint(path)?;
        let path = path.display();
        Ok(failed(format!("checkpoint: {path}")).help(format!(
            "to go on, repeat the command with --resume {path}; `eval` and `predict` take it as \
             --weights"
        )))
    }

    /// Saves the last good state as a checkpoint, and the best weights if they are kept. Otherwise
    /// an existing file of weights stays as it is.
    fn diverged(&mut self, error: Error) -> Result<Failure, Failure> {
        let mut help = error.help(options).unwrap_or_default();
        if let Some(path) = self.checkpoint.as_ref().filter(|_| self.trainer.epoch() > 0) {
            self.trainer.save_checkpoint(path)?;
            let epochs = units::plural(self.trainer.epoch(), "epoch");
            help.push_str(&format!("; {} holds the state after {epochs}", path.display()));
        }
        if let Some(best) = self.trainer.best_weights() {
            self.trainer.save(&self.out)?;
            help.push_str(&format!("; {} has the weights {}", self.out.display(), of_best(best)));
        }
        Ok(match error.located(Some(help.clone())) {
            Some(diagnostics) => Failure::Diagnosed(Kind::Diverged, diagnostics),
            None => Failure::from(error).help(help),
        })
    }

    /// Prints the result of the training.
    fn result(
        &self,
        args: &TrainArgs,
        closing: &Closing,
        held_out: Option<Evaluation>,
    ) -> Result<(), Failure> {
        let loss = closing.last().map(|report| report.loss);
        let metrics = closing.last().map(|report| report.metrics.clone());
        let metrics = held_out.as_ref().map(|result| result.metrics.clone()).or(metrics);
        let metrics = metrics.unwrap_or_default();
        let (epochs, steps) = (self.trainer.epoch(), self.trainer.steps());
        let best = self.trainer.best();
        if args.json {
            let mut line = json!({
                "done": true,
                "epochs": epochs,
                "steps": steps,
                "loss": held_out.map(|held_out| held_out.loss).or(loss),
                "metrics": metrics_json(&metrics),
                "best": best.map(|best| {
                    json!({ "epoch": best.epoch, "step": best.step, "figure": best.figure })
                }),
                "weights": self.out.display().to_string(),
            });
            if let Some(path) = &args.report {
                line["report"] = json!(path.display().to_string());
            }
            closing.add_to(&mut line);
            return console::print_json(&line);
        }
        let report = args.report.as_ref();
        let report = report.map(|path| format!("report: {}\n", path.display()));
        let program = self.built.program();
        let figures = match (&held_out, loss) {
            (Some(result), _) => {
                let rows = units::plural(result.rows, "held-out row");
                format!("{} on {rows}\n", figures(result.loss, &metrics, program))
            }
            (None, Some(loss)) => {
                let rows = units::plural(self.trainer.rows() as u64, "row");
                format!("{} on the {rows} trained on\n", figures(loss, &metrics, program))
            }
            // Resumed from a checkpoint at the end of the run.
            (None, None) => String::new(),
        };
        let mut out = self.out.display().to_string();
        if let Some(best) = self.trainer.best_weights() {
            out.push_str(&format!(", {}", of_best(best)));
        }
        console::print(format!("{figures}weights: {out}\n{}", report.unwrap_or_default()))
    }
}

/// How many rows a run takes for what.
pub fn rows_of_run(trainer: &Trainer) -> String {
    let held_out = match trainer.held_out_rows() {
        0 => String::new(),
        rows => format!(", {} held out", units::count(rows as u64)),
    };
    format!("{} to train on{held_out}", units::plural(trainer.rows() as u64, "row"))
}

/// Says what the rows say before the first step; a run that is resumed has said it.
pub fn lint(cx: &Context, trainer: &Trainer) {
    if !cx.console.quiet && trainer.steps() == 0 {
        cx.console.diagnostics(&trainer.lints());
    }
}

/// Refuses a model that is not trained, and a batch for one that is compiled.
pub fn check_trains(args: &TrainArgs, source: &Source) -> Result<(), Failure> {
    if source.net.training().is_none() {
        return Err(cannot_train(source));
    }
    if args.batch.is_some() && source.text().is_none() {
        return Err(source.fixed("rows", "--batch"));
    }
    Ok(())
}

/// Gives a trainer the weights or the checkpoint that it starts from.
pub fn begin(cx: &Context, args: &TrainArgs, trainer: &mut Trainer) -> Result<(), Failure> {
    if let Some(path) = &args.init {
        trainer.load(path)?;
    }
    if let Some(path) = &args.resume {
        trainer.resume(path).map_err(|error| or_previous(path, error))?;
    }
    if let Some(arguments) = rerun::recorded(&cx.arguments) {
        trainer.note(rerun::KEY, arguments);
    }
    Ok(())
}

/// A reader of the rows to train on, by the names of the columns that the weights know.
pub fn reader(args: &TrainArgs, source: &Source) -> Result<Reader, Failure> {
    let mut reader = source.net.reader();
    if let Some(path) = &args.init {
        reader = reader.trained_on(path)?;
    }
    if let Some(path) = &args.resume {
        reader = reader.trained_on(path).map_err(|error| or_previous(path, error))?;
    }
    Ok(reader)
}

/// Reads the rows to train on, and those to validate on if they are others.
pub fn read_rows(
    cx: &Context,
    args: &TrainArgs,
    source: &Source,
    table: &Rows,
    out: &Path,
) -> Result<(Data, Option<Data>), Failure> {
    if let Some(Rows::Table(path)) = &args.valid
        && let Some(share) = path.to_str().and_then(|text| text.parse::<f64>().ok())
        && !path.exists()
    {
        let failure = Failure::usage(format!("--valid names a table of rows, and {share} is none"));
        let help = format!("to hold a share out, write `valid = {share}` in the section `train`");
        return Err(failure.help(help));
    }
    let (reader, folder) = (reader(args, source)?, scratch_folder(out));
    let read = |table, reader| data::read_or_spill(cx, table, &args.data, reader, &folder);
    let rows = read(table, reader.clone())?;
    let valid = args.valid.as_ref().map(|valid| read(valid, reader.beside(&rows))).transpose()?;
    Ok((rows, valid))
}

/// The rows that a step is compiled for, where the model alone does not say so.
pub fn planned_rows(batch: Option<BatchChoice>, source: &Source, data: &Data) -> Option<u64> {
    let is_full = batch.map_or(source.net.is_full(), |batch| batch == BatchChoice::Full);
    match is_full && source.text().is_some() {
        true => Some(data.rows() as u64),
        false => rows_of(batch),
    }
}

/// What weights are the best of a run.
fn of_best(best: Best) -> String {
    format!("the best, of epoch {}", best.epoch)
}

/// Whether a text is to be compiled for steps over all rows.
fn is_full(args: &TrainArgs, source: &Source) -> bool {
    let full = args.batch.map_or(source.net.is_full(), |batch| batch == BatchChoice::Full);
    full && source.text().is_some()
}

/// The failure of a model that only predicts.
pub fn cannot_train(source: &Source) -> Failure {
    let name = source.name();
    match source.precision() {
        Precision::F32 => Failure::without_train(&name, ""),
        narrow => Failure::usage(format!(
            "{name}: is compiled for weights of {}, and training is in f32",
            narrow.name()
        ))
        .help("give the .net file"),
    }
}

fn rows_of(batch: Option<BatchChoice>) -> Option<u64> {
    match batch {
        Some(BatchChoice::Rows(rows)) => Some(rows),
        Some(BatchChoice::Full) | None => None,
    }
}
