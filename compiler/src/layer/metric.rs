//! Metrics: figures shown beside the loss.

use super::loss::{between, classes};
use super::{Builder, Expand};
use crate::entry::Entry;
use crate::graph::{DType, Formula, NodeId, Shape, Term};
use crate::op::Correct;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};
use arenet_program::Finish;

/// A metric that is no loss.
pub struct MetricEntry {
    /// The function that gives its value.
    pub entry: Entry<Expand>,
    /// What its value is, for a target of this shape.
    pub finish: fn(Shape) -> Finish,
}

/// The metrics; every loss is one as well.
pub const METRICS: &[MetricEntry] = &[
    MetricEntry {
        entry: Entry {
            signature: Signature {
                name: "accuracy",
                positional: 2,
                params: &[
                    Param::tensor("y"),
                    Param::tensor("t"),
                    Param::optional("threshold", Kind::Real(Range::Any), Value::Real(0.5)),
                ],
            },
            built: Some(accuracy),
        },
        finish: share,
    },
    MetricEntry {
        entry: Entry {
            signature: Signature {
                name: "rmse",
                positional: 2,
                params: &[Param::tensor("y"), Param::tensor("t")],
            },
            built: Some(|b, args| between(b, args, |y, t| ((y - t) * (y - t)).mean())),
        },
        finish: |_| Finish::Root,
    },
];

/// For classes, the rows whose largest logit is the target's. For floats, the elements that lie on
/// the same side: y of the threshold, and t of one half. They are counted where there is a batch;
/// of other values it is their share.
fn accuracy(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
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

/// What an accuracy is, by the shape of its target.
fn share(target: Shape) -> Finish {
    if target.batch() { Finish::Share(target.fixed_elements() as u64) } else { Finish::Mean }
}

/// The number of ones among ones and zeros; their mean where they do not depend on the batch.
fn count(ones: Term<'_>) -> Term<'_> {
    if ones.shape().batch() { ones.sum() } else { ones.mean() }
}

/// 1 where x > threshold, else 0
fn above(x: Term<'_>, threshold: f64) -> Term<'_> {
    x.formula().number(1.0).broadcast(x.shape()).gate(x - threshold)
}
