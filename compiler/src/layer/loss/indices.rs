//! Losses of class indices, where classes may have weights and some rows may not count.

use super::super::{Builder, one_hot, positions, rows};
use super::{reduced, reduced_by};
use crate::code::Code;
use crate::graph::op::{CrossEntropy, Source, ToFloat};
use crate::graph::{DType, Formula, NodeId, Term};
use crate::model::Domain;
use crate::signature::{Args, BALANCED, Problem, Remedy};

/// The index of rows that do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ignored {
    /// One of the classes.
    Class(usize),
    /// None of them.
    Other,
}

/// torch.nn.CrossEntropyLoss with class indices.
///
/// PyTorch gives NaN where no row of a batch counts, this is 0.
pub fn cross_entropy(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let (logits, target) = classes(builder, args)?;
    let is_plain = ["class_weight", "ignore_index"].iter().all(|name| args.span(name).is_none());
    let smoothing = args.real("label_smoothing");
    if !is_plain || smoothing != 0.0 && args.span("weight").is_some() {
        return chosen(builder, args, false, smoothing);
    }
    let f = Formula::new(&mut builder.graph);
    let values = f.op(CrossEntropy, &[f.term(logits), f.term(target)]).id;
    let of_target = reduced(builder, args, values)?;
    if smoothing == 0.0 {
        return Ok(of_target);
    }
    let f = Formula::new(&mut builder.graph);
    let logits = f.term(logits);
    let count = logits.shape().last().unwrap_or(1) as f64;
    let of_all = (-logits.log_softmax() / count).sum_last().id;
    let of_all = reduced(builder, args, of_all)?;
    let f = Formula::new(&mut builder.graph);
    Ok((f.term(of_target) * (1.0 - smoothing) + f.term(of_all) * smoothing).id)
}

/// torch.nn.NLLLoss: -y of the class t, of logarithms y.
pub fn nll(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    chosen(builder, args, true, 0.0)
}

/// The factors of the classes.
#[derive(Clone, Copy)]
enum Factors<'a> {
    /// These.
    Given(&'a [f64]),
    /// Those of a parameter, which the host counts.
    Balanced(NodeId),
}

impl Factors<'_> {
    fn row<'f>(self, f: &'f Formula<'f>) -> Term<'f> {
        match self {
            Factors::Given(numbers) => row(f, numbers),
            Factors::Balanced(param) => f.term(param),
        }
    }
}

/// The factors of so many classes that balance those of a target.
fn balanced(
    builder: &mut Builder,
    target: NodeId,
    classes: usize,
    ignored: Option<Ignored>,
) -> Result<NodeId, Problem> {
    let problem = |message| Problem::new(Code::BadValue, message).at("class_weight");
    let Some(Source::Target(index)) = builder.graph.node(target).op.source() else {
        let message = "`balanced` counts the classes of a target, and this is none";
        let help = "declare it as a `target` inside `train`, or write a factor for each class";
        return Err(problem(message).help(help));
    };
    let ignored = match ignored {
        Some(Ignored::Class(class)) => Some(class as u32),
        Some(Ignored::Other) | None => None,
    };
    builder.balance(index, ignored, classes)?.ok_or_else(|| {
        let message = "the classes of this target are balanced already, with other rows ignored";
        problem(message).help("give both the same `ignore_index`, or write a factor for each class")
    })
}

/// The factors of the classes that are written, which are as many as these.
pub fn class_weights(args: &Args, classes: usize) -> Result<Option<&[f64]>, Problem> {
    let Some(factors) = args.reals("class_weight") else { return Ok(None) };
    if factors.len() == classes {
        return Ok(Some(factors));
    }
    let count = factors.len();
    let message = format!("there are {classes} classes, but `class_weight` has {count} numbers");
    Err(Problem::new(Code::ClassMismatch, message).at("class_weight"))
}

