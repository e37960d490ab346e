//! Activations and other functions of one value.

use super::{Builder, Expand, Function, floats, rows};
use crate::code::Code;
use crate::entry::Entry;
use crate::fix::Fix;
use crate::graph::{Formula, NodeId, Term};
use crate::init::Init;
use crate::signature::{Args, Param, Problem, Range, Remedy, Signature};
use std::f64::consts::PI;

/// The functions of one value, all named as in torch.nn.functional.
pub const ACTIVATIONS: &[Entry<Function>] = &[
    unary("abs", "the absolute value", |b, args| each(b, args, |x| x.abs())),
    unary("exp", "eˣ", |b, args| each(b, args, |x| x.exp())),
    unary("log", "the natural logarithm", |b, args| each(b, args, |x| x.log())),
    unary("sqrt", "√x", |b, args| each(b, args, |x| x.sqrt())),
    unary("erf", "the error function", |b, args| each(b, args, |x| x.erf())),
    Entry {
        signature: Signature { name: "relu", about: "max(x, 0)", positional: 1, params: X },
        built: Some(Function {
            lint: Some(half_the_variance),
            ..Function::value(|b, args| each(b, args, |x| x.relu()))
        }),
    },
    unary("sigmoid", "σ(x) = 1 / (1 + e⁻ˣ)", |b, args| each(b, args, |x| x.sigmoid())),
    unary("tanh", "tanh x", |b, args| each(b, args, |x| x.tanh())),
    unary("softplus", "ln(1 + eˣ)", |b, args| each(b, args, |x| x.softplus())),
    // x Φ(x), which is torch's approximate="none"
    unary("gelu", "x Φ(x), Φ the normal distribution function", |b, args| {
        each(b, args, |x| x * x.normal_cdf())
    }),
    // x σ(x)
    unary("silu", "x σ(x), also called swish", |b, args| each(b, args, |x| x * x.sigmoid())),
    // x tanh(ln(1 + eˣ))
    unary("mish", "x tanh(ln(1 + eˣ))", |b, args| each(b, args, |x| x * x.softplus().tanh())),
    // x / (1 + |x|)
    unary("softsign", "x / (1 + |x|)", |b, args| each(b, args, |x| x / (1.0 + x.abs()))),
    // -ln(1 + e⁻ˣ)
    unary("log_sigmoid", "ln σ(x)", |b, args| each(b, args, |x| -(-x).softplus())),
    unary("relu6", "min(max(x, 0), 6)", |b, args| each(b, args, relu6)),
    unary("hardsigmoid", "relu6(x + 3) / 6", |b, args| each(b, args, |x| relu6(x + 3.0) / 6.0)),
    unary("hardswish", "x relu6(x + 3) / 6", |b, args| each(b, args, |x| x * relu6(x + 3.0) / 6.0)),
    // torch's approximate="tanh", of Hendrycks and Gimpel (2016)
    unary("gelu_tanh", "the approximation of `gelu` by tanh", |b, args| {
        let scale = (2.0 / PI).sqrt();
        each(b, args, |x| x * 0.5 * (1.0 + ((x + x * x * x * 0.044715) * scale).tanh()))
    }),
    Entry {
        signature: Signature {
            name: "elu",
            about: "x where x > 0, else alpha (eˣ - 1); alpha is 1",
            positional: 2,
            params: &[Param::tensor("x"), Param::real("alpha", Range::Any, 1.0)],
        },
        built: Some(Function::value(|b, args| {
            let alpha = args.real("alpha");
            each(b, args, |x| elu(x, alpha))
        })),
    },
    // The constants are those of Klambauer et al. (2017), which keep mean 0 and variance 1.
    unary("selu", "`elu` with the scale and alpha that keep mean 0 and variance 1", |b, args| {
        const ALPHA: f64 = 1.6732632423543772;
        const SCALE: f64 = 1.0507009873554805;
        each(b, args, |x| elu(x, ALPHA) * SCALE)
    }),
    Entry {
        signature: Signature {
            name: "leaky_relu",
            about: "x where x > 0, else slope x; slope is 0.01",
            positional: 2,
            params: &[Param::tensor("x"), Param::real("slope", Range::Any, 0.01)],
        },
        built: Some(Function::value(|b, args| {
            let slope = args.real("slope");
            each(b, args, |x| leaky_relu(x, slope))
        })),
    },
    PRELU,
    unary("softmax", "eˣ / Σ eˣ along the last dimension", |b, args| {
        rows(b, args, "x")?;
        each(b, args, |x| x.softmax())
    }),
    unary("log_softmax", "x - ln Σ eˣ along the last dimension", |b, args| {
        rows(b, args, "x")?;
        each(b, args, |x| x.log_softmax())
    }),
];

/// `prelu(x, init:)`: a leaky relu whose slope is learned, one for all; torch.nn.PReLU.
const PRELU: Entry<Function> = Entry {
    signature: Signature {
        name: "prelu",
        about: "x where x > 0, else a learned slope times x; the slope starts as 0.25",
        positional: 1,
        params: &[Param::tensor("x"), Param::real("init", Range::Any, 0.25)],
    },
    built: Some(Function::value(|builder, args| {
        let x = floats(builder, args, "x")?;
        let slope = builder.param("w", &[], Init::Constant(args.real("init")))?;
        let f = Formula::new(&mut builder.graph);
        let x = f.term(x);
        Ok((x.relu() - f.term(slope) * (-x).relu()).id)
    })),
};

const X: &[Param] = &[Param::tensor("x")];

const fn unary(name: &'static str, about: &'static str, expand: Expand) -> Entry<Function> {
    Entry {
        signature: Signature { name, about, positional: 1, params: X },
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

/// min(6, max(x, 0)). The one that is written first has the gradient at 6: 0, as in PyTorch.
fn relu6(x: Term<'_>) -> Term<'_> {
    x.formula().number(6.0).min(x.relu())
}

/// x where x > 0, else alpha (eˣ - 1), with eˣ - 1 = 2 t / (1 - t) for t = tanh(x / 2), which keeps
/// its digits near 0.
fn elu(x: Term<'_>, alpha: f64) -> Term<'_> {
    let half = (x.min(x.formula().number(0.0)) * 0.5).tanh();
    x.relu() + half / (1.0 - half) * (2.0 * alpha)
}

/// Warns of weights before relu that start as others do.
fn half_the_variance(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "the weights before `relu` start at half the variance that keeps its scale";
    let lint = Problem::new(Code::ReluInit, message).help("write `dense(n, init: he)`");
    let &end = builder.default_init.get(&args.tensor("x"))?;
    Some(lint.remedy(Remedy::Fix(Fix::insert(end, ", init: he").likely())))
}
