//! Several trainings of one model: over values of its constants and of options, over seeds, or over
//! folds of the rows. Each runs on one thread, and as many at once as there are threads.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arenet::internals::compiler::Purpose;
use arenet::internals::runtime::exec;
use arenet::internals::runtime::limits::memory_limit;
use arenet::internals::runtime::program::{Program, Verified, Watched};
use arenet::internals::runtime::train::{Fold, Settings, check_epochs, check_rate};
use arenet::{Data, Trainer};
use serde_json::{Map, Value, json};

use super::args::{BatchChoice, Sweep};
use super::failure::{Failure, Kind};
use super::figures::{metrics_json, percent};
use super::source::Source;
use super::train::TrainArgs;
use super::{Context, console, places, signals, train, units};

/// The most trainings of one command.
const MOST_TRIALS: usize = 100_000;

/// A combination of swept values, ready to be trained.
struct Setting {
    values: Vec<(String, f64)>,
    source: Source,
    program: Arc<Verified>,
    settings: Settings,
}

/// A training.
#[derive(Clone, Copy, Debug)]
struct Trial {
    /// The index of its setting.
    setting: usize,
    seed: u64,
    fold: Option<Fold>,
}

/// What came of a training.
#[derive(Clone, Debug)]
struct Outcome {
    epochs: u64,
    loss: f64,
    metrics: Vec<(String, f64)>,
    seconds: f64,
}

/// How good an outcome is, and the index of its setting or training: the smaller the better.
type Order = ([f64; 2], usize);

/// The figure by which trainings are compared: the one that the model watches, or its first metric.
#[derive(Clone, Debug)]
struct Rank {
    /// The metric; without one, the loss.
    metric: Option<String>,
    rises: bool,
}

impl Rank {
    fn of(program: &Program) -> Rank {
        let watch = program.training.as_ref().and_then(|training| training.watch);
        let metric = match watch.map(|watch| watch.figure) {
            Some(Watched::Loss) => None,
            Some(Watched::Metric(index)) => program.metrics.get(usize::from(index)),
            None => program.metrics.iter().find(|metric| !metric.figure.finish.is_table()),
        };
        let rises = metric.is_some_and(|metric| metric.rises);
        Rank { metric: metric.map(|metric| metric.name.clone()), rises }
    }

    /// Numbers that are the smaller the better the outcome is, the first counting first; what is no
    /// number comes last. Where figures are the same, the loss decides.
    fn order(&self, outcome: &Outcome) -> [f64; 2] {
        let number = |figure: f64| if figure.is_nan() { f64::INFINITY } else { figure };
        let own = |name: &String| outcome.metrics.iter().find(|(known, _)| known == name);
        let figure = match &self.metric {
            None => outcome.loss,
            Some(name) => own(name).map_or(f64::NAN, |(_, figure)| *figure),
        };
        [number(if self.rises { -figure } else { figure }), number(outcome.loss)]
    }
}

/// The trainings of a command, and what has come of them so far.
struct Trials<'a> {
    cx: &'a Context,
    args: &'a TrainArgs,
    settings: Vec<Setting>,
    trials: Vec<Trial>,
    data: Data,
    valid: Option<Data>,
    /// The most bytes for each that runs.
    most_memory: u64,
    rank: Rank,
    outcomes: Mutex<Vec<Option<Outcome>>>,
    /// The best training so far, with its order and its index.
    best: Mutex<Option<(Order, Trainer)>>,
}

/// Trains every trial, and prints and saves what is best.
pub fn run(cx: &Context, args: &TrainArgs) -> Result<(), Failure> {
    let model = args.model();
    let source = Source::read(cx, model)?;
    let (out, table) = places::outputs(args, &source, model)?;
    source.warn(cx);
    train::check_trains(args, &source)?;
    let (data, valid) = train::read_rows(cx, args, &source, &table, &out)?;
    let settings: Vec<Setting> = combinations(&args.trials.sweep)?
        .into_iter()
        .map(|values| setting(cx, args, model, values, &data))
        .collect::<Result<_, _>>()?;
    let trials = trials(args, &settings)?;
    signals::listen(|| {})?;
    let count = trials.len();
    let threads = cx.threads().min(count);
    // Each has its rows, and so has the best training so far.
    let most_memory = cx.global.max_memory.unwrap_or_else(memory_limit) / (threads as u64 + 1);
    cx.console.note(format!(
        "{}: {} on {}",
        source.name(),
        units::plural(count as u64, "training"),
        units::plural(threads as u64, "thread"),
    ));
    let all = Trials {
        cx,
        args,
        rank: Rank::of(settings[0].program.program()),
        settings,
        trials,
        data,
        valid,
        most_memory,
        outcomes: Mutex::new(vec![None; count]),
        best: Mutex::new(None),
    };
    let next = AtomicUsize::new(0);
    let works = || {
        while !signals::is_interrupted() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            // After a failure no other worker starts another training.
            all.attempt(index).inspect_err(|_| next.store(count, Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(works)).collect();
        let ends = workers.into_iter().map(|worker| worker.join().expect("a worker has no panic"));
        ends.collect::<Result<Vec<()>, Failure>>()
    })?;
    all.finish(&out)
}

