//! Metrics of classes by counts: how many rows of each class there are, how many are found to be of
//! it, and how many of those are right. They are exact, of all rows, whatever the batches. A row
//! that does not count in the target is in none of them.

use super::super::loss::{between, classes};
use super::super::{Builder, one_hot};
use super::sums::{above, quotient, ratio_of_sums, sum};
use crate::code::Code;
use crate::graph::op::{Argmax, MatMul, Slice, ToFloat};
use crate::graph::{DType, Formula, NodeId};
use crate::model::{Domain, Figure};
use crate::signature::{Args, Problem, Remedy};
use arenet_program::{Finish, HostInput, HostNumber, Over};

/// sklearn.metrics.precision_score of classes: of what is found, the share that is right.
pub fn precision(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    by_class(builder, args, RIGHT, FOUND)
}

/// sklearn.metrics.recall_score of classes: of what there is, the share that is found.
pub fn recall(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    by_class(builder, args, RIGHT, THERE)
}

/// sklearn.metrics.f1_score of classes: the harmonic mean of precision and recall.
pub fn f1(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    by_class(builder, args, |sum| RIGHT(sum) * 2.0, |sum| FOUND(sum) + THERE(sum))
}

/// sklearn.metrics.balanced_accuracy_score: the mean recall of the classes that there are.
pub fn balanced_accuracy(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let values = counts(builder, args)?;
    let each = vec![quotient(RIGHT(sum), THERE(sum)), is_some(THERE(sum))];
    Ok(Figure { values, finish: over_classes(each, sum(0) / sum(1).max(1.0)) })
}

/// The share of rows that are right among those that count.
pub fn accuracy(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let [right, _, there] = counts(builder, args)?[..] else { unreachable!("there are three") };
    let f = Formula::new(&mut builder.graph);
    let values = [right, there].map(|counts| f.term(counts).sum().id).to_vec();
    Ok(Figure { values, finish: ratio_of_sums(true) })
}

/// sklearn.metrics.confusion_matrix: for each class in turn, how many of its rows are found to be
/// of each class.
pub fn confusion_matrix(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    if builder.graph.node(args.tensor("t")).dtype == DType::F32 {
        let message = "`confusion_matrix` is of classes, and this target is of floats";
        let help = class_target(builder, args);
        return Err(Problem::new(Code::TypeMismatch, message).at("t").help(help));
    }
    let [found, there] = rows(builder, args)?;
    let f = Formula::new(&mut builder.graph);
    let product = MatMul { transpose_a: true, transpose_b: false };
    let values = vec![f.op(product, &[f.term(there), f.term(found)]).id];
    // The target is known to the caller.
    let over = Over::Table { target: 0 };
    Ok(Figure { values, finish: Finish { over, ..Finish::sum() } })
}

/// sklearn.metrics.roc_auc_score: of all pairs of rows on either side, the share whose scores are
/// in the right order. The host ranks all rows, as no sum over batches tells it.
pub fn auc(builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
    let t = builder.graph.node(args.tensor("t")).ty();
    if t.shape.fixed_elements() != 1 || !t.shape.batch() {
        let message = format!("`auc` ranks one number for each N, and this is {t}");
        let help = "declare an output and a target [N] for each number";
        return Err(Problem::new(Code::ShapeMismatch, message).at("t").help(help));
    }
    let values = match t.dtype {
        DType::F32 => {
            let side = between(builder, args, |_, t| above(t, 0.5))?;
            vec![args.tensor("y"), side]
        }
        DType::I32 => {
            let (y, target) = classes(builder, args)?;
            let shape = builder.graph.shape(y);
            if shape.last() != Some(2) {
                let message =
                    format!("`auc` is of two classes, and the logits {shape} are of more");
                let help = "compare each class with the others by an output of its own";
                return Err(Problem::new(Code::ClassMismatch, message).at("y").help(help));
            }
            let shape = shape.with_last(1)?;
            let f = Formula::new(&mut builder.graph);
            let [lower, upper] = [0, 1].map(|from| f.op(Slice { shape, from }, &[f.term(y)]));
            let side = f.op(ToFloat, &[f.term(target)]);
            vec![(upper - lower).id, side.id]
        }
    };
    let finish = Finish {
        over: Over::Ranks,
        sums: vec![],
        figure: sum(0) / (sum(1) * sum(2)),
        percent: false,
    };
    Ok(Figure { values, finish })
}

