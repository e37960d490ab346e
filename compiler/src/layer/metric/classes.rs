//! Metrics of classes and probabilities.

use super::super::Builder;
use super::super::loss::{bce_values, before, between, classes};
use super::counts;
use super::sums::{above, ratio, ratio_of_sums, sum};
use crate::code::Code;
use crate::fix::{Edit, Fix};
use crate::graph::op::{Correct, CrossEntropy, CrossEntropyGrad, Softmax};
use crate::graph::{DType, Formula, NodeId, Term};
use crate::model::{Domain, Figure};
use crate::signature::{Args, Problem, Remedy};
use arenet_program::{Finish, HostInput, HostNumber, Over};

/// sklearn.metrics.accuracy_score: the share of what is right.
///
/// For classes, of the rows whose largest logit is the target's. For floats, of the elements that
/// lie on the same side, y of the threshold and t of one half.
pub fn accuracy(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if builder.graph.node(args.tensor("t")).dtype == DType::F32 {
        let right = sides(builder, args, |y, t| 1.0 - (y - t).abs())?;
        return Ok(share(builder, args, right));
    }
    counts::no_threshold(args)?;
    let (logits, target) = classes(builder, args)?;
    if matches!(builder.domains.get(&target), Some(Domain::RangeOr(..))) {
        return counts::accuracy(builder, args);
    }
    let f = Formula::new(&mut builder.graph);
    let right = count(f.op(Correct, &[f.term(logits), f.term(target)])).id;
    Ok(share(builder, args, right))
}

/// sklearn.metrics.precision_score: of the elements above the threshold, the share that is right;
/// 0 where there are none.
pub fn precision(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if is_of_classes(builder, args) {
        return counts::precision(builder, args);
    }
    let [found, all] = [sides(builder, args, |y, t| y * t)?, sides(builder, args, |y, _| y)?];
    Ok(Figure { values: vec![found, all], finish: ratio_of_sums(true) })
}

/// sklearn.metrics.recall_score: of the elements whose target is 1, the share that is above the
/// threshold; 0 where there are none.
pub fn recall(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if is_of_classes(builder, args) {
        return counts::recall(builder, args);
    }
    let [found, all] = [sides(builder, args, |y, t| y * t)?, sides(builder, args, |_, t| t)?];
    Ok(Figure { values: vec![found, all], finish: ratio_of_sums(true) })
}

/// sklearn.metrics.f1_score: the harmonic mean of precision and recall.
pub fn f1(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if is_of_classes(builder, args) {
        return counts::f1(builder, args);
    }
    let found = sides(builder, args, |y, t| y * t * 2.0)?;
    let all = sides(builder, args, |y, t| y + t)?;
    Ok(Figure { values: vec![found, all], finish: ratio_of_sums(false) })
}

/// sklearn.metrics.balanced_accuracy_score: the mean over the two sides of the share of their
/// elements that is right; a side without elements does not count.
pub fn balanced_accuracy(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if is_of_classes(builder, args) {
        return counts::balanced_accuracy(builder, args);
    }
    let values = vec![
        sides(builder, args, |y, t| y * t)?,
        sides(builder, args, |_, t| t)?,
        sides(builder, args, |y, t| (1.0 - y) * (1.0 - t))?,
        sides(builder, args, |_, t| 1.0 - t)?,
    ];
    let has = |index| HostNumber::from(0.0).less(sum(index));
    let figure = (ratio(0, 1) + ratio(2, 3)) / (has(1) + has(3)).max(1.0);
    let sums = (0..4).map(|index| HostInput::Value(index).into()).collect();
    Ok(Figure { values, finish: Finish { over: Over::Numbers, sums, figure, percent: true } })
}

