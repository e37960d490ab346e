//! The tape on which the numbers of the host are computed.

use crate::program::host::{
    HostInput, HostInstr, HostNumber, HostOp, POWER_BLOCK, Pochhammer, power,
};
use std::collections::HashMap;

/// What is known of an input before a run.
#[derive(Clone, Copy)]
pub enum Known {
    /// It stays what it is.
    Value(f64),
    /// It changes, and has a place on the tape.
    Slot(usize),
}

/// The slot of the rows of a step.
pub const ROWS: usize = 0;
/// The slot of the steps done.
pub const STEP: usize = 1;
/// The slot of the epochs done.
pub const EPOCH: usize = 2;
/// The slot of the rows of all batches of a step.
pub const STEP_ROWS: usize = 3;

/// All numbers of a program on one tape: what does not change is computed beforehand, what several
/// need once, and the rest where something that it reads has changed.
pub struct Tape {
    /// The values, by their slots.
    pub values: Vec<f64>,
    /// Which of the first slots each value depends on, a bit each.
    pub reads: Vec<u8>,
    /// What is computed in a run, in order.
    pub work: Vec<Work>,
    /// The slots that were set to another value since the tape last ran.
    changed: u8,
    /// The slots of what was added: numbers by their bits, and operations.
    known: HashMap<(Option<HostOp>, [u64; 3]), usize>,
}

/// An operation on the tape.
pub struct Work {
    /// What is computed.
    pub op: HostOp,
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

/// Nothing added yet.
impl Default for Tape {
    fn default() -> Tape {
        // No input equals NaN, so all have changed when they are first set.
        let slots = [ROWS, STEP, EPOCH, STEP_ROWS];
        let (values, reads) = (vec![f64::NAN; 4], slots.map(|slot| 1 << slot).to_vec());
        Tape { values, reads, work: Vec::new(), changed: 0, known: HashMap::new() }
    }
}

impl Tape {
    /// Adds a verified number; gives the slot of its value.
    pub fn add(&mut self, number: &HostNumber, known: impl Fn(HostInput) -> Known) -> usize {
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

    /// Sets what changes in a run.
    #[inline]
    pub fn set(&mut self, slot: usize, value: f64) {
        if self.values[slot] != value {
            self.values[slot] = value;
            self.changed |= 1 << slot;
        }
    }

    /// Computes what has changed.
    #[inline]
    pub fn run(&mut self) {
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
pub struct Powers {
    x: f64,
    /// x⁰ to x⁶³
    low: [f64; POWER_BLOCK as usize],
    /// The last n without its low bits, and x to that power.
    high: (u64, f64),
}

impl Powers {
    /// Those of `x`.
    pub fn new(x: f64) -> Powers {
        Powers { x, low: std::array::from_fn(|n| power(x, n as u64)), high: (0, 1.0) }
    }

    /// x to the power of `n`.
    #[inline]
    pub fn at(&mut self, n: u64) -> f64 {
        let start = n - n % POWER_BLOCK;
        if start != self.high.0 {
            self.high = (start, power(self.x, start));
        }
        self.high.1 * self.low[(n % POWER_BLOCK) as usize]
    }
}
