//! Functions of two numbers, element by element.

use super::{Operand, Operator, Sample, elements, float_shapes};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};
use arenet_program::Opcode;

/// A function of each pair of elements; both operands have the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Binary(pub BinaryFn);

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryFn {
    /// a + b
    Add,
    /// a - b
    Sub,
    /// a b
    Mul,
    /// a / b
    Div,
    /// the larger
    Max,
    /// the smaller
    Min,
    /// a where b > 0, else 0
    Gate,
}

impl BinaryFn {
    /// Every function.
    pub const ALL: [BinaryFn; 7] = {
        use BinaryFn::*;
        [Add, Sub, Mul, Div, Max, Min, Gate]
    };

    /// The machine's instruction.
    pub fn opcode(self) -> Opcode {
        match self {
            BinaryFn::Add => Opcode::Add,
            BinaryFn::Sub => Opcode::Sub,
            BinaryFn::Mul => Opcode::Mul,
            BinaryFn::Div => Opcode::Div,
            BinaryFn::Max => Opcode::Max,
            BinaryFn::Min => Opcode::Min,
            BinaryFn::Gate => Opcode::Gate,
        }
    }

    /// The value at two numbers.
    pub fn apply(self, a: f64, b: f64) -> f64 {
        match self {
            BinaryFn::Add => a + b,
            BinaryFn::Sub => a - b,
            BinaryFn::Mul => a * b,
            BinaryFn::Div => a / b,
            BinaryFn::Max => a.max(b),
            BinaryFn::Min => a.min(b),
            BinaryFn::Gate if b > 0.0 => a,
            BinaryFn::Gate => 0.0,
        }
    }

    fn name(self) -> &'static str {
        match self {
            BinaryFn::Add => "add",
            BinaryFn::Sub => "sub",
            BinaryFn::Mul => "mul",
            BinaryFn::Div => "div",
            BinaryFn::Max => "max",
            BinaryFn::Min => "min",
            BinaryFn::Gate => "gate",
        }
    }
}

impl Operator for Binary {
    fn text(&self) -> String {
        self.0.name().into()
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
        BinaryFn::ALL.into_iter().map(sample).collect()
    }
}
