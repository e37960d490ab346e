//! The functions of the language, each of which expands into operators.
//!
//! A layer, activation, loss or metric is an entry of a list: its signature and a function that
//! builds it. Names and defaults are PyTorch's; formulas stand in the code as they are published.

pub(crate) mod activation;
mod arithmetic;
mod batch_norm;
mod builder;
mod dense;
mod dropout;
mod embedding;
mod fit;
pub mod init;
pub(crate) mod loss;
pub(crate) mod metric;
mod norm;
mod shape;
mod table;
mod terms;

pub use arithmetic::{common_shape, infix, spread};
pub use builder::{Builder, Outside, Sharing};
pub use fit::TargetFit;
use shape::{one_hot, positions};
pub use terms::terms;

use crate::code::Code;
use crate::entry::Entry;
use crate::graph::{DType, NodeId};
use crate::model::Figure;
use crate::signature::{Args, Param, Problem, Signature};
use arenet_program::{Finish, Scale};
use metric::ratio_of_sums;

/// A function of the language, with all that is asked of it elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// What it is.
    pub make: Make,
    /// What it asks of its target `t`, if it has one.
    pub target: Option<Target>,
    /// What becomes of fields without a value.
    pub holes: Holes,
    /// As a metric, whether a larger figure is a better one.
    pub rises: bool,
    /// Warns of a call that is no error but hardly meant.
    pub lint: Option<fn(&Builder, &Args) -> Option<Problem>>,
}

/// What a function makes of its arguments.
#[derive(Clone, Copy, Debug)]
pub enum Make {
    /// A value: layers, activations, and what losses of one's own are made of.
    Value(Expand),
    /// A loss, which is a metric as well.
    Loss(Expand),
    /// A figure shown beside the loss, inside `train` alone.
    Metric(Metric),
}

/// What a function does with holes, the fields of a table without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holes {
    /// It takes none.
    Refused,
    /// Where its arguments have some, its value has them.
    Kept,
    /// Its value has none.
    Filled,
}

/// Makes a figure of a call.
pub type Metric = fn(&mut Builder, &Args) -> Result<Figure, Problem>;

/// Expands a call.
pub type Expand = fn(&mut Builder, &Args) -> Result<NodeId, Problem>;

/// What the target of a function has to be.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Where it is of integers, as many classes as the rows of `y` have scores, which are such.
    Classes(Scale),
    /// From 0 to 1, and what the elements of `y` are that say how certainly it is 1.
    Shares(Scale),
}

impl Function {
    /// A function of which no more is asked than what it makes.
    const fn new(make: Make) -> Function {
        Function { make, target: None, holes: Holes::Refused, rises: false, lint: None }
    }

    /// A value.
    const fn value(expand: Expand) -> Function {
        Function::new(Make::Value(expand))
    }

    /// A metric that is better the smaller it is.
    const fn metric(figure: Metric) -> Function {
        Function::new(Make::Metric(figure))
    }

    /// A loss.
    const fn loss(expand: Expand) -> Function {
        Function::new(Make::Loss(expand))
    }

    /// Expands a call as a metric.
    pub fn figure(&self, builder: &mut Builder, args: &Args) -> Result<Figure, Problem> {
        match self.make {
            Make::Value(expand) | Make::Loss(expand) => {
                let node = expand(builder, args)?;
                Ok(figure_of(builder, args, node))
            }
            Make::Metric(figure) => figure(builder, args),
        }
    }
}

/// What the value of a call is over many batches: its mean, or its sum.
pub fn figure_of(builder: &Builder, args: &Args, node: NodeId) -> Figure {
    if let Some(sums) = builder.quotients.get(&node) {
        return Figure { values: sums.to_vec(), finish: ratio_of_sums(false) };
    }
    let is_sum = args.says("reduction", "sum");
    let finish = if is_sum { Finish::sum() } else { Finish::mean() };
    Figure { values: vec![node], finish }
}

/// What a net may call.
pub fn functions() -> impl Iterator<Item = &'static Entry<Function>> {
    [LAYERS, table::TABLES, shape::SHAPES, activation::ACTIVATIONS, loss::LOSSES]
        .into_iter()
        .flatten()
}

/// All functions: what a net may call, and the metrics.
pub fn entries() -> impl Iterator<Item = &'static Entry<Function>> {
    functions().chain(metric::METRICS)
}

/// A value that is made of what may be missing in one way or another.
const fn function(
    name: &'static str,
    about: &'static str,
    positional: usize,
    params: &'static [Param],
    expand: Expand,
    holes: Holes,
) -> Entry<Function> {
    Entry {
        signature: Signature { name, about, positional, params },
        built: Some(Function { holes, ..Function::value(expand) }),
    }
}

/// The layers.
const LAYERS: &[Entry<Function>] = &[
    dense::DENSE,
    dropout::DROPOUT,
    batch_norm::BATCH_NORM,
    norm::LAYER_NORM,
    norm::RMS_NORM,
    embedding::EMBEDDING,
    Entry::planned("avg_pool2d"),
    Entry::planned("conv1d"),
    Entry::planned("conv2d"),
    Entry::planned("max_pool2d"),
];

/// An argument that has to be floats.
fn floats(builder: &Builder, args: &Args, name: &'static str) -> Result<NodeId, Problem> {
    let id = args.tensor(name);
    let node = builder.graph.node(id);
    if node.dtype == DType::F32 {
        return Ok(id);
    }
    let message = format!("`{}` works on floats, not on {}", args.signature.name, node.ty());
    let problem = Problem::new(Code::TypeMismatch, message).at(name);
    Err(problem.help("`one_hot(x)` or `embedding(x, n)` makes numbers of classes"))
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
    Err(Problem::new(Code::ShapeMismatch, message).at(name))
}