/// Every combination of the swept values, the first name slowest.
fn combinations(sweeps: &[Sweep]) -> Result<Vec<Vec<(String, f64)>>, Failure> {
    let mut all = vec![Vec::new()];
    for (index, Sweep { name, values }) in sweeps.iter().enumerate() {
        if sweeps[..index].iter().any(|other| other.name == *name) {
            return Err(Failure::usage(format!("--sweep {name} is given twice"))
                .help(format!("give all values at once: --sweep {name}=1,2,3")));
        }
        if all.len() * values.len() > MOST_TRIALS {
            return Err(Failure::usage(format!("these are more than {MOST_TRIALS} trainings")));
        }
        let with = |value: &f64| (name.clone(), *value);
        all = all
            .iter()
            .flat_map(|old| values.iter().map(|value| [&old[..], &[with(value)]].concat()))
            .collect();
    }
    Ok(all)
}

/// Compiles the model with these values.
fn setting(
    cx: &Context,
    args: &TrainArgs,
    model: &Path,
    values: Vec<(String, f64)>,
    data: &Data,
) -> Result<Setting, Failure> {
    let mut settings = args.settings(cx);
    let mut batch = args.batch;
    let mut sets = cx.global.set.clone();
    let whole = |name: &str, value: f64| match value >= 1.0 && value.fract() == 0.0 {
        true => Ok(value as u64),
        false => Err(Failure::usage(format!("--sweep {name}: {value} is no whole number from 1"))),
    };
    let wrong = |name: &str, text: String| Failure::usage(format!("--sweep {name}: {text}"));
    for (name, value) in &values {
        match name.as_str() {
            "lr" => {
                check_rate(*value).map_err(|text| wrong(name, text))?;
                settings.lr = Some(*value);
            }
            "epochs" => {
                let epochs = whole(name, *value)?;
                check_epochs(epochs).map_err(|text| wrong(name, text))?;
                settings.epochs = Some(epochs);
            }
            "batch" => batch = Some(BatchChoice::Rows(whole(name, *value)?)),
            _ => sets.push((name.clone(), *value)),
        }
    }
    let source = Source::read_with(model, &sets)?;
    let rows = train::planned_rows(batch, &source, data);
    let program = source.build_quietly(rows, Purpose::Train)?.program;
    Ok(Setting { values, source, program, settings })
}

/// The trainings: for each setting all seeds, and for each seed all folds.
fn trials(args: &TrainArgs, settings: &[Setting]) -> Result<Vec<Trial>, Failure> {
    let (seeds, folds) = (args.trials.seeds.unwrap_or(1), args.trials.folds);
    let all = settings.len() as u64 * u64::from(seeds) * u64::from(folds.unwrap_or(1));
    if all > MOST_TRIALS as u64 {
        return Err(Failure::usage(format!("these are more than {MOST_TRIALS} trainings")));
    }
    let mut trials = Vec::new();
    for (index, setting) in settings.iter().enumerate() {
        let training = setting.program.program().training.as_ref();
        let own = training.map_or(0, |training| training.seed);
        let first = setting.settings.seed.unwrap_or(own);
        for seed in (0..u64::from(seeds)).map(|more| first.wrapping_add(more)) {
            let trial = |fold| Trial { setting: index, seed, fold };
            match folds {
                Some(count) => {
                    trials.extend((0..count).map(|index| trial(Some(Fold { index, count }))))
                }
                None => trials.push(trial(None)),
            }
        }
    }
    Ok(trials)
}

