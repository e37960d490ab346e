//! Softmax.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use super::{elements, float_shapes, row_length};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};
use arenet_program::{self as program, Kernel};

/// eˣ / Σ eˣ along the last dimension: torch.nn.Softmax(dim=-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Softmax;

impl Operator for Softmax {
    fn text(&self) -> String {
        "softmax".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        row_length(&x)?;
        Ok(Type::f32(x))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let f = Formula::new(g);
        let (y, dy) = (f.term(node), f.term(dy));
        Some((y * (dy - (dy * y).sum_last())).id)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let x = inputs[0];
        Tensor { shape: x.shape, data: x.rows().flat_map(softmax).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROW_BY_ROW
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        // The largest, a subtraction, an exponential, the sum and a division.
        elements(&inputs[0], batch).saturating_mul(5)
    }

    fn samples() -> Vec<Sample> {
        let sample =
            |shape| Sample { op: Softmax.into(), inputs: vec![Operand::f32(shape, -3.0, 3.0)] };
        vec![
            sample(Shape::batched(&[3])),
            sample(Shape::batched(&[2, 17])),
            sample(Shape::fixed(&[4])),
        ]
    }
}

impl Anchor for Softmax {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Softmax(program::Softmax { x: parts.input(0), y: parts.result(), log: false })
    }
}

/// The softmax of one row.
pub(super) fn softmax(row: &[f64]) -> Vec<f64> {
    let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = row.iter().map(|x| (x - max).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}
