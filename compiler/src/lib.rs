//! Compiles Arenet's `.net` text to a [`Verified`] program for `arenet-runtime`.
//!
//! [`compile`] is the whole pipeline as one function; each stage is a module.
#![forbid(unsafe_code)]

pub mod aliases;
mod batch;
pub mod code;
pub mod diagnostic;
pub mod emit;
pub mod entrance;
pub mod entry;
pub mod eval;
pub mod fix;
pub mod forms;
pub mod graph;
pub mod init;
pub mod layer;
pub mod limit;
pub mod lower;
pub mod model;
pub mod names;
pub mod optim;
mod outside;
pub mod pass;
pub mod reference;
pub mod sarif;
pub mod schedule;
pub mod show;
pub mod signature;
pub mod syntax;
pub mod watch;

use arenet_program::verify::verify;
use arenet_program::{EntryPoint, PerEntry, ProgramError, Subject, Verified};
use batch::{Step, fits, steps};
use code::Code;
use diagnostic::{Diagnostic, Span};
use emit::{Plan, Stage, emit, place};
use graph::op::Broadcast;
use graph::{Graph, NodeId};
use lower::lower;
use model::Model;
use pass::accumulate;
use pass::simplify::{simplify, simplify_model};
use pass::update::train_step;
use std::collections::HashSet;
use std::sync::Arc;
use syntax::parse;

/// How to compile.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The most rows of a run; `None` takes what the `train` section says, and for `batch = full`
    /// or a net without one [`DEFAULT_BATCH`].
    pub batch: Option<u64>,
    /// Whether a step of training takes all rows, of which there are `batch`. Where a batch of all
    /// needs too much memory, or `batch` says nothing, it is computed in pieces, whose gradients
    /// are accumulated.
    pub full: bool,
    /// New values for consts of a text.
    pub sets: Vec<(String, f64)>,
    /// What the program is for.
    pub purpose: Purpose,
    /// What the weights of matrix products are kept as. Training is in f32: with any other, the
    /// program only predicts and evaluates.
    pub weights: Precision,
}

/// What a program is for; it has nothing that another purpose needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// To predict: without targets, loss and metrics.
    Predict,
    /// To predict and to evaluate: without optimizers and their states.
    Evaluate,
    /// To do all, if the text says how to train.
    #[default]
    Train,
    /// To train by the gradients of the outputs, which come from outside as the targets, in place
    /// of the text's loss, metrics and targets.
    TrainByGradients,
}

/// What the weights of matrix products are kept as; the host rounds them when they are loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit floats.
    #[default]
    F32,
    /// bfloat16, half the bytes; all arithmetic stays that of f32.
    Bf16,
    /// 8-bit integers with a scale for each output, a quarter of the bytes; the rows that meet them
    /// become 8-bit integers as well.
    Int8,
}

impl Precision {
    /// Every precision.
    pub const ALL: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

    /// The name that `--weights` uses.
    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        }
    }
}

pub use batch::DEFAULT_BATCH;

impl Default for Options {
    fn default() -> Options {
        let (purpose, weights) = (Purpose::default(), Precision::default());
        Options { batch: None, full: false, sets: Vec::new(), purpose, weights }
    }
}

/// What is compiled.
#[derive(Clone, Copy)]
pub enum Source<'s> {
    /// The text of a `.net` file.
    Text(&'s str),
    /// A text with what [`lower`](lower::lower) has made of it, which holds for programs for any
    /// number of rows and any purpose.
    Lowered(&'s str, &'s Model),
}

impl<'s> From<&'s str> for Source<'s> {
    fn from(text: &'s str) -> Source<'s> {
        Source::Text(text)
    }
}

impl<'s> From<&'s String> for Source<'s> {
    fn from(text: &'s String) -> Source<'s> {
        Source::Text(text)
    }
}

