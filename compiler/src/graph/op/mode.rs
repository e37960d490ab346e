//! A value that differs between training and the rest.

use super::{Computed, Operand, Operator, Sample, Traits, float_shapes};
use crate::graph::{Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};

/// The first operand in a step of training, the second in predictions and evaluations.
///
/// No kernel knows of it: the graph of a step starts with
/// [`in_training`](crate::pass::mode::in_training), and simplification takes the second operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mode;

impl Operator for Mode {
    fn text(&self) -> String {
        "mode".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [training, otherwise] = float_shapes::<2>(inputs)?;
        if training != otherwise {
            return Err(ShapeError(format!("the shapes {training} and {otherwise} differ")));
        }
        Ok(Type::f32(otherwise))
    }

    fn grad(&self, _: &mut Graph, _: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        (input == 1).then_some(dy)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        inputs[1].clone()
    }

    fn computed(&self) -> Computed<'_> {
        Computed::WrittenOut
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        (g.writes_out || inputs[0] == inputs[1]).then_some(inputs[1])
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let operand = Operand::f32(Shape::batched(&[3]), -1.0, 1.0);
        vec![Sample { op: Mode.into(), inputs: vec![operand, operand] }]
    }
}
