//! The same elements in another shape.

use super::{Anchor, Computed, Operand, Operator, Parts, Sample, Traits, float_shapes};
use crate::graph::{Formula, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
use arenet_program::{self as program, Kernel, Rows};

/// The elements in their order, in rows of another length: torch.reshape. The batch stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reshape {
    /// The shape of the result.
    pub shape: Shape,
}

impl Operator for Reshape {
    fn text(&self) -> String {
        "reshape".into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        let shape = self.shape;
        if x.batch() != shape.batch() {
            let message = format!("{x} cannot become {shape}: the batch N stays as it is");
            return Err(ShapeError(message));
        }
        let [from, to] = [x, shape].map(|shape| shape.fixed_elements());
        if from != to {
            let each = if x.batch() { " for each N" } else { "" };
            let message = format!("{x} has {from} elements{each}, but {shape} has {to}");
            return Err(ShapeError(message));
        }
        Ok(Type::f32(shape))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let x = g.shape(g.node(node).inputs[0]);
        Some(Formula::new(g).term(dy).reshape(x).id)
    }

    fn eval(&self, inputs: &[&Tensor], _: usize) -> Tensor {
        Tensor { shape: self.shape, data: inputs[0].data.clone() }
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Kernel(self)
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        let x = inputs[0];
        if g.graph.shape(x) == self.shape {
            return Some(x);
        }
        let node = *g.graph.node(x);
        if let super::Op::Reshape(_) = node.op {
            return Some(g.add(*self, &[node.inputs[0]]));
        }
        let number = g.spread_number(x)?;
        Some(g.spread(number, self.shape))
    }

    fn flops(&self, _: &[Shape], _: &Shape, _: u64) -> u64 {
        0
    }

    fn samples() -> Vec<Sample> {
        let sample = |from, shape| Sample {
            op: Reshape { shape }.into(),
            inputs: vec![Operand::f32(from, -1.0, 1.0)],
        };
        vec![
            sample(Shape::batched(&[1]), Shape::batched(&[])),
            sample(Shape::batched(&[]), Shape::batched(&[1, 1])),
            sample(Shape::batched(&[4, 3]), Shape::batched(&[12])),
            sample(Shape::batched(&[34]), Shape::batched(&[2, 17])),
            sample(Shape::batched(&[6, 10]), Shape::batched(&[4, 15])),
            sample(Shape::fixed(&[2, 3]), Shape::fixed(&[6])),
            sample(Shape::fixed(&[1, 1]), Shape::SCALAR),
        ]
    }
}

impl Anchor for Reshape {
    fn kernel(&self, parts: Parts) -> Kernel {
        let groups = Rows { count: 1, batched: self.shape.batch() };
        let len = self.shape.fixed_elements() as u64;
        let piece = program::Piece { x: Some(parts.input(0)), from: 0, len };
        Kernel::Splice(program::Splice { groups, pieces: vec![piece], y: parts.result() })
    }
}
