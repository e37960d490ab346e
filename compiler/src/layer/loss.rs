//! Losses: each is a single number, the mean over the rows really present.

use super::{Builder, Function, Target, floats, rows};
use crate::entry::Entry;
use crate::graph::{DType, Formula, NodeId, Term};
use crate::op::{Bce, CrossEntropy, Op, Softmax, Source, Unary, UnaryFn};
use crate::signature::{Args, Param, Problem, Range, Signature};

/// The losses, and sum and mean for penalties of one's own.
pub const LOSSES: &[Entry<Function>] = &[
    // torch.nn.MSELoss
    pair("mse", Function::loss(|b, args| between(b, args, |y, t| ((y - t) * (y - t)).mean()))),
    // torch.nn.L1Loss
    pair("mae", Function::loss(|b, args| between(b, args, |y, t| (y - t).abs().mean()))),
    Entry {
        signature: Signature {
            name: "huber",
            positional: 2,
            params: &[
                Param::tensor("y"),
                Param::tensor("t"),
                Param::real("delta", Range::AboveZero, 1.0),
            ],
        },
        built: Some(Function::loss(huber)),
    },
    pair("bce", Function { target: Some(Target::Shares), ..Function::loss(bce) }),
    pair(
        "bce_logits",
        Function {
            target: Some(Target::Shares),
            lint: Some(sigmoid_before),
            ..Function::loss(|b, args| between(b, args, bce_logits))
        },
    ),
    pair(
        "cross_entropy",
        Function {
            target: Some(Target::Classes),
            lint: Some(softmax_before),
            ..Function::loss(class_loss)
        },
    ),
    Entry {
        signature: Signature { name: "sum", positional: 1, params: &[Param::tensor("x")] },
        built: Some(Function::value(|b, args| of_one(b, args, |x| x.sum()))),
    },
    Entry {
        signature: Signature { name: "mean", positional: 1, params: &[Param::tensor("x")] },
        built: Some(Function::value(|b, args| of_one(b, args, |x| x.mean()))),
    },
    Entry::planned("cross_entropy_probs"),
    Entry::planned("hinge_embedding"),
    Entry::planned("kl_div"),
    Entry::planned("nll"),
    Entry::planned("poisson_nll"),
    Entry::planned("smooth_l1"),
];

const PAIR: &[Param] = &[Param::tensor("y"), Param::tensor("t")];

const fn pair(name: &'static str, function: Function) -> Entry<Function> {
    Entry { signature: Signature { name, positional: 2, params: PAIR }, built: Some(function) }
}

fn of_one(
    builder: &mut Builder,
    args: &Args,
    function: impl for<'f> FnOnce(Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let f = Formula::new(&mut builder.graph);
    Ok(function(f.term(x)).id)
}

/// A formula of a prediction and a target of the same shape.
pub(super) fn between(
    builder: &mut Builder,
    args: &Args,
    formula: impl for<'f> FnOnce(Term<'f>, Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let (y, t) = same_shape(builder, args)?;
    let f = Formula::new(&mut builder.graph);
    Ok(formula(f.term(y), f.term(t)).id)
}

fn same_shape(builder: &Builder, args: &Args) -> Result<(NodeId, NodeId), Problem> {
    let y = floats(builder, args, "y")?;
    let shape = builder.graph.shape(y);
    let help = format!("declare the target as {shape}");
    let t = floats(builder, args, "t").map_err(|problem| problem.help(&*help))?;
    if builder.graph.shape(t) == shape {
        return Ok((y, t));
    }
    let other = builder.graph.shape(t);
    let message =
        format!("`{}` compares equal shapes, not {shape} and {other}", args.signature.name);
    let problem = Problem::new("shape-mismatch", message);
    let is_target = matches!(builder.graph.node(t).op.source(), Some(Source::Target(_)));
    Err(if is_target { problem.help(help) } else { problem })
}

/// torch.nn.HuberLoss: d² / 2 up to delta, and from there on the straight line that continues it.
fn huber(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let delta = args.real("delta");
    between(builder, args, |y, t| {
        let distance = (y - t).abs();
        let near = distance.min(distance.formula().number(delta));
        (near * (distance - near * 0.5)).mean()
    })
}

/// torch.nn.BCELoss. Of a sigmoid it is computed from the logits, where it is exact however large
/// they are.
fn bce(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let (y, _) = same_shape(builder, args)?;
    let logits = is(builder, y, Unary(UnaryFn::Sigmoid)).then(|| builder.graph.node(y).inputs[0]);
    between(builder, args, |y, t| match logits {
        Some(z) => bce_logits(y.formula().term(z), t),
        None => y.formula().op(Bce { logits: false }, &[y, t]).mean(),
    })
}

/// torch.nn.BCEWithLogitsLoss
fn bce_logits<'f>(z: Term<'f>, t: Term<'f>) -> Term<'f> {
    z.formula().op(Bce { logits: true }, &[z, t]).mean()
}

fn sigmoid_before(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "`bce_logits` applies sigmoid itself, and this is a sigmoid already";
    let help = "write `bce`, or give it what sigmoid is applied to";
    let lint = Problem::new("sigmoid-before-bce-logits", message).help(help);
    is(builder, args.tensor("y"), Unary(UnaryFn::Sigmoid)).then_some(lint)
}

/// torch.nn.CrossEntropyLoss with class indices.
fn class_loss(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let logits = rows(builder, args, "y")?;
    let (shape, found) = (builder.graph.shape(logits), builder.graph.node(args.tensor("t")).ty());
    if found.dtype == DType::F32 && found.shape == shape {
        let message = "`cross_entropy` with probabilities is part of the language, but this \
                       version does not compile it yet";
        let help = format!("declare the target as class indices, i32{}", shape.without_last());
        return Err(Problem::new("not-yet", message).at("t").help(help));
    }
    let (logits, target) = classes(builder, args)?;
    let f = Formula::new(&mut builder.graph);
    Ok(f.op(CrossEntropy, &[f.term(logits), f.term(target)]).mean().id)
}

fn softmax_before(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "`cross_entropy` applies softmax itself, and this is softmax already";
    let help = "give it the logits: what softmax is applied to";
    let lint = Problem::new("softmax-before-cross-entropy", message).help(help);
    is(builder, args.tensor("y"), Softmax).then_some(lint)
}

fn is(builder: &Builder, node: NodeId, op: impl Into<Op>) -> bool {
    builder.graph.node(node).op == op.into()
}

/// Checks that `t` is one class index for each row of the logits `y`.
pub(super) fn classes(builder: &Builder, args: &Args) -> Result<(NodeId, NodeId), Problem> {
    let logits = rows(builder, args, "y")?;
    let target = args.tensor("t");
    let (shape, found) = (builder.graph.shape(logits), builder.graph.node(target).ty());
    let rows = shape.without_last();
    if found.dtype == DType::I32 && found.shape == rows {
        return Ok((logits, target));
    }
    let function = args.signature.name;
    let message = format!(
        "for logits {shape}, `{function}` takes the classes as i32{rows}, but this is {found}"
    );
    let help = format!("declare the target as i32{rows}");
    Err(Problem::new("type-mismatch", message).at("t").help(help))
}
