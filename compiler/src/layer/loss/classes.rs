//! Losses of classes and probabilities.

use super::super::{Builder, rows};
use super::{between, indices, reduced, reduced_between, same_shape};
use crate::code::Code;
use crate::graph::op::{Bce, Op, Softmax, Unary, UnaryFn};
use crate::graph::{DType, NodeId};
use crate::signature::{Args, BALANCED, Problem, Remedy};

/// torch.nn.BCELoss. Of a sigmoid it is computed from the logits, where it is exact however large
/// they are.
pub fn bce(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let values = bce_values(builder, args)?;
    reduced(builder, args, values)
}

/// Binary cross-entropy of each element.
pub(in crate::layer) fn bce_values(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let (y, _) = same_shape(builder, args)?;
    let logits = before(builder, y, Unary(UnaryFn::Sigmoid));
    between(builder, args, |y, t| match logits {
        Some(z) => y.formula().op(Bce { logits: true }, &[y.formula().term(z), t]),
        None => y.formula().op(Bce { logits: false }, &[y, t]),
    })
}

/// torch.nn.BCEWithLogitsLoss: pos_weight t softplus(-z) + (1 - t) softplus(z)
pub fn bce_logits(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let pos_weight = args.real("pos_weight");
    reduced_between(builder, args, |z, t| match pos_weight {
        1.0 => z.formula().op(Bce { logits: true }, &[z, t]),
        _ => t * pos_weight * (-z).softplus() + (1.0 - t) * z.softplus(),
    })
}

/// Warns of a sigmoid of a sigmoid.
pub fn sigmoid_before(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "`bce_logits` applies sigmoid itself, and this is a sigmoid already";
    let help = "write `bce`, or give it what sigmoid is applied to";
    let lint = Problem::new(Code::SigmoidBeforeBceLogits, message)
        .help(help)
        .remedy(Remedy::Call("bce"))
        .remedy(Remedy::Before("y", "sigmoid"));
    is(builder, args.tensor("y"), Unary(UnaryFn::Sigmoid)).then_some(lint)
}

/// torch.nn.CrossEntropyLoss, with class indices or with probabilities. `label_smoothing` takes
/// that share of the target away and gives it to all classes alike.
pub fn cross_entropy(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let logits = rows(builder, args, "y")?;
    let (shape, found) = (builder.graph.shape(logits), builder.graph.node(args.tensor("t")).ty());
    if found.dtype != DType::F32 || found.shape != shape {
        return indices::cross_entropy(builder, args);
    }
    if args.span("ignore_index").is_some() {
        let message = "probabilities have no index that could be ignored";
        let help = "give such rows a `weight` of 0";
        return Err(Problem::new(Code::WrongArgument, message).at("ignore_index").help(help));
    }
    if args.says("class_weight", BALANCED) {
        let message = "`balanced` counts rows by their class, and probabilities have none";
        let help = "write a factor for each class, such as `[1, 2, 0.5]`";
        return Err(Problem::new(Code::WrongArgument, message).at("class_weight").help(help));
    }
    let (smoothing, count) = (args.real("label_smoothing"), shape.last().unwrap_or(1));
    let factors = indices::class_weights(args, count)?;
    reduced_between(builder, args, |y, t| {
        let t = if smoothing == 0.0 { t } else { t * (1.0 - smoothing) + smoothing / count as f64 };
        let log = y.log_softmax();
        let log = factors.map_or(log, |factors| log * indices::row(y.formula(), factors));
        -(t * log).sum_last()
    })
}

/// Warns of a softmax of a softmax.
pub fn softmax_before(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "`cross_entropy` applies softmax itself, and this is softmax already";
    let help = "give it the logits: what softmax is applied to";
    let lint = Problem::new(Code::SoftmaxBeforeCrossEntropy, message)
        .help(help)
        .remedy(Remedy::Before("y", "softmax"));
    is(builder, args.tensor("y"), Softmax { log: false }).then_some(lint)
}

/// torch.nn.KLDivLoss of logarithms y: t (ln t - y), or with `log_target` e^t (t - y).
pub fn kl_div(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    reduced_between(builder, args, |y, t| match args.flag("log_target") {
        true => t.exp() * (t - y),
        // 0 ln 0 is 0: a probability of 0 has the logarithm of the least one.
        false => t * (t.max(t.formula().number(f64::from(f32::MIN_POSITIVE))).log() - y),
    })
}

/// What an operator was applied to, where that made the node.
pub(in crate::layer) fn before(
    builder: &Builder,
    node: NodeId,
    op: impl Into<Op>,
) -> Option<NodeId> {
    is(builder, node, op).then(|| builder.graph.node(node).inputs[0])
}

fn is(builder: &Builder, node: NodeId, op: impl Into<Op>) -> bool {
    builder.graph.node(node).op == op.into()
}