/// A row of numbers. Each element has one term that is not 0, so the sum is exact.
pub fn row<'f>(f: &'f Formula<'f>, numbers: &[f64]) -> Term<'f> {
    let at = positions(f, numbers.len());
    let only = |(i, &number): (usize, &f64)| {
        f.number(number).broadcast(at.shape()).gate(0.5 - (at - i as f64).abs())
    };
    let zero = f.number(0.0).broadcast(at.shape());
    numbers.iter().enumerate().map(only).fold(zero, |sum, term| sum + term)
}

/// What log softmax(y), or y itself where that `is_log`, has at the class of each row; the rows
/// with the index that is ignored count nothing, and others as much as their class.
fn chosen(
    builder: &mut Builder,
    args: &Args,
    is_log: bool,
    smoothing: f64,
) -> Result<NodeId, Problem> {
    let (y, target) = classes(builder, args)?;
    let shape = builder.graph.shape(rows(builder, args, "y")?);
    let count = shape.last().unwrap_or(1);
    let given = class_weights(args, count)?.map(Factors::Given);
    let ignored = ignored(builder, args, target, count)?;
    let factors = match args.says("class_weight", BALANCED) {
        true => Some(Factors::Balanced(balanced(builder, target, count, ignored)?)),
        false => given,
    };

    let f = Formula::new(&mut builder.graph);
    let (y, target) = (f.term(y), f.term(target));
    let each_row = shape.without_last();
    let log = if is_log { y } else { y.log_softmax() };
    let mut hot = one_hot(f.op(ToFloat, &[target]), count);
    if let Some(Ignored::Class(class)) = ignored {
        hot = hot.gate((positions(&f, count) - class as f64).abs() - 0.5);
    }
    let factors = factors.map(|factors| factors.row(&f));
    let present = ignored.map(|_| hot.sum_last());
    let factor = factors.map(|factors| (hot * factors).sum_last()).or(present);
    let factor = factor.map(|factor| factor.reshape(each_row));

    let mut values = match is_log || ignored == Some(Ignored::Other) {
        true => (-log.gate(hot).sum_last()).reshape(each_row),
        false => f.op(CrossEntropy, &[y, target]),
    };
    if let Some(factor) = factor {
        values = values * factor;
    }
    if smoothing != 0.0 {
        let mut all = -factors.map_or(log, |factors| log * factors).sum_last();
        if let Some(present) = present {
            all = all * present;
        }
        let all = all.reshape(each_row);
        values = values * (1.0 - smoothing) + all * (smoothing / count as f64);
    }
    let (values, factor) = (values.id, factor.map(|factor| factor.id));
    reduced_by(builder, args, values, factor)
}

/// The index of rows that do not count, as the domain of the target has it. A number that is none
/// of the classes becomes a part of the domain.
fn ignored(
    builder: &mut Builder,
    args: &Args,
    target: NodeId,
    classes: usize,
) -> Result<Option<Ignored>, Problem> {
    let Some(index) = args.integer("ignore_index") else { return Ok(None) };
    let problem = |message| Problem::new(Code::BadValue, message).at("ignore_index");
    let (low, high) = match builder.domains.get(&target) {
        Some(Domain::Range(low, high)) => (*low, *high),
        Some(Domain::RangeOr(_, _, other)) if *other == index => return Ok(Some(Ignored::Other)),
        Some(Domain::RangeOr(.., other)) => {
            return Err(problem(format!("rows with {other} are ignored already")));
        }
        Some(Domain::Names(names)) if !(0..names.len() as i64).contains(&index) => {
            let message = format!("there is no class {index} in the list of {}", names.len());
            return Err(problem(message).help("write the place of a class in the list, from 0 on"));
        }
        _ => (0, classes as i64),
    };
    if (low..high).contains(&index) {
        return Ok(Some(Ignored::Class((index - low) as usize)));
    }
    builder.domains.insert(target, Domain::RangeOr(low, high, index));
    Ok(Some(Ignored::Other))
}

/// Checks that `t` is one class index for each row of the logits `y`.
pub(in crate::layer) fn classes(
    builder: &Builder,
    args: &Args,
) -> Result<(NodeId, NodeId), Problem> {
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
    let problem = Problem::new(Code::TypeMismatch, message).at("t").help(help);
    Err(problem.remedy(Remedy::Declare("t", format!("i32{rows}"))))
}
