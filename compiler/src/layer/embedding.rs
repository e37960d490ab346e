//! The embedding: a row of a table for each of the values that an input may take.

use super::{Builder, Function, Holes};
use crate::code::Code;
use crate::entry::Entry;
use crate::graph::op::Gather;
use crate::graph::{DType, NodeId, Shape};
use crate::init::{Init, Rule};
use crate::signature::{Args, Kind, Param, Problem, Signature, Value};

/// How torch.nn.Embedding starts.
const OF_TORCH: Rule = Rule::Fixed(Init::Normal(0.0, 1.0));

/// `embedding(x, n, init:)`
pub const EMBEDDING: Entry<Function> = Entry {
    signature: Signature {
        name: "embedding",
        about: "a row of n numbers for each value of an integer input; starts as `normal(0, 1)`",
        positional: 2,
        params: &[
            Param::tensor("x"),
            Param::required("n", Kind::count(1)),
            Param::optional("init", Kind::Init, Value::Init(OF_TORCH)),
        ],
    },
    built: Some(Function { holes: Holes::Filled, ..Function::value(expand) }),
};

/// y = w[x], w [values of x, n]: torch.nn.Embedding. What is missing has the last row.
fn expand(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = args.tensor("x");
    let ty = builder.graph.node(x).ty();
    if ty.dtype != DType::I32 {
        let message = format!("`embedding` takes integers, not {ty}");
        let help = "it is for an input such as `word: i32[N] in 0..1000`";
        return Err(Problem::new(Code::TypeMismatch, message).at("x").help(help));
    }
    let Some(rows) = builder.indices(x) else {
        let message = "nothing says how many values this has, which are the rows of the table";
        let help = "write `in 0..10` behind its type";
        return Err(Problem::new(Code::UnknownClasses, message).at("x").help(help));
    };
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let dims = [size(rows), args.count("n").map_or(usize::MAX, size)];
    Shape::new(false, &dims).map_err(|error| Problem::from(error).at("n"))?;
    let rule = match args.init("init") {
        Rule::Torch => OF_TORCH,
        rule => rule,
    };
    let w = builder.param("w", &dims, rule.init(&dims).expect("a table is a matrix"))?;
    Ok(builder.graph.try_add(Gather, &[w, x])?)
}
