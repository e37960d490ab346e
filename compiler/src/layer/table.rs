//! Functions for the columns of tables, where a value may be missing: a hole, which is NaN.

use super::{Builder, Function, Holes, floats, function};
use crate::code::Code;
use crate::entry::Entry;
use crate::graph::op::ToFloat;
use crate::graph::{DType, Formula, NodeId, Shape, Term};
use crate::model::Domain;
use crate::signature::{Args, Kind, Param, Problem, Range, Value};
use arenet_program::Statistic;

const X: Param = Param::tensor("x");
const ONE: &[Param] = &[X];
const UNSTANDARDIZE: &[Param] = &[Param::tensor("z"), Param::required("t", Kind::Target)];
const FILL: &[Param] =
    &[X, Param::optional("with", Kind::WordOrReal(&["mean", "median"]), Value::Word("mean"))];
const CLIP: &[Param] = &[
    X,
    Param::required("low", Kind::Real(Range::Any)),
    Param::required("high", Kind::Real(Range::Any)),
];

/// The functions.
pub const TABLES: &[Entry<Function>] = &[
    function(
        "standardize",
        "(x - mean) / deviation of each column, those of the rows that are trained on: `h.mean` \
            and `h.deviation`. Of a target, in `train`: `standardize(mpg)` has `mpg.mean` and \
            `mpg.deviation`",
        1,
        ONE,
        standardize,
        Holes::Kept,
    ),
    function(
        "unstandardize",
        "z deviation + mean of a target: back in its units",
        2,
        UNSTANDARDIZE,
        unstandardize,
        Holes::Refused,
    ),
    function(
        "min_max",
        "(x - min) / range of each column: `h.min` and `h.range`",
        1,
        ONE,
        min_max,
        Holes::Kept,
    ),
    function(
        "fill",
        "x, and where it has no value the `mean` of its column, which is the default, the \
            `median`, or a number: `h.fill`",
        1,
        FILL,
        fill,
        Holes::Filled,
    ),
    function(
        "is_missing",
        "1 where x has no value, else 0; of numbers or classes",
        1,
        ONE,
        is_missing,
        Holes::Filled,
    ),
    function(
        "log1p",
        "ln(1 + x), for columns from 0 on of wild scales, such as amounts",
        1,
        ONE,
        log1p,
        Holes::Kept,
    ),
    function("clip", "x within bounds", 3, CLIP, clip, Holes::Kept),
];

/// A value whose columns are fitted, in rows of one dimension or none, as its parameters are.
fn columns<'f>(f: &'f Formula<'f>, x: NodeId) -> Term<'f> {
    let x = f.term(x);
    let shape = x.shape();
    match shape.rank() {
        ..=2 => x,
        _ => x.reshape(Shape::batched(&[shape.fixed_elements()])),
    }
}

/// sklearn.preprocessing.StandardScaler: (x - mean) / deviation. A target shares its statistics
/// with `unstandardize`.
fn standardize(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let [mean, deviation] = match builder.target_name(x) {
        Some(target) => builder.fit_target(&target, &dims_of(shape))?,
        None => {
            let params = [("mean", 0.0), ("deviation", 1.0)];
            builder.fit("standardize", x, Statistic::Deviation, params)?
        }
    };
    let f = Formula::new(&mut builder.graph);
    Ok(((columns(&f, x) - f.term(mean)) / f.term(deviation)).reshape(shape).id)
}

/// z deviation + mean, with those of a target.
fn unstandardize(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let z = floats(builder, args, "z")?;
    let (target, shape) = args.target("t");
    let own = builder.graph.shape(z);
    if own != shape {
        let message = format!("this is {own}, and the target `{target}` is {shape}");
        return Err(Problem::new(Code::ShapeMismatch, message).at("z"));
    }
    let [mean, deviation] = builder.fit_target(target, &dims_of(shape))?;
    let f = Formula::new(&mut builder.graph);
    Ok((columns(&f, z) * f.term(deviation) + f.term(mean)).reshape(shape).id)
}

/// sklearn.preprocessing.MinMaxScaler: (x - min) / range.
fn min_max(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let params = [("min", 0.0), ("range", 1.0)];
    let [least, range] = builder.fit("min_max", x, Statistic::Range, params)?;
    let f = Formula::new(&mut builder.graph);
    Ok(((columns(&f, x) - f.term(least)) / f.term(range)).reshape(shape).id)
}

/// sklearn.impute.SimpleImputer: x, and where it has no value one of its column, or a number.
fn fill(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let statistic = match args.says("with", "median") {
        true => Statistic::Median,
        false => Statistic::Mean,
    };
    let number = args.number("with");
    let value = match number {
        Some(_) => None,
        None => Some(builder.fit("fill", x, statistic, [("fill", 0.0)])?[0]),
    };
    let f = Formula::new(&mut builder.graph);
    let x = columns(&f, x);
    let value = value.map_or_else(|| f.number(number.unwrap_or_default()), |id| f.term(id));
    let value = value.broadcast(x.shape());
    Ok((where_given(x, x) + (value - where_given(value, x))).reshape(shape).id)
}

/// The sizes of statistics of each element of a row.
fn dims_of(shape: Shape) -> Vec<usize> {
    if shape.rank() == 1 { Vec::new() } else { vec![shape.fixed_elements()] }
}

/// a where x has a value, else 0.
fn where_given<'f>(a: Term<'f>, x: Term<'f>) -> Term<'f> {
    // NaN compares as false.
    a.gate(x.abs() + 1.0)
}

/// 1 where x is NaN, or of classes the index behind the last one, else 0.
fn is_missing(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = args.tensor("x");
    let classes = builder.domains.get(&x).and_then(Domain::classes);
    let is_class = builder.graph.node(x).dtype == DType::I32;
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    if is_class {
        let Some(classes) = classes else {
            let message = "nothing says how many values this has, beside what is missing";
            let help = "write `in 0..10` behind its type";
            return Err(Problem::new(Code::UnknownClasses, message).at("x").help(help));
        };
        let index = f.op(ToFloat, &[x]); // a column
        let one = f.number(1.0).broadcast(index.shape());
        let flags = one.gate(index - (classes as f64 - 0.5));
        return Ok(if x.shape().rank() == 1 { flags } else { flags.reshape(x.shape()) }.id);
    }
    let one = f.number(1.0).broadcast(x.shape());
    Ok((1.0 - where_given(one, x)).id)
}

/// numpy.log1p: ln(1 + x), of a small x with all of its digits. With u = 1 + x as it is rounded and
/// the rest r = x - (u - 1) it is ln u + ln(1 + r / u), of which r / u is enough.
fn log1p(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    let u = x + 1.0;
    let rest = x - (u - 1.0);
    // At x = -1 the rest is 0, and so is what it adds.
    Ok((u.log() + rest / u.max(f.number(1e-30))).id)
}

/// numpy.clip: min(max(x, low), high). NaN stays NaN, as the second operand of either.
fn clip(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let (low, high) = (args.real("low"), args.real("high"));
    if low > high {
        let message = format!("`low` is {low}, above `high`, which is {high}");
        return Err(Problem::new(Code::BadValue, message).at("low").help("exchange them"));
    }
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    let above = f.number(low).broadcast(x.shape()).max(x);
    Ok(f.number(high).broadcast(above.shape()).min(above).id)
}
