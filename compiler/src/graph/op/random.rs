//! Random numbers.

use super::{Admits, Anchor, Binding, Computed, Operator, Parts, Sample, Traits, Write, elements};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, StreamId};
use std::fmt;
use std::hash::{Hash, Hasher};

/// Random numbers, each a function of the seed, this stream, the step and its position
/// (Philox 4x32-10).
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// The shape of the result.
    pub shape: Shape,
    /// Their distribution.
    pub distribution: Distribution,
    /// Which of the independent streams of numbers.
    pub stream: StreamId,
}

/// A distribution of random numbers.
#[derive(Clone, Copy, Debug)]
pub enum Distribution {
    /// Uniform from the first up to, but not including, the second.
    Uniform(f64, f64),
    /// Normal with this mean and standard deviation.
    Normal(f64, f64),
    /// 0 with the probability that is the first, else the second.
    Mask(f64, f64),
    /// Normal with this mean and standard deviation, within the other two.
    Truncated(f64, f64, f64, f64),
    /// Columns, or rows where these are fewer, at right angles and of this length.
    Orthogonal(f64),
}

impl Distribution {
    /// Numbers that are the same exactly when the distributions are.
    fn key(&self) -> (u8, [u64; 4]) {
        let (kind, numbers) = match *self {
            Distribution::Uniform(low, high) => (0, [low, high, 0.0, 0.0]),
            Distribution::Normal(mean, deviation) => (1, [mean, deviation, 0.0, 0.0]),
            Distribution::Mask(share, kept) => (2, [share, kept, 0.0, 0.0]),
            Distribution::Truncated(mean, dev, low, high) => (3, [mean, dev, low, high]),
            Distribution::Orthogonal(gain) => (4, [gain, 0.0, 0.0, 0.0]),
        };
        (kind, numbers.map(f64::to_bits))
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Distribution::Uniform(low, high) => write!(f, "uniform({low}, {high})"),
            Distribution::Normal(mean, deviation) => write!(f, "normal({mean}, {deviation})"),
            Distribution::Mask(share, kept) => write!(f, "mask({share}, {kept})"),
            Distribution::Truncated(mean, deviation, low, high) => {
                write!(f, "truncated({mean}, {deviation}, {low}, {high})")
            }
            Distribution::Orthogonal(gain) => write!(f, "orthogonal({gain})"),
        }
    }
}

impl PartialEq for Random {
    fn eq(&self, other: &Random) -> bool {
        self.shape == other.shape
            && self.stream == other.stream
            && self.distribution.key() == other.distribution.key()
    }
}

impl Eq for Random {}

impl Hash for Random {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.stream, self.distribution.key()).hash(state);
    }
}

impl Operator for Random {
    fn text(&self) -> String {
        format!("{} stream={}", self.distribution, self.stream.0)
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        if !inputs.is_empty() {
            return Err(ShapeError("random numbers have no operands".into()));
        }
        Ok(Type::f32(self.shape))
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None
    }

    fn eval(&self, _: &[&Tensor], _: usize) -> Tensor {
        panic!("random numbers are the runtime's, the oracle has none")
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits { panels: Admits::ALL, columns: Admits::ALL, ..Traits::ROWS }
    }

    fn formula(&self, _: usize, _: Write<'_>) -> (String, Binding) {
        (self.distribution.to_string(), Binding::Call)
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        let elements = elements(output, batch);
        match self.distribution {
            // Twice the products of all pairs of rows or columns.
            Distribution::Orthogonal(_) => {
                let cols = output.last().unwrap_or(1) as u64;
                elements.saturating_mul(4 * cols.min(elements / cols))
            }
            _ => elements,
        }
    }

    fn samples() -> Vec<Sample> {
        vec![] // the oracle cannot evaluate it
    }
}

impl Anchor for Random {
    fn kernel(&self, parts: Parts) -> Kernel {
        let distribution = match self.distribution {
            Distribution::Uniform(low, high) => {
                program::Distribution::Uniform(low as f32, high as f32)
            }
            Distribution::Normal(mean, deviation) => {
                program::Distribution::Normal(mean as f32, deviation as f32)
            }
            Distribution::Mask(share, kept) => {
                program::Distribution::Mask(share as f32, kept as f32)
            }
            Distribution::Truncated(mean, deviation, low, high) => {
                let [mean, deviation, low, high] =
                    [mean, deviation, low, high].map(|value| value as f32);
                program::Distribution::Truncated(mean, deviation, low, high)
            }
            Distribution::Orthogonal(gain) => program::Distribution::Orthogonal(gain as f32),
        };
        Kernel::Random(program::Random { y: parts.result(), distribution, stream: self.stream })
    }
}
