//! `arenet train`: from a model and a table to weights.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arenet::internals::compiler::{Precision, Purpose};
use arenet::internals::runtime::train::Settings;
use arenet::{Best, Data, EpochReport, Error, ErrorKind, Reader, Trainer};
use clap::Args;
use serde_json::json;

use super::args::{
    BatchChoice, DataArgs, OnlineArgs, Rows, TrialArgs, parse_batch, parse_epochs, parse_rate,
    parse_seconds,
};
use super::failure::{Failure, Kind, options};
use super::figures::{figures, metrics_json, percent};
use super::places::{or_previous, places, scratch_folder, write_checkpoint};
use super::progress::Progress;
use super::report::{Ending, Recorder};
use super::signals::{is_checkpoint_due, is_interrupted, listen, remind, take_checkpoint_due};
use super::source::{Built, Source};
use super::{Context, console, data, rerun, units};

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
/// Trains and saves.
pub fn run(cx: &Context, args: &TrainArgs) -> Result<(), Failure> {
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
    run.train(cx, args, recorder)
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
    ) -> Result<(), Failure> {
        let (epochs, batches) = (self.trainer.epochs(), self.trainer.batches_per_epoch());
        let percent = percent(self.built.program());
        let mut progress = Progress::new(&cx.console, args.json, percent, epochs, batches);
        let mut last = None;
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
                    last = Some(report);
                }
                Ok(None) if !is_interrupted() => self.save_checkpoint(cx),
                Ok(None) => {
                    let _ = progress.finish();
                    let failure = self.interrupted()?;
                    return Err(self.report_failure(cx, recorder, Ending::Interrupted, failure));
                }
                Err(error) if error.kind() == ErrorKind::Diverged => {
                    let _ = progress.finish();
                    let failure = self.diverged(error)?;
                    return Err(self.report_failure(cx, recorder, Ending::Diverged, failure));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let told = progress.finish();
        if args.checkpoint.is_some() {
            self.save_checkpoint(cx);
        }
        self.trainer.save(&self.out)?;
        if let Some(recorder) = recorder {
            let checkpoint = args.checkpoint.as_deref();
            let files = [("Weights", Some(&*self.out)), ("Checkpoint", checkpoint)];
            recorder.finish(&mut self.trainer, Ending::Ended, String::new(), &files)?;
        }
        told?;
        if !cx.console.quiet {
            cx.console.diagnostics(&self.trainer.diagnosis());
        }
        self.result(args, last)
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
    fn save_checkpoint(&mut self, cx: &Context) {
        take_checkpoint_due();
        if let Some(path) = &self.checkpoint {
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
    fn result(&mut self, args: &TrainArgs, last: Option<EpochReport>) -> Result<(), Failure> {
        let held_out = self.trainer.evaluate()?;
        let loss = last.as_ref().map(|report| report.loss);
        let metrics = last.map(|report| report.metrics);
        let metrics = held_out.as_ref().map(|result| result.metrics.clone()).or(metrics);
        let metrics = metrics.unwrap_or_default();
        let (epochs, steps) = (self.trainer.epoch(), self.trainer.steps());
        let best = self.trainer.best();
        if args.json {
            let mut line = json!({
                "done": true,
                "epochs": epochs,
                "steps": steps,
                "loss": held_out.map(|result| result.loss).or(loss),
                "metrics": metrics_json(&metrics),
                "best": best.map(|best| {
                    json!({ "epoch": best.epoch, "step": best.step, "figure": best.figure })
                }),
                "weights": self.out.display().to_string(),
            });
            if let Some(path) = &args.report {
                line["report"] = json!(path.display().to_string());
            }
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
