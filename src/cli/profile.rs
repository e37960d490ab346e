//! `arenet profile`: how long each step of the program takes, and how far that is from the limit.
//!
//! Every step is timed inside whole runs, so it finds its data where a run leaves it: in the cache
//! or in memory. The clock is read between two steps; the cost of a reading is measured and
//! subtracted. Runs with and without the clock alternate. A sample is the mean of some milliseconds
//! of them, and the figure is the median of the samples. Training changes the weights, so it starts
//! again from the initial values every [`YOUNG`] steps.
//!
//! The limit is the roofline of one core (S. Williams et al., Roofline, Communications of the ACM
//! 52, 2009): max(FLOP / FMA peak, Σ bytes / read speed), both measured in the same run. The bytes
//! are those that have to be fetched, at the speed of the level that still holds them
//! (`program::traffic`).

use std::path::PathBuf;
use std::time::{Duration, Instant};

use arenet::internals::runtime::exec::{self, EntryPoint, Executor};
use arenet::internals::runtime::machine::{Machine, clock_cost};
use arenet::internals::runtime::program::traffic::{Touch, traffic};
use arenet::internals::runtime::program::{BufferId, Kernel, Program};
use clap::Args;
use serde_json::{Value, json};

use super::source::{Built, Source};
use super::stepper::{self, Mode, Stepper, percentile};
use super::{Context, args, console, failure::Failure, show, units};

/// What to measure.
#[derive(Args, Clone, Debug)]
#[command(after_help = "The steps are those of one thread; --threads N adds the time of\n\
                  the whole on N threads.\n\
                  Example: arenet profile models/digits.net --batch 32")]
