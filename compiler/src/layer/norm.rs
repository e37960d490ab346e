//! Normalisation along the rows of a value.

use super::{Builder, Function, rows};
use crate::entry::Entry;
use crate::graph::{Formula, NodeId, Term};
use crate::init::Init;
use crate::signature::{Args, Kind, Param, Problem, Range, Signature, Value};

const AFFINE: Param = Param::optional("elementwise_affine", Kind::Flag, Value::Flag(true));

/// `layer_norm(x, eps:, elementwise_affine:, bias:)`
///
/// torch.nn.LayerNorm over the last dimension: (x - m) / √(v + eps) w + b, where m is the mean of
/// the row and v the mean of (x - m)².
pub const LAYER_NORM: Entry<Function> = Entry {
    signature: Signature {
        name: "layer_norm",
        about: "(x - m) / √(v + eps) w + b along the last dimension; eps is 1e-5",
        positional: 1,
        params: &[
            Param::tensor("x"),
            Param::real("eps", Range::AtLeastZero, 1e-5),
            AFFINE,
            Param::optional("bias", Kind::Flag, Value::Flag(true)),
        ],
    },
    built: Some(Function::value(|builder, args| {
        normed(builder, args, args.flag("bias"), |x| x - x.mean_last())
    })),
};

/// `rms_norm(x, eps:, elementwise_affine:)`
///
/// torch.nn.RMSNorm over the last dimension: x / √(v + eps) w, where v is the mean of x².
pub const RMS_NORM: Entry<Function> = Entry {
    signature: Signature {
        name: "rms_norm",
        about: "x / √(mean of x² + eps) w along the last dimension; eps is 2⁻²³",
        positional: 1,
        params: &[
            Param::tensor("x"),
            Param::real("eps", Range::AtLeastZero, f32::EPSILON as f64),
            AFFINE,
        ],
    },
    built: Some(Function::value(|builder, args| normed(builder, args, false, |x| x))),
};

/// d / √(mean of d² + eps) w + b, where d is the value as it is centered.
fn normed(
    builder: &mut Builder,
    args: &Args,
    has_bias: bool,
    centered: impl for<'f> FnOnce(Term<'f>) -> Term<'f>,
) -> Result<NodeId, Problem> {
    let x = rows(builder, args, "x")?;
    let width = builder.graph.shape(x).last().expect("x has rows");
    let mut param = |name: &str, exists: bool, init: f64| match exists {
        true => builder.param(name, &[width], Init::Constant(init)).map(Some),
        false => Ok(None),
    };
    let is_affine = args.flag("elementwise_affine");
    let w = param("w", is_affine, 1.0)?;
    let b = param("b", is_affine && has_bias, 0.0)?;
    let f = Formula::new(&mut builder.graph);
    let d = centered(f.term(x));
    let mut y = d / ((d * d).mean_last() + args.real("eps")).sqrt();
    if let Some(w) = w {
        y = y * f.term(w);
    }
    if let Some(b) = b {
        y = y + f.term(b);
    }
    Ok(y.id)
}
