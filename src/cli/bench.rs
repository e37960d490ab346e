//! `arenet bench`: how long a step takes, on random data.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arenet::internals::compiler::{Precision, Purpose};
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use clap::Args;
use serde_json::json;

use super::source::{Built, Source, precision};
use super::stepper::{self, Mode, Stepper, percentile};
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
    /// What weights are kept as: f32, bf16 or int8; training needs f32
    #[arg(long, value_name = "PRECISION", value_parser = args::parse_precision)]
    weights: Option<Precision>,
    /// How long to measure
    #[arg(long, value_name = "S", default_value = "1", value_parser = args::parse_positive)]
    seconds: f64,
    /// One line of JSON
    #[arg(long)]
    json: bool,
}

/// A sample lasts as long as this, or one step.
const SAMPLE: Duration = Duration::from_millis(2);
/// The most often, and the longest, that the compiler is run to be timed.
const COMPILATIONS: (usize, Duration) = (9, Duration::from_millis(500));

/// Measures and prints.
pub fn run(cx: &Context, args: &BenchArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?.with_weights(args.weights)?;
    let (mode, batch) = stepper::choose(&source, args.mode, args.batch)?;
    let (built, executor, compile_ns) =
        time_compiler(cx, &args.model, args.weights, batch, mode.purpose())?;
    let program = built.program();
    let rows = stepper::rows(&source, program, batch)?;
    let entry = mode.entry();
    let mut stepper = Stepper::new(executor, entry, rows)?;
    let (samples, runs) = measure(&mut stepper, Duration::from_secs_f64(args.seconds.min(3600.0)))?;

    let [p10, median, p90] = [0.1, 0.5, 0.9].map(|q| percentile(&samples, q));
    let lower_bound =
        EntryPoint::ALL.map(|entry| program.routines[entry].lower_bound).into_iter().max();
    let flops =
        program.routines[entry].steps.iter().map(|step| stepper::flops(program, step, rows)).sum();
    let threads = cx.threads();
    let isa = stepper.executor.isa().name();
    let mode = mode.name();
    let weights = precision(program).name();
    if args.json {
        let line = json!({
            "net": program.name,
            "mode": mode,
            "batch": rows,
            "weights": weights,
            "threads": threads,
            "isa": isa,
            "ns_per_step": {"median": median, "p10": p10, "p90": p90},
            "compile_ns": compile_ns,
            "arena_bytes": program.arena_bytes,
            "lower_bound_bytes": lower_bound,
            "flops_per_step": flops,
            "runs": runs,
        });
        return console::print_json(&line);
    }
    let ns = units::nanoseconds;
    console::print(format!(
        "{net}: {mode}, batch {rows}, weights {weights}, {threads}, {isa}\n\
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

/// A ready executor, and the median time that it takes from the source to it, in nanoseconds.
fn time_compiler(
    cx: &Context,
    model: &Path,
    weights: Option<Precision>,
    batch: Option<u64>,
    purpose: Purpose,
) -> Result<(Built, Executor, f64), Failure> {
    let mut times = Vec::new();
    let begin = Instant::now();
    loop {
        let start = Instant::now();
        let source = Source::read(cx, model)?.with_weights(weights)?;
        let built = source.build_quietly(batch, purpose)?;
        let executor = Executor::new(built.program.clone(), cx.global.exec())?;
        times.push(start.elapsed().as_nanos() as f64);
        if times.len() == COMPILATIONS.0 || begin.elapsed() > COMPILATIONS.1 {
            times.sort_by(f64::total_cmp);
            return Ok((built, executor, percentile(&times, 0.5)));
        }
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
