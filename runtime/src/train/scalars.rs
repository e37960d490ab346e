//! The numbers that the host computes before a step: learning rates and what depends on the count
//! of rows and steps. They are computed in f64 and stored as f32, and only where they changed.

use crate::exec::Executor;
use crate::program::host::{HostInput, HostInstr, HostNumber, HostOp, POWER_BLOCK, power};
use crate::program::{Program, Schedule};

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
    scalars: Vec<Stored>,
    schedules: Vec<Schedule>,
    /// The steps and epochs of the whole run.
    total: Clock,
    /// The learning rate of each group, and its last value.
    rates: Vec<Number>,
    last_rates: Vec<f64>,
    /// Whether no scalar depends on the time.
    timeless: bool,
    /// The rows that timeless scalars are set for.
    settled: Option<usize>,
}

struct Stored {
    number: Number,
    /// Whether it is a matter of the rows alone.
    of_rows: bool,
    last: Option<f32>,
}

impl Scalars {
    /// For evaluations and, with schedules, for training of `total` steps and epochs.
    pub fn new(program: &Program, schedules: &[Schedule], total: Clock) -> Scalars {
        let rate = |schedule: &Schedule| {
            Number::new(&schedule.rate, |input| of_run(input, schedule.base, total))
        };
        let rates: Vec<Number> = schedules.iter().map(rate).collect();
        // Without schedules nothing is trained, and what depends on a rate is not asked for.
        let timed = |rate: &Number| !rate.inputs.is_empty();
        let is_timed = |input| match input {
            HostInput::Rate(group) => rates.get(usize::from(group)).is_some_and(timed),
            HostInput::Rows => false,
            _ => true,
        };
        let numbers = || program.scalars.iter().map(|(number, _)| number);
        let stored = numbers().map(|number| Stored {
            number: Number::new(number, |input| of_run(input, 0.0, total)),
            of_rows: number.inputs().all(|input| input == HostInput::Rows),
            last: None,
        });
        Scalars {
            scalars: stored.collect(),
            timeless: !numbers().flat_map(HostNumber::inputs).any(is_timed),
            last_rates: vec![0.0; rates.len()],
            rates,
            schedules: schedules.to_vec(),
            total,
            settled: None,
        }
    }

    /// Sets what depends on the rows of the batch.
    #[inline]
    pub fn set_rows(&mut self, executor: &mut Executor, rows: usize) {
        self.settled = None;
        let now = Now { rows: rows as f64, step: 0.0, epoch: 0.0, rates: &[] };
        for (index, stored) in self.scalars.iter_mut().enumerate() {
            if stored.of_rows {
                stored.set(executor, index, now);
            }
        }
    }

    /// Sets what an optimizer step over `rows` rows needs.
    #[inline]
    pub fn set_step(&mut self, executor: &mut Executor, rows: usize, clock: Clock) {
        if self.settled == Some(rows) {
            return;
        }
        self.settled = self.timeless.then_some(rows);
        let [rows, step, epoch] = [rows as u64, clock.step, clock.epoch].map(|n| n as f64);
        let now = Now { rows, step, epoch, rates: &[] };
        for (rate, last) in self.rates.iter_mut().zip(&mut self.last_rates) {
            *last = rate.value(now);
        }
        let now = Now { rates: &self.last_rates, ..now };
        for (index, stored) in self.scalars.iter_mut().enumerate() {
            stored.set(executor, index, now);
        }
    }

    /// The first group's rate at a moment; 0 where nothing is trained.
    pub(crate) fn rate(&self, clock: Clock) -> f64 {
        self.schedules.first().map_or(0.0, |schedule| rate(schedule, clock, self.total))
    }
}

/// A schedule's rate at a moment of a run.
pub fn rate(schedule: &Schedule, clock: Clock, total: Clock) -> f64 {
    schedule.rate.value(|input| match input {
        HostInput::Step => clock.step as f64,
        HostInput::Epoch => clock.epoch as f64,
        input => of_run(input, schedule.base, total).unwrap_or(0.0),
    })
}

/// The inputs that stay what they are in a run.
fn of_run(input: HostInput, base: f64, total: Clock) -> Option<f64> {
    match input {
        HostInput::Base => Some(base),
        HostInput::Steps => Some(total.step as f64),
        HostInput::Epochs => Some(total.epoch as f64),
        _ => None,
    }
}

impl Stored {
    #[inline]
    fn set(&mut self, executor: &mut Executor, index: usize, now: Now) {
        let value = Some(self.number.value(now) as f32);
        if self.last != value {
            self.last = value;
            value.into_iter().for_each(|value| executor.set_scalar(index, value));
        }
    }
}

/// The inputs that change.
#[derive(Clone, Copy)]
struct Now<'a> {
    rows: f64,
    step: f64,
    epoch: f64,
    rates: &'a [f64],
}

impl Now<'_> {
    #[inline]
    fn of(&self, input: HostInput) -> f64 {
        match input {
            HostInput::Rows => self.rows,
            HostInput::Step => self.step,
            HostInput::Epoch => self.epoch,
            HostInput::Rate(group) => self.rates.get(usize::from(group)).copied().unwrap_or(0.0),
            // Those of the whole run are known from the beginning.
            HostInput::Base | HostInput::Steps | HostInput::Epochs => 0.0,
        }
    }
}