pub struct ProfileArgs {
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

/// A sample lasts at least as long as this, or one run.
const SAMPLE: Duration = Duration::from_millis(2);
/// The most samples, but for runs longer than a sample.
const SAMPLES: u32 = 500;
/// The steps of a training before it starts again: the momentum of a unit that gets no gradient
/// any more, 0.9ⁿ of what it was, is then still far from the subnormal numbers, which are slow.
const YOUNG: u64 = 256;
/// The most runs of one kind in a row, so that both kinds run under the same conditions.
const TURN: u64 = 32;
/// The least time of a step in nanoseconds, where subtracting the clock leaves less.
const SHORTEST: f64 = 0.1;
/// The most characters of a formula.
const FORMULA: usize = 50;

/// Measures and prints.
pub fn run(cx: &Context, args: &ProfileArgs) -> Result<(), Failure> {
    let source = Source::read(cx, &args.model)?;
    let (mode, batch) = stepper::choose(&source, args.mode, args.batch)?;
    let built = source.build(cx, batch, mode.purpose())?;
    let program = built.program();
    let rows = stepper::rows(&source, program, batch)?;
    let entry = mode.entry();
    let time = Duration::from_secs_f64(args.seconds.min(3600.0));
    let stepper = |threads| -> Result<Stepper, Failure> {
        let options = exec::Options { threads: Some(threads), ..cx.global.exec() };
        Stepper::new(Executor::new(built.program.clone(), options)?, entry, rows)
    };
    let mut alone = stepper(1)?;
    let isa = alone.executor.isa();
    let straight = alone.executor.is_straight(entry, rows as usize);
    let times = measure(&mut alone, program.routines[entry].steps.len(), time)?;
    drop(alone); // its arena may be all the memory there is
    let machine = Machine::measure(isa);
    let team = match cx.threads() {
        threads if threads > 1 && cx.global.threads.is_some() => {
            Some((threads, measure(&mut stepper(threads)?, 0, time.mul_f64(0.3))?.whole))
        }
        _ => None,
    };
    let steps = steps(&built, entry, rows, &times.steps, &machine);
    let report = Report { net: &program.name, mode, rows, isa: isa.name(), straight, team };
    match args.json {
        true => console::print_json(&report.json(&machine, &steps, &times)),
        false => console::print(report.text(&machine, &steps, &times)),
    }
}

/// Times, in nanoseconds.
struct Times {
    /// Of each step.
    steps: Vec<f64>,
    /// Of a whole run as it is when nothing is timed inside it.
    whole: f64,
    /// How many runs were timed step by step, and as many as a whole.
    runs: u64,
}

/// Measures the first `steps` steps, and whole runs, for about `time`.
fn measure(stepper: &mut Stepper, steps: usize, time: Duration) -> Result<Times, Failure> {
    let clock = clock_cost();
    let mut sums = vec![Duration::ZERO; steps];
    let begin = Instant::now();
    let mut once = Duration::MAX;
    while once == Duration::MAX || begin.elapsed() < time / 10 {
        let start = Instant::now();
        pair(stepper, 1, &mut sums)?;
        once = once.min(start.elapsed());
    }
    let sample = (time / SAMPLES).max(SAMPLE).as_secs_f64();
    let runs = ((sample / once.as_secs_f64().max(1e-9)) as u64).max(1);
    let mut samples = vec![Vec::new(); steps];
    let mut wholes = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < time || wholes.len() < 3 {
        sums.fill(Duration::ZERO);
        let (mut left, mut whole) = (runs, Duration::ZERO);
        while left > 0 {
            let part = left.min(TURN);
            whole += pair(stepper, part, &mut sums)?;
            left -= part;
        }
        let mean = |sum: Duration| sum.as_nanos() as f64 / runs as f64;
        wholes.push(mean(whole));
        for (samples, sum) in samples.iter_mut().zip(&sums) {
            samples.push(mean(*sum) - clock);
        }
    }
    let median = |samples: &mut Vec<f64>| {
        samples.sort_by(f64::total_cmp);
        percentile(samples, 0.5).max(SHORTEST)
    };
    let steps = samples.iter_mut().map(median).collect();
    Ok(Times { steps, whole: median(&mut wholes), runs: runs * wholes.len() as u64 })
}

/// Runs `runs` times with the clock and as often without it; returns the time of the latter.
fn pair(stepper: &mut Stepper, runs: u64, sums: &mut [Duration]) -> Result<Duration, Failure> {
    if stepper.steps_done() >= YOUNG {
        stepper.restart()?;
        stepper.time(1)?;
    }
    if !sums.is_empty() {
        stepper.time_kernels(runs, sums)?;
    }
    stepper.time(runs)
}

/// A step and its figures.
struct Step {
    kernel: &'static str,
    source: String,
    line: u32,
    shape: String,
    formulas: Vec<String>,
    ns: f64,
    flops: u64,
    bytes: u64,
    /// The least time that it could take.
    limit: f64,
    /// What determines that time: `FMA`, or the level of memory that takes most of it.
    bound: String,
}

fn steps(
    built: &Built,
    entry: EntryPoint,
    rows: u64,
    times: &[f64],
    machine: &Machine,
) -> Vec<Step> {
    let program = built.program();
    let entry_steps = &program.routines[entry];
    let formulas = built.compiled.as_ref().map(|compiled| show::formulas(compiled, entry));
    let mut formulas = formulas.into_iter().flatten();
    let touches = traffic(program, entry_steps, rows);
    let step = |((step, touches), &ns): (
        (&arenet::internals::runtime::program::Step, &Vec<Touch>),
        &f64,
    )| {
        let flops = stepper::flops(program, step, rows);
        let (limit, bound) = limit(machine, flops, touches);
        Step {
            kernel: step.kernel.name(),
            source: step.origin.name.clone(),
            line: step.origin.line,
            shape: shape(program, &step.kernel, rows),
            formulas: formulas.next().unwrap_or_default(),
            ns,
            flops,
            bytes: touches.iter().map(|touch| touch.bytes).sum(),
            limit,
            bound,
        }
    };
    entry_steps.steps.iter().zip(&touches).zip(times).map(step).collect()
}

/// The least time of a step by the roofline, and what sets it.
fn limit(machine: &Machine, flops: u64, touches: &[Touch]) -> (f64, String) {
    let mut waits = vec![0.0; machine.levels.len()];
    for touch in touches.iter().filter(|touch| touch.fetch) {
        let level = machine.level_of(touch.distance);
        waits[level] += touch.bytes as f64 / machine.levels[level].read;
    }
    let (compute, wait) = (flops as f64 / machine.peak, waits.iter().sum::<f64>());
    if compute >= wait {
        return (compute, "FMA".to_string());
    }
    let slowest = (0..waits.len()).max_by(|&a, &b| waits[a].total_cmp(&waits[b])).unwrap_or(0);
    (wait, machine.levels[slowest].name.clone())
}

/// The least nanoseconds that one core takes for an entry of a program over so many rows.
pub fn least_time(program: &Program, entry: EntryPoint, rows: u64, machine: &Machine) -> f64 {
    let routine = &program.routines[entry];
    let touches = traffic(program, routine, rows);
    let least = |(step, touches): (_, &Vec<Touch>)| {
        limit(machine, stepper::flops(program, step, rows), touches).0
    };
    routine.steps.iter().zip(&touches).map(least).sum()
}

/// The size of a kernel's work: rows x columns x depth of a product, rows x columns of the rest.
fn shape(program: &Program, kernel: &Kernel, rows: u64) -> String {
    let size = |id: BufferId| program.buffers[id.0 as usize].layout.size(rows).unwrap_or_default();
    let sizes: Vec<String> = kernel.size(&size).iter().map(u64::to_string).collect();
    sizes.join("x")
}

/// What was measured, and how.
struct Report<'a> {
    net: &'a str,
    mode: Mode,
    rows: u64,
    isa: &'a str,
    straight: bool,
    /// A number of threads, and the time of a whole run on them.
    team: Option<(usize, f64)>,
}

