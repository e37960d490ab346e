//! Functions of one number, element by element.

use super::{Operand, Operator, Sample, elements, float_shapes};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};
use arenet_program::Opcode;
use std::f64::consts::PI;

/// A function of each element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unary(pub UnaryFn);

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryFn {
    /// -x
    Neg,
    /// |x|
    Abs,
    /// √x
    Sqrt,
    /// eˣ
    Exp,
    /// ln x
    Log,
    /// 1 / (1 + e⁻ˣ)
    Sigmoid,
    /// tanh x
    Tanh,
    /// max(x, 0)
    Relu,
    /// ln(1 + eˣ)
    Softplus,
    /// Φ(x), the distribution function of the standard normal
    NormalCdf,
    /// -1, 0 or 1
    Sign,
}

impl UnaryFn {
    /// Every function.
    pub const ALL: [UnaryFn; 11] = {
        use UnaryFn::*;
        [Neg, Abs, Sqrt, Exp, Log, Sigmoid, Tanh, Relu, Softplus, NormalCdf, Sign]
    };

    /// The machine's instruction.
    pub fn opcode(self) -> Opcode {
        match self {
            UnaryFn::Neg => Opcode::Neg,
            UnaryFn::Abs => Opcode::Abs,
            UnaryFn::Sqrt => Opcode::Sqrt,
            UnaryFn::Exp => Opcode::Exp,
            UnaryFn::Log => Opcode::Log,
            UnaryFn::Sigmoid => Opcode::Sigmoid,
            UnaryFn::Tanh => Opcode::Tanh,
            UnaryFn::Relu => Opcode::Relu,
            UnaryFn::Softplus => Opcode::Softplus,
            UnaryFn::NormalCdf => Opcode::NormalCdf,
            UnaryFn::Sign => Opcode::Sign,
        }
    }

    /// The value at a number.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            UnaryFn::Neg => -x,
            UnaryFn::Abs => x.abs(),
            UnaryFn::Sqrt => x.sqrt(),
            UnaryFn::Exp => x.exp(),
            UnaryFn::Log => x.ln(),
            UnaryFn::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            UnaryFn::Tanh => x.tanh(),
            UnaryFn::Relu if x > 0.0 || x.is_nan() => x,
            UnaryFn::Relu => 0.0,
            UnaryFn::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            UnaryFn::NormalCdf => normal_cdf(x),
            UnaryFn::Sign if x == 0.0 || x.is_nan() => x,
            UnaryFn::Sign => x.signum(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            UnaryFn::Neg => "neg",
            UnaryFn::Abs => "abs",
            UnaryFn::Sqrt => "sqrt",
            UnaryFn::Exp => "exp",
            UnaryFn::Log => "log",
            UnaryFn::Sigmoid => "sigmoid",
            UnaryFn::Tanh => "tanh",
            UnaryFn::Relu => "relu",
            UnaryFn::Softplus => "softplus",
            UnaryFn::NormalCdf => "normal_cdf",
            UnaryFn::Sign => "sign",
        }
    }

    /// Where to try it: its domain, away from its kinks.
    fn range(self) -> (f64, f64) {
        match self {
            UnaryFn::Sqrt | UnaryFn::Log | UnaryFn::Abs | UnaryFn::Relu => (0.1, 4.0),
            _ => (-4.0, 4.0),
        }
    }
}

impl Operator for Unary {
    fn text(&self) -> String {
        self.0.name().into()
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
            UnaryFn::Sign => return None,
        };
        Some(dx.id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let x = inputs[0];
        Tensor::from_fn(x.shape, batch, |i| self.0.apply(x.data[i]))
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        elements(output, batch)
    }

    fn samples() -> Vec<Sample> {
        let sample = |function: UnaryFn| {
            let (low, high) = function.range();
            let x = Operand::f32(Shape::batched(&[19]), low, high);
            Sample { op: Unary(function).into(), inputs: vec![x] }
        };
        UnaryFn::ALL.into_iter().map(sample).collect()
    }
}

/// Φ(x): near 0 the series of Marsaglia, "Evaluating the Normal Distribution" (2004), and in the
/// tails Laplace's continued fraction, since the series loses their small values to rounding.
fn normal_cdf(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    if x > 4.0 {
        return 1.0 - normal_cdf(-x);
    }
    if x < -4.0 {
        return density / (1..200).rev().fold(-x, |tail, k| -x + f64::from(k) / tail);
    }
    let (mut sum, mut term, mut k) = (x, x, 1.0);
    while sum + term != sum {
        k += 2.0;
        term *= x * x / k;
        sum += term;
    }
    0.5 + density * sum
}

#[cfg(test)]
mod tests {
    use super::normal_cdf;

    #[test]
    fn normal_cdf_is_that_of_the_tables() {
        // scipy.special.ndtr
        for (x, expected) in [
            (0.0, 0.5),
            (1.0, 0.8413447460685429),
            (-3.9, 4.809634401760273e-05),
            (-4.1, 2.0657506912546714e-05),
            (-10.0, 7.619853024160495e-24),
            (5.0, 0.9999997133484281),
        ] {
            let error = (normal_cdf(x) - expected).abs() / expected;
            assert!(error < 1e-11, "{x}: {} is off by {error}", normal_cdf(x));
        }
    }
}
