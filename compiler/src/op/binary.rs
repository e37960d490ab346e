//! Functions of two numbers, element by element.

use super::{Operand, Operator, Sample, Traits, elements, float_shapes};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};
pub use arenet_program::BinaryFn;

/// A function of each pair of elements; both operands have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binary(pub BinaryFn);

impl Operator for Binary {
    fn text(&self) -> String {
        self.0.opcode().name().into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [a, b] = float_shapes::<2>(inputs)?;
        if a != b {
            return Err(ShapeError(format!("the shapes {a} and {b} differ")));
        }
        Ok(Type::f32(a))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [a, b] = g.node(node).inputs[..] else { unreachable!("there are two operands") };
        let f = Formula::new(g);
        let (a, b, y, dy) = (f.term(a), f.term(b), f.term(node), f.term(dy));
        // Where max and min have equal operands, the whole gradient goes to the first.
        let grad = match (self.0, input) {
            (BinaryFn::Add, _) => dy,
            (BinaryFn::Sub, 0) => dy,
            (BinaryFn::Sub, _) => -dy,
            (BinaryFn::Mul, 0) => dy * b,
            (BinaryFn::Mul, _) => dy * a,
            (BinaryFn::Div, 0) => dy / b,
            (BinaryFn::Div, _) => -(dy * y / b),
            (BinaryFn::Max, 0) => dy - dy.gate(b - a),
            (BinaryFn::Max, _) => dy.gate(b - a),
            (BinaryFn::Min, 0) => dy - dy.gate(a - b),
            (BinaryFn::Min, _) => dy.gate(a - b),
            (BinaryFn::Gate, 0) => dy.gate(b),
            (BinaryFn::Gate, _) => return None,
        };
        Some(grad.id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [a, b] = inputs else { unreachable!("there are two operands") };
        Tensor::from_fn(a.shape, batch, |i| self.0.apply(a.data[i], b.data[i]))
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        elements(output, batch)
    }

    fn samples() -> Vec<Sample> {
        // Ranges that overlap and stay away from a division by zero; a gate's both signs.
        let sample = |function: BinaryFn| {
            let shape = Shape::batched(&[19]);
            let b = if function == BinaryFn::Gate { (-1.0, 1.0) } else { (0.5, 3.0) };
            let inputs = vec![Operand::f32(shape, -3.0, 3.0), Operand::f32(shape, b.0, b.1)];
            Sample { op: Binary(function).into(), inputs }
        };
        BinaryFn::ALL.iter().copied().map(sample).collect()
    }
}
