//! Metrics: figures shown beside the loss.

use super::loss::{between, classes};
use super::{Builder, Function, Make, Target};
use crate::entry::Entry;
use crate::graph::{DType, Formula, NodeId, Term};
use crate::model::Figure;
use crate::op::Correct;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};
use arenet_program::{Finish, HostInput, HostNumber};

/// The metrics; every loss is one as well.
pub const METRICS: &[Entry<Function>] = &[
    Entry {
        signature: Signature {
            name: "accuracy",
            positional: 2,
            params: &[
                Param::tensor("y"),
                Param::tensor("t"),
                Param::optional("threshold", Kind::Real(Range::Any), Value::Real(0.5)),
            ],
        },
        built: Some(Function {
            make: Make::Metric(accuracy),
            target: Some(Target::Classes),
            lint: None,
        }),
    },
    Entry {
        signature: Signature {
            name: "rmse",
            positional: 2,
            params: &[Param::tensor("y"), Param::tensor("t")],
        },
        built: Some(Function { make: Make::Metric(rmse), target: None, lint: None }),
    },
    Entry {
        signature: Signature {
            name: "r2",
            positional: 2,
            params: &[Param::tensor("y"), Param::tensor("t")],
        },
        built: Some(Function { make: Make::Metric(r2), target: None, lint: None }),
    },
];

/// The share of what is right.
fn accuracy(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let values = vec![correct(builder, args)?];
    let target = builder.graph.shape(args.tensor("t"));
    let mut finish = Finish { percent: true, ..Finish::mean() };
    if target.batch() {
        // Counts are whole numbers, so the share is that of all rows exactly, whatever the batches.
        finish.sums = vec![HostInput::Value(0).into()];
        let all = HostNumber::from(HostInput::Rows) * target.fixed_elements() as f64;
        finish.figure = HostNumber::from(HostInput::Sum(0)) / all;
    }
    Ok(Figure { values, finish })
}

/// The root of the mean square over all rows.
fn rmse(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let values = vec![between(builder, args, |y, t| ((y - t) * (y - t)).mean())?];
    let mut finish = Finish::mean();
    finish.figure = finish.figure.sqrt();
    Ok(Figure { values, finish })
}

/// 1 - Σ (t - y)² / Σ (t - m)², m the mean of t over all rows; sklearn.metrics.r2_score also where
/// all t are the same.
///
/// Σ (t - m)² is what t varies within the batches and what their means vary. The former is a sum of
/// squared differences; for the latter the host squares the means in 64 bits. So no square of a
/// large m is rounded to 32 bits.
fn r2(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let target = builder.graph.shape(args.tensor("t"));
    if !target.batch() || target.fixed_elements() != 1 {
        let message = format!("`r2` is of one number for each N, and this is {target}");
        let help = "declare an output and a target [N] for each number";
        return Err(Problem::new("shape-mismatch", message).at("t").help(help));
    }
    let error = between(builder, args, |y, t| ((y - t) * (y - t)).mean())?;
    let f = Formula::new(&mut builder.graph);
    let t = f.term(args.tensor("t"));
    let mean = t.mean();
    let apart = t - mean;
    let values = vec![error, (apart * apart).mean().id, mean.id];

    let number = HostNumber::from;
    let value = |index| number(HostInput::Value(index));
    let means = value(2) * value(2) * HostInput::Rows;
    let each_mean = |index| value(index) * HostInput::Rows;
    let sums = vec![each_mean(0), each_mean(1), each_mean(2), means];

    let sum = |index| number(HostInput::Sum(index));
    let all = sum(1) + (sum(3) - sum(2) * sum(2) / HostInput::Rows);
    // Less than this is the rounding of equal means.
    let some = (sum(3) * 1e-13).less(all.clone());
    let none = number(HostInput::Sum(0)).choose(0.0, 1.0);
    let figure = some.choose(1.0 - sum(0) / all, none);
    Ok(Figure { values, finish: Finish { sums, figure, percent: false } })
}

/// For classes, the rows whose largest logit is the target's. For floats, the elements that lie on
/// the same side: y of the threshold, and t of one half. They are counted where there is a batch;
/// of other values it is their share.
fn correct(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    if builder.graph.node(args.tensor("t")).dtype == DType::F32 {
        let threshold = args.real("threshold");
        return between(builder, args, |y, t| {
            count(1.0 - (above(y, threshold) - above(t, 0.5)).abs())
        });
    }
    if args.span("threshold").is_some() {
        let message = "classes have no threshold: the largest logit counts";
        return Err(Problem::new("wrong-argument", message).at("threshold"));
    }
    let (logits, target) = classes(builder, args)?;
    let f = Formula::new(&mut builder.graph);
    Ok(count(f.op(Correct, &[f.term(logits), f.term(target)])).id)
}

/// The number of ones among ones and zeros; their mean where they do not depend on the batch.
fn count(ones: Term<'_>) -> Term<'_> {
    if ones.shape().batch() { ones.sum() } else { ones.mean() }
}

/// 1 where x > threshold, else 0
fn above(x: Term<'_>, threshold: f64) -> Term<'_> {
    x.formula().number(1.0).broadcast(x.shape()).gate(x - threshold)
}
