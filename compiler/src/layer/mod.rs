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

use crate::entry::Entry;
use crate::graph::{DType, NodeId};
use crate::signature::{Args, Problem};

/// A function of the language: expands a call.
pub type Expand = fn(&mut Builder, &Args) -> Result<NodeId, Problem>;

/// All functions: layers, activations, losses.
pub fn entries() -> impl Iterator<Item = &'static Entry<Expand>> {
    [LAYERS, activation::ENTRIES, loss::ENTRIES].into_iter().flatten()
}

/// The layers.
const LAYERS: &[Entry<Expand>] = &[
    dense::DENSE,
    Entry::planned("avg_pool2d"),
    Entry::planned("batch_norm"),
    Entry::planned("concat"),
    Entry::planned("conv1d"),
    Entry::planned("conv2d"),
    Entry::planned("dropout"),
    Entry::planned("embedding"),
    Entry::planned("flatten"),
    Entry::planned("layer_norm"),
    Entry::planned("max_pool2d"),
    Entry::planned("reshape"),
    Entry::planned("rms_norm"),
    Entry::planned("slice"),
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
