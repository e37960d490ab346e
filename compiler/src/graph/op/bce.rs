//! Binary cross-entropy, with the gradients that PyTorch gives it.

use super::{BinaryFn, Computed, Operand, Operator, Sample, Traits, UnaryFn};
use super::{elements, float_shapes};
use crate::graph::{Formula, Graph, NodeId, Rewriter, Shape, ShapeError, Tensor, Type};

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
const LEAST_LOG: f64 = -100.0;

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

    fn computed(&self) -> Computed<'_> {
        Computed::WrittenOut
    }

    fn traits(&self, _: &[Shape]) -> Traits {
        Traits::ROWS
    }

    fn simplify(&self, g: &mut Rewriter, inputs: &[NodeId]) -> Option<NodeId> {
        let write_out = if self.logits { bce_logits } else { bce };
        g.writes_out.then(|| write_out(g, inputs[0], inputs[1]))
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

/// max(z, 0) - t z + ln(1 + e^-|z|): for t in [0, 1] no term cancels another.
fn bce_logits(g: &mut Rewriter, z: NodeId, t: NodeId) -> NodeId {
    let positive = g.apply(UnaryFn::Relu, z);
    let product = g.combine(BinaryFn::Mul, t, z);
    let linear = g.combine(BinaryFn::Sub, positive, product);
    let size = g.apply(UnaryFn::Abs, z);
    let minus = g.apply(UnaryFn::Neg, size);
    let softplus = g.apply(UnaryFn::Softplus, minus);
    g.combine(BinaryFn::Add, linear, softplus)
}

/// -(t ln y + (1 - t) ln(1 - y)), the logarithms -100 at least.
///
/// With u = 1 - y as it is rounded, ln(1 - y) is ln u + (1 - u - y) / u: exact however small y
/// is, as the differences are. At y = 1 the second term is 0 for any divisor but 0.
fn bce(g: &mut Rewriter, y: NodeId, t: NodeId) -> NodeId {
    let shape = g.graph.shape(y);
    let [one, least, tiny] = [1.0, LEAST_LOG, f64::from(f32::MIN_POSITIVE)].map(|number| {
        let number = g.constant(number);
        g.spread(number, shape)
    });
    let u = g.combine(BinaryFn::Sub, one, y);
    let rounded = g.combine(BinaryFn::Sub, one, u);
    let lost = g.combine(BinaryFn::Sub, rounded, y);
    let divisor = g.combine(BinaryFn::Max, u, tiny);
    let correction = g.combine(BinaryFn::Div, lost, divisor);
    let log_u = g.apply(UnaryFn::Log, u);
    let log_1_y = g.combine(BinaryFn::Add, log_u, correction);
    let log_y = g.apply(UnaryFn::Log, y);
    let [log_y, log_1_y] = [log_y, log_1_y].map(|log| g.combine(BinaryFn::Max, least, log));
    let rest = g.combine(BinaryFn::Sub, one, t);
    let hit = g.combine(BinaryFn::Mul, t, log_y);
    let miss = g.combine(BinaryFn::Mul, rest, log_1_y);
    let sum = g.combine(BinaryFn::Add, hit, miss);
    g.apply(UnaryFn::Neg, sum)
}
