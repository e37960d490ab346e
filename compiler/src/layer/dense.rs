//! The fully connected layer.

use super::{Builder, Function, rows};
use crate::entry::Entry;
use crate::graph::{Formula, NodeId};
use crate::init::{Fan, Rule};
use crate::signature::{Args, Kind, Param, Problem, Signature, Value};

/// `dense(x, n, bias:, init:)`
pub const DENSE: Entry<Function> = Entry {
    signature: Signature {
        name: "dense",
        about: "x w + b with w [in, n]; weights start as `glorot`, biases as 0",
        positional: 2,
        params: &[
            Param::tensor("x"),
            Param::required("n", Kind::count(1)),
            Param::optional("bias", Kind::Flag, Value::Flag(true)),
            Param::optional("init", Kind::Init, Value::Init(Rule::Uniform(Fan::Mean, 1.0))),
        ],
    },
    built: Some(Function::value(expand)),
};

/// y = x w + b, w [in, out]: torch.nn.Linear, whose weight is the transpose.
fn expand(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    let inputs = shape.last().expect("x has rows");
    let outputs = args.count("n").and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    shape.with_last(outputs).map_err(|error| Problem::from(error).at("n"))?;

    let dims = [inputs, outputs];
    let rule = args.init("init");
    let w = builder.param("w", &dims, rule.init(&dims).expect("a weight is a matrix"))?;
    let b = match args.flag("bias") {
        true => Some(builder.param("b", &[outputs], rule.of_bias(&dims))?),
        false => None,
    };
    let f = Formula::new(&mut builder.graph);
    let product = f.term(x).matmul(f.term(w));
    let y = b.map_or(product, |b| product + f.term(b)).id;
    if args.span("init").is_none() {
        let ends = args.spans.iter().flatten().map(|span| span.end);
        let last = ends.filter(|end| (builder.span.start..builder.span.end).contains(end)).max();
        builder.default_init.insert(y, last.unwrap_or(builder.span.end));
    }
    Ok(y)
}