/// How a target of classes is declared for these logits.
pub fn class_target(builder: &Builder, args: &Args) -> String {
    let shape = builder.graph.shape(args.tensor("y"));
    let rows = shape.last().map_or(shape, |_| shape.without_last());
    format!("declare the target as i32{rows}")
}

/// Refuses a threshold of classes.
pub fn no_threshold(args: &Args) -> Result<(), Problem> {
    if args.span("threshold").is_none() {
        return Ok(());
    }
    let message = "classes have no threshold: the largest logit counts";
    let problem = Problem::new(Code::WrongArgument, message).at("threshold");
    Err(problem.remedy(Remedy::Without("threshold")))
}

/// A count of a class, among the sums over all rows.
type Count = fn(fn(u16) -> HostNumber) -> HostNumber;
/// The rows of the class that are found to be of it.
const RIGHT: Count = |sum| sum(0);
/// The rows that are found to be of it.
const FOUND: Count = |sum| sum(1);
/// The rows of the class.
const THERE: Count = |sum| sum(2);

/// A quotient of counts of each class, and the average of these: as scikit-learn, 0 where there is
/// nothing to divide by, and a macro average is of the classes that are there or are found.
fn by_class(
    builder: &mut Builder,
    args: &Args,
    part: Count,
    whole: Count,
) -> Result<Figure, Problem> {
    let values = counts(builder, args)?;
    let (part, whole) = (part(sum), whole(sum));
    let share = quotient(part.clone(), whole.clone());
    let mean = |each, figure| over_classes(each, figure);
    let finish = match args.word("average") {
        "macro" => mean(vec![share, is_some(FOUND(sum) + THERE(sum))], sum(0) / sum(1).max(1.0)),
        "weighted" => mean(vec![share * THERE(sum), THERE(sum)], quotient(sum(0), sum(1))),
        "micro" => mean(vec![part, whole], quotient(sum(0), sum(1))),
        // Each class by itself, one after another.
        _ => mean(vec![share], sum(0)),
    };
    Ok(Figure { values, finish })
}

fn over_classes(each: Vec<HostNumber>, figure: HostNumber) -> Finish {
    let sums = [0, 1, 2].map(|index| HostInput::Value(index).into()).to_vec();
    Finish { over: Over::Classes { each, class: None }, sums, figure, percent: true }
}

/// 1 where a count is not 0.
fn is_some(count: HostNumber) -> HostNumber {
    HostNumber::from(0.0).less(count)
}

/// For each class, the rows that are right, those that are found, and those that there are.
fn counts(builder: &mut Builder, args: &Args) -> Result<Vec<NodeId>, Problem> {
    no_threshold(args)?;
    let [found, there] = rows(builder, args)?;
    let f = Formula::new(&mut builder.graph);
    let (found, there) = (f.term(found), f.term(there));
    Ok([found * there, found, there].map(|rows| rows.sum_rows().id).to_vec())
}

/// For each row, a 1 at the class with the largest logit, and a 1 at its class.
fn rows(builder: &mut Builder, args: &Args) -> Result<[NodeId; 2], Problem> {
    let (y, target) = classes(builder, args)?;
    let is_ignored = matches!(builder.domains.get(&target), Some(Domain::RangeOr(..)));
    let f = Formula::new(&mut builder.graph);
    let y = f.term(y);
    let count = y.shape().last().unwrap_or(1);
    let there = one_hot(f.op(ToFloat, &[f.term(target)]), count);
    let mut found = one_hot(f.op(Argmax, &[y]), count);
    if is_ignored {
        found = found * there.sum_last();
    }
    Ok([found.id, there.id])
}