impl Report<'_> {
    fn text(&self, machine: &Machine, steps: &[Step], times: &Times) -> String {
        let levels: Vec<String> = (machine.levels.iter())
            .map(|level| format!("{} {:.1} GB/s", level.name, level.read))
            .collect();
        let mut text = format!(
            "{}: {}, batch {}, 1 thread, {}; median of {} runs\n\
             limits: FMA {:.1} GFLOP/s; reading {}\n\n{}\n",
            self.net,
            self.mode.name(),
            self.rows,
            self.isa,
            units::count(times.runs),
            machine.peak,
            levels.join(", "),
            table(steps),
        );
        let whole = units::nanoseconds(times.whole);
        let sum: f64 = steps.iter().map(|step| step.ns).sum();
        if self.straight {
            text.push_str(&format!(
                "whole step  {whole}: it is so small that it runs as straight-line code, without \
                 these kernels;\n            \
                 the steps above were measured by their general kernels, one by one\n"
            ));
        } else {
            let outside = times.whole - sum;
            text.push_str(&format!(
                "whole step  {whole}, of it outside of the steps {:.1}%\n",
                100.0 * outside / times.whole
            ));
        }
        if let Some((threads, ns)) = self.team {
            let faster = times.whole / ns;
            text.push_str(&format!(
                "on {threads} threads  {}, {faster:.2} times as fast\n",
                units::nanoseconds(ns)
            ));
        }
        text
    }

    fn json(&self, machine: &Machine, steps: &[Step], times: &Times) -> Value {
        let sum: f64 = steps.iter().map(|step| step.ns).sum();
        let step = |(index, step): (usize, &Step)| {
            json!({
                "step": index,
                "kernel": step.kernel,
                "source": step.source,
                "line": step.line,
                "shape": step.shape,
                "formulas": step.formulas,
                "ns": step.ns,
                "share": step.ns / sum,
                "flops": step.flops,
                "bytes": step.bytes,
                "limit_ns": step.limit,
                "of_limit": step.limit / step.ns,
                "bound": step.bound,
            })
        };
        let levels = machine.levels.iter();
        let read = levels.map(|level| (level.name.clone(), level.read.into()));
        json!({
            "net": self.net,
            "mode": self.mode.name(),
            "batch": self.rows,
            "threads": 1,
            "isa": self.isa,
            "straight": self.straight,
            "ns_per_step": times.whole,
            "ns_sum": sum,
            "ns_outside": times.whole - sum,
            "ns_per_step_on_threads": self.team.map(|(threads, ns)| json!({
                "threads": threads,
                "ns": ns,
            })),
            "peak_gflops": machine.peak,
            "read_gb_per_second": Value::Object(read.collect()),
            "steps": steps.iter().enumerate().map(step).collect::<Vec<Value>>(),
            "runs": times.runs,
        })
    }
}

