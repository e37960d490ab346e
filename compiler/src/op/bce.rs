//! Binary cross-entropy, with the gradients that PyTorch gives it.

use super::{Operand, Operator, Sample, Traits, elements, float_shapes};
use crate::eval::Tensor;
use crate::graph::{Formula, Graph, NodeId, Shape, ShapeError, Type};

/// The loss of each element, -(t ln y + (1 - t) ln(1 - y)), where a logarithm is -100 at least:
/// torch.nn.BCELoss(reduction="none"). With `logits` y is sigmoid(z), and the operand is z:
/// torch.nn.BCEWithLogitsLoss(reduction="none").
///
/// It is whole until the gradient is there, which is not that of the formula: the gradient of the
/// bounded logarithms vanishes at 0 and 1, and that of a sum without cancellation has no limit
/// at z = 0. Then `simplify` writes the formula out.
///
/// Operands: the prediction and the target, of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bce {
    /// The prediction is a logit.
    pub logits: bool,
}

/// The least logarithm of a probability.
pub const LEAST_LOG: f64 = -100.0;

impl Operator for Bce {
    fn text(&self) -> String {
        if self.logits { "bce_logits" } else { "bce" }.into()
    }

    fn infer(&self, inputs: &[Type]) -> Result<Type, ShapeError> {
        let [y, t] = float_shapes::<2>(inputs)?;
        if y != t {
            return Err(ShapeError(format!("the shapes {y} and {t} differ")));
        }
        Ok(Type::f32(y))
    }

    fn grad(&self, g: &mut Graph, node: NodeId, dy: NodeId, input: usize) -> Option<NodeId> {
        let [y, t] = g.node(node).inputs[..] else { unreachable!("there are two operands") };
        let f = Formula::new(g);
        let (y, t, dy) = (f.term(y), f.term(t), f.term(dy));
        let grad = match (self.logits, input) {
            (true, 0) => dy * y.sigmoid() - dy * t,
            (true, _) => -(dy * y),
            (false, 0) => dy * (y - t) / (y * (1.0 - y)).max(f.number(1e-12)),
            (false, _) => dy * ((1.0 - y).log() - y.log()),
        };
        Some(grad.id)
    }

    fn eval(&self, inputs: &[&Tensor], batch: usize) -> Tensor {
        let [y, t] = inputs else { unreachable!("there are two operands") };
        let loss = |y: f64, t: f64| match self.logits {
            true => y.max(0.0) - t * y + (-y.abs()).exp().ln_1p(),
            false => -(t * y.ln().max(LEAST_LOG) + (1.0 - t) * (-y).ln_1p().max(LEAST_LOG)),
        };
        Tensor::from_fn(y.shape, batch, |i| loss(y.data[i], t.data[i]))
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn flops(&self, _: &[Shape], output: &Shape, batch: u64) -> u64 {
        // An exponential or two logarithms, with what combines them.
        elements(output, batch).saturating_mul(8)
    }

    fn samples() -> Vec<Sample> {
        let sample = |logits, low, high| {
            let shape = Shape::batched(&[19]);
            let inputs = vec![Operand::f32(shape, low, high), Operand::f32(shape, 0.0, 1.0)];
            Sample { op: Bce { logits }.into(), inputs }
        };
        vec![sample(true, -4.0, 4.0), sample(false, 0.05, 0.95)]
    }
}
