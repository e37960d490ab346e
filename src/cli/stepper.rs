//! Shared by the measurements of a model: the choice of a step, random rows, and running steps as a
//! training does.

use std::time::{Duration, Instant};

use arenet::internals::compiler::{Precision, Purpose};
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use arenet::internals::runtime::program::{DType, Domain, Port, Program, Step, StreamId};
use arenet::internals::runtime::random::Stream;
use arenet::internals::runtime::train::{Clock, Scalars};
use clap::ValueEnum;

use super::failure::Failure;
use super::source::Source;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Forward, backward and update
    Train,
    /// Forward only
    Infer,
}

impl Mode {
    /// The entry point that does it.
    pub fn entry(self) -> EntryPoint {
        match self {
            Mode::Train => EntryPoint::Train,
            Mode::Infer => EntryPoint::Predict,
        }
    }

    /// What its program is for.
    pub fn purpose(self) -> Purpose {
        match self {
            Mode::Train => Purpose::Train,
            Mode::Infer => Purpose::Predict,
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Train => "train",
            Mode::Infer => "infer",
        }
    }
}

/// The rows of a step where the model takes all of its data.
const DEFAULT_BATCH: u64 = 32;
/// Keeps the data apart from the initial weights.
const DATA_STREAM: u32 = 1 << 31;
/// Before the first step.
const START: Clock = Clock { step: 0, epoch: 0 };

/// Chooses what to run, and the rows of a step where they are not those of the model.
pub fn choose(
    source: &Source,
    mode: Option<Mode>,
    batch: Option<u64>,
) -> Result<(Mode, Option<u64>), Failure> {
    let trains = source.trains();
    let mode = mode.unwrap_or(if trains { Mode::Train } else { Mode::Infer });
    if mode == Mode::Train && !trains {
        let text = match source.precision() {
            Precision::F32 => "has no `train` section to measure".to_string(),
            narrow => format!("training is in f32, not with weights of {}", narrow.name()),
        };
        let failure = Failure::usage(format!("{}: {text}", source.name()));
        return Err(failure.help("--mode infer measures the forward pass"));
    }
    let unknown = batch.is_none() && source.text().is_some() && source.is_full();
    Ok((mode, if unknown { Some(DEFAULT_BATCH) } else { batch }))
}

/// The rows of a step of a program that was built for `batch`.
pub fn rows(source: &Source, program: &Program, batch: Option<u64>) -> Result<u64, Failure> {
    let rows = batch.unwrap_or(program.batch);
    if rows > program.batch {
        return Err(source.fixed("rows", "--batch"));
    }
    Ok(rows)
}

/// The floating-point operations of a step of the program over so many rows.
pub fn flops(program: &Program, step: &Step, rows: u64) -> u64 {
    (step.flops as f64 * rows as f64 / program.batch as f64).round() as u64
}

/// Writes random weights where the program gives no initial ones.
fn fill_weights(executor: &mut Executor) -> Result<(), Failure> {
    let program = executor.program().clone();
    for (index, param) in program.params.iter().enumerate() {
        if program.buffers[param.buffer.0 as usize].dtype.is_narrow() {
            let stream = Stream { seed: 0, stream: StreamId(index as u32) };
            let elements = 0..param.shape.iter().product();
            let values: Vec<f32> = elements.map(|e| 0.05 * stream.normal(0, e)).collect();
            executor.write(param.buffer, &values)?;
        }
    }
    Ok(())
}

/// Writes random rows, within their domains, to all inputs and targets.
fn fill(executor: &mut Executor, rows: u64) -> Result<(), Failure> {
    let program = executor.program().clone();
    let inputs = program.inputs.iter().map(|port| (port, true));
    let targets = program.targets.iter().map(|port| (port, false));
    for (index, (port, input)) in inputs.chain(targets).enumerate() {
        let stream = Stream { seed: 0, stream: StreamId(DATA_STREAM + index as u32) };
        let elements = 0..rows * port.width;
        match program.buffers[port.buffer.0 as usize].dtype {
            DType::I32 => {
                let values: Vec<i32> = elements.map(|e| random_class(stream, e, port)).collect();
                executor.write_indices(port, 0, &values)?;
            }
            _ => {
                let value = |e| random_real(stream, e, port, input);
                let values: Vec<f32> = elements.map(value).collect();
                executor.write_floats(port, 0, &values)?;
            }
        }
    }
    Ok(())
}