/// sklearn.metrics.top_k_accuracy_score: the share of the rows where the target's logit is among
/// the k largest. A logit that is no larger than the next one is not among them.
pub fn top_k(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let (logits, target) = classes(builder, args)?;
    let shape = builder.graph.shape(logits);
    let (k, classes) = (args.count("k").unwrap_or(1), shape.last().unwrap_or(1) as u64);
    if k >= classes {
        let message = format!("the target is always among the {k} largest of the logits {shape}");
        let help = "`k` is less than the number of classes";
        return Err(Problem::new(Code::BadValue, message).at("k").help(help));
    }
    let f = Formula::new(&mut builder.graph);
    let (logits, target) = (f.term(logits), f.term(target));
    // softmax(0) - onehot(target) is negative at the target alone.
    let zeros = f.number(0.0).broadcast(shape);
    let ones = f.number(1.0).broadcast(shape.without_last());
    let not_target = f.op(CrossEntropyGrad, &[zeros, target, ones]);
    let of_target = logits.gate(-not_target).sum_last();
    let lower = above(of_target.broadcast(shape) - logits, 0.0).sum_last();
    let right = count(above(lower, (classes - k) as f64 - 0.5)).id;
    Ok(share(builder, args, right))
}

/// sklearn.metrics.log_loss: the mean of -ln p, p the probability that y gives to the target.
///
/// Of a softmax or a sigmoid it is computed from the logits, where it is exact.
pub fn log_loss(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let values = if builder.graph.node(args.tensor("t")).dtype == DType::F32 {
        bce_values(builder, args)?
    } else {
        let (y, target) = classes(builder, args)?;
        let logits = before(builder, y, Softmax { log: false });
        let f = Formula::new(&mut builder.graph);
        let least = f.number(f64::from(f32::MIN_POSITIVE));
        let logits = logits.map_or_else(|| f.term(y).max(least).log(), |logits| f.term(logits));
        f.op(CrossEntropy, &[logits, f.term(target)]).id
    };
    let mean = Formula::new(&mut builder.graph).term(values).mean().id;
    Ok(Figure { values: vec![mean], finish: Finish::mean() })
}

/// Warns of logits where probabilities are meant.
pub fn no_softmax_before(builder: &Builder, args: &Args) -> Option<Problem> {
    let message = "`log_loss` takes probabilities, and this is no softmax";
    let help = "give it `softmax(...)`, or write `metric cross_entropy` for logits";
    let is_index = builder.graph.node(args.tensor("t")).dtype == DType::I32;
    let is_softmax = before(builder, args.tensor("y"), Softmax { log: false }).is_some();
    let lint = Problem::new(Code::LogitsForProbabilities, message).help(help);
    let y = args.span("y")?;
    let around = [Edit::insert(y.start, "softmax("), Edit::insert(y.end, ")")];
    let lint = lint.remedy(Remedy::Fix(Fix::new("give it `softmax(...)`", around)));
    (is_index && !is_softmax).then_some(lint)
}

/// Counts what a formula makes of the sides of y and t, 1 for the upper one and else 0.
fn sides(
    builder: &mut Builder,
    args: &Args,
    formula: impl for<'f> FnOnce(Term<'f>, Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let params = args.signature.params;
    if params.iter().any(|param| param.name == "average") && args.span("average").is_some() {
        let message = "two sides have no average: the upper one counts";
        let help = counts::class_target(builder, args);
        let problem = Problem::new(Code::WrongArgument, message).at("average").help(help);
        return Err(problem.remedy(Remedy::Without("average")));
    }
    let threshold = args.real("threshold");
    between(builder, args, |y, t| count(formula(above(y, threshold), above(t, 0.5))))
}

/// Whether a metric is of classes; these have no threshold.
fn is_of_classes(builder: &Builder, args: &Args) -> bool {
    builder.graph.node(args.tensor("t")).dtype == DType::I32
}

/// The figure of a count: its share in the elements of the target.
fn share(builder: &Builder, args: &Args, right: NodeId) -> Figure {
    let target = builder.graph.shape(args.tensor("t"));
    let mut finish = Finish { percent: true, ..Finish::mean() };
    if target.batch() {
        // Counts are whole numbers, so the share is that of all rows exactly, whatever the batches.
        finish.sums = vec![HostInput::Value(0).into()];
        let all = HostNumber::from(HostInput::Rows) * target.fixed_elements() as f64;
        finish.figure = sum(0) / all;
    }
    Figure { values: vec![right], finish }
}

/// The sum of whole numbers; their mean where they do not depend on the batch.
fn count(numbers: Term<'_>) -> Term<'_> {
    if numbers.shape().batch() { numbers.sum() } else { numbers.mean() }
}
