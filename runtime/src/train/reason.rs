//! Why a run diverged, as far as that can be measured: the operation that had no value, columns
//! with large values, and how the loss and the weights grew before.

use super::Trainer;
use crate::data::{Choice, Words, shown};
use crate::exec::{NonFinite, Operation};
use crate::program::{DType, Opcode, Port};

/// Beyond this, the values of a column are called large.
const LARGE: f32 = 30.0;
/// What grows by this factor, grows without bounds.
const GROWTH: f64 = 10.0;
/// The largest power of e that a 32-bit float holds.
const MOST_EXPONENT: f32 = 88.7;

/// The part of a training step that a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The forward pass.
    Value,
    /// The backward pass.
    Gradient,
    /// The optimizer's update.
    Update,
    /// A parameter as it was before the step.
    Parameter,
}

/// Something that was measured about a divergence.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// An operation has no value at its operands.
    Operation {
        /// The operation.
        operation: Operation,
        /// Whether it is one of a gradient.
        of_gradient: bool,
    },
    /// A column has large values.
    Column {
        /// Its name; where it has none, its place and its input or target.
        name: String,
        /// The least value of the rows trained on.
        low: f32,
        /// The largest.
        high: f32,
    },
    /// The steps were too long.
    Growth {
        /// The least loss so far, and the last one; `None` where it did not grow.
        loss: Option<(f64, f64)>,
        /// The norm of all parameters at the last good state, and before the bad step; `None` where
        /// it did not grow.
        weights: Option<(f64, f64)>,
        /// The learning rate.
        rate: f64,
    },
}

/// What an epoch had come to before its bad step.
pub(super) struct Before<'a> {
    /// The losses of its steps.
    pub(super) losses: &'a [f32],
    /// The norm of all parameters at its start, or when weights were loaded.
    pub(super) norm: f64,
    /// The rate of the bad step.
    pub(super) rate: f64,
}

impl Reason {
    /// A sentence with the way out, as the caller would write it.
    pub fn text(&self, words: Words) -> String {
        match self {
            Reason::Operation { operation: Operation { op, args: [a, b, _] }, of_gradient } => {
                match op {
                    Opcode::Log => format!(
                        "it is the logarithm of {a}: keep its operand above 0, as by \
                         `log(x + 1e-6)`"
                    ),
                    Opcode::Sqrt => {
                        format!("it is the root of {a}: keep its operand from falling below 0")
                    }
                    Opcode::Exp => format!(
                        "it is e to the power of {a}, and the largest float is that of \
                         {MOST_EXPONENT}: keep its operand small"
                    ),
                    _ if *of_gradient => format!(
                        "the gradient divides {a} by {b}: keep the operand away from 0, as by \
                         `sqrt(x + 1e-6)`"
                    ),
                    _ => format!("it is {a} divided by {b}: keep the divisor away from 0"),
                }
            }
            Reason::Column { name, low, high } => {
                let [low, high] = [low, high].map(|x| short(f64::from(*x)));
                format!(
                    "{name} goes from {low} to {high}: scale such columns before training, so that \
                     they go from about -1 to 1"
                )
            }
            Reason::Growth { loss, weights, rate } => {
                let grew = |what: &str, grown: &Option<(f64, f64)>| {
                    let (from, to) = (*grown)?;
                    Some(format!("{what} from {} to {}", short(from), short(to)))
                };
                let loss = grew("the loss grew", loss);
                let weights = match loss {
                    Some(_) => grew("the weights", weights),
                    None => grew("the weights grew", weights),
                };
                let parts: Vec<String> = loss.into_iter().chain(weights).collect();
                let (rate, lr) = (short(*rate), words(Choice::LearningRate));
                match parts.is_empty() {
                    true => format!("the learning rate is {rate}: a smaller {lr} may help"),
                    false => format!(
                        "{} at a learning rate of {rate}: a smaller {lr} may help",
                        parts.join(", and ")
                    ),
                }
            }
        }
    }

    /// Weights whose norm grew.
    pub(super) fn of_weights(norms: (f64, f64), rate: f64) -> Option<Reason> {
        let weights = Some(grown(norms)?);
        Some(Reason::Growth { loss: None, weights, rate })
    }

