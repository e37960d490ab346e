//! Losses: each is a single number, by default the mean over the rows really present.
//!
//! Names, defaults and formulas are those of torch.nn. Every loss of a prediction takes
//! `reduction:`, and `weight:`, a target with a factor for each row.

mod classes;
mod indices;
mod regression;

pub(super) use classes::{bce_values, before};
pub(super) use indices::classes;

use super::{Builder, Function, Target, floats, rows};
use crate::code::Code;
use crate::entry::Entry;
use crate::graph::op::{Broadcast, Source};
use crate::graph::{Formula, NodeId, Term};
use crate::signature::{Args, Kind, Param, Problem, Range, Remedy, Signature, Value};
use arenet_program::Scale;

const Y: Param = Param::tensor("y");
const T: Param = Param::tensor("t");
/// What becomes of the values of all rows.
const REDUCTION: Param =
    Param::optional("reduction", Kind::Word(&["mean", "sum"]), Value::Word("mean"));
/// A factor for each row.
const WEIGHT: Param = Param::optional("weight", Kind::Tensor, Value::Absent);

const PLAIN: &[Param] = &[Y, T, REDUCTION, WEIGHT];
/// Over all elements, or along the last dimension, which stays with size 1.
const OF_ALL: &[Param] = &[
    Param::tensor("x"),
    Param::optional("axis", Kind::Word(&["all", "last"]), Value::Word("all")),
];
const HUBER: &[Param] = &[Y, T, Param::real("delta", Range::AboveZero, 1.0), REDUCTION, WEIGHT];
const SMOOTH_L1: &[Param] = &[Y, T, Param::real("beta", Range::AboveZero, 1.0), REDUCTION, WEIGHT];
const POISSON_NLL: &[Param] = &[
    Y,
    T,
    Param::optional("log_input", Kind::Flag, Value::Flag(true)),
    Param::flag("full"),
    Param::real("eps", Range::AboveZero, 1e-8),
    REDUCTION,
    WEIGHT,
];
const HINGE_EMBEDDING: &[Param] =
    &[Y, T, Param::real("margin", Range::Any, 1.0), REDUCTION, WEIGHT];
const BCE_LOGITS: &[Param] =
    &[Y, T, Param::real("pos_weight", Range::AtLeastZero, 1.0), REDUCTION, WEIGHT];
/// A factor for each class.
const CLASS_WEIGHT: Param = Param::optional("class_weight", Kind::Weights, Value::Absent);
/// The class of rows that do not count.
const IGNORE_INDEX: Param = Param::optional("ignore_index", Kind::Integer, Value::Absent);
const CROSS_ENTROPY: &[Param] = &[
    Y,
    T,
    CLASS_WEIGHT,
    IGNORE_INDEX,
    Param::real("label_smoothing", Range::Fraction, 0.0),
    REDUCTION,
    WEIGHT,
];
const NLL: &[Param] = &[Y, T, CLASS_WEIGHT, IGNORE_INDEX, REDUCTION, WEIGHT];
const KL_DIV: &[Param] = &[
    Y,
    T,
    Param::flag("log_target"),
    Param::optional("reduction", Kind::Word(&["mean", "sum", "batchmean"]), Value::Word("mean")),
    WEIGHT,
];

/// The losses, and sum and mean for penalties of one's own.
pub const LOSSES: &[Entry<Function>] = &[
    loss("mse", "(y - t)²", PLAIN, Function::loss(regression::mse)),
    loss("mae", "|y - t|", PLAIN, Function::loss(regression::mae)),
    loss(
        "huber",
        "d² / 2 up to a distance d of delta, then a straight line; delta is 1",
        HUBER,
        Function::loss(regression::huber),
    ),
    loss(
        "smooth_l1",
        "`huber` with delta beta, divided by beta; beta is 1",
        SMOOTH_L1,
        Function::loss(regression::smooth_l1),
    ),
    loss(
        "poisson_nll",
        "eʸ - t y of counts t; of a rate y with `log_input: false`",
        POISSON_NLL,
        Function::loss(regression::poisson_nll),
    ),
    loss(
        "hinge",
        "max(0, 1 - t y) for targets of -1 and 1",
        PLAIN,
        Function::loss(regression::hinge),
    ),
    loss(
        "hinge_embedding",
        "y where t is 1, max(0, margin - y) where it is -1; margin is 1",
        HINGE_EMBEDDING,
        Function::loss(regression::hinge_embedding),
    ),
    loss("cosine", "1 - cos(y, t) of each row", PLAIN, Function::loss(regression::cosine)),
    loss(
        "bce",
        "binary cross-entropy of probabilities y",
        PLAIN,
        Function {
            target: Some(Target::Shares(Scale::Probability)),
            ..Function::loss(classes::bce)
        },
    ),
    loss(
        "bce_logits",
        "binary cross-entropy of σ(y); pos_weight is a factor for t = 1",
        BCE_LOGITS,
        Function {
            target: Some(Target::Shares(Scale::Logit)),
            lint: Some(classes::sigmoid_before),
            ..Function::loss(classes::bce_logits)
        },
    ),
    loss(
        "cross_entropy",
        "-ln softmax(y) of the class t, or of probabilities t",
        CROSS_ENTROPY,
        Function {
            target: Some(Target::Classes(Scale::Logit)),
            lint: Some(classes::softmax_before),
            ..Function::loss(classes::cross_entropy)
        },
    ),
    loss(
        "nll",
        "-y of the class t, of logarithms y such as `log_softmax(z)`",
        NLL,
        Function { target: Some(Target::Classes(Scale::Log)), ..Function::loss(indices::nll) },
    ),
    loss(
        "kl_div",
        "t (ln t - y) of logarithms y; `reduction: batchmean` is the sum by rows",
        KL_DIV,
        Function::loss(classes::kl_div),
    ),
    Entry {
        signature: Signature {
            name: "sum",
            about: "the sum of all elements, for losses of your own; with `axis: last` of each \
                row, which stays with size 1",
            positional: 1,
            params: OF_ALL,
        },
        built: Some(Function::value(|b, args| {
            of_one(b, args, |x| if is_by_row(args) { x.sum_last() } else { x.sum() })
        })),
    },
    Entry {
        signature: Signature {
            name: "mean",
            about: "the mean of all elements, or of each row",
            positional: 1,
            params: OF_ALL,
        },
        built: Some(Function::value(|b, args| {
            of_one(b, args, |x| if is_by_row(args) { x.mean_last() } else { x.mean() })
        })),
    },
];

