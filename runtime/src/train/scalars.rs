//! The numbers that the host computes before a step: learning rates and what depends on the count
//! of rows and steps. They are computed in f64 and stored as f32, and only where they changed.

use crate::exec::Executor;
use crate::program::host::{
    HostInput, HostInstr, HostNumber, HostOp, POWER_BLOCK, Pochhammer, power,
};
use crate::program::{Program, Schedule};
use std::collections::HashMap;

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
        let mut tape = Tape::new();
        let rates: Vec<usize> = schedules
            .iter()
            .map(|schedule| tape.add(&schedule.rate, |input| of_run(input, schedule.base, total)))
            .collect();
        let of_rates = |input| match input {
            // Without schedules nothing is trained, and nobody asks for what depends on a rate.
            HostInput::Rate(group) => match rates.get(usize::from(group)) {
                Some(&slot) => Known::Slot(slot),
                None => Known::Value(0.0),
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
        if self.settled == Some(rows) {
            return;
        }
        self.settled = self.timeless.then_some(rows);
        self.tape.set(ROWS, rows as f64);
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
        let Some(Schedule { base, rate }) = self.schedules.first() else { return 0.0 };
        rate.value(|input| match input {
            HostInput::Step => clock.step as f64,
            HostInput::Epoch => clock.epoch as f64,
            input => match of_run(input, *base, self.total) {
                Known::Value(value) => value,
                Known::Slot(_) => 0.0,
            },
        })
    }
}

/// What is known of an input before a run.
#[derive(Clone, Copy)]
enum Known {
    /// It stays what it is.
    Value(f64),
    /// It changes, and has a place on the tape.
    Slot(usize),
}

/// The inputs but the rates: some stay what they are in a run.
fn of_run(input: HostInput, base: f64, total: Clock) -> Known {
    match input {
        HostInput::Rows => Known::Slot(ROWS),
        HostInput::Step => Known::Slot(STEP),
        HostInput::Epoch => Known::Slot(EPOCH),
        HostInput::Base => Known::Value(base),
        HostInput::Steps => Known::Value(total.step as f64),
        HostInput::Epochs => Known::Value(total.epoch as f64),
        // A schedule reads no rate, and metrics alone their values, as `verify` has seen.
        HostInput::Rate(_) | HostInput::Value(_) | HostInput::Sum(_) => Known::Value(0.0),
    }
}

/// The slots of what changes in a run.
const ROWS: usize = 0;
const STEP: usize = 1;
const EPOCH: usize = 2;

/// All numbers of a program on one tape: what does not change is computed beforehand, what several
/// need once, and the rest where something that it reads has changed.
struct Tape {
    values: Vec<f64>,
    /// Which of the first slots each value depends on, a bit each.
    reads: Vec<u8>,
    work: Vec<Work>,
    /// The slots that were set to another value since the tape last ran.
    changed: u8,
    /// The slots of what was added: numbers by their bits, and operations.
    known: HashMap<(Option<HostOp>, [u64; 3]), usize>,
}

struct Work {
    op: HostOp,
    /// The slots of the operands and of the value.
    args: [usize; 3],
    to: usize,
    reads: u8,
    /// For what grows from step to step.
    series: Option<Series>,
}

/// A value for an n that grows by one again and again, the last operand. It depends on n alone,
/// not on those asked for before, so that a resumed run repeats it.
enum Series {
    Powers(Box<Powers>),
    Pochhammer(Pochhammer),
}

impl Series {
    /// That of an operation whose first operands are fixed.
    fn of(op: HostOp, [a, b, _]: [f64; 3]) -> Option<Series> {
        match op {
            HostOp::Power => Some(Series::Powers(Box::new(Powers::new(a)))),
            HostOp::Pochhammer => Some(Series::Pochhammer(Pochhammer::new(a, b))),
            _ => None,
        }
    }

    #[inline]
    fn at(&mut self, n: u64) -> f64 {
        match self {
            Series::Powers(powers) => powers.at(n),
            Series::Pochhammer(product) => product.at(n),
        }
    }
}

impl Tape {
    fn new() -> Tape {
        // No input equals NaN, so all have changed when they are first set.
        let (values, reads) = (vec![f64::NAN; 3], vec![1 << ROWS, 1 << STEP, 1 << EPOCH]);
        Tape { values, reads, work: Vec::new(), changed: 0, known: HashMap::new() }
    }

