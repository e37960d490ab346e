//! What the language offers: every function expands into operators.
//!
//! A layer, activation, loss or metric is an entry of a list: its signature and a function that
//! builds it. Names and defaults are PyTorch's; formulas stand in the code as they are published.

mod activation;
mod arithmetic;
mod builder;
mod dense;
pub mod init;
mod loss;
mod metric;

pub use arithmetic::{infix, spread};
pub use builder::{Builder, Outside, Sharing};
pub use metric::{METRICS, MetricEntry};

use crate::graph::{DType, NodeId};
use crate::signature::{Args, Problem, Signature};

/// A function of the language.
pub struct Entry {
    /// Its name and parameters.
    pub signature: Signature,
    /// Expands a call.
    pub expand: fn(&mut Builder, &Args) -> Result<NodeId, Problem>,
}

/// All functions: layers, activations, losses.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    [dense::ENTRIES, activation::ENTRIES, loss::ENTRIES].into_iter().flatten()
}

/// Functions of the language that this version does not compile yet.
pub const NOT_YET: &[&str] = &[
    // layers
    "avg_pool2d",
    "batch_norm",
    "concat",
    "conv1d",
    "conv2d",
    "dropout",
    "embedding",
    "flatten",
    "layer_norm",
    "max_pool2d",
    "reshape",
    "rms_norm",
    "slice",
    // activations
    "elu",
    "gelu_tanh",
    "hardsigmoid",
    "hardswish",
    "log_sigmoid",
    "mish",
    "relu6",
    "selu",
    "softsign",
    // losses
    "cross_entropy_probs",
    "hinge_embedding",
    "huber",
    "kl_div",
    "nll",
    "poisson_nll",
    "smooth_l1",
];

/// An argument that has to be floats.
fn floats(builder: &Builder, args: &Args, name: &'static str) -> Result<NodeId, Problem> {
    let id = args.tensor(name);
    let node = builder.graph.node(id);
    if node.dtype == DType::F32 {
        return Ok(id);
    }
    let message = format!("`{}` works on floats, not on {}", args.signature.name, node.ty());
    Err(Problem::new("type-mismatch", message).at(name))
}

/// Checks that there are rows to work along.
fn rows(builder: &Builder, args: &Args, name: &'static str) -> Result<NodeId, Problem> {
    let id = floats(builder, args, name)?;
    let shape = builder.graph.shape(id);
    if shape.last().is_some() {
        return Ok(id);
    }
    let function = args.signature.name;
    let message = format!("`{function}` works along the last dimension, but {shape} has none");
    Err(Problem::new("shape-mismatch", message).at(name))
}