    /// An operation that has no value where it was asked for one.
    fn of_operation(found: &NonFinite, of_gradient: bool) -> Option<Reason> {
        let operation = found.operation?;
        let [a, b, _] = operation.args;
        let has_none = match operation.op {
            Opcode::Log => a <= 0.0,
            Opcode::Sqrt => a < 0.0,
            Opcode::Exp => a > MOST_EXPONENT,
            Opcode::Div => b == 0.0,
            _ => false,
        };
        has_none.then_some(Reason::Operation { operation, of_gradient })
    }
}

impl Trainer {
    /// What can be measured before the bad step, whose first bad value this is.
    pub(super) fn reasons(
        &self,
        found: Option<&NonFinite>,
        part: Part,
        before: &Before,
    ) -> Vec<Reason> {
        let operation = found.and_then(|found| Reason::of_operation(found, part == Part::Gradient));
        let earlier = self.lowest.map(|lowest| lowest.loss).into_iter();
        let all = earlier.chain(before.losses.iter().map(|&loss| loss.into()));
        let least = all.min_by(f64::total_cmp);
        let last = before.losses.last().map(|&loss| f64::from(loss));
        let last = last.or(self.lowest.map(|lowest| lowest.last));
        let loss = least.zip(last).and_then(grown);
        let weights = grown((before.norm, self.norm()));
        let growth = Reason::Growth { loss, weights, rate: before.rate };
        let grows = loss.is_some() || weights.is_some() || part == Part::Update;
        let is_enough = operation.is_some() && !grows;
        let columns = if is_enough { Vec::new() } else { self.large_columns() };
        operation.into_iter().chain(columns).chain(grows.then_some(growth)).collect()
    }

    /// The norm of all parameters.
    pub(super) fn norm(&self) -> f64 {
        let params = self.program.program().params.iter();
        let values = params.flat_map(|param| self.executor.read(param.buffer));
        values.map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
    }

    /// The columns with the largest values: one of the inputs, and one of the targets.
    fn large_columns(&self) -> Vec<Reason> {
        let program = self.program.program();
        let of = |ports: &[Port], first: usize| {
            let is_real = |port: &Port| program.buffers[port.buffer.0 as usize].dtype == DType::F32;
            let ports = (first..).zip(ports).filter(|(_, port)| is_real(port));
            let columns = ports.flat_map(|(index, port)| {
                let named = |(column, [low, high]): (usize, [f32; 2])| {
                    (self.column_name(port, column), low, high)
                };
                self.ranges(index, port).into_iter().enumerate().map(named)
            });
            let size = |(_, low, high): &(String, f32, f32)| low.abs().max(high.abs());
            columns.max_by(|a, b| size(a).total_cmp(&size(b))).filter(|column| size(column) > LARGE)
        };
        let largest = [of(&program.inputs, 0), of(&program.targets, program.inputs.len())];
        let reason = |(name, low, high)| Reason::Column { name, low, high };
        largest.into_iter().flatten().map(reason).collect()
    }

    /// The least and the largest value of each column of a port in the rows trained on; of none
    /// where they cannot be read.
    fn ranges(&self, index: usize, port: &Port) -> Vec<[f32; 2]> {
        let width = port.width as usize;
        let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; width];
        let read = self.data.each_block_of(index, |first, values| {
            for row in self.training_rows.within(first..first + values.len() / width) {
                let row = &values[(row as usize - first) * width..][..width];
                for ([low, high], &value) in ranges.iter_mut().zip(row) {
                    (*low, *high) = (low.min(value), high.max(value));
                }
            }
        });
        read.map_or(Vec::new(), |()| ranges)
    }

    /// The name of a column.
    fn column_name(&self, port: &Port, column: usize) -> String {
        match self.columns.get(&port.name) {
            Some(names) => format!("the column `{}`", shown(&names[column])),
            None if port.width == 1 => format!("`{}`", shown(&port.name)),
            None => format!("number {} of `{}`", column + 1, shown(&port.name)),
        }
    }
}

/// From where to where something grew, if it did.
fn grown((from, to): (f64, f64)) -> Option<(f64, f64)> {
    let grows = to.is_finite() && to - from > (GROWTH - 1.0) * from.abs().max(1e-6);
    grows.then_some((from, to))
}

/// A number with as many digits as anyone reads.
fn short(x: f64) -> String {
    match x.abs() {
        size if size != 0.0 && !(1e-3..1e6).contains(&size) => format!("{x:.1e}"),
        size if size >= 1e3 => format!("{x:.0}"),
        _ => {
            let text = format!("{x:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_string()
        }
    }
}
