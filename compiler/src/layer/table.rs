//! Functions for the columns of tables, where a value may be missing: a hole, which is NaN.

use super::{Builder, Expand, Function, floats};
use crate::entry::Entry;
use crate::graph::{Formula, NodeId, Term};
use crate::signature::{Args, Kind, Param, Problem, Range, Signature};

const X: Param = Param::tensor("x");
const ONE: &[Param] = &[X];
const CLIP: &[Param] = &[
    X,
    Param::required("low", Kind::Real(Range::Any)),
    Param::required("high", Kind::Real(Range::Any)),
];

/// The functions.
pub const TABLES: &[Entry<Function>] = &[
    function("is_missing", 1, ONE, is_missing),
    function("log1p", 1, ONE, log1p),
    function("clip", 3, CLIP, clip),
];

const fn function(
    name: &'static str,
    positional: usize,
    params: &'static [Param],
    expand: Expand,
) -> Entry<Function> {
    Entry {
        signature: Signature { name, positional, params },
        built: Some(Function::value(expand)),
    }
}

/// a where x has a value, else 0.
fn where_given<'f>(a: Term<'f>, x: Term<'f>) -> Term<'f> {
    // NaN compares as false.
    a.gate(x.abs() + 1.0)
}

/// 1 where x is NaN, else 0.
fn is_missing(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = floats(builder, args, "x")?;
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    Ok((1.0 - where_given(f.number(1.0).broadcast(x.shape()), x)).id)
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
        return Err(Problem::new("bad-value", message).at("low").help("exchange them"));
    }
    let f = Formula::new(&mut builder.graph);
    let x = f.term(x);
    let above = f.number(low).broadcast(x.shape()).max(x);
    Ok(f.number(high).broadcast(above.shape()).min(above).id)
}
