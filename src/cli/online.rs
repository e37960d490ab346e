//! `arenet train --online`: learns from each row of a stream as soon as it arrives. Each row is
//! tested before the net learns from it, so that the figures need no held-out rows.
//!
//! A thread reads rows and sends them, so that a signal and a checkpoint do not wait for a row.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::program::text::escaped;
use arenet::{Data, Error, ErrorKind, Evaluation, Prequential, Reader, Trainer};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::args::Rows;
use super::failure::{Failure, Kind, options};
use super::figures::{metrics_json, percent};
use super::source::{Built, Source};
use super::train::{self, TrainArgs};
use super::{Context, console, data, places, signals, units};

/// The rows that the figures of a report are of, unless a report is due after so many.
const WINDOW: u32 = 1000;
/// The rows that are read ahead of the net, at most.
const AHEAD: usize = 1024;

/// What the training waits for.
enum Event {
    /// A row, with its line.
    Row(Box<Data>, u64),
    /// There are no more rows, or none that can be read.
    End(Result<u64, Error>),
    /// It is time to look for signals.
    Wake,
}

/// Learns until the rows end.
pub fn run(cx: &Context, args: &TrainArgs) -> Result<(), Failure> {
    let model = args.model();
    let source = Source::read(cx, model)?;
    let (out, checkpoint, table) = places::places(args, &source, model)?;
    train::check_trains(args, &source)?;
    let built = source.build(cx, Some(1), Purpose::Train)?;
    source.warn(cx);
    let table = table?;
    let Rows::Table(path) = &table else {
        let text = format!("{table}: --online reads a table row by row, from one file");
        let help = "name a table, or - for standard input: cat FILE FILE | arenet train ...";
        return Err(Failure::usage(text).help(help));
    };
    let (name, input) = open(path)?;
    if let Some(path) = &args.init {
        data::describe_weights(cx, built.program(), path)?;
    }
    let reader = data::reader(cx, &args.data, train::reader(args, &source)?.without_groups());
    let trainer = source.net.online_trainer();
    let mut trainer = trainer.compiled(built.program.clone(), args.settings(cx)).build()?;
    train::begin(cx, args, &mut trainer)?;

    let (sender, events) = sync_channel(AHEAD);
    let wake = || {
        let sender = sender.clone();
        // If there is no room, the training is awake.
        move || drop(sender.try_send(Event::Wake))
    };
    signals::listen(wake())?;
    signals::remind(args.checkpoint_every, wake());
    send_rows(input, name.clone(), reader, sender);
    let run = Online {
        reports: Reports::new(cx, args, &built, &trainer),
        before: trainer.steps(),
        trainer,
        built,
        name,
        out,
        checkpoint,
        line: 0,
    };
    run.header(cx, &source);
    run.learn(cx, args, &table, &events)
}

type Input = Box<dyn Read + Send>;

/// The stream of rows, and what messages call it.
fn open(path: &Path) -> Result<(String, Input), Failure> {
    if path == Path::new("-") {
        return Ok(("standard input".to_string(), Box::new(io::stdin())));
    }
    let name = path.display().to_string();
    let file = File::open(path)
        .map_err(|error| Failure::new(Kind::Data, format!("{name}: cannot be read: {error}")))?;
    Ok((name, Box::new(file)))
}

