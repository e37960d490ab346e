//! What the benchmarks share: a net's text becomes an executor with data in it, ready to step.

use arenet::internals::prelude::*;
use arenet::internals::runtime::exec::{EntryPoint, Executor};
use arenet::internals::runtime::program::{DType, Domain, StreamId};
use arenet::internals::runtime::random::Stream;
use arenet::internals::runtime::train::{Clock, Scalars};
use criterion::Criterion;
use std::time::Duration;

/// One thread, so that a figure is that of the code and not of what else the machine does.
pub const ALONE: RunOptions = RunOptions { isa: None, threads: Some(1), max_memory: None };

/// Short measurements: the whole takes minutes, and what is compared stands beside each other.
pub fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

/// From text to an executor that can run, for so many rows or as many as the text says.
pub fn executor(source: &str, training: bool, batch: Option<u64>) -> Executor {
    executor_on(1, source, training, batch)
}

/// The same with so many threads.
pub fn executor_on(threads: usize, source: &str, training: bool, batch: Option<u64>) -> Executor {
    let purpose = if training { Purpose::Train } else { Purpose::Predict };
    let options = CompileOptions { purpose, batch, ..CompileOptions::default() };
    let compiled = compile(source, &options).unwrap_or_else(|found| panic!("{found:#?}"));
    let options = RunOptions { threads: Some(threads), ..ALONE };
    Executor::new(compiled.program, options).expect("the machine has room for it")
}

/// An executor that steps as a training does: what depends on the step is set before it.
pub struct Stepper {
    /// What runs.
    pub executor: Executor,
    scalars: Scalars,
    entry: EntryPoint,
    rows: usize,
    clock: Clock,
}

impl Stepper {
    /// A stepper over batches of so many random rows.
    pub fn new(source: &str, training: bool, batch: u64) -> Stepper {
        Stepper::on(1, source, training, batch)
    }

    /// The same with so many threads.
    pub fn on(threads: usize, source: &str, training: bool, batch: u64) -> Stepper {
        let mut executor = executor_on(threads, source, training, Some(batch));
        executor.run(EntryPoint::Init, 1).expect("every program can be initialised");
        fill(&mut executor);
        let program = executor.program();
        let rows = program.batch as usize;
        let schedules = program.training.as_ref().map_or(&[][..], |training| &training.schedules);
        let endless = Clock { step: 1 << 40, epoch: 1 << 40 };
        let mut scalars = Scalars::new(program, schedules, endless);
        scalars.set_rows(&mut executor, rows);
        let entry = if training { EntryPoint::Train } else { EntryPoint::Predict };
        Stepper { executor, scalars, entry, rows, clock: Clock { step: 0, epoch: 0 } }
    }

    /// One step.
    pub fn step(&mut self) {
        if self.entry == EntryPoint::Train {
            self.scalars.set_step(&mut self.executor, self.rows, self.clock);
            self.clock.step += 1;
        }
        self.executor.run(self.entry, self.rows).expect("the rows are those of the batch");
    }

    /// The floating-point operations of a step.
    pub fn flops(&self) -> u64 {
        self.executor.program().routines[self.entry].steps.iter().map(|step| step.flops).sum()
    }
}

/// Writes random rows to all inputs and targets.
fn fill(executor: &mut Executor) {
    let program = executor.program();
    let rows = program.batch;
    let ports: Vec<_> = program.inputs.iter().chain(&program.targets).cloned().collect();
    for (index, port) in ports.iter().enumerate() {
        let stream = Stream { seed: 0, stream: StreamId((1 << 31) + index as u32) };
        let elements = 0..rows * port.width;
        let written = match executor.program().buffers[port.buffer.0 as usize].dtype {
            DType::I32 => {
                let Domain::Range(low, high) = port.domain else { panic!("classes have a range") };
                let class = |e| low as i32 + stream.below(0, e, (high - low) as u32) as i32;
                let values: Vec<i32> = elements.map(class).collect();
                executor.write_indices(port, 0, &values)
            }
            _ => {
                let values: Vec<f32> = elements.map(|e| stream.uniform(0, e)).collect();
                executor.write_floats(port, 0, &values)
            }
        };
        written.expect("the values fit the port");
    }
}