/// A number with everything computed that does not change in a run.
struct Number {
    /// The value of each instruction; the last is the number's.
    values: Vec<f64>,
    /// What is read before each evaluation, and where to.
    inputs: Vec<(usize, HostInput)>,
    /// What is computed if an input has changed, and where to.
    work: Vec<(usize, Work)>,
}

enum Work {
    Apply(HostOp, [usize; 3]),
    /// A fixed number to a power that grows by one again and again.
    Power(Box<Powers>, usize),
}

impl Number {
    /// A verified number, given the inputs that stay what they are.
    fn new(number: &HostNumber, fixed: impl Fn(HostInput) -> Option<f64>) -> Number {
        let mut own = Number { values: Vec::new(), inputs: Vec::new(), work: Vec::new() };
        let mut is_fixed: Vec<bool> = Vec::new();
        for (index, instr) in number.code.iter().enumerate() {
            let known = match *instr {
                HostInstr::Const(value) => Some(value),
                HostInstr::Input(input) => {
                    let known = fixed(input);
                    if known.is_none() {
                        own.inputs.push((index, input));
                    }
                    known
                }
                HostInstr::Apply(op, args) => {
                    let args = args.map(usize::from);
                    let all = args.iter().all(|&arg| is_fixed[arg]);
                    if !all {
                        own.work.push((index, Work::new(op, args, &own.values, &is_fixed)));
                    }
                    all.then(|| op.value(args.map(|arg| own.values[arg])))
                }
            };
            is_fixed.push(known.is_some());
            // No input equals NaN, so the first evaluation finds all of them changed.
            own.values.push(known.unwrap_or(f64::NAN));
        }
        own
    }

    #[inline]
    fn value(&mut self, now: Now) -> f64 {
        let values = &mut self.values;
        let mut changed = false;
        for &(to, input) in &self.inputs {
            let value = now.of(input);
            changed |= values[to] != value;
            values[to] = value;
        }
        if changed {
            for (to, work) in &mut self.work {
                values[*to] = match work {
                    Work::Apply(op, args) => op.value(args.map(|arg| values[arg])),
                    Work::Power(powers, exponent) => powers.at(values[*exponent] as u64),
                };
            }
        }
        values.last().copied().unwrap_or(0.0)
    }
}

impl Work {
    fn new(op: HostOp, args: [usize; 3], values: &[f64], is_fixed: &[bool]) -> Work {
        match op {
            HostOp::Power if is_fixed[args[0]] => {
                Work::Power(Box::new(Powers::new(values[args[0]])), args[1])
            }
            _ => Work::Apply(op, args),
        }
    }
}

/// [`power`] of one number for an n that grows by one again and again: one multiplication most
/// times. A value depends on n alone, not on those asked for before, so that a resumed run repeats
/// it.
struct Powers {
    x: f64,
    /// x⁰ to x⁶³
    low: [f64; POWER_BLOCK as usize],
    /// The last n without its low bits, and x to that power.
    high: (u64, f64),
}

impl Powers {
    fn new(x: f64) -> Powers {
        Powers { x, low: std::array::from_fn(|n| power(x, n as u64)), high: (0, 1.0) }
    }

    #[inline]
    fn at(&mut self, n: u64) -> f64 {
        let start = n - n % POWER_BLOCK;
        if start != self.high.0 {
            self.high = (start, power(self.x, start));
        }
        self.high.1 * self.low[(n % POWER_BLOCK) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_evaluated_as_its_tape_says() {
        let input = |input: HostInput| HostNumber::from(input);
        let step = || input(HostInput::Step);
        let decay = input(HostInput::Rate(0)) / (1.0 - HostNumber::from(0.9).power(step() + 1.0));
        let share = HostNumber::per_row(0.5);
        let run = input(HostInput::Base) * (input(HostInput::Epoch) / input(HostInput::Epochs));
        let fixed = |input| of_run(input, 3.0, Clock { step: 200, epoch: 8 });
        let mut numbers = [decay, share, run].map(|n| (Number::new(&n, fixed), n));
        assert!(numbers[2].0.values[0] == 3.0 && numbers[2].0.inputs.len() == 1);
        // Backwards too, and again.
        for moment in (0..200).chain([3, 64, 63, 1_000_000, 65, 65, 0]) {
            let now =
                Now { rows: 4.0, step: moment as f64, epoch: (moment / 64) as f64, rates: &[0.1] };
            for (number, tape) in &mut numbers {
                let expected = tape.value(|input| fixed(input).unwrap_or_else(|| now.of(input)));
                assert_eq!(number.value(now).to_bits(), expected.to_bits(), "{tape} at {moment}");
            }
        }
    }

    #[test]
    fn powers_do_not_depend_on_those_before() {
        let mut powers = Powers::new(0.9);
        let in_order: Vec<f64> = (0..200).map(|n| powers.at(n)).collect();
        assert!((0..200).all(|n| Powers::new(0.9).at(n) == in_order[n as usize]));
        assert!((0..200).all(|n| power(0.9, n) == in_order[n as usize]));
    }
}
