//! Functions that choose elements and put them together in other shapes.

use super::{Builder, Function, Holes, floats, function, rows};
use crate::code::Code;
use crate::entry::Entry;
use crate::graph::op::{Argmax, Concat, Iota, Reshape, Slice, ToFloat};
use crate::graph::{DType, Formula, MAX_INPUTS, NodeId, Shape, Term};
use crate::model::Domain;
use crate::signature::{Args, Kind, Param, Problem, Value};

const X: Param = Param::tensor("x");
const ROWS: &[Param] = &[X];
const CONCAT: &[Param] = &[Param::tensor("a"), Param::tensor("b"), Param::rest()];
const SLICE: &[Param] = &[
    X,
    Param::optional("from", Kind::count(0), Value::Count(0)),
    Param::optional("to", Kind::count(1), Value::Absent),
];
const RESHAPE: &[Param] = &[X, Param::required("sizes", Kind::Sizes)];
const ONE_HOT: &[Param] = &[X, Param::optional("n", Kind::count(1), Value::Absent)];

/// The functions.
pub const SHAPES: &[Entry<Function>] = &[
    function(
        "concat",
        "rows side by side, along the last dimension",
        2,
        CONCAT,
        concat,
        Holes::Kept,
    ),
    function(
        "slice",
        "the elements of each row from `from` up to, but not including, `to`",
        1,
        SLICE,
        slice,
        Holes::Kept,
    ),
    function(
        "reshape",
        "the same elements in rows of another length: `reshape(x, [4, 3])` is [N, 4, 3]",
        2,
        RESHAPE,
        reshape,
        Holes::Kept,
    ),
    function("flatten", "all elements of each N in one row", 1, ROWS, flatten, Holes::Kept),
    function(
        "one_hot",
        "a row for each class of an integer input, with 1 at its place, or for whole numbers \
            below n",
        2,
        ONE_HOT,
        one_hot_of,
        Holes::Filled,
    ),
    function(
        "argmax",
        "the place of the largest element of each row, from 0; the first one at ties",
        1,
        ROWS,
        argmax,
        Holes::Refused,
    ),
    function("max", "the largest element of each row", 1, ROWS, max, Holes::Refused),
];

/// 0, 1, 2 and so on, a row.
pub fn positions<'f>(f: &'f Formula<'f>, count: usize) -> Term<'f> {
    f.op(Iota { cols: count }, &[])
}

/// A row of zeros for each whole number in a column, with a 1 at the place that the number says;
/// where there is no such place, of zeros alone.
pub fn one_hot(place: Term<'_>, count: usize) -> Term<'_> {
    let f = place.formula();
    let shape = place.shape().with_last(count).expect("the rows fit");
    let apart = positions(f, count).broadcast(shape) - place.broadcast(shape);
    f.number(1.0).broadcast(shape).gate(0.5 - apart.abs())
}

/// Rows side by side, several at a time.
fn concat(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let mut parts = vec![rows(builder, args, "a")?, rows(builder, args, "b")?];
    for &part in args.tensors("...") {
        let ty = builder.graph.node(part).ty();
        if ty.dtype != DType::F32 || ty.shape.last().is_none() {
            let message = format!("`concat` puts rows of floats side by side, and this is {ty}");
            return Err(Problem::new(Code::TypeMismatch, message).at("..."));
        }
        parts.push(part);
    }
    let help = "only the last sizes may differ; `reshape` changes a shape";
    let misfit = |error| Problem::from(error).help(help);
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(MAX_INPUTS));
        for few in parts.chunks(MAX_INPUTS) {
            let shapes: Vec<Shape> = few.iter().map(|&part| builder.graph.shape(part)).collect();
            joined.push(match few {
                [one] => *one,
                _ => builder.graph.try_add(Concat::of(&shapes).map_err(misfit)?, few)?,
            });
        }
        parts = joined;
    }
    Ok(parts[0])
}

/// The elements of each row from `from` up to, but not including, `to`.
fn slice(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let width = shape.last().unwrap_or(1) as u64;
    let (from, to) = (args.count("from").unwrap_or(0), args.count("to").unwrap_or(width));
    if from >= to || to > width {
        let message = format!("the rows of {shape} have no elements {from}..{to}");
        let help = format!("`from` is less than `to`, and `to` at most {width}");
        let blamed = if to > width { "to" } else { "from" };
        return Err(Problem::new(Code::BadValue, message).at(blamed).help(help));
    }
    let shape = shape.with_last((to - from) as usize)?;
    Ok(builder.graph.try_add(Slice { shape, from: from as usize }, &[x])?)
}

/// The same elements in rows of another length.
fn reshape(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let size = |&size: &u64| usize::try_from(size).unwrap_or(usize::MAX);
    let dims: Vec<usize> = args.counts("sizes").iter().map(size).collect();
    let from = builder.graph.shape(x);
    let shape =
        Shape::new(from.batch(), &dims).map_err(|error| Problem::from(error).at("sizes"))?;
    let reshaped = builder.graph.try_add(Reshape { shape }, &[x]);
    reshaped.map_err(|error| Problem::from(error).at("sizes"))
}

/// One row for each N.
fn flatten(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let shape = Shape::new(shape.batch(), &[shape.fixed_elements()])?;
    Ok(builder.graph.try_add(Reshape { shape }, &[x])?)
}

/// torch.nn.functional.one_hot of classes, or of whole numbers. What is missing has no 1.
fn one_hot_of(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    /// Beyond this, a float does not tell whole numbers apart.
    const MOST: u64 = 1 << 24;
    let x = args.tensor("x");
    let ty = builder.graph.node(x).ty();
    let classes = builder.domains.get(&x).and_then(Domain::classes);
    let Some(count) = args.count("n").or(classes) else {
        let message = "nothing says how many values this has, which is the length of the rows";
        let help = "write `in 0..10` behind its type, or the length as `one_hot(x, 10)`";
        return Err(Problem::new(Code::UnknownClasses, message).at("x").help(help));
    };
    if let Some(classes) = classes.filter(|&classes| classes > count) {
        let message =
            format!("this has {classes} values, and rows of {count} have no place for all");
        let help = format!("write `one_hot(x)`, or `n` from {classes} on");
        return Err(Problem::new(Code::BadValue, message).at("n").help(help));
    }
    if count > MOST {
        let message = format!("rows of {count} are longer than the {MOST} that floats can count");
        return Err(Problem::new(Code::BadValue, message).at("n"));
    }
    let columns = Shape::new(ty.shape.batch(), &[&*ty.shape.dims(), &[1]].concat())?;
    columns.with_last(count as usize)?;
    let f = Formula::new(&mut builder.graph);
    let place = match ty.dtype {
        DType::I32 => f.op(ToFloat, &[f.term(x)]),
        DType::F32 if ty.shape.last() == Some(1) => f.term(x),
        DType::F32 => f.term(x).reshape(columns),
    };
    Ok(one_hot(place, count as usize).id)
}

/// torch.argmax(dim=-1, keepdim=True): where the largest element of each row is.
fn argmax(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    Ok(builder.graph.try_add(Argmax, &[x])?)
}

/// torch.max(dim=-1, keepdim=True): the largest element of each row, to which the gradient goes.
fn max(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    let count = x.shape().last().unwrap_or(1);
    Ok(x.gate(one_hot(f.op(Argmax, &[x]), count)).sum_last().id)
}