impl Trials<'_> {
    /// Trains one of them.
    fn attempt(&self, index: usize) -> Result<(), Failure> {
        let trial = self.trials[index];
        let Setting { source, program, settings, .. } = &self.settings[trial.setting];
        let max_memory = Some(self.most_memory);
        let run = exec::Options { threads: Some(1), max_memory, ..settings.run };
        let settings =
            Settings { seed: Some(trial.seed), fold: trial.fold, run, ..settings.clone() };
        let mut trainer = source.net.trainer(self.data.clone()).compiled(program.clone(), settings);
        if let Some(valid) = &self.valid {
            trainer = trainer.validate_on(valid.clone());
        }
        let mut trainer = trainer.build()?;
        if let Some(path) = &self.args.init {
            trainer.load(path)?;
        }
        if index == 0 {
            train::lint(self.cx, &trainer);
        }
        let started = Instant::now();
        let mut last = None;
        let mut diverged = false;
        while !trainer.is_done() && !diverged {
            let on_step = |_| match signals::is_interrupted() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            };
            match trainer.train_epoch_with(on_step) {
                Ok(None) => return Ok(()),
                Ok(report) => last = report,
                Err(error) if error.kind() == arenet::ErrorKind::Diverged => diverged = true,
                Err(error) => return Err(error.into()),
            }
        }
        let held_out = trainer.evaluate()?;
        let trained = last.map(|report| (report.loss, report.metrics));
        let (mut loss, mut metrics) = held_out
            .map(|held_out| (held_out.loss, held_out.metrics))
            .or(trained)
            .unwrap_or((f64::NAN, Vec::new()));
        if diverged && trainer.best_weights().is_none() {
            loss = f64::NAN;
            metrics.iter_mut().for_each(|(_, figure)| *figure = f64::NAN);
        }
        let seconds = started.elapsed().as_secs_f64();
        let outcome = Outcome { epochs: trainer.epoch(), loss, metrics, seconds };
        self.tell(trial, &outcome)?;
        // With the index, the best is the same whichever training ends first.
        let order = (self.rank.order(&outcome), index);
        let mut best = self.best.lock().expect("no worker panics");
        if best.as_ref().is_none_or(|(other, _)| order < *other) {
            *best = Some((order, trainer));
        }
        drop(best);
        self.outcomes.lock().expect("no worker panics")[index] = Some(outcome);
        Ok(())
    }

    /// Says what came of a training.
    fn tell(&self, trial: Trial, outcome: &Outcome) -> Result<(), Failure> {
        let Trial { setting, seed, fold } = trial;
        if self.args.json {
            return console::print_json(&json!({
                "set": self.set_json(setting),
                "seed": seed,
                "fold": fold.map(|fold| fold.index),
                "epochs": outcome.epochs,
                "loss": outcome.loss,
                "metrics": metrics_json(&outcome.metrics),
                "seconds": outcome.seconds,
            }));
        }
        let mut parts = self.set_text(setting);
        parts.push(format!("seed {seed}"));
        parts.extend(fold.map(|fold| format!("fold {}", fold.index)));
        parts.push(super::figures::figures(
            outcome.loss,
            &outcome.metrics,
            self.settings[setting].program.program(),
        ));
        self.cx.console.note(parts.join("  "));
        Ok(())
    }

    fn set_text(&self, setting: usize) -> Vec<String> {
        let values = self.settings[setting].values.iter();
        values.map(|(name, value)| format!("{name}={}", short(*value))).collect()
    }

    fn set_json(&self, setting: usize) -> Value {
        let values = self.settings[setting].values.iter();
        let number = |value: f64| match value.fract() == 0.0 && value.abs() < 1e15 {
            true => json!(value as i64),
            false => json!(value),
        };
        Value::Object(values.map(|(name, value)| (name.clone(), number(*value))).collect())
    }

    /// Prints all settings, the best first, and saves the best weights.
    fn finish(self, out: &Path) -> Result<(), Failure> {
        let outcomes = self.outcomes.lock().expect("no worker panics").clone();
        let mut rows: Vec<(Order, Summary)> = (0..self.settings.len())
            .filter_map(|setting| {
                let own = self.trials.iter().zip(&outcomes).filter(|(t, _)| t.setting == setting);
                let own: Vec<&Outcome> = own.filter_map(|(_, outcome)| outcome.as_ref()).collect();
                let mean = |of: usize| {
                    let orders = own.iter().map(|outcome| self.rank.order(outcome)[of]);
                    orders.sum::<f64>() / own.len() as f64
                };
                (!own.is_empty()).then(|| (([mean(0), mean(1)], setting), Summary::of(&own)))
            })
            .collect();
        rows.sort_by(|((a, first), _), ((b, second), _)| {
            let figures = a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1]));
            figures.then(first.cmp(second))
        });
        let interrupted = signals::is_interrupted().then(|| {
            let done = outcomes.iter().flatten().count();
            Failure::new(Kind::Interrupted, format!("after {done} of {} trainings", outcomes.len()))
        });
        let best = self.best.lock().expect("no worker panics").take();
        let Some(((_, index), mut trainer)) = best else { return interrupted.map_or(Ok(()), Err) };
        // The net of a fold has not seen all rows that it may be trained on.
        let saves = self.args.trials.folds.is_none();
        if saves {
            trainer.save(out)?;
        }
        self.print(&rows, self.trials[index], saves.then_some(out))?;
        interrupted.map_or(Ok(()), Err)
    }

    fn print(
        &self,
        rows: &[(Order, Summary)],
        best: Trial,
        out: Option<&Path>,
    ) -> Result<(), Failure> {
        if self.args.json {
            let settings: Vec<Value> = rows
                .iter()
                .map(|((_, setting), summary)| summary.to_json(self.set_json(*setting)))
                .collect();
            return console::print_json(&json!({
                "done": true,
                "settings": settings,
                "best": { "set": self.set_json(best.setting), "seed": best.seed },
                "weights": out.map(|out| out.display().to_string()),
            }));
        }
        let program = self.settings[best.setting].program.program();
        let percent = percent(program);
        let names = self.settings[0].values.iter().map(|(name, _)| name.clone());
        let metrics = rows[0].1.metrics.iter().map(|(name, _)| name.clone());
        let head = names.chain(metrics).chain(["loss", "epochs", "trainings"].map(String::from));
        let line = |((_, setting), summary): &(Order, Summary)| -> Vec<String> {
            let values = self.settings[*setting].values.iter().map(|(_, value)| short(*value));
            let metrics = summary.metrics.iter().zip(&percent);
            let metrics = metrics.map(|((_, spread), percent)| spread.text(*percent));
            let rest = [
                summary.loss.text(false),
                short((summary.epochs * 10.0).round() / 10.0),
                summary.trainings.to_string(),
            ];
            values.chain(metrics).chain(rest).collect()
        };
        let lines: Vec<Vec<String>> =
            [head.collect()].into_iter().chain(rows.iter().map(line)).collect();
        let mut text = units::columns(&lines, &vec![true; lines[0].len()]);
        let mut of = self.set_text(best.setting);
        of.push(format!("seed {}", best.seed));
        match out {
            Some(out) => {
                text.push_str(&format!("weights: {}, of {}\n", out.display(), of.join(", ")));
            }
            None => text.push_str("weights: none, each training left out a part of the rows\n"),
        }
        console::print(text)
    }
}

