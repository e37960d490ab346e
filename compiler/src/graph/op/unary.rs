//! Functions of one number, element by element.

use super::{BinaryFn, Binding, Computed, Operand, Operator, Sample, Softmax};
use super::{Traits, Write, call, elements, float_shapes};
use crate::graph::{Formula, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};
pub use arenet_program::UnaryFn;
use std::f64::consts::{FRAC_2_SQRT_PI, PI};

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unary(pub UnaryFn);

/// Where to try it: its domain, away from its kinks.
fn range(function: UnaryFn) -> (f64, f64) {
    match function {
        UnaryFn::Sqrt | UnaryFn::Log | UnaryFn::Abs | UnaryFn::Relu => (0.1, 4.0),
        _ => (-4.0, 4.0),
    }
}

impl Operator for Unary {
    fn text(&self) -> String {
        self.0.opcode().name().into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [x] = float_shapes::<1>(inputs)?;
        Ok(Type::f32(x))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, _: usize) -> Option<NodeId> {
        let x = g.node(node).inputs[0];
        let f = Formula::new(g);
        let (x, y, dy) = (f.term(x), f.term(node), f.term(dy));
        let dx = match self.0 {
            UnaryFn::Neg => -dy,
            UnaryFn::Abs => dy * x.sign(),
            UnaryFn::Sqrt => dy * 0.5 / y,
            UnaryFn::Exp => dy * y,
            UnaryFn::Log => dy / x,
            UnaryFn::Sigmoid => dy * y * (1.0 - y),
            UnaryFn::Tanh => dy * (1.0 - y * y),
            UnaryFn::Relu => dy.gate(y),
            UnaryFn::Softplus => dy * x.sigmoid(),
            UnaryFn::NormalCdf => dy * (x * x * -0.5).exp() * (1.0 / (2.0 * PI).sqrt()),
            UnaryFn::Erf => dy * (-(x * x)).exp() * FRAC_2_SQRT_PI,
            UnaryFn::Sign => return None,
        };
        Some(dx.id)
    }

    fn growth(&self, inputs: &[i32], _: bool) -> Option<i32> {
        match (self.0, inputs[0]) {
            (_, 0) => Some(0),
            (UnaryFn::Neg | UnaryFn::Abs | UnaryFn::Relu, growth) => Some(growth),
            (UnaryFn::Sqrt, growth) if growth % 2 == 0 => Some(growth / 2),
            _ => None,
        }
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let x = inputs[0];
        Tensor::from_fn(x.shape, batch, |i| self.0.apply(x.data[i]))
    }

    fn computed(&self) -> Computed<'_> {
        Computed::Instr(self.0.opcode())
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        let x = inputs[0];
        if let Some(value) = g.graph.node(x).op.as_constant() {
            return Some(g.constant(self.0.apply(value)));
        }
        if let Some(number) = g.spread_number(x) {
            let number = g.apply(self.0, number);
            return Some(g.spread(number, g.graph.shape(x)));
        }
        match self.0 {
            UnaryFn::Neg => g.is_unary(UnaryFn::Neg, x), // -(-y) = y
            UnaryFn::Abs => {
                let y = g.is_unary(UnaryFn::Neg, x)?; // |-y| = |y|
                Some(g.apply(UnaryFn::Abs, y))
            }
            UnaryFn::Log => log(g, x),
            _ => None,
        }
    }

    fn formula(&self, _: usize, operand: Write<'_>) -> (String, Binding) {
        match self.0 {
            UnaryFn::Neg => (format!("-{}", operand(0, Binding::Call)), Binding::Call),
            _ => call(&self.text(), 1, operand),
        }
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        elements(output, batch)
    }

    fn samples() -> Vec<Sample> {
        let sample = |function: UnaryFn| {
            let (low, high) = range(function);
            let x = Operand::f32(Shape::batched(&[19]), low, high);
            Sample { op: Unary(function).into(), inputs: vec![x] }
        };
        UnaryFn::ALL.iter().copied().map(sample).collect()
    }
}

/// Logarithms that are stable, and more exact, as one function.
fn log(g: &mut Rewriter, x: NodeId) -> Option<NodeId> {
    let node = g.graph.node(x);
    if node.op == (Softmax { log: false }).into() {
        let z = node.inputs[0];
        return Some(g.add(Softmax { log: true }, &[z]));
    }
    // log σ(z) = -softplus(-z)
    if let Some(z) = g.is_unary(UnaryFn::Sigmoid, x) {
        let minus = g.apply(UnaryFn::Neg, z);
        let softplus = g.apply(UnaryFn::Softplus, minus);
        return Some(g.apply(UnaryFn::Neg, softplus));
    }
    // log(1 - σ(z)) = -softplus(z)
    let (one, y) = g.is_binary(BinaryFn::Sub, x)?;
    let z = g.is_unary(UnaryFn::Sigmoid, y).filter(|_| g.number(one) == Some(1.0))?;
    let softplus = g.apply(UnaryFn::Softplus, z);
    Some(g.apply(UnaryFn::Neg, softplus))
}
