//! Whether the largest logit of a row is that of its target.

use super::cross_entropy::class_rows;
use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use super::{elements, first_largest};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// 1 where the largest logit of the row is that of the target, else 0; the first one at ties.
///
/// Operands: the logits [.., C], and the class of each row, integers [..]. Result: [..].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Correct;

impl Operator for Correct {
    fn text(&self) -> String {
        "correct".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [logits, target] = inputs else {
            return Err(ShapeError(format!("it takes 2 operands, not {}", inputs.len())));
        };
        Ok(Type::f32(class_rows(logits, target)?))
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None // a step function
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let [logits, target] = inputs else { unreachable!("it has 2 operands") };
        let hit = |(row, &class): (&[f64], &f64)| f64::from(first_largest(row) == class as usize);
        Tensor { shape: target.shape, data: logits.rows().zip(&target.data).map(hit).collect() }
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
        let sample = |rows, logits, classes| Sample {
            op: Correct.into(),
            inputs: vec![Operand::f32(logits, -3.0, 3.0), Operand::classes(rows, classes)],
        };
        vec![
            sample(Shape::batched(&[]), Shape::batched(&[3]), 3),
            sample(Shape::batched(&[2]), Shape::batched(&[2, 17]), 17),
        ]
    }
}

impl Anchor for Correct {
    fn kernel(&self, parts: Parts) -> Kernel {
        let [x, target] = [0, 1].map(|i| parts.input(i));
        Kernel::Correct(program::Correct { x, target, y: parts.result() })
    }
}
