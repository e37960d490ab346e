//! Class indices as floats.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits};
use crate::graph::{DType, Graph, NodeId, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel};

/// The class of each row as a float, which is exact below 2²⁴.
///
/// Operand: integers [..]. Result: [.., 1].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ToFloat;

impl Operator for ToFloat {
    fn text(&self) -> String {
        "float".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [index] = inputs else {
            return Err(ShapeError(format!("it takes 1 operands, not {}", inputs.len())));
        };
        if index.dtype != DType::I32 {
            return Err(ShapeError(format!("the indices are integers, not {index}")));
        }
        Shape::new(index.shape.batch(), &[&*index.shape.dims(), &[1]].concat()).map(Type::f32)
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        None
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        let shape = self.infer(&[Type::i32(inputs[0].shape)]).expect("the operand fits").shape;
        Tensor { shape, data: inputs[0].data.clone() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample =
            |shape| Sample { op: ToFloat.into(), inputs: vec![Operand::classes(shape, 300)] };
        vec![sample(Shape::batched(&[])), sample(Shape::batched(&[3]))]
    }
}

impl Anchor for ToFloat {
    fn kernel(&self, parts: Parts) -> Kernel {
        Kernel::Whole(program::Whole { index: Some(parts.input(0)), y: parts.result() })
    }
}
