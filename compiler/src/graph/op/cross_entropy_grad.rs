//! The gradient of cross-entropy: softmax and loss go backward in one numerically stable step.

use super::cross_entropy::{beside_lists, class_rows};
use super::softmax::softmax;
use super::{
    Anchor, Computed, CrossEntropy, Op, Operand, Operator, Parts, Sample, Traits, elements,
};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// (softmax(logits) - onehot(target)) dy, row by row.
///
/// Operands: the logits [.., C], the class of each row, integers [..], and `dy` [..].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CrossEntropyGrad;

impl Operator for CrossEntropyGrad {
    fn text(&self) -> String {
        "cross_entropy_grad".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [logits, target, dy] = inputs else {
            return Err(ShapeError(format!("it takes 3 operands, not {}", inputs.len())));
        };
        let rows = class_rows(logits, target)?;
        if *dy != Type::f32(rows) {
            return Err(ShapeError(format!("the gradient of the loss is f32{rows}, not {dy}")));
        }
        Ok(*logits)
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        unreachable!("the language has no gradients of gradients")
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let [logits, target, dy] = inputs else { unreachable!("it has 3 operands") };
        let rows = logits.rows().zip(&target.data).zip(&dy.data);
        let row_grad = |((row, &class), &dy): ((&[f64], &f64), &f64)| {
            let mut grad = softmax(row);
            grad[class as usize] -= 1.0;
            grad.iter().map(|g| g * dy).collect::<Vec<f64>>()
        };
        Tensor { shape: logits.shape, data: rows.flat_map(row_grad).collect() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, inputs: &[Shape]) -> Traits {
        beside_lists(inputs)
    }

    fn flops(&self, inputs: &[Shape], _: &Shape, batch: u64) -> u64 {
        // Those of softmax and one product.
        elements(&inputs[0], batch).saturating_mul(6)
    }

    fn samples() -> Vec<Sample> {
        let sample = |rows, logits, classes| Sample {
            op: CrossEntropyGrad.into(),
            inputs: vec![
                Operand::f32(logits, -3.0, 3.0),
                Operand::classes(rows, classes),
                Operand::f32(rows, -1.0, 1.0),
            ],
        };
        vec![
            sample(Shape::batched(&[]), Shape::batched(&[3]), 3),
            sample(Shape::batched(&[2]), Shape::batched(&[2, 17]), 17),
        ]
    }
}

impl Anchor for CrossEntropyGrad {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::CrossEntropy(program::CrossEntropy {
            x: parts.input(0),
            target: parts.input(1),
            loss: None,
            grad: Some((parts.result(), parts.input(2))),
        })
    }

    fn joins(&self) -> Option<Op> {
        Some(CrossEntropy.into())
    }

    fn number(&self) -> Option<usize> {
        Some(2)
    }
}
