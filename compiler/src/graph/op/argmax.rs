//! Where the largest element of each row is.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use super::{elements, first_largest, float_shapes, row_length};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The position of the largest element of each row, the first one at ties: torch.argmax(dim=-1).
///
/// Operand: [.., C]. Result: [.., 1], whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Argmax;

impl Operator for Argmax {
    fn text(&self) -> String {
        "argmax".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        row_length(&x)?;
        Ok(Type::f32(x.with_last(1)?))
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None // a step function
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let x = inputs[0];
        let shape = x.shape.with_last(1).expect("smaller than x");
        Tensor { shape, data: x.rows().map(|row| first_largest(row) as f64).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        elements(&inputs[0], batch)
    }

    fn samples() -> Vec<Sample> {
        let sample =
            |shape| Sample { op: Argmax.into(), inputs: vec![Operand::f32(shape, -3.0, 3.0)] };
        vec![
            sample(Shape::batched(&[3])),
            sample(Shape::batched(&[2, 17])),
            sample(Shape::fixed(&[4, 5])),
        ]
    }
}

impl Anchor for Argmax {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Argmax(program::Argmax { x: parts.input(0), y: parts.result() })
    }
}