/// Reads rows on a thread of its own, and sends them.
fn send_rows(input: Input, name: String, reader: Reader, sender: SyncSender<Event>) {
    std::thread::spawn(move || {
        let each = |row, line| match sender.send(Event::Row(Box::new(row), line)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let end = reader.each_row(input, &name, each);
        let _ = sender.send(Event::End(end)); // if nobody waits, the training is over
    });
}

/// A training on a stream of rows.
struct Online {
    trainer: Trainer,
    built: Built,
    /// What messages call the stream.
    name: String,
    out: PathBuf,
    /// The file for checkpoints; none where the weights go to no ordinary file.
    checkpoint: Option<PathBuf>,
    reports: Reports,
    /// The rows that were learned from by the run that goes on.
    before: u64,
    /// The line of the last row.
    line: u64,
}

impl Online {
    /// Says what learns, and from what.
    fn header(&self, cx: &Context, source: &Source) {
        let program = self.built.program();
        let isa = self.trainer.executor().isa();
        cx.console.note(format!("{}, {isa}", self.built.in_training()));
        let held_out = program.training.as_ref().is_some_and(|training| {
            training.valid > 0.0 || training.watch.is_some() || training.validate.is_some()
        });
        if held_out {
            let text = "no rows of a stream are held out, so `valid`, `validate`, `stop` and \
                        `keep` do nothing";
            cx.console.note(format!("{}: {text}", source.name()));
        }
        if self.before > 0 {
            let rows = units::plural(self.before, "row");
            cx.console.note(format!("{}: resumed after {rows}", source.name()));
        }
    }

    /// Learns until the rows end, or somebody stops it.
    fn learn(
        mut self,
        cx: &Context,
        args: &TrainArgs,
        table: &Rows,
        events: &Receiver<Event>,
    ) -> Result<(), Failure> {
        loop {
            match self.reports.wait(events) {
                Event::Row(row, line) => {
                    if self.line == 0 {
                        self.trainer.name_columns(&row);
                        data::tell_unused(cx, table, &row);
                    }
                    self.line = line;
                    if let Err(error) = self.row(&row) {
                        return Err(self.give_up(cx, error));
                    }
                    self.reports.row(cx, line)?;
                }
                Event::End(end) => return self.end(cx, args, end),
                Event::Wake => self.reports.tell_late(cx, self.line)?,
            }
            if signals::is_interrupted() {
                self.reports.finish(cx, self.line)?;
                let saved = self.save(cx)?;
                let text = format!("after {}; {saved}", self.place());
                let failure = Failure::new(Kind::Interrupted, text);
                return Err(match &self.checkpoint {
                    Some(path) => failure.help(self.way_on(path)),
                    None => failure,
                });
            }
            if signals::take_checkpoint_due() && self.line > 0 {
                if let Err(error) = self.trainer.settle() {
                    return Err(self.give_up(cx, error));
                }
                if let Some(path) = &self.checkpoint {
                    places::write_checkpoint(cx, &mut self.trainer, path);
                }
            }
        }
    }

    /// Tests the net on a row, and learns from it.
    fn row(&mut self, row: &Data) -> Result<(), Error> {
        let targets = row.targets();
        self.trainer.test(row, &targets, &mut self.reports.figures)?;
        self.trainer.step(row, &targets).map(drop)
    }

    /// The rows have ended, or one cannot be read: then those before it are learned from.
    fn end(
        mut self,
        cx: &Context,
        args: &TrainArgs,
        end: Result<u64, Error>,
    ) -> Result<(), Failure> {
        self.reports.finish(cx, self.line)?;
        match end {
            Ok(left_out) => data::tell_left_out(cx, &self.name, left_out, std::iter::empty()),
            Err(error) if self.line == 0 => return Err(error.into()),
            Err(error) => {
                let own = error.help(options).map(|help| format!("{help}; ")).unwrap_or_default();
                let saved = self.save(cx)?;
                let rows = units::plural(self.rows(), "row");
                let help = format!("{own}the net has learned from the {rows} before it; {saved}");
                return Err(Failure::from(error).help(help));
            }
        }
        let saved = self.save(cx)?;
        let all = self.reports.figures.all();
        if args.json {
            return console::print_json(&json!({
                "done": true,
                "rows": all.rows,
                "loss": all.loss,
                "metrics": metrics_json(&all.metrics),
                "weights": self.out.display().to_string(),
            }));
        }
        let tested = self.reports.text(&all);
        let rows = units::plural(all.rows, "row");
        console::print(format!("{tested} on {rows}, each before it was learned from\n{saved}\n"))
    }

    /// Writes the weights and a checkpoint; says where they are.
    fn save(&mut self, cx: &Context) -> Result<String, Failure> {
        if let Err(error) = self.trainer.settle() {
            return Err(self.give_up(cx, error));
        }
        self.trainer.save(&self.out)?;
        let weights = format!("weights: {}", self.out.display());
        let Some(path) = &self.checkpoint else { return Ok(weights) };
        places::write_checkpoint(cx, &mut self.trainer, path);
        Ok(format!("{weights}; checkpoint: {}", path.display()))
    }

    /// Saves the last good state of a net that has diverged, unless that is the one at the start.
    fn give_up(&mut self, cx: &Context, error: Error) -> Failure {
        if error.kind() != ErrorKind::Diverged {
            return error.into();
        }
        self.reports.clear();
        let mut help = error.help(options).unwrap_or_default();
        if let Some(path) = self.checkpoint.as_ref().filter(|_| self.rows() > 0) {
            places::write_checkpoint(cx, &mut self.trainer, path);
            let rows = units::plural(self.rows(), "row");
            help.push_str(&format!("; {} holds the state after {rows}", path.display()));
        }
        let text = format!("{}, at line {} of {}", error.message(), self.line, self.name);
        Failure::new(Kind::Diverged, text).help(help)
    }

    /// The rows that this process has learned from.
    fn rows(&self) -> u64 {
        self.trainer.steps() - self.before
    }

    fn place(&self) -> String {
        let rows = units::plural(self.rows(), "row");
        format!("{rows}, at line {} of {}", self.line, self.name)
    }

    fn way_on(&self, path: &Path) -> String {
        format!("to go on with the rows that follow: arenet train --resume {}", path.display())
    }
}

/// What the training tells as it goes.
struct Reports {
    figures: Prequential,
    /// The rows between two reports; without, they come by time.
    every: Option<u64>,
    bar: Option<ProgressBar>,
    json: bool,
    /// Which metrics are shown in percent.
    percent: Vec<(String, bool)>,
    rows: u64,
    /// The rows and the time at the last report, if there was one.
    last: Option<(u64, Instant)>,
}

impl Reports {
    fn new(cx: &Context, args: &TrainArgs, built: &Built, trainer: &Trainer) -> Reports {
        let window = args.online.report_every.unwrap_or(WINDOW) as usize;
        let program = built.program();
        let names = program.metrics.iter().filter(|metric| !metric.figure.finish.is_table());
        let names = names.map(|metric| metric.name.clone());
        Reports {
            figures: trainer.prequential(window),
            every: args.online.report_every.map(u64::from),
            bar: cx.console.bar.then(line_of_progress),
            json: args.json,
            percent: names.zip(percent(program)).collect(),
            rows: 0,
            last: None,
        }
    }

    /// Waits for an event; no longer than a pause where rows have not been told.
    fn wait(&self, events: &Receiver<Event>) -> Event {
        if self.every.is_some() || self.is_told() {
            return events.recv().expect("the reader sends the end first");
        }
        match events.recv_timeout(self.pause()) {
            Ok(event) => event,
            Err(_) => Event::Wake,
        }
    }

    /// The time between two reports.
    fn pause(&self) -> Duration {
        Duration::from_millis(if self.bar.is_some() { 100 } else { 1000 })
    }

    /// Whether all rows have been told.
    fn is_told(&self) -> bool {
        self.last.map_or(0, |(rows, _)| rows) == self.rows
    }

    /// Tells of the last rows where reports come by time.
    fn tell_late(&mut self, cx: &Context, line: u64) -> Result<(), Failure> {
        match self.every.is_none() && !self.is_told() {
            true => self.tell(cx, line),
            false => Ok(()),
        }
    }

    /// A row has been learned from; tells the figures if they are due.
    fn row(&mut self, cx: &Context, line: u64) -> Result<(), Failure> {
        self.rows += 1;
        let due = match (self.every, self.last) {
            (Some(every), _) => self.rows.is_multiple_of(every),
            (None, None) => true,
            (None, Some((_, then))) => then.elapsed() >= self.pause(),
        };
        if due { self.tell(cx, line) } else { Ok(()) }
    }

    fn tell(&mut self, cx: &Context, line: u64) -> Result<(), Failure> {
        let now = Instant::now();
        let (rows, then) = self.last.unwrap_or((self.rows, now));
        let seconds = now.duration_since(then).as_secs_f64();
        let speed = if seconds > 0.0 { (self.rows - rows) as f64 / seconds } else { 0.0 };
        self.last = Some((self.rows, now));
        let (all, recent) = (self.figures.all(), self.figures.recent());
        if self.json {
            return console::print_json(&json!({
                "rows": all.rows,
                "line": line,
                "loss": recent.loss,
                "metrics": metrics_json(&recent.metrics),
                "window": recent.rows,
                "all": { "loss": all.loss, "metrics": metrics_json(&all.metrics) },
                "rows_per_second": speed,
            }));
        }
        let mut text = format!("rows {}  {}", units::count(all.rows), self.text(&recent));
        if all.rows > recent.rows {
            text.push_str(&format!("  (all: {})", self.text(&all)));
        }
        if speed > 0.0 {
            text.push_str(&format!("  {} rows/s", units::short(speed)));
        }
        match &self.bar {
            Some(bar) => bar.set_message(escaped(&text)),
            None => cx.console.note(text),
        }
        Ok(())
    }

    /// The figures of an evaluation, of which a metric may be missing.
    fn text(&self, evaluation: &Evaluation) -> String {
        let is_percent =
            |name: &String| self.percent.iter().any(|(own, is_percent)| own == name && *is_percent);
        let metrics = evaluation.metrics.iter();
        let metrics = metrics.map(|(name, value)| units::metric(name, *value, is_percent(name)));
        let loss = format!("loss {}", units::figure(evaluation.loss));
        metrics.chain([loss]).collect::<Vec<_>>().join(", ")
    }

    /// Leaves the last figures on the screen.
    fn finish(&mut self, cx: &Context, line: u64) -> Result<(), Failure> {
        let had_bar = self.bar.is_some();
        self.clear();
        match !self.is_told() || had_bar && !self.json && self.rows > 0 {
            true => self.tell(cx, line),
            false => Ok(()),
        }
    }

    /// Removes the line of progress.
    fn clear(&mut self) {
        self.bar.take().iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn line_of_progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{wide_msg}").expect("it is well formed"));
    bar
}
