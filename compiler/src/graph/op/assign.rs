//! Assigns a new value to a parameter or an optimizer state.

use super::{Computed, Operand, Operator, Sample, Traits, float_shapes};
use crate::graph::{Graph, NodeId, Shape, ShapeError, Tensor, Type};

/// Overwrites a leaf; always a root. Whoever reads the leaf means its value before the step.
///
/// Operands: the leaf, and its new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Assign;

impl Operator for Assign {
    fn text(&self) -> String {
        "assign".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [leaf, value] = float_shapes::<2>(inputs)?;
        if leaf != value {
            return Err(ShapeError(format!("{value} cannot overwrite {leaf}")));
        }
        Ok(Type::f32(value))
    }

    fn grad(&self, _: &mut Graph, _: NodeId, _: NodeId, _: usize) -> Option<NodeId> {
        unreachable!("an assignment is a root, so nothing depends on it")
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        inputs[1].clone()
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Store
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let operand = Operand::f32(Shape::fixed(&[3, 2]), -1.0, 1.0);
        vec![Sample { op: Assign.into(), inputs: vec![operand, operand] }]
    }
}