/// A compiled net: the program, and what the stages made on the way.
pub struct Compiled {
    /// What is run.
    pub program: Arc<Verified>,
    /// The memory plan of each entry point.
    pub plans: PerEntry<Plan>,
    /// Lints of a text.
    pub warnings: Vec<Diagnostic>,
    /// The net as lowered, simplified.
    pub model: Model,
    /// The kernels of each entry point.
    pub stages: PerEntry<Stage>,
}

/// Compiles a net: the whole pipeline, a stage after the other. Each `refuse` ends it at what
/// cannot be run.
///
/// # Errors
/// Every mistake of the text, and what the machine cannot hold or count, with warnings among them.
///
/// ```
/// let source = "net n { input x: [N, 3]  output y = x |> dense(2) |> sigmoid }";
/// let compiled = arenet_compiler::compile(source, &Default::default()).unwrap();
/// assert_eq!(compiled.program.params[0].name, "y.w");
/// ```
pub fn compile<'s>(
    source: impl Into<Source<'s>>,
    options: &Options,
) -> Result<Compiled, Vec<Diagnostic>> {
    let (text, (model, warnings)) = match source.into() {
        Source::Text(text) => (text, lower(parse(text), &options.sets)?),
        Source::Lowered(text, model) => (text, (model.clone(), Vec::new())),
    };
    let fail = |error| [&warnings[..], &[error]].concat();
    let mut choices = steps(&model, options).map_err(fail)?;
    let last = choices.pop().expect("there is a choice");
    let built = |step| build(text, restrict(model.clone(), options, step)?, step, options);
    let first = choices.into_iter().find_map(|step| built(step).ok().filter(fits));
    let compiled = first.map_or_else(|| built(last), Ok).map_err(fail)?;
    Ok(Compiled { warnings, ..compiled })
}

/// Compiles what the program is for.
fn build(text: &str, model: Model, step: Step, options: &Options) -> Result<Compiled, Diagnostic> {
    let refuse = |found: Option<Diagnostic>| found.map_or(Ok(()), Err);
    let mut model = simplify_model(model);
    refuse(limit::of_statistics(&model, step.rows))?;
    let graphs = entry_graphs(&model)?; // differentiates and updates
    refuse(limit::of_nodes(&model, &graphs))?;
    let mut graphs = graphs.map(simplified);
    for entry in [EntryPoint::Eval, EntryPoint::Train] {
        keep_apart(&mut graphs[entry], model.step_results().len());
    }
    emit::narrow(&mut model, &graphs, options.weights);
    graphs[EntryPoint::Init] = simplified(emit::init_graph(&model));
    refuse(graphs.iter().find_map(overflow))?;
    // A narrow weight is no operand of a result in columns.
    let columns = options.weights == Precision::F32;
    let stages = emit::stages(graphs, step.rows, columns); // fuses and schedules
    refuse(limit::of_sizes(&model, &stages, step.rows))?;
    // Kernels say what they read and write, so they come before the places.
    let draft = emit(&model, &stages, step.rows, text);
    let (program, plans) = place(draft, &stages);
    refuse(limit::of_memory(&model, &program, &plans))?;
    let program = Arc::new(verify(program).map_err(broken)?);
    Ok(Compiled { program, plans, warnings: Vec::new(), model, stages })
}

/// A mistake of the compiler, if there ever is one: its own programs are verified as any other.
fn broken(error: ProgramError) -> Diagnostic {
    let message = format!("the compiled program cannot be run: {error}");
    Diagnostic::error(Code::BrokenProgram, Span::default(), message)
}