    /// Adds a verified number; gives the slot of its value.
    fn add(&mut self, number: &HostNumber, known: impl Fn(HostInput) -> Known) -> usize {
        let mut slots: Vec<usize> = Vec::with_capacity(number.code.len());
        for instr in &number.code {
            slots.push(match *instr {
                HostInstr::Const(value) => self.constant(value),
                HostInstr::Input(input) => match known(input) {
                    Known::Value(value) => self.constant(value),
                    Known::Slot(slot) => slot,
                },
                HostInstr::Apply(op, args) => {
                    self.apply(op, args.map(|arg| slots[usize::from(arg)]))
                }
            });
        }
        slots.pop().unwrap_or_else(|| self.constant(0.0))
    }

    /// The slot of a number that stays what it is.
    fn constant(&mut self, value: f64) -> usize {
        let key = (None, [value.to_bits(), 0, 0]);
        self.known.get(&key).copied().unwrap_or_else(|| self.push(key, value, 0))
    }

    fn apply(&mut self, op: HostOp, args: [usize; 3]) -> usize {
        let key = (Some(op), args.map(|arg| arg as u64));
        if let Some(&slot) = self.known.get(&key) {
            return slot;
        }
        let reads = args.iter().fold(0, |reads, &arg| reads | self.reads[arg]);
        if reads == 0 {
            return self.constant(op.value(args.map(|arg| self.values[arg])));
        }
        let firsts = &args[..op.arity() - 1];
        let is_fixed = firsts.iter().all(|&arg| self.reads[arg] == 0);
        let series = Series::of(op, args.map(|arg| self.values[arg])).filter(|_| is_fixed);
        let to = self.push(key, f64::NAN, reads);
        self.work.push(Work { op, args, to, reads, series });
        to
    }

    fn push(&mut self, key: (Option<HostOp>, [u64; 3]), value: f64, reads: u8) -> usize {
        let slot = self.values.len();
        self.known.insert(key, slot);
        self.values.push(value);
        self.reads.push(reads);
        slot
    }

    #[inline]
    fn set(&mut self, slot: usize, value: f64) {
        if self.values[slot] != value {
            self.values[slot] = value;
            self.changed |= 1 << slot;
        }
    }

    /// Computes what has changed.
    #[inline]
    fn run(&mut self) {
        let Tape { values, work, changed, .. } = self;
        for Work { op, args, to, reads, series } in work {
            if *reads & *changed != 0 {
                values[*to] = match series {
                    Some(series) => series.at(values[args[op.arity() - 1]] as u64),
                    None => op.value(args.map(|arg| values[arg])),
                };
            }
        }
        *changed = 0;
    }
}

/// [`power`] of one number: one multiplication most times.
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
    fn a_tape_computes_what_its_numbers_say() {
        let input = |input: HostInput| HostNumber::from(input);
        let t = || input(HostInput::Step) + 1.0;
        let decay = input(HostInput::Base) / (1.0 - HostNumber::from(0.9).power(t()));
        let root = 1.0 / (1.0 - HostNumber::from(0.99).power(t())).sqrt();
        let share = HostNumber::per_row(0.5);
        let run = input(HostInput::Base) * (input(HostInput::Epoch) / input(HostInput::Epochs));
        let fixed = input(HostInput::Base) * 2.0;
        let product = HostNumber::from(0.5).pochhammer(0.96, t());
        let numbers = [decay, root, share, run, fixed, product];
        let total = Clock { step: 200, epoch: 8 };
        let mut tape = Tape::new();
        let slots = numbers.each_ref().map(|number| tape.add(number, |i| of_run(i, 3.0, total)));
        // t is computed once, and what is fixed not at all.
        let count = |op| tape.work.iter().filter(|work| work.op == op).count();
        assert_eq!((count(HostOp::Add), count(HostOp::Mul), tape.values[slots[4]]), (1, 1, 6.0));
        // Backwards too, and again.
        for moment in (0..200).chain([3, 64, 63, 1_000_000, 65, 65, 0]) {
            let now = [4.0, moment as f64, (moment / 64) as f64];
            (0..).zip(now).for_each(|(slot, value)| tape.set(slot, value));
            tape.run();
            for (number, slot) in numbers.iter().zip(slots) {
                let expected = number.value(|input| match of_run(input, 3.0, total) {
                    Known::Value(value) => value,
                    Known::Slot(slot) => now[slot],
                });
                let found = tape.values[slot];
                assert_eq!(found.to_bits(), expected.to_bits(), "{number} at {moment}");
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
