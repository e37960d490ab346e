//! Softmax and its logarithm.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use super::{elements, float_shapes, row_length};
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// eˣ / Σ eˣ along the last dimension: torch.nn.Softmax(dim=-1); or with `log` its logarithm,
/// x - ln Σ eˣ: torch.nn.LogSoftmax(dim=-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softmax {
    /// The logarithm.
    pub log: bool,
}

impl Operator for Softmax {
    fn text(&self) -> String {
        if self.log { "log_softmax" } else { "softmax" }.into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        row_length(&x)?;
        Ok(Type::f32(x))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let f = Formula::new(g);
        let (y, dy) = (f.term(node), f.term(dy));
        let dx = match self.log {
            false => y * (dy - (dy * y).sum_last()),
            true => dy - y.exp() * dy.sum_last(),
        };
        Some(dx.id)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let x = inputs[0];
        let function = if self.log { log_softmax } else { softmax };
        Tensor { shape: x.shape, data: x.rows().flat_map(function).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROW_BY_ROW
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        // The largest, a subtraction, an exponential, the sum, and a division or a subtraction.
        elements(&inputs[0], batch).saturating_mul(5)
    }

    fn samples() -> Vec<Sample> {
        let sample = |log, shape| Sample {
            op: Softmax { log }.into(),
            inputs: vec![Operand::f32(shape, -3.0, 3.0)],
        };
        vec![
            sample(false, Shape::batched(&[3])),
            sample(false, Shape::batched(&[2, 17])),
            sample(false, Shape::fixed(&[4])),
            sample(true, Shape::batched(&[3])),
            sample(true, Shape::batched(&[2, 17])),
        ]
    }
}

impl Anchor for Softmax {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Softmax(program::Softmax { x: parts.input(0), y: parts.result(), log: self.log })
    }
}

/// The softmax of one row.
pub(super) fn softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = row.iter().map(|x| (x - max).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// The log-softmax of one row.
pub(super) fn log_softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = row.iter().map(|x| (x - max).exp()).sum::<f64>().ln();
    row.iter().map(|x| x - max - log_sum).collect()
}
