//! Functions of one number, element by element.

use super::{Operand, Operator, Sample, Traits, elements, float_shapes};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};
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

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let x = inputs[0];
        Tensor::from_fn(x.shape, batch, |i| self.0.apply(x.data[i]))
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ELEMENTWISE
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