const HEAD: [&str; 12] = [
    "step", "kernel", "source", "shape", "time", "share", "GFLOP/s", "bytes", "GB/s", "of limit",
    "bound", "formula",
];
/// The columns that are numbers, and so end at the same place.
const NUMBERS: [bool; 12] =
    [true, false, false, false, true, true, true, true, true, true, false, false];

/// The steps and their sum, in columns.
fn table(steps: &[Step]) -> String {
    let sum: f64 = steps.iter().map(|step| step.ns).sum();
    let figures = |ns: f64, flops: u64, bytes: u64, limit: f64| {
        [
            units::nanoseconds(ns),
            format!("{:.1}%", 100.0 * ns / sum),
            format!("{:.1}", flops as f64 / ns),
            units::bytes(bytes),
            format!("{:.1}", bytes as f64 / ns),
            format!("{:.0}%", 100.0 * limit / ns),
        ]
    };
    let row = |(index, step): (usize, &Step)| {
        let source = format!("{}:{}", step.source, step.line);
        let formula = step.formulas.first().map_or("", String::as_str);
        let head = [index.to_string(), step.kernel.to_string(), source, step.shape.clone()];
        let tail = [step.bound.clone(), shorten(formula)];
        [&head[..], &figures(step.ns, step.flops, step.bytes, step.limit), &tail].concat()
    };
    let mut rows = vec![HEAD.map(String::from).to_vec()];
    rows.extend(steps.iter().enumerate().map(row));
    let total = |of: fn(&Step) -> u64| steps.iter().map(of).sum();
    let limit = steps.iter().map(|step| step.limit).sum();
    let figures = figures(sum, total(|step| step.flops), total(|step| step.bytes), limit);
    let head = ["", "total", "", ""].map(String::from);
    rows.push([&head[..], &figures].concat());
    units::columns(&rows, &NUMBERS)
}

/// At most [`FORMULA`] characters.
fn shorten(formula: &str) -> String {
    match formula.char_indices().nth(FORMULA) {
        Some((end, _)) => format!("{}…", &formula[..end]),
        None => formula.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arenet::internals::runtime::machine::Level;

    #[test]
    fn the_limit_is_the_later_of_arithmetic_and_memory() {
        let level = |name: &str, bytes, read| Level { name: name.to_string(), bytes, read };
        let levels = vec![level("L1", 100, 64.0), level("memory", u64::MAX, 8.0)];
        let machine = Machine { peak: 100.0, levels };
        let touch = |bytes, distance| Touch {
            buffer: BufferId(0),
            write: false,
            fetch: true,
            bytes,
            distance,
        };
        let check = |flops, touches: &[Touch], ns: f64, bound: &str| {
            let (limit, by) = limit(&machine, flops, touches);
            assert!((limit - ns).abs() < 1e-9 && by == bound, "{limit} by {by}");
        };
        check(1_000, &[touch(64, 64)], 10.0, "FMA");
        check(10, &[touch(64, 64)], 1.0, "L1");
        check(10, &[touch(64, 64), touch(64, 101)], 1.0 + 8.0, "memory");
        let in_place = Touch { write: true, fetch: false, ..touch(64, 64) };
        check(10, &[touch(64, 64), in_place], 1.0, "L1");
        check(0, &[], 0.0, "FMA");
    }

    #[test]
    fn a_long_formula_is_cut() {
        assert_eq!(shorten("ä".repeat(60).as_str()).chars().count(), FORMULA + 1);
        assert_eq!(shorten("a + b"), "a + b");
    }
}
