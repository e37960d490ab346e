//! Normalisation of columns over the batch.

use super::{Builder, Function, rows};
use crate::code::Code;
use crate::entry::Entry;
use crate::graph::{Formula, NodeId};
use crate::init::Init;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};
use arenet_program::{HostInput, HostNumber};

/// `batch_norm(x, eps:, momentum:, affine:)`
///
/// torch.nn.BatchNorm1d of [N, k]: (x - m) / √(v + eps) w + b, in training with the mean m of each
/// column over the rows of the batch and the mean v of (x - m)². A step also brings running
/// statistics to those of the batch: by the factor momentum, v with N - 1 in place of N.
/// Predictions and evaluations take the running ones. (Ioffe and Szegedy: Batch Normalization;
/// ICML 2015.)
///
/// One row has no variance: where PyTorch refuses such a batch, y is b, and the running statistics
/// stay as they are.
pub const BATCH_NORM: Entry<Function> = Entry {
    signature: Signature {
        name: "batch_norm",
        about: "(x - m) / √(v + eps) w + b with the mean and variance of each column of [N, k]: \
            in training of the batch, else the running ones `h.mean` and `h.var`, in which a \
            batch has the share momentum, 0.1; eps is 1e-5. A frozen one takes the running ones \
            in training too. A batch of one row has no variance: it gives b, and leaves the \
            running ones as they are",
        positional: 1,
        params: &[
            Param::tensor("x"),
            Param::real("eps", Range::AboveZero, 1e-5),
            Param::real("momentum", Range::Fraction, 0.1),
            Param::optional("affine", Kind::Flag, Value::Flag(true)),
        ],
    },
    built: Some(Function::value(expand)),
};

fn expand(builder: &mut Builder, args: &Args) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    let shape = builder.graph.shape(x);
    if !shape.batch() || shape.rank() != 2 {
        let message =
            format!("`batch_norm` goes over the rows of the batch in [N, k], not {shape}");
        let help = "`flatten` makes a row of each N; `layer_norm` works along the last dimension";
        return Err(Problem::new(Code::ShapeMismatch, message).at("x").help(help));
    }
    let width = [shape.last().expect("x has rows")];
    let mut affine = |name, init| match args.flag("affine") {
        true => builder.param(name, &width, Init::Constant(init)).map(Some),
        false => Ok(None),
    };
    let (w, b) = (affine("w", 1.0)?, affine("b", 0.0)?);

    let share = share(args.real("momentum"));
    let f = Formula::new(&mut builder.graph);
    let mean = (f.term(x).sum_rows() * f.per_row(1.0)).id;
    let mean = builder.statistic(("mean", 0.0), mean, |running, mean| {
        let share = mean.formula().host(share.clone());
        running * (1.0 - share) + mean * share
    })?;
    let f = Formula::new(&mut builder.graph);
    let d = f.term(x) - f.term(mean);
    let (var, d) = (((d * d).sum_rows() * f.per_row(1.0)).id, d.id);
    let var = builder.statistic(("var", 1.0), var, |running, var| {
        let f = var.formula();
        let unbiased =
            HostNumber::from(HostInput::Rows) / (HostNumber::from(HostInput::Rows) - 1.0).max(1.0);
        running * (1.0 - f.host(share.clone())) + var * f.host(share.clone() * unbiased)
    })?;
    let f = Formula::new(&mut builder.graph);
    let deviation = (f.term(var) + args.real("eps")).sqrt();
    let scale = w.map_or(1.0 / deviation, |w| f.term(w) / deviation);
    let y = f.term(d) * scale;
    Ok(b.map_or(y, |b| y + f.term(b)).id)
}

/// The share of a batch in the running statistics; one row has none.
fn share(momentum: f64) -> HostNumber {
    HostNumber::from(HostInput::Rows).less(2.0).choose(0.0, momentum)
}
