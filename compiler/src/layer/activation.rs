//! Activations and other functions of one value.

use super::{Builder, Expand, Function, floats, rows};
use crate::entry::Entry;
use crate::graph::{Formula, NodeId, Term};
use crate::signature::{Args, Param, Problem, Range, Signature};

/// The functions of one value, all named as in torch.nn.functional.
pub const ACTIVATIONS: &[Entry<Function>] = &[
    unary("abs", |b, args| each(b, args, |x| x.abs())),
    unary("exp", |b, args| each(b, args, |x| x.exp())),
    unary("log", |b, args| each(b, args, |x| x.log())),
    unary("sqrt", |b, args| each(b, args, |x| x.sqrt())),
    unary("erf", |b, args| each(b, args, |x| x.erf())),
    Entry {
        signature: Signature { name: "relu", positional: 1, params: X },
        built: Some(Function {
            lint: Some(half_the_variance),
            ..Function::value(|b, args| each(b, args, |x| x.relu()))
        }),
    },
    unary("sigmoid", |b, args| each(b, args, |x| x.sigmoid())),
    unary("tanh", |b, args| each(b, args, |x| x.tanh())),
    unary("softplus", |b, args| each(b, args, |x| x.softplus())),
    // x Φ(x), which is torch's approximate="none"
    unary("gelu", |b, args| each(b, args, |x| x * x.normal_cdf())),
    // x σ(x)
    unary("silu", |b, args| each(b, args, |x| x * x.sigmoid())),
    // x tanh(ln(1 + eˣ))
    unary("mish", |b, args| each(b, args, |x| x * x.softplus().tanh())),
    Entry {
        signature: Signature {
            name: "leaky_relu",
            positional: 2,
            params: &[Param::tensor("x"), Param::real("slope", Range::Any, 0.01)],
        },
        built: Some(Function::value(|b, args| {
            let slope = args.real("slope");
            each(b, args, |x| leaky_relu(x, slope))
        })),
    },
    unary("softmax", |b, args| {
        rows(b, args, "x")?;
        each(b, args, |x| x.softmax())
    }),
    unary("log_softmax", |b, args| {
        rows(b, args, "x")?;
        each(b, args, |x| x.log_softmax())
    }),
    Entry::planned("elu"),
    Entry::planned("gelu_tanh"),
    Entry::planned("hardsigmoid"),
    Entry::planned("hardswish"),
    Entry::planned("log_sigmoid"),
    Entry::planned("relu6"),
    Entry::planned("selu"),
    Entry::planned("softsign"),
];

const X: &[Param] = &[Param::tensor("x")];

const fn unary(name: &'static str, expand: Expand) -> Entry<Function> {
    Entry {
        signature: Signature { name, positional: 1, params: X },
        built: Some(Function::value(expand)),
    }
}

fn each(
    builder: &mut Builder,
    args: &Args,
    function: impl for<'f> FnOnce(Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let f = Formula::new(&mut builder.graph);
    Ok(function(f.term(x)).id)
}

/// x where x > 0, else slope x. Which of the two is larger depends on the slope; the one that is
/// written first has the gradient at 0, which is the slope as in PyTorch.
fn leaky_relu(x: Term<'_>, slope: f64) -> Term<'_> {
    if slope <= 1.0 { (x * slope).max(x) } else { (x * slope).min(x) }
}

/// Warns of weights before relu that start as others do.
fn half_the_variance(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "the weights before `relu` start at half the variance that keeps its scale";
    let lint = Problem::new("relu-init", message).help("write `dense(n, init: he)`");
    builder.default_init.contains(&args.tensor("x")).then_some(lint)
}
