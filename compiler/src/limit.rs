//! Reports what exceeds the limits of the machine, with the statement that causes it.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::emit::{self, Plan, Role, Stage};
use crate::graph::{Graph, NodeId, Origin, OriginId};
use crate::model::Model;
use arenet_program::{MAX_ARENA, MAX_ELEMENTS, PerEntry, Program};

/// The way out where memory or sizes are at their limit.
const HELP: &str = "a smaller batch or narrower layers need less";

/// The most operations of a step of training, with the gradients and the updates. As large a step
/// takes about two seconds to compile.
const MAX_STEP_NODES: usize = 500_000;

/// A step of training with too many operations, told before any of them is simplified.
pub fn of_nodes(model: &Model, graphs: &PerEntry<Graph>) -> Option<Diagnostic> {
    let counts = graphs.iter().map(|graph| graph.nodes.len());
    let count = counts.max().unwrap_or_default();
    if count <= MAX_STEP_NODES {
        return None;
    }
    let span = model.graph.span(model.loss?);
    let message = format!(
        "training takes {count} operations with the gradients and the updates, more than \
         {MAX_STEP_NODES}"
    );
    let error = Diagnostic::error(Code::TooManyNodes, span, message);
    Some(error.help("fewer layers, or an optimizer with fewer states, need less"))
}

/// Statistics over the batch where a batch is one row, which has no variance.
pub fn of_statistics(model: &Model, batch: u64) -> Option<Diagnostic> {
    let statistic = model.statistics.first().filter(|_| batch == 1)?;
    let message =
        "`batch_norm` is trained on the mean and variance of a batch, and one row has none";
    let error = Diagnostic::error(Code::BatchOfOne, model.params[statistic.param].span, message);
    Some(error.help("train with a larger `batch`, or use `layer_norm`"))
}

/// A value with more elements than a buffer may have, or a step with more operations than can be
/// counted. Told before anything is planned.
pub fn of_sizes(model: &Model, stages: &PerEntry<Stage>, batch: u64) -> Option<Diagnostic> {
    too_large(model, stages, batch).or_else(|| {
        let span = stages.iter().find_map(|stage| too_long(stage, batch))?.span;
        let message =
            format!("a step at batch {batch} takes more operations than 64 bits can count");
        let error = Diagnostic::error(Code::TooManyOperations, span, message);
        Some(error.label(span, "most of them are here").help(HELP))
    })
}

/// The largest value, where that is too large.
fn too_large(model: &Model, stages: &PerEntry<Stage>, batch: u64) -> Option<Diagnostic> {
    let sizes = emit::sizes(model, stages, batch);
    // The first of equals: what is too large for 64 bits has no size.
    let size = |(_, elements): &(OriginId, Option<u64>)| elements.unwrap_or(u64::MAX);
    let (origin, elements) = sizes.reduce(|a, b| if size(&b) > size(&a) { b } else { a })?;
    if elements.is_some_and(|elements| elements <= MAX_ELEMENTS) {
        return None;
    }
    let Origin { name, span } = &model.graph.origins[origin.0 as usize];
    let message = format!(
        "a value of `{name}` has more than 2^40 elements at batch {batch}, counting the padding \
         of rows to whole vectors"
    );
    Some(Diagnostic::error(Code::ValueTooLarge, *span, message).help(HELP))
}

/// The statement with most operations, where the entry point has too many.
fn too_long(stage: &Stage, batch: u64) -> Option<&Origin> {
    let graph = &stage.graph;
    let flops = |id: NodeId| graph.flops(id, batch);
    let total: u128 = graph.ids().map(|id| u128::from(flops(id))).sum();
    if u64::try_from(total).is_ok() {
        return None;
    }
    let most = graph.ids().max_by_key(|&id| flops(id))?;
    graph.origin(most)
}

/// An arena larger than any may be, or than `limit memory` says with the copy that training keeps;
/// the biggest values are named.
pub fn of_memory(model: &Model, program: &Program, plans: &PerEntry<Plan>) -> Option<Diagnostic> {
    let plan = plans.iter().max_by_key(|plan| plan.bytes)?;
    let mut values: Vec<_> = plan.values.iter().collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.bytes));
    let copy = program.copy_bytes();
    let needed = program.arena_bytes.saturating_add(copy);
    let said = model.memory_limit.filter(|&(limit, _)| needed > limit);
    let (needed, limit, span, whose) = match said {
        Some((limit, span)) => (needed, limit, span, "the limit"),
        None if program.arena_bytes > MAX_ARENA => {
            (program.arena_bytes, MAX_ARENA, values.first()?.span, "the largest arena")
        }
        None => return None,
    };
    let message = format!(
        "the program needs {needed} bytes of memory at batch {}, {} more than {whose} of {limit}",
        program.batch,
        needed - limit
    );
    let mut diagnostic = Diagnostic::error(Code::OverMemoryLimit, span, message);
    for value in values.iter().take(3) {
        let kind = match value.role {
            Role::Persistent => "kept between steps",
            Role::Saved => "saved for the backward pass",
            Role::Transient => "needed for a while",
        };
        let text = format!("`{}` takes {} bytes, {kind}", value.name, value.bytes);
        diagnostic = diagnostic.label(value.span, text);
    }
    if let (Some((_, span)), true) = (said, copy > 0) {
        let text = format!("training keeps a copy of parameters and states, {copy} bytes of these");
        diagnostic = diagnostic.label(span, text);
    }
    Some(diagnostic.help(HELP))
}