const fn loss(
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    function: Function,
) -> Entry<Function> {
    Entry { signature: Signature { name, about, positional: 2, params }, built: Some(function) }
}

/// Whether a function is asked to go along the last dimension.
fn is_by_row(args: &Args) -> bool {
    args.says("axis", "last")
}

fn of_one(
    builder: &mut Builder,
    args: &Args,
    function: impl for<'f> FnOnce(Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let x = if is_by_row(args) { rows(builder, args, "x") } else { floats(builder, args, "x") }?;
    let f = Formula::new(&mut builder.graph);
    Ok(function(f.term(x)).id)
}

/// The loss that has these values: weighted and reduced as the arguments say.
fn reduced(builder: &mut Builder, args: &Args, values: NodeId) -> Result<NodeId, Problem> {
    reduced_by(builder, args, values, None)
}

/// The loss that has these values, whose mean is by the sum of `counted` where that is given.
fn reduced_by(
    builder: &mut Builder,
    args: &Args,
    values: NodeId,
    counted: Option<NodeId>,
) -> Result<NodeId, Problem> {
    let weight = weights(builder, args, values)?;
    let f = Formula::new(&mut builder.graph);
    let mut values = f.term(values);
    if let Some(weight) = weight {
        values = values * f.term(weight);
    }
    let loss = match (args.word("reduction"), counted) {
        ("sum", _) => values.sum(),
        // The mean over the rows of their sums.
        ("batchmean", _) => {
            let each_row = values.shape().last().unwrap_or(1) as f64;
            values.mean() * each_row
        }
        // Where nothing counts, the sum is 0, and so is the loss.
        (_, Some(counted)) => {
            let (sum, counted) = (values.sum(), f.term(counted).sum());
            let mean = sum / counted.max(f.number(f64::from(f32::MIN_POSITIVE)));
            builder.quotients.insert(mean.id, [sum.id, counted.id]);
            mean
        }
        _ => values.mean(),
    };
    Ok(loss.id)
}

/// The `weight` of a loss, which has to spread over its values.
fn weights(builder: &Builder, args: &Args, values: NodeId) -> Result<Option<NodeId>, Problem> {
    if args.span("weight").is_none() {
        return Ok(None);
    }
    let weight = floats(builder, args, "weight")?;
    let (shape, of) = (builder.graph.shape(weight), builder.graph.shape(values));
    if Broadcast::pattern(&shape, &of).is_some() {
        return Ok(Some(weight));
    }
    let asked = of.last().and_then(|_| of.with_last(1).ok()).unwrap_or(of);
    let message = format!("a weight {shape} does not fit the values {of} of the loss");
    let help = format!("declare it as {asked}, a number for each row");
    let problem = Problem::new(Code::ShapeMismatch, message).at("weight").help(help);
    Err(problem.remedy(Remedy::Declare("weight", asked.to_string())))
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

/// The loss with these values for a prediction and a target of the same shape.
fn reduced_between(
    builder: &mut Builder,
    args: &Args,
    formula: impl for<'f> FnOnce(Term<'f>, Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let values = between(builder, args, formula)?;
    reduced(builder, args, values)
}

fn same_shape(builder: &Builder, args: &Args) -> Result<(NodeId, NodeId), Problem> {
    let y = floats(builder, args, "y")?;
    let shape = builder.graph.shape(y);
    let declare = |problem: Problem| {
        let help = format!("declare the target as {shape}");
        problem.help(help).remedy(Remedy::Declare("t", shape.to_string()))
    };
    let t = floats(builder, args, "t").map_err(declare)?;
    if builder.graph.shape(t) == shape {
        return Ok((y, t));
    }
    let other = builder.graph.shape(t);
    let message =
        format!("`{}` compares equal shapes, not {shape} and {other}", args.signature.name);
    let problem = Problem::new(Code::ShapeMismatch, message);
    let is_target = matches!(builder.graph.node(t).op.source(), Some(Source::Target(_)));
    Err(if is_target { declare(problem) } else { problem })
}