fn random_class(stream: Stream, element: u64, port: &Port) -> i32 {
    let low = port.domain.first_class();
    let classes = port.domain.classes().unwrap_or(1).clamp(1, u64::from(u32::MAX));
    low.saturating_add(stream.below(0, element, classes as u32).into()) as i32
}

fn random_real(stream: Stream, element: u64, port: &Port, input: bool) -> f32 {
    match port.domain {
        Domain::Range(low, high) | Domain::RangeOr(low, high, _) => {
            low as f32 + stream.uniform(0, element) * high.saturating_sub(low) as f32
        }
        Domain::Interval(low, high) => {
            low as f32 + stream.uniform(0, element) * (high - low) as f32
        }
        _ if input => stream.normal(0, element),
        _ => stream.uniform(0, element),
    }
}

/// Runs step after step as a training does: the numbers that depend on the step are set before it.
pub struct Stepper {
    /// What steps.
    pub executor: Executor,
    scalars: Scalars,
    entry: EntryPoint,
    rows: usize,
    /// The steps whose gradients are accumulated; none where each is an update.
    accumulate: u64,
    clock: Clock,
}

impl Stepper {
    /// A stepper from initial values, over random rows.
    pub fn new(mut executor: Executor, entry: EntryPoint, rows: u64) -> Result<Stepper, Failure> {
        executor.run(EntryPoint::Init, 1)?;
        fill_weights(&mut executor)?;
        fill(&mut executor, rows)?;
        let program = executor.program();
        let schedules = program.training.as_ref().map_or(&[][..], |training| &training.schedules);
        let endless = Clock { step: 1 << 40, epoch: 1 << 40 };
        let mut scalars = Scalars::new(program, schedules, endless);
        let rows = rows as usize;
        scalars.set_rows(&mut executor, rows);
        let program = executor.program();
        let training = program.training.as_ref().filter(|training| training.accumulates());
        let accumulate = training.map_or(0, |training| training.accumulate);
        Ok(Stepper { executor, scalars, entry, rows, accumulate, clock: START })
    }

    /// Sets the numbers that depend on the step.
    #[inline]
    fn prepare(&mut self) {
        if self.entry == EntryPoint::Train {
            self.scalars.set_step(&mut self.executor, self.rows, self.clock);
            self.clock.step += 1;
        }
    }

    /// The steps done since the initial values; 0 where a step changes nothing.
    pub fn steps_done(&self) -> u64 {
        self.clock.step
    }

    #[inline]
    fn step(&mut self) -> Result<(), Failure> {
        self.prepare();
        self.executor.run(self.entry, self.rows)?;
        if self.entry == EntryPoint::Train && self.clock.step.is_multiple_of(self.accumulate) {
            self.executor.run(EntryPoint::Update, self.rows)?;
        }
        Ok(())
    }

    /// Back to the initial values and the first step.
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.clock = START;
        Ok(self.executor.run(EntryPoint::Init, 1)?)
    }

    /// Adds up the time of every step of the program over so many runs of its general kernels.
    pub fn time_kernels(&mut self, runs: u64, times: &mut [Duration]) -> Result<(), Failure> {
        for _ in 0..runs {
            self.prepare();
            self.executor.run_timed(self.entry, self.rows, times)?;
        }
        Ok(())
    }

    /// The time of so many steps.
    pub fn time(&mut self, steps: u64) -> Result<Duration, Failure> {
        let start = Instant::now();
        for _ in 0..steps {
            self.step()?;
        }
        Ok(start.elapsed())
    }
}

/// The value below which the share `q` of the sorted samples lies, interpolated.
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
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
