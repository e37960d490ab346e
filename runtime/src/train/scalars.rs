//! The numbers that the host computes before a step: learning rates and what depends on the count
//! of rows and steps. They are computed in f64 and stored as f32, and only where they changed.

use super::tape::{EPOCH, Known, ROWS, STEP, STEP_ROWS, Tape};
use crate::exec::Executor;
use crate::program::host::{HostInput, HostNumber};
use crate::program::{Program, Schedule};
use std::ops::Range;

/// Where a run stands, for what depends on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// Optimizer steps done.
    pub step: u64,
    /// Epochs done.
    pub epoch: u64,
}

/// A program's scalars with what was last stored of each: for the [`Trainer`](super::Trainer), and
/// for whoever runs an [`Executor`] by hand.
pub struct Scalars {
    tape: Tape,
    scalars: Vec<Stored>,
    schedules: Vec<Schedule>,
    /// The steps and epochs of the whole run.
    total: Clock,
    /// Whether no scalar depends on the time.
    timeless: bool,
    /// The rows that timeless scalars are set for.
    settled: Option<usize>,
}

struct Stored {
    /// Where its value lies on the tape.
    slot: usize,
    last: Option<f32>,
}

impl Scalars {
    /// For evaluations and, with schedules, for training of `total` steps and epochs.
    pub fn new(program: &Program, schedules: &[Schedule], total: Clock) -> Scalars {
        let mut tape = Tape::default();
        let rates: Vec<usize> = schedules
            .iter()
            .map(|schedule| tape.add(&schedule.rate, |input| of_run(input, schedule.base, total)))
            .collect();
        let momentum = |schedule: &Schedule| {
            let number = schedule.momentum.as_ref()?;
            Some(tape.add(number, |input| of_run(input, schedule.base, total)))
        };
        let momenta: Vec<Option<usize>> = schedules.iter().map(momentum).collect();
        let of_rates = |input| match input {
            // Without schedules nothing is trained, and nobody asks for what depends on a rate.
            HostInput::Rate(group) => match rates.get(usize::from(group)) {
                Some(&slot) => Known::Slot(slot),
                None => Known::Value(0.0),
            },
            HostInput::Momentum(group) => match momenta.get(usize::from(group)) {
                Some(&Some(slot)) => Known::Slot(slot),
                _ => Known::Value(0.0),
            },
            input => of_run(input, 0.0, total),
        };
        let numbers = program.scalars.iter().map(|(number, _)| number);
        let scalars: Vec<Stored> =
            numbers.map(|number| Stored { slot: tape.add(number, of_rates), last: None }).collect();
        Scalars {
            timeless: scalars.iter().all(|stored| tape.reads[stored.slot] & !(1 << ROWS) == 0),
            tape,
            scalars,
            schedules: schedules.to_vec(),
            total,
            settled: None,
        }
    }

    /// Lets the schedule of a group start from another rate; all scalars are stored anew.
    pub(crate) fn set_base(&mut self, program: &Program, group: usize, base: f64) {
        self.schedules[group].base = base;
        *self = Scalars::new(program, &self.schedules, self.total);
    }

    /// Sets what depends on the rows of the batch.
    #[inline]
    pub fn set_rows(&mut self, executor: &mut Executor, rows: usize) {
        self.settled = None;
        self.tape.set(ROWS, rows as f64);
        self.store(executor, |reads| reads & !(1 << ROWS) == 0);
    }

    /// Sets what an optimizer step over `rows` rows needs.
    #[inline]
    pub fn set_step(&mut self, executor: &mut Executor, rows: usize, clock: Clock) {
        self.set_batch(executor, 0..rows, rows, clock);
    }

    /// Sets what a batch of these rows needs, in an optimizer step over `step_rows`.
    #[inline]
    pub fn set_batch(
        &mut self,
        executor: &mut Executor,
        batch: Range<usize>,
        step_rows: usize,
        clock: Clock,
    ) {
        executor.set_step(clock.step, batch.start as u64);
        let rows = batch.len();
        if self.settled == Some(rows) {
            return;
        }
        self.settled = self.timeless.then_some(rows);
        self.tape.set(ROWS, rows as f64);
        self.tape.set(STEP_ROWS, step_rows as f64);
        self.tape.set(STEP, clock.step as f64);
        self.tape.set(EPOCH, clock.epoch as f64);
        self.store(executor, |_| true);
    }

    /// Stores those of the scalars that changed, by what they read.
    #[inline]
    fn store(&mut self, executor: &mut Executor, which: impl Fn(u8) -> bool) {
        self.tape.run();
        for (index, stored) in self.scalars.iter_mut().enumerate() {
            let value = Some(self.tape.values[stored.slot] as f32);
            if stored.last != value && which(self.tape.reads[stored.slot]) {
                stored.last = value;
                value.into_iter().for_each(|value| executor.set_scalar(index, value));
            }
        }
    }

    /// The first group's rate at a moment; 0 where nothing is trained.
    pub(crate) fn rate(&self, clock: Clock) -> f64 {
        let first = self.schedules.first();
        first.map_or(0.0, |schedule| at(schedule, &schedule.rate, clock, self.total))
    }
}

/// A number of a schedule, its rate or its momentum, at a moment of a run.
pub fn at(schedule: &Schedule, number: &HostNumber, now: Clock, total: Clock) -> f64 {
    number.value(|input| match input {
        HostInput::Step => now.step as f64,
        HostInput::Epoch => now.epoch as f64,
        input => match of_run(input, schedule.base, total) {
            Known::Value(value) => value,
            Known::Slot(_) => 0.0,
        },
    })
}

/// The inputs but the rates: some stay what they are in a run.
pub fn of_run(input: HostInput, base: f64, total: Clock) -> Known {
    match input {
        HostInput::Rows => Known::Slot(ROWS),
        HostInput::StepRows => Known::Slot(STEP_ROWS),
        HostInput::Step => Known::Slot(STEP),
        HostInput::Epoch => Known::Slot(EPOCH),
        HostInput::Base => Known::Value(base),
        HostInput::Steps => Known::Value(total.step as f64),
        HostInput::Epochs => Known::Value(total.epoch as f64),
        // A schedule reads no other, and metrics alone their values, as `verify` has seen.
        HostInput::Rate(_) | HostInput::Momentum(_) => Known::Value(0.0),
        HostInput::Value(_) | HostInput::Sum(_) => Known::Value(0.0),
    }
}
