//! Dropout: in training, random elements are zeros.

use super::{Builder, Function, floats};
use crate::entry::Entry;
use crate::graph::op::Mode;
use crate::graph::{Formula, NodeId};
use crate::signature::{Args, Param, Problem, Range, Signature};

/// `dropout(x, p)`
///
/// torch.nn.Dropout: in training each element is 0 with probability p, and divided by 1 - p
/// otherwise, so that its mean stays what it is. Predictions and evaluations leave x as it is.
/// (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov: Dropout; JMLR 15, 2014.)
pub const DROPOUT: Entry<Function> = Entry {
    signature: Signature {
        name: "dropout",
        about: "in training 0 with probability p, else x / (1 - p); x in predictions and \
            evaluations; p is 0.5",
        positional: 2,
        params: &[Param::tensor("x"), Param::real("p", Range::Fraction, 0.5)],
    },
    built: Some(Function::value(expand)),
};

fn expand(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let (x, p) = (floats(builder, args, "x")?, args.real("p"));
    if p == 0.0 {
        return Ok(x);
    }
    let mask = builder.mask(builder.graph.shape(x), p, 1.0 / (1.0 - p));
    let f = Formula::new(&mut builder.graph);
    let (x, mask) = (f.term(x), f.term(mask));
    Ok(f.op(Mode, &[x * mask, x]).id)
}
