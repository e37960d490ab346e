//! The model, the result of lowering: the forward graph with named leaves, and how to train it.

use crate::Precision;
use crate::diagnostic::Span;
use crate::graph::{DType, Graph, NodeId, Shape};
use crate::init::Init;
use crate::optim::Optimizer;
use crate::pass::clip::Clip;
use crate::pass::hold::Hold;
pub use arenet_program::{Column, Domain, Missing};
use arenet_program::{Finish, ParamId, Scale, Subject, Training};

/// A network lowered from text.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The name after `net`.
    pub name: String,
    /// The forward pass, the loss and the metrics.
    pub graph: Graph,
    /// What comes from outside, in the order of the text; `Leaf::Input(i)` is the i-th.
    pub inputs: Vec<Port>,
    /// What the loss compares with; `Leaf::Target(i)` is the i-th.
    pub targets: Vec<Port>,
    /// The results, in the order of the text.
    pub outputs: Vec<(String, NodeId)>,
    /// The parameters; `Source::Param` has the index.
    pub params: Vec<Param>,
    /// What training keeps of the values that pass through.
    pub statistics: Vec<Statistic>,
    /// What the host fits before training.
    pub fits: Vec<Fit>,
    /// The loss, a scalar node.
    pub loss: Option<NodeId>,
    /// The sum of these figures is the loss of many batches; without any, it is the mean of their
    /// losses, each counted by its rows.
    pub terms: Vec<Figure>,
    /// The metrics, those that are parts of the loss first.
    pub metrics: Vec<Metric>,
    /// The values that a loss or a metric compares with the classes of a target.
    pub compared: Vec<Compared>,
    /// The optimizers; every trained parameter names one.
    pub optimizers: Vec<Optimizer>,
    /// The limits of gradients.
    pub clip: Clip,
    /// What parameters are held by beside the loss.
    pub holds: Vec<Hold>,
    /// Batch, epochs and the rest of the `train` section; `None` without one.
    pub training: Option<Training>,
    /// `limit memory`
    pub memory_limit: Option<(u64, Span)>,
}

/// A value that a loss or a metric compares with a target of classes, or of shares from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// The value.
    pub value: NodeId,
    /// The target.
    pub target: NodeId,
    /// What the function takes the value for.
    pub scale: Scale,
}

impl Model {
    /// The names of what the optimizer of a parameter keeps of it, in the order of their slots.
    pub fn optimizer_slots(&self, param: usize) -> Vec<&'static str> {
        let optimizer = self.params[param].optimizer.filter(|_| self.training.is_some());
        optimizer.map_or(Vec::new(), |index| self.optimizers[index].slots())
    }

    /// The names of all that is kept of a parameter from step to step: those of its optimizer, then
    /// those of its accumulated gradient.
    pub fn slots(&self, param: usize) -> Vec<&'static str> {
        let trained = self.training.as_ref().filter(|_| self.params[param].optimizer.is_some());
        let accumulated = trained.map_or(&[][..], accumulators);
        [&self.optimizer_slots(param), accumulated].concat()
    }

    /// What an evaluation gives of a batch: its loss, and the values of terms and metrics.
    pub fn results(&self) -> Vec<NodeId> {
        let metrics = self.metrics.iter().map(|metric| &metric.figure);
        let figures = self.terms.iter().chain(metrics);
        self.loss.into_iter().chain(values(figures)).collect()
    }

    /// The first of those, which a step of training gives as well: the loss, and the values of its
    /// terms and of its parts.
    pub fn step_results(&self) -> Vec<NodeId> {
        let parts = self.metrics.iter().filter(|metric| metric.subject == Subject::Loss);
        let figures = self.terms.iter().chain(parts.map(|part| &part.figure));
        self.loss.into_iter().chain(values(figures)).collect()
    }

    /// Makes the outputs, the results, the new statistics and what is fitted the roots of the
    /// graph, in this order.
    pub fn set_roots(&mut self) {
        let outputs = self.outputs.iter().map(|(_, node)| *node);
        let statistics = self.statistics.iter().map(|statistic| statistic.new);
        let fitted = self.fits.iter().map(|fit| fit.of);
        let roots = outputs.chain(self.results()).chain(statistics).chain(fitted);
        self.graph.roots = roots.collect();
    }
}

fn values<'a>(figures: impl IntoIterator<Item = &'a Figure>) -> impl Iterator<Item = NodeId> {
    figures.into_iter().flat_map(|figure| figure.values.iter().copied())
}

/// From so many batches on, what is lost of each addition is added to the next: the sum of a
/// million equal terms would be off by a percent.
const MANY: u64 = 64;

/// The states that the gradients of so many batches are accumulated in, for each parameter.
fn accumulators(training: &Training) -> &'static [&'static str] {
    match training.accumulate {
        ..=1 => &[],
        2..MANY => &["gradient"],
        MANY.. => &["gradient", "gradient_rest"],
    }
}

/// An input or a target.
#[derive(Clone, Debug)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its shape; the first dimension is the batch.
    pub shape: Shape,
    /// Its elements.
    pub dtype: DType,
    /// The values it may take.
    pub domain: Domain,
    /// What becomes of a field without a value.
    pub missing: Missing,
    /// The columns of a table that it takes, where the text says it.
    pub from: Vec<Column>,
    /// Its leaf.
    pub node: NodeId,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name: `h.w`, `h.b`, `h.0.w`.
    pub name: String,
    /// Its shape; a weight is [in, out].
    pub shape: Shape,
    /// How it starts.
    pub init: Init,
    /// Its leaf.
    pub node: NodeId,
    /// The optimizer that updates it, an index into `Model::optimizers`; `None` when frozen, and
    /// of a statistic.
    pub optimizer: Option<usize>,
    /// Where it is declared.
    pub span: Span,
    /// What its elements are kept as.
    pub precision: Precision,
}

/// A parameter that no gradient changes: every step of training gives it a value made of the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Statistic {
    /// The index of the parameter.
    pub param: usize,
    /// Its value after a step.
    pub new: NodeId,
}

/// Parameters that no gradient changes: the host takes a statistic of all rows before training.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The parameters.
    pub params: Vec<ParamId>,
    /// The values that it is of.
    pub of: NodeId,
    /// What is taken of them.
    pub statistic: arenet_program::Statistic,
    /// How many others it waits for, one after the other.
    pub level: u32,
}

/// A figure shown beside the loss.
#[derive(Clone, Debug)]
pub struct Metric {
    /// The name shown: `accuracy`, or `accuracy(y2)` when there are several of one kind.
    pub name: String,
    /// How it is computed.
    pub figure: Figure,
    /// Whether a larger figure is a better one.
    pub rises: bool,
    /// What it is a figure of; of the parameters alone are penalties, which training alone has.
    pub subject: Subject,
}

/// How a figure of many rows is computed.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The values over the batch, scalars.
    pub values: Vec<NodeId>,
    /// What becomes of them.
    pub finish: Finish,
}