/// A number as briefly as it can be written.
fn short(number: f64) -> String {
    let [plain, scientific] = [format!("{number}"), format!("{number:e}")];
    if scientific.len() < plain.len() { scientific } else { plain }
}

/// The trainings of a setting together.
struct Summary {
    trainings: usize,
    epochs: f64,
    loss: Spread,
    metrics: Vec<(String, Spread)>,
}

/// The mean of several numbers and their standard deviation, where there are two or more.
#[derive(Clone, Copy)]
struct Spread {
    mean: f64,
    deviation: Option<f64>,
}

impl Spread {
    fn of(numbers: &[f64]) -> Spread {
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>();
        let deviation = (numbers.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Spread { mean, deviation }
    }

    /// `96.7% ± 1.2`
    fn text(self, percent: bool) -> String {
        if self.mean.is_nan() {
            return "diverged".into();
        }
        let figure = |number: f64| match percent {
            true => format!("{:.1}", number * 100.0),
            false => units::figure(number),
        };
        let mark = if percent { "%" } else { "" };
        let deviation = self.deviation.map(|deviation| format!(" ± {}", figure(deviation)));
        format!("{}{mark}{}", figure(self.mean), deviation.unwrap_or_default())
    }

    fn to_json(self) -> Value {
        json!({ "mean": self.mean, "deviation": self.deviation })
    }
}

impl Summary {
    fn of(outcomes: &[&Outcome]) -> Summary {
        let spread = |figure: &dyn Fn(&Outcome) -> f64| {
            Spread::of(&outcomes.iter().map(|outcome| figure(outcome)).collect::<Vec<f64>>())
        };
        let mut metrics = Vec::new();
        for (index, (name, _)) in outcomes[0].metrics.iter().enumerate() {
            let figure = |outcome: &Outcome| {
                outcome.metrics.get(index).map_or(f64::NAN, |(_, figure)| *figure)
            };
            metrics.push((name.clone(), spread(&figure)));
        }
        Summary {
            trainings: outcomes.len(),
            epochs: spread(&|outcome| outcome.epochs as f64).mean,
            loss: spread(&|outcome| outcome.loss),
            metrics,
        }
    }

    fn to_json(&self, set: Value) -> Value {
        let metrics = self.metrics.iter().map(|(name, spread)| (name.clone(), spread.to_json()));
        json!({
            "set": set,
            "trainings": self.trainings,
            "epochs": self.epochs,
            "loss": self.loss.to_json(),
            "metrics": Value::Object(Map::from_iter(metrics)),
        })
    }
}