/// Leaves what the program is for.
fn restrict(mut model: Model, options: &Options, step: Step) -> Result<Model, Diagnostic> {
    if options.purpose < Purpose::Train || options.weights != Precision::F32 {
        model.training = None;
        model.statistics.clear();
        model.metrics.retain(|metric| metric.subject != Subject::Parameters);
        model.params.iter_mut().for_each(|param| param.optimizer = None);
    }
    if model.training.is_none() {
        model.fits.clear();
    }
    if options.purpose < Purpose::Evaluate {
        model.loss = None;
        model.terms.clear();
        model.metrics.clear();
        model.targets.clear();
    }
    if let (Some(training), Some(own)) = (&mut model.training, step.training) {
        (training.batch, training.accumulate) = own;
    }
    if options.purpose == Purpose::TrainByGradients && model.training.is_some() {
        outside::take_gradients(&mut model)?;
    }
    Ok(model)
}

/// Simplifies the graph of an entry point.
fn simplified(graph: Graph) -> Graph {
    checked(named_scalars(simplify(&graph)))
}

/// What the entry points compute; what the initial values are, depends on how weights are kept.
fn entry_graphs(model: &Model) -> Result<PerEntry<Graph>, Diagnostic> {
    let with_roots = |roots: Vec<NodeId>| Graph { roots, ..model.graph.clone() };
    let graph = |entry| match entry {
        EntryPoint::Init => None,
        EntryPoint::Predict => {
            Some(with_roots(model.outputs.iter().map(|&(_, node)| node).collect()))
        }
        EntryPoint::Eval => model.loss.map(|_| with_roots(model.results())),
        EntryPoint::Train | EntryPoint::Update => None,
        EntryPoint::Fit => Some(with_roots(model.fits.iter().map(|fit| fit.of).collect())),
    };
    let mut graphs = PerEntry::new(|entry| graph(entry).unwrap_or_default());
    match (&model.training, model.loss) {
        (Some(training), Some(loss)) if training.accumulates() => {
            let reduction = accumulate::reduction(&model.graph, loss)?;
            let halves = accumulate::halves(model, reduction);
            [graphs[EntryPoint::Train], graphs[EntryPoint::Update]] = halves;
        }
        (Some(_), _) => graphs[EntryPoint::Train] = train_step(model),
        _ => {}
    }
    Ok(graphs)
}

/// A loss or metric that is no more than a leaf gets a node, and so a place, of its own.
fn named_scalars(mut graph: Graph) -> Graph {
    for index in 0..graph.roots.len() {
        let root = graph.roots[index];
        let node = graph.node(root);
        if node.op.leaf().is_some() && node.shape.is_scalar() {
            let shape = node.shape;
            graph.roots[index] = graph.add(Broadcast { shape }, &[root]);
        }
    }
    graph
}

/// Gives a place to each of the first roots, which several entry points write: what is equal in one
/// of them, such as two heads without their dropout, may not be so in another.
fn keep_apart(graph: &mut Graph, count: usize) {
    let mut known = HashSet::new();
    for index in 0..count.min(graph.roots.len()) {
        let root = graph.roots[index];
        if !known.insert(root) {
            let shape = graph.shape(root);
            graph.roots[index] = graph.add(Broadcast { shape }, &[root]);
        }
    }
}

/// The first number of a graph that a 32-bit float cannot hold. Those of the text are within
/// bounds, but not all that is computed from them.
fn overflow(graph: &Graph) -> Option<Diagnostic> {
    let number = |node: &graph::Node| match node.op.source()? {
        graph::op::Source::Const(number) | graph::op::Source::PerRow(number) => Some(number),
        _ => None,
    };
    let bad = |id| number(graph.node(id)).filter(|value| !(*value as f32).is_finite());
    let (id, value) = graph.ids().find_map(|id| Some((id, bad(id)?)))?;
    let message = match value.is_nan() {
        true => "a number computed here is not a number".to_string(),
        false => format!("a number computed here is {value:.3e}, which a 32-bit float cannot hold"),
    };
    Some(Diagnostic::error(Code::NumberTooLarge, graph.span(id), message))
}

/// Debug builds verify the graph after each pass.
fn checked(graph: Graph) -> Graph {
    if cfg!(debug_assertions) {
        graph::verify::verify(&graph).expect("every pass leaves a well-formed graph");
    }
    graph
}
