//! `arenet bench`: how long a step takes, on random data.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use arenet::runtime::exec::{EntryPoint, Executor};
use arenet::runtime::program::{DType, Domain, Port, Program};
use arenet::runtime::random::Stream;
use arenet::runtime::train::{Clock, Scalars};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::source::{Built, Source, is_full};
use super::{Context, args, console, failure::Failure, units};

/// What to measure.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example: arenet bench models/digits.net --batch 32 --threads 1")]
pub struct BenchArgs {
    /// The model, .net or .netc
    model: PathBuf,
    /// What a step is; training, if the model says how to train
    #[arg(long)]
    mode: Option<Mode>,
    /// Rows in a step; by default as the model says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    batch: Option<u64>,
    /// How long to measure
    #[arg(long, value_name = "S", default_value = "1", value_parser = args::parse_positive)]
    seconds: f64,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// Forward, backward and update
    Train,
    /// Forward only
    Infer,
}

/// The rows of a step where the model means all of its data.
const DEFAULT_BATCH: u64 = 32;
/// A sample lasts as long as this, or one step.
const SAMPLE: Duration = Duration::from_millis(2);
/// The most often, and the longest, that the compiler is run to be timed.
const COMPILATIONS: (usize, Duration) = (9, Duration::from_millis(500));
/// Keeps the data apart from the initial weights.
const DATA_STREAM: u32 = 1 << 31;

/// Measures and prints.
pub fn run(cx: &Context, args: &BenchArgs) -> Result<(), Failure> {
    let source = Source::read(&args.model)?;
    let (mode, batch) = choose(cx, args, &source)?;
    let training = mode == Mode::Train;
    let (built, mut executor, compile_ns) = time_compiler(cx, &source, batch, training)?;
    let program = built.program();
    let rows = batch.unwrap_or(program.batch);
    if rows > program.batch {
        return Err(source.fixed("rows", "--batch"));
    }
    let entry = if training { EntryPoint::Train } else { EntryPoint::Predict };
    executor.run(EntryPoint::Init, 1)?;
    fill(&mut executor, program, rows)?;
    let mut stepper = Stepper::new(executor, entry, rows);
    let (samples, runs) = measure(&mut stepper, Duration::from_secs_f64(args.seconds.min(3600.0)))?;

    let [p10, median, p90] = [0.1, 0.5, 0.9].map(|q| percentile(&samples, q));
    let lower_bound = EntryPoint::ALL.map(|entry| entry.of(program).lower_bound).into_iter().max();
    let flops: u64 = entry.of(program).steps.iter().map(|step| step.flops).sum();
    let flops = (flops as f64 * rows as f64 / program.batch as f64).round() as u64;
    let threads = cx.threads();
    let isa = stepper.executor.isa().name();
    let mode = if training { "train" } else { "infer" };
    if args.json {
        let line = json!({
            "net": program.name,
            "mode": mode,
            "batch": rows,
            "threads": threads,
            "isa": isa,
            "ns_per_step": {"median": median, "p10": p10, "p90": p90},
            "compile_ns": compile_ns,
            "arena_bytes": program.arena_bytes,
            "lower_bound_bytes": lower_bound,
            "flops_per_step": flops,
            "runs": runs,
        });
        return console::print(format!("{line}\n"));
    }
    let ns = units::nanoseconds;
    console::print(format!(
        "{net}: {mode}, batch {rows}, {threads}, {isa}\n\
         step     {}  (p10 {}, p90 {}; {} runs)\n\
         rate     {} rows/s, {:.2} GFLOP/s ({} FLOP a step)\n\
         compile  {} from text to a ready executor\n\
         memory   {} bytes, lower bound {}\n",
        ns(median),
        ns(p10),
        ns(p90),
        units::count(runs),
        units::short(rows as f64 / median * 1e9),
        flops as f64 / median,
        units::count(flops),
        ns(compile_ns),
        units::count(program.arena_bytes),
        units::count(lower_bound.unwrap_or(0)),
        net = program.name,
        threads = units::plural(threads as u64, "thread"),
    ))
}

/// What to run, and the rows of a step where they are not the model's own.
fn choose(cx: &Context, args: &BenchArgs, source: &Source) -> Result<(Mode, Option<u64>), Failure> {
    let (built, _) = source.build_quietly(cx, args.batch, true)?;
    let program = built.program();
    let mode = match (args.mode, &program.training) {
        (Some(mode), _) => mode,
        (None, Some(_)) => Mode::Train,
        (None, None) => Mode::Infer,
    };
    if mode == Mode::Train && program.training.is_none() {
        let text = format!("{}: has no `train` section to measure", source.name());
        return Err(Failure::usage(text).help("--mode infer measures the forward pass"));
    }
    let unknown = args.batch.is_none() && source.text().is_some() && is_full(program);
    Ok((mode, if unknown { Some(DEFAULT_BATCH) } else { args.batch }))
}

/// A ready executor, and the median time that it takes from the source to it, in nanoseconds.
fn time_compiler(
    cx: &Context,
    source: &Source,
    batch: Option<u64>,
    training: bool,
) -> Result<(Built, Executor, f64), Failure> {
    let mut times = Vec::new();
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        let (built, _) = source.build_quietly(cx, batch, training)?;
        let executor = Executor::new(built.program.clone(), cx.global.exec())?;
        times.push(start.elapsed().as_nanos() as f64);
        if times.len() == COMPILATIONS.0 || begin.elapsed() > COMPILATIONS.1 {
            times.sort_by(f64::total_cmp);
            return Ok((built, executor, percentile(&times, 0.5)));
        }
    }
}

/// Writes random rows, within their domains, to all inputs and targets.
fn fill(executor: &mut Executor, program: &Program, rows: u64) -> Result<(), Failure> {
    let inputs = program.inputs.iter().map(|port| (port, true));
    let targets = program.targets.iter().map(|port| (port, false));
    for (index, (port, input)) in inputs.chain(targets).enumerate() {
        let stream = Stream { seed: 0, stream: DATA_STREAM + index as u32 };
        let elements = 0..rows * port.width;
        match program.buffers[port.buffer.0 as usize].dtype {
            DType::I32 => {
                let values: Vec<i32> = elements.map(|e| random_class(stream, e, port)).collect();
                executor.write_indices(port, 0, &values)?;
            }
            DType::F32 => {
                let value = |e| random_real(stream, e, port, input);
                let values: Vec<f32> = elements.map(value).collect();
                executor.write_floats(port, 0, &values)?;
            }
        }
    }
    Ok(())
}

fn random_class(stream: Stream, element: u64, port: &Port) -> i32 {
    let low = if let Domain::Range(low, _) = port.domain { low } else { 0 };
    let classes = port.domain.classes().unwrap_or(1).clamp(1, u64::from(u32::MAX));
    low.saturating_add(stream.below(0, element, classes as u32).into()) as i32
}

fn random_real(stream: Stream, element: u64, port: &Port, input: bool) -> f32 {
    match port.domain {
        Domain::Range(low, high) => {
            low as f32 + stream.uniform(0, element) * high.saturating_sub(low) as f32
        }
        _ if input => stream.normal(0, element),
        _ => stream.uniform(0, element),
    }
}

/// Runs step after step as a training does: the numbers that depend on the step are set before it.
struct Stepper {
    executor: Executor,
    scalars: Scalars,
    entry: EntryPoint,
    rows: usize,
    clock: Clock,
}

impl Stepper {
    fn new(mut executor: Executor, entry: EntryPoint, rows: u64) -> Stepper {
        let program = executor.program();
        let schedules = program.training.as_ref().map_or(&[][..], |training| &training.schedules);
        let endless = Clock { step: 1 << 40, epoch: 1 << 40 };
        let mut scalars = Scalars::new(program, schedules, endless);
        let rows = rows as usize;
        scalars.set_rows(&mut executor, rows);
        Stepper { executor, scalars, entry, rows, clock: Clock { step: 0, epoch: 0 } }
    }

    #[inline]
    fn step(&mut self) -> Result<(), Failure> {
        if self.entry == EntryPoint::Train {
            self.scalars.set_step(&mut self.executor, self.rows, self.clock);
            self.clock.step += 1;
        }
        Ok(self.executor.run(self.entry, self.rows)?)
    }

    /// The time of so many steps.
    fn time(&mut self, steps: u64) -> Result<Duration, Failure> {
        let start = Instant::now();
        for _ in 0..steps {
            self.step()?;
        }
        Ok(start.elapsed())
    }
}

/// Warms up, then gives the sorted nanoseconds a step of every sample, and the steps they took.
fn measure(stepper: &mut Stepper, time: Duration) -> Result<(Vec<f64>, u64), Failure> {
    let start = Instant::now();
    stepper.time(1)?;
    while start.elapsed() < time.mul_f64(0.3) {
        stepper.time(1)?;
    }
    // One step is too short for the clock where it takes tens of nanoseconds.
    let mut inner = 1;
    let mut took = stepper.time(inner)?;
    while took < SAMPLE / 4 {
        inner *= 2;
        took = stepper.time(inner)?;
    }
    let inner = ((inner as f64 * SAMPLE.as_secs_f64() / took.as_secs_f64()) as u64).max(1);
    let mut samples = Vec::new();
    let start = Instant::now();
    while start.elapsed() < time || samples.len() < 5 {
        samples.push(stepper.time(inner)?.as_nanos() as f64 / inner as f64);
    }
    samples.sort_by(f64::total_cmp);
    let runs = samples.len() as u64 * inner;
    Ok((samples, runs))
}

/// The value below which the share `q` of the sorted samples lies, between two of them as a mix.
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::percentile;

    #[test]
    fn a_percentile_lies_between_samples() {
        assert_eq!(percentile(&[3.0], 0.9), 3.0);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
        assert_eq!(percentile(&[0.0, 10.0], 0.1), 1.0);
    }
}
